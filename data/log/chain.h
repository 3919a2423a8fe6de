/* chain.h - logs that go on from one another. Private to the room.
 *
 * A log that is full is sealed: its last event is "sealed" and nothing follows it. It lies beside
 * the log that goes on from it under a name of its own, with all that belongs to it. The second
 * event of the log that goes on, "continued", says which log that was, how many events it had, the
 * root over them, the key that it was signed with and the checkpoint: so what verifies the one can
 * hold the other against it.
 */
#ifndef HILUM_DATA_LOG_CHAIN_H
#define HILUM_DATA_LOG_CHAIN_H

#include "body.h"
#include "private.h"
#include "record.h"

G_BEGIN_DECLS

/* The event of a log that says what it goes on from, and the last that may. */
#define STORE_CONTINUED_EVENT 2
#define STORE_CONTINUED_LAST 64

/* Whether the last event is "sealed". Looked at before anything is known of the file: what cannot
 * be read is no. */
gboolean store_chain_is_sealed(sqlite3 *db);
/* Reads what a sealed log's last event says into LOG. */
gboolean store_chain_open(StoreLog *log, GError **error);
/* SEALED: nothing is written to LOG, which is. */
gboolean store_chain_refuse(StoreLog *log, const char *doing, GError **error);
/* A text of the event's fields, or NULL. Borrowed from BODY. */
const char *store_chain_field(StoreBody *body, const char *name);
/* The number of the event that says what LOG goes on from; 0: there is none. */
gboolean store_chain_continued(StoreLog *log, gint64 *number, GError **error);
/* What LOG goes on from, NULL without an error: from nothing. The file is not looked at. */
StoreLink *store_chain_previous(StoreLog *log, GError **error);
/* The file of LINK, for what cannot be known without it: locked. NULL with LINK's state set. */
StoreLog *store_chain_open_link(StoreLink *link);
/* Whether NAME is that of a file that may lie beside the log. */
gboolean store_chain_is_name(const char *name);

/* What was signed last of a sealed log, which is all of it. *note (may be NULL): g_free(). */
gboolean store_chain_last_checkpoint(StoreLog *log, char **note, GError **error);
/* Whether an event of LOG says that LOG_ID was removed when its time was over. */
gboolean store_chain_was_retired(StoreLog *log, const char *log_id, gboolean *retired,
                                 GError **error);

/* ---- retain.c -------------------------------------------------------------------------------- */

/* The years that were set, here or in a log before; 0: none were. */
gboolean store_retain_read(StoreLog *log, guint *years, GError **error);

/* ---- rotate.c -------------------------------------------------------------------------------- */

/* The name of the folder in which a log that is to take LOG's place waits; g_free(). */
char *store_rotate_waiting(const char *path);
/* Finishes what a rotation left that was cut short while files were moved; nothing is to be opened
 * before. READ_ONLY: OLDER when there is something to finish. */
gboolean store_rotate_settle(const char *path, gboolean read_only, GError **error);
/* The same of one that was cut short when the log was sealed and nothing else was done. */
gboolean store_rotate_finish(const char *path, const StoreOpen *how, GError **error);
/* store_log_rotate() with another clock, for tests. */
StoreLink *store_rotate_at(const char *path, const StoreOpen *how, GTimeSpan clock_offset,
                           GError **error);

/* ---- log.c ----------------------------------------------------------------------------------- */

/* The log at PATH for writing although it is sealed: for who finishes its rotation. */
StoreLog *store_log_open_sealed(const char *path, const StoreOpen *how, GError **error);

G_END_DECLS
#endif
