/* words.c - see words.h.
 *
 * 1. The index says up to which event it goes, and that event's hash: for another log, or one that
 *    was put back to an older state, it is made anew.
 * 2. Whatever is wrong with it, the log is not: it is made anew, once.
 */
#include "words.h"

#include "index-file.h"
#include "keys.h"
#include "row.h"
#include <sodium.h>
#include <string.h>

#define BATCH 4096

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " upto INTEGER NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS doc (id INTEGER PRIMARY KEY, event INTEGER NOT NULL);"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, more, content='', columnsize=0,"
    " tokenize='unicode61 remove_diacritics 2', prefix='2 3');";

static void
close_memory(sqlite3 *db)
{
  sqlite3_close(db);
}

void
store_words_clear(StoreWords *words)
{
  g_clear_pointer(&words->text, g_free);
  g_clear_pointer(&words->more, g_free);
}

gboolean
store_words_read(StoreLog *log, gint64 event, StoreWords *words, GError **error)
{
  g_auto(StoreBody) body = {.without_lists = TRUE};

  if (!store_row_open(log, event, NULL, &body, NULL, NULL, error)) {
    return FALSE;
  }
  words->text = g_strdup(store_body_text(&body, STORE_SEALED, "question", STORE_NULLABLE));
  words->more = g_strdup(store_body_text(&body, STORE_SEALED, "answer", STORE_NULLABLE));
  if (!words->text) {
    words->text = g_strdup(store_body_text(&body, STORE_SEALED, "text", STORE_NULLABLE));
  }
  return !body.failed;
}

void
store_words_close(StoreLog *log)
{
  g_clear_pointer(&log->words, log->words_sealed ? store_index_file_close : close_memory);
}

static char *
index_path(StoreLog *log)
{
  return g_strconcat(log->path, ".index", NULL);
}

gboolean
store_words_forget(StoreLog *log, GError **error)
{
  g_autofree char *path = index_path(log);

  store_words_close(log);
  return !g_file_test(path, G_FILE_TEST_EXISTS) || store_index_file_remove(path, error);
}

static gboolean
fail(StoreLog *log, sqlite3 *db, int rc, GError **error)
{
  return store_fail_sqlite(error, db, log->name, "indexing the log's words", rc);
}

static sqlite3 *
open_in_memory(StoreLog *log, GError **error)
{
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

  if (rc != SQLITE_OK) {
    fail(log, db, rc, error);
    sqlite3_close(db);
    return NULL;
  }
  return db;
}

/* LOG.index, made anew where it cannot be read; NULL where there is none to be had. It is written
 * though the log is open for reading only: whoever searches a long log need not wait each time. */
static sqlite3 *
open_sealed(StoreLog *log)
{
  g_autofree char *path = index_path(log);
  guint8 key[STORE_KEY_BYTES];
  sqlite3 *db = NULL;

  if (!log->keys || !store_keys_derive(log->keys, "index", key, NULL)) {
    return NULL;
  }
  db = store_index_file_open(path, key, FALSE, NULL);
  if (!db && store_index_file_remove(path, NULL)) {
    db = store_index_file_open(path, key, FALSE, NULL);
  }
  sodium_memzero(key, sizeof key);
  return db;
}

/* Whether writing may begin, and how it ends. */
static gboolean
begin(StoreLog *log, sqlite3 *db, GError **error)
{
  return log->words_sealed
             ? store_index_file_begin(db, error)
             : store_exec(db, log->name, "indexing the log's words", "BEGIN IMMEDIATE", error);
}

static gboolean
commit(StoreLog *log, sqlite3 *db, GError **error)
{
  return log->words_sealed ? store_index_file_commit(db, error)
                           : store_exec(db, log->name, "indexing the log's words", "COMMIT", error);
}

static void
rollback(StoreLog *log, sqlite3 *db)
{
  if (log->words_sealed) {
    store_index_file_rollback(db);
  } else {
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  }
}

