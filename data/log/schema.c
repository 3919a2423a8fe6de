/* schema.c - checks, migrations and the comparison with what the migrations make.
 *
 * 1. A file's first claim (application_id, user_version) is believed only far enough to choose the
 *    migrations; the tables themselves are then compared text by text. Nothing of a file that is
 * not ours is changed.
 * 2. The version is read again inside each step's transaction: another process may have migrated.
 */
#include "schema.h"
#include "convert.h"
#include "private.h"
#include "schema-v1.h"
#include "schema-v2.h"
#include "schema-v3.h"
#include "schema-v4.h"
#include "schema-v5.h"

static const char *const migrations[] = {store_schema_v1, store_schema_v2, store_schema_v3,
                                         store_schema_v4, store_schema_v5};
const StoreSchema store_schema = {migrations, G_N_ELEMENTS(migrations)};

static gboolean
read_number(sqlite3 *db, const char *name, const char *sql, gint64 *number, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  if (rc != SQLITE_ROW) {
    return store_fail_sqlite(error, db, name, "reading the header", rc);
  }
  *number = sqlite3_column_int64(statement, 0);
  return TRUE;
}

static gboolean
check_version(const char *name, const StoreSchema *schema, gint64 version, GError **error)
{
  if (version > schema->version) {
    return store_fail(error, STORE_ERROR_NEWER, name,
                      "schema version: found %" G_GINT64_FORMAT
                      ", expected at most %d: a newer Hilum wrote this log, which this one reads "
                      "and does not write to: update Hilum, or use another log",
                      version, schema->version);
  }
  return version >= 0 || store_fail(error, STORE_ERROR_FORMAT, name,
                                    "schema version: found %" G_GINT64_FORMAT ", expected 1 to %d",
                                    version, schema->version);
}

/* All three of one moment: another process may be making the log. */
static gboolean
read_header(sqlite3 *db, const char *name, gint64 *application, gint64 *version, gint64 *objects,
            GError **error)
{
  gboolean ok;

  if (!store_exec(db, name, "reading the header", "BEGIN", error)) {
    return FALSE;
  }
  ok = read_number(db, name, "PRAGMA application_id", application, error) &&
       read_number(db, name, "PRAGMA user_version", version, error) &&
       read_number(db, name, "SELECT count(*) FROM sqlite_schema", objects, error);
  sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  return ok;
}

gboolean
store_schema_check(sqlite3 *db, const char *name, const StoreSchema *schema, gboolean read_only,
                   int *version, GError **error)
{
  gint64 application = 0, found = 0, objects = 0;

  if (!read_header(db, name, &application, &found, &objects, error)) {
    return FALSE;
  }
  if (application == 0 && found == 0 && objects == 0) {
    *version = 0;
    return !read_only || store_fail(error, STORE_ERROR_FORMAT, name,
                                    "found an empty database, expected a Hilum log");
  }
  if (application != STORE_APPLICATION_ID) {
    return store_fail(error, STORE_ERROR_FORMAT, name,
                      "application id: found 0x%08x, expected 0x%08x: not a Hilum log",
                      (guint)application, (guint)STORE_APPLICATION_ID);
  }
  if (read_only && found > schema->version && found <= G_MAXINT) {
    *version = (int)found;
    return TRUE;
  }
  if (!check_version(name, schema, found, error)) {
    return FALSE;
  }
  if (found == 0 || (read_only && found < schema->version)) {
    return store_fail(error, found ? STORE_ERROR_OLDER : STORE_ERROR_FORMAT, name,
                      "schema version: found %d, expected %d%s", (int)found, schema->version,
                      found ? ": open the log for writing once, to bring it up to date" : "");
  }
  *version = (int)found;
  return TRUE;
}

/* Between the tables of version 5 and the end of those before. LOG: NULL for a schema without rows.
 */
static gboolean
convert_rows(sqlite3 *db, const char *name, StoreLog *log, gboolean empty, GError **error)
{
  return (!log || (store_write_first(log, error) && (empty || store_convert(log, error)))) &&
         store_exec(db, name, "bringing schema version 4 to 5", store_schema_v5_drop, error);
}

/* One step inside an open transaction. *done: there is nothing left to do. *fresh: the file was
 * empty when this process began. */
static gboolean
migrate_step(sqlite3 *db, const char *name, const StoreSchema *schema, StoreLog *log,
             gboolean *fresh, gboolean *done, GError **error)
{
  gint64 version = 0;
  g_autofree char *doing = NULL, *stamp = NULL;

  if (!read_number(db, name, "PRAGMA user_version", &version, error) ||
      !check_version(name, schema, version, error)) {
    return FALSE;
  }
  *done = version == schema->version;
  if (*done) {
    return TRUE;
  }
  doing = g_strdup_printf("bringing schema version %d to %d", (int)version, (int)version + 1);
  stamp = g_strdup_printf("PRAGMA user_version = %d", (int)version + 1);
  *fresh = *fresh || version == 0;
  return store_exec(db, name, doing, schema->migrations[version], error) &&
         (schema->migrations[version] != store_schema_v5 ||
          convert_rows(db, name, log, *fresh, error)) &&
         store_exec(db, name, doing, stamp, error);
}

