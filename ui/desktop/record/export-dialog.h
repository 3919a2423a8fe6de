/* export-dialog.h - asks what of the log is to leave, in which form and where to, and writes it.
 *
 * How it went is said by the action "win.toast" of the window it belongs to.
 */
#ifndef HILUM_DESKTOP_EXPORT_DIALOG_H
#define HILUM_DESKTOP_EXPORT_DIALOG_H

#include <adwaita.h>

#include "app_export.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_EXPORT_DIALOG (desktop_export_dialog_get_type())
G_DECLARE_FINAL_TYPE(DesktopExportDialog, desktop_export_dialog, DESKTOP, EXPORT_DIALOG, AdwWindow)

/* LOG_PATH NULL: the default place. CONVERSATIONS: of gint64, what can be chosen beside all of the
 * log, called WHAT ("This conversation"); NULL: nothing. It is taken. */
DesktopExportDialog *desktop_export_dialog_new(GtkWindow *beside, const char *log_path,
                                               GArray *conversations, const char *what);
/* Where the folder of the export is made. */
void desktop_export_dialog_set_folder(DesktopExportDialog *self, const char *folder);

G_END_DECLS
#endif
