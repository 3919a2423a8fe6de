/* log.c - opening and closing the conversation log.
 *
 * 1. A file that is not a Hilum log of this schema is refused before anything is written to it.
 * 2. The connection trusts the file as little as SQLite can be told to: no functions from the
 *    schema, no views, no extensions, no attached files, sizes bounded, cells checked.
 * 3. A commit is on the disk when it returns: synchronous=FULL with WAL. Where the file system has
 *    no shared memory for WAL, the rollback journal and synchronous=EXTRA promise the same.
 */
#include "chain.h"
#include "head.h"
#include "keys.h"
#include "limits.h"
#include "person.h"
#include "private.h"
#include "recover-swap.h"
#include "row.h"
#include "schema.h"
#include "words.h"
#include <sodium.h>
#include <string.h>
#include <unistd.h>

/* The first schema version whose texts are sealed. */
#define STORE_KEYED_VERSION 5
#define MOST_TIME 40u /* bytes of a time in ISO 8601 */

void
store_log_close(StoreLog *log)
{
  if (!log) {
    return;
  }
  if (log->db) {
    store_head_close(log);
  }
  store_words_close(log);
  for (guint i = 0; i < STORE_N_SQL; i++) {
    sqlite3_finalize(log->statements[i]);
  }
  sqlite3_close(log->db);
  store_keys_close(log->keys);
  g_free(log->path);
  g_free(log->log_id);
  g_free(log->person);
  g_free(log->first_written);
  g_free(log->goes_on);
  g_free(log->sealed_as);
  g_free(log->sealed_at);
  store_people_free(log->people);
  g_free(log->name);
  g_free(log);
}

gboolean
store_exec(sqlite3 *db, const char *name, const char *doing, const char *sql, GError **error)
{
  int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

  return rc == SQLITE_OK || store_fail_sqlite(error, db, name, doing, rc);
}

void
store_log_set_busy_timeout(StoreLog *log, int milliseconds)
{
  sqlite3_busy_timeout(log->db, milliseconds);
}

static void
distrust(sqlite3 *db)
{
  static const struct {
    int option, value;
  } options[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},     {SQLITE_DBCONFIG_DQS_DML, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    sqlite3_db_config(db, options[i].option, options[i].value, NULL);
  }
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, STORE_MAX_ROW);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 4);
}

/* Opens PATH as CHANGELESS (immutable: no locks, no -wal, no -shm), or plainly. */
static gboolean
connect_file(StoreLog *log, const char *path, gboolean changeless, GError **error)
{
  int flags = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE |
              (log->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  g_autofree char *file = g_filename_to_uri(path, NULL, error);
  g_autofree char *uri = file ? g_strconcat(file, changeless ? "?immutable=1" : "", NULL) : NULL;
  int rc;

  if (!uri) {
    return FALSE;
  }
  rc = sqlite3_open_v2(uri, &log->db, flags | SQLITE_OPEN_URI, NULL);
  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, log->db, log->name, "opening the log", rc);
  }
  distrust(log->db);
  sqlite3_busy_timeout(log->db, STORE_BUSY_MS);
  return store_exec(log->db, log->name, "setting up the connection",
                    "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                    "PRAGMA recursive_triggers = ON; PRAGMA synchronous = FULL;"
                    "PRAGMA secure_delete = ON",
                    error);
}

/* Whether nobody with our rights can change the log: its folder takes no file from us. */
static gboolean
folder_is_closed(const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);

  return access(folder, W_OK) != 0;
}

/* Connects and looks at the header. A read-only log whose folder cannot be written has nowhere to
 * put the shared memory of WAL; without rows left in its -wal it is complete as it lies there. */
static gboolean
connect_log(StoreLog *log, const char *path, int *version, GError **error)
{
  g_autoptr(GError) local = NULL;

  if (connect_file(log, path, FALSE, &local) &&
      store_schema_check(log->db, log->name, &store_schema, log->read_only, version, &local)) {
    return TRUE;
  }
  if (!log->read_only || !g_error_matches(local, STORE_ERROR, STORE_ERROR_IO) ||
      !folder_is_closed(path)) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  if (store_file_size(path, "-wal") > 0) {
    return store_fail(error, STORE_ERROR_IO, log->name,
                      "its newest turns are still in the -wal file beside it, and the folder "
                      "cannot be written: open the log where it can be");
  }
  g_clear_pointer(&log->db, sqlite3_close);
  log->changeless = TRUE;
  return connect_file(log, path, TRUE, error) &&
         store_schema_check(log->db, log->name, &store_schema, TRUE, version, error);
}

