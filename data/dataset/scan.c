/* scan.c - see scan.h. Strings are passed over eight bytes at a time: captions are most of a file.
 */
#include "dataset/scan.h"

#include <string.h>

#define MOST_DEPTH 64u

typedef struct {
  const char *start, *at, *end;
  const char *why;
} Scan;

static gboolean
fail(Scan *s, const char *why)
{
  s->why = why;
  return FALSE;
}

static void
skip_blanks(Scan *s)
{
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n')) {
    s->at++;
  }
}

static gboolean
is_at(const Scan *s, char c)
{
  return s->at < s->end && *s->at == c;
}

/* ---- strings -----------------------------------------------------------------------------------
 */

#define EACH(byte) (G_GUINT64_CONSTANT(0x0101010101010101) * (byte))
/* Nonzero where one of the eight bytes is 0; bytes above such a one may be marked wrongly. */
#define HAS_ZERO(x) (((x)-EACH(1)) & ~(x)&EACH(0x80))

/* To the next quote, backslash or control character. */
static const char *
skip_plain(const char *at, const char *end)
{
  while (end - at >= 8) {
    guint64 x;

    memcpy(&x, at, sizeof x);
    if (HAS_ZERO(x ^ EACH('"')) | HAS_ZERO(x ^ EACH('\\')) | HAS_ZERO(x & EACH(0xe0))) {
      break;
    }
    at += 8;
  }
  while (at < end && (guint8)*at >= 0x20 && *at != '"' && *at != '\\') {
    at++;
  }
  return at;
}

static int
hex_digit(char c)
{
  return g_ascii_xdigit_value(c);
}

static gboolean
skip_escape(Scan *s)
{
  static const char *const known = "\"\\/bfnrt";

  if (s->end - s->at >= 2 && strchr(known, s->at[1]) && s->at[1]) {
    s->at += 2;
    return TRUE;
  }
  if (s->end - s->at >= 6 && s->at[1] == 'u' && hex_digit(s->at[2]) >= 0 &&
      hex_digit(s->at[3]) >= 0 && hex_digit(s->at[4]) >= 0 && hex_digit(s->at[5]) >= 0) {
    s->at += 6;
    return TRUE;
  }
  return fail(s, "an escape that JSON does not know");
}

/* At a quote. */
static gboolean
scan_string(Scan *s, DataValue *value)
{
  const char *start = ++s->at;
  gboolean has_escapes = FALSE;

  for (;;) {
    s->at = skip_plain(s->at, s->end);
    if (s->at == s->end) {
      return fail(s, "a string that does not end");
    }
    if (*s->at == '"') {
      break;
    }
    if (*s->at != '\\') {
      return fail(s, "a control character in a string");
    }
    has_escapes = TRUE;
    if (!skip_escape(s)) {
      return FALSE;
    }
  }
  *value = (DataValue){DATA_VALUE_STRING, has_escapes, start, (gsize)(s->at - start)};
  s->at++;
  return TRUE;
}

static guint32
four_digits(const char *at)
{
  return (guint32)(hex_digit(at[0]) << 12 | hex_digit(at[1]) << 8 | hex_digit(at[2]) << 4 |
                   hex_digit(at[3]));
}

/* At "\uXXXX"; returns how many bytes it takes. */
static gsize
decode_unicode(const char *at, const char *end, GString *out)
{
  guint32 c = four_digits(at + 2);
  gsize n = 6;

  if (c >= 0xd800 && c < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
    const guint32 low = four_digits(at + 8);
    if (low >= 0xdc00 && low < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
      n = 12;
    }
  }
  g_string_append_unichar(out, c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c);
  return n;
}

void
data_value_decode(const DataValue *value, GString *out)
{
  static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
  const char *at = value->text, *end = at + value->n;

  if (!value->has_escapes) {
    g_string_append_len(out, at, (gssize)value->n);
    return;
  }
  while (at < end) {
    const char *stop = memchr(at, '\\', (gsize)(end - at)), *name;

    g_string_append_len(out, at, (stop ? stop : end) - at);
    if (!stop) {
      return;
    }
    name = strchr(names, stop[1]);
    if (stop[1] == 'u') {
      at = stop + decode_unicode(stop, end, out);
    } else {
      g_string_append_c(out, name ? codes[name - names] : stop[1]);
      at = stop + 2;
    }
  }
}

