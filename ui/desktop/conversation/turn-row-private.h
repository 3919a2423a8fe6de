/* turn-row-private.h - the inside of a row, shared by its files.
 *
 * Invariants:
 * 1. `text` holds all bytes that came; the label lags behind it by at most one `flushing`.
 * 2. `turn` is NULL until the row is finished; `is_failed` and `turn` exclude each other.
 * 3. `clock` runs from the question to the end of the waiting, and never after.
 */
#ifndef HILUM_DESKTOP_TURN_ROW_PRIVATE_H
#define HILUM_DESKTOP_TURN_ROW_PRIVATE_H

#include "conversation/turn-row.h"
#include "conversation/verdict-bar.h"

G_BEGIN_DECLS

struct _DesktopTurnRow {
  GtkListBoxRow parent;

  /* Template widgets. */
  GtkLabel *question, *answer, *phase, *provenance, *failure, *unsaved, *version, *legend, *check,
      *others;
  GtkWidget *working, *spinner, *footer, *buttons, *failure_box, *unsaved_box, *versions, *back,
      *on, *check_box, *check_icon, *check_spinner, *details_button, *others_button;
  GtkRevealer *details, *others_revealer;
  DesktopVerdictBar *verdict;

  /* Owned. */
  DesktopQuestion *asked;
  JsonNode *turn;
  GString *text; /* the answer's bytes so far */
  char *phase_text;
  char *check_text; /* what checks have told so far, or NULL */
  GArray *pieces;   /* of DesktopPiece, which together are the answer; NULL: not told */

  gint64 conversation; /* of the log; 0: not told */
  gboolean is_failed, is_erased, sure;
  DesktopTurnOffers offers;
  guint flushing, clock;               /* sources, or 0 */
  gint64 flushed, started, first_text; /* monotonic, in µs; 0: not yet */
  char stage;                          /* first letter of the phase; 0: none yet */
  double stage_share;                  /* of it that is done */
  gint64 stage_started, stage_told;    /* when it began, and when its share was told */
};

/* A piece of the answer, and what the model thought of it. */
typedef struct {
  guint start, end; /* bytes of the answer */
  double p;
} DesktopPiece;

/* turn-row.c */
void desktop_turn_row_update_actions(DesktopTurnRow *self);

/* turn-answer.c */
void desktop_turn_row_start_clock(DesktopTurnRow *self);
void desktop_turn_row_stop_clock(DesktopTurnRow *self);
/* Shows all that came. */
void desktop_turn_row_flush(DesktopTurnRow *self);

/* turn-sure.c */
void desktop_turn_row_take_pieces(DesktopTurnRow *self, JsonObject *turn, const char *answer);
void desktop_turn_row_update_sure(DesktopTurnRow *self);
gboolean desktop_turn_row_tooltip(DesktopTurnRow *self, int x, int y, gboolean keyboard,
                                  GtkTooltip *tooltip);

/* turn-details.c */
/* In one line, and all of it: one line each; g_free(). */
char *desktop_turn_row_summary(DesktopTurnRow *self);
char *desktop_turn_row_details_text(DesktopTurnRow *self);
/* Makes the list below the line, once. */
void desktop_turn_row_fill_details(DesktopTurnRow *self);

/* turn-check.c */
void desktop_turn_row_take_checks(DesktopTurnRow *self, JsonArray *checks);

/* JSON members of whatever kind they may be. */
JsonObject *desktop_turn_object(JsonObject *object, const char *name); /* NULL: none */
const char *desktop_turn_text(JsonObject *object, const char *name);   /* "": none */
JsonArray *desktop_turn_array(JsonObject *object, const char *name);   /* NULL: none */
double desktop_turn_number(JsonObject *object, const char *name, double otherwise);

G_END_DECLS
#endif
