/* error.c - the error domain, and what SQLite's codes mean for a caller.
 *
 * A message never quotes a row or SQLite's own message about the file's schema: both may hold
 * patient data. It names the log, what was being done and SQLite's fixed text for the code.
 */
#include "private.h"
#include <errno.h>

G_DEFINE_QUARK(store - error - quark, store_error)

gboolean
store_fail(GError **error, StoreError code, const char *name, const char *format, ...)
{
  va_list args;
  g_autofree char *what = NULL;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, STORE_ERROR, code, "%s: %s", name, what);
  return FALSE;
}

gboolean
store_fail_errno(GError **error, const char *path, const char *doing, int number)
{
  g_autofree char *name = g_filename_display_name(path);

  return store_fail(error, number == ENOENT ? STORE_ERROR_NOT_FOUND : STORE_ERROR_IO, name,
                    "%s: %s", doing, g_strerror(number));
}

/* SQLite calls only ENOSPC a full disk, and keeps no errno of a failed write. NUMBER, the errno
 * that it left, is believed only where it names a quota, a size limit or a full disk. */
static gboolean
fail_io(GError **error, sqlite3 *db, const char *name, const char *doing, int rc, int number)
{
  int kept = db ? sqlite3_system_errno(db) : 0;

  if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
    return store_fail(error, STORE_ERROR_IO, name, "%s: disk full (%s)", doing, g_strerror(number));
  }
  if (kept) {
    return store_fail(error, STORE_ERROR_IO, name, "%s: %s (%s)", doing, sqlite3_errstr(rc),
                      g_strerror(kept));
  }
  return store_fail(error, STORE_ERROR_IO, name, "%s: %s", doing, sqlite3_errstr(rc));
}

gboolean
store_fail_sqlite(GError **error, sqlite3 *db, const char *name, const char *doing, int rc)
{
  int number = errno;

  switch (rc & 0xff) {
  case SQLITE_NOTADB:
    return store_fail(error, STORE_ERROR_FORMAT, name,
                      "%s: found no SQLite database, expected a Hilum log", doing);
  case SQLITE_CORRUPT:
  case SQLITE_TOOBIG:
  case SQLITE_MISMATCH:
  case SQLITE_ERROR: /* our texts are right, so the schema below them is not */
    return store_fail(error, STORE_ERROR_CORRUPT, name, "%s: %s", doing, sqlite3_errstr(rc));
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL:
    return store_fail(error, STORE_ERROR_BUSY, name, "%s: another program is using the log", doing);
  case SQLITE_FULL:
    return store_fail(error, STORE_ERROR_IO, name, "%s: disk full", doing);
  case SQLITE_READONLY:
    return store_fail(
        error, STORE_ERROR_IO, name,
        "%s: the log cannot be written: the file, its folder or its disk is read-only", doing);
  case SQLITE_CONSTRAINT:
    return store_fail(error, STORE_ERROR_INVALID, name, "%s: the log's rules refuse a value (%s)",
                      doing, sqlite3_errstr(rc));
  default:
    return fail_io(error, db, name, doing, rc, (rc & 0xff) == SQLITE_IOERR ? number : 0);
  }
}
