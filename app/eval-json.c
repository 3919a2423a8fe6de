/* eval-json.c - foreign JSON, member by member: what is of another type than expected is not there.
 */
#include "eval.h"

char *
app_eval_text(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  if (!node || !JSON_NODE_HOLDS_VALUE(node)) {
    return NULL;
  }
  switch (json_node_get_value_type(node)) {
  case G_TYPE_STRING:
    return g_strdup(json_node_get_string(node));
  case G_TYPE_INT64:
    return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
  case G_TYPE_DOUBLE: {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    return g_strdup(g_ascii_formatd(text, sizeof text, "%g", json_node_get_double(node)));
  }
  default:
    return NULL;
  }
}

const char *
app_eval_string(JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}

JsonArray *
app_eval_array(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

const char *
app_eval_turn(JsonArray *turns, guint i)
{
  JsonNode *node = json_array_get_element(turns, i);

  return JSON_NODE_HOLDS_OBJECT(node) ? app_json_get_text(json_node_get_object(node), "value")
                                      : NULL;
}

JsonObject *
app_eval_object(const AppRecord *record, char **why)
{
  g_autoptr(GError) error = NULL;
  JsonObject *object;

  if (record->is_rest) {
    *why = g_strdup("no whole JSON object begins here; what follows is not read");
    return NULL;
  }
  object = app_json_object_read(record->text, record->n, &error);
  if (!object) {
    *why = g_strdup(error->message);
  }
  return object;
}
