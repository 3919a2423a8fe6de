/* column.c - the values of a row, each held against what the log may contain. */
#include "limits.h"
#include "private.h"

static const char *
type_name(int type)
{
  switch (type) {
  case SQLITE_INTEGER:
    return "an integer";
  case SQLITE_FLOAT:
    return "a real";
  case SQLITE_TEXT:
    return "a text";
  case SQLITE_BLOB:
    return "a blob";
  default:
    return "nothing";
  }
}

void
store_corrupt(StoreReader *reader, const char *field, const char *format, ...)
{
  va_list args;
  g_autofree char *what = NULL;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  reader->failed = TRUE;
  store_fail(reader->error, STORE_ERROR_CORRUPT, reader->log->name,
             "%s row %" G_GINT64_FORMAT ": %s: %s", reader->table, reader->row, field, what);
}

static void
out_of_memory(StoreReader *reader)
{
  reader->failed = TRUE;
  store_fail_sqlite(reader->error, reader->log->db, reader->log->name, "reading a value",
                    SQLITE_NOMEM);
}

/* The column to read, or -1 where there is nothing to read: an earlier failure, a wrong type, or a
 * NULL that may be there. */
static int
next(StoreReader *reader, const char *field, int type, StoreNull null)
{
  int index = reader->index++;
  int found;

  if (reader->failed) {
    return -1;
  }
  found = sqlite3_column_type(reader->statement, index);
  if (found == type) {
    return index;
  }
  if (found != SQLITE_NULL || null == STORE_REQUIRED) {
    store_corrupt(reader, field, "found %s, expected %s", type_name(found), type_name(type));
  }
  return -1;
}

/* *n is its length. */
static const char *
read_text(StoreReader *reader, const char *field, StoreNull null, guint most, gsize *n)
{
  int index = next(reader, field, SQLITE_TEXT, null);
  const char *text;

  *n = 0;
  if (index < 0) {
    return NULL;
  }
  text = (const char *)sqlite3_column_text(reader->statement, index);
  *n = (gsize)sqlite3_column_bytes(reader->statement, index);
  if (!text) {
    out_of_memory(reader);
  } else if (*n > most) {
    store_corrupt(reader, field, "found %" G_GSIZE_FORMAT " bytes, expected at most %u", *n, most);
  } else if (!g_utf8_validate_len(text, *n, NULL)) { /* refuses a NUL as well */
    store_corrupt(reader, field, "found a text that is no UTF-8, expected UTF-8");
  }
  return reader->failed ? NULL : text;
}

const char *
store_read_text(StoreReader *reader, const char *field, StoreNull null)
{
  gsize n;

  return read_text(reader, field, null, STORE_MAX_TEXT, &n);
}

const char *
store_read_long_text(StoreReader *reader, const char *field, guint most, gsize *n)
{
  return read_text(reader, field, STORE_REQUIRED, most, n);
}

gint64
store_read_int(StoreReader *reader, const char *field, gint64 min, gint64 max)
{
  int index = next(reader, field, SQLITE_INTEGER, STORE_REQUIRED);
  gint64 value;

  if (index < 0) {
    return 0;
  }
  value = sqlite3_column_int64(reader->statement, index);
  if (value < min || value > max) {
    store_corrupt(reader, field,
                  "found %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                  value, min, max);
    return 0;
  }
  return value;
}

gint64
store_read_id(StoreReader *reader, const char *field, StoreNull null)
{
  int index = next(reader, field, SQLITE_INTEGER, null);
  gint64 value = index < 0 ? 0 : sqlite3_column_int64(reader->statement, index);

  if (index >= 0 && value < 1) {
    store_corrupt(reader, field, "found %" G_GINT64_FORMAT ", expected an id of 1 or more", value);
    return 0;
  }
  return value;
}

guint
store_read_uint(StoreReader *reader, const char *field)
{
  return (guint)store_read_int(reader, field, 0, G_MAXUINT);
}
