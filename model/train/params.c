/* params.c - the table of parameters: built by one walk over the roles, so that loading, training,
 * random starts and writing agree on names, shapes and order. */
#include "params.h"

#include "base/error.h"
#include "random.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOWER "model.vision_tower.vision_tower.vision_model."

/* One walk: counts (tensors NULL), fills the table, or binds ModelTensors to table entries. */
typedef struct {
  TrainParams *params;
  uint32_t at;
  bool overflow;
} Walk;

__attribute__((format(printf, 6, 7))) static uint32_t
add(Walk *walk, unsigned part, uint64_t d0, uint64_t d1, bool conv, const char *format, ...)
{
  TrainParams *params = walk->params;
  uint32_t place = walk->at++;
  uint64_t patch = params->config.vision.patch_size, n = d0;
  TrainTensor *tensor;
  va_list arguments;

  if (d1 && __builtin_mul_overflow(n, d1, &n)) {
    walk->overflow = true;
  }
  if (!params->tensors) {
    if (__builtin_add_overflow(params->n_data, n, &params->n_data)) {
      walk->overflow = true;
    }
    return place;
  }
  tensor = &params->tensors[place];
  tensor->part = part;
  tensor->n = n;
  tensor->n_dims = conv ? 4 : d1 ? 2 : 1;
  tensor->shape[0] = d0;
  tensor->shape[1] = conv ? 3 : d1;
  tensor->shape[2] = tensor->shape[3] = conv ? patch : 0;
  tensor->gradient = TRAIN_NO_GRADIENT;
  tensor->offset = place ? params->tensors[place - 1].offset + params->tensors[place - 1].n : 0;
  va_start(arguments, format);
  vsnprintf(tensor->name, sizeof tensor->name, format, arguments);
  va_end(arguments);
  return place;
}

static void
walk_block(Walk *walk, uint32_t n, TrainBlockPlaces *places)
{
  const ModelVisionConfig *v = &walk->params->config.vision;
  unsigned part = n < v->blocks_run ? TRAIN_VISION : 0;
  uint64_t h = v->hidden, f = v->ffn;
#define NAME(rest) TOWER "encoder.layers.%u." rest, n
  places->ln1_w = add(walk, part, h, 0, false, NAME("layer_norm1.weight"));
  places->ln1_b = add(walk, part, h, 0, false, NAME("layer_norm1.bias"));
  places->qkv_w = add(walk, part, h, h, false, NAME("self_attn.q_proj.weight"));
  add(walk, part, h, h, false, NAME("self_attn.k_proj.weight"));
  add(walk, part, h, h, false, NAME("self_attn.v_proj.weight"));
  places->qkv_b = add(walk, part, h, 0, false, NAME("self_attn.q_proj.bias"));
  add(walk, part, h, 0, false, NAME("self_attn.k_proj.bias"));
  add(walk, part, h, 0, false, NAME("self_attn.v_proj.bias"));
  places->o_w = add(walk, part, h, h, false, NAME("self_attn.out_proj.weight"));
  places->o_b = add(walk, part, h, 0, false, NAME("self_attn.out_proj.bias"));
  places->ln2_w = add(walk, part, h, 0, false, NAME("layer_norm2.weight"));
  places->ln2_b = add(walk, part, h, 0, false, NAME("layer_norm2.bias"));
  places->fc1_w = add(walk, part, f, h, false, NAME("mlp.fc1.weight"));
  places->fc1_b = add(walk, part, f, 0, false, NAME("mlp.fc1.bias"));
  places->fc2_w = add(walk, part, h, f, false, NAME("mlp.fc2.weight"));
  places->fc2_b = add(walk, part, h, 0, false, NAME("mlp.fc2.bias"));
#undef NAME
}

static void
walk_vision(Walk *walk, bool has_post_ln)
{
  TrainParams *params = walk->params;
  const ModelVisionConfig *v = &params->config.vision;
  uint64_t side = v->image_size / v->patch_size;

  params->class_embedding =
      add(walk, TRAIN_VISION, v->hidden, 0, false, TOWER "embeddings.class_embedding");
  params->patch_embedding =
      add(walk, TRAIN_VISION, v->hidden, (uint64_t)3 * v->patch_size * v->patch_size, true,
          TOWER "embeddings.patch_embedding.weight");
  params->position_embedding = add(walk, TRAIN_VISION, 1 + side * side, v->hidden, false,
                                   TOWER "embeddings.position_embedding.weight");
  params->pre_ln_w = add(walk, TRAIN_VISION, v->hidden, 0, false, TOWER "pre_layrnorm.weight");
  params->pre_ln_b = add(walk, TRAIN_VISION, v->hidden, 0, false, TOWER "pre_layrnorm.bias");
  for (uint32_t n = 0; n < v->blocks_stored; n++) {
    TrainBlockPlaces unused;

    walk_block(walk, n, params->blocks ? &params->blocks[n] : &unused);
  }
  if (has_post_ln) {
    add(walk, 0, v->hidden, 0, false, TOWER "post_layernorm.weight");
    add(walk, 0, v->hidden, 0, false, TOWER "post_layernorm.bias");
  }
}

