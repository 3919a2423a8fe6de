/* cache.h - what was computed about pictures, kept on disk from one day to the next.
 *
 * The files lie beside the log, in a folder of mode 0700 of the log's name with ".cache" behind it,
 * are of mode 0600, sealed, and as much the patient's as the log is: no log, no cache. What they
 * hold is the model room's affair, and so is noticing damage. A cache costs time alone when it
 * fails, so nothing here gives an error, but for listing and erasing.
 *
 * Several programs may use one folder: files appear whole, and may go at any time. Thread rule: an
 * AppCache belongs to one thread at a time.
 */
#ifndef HILUM_APP_CACHE_H
#define HILUM_APP_CACHE_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum { APP_CACHE_PICTURE, APP_CACHE_STATE } AppCacheKind;

typedef struct _AppCache AppCache;
/* LOG_PATH NULL: the default place. KEY: store_log_cache_key(); files are sealed with it, and those
 * that are not are removed. NULL when $HILUM_CACHE is "off", or there is no KEY. */
AppCache *app_cache_open(const char *log_path, const guint8 key[32]);
void app_cache_free(AppCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppCache, app_cache_free)

/* KEY: 64 hexadecimal digits. */
gboolean app_cache_has(AppCache *cache, AppCacheKind kind, const char *key);
/* What to read from, NULL when there is none: the file was used now. *n_bytes is how much there is.
 */
typedef struct _AppCacheReader AppCacheReader;
AppCacheReader *app_cache_read(AppCache *cache, AppCacheKind kind, const char *key, gsize *n_bytes);
/* The next N bytes, or FALSE: there are not so many, or they were changed, and the file is gone. */
gboolean app_cache_get(AppCacheReader *reader, void *bytes, gsize n);
void app_cache_reader_free(AppCacheReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppCacheReader, app_cache_reader_free)
/* For what turned out to be damaged. */
void app_cache_remove(AppCache *cache, AppCacheKind kind, const char *key);

/* A file of N_BYTES on its way, NULL when it cannot be had; room was made for it. */
typedef struct _AppCacheFile AppCacheFile;
AppCacheFile *app_cache_start(AppCache *cache, AppCacheKind kind, const char *key, guint64 n_bytes);
gboolean app_cache_add(AppCacheFile *file, const void *bytes, gsize n);
/* GOOD: it is whole, and is kept; else nothing is. */
gboolean app_cache_finish(AppCacheFile *file, gboolean good);

G_END_DECLS
#endif
