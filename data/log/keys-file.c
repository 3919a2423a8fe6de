/* keys-file.c - LOG.keys as an SQLite file.
 *
 * 1. Nothing is written to a file whose header and schema are not exactly those of LOG.keys.
 * 2. A file that was begun and never finished holds no table, and counts as none.
 * 3. What is deleted is overwritten (secure_delete). The journal holds the pages as they were
 *    before: where keys are removed it is kept (PERSIST) until it has been overwritten, under a
 *    lock that keeps others from writing theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys-private.h"
#include "limits.h"

#define APPLICATION_ID 0x48694b79 /* "HiKy" */
#define VERSION 1

static const char *const tables[] = {
    "CREATE TABLE root (id INTEGER PRIMARY KEY CHECK (id = 1), log_id TEXT NOT NULL,"
    " protection INTEGER NOT NULL, last_subject INTEGER NOT NULL, salt BLOB NOT NULL,"
    " ops INTEGER NOT NULL, memory INTEGER NOT NULL, root_check BLOB NOT NULL, pending BLOB,"
    " leftover INTEGER NOT NULL, mac BLOB NOT NULL)",
    "CREATE TABLE log_keys (id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL)",
    "CREATE TABLE subjects (number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE,"
    " wrapped BLOB NOT NULL)",
};

static const char *const texts[STORE_KEYS_N_SQL] = {
    [STORE_KEYS_BEGIN_READ] = "BEGIN",
    [STORE_KEYS_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [STORE_KEYS_COMMIT] = "COMMIT",
    [STORE_KEYS_ROLLBACK] = "ROLLBACK",
    [STORE_KEYS_ROOT] = "SELECT log_id, protection, last_subject, salt, ops, memory, root_check,"
                        " pending, leftover, mac FROM root WHERE id = 1",
    [STORE_KEYS_SET_ROOT] = "REPLACE INTO root (id, log_id, protection, last_subject, salt, ops,"
                            " memory, root_check, pending, leftover, mac)"
                            " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [STORE_KEYS_LOG_KEY] = "SELECT wrapped FROM log_keys WHERE id = ?1",
    [STORE_KEYS_SET_LOG_KEY] = "REPLACE INTO log_keys (id, wrapped) VALUES (?1, ?2)",
    [STORE_KEYS_FIND] = "SELECT number FROM subjects WHERE identity = ?1",
    [STORE_KEYS_GET] = "SELECT identity, wrapped FROM subjects WHERE number = ?1",
    [STORE_KEYS_ADD] = "INSERT INTO subjects (number, identity, wrapped) VALUES (?1, ?2, ?3)",
    [STORE_KEYS_REWRAP] = "UPDATE subjects SET wrapped = ?2 WHERE number = ?1",
    [STORE_KEYS_ERASE] = "DELETE FROM subjects WHERE number = ?1",
    [STORE_KEYS_NEXT] = "SELECT number, identity, wrapped FROM subjects WHERE number > ?1"
                        " ORDER BY number LIMIT 1",
    [STORE_KEYS_LAST] = "SELECT max(number) FROM subjects",
};

/* ---- life ------------------------------------------------------------------------------------ */

StoreKeys *
store_keys_new(const char *log_path, gboolean read_only, const StoreSecrets *secrets,
               GError **error)
{
  g_autoptr(StoreKeys) keys = g_new0(StoreKeys, 1);
  g_autofree char *path = g_strconcat(log_path, ".keys", NULL);

  keys->name = g_filename_display_name(path);
  keys->read_only = read_only;
  if (secrets) {
    keys->secrets = *secrets;
  }
  keys->secret = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *keys->secret);
  if (!keys->secret) {
    store_fail(error, STORE_ERROR_IO, keys->name, "there is no memory that can hold a key");
    return NULL;
  }
  sodium_memzero(keys->secret, sizeof *keys->secret);
  return g_steal_pointer(&keys);
}

void
store_keys_close(StoreKeys *keys)
{
  if (!keys) {
    return;
  }
  for (guint i = 0; i < STORE_KEYS_N_SQL; i++) {
    sqlite3_finalize(keys->statements[i]);
  }
  sqlite3_close(keys->db);
  sodium_free(keys->secret);
  g_free(keys->name);
  g_free(keys->path);
  g_free(keys->key_path);
  g_free(keys);
}

/* ---- what the file must be ------------------------------------------------------------------- */

static gboolean
number_of(StoreKeys *keys, const char *sql, gint64 *number, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(keys->db, sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
    *number = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  }
  sqlite3_finalize(statement);
  return rc == SQLITE_ROW ||
         store_fail_sqlite(error, keys->db, keys->name, "looking at the file of keys", rc);
}

