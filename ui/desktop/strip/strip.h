/* strip.h - what the study holds, with thumbnails: series by study, key images, documents, and
 * what was refused.
 *
 * Shows and chooses only: what is chosen goes out as signals, and what is shown in the active pane
 * comes back by desktop_strip_select(). Thumbnails are asked for by rows in sight alone.
 *
 * A series is dragged out as a G_TYPE_UINT: its number in the study.
 *
 * Signals: "series-chosen" (uint series), "image-chosen" (uint series, uint index): a key image,
 * "document-chosen" (uint document).
 */
#ifndef HILUM_DESKTOP_STRIP_H
#define HILUM_DESKTOP_STRIP_H

#include <gtk/gtk.h>

#include "app.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_STRIP (desktop_strip_get_type())
G_DECLARE_FINAL_TYPE(DesktopStrip, desktop_strip, DESKTOP, STRIP, GtkBox)

/* STUDY is borrowed until the next call; NULL: none. Nothing is selected. */
void desktop_strip_set_study(DesktopStrip *self, AppStudy *study);
/* SERIES is what the active pane shows; G_MAXUINT: nothing. Emits nothing. */
void desktop_strip_select(DesktopStrip *self, guint series);
void desktop_strip_set_progress(DesktopStrip *self, const AppStudyProgress *progress);
/* Key images were marked or unmarked. */
void desktop_strip_update_keys(DesktopStrip *self);
/* The series at the top: of the newest study of the first patient. G_MAXUINT: there is none. */
guint desktop_strip_first_series(DesktopStrip *self);
/* Whether there is more to tell than that there is one series. */
gboolean desktop_strip_has_choice(DesktopStrip *self);

G_END_DECLS
#endif
