/* head.h - checkpoints outside the database. Private to the room.
 *
 * LOG.pub holds the public key, LOG.head the checkpoints: signed notes (note.h), an empty line
 * behind each, only ever appended to. The text of one is a C2SP checkpoint (the log's name
 * "hilum-log/LOG_ID", how many rows, the Merkle root over them) with one line more: when it was
 * signed. One is written when the log is closed with rows that none covers, each
 * STORE_HEAD_ROWS rows, and when store_log_checkpoint() asks for one.
 */
#ifndef HILUM_DATA_LOG_HEAD_H
#define HILUM_DATA_LOG_HEAD_H

#include "note.h"
#include "private.h"

G_BEGIN_DECLS

#define STORE_HEAD_ROWS 256u
#define STORE_HEAD_MOST_BYTES (64u << 20)

/* "hilum-log/LOG_ID"; g_free(). */
char *store_head_name(const char *log_id);
/* The checkpoints of the file at PATH ("LOG.head"), of StoreHead. NOT_FOUND when it is not there;
 * CORRUPT names the first that is no note of VERIFIER's. A last note without its end (a writer that
 * was cut off) is left out and *cut set. */
typedef struct {
  StoreCheckpoint checkpoint;
  char *time;    /* ISO 8601, or NULL */
  char *note;    /* as it stands in the file */
  gboolean kept; /* elsewhere: not of LOG.head */
} StoreHead;
GPtrArray *store_head_read(const char *path, const StoreVerifier *verifier, gboolean *cut,
                           GError **error);
/* The same of TEXT; NAME is for messages. */
GPtrArray *store_head_parse(const char *text, const char *name, const StoreVerifier *verifier,
                            gboolean *cut, GError **error);
void store_head_free(StoreHead *head);
/* HEADS, of StoreHead, by how many rows they cover. */
void store_head_sort(GPtrArray *heads);
/* What LOG.pub of the log at PATH holds. */
gboolean store_head_verifier(const char *log_path, StoreVerifier *verifier, GError **error);
/* Writes LOG.pub where it is missing, reads how many rows the last checkpoint covers, and notes an
 * event when LOG.head knows of rows that the log does not have or has otherwise. */
gboolean store_head_open(StoreLog *log, GError **error);

G_END_DECLS
#endif
