/* unwrap.c - the records of one large JSON value as lines, in one pass and constant memory.
 *
 * It looks at brackets and strings alone; whoever reads the lines checks the rest.
 *
 * Invariants:
 * 1. `depth` counts the brackets open before the byte that is looked at, of the whole value.
 * 2. A record begins at depth `level`: 1 below an array, or for the members of an object 1 when it
 *    is an object itself, 2 when it lies in an array.
 * 3. `record` holds what was read of the record, never more than DATA_MOST_LINE_BYTES + 1.
 */
#include "dataset.h"

#include <string.h>

struct _DataUnwrap {
  guint64 line, began; /* the line that is read; where the record, or the value, began */
  guint depth, level;
  gboolean array; /* the value is one */
  gboolean started, ended;
  gboolean in_string, escape, in_record;
  gboolean in_key, has_key, after_colon;
  GString *record, *key;
};

DataUnwrap *
data_unwrap_new(void)
{
  DataUnwrap *unwrap = g_new0(DataUnwrap, 1);

  unwrap->record = g_string_new(NULL);
  unwrap->key = g_string_new(NULL);
  return unwrap;
}

void
data_unwrap_free(DataUnwrap *unwrap)
{
  if (unwrap) {
    g_string_free(unwrap->record, TRUE);
    g_string_free(unwrap->key, TRUE);
    g_free(unwrap);
  }
}

static void
put(GByteArray *out, const char *text, gsize n)
{
  g_byte_array_append(out, (const guint8 *)text, (guint)n);
}

static void
emit(DataUnwrap *u, GByteArray *out, GArray *lines)
{
  const char *text = u->record->str;
  gsize n = u->record->len;

  while (n > 0 && text[n - 1] == ' ') { /* behind a number */
    n--;
  }
  if (u->has_key && *text == '{') {
    const gsize blanks = 1 + strspn(text + 1, " \t\r\n");

    put(out, "{\"@key\": \"", 10);
    put(out, u->key->str, u->key->len);
    put(out, text[blanks] == '}' ? "\"" : "\", ", text[blanks] == '}' ? 1 : 3);
    put(out, text + 1, n - 1);
  } else {
    put(out, text, n);
  }
  put(out, "\n", 1);
  g_array_append_val(lines, u->began);
  g_string_truncate(u->record, 0);
  u->in_record = FALSE;
}

/* A line break can be nothing but a blank outside of strings; within one it is an error, and stays
 * one. */
static void
keep(DataUnwrap *u, char c)
{
  if (u->record->len <= DATA_MOST_LINE_BYTES) {
    g_string_append_c(u->record, c != '\n' ? c : u->in_string ? '\x01' : ' ');
  }
}

static void
begin_record(DataUnwrap *u)
{
  u->in_record = TRUE;
  u->began = u->line;
  u->level = u->depth;
}

/* A byte between records: names, colons, brackets. */
static void
between(DataUnwrap *u, char c)
{
  if (!u->started) {
    if (c == '{' || c == '[') {
      u->started = TRUE;
      u->array = c == '[';
      u->depth = 1;
    }
    return;
  }
  if (!u->array && u->depth == 1) {
    if (c == '"') {
      u->in_string = TRUE;
      u->in_key = !u->after_colon;
      if (u->in_key) {
        g_string_truncate(u->key, 0);
        u->has_key = TRUE;
      }
    } else if (c == ':') {
      u->after_colon = TRUE;
    } else if (c == ',') {
      u->after_colon = FALSE;
    } else if (c == '[') {
      u->depth = 2;
    } else if (c == '{') {
      begin_record(u);
    } else if (c == '}') {
      u->depth = 0;
    }
  } else if (c == ']' || c == '}') {
    u->depth--;
  } else if (c != ',' && !g_ascii_isspace(c)) {
    begin_record(u);
  }
  u->ended = u->depth == 0;
}

/* A byte of a string. */
static void
within_string(DataUnwrap *u, char c)
{
  if (u->in_record) {
    keep(u, c);
  } else if (u->in_key && (c != '"' || u->escape) && u->key->len < 256 && (guint8)c >= 0x20) {
    g_string_append_c(u->key, c);
  }
  if (u->escape) {
    u->escape = FALSE;
  } else if (c == '\\') {
    u->escape = TRUE;
  } else if (c == '"') {
    u->in_string = u->in_key = FALSE;
  }
}

/* A byte of a record, outside of strings. */
static void
within_record(DataUnwrap *u, char c, GByteArray *out, GArray *lines)
{
  if (u->depth == u->level && (c == ',' || c == ']' || c == '}')) { /* behind a bare value */
    emit(u, out, lines);
    between(u, c);
    return;
  }
  keep(u, c);
  if (c == '"') {
    u->in_string = TRUE;
  } else if (c == '{' || c == '[') {
    u->depth++;
  } else if ((c == '}' || c == ']') && --u->depth == u->level) {
    emit(u, out, lines);
  }
}

void
data_unwrap(DataUnwrap *u, const char *bytes, gsize n, GByteArray *out, GArray *lines)
{
  for (gsize i = 0; i < n && !u->ended; i++) {
    const char c = bytes[i];

    if (u->in_string) {
      within_string(u, c);
    } else {
      if (!u->in_record) {
        between(u, c);
        if (!u->in_record) {
          u->line += c == '\n';
          continue;
        }
      }
      within_record(u, c, out, lines);
    }
    u->line += c == '\n';
  }
}

gboolean
data_unwrap_end(const DataUnwrap *u, guint64 *line)
{
  *line = u->in_record ? u->began : u->line;
  return u->ended;
}
