/* recover-pages.h - the pages of a damaged log as they lie on the disk. Private to the room.
 *
 * SQLite reads a file from its first page down, and stops where something is wrong. Here every page
 * is looked at by itself: whatever a leaf of a table holds is found, wherever it hangs. Pages are
 * those of the file, and behind them those of its -wal (one for each frame). The format is that of
 * https://www.sqlite.org/fileformat2.html; nothing is ever written.
 *
 * Thread rule: one thread at a time.
 */
#ifndef HILUM_DATA_LOG_RECOVER_PAGES_H
#define HILUM_DATA_LOG_RECOVER_PAGES_H

#include "private.h"

G_BEGIN_DECLS

typedef struct _StorePages StorePages;

/* Holds the file alone, from all programs that keep SQLite's rules, until it is closed: BUSY when
 * one has it open. */
StorePages *store_pages_open(const char *path, GError **error);
void store_pages_close(StorePages *pages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StorePages, store_pages_close)

/* The sizes that a page may have, the likeliest first; ends with 0. */
const guint *store_pages_sizes(StorePages *pages);
/* From now on pages have SIZE bytes. */
void store_pages_use(StorePages *pages, guint size);
guint64 store_pages_count(StorePages *pages);
guint64 store_pages_bytes(StorePages *pages);
/* Whether page INDEX was written by a transaction that ended. */
gboolean store_pages_is_committed(StorePages *pages, guint64 index);
/* How many rows of a table lie on page INDEX; 0 when it is no leaf of one, or cannot be read. */
guint store_pages_rows(StorePages *pages, guint64 index);
/* The record of row I of page INDEX, wherever its bytes lie, and its number; FALSE when it is none.
 */
gboolean store_pages_row(StorePages *pages, guint64 index, guint i, gint64 *rowid,
                         GByteArray *record);

/* A column of a record. */
typedef struct {
  int type; /* SQLITE_NULL, SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB */
  gint64 number;
  const guint8 *bytes;
  gsize n;
} StoreColumn;
/* How many columns RECORD has, of which MOST at most are told; 0 when it is no record. */
guint store_record_columns(const GByteArray *record, StoreColumn *columns, guint most);

G_END_DECLS
#endif
