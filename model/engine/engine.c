/* engine.c - opening a model and saying what it is. */
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/write.h"
#include "engine/pictures.h"
#include "image/preprocess.h"
#include "model_prompt.h"

/* What the stages divide by, index with or assert: the readers check shapes against the files, this
 * checks the configuration against itself. */
static bool
check_decoder(const ModelCheckpoint *checkpoint, ModelError *err)
{
  const ModelDecoderConfig *c = &checkpoint->config.decoder;
  const uint64_t rows[] = {model_tensor_rows(&checkpoint->weights.token_embedding),
                           model_tensor_rows(&checkpoint->weights.output)};

  if (rows[0] != c->vocab || rows[1] != c->vocab) {
    return model_fail(
        err, MODEL_ERROR_CORRUPT, "%s: embedding and output have %llu and %llu rows, expected %u",
        checkpoint->path, (unsigned long long)rows[0], (unsigned long long)rows[1], c->vocab);
  }
  if (c->layers < 1 || c->layers > MODEL_MAX_LAYERS || c->hidden < 1 || c->ffn < 1 ||
      c->vocab < 1 || c->vocab > MODEL_MAX_VOCAB || c->context < 1 ||
      c->context > MODEL_MAX_CONTEXT) {
    return model_fail(
        err, MODEL_ERROR_CORRUPT,
        "%s: a decoder of %u layers, %u wide, %u in the middle, %u ids and %u positions "
        "is out of bounds",
        checkpoint->path, c->layers, c->hidden, c->ffn, c->vocab, c->context);
  }
  if (c->kv_heads < 1 || c->heads % c->kv_heads != 0 || c->head_dim < 2 || c->head_dim % 2 != 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: %u heads of %u on %u key/value heads; expected a multiple and an even "
                      "width",
                      checkpoint->path, c->heads, c->head_dim, c->kv_heads);
  }
  if (!(c->eps >= 0) || isinf(c->eps) || !(c->theta > 0) || isinf(c->theta)) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: rms_norm_eps %g, rope_theta %g: not usable",
                      checkpoint->path, (double)c->eps, (double)c->theta);
  }
  return true;
}

static bool
check_vision(const ModelCheckpoint *checkpoint, ModelError *err)
{
  const ModelVisionConfig *v = &checkpoint->config.vision;
  bool ok = true;

  if (!checkpoint->config.has_vision) {
    return true;
  }
  if (v->image_size < 1 || v->image_size > MODEL_MAX_IMAGE_SIDE || v->patch_size < 1 ||
      v->patch_size > v->image_size || v->hidden < 1 || v->ffn < 1) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: a tower of %u px in patches of %u, %u wide, %u in the middle is out of "
                      "bounds",
                      checkpoint->path, v->image_size, v->patch_size, v->hidden, v->ffn);
  }
  if (v->heads < 1 || v->hidden % v->heads != 0 || v->blocks_run > v->blocks_stored ||
      v->blocks_stored > MODEL_MAX_LAYERS) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: a tower of %u in %u heads, %u of %u blocks to run, does not add up",
                      checkpoint->path, v->hidden, v->heads, v->blocks_run, v->blocks_stored);
  }
  if ((uint64_t)(v->image_size / v->patch_size) * (v->image_size / v->patch_size) >
      MODEL_MAX_PATCHES) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "%s: a tower of %u px in patches of %u has more than %u patches",
                      checkpoint->path, v->image_size, v->patch_size, MODEL_MAX_PATCHES);
  }
  for (int c = 0; c < 3; c++) {
    ok = ok && v->mean[c] >= 0 && v->mean[c] <= 1 && v->std[c] > 0 && isfinite(v->std[c]);
  }
  if (!ok || !(v->eps >= 0) || isinf(v->eps)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: image_mean, image_std or layer_norm_eps are not usable",
                      checkpoint->path);
  }
  if (checkpoint->config.projector == MODEL_PROJECTOR_NONE) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s has a vision tower, but no projector to the decoder", checkpoint->path);
  }
  return true;
}

static bool
check_template(const ModelCheckpoint *checkpoint, ModelError *err)
{
  const char *wanted = checkpoint->config.template_name, *name;

  for (uint32_t i = 0; (name = model_prompt_template_name(i)); i++) {
    if (strcmp(name, wanted) == 0) {
      return true;
    }
  }
  return model_fail(err, MODEL_ERROR_ARGUMENT, "%s: no conversation template is called \"%s\"",
                    checkpoint->path, wanted);
}

static uint32_t
usable_ids(const ModelCheckpoint *checkpoint)
{
  const ModelVocabulary *vocabulary = &checkpoint->vocabulary;
  const uint32_t rows = checkpoint->config.decoder.vocab;
  uint32_t n = vocabulary->n_pieces;

  for (uint32_t i = 0; i < vocabulary->n_added; i++) {
    const int32_t id = vocabulary->added[i].id;
    n = id >= 0 && (uint32_t)id >= n ? (uint32_t)id + 1 : n;
  }
  return n < rows ? n : rows;
}