static void
walk_projector(Walk *walk)
{
  TrainParams *params = walk->params;
  uint64_t in = params->config.vision.hidden, out = params->config.decoder.hidden;
  const unsigned part = TRAIN_PROJECTOR;

  if (params->config.projector == MODEL_PROJECTOR_LINEAR) {
    params->mm_w[0] = add(walk, part, out, in, false, "model.mm_projector.weight");
    params->mm_b[0] = add(walk, part, out, 0, false, "model.mm_projector.bias");
  } else if (params->config.projector == MODEL_PROJECTOR_MLP2X_GELU) {
    params->mm_w[0] = add(walk, part, out, in, false, "model.mm_projector.0.weight");
    params->mm_b[0] = add(walk, part, out, 0, false, "model.mm_projector.0.bias");
    params->mm_w[1] = add(walk, part, out, out, false, "model.mm_projector.2.weight");
    params->mm_b[1] = add(walk, part, out, 0, false, "model.mm_projector.2.bias");
  }
}

static void
walk_decoder(Walk *walk)
{
  TrainParams *params = walk->params;
  const ModelDecoderConfig *c = &params->config.decoder;
  uint64_t h = c->hidden, q = (uint64_t)c->heads * c->head_dim;
  uint64_t kv = (uint64_t)c->kv_heads * c->head_dim;
  const unsigned part = TRAIN_LLM;

  params->token_embedding = add(walk, part, c->vocab, h, false, "model.embed_tokens.weight");
  for (uint32_t n = 0; n < c->layers; n++) {
    TrainLayerPlaces unused, *places = params->layers ? &params->layers[n] : &unused;
#define NAME(rest) "model.layers.%u." rest ".weight", n
    places->attn_norm = add(walk, part, h, 0, false, NAME("input_layernorm"));
    places->qkv = add(walk, part, q, h, false, NAME("self_attn.q_proj"));
    add(walk, part, kv, h, false, NAME("self_attn.k_proj"));
    add(walk, part, kv, h, false, NAME("self_attn.v_proj"));
    places->o = add(walk, part, h, q, false, NAME("self_attn.o_proj"));
    places->ffn_norm = add(walk, part, h, 0, false, NAME("post_attention_layernorm"));
    places->gate_up = add(walk, part, c->ffn, h, false, NAME("mlp.gate_proj"));
    add(walk, part, c->ffn, h, false, NAME("mlp.up_proj"));
    places->down = add(walk, part, h, c->ffn, false, NAME("mlp.down_proj"));
#undef NAME
  }
  params->output_norm = add(walk, part, h, 0, false, "model.norm.weight");
  params->output = params->tied ? params->token_embedding
                                : add(walk, part, c->vocab, h, false, "lm_head.weight");
}

static bool
walk_all(TrainParams *params, bool has_post_ln)
{
  Walk walk = {.params = params};

  if (params->config.has_vision) {
    walk_vision(&walk, has_post_ln);
    walk_projector(&walk);
  }
  walk_decoder(&walk);
  params->n_tensors = walk.at;
  return !walk.overflow;
}

bool
train_params_init(TrainParams *params, const ModelConfig *config, bool tied, bool has_post_ln,
                  ModelError *err)
{
  uint32_t n_blocks = config->has_vision ? config->vision.blocks_stored : 0;
  size_t bytes;

  memset(params, 0, sizeof *params);
  params->config = *config;
  params->tied = tied;
  params->mm_w[1] = params->mm_b[1] = TRAIN_NO_TENSOR;
  if (!walk_all(params, has_post_ln) ||
      __builtin_mul_overflow(params->n_data, sizeof(float), &bytes)) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: too many parameters", config->name);
  }
  params->tensors = calloc(params->n_tensors, sizeof *params->tensors);
  params->blocks = calloc(n_blocks + 1, sizeof *params->blocks);
  params->layers = calloc(config->decoder.layers + 1, sizeof *params->layers);
  params->data = calloc(params->n_data + 1, sizeof *params->data);
  if (!params->tensors || !params->blocks || !params->layers || !params->data) {
    train_params_clear(params);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: no memory for %zu bytes of parameters",
                      config->name, bytes);
  }
  return walk_all(params, has_post_ln);
}

