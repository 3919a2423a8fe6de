/* test-cases.c - the broken models and configurations of tests/cases/. */
#include "cases/cases.h"

#include "base/error.h"
#include "checkpoint/json.h"
#include "checkpoint/table.h"
#include "tokenizer/tokenizer.h"

static char *
outcome(bool done, const ModelError *err)
{
  g_assert_true(done == (err->code == MODEL_OK));
  return done ? NULL : g_strdup(err->message);
}

static char *
read_gguf(const char *path)
{
  ModelCheckpoint checkpoint;
  ModelError err = {0};
  const bool done = model_checkpoint_open(path, NULL, &checkpoint, &err);

  if (done) {
    model_checkpoint_close(&checkpoint);
  }
  return outcome(done, &err);
}

static char *
read_safetensors(const char *path)
{
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  ModelError err = {0};
  const bool done = model_mapping_open(path, &mapping, &err) &&
                    model_safetensors_read(mapping, &table, &err) && model_table_seal(&table, &err);

  model_table_clear(&table);
  model_mapping_free(mapping);
  return outcome(done, &err);
}

static char *
read_json(const char *path)
{
  ModelJson json;
  ModelError err = {0};
  const bool done = model_json_read(path, &json, &err);

  if (done) {
    model_json_clear(&json);
  }
  return outcome(done, &err);
}

static char *
read_tokenizer(const char *path)
{
  const ModelConfig config = {
      .bos = -1, .eos = -1, .pad = -1, .id_im_patch = -1, .id_im_start = -1, .id_im_end = -1};
  ModelVocabulary vocabulary = {0};
  ModelTokenizer *tokenizer = NULL;
  ModelError err = {0};
  g_autofree char *bytes = NULL;
  gsize n;

  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  if (model_vocabulary_parse((const uint8_t *)bytes, n, path, &vocabulary, &err)) {
    tokenizer = model_tokenizer_new(&vocabulary, &config, &err);
    if (!tokenizer) {
      model_fail_in(path, &err);
    }
  }
  model_tokenizer_free(tokenizer);
  model_vocabulary_clear(&vocabulary);
  return outcome(tokenizer != NULL, &err);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  cases_add("gguf", read_gguf);
  cases_add("safetensors", read_safetensors);
  cases_add("json", read_json);
  cases_add("tokenizer", read_tokenizer);
  return g_test_run();
}
