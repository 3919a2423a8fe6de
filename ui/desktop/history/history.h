/* history.h - past conversations: found by their words, opened, gone on with.
 *
 * Signals: "chosen" (gint64: the conversation, string: its title).
 */
#ifndef HILUM_DESKTOP_HISTORY_H
#define HILUM_DESKTOP_HISTORY_H

#include <adwaita.h>

G_BEGIN_DECLS

#define DESKTOP_TYPE_HISTORY (desktop_history_get_type())
G_DECLARE_FINAL_TYPE(DesktopHistory, desktop_history, DESKTOP, HISTORY, GtkBox)

/* PATH NULL: the default place. KEPT FALSE: there is no log, and that is said. */
void desktop_history_set_log(DesktopHistory *self, const char *path, gboolean kept);
/* Looks again, when it is seen. */
void desktop_history_refresh(DesktopHistory *self);
void desktop_history_focus(DesktopHistory *self);
/* Ids of the conversations that are shown, of gint64; NULL: all are, for nothing was looked for. */
GArray *desktop_history_dup_found(DesktopHistory *self);
gboolean desktop_history_is_searching(DesktopHistory *self);

G_END_DECLS
#endif
