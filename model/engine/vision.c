/* vision.c - the CLIP tower (facts 1.2): patches, class token first, learned positions,
 * pre_layrnorm, then blocks_run pre-norm blocks. The last stored block and post_layernorm are not
 * part of hidden state -2 and are not computed. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/preprocess.h"
#include "kernels/attention.h"

/* n = 1 + patches tokens, all buffers row by row. */
typedef struct {
  const ModelEngine *engine;
  const ModelVisionConfig *config;
  uint64_t n;
  float *x, *h;                /* [n][hidden] */
  float *q, *k, *v, *attended; /* [n][hidden] */
  float *wide;                 /* [n][ffn]; before block 0 the cut patches [patches][3 * patch^2] */
  ModelKv kv;                  /* of one block: k and v as attention reads them */
  const float *norm_w, *norm_b;
} Tower;

/* The first N of them, in the layout of the convolution's kernel: channel, row, column. */
static void
cut_patches(const ModelVisionConfig *config, const float *pixels, uint64_t n, float *out)
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

static void
norm_rows(uint64_t first, uint64_t n, void *user)
{
  const Tower *t = user;
  const uint64_t hidden = t->config->hidden;

  for (uint64_t i = first; i < first + n; i++) {
    model_layer_norm(t->x + i * hidden, t->norm_w, t->norm_b, hidden, t->config->eps,
                     t->h + i * hidden);
  }
}

static void
norm(Tower *t, const ModelTensor *w, const ModelTensor *b)
{
  t->norm_w = model_vector(w);
  t->norm_b = model_vector(b);
  model_rows_run(t->engine->pool, t->n, norm_rows, t);
}

static void
activate_rows(uint64_t first, uint64_t n, void *user)
{
  const Tower *t = user;

  if (t->config->gelu_erf) {
    model_gelu_erf(t->wide + first * t->config->ffn, n * t->config->ffn);
  } else {
    model_quick_gelu(t->wide + first * t->config->ffn, n * t->config->ffn);
  }
}

static void
add_rows(uint64_t first, uint64_t n, void *user)
{
  const Tower *t = user;
  const uint64_t hidden = t->config->hidden;

  model_add(t->x + first * hidden, t->h + first * hidden, n * hidden);
}

static void
kv_rows(uint64_t first, uint64_t n, void *user)
{
  const Tower *t = user;
  const uint64_t hidden = t->config->hidden;

  model_kv_write(&t->kv, 0, (uint32_t)first, (uint32_t)n, t->k + first * hidden,
                 t->v + first * hidden, hidden);
}

static void
embed(Tower *t, const float *pixels)
{
  const ModelWeights *w = &t->engine->weights;
  const uint64_t hidden = t->config->hidden;
  const float *positions = model_vector(&w->position_embedding);

  cut_patches(t->config, pixels, t->n - 1, t->wide);
  model_matmul(t->engine->pool, &w->patch_embedding, NULL, t->wide, t->n - 1, t->x + hidden);
  memcpy(t->x, model_vector(&w->class_embedding), hidden * sizeof(float));
  for (uint64_t i = 0; i < t->n * hidden; i++) {
    t->x[i] += positions[i];
  }
  norm(t, &w->pre_ln_w, &w->pre_ln_b);
  memcpy(t->x, t->h, t->n * hidden * sizeof(float));
}

