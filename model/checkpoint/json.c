#include "checkpoint/json.h"

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/mapping.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *text, *label;
  size_t n, at;
  ModelJsonNode *nodes;
  size_t n_nodes, max_nodes;
  char *out; /* where the next decoded string goes */
  locale_t c_locale;
  ModelError *err;
} Parser;

static bool
bad(const Parser *p, const char *expected)
{
  if (p->at >= p->n)
    return model_fail(p->err, MODEL_ERROR_CORRUPT,
                      "%s: JSON, byte %zu: expected %s, found the end of the text", p->label, p->at,
                      expected);
  return model_fail(p->err, MODEL_ERROR_CORRUPT, "%s: JSON, byte %zu: expected %s, found 0x%02x",
                    p->label, p->at, expected, (unsigned)(unsigned char)p->text[p->at]);
}

static void
skip_space(Parser *p)
{
  while (p->at < p->n && (p->text[p->at] == ' ' || p->text[p->at] == '\t' ||
                          p->text[p->at] == '\n' || p->text[p->at] == '\r'))
    p->at++;
}

static bool
at_char(const Parser *p, char c)
{
  return p->at < p->n && p->text[p->at] == c;
}

/* Length of the UTF-8 character at S (N bytes are left), 0 when it is none (Unicode table 3-7). */
static unsigned
utf8_length(const unsigned char *s, size_t n)
{
  unsigned length = s[0] < 0x80   ? 1
                    : s[0] < 0xC2 ? 0
                    : s[0] < 0xE0 ? 2
                    : s[0] < 0xF0 ? 3
                    : s[0] < 0xF5 ? 4
                                  : 0;

  if (!length || length > n)
    return 0;
  for (unsigned i = 1; i < length; i++)
    if ((s[i] & 0xC0) != 0x80)
      return 0;
  if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
      (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
    return 0;
  return length;
}

static void
put_utf8(char **out, uint32_t c)
{
  unsigned char *o = (unsigned char *)*out;

  if (c < 0x80) {
    *o++ = (unsigned char)c;
  } else if (c < 0x800) {
    *o++ = (unsigned char)(0xC0 | c >> 6);
    *o++ = (unsigned char)(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *o++ = (unsigned char)(0xE0 | c >> 12);
    *o++ = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    *o++ = (unsigned char)(0x80 | (c & 0x3F));
  } else {
    *o++ = (unsigned char)(0xF0 | c >> 18);
    *o++ = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    *o++ = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    *o++ = (unsigned char)(0x80 | (c & 0x3F));
  }
  *out = (char *)o;
}

static bool
hex4(Parser *p, uint32_t *value)
{
  *value = 0;
  for (int i = 0; i < 4; i++, p->at++) {
    char c = p->at < p->n ? p->text[p->at] : '\0';
    unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : 16;
    if (digit > 15)
      return bad(p, "four hexadecimal digits");
    *value = *value << 4 | digit;
  }
  return true;
}

/* p->at is behind the backslash. */
static bool
parse_escape(Parser *p)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *found;
  uint32_t c, low;

  if (p->at >= p->n)
    return bad(p, "an escape");
  if (p->text[p->at] != 'u') {
    found = p->text[p->at] ? strchr(from, p->text[p->at]) : NULL;
    if (!found)
      return bad(p, "an escape");
    *p->out++ = to[found - from];
    p->at++;
    return true;
  }
  p->at++;
  if (!hex4(p, &c))
    return false;
  if (c >= 0xD800 && c <= 0xDBFF) {
    if (!at_char(p, '\\') || p->at + 1 >= p->n || p->text[p->at + 1] != 'u')
      return bad(p, "the second half of a surrogate pair");
    p->at += 2;
    if (!hex4(p, &low))
      return false;
    if (low < 0xDC00 || low > 0xDFFF)
      return bad(p, "the second half of a surrogate pair");
    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
  } else if (c == 0 || (c >= 0xDC00 && c <= 0xDFFF)) {
    return bad(p, "a character other than U+0000 and half a surrogate pair");
  }
  put_utf8(&p->out, c);
  return true;
}

/* p->at is on the opening quote. The decoded text is never longer than the source. */
static bool
parse_string(Parser *p, const char **value)
{
  *value = p->out;
  p->at++;
  while (p->at < p->n && p->text[p->at] != '"') {
    const unsigned char *s = (const unsigned char *)p->text + p->at;
    unsigned length;
    if (*s == '\\') {
      p->at++;
      if (!parse_escape(p))
        return false;
      continue;
    }
    length = utf8_length(s, p->n - p->at);
    if (*s < 0x20 || !length)
      return bad(p, "a UTF-8 character of a string");
    memcpy(p->out, s, length);
    p->out += length;
    p->at += length;
  }
  if (p->at >= p->n)
    return bad(p, "the closing quote of a string");
  p->at++;
  *p->out++ = '\0';
  return true;
}

static bool
skip_digits(Parser *p)
{
  size_t start = p->at;

  while (p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9')
    p->at++;
  return p->at > start || bad(p, "a digit");
}

static bool
parse_number(Parser *p, ModelJsonNode *node)
{
  size_t start = p->at, length;

  if (at_char(p, '-'))
    p->at++;
  if (at_char(p, '0'))
    p->at++;
  else if (!skip_digits(p))
    return false;
  if (at_char(p, '.')) {
    p->at++;
    if (!skip_digits(p))
      return false;
  }
  if (at_char(p, 'e') || at_char(p, 'E')) {
    p->at++;
    if (at_char(p, '+') || at_char(p, '-'))
      p->at++;
    if (!skip_digits(p))
      return false;
  }
  length = p->at - start;
  memcpy(p->out, p->text + start, length);
  p->out[length] = '\0';
  node->type = MODEL_JSON_NUMBER;
  node->text = p->out;
  node->number = strtod_l(node->text, NULL, p->c_locale);
  p->out += length + 1;
  return true;
}

static bool
parse_word(Parser *p, const char *word, ModelJsonNode *node, ModelJsonType type)
{
  size_t n = strlen(word);

  if (p->n - p->at < n || memcmp(p->text + p->at, word, n) != 0)
    return bad(p, "a value");
  p->at += n;
  node->type = type;
  return true;
}

/* A value, or the opening of one. */
static bool
parse_value(Parser *p, ModelJsonNode *node)
{
  switch (p->at < p->n ? p->text[p->at] : '\0') {
  case '{':
    p->at++;
    node->type = MODEL_JSON_OBJECT;
    return true;
  case '[':
    p->at++;
    node->type = MODEL_JSON_ARRAY;
    return true;
  case '"':
    node->type = MODEL_JSON_STRING;
    return parse_string(p, &node->text);
  case 't':
    return parse_word(p, "true", node, MODEL_JSON_TRUE);
  case 'f':
    return parse_word(p, "false", node, MODEL_JSON_FALSE);
  case 'n':
    return parse_word(p, "null", node, MODEL_JSON_NULL);
  case '-':
  case '0' ... '9':
    return parse_number(p, node);
  default:
    return bad(p, "a value");
  }
}

static ModelJsonNode *
new_node(Parser *p, ModelJsonNode *parent)
{
  ModelJsonNode *node;

  if (p->n_nodes >= p->max_nodes) {
    model_fail(p->err, MODEL_ERROR_TOO_LARGE, "%s: JSON, byte %zu: more than %zu values", p->label,
               p->at, p->max_nodes);
    return NULL;
  }
  node = &p->nodes[p->n_nodes++];
  memset(node, 0, sizeof *node);
  node->parent = parent;
  if (parent) {
    if (parent->last)
      parent->last->next = node;
    else
      parent->child = node;
    parent->last = node;
    parent->n_children++;
  }
  return node;
}

/* One turn of the loop reads one value; OPEN is the innermost container that is not closed. */
static bool
parse_all(Parser *p)
{
  ModelJsonNode *open = NULL;
  unsigned depth = 0;

  for (;;) {
    const char *key = NULL;
    ModelJsonNode *node;
    skip_space(p);
    if (open && open->type == MODEL_JSON_OBJECT) {
      if (!at_char(p, '"'))
        return bad(p, "a key in quotes");
      if (!parse_string(p, &key))
        return false;
      skip_space(p);
      if (!at_char(p, ':'))
        return bad(p, "':' behind a key");
      p->at++;
      skip_space(p);
    }
    node = new_node(p, open);
    if (!node || !parse_value(p, node))
      return false;
    node->key = key;
    if (node->type >= MODEL_JSON_ARRAY) {
      if (++depth > MODEL_MAX_JSON_DEPTH)
        return model_fail(p->err, MODEL_ERROR_TOO_LARGE,
                          "%s: JSON, byte %zu: nested deeper than %u", p->label, p->at,
                          MODEL_MAX_JSON_DEPTH);
      open = node;
      skip_space(p);
      if (!at_char(p, node->type == MODEL_JSON_OBJECT ? '}' : ']'))
        continue;
    }
    for (;;) {
      skip_space(p);
      if (!open)
        return p->at == p->n || bad(p, "the end of the text");
      if (at_char(p, ',') && open->child) {
        p->at++;
        break;
      }
      if (!at_char(p, open->type == MODEL_JSON_OBJECT ? '}' : ']'))
        return bad(p, open->type == MODEL_JSON_OBJECT ? "',' or '}'" : "',' or ']'");
      p->at++;
      open = open->parent;
      depth--;
    }
  }
}

bool
model_json_parse(const char *text, size_t n, const char *label, ModelJson *json, ModelError *err)
{
  Parser p = {.text = text, .n = n, .label = label, .max_nodes = 1, .err = err};
  bool ok;

  memset(json, 0, sizeof *json);
  if (n > MODEL_MAX_JSON_BYTES)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: %zu bytes of JSON, at most %u are read",
                      label, n, MODEL_MAX_JSON_BYTES);
  /* Every value but the first follows one of these, so this is an upper bound. */
  for (size_t i = 0; i < n && p.max_nodes < MODEL_MAX_JSON_VALUES; i++)
    p.max_nodes += text[i] == ',' || text[i] == '[' || text[i] == '{';
  p.nodes = malloc(p.max_nodes * sizeof *p.nodes);
  p.out = malloc(n + p.max_nodes + 1);
  p.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  json->nodes = p.nodes;
  json->strings = p.out;
  json->label = strdup(label);
  if (!p.nodes || !p.out || !json->label || p.c_locale == (locale_t)0)
    ok = model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", label);
  else
    ok = parse_all(&p);
  if (p.c_locale != (locale_t)0)
    freelocale(p.c_locale);
  if (!ok)
    model_json_clear(json);
  return ok;
}

bool
model_json_read(const char *path, ModelJson *json, ModelError *err)
{
  char *text = NULL;
  size_t n = 0;
  bool ok;

  memset(json, 0, sizeof *json);
  if (!model_file_read(path, MODEL_MAX_JSON_BYTES, &text, &n, err))
    return false;
  ok = model_json_parse(text, n, path, json, err);
  free(text);
  return ok;
}

void
model_json_clear(ModelJson *json)
{
  free(json->nodes);
  free(json->strings);
  free(json->label);
  memset(json, 0, sizeof *json);
}

const char *
model_json_type_name(ModelJsonType type)
{
  static const char *const names[] = {"null",     "false",  "true",     "a number",
                                      "a string", "a list", "an object"};

  return names[type];
}

const ModelJsonNode *
model_json_get(const ModelJsonNode *object, const char *key)
{
  const ModelJsonNode *found = NULL;

  if (!object || object->type != MODEL_JSON_OBJECT)
    return NULL;
  for (const ModelJsonNode *n = object->child; n; n = n->next)
    if (strcmp(n->key, key) == 0)
      found = n;
  return found && found->type != MODEL_JSON_NULL ? found : NULL;
}

bool
model_json_to_u64(const ModelJsonNode *node, uint64_t *out)
{
  uint64_t value = 0;

  if (node->type != MODEL_JSON_NUMBER)
    return false;
  for (const char *c = node->text; *c; c++)
    if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
      return false;
  *out = value;
  return true;
}

static bool
wrong(const ModelJson *json, const ModelJsonNode *node, const char *expected, ModelError *err)
{
  const char *found = node->type == MODEL_JSON_NUMBER || node->type == MODEL_JSON_STRING
                          ? node->text
                          : model_json_type_name(node->type);

  return model_fail(err, MODEL_ERROR_CORRUPT, "%s: \"%s\" is %.80s, expected %s", json->label,
                    node->key, found, expected);
}

bool
model_json_u32(const ModelJson *json, const ModelJsonNode *object, const char *key, uint32_t *out,
               ModelError *err)
{
  const ModelJsonNode *node = model_json_get(object, key);
  uint64_t value;

  if (!node)
    return true;
  if (!model_json_to_u64(node, &value) || value > UINT32_MAX)
    return wrong(json, node, "a whole number from 0 to 4294967295", err);
  *out = (uint32_t)value;
  return true;
}

bool
model_json_i32(const ModelJson *json, const ModelJsonNode *object, const char *key, int32_t *out,
               ModelError *err)
{
  const ModelJsonNode *node = model_json_get(object, key);

  if (!node)
    return true;
  if (node->type != MODEL_JSON_NUMBER || strpbrk(node->text, ".eE") || node->number < INT32_MIN ||
      node->number > INT32_MAX)
    return wrong(json, node, "a whole number of 32 bits", err);
  *out = (int32_t)node->number;
  return true;
}

bool
model_json_float(const ModelJson *json, const ModelJsonNode *object, const char *key, float *out,
                 ModelError *err)
{
  const ModelJsonNode *node = model_json_get(object, key);

  if (!node)
    return true;
  if (node->type != MODEL_JSON_NUMBER || fabs(node->number) > FLT_MAX)
    return wrong(json, node, "a number", err);
  *out = (float)node->number;
  return true;
}

bool
model_json_bool(const ModelJson *json, const ModelJsonNode *object, const char *key, bool *out,
                ModelError *err)
{
  const ModelJsonNode *node = model_json_get(object, key);

  if (!node)
    return true;
  if (node->type != MODEL_JSON_TRUE && node->type != MODEL_JSON_FALSE)
    return wrong(json, node, "true or false", err);
  *out = node->type == MODEL_JSON_TRUE;
  return true;
}

bool
model_json_string(const ModelJson *json, const ModelJsonNode *object, const char *key,
                  const char **out, ModelError *err)
{
  const ModelJsonNode *node = model_json_get(object, key);

  if (!node)
    return true;
  if (node->type != MODEL_JSON_STRING)
    return wrong(json, node, "a string", err);
  *out = node->text;
  return true;
}

bool
model_json_triple(const ModelJson *json, const ModelJsonNode *object, const char *key, float out[3],
                  ModelError *err)
{
  const ModelJsonNode *list = model_json_get(object, key);
  const ModelJsonNode *item = list && list->type == MODEL_JSON_ARRAY ? list->child : NULL;

  if (!list)
    return true;
  for (int i = 0; i < 3; i++, item = item->next) {
    if (!item || item->type != MODEL_JSON_NUMBER)
      return model_fail(err, MODEL_ERROR_CORRUPT, "%s: \"%s\" is not a list of three numbers",
                        json->label, key);
    out[i] = (float)item->number;
  }
  return true;
}