/* Sets *there to FALSE for a file that was only begun. */
static gboolean
check_header(StoreKeys *keys, gboolean *there, GError **error)
{
  gint64 id = 0, version = 0, n_tables = 0;

  if (!number_of(keys, "PRAGMA application_id", &id, error) ||
      !number_of(keys, "PRAGMA user_version", &version, error) ||
      !number_of(keys, "SELECT count(*) FROM sqlite_schema", &n_tables, error)) {
    return FALSE;
  }
  *there = id || version || n_tables;
  if (*there && id != APPLICATION_ID) {
    return store_fail(error, STORE_ERROR_FORMAT, keys->name,
                      "found the SQLite file of another program, expected keys of a Hilum log");
  }
  if (*there && version > VERSION) {
    return store_fail(error, STORE_ERROR_NEWER, keys->name,
                      "version: found %d, expected at most %d: it was written by a newer Hilum",
                      (int)version, VERSION);
  }
  if (*there && version != VERSION) {
    return store_fail(error, STORE_ERROR_CORRUPT, keys->name, "version: found %d, expected %d",
                      (int)version, VERSION);
  }
  return TRUE;
}

static gboolean
check_tables(StoreKeys *keys, GError **error)
{
  sqlite3_stmt *statement = NULL;
  guint n = 0;
  gboolean same = TRUE;
  int rc = sqlite3_prepare_v2(keys->db,
                              "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid",
                              -1, &statement, NULL);

  while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
    const char *sql = (const char *)sqlite3_column_text(statement, 0);
    same = same && n < G_N_ELEMENTS(tables) && g_strcmp0(sql, tables[n]) == 0;
    n++;
    rc = SQLITE_OK;
  }
  sqlite3_finalize(statement);
  if (rc != SQLITE_DONE) {
    return store_fail_sqlite(error, keys->db, keys->name, "reading the tables of keys", rc);
  }
  return (same && n == G_N_ELEMENTS(tables)) ||
         store_fail(error, STORE_ERROR_CORRUPT, keys->name, "its tables were changed");
}

static int
keep_finding(void *sound, int n, char **values, char **names)
{
  *(gboolean *)sound = n == 1 && g_strcmp0(values[0], "ok") == 0;
  return 0;
}

static gboolean
check_pages(StoreKeys *keys, GError **error)
{
  gboolean sound = FALSE;
  int rc;

  if (store_file_size(keys->path, "") > STORE_MAX_QUICK_CHECK) {
    return TRUE;
  }
  rc = sqlite3_exec(keys->db, "PRAGMA quick_check(1)", keep_finding, &sound, NULL);
  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, keys->db, keys->name, "checking the pages of keys", rc);
  }
  return sound || store_fail(error, STORE_ERROR_CORRUPT, keys->name, "its pages are damaged");
}

/* ---- opening --------------------------------------------------------------------------------- */

static void
distrust(sqlite3 *db)
{
  static const struct {
    int option, value;
  } options[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    sqlite3_db_config(db, options[i].option, options[i].value, NULL);
  }
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

/* A reader, too, opens the file for writing where it may: only so can it put right what another
 * process left in the journal. query_only keeps it from more than that. */
static gboolean
open_file(StoreKeys *keys, GError **error)
{
  const int flags = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE;
  int rc = sqlite3_open_v2(keys->path, &keys->db, flags, NULL);

  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, keys->db, keys->name, "opening the keys", rc);
  }
  distrust(keys->db);
  sqlite3_busy_timeout(keys->db, STORE_BUSY_MS);
  return store_exec(keys->db, keys->name, "setting up the connection",
                    "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                    "PRAGMA mmap_size = 0; PRAGMA secure_delete = ON; PRAGMA synchronous = EXTRA",
                    error) &&
         (!keys->read_only || store_exec(keys->db, keys->name, "setting up the connection",
                                         "PRAGMA query_only = ON", error));
}

