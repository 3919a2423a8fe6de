/* app_cache.h - the disk cache of encoded pictures and of what was computed behind them: seeing and
 * erasing it. The files are as much the patient's as the log beside which they lie, so whoever
 * erases a log calls app_cache_clear() as well. */
#ifndef HILUM_APP_CACHE_PUBLIC_H
#define HILUM_APP_CACHE_PUBLIC_H

#include "app.h"

G_BEGIN_DECLS

/* Whether $HILUM_CACHE switches it off ("off"); AppReviewOptions.no_cache does so for one review,
 * and so does a review without a log. Its size: $HILUM_DISK_CACHE_MB, 512 by default. */
gboolean app_cache_is_off(void);
/* Where the files of the log LOG_PATH (NULL: the default one) lie; it may not be there. g_free().
 */
char *app_cache_folder(const char *log_path);
/* An array of {file, kind: "picture", "state" or "unfinished", bytes, used}, newest first. */
JsonNode *app_cache_list(const char *log_path);
/* Removes every file. A program that has the cache open goes on without. */
gboolean app_cache_clear(const char *log_path, guint *n_files, guint64 *n_bytes, GError **error);

G_END_DECLS
#endif
