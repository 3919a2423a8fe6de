/* weights.c - which weights are used in place and which are dequantised once, the one place.
 *
 * Vectors are always made float32: they are small, and kernels read them as arrays. Matrices stay
 * in the file's mapping and are dequantised block by block as they are used, unless the whole model
 * is small: then everything becomes float32 once, here, so that a demo model is fast. Tensors that
 * are aligned float32 in the file already are never copied.
 */
#include "engine/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define ALIGN_FLOATS 16u /* slices of the arena start on 64 bytes */

typedef struct {
  bool everything; /* matrices too */
  uint64_t floats; /* of the arena: counted in the first pass, handed out in the second */
  uint64_t total;  /* of the whole model as float32 */
  float *arena;    /* NULL in the first pass */
  bool wide;       /* a row wider than a worker's scratch, or more rows than BLAS counts */
} Pass;

static void
visit(Pass *pass, ModelTensor *tensor, bool vector)
{
  const uint64_t rows = tensor->name ? model_tensor_rows(tensor) : 0;
  const uint64_t columns = tensor->name ? model_tensor_columns(tensor) : 0;
  const uint64_t n = rows * columns; /* the reader has held it against the file's size */

  if (n == 0) {
    return;
  }
  pass->wide = pass->wide || columns > MODEL_POOL_SCRATCH || rows > INT32_MAX;
  pass->total += n;
  if ((!vector && !pass->everything) ||
      (tensor->type == MODEL_TYPE_F32 && ((uintptr_t)tensor->data & (sizeof(float) - 1)) == 0)) {
    return;
  }
  if (pass->arena) {
    float *out = pass->arena + pass->floats;
    model_tensor_read_rows(tensor, 0, rows, out);
    tensor->data = (const uint8_t *)out;
    tensor->n_bytes = n * sizeof(float);
    tensor->type = MODEL_TYPE_F32;
  }
  pass->floats += (n + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static void
visit_vision(Pass *pass, ModelWeights *w, const ModelConfig *config)
{
  visit(pass, &w->class_embedding, true);
  visit(pass, &w->patch_embedding, false);
  visit(pass, &w->position_embedding, true);
  visit(pass, &w->pre_ln_w, true);
  visit(pass, &w->pre_ln_b, true);
  /* Blocks past blocks_run and post_layernorm are never computed. */
  for (uint32_t i = 0; i < config->vision.blocks_run; i++) {
    ModelVisionBlock *b = &w->blocks[i];
    ModelTensor *vectors[] = {&b->ln1_w, &b->ln1_b, &b->q_b,   &b->k_b,   &b->v_b,
                              &b->o_b,   &b->ln2_w, &b->ln2_b, &b->fc1_b, &b->fc2_b};
    ModelTensor *matrices[] = {&b->q_w, &b->k_w, &b->v_w, &b->o_w, &b->fc1_w, &b->fc2_w};
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
      visit(pass, vectors[k], true);
    }
    for (size_t k = 0; k < sizeof matrices / sizeof *matrices; k++) {
      visit(pass, matrices[k], false);
    }
  }
  for (int i = 0; i < 2; i++) {
    visit(pass, &w->mm_w[i], false);
    visit(pass, &w->mm_b[i], true);
  }
}

static void
visit_all(Pass *pass, ModelWeights *w, const ModelConfig *config)
{
  if (config->has_vision) {
    visit_vision(pass, w, config);
  }
  visit(pass, &w->token_embedding, false);
  for (uint32_t i = 0; i < config->decoder.layers; i++) {
    ModelLayer *l = &w->layers[i];
    ModelTensor *matrices[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    visit(pass, &l->attn_norm, true);
    visit(pass, &l->ffn_norm, true);
    for (size_t k = 0; k < sizeof matrices / sizeof *matrices; k++) {
      visit(pass, matrices[k], false);
    }
  }
  visit(pass, &w->output_norm, true);
  if (w->tied) {
    w->output = w->token_embedding;
  } else {
    visit(pass, &w->output, false);
  }
}

static void *
copy(const void *from, size_t n, size_t size)
{
  void *to = n > 0 ? calloc(n, size) : NULL;

  if (to && from) {
    memcpy(to, from, n * size);
  }
  return to;
}

bool
model_engine_weights(ModelEngine *engine, uint64_t arena_bytes, ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;
  const uint32_t n_blocks = config->has_vision ? config->vision.blocks_run : 0;
  ModelWeights *w = &engine->weights;
  Pass pass = {0};

  *w = engine->checkpoint.weights;
  w->blocks = copy(w->blocks, n_blocks, sizeof *w->blocks);
  w->layers = copy(w->layers, config->decoder.layers, sizeof *w->layers);
  if ((n_blocks > 0 && !w->blocks) || !w->layers) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the table of weights");
  }
  visit_all(&pass, w, config);
  if (pass.wide) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "%s: a weight has more than %u columns or %d rows", engine->checkpoint.path,
                      MODEL_POOL_SCRATCH, INT32_MAX);
  }
  if (pass.total <= arena_bytes / sizeof(float)) {
    pass = (Pass){.everything = true};
    visit_all(&pass, w, config);
  }
  if (pass.floats > 0) {
    const uint64_t floats = pass.floats;
    engine->arena = floats < SIZE_MAX / sizeof(float) / 2
                        ? aligned_alloc(ALIGN_FLOATS * sizeof(float), floats * sizeof(float))
                        : NULL;
    if (!engine->arena) {
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %llu float32 weights",
                        (unsigned long long)floats);
    }
    pass.arena = engine->arena;
    pass.floats = 0;
    visit_all(&pass, w, config);
    assert(pass.floats == floats);
  }
  return true;
}

void
model_engine_weights_clear(ModelEngine *engine)
{
  free(engine->weights.blocks);
  free(engine->weights.layers);
  free(engine->arena);
}