static void
block_run(Tower *t, const ModelVisionBlock *b)
{
  ModelPool *pool = t->engine->pool;
  const ModelAttention attention = {.kv = &t->kv,
                                    .heads = t->config->heads,
                                    .n_queries = (uint32_t)t->n,
                                    .n_keys = (uint32_t)t->n,
                                    .q = t->q,
                                    .out = t->attended,
                                    .stride = t->config->hidden};

  norm(t, &b->ln1_w, &b->ln1_b);
  model_products(pool,
                 (ModelProduct[]){{&b->q_w, model_vector(&b->q_b), t->q},
                                  {&b->k_w, model_vector(&b->k_b), t->k},
                                  {&b->v_w, model_vector(&b->v_b), t->v}},
                 3, t->h, t->n);
  model_rows_run(pool, t->n, kv_rows, t);
  model_attention(pool, &attention);
  model_matmul(pool, &b->o_w, model_vector(&b->o_b), t->attended, t->n, t->h);
  model_rows_run(pool, t->n, add_rows, t);
  norm(t, &b->ln2_w, &b->ln2_b);
  model_matmul(pool, &b->fc1_w, model_vector(&b->fc1_b), t->h, t->n, t->wide);
  model_rows_run(pool, t->n, activate_rows, t);
  model_matmul(pool, &b->fc2_w, model_vector(&b->fc2_b), t->wide, t->n, t->h);
  model_rows_run(pool, t->n, add_rows, t);
}

bool
model_vision_encode(const ModelEngine *engine, const float *pixels, const ModelWatch *watch,
                    float *features, ModelError *err)
{
  return model_vision_encode_some(engine, pixels, engine->n_patches, watch, features, err);
}

bool
model_vision_encode_some(const ModelEngine *engine, const float *pixels, uint32_t n_patches,
                         const ModelWatch *watch, float *features, ModelError *err)
{
  const ModelVisionConfig *config = &engine->checkpoint.config.vision;
  const size_t hidden = config->hidden, n = 1 + (size_t)n_patches;
  const size_t patch = 3 * (size_t)config->patch_size * config->patch_size;
  const size_t wide = patch > config->ffn ? patch : config->ffn;
  Tower t = {.engine = engine, .config = config, .n = n};
  size_t bytes;
  float *space;
  bool ok = true;

  if (!model_size(n, 6 * hidden + wide, sizeof(float), 1, "the tower's workspace", &bytes, err)) {
    return false;
  }
  if (!model_kv_init(&t.kv, MODEL_KV_F32, 1, config->heads, config->hidden / config->heads,
                     (uint32_t)n, err)) {
    return false;
  }
  space = malloc(bytes);
  if (!space) {
    model_kv_clear(&t.kv);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the tower (%zu bytes)", bytes);
  }
  t.x = space;
  t.h = t.x + n * hidden;
  t.q = t.h + n * hidden;
  t.k = t.q + n * hidden;
  t.v = t.k + n * hidden;
  t.attended = t.v + n * hidden;
  t.wide = t.attended + n * hidden;
  embed(&t, pixels);
  for (uint32_t i = 0; i < config->blocks_run && ok; i++) {
    model_watch_progress(watch, MODEL_PHASE_IMAGE, i, config->blocks_run);
    ok = model_watch_go_on(watch, err);
    if (ok) {
      block_run(&t, &engine->weights.blocks[i]);
    }
  }
  if (ok) {
    memcpy(features, t.x + hidden, (n - 1) * hidden * sizeof(float));
    model_watch_progress(watch, MODEL_PHASE_IMAGE, config->blocks_run, config->blocks_run);
  }
  free(space);
  model_kv_clear(&t.kv);
  return ok;
}

bool
model_picture_rows(const ModelEngine *engine, const uint8_t *u8, const ModelWatch *watch,
                   float *features, float *rows, ModelError *err)
{
  const ModelVisionConfig *config = &engine->checkpoint.config.vision;
  const size_t n_pixels = 3 * (size_t)config->image_size * config->image_size;
  float *pixels = malloc(n_pixels * sizeof *pixels);
  float *own = features ? NULL : calloc(engine->n_patches, config->hidden * sizeof *own);
  bool ok = pixels && (features || own);

  if (ok) {
    model_image_normalise(config, u8, pixels);
    ok = model_vision_encode(engine, pixels, watch, features ? features : own, err) &&
         model_project(engine, features ? features : own, rows, err);
  } else {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the picture's %zu pixels", n_pixels);
  }
  free(own);
  free(pixels);
  return ok;
}
