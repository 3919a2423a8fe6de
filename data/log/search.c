/* search.c - finding conversations by words.
 *
 * 1. What a person typed never is SQL, and never FTS5's language either: each word is quoted, so
 *    that AND, NEAR, columns and stars in it are words like others.
 * 2. The index (postings.h) tells of each shard which conversations may have all words, the newest
 *    first, until there are enough. A word that is one term is in them; whether one that is cut in
 *    several ("x-ray"), or is too long for a term, stands in one of their texts is looked up there.
 */
#include "postings.h"
#include "row.h"
#include "terms.h"
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

/* ---- which conversations ----------------------------------------------------------------------
 */

typedef struct {
  gsize n;
  gboolean begins; /* so, rather than is so */
  char bytes[STORE_MOST_TERM];
} Term;

/* One word as it was typed. */
typedef struct {
  GArray *terms;  /* of Term: all of them are in what it is in */
  char *quoted;   /* as FTS5 takes it */
  gboolean loose; /* its terms may be there without it */
} Word;

static void
word_free(gpointer data)
{
  Word *word = data;

  g_array_unref(word->terms);
  g_free(word->quoted);
  g_free(word);
}

static void
add_term(const char *bytes, gsize n, gboolean pair, gpointer user)
{
  Term term = {.n = n};

  memcpy(term.bytes, bytes, n);
  g_array_append_val((GArray *)user, term);
}

/* NULL where it has no term, and so is nowhere. */
static Word *
read_word(StoreTerms *terms, const char *quoted)
{
  Word *word = g_new0(Word, 1);
  Term *last;

  word->terms = g_array_new(FALSE, FALSE, sizeof(Term));
  word->quoted = g_strdup(quoted);
  if (!store_terms_each(terms, quoted, add_term, word->terms) || word->terms->len == 0) {
    word_free(word);
    return NULL;
  }
  last = &g_array_index(word->terms, Term, word->terms->len - 1);
  last->begins = TRUE;
  word->loose = word->terms->len > 1 || last->n == STORE_MOST_TERM;
  return word;
}

/* The conversations of SHARD that may have all WORDS. */
static gboolean
ask_shard(StoreLog *log, StorePostings *postings, gint64 shard, GPtrArray *words, StoreSet *set,
          GError **error)
{
  memset(set, 0xff, sizeof *set);
  for (guint i = 0; i < words->len && store_set_last(set, STORE_SHARD - 1) >= 0; i++) {
    const Word *word = words->pdata[i];

    for (guint j = 0; j < word->terms->len; j++) {
      const Term *term = &g_array_index(word->terms, Term, j);
      StoreSet one;
      int rc = store_postings_get(postings, shard, term->bytes, term->n, term->begins, &one);

      if (rc != SQLITE_OK) {
        return store_fail_sqlite(error, log->words, log->name, "searching the log", rc);
      }
      store_set_and(set, &one);
    }
  }
  return TRUE;
}

/* ---- what is around a word ------------------------------------------------------------------ */

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
fail_quote(StoreLog *log, sqlite3 *quotes, GError **error)
{
  return store_fail_sqlite(error, quotes, log->name, "quoting from the log",
                           sqlite3_errcode(quotes));
}

/* A search as it goes on. */
typedef struct {
  StoreLog *log;
  GPtrArray *words; /* of Word */
  char *any;        /* any of them, as FTS5 takes it */
  sqlite3 *quotes;
  guint limit;
  GPtrArray *rows;
} Search;

static gboolean
find_in_text(Search *search, const char *words, char **snippet, GError **error)
{
  return run_once(search->quotes,
                  "SELECT snippet(quote, -1, '', '', ?2, 16) FROM quote WHERE quote MATCH ?1",
                  words, "\xe2\x80\xa6", snippet) ||
         fail_quote(search->log, search->quotes, error);
}

static gboolean
load_text(Search *search, const StoreWords *texts, GError **error)
{
  return (run_once(search->quotes, "DELETE FROM quote", NULL, NULL, NULL) &&
          run_once(search->quotes, "INSERT INTO quote (text, more) VALUES (?1, ?2)",
                   texts->text ? texts->text : "", texts->more, NULL)) ||
         fail_quote(search->log, search->quotes, error);
}

/* Marks in SEEN which of the loose words stand in the text that is loaded. */
static gboolean
see_words(Search *search, gboolean *seen, guint *n_missing, GError **error)
{
  for (guint i = 0; i < search->words->len; i++) {
    const Word *word = search->words->pdata[i];
    g_autofree char *found = NULL;

    if (seen[i]) {
      continue;
    }
    if (!find_in_text(search, word->quoted, &found, error)) {
      return FALSE;
    }
    seen[i] = found != NULL;
    *n_missing -= seen[i];
  }
  return TRUE;
}

