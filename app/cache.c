/* cache.c - what was computed about pictures, kept on disk.
 *
 * A file is MAGIC, the header of libsodium's secretstream (XChaCha20-Poly1305) and its parts, CHUNK
 * bytes each and the last one fewer or as many, each bound to the file's name; so none can be
 * changed, cut, moved or called another.
 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app_cache.h"
#include "store.h"

/* Three or four studies' states behind a picture of a 7B model of grouped heads (80 MiB each), with
 * the pictures' rows (9 MiB each). */
#define DEFAULT_MIB 512
#define MOST_MIB (1 << 20)
/* What a program that died left unfinished is removed after this many seconds. */
#define STALE_S 3600

#define MAGIC "hilumca1"
#define MAGIC_BYTES 8u
#define HEAD_BYTES (MAGIC_BYTES + crypto_secretstream_xchacha20poly1305_HEADERBYTES)
#define TAG_BYTES ((gsize)crypto_secretstream_xchacha20poly1305_ABYTES)
#define CHUNK ((gsize)1 << 16)

struct _AppCache {
  char *folder;
  guint64 limit;
  guint8 *key; /* in locked memory */
};

/* One part of a file on its way. */
typedef struct {
  int fd;
  crypto_secretstream_xchacha20poly1305_state state;
  char *name; /* what the parts are bound to */
  gsize n;    /* bytes in OPEN */
  guint8 open[1 << 16], sealed[(1 << 16) + 64];
} Stream;

struct _AppCacheFile {
  char *path, *part;
  gboolean failed;
  Stream stream;
};

struct _AppCacheReader {
  char *path;
  gsize at;   /* in stream.open */
  gsize left; /* bytes of the file that are still sealed */
  gboolean last, failed;
  Stream stream;
};

static const char *const endings[] = {".picture", ".state"};

/* ---- the folder --------------------------------------------------------------------------- */

static char *
folder_of(const char *log_path)
{
  g_autofree char *standard = log_path ? NULL : store_default_path();

  return g_strconcat(log_path ? log_path : standard, ".cache", NULL);
}

gboolean
app_cache_is_off(void)
{
  const char *setting = g_getenv("HILUM_CACHE");

  return setting && (strcmp(setting, "off") == 0 || strcmp(setting, "0") == 0);
}

static guint64
limit_bytes(void)
{
  const char *setting = g_getenv("HILUM_DISK_CACHE_MB");
  guint64 mib = DEFAULT_MIB;

  if (!setting || !g_ascii_string_to_unsigned(setting, 10, 0, MOST_MIB, &mib, NULL)) {
    mib = DEFAULT_MIB;
  }
  return mib << 20;
}

void
app_cache_free(AppCache *cache)
{
  if (cache) {
    sodium_free(cache->key);
    g_free(cache->folder);
    g_free(cache);
  }
}

/* A folder of this user alone; anything else in its place is not used. */
static gboolean
is_own_folder(const char *folder)
{
  struct stat st;

  return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
         (st.st_mode & 077) == 0;
}

static gboolean
make_folder(const char *folder)
{
  struct stat st;

  if (g_mkdir(folder, 0700) == 0) {
    g_chmod(folder, 0700); /* against a umask that takes the owner's own rights */
  } else if (errno == EEXIST && lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
             st.st_uid == geteuid() && (st.st_mode & 077) != 0) {
    g_chmod(folder, 0700);
  }
  return is_own_folder(folder);
}

static char *
path_of(const AppCache *cache, AppCacheKind kind, const char *key)
{
  g_autofree char *name = g_strconcat(key, endings[kind], NULL);

  return g_build_filename(cache->folder, name, NULL);
}

/* Whether NAME is one that this file gives. */
static gboolean
is_ours(const char *name)
{
  gsize n = strspn(name, "0123456789abcdef");

  for (guint i = 0; i < G_N_ELEMENTS(endings); i++) {
    if (n == 64 && g_str_has_prefix(name + n, endings[i])) {
      const char *rest = name + n + strlen(endings[i]);
      return !*rest || g_str_has_prefix(rest, ".part-");
    }
  }
  return FALSE;
}

/* ---- what there is ------------------------------------------------------------------------ */

