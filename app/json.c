/* json.c - JSON as this program writes it.
 *
 * json-glib's own generator prints 0.2 as 0.20000000000000001 and NaN as NaN, which is no JSON.
 */
#include <math.h>
#include <string.h>

#include "private.h"

static void append_node(GString *out, JsonNode *node);

static void
append_string(GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

  g_string_append_c(out, '"');
  for (const char *p = valid; *p; p++) {
    switch (*p) {
    case '"':
      g_string_append(out, "\\\"");
      break;
    case '\\':
      g_string_append(out, "\\\\");
      break;
    case '\n':
      g_string_append(out, "\\n");
      break;
    case '\r':
      g_string_append(out, "\\r");
      break;
    case '\t':
      g_string_append(out, "\\t");
      break;
    default:
      if ((guchar)*p < 0x20 || *p == 0x7f) {
        g_string_append_printf(out, "\\u%04x", (guint)(guchar)*p);
      } else {
        g_string_append_c(out, *p);
      }
    }
  }
  g_string_append_c(out, '"');
}

static void
append_double(GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite(value)) {
    g_string_append(out, "null");
    return;
  }
  for (int digits = 6; digits <= 17; digits++) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, NULL) == value) {
      break;
    }
  }
  g_string_append(out, text);
  if (!strpbrk(text, ".e")) {
    g_string_append(out, ".0");
  }
}

static void
append_value(GString *out, JsonNode *node)
{
  GType type = json_node_get_value_type(node);

  if (type == G_TYPE_STRING) {
    append_string(out, json_node_get_string(node));
  } else if (type == G_TYPE_BOOLEAN) {
    g_string_append(out, json_node_get_boolean(node) ? "true" : "false");
  } else if (type == G_TYPE_DOUBLE) {
    append_double(out, json_node_get_double(node));
  } else {
    g_string_append_printf(out, "%" G_GINT64_FORMAT, json_node_get_int(node));
  }
}

static void
append_array(GString *out, JsonArray *array)
{
  guint n = json_array_get_length(array);

  g_string_append_c(out, '[');
  for (guint i = 0; i < n; i++) {
    if (i > 0) {
      g_string_append(out, ", ");
    }
    append_node(out, json_array_get_element(array, i));
  }
  g_string_append_c(out, ']');
}

static void
append_object(GString *out, JsonObject *object)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;
  gboolean first = TRUE;

  g_string_append_c(out, '{');
  json_object_iter_init_ordered(&iter, object);
  while (json_object_iter_next_ordered(&iter, &name, &member)) {
    if (!first) {
      g_string_append(out, ", ");
    }
    first = FALSE;
    append_string(out, name);
    g_string_append(out, ": ");
    append_node(out, member);
  }
  g_string_append_c(out, '}');
}

/* Only trees that this room built come here, so their depth is our own. */
static void
append_node(GString *out, JsonNode *node)
{
  switch (json_node_get_node_type(node)) {
  case JSON_NODE_OBJECT:
    append_object(out, json_node_get_object(node));
    break;
  case JSON_NODE_ARRAY:
    append_array(out, json_node_get_array(node));
    break;
  case JSON_NODE_VALUE:
    append_value(out, node);
    break;
  case JSON_NODE_NULL:
  default:
    g_string_append(out, "null");
  }
}

char *
app_json_text(JsonNode *node)
{
  GString *out = g_string_new(NULL);

  append_node(out, node);
  return g_string_free(out, FALSE);
}

void
app_json_set_text(JsonObject *object, const char *member, const char *text)
{
  if (text && *text) {
    json_object_set_string_member(object, member, text);
  } else {
    json_object_set_null_member(object, member);
  }
}

void
app_json_set_ids(JsonObject *object, const char *member, const gint32 *ids, gsize n)
{
  JsonArray *array = json_array_sized_new((guint)n);

  for (gsize i = 0; i < n; i++) {
    json_array_add_int_element(array, ids[i]);
  }
  json_object_set_array_member(object, member, array);
}

void
app_json_set_object(JsonObject *object, const char *member, JsonObject *value)
{
  json_object_set_object_member(object, member, value);
}

JsonNode *
app_json_node(JsonObject *object)
{
  JsonNode *node = json_node_new(JSON_NODE_OBJECT);

  json_node_take_object(node, object);
  return node;
}

JsonNode *
app_json_object_node(JsonObject *object)
{
  JsonNode *node = json_node_new(JSON_NODE_OBJECT);

  json_node_take_object(node, object);
  return node;
}