/* "Q8_0", or "mixed Q4_K" when the matrices are of several types: the type of most bytes. */
static void
count_weights(ModelEngine *engine)
{
  uint64_t bytes[64] = {0};
  uint32_t n_types = 0, most = 0;
  const ModelTensor *tensor;
  char name[256];

  for (uint32_t i = 0; (tensor = model_checkpoint_tensor(&engine->checkpoint, i, name)); i++) {
    const uint64_t columns = model_tensor_columns(tensor), rows = model_tensor_rows(tensor);
    engine->info.n_parameters += rows * columns;
    engine->info.n_weight_bytes += tensor->n_bytes;
    const unsigned type = tensor->type >= 1000 ? tensor->type - 1000 : tensor->type;
    if (tensor->n_dims > 1 && type < 64) {
      bytes[type] += tensor->n_bytes;
    }
  }
  for (uint32_t i = 0; i < 64; i++) {
    n_types += bytes[i] > 0;
    most = bytes[i] > bytes[most] ? i : most;
  }
  snprintf(engine->quantization, sizeof engine->quantization, "%s%s", n_types > 1 ? "mixed " : "",
           n_types > 0 ? model_type_name((ModelType)most) : "none");
}

static void
fill_info(ModelEngine *engine)
{
  static const char *const projectors[] = {"none", "linear", "mlp2x_gelu"};
  const ModelCheckpoint *checkpoint = &engine->checkpoint;
  const ModelConfig *config = &checkpoint->config;
  ModelInfo *info = &engine->info;

  count_weights(engine);
  info->name = config->name;
  info->path = checkpoint->path;
  info->format = checkpoint->format;
  info->quantization = engine->quantization;
  info->template_name = config->template_name;
  info->tower_origin = checkpoint->tower_origin;
  info->model_card = checkpoint->card ? checkpoint->card : "";
  info->n_layers = config->decoder.layers;
  info->hidden = config->decoder.hidden;
  info->heads = config->decoder.heads;
  info->kv_heads = config->decoder.kv_heads;
  info->head_dim = config->decoder.head_dim;
  info->ffn = config->decoder.ffn;
  info->vocab = config->decoder.vocab;
  info->context = config->decoder.context;
  info->projector = projectors[MODEL_PROJECTOR_NONE];
  info->aspect = config->aspect == MODEL_ASPECT_PAD ? "pad" : "square";
  if (config->has_vision) {
    const uint32_t grid = config->vision.image_size / config->vision.patch_size;
    engine->n_patches = grid * grid;
    info->has_vision = true;
    info->image_size = config->vision.image_size;
    info->patch_size = config->vision.patch_size;
    info->n_image_tokens = engine->n_patches;
    info->vision_hidden = config->vision.hidden;
    info->vision_blocks_run = config->vision.blocks_run;
    info->projector = projectors[config->projector];
  }
}

static bool
start_pictures(ModelEngine *engine, ModelError *err)
{
  const size_t n = (size_t)engine->n_patches * engine->checkpoint.config.decoder.hidden;

  if (engine->checkpoint.config.has_vision) {
    engine->pictures = model_pictures_new(n, MODEL_PICTURES_BYTES, err);
  }
  return engine->pictures || !engine->checkpoint.config.has_vision;
}

void
model_engine_widest(const ModelConfig *config, bool picture, uint64_t *m, uint64_t *columns)
{
  const ModelDecoderConfig *d = &config->decoder;
  const ModelVisionConfig *v = &config->vision;
  const uint64_t q_dim = (uint64_t)d->heads * d->head_dim;

  if (picture) {
    const uint64_t grid = config->has_vision ? v->image_size / v->patch_size : 0;
    *m = config->has_vision ? 1 + grid * grid : 0;
    *columns = v->hidden > v->ffn ? v->hidden : v->ffn;
    *columns = *columns > d->hidden ? *columns : d->hidden; /* the projector's second product */
  } else {
    *m = MODEL_PREFILL_CHUNK;
    *columns = d->hidden > d->ffn ? d->hidden : d->ffn;
    *columns = *columns > q_dim ? *columns : q_dim;
  }
}

/* Takes what products with packed weights need. */
static bool
reserve(ModelEngine *engine, ModelError *err)
{
  uint64_t m, columns;

  model_engine_widest(&engine->checkpoint.config, false, &m, &columns);
  if (!model_pool_reserve(engine->pool, m, columns, err)) {
    return false;
  }
  model_engine_widest(&engine->checkpoint.config, true, &m, &columns);
  return m == 0 || model_pool_reserve(engine->pool, m, columns, err);
}

