/* tokenizer.c - text to ids, for `hilum tokenize`. */
#include "private.h"

struct _AppTokenizer {
  ModelEngine *engine;
};

AppTokenizer *
app_tokenizer_open(const AppModelOptions *options, GError **error)
{
  ModelEngine *engine = app_engine_inspect(options, error);
  AppTokenizer *tokenizer;

  if (!engine) {
    return NULL;
  }
  tokenizer = g_new0(AppTokenizer, 1);
  tokenizer->engine = engine;
  return tokenizer;
}

JsonNode *
app_tokenizer_line(AppTokenizer *tokenizer, const char *text, gsize length, GError **error)
{
  ModelIds plain = {0}, special = {0};
  ModelError failure = {0};
  JsonNode *node = NULL;

  if (model_tokenize(tokenizer->engine, text, length, &plain, &failure) &&
      model_tokenize_special(tokenizer->engine, text, length, &special, &failure)) {
    JsonObject *object = json_object_new();
    app_json_set_ids(object, "ids", plain.ids, plain.n);
    app_json_set_ids(object, "ids_special", special.ids, special.n);
    node = app_json_node(object);
  } else {
    app_error_from_model(error, &failure);
  }
  model_ids_clear(&plain);
  model_ids_clear(&special);
  return node;
}

void
app_tokenizer_free(AppTokenizer *tokenizer)
{
  if (tokenizer) {
    model_engine_free(tokenizer->engine);
    g_free(tokenizer);
  }
}
