/* turn-row.h - one question and its answer, with what it was asked on.
 *
 * The answer grows while the model speaks; the finished turn's report then takes its place.
 */
#ifndef HILUM_DESKTOP_TURN_ROW_H
#define HILUM_DESKTOP_TURN_ROW_H

#include <gtk/gtk.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define DESKTOP_TYPE_TURN_ROW (desktop_turn_row_get_type())
G_DECLARE_FINAL_TYPE(DesktopTurnRow, desktop_turn_row, DESKTOP, TURN_ROW, GtkListBoxRow)

/* SUBJECT: the image and window that the question is about, for people. */
GtkWidget *desktop_turn_row_new(const char *question, const char *subject);

/* PHASE as in AppListener; TOTAL 0: not known. */
void desktop_turn_row_set_phase(DesktopTurnRow *self, const char *phase, guint done, guint total);
/* LENGTH bytes of UTF-8, which may end within a character. */
void desktop_turn_row_append(DesktopTurnRow *self, const char *bytes, gsize length);
/* TURN: the JSON object of the finished turn. */
void desktop_turn_row_finish(DesktopTurnRow *self, JsonNode *turn);
/* No answer; MESSAGE says why. */
void desktop_turn_row_fail(DesktopTurnRow *self, const char *message);
/* MESSAGE says why the turn is not in the log; NULL: it is. */
void desktop_turn_row_set_unsaved(DesktopTurnRow *self, const char *message);

/* What is shown now. Borrowed. */
const char *desktop_turn_row_get_answer(DesktopTurnRow *self);

G_END_DECLS
#endif