gboolean
store_keys_connect(StoreKeys *keys, const char *log_path, gboolean make, GError **error)
{
  g_autofree char *path = g_strconcat(log_path, ".keys", NULL);
  struct stat st;
  gboolean there = FALSE;

  if (!make && lstat(path, &st) != 0 && errno == ENOENT) {
    return store_fail(error, STORE_ERROR_NOT_FOUND, keys->name, "there are no keys");
  }
  keys->path = store_file_prepare(path, keys->read_only, error);
  if (!keys->path) {
    return FALSE;
  }
  keys->key_path = g_strndup(keys->path, strlen(keys->path) - 1); /* ".keys" to ".key" */
  if (!open_file(keys, error) || !check_header(keys, &there, error)) {
    return FALSE;
  }
  if (!there && !make) {
    return store_fail(error, STORE_ERROR_NOT_FOUND, keys->name, "there are no keys");
  }
  return (!there || (check_tables(keys, error) && check_pages(keys, error))) &&
         (keys->read_only || store_exec(keys->db, keys->name, "setting the journal mode",
                                        "PRAGMA journal_mode = TRUNCATE", error));
}

gboolean
store_keys_require_none(StoreKeys *keys, GError **error)
{
  gboolean there = FALSE;

  return check_header(keys, &there, error) &&
         (!there ||
          store_fail(error, STORE_ERROR_INVALID, keys->name, "found keys, expected none"));
}

gboolean
store_keys_create(StoreKeys *keys, GError **error)
{
  static const char header[] = "PRAGMA application_id = " G_STRINGIFY(
      APPLICATION_ID) "; PRAGMA user_version = " G_STRINGIFY(VERSION);

  if (!store_keys_require_none(keys, error)) {
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
    if (!store_exec(keys->db, keys->name, "making the keys", tables[i], error)) {
      return FALSE;
    }
  }
  return store_exec(keys->db, keys->name, "making the keys", header, error);
}

/* ---- statements ------------------------------------------------------------------------------ */

sqlite3_stmt *
store_keys_sql(StoreKeys *keys, StoreKeysSql sql, GError **error)
{
  sqlite3_stmt **statement = &keys->statements[sql];
  int rc = SQLITE_OK;

  if (!*statement) {
    rc = sqlite3_prepare_v3(keys->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
  }
  if (rc != SQLITE_OK) {
    store_fail_sqlite(error, keys->db, keys->name, "using the keys", rc);
    return NULL;
  }
  sqlite3_reset(*statement);
  sqlite3_clear_bindings(*statement);
  return *statement;
}

gboolean
store_keys_step(StoreKeys *keys, sqlite3_stmt *statement, gboolean *row, GError **error)
{
  int rc = sqlite3_step(statement);

  if (row) {
    *row = rc == SQLITE_ROW;
  }
  if (rc == SQLITE_ROW && row) {
    return TRUE;
  }
  if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
    store_fail_sqlite(error, keys->db, keys->name, "using the keys", rc);
  }
  sqlite3_reset(statement);
  return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

gboolean
store_keys_run(StoreKeys *keys, StoreKeysSql sql, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, sql, error);

  return statement && store_keys_step(keys, statement, NULL, error);
}

gboolean
store_keys_end(StoreKeys *keys, gboolean good, GError **error)
{
  for (guint i = 0; i < STORE_KEYS_N_SQL; i++) {
    sqlite3_reset(keys->statements[i]);
  }
  good = good && store_keys_run(keys, STORE_KEYS_COMMIT, error);
  if (!good && !sqlite3_get_autocommit(keys->db)) {
    store_keys_run(keys, STORE_KEYS_ROLLBACK, NULL);
  }
  return good;
}

/* ---- rows ------------------------------------------------------------------------------------ */

gboolean
store_keys_blob(StoreKeys *keys, sqlite3_stmt *statement, int index, guint8 *bytes, int n,
                GError **error)
{
  if (sqlite3_column_type(statement, index) != SQLITE_BLOB ||
      sqlite3_column_bytes(statement, index) != n) {
    return store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                      "a key or a hash: found something else, expected %d bytes", n);
  }
  memcpy(bytes, sqlite3_column_blob(statement, index), (gsize)n);
  return TRUE;
}

static gboolean
read_integer(StoreKeys *keys, sqlite3_stmt *statement, int index, gint64 most, gint64 *value,
             GError **error)
{
  *value = sqlite3_column_int64(statement, index);
  return (sqlite3_column_type(statement, index) == SQLITE_INTEGER && *value >= 0 &&
          *value <= most) ||
         store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                    "%s: found something else, expected an integer from 0 to %" G_GINT64_FORMAT,
                    sqlite3_column_name(statement, index), most);
}

