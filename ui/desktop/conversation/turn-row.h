/* turn-row.h - one question and its answer, with what it was asked on.
 *
 * The answer grows while the model speaks; the finished turn's report then takes its place.
 * Signals: "again", "edit" (the question), "switch" (int: -1 or 1, to another version of the turn),
 * "judge" (guint AppVerdict, string or NULL), "check" (guint AppCheck), "look" (DesktopSeen).
 */
#ifndef HILUM_DESKTOP_TURN_ROW_H
#define HILUM_DESKTOP_TURN_ROW_H

#include <gtk/gtk.h>
#include <json-glib/json-glib.h>

#include "app_trust.h"
#include "conversation/question.h"
#include "conversation/seen.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_TURN_ROW (desktop_turn_row_get_type())
G_DECLARE_FINAL_TYPE(DesktopTurnRow, desktop_turn_row, DESKTOP, TURN_ROW, GtkListBoxRow)

/* QUESTION is copied. */
GtkWidget *desktop_turn_row_new(const DesktopQuestion *question);

/* PHASE as in AppListener; TOTAL 0: not known. */
void desktop_turn_row_set_phase(DesktopTurnRow *self, const char *phase, guint done, guint total);
/* LENGTH bytes of UTF-8, which may end within a character. Shown at most 15 times a second. */
void desktop_turn_row_append(DesktopTurnRow *self, const char *bytes, gsize length);
/* TURN: the JSON object of the finished turn, or one of the log. */
void desktop_turn_row_finish(DesktopTurnRow *self, JsonNode *turn);
/* No answer; MESSAGE says why. */
void desktop_turn_row_fail(DesktopTurnRow *self, const char *message);
/* MESSAGE says why the turn is not in the log; NULL: it is. */
void desktop_turn_row_set_unsaved(DesktopTurnRow *self, const char *message);

/* What the row offers beside reading it. */
typedef enum {
  DESKTOP_TURN_AGAIN = 1 << 0, /* asking it again, with another question too */
  DESKTOP_TURN_CHECK = 1 << 1, /* checking it */
  DESKTOP_TURN_JUDGE = 1 << 2,
} DesktopTurnOffers;
void desktop_turn_row_set_offers(DesktopTurnRow *self, DesktopTurnOffers offers);
/* This is version NUMBER (from 1) of the turn, of COUNT. */
void desktop_turn_row_set_version(DesktopTurnRow *self, guint number, guint count);
/* Focus on the button that goes on in the direction of STEP, or back where that ends. */
void desktop_turn_row_focus_version(DesktopTurnRow *self, int step);
/* Underlines what the model was not sure of. */
void desktop_turn_row_set_sure(DesktopTurnRow *self, gboolean sure);

/* The log's id; 0: not known, and then it cannot be judged. */
/* The conversation of the log that it is in; 0: not known. */
void desktop_turn_row_set_conversation(DesktopTurnRow *self, gint64 conversation);
gint64 desktop_turn_row_get_conversation(DesktopTurnRow *self);
gint64 desktop_turn_row_get_id(DesktopTurnRow *self);
void desktop_turn_row_take_verdict(DesktopTurnRow *self, JsonObject *verdict);
/* One is under way. */
void desktop_turn_row_set_checking(DesktopTurnRow *self, gboolean checking);
/* RESULT as app_review_check_finish() tells, NULL: it came to nothing, MESSAGE says why. */
void desktop_turn_row_take_check(DesktopTurnRow *self, JsonObject *result, const char *message);

/* Focus on the answer, which a screen reader reads out then. */
void desktop_turn_row_focus_answer(DesktopTurnRow *self);
gboolean desktop_turn_row_is_answered(DesktopTurnRow *self);
gboolean desktop_turn_row_is_failed(DesktopTurnRow *self);
/* Borrowed. */
const DesktopQuestion *desktop_turn_row_get_asked(DesktopTurnRow *self);
/* The words that were sent, once they are known. Borrowed. */
const char *desktop_turn_row_get_question(DesktopTurnRow *self);
/* What came so far. Borrowed. */
const char *desktop_turn_row_get_answer(DesktopTurnRow *self);

G_END_DECLS
#endif