typedef struct {
  char *name, *path;
  guint64 bytes;
  gint64 used_us;
  gboolean is_part;
} Entry;

static void
entry_free(gpointer data)
{
  Entry *entry = data;

  g_free(entry->name);
  g_free(entry->path);
  g_free(entry);
}

static gint
by_age(gconstpointer a, gconstpointer b)
{
  const Entry *one = *(Entry *const *)a, *other = *(Entry *const *)b;

  return one->used_us < other->used_us ? -1 : one->used_us > other->used_us;
}

/* Oldest first, whoever may read the folder. Never NULL. */
static GPtrArray *
entries(const char *folder)
{
  GPtrArray *all = g_ptr_array_new_with_free_func(entry_free);
  gboolean is_folder =
      g_file_test(folder, G_FILE_TEST_IS_DIR) && !g_file_test(folder, G_FILE_TEST_IS_SYMLINK);
  g_autoptr(GDir) dir = is_folder ? g_dir_open(folder, 0, NULL) : NULL;
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat st;
    if (is_ours(name) && lstat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
      Entry *entry = g_new0(Entry, 1);
      entry->name = g_strdup(name);
      entry->bytes = (guint64)st.st_size;
      entry->used_us = st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000;
      entry->is_part = strstr(name, ".part-") != NULL;
      entry->path = g_steal_pointer(&path);
      g_ptr_array_add(all, entry);
    }
  }
  g_ptr_array_sort(all, by_age);
  return all;
}

/* Removes what was used longest ago until N_BYTES more fit, and what a dead program left. */
static void
make_room(const AppCache *cache, guint64 n_bytes)
{
  g_autoptr(GPtrArray) all = entries(cache->folder);
  const gint64 stale = g_get_real_time() - STALE_S * (gint64)G_USEC_PER_SEC;
  guint64 total = n_bytes;

  for (guint i = 0; i < all->len; i++) {
    const Entry *entry = all->pdata[i];
    if (entry->is_part && entry->used_us < stale) {
      g_unlink(entry->path);
    } else {
      total += entry->bytes;
    }
  }
  for (guint i = 0; i < all->len && total > cache->limit; i++) {
    const Entry *entry = all->pdata[i];
    if (!entry->is_part) {
      g_unlink(entry->path);
      total -= entry->bytes;
    }
  }
}

