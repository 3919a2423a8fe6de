/* log-all.c - conversations of a log and of all logs that it goes on from. */
#include "app_rotate.h"
#include "app_trust.h"
#include "private.h"

/* Those of FILE go to ROWS, each with its "log". */
static gboolean
add_rows(JsonArray *rows, const char *file, const char *words, guint limit, GError **error)
{
  g_autoptr(JsonNode) node =
      words ? app_log_search(file, words, limit, error) : app_log_list(file, limit, error);
  JsonArray *found = node ? json_node_get_array(node) : NULL;

  for (guint i = 0; found && i < json_array_get_length(found); i++) {
    JsonObject *row = json_array_get_object_element(found, i);

    app_json_set_text(row, "log", file);
    json_array_add_object_element(rows, json_object_ref(row));
  }
  return found != NULL;
}

JsonNode *
app_log_find_all(const char *log_path, const char *words, guint limit, GError **error)
{
  g_autoptr(JsonNode) links = app_log_links(log_path, error);
  JsonArray *logs = links ? json_node_get_array(links) : NULL;
  g_autoptr(JsonArray) rows = json_array_new(), missing = json_array_new();
  JsonObject *object;

  if (!logs) {
    return NULL;
  }
  for (guint i = json_array_get_length(logs); i > 0; i--) {
    JsonObject *link = json_array_get_object_element(logs, i - 1);
    const char *state = app_json_get_text(link, "state");
    const char *file = app_json_get_text(link, "file");
    const guint had = json_array_get_length(rows);

    if (limit > 0 && had >= limit) {
      break;
    }
    if (g_strcmp0(state, "open") == 0 || g_strcmp0(state, "sealed") == 0) {
      if (!add_rows(rows, file, words, limit > 0 ? limit - had : 0, error)) {
        return NULL;
      }
    } else if (g_strcmp0(state, "removed") != 0) {
      json_array_add_string_element(missing, file);
    }
  }
  object = json_object_new();
  json_object_set_array_member(object, "conversations", g_steal_pointer(&rows));
  json_object_set_array_member(object, "missing", g_steal_pointer(&missing));
  return app_json_object_node(object);
}
