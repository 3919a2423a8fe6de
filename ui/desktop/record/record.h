/* record.h - the log in a window of its own: every event, found by kind and words, checked, and
 * given away.
 *
 * Signal: "conversation" (gint64): it is to be shown in the window beside.
 */
#ifndef HILUM_DESKTOP_RECORD_H
#define HILUM_DESKTOP_RECORD_H

#include <adwaita.h>

G_BEGIN_DECLS

#define DESKTOP_TYPE_RECORD (desktop_record_get_type())
G_DECLARE_FINAL_TYPE(DesktopRecord, desktop_record, DESKTOP, RECORD, AdwWindow)

/* PATH NULL: the default place. */
DesktopRecord *desktop_record_new(GtkWindow *beside, const char *path);

G_END_DECLS
#endif