void
train_params_clear(TrainParams *params)
{
  free(params->tensors);
  free(params->blocks);
  free(params->layers);
  free(params->data);
  memset(params, 0, sizeof *params);
}

void
train_params_choose(TrainParams *params, unsigned parts)
{
  params->trained = parts;
  params->n_gradient = 0;
  for (uint32_t i = 0; i < params->n_tensors; i++) {
    TrainTensor *tensor = &params->tensors[i];

    tensor->gradient = TRAIN_NO_GRADIENT;
    if (tensor->part & parts) {
      tensor->gradient = params->n_gradient;
      params->n_gradient += tensor->n;
    }
  }
}

/* ---- between the table and a checkpoint's roles --------------------------------------------- */

/* Calls VISIT for each tensor of the table with its place among WEIGHTS. */
static bool
each_role(const TrainParams *params, ModelWeights *weights,
          bool (*visit)(const TrainTensor *tensor, ModelTensor *role, void *user), void *user)
{
  uint32_t i = 0;
#define VISIT(role)                                                                                \
  do {                                                                                             \
    if (!visit(&params->tensors[i++], &(role), user)) {                                            \
      return false;                                                                                \
    }                                                                                              \
  } while (0)
  if (params->config.has_vision) {
    VISIT(weights->class_embedding);
    VISIT(weights->patch_embedding);
    VISIT(weights->position_embedding);
    VISIT(weights->pre_ln_w);
    VISIT(weights->pre_ln_b);
    for (uint32_t n = 0; n < params->config.vision.blocks_stored; n++) {
      ModelVisionBlock *b = &weights->blocks[n];

      VISIT(b->ln1_w);
      VISIT(b->ln1_b);
      VISIT(b->q_w);
      VISIT(b->k_w);
      VISIT(b->v_w);
      VISIT(b->q_b);
      VISIT(b->k_b);
      VISIT(b->v_b);
      VISIT(b->o_w);
      VISIT(b->o_b);
      VISIT(b->ln2_w);
      VISIT(b->ln2_b);
      VISIT(b->fc1_w);
      VISIT(b->fc1_b);
      VISIT(b->fc2_w);
      VISIT(b->fc2_b);
    }
    if (strstr(params->tensors[i].name, "post_layernorm")) {
      VISIT(weights->post_ln_w);
      VISIT(weights->post_ln_b);
    }
    for (int k = 0; k < 2 && params->mm_w[k] != TRAIN_NO_TENSOR; k++) {
      if (params->config.projector == MODEL_PROJECTOR_NONE) {
        break;
      }
      VISIT(weights->mm_w[k]);
      VISIT(weights->mm_b[k]);
    }
  }
  VISIT(weights->token_embedding);
  for (uint32_t n = 0; n < params->config.decoder.layers; n++) {
    ModelLayer *l = &weights->layers[n];

    VISIT(l->attn_norm);
    VISIT(l->q);
    VISIT(l->k);
    VISIT(l->v);
    VISIT(l->o);
    VISIT(l->ffn_norm);
    VISIT(l->gate);
    VISIT(l->up);
    VISIT(l->down);
  }
  VISIT(weights->output_norm);
  if (!params->tied) {
    VISIT(weights->output);
  }
#undef VISIT
  return true;
}

typedef struct {
  const TrainParams *params;
  ModelError *err;
} Visit;

static bool
load_one(const TrainTensor *tensor, ModelTensor *role, void *user)
{
  Visit *visit = user;
  uint64_t rows, columns;

  if (!role->data) {
    return model_fail(visit->err, MODEL_ERROR_CORRUPT, "%s: tensor %s is missing",
                      visit->params->config.name, tensor->name);
  }
  rows = model_tensor_rows(role);
  columns = model_tensor_columns(role);
  /* Tables may be padded at their end; rows past the vocabulary never train. */
  if (rows * columns != tensor->n &&
      !(tensor->n_dims == 2 && rows > tensor->shape[0] && columns == tensor->shape[1])) {
    return model_fail(visit->err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s has %llu x %llu values, expected %zu",
                      visit->params->config.name, tensor->name, (unsigned long long)rows,
                      (unsigned long long)columns, tensor->n);
  }
  model_tensor_read_rows(role, 0, tensor->n / columns, visit->params->data + tensor->offset);
  return true;
}

bool
train_params_load(TrainParams *params, const ModelCheckpoint *checkpoint, ModelError *err)
{
  ModelWeights weights = checkpoint->weights;
  Visit visit = {params, err};

  return each_role(params, &weights, load_one, &visit);
}

