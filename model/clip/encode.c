/* encode.c - texts and pictures to directions.
 *
 * CLIP (arXiv 2103.00020): a causal pre-norm transformer, whose last norm and projection see the
 * row of the id that ends the text; the picture's tower as LLaVA's (engine/vision.c) but whole,
 * with its class token alone behind the last block.
 * BiomedCLIP (arXiv 2303.00915): BERT, post-norm, first row, two layers with GELU between; a ViT
 * without the norm before its blocks, class token after the last norm, one layer. Texts are not
 * padded, so that nothing is masked. */
#include "clip/clip.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/engine.h"
#include "image/preprocess.h"

/* ---- texts --------------------------------------------------------------------------------- */

static bool
check_ids(const ModelClip *clip, const int32_t *ids, size_t n, ModelError *err)
{
  const ModelClipTextConfig *config = &clip->text_config;

  if (n < 1 || n > config->positions) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "a text of %zu ids, expected 1 to %u", n,
                      config->positions);
  }
  for (size_t i = 0; i < n; i++) {
    if (ids[i] < 0 || (uint32_t)ids[i] >= config->vocab) {
      return model_fail(err, MODEL_ERROR_ARGUMENT, "id %d, expected 0 to %u", (int)ids[i],
                        config->vocab - 1);
    }
  }
  return true;
}

static void
embed_ids(const ModelClip *clip, const int32_t *ids, ModelBlocks *b)
{
  const ModelClipText *w = &clip->text;
  const uint64_t hidden = b->shape.hidden;

  model_tensor_read_rows(&w->position_embedding, 0, b->n, b->h);
  for (uint64_t i = 0; i < b->n; i++) {
    model_tensor_read_rows(&w->token_embedding, (uint64_t)ids[i], 1, b->x + i * hidden);
  }
  model_add(b->x, b->h, b->n * hidden);
  if (clip->text_config.kind == MODEL_CLIP_BERT) {
    for (uint64_t i = 0; i < b->n; i++) {
      model_add(b->x + i * hidden, model_vector(&w->kind_embedding), hidden);
    }
    model_blocks_norm(b, &w->embedding_ln_w, &w->embedding_ln_b);
    model_blocks_swap(b);
  }
}

/* The position that stands for the whole text. */
static size_t
pooled_at(const ModelClipTextConfig *config, const int32_t *ids, size_t n)
{
  size_t best = 0;

  if (config->kind == MODEL_CLIP_BERT) {
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    if (config->end >= 0 && ids[i] == config->end) {
      return i;
    }
    best = ids[i] > ids[best] ? i : best;
  }
  return config->end < 0 ? best : n - 1;
}

/* ROW [hidden] to features; NORMED has room for such a row. */
static bool
project_text(const ModelClip *clip, const float *row, float *normed, float *out, ModelError *err)
{
  const ModelClipText *w = &clip->text;
  const ModelClipTextConfig *config = &clip->text_config;
  float *middle;

  if (config->kind != MODEL_CLIP_BERT) {
    model_layer_norm(row, model_vector(&w->final_ln_w), model_vector(&w->final_ln_b),
                     config->shape.hidden, config->shape.eps, normed);
    row = normed;
  }
  if (!config->mlp) {
    model_matmul(clip->pool, &w->projection[0], NULL, row, 1, out);
    return true;
  }
  middle = calloc(config->wide, sizeof *middle);
  if (!middle) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a text's features");
  }
  model_matmul(clip->pool, &w->projection[0], NULL, row, 1, middle);
  model_gelu_erf(middle, config->wide);
  model_matmul(clip->pool, &w->projection[1], NULL, middle, 1, out);
  free(middle);
  return true;
}

bool
model_clip_encode_ids(const ModelClip *clip, const int32_t *ids, size_t n, float *out,
                      ModelError *err)
{
  const ModelClipTextConfig *config = &clip->text_config;
  ModelBlocks b;
  bool ok;

  if (!check_ids(clip, ids, n, err) ||
      !model_blocks_init(&b, clip->pool, &config->shape, n, 0, err)) {
    return false;
  }
  embed_ids(clip, ids, &b);
  for (uint32_t i = 0; i < config->layers; i++) {
    model_blocks_run(&b, &clip->text.blocks[i]);
  }
  ok = project_text(clip, b.x + pooled_at(config, ids, n) * config->shape.hidden, b.h, out, err);
  model_blocks_clear(&b);
  return ok;
}

