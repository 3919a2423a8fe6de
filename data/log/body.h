/* body.h - an event's two JSON objects as they are read. Private to the room.
 *
 * Nothing that a row says is believed. The first member that is wrong is kept as the error
 * (CORRUPT, naming the event, the member, what was found and what was expected), and the later
 * calls return 0 or NULL. Where the sealed object cannot be read (no key, or it was erased), all
 * that it would have said is absent.
 */
#ifndef HILUM_DATA_LOG_BODY_H
#define HILUM_DATA_LOG_BODY_H

#include "draft.h"
#include "private.h"
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *name; /* of the log */
  const char *kind;
  gint64 number;                    /* of the event */
  JsonObject *json[STORE_N_PLACES]; /* NULL: not readable */
  guint8 *numbers;                  /* behind the sealed object (numbers.h); g_free() */
  gsize n_numbers;
  gboolean without_lists; /* set before it is parsed: members that are lists are not read
                             and come out empty (ids and pieces are most of a turn) */
  gboolean without_clear; /* set before: the object that all can read is not parsed */
  gboolean failed;
  GError **error;
} StoreBody;

/* TEXT is one JSON object, or NULL; with numbers behind it (numbers.h) where it was sealed. */
gboolean store_body_parse(StoreBody *body, StorePlace place, const char *text, gsize n);
void store_body_clear(StoreBody *body);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreBody, store_body_clear)

/* Borrowed from BODY. A text that is REQUIRED may still be NULL where its object is not readable.
 */
const char *store_body_text(StoreBody *body, StorePlace place, const char *field, StoreNull null);
/* What was first written in another log was written at that time: *time, of the event, is replaced,
 * and what it was goes into *imported (may be NULL), which is NULL for all else. Both are owned. */
void store_body_time(StoreBody *body, char **time, char **imported);
/* 0 where it is absent. */
gint64 store_body_int(StoreBody *body, StorePlace place, const char *field, gint64 min, gint64 max);
guint store_body_uint(StoreBody *body, StorePlace place, const char *field);
guint64 store_body_uint64(StoreBody *body, StorePlace place, const char *field);
gboolean store_body_flag(StoreBody *body, StorePlace place, const char *field);
gboolean store_body_has(StoreBody *body, StorePlace place, const char *field);
/* NaN where it is absent. */
double store_body_real(StoreBody *body, StorePlace place, const char *field);
/* g_free(); NULL with *count 0 for none. */
gint32 *store_body_ids(StoreBody *body, const char *field, gsize *count); /* of what is sealed */
gint64 *store_body_rows(StoreBody *body, StorePlace place, const char *field, gsize *count);
/* Pieces of TEXT: their ends never fall, and stand between characters. Of what is sealed. */
StorePiece *store_body_pieces(StoreBody *body, const char *field, const char *text, gsize *count);
/* Into an array of StoreCheckAnswer whose answers are copies. */
void store_body_answers(StoreBody *body, StorePlace place, const char *field, GArray *answers);
void store_body_corrupt(StoreBody *body, const char *field, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

G_END_DECLS
#endif