gboolean
store_schema_migrate(sqlite3 *db, const char *name, const StoreSchema *schema, StoreLog *log,
                     GError **error)
{
  gboolean done = FALSE, fresh = FALSE;

  while (!done) {
    if (!store_exec(db, name, "locking the log", "BEGIN IMMEDIATE", error)) {
      return FALSE;
    }
    if (!migrate_step(db, name, schema, log, &fresh, &done, error) ||
        !store_exec(db, name, "writing the schema", "COMMIT", error)) {
      sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- newer files ---------------------------------------------------------------------------- */

gboolean
store_schema_known(sqlite3 *db, const char *name, int version, gboolean *same_rows, GError **error)
{
  static const char *const known[] = {
      "SELECT * FROM event",
      "SELECT seq, time, kind, subject, body, sealed, previous, hash FROM event",
      "SELECT id, event, root FROM block",
      "SELECT id, event, lookup FROM model",
      "SELECT id, event, lookup FROM image",
      "SELECT id, event, model, rewound_from FROM conversation",
      "SELECT id, event, conversation, number, image FROM turn",
      "SELECT id, event, turn FROM verdict",
      "SELECT id, event, turn FROM answer_check",
  };

  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    g_autoptr(StoreOwnedStatement) statement = NULL;
    int rc = sqlite3_prepare_v2(db, known[i], -1, &statement, NULL);

    if ((rc & 0xff) == SQLITE_ERROR) {
      return store_fail(error, STORE_ERROR_NEWER, name,
                        "schema version: found %d, expected at most %d: a newer Hilum wrote this "
                        "log, and its tables are not any this one can read: update Hilum",
                        version, store_schema.version);
    }
    if (rc != SQLITE_OK) {
      return store_fail_sqlite(error, db, name, "reading the schema", rc);
    }
    if (i == 0) {
      *same_rows = sqlite3_column_count(statement) == 8;
    }
  }
  return TRUE;
}

/* ---- comparison ----------------------------------------------------------------------------- */

/* The statistics of ANALYZE are the one thing that a visitor may leave behind. The tables in which
 * FTS5 kept its words before version 5 are as its own version made them. */
static const char schema_sql[] =
    "SELECT type, name, sql FROM sqlite_schema"
    " WHERE NOT (type = 'table' AND (name IN ('sqlite_stat1', 'sqlite_stat4')"
    " OR name LIKE 'turn!_words!_%' ESCAPE '!' OR name LIKE 'verdict!_words!_%' ESCAPE '!'))"
    " ORDER BY name COLLATE BINARY, type";

static const char *
column(sqlite3_stmt *statement, int index)
{
  const char *text = (const char *)sqlite3_column_text(statement, index);
  return text ? text : "";
}

/* < 0: A's object comes first; 0: the same object. A statement without a row comes last. */
static int
order(sqlite3_stmt *a, gboolean a_row, sqlite3_stmt *b, gboolean b_row)
{
  int by_name;

  if (!a_row || !b_row) {
    return (int)b_row - (int)a_row;
  }
  by_name = strcmp(column(a, 1), column(b, 1));
  return by_name ? by_name : strcmp(column(a, 0), column(b, 0));
}

/* The name of a foreign object is not repeated: the file may be anyone's. */
static gboolean
compare_lists(sqlite3_stmt *found, sqlite3_stmt *expected, sqlite3 *db, const char *name,
              GError **error)
{
  for (;;) {
    int rc = sqlite3_step(found);
    int expected_rc = sqlite3_step(expected);
    int which;

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
      return store_fail_sqlite(error, db, name, "reading the schema", rc);
    }
    if (expected_rc != SQLITE_ROW && expected_rc != SQLITE_DONE) {
      return store_fail_sqlite(error, NULL, name, "comparing the schema", expected_rc);
    }
    if (rc == SQLITE_DONE && expected_rc == SQLITE_DONE) {
      return TRUE;
    }
    which = order(found, rc == SQLITE_ROW, expected, expected_rc == SQLITE_ROW);
    if (which < 0) {
      return store_fail(error, STORE_ERROR_CORRUPT, name,
                        "schema: found an object that is no part of a Hilum log");
    }
    if (which > 0) {
      return store_fail(error, STORE_ERROR_CORRUPT, name, "schema: %s %s is missing",
                        column(expected, 0), column(expected, 1));
    }
    if (strcmp(column(found, 2), column(expected, 2)) != 0) {
      return store_fail(error, STORE_ERROR_CORRUPT, name, "schema: %s %s is not as Hilum made it",
                        column(expected, 0), column(expected, 1));
    }
  }
}

gboolean
store_schema_compare(sqlite3 *db, const char *name, const StoreSchema *schema, GError **error)
{
  g_autoptr(sqlite3) model = NULL;
  g_autoptr(StoreOwnedStatement) found = NULL;
  g_autoptr(StoreOwnedStatement) expected = NULL;
  int rc = sqlite3_open_v2(":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, model, name, "making a schema to compare with", rc);
  }
  if (!store_schema_migrate(model, name, schema, NULL, error)) {
    return FALSE;
  }
  rc = sqlite3_prepare_v2(db, schema_sql, -1, &found, NULL);
  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, db, name, "reading the schema", rc);
  }
  rc = sqlite3_prepare_v2(model, schema_sql, -1, &expected, NULL);
  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, model, name, "reading the schema to compare with", rc);
  }
  return compare_lists(found, expected, db, name, error);
}
