/* blocks.c - see blocks.h. */
#include "engine/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/engine.h"
#include "kernels/attention.h"

ModelBlockShape
model_vision_shape(const ModelVisionConfig *config)
{
  return (ModelBlockShape){.hidden = config->hidden,
                           .heads = config->heads,
                           .ffn = config->ffn,
                           .eps = config->eps,
                           .gelu_erf = config->gelu_erf};
}

bool
model_blocks_init(ModelBlocks *b, ModelPool *pool, const ModelBlockShape *shape, uint64_t n,
                  uint64_t wide, ModelError *err)
{
  const size_t hidden = shape->hidden;
  size_t bytes;

  wide = wide > shape->ffn ? wide : shape->ffn;
  *b = (ModelBlocks){.pool = pool, .shape = *shape, .n = n};
  if (!model_size(n, 6 * hidden + wide, sizeof(float), 1, "the tower's workspace", &bytes, err)) {
    return false;
  }
  if (!model_kv_init(&b->kv, MODEL_KV_F32, 1, shape->heads, shape->hidden / shape->heads,
                     (uint32_t)n, err)) {
    return false;
  }
  b->space = malloc(bytes);
  if (!b->space) {
    model_kv_clear(&b->kv);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the tower (%zu bytes)", bytes);
  }
  b->x = b->space;
  b->h = b->x + n * hidden;
  b->q = b->h + n * hidden;
  b->k = b->q + n * hidden;
  b->v = b->k + n * hidden;
  b->attended = b->v + n * hidden;
  b->wide = b->attended + n * hidden;
  return true;
}

void
model_blocks_clear(ModelBlocks *b)
{
  free(b->space);
  model_kv_clear(&b->kv);
}

static void
norm_rows(uint64_t first, uint64_t n, void *user)
{
  const ModelBlocks *b = user;
  const uint64_t hidden = b->shape.hidden;

  for (uint64_t i = first; i < first + n; i++) {
    model_layer_norm(b->x + i * hidden, b->norm_w, b->norm_b, hidden, b->shape.eps,
                     b->h + i * hidden);
  }
}

void
model_blocks_norm(ModelBlocks *b, const ModelTensor *w, const ModelTensor *bias)
{
  b->norm_w = model_vector(w);
  b->norm_b = model_vector(bias);
  model_rows_run(b->pool, b->n, norm_rows, b);
}

void
model_blocks_swap(ModelBlocks *b)
{
  float *x = b->x;

  b->x = b->h;
  b->h = x;
}

static void
activate_rows(uint64_t first, uint64_t n, void *user)
{
  const ModelBlocks *b = user;
  const uint64_t ffn = b->shape.ffn;

  if (b->shape.gelu_erf) {
    model_gelu_erf(b->wide + first * ffn, n * ffn);
  } else {
    model_quick_gelu(b->wide + first * ffn, n * ffn);
  }
}

static void
add_rows(uint64_t first, uint64_t n, void *user)
{
  const ModelBlocks *b = user;
  const uint64_t hidden = b->shape.hidden;

  model_add(b->x + first * hidden, b->h + first * hidden, n * hidden);
}

static void
kv_rows(uint64_t first, uint64_t n, void *user)
{
  const ModelBlocks *b = user;
  const uint64_t hidden = b->shape.hidden;

  model_kv_write(&b->kv, 0, (uint32_t)first, (uint32_t)n, b->k + first * hidden,
                 b->v + first * hidden, hidden);
}

/* h = what FROM's rows attend to. */
static void
attend(ModelBlocks *b, const ModelVisionBlock *block, const float *from)
{
  const ModelAttention attention = {.kv = &b->kv,
                                    .heads = b->shape.heads,
                                    .n_queries = (uint32_t)b->n,
                                    .n_keys = (uint32_t)b->n,
                                    .causal = b->shape.causal,
                                    .q = b->q,
                                    .out = b->attended,
                                    .stride = b->shape.hidden};

  model_products(b->pool,
                 (ModelProduct[]){{&block->q_w, model_vector(&block->q_b), b->q},
                                  {&block->k_w, model_vector(&block->k_b), b->k},
                                  {&block->v_w, model_vector(&block->v_b), b->v}},
                 3, from, b->n);
  model_rows_run(b->pool, b->n, kv_rows, b);
  model_attention(b->pool, &attention);
  model_matmul(b->pool, &block->o_w, model_vector(&block->o_b), b->attended, b->n, b->h);
}

/* h = feed-forward of FROM. */
static void
feed(ModelBlocks *b, const ModelVisionBlock *block, const float *from)
{
  model_matmul(b->pool, &block->fc1_w, model_vector(&block->fc1_b), from, b->n, b->wide);
  model_rows_run(b->pool, b->n, activate_rows, b);
  model_matmul(b->pool, &block->fc2_w, model_vector(&block->fc2_b), b->wide, b->n, b->h);
}

void
model_blocks_run(ModelBlocks *b, const ModelVisionBlock *block)
{
  if (b->shape.post_norm) {
    attend(b, block, b->x);
    model_rows_run(b->pool, b->n, add_rows, b);
    model_blocks_norm(b, &block->ln1_w, &block->ln1_b);
    model_blocks_swap(b);
    feed(b, block, b->x);
    model_rows_run(b->pool, b->n, add_rows, b);
    model_blocks_norm(b, &block->ln2_w, &block->ln2_b);
    model_blocks_swap(b);
    return;
  }
  model_blocks_norm(b, &block->ln1_w, &block->ln1_b);
  attend(b, block, b->h);
  model_rows_run(b->pool, b->n, add_rows, b);
  model_blocks_norm(b, &block->ln2_w, &block->ln2_b);
  feed(b, block, b->h);
  model_rows_run(b->pool, b->n, add_rows, b);
}

void
model_cut_patches(const ModelVisionConfig *config, const float *pixels, uint32_t n, float *out)
{
  const uint32_t side = config->image_size, patch = config->patch_size, grid = side / patch;

  for (uint32_t i = 0; i < n; i++) {
    const uint32_t py = i / grid, px = i % grid;
    for (uint32_t c = 0; c < 3; c++) {
      for (uint32_t y = 0; y < patch; y++) {
        memcpy(out, pixels + ((size_t)c * side + py * patch + y) * side + (size_t)px * patch,
               patch * sizeof *out);
        out += patch;
      }
    }
  }
}