static bool
bind_one(const TrainTensor *tensor, ModelTensor *role, void *user)
{
  Visit *visit = user;

  *role = (ModelTensor){.name = tensor->name,
                        .data = (const uint8_t *)(visit->params->data + tensor->offset),
                        .n_bytes = tensor->n * sizeof(float),
                        .n_dims = tensor->n_dims,
                        .type = MODEL_TYPE_F32};
  memcpy(role->shape, tensor->shape, sizeof role->shape);
  return true;
}

bool
train_params_weights(const TrainParams *params, ModelWeights *weights, ModelError *err)
{
  Visit visit = {params, err};

  memset(weights, 0, sizeof *weights);
  weights->tied = params->tied;
  weights->layers = calloc(params->config.decoder.layers + 1, sizeof *weights->layers);
  weights->blocks =
      calloc((size_t)params->config.vision.blocks_stored + 1, sizeof *weights->blocks);
  if (!weights->layers || !weights->blocks) {
    train_params_weights_clear(weights);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for the table of weights");
  }
  each_role(params, weights, bind_one, &visit);
  if (params->tied) {
    weights->output = weights->token_embedding;
  }
  return true;
}

void
train_params_weights_clear(ModelWeights *weights)
{
  free(weights->layers);
  free(weights->blocks);
  weights->layers = NULL;
  weights->blocks = NULL;
}

/* ---- a random start ------------------------------------------------------------------------- */

/* Standard deviations: decoder and tables as GPT-2 and LLaMA (0.02, what adds to the residual
 * stream divided by sqrt(2 layers)); tower and projector 1/sqrt(inputs), the tower's residual
 * outputs divided likewise. Norms start at one, biases at zero. */
static double
start_deviation(const TrainParams *params, const TrainTensor *tensor)
{
  const char *name = tensor->name;
  double layers = params->config.decoder.layers, blocks = params->config.vision.blocks_run;
  bool vision = strstr(name, "vision_tower") != NULL, projector = strstr(name, "mm_projector");
  double deviation;

  if (vision && strstr(name, "embeddings.") && !strstr(name, "patch_embedding")) {
    return 0.02;
  }
  deviation = vision || projector ? 1.0 / sqrt((double)tensor->n / (double)tensor->shape[0]) : 0.02;
  if (strstr(name, "out_proj") || strstr(name, "fc2")) {
    deviation /= sqrt(2.0 * (blocks > 0 ? blocks : 1));
  }
  if (strstr(name, "self_attn.o_proj") || strstr(name, "down_proj")) {
    deviation /= sqrt(2.0 * layers);
  }
  return deviation;
}

/* Sines and cosines of a patch's row and column, a quarter of the width each (as MAE and "Better plain
 * ViT baselines", arXiv 2205.01580, start their towers). Random positions of the usual small size drown
 * in the patches' contrast, and a tower from nothing would need many epochs to tell left from right.
 * The class token's row stays zero. */
static void
start_positions(const TrainTensor *tensor, float *data)
{
  const double base = 100; /* periods from 2 pi to 2 pi * 100 patches */
  const uint64_t width = tensor->shape[1], quarter = width / 4;
  uint64_t side = 0;

  while ((side + 1) * (side + 1) < tensor->shape[0]) {
    side++;
  }
  memset(data, 0, tensor->n * sizeof *data);
  for (uint64_t row = 1; row < tensor->shape[0]; row++) {
    const double y = (double)((row - 1) / side), x = (double)((row - 1) % side);

    for (uint64_t k = 0; k < quarter; k++) {
      const double frequency = pow(base, -(double)k / (double)quarter);
      float *out = data + row * width + k;

      out[0] = (float)sin(y * frequency);
      out[quarter] = (float)cos(y * frequency);
      out[2 * quarter] = (float)sin(x * frequency);
      out[3 * quarter] = (float)cos(x * frequency);
    }
  }
}

void
train_params_random(TrainParams *params, uint64_t seed)
{
  for (uint32_t i = 0; i < params->n_tensors; i++) {
    const TrainTensor *tensor = &params->tensors[i];
    float *data = params->data + tensor->offset;
    bool embedding = strstr(tensor->name, "class_embedding") != NULL;
    TrainRandom random;

    if (tensor->n_dims == 1 && !embedding) {
      float value = strstr(tensor->name, ".bias") ? 0.0f : 1.0f;

      for (size_t k = 0; k < tensor->n; k++) {
        data[k] = value;
      }
      continue;
    }
    if (strstr(tensor->name, "position_embedding")) {
      start_positions(tensor, data);
      continue;
    }
    train_random_seed(&random, seed, i);
    for (size_t k = 0; k < tensor->n; k++) {
      data[k] = (float)(start_deviation(params, tensor) * train_random_normal(&random));
    }
  }
}