StoreLog *
store_log_twin(StoreLog *log, GError **error)
{
  g_autoptr(StoreLog) twin = g_new0(StoreLog, 1);

  twin->name = g_strdup(log->name);
  twin->path = g_strdup(log->path);
  twin->read_only = TRUE;
  twin->changeless = log->changeless;
  return connect_file(twin, twin->path, twin->changeless, error) &&
                 store_exec(twin->db, twin->name, "reading the log", "BEGIN", error)
             ? g_steal_pointer(&twin)
             : NULL;
}

static gboolean
keep_journal_mode(void *wal, int n, char **values, char **names)
{
  *(gboolean *)wal = n == 1 && g_strcmp0(values[0], "wal") == 0;
  return 0;
}

/* Two processes that make the same log change its mode at once, and SQLite answers BUSY to one of
 * them without waiting, so the waiting is done here. */
static gboolean
use_wal(StoreLog *log, GError **error)
{
  gboolean wal = FALSE;
  int rc = SQLITE_BUSY;

  for (int waited = 0; rc != SQLITE_OK; waited += 10) {
    rc = sqlite3_exec(log->db, "PRAGMA journal_mode = WAL", keep_journal_mode, &wal, NULL);
    if (rc != SQLITE_OK && ((rc & 0xff) != SQLITE_BUSY || waited >= STORE_BUSY_MS)) {
      return store_fail_sqlite(error, log->db, log->name, "setting the journal mode", rc);
    }
    if (rc != SQLITE_OK) {
      g_usleep(10 * 1000);
    }
  }
  return wal || store_exec(log->db, log->name, "setting the journal mode",
                           "PRAGMA synchronous = EXTRA", error);
}

static int
keep_first_line(void *first, int n, char **values, char **names)
{
  if (!*(char **)first) {
    *(char **)first = g_strdup(n == 1 && values[0] ? values[0] : "");
  }
  return 0;
}

/* A page that could not be read is listed among the findings, with SQLite's code: no fault of the
 * file's. SQLITE_OK for every other finding. */
static int
reading_failure(const char *finding)
{
  static const char mark[] = "unable to get the page. error code=";
  const char *code = finding ? strstr(finding, mark) : NULL;

  return code ? (int)g_ascii_strtoll(code + strlen(mark), NULL, 10) : SQLITE_OK;
}

/* SQLite's findings name pages, tables and columns, and no content. */
static gboolean
check_pages(StoreLog *log, const char *path, GError **error)
{
  g_autofree char *found = NULL;
  g_autofree char *valid = NULL;
  int rc;

  if (store_file_size(path, "") + store_file_size(path, "-wal") > STORE_MAX_QUICK_CHECK) {
    return TRUE;
  }
  rc = sqlite3_exec(log->db, "PRAGMA quick_check(1)", keep_first_line, &found, NULL);
  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, log->db, log->name, "checking the pages", rc);
  }
  if (g_strcmp0(found, "ok") != 0) {
    rc = reading_failure(found);
    if (rc != SQLITE_OK) {
      return store_fail_sqlite(error, log->db, log->name, "checking the pages", rc);
    }
    valid = g_utf8_make_valid(found ? found : "", -1);
    g_strdelimit(valid, "\r\n\t", ' ');
    return store_fail(error, STORE_ERROR_CORRUPT, log->name, "checking the pages: found %.200s",
                      valid);
  }
  return TRUE;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static const char *const protections[] = {
    [STORE_PROTECTION_FILE] = "file",
    [STORE_PROTECTION_PASSPHRASE] = "passphrase",
    [STORE_PROTECTION_KEYRING] = "keyring",
};

const char *
store_protection_name(StoreLog *log)
{
  return protections[store_keys_protection(log->keys)];
}

static gboolean
is_missing(const GError *error)
{
  return g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
}

/* VERSION: of the log. One of version 5 or later without keys has lost them; another gets new ones
 * (unless another process was faster). */