/* Looks through the texts of CONVERSATION, the oldest first: what was asked rather than what was
 * made of it. *snippet: around the first of the words that stands there; NULL: not all do. */
static gboolean
look_through(Search *search, gint64 conversation, char **snippet, GError **error)
{
  StoreLog *log = search->log;
  const char *doing = "searching the log";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_TEXTS, doing, error);
  StoreBinder binder = {log, statement, "turn", 0, FALSE, error};
  g_autofree gboolean *seen = g_new0(gboolean, search->words->len);
  g_autofree char *first = NULL;
  guint n_missing = 0;
  gint64 before = 0;

  if (!statement) {
    return FALSE;
  }
  for (guint i = 0; i < search->words->len; i++) {
    seen[i] = !((const Word *)search->words->pdata[i])->loose;
    n_missing += !seen[i];
  }
  store_bind_int(&binder, conversation);
  for (gboolean more = !binder.failed; more && (!first || n_missing);) {
    StoreReader reader = {log, statement, "turn", 0, 0, FALSE, error};
    g_auto(StoreWords) texts = {0};

    if (!store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (!more) {
      break;
    }
    before = store_read_int(&reader, "event", before + 1, G_MAXINT64);
    if (reader.failed || !store_words_read(log, before, &texts, error) ||
        !load_text(search, &texts, error) ||
        (!first && !find_in_text(search, search->any, &first, error)) ||
        (n_missing && !see_words(search, seen, &n_missing, error))) {
      return FALSE;
    }
  }
  *snippet = n_missing ? NULL : g_steal_pointer(&first);
  return !binder.failed;
}

/* ---- searching ------------------------------------------------------------------------------ */

static gboolean
add_found(Search *search, gint64 conversation, GError **error)
{
  g_autofree char *snippet = NULL;
  StoreConversation *row;

  if (!look_through(search, conversation, &snippet, error)) {
    return FALSE;
  }
  if (!snippet) {
    return TRUE;
  }
  row = store_log_get(search->log, conversation, error);
  if (!row) {
    return FALSE;
  }
  row->snippet = g_steal_pointer(&snippet);
  g_ptr_array_add(search->rows, row);
  return TRUE;
}

static gboolean
is_full(const Search *search)
{
  return search->limit && search->rows->len >= search->limit;
}

static gboolean
collect(Search *search, GError **error)
{
  StoreLog *log = search->log;
  g_auto(StorePostings) postings = {0};
  gint64 shard = G_MAXINT64;
  int rc = store_postings_open(&postings, log->words);

  while (rc == SQLITE_OK && !is_full(search)) {
    StoreSet set;

    rc = store_postings_shard(&postings, shard, &shard);
    if (rc != SQLITE_OK || shard < 0) {
      break;
    }
    if (!ask_shard(log, &postings, shard, search->words, &set, error)) {
      return FALSE;
    }
    for (gint place = store_set_last(&set, STORE_SHARD - 1); place >= 0 && !is_full(search);
         place = store_set_last(&set, place - 1)) {
      if (!add_found(search, (shard << STORE_SHARD_BITS) + place, error)) {
        return FALSE;
      }
    }
    shard--;
  }
  return rc == SQLITE_OK ||
         store_fail_sqlite(error, log->words, log->name, "searching the log", rc);
}

/* FALSE without an error: one of QUOTED is nowhere. */
static gboolean
read_words(Search *search, GPtrArray *quoted, GError **error)
{
  g_autoptr(StoreTerms) terms = store_terms_new(search->log->words);

  if (!terms) {
    return store_fail_sqlite(error, search->log->words, search->log->name, "searching the log",
                             SQLITE_NOMEM);
  }
  for (guint i = 0; i < quoted->len; i++) {
    Word *word = read_word(terms, quoted->pdata[i]);
    if (!word) {
      return FALSE;
    }
    g_ptr_array_add(search->words, word);
  }
  g_ptr_array_add(quoted, NULL);
  search->any = g_strjoinv(" OR ", (char **)quoted->pdata);
  return TRUE;
}

static gboolean
search_words(StoreLog *log, GPtrArray *quoted, guint limit, GPtrArray *rows, GError **error)
{
  g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(word_free);
  g_autoptr(sqlite3) quotes = NULL;
  g_autoptr(GError) local = NULL;
  Search search = {.log = log, .words = words, .limit = limit, .rows = rows};
  gboolean ok;

  if (!read_words(&search, quoted, &local)) {
    ok = local == NULL;
  } else {
    const gboolean held = store_hold(log);
    search.quotes = quotes = open_quotes(log, &local);
    ok = quotes && collect(&search, &local);
    store_release(log, held);
  }
  if (!ok) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  g_free(search.any);
  return ok;
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
  if (!search_words(log, words, limit, rows, error)) {
    store_words_forget(log, NULL); /* where the index was at fault, the next search has another */
    return NULL;
  }
  return g_steal_pointer(&rows);
}
