/* projector.c - from the tower's width to the decoder's (facts 1.3): one linear layer, or two with
 * the exact (erf) GELU between. */
#include "engine/engine.h"

#include <stdlib.h>

#include "base/error.h"

typedef struct {
  float *values;
  uint64_t width;
} Middle;

static void
activate_rows(uint64_t first, uint64_t n, void *user)
{
  const Middle *middle = user;

  model_gelu_erf(middle->values + first * middle->width, n * middle->width);
}

bool
model_project(const ModelEngine *engine, const float *features, float *rows, ModelError *err)
{
  return model_project_some(engine, features, engine->n_patches, rows, err);
}

bool
model_project_some(const ModelEngine *engine, const float *features, uint32_t n, float *rows,
                   ModelError *err)
{
  const ModelWeights *w = &engine->weights;
  Middle middle = {.width = model_tensor_rows(&w->mm_w[0])};
  size_t bytes;

  if (engine->checkpoint.config.projector == MODEL_PROJECTOR_LINEAR) {
    model_matmul(engine->pool, &w->mm_w[0], model_vector(&w->mm_b[0]), features, n, rows);
    return true;
  }
  if (!model_size(n, middle.width, sizeof(float), 1, "the projector's workspace", &bytes, err)) {
    return false;
  }
  middle.values = malloc(bytes);
  if (!middle.values) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the projector (%zu bytes)",
                      bytes);
  }
  model_matmul(engine->pool, &w->mm_w[0], model_vector(&w->mm_b[0]), features, n, middle.values);
  model_rows_run(engine->pool, n, activate_rows, &middle);
  model_matmul(engine->pool, &w->mm_w[1], model_vector(&w->mm_b[1]), middle.values, n, rows);
  free(middle.values);
  return true;
}
