/* cache.c - what was computed about pictures, kept on disk. */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
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

struct _AppCache {
  char *folder;
  guint64 limit;
};

struct _AppCacheFile {
  char *path, *part;
  int fd;
  gboolean failed;
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

AppCache *
app_cache_open(const char *log_path)
{
  AppCache *cache;

  if (app_cache_is_off()) {
    return NULL;
  }
  cache = g_new0(AppCache, 1);
  cache->folder = folder_of(log_path);
  cache->limit = limit_bytes();
  return cache;
}

void
app_cache_free(AppCache *cache)
{
  if (cache) {
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

/* ---- reading ------------------------------------------------------------------------------ */

gboolean
app_cache_has(AppCache *cache, AppCacheKind kind, const char *key)
{
  g_autofree char *path = path_of(cache, kind, key);
  struct stat st;

  return is_own_folder(cache->folder) && lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int
app_cache_read(AppCache *cache, AppCacheKind kind, const char *key, gsize *n_bytes)
{
  g_autofree char *path = path_of(cache, kind, key);
  struct stat st;
  int fd;

  if (!is_own_folder(cache->folder)) {
    return -1;
  }
  fd = g_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) {
    return -1;
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
      (st.st_mode & 077) != 0 || st.st_size <= 0) {
    /* Not one of ours: what others could have written is not believed. */
    close(fd);
    g_unlink(path);
    return -1;
  }
  futimens(fd, NULL);
  *n_bytes = (gsize)st.st_size;
  return fd;
}

gboolean
app_cache_get(int fd, void *bytes, gsize n)
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

void
app_cache_remove(AppCache *cache, AppCacheKind kind, const char *key)
{
  g_autofree char *path = path_of(cache, kind, key);

  g_unlink(path);
}

/* ---- writing ------------------------------------------------------------------------------ */

AppCacheFile *
app_cache_start(AppCache *cache, AppCacheKind kind, const char *key, guint64 n_bytes)
{
  g_autofree char *path = path_of(cache, kind, key);
  g_autofree char *part = g_strdup_printf("%s.part-%d-%08x", path, (int)getpid(), g_random_int());
  AppCacheFile *file;
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
  file->path = g_steal_pointer(&path);
  file->part = g_steal_pointer(&part);
  file->fd = fd;
  file->failed = fchmod(fd, 0600) != 0;
  return file;
}

gboolean
app_cache_add(AppCacheFile *file, const void *bytes, gsize n)
{
  gsize put = 0;

  while (put < n && !file->failed) {
    gssize part = write(file->fd, (const guint8 *)bytes + put, n - put);
    if (part < 0 && errno != EINTR) {
      file->failed = TRUE;
    }
    put += part > 0 ? (gsize)part : 0;
  }
  return !file->failed;
}

gboolean
app_cache_finish(AppCacheFile *file, gboolean good)
{
  gboolean kept = good && !file->failed && fsync(file->fd) == 0;

  kept = close(file->fd) == 0 && kept;
  kept = kept && g_rename(file->part, file->path) == 0;
  if (!kept) {
    g_unlink(file->part);
  }
  g_free(file->path);
  g_free(file->part);
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
