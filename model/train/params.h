/* params.h - every parameter of a model in one float32 arena, described by one table.
 *
 * Invariants: tensors lie in the arena in table order, without gaps, so that q, k and v (gate and
 * up) of a layer are one matrix; each part (tower, projector, decoder) is one run of tensors. A
 * gradient buffer holds the trained tensors alone, in the same order.
 */
#ifndef HILUM_TRAIN_PARAMS_H
#define HILUM_TRAIN_PARAMS_H

#include "checkpoint/checkpoint.h"
#include "train.h"

#define TRAIN_NO_GRADIENT SIZE_MAX
#define TRAIN_NO_TENSOR UINT32_MAX

typedef struct {
  char name[128]; /* as in original LLaVA checkpoints */
  uint64_t shape[4];
  uint32_t n_dims;
  unsigned part; /* of TrainParts; 0: never used by the forward pass (last block, post_layernorm) */
  size_t n, offset;
  size_t gradient; /* offset in a gradient buffer, or TRAIN_NO_GRADIENT */
} TrainTensor;

/* Places in the table. qkv_*: the first of three, gate_up: the first of two. */
typedef struct {
  uint32_t ln1_w, ln1_b, qkv_w, qkv_b, o_w, o_b, ln2_w, ln2_b, fc1_w, fc1_b, fc2_w, fc2_b;
} TrainBlockPlaces;
typedef struct {
  uint32_t attn_norm, qkv, o, ffn_norm, gate_up, down;
} TrainLayerPlaces;

typedef struct {
  ModelConfig config;
  TrainTensor *tensors;
  uint32_t n_tensors;
  float *data;
  size_t n_data, n_gradient;
  bool tied;
  unsigned trained;         /* TrainParts */
  TrainBlockPlaces *blocks; /* blocks_run of them are used */
  TrainLayerPlaces *layers;
  uint32_t class_embedding, patch_embedding, position_embedding, pre_ln_w, pre_ln_b;
  uint32_t mm_w[2], mm_b[2], token_embedding, output_norm, output;
} TrainParams;

/* The table and the arena (zeroed) for a configuration. */
bool train_params_init(TrainParams *params, const ModelConfig *config, bool tied, bool has_post_ln,
                       ModelError *err);
void train_params_clear(TrainParams *params);
/* Fills the arena from a checkpoint of the same configuration. */
bool train_params_load(TrainParams *params, const ModelCheckpoint *checkpoint, ModelError *err);
/* Chooses what trains: sets the offsets in the gradient buffer. */
void train_params_choose(TrainParams *params, unsigned parts);
/* Random start: see train_model_init(). */
void train_params_random(TrainParams *params, uint64_t seed);
/* Lets the tensors of WEIGHTS (blocks and layers allocated here) point into the arena. */
bool train_params_weights(const TrainParams *params, ModelWeights *weights, ModelError *err);
void train_params_weights_clear(ModelWeights *weights);

static inline const float *
train_p(const TrainParams *params, uint32_t place)
{
  return params->data + params->tensors[place].offset;
}

/* Where the gradient of a tensor goes in BUFFER; NULL when it does not train. */
static inline float *
train_g(const TrainParams *params, float *buffer, uint32_t place)
{
  size_t at = params->tensors[place].gradient;

  return at == TRAIN_NO_GRADIENT || !buffer ? NULL : buffer + at;
}

#endif