/* ---- other values ------------------------------------------------------------------------------
 */

static gboolean
skip_digits(Scan *s)
{
  const char *start = s->at;

  while (s->at < s->end && g_ascii_isdigit(*s->at)) {
    s->at++;
  }
  return s->at > start;
}

static gboolean
skip_number(Scan *s)
{
  if (is_at(s, '-')) {
    s->at++;
  }
  if (is_at(s, '0')) {
    s->at++;
  } else if (!skip_digits(s)) {
    return fail(s, "a value that JSON does not know");
  }
  if (is_at(s, '.')) {
    s->at++;
    if (!skip_digits(s)) {
      return fail(s, "a number that does not end");
    }
  }
  if (is_at(s, 'e') || is_at(s, 'E')) {
    s->at++;
    if (is_at(s, '+') || is_at(s, '-')) {
      s->at++;
    }
    if (!skip_digits(s)) {
      return fail(s, "a number that does not end");
    }
  }
  return TRUE;
}

static gboolean
skip_word(Scan *s, const char *word)
{
  const gsize n = strlen(word);

  if ((gsize)(s->end - s->at) < n || memcmp(s->at, word, n) != 0) {
    return fail(s, "a value that JSON does not know");
  }
  s->at += n;
  return TRUE;
}

/* A value that holds no other. */
static gboolean
skip_scalar(Scan *s)
{
  DataValue ignored;

  if (s->at == s->end) {
    return fail(s, "an object that does not end");
  }
  switch (*s->at) {
  case '"':
    return scan_string(s, &ignored);
  case 't':
    return skip_word(s, "true");
  case 'f':
    return skip_word(s, "false");
  case 'n':
    return skip_word(s, "null");
  default:
    return skip_number(s);
  }
}

/* A name and its colon. */
static gboolean
scan_name(Scan *s, DataValue *name)
{
  skip_blanks(s);
  if (!is_at(s, '"')) {
    return fail(s, "a member without a name");
  }
  if (!scan_string(s, name)) {
    return FALSE;
  }
  skip_blanks(s);
  if (!is_at(s, ':')) {
    return fail(s, "a name without a colon");
  }
  s->at++;
  skip_blanks(s);
  return TRUE;
}

/* At the bracket that opens it. Bit D of OBJECTS: whether what is open at depth D is an object. */
static gboolean
skip_container(Scan *s)
{
  guint64 objects = 0;
  guint depth = 0;
  gboolean opens = TRUE;
  DataValue name;

  for (;;) {
    if (opens) {
      const gboolean is_object = *s->at == '{';
      if (++depth > MOST_DEPTH) {
        return fail(s, "values nested too deep");
      }
      objects = objects << 1 | is_object;
      s->at++;
      skip_blanks(s);
      opens = FALSE;
      if (!is_at(s, is_object ? '}' : ']')) {
        if (is_object && !scan_name(s, &name)) {
          return FALSE;
        }
        opens = is_at(s, '{') || is_at(s, '[');
        if (opens) {
          continue;
        }
        if (!skip_scalar(s)) {
          return FALSE;
        }
      }
    }
    /* Behind a value, or in an empty container. */
    for (;;) {
      skip_blanks(s);
      if (is_at(s, objects & 1 ? '}' : ']')) {
        s->at++;
        objects >>= 1;
        if (--depth == 0) {
          return TRUE;
        }
        continue;
      }
      if (!is_at(s, ',')) {
        return fail(s, s->at == s->end ? "an object that does not end" : "no comma between values");
      }
      s->at++;
      skip_blanks(s);
      if (objects & 1 && !scan_name(s, &name)) {
        return FALSE;
      }
      opens = is_at(s, '{') || is_at(s, '[');
      if (opens) {
        break;
      }
      if (!skip_scalar(s)) {
        return FALSE;
      }
    }
  }
}

