/* body.c - see body.h. */
#include "body.h"

#include "limits.h"
#include "numbers.h"
#include "seal.h"
#include <math.h>
#include <string.h>

/* An event is an object of lists of pairs; json-glib descends by recursion. */
#define MOST_DEEP 6

void
store_body_corrupt(StoreBody *body, const char *field, const char *format, ...)
{
  va_list args;
  g_autofree char *what = NULL;

  if (body->failed) {
    return;
  }
  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  body->failed = TRUE;
  store_fail(body->error, STORE_ERROR_CORRUPT, body->name,
             "event %" G_GINT64_FORMAT " (%s): %s: %s", body->number, body->kind, field, what);
}

static gboolean
is_deep(const char *text, gsize n)
{
  guint depth = 0;
  gboolean quoted = FALSE;

  for (gsize i = 0; i < n; i++) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (quoted) {
      i += text[i] == '\\'; /* what is escaped ends nothing */
    } else if (text[i] == '{' || text[i] == '[') {
      if (++depth > MOST_DEEP) {
        return TRUE;
      }
    } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
      depth--;
    }
  }
  return FALSE;
}

/* TEXT with nothing in the lists that are members of it. */
static char *
empty_lists(const char *text, gsize n, gsize *n_short)
{
  char *to = g_malloc(n + 1);
  guint lists = 0, depth = 0;
  gboolean quoted = FALSE;
  gsize out = 0;

  for (gsize i = 0; i < n; i++) {
    const char c = text[i];
    const gboolean opens = !quoted && c == '[' && depth == 1;

    lists += opens || (!quoted && c == '[' && lists);
    if (!lists || (opens && lists == 1)) {
      to[out++] = c;
    }
    if (quoted && c == '\\' && i + 1 < n) {
      i++;
      if (!lists) {
        to[out++] = text[i];
      }
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && !lists && (c == '{' || c == '}')) {
      depth += c == '{' ? 1 : (guint)-1;
    } else if (!quoted && c == ']' && lists && --lists == 0) {
      to[out++] = c;
    }
  }
  to[out] = '\0';
  *n_short = out;
  return to;
}

static gboolean
load(const StoreBody *body, JsonParser *parser, const char *text, gsize n)
{
  char *brief = NULL;
  gsize n_brief = 0;
  gboolean good;

  if (!body->without_lists) {
    return json_parser_load_from_data(parser, text, (gssize)n, NULL);
  }
  brief = empty_lists(text, n, &n_brief);
  good = json_parser_load_from_data(parser, brief, (gssize)n_brief, NULL);
  store_wipe(brief, n_brief);
  return good;
}

/* Numbers lie behind the object and a byte 0, which JSON does not have. Returns the length of the
 * object. */
static gsize
split_numbers(StoreBody *body, const char *text, gsize n)
{
  const char *end = memchr(text, '\0', n);

  if (!end) {
    return n;
  }
  if (!body->without_lists) {
    body->n_numbers = n - (gsize)(end - text) - 1;
    body->numbers = g_memdup2(end + 1, body->n_numbers);
  }
  return (gsize)(end - text);
}

gboolean
store_body_parse(StoreBody *body, StorePlace place, const char *text, gsize n)
{
  static const char *const fields[] = {"body", "sealed"};
  g_autoptr(JsonParser) parser = json_parser_new_immutable();
  JsonNode *root;

  if (body->failed || !text) {
    return !body->failed;
  }
  if (place == STORE_SEALED) {
    n = split_numbers(body, text, n);
  }
  if (n > G_MAXINT || !g_utf8_validate_len(text, n, NULL) || is_deep(text, n) ||
      !load(body, parser, text, n)) {
    store_body_corrupt(body, fields[place], "found no JSON object of Hilum's, expected one");
    return FALSE;
  }
  root = json_parser_get_root(parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
    store_body_corrupt(body, fields[place], "found something else, expected a JSON object");
    return FALSE;
  }
  body->json[place] = json_object_ref(json_node_get_object(root));
  return TRUE;
}

