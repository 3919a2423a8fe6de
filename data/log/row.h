/* row.h - a row of the log: reading it, adding one. Private to the room.
 *
 * The bytes of a row are those of canonical.h for the table "event" and the columns seq, time,
 * kind, subject, body, sealed, previous, in this order (what sealed is bound to: the same without
 * sealed and previous). Its hash is SHA-256 of them, PREVIOUS the hash of the row before it, or 32
 * zeros. The leaf of the Merkle tree is that hash (merkle.h), and each 1024 leaves have their root
 * in the table block: what makes a checkpoint of a million rows quick.
 */
#ifndef HILUM_DATA_LOG_ROW_H
#define HILUM_DATA_LOG_ROW_H

#include "body.h"
#include "draft.h"
#include "merkle.h"
#include "private.h"

G_BEGIN_DECLS

#define STORE_BLOCK_ROWS 1024u

/* As the statement stands on it: borrowed until its next step. */
typedef struct {
  gint64 number;
  const char *time, *kind, *body;
  gint64 subject; /* 0: nothing is sealed */
  const guint8 *sealed;
  gsize n_body, n_sealed;
  StoreHash previous, hash;
} StoreRow;

/* The columns of STORE_SQL_EVENT and its kin. CORRUPT when a column is not what it should be. */
gboolean store_row_read(StoreReader *reader, StoreRow *row);
/* What SEALED is bound to, and all that the hash is over. */
void store_row_bound(const StoreRow *row, GByteArray *bytes);
void store_row_bytes(const StoreRow *row, GByteArray *bytes);
StoreHash store_row_hash(const StoreRow *row, GByteArray *scratch);

/* Adds DRAFT, which was ended, as an event of KIND within the transaction that is open. TIME: NULL
 * is now. SUBJECT: 0 when nothing is sealed, and then the draft's sealed object must be empty. */
gint64 store_row_add(StoreLog *log, const char *kind, const char *time, gint64 subject,
                     StoreDraft *draft, const char *doing, GError **error);
/* The number that the next event gets. */
gboolean store_row_next(StoreLog *log, const char *doing, gint64 *number, GError **error);
/* An event's objects. KIND: what it must be, or NULL. TIME (may be NULL) is g_free()d by the
 * caller. *subject (may be NULL). The row's own hash is checked. BODY is all zeros but for
 * without_lists and without_clear. */
gboolean store_row_open(StoreLog *log, gint64 number, const char *kind, StoreBody *body,
                        char **time, gint64 *subject, GError **error);
/* Parses what ROW says into BODY. *erased (may be NULL): its key is gone. */
gboolean store_row_parse(StoreLog *log, const StoreRow *row, StoreBody *body, gboolean *erased,
                         GError **error);
/* What was sealed: *text ends with a NUL beyond *n and is store_wipe()d by the caller; NULL where
 * nothing was, its key is gone (*erased), or the log is locked. */
gboolean store_row_text(StoreLog *log, const StoreRow *row, char **text, gsize *n, gboolean *erased,
                        GError **error);
/* The key that ROW's text is sealed under; *there FALSE when it is gone or the log is locked. */
gboolean store_row_key(StoreLog *log, const StoreRow *row, guint8 key[32], gboolean *there,
                       GError **error);

/* The root over the first SIZE rows, by way of the blocks. CORRUPT when the log has fewer. */
gboolean store_tree_root(StoreLog *log, guint64 size, StoreHash *root, GError **error);
gboolean store_tree_size(StoreLog *log, guint64 *size, GError **error);

G_END_DECLS
#endif