/* Files of a time when they were not sealed. */
static void
remove_unsealed(const char *folder)
{
  g_autoptr(GPtrArray) all = entries(folder);

  for (guint i = 0; i < all->len; i++) {
    const Entry *entry = all->pdata[i];
    int fd = g_open(entry->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
    char magic[MAGIC_BYTES] = {0};
    if (fd >= 0) {
      if (!entry->is_part && (read(fd, magic, sizeof magic) != (gssize)sizeof magic ||
                              memcmp(magic, MAGIC, sizeof magic) != 0)) {
        g_unlink(entry->path);
      }
      close(fd);
    }
  }
}

AppCache *
app_cache_open(const char *log_path, const guint8 key[32])
{
  AppCache *cache;
  guint8 *kept;

  if (app_cache_is_off() || !key || sodium_init() < 0 || !(kept = sodium_malloc(32))) {
    return NULL;
  }
  memcpy(kept, key, 32);
  cache = g_new0(AppCache, 1);
  cache->key = kept;
  cache->folder = folder_of(log_path);
  cache->limit = limit_bytes();
  if (is_own_folder(cache->folder)) {
    remove_unsealed(cache->folder);
  }
  return cache;
}

/* ---- reading ------------------------------------------------------------------------------ */

gboolean
app_cache_has(AppCache *cache, AppCacheKind kind, const char *key)
{
  g_autofree char *path = path_of(cache, kind, key);
  struct stat st;

  return is_own_folder(cache->folder) && lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static gboolean
read_all(int fd, void *bytes, gsize n)
{
  gsize got = 0;

  while (got < n) {
    gssize part = read(fd, (guint8 *)bytes + got, n - got);
    if (part <= 0) {
      if (part < 0 && errno == EINTR) {
        continue;
      }
      return FALSE;
    }
    got += (gsize)part;
  }
  return TRUE;
}

static gboolean
is_ours_alone(int fd, struct stat *st)
{
  return fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
         (st->st_mode & 077) == 0 && st->st_size > (off_t)(HEAD_BYTES + TAG_BYTES);
}

AppCacheReader *
app_cache_read(AppCache *cache, AppCacheKind kind, const char *key, gsize *n_bytes)
{
  g_autofree char *path = path_of(cache, kind, key);
  g_autoptr(AppCacheReader) reader = NULL;
  guint8 head[HEAD_BYTES];
  struct stat st;
  int fd;

  if (!is_own_folder(cache->folder)) {
    return NULL;
  }
  fd = g_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) {
    return NULL;
  }
  reader = g_new0(AppCacheReader, 1);
  reader->stream.fd = fd;
  reader->stream.name = g_path_get_basename(path);
  if (!is_ours_alone(fd, &st) || !read_all(fd, head, sizeof head) ||
      memcmp(head, MAGIC, MAGIC_BYTES) != 0 ||
      crypto_secretstream_xchacha20poly1305_init_pull(&reader->stream.state, head + MAGIC_BYTES,
                                                      cache->key) != 0) {
    /* Not one of ours: what others could have written is not believed. */
    g_unlink(path);
    return NULL;
  }
  futimens(fd, NULL);
  reader->path = g_steal_pointer(&path);
  reader->left = (gsize)st.st_size - HEAD_BYTES;
  *n_bytes =
      reader->left - TAG_BYTES * ((reader->left + CHUNK + TAG_BYTES - 1) / (CHUNK + TAG_BYTES));
  return g_steal_pointer(&reader);
}

/* The next part, into stream.open. */
static gboolean
next_part(AppCacheReader *reader)
{
  Stream *stream = &reader->stream;
  const gsize n = MIN(reader->left, CHUNK + TAG_BYTES);
  unsigned char tag = 0;

  reader->at = stream->n = 0;
  if (reader->last || n <= TAG_BYTES || !read_all(stream->fd, stream->sealed, n) ||
      crypto_secretstream_xchacha20poly1305_pull(&stream->state, stream->open, NULL, &tag,
                                                 stream->sealed, n, (const guint8 *)stream->name,
                                                 strlen(stream->name)) != 0) {
    return FALSE;
  }
  reader->left -= n;
  reader->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  stream->n = n - TAG_BYTES;
  return reader->last == (reader->left == 0);
}

gboolean
app_cache_get(AppCacheReader *reader, void *bytes, gsize n)
{
  gsize got = 0;

  while (got < n && !reader->failed) {
    const gsize part = MIN(n - got, reader->stream.n - reader->at);
    memcpy((guint8 *)bytes + got, reader->stream.open + reader->at, part);
    reader->at += part;
    got += part;
    if (got < n && reader->last) {
      return FALSE; /* asked for more than there is */
    }
    if (got < n && !next_part(reader)) {
      reader->failed = TRUE;
      g_unlink(reader->path);
    }
  }
  return !reader->failed;
}

void
app_cache_reader_free(AppCacheReader *reader)
{
  if (reader) {
    close(reader->stream.fd);
    g_free(reader->stream.name);
    g_free(reader->path);
    sodium_memzero(reader, sizeof *reader);
    g_free(reader);
  }
}

void
app_cache_remove(AppCache *cache, AppCacheKind kind, const char *key)
{
  g_autofree char *path = path_of(cache, kind, key);

  g_unlink(path);
}

/* ---- writing ------------------------------------------------------------------------------ */

static gboolean
write_all(int fd, const void *bytes, gsize n)
{
  gsize put = 0;

  while (put < n) {
    gssize part = write(fd, (const guint8 *)bytes + put, n - put);
    if (part < 0 && errno != EINTR) {
      return FALSE;
    }
    put += part > 0 ? (gsize)part : 0;
  }
  return TRUE;
}

AppCacheFile *
app_cache_start(AppCache *cache, AppCacheKind kind, const char *key, guint64 n_bytes)
{
  g_autofree char *path = path_of(cache, kind, key);
  g_autofree char *part = g_strdup_printf("%s.part-%d-%08x", path, (int)getpid(), g_random_int());
  AppCacheFile *file;
  guint8 head[HEAD_BYTES];
  int fd;

  /* One file never pushes out most of the others. */
  if (n_bytes > cache->limit / 2 || !make_folder(cache->folder)) {
    return NULL;
  }
  make_room(cache, n_bytes);
  fd = g_open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    return NULL;
  }
  file = g_new0(AppCacheFile, 1);
  file->stream.name = g_path_get_basename(path);
  file->path = g_steal_pointer(&path);
  file->part = g_steal_pointer(&part);
  file->stream.fd = fd;
  memcpy(head, MAGIC, MAGIC_BYTES);
  crypto_secretstream_xchacha20poly1305_init_push(&file->stream.state, head + MAGIC_BYTES,
                                                  cache->key);
  file->failed = fchmod(fd, 0600) != 0 || !write_all(fd, head, sizeof head);
  return file;
}