static gboolean
open_index(StoreLog *log, GError **error)
{
  log->words = open_sealed(log);
  log->words_sealed = log->words != NULL;
  if (!log->words) {
    log->words = open_in_memory(log, error);
  }
  if (!log->words || !begin(log, log->words, error)) {
    return FALSE;
  }
  if (!store_exec(log->words, log->name, "indexing the log's words", tables, error)) {
    rollback(log, log->words);
    return FALSE;
  }
  return commit(log, log->words, error);
}

/* ---- bringing it up to date ----------------------------------------------------------------- */

typedef struct {
  StoreLog *log;
  sqlite3 *db;
  StoreOwnedStatement *last, *doc, *words;
} Writer;

static gboolean
run(Writer *writer, StoreOwnedStatement *statement, GError **error)
{
  int rc = sqlite3_step(statement);

  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return rc == SQLITE_DONE || rc == SQLITE_ROW || fail(writer->log, writer->db, rc, error);
}

/* The next free row of CONVERSATION. */
static gint64
next_doc(Writer *writer, gint64 conversation)
{
  const gint64 first = conversation << STORE_WORDS_SHIFT;
  gint64 last = first;

  sqlite3_bind_int64(writer->last, 1, first);
  sqlite3_bind_int64(writer->last, 2, first + (1 << STORE_WORDS_SHIFT) - 1);
  if (sqlite3_step(writer->last) == SQLITE_ROW &&
      sqlite3_column_type(writer->last, 0) != SQLITE_NULL) {
    last = sqlite3_column_int64(writer->last, 0);
  }
  sqlite3_reset(writer->last);
  return last + 1;
}

static gboolean
add_event(Writer *writer, gint64 event, gint64 conversation, GError **error)
{
  g_auto(StoreWords) words = {0};
  gint64 doc;

  if (!store_words_read(writer->log, event, &words, error)) {
    return FALSE;
  }
  if (!words.text) {
    return TRUE; /* a verdict without a text, or one whose key is gone */
  }
  doc = next_doc(writer, conversation);
  sqlite3_bind_int64(writer->doc, 1, doc);
  sqlite3_bind_int64(writer->doc, 2, event);
  sqlite3_bind_int64(writer->words, 1, doc);
  sqlite3_bind_text(writer->words, 2, words.text, -1, SQLITE_STATIC);
  sqlite3_bind_text(writer->words, 3, words.more, -1, SQLITE_STATIC);
  return run(writer, writer->doc, error) && run(writer, writer->words, error);
}

/* Adds what has words among the events FROM to TO. */
static gboolean
add_events(Writer *writer, gint64 from, gint64 to, GError **error)
{
  StoreLog *log = writer->log;
  const char *doing = "indexing the log's words";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_WORDS, doing, error);
  StoreBinder binder = {log, statement, "turn", 0, FALSE, error};
  gint64 before = from - 1;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, from);
  store_bind_int(&binder, to);
  for (gboolean more = !binder.failed; more;) {
    StoreReader reader = {log, statement, "turn", 0, 0, FALSE, error};
    gint64 event, conversation;

    if (!store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (!more) {
      break;
    }
    event = store_read_int(&reader, "event", before + 1, to);
    conversation =
        store_read_int(&reader, "conversation", 1, G_MAXINT64 >> (STORE_WORDS_SHIFT + 1));
    if (reader.failed || !add_event(writer, event, conversation, error)) {
      return FALSE;
    }
    before = event;
  }
  return !binder.failed;
}

/* The hash of event NUMBER, or zeros for none. */
static gboolean
hash_of(StoreLog *log, gint64 number, StoreHash *hash, GError **error)
{
  const char *doing = "reading an event";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EVENT, doing, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  StoreReader reader = {log, statement, "event", number, 0, FALSE, error};
  StoreRow row;
  gboolean found = FALSE;

  memset(hash, 0, sizeof *hash);
  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, number);
  if (binder.failed || !store_step(log, statement, doing, &found, error)) {
    return FALSE;
  }
  if (found) {
    if (!store_row_read(&reader, &row)) {
      return FALSE;
    }
    *hash = row.hash;
  }
  return TRUE;
}

