/* verdict-bar.h - what a person makes of an answer: accepted, edited or rejected, by whom and when.
 *
 * The model's own words stay where they are; an edited text stands below them.
 * Signals: "judge" (guint AppVerdict, string or NULL).
 */
#ifndef HILUM_DESKTOP_VERDICT_BAR_H
#define HILUM_DESKTOP_VERDICT_BAR_H

#include <gtk/gtk.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define DESKTOP_TYPE_VERDICT_BAR (desktop_verdict_bar_get_type())
G_DECLARE_FINAL_TYPE(DesktopVerdictBar, desktop_verdict_bar, DESKTOP, VERDICT_BAR, GtkBox)

/* The text that editing begins with. */
void desktop_verdict_bar_set_answer(DesktopVerdictBar *self, const char *answer);
/* FALSE: read only, or not in the log. */
void desktop_verdict_bar_set_can_judge(DesktopVerdictBar *self, gboolean can);
/* At the end of the line of its buttons. */
void desktop_verdict_bar_add_action(DesktopVerdictBar *self, GtkWidget *button);
/* VERDICT: {verdict, text, by, time}. */
void desktop_verdict_bar_take(DesktopVerdictBar *self, JsonObject *verdict);
/* "Accepted by anna, 26 Nov 2026 10:32"; "" as long as there is none. Borrowed. */
const char *desktop_verdict_bar_get_text(DesktopVerdictBar *self);
void desktop_verdict_bar_edit(DesktopVerdictBar *self);

G_END_DECLS
#endif