void
store_body_clear(StoreBody *body)
{
  for (guint i = 0; i < STORE_N_PLACES; i++) {
    g_clear_pointer(&body->json[i], json_object_unref);
  }
  store_wipe((char *)g_steal_pointer(&body->numbers), body->n_numbers);
  body->n_numbers = 0;
}

static JsonNode *
member(StoreBody *body, StorePlace place, const char *field)
{
  return body->failed || !body->json[place] ? NULL
                                            : json_object_get_member(body->json[place], field);
}

gboolean
store_body_has(StoreBody *body, StorePlace place, const char *field)
{
  return member(body, place, field) != NULL;
}

const char *
store_body_text(StoreBody *body, StorePlace place, const char *field, StoreNull null)
{
  JsonNode *node = member(body, place, field);
  const char *text;

  if (!node) {
    if (null == STORE_REQUIRED && body->json[place]) {
      store_body_corrupt(body, field, "found nothing, expected a text");
    }
    return NULL;
  }
  if (json_node_get_value_type(node) != G_TYPE_STRING) {
    store_body_corrupt(body, field, "found something else, expected a text");
    return NULL;
  }
  text = json_node_get_string(node);
  if (strlen(text) > STORE_MAX_TEXT) {
    store_body_corrupt(body, field, "found %" G_GSIZE_FORMAT " bytes, expected at most %u",
                       strlen(text), STORE_MAX_TEXT);
    return NULL;
  }
  return text;
}

static gboolean
read_int(StoreBody *body, JsonNode *node, const char *field, gint64 min, gint64 max, gint64 *value)
{
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64) {
    store_body_corrupt(body, field, "found something else, expected a whole number");
    return FALSE;
  }
  *value = json_node_get_int(node);
  if (*value < min || *value > max) {
    store_body_corrupt(body, field,
                       "found %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT
                       " to %" G_GINT64_FORMAT,
                       *value, min, max);
    *value = 0;
    return FALSE;
  }
  return TRUE;
}

void
store_body_time(StoreBody *body, char **time, char **imported)
{
  const char *first = store_body_text(body, STORE_CLEAR, "first_written", STORE_NULLABLE);

  if (first) {
    if (imported) {
      *imported = g_steal_pointer(time);
    }
    g_free(*time);
    *time = g_strdup(first);
  }
}

gint64
store_body_int(StoreBody *body, StorePlace place, const char *field, gint64 min, gint64 max)
{
  JsonNode *node = member(body, place, field);
  gint64 value = 0;

  return node && read_int(body, node, field, min, max, &value) ? value : 0;
}

guint
store_body_uint(StoreBody *body, StorePlace place, const char *field)
{
  return (guint)store_body_int(body, place, field, 0, G_MAXUINT);
}

static guint64
read_uint64(StoreBody *body, const char *field, const char *text)
{
  guint64 value = 0;

  if (text && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &value, NULL)) {
    store_body_corrupt(body, field, "found something else, expected a whole number as a text");
  }
  return value;
}

guint64
store_body_uint64(StoreBody *body, StorePlace place, const char *field)
{
  return read_uint64(body, field, store_body_text(body, place, field, STORE_NULLABLE));
}

gboolean
store_body_flag(StoreBody *body, StorePlace place, const char *field)
{
  JsonNode *node = member(body, place, field);

  if (!node) {
    return FALSE;
  }
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
    store_body_corrupt(body, field, "found something else, expected true or false");
    return FALSE;
  }
  return json_node_get_boolean(node);
}

static double
read_real(StoreBody *body, JsonNode *node, const char *field)
{
  static const struct {
    const char *text;
    double value;
  } others[] = {{"nan", (double)NAN}, {"inf", HUGE_VAL}, {"-inf", -HUGE_VAL}};
  GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
    return json_node_get_double(node);
  }
  for (guint i = 0; type == G_TYPE_STRING && i < G_N_ELEMENTS(others); i++) {
    if (strcmp(json_node_get_string(node), others[i].text) == 0) {
      return others[i].value;
    }
  }
  store_body_corrupt(body, field, "found something else, expected a number");
  return (double)NAN;
}

double
store_body_real(StoreBody *body, StorePlace place, const char *field)
{
  JsonNode *node = member(body, place, field);

  return node ? read_real(body, node, field) : (double)NAN;
}

