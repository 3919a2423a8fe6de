/* terms.h - a text's words as they are looked for. Private to the room.
 *
 * FTS5's own tokenizer (unicode61) cuts and folds them: case and accents do not count. Besides the
 * words there are their neighbourhoods: of each word and the first letter of the one behind it, a
 * number of 16 bits. That makes quick work of what is written in one ("x-ray") and cut in two.
 */
#ifndef HILUM_DATA_LOG_TERMS_H
#define HILUM_DATA_LOG_TERMS_H

#include "private.h"

G_BEGIN_DECLS

/* Bytes of a term; longer words are cut. */
#define STORE_MOST_TERM 64u
/* Bytes of a neighbourhood, the first of which is 1: no word's. */
#define STORE_PAIR_TERM 3u

typedef struct _StoreTerms StoreTerms;

/* DB: any connection with FTS5. */
StoreTerms *store_terms_new(sqlite3 *db);
void store_terms_free(StoreTerms *terms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreTerms, store_terms_free)

/* TERM (N bytes) is borrowed. PAIR: it is a neighbourhood, of the word before it and the next. */
typedef void (*StoreTermFunc)(const char *term, gsize n, gboolean pair, gpointer user);
gboolean store_terms_each(StoreTerms *terms, const char *text, StoreTermFunc func, gpointer user);

G_END_DECLS
#endif
