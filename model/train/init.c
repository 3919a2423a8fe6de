/* init.c - a model with random weights, to start from nothing. */
#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/mapping.h"
#include "checkpoint/write.h"
#include "params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TOKENIZER_BYTES (64u << 20)

/* Zeros would make a model of nothing, and some of them are divided by. */
static bool
shape_check_zeros(const TrainShape *s, ModelError *err)
{
  const struct {
    const char *name;
    uint32_t value;
  } fields[] = {{"image_size", s->image_size},
                {"patch_size", s->patch_size},
                {"vision_hidden", s->vision_hidden},
                {"vision_blocks", s->vision_blocks},
                {"vision_heads", s->vision_heads},
                {"vision_ffn", s->vision_ffn},
                {"hidden", s->hidden},
                {"layers", s->layers},
                {"heads", s->heads},
                {"kv_heads", s->kv_heads},
                {"ffn", s->ffn},
                {"context", s->context}};

  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (fields[i].value == 0) {
      return model_fail(err, MODEL_ERROR_ARGUMENT, "shape: %s is 0, expected at least 1",
                        fields[i].name);
    }
  }
  return true;
}

static bool
shape_check(const TrainShape *s, ModelError *err)
{
  if (!shape_check_zeros(s, err)) {
    return false;
  }
  if (s->image_size > MODEL_MAX_IMAGE_SIDE || s->image_size % s->patch_size != 0) {
    return model_fail(
        err, MODEL_ERROR_ARGUMENT,
        "shape: pictures of %u pixels, expected a multiple of the patch's %u up to %u",
        s->image_size, s->patch_size, MODEL_MAX_IMAGE_SIDE);
  }
  if (s->vision_blocks > MODEL_MAX_LAYERS || s->layers > MODEL_MAX_LAYERS ||
      s->vision_hidden > MODEL_MAX_HIDDEN || s->vision_ffn > MODEL_MAX_HIDDEN ||
      s->hidden > MODEL_MAX_HIDDEN || s->ffn > MODEL_MAX_HIDDEN || s->context > MODEL_MAX_CONTEXT) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "shape: over %u blocks, widths of %u or a context of %u", MODEL_MAX_LAYERS,
                      MODEL_MAX_HIDDEN, MODEL_MAX_CONTEXT);
  }
  if (s->vision_hidden % s->vision_heads != 0 || s->hidden % s->heads != 0 ||
      (s->hidden / s->heads) % 2 != 0 || s->heads % s->kv_heads != 0) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "shape: widths %u and %u with %u and %u heads (%u for keys), expected that "
                      "heads divide widths into an even number, and key heads divide heads",
                      s->vision_hidden, s->hidden, s->vision_heads, s->heads, s->kv_heads);
  }
  if (strcmp(s->projector, "linear") != 0 && strcmp(s->projector, "mlp2x_gelu") != 0) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "shape: projector \"%.60s\", expected linear or mlp2x_gelu", s->projector);
  }
  return true;
}

static void
config_fill(const TrainShape *s, const ModelVocabulary *vocabulary, ModelConfig *config)
{
  *config = (ModelConfig){.has_vision = true,
                          .aspect = MODEL_ASPECT_PAD,
                          .id_im_patch = -1,
                          .id_im_start = -1,
                          .id_im_end = -1,
                          .bos = vocabulary->bos,
                          .eos = vocabulary->eos,
                          .pad = vocabulary->pad >= 0 ? vocabulary->pad : vocabulary->unk};
  /* A tower of our own needs no block that is never run. */
  config->vision = (ModelVisionConfig){.image_size = s->image_size,
                                       .patch_size = s->patch_size,
                                       .hidden = s->vision_hidden,
                                       .heads = s->vision_heads,
                                       .ffn = s->vision_ffn,
                                       .blocks_stored = s->vision_blocks,
                                       .blocks_run = s->vision_blocks,
                                       .eps = 1e-5f};
  memcpy(config->vision.mean, model_clip_mean, sizeof config->vision.mean);
  memcpy(config->vision.std, model_clip_std, sizeof config->vision.std);
  config->projector =
      strcmp(s->projector, "linear") == 0 ? MODEL_PROJECTOR_LINEAR : MODEL_PROJECTOR_MLP2X_GELU;
  /* Adjacent pairs are how GGUF keeps q and k. */
  config->decoder = (ModelDecoderConfig){.hidden = s->hidden,
                                         .layers = s->layers,
                                         .heads = s->heads,
                                         .kv_heads = s->kv_heads,
                                         .head_dim = s->hidden / s->heads,
                                         .ffn = s->ffn,
                                         .vocab = vocabulary->n_pieces,
                                         .context = s->context,
                                         .theta = s->theta,
                                         .eps = 1e-5f,
                                         .rope_adjacent = true};
  snprintf(config->template_name, sizeof config->template_name, "%s", s->template_name);
  snprintf(config->name, sizeof config->name, "%s", s->name);
}

static bool
write_random(const TrainShape *shape, ModelCheckpoint *checkpoint, const char *out, ModelError *err)
{
  TrainParams params;
  bool ok;

  if (!train_params_init(&params, &checkpoint->config, shape->tied, false, err)) {
    return false;
  }
  train_params_random(&params, shape->seed);
  ok = train_params_weights(&params, &checkpoint->weights, err) &&
       model_gguf_write(checkpoint, "f32", NULL, out, NULL, NULL, err);
  train_params_weights_clear(&checkpoint->weights);
  train_params_clear(&params);
  return ok;
}

bool
train_model_init(const TrainShape *shape, const char *tokenizer, const char *out, ModelError *err)
{
  ModelCheckpoint checkpoint = {.format = "gguf", .tower_origin = "checkpoint"};
  char *data;
  size_t n;
  bool ok;

  if (!shape_check(shape, err) ||
      !model_file_read(tokenizer, MOST_TOKENIZER_BYTES, &data, &n, err)) {
    return false;
  }
  ok = model_vocabulary_parse((const uint8_t *)data, n, tokenizer, &checkpoint.vocabulary, err);
  free(data);
  if (ok) {
    config_fill(shape, &checkpoint.vocabulary, &checkpoint.config);
    ok = write_random(shape, &checkpoint, out, err);
  }
  model_vocabulary_clear(&checkpoint.vocabulary);
  return ok;
}