/* NULL where there is none or it is empty. */
static JsonArray *
list(StoreBody *body, StorePlace place, const char *field)
{
  JsonNode *node = member(body, place, field);
  JsonArray *array;

  if (!node) {
    return NULL;
  }
  if (!JSON_NODE_HOLDS_ARRAY(node)) {
    store_body_corrupt(body, field, "found something else, expected a list");
    return NULL;
  }
  array = json_node_get_array(node);
  if (json_array_get_length(array) > STORE_MAX_IDS) {
    store_body_corrupt(body, field, "found %u, expected at most %u", json_array_get_length(array),
                       STORE_MAX_IDS);
    return NULL;
  }
  return json_array_get_length(array) ? array : NULL;
}

gint64 *
store_body_rows(StoreBody *body, StorePlace place, const char *field, gsize *count)
{
  JsonArray *array = list(body, place, field);
  g_autofree gint64 *rows = NULL;

  *count = 0;
  if (!array) {
    return NULL;
  }
  rows = g_new(gint64, json_array_get_length(array));
  for (guint i = 0; i < json_array_get_length(array); i++) {
    if (!read_int(body, json_array_get_element(array, i), field, 1, G_MAXINT64, &rows[i])) {
      return NULL;
    }
  }
  *count = json_array_get_length(array);
  return g_steal_pointer(&rows);
}

static gboolean
is_cut(const char *text, gsize length, gint64 end)
{
  return end <= (gint64)length && ((guchar)text[end] & 0xc0) != 0x80;
}

/* ---- numbers behind the object ----------------------------------------------------------------
 */

/* Where the numbers that NODE, {"i16": COUNT, "at": BYTE}, tells of lie; NULL: there are none, or
 * it is wrong. REALS: they must be. */
static const guint8 *
find_numbers(StoreBody *body, JsonNode *node, const char *field, gboolean reals, StoreWidth *width,
             gsize *count)
{
  JsonObject *where = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  JsonNode *n = NULL, *at = where ? json_object_get_member(where, "at") : NULL;
  gint64 many = 0, from = 0;

  *count = 0;
  for (guint i = reals ? STORE_F32 : 0; where && !n && i < STORE_F32 + (guint)reals; i++) {
    *width = (StoreWidth)i;
    n = json_object_get_member(where, store_numbers_name(*width));
  }
  if (!n || !at) {
    store_body_corrupt(body, field, "found something else, expected a list");
    return NULL;
  }
  if (!read_int(body, n, field, 0, STORE_MAX_IDS, &many) ||
      !read_int(body, at, field, 0, G_MAXINT64, &from)) {
    return NULL;
  }
  if ((guint64)from > body->n_numbers ||
      (gsize)many > (body->n_numbers - (gsize)from) / store_numbers_bytes(*width)) {
    store_body_corrupt(body, field,
                       "found %" G_GINT64_FORMAT " numbers from byte %" G_GINT64_FORMAT
                       " on, and %" G_GSIZE_FORMAT " bytes in all",
                       many, from, body->n_numbers);
    return NULL;
  }
  *count = (gsize)many;
  return many ? body->numbers + from : NULL;
}

/* Those of a list of JSON, as events were written before. */
static gint32 *
listed_ids(StoreBody *body, const char *field, gsize *count)
{
  JsonArray *array = list(body, STORE_SEALED, field);
  g_autofree gint32 *ids = NULL;

  if (!array) {
    return NULL;
  }
  ids = g_new(gint32, json_array_get_length(array));
  for (guint i = 0; i < json_array_get_length(array); i++) {
    gint64 id = 0;
    if (!read_int(body, json_array_get_element(array, i), field, G_MININT32, G_MAXINT32, &id)) {
      return NULL;
    }
    ids[i] = (gint32)id;
  }
  *count = json_array_get_length(array);
  return g_steal_pointer(&ids);
}

gint32 *
store_body_ids(StoreBody *body, const char *field, gsize *count)
{
  JsonNode *node = member(body, STORE_SEALED, field);
  const guint8 *from;
  StoreWidth width = 0;

  *count = 0;
  if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
    return listed_ids(body, field, count);
  }
  from = find_numbers(body, node, field, FALSE, &width, count);
  return from ? store_numbers_take(from, width, *count) : NULL;
}