static void
put_part(AppCacheFile *file, guint8 tag)
{
  Stream *stream = &file->stream;
  unsigned long long n = 0;

  crypto_secretstream_xchacha20poly1305_push(&stream->state, stream->sealed, &n, stream->open,
                                             stream->n, (const guint8 *)stream->name,
                                             strlen(stream->name), tag);
  stream->n = 0;
  file->failed = file->failed || !write_all(stream->fd, stream->sealed, (gsize)n);
}

gboolean
app_cache_add(AppCacheFile *file, const void *bytes, gsize n)
{
  gsize put = 0;

  while (put < n && !file->failed) {
    const gsize part = MIN(n - put, CHUNK - file->stream.n);
    if (part == 0) { /* full, and not the last one */
      put_part(file, 0);
      continue;
    }
    memcpy(file->stream.open + file->stream.n, (const guint8 *)bytes + put, part);
    file->stream.n += part;
    put += part;
  }
  return !file->failed;
}

gboolean
app_cache_finish(AppCacheFile *file, gboolean good)
{
  gboolean kept = good && !file->failed;

  if (kept) {
    put_part(file, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
    kept = !file->failed && fsync(file->stream.fd) == 0;
  }
  kept = close(file->stream.fd) == 0 && kept;
  kept = kept && g_rename(file->part, file->path) == 0;
  if (!kept) {
    g_unlink(file->part);
  }
  g_free(file->path);
  g_free(file->part);
  g_free(file->stream.name);
  sodium_memzero(file, sizeof *file);
  g_free(file);
  return kept;
}

/* ---- for people --------------------------------------------------------------------------- */

char *
app_cache_folder(const char *log_path)
{
  return folder_of(log_path);
}

JsonNode *
app_cache_list(const char *log_path)
{
  g_autofree char *folder = folder_of(log_path);
  g_autoptr(GPtrArray) all = entries(folder);
  JsonNode *node = json_node_new(JSON_NODE_ARRAY);
  JsonArray *array = json_array_new();

  for (guint i = all->len; i-- > 0;) {
    const Entry *entry = all->pdata[i];
    g_autoptr(GDateTime) used =
        g_date_time_new_from_unix_utc(entry->used_us / (gint64)G_USEC_PER_SEC);
    g_autofree char *time = used ? g_date_time_format_iso8601(used) : NULL;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "file", entry->name);
    json_object_set_string_member(object, "kind",
                                  entry->is_part                            ? "unfinished"
                                  : g_str_has_suffix(entry->name, ".state") ? "state"
                                                                            : "picture");
    json_object_set_int_member(object, "bytes", (gint64)entry->bytes);
    json_object_set_string_member(object, "used", time ? time : "");
    json_array_add_object_element(array, object);
  }
  json_node_take_array(node, array);
  return node;
}

gboolean
app_cache_clear(const char *log_path, guint *n_files, guint64 *n_bytes, GError **error)
{
  g_autofree char *folder = folder_of(log_path);
  g_autoptr(GPtrArray) all = entries(folder);

  *n_files = 0;
  *n_bytes = 0;
  for (guint i = 0; i < all->len; i++) {
    const Entry *entry = all->pdata[i];
    if (g_unlink(entry->path) != 0 && errno != ENOENT) {
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: could not be removed: %s", entry->path,
                  g_strerror(errno));
      return FALSE;
    }
    *n_files += 1;
    *n_bytes += entry->bytes;
  }
  g_rmdir(folder); /* what is not ours stays, and the folder with it */
  return TRUE;
}
