/* terms.c - see terms.h. */
#include "terms.h"

#include <string.h>

struct _StoreTerms {
  fts5_tokenizer tokenizer;
  Fts5Tokenizer *instance;
};

/* While a text is cut. */
typedef struct {
  StoreTermFunc func;
  gpointer user;
  guint32 before; /* of the word before; 0: there is none */
} Cutting;

static fts5_api *
find_api(sqlite3 *db)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  fts5_api *api = NULL;

  if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, (void *)&api, "fts5_api_ptr", NULL);
    sqlite3_step(statement);
  }
  return api;
}

StoreTerms *
store_terms_new(sqlite3 *db)
{
  g_autoptr(StoreTerms) terms = g_new0(StoreTerms, 1);
  const char *how[] = {"remove_diacritics", "2"};
  fts5_api *api = find_api(db);
  void *user = NULL;

  if (!api || api->xFindTokenizer(api, "unicode61", &user, &terms->tokenizer) != SQLITE_OK ||
      terms->tokenizer.xCreate(user, how, 2, &terms->instance) != SQLITE_OK) {
    return NULL;
  }
  return g_steal_pointer(&terms);
}

void
store_terms_free(StoreTerms *terms)
{
  if (terms) {
    if (terms->instance) {
      terms->tokenizer.xDelete(terms->instance);
    }
    g_free(terms);
  }
}

/* FNV-1a; never 0. */
static guint32
hash_of(const char *bytes, gsize n, guint32 hash)
{
  for (gsize i = 0; i < n; i++) {
    hash = (hash ^ (guint8)bytes[i]) * 16777619u;
  }
  return hash ? hash : 1;
}

static gsize
first_letter(const char *word, gsize n)
{
  gsize first = 1;

  while (first < n && ((guint8)word[first] & 0xc0) == 0x80) {
    first++;
  }
  return first;
}

static int
take(void *data, int flags, const char *word, int length, int start, int end)
{
  Cutting *cutting = data;
  const gsize n = MIN((gsize)length, STORE_MOST_TERM);

  if (length < 1) {
    return SQLITE_OK;
  }
  if (cutting->before) {
    const guint32 hash = hash_of(word, first_letter(word, n), cutting->before);
    const char pair[STORE_PAIR_TERM] = {1, (char)(hash >> 24), (char)(hash >> 16)};
    cutting->func(pair, sizeof pair, TRUE, cutting->user);
  }
  cutting->func(word, n, FALSE, cutting->user);
  cutting->before = hash_of(word, n, 2166136261u);
  return SQLITE_OK;
}

gboolean
store_terms_each(StoreTerms *terms, const char *text, StoreTermFunc func, gpointer user)
{
  Cutting cutting = {func, user, 0};
  const gsize n = strlen(text);

  return n <= G_MAXINT &&
         terms->tokenizer.xTokenize(terms->instance, &cutting, FTS5_TOKENIZE_DOCUMENT, text, (int)n,
                                    take) == SQLITE_OK;
}
