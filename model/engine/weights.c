/* weights.c - in which form weights are computed with, the one place.
 *
 * Vectors are always made float32: they are small, and kernels read them as arrays. A small model
 * becomes float32 as a whole, so that a demo model is exact and fast. In others, quantised matrices
 * are packed (kernels/packed.h) into memory of their own, and the file's pages are given back as
 * that goes on: the weights are never in memory twice. What a file holds packed is used where it
 * lies. With a quantised decoder the tower's and the projector's float matrices become 8-bit ones;
 * other float matrices stay in the file's mapping, read block by block as they are used. Tensors
 * that are aligned float32 in the file already are never copied, and the token embedding is read
 * row by row where it lies.
 */
#include "engine/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "engine/pack.h"

#define ALIGN_FLOATS 16u /* slices of the arena start on 64 bytes */

typedef struct {
  bool everything;       /* matrices too */
  uint64_t floats;       /* of the arena: counted in the first pass, handed out in the second */
  uint64_t total;        /* of the whole model as float32 */
  float *arena;          /* NULL in the first pass */
  ModelPacking *packing; /* the last pass: hands it the matrices; NULL in the others */
  bool wide;             /* a row wider than a worker's scratch, or more rows than BLAS counts */
} Pass;

/* TABLE: rows are read, nothing is multiplied. */
typedef enum { VECTOR, MATRIX, TABLE } Use;

static void
visit(Pass *pass, ModelTensor *tensor, Use use)
{
  const bool vector = use == VECTOR;
  const uint64_t rows = tensor->name ? model_tensor_rows(tensor) : 0;
  const uint64_t columns = tensor->name ? model_tensor_columns(tensor) : 0;
  const uint64_t n = rows * columns; /* the reader has held it against the file's size */

  if (n == 0) {
    return;
  }
  pass->wide = pass->wide || columns > MODEL_POOL_SCRATCH || rows > INT32_MAX;
  if (pass->packing) {
    if (use == MATRIX) {
      model_packing_add(pass->packing, tensor);
    }
    return;
  }
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
  visit(pass, &w->class_embedding, VECTOR);
  visit(pass, &w->patch_embedding, MATRIX);
  visit(pass, &w->position_embedding, VECTOR);
  visit(pass, &w->pre_ln_w, VECTOR);
  visit(pass, &w->pre_ln_b, VECTOR);
  /* Blocks past blocks_run and post_layernorm are never computed. */
  for (uint32_t i = 0; i < config->vision.blocks_run; i++) {
    ModelVisionBlock *b = &w->blocks[i];
    ModelTensor *vectors[] = {&b->ln1_w, &b->ln1_b, &b->q_b,   &b->k_b,   &b->v_b,
                              &b->o_b,   &b->ln2_w, &b->ln2_b, &b->fc1_b, &b->fc2_b};
    ModelTensor *matrices[] = {&b->q_w, &b->k_w, &b->v_w, &b->o_w, &b->fc1_w, &b->fc2_w};
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
      visit(pass, vectors[k], VECTOR);
    }
    for (size_t k = 0; k < sizeof matrices / sizeof *matrices; k++) {
      visit(pass, matrices[k], MATRIX);
    }
  }
  for (int i = 0; i < 2; i++) {
    visit(pass, &w->mm_w[i], MATRIX);
    visit(pass, &w->mm_b[i], VECTOR);
  }
}

static void
visit_decoder(Pass *pass, ModelWeights *w, const ModelConfig *config)
{
  visit(pass, &w->token_embedding, TABLE);
  for (uint32_t i = 0; i < config->decoder.layers; i++) {
    ModelLayer *l = &w->layers[i];
    ModelTensor *matrices[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    visit(pass, &l->attn_norm, VECTOR);
    visit(pass, &l->ffn_norm, VECTOR);
    for (size_t k = 0; k < sizeof matrices / sizeof *matrices; k++) {
      visit(pass, matrices[k], MATRIX);
    }
  }
  visit(pass, &w->output_norm, VECTOR);
  if (w->tied) {
    w->output = w->token_embedding;
  } else {
    visit(pass, &w->output, MATRIX);
  }
}

static void
visit_all(Pass *pass, ModelWeights *w, const ModelConfig *config)
{
  visit_decoder(pass, w, config);
  if (config->has_vision) {
    visit_vision(pass, w, config);
  }
}

/* Where the model is not float32 as a whole. Without a pool it is only found out what it takes. */
static bool
pack_matrices(ModelEngine *engine, ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;
  ModelWeights *w = &engine->weights;
  const size_t most = 8 * (size_t)config->decoder.layers + 1 + 6 * (size_t)MODEL_MAX_LAYERS + 3;
  ModelPacking packing = {.checkpoint = &engine->checkpoint,
                          .matrices = calloc(most, sizeof *packing.matrices)};
  Pass pass = {.packing = &packing};
  size_t packed_bytes = 0;
  uint64_t in_place_bytes = 0;
  bool ok;

  if (!packing.matrices) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the table of weights");
  }
  visit_decoder(&pass, w, config);
  if (w->tied) {
    model_packing_add(&packing, &w->output);
  }
  packing.n_decoder = packing.n;
  if (config->has_vision) {
    visit_vision(&pass, w, config);
  }
  assert(packing.n <= most);
  ok = model_packing_plan(&packing, &packed_bytes, &in_place_bytes, err);
  engine->resident_bytes += packed_bytes + in_place_bytes;
  if (ok && engine->pool) {
    ok = model_packing_run(&packing, engine->pool, &engine->packed, &engine->packed_bytes, err);
  }
  for (size_t i = 0; ok && i < packing.n; i++) {
    engine->packs = engine->packs || model_packed_unit_columns(packing.matrices[i]->type) > 0;
  }
  free(packing.matrices);
  return ok;
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
  engine->resident_bytes = pass.floats * sizeof(float) + w->token_embedding.n_bytes;
  if (pass.floats > 0 && engine->pool) {
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
  return pass.everything || pack_matrices(engine, err);
}

void
model_engine_weights_clear(ModelEngine *engine)
{
  free(engine->weights.blocks);
  free(engine->weights.layers);
  free(engine->arena);
  model_packing_free(engine->packed, engine->packed_bytes);
}
