/* copy.c - see copy.h.
 *
 * 1. LOG and LOG.keys are opened by SQLite alone: closing another descriptor of them would drop the
 *    locks that this process holds.
 * 2. No file is ever written over: each is made where none was.
 */
#include "copy.h"

#include "limits.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_PAGES 256
#define MOST_BESIDE (64 << 20)

/* In the order in which they are set in their place. */
static const char *const suffixes[] = {"", ".pub", ".head", ".key", ".keys"};

/* ---- the folder aside ------------------------------------------------------------------------ */

char *
store_copy_aside(const char *path, GError **error)
{
  g_autofree char *aside = g_strconcat(path, ".new-XXXXXX", NULL);

  if (!g_mkdtemp_full(aside, 0700)) {
    store_fail_errno(error, path, "making a folder beside it", errno);
    return NULL;
  }
  return g_steal_pointer(&aside);
}

void
store_copy_discard(const char *aside)
{
  g_autoptr(GDir) folder = g_dir_open(aside, 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name(folder))) {
    g_autofree char *path = g_build_filename(aside, name, NULL);
    g_unlink(path);
  }
  g_rmdir(aside);
}

static gboolean
sync_path(const char *path, int flags, GError **error)
{
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags);
  gboolean good = fd >= 0 && fsync(fd) == 0;
  int number = errno;

  if (fd >= 0) {
    close(fd);
  }
  return good || store_fail_errno(error, path, "writing it to the disk", number);
}

gboolean
store_copy_sync(const char *aside, GError **error)
{
  g_autofree char *log = g_build_filename(aside, STORE_COPY_NAME, NULL);
  g_autofree char *wal = g_strconcat(log, "-wal", NULL);
  g_autofree char *shm = g_strconcat(log, "-shm", NULL);

  if (store_file_size(wal, "") > 0) {
    return store_fail(error, STORE_ERROR_IO, log,
                      "found rows in the -wal of a copy, expected none");
  }
  g_unlink(wal);
  g_unlink(shm);
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(log, suffixes[i], NULL);
    if (store_file_is_there(path) && !sync_path(path, 0, error)) {
      return FALSE;
    }
  }
  return sync_path(aside, O_DIRECTORY, error);
}

/* ---- copying --------------------------------------------------------------------------------- */

/* An empty file of mode 0600 that was not there. */
static int
make_new(const char *path, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

  if (fd >= 0 && fchmod(fd, 0600) == 0) {
    return fd;
  }
  store_fail_errno(error, path, "making a copy", errno);
  if (fd >= 0) {
    close(fd);
  }
  return -1;
}

static int
keep_wal(void *wal, int n, char **values, char **names)
{
  *(gboolean *)wal = n == 1 && g_strcmp0(values[0], "wal") == 0;
  return 0;
}

/* A reader of a WAL sees one moment and holds nobody up. Elsewhere a reader's lock would: there
 * each step is one, and SQLite begins anew when somebody wrote between two of them. */
static gboolean
begin_moment(sqlite3 *from, gboolean *held)
{
  gboolean wal = FALSE;

  *held = FALSE;
  if (sqlite3_exec(from, "PRAGMA journal_mode", keep_wal, &wal, NULL) != SQLITE_OK || !wal) {
    return TRUE;
  }
  *held = sqlite3_exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) ==
          SQLITE_OK;
  return *held;
}

static int
run_steps(sqlite3_backup *backup, StoreProgress progress, gpointer user, gboolean *cancelled)
{
  int rc = SQLITE_OK, waited = 0;

  while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
    rc = sqlite3_backup_step(backup, STEP_PAGES);
    if (rc == SQLITE_OK || rc == SQLITE_DONE) {
      const int total = sqlite3_backup_pagecount(backup);
      *cancelled =
          progress && !progress(total - sqlite3_backup_remaining(backup), MAX(total, 1), user);
      waited = 0;
    } else if ((rc == SQLITE_BUSY || rc == SQLITE_LOCKED) && waited < STORE_BUSY_MS) {
      g_usleep(10 * 1000);
      waited += 10;
    } else {
      break;
    }
    if (*cancelled) {
      break;
    }
  }
  return rc;
}

static gboolean
copy_to(sqlite3 *from, sqlite3 *to, const char *name, StoreProgress progress, gpointer user,
        GError **error)
{
  sqlite3_backup *backup = NULL;
  gboolean held = FALSE, cancelled = FALSE;
  int rc = begin_moment(from, &held) ? SQLITE_OK : sqlite3_extended_errcode(from);

  if (rc == SQLITE_OK) {
    backup = sqlite3_backup_init(to, "main", from, "main");
    rc = backup ? run_steps(backup, progress, user, &cancelled) : sqlite3_extended_errcode(to);
    sqlite3_backup_finish(backup);
  }
  if (held) {
    sqlite3_exec(from, "ROLLBACK", NULL, NULL, NULL);
  }
  if (cancelled) {
    return store_fail(error, STORE_ERROR_CANCELLED, name, "copying: cancelled");
  }
  return rc == SQLITE_DONE || store_fail_sqlite(error, NULL, name, "copying", rc);
}

