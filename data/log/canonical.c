/* canonical.c - see canonical.h. */
#include "canonical.h"

#include <string.h>

static void
append(GByteArray *bytes, const void *from, gsize n)
{
  g_byte_array_append(bytes, from, (guint)n);
}

static void
append_tag(GByteArray *bytes, char tag)
{
  append(bytes, &tag, 1);
}

static void
append_u64(GByteArray *bytes, guint64 value)
{
  value = GUINT64_TO_BE(value);
  append(bytes, &value, sizeof value);
}

void
store_canonical_null(GByteArray *bytes)
{
  append_tag(bytes, 'n');
}

void
store_canonical_integer(GByteArray *bytes, gint64 value)
{
  append_tag(bytes, 'i');
  append_u64(bytes, (guint64)value);
}

void
store_canonical_real(GByteArray *bytes, double value)
{
  guint64 bits;

  memcpy(&bits, &value, sizeof bits);
  append_tag(bytes, 'r');
  append_u64(bytes, bits);
}

void
store_canonical_text(GByteArray *bytes, const char *text, gsize n)
{
  append_tag(bytes, 't');
  append_u64(bytes, n);
  append(bytes, text, n);
}

void
store_canonical_blob(GByteArray *bytes, const void *blob, gsize n)
{
  append_tag(bytes, 'b');
  append_u64(bytes, n);
  append(bytes, blob, n);
}

static void
append_column(GByteArray *bytes, sqlite3_stmt *statement, int column)
{
  const char *name = sqlite3_column_name(statement, column);

  store_canonical_text(bytes, name, strlen(name));
  switch (sqlite3_column_type(statement, column)) {
  case SQLITE_INTEGER:
    store_canonical_integer(bytes, sqlite3_column_int64(statement, column));
    break;
  case SQLITE_FLOAT:
    store_canonical_real(bytes, sqlite3_column_double(statement, column));
    break;
  case SQLITE_TEXT: {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    store_canonical_text(bytes, text, (gsize)sqlite3_column_bytes(statement, column));
    break;
  }
  case SQLITE_BLOB: {
    const void *blob = sqlite3_column_blob(statement, column);
    store_canonical_blob(bytes, blob, (gsize)sqlite3_column_bytes(statement, column));
    break;
  }
  default:
    store_canonical_null(bytes);
  }
}

void
store_canonical_begin(GByteArray *bytes, const char *table, guint32 n)
{
  const guint32 count = GUINT32_TO_BE(n);

  append_tag(bytes, 'T');
  store_canonical_text(bytes, table, strlen(table));
  append(bytes, &count, sizeof count);
}

void
store_canonical_row(GByteArray *bytes, const char *table, sqlite3_stmt *statement)
{
  const int n = sqlite3_column_count(statement);

  store_canonical_begin(bytes, table, (guint32)n);
  for (int i = 0; i < n; i++) {
    append_column(bytes, statement, i);
  }
}
