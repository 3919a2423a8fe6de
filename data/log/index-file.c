/* index-file.c - see index-file.h: opening, writing and removing; the pages are in index-vfs.c.
 *
 * 1. PATH-busy holds one byte, 'w' while somebody writes, who also holds its lock (flock). Where
 *    the byte is there and the lock is free, the writer died, and the file may be torn. Everybody
 *    looks after taking SQLite's shared lock, while no writer can be at the file's pages.
 * 2. PATH-busy is opened before the file and removed after it, so whoever finds that its own
 *    PATH-busy has no name any more knows that its file has none either.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index-private.h"
#include "limits.h"
#include "private.h"

/* ---- the mark -------------------------------------------------------------------------------- */

/* As LOCK_SH or LOCK_EX; whoever holds it does so for one transaction. */
static gboolean
lock_mark(int busy, int how, const char *name, GError **error)
{
  for (int waited = 0; flock(busy, how | LOCK_NB) != 0; waited += 2) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return store_fail(error, STORE_ERROR_IO, name, "locking: %s", g_strerror(errno));
    }
    if (waited >= STORE_BUSY_MS) {
      return store_fail(error, STORE_ERROR_BUSY, name, "another program is writing it");
    }
    g_usleep(2000);
  }
  return TRUE;
}

static gboolean
set_mark(int busy, char mark)
{
  return pwrite(busy, &mark, 1, 0) == 1 && (mark == STORE_SEALED_IDLE || fdatasync(busy) == 0);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Opens PATH-busy and takes its lock as HOW; -1 with *error set. Where the folder takes no file
 * from a reader, *busy is -1 and nobody can be writing there either. */
static gboolean
open_mark(const char *path, gboolean read_only, int how, int *busy, const char *name,
          GError **error)
{
  g_autofree char *mark = g_strconcat(path, "-busy", NULL);
  struct stat own, now;

  for (guint tries = 0; tries < 100; tries++) {
    *busy = open(mark, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (*busy < 0 && read_only) {
      return TRUE;
    }
    if (*busy < 0 || fstat(*busy, &own) != 0 || !S_ISREG(own.st_mode)) {
      return store_fail(error, STORE_ERROR_IO, name, "the mark beside it (-busy): %s",
                        *busy < 0 ? g_strerror(errno) : "found no regular file");
    }
    if (!lock_mark(*busy, how, name, error)) {
      return FALSE;
    }
    /* Somebody may have removed it before the lock was taken. */
    if (lstat(mark, &now) == 0 && now.st_ino == own.st_ino && now.st_dev == own.st_dev) {
      return TRUE;
    }
    close(*busy);
    *busy = -1;
  }
  return store_fail(error, STORE_ERROR_BUSY, name, "another program makes it anew all the time");
}

static sqlite3 *
fail_open(sqlite3 *db, const char *name, int rc, GError **error)
{
  if (rc == SQLITE_IOERR_AUTH || (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB) {
    store_fail(error, STORE_ERROR_CORRUPT, name, "it cannot be read under its key");
  } else {
    store_fail_sqlite(error, db, name, "opening it", rc);
  }
  sqlite3_close(db);
  return NULL;
}

/* With the lock of the mark held. */
static sqlite3 *
connect_file(StoreSealed *sealed, const char *path, GError **error)
{
  static const char set_up[] =
      "PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY; PRAGMA temp_store = MEMORY;"
      "PRAGMA mmap_size = 0; PRAGMA cache_size = -32768; PRAGMA synchronous = FULL; PRAGMA "
      "cell_size_check = ON;"
      "PRAGMA trusted_schema = OFF; SELECT count(*) FROM sqlite_schema";
  const int flags = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE |
                    (sealed->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  int reserved = (int)STORE_SEALED_RESERVED;
  sqlite3 *db = NULL;
  int rc = sqlite3_vfs_register(&sealed->base, 0);

  if (rc == SQLITE_OK) {
    rc = sqlite3_open_v2(path, &db, flags, sealed->vfs_name);
    sqlite3_vfs_unregister(&sealed->base);
  }
  if (rc == SQLITE_OK) {
    sqlite3_busy_timeout(db, STORE_BUSY_MS);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, set_up, NULL, NULL, NULL);
  }
  return rc == SQLITE_OK ? db : fail_open(db, sealed->name, rc, error);
}

sqlite3 *
store_index_file_open(const char *path, const guint8 key[32], gboolean read_only, GError **error)
{
  g_autoptr(StoreSealed) sealed = store_sealed_new(path, key, read_only);
  g_autofree char *real = NULL;
  g_autofree char *again = NULL;
  sqlite3 *db;

  if (!sealed) {
    g_autofree char *name = g_filename_display_name(path);
    store_fail(error, STORE_ERROR_IO, name, "there is no memory that can hold a key");
    return NULL;
  }
  if (read_only && !g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
    store_fail(error, STORE_ERROR_NOT_FOUND, sealed->name, "it is not there");
    return NULL;
  }
  real = store_file_prepare(path, read_only, error);
  if (!real || !open_mark(real, read_only, LOCK_SH, &sealed->busy, sealed->name, error)) {
    return NULL;
  }
  if (store_sealed_mark(sealed->busy) == STORE_SEALED_WRITING) {
    store_fail(error, STORE_ERROR_CORRUPT, sealed->name, "a program died while it wrote it");
    return NULL;
  }
  /* It may have been removed between the two. */
  again = store_file_prepare(path, read_only, error);
  db = again ? connect_file(sealed, real, error) : NULL;
  if (sealed->busy >= 0) {
    flock(sealed->busy, LOCK_UN);
  }
  if (db) {
    g_steal_pointer(&sealed); /* it is the connection's VFS, and goes with it */
  }
  return db;
}

void
store_index_file_close(sqlite3 *db)
{
  if (db) {
    StoreSealed *sealed = store_sealed_of(db);
    if (sealed->writing) {
      store_index_file_rollback(db);
    }
    if (sqlite3_close(db) == SQLITE_OK) { /* else a statement of the caller's still needs it */
      store_sealed_free(sealed);
    }
  }
}

/* ---- writing --------------------------------------------------------------------------------- */

gboolean
store_index_file_begin(sqlite3 *db, GError **error)
{
  StoreSealed *sealed = store_sealed_of(db);
  struct stat st;
  int rc;

  if (sealed->read_only || sealed->busy < 0 || sealed->writing) {
    return store_fail(error, STORE_ERROR_INVALID, sealed->name, "it cannot be written now");
  }
  if (!lock_mark(sealed->busy, LOCK_EX, sealed->name, error)) {
    return FALSE;
  }
  if (store_sealed_mark(sealed->busy) == STORE_SEALED_WRITING || fstat(sealed->busy, &st) != 0 ||
      st.st_nlink == 0) {
    flock(sealed->busy, LOCK_UN);
    return store_fail(error, STORE_ERROR_CORRUPT, sealed->name,
                      "another program died while it wrote it, or made it anew");
  }
  if (!set_mark(sealed->busy, STORE_SEALED_WRITING)) {
    int number = errno;
    set_mark(sealed->busy, STORE_SEALED_IDLE);
    flock(sealed->busy, LOCK_UN);
    return store_fail(error, STORE_ERROR_IO, sealed->name, "marking it: %s", g_strerror(number));
  }
  sealed->writing = TRUE;
  rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (rc != SQLITE_OK) {
    if (rc == SQLITE_IOERR_AUTH) {
      store_fail(error, STORE_ERROR_CORRUPT, sealed->name, "it cannot be read under its key");
    } else {
      store_fail_sqlite(error, db, sealed->name, "beginning to write it", rc);
    }
    store_index_file_rollback(db);
    return FALSE;
  }
  return TRUE;
}

/* The mark goes when the file is GOOD. */
static gboolean
end_writing(StoreSealed *sealed, gboolean good)
{
  good = good && set_mark(sealed->busy, STORE_SEALED_IDLE);
  sealed->writing = FALSE;
  flock(sealed->busy, LOCK_UN);
  return good;
}

gboolean
store_index_file_commit(sqlite3 *db, GError **error)
{
  StoreSealed *sealed = store_sealed_of(db);
  int rc;

  g_return_val_if_fail(sealed->writing, FALSE);
  rc = sqlite3_get_autocommit(db) ? SQLITE_ABORT : sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  if (rc != SQLITE_OK) {
    store_fail_sqlite(error, db, sealed->name, "writing it", rc);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    end_writing(sealed, FALSE);
    return FALSE;
  }
  return end_writing(sealed, TRUE) ||
         store_fail(error, STORE_ERROR_IO, sealed->name, "taking the mark away");
}

void
store_index_file_rollback(sqlite3 *db)
{
  StoreSealed *sealed = store_sealed_of(db);
  gboolean good;

  if (sealed->writing) {
    /* Where SQLite has rolled back by itself something failed: nobody knows what lies there. */
    good = sqlite3_get_autocommit(db) == 0 &&
           sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
    end_writing(sealed, good);
  }
}

static gboolean
overwrite(const char *path)
{
  static const guint8 zeros[1 << 16];
  int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;
  gboolean good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

  for (off_t at = 0; good && at < st.st_size;) {
    gsize n = MIN((gsize)(st.st_size - at), sizeof zeros);
    gssize put = pwrite(fd, zeros, n, at);
    good = put > 0 || (put < 0 && errno == EINTR);
    at += MAX(put, 0);
  }
  good = good && fsync(fd) == 0;
  if (fd >= 0) {
    close(fd);
  }
  return good;
}

gboolean
store_index_file_remove(const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  g_autofree char *mark = g_strconcat(path, "-busy", NULL);
  gboolean good = TRUE;
  int busy = -1, number = 0;

  if (!open_mark(path, FALSE, LOCK_EX, &busy, name, error)) {
    if (busy >= 0) {
      close(busy);
    }
    return FALSE;
  }
  overwrite(path); /* a file that cannot be written can still be removed */
  if (g_unlink(path) != 0 && errno != ENOENT) {
    number = errno;
    good = FALSE;
  }
  if (good && g_unlink(mark) != 0) {
    number = errno;
    good = FALSE;
  }
  close(busy);
  return good || store_fail(error, STORE_ERROR_IO, name, "removing it: %s", g_strerror(number));
}