gboolean
store_copy_database(sqlite3 *from, const char *to, StoreProgress progress, gpointer user,
                    GError **error)
{
  g_autofree char *name = g_filename_display_name(to);
  sqlite3 *db = NULL;
  gboolean good;
  int rc, fd = make_new(to, error);

  if (fd < 0) {
    return FALSE;
  }
  close(fd);
  rc = sqlite3_open_v2(to, &db,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL);
  good = rc == SQLITE_OK ? copy_to(from, db, name, progress, user, error)
                         : store_fail_sqlite(error, db, name, "making a copy", rc);
  rc = sqlite3_close(db);
  return good && (rc == SQLITE_OK || store_fail_sqlite(error, NULL, name, "making a copy", rc));
}

/* Where it may be written, so that what another process left in the journal can be put right. */
gboolean
store_copy_keys(const char *from_log, const char *to_log, GError **error)
{
  g_autofree char *from = g_strconcat(from_log, ".keys", NULL);
  g_autofree char *to = g_strconcat(to_log, ".keys", NULL);
  const int flags = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  sqlite3 *db = NULL;
  gboolean good;
  int rc;

  if (!store_file_is_there(from)) {
    return store_fail_errno(error, from, "copying the keys", ENOENT);
  }
  rc = sqlite3_open_v2(from, &db, flags | SQLITE_OPEN_READWRITE, NULL);
  if (rc != SQLITE_OK) {
    sqlite3_close(db);
    rc = sqlite3_open_v2(from, &db, flags | SQLITE_OPEN_READONLY, NULL);
  }
  if (rc == SQLITE_OK) {
    sqlite3_busy_timeout(db, STORE_BUSY_MS);
    good = store_copy_database(db, to, NULL, NULL, error);
  } else {
    good = store_fail_sqlite(error, db, from, "copying the keys", rc);
  }
  sqlite3_close(db);
  return good;
}

static gboolean
copy_bytes(int from, int to)
{
  char buffer[65536];
  gsize total = 0;
  gssize n = 1;

  while (n != 0 && total <= MOST_BESIDE) {
    n = read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) {
      n = 1;
      continue;
    }
    for (gssize done = 0; done < n;) {
      gssize part = write(to, buffer + done, (gsize)(n - done));
      if (part < 0 && errno != EINTR) {
        return FALSE;
      }
      done += MAX(part, 0);
    }
    if (n < 0) {
      return FALSE;
    }
    total += (gsize)n;
  }
  memset(buffer, 0, sizeof buffer);
  errno = total > MOST_BESIDE ? EFBIG : 0;
  return total <= MOST_BESIDE;
}

gboolean
store_copy_beside(const char *from_log, const char *to_log, const char *suffix, gboolean *there,
                  GError **error)
{
  g_autofree char *from = g_strconcat(from_log, suffix, NULL);
  g_autofree char *to = g_strconcat(to_log, suffix, NULL);
  int in = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out, number;
  struct stat st;
  gboolean good;

  if (there) {
    *there = in >= 0;
    if (in < 0 && errno == ENOENT) {
      return TRUE;
    }
  }
  if (in < 0) {
    return store_fail_errno(error, from, "copying", errno);
  }
  if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
    close(in);
    return store_fail_errno(error, from, "copying", EINVAL);
  }
  out = make_new(to, error);
  good = out >= 0 && copy_bytes(in, out);
  number = errno;
  close(in);
  if (out < 0) {
    return FALSE;
  }
  close(out);
  return good || store_fail_errno(error, to, "copying", number);
}

/* ---- setting in place ------------------------------------------------------------------------ */

gboolean
store_copy_vacant(const char *path, gboolean with_key, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
    if (strcmp(suffixes[i], ".key") == 0 && !with_key) {
      continue; /* whoever keeps it apart has put it there */
    }
    if (store_file_is_there(file)) {
      return store_fail(error, STORE_ERROR_INVALID, name,
                        "found LOG%s, expected nothing: a log is never overwritten", suffixes[i]);
    }
  }
  return TRUE;
}

/* Without hard links, what came there in between two calls would be lost: nobody else is to write
 * there. */
static gboolean
set_file(const char *from, const char *to)
{
  if (link(from, to) == 0) {
    return TRUE;
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) {
    return FALSE;
  }
  if (store_file_is_there(to)) {
    errno = EEXIST;
    return FALSE;
  }
  return g_rename(from, to) == 0;
}

gboolean
store_copy_set(const char *aside, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);
  gboolean set[G_N_ELEMENTS(suffixes)] = {FALSE};
  gboolean good = TRUE;

  for (guint i = 0; good && i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *from = g_strconcat(aside, "/" STORE_COPY_NAME, suffixes[i], NULL);
    g_autofree char *to = g_strconcat(path, suffixes[i], NULL);
    if (store_file_is_there(from)) {
      set[i] = set_file(from, to);
      good = set[i] || store_fail_errno(error, to, "setting the copy in its place", errno);
    }
  }
  good = good && sync_path(folder, O_DIRECTORY, error);
  for (guint i = 0; !good && i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *to = g_strconcat(path, suffixes[i], NULL);
    if (set[i]) {
      g_unlink(to);
    }
  }
  return good;
}

/* ---- verification ---------------------------------------------------------------------------- */

StoreReport *
store_copy_verify(const char *aside, GError **error)
{
  const StoreOpen how = {.locked = TRUE};
  g_autofree char *path = g_build_filename(aside, STORE_COPY_NAME, NULL);
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, error);
  g_autoptr(StoreReport) report = log ? store_log_verify(log, NULL, NULL, NULL, error) : NULL;

  if (report && !report->whole) {
    store_fail(error, STORE_ERROR_CORRUPT, log->name, "the copy is not whole: %s", report->found);
    return NULL;
  }
  return g_steal_pointer(&report);
}