static gboolean
read_row(StoreKeys *keys, sqlite3_stmt *statement, StoreRoot *root, GError **error)
{
  const char *log_id = (const char *)sqlite3_column_text(statement, 0);
  gint64 protection;

  if (!log_id || strlen(log_id) != 32 || strspn(log_id, "0123456789abcdef") != 32) {
    return store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                      "log_id: found something else, expected 32 hexadecimal digits");
  }
  memcpy(root->log_id, log_id, 33);
  root->has_pending = sqlite3_column_type(statement, 7) != SQLITE_NULL;
  if (!read_integer(keys, statement, 1, STORE_PROTECTION_KEYRING, &protection, error) ||
      !read_integer(keys, statement, 2, G_MAXINT64 - 1, &root->last_subject, error) ||
      !store_keys_blob(keys, statement, 3, root->salt, sizeof root->salt, error) ||
      !read_integer(keys, statement, 4, G_MAXINT64, &root->ops, error) ||
      !read_integer(keys, statement, 5, G_MAXINT64, &root->memory, error) ||
      !store_keys_blob(keys, statement, 6, root->check, sizeof root->check, error) ||
      (root->has_pending &&
       !store_keys_blob(keys, statement, 7, root->pending, sizeof root->pending, error)) ||
      !read_integer(keys, statement, 8, (2 << STORE_PROTECTION_KEYRING) - 1, &root->leftover,
                    error) ||
      !store_keys_blob(keys, statement, 9, root->mac, sizeof root->mac, error)) {
    return FALSE;
  }
  root->protection = (StoreProtection)protection;
  return TRUE;
}

gboolean
store_keys_read_root(StoreKeys *keys, StoreRoot *root, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_ROOT, error);
  gboolean row = FALSE, good;

  memset(root, 0, sizeof *root);
  if (!statement || !store_keys_step(keys, statement, &row, error)) {
    return FALSE;
  }
  good = row ? read_row(keys, statement, root, error)
             : store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                          "root: found no row, expected how the root key is kept");
  sqlite3_reset(statement);
  return good;
}

gboolean
store_keys_write_root(StoreKeys *keys, const StoreRoot *root, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_SET_ROOT, error);

  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_text(statement, 1, root->log_id, 32, SQLITE_TRANSIENT);
  sqlite3_bind_int64(statement, 2, root->protection);
  sqlite3_bind_int64(statement, 3, root->last_subject);
  sqlite3_bind_blob(statement, 4, root->salt, sizeof root->salt, SQLITE_TRANSIENT);
  sqlite3_bind_int64(statement, 5, root->ops);
  sqlite3_bind_int64(statement, 6, root->memory);
  sqlite3_bind_blob(statement, 7, root->check, sizeof root->check, SQLITE_TRANSIENT);
  if (root->has_pending) {
    sqlite3_bind_blob(statement, 8, root->pending, sizeof root->pending, SQLITE_TRANSIENT);
  }
  sqlite3_bind_int64(statement, 9, root->leftover);
  sqlite3_bind_blob(statement, 10, root->mac, sizeof root->mac, SQLITE_TRANSIENT);
  return store_keys_step(keys, statement, NULL, error);
}

/* ---- holding the file ------------------------------------------------------------------------ */

/* A journal without a header, as a finished transaction leaves it, is of no use to anyone but to
 * whoever looks for what was deleted. One with a header is needed still. */
static void
overwrite_journal(const char *path)
{
  g_autofree char *journal = g_strconcat(path, "-journal", NULL);
  int fd = open(journal, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  guint8 head[8], zeros[4096] = {0};
  struct stat st;

  if (fd < 0) {
    return;
  }
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, head, 8, 0) == 8 &&
      sodium_is_zero(head, sizeof head)) {
    for (off_t at = 0; at < st.st_size && pwrite(fd, zeros, sizeof zeros, at) > 0;) {
      at += (off_t)sizeof zeros;
    }
    if (fsync(fd) == 0 && ftruncate(fd, 0) == 0) {
      fsync(fd);
    }
  }
  close(fd);
}

/* The lock goes at the end of the first transaction in the other mode. */
static void
share(StoreKeys *keys)
{
  gint64 number;

  sqlite3_exec(keys->db, "PRAGMA journal_mode = TRUNCATE; PRAGMA locking_mode = NORMAL", NULL, NULL,
               NULL);
  number_of(keys, "SELECT count(*) FROM root", &number, NULL);
}

gboolean
store_keys_hold(StoreKeys *keys, GError **error)
{
  if (!store_exec(keys->db, keys->name, "taking the keys for itself",
                  "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = PERSIST;"
                  "BEGIN IMMEDIATE",
                  error)) {
    share(keys);
    return FALSE;
  }
  return TRUE;
}

void
store_keys_let_go(StoreKeys *keys)
{
  store_keys_end(keys, FALSE, NULL);
  overwrite_journal(keys->path);
  share(keys);
}