/* ---- pictures ------------------------------------------------------------------------------ */

static void
embed_pixels(const ModelClip *clip, const float *pixels, ModelBlocks *b)
{
  const ModelClipSight *w = &clip->sight;
  const uint64_t hidden = b->shape.hidden;

  model_cut_patches(&clip->vision, pixels, (uint32_t)(b->n - 1), b->wide);
  model_matmul(clip->pool, &w->patch_embedding, model_vector(&w->patch_bias), b->wide, b->n - 1,
               b->x + hidden);
  memcpy(b->x, model_vector(&w->class_embedding), hidden * sizeof(float));
  model_add(b->x, model_vector(&w->position_embedding), b->n * hidden);
  if (w->pre_ln_w.name) {
    model_blocks_norm(b, &w->pre_ln_w, &w->pre_ln_b);
    model_blocks_swap(b);
  }
}

bool
model_clip_encode_pixels(const ModelClip *clip, const float *pixels, float *out, ModelError *err)
{
  const ModelVisionConfig *config = &clip->vision;
  const ModelBlockShape shape = model_vision_shape(config);
  const uint64_t grid = config->image_size / config->patch_size;
  const ModelClipSight *w = &clip->sight;
  ModelBlocks b;

  if (!model_blocks_init(&b, clip->pool, &shape, 1 + grid * grid,
                         3 * (uint64_t)config->patch_size * config->patch_size, err)) {
    return false;
  }
  embed_pixels(clip, pixels, &b);
  for (uint32_t i = 0; i < config->blocks_run; i++) {
    model_blocks_run(&b, &w->blocks[i]);
  }
  model_layer_norm(b.x, model_vector(&w->post_ln_w), model_vector(&w->post_ln_b), config->hidden,
                   config->eps, b.h);
  model_matmul(clip->pool, &w->projection, NULL, b.h, 1, out);
  model_blocks_clear(&b);
  return true;
}

/* ---- directions ---------------------------------------------------------------------------- */

static bool
make_one_long(const ModelClip *clip, const char *what, float *out, ModelError *err)
{
  double sum = 0;

  for (uint32_t i = 0; i < clip->width; i++) {
    sum += (double)out[i] * out[i];
  }
  if (!(sum > 0) || isinf(sum)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the tower of %s gives no direction: its weights are damaged",
                      clip->files.path, what);
  }
  for (uint32_t i = 0; i < clip->width; i++) {
    out[i] = (float)(out[i] / sqrt(sum));
  }
  return true;
}

bool
model_clip_tokenize(const ModelClip *clip, const char *text, size_t length, ModelIds *ids,
                    ModelError *err)
{
  return model_words_encode(clip->words, text, length, clip->text_config.context, ids, err);
}

bool
model_clip_text(const ModelClip *clip, const char *text, size_t length, float *out, ModelError *err)
{
  ModelIds ids = {0};
  const bool ok = model_clip_tokenize(clip, text, length, &ids, err) &&
                  model_clip_encode_ids(clip, ids.ids, ids.n, out, err) &&
                  make_one_long(clip, "texts", out, err);

  model_ids_clear(&ids);
  return ok;
}

bool
model_clip_picture(const ModelClip *clip, const ModelImage *image, float *out, ModelError *err)
{
  const ModelVisionConfig *config = &clip->vision;
  const size_t n = 3 * (size_t)config->image_size * config->image_size;
  uint8_t *u8 = malloc(n);
  float *pixels = calloc(n, sizeof *pixels);
  bool ok = u8 && pixels;

  if (!ok) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the picture's %zu pixels", n);
  }
  ok = ok && model_image_square(config, MODEL_ASPECT_SQUARE, image, u8, err);
  if (ok) {
    model_image_normalise(config, u8, pixels);
    ok = model_clip_encode_pixels(clip, pixels, out, err) &&
         make_one_long(clip, "pictures", out, err);
  }
  free(pixels);
  free(u8);
  return ok;
}