static gboolean
read_state(StoreLog *log, sqlite3 *db, gint64 *upto, StoreHash *hash, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(db, "SELECT upto, hash FROM state", -1, &statement, NULL);

  *upto = 0;
  memset(hash, 0, sizeof *hash);
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  if (rc == SQLITE_ROW && sqlite3_column_bytes(statement, 1) == (int)sizeof hash->bytes) {
    *upto = sqlite3_column_int64(statement, 0);
    memcpy(hash->bytes, sqlite3_column_blob(statement, 1), sizeof hash->bytes);
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE || fail(log, db, rc, error);
}

static gboolean
write_state(Writer *writer, gint64 upto, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  StoreHash hash;
  int rc;

  if (!hash_of(writer->log, upto, &hash, error)) {
    return FALSE;
  }
  rc = sqlite3_prepare_v2(writer->db, "REPLACE INTO state (id, upto, hash) VALUES (1, ?1, ?2)", -1,
                          &statement, NULL);
  if (rc != SQLITE_OK) {
    return fail(writer->log, writer->db, rc, error);
  }
  sqlite3_bind_int64(statement, 1, upto);
  sqlite3_bind_blob(statement, 2, hash.bytes, sizeof hash.bytes, SQLITE_STATIC);
  return run(writer, statement, error);
}

static gboolean
prepare(Writer *writer, GError **error)
{
  int rc = sqlite3_prepare_v2(writer->db, "SELECT max(id) FROM doc WHERE id BETWEEN ?1 AND ?2", -1,
                              &writer->last, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(writer->db, "INSERT INTO doc (id, event) VALUES (?1, ?2)", -1,
                            &writer->doc, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(writer->db, "INSERT INTO words (rowid, text, more) VALUES (?1, ?2, ?3)",
                            -1, &writer->words, NULL);
  }
  return rc == SQLITE_OK || fail(writer->log, writer->db, rc, error);
}

static gboolean
catch_up(Writer *writer, gint64 from, gint64 to, GError **error)
{
  while (from <= to) {
    const gint64 last = MIN(to, from + BATCH - 1);
    if (!begin(writer->log, writer->db, error)) {
      return FALSE;
    }
    if (!add_events(writer, from, last, error) || !write_state(writer, last, error)) {
      rollback(writer->log, writer->db);
      return FALSE;
    }
    if (!commit(writer->log, writer->db, error)) {
      return FALSE;
    }
    from = last + 1;
  }
  return TRUE;
}

/* Whether the index is one of this log as it is. */
static gboolean
bring_up(StoreLog *log, sqlite3 *db, gboolean *fits, GError **error)
{
  Writer writer = {log, db, NULL, NULL, NULL};
  StoreHash hash, there;
  guint64 size = 0;
  gint64 upto = 0;
  gboolean ok;

  if (!store_tree_size(log, &size, error) || !read_state(log, db, &upto, &hash, error) ||
      !hash_of(log, upto, &there, error)) {
    return FALSE;
  }
  *fits = store_hash_equal(&hash, &there);
  if (!*fits) {
    return TRUE;
  }
  ok = prepare(&writer, error) && catch_up(&writer, upto + 1, (gint64)size, error);
  sqlite3_finalize(writer.last);
  sqlite3_finalize(writer.doc);
  sqlite3_finalize(writer.words);
  return ok;
}

sqlite3 *
store_words(StoreLog *log, GError **error)
{
  for (int attempt = 0; attempt < 2; attempt++) {
    g_autoptr(GError) local = NULL;
    gboolean fits = FALSE;

    if (!log->words && !open_index(log, error)) {
      store_words_close(log);
      return NULL;
    }
    if (!bring_up(log, log->words, &fits, &local)) {
      /* What is wrong may be the index: it is made anew, once. */
      if (attempt > 0 || !log->words_sealed) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
      }
    } else if (fits) {
      return log->words;
    }
    if (!store_words_forget(log, error)) {
      return NULL;
    }
  }
  store_fail(error, STORE_ERROR_CORRUPT, log->name, "the index of its words cannot be made");
  return NULL;
}
