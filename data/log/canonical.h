/* canonical.h - a row as the one string of bytes that is hashed. Private to the room.
 *
 * Each value is a tag and its content, numbers big-endian:
 *   'n'                      NULL
 *   'i' int64                INTEGER
 *   'r' IEEE 754 double      REAL
 *   't' uint64 length, bytes TEXT
 *   'b' uint64 length, bytes BLOB
 * A row is 'T', the table's name as a TEXT value, a uint32 of how many columns, and for each of
 * them, in the order of the table, its name as TEXT and its value. So no two rows share bytes, and
 * no value can pass for another's.
 */
#ifndef HILUM_DATA_CANONICAL_H
#define HILUM_DATA_CANONICAL_H

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

void store_canonical_null(GByteArray *bytes);
void store_canonical_integer(GByteArray *bytes, gint64 value);
void store_canonical_real(GByteArray *bytes, double value);
void store_canonical_text(GByteArray *bytes, const char *text, gsize n);
void store_canonical_blob(GByteArray *bytes, const void *blob, gsize n);

/* Begins a row of N columns: name and value of each follow. */
void store_canonical_begin(GByteArray *bytes, const char *table, guint32 n);
/* The row that STATEMENT, which selects columns of TABLE, stands on. */
void store_canonical_row(GByteArray *bytes, const char *table, sqlite3_stmt *statement);

G_END_DECLS
#endif