static gboolean
open_keys(StoreLog *log, const StoreOpen *how, int version, GError **error)
{
  g_autoptr(GError) local = NULL;

  if (log->keys) { /* of a log that is begun */
    log->log_id = g_strdup(store_keys_log_id(log->keys));
    return TRUE;
  }
  log->keys = store_keys_open(log->path, how->read_only, how->secrets, &local);
  if (!log->keys && is_missing(local) && version < STORE_KEYED_VERSION && !how->read_only) {
    g_clear_error(&local);
    log->keys = store_keys_make(log->path, NULL, how->protection, how->secrets, &local);
    if (!log->keys && g_file_test(log->path, G_FILE_TEST_EXISTS)) {
      g_autoptr(GError) again = NULL;
      log->keys = store_keys_open(log->path, FALSE, how->secrets, &again);
    }
  }
  if (!log->keys) {
    if (is_missing(local)) {
      return store_fail(error, STORE_ERROR_LOCKED, log->name,
                        "its keys (the .keys file beside it) are missing: put them back, or move "
                        "the log aside to begin a new one");
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  log->log_id = g_strdup(store_keys_log_id(log->keys));
  return TRUE;
}

/* The log and its keys must belong together. A locked log tells its own name. */
static gboolean
check_first(StoreLog *log, GError **error)
{
  g_auto(StoreBody) body = {0};
  JsonObject *fields;
  const char *id;

  if (!store_row_open(log, 1, "log", &body, NULL, NULL, error)) {
    return FALSE;
  }
  fields = store_body_has(&body, STORE_CLEAR, "fields") &&
                   JSON_NODE_HOLDS_OBJECT(json_object_get_member(body.json[STORE_CLEAR], "fields"))
               ? json_object_get_object_member(body.json[STORE_CLEAR], "fields")
               : NULL;
  id = fields ? json_object_get_string_member_with_default(fields, "log_id", NULL) : NULL;
  if (!id || strlen(id) != 32) {
    store_body_corrupt(&body, "log_id", "found nothing, expected one");
    return FALSE;
  }
  if (!log->log_id) {
    log->log_id = g_strdup(id);
  }
  return g_str_equal(id, log->log_id) ||
         store_fail(error, STORE_ERROR_CORRUPT, log->name,
                    "found the keys of another log beside it, expected its own");
}

/* ---- opening -------------------------------------------------------------------------------- */

/* What older versions wrote in the clear is gone once no page is free: the pages were overwritten
 * when their rows were dropped (secure_delete), and are given back here. Another process may be in
 * the way; the next opening tries again. */
static void
scrub(StoreLog *log)
{
  sqlite3_stmt *statement = NULL;
  gboolean dirty = FALSE;

  if (sqlite3_prepare_v2(log->db, "PRAGMA freelist_count", -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    dirty = sqlite3_column_int64(statement, 0) > 0;
  }
  sqlite3_finalize(statement);
  if (dirty && sqlite3_exec(log->db, "VACUUM", NULL, NULL, NULL) == SQLITE_OK) {
    sqlite3_exec(log->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
  }
}

static gboolean
open_for_writing(StoreLog *log, GError **error)
{
  if (!use_wal(log, error) ||
      !store_schema_migrate(log->db, log->name, &store_schema, log, error)) {
    return FALSE;
  }
  scrub(log);
  return TRUE;
}

static gboolean
check_schema(StoreLog *log, int version, GError **error)
{
  gboolean same_rows = TRUE;

  if (version <= store_schema.version) {
    return store_schema_compare(log->db, log->name, &store_schema, error);
  }
  log->newer = version;
  if (!store_schema_known(log->db, log->name, version, &same_rows, error)) {
    return FALSE;
  }
  log->other_rows = !same_rows;
  return TRUE;
}

/* A sealed log is not written to: SEALED. *unfinished: it lies where the one lies that goes on from
 * it, so its rotation was cut short. */
static gboolean
refuse_sealed(StoreLog *log, gboolean *unfinished, GError **error)
{
  g_autofree char *own = g_path_get_basename(log->path);

  if (!store_schema_compare(log->db, log->name, &store_schema, error) ||
      !store_chain_open(log, error)) {
    return FALSE;
  }
  *unfinished = g_str_equal(own, log->goes_on);
  return store_chain_refuse(log, "opening it for writing", error);
}

/* Opens PATH as LOG. UNFINISHED: see refuse_sealed(); NULL: a sealed log is opened as well. */
static gboolean
open_as(StoreLog *log, const char *path, const StoreOpen *how, gboolean *unfinished, GError **error)
{
  const gboolean read_only = how->read_only || how->locked;
  gboolean sealed;
  int version = 0;

  log->name = g_filename_display_name(path);
  log->read_only = read_only;
  if (sodium_init() < 0) {
    return store_fail(error, STORE_ERROR_IO, log->name, "libsodium cannot be used on this machine");
  }
  if (!store_swap_finish(path, error)) {
    return FALSE;
  }
  log->path = store_file_prepare(path, read_only, error);
  if (!log->path || !connect_log(log, log->path, &version, error) ||
      !store_check_words(log->db, log->name, error)) {
    return FALSE;
  }
  sealed = version == store_schema.version && store_chain_is_sealed(log->db);
  if (sealed && !read_only && unfinished) {
    return refuse_sealed(log, unfinished, error);
  }
  return (how->locked || open_keys(log, how, version, error)) &&
         (read_only || sealed || open_for_writing(log, error)) &&
         check_schema(log, version, error) && check_pages(log, log->path, error) &&
         check_first(log, error) && (!sealed || store_chain_open(log, error)) &&
         (read_only || sealed || store_head_open(log, error));
}

static StoreLog *
open_once(const char *path, const StoreOpen *how, gboolean *unfinished, GError **error)
{
  g_autoptr(StoreLog) log = g_new0(StoreLog, 1);

  return open_as(log, path, how, unfinished, error) ? g_steal_pointer(&log) : NULL;
}

StoreLog *
store_log_open_with(const char *path, const StoreOpen *how, GError **error)
{
  g_autoptr(GError) local = NULL;
  gboolean unfinished = FALSE;
  StoreLog *log;

  g_return_val_if_fail(path, NULL);
  if (!store_rotate_settle(path, how->read_only || how->locked, error)) {
    return NULL;
  }
  log = open_once(path, how, &unfinished, &local);
  if (unfinished) {
    g_clear_error(&local);
    unfinished = FALSE;
    log = store_rotate_finish(path, how, &local) ? open_once(path, how, &unfinished, &local) : NULL;
  }
  if (!log) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  return log;
}

StoreLog *
store_log_begin(const char *path, StoreKeys *keys, const StoreField *fields, gsize n,
                GError **error)
{
  const StoreOpen how = {0};
  g_autoptr(StoreLog) log = g_new0(StoreLog, 1);

  log->keys = keys;
  log->begin = fields;
  log->n_begin = n;
  if (!open_as(log, path, &how, NULL, error)) {
    return NULL;
  }
  log->begin = NULL;
  log->n_begin = 0;
  return g_steal_pointer(&log);
}

StoreLog *
store_log_open_sealed(const char *path, const StoreOpen *how, GError **error)
{
  return open_once(path, how, NULL, error);
}

StoreLog *
store_log_open(const char *path, gboolean read_only, GError **error)
{
  const StoreOpen how = {.read_only = read_only};

  return store_log_open_with(path, &how, error);
}

StoreProtection
store_log_protection(StoreLog *log)
{
  return log->keys ? store_keys_protection(log->keys) : STORE_PROTECTION_FILE;
}

const char *
store_log_id(StoreLog *log)
{
  return log->log_id;
}

int
store_log_newer(StoreLog *log, int *known)
{
  if (known) {
    *known = store_schema.version;
  }
  return log->newer;
}

const char *
store_log_trouble(StoreLog *log)
{
  return log->trouble;
}

void
store_log_set_person(StoreLog *log, const char *person)
{
  g_free(log->person);
  log->person = g_strdup(person);
}

gboolean
store_log_set_first_written(StoreLog *log, const char *time, GError **error)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) parsed = time ? g_date_time_new_from_iso8601(time, utc) : NULL;

  g_return_val_if_fail(log, FALSE);
  if (time && (!parsed || strlen(time) > MOST_TIME)) {
    return store_fail(error, STORE_ERROR_INVALID, log->name,
                      "the time of what is imported is none (ISO 8601)");
  }
  g_free(log->first_written);
  log->first_written = g_strdup(time);
  return TRUE;
}
