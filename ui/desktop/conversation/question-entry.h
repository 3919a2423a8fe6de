/* question-entry.h - where a question is written: Enter asks, Shift+Enter begins a new line.
 *
 * Signals: "activate", "changed".
 */
#ifndef HILUM_DESKTOP_QUESTION_ENTRY_H
#define HILUM_DESKTOP_QUESTION_ENTRY_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define DESKTOP_TYPE_QUESTION_ENTRY (desktop_question_entry_get_type())
G_DECLARE_FINAL_TYPE(DesktopQuestionEntry, desktop_question_entry, DESKTOP, QUESTION_ENTRY, GtkBox)

/* Without white space around it. g_free(). */
char *desktop_question_entry_dup_text(DesktopQuestionEntry *self);
/* Puts the cursor at its end. */
void desktop_question_entry_set_text(DesktopQuestionEntry *self, const char *text);
void desktop_question_entry_set_placeholder(DesktopQuestionEntry *self, const char *text);
void desktop_question_entry_focus(DesktopQuestionEntry *self);
/* Writes with the key of an event that came elsewhere; FALSE: the key writes nothing. */
gboolean desktop_question_entry_take_key(DesktopQuestionEntry *self,
                                         GtkEventControllerKey *controller);
/* The widget with the focus. Borrowed. */
GtkTextView *desktop_question_entry_get_view(DesktopQuestionEntry *self);

G_END_DECLS
#endif
