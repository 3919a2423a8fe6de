/* column.c - the values of a row, each held against what the log may contain. */
#include "limits.h"
#include "private.h"
#include <math.h>
#include <string.h>

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

const char *
store_read_text(StoreReader *reader, const char *field, StoreNull null)
{
  int index = next(reader, field, SQLITE_TEXT, null);
  const char *text;
  int length;

  if (index < 0) {
    return NULL;
  }
  text = (const char *)sqlite3_column_text(reader->statement, index);
  length = sqlite3_column_bytes(reader->statement, index);
  if (!text) {
    out_of_memory(reader);
  } else if ((guint)length > STORE_MAX_TEXT) {
    store_corrupt(reader, field, "found %d bytes, expected at most %u", length, STORE_MAX_TEXT);
  } else if (!g_utf8_validate_len(text, (gsize)length, NULL)) { /* refuses a NUL as well */
    store_corrupt(reader, field, "found a text that is no UTF-8, expected UTF-8");
  }
  return reader->failed ? NULL : text;
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

double
store_read_real(StoreReader *reader, const char *field)
{
  int index = next(reader, field, SQLITE_FLOAT, STORE_NULLABLE);

  return index < 0 ? (double)NAN : sqlite3_column_double(reader->statement, index);
}

gint32 *
store_read_ids(StoreReader *reader, const char *field, gsize *count)
{
  int index = next(reader, field, SQLITE_BLOB, STORE_REQUIRED);
  gint32 *ids;
  gsize bytes;

  *count = 0;
  if (index < 0) {
    return NULL;
  }
  bytes = (gsize)sqlite3_column_bytes(reader->statement, index);
  if (bytes % sizeof *ids != 0 || bytes / sizeof *ids > STORE_MAX_IDS) {
    store_corrupt(reader, field,
                  "found %" G_GSIZE_FORMAT " bytes, expected a multiple of 4 up to %u", bytes,
                  STORE_MAX_IDS * 4);
    return NULL;
  }
  if (bytes == 0) {
    return NULL;
  }
  if (!sqlite3_column_blob(reader->statement, index)) {
    out_of_memory(reader);
    return NULL;
  }
  ids = g_memdup2(sqlite3_column_blob(reader->statement, index), bytes);
  *count = bytes / sizeof *ids;
  for (gsize i = 0; i < *count; i++) {
    ids[i] = GINT32_FROM_LE(ids[i]);
  }
  return ids;
}

static gboolean
is_cut(const char *text, gsize length, guint end)
{
  return end <= length && ((guchar)text[end] & 0xc0) != 0x80;
}

StorePiece *
store_read_pieces(StoreReader *reader, const char *field, const char *text, gsize *count)
{
  int index = next(reader, field, SQLITE_BLOB, STORE_NULLABLE);
  const gsize length = text ? strlen(text) : 0;
  gsize bytes = index < 0 ? 0 : (gsize)sqlite3_column_bytes(reader->statement, index);
  const guint8 *blob = bytes > 0 ? sqlite3_column_blob(reader->statement, index) : NULL;
  g_autofree StorePiece *pieces = NULL;
  guint before = 0;

  *count = 0;
  if (bytes % 8 != 0 || bytes / 8 > STORE_MAX_IDS) {
    store_corrupt(reader, field, "found %" G_GSIZE_FORMAT " bytes, expected a multiple of 8",
                  bytes);
    return NULL;
  }
  if (!blob) {
    return NULL;
  }
  pieces = g_new0(StorePiece, bytes / 8);
  for (gsize i = 0; i < bytes / 8; i++) {
    guint32 words[2];
    memcpy(words, blob + 8 * i, sizeof words);
    words[1] = GUINT32_FROM_LE(words[1]);
    pieces[i].end = GUINT32_FROM_LE(words[0]);
    memcpy(&pieces[i].p, &words[1], sizeof pieces[i].p);
    if (pieces[i].end < before || !is_cut(text ? text : "", length, pieces[i].end) ||
        !(pieces[i].p >= 0 && pieces[i].p <= 1)) {
      store_corrupt(reader, field, "found a piece that the answer does not have");
      return NULL;
    }
    before = pieces[i].end;
  }
  *count = bytes / 8;
  return g_steal_pointer(&pieces);
}
