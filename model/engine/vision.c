/* vision.c - the CLIP tower (facts 1.2): patches, class token first, learned positions,
 * pre_layrnorm, then blocks_run pre-norm blocks. The last stored block and post_layernorm are not
 * part of hidden state -2 and are not computed. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/blocks.h"
#include "image/preprocess.h"

static void
embed(const ModelEngine *engine, ModelBlocks *b, const float *pixels)
{
  const ModelWeights *w = &engine->weights;
  const uint64_t hidden = b->shape.hidden;
  const float *positions = model_vector(&w->position_embedding);

  model_cut_patches(&engine->checkpoint.config.vision, pixels, (uint32_t)(b->n - 1), b->wide);
  model_matmul(engine->pool, &w->patch_embedding, NULL, b->wide, b->n - 1, b->x + hidden);
  memcpy(b->x, model_vector(&w->class_embedding), hidden * sizeof(float));
  for (uint64_t i = 0; i < b->n * hidden; i++) {
    b->x[i] += positions[i];
  }
  model_blocks_norm(b, &w->pre_ln_w, &w->pre_ln_b);
  model_blocks_swap(b);
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
  const ModelBlockShape shape = model_vision_shape(config);
  ModelBlocks b;
  bool ok = true;

  if (!model_blocks_init(&b, engine->pool, &shape, 1 + (uint64_t)n_patches,
                         3 * (uint64_t)config->patch_size * config->patch_size, err)) {
    return false;
  }
  embed(engine, &b, pixels);
  for (uint32_t i = 0; i < config->blocks_run && ok; i++) {
    model_watch_progress(watch, MODEL_PHASE_IMAGE, i, config->blocks_run);
    ok = model_watch_go_on(watch, err);
    if (ok) {
      model_blocks_run(&b, &engine->weights.blocks[i]);
    }
  }
  if (ok) {
    memcpy(features, b.x + config->hidden, n_patches * (size_t)config->hidden * sizeof(float));
    model_watch_progress(watch, MODEL_PHASE_IMAGE, config->blocks_run, config->blocks_run);
  }
  model_blocks_clear(&b);
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