/* [[END, P], ...], as events were written before. */
static StorePiece *
listed_pieces(StoreBody *body, const char *field, gsize *count)
{
  JsonArray *array = list(body, STORE_SEALED, field);
  g_autofree StorePiece *pieces = NULL;

  if (!array) {
    return NULL;
  }
  pieces = g_new0(StorePiece, json_array_get_length(array));
  for (guint i = 0; i < json_array_get_length(array); i++) {
    JsonNode *node = json_array_get_element(array, i);
    JsonArray *pair = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    gint64 end = 0;

    if (!pair || json_array_get_length(pair) != 2) {
      store_body_corrupt(body, field, "found something else, expected pairs");
      return NULL;
    }
    if (!read_int(body, json_array_get_element(pair, 0), field, 0, G_MAXUINT, &end)) {
      return NULL;
    }
    pieces[i] =
        (StorePiece){(guint)end, (float)read_real(body, json_array_get_element(pair, 1), field)};
  }
  *count = json_array_get_length(array);
  return g_steal_pointer(&pieces);
}

/* {"ends": ..., "p": ...} */
static StorePiece *
dense_pieces(StoreBody *body, JsonObject *object, const char *field, gsize *count)
{
  StoreWidth width = 0, real = STORE_F32;
  gsize n = 0, n_p = 0;
  const guint8 *from =
      find_numbers(body, json_object_get_member(object, "ends"), field, FALSE, &width, &n);
  const guint8 *from_p = body->failed ? NULL
                                      : find_numbers(body, json_object_get_member(object, "p"),
                                                     field, TRUE, &real, &n_p);
  g_autofree gint32 *ends = NULL;
  g_autofree float *p = NULL;
  StorePiece *pieces;

  if (!body->failed && n != n_p) {
    store_body_corrupt(body, field, "found something else, expected pairs");
  }
  if (body->failed || !from || !from_p) {
    return NULL;
  }
  ends = store_numbers_take(from, width, n);
  p = store_numbers_take_reals(from_p, n);
  pieces = g_new0(StorePiece, n);
  for (gsize i = 0; i < n; i++) {
    pieces[i] = (StorePiece){(guint)ends[i], p[i]}; /* below 0: beyond any text */
  }
  *count = n;
  return pieces;
}

StorePiece *
store_body_pieces(StoreBody *body, const char *field, const char *text, gsize *count)
{
  JsonNode *node = member(body, STORE_SEALED, field);
  const gsize length = text ? strlen(text) : 0;
  g_autofree StorePiece *pieces = NULL;
  gsize n = 0;

  *count = 0;
  pieces = node && JSON_NODE_HOLDS_OBJECT(node)
               ? dense_pieces(body, json_node_get_object(node), field, &n)
               : listed_pieces(body, field, &n);
  for (gsize i = 0; pieces && !body->failed && i < n; i++) {
    const guint before = i ? pieces[i - 1].end : 0;

    if (pieces[i].end < before || !is_cut(text ? text : "", length, pieces[i].end) ||
        !(pieces[i].p >= 0 && pieces[i].p <= 1)) {
      store_body_corrupt(body, field, "found a piece that the answer does not have");
    }
  }
  if (body->failed || !pieces) {
    return NULL;
  }
  *count = n;
  return g_steal_pointer(&pieces);
}

void
store_body_answers(StoreBody *body, StorePlace place, const char *field, GArray *answers)
{
  JsonArray *array = list(body, place, field);

  for (guint i = 0; array && !body->failed && i < json_array_get_length(array); i++) {
    JsonNode *node = json_array_get_element(array, i);
    StoreBody one = *body;
    StoreCheckAnswer answer = {0};

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
      store_body_corrupt(body, field, "found something else, expected objects");
      return;
    }
    one.json[place] = json_node_get_object(node);
    answer.answer = g_strdup(store_body_text(&one, place, "answer", STORE_REQUIRED));
    answer.seed = store_body_uint64(&one, place, "seed");
    answer.blank = store_body_flag(&one, place, "blank");
    body->failed = one.failed;
    g_array_append_val(answers, answer);
  }
}
