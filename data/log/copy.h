/* copy.h - a log and what lies beside it as files: copied, made durable, set in their place.
 * Private to the room.
 *
 * A copy is made in a folder of its own ("aside"), under STORE_COPY_NAME, and counts once it was
 * set in its place: by renaming the folder, or file by file, each of which must not be there yet.
 * The keys come last: a log without them opens nothing and is never written to.
 */
#ifndef HILUM_DATA_LOG_COPY_H
#define HILUM_DATA_LOG_COPY_H

#include "private.h"
#include "record.h"

G_BEGIN_DECLS

#define STORE_COPY_NAME "log.sqlite"

/* A new folder (mode 0700) beside PATH; g_free(). */
char *store_copy_aside(const char *path, GError **error);
/* Removes what such a folder holds, and the folder. */
void store_copy_discard(const char *aside);
/* FROM into a new file TO, step by step; who writes to FROM meanwhile is not held up, and the copy
 * is of one moment. */
gboolean store_copy_database(sqlite3 *from, const char *to, StoreProgress progress, gpointer user,
                             GError **error);
/* The keys of the log at FROM_LOG, to those of TO_LOG. */
gboolean store_copy_keys(const char *from_log, const char *to_log, GError **error);
/* The file beside the log with SUFFIX. *there (may be NULL): FALSE when there is none, which
 * without it is an error. */
gboolean store_copy_beside(const char *from_log, const char *to_log, const char *suffix,
                           gboolean *there, GError **error);
/* Fsyncs all files of ASIDE, and it; removes what SQLite left beside them. */
gboolean store_copy_sync(const char *aside, GError **error);
/* INVALID when a log lies at PATH, or anything that would belong to it; WITH_KEY: LOG.key too. */
gboolean store_copy_vacant(const char *path, gboolean with_key, GError **error);
/* All files of ASIDE to PATH and beside it, or none. */
gboolean store_copy_set(const char *aside, const char *path, GError **error);
/* Proves the copy in ASIDE: CORRUPT when it is not whole. */
StoreReport *store_copy_verify(const char *aside, GError **error);

G_END_DECLS
#endif
