/* search.c - finding conversations by words.
 *
 * 1. What a person typed never is SQL, and never FTS5's language either: each word is quoted, so
 *    that AND, NEAR, columns and stars in it are words like others.
 */
#include "words.h"
#include <string.h>

#define MOST_WORDS 32u

static int
note_module(void *has_words, int n, char **values, char **names)
{
  if (n > 0 && g_strcmp0(values[0], "fts5") == 0) {
    *(gboolean *)has_words = TRUE;
  }
  return 0;
}

gboolean
store_check_words(sqlite3 *db, const char *name, GError **error)
{
  gboolean has_words = FALSE;
  int rc = sqlite3_exec(db, "PRAGMA module_list", note_module, &has_words, NULL);

  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, db, name, "looking for SQLite's modules", rc);
  }
  return has_words || store_fail(error, STORE_ERROR_IO, name,
                                 "SQLite %s on this machine was built without FTS5, which finds "
                                 "words in the log; install one with it, such as Debian's",
                                 sqlite3_libversion());
}

static gboolean
has_letter(const char *word)
{
  for (const char *c = word; *c; c = g_utf8_next_char(c)) {
    if (g_unichar_isalnum(g_utf8_get_char(c))) {
      return TRUE;
    }
  }
  return FALSE;
}

/* "WORD"* for each word of QUERY that has a letter or digit. */
static GPtrArray *
quoted_words(const char *query)
{
  GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *valid = g_utf8_make_valid(query, -1);
  g_auto(GStrv) parts = g_strsplit_set(valid, " \t\r\n", -1);

  for (char **part = parts; *part && words->len < MOST_WORDS; part++) {
    if (has_letter(*part)) {
      g_auto(GStrv) pieces = g_strsplit(*part, "\"", -1);
      g_autofree char *doubled = g_strjoinv("\"\"", pieces);
      g_ptr_array_add(words, g_strdup_printf("\"%s\"*", doubled));
    }
  }
  return words;
}

/* ---- finding -------------------------------------------------------------------------------- */

/* The rows that one word is in, the newest conversation first. */
typedef struct {
  sqlite3_stmt *statement;
  gint64 row; /* it stands on; -1: at its end */
} Cursor;

static void
cursors_free(Cursor *cursors)
{
  for (guint i = 0; cursors[i].statement; i++) {
    sqlite3_finalize(cursors[i].statement);
  }
  g_free(cursors);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cursor, cursors_free)

static gboolean
step(StoreLog *log, Cursor *cursor, GError **error)
{
  int rc = sqlite3_step(cursor->statement);

  cursor->row = rc == SQLITE_ROW ? sqlite3_column_int64(cursor->statement, 0) : -1;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, log->words, log->name, "searching the log", rc);
}

/* To the first row of CONVERSATION or one before it. Stepping costs a fifth of a microsecond a row;
 * asking anew from there on costs FTS5 the whole beginning of the word each time. */