static gboolean
scan_value(Scan *s, DataValue *value)
{
  const char *start = s->at;

  if (is_at(s, '"')) {
    return scan_string(s, value);
  }
  if (is_at(s, '{') || is_at(s, '[') ? !skip_container(s) : !skip_scalar(s)) {
    return FALSE;
  }
  *value = (DataValue){*start == 'n' ? DATA_VALUE_NULL : DATA_VALUE_OTHER, FALSE, start,
                       (gsize)(s->at - start)};
  return TRUE;
}

/* ---- the line ----------------------------------------------------------------------------------
 */

static void
keep(const DataValue *name, const DataValue *value, const char *const *names, DataValue *values)
{
  for (guint i = 0; names[i]; i++) {
    if (name->n == strlen(names[i]) && memcmp(name->text, names[i], name->n) == 0) {
      values[i] = *value;
    }
  }
}

static gboolean
scan_members(Scan *s, const char *const *names, DataValue *values)
{
  DataValue name, value;

  skip_blanks(s);
  if (!is_at(s, '{')) {
    return fail(s, "no object");
  }
  s->at++;
  skip_blanks(s);
  if (is_at(s, '}')) {
    s->at++;
    return TRUE;
  }
  for (;;) {
    if (!scan_name(s, &name) || !scan_value(s, &value)) {
      return FALSE;
    }
    keep(&name, &value, names, values);
    skip_blanks(s);
    if (is_at(s, '}')) {
      s->at++;
      return TRUE;
    }
    if (!is_at(s, ',')) {
      return fail(s, s->at == s->end ? "an object that does not end" : "no comma between members");
    }
    s->at++;
  }
}

gboolean
data_scan(const char *line, gsize n, const char *const *names, DataValue *values, const char **why,
          gsize *at)
{
  Scan s = {line, line, line + n, NULL};
  const char *end;

  for (guint i = 0; names[i]; i++) {
    values[i] = (DataValue){DATA_VALUE_ABSENT, FALSE, NULL, 0};
  }
  if (!g_utf8_validate_len(line, n, &end)) {
    s.why = "bytes that are no UTF-8";
    s.at = end;
  } else if (scan_members(&s, names, values)) {
    skip_blanks(&s);
    if (s.at < s.end) {
      s.why = "something behind the object";
    }
  }
  *why = s.why;
  *at = (gsize)(s.at - line);
  return !s.why;
}

/* To the next element of a container that opens with OPEN. FALSE: there is none. */
static gboolean
to_next(Scan *s, const DataValue *container, char open, gsize at)
{
  *s = (Scan){container->text, container->text + at, container->text + container->n, NULL};
  if (container->kind != DATA_VALUE_OTHER || *container->text != open) {
    return FALSE;
  }
  skip_blanks(s);
  if (at == 0 || is_at(s, ',')) {
    s->at++;
    skip_blanks(s);
  }
  return s->at < s->end && !is_at(s, ']') && !is_at(s, '}');
}

gboolean
data_array_next(const DataValue *array, gsize *at, DataValue *element)
{
  Scan s;

  if (!to_next(&s, array, '[', *at) || !scan_value(&s, element)) {
    return FALSE;
  }
  *at = (gsize)(s.at - array->text);
  return TRUE;
}

gboolean
data_object_next(const DataValue *object, gsize *at, DataValue *name, DataValue *value)
{
  Scan s;

  if (!to_next(&s, object, '{', *at) || !scan_name(&s, name) || !scan_value(&s, value)) {
    return FALSE;
  }
  *at = (gsize)(s.at - object->text);
  return TRUE;
}

gboolean
data_value_is(const DataValue *value, const char *text)
{
  return value->kind == DATA_VALUE_STRING && value->n == strlen(text) &&
         memcmp(value->text, text, value->n) == 0;
}

const char *
data_value_what(const DataValue *value)
{
  const char first = value->kind == DATA_VALUE_OTHER ? *value->text : '\0';

  return value->kind == DATA_VALUE_ABSENT   ? "nothing"
         : value->kind == DATA_VALUE_NULL   ? "null"
         : value->kind == DATA_VALUE_STRING ? "a string"
         : first == '{'                     ? "an object"
         : first == '['                     ? "an array"
         : first == 't' || first == 'f'     ? "true or false"
                                            : "a number";
}
