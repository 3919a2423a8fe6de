/* fuzz-model.h - what is done with a checkpoint that opens: everything that the program does. */
#ifndef HILUM_TESTS_FUZZ_MODEL_H
#define HILUM_TESTS_FUZZ_MODEL_H

#include "fuzz.h"

#include "model.h"

#include <string.h>

/* A model may be of any size that its file pays for; work with it is bounded here. */
#define FUZZ_MOST_PARAMETERS 200000u
#define FUZZ_MOST_PATCHES 64u

static inline void
fuzz_ask(ModelEngine *engine, const ModelInfo *info)
{
  static const uint8_t grey[4] = {0, 80, 160, 255};
  const ModelImage picture = {2, 2, 1, grey};
  const ModelSessionOptions options = {MIN(info->context, 128)};
  const ModelSampling sampling = {0.7f, 0.9f, 1, 2};
  ModelError err = {0};
  ModelAnswer answer = {0};
  ModelSession *session = model_session_new(engine, &options, &err);

  if (session && model_session_ask(session, info->has_vision ? &picture : NULL, "abba cafe",
                                   &sampling, NULL, &answer, &err)) {
    g_assert(g_utf8_validate(answer.text, -1, NULL));
    model_answer_clear(&answer);
  } else {
    fuzz_check_message(err.message);
  }
  model_session_free(session);
}

static inline void
fuzz_use(ModelEngine *engine)
{
  const ModelInfo *info = model_engine_info(engine);
  ModelIds ids = {0};
  ModelError err = {0};
  char hex[65];

  g_assert(g_utf8_validate(info->name, -1, NULL) && g_utf8_validate(info->model_card, -1, NULL));
  g_assert(model_engine_sha256(engine, hex, &err) && strlen(hex) == 64);
  if (model_tokenize_special(engine, "<s>a lab </s>", 13, &ids, &err)) {
    char *text = model_detokenize(engine, ids.ids, ids.n, &err);
    g_assert(!text || g_utf8_validate(text, -1, NULL));
    free(text);
  }
  model_ids_clear(&ids);
  if (info->n_parameters <= FUZZ_MOST_PARAMETERS && info->n_image_tokens <= FUZZ_MOST_PATCHES) {
    fuzz_ask(engine, info);
  }
}

/* Opens PATH as the program does, and works with it. */
static inline void
fuzz_model(const char *path, const char *mmproj)
{
  const ModelEngineOptions options = {.mmproj = mmproj, .n_threads = 1};
  ModelError err = {0};
  ModelEngine *engine = model_engine_open(path, &options, &err);

  if (engine) {
    fuzz_use(engine);
    model_engine_free(engine);
  } else {
    fuzz_check_message(err.message);
  }
}

#endif
