/* fuzz-json.c - both readers of JSON from elsewhere: the model's configurations, and the records of
 * data sets. */
#include "fuzz.h"

#include "checkpoint/json.h"
#include "private.h" /* of app */

static void
ask_members(const ModelJson *json, const ModelJsonNode *node)
{
  uint32_t u32;
  int32_t i32;
  float number;
  bool flag;
  const char *text;
  uint64_t u64;
  ModelError err = {0};

  for (const ModelJsonNode *child = node->child; child; child = child->next) {
    g_assert(child->parent == node);
    model_json_to_u64(child, &u64);
    if (child->key) {
      g_assert(model_json_get(node, child->key) || child->type == MODEL_JSON_NULL ||
               node->n_children > 1);
      model_json_u32(json, node, child->key, &u32, &err);
      model_json_i32(json, node, child->key, &i32, &err);
      model_json_float(json, node, child->key, &number, &err);
      model_json_bool(json, node, child->key, &flag, &err);
      model_json_string(json, node, child->key, &text, &err);
    }
  }
}

/* Every node, parents before children. Members are looked up one by one, so in small objects only.
 */
static void
walk(const ModelJson *json)
{
  const ModelJsonNode *node = json->nodes;

  while (node) {
    if (node->n_children <= 64) {
      ask_members(json, node);
    }
    if (node->child) {
      node = node->child;
      continue;
    }
    while (node && !node->next) {
      node = node->parent;
    }
    node = node ? node->next : NULL;
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  ModelJson json;
  ModelError err = {0};
  g_autoptr(GError) error = NULL;
  JsonObject *object;

  fuzz_start();
  if (model_json_parse((const char *)data, n, "fuzz.json", &json, &err)) {
    walk(&json);
    model_json_clear(&json);
  } else {
    fuzz_check_message(err.message);
  }
  object = app_json_object_read((const char *)data, n, &error);
  fuzz_check_error(object != NULL, error);
  if (object) {
    app_json_get_text(object, "id");
    json_object_unref(object);
  }
  return 0;
}
