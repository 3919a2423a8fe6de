/* words.h - the index of the log's words, which is derived from it. Private to the room.
 *
 * A database of its own (index-file.h: LOG.index, sealed under a key of the log; where that cannot
 * be had, in memory): for each word, and each word's neighbourhood (terms.h), the conversations
 * that it is in (postings.h), no text. It is brought up to the log's end when somebody searches.
 */
#ifndef HILUM_DATA_LOG_WORDS_H
#define HILUM_DATA_LOG_WORDS_H

#include "private.h"

G_BEGIN_DECLS

/* Opens the index of LOG and brings it up to date. Borrowed from LOG. */
sqlite3 *store_words(StoreLog *log, GError **error);
void store_words_close(StoreLog *log);
/* Forgets the index, on the disk as well: a key was erased. It is made anew when it is needed. */
gboolean store_words_forget(StoreLog *log, GError **error);
/* The words of the event: its texts; NULL in *text when it has none to be read. */
typedef struct {
  char *text, *more; /* question and answer; or an edited answer, and NULL */
} StoreWords;
gboolean store_words_read(StoreLog *log, gint64 event, StoreWords *words, GError **error);
void store_words_clear(StoreWords *words);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreWords, store_words_clear)

G_END_DECLS
#endif
