/* search.c - finding conversations by words.
 *
 * 1. What a person typed never is SQL, and never FTS5's language either: each word is quoted, so
 *    that AND, NEAR, columns and stars in it are words like others.
 */
#include "private.h"
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

gboolean
store_add_words(StoreLog *log, StoreSql sql, gint64 id, const char *text, const char *more,
                const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "words", 0, FALSE, error};
  gboolean row = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_id(&binder, id);
  store_bind_text(&binder, "text", text);
  if (more) {
    store_bind_text(&binder, "text", more);
  }
  return !binder.failed && store_step(log, statement, doing, &row, error);
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

/* Adds the conversations that WORD is in to FOUND, a set of ids. */
static gboolean
find_word(StoreLog *log, const char *word, GHashTable *found, GError **error)
{
  const char *doing = "searching the log";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_FIND_WORD, doing, error);
  StoreBinder binder = {log, statement, "words", 0, FALSE, error};

  if (!statement) {
    return FALSE;
  }
  store_bind_text(&binder, "query", word);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "turns", 0, 0, FALSE, error};
    gint64 id;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (more) {
      id = store_read_id(&reader, "conversation", STORE_REQUIRED);
      if (reader.failed) {
        return FALSE;
      }
      g_hash_table_add(found, g_memdup2(&id, sizeof id));
    }
  }
  return TRUE;
}

static gboolean
is_missing(gpointer id, gpointer value, gpointer from)
{
  return !g_hash_table_contains(from, id);
}

/* The conversations that all WORDS are in. */
static GHashTable *
find_words(StoreLog *log, GPtrArray *words, GError **error)
{
  g_autoptr(GHashTable) all = NULL;

  for (guint i = 0; i < words->len; i++) {
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (!find_word(log, words->pdata[i], found, error)) {
      return NULL;
    }
    if (all) {
      g_hash_table_foreach_remove(all, is_missing, found);
    } else {
      all = g_steal_pointer(&found);
    }
  }
  return g_steal_pointer(&all);
}

/* What stands around the words in CONVERSATION; "" in *SNIPPET when SQL finds none there. */
static gboolean
get_snippet(StoreLog *log, StoreSql sql, const char *words, gint64 conversation, char **snippet,
            GError **error)
{
  const char *doing = "quoting from the log";
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "words", 0, FALSE, error};
  StoreReader reader = {log, statement, "turns", 0, 0, FALSE, error};
  gboolean found = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_text(&binder, "query", words);
  store_bind_id(&binder, conversation);
  store_bind_text(&binder, "gap", "\xe2\x80\xa6");
  if (binder.failed || !store_step(log, statement, doing, &found, error)) {
    return FALSE;
  }
  *snippet = found ? store_dup_text(&reader, "snippet", STORE_NULLABLE) : NULL;
  *snippet = *snippet ? *snippet : g_strdup("");
  return !reader.failed;
}

static int
newer_first(gconstpointer a, gconstpointer b)
{
  const gint64 first = **(gint64 *const *)a, second = **(gint64 *const *)b;

  return (first < second) - (first > second);
}

/* Newest first; borrowed from FOUND. */
static GPtrArray *
ids_of(GHashTable *found)
{
  GPtrArray *ids = g_ptr_array_new();
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init(&iter, found);
  while (g_hash_table_iter_next(&iter, &id, NULL)) {
    g_ptr_array_add(ids, id);
  }
  g_ptr_array_sort(ids, newer_first);
  return ids;
}

static StoreConversation *
get_found(StoreLog *log, gint64 id, const char *words, GError **error)
{
  StoreConversation *row = store_log_get(log, id, error);
  gboolean ok = row && get_snippet(log, STORE_SQL_SNIPPET, words, id, &row->snippet, error);

  if (ok && *row->snippet == '\0') {
    g_clear_pointer(&row->snippet, g_free);
    ok = get_snippet(log, STORE_SQL_VERDICT_SNIPPET, words, id, &row->snippet, error);
  }
  if (!ok) {
    store_conversation_free(row);
    return NULL;
  }
  return row;
}

GPtrArray *
store_log_search(StoreLog *log, const char *query, guint limit, GError **error)
{
  g_autoptr(GPtrArray) rows =
      g_ptr_array_new_with_free_func((GDestroyNotify)store_conversation_free);
  g_autoptr(GPtrArray) words = quoted_words(query);
  g_autoptr(GPtrArray) ids = NULL;
  g_autoptr(GHashTable) found = NULL;
  g_autofree char *any = NULL;

  if (query[strspn(query, " \t\r\n")] == '\0') {
    return store_log_list(log, limit, error);
  }
  if (words->len == 0) {
    return g_steal_pointer(&rows);
  }
  found = find_words(log, words, error);
  if (!found) {
    return NULL;
  }
  ids = ids_of(found);
  g_ptr_array_add(words, NULL);
  any = g_strjoinv(" OR ", (char **)words->pdata);
  for (guint i = 0; i < ids->len && (limit == 0 || i < limit); i++) {
    StoreConversation *row = get_found(log, *(gint64 *)ids->pdata[i], any, error);
    if (!row) {
      return NULL;
    }
    g_ptr_array_add(rows, row);
  }
  return g_steal_pointer(&rows);
}
