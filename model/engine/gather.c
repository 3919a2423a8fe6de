/* gather.c - importance: looks at the inputs of every product that an engine computes. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "checkpoint/imatrix.h"
#include "checkpoint/roles.h"

/* Called for one product at a time, under the pool's lock. */
static void
on_product(const ModelProduct *product, const float *x, uint64_t m, void *user)
{
  ModelImatrix *imatrix = user;

  for (uint32_t i = 0; i < imatrix->n; i++) {
    ModelImatrixEntry *entry = &imatrix->entries[i];
    if (entry->tensor != product->w) {
      continue;
    }
    for (uint64_t row = 0; row < m; row++) {
      for (uint64_t k = 0; k < entry->columns; k++) {
        const double value = (double)x[row * entry->columns + k];
        entry->sums[k] += value * value;
      }
    }
    entry->n_rows += (double)m;
    return;
  }
}

static bool
add_role(ModelImatrix *imatrix, const ModelRole *role, const ModelTensor *tensor, ModelError *err)
{
  ModelImatrixEntry *entry;

  if (role->n_dims < 2 || !tensor->name) {
    return true;
  }
  entry = model_imatrix_add(imatrix, role->gguf, model_tensor_columns(tensor), err);
  if (!entry) {
    return false;
  }
  entry->tensor = tensor;
  return true;
}

ModelImatrix *
model_imatrix_gather(ModelEngine *engine, ModelError *err)
{
  ModelImatrix *imatrix = calloc(1, sizeof *imatrix);
  ModelWeights *weights = &engine->weights;
  ModelConfig config = engine->checkpoint.config;
  ModelRole role;
  bool ok = imatrix ? model_engine_check_ready(engine, err)
                    : model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory");

  /* An engine holds no more of the tower than it runs. */
  config.vision.blocks_stored = config.vision.blocks_run;
  for (uint32_t i = 0; ok && model_role_at(&config, weights, i, &role); i++) {
    /* A token embedding is in no product, unless it is the output too. */
    const ModelTensor *tensor = role.tensor != &weights->token_embedding ? role.tensor
                                : weights->tied                          ? &weights->output
                                                                         : NULL;
    ok = !tensor || add_role(imatrix, &role, tensor, err);
  }
  if (!ok) {
    model_imatrix_free(imatrix);
    return NULL;
  }
  snprintf(imatrix->model_name, sizeof imatrix->model_name, "%s", engine->info.name);
  snprintf(imatrix->identity, sizeof imatrix->identity, "%s", engine->identity);
  model_pool_observe(engine->pool, on_product, imatrix);
  return imatrix;
}

void
model_imatrix_stop(ModelEngine *engine)
{
  model_pool_observe(engine->pool, NULL, NULL);
}
