/* statement.c - every SQL text of the log, and the binding of its values. No text is ever put
 * together from values. */
#include "limits.h"
#include "private.h"
#include <string.h>

#define EVENT "SELECT seq, time, kind, subject, body, sealed, previous, hash FROM event"
#define NEXT(table) "SELECT coalesce(max(id), 0) + 1 FROM " table
#define HAS(table) "SELECT event FROM " table " WHERE id = ?1"
/* The first turn's event and image, and the number of the last: turns have no gaps. */
#define CONVERSATION                                                                               \
  "SELECT c.id, c.event, m.event, t.event, i.event,"                                               \
  " (SELECT max(number) FROM turn WHERE conversation = c.id)"                                      \
  " FROM conversation AS c LEFT JOIN model AS m ON m.id = c.model"                                 \
  " LEFT JOIN turn AS t ON t.conversation = c.id AND t.number = 1"                                 \
  " LEFT JOIN image AS i ON i.id = t.image"

static const char *const texts[STORE_N_SQL] = {
    [STORE_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_SQL_COMMIT] = "COMMIT",
    [STORE_SQL_ROLLBACK] = "ROLLBACK",
    [STORE_SQL_EVENT] = EVENT " WHERE seq = ?1",
    [STORE_SQL_EVENTS] = EVENT " WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
    [STORE_SQL_LAST_EVENT] = "SELECT seq, hash, kind FROM event ORDER BY seq DESC LIMIT 1",
    [STORE_SQL_ADD_EVENT] =
        "INSERT INTO event (seq, time, kind, subject, body, sealed, previous, hash)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STORE_SQL_HASHES] = "SELECT seq, hash FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
    [STORE_SQL_BLOCKS] = "SELECT id, root FROM block WHERE id <= ?1 ORDER BY id",
    [STORE_SQL_ADD_BLOCK] = "INSERT INTO block (id, event, root) VALUES (?1, ?2, ?3)",
    [STORE_SQL_FIND_MODEL] = "SELECT id FROM model WHERE lookup = ?1 ORDER BY id LIMIT 1",
    [STORE_SQL_FIND_IMAGE] = "SELECT id FROM image WHERE lookup = ?1 ORDER BY id LIMIT 1",
    [STORE_SQL_NEXT_MODEL] = NEXT("model"),
    [STORE_SQL_NEXT_IMAGE] = NEXT("image"),
    [STORE_SQL_NEXT_CONVERSATION] = NEXT("conversation"),
    [STORE_SQL_NEXT_TURN] = NEXT("turn"),
    [STORE_SQL_NEXT_VERDICT] = NEXT("verdict"),
    [STORE_SQL_NEXT_CHECK] = NEXT("answer_check"),
    [STORE_SQL_ADD_MODEL] = "INSERT INTO model (id, event, lookup) VALUES (?1, ?2, ?3)",
    [STORE_SQL_ADD_IMAGE] = "INSERT INTO image (id, event, lookup) VALUES (?1, ?2, ?3)",
    [STORE_SQL_ADD_CONVERSATION] =
        "INSERT INTO conversation (id, event, model, rewound_from) VALUES (?1, ?2, ?3, ?4)",
    [STORE_SQL_ADD_TURN] = "INSERT INTO turn (id, event, conversation, number, image)"
                           " VALUES (?1, ?2, ?3, ?4, ?5)",
    [STORE_SQL_ADD_VERDICT] = "INSERT INTO verdict (id, event, turn) VALUES (?1, ?2, ?3)",
    [STORE_SQL_ADD_CHECK] = "INSERT INTO answer_check (id, event, turn) VALUES (?1, ?2, ?3)",
    [STORE_SQL_HAS_MODEL] = HAS("model"),
    [STORE_SQL_HAS_IMAGE] = HAS("image"),
    [STORE_SQL_HAS_CONVERSATION] = HAS("conversation"),
    [STORE_SQL_HAS_TURN] = "SELECT event, conversation FROM turn WHERE id = ?1",
    [STORE_SQL_LAST_TURN] = "SELECT max(number) FROM turn WHERE conversation = ?1",
    [STORE_SQL_LIST] = CONVERSATION " ORDER BY c.id DESC LIMIT ?1",
    [STORE_SQL_GET] = CONVERSATION " WHERE c.id = ?1",
    [STORE_SQL_SHOW] = "SELECT t.id, t.event, t.number, m.event FROM turn AS t"
                       " JOIN conversation AS c ON c.id = t.conversation"
                       " LEFT JOIN model AS m ON m.id = c.model"
                       " WHERE t.conversation = ?1 ORDER BY t.number",
    [STORE_SQL_VERDICTS] = "SELECT id, event FROM verdict WHERE turn = ?1 ORDER BY id",
    [STORE_SQL_CHECKS] = "SELECT id, event FROM answer_check WHERE turn = ?1 ORDER BY id",
    [STORE_SQL_WORDS] =
        "SELECT seq, coalesce(json_extract(body, '$.conversation'),"
        " (SELECT conversation FROM turn WHERE id = json_extract(body, '$.turn'))) FROM event"
        " WHERE seq BETWEEN ?1 AND ?2 AND kind IN ('turn', 'verdict') ORDER BY seq",
    [STORE_SQL_TEXTS] =
        "SELECT event FROM turn WHERE conversation = ?1"
        " UNION ALL SELECT v.event FROM turn AS t JOIN verdict AS v ON v.turn = t.id"
        " WHERE t.conversation = ?1 ORDER BY 1",
    [STORE_SQL_SESSIONS] =
        "SELECT seq FROM event WHERE seq BETWEEN ?1 AND ?2 AND kind = 'session' ORDER BY seq",
};

