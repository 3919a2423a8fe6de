/* draft.h - an event while it is put together. Private to the room.
 *
 * An event says two JSON objects: one that all who read the log can read, and one that is sealed
 * under the key of its subject. Members stand in the order in which they were put; what is absent
 * (NULL, no window) has no member, and a number that is not finite is one of the texts "nan",
 * "inf" and "-inf".
 */
#ifndef HILUM_DATA_LOG_DRAFT_H
#define HILUM_DATA_LOG_DRAFT_H

#include "store.h"

G_BEGIN_DECLS

typedef enum { STORE_CLEAR, STORE_SEALED, STORE_N_PLACES } StorePlace;

/* The first failure is kept, and the later calls do nothing. */
typedef struct {
  const char *name; /* of the log, for messages */
  const char *what; /* "turns": for messages */
  GString *json[STORE_N_PLACES];
  GByteArray *numbers; /* behind the sealed object (numbers.h) */
  gboolean erased; /* the subject's key is gone: what is sealed is under a key that nobody has */
  gboolean failed;
  GError **error;
} StoreDraft;

void store_draft_init(StoreDraft *draft, const char *name, const char *what, GError **error);
void store_draft_clear(StoreDraft *draft);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreDraft, store_draft_clear)
/* Closes both objects; whether all went well. */
gboolean store_draft_end(StoreDraft *draft);

/* Bytes that are no UTF-8 become U+FFFD: an answer may end inside a character, and losing the turn
 * would be worse; the token ids beside it hold what was really said. */
void store_draft_text(StoreDraft *draft, StorePlace place, const char *field, const char *text);
/* NULL, or 64 lower-case hexadecimal digits. */
void store_draft_sha256(StoreDraft *draft, StorePlace place, const char *field, const char *text);
void store_draft_int(StoreDraft *draft, StorePlace place, const char *field, gint64 value);
void store_draft_uint64(StoreDraft *draft, StorePlace place, const char *field, guint64 value);
void store_draft_flag(StoreDraft *draft, StorePlace place, const char *field, gboolean value);
void store_draft_real(StoreDraft *draft, StorePlace place, const char *field, double value);
/* Of the sealed object. */
void store_draft_ids(StoreDraft *draft, const char *field, const gint32 *ids, gsize count);
/* Rows of the log: plain numbers. */
void store_draft_rows(StoreDraft *draft, StorePlace place, const char *field, const gint64 *rows,
                      gsize count);
/* {"ends": ids, "p": reals}, of the sealed object; NULL is absent. */
void store_draft_pieces(StoreDraft *draft, const char *field, const StorePiece *pieces,
                        gsize count);
/* {"name": "text", ...} */
void store_draft_fields(StoreDraft *draft, StorePlace place, const char *field,
                        const StoreField *fields, gsize count);
/* [{"answer": ..., "seed": ..., "blank": ...}, ...] */
void store_draft_answers(StoreDraft *draft, StorePlace place, const char *field,
                         const StoreCheckAnswer *answers, gsize count);
/* INVALID: FIELD is FOUND and should be EXPECTED. */
void store_draft_refuse(StoreDraft *draft, const char *field, const char *found,
                        const char *expected);

G_END_DECLS
#endif
