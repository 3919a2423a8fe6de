/* tags.h - the tag browser: all elements of the file of an image, to be searched and copied.
 *
 * A window of its own that follows what the active pane shows: desktop_tags_show() with each image.
 * The elements are read by app, and only the newest image asked for is waited for.
 */
#ifndef HILUM_DESKTOP_TAGS_H
#define HILUM_DESKTOP_TAGS_H

#include <adwaita.h>

#include "app.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_TAGS (desktop_tags_get_type())
G_DECLARE_FINAL_TYPE(DesktopTags, desktop_tags, DESKTOP, TAGS, AdwWindow)

DesktopTags *desktop_tags_new(GtkWindow *beside);
/* LABEL says which image it is. STUDY is borrowed until the next call; NULL: there is no image. */
void desktop_tags_show(DesktopTags *self, AppStudy *study, guint series, guint index,
                       const char *label);

G_END_DECLS
#endif
