/* words.c - see words.h.
 *
 * 1. The index says up to which event it goes, and that event's hash: for another log, or one that
 *    was put back to an older state, it is made anew.
 * 2. Whatever is wrong with it, the log is not: it is made anew, once.
 */
#include "words.h"

#include "index-file.h"
#include "keys.h"
#include "postings.h"
#include "row.h"
#include "terms.h"
#include <sodium.h>
#include <string.h>

/* Events that are indexed in one transaction, at most; and terms that are held in memory. A batch
 * that is cut short is all that is done again. */
#define BATCH 32768
#define MOST_TERMS (1u << 19)
#define DOING "indexing the log's words"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS indexed (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " upto INTEGER NOT NULL, hash BLOB NOT NULL)";

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
  g_auto(StoreBody) body = {.without_lists = TRUE, .without_clear = TRUE};

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
  return store_fail_sqlite(error, db, log->name, DOING, rc);
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

  /* That of a newer log is the newer Hilum's. */
  if (log->newer || !log->keys || !store_keys_derive(log->keys, "index", key, NULL)) {
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
  return log->words_sealed ? store_index_file_begin(db, error)
                           : store_exec(db, log->name, DOING, "BEGIN IMMEDIATE", error);
}

static gboolean
commit(StoreLog *log, sqlite3 *db, GError **error)
{
  return log->words_sealed ? store_index_file_commit(db, error)
                           : store_exec(db, log->name, DOING, "COMMIT", error);
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
  if (!store_exec(log->words, log->name, DOING, tables, error) ||
      !store_exec(log->words, log->name, DOING, store_postings_tables, error)) {
    rollback(log, log->words);
    return FALSE;
  }
  return commit(log, log->words, error);
}

/* ---- bringing it up to date ----------------------------------------------------------------- */

typedef struct {
  StoreLog *log;
  sqlite3 *db;
  StoreTerms *terms;
  StoreGathering *gathering;
  gint64 conversation; /* whose texts are cut */
} Writer;

static void
gather(const char *term, gsize n, gboolean pair, gpointer user)
{
  Writer *writer = user;

  store_gathering_add(writer->gathering, writer->conversation, term, n);
}

static gboolean
cut(Writer *writer, const char *text, GError **error)
{
  return !text || store_terms_each(writer->terms, text, gather, writer) ||
         fail(writer->log, writer->db, SQLITE_NOMEM, error);
}

/* A verdict without a text, or one whose key is gone, has no words. */
static gboolean
add_event(Writer *writer, gint64 event, GError **error)
{
  g_auto(StoreWords) words = {0};

  return store_words_read(writer->log, event, &words, error) && cut(writer, words.text, error) &&
         cut(writer, words.more, error);
}

/* Gathers what has words among the events FROM to *TO, which comes down to the last that was. */
static gboolean
add_events(Writer *writer, gint64 from, gint64 *to, GError **error)
{
  StoreLog *log = writer->log;
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_WORDS, DOING, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  gint64 before = from - 1;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, from);
  store_bind_int(&binder, *to);
  for (gboolean more = !binder.failed; more;) {
    StoreReader reader = {log, statement, "event", 0, 0, FALSE, error};
    gint64 event;

    if (!store_step(log, statement, DOING, &more, error)) {
      return FALSE;
    }
    if (!more) {
      break;
    }
    event = store_read_int(&reader, "seq", before + 1, *to);
    writer->conversation = store_read_int(&reader, "conversation", 1, G_MAXINT64 / 2);
    if (reader.failed || !add_event(writer, event, error)) {
      return FALSE;
    }
    before = event;
    if (store_gathering_count(writer->gathering) > MOST_TERMS) {
      *to = event;
      break;
    }
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
  int rc = sqlite3_prepare_v2(db, "SELECT upto, hash FROM indexed", -1, &statement, NULL);

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
  rc = sqlite3_prepare_v2(writer->db, "REPLACE INTO indexed (id, upto, hash) VALUES (1, ?1, ?2)",
                          -1, &statement, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, upto);
    sqlite3_bind_blob(statement, 2, hash.bytes, sizeof hash.bytes, SQLITE_STATIC);
    rc = sqlite3_step(statement);
  }
  return rc == SQLITE_DONE || fail(writer->log, writer->db, rc, error);
}

static gboolean
write_gathered(Writer *writer, gint64 upto, GError **error)
{
  int rc = store_gathering_write(writer->gathering, writer->db);

  return (rc == SQLITE_OK || fail(writer->log, writer->db, rc, error)) &&
         write_state(writer, upto, error);
}

static gboolean
catch_up(Writer *writer, gint64 from, gint64 to, GError **error)
{
  while (from <= to) {
    gint64 last = MIN(to, from + BATCH - 1);
    gboolean held, ok;

    if (!begin(writer->log, writer->db, error)) {
      return FALSE;
    }
    held = store_hold(writer->log);
    ok = add_events(writer, from, &last, error) && write_gathered(writer, last, error);
    store_release(writer->log, held);
    if (!ok) {
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

/* Whether DB is not what an earlier Hilum made: an index of FTS5's. */
static gboolean
is_of_now(StoreLog *log, sqlite3 *db, gboolean *fits, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'doc'", -1,
                              &statement, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  *fits = rc == SQLITE_ROW && sqlite3_column_int(statement, 0) == 0;
  return rc == SQLITE_ROW || fail(log, db, rc, error);
}

/* Whether the index is one of this log as it is. */
static gboolean
bring_up(StoreLog *log, sqlite3 *db, gboolean *fits, GError **error)
{
  g_autoptr(StoreGathering) gathering = NULL;
  g_autoptr(StoreTerms) terms = NULL;
  StoreHash hash, there;
  guint64 size = 0;
  gint64 upto = 0;

  if (!is_of_now(log, db, fits, error)) {
    return FALSE;
  }
  if (!*fits) {
    return TRUE;
  }
  if (!store_tree_size(log, &size, error) || !read_state(log, db, &upto, &hash, error) ||
      !hash_of(log, upto, &there, error)) {
    return FALSE;
  }
  *fits = store_hash_equal(&hash, &there);
  if (!*fits || upto == (gint64)size) {
    return TRUE;
  }
  terms = store_terms_new(db);
  gathering = store_gathering_new();
  return terms ? catch_up(&(Writer){log, db, terms, gathering, 0}, upto + 1, (gint64)size, error)
               : fail(log, db, SQLITE_NOMEM, error);
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
