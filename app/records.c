/* records.c - see records.h. */
#include "records.h"

#include <string.h>

#include "private.h"

/* Bytes; a file is mapped and not held in memory. */
#define MAX_FILE (G_GUINT64_CONSTANT(64) << 30)

typedef enum {
  LINES,   /* one record a line, so that a broken one ends nothing */
  OBJECTS, /* one behind the other, each over several lines */
  ARRAY,
  MEMBERS,
} Layout;

struct _AppRecords {
  char *path;
  GMappedFile *file;
  const char *text;
  gsize n, at;
  Layout layout;
  guint64 line, counted; /* line of the byte COUNTED */
  gboolean begun, ended;
  char *key;
};

void
app_records_free(AppRecords *records)
{
  if (records) {
    g_clear_pointer(&records->file, g_mapped_file_unref);
    g_free(records->path);
    g_free(records->key);
    g_free(records);
  }
}

static void
skip_blanks(AppRecords *records)
{
  while (records->at < records->n && app_json_is_blank(records->text[records->at])) {
    records->at++;
  }
}

static guint64
line_at(AppRecords *records, gsize at)
{
  while (records->counted < at) {
    const char *from = records->text + records->counted;
    const char *end = memchr(from, '\n', at - records->counted);
    if (!end) {
      break;
    }
    records->line++;
    records->counted = (guint64)(end + 1 - records->text);
  }
  return records->line;
}

/* An object over several lines is no line of JSON Lines. */
static Layout
find_layout(const AppRecords *records)
{
  const char *start = records->text + records->at;
  const gsize left = records->n - records->at;
  gsize length;

  if (left > 0 && start[0] == '[') {
    return ARRAY;
  }
  length = app_json_object_length(start, left);
  return length > 0 && memchr(start, '\n', length) ? OBJECTS : LINES;
}

AppRecords *
app_records_open(const char *path, gboolean members, GError **error)
{
  g_autoptr(AppRecords) records = g_new0(AppRecords, 1);

  records->path = g_strdup(path);
  records->file = g_mapped_file_new(path, FALSE, error);
  if (!records->file) {
    return NULL;
  }
  records->text = g_mapped_file_get_contents(records->file);
  records->n = records->text ? g_mapped_file_get_length(records->file) : 0;
  records->line = 1;
  if (records->n > MAX_FILE) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %" G_GSIZE_FORMAT " bytes; at most %" G_GUINT64_FORMAT, path, records->n,
                MAX_FILE);
    return NULL;
  }
  if (records->n >= 3 && memcmp(records->text, "\xEF\xBB\xBF", 3) == 0) {
    records->at = 3;
  }
  skip_blanks(records);
  if (members && (records->at >= records->n || records->text[records->at] != '{')) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: expected one JSON object of objects",
                path);
    return NULL;
  }
  records->layout = members ? MEMBERS : find_layout(records);
  records->at += records->layout == ARRAY || records->layout == MEMBERS;
  return g_steal_pointer(&records);
}

static gboolean
rest(AppRecords *records, AppRecord *record)
{
  records->ended = TRUE;
  *record = (AppRecord){.line = line_at(records, records->at), .is_rest = TRUE};
  return TRUE;
}

static gboolean
next_line(AppRecords *records, AppRecord *record)
{
  while (records->at < records->n) {
    const char *start = records->text + records->at;
    const char *end = memchr(start, '\n', records->n - records->at);
    const gsize whole = end ? (gsize)(end - start) : records->n - records->at;
    const gsize begin = records->at;
    gsize n = whole;

    records->at += whole + (end != NULL);
    while (n > 0 && app_json_is_blank(start[n - 1])) {
      n--;
    }
    while (n > 0 && app_json_is_blank(start[0])) {
      start++;
      n--;
    }
    if (n > 0) {
      *record = (AppRecord){.text = start, .n = n, .line = line_at(records, begin)};
      return TRUE;
    }
  }
  return FALSE;
}

/* "KEY": before a member. FALSE: there is none. */
static gboolean
take_key(AppRecords *records)
{
  const gsize start = records->at + 1;
  gsize end = start;

  if (records->text[records->at] != '"') {
    return FALSE;
  }
  while (end < records->n && records->text[end] != '"') {
    end += records->text[end] == '\\' ? 2 : 1;
  }
  if (end >= records->n) {
    return FALSE;
  }
  g_free(records->key);
  records->key = g_strndup(records->text + start, end - start);
  records->at = end + 1;
  skip_blanks(records);
  if (records->at >= records->n || records->text[records->at] != ':') {
    return FALSE;
  }
  records->at++;
  skip_blanks(records);
  return TRUE;
}

static gboolean
next_object(AppRecords *records, AppRecord *record)
{
  const gboolean enclosed = records->layout != OBJECTS;
  gsize length;

  skip_blanks(records);
  if (enclosed && records->begun && records->at < records->n && records->text[records->at] == ',') {
    records->at++;
    skip_blanks(records);
  } else if (enclosed && records->at < records->n &&
             records->text[records->at] == (records->layout == ARRAY ? ']' : '}')) {
    records->ended = TRUE;
    return FALSE;
  } else if (enclosed && records->begun) {
    return rest(records, record);
  }
  if (records->at >= records->n) {
    records->ended = TRUE;
    return enclosed ? rest(records, record) : FALSE;
  }
  records->begun = TRUE;
  if (records->layout == MEMBERS && !take_key(records)) {
    return rest(records, record);
  }
  length = app_json_object_length(records->text + records->at, records->n - records->at);
  if (length == 0) {
    return rest(records, record);
  }
  *record = (AppRecord){.text = records->text + records->at,
                        .n = length,
                        .line = line_at(records, records->at),
                        .key = records->key};
  records->at += length;
  return TRUE;
}

gboolean
app_records_next(AppRecords *records, AppRecord *record)
{
  if (records->ended) {
    return FALSE;
  }
  return records->layout == LINES ? next_line(records, record) : next_object(records, record);
}

char *
app_records_sha256(const AppRecords *records)
{
  return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)records->text, records->n);
}