static gboolean
move(StoreLog *log, Cursor *cursor, gint64 conversation, GError **error)
{
  const gint64 most = ((conversation + 1) << STORE_WORDS_SHIFT) - 1;

  while (cursor->row > most) {
    if (!step(log, cursor, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static Cursor *
open_cursors(StoreLog *log, GPtrArray *words, GError **error)
{
  static const char sql[] = "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid DESC";
  g_autoptr(Cursor) cursors = g_new0(Cursor, words->len + 1);

  for (guint i = 0; i < words->len; i++) {
    int rc = sqlite3_prepare_v2(log->words, sql, -1, &cursors[i].statement, NULL);

    if (rc != SQLITE_OK) {
      store_fail_sqlite(error, log->words, log->name, "searching the log", rc);
      return NULL;
    }
    sqlite3_bind_text(cursors[i].statement, 1, words->pdata[i], -1, SQLITE_TRANSIENT);
    if (!step(log, &cursors[i], error)) {
      return NULL;
    }
  }
  return g_steal_pointer(&cursors);
}

/* The newest conversation, of CONVERSATION and those before it, that all words are in; 0: none. */
static gboolean
find_common(StoreLog *log, Cursor *cursors, guint n, gint64 *conversation, GError **error)
{
  for (guint agreed = 0, i = 0; agreed < n; i = (i + 1) % n) {
    gint64 found;

    if (!move(log, &cursors[i], *conversation, error)) {
      return FALSE;
    }
    if (cursors[i].row < 0) {
      *conversation = 0;
      return TRUE;
    }
    found = cursors[i].row >> STORE_WORDS_SHIFT;
    agreed = found == *conversation ? agreed + 1 : 1;
    *conversation = found;
  }
  return TRUE;
}

/* ---- what is around a word ------------------------------------------------------------------ */

static gboolean
event_of(StoreLog *log, gint64 row, gint64 *event, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int rc =
      sqlite3_prepare_v2(log->words, "SELECT event FROM doc WHERE id = ?1", -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, row);
    rc = sqlite3_step(statement);
    *event = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  }
  sqlite3_finalize(statement);
  return rc == SQLITE_ROW || store_fail_sqlite(error, log->words, log->name, "searching the log",
                                               rc == SQLITE_DONE ? SQLITE_CORRUPT : rc);
}

/* A table for one text, from which FTS5 quotes. */
static sqlite3 *
open_quotes(StoreLog *log, GError **error)
{
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db,
                      "CREATE VIRTUAL TABLE quote USING fts5 (text, more,"
                      " tokenize='unicode61 remove_diacritics 2')",
                      NULL, NULL, NULL);
  }
  if (rc != SQLITE_OK) {
    store_fail_sqlite(error, db, log->name, "quoting from the log", rc);
    sqlite3_close(db);
    return NULL;
  }
  return db;
}

static gboolean
run_once(sqlite3 *db, const char *sql, const char *first, const char *second, char **result)
{
  sqlite3_stmt *statement = NULL;
  gboolean ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;

  if (ok && first) {
    sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
  }
  ok = ok && sqlite3_step(statement) != SQLITE_ERROR;
  if (ok && result) {
    *result = g_strdup((const char *)sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  return ok;
}

static gboolean
quote(StoreLog *log, sqlite3 *quotes, gint64 row, const char *words, char **snippet, GError **error)
{
  g_auto(StoreWords) texts = {0};
  gint64 event = 0;

  if (!event_of(log, row, &event, error) || !store_words_read(log, event, &texts, error)) {
    return FALSE;
  }
  if (!run_once(quotes, "DELETE FROM quote", NULL, NULL, NULL) ||
      !run_once(quotes, "INSERT INTO quote (text, more) VALUES (?1, ?2)",
                texts.text ? texts.text : "", texts.more, NULL) ||
      !run_once(quotes, "SELECT snippet(quote, -1, '', '', ?2, 16) FROM quote WHERE quote MATCH ?1",
                words, "\xe2\x80\xa6", snippet)) {
    return store_fail_sqlite(error, quotes, log->name, "quoting from the log",
                             sqlite3_errcode(quotes));
  }
  return TRUE;
}

/* The oldest of the rows that the words were found in: what was asked rather than what was made of
 * it. */
static gint64
oldest_row(const Cursor *cursors, guint n)
{
  gint64 row = cursors[0].row;

  for (guint i = 1; i < n; i++) {
    row = MIN(row, cursors[i].row);
  }
  return row;
}

/* ---- searching ------------------------------------------------------------------------------ */

static gboolean
collect(StoreLog *log, GPtrArray *words, guint limit, GPtrArray *rows, GError **error)
{
  g_autoptr(Cursor) cursors = open_cursors(log, words, error);
  g_autoptr(sqlite3) quotes = cursors ? open_quotes(log, error) : NULL;
  g_autofree char *any = NULL;
  gint64 conversation = G_MAXINT64 >> (STORE_WORDS_SHIFT + 1);

  if (!quotes) {
    return FALSE;
  }
  g_ptr_array_add(words, NULL);
  any = g_strjoinv(" OR ", (char **)words->pdata);
  g_ptr_array_set_size(words, (int)words->len - 1);
  while (limit == 0 || rows->len < limit) {
    StoreConversation *row;

    if (!find_common(log, cursors, words->len, &conversation, error)) {
      return FALSE;
    }
    if (conversation == 0) {
      break;
    }
    row = store_log_get(log, conversation, error);
    if (!row) {
      return FALSE;
    }
    g_ptr_array_add(rows, row);
    if (!quote(log, quotes, oldest_row(cursors, words->len), any, &row->snippet, error)) {
      return FALSE;
    }
    conversation--;
  }
  return TRUE;
}

GPtrArray *
store_log_search(StoreLog *log, const char *query, guint limit, GError **error)
{
  g_autoptr(GPtrArray) rows =
      g_ptr_array_new_with_free_func((GDestroyNotify)store_conversation_free);
  g_autoptr(GPtrArray) words = quoted_words(query);

  if (query[strspn(query, " \t\r\n")] == '\0') {
    return store_log_list(log, limit, error);
  }
  if (words->len == 0) {
    return g_steal_pointer(&rows);
  }
  if (!store_words(log, error)) {
    return NULL;
  }
  if (!collect(log, words, limit, rows, error)) {
    store_words_forget(log, NULL); /* where the index was at fault, the next search has another */
    return NULL;
  }
  return g_steal_pointer(&rows);
}