StoreStatement *
store_statement(StoreLog *log, StoreSql sql, const char *doing, GError **error)
{
  int rc = SQLITE_OK;

  if (!log->statements[sql]) {
    rc = sqlite3_prepare_v3(log->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
                            &log->statements[sql], NULL);
  }
  if (rc != SQLITE_OK) {
    store_fail_sqlite(error, log->db, log->name, doing, rc);
    return NULL;
  }
  return log->statements[sql];
}

void
store_statement_done(StoreStatement *statement)
{
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

gboolean
store_step(StoreLog *log, StoreStatement *statement, const char *doing, gboolean *row,
           GError **error)
{
  int rc = sqlite3_step(statement);

  *row = rc == SQLITE_ROW;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, log->db, log->name, doing, rc);
}

gboolean
store_hold(StoreLog *log)
{
  return sqlite3_get_autocommit(log->db) &&
         sqlite3_exec(log->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

void
store_release(StoreLog *log, gboolean held)
{
  if (held) {
    sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
  }
}

gboolean
store_run(StoreLog *log, StoreSql sql, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  gboolean row = FALSE;

  return statement && store_step(log, statement, doing, &row, error);
}

/* ---- binding -------------------------------------------------------------------------------- */

static void
bound(StoreBinder *binder, int rc)
{
  if (rc != SQLITE_OK) {
    binder->failed = TRUE;
    store_fail_sqlite(binder->error, binder->log->db, binder->log->name, "binding a value", rc);
  }
}

static void
refuse(StoreBinder *binder, const char *field, const char *found, const char *expected)
{
  binder->failed = TRUE;
  store_fail(binder->error, STORE_ERROR_INVALID, binder->log->name, "%s: %s: found %s, expected %s",
             binder->table, field, found, expected);
}

void
store_bind_text(StoreBinder *binder, const char *field, const char *text)
{
  gsize length = text ? strlen(text) : 0;
  g_autofree char *valid = NULL;

  binder->index++;
  if (binder->failed) {
    return;
  }
  if (text && length <= STORE_MAX_TEXT && !g_utf8_validate_len(text, length, NULL)) {
    valid = g_utf8_make_valid(text, (gssize)length); /* at most three times as long */
    length = strlen(valid);
  }
  if (length > STORE_MAX_TEXT) {
    g_autofree char *found = g_strdup_printf("%" G_GSIZE_FORMAT " bytes", length);
    g_autofree char *expected = g_strdup_printf("at most %u", STORE_MAX_TEXT);
    refuse(binder, field, found, expected);
    return;
  }
  bound(binder, sqlite3_bind_text(binder->statement, binder->index, valid ? valid : text,
                                  (int)length, SQLITE_TRANSIENT));
}

void
store_bind_int(StoreBinder *binder, gint64 value)
{
  binder->index++;
  if (!binder->failed) {
    bound(binder, sqlite3_bind_int64(binder->statement, binder->index, value));
  }
}

void
store_bind_null(StoreBinder *binder)
{
  binder->index++;
  if (!binder->failed) {
    bound(binder, sqlite3_bind_null(binder->statement, binder->index));
  }
}

void
store_bind_id(StoreBinder *binder, gint64 id)
{
  if (id) {
    store_bind_int(binder, id);
  } else {
    store_bind_null(binder);
  }
}

void
store_bind_blob(StoreBinder *binder, const void *bytes, gsize n)
{
  binder->index++;
  if (!binder->failed) {
    bound(binder,
          sqlite3_bind_blob64(binder->statement, binder->index, bytes, n, SQLITE_TRANSIENT));
  }
}

void
store_bind_long_text(StoreBinder *binder, const char *text, gsize n)
{
  binder->index++;
  if (!binder->failed) {
    bound(binder, sqlite3_bind_text64(binder->statement, binder->index, text, n, SQLITE_TRANSIENT,
                                      SQLITE_UTF8));
  }
}