static bool
engine_fill(ModelEngine *engine, const ModelEngineOptions *options, uint64_t arena_bytes,
            ModelError *err)
{
  ModelCheckpoint *checkpoint = &engine->checkpoint;

  engine->tokenizer = model_tokenizer_new(&checkpoint->vocabulary, &checkpoint->config, err);
  if (!engine->tokenizer) {
    return model_fail_in(checkpoint->path, err);
  }
  if (options && options->inspect) {
    fill_info(engine);
    return model_engine_weights(engine, arena_bytes, err);
  }
  engine->pool =
      model_pool_new_with(options ? options->n_threads : 0, options ? options->kernels : NULL, err);
  if (!engine->pool || !model_engine_weights(engine, arena_bytes, err)) {
    return false;
  }
  fill_info(engine);
  return (!engine->packs || reserve(engine, err)) && model_engine_identify(engine, err) &&
         start_pictures(engine, err);
}

ModelEngine *
model_engine_new(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                 uint64_t arena_bytes, ModelError *err)
{
  ModelEngine *engine = calloc(1, sizeof *engine);

  if (!engine) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
    model_checkpoint_close(checkpoint);
    return NULL;
  }
  engine->checkpoint = *checkpoint;
  *checkpoint = (ModelCheckpoint){0};
  checkpoint = &engine->checkpoint;
  engine->n_usable = usable_ids(checkpoint);
  if (engine->n_usable == 0) {
    model_fail(err, MODEL_ERROR_CORRUPT, "%s: the vocabulary is empty", checkpoint->path);
  } else if (checkpoint->merge) {
    model_fail(err, MODEL_ERROR_ARGUMENT,
               "%s: a delta or an adapter is merged by converting it, not while it runs",
               checkpoint->path);
  } else if (check_decoder(checkpoint, err) && check_vision(checkpoint, err) &&
             check_template(checkpoint, err) && engine_fill(engine, options, arena_bytes, err)) {
    return engine;
  }
  model_engine_free(engine);
  return NULL;
}

ModelEngine *
model_engine_open(const char *path, const ModelEngineOptions *options, ModelError *err)
{
  ModelCheckpoint checkpoint;

  return model_checkpoint_open(path, options, &checkpoint, err)
             ? model_engine_new(&checkpoint, options, MODEL_ARENA_BYTES, err)
             : NULL;
}

void
model_engine_free(ModelEngine *engine)
{
  if (!engine) {
    return;
  }
  model_pictures_free(engine->pictures);
  model_pool_free(engine->pool);
  model_tokenizer_free(engine->tokenizer);
  model_engine_weights_clear(engine);
  model_checkpoint_close(&engine->checkpoint);
  free(engine);
}

bool
model_engine_check_ready(const ModelEngine *engine, ModelError *err)
{
  return engine->pool ||
         model_fail(err, MODEL_ERROR_ARGUMENT, "%s was opened to be looked at, not to be asked",
                    engine->checkpoint.path);
}

const ModelInfo *
model_engine_info(const ModelEngine *engine)
{
  return &engine->info;
}

bool
model_engine_sha256(const ModelEngine *engine, char hex[65], ModelError *err)
{
  return model_checkpoint_sha256(&engine->checkpoint, hex, err);
}

bool
model_engine_is_intact(const ModelEngine *engine)
{
  return model_checkpoint_is_intact(&engine->checkpoint);
}

uint32_t
model_engine_image_positions(const ModelEngine *engine)
{
  const bool marks =
      engine->checkpoint.config.has_vision && engine->checkpoint.config.image_start_end;

  return engine->n_patches + (marks ? 2 : 0);
}

/* ---- text and pictures, as the engine's model takes them ---------------------------------- */

bool
model_tokenize(const ModelEngine *engine, const char *text, size_t length, ModelIds *ids,
               ModelError *err)
{
  return model_tokenizer_encode(engine->tokenizer, text, length, ids, err);
}

bool
model_tokenize_special(const ModelEngine *engine, const char *text, size_t length, ModelIds *ids,
                       ModelError *err)
{
  return model_tokenizer_encode_special(engine->tokenizer, text, length, true, ids, err);
}

bool
model_tokenize_prompt(const ModelEngine *engine, const char *text, size_t length, ModelIds *ids,
                      ModelError *err)
{
  return model_tokenizer_encode_prompt(engine->tokenizer, text, length, ids, err);
}

char *
model_detokenize(const ModelEngine *engine, const int32_t *ids, size_t n, ModelError *err)
{
  return model_tokenizer_decode(engine->tokenizer, ids, n, err);
}

uint8_t *
model_preprocess(const ModelEngine *engine, const ModelImage *image, uint32_t *side,
                 ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;
  uint8_t *u8;

  if (!config->has_vision) {
    model_fail(err, MODEL_ERROR_ARGUMENT, "%s has no vision tower: it cannot see a picture",
               engine->checkpoint.path);
    return NULL;
  }
  u8 = malloc(3 * (size_t)config->vision.image_size * config->vision.image_size);
  if (!u8) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a picture of %u x %u",
               config->vision.image_size, config->vision.image_size);
    return NULL;
  }
  if (!model_image_square(&config->vision, config->aspect, image, u8, err)) {
    free(u8);
    return NULL;
  }
  *side = config->vision.image_size;
  return u8;
}
