/* json-string.c - one JSON string to its text. */
#include "json-string.h"

#include <string.h>

static gboolean
complain(GError **error, gsize at, const char *what)
{
  g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
              "not a JSON string: %s at byte %" G_GSIZE_FORMAT, what, at + 1);
  return FALSE;
}

/* Four hexadecimal digits. */
static gboolean
read_hex4(const char *line, gsize length, gsize *at, gunichar *unit, GError **error)
{
  *unit = 0;
  for (int i = 0; i < 4; i++, (*at)++) {
    int digit = *at < length ? g_ascii_xdigit_value(line[*at]) : -1;
    if (digit < 0) {
      return complain(error, *at, "\\u without four hexadecimal digits");
    }
    *unit = *unit * 16 + (gunichar)digit;
  }
  return TRUE;
}

/* AT is behind "\u". */
static gboolean
read_unicode(const char *line, gsize length, gsize *at, GString *text, GError **error)
{
  gunichar high, low;

  if (!read_hex4(line, length, at, &high, error)) {
    return FALSE;
  }
  if (high >= 0xdc00 && high <= 0xdfff) {
    return complain(error, *at, "half a surrogate pair");
  }
  if (high >= 0xd800 && high <= 0xdbff) {
    if (length - *at < 2 || line[*at] != '\\' || line[*at + 1] != 'u') {
      return complain(error, *at, "half a surrogate pair");
    }
    *at += 2;
    if (!read_hex4(line, length, at, &low, error)) {
      return FALSE;
    }
    if (low < 0xdc00 || low > 0xdfff) {
      return complain(error, *at, "half a surrogate pair");
    }
    high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }
  if (high == 0) {
    g_string_append_c(text, '\0');
  } else {
    g_string_append_unichar(text, high);
  }
  return TRUE;
}

/* AT is behind the backslash. */
static gboolean
read_escape(const char *line, gsize length, gsize *at, GString *text, GError **error)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *name;

  if (*at >= length) {
    return complain(error, *at, "a backslash at the end");
  }
  if (line[*at] == 'u') {
    (*at)++;
    return read_unicode(line, length, at, text, error);
  }
  name = line[*at] ? strchr(names, line[*at]) : NULL;
  if (!name) {
    return complain(error, *at, "an unknown escape");
  }
  g_string_append_c(text, values[name - names]);
  (*at)++;
  return TRUE;
}

static void
skip_blanks(const char *line, gsize length, gsize *at)
{
  while (*at < length && (line[*at] == ' ' || line[*at] == '\t' || line[*at] == '\r')) {
    (*at)++;
  }
}

GString *
cli_json_string_parse(const char *line, gsize length, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  gsize at = 0;

  skip_blanks(line, length, &at);
  if (at >= length || line[at] != '"') {
    complain(error, at, "no opening quote");
    return NULL;
  }
  at++;
  while (at < length && line[at] != '"') {
    if (line[at] == '\\') {
      at++;
      if (!read_escape(line, length, &at, text, error)) {
        return NULL;
      }
    } else if ((guchar)line[at] < 0x20) {
      complain(error, at, "a control character");
      return NULL;
    } else {
      g_string_append_c(text, line[at++]);
    }
  }
  if (at >= length) {
    complain(error, at, "no closing quote");
    return NULL;
  }
  at++;
  skip_blanks(line, length, &at);
  if (at < length) {
    complain(error, at, "something behind the closing quote");
    return NULL;
  }
  return g_steal_pointer(&text);
}
