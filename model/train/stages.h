/* stages.h - the stages of a forward and backward pass over one shard. Private to model/train.
 * Each x_forward keeps what its x_backward needs in the worker's arena; x_layout takes that memory.
 * GRADIENT is the shard's gradient buffer; tensors that do not train have no place in it. */
#ifndef HILUM_TRAIN_STAGES_H
#define HILUM_TRAIN_STAGES_H

#include "shard.h"

/* ---- attention over packed sequences, for the tower and the decoder ------------------------- */

typedef struct {
  uint32_t n_sequences;
  const uint32_t *start, *length; /* rows */
  uint32_t heads, kv_heads, head_dim;
  bool causal;
} TrainAttention;

/* Floats for the probabilities of all heads. */
size_t train_attention_need(const TrainAttention *a);
/* Floats for the backward pass's scratch. */
size_t train_attention_scratch(const TrainAttention *a);
/* qkv [rows][(heads + 2 kv_heads) * head_dim] -> out [rows][heads * head_dim] */
void train_attention_forward(const TrainAttention *a, const float *qkv, float *probabilities,
                             float *out);
/* dout -> dqkv, overwritten. OUT as the forward gave it. */
void train_attention_backward(const TrainAttention *a, const float *qkv, const float *probabilities,
                              const float *out, const float *dout, float *scratch, float *dqkv);

/* ---- vision --------------------------------------------------------------------------------- */

typedef struct {
  float *x, *stats1, *h1, *qkv, *probabilities, *attended, *x2, *stats2, *h2, *fc1, *act;
} TrainBlockActs;

typedef struct {
  uint32_t n_pictures, n_patches, n_rows; /* rows = pictures * (patches + 1) */
  uint32_t *start, *length;
  float *pixels, *patches, *embedded, *pre_stats;
  TrainBlockActs *blocks;
  float *features;                 /* [pictures * patches][hidden], class token dropped */
  float *d, *dh, *dwide, *scratch; /* backward */
} TrainVision;

/* SAVE: the tower trains, so every block keeps its own activations. */
void train_vision_layout(const TrainParams *params, uint32_t n_pictures, bool save,
                         TrainArena *arena, TrainVision *vision);
void train_vision_forward(const TrainParams *params, const TrainShard *shard, TrainVision *vision);
void train_vision_backward(const TrainParams *params, const float *dfeatures, TrainVision *vision,
                           float *gradient);

/* ---- projector ------------------------------------------------------------------------------ */

typedef struct {
  uint32_t n_rows;
  float *hidden, *act, *out, *dout, *dhidden, *dfeatures;
} TrainProjector;

void train_projector_layout(const TrainParams *params, uint32_t n_rows, TrainArena *arena,
                            TrainProjector *projector);
void train_projector_forward(const TrainParams *params, const float *features,
                             TrainProjector *projector);
/* From projector->dout; fills projector->dfeatures when WANT_FEATURES. */
void train_projector_backward(const TrainParams *params, const float *features, bool want_features,
                              TrainProjector *projector, float *gradient);

/* ---- decoder -------------------------------------------------------------------------------- */

typedef struct {
  float *x, *rstd1, *h1, *qkv, *probabilities, *attended;
  /* From here on [n_after] rows: the last layer goes on with the counted rows alone. */
  float *attended_kept, *x2, *rstd2, *h2, *gate_up, *act;
} TrainLayerActs;

typedef struct {
  TrainLayerActs *layers;
  float *last;                                 /* [n_counted][hidden]: input of the last norm */
  float *d, *dh, *dwide, *dattended, *scratch; /* backward */
} TrainDecoder;

void train_decoder_layout(const TrainParams *params, const TrainRows *rows, bool backward,
                          TrainArena *arena, TrainDecoder *decoder);
/* PROJECTED: [n_pictures * patches][hidden] or NULL. */
void train_decoder_forward(const TrainParams *params, const TrainRope *rope, const TrainRows *rows,
                           const float *projected, TrainDecoder *decoder);
/* decoder->d holds the gradient of `last` on entry. DPROJECTED (may be NULL) is overwritten. */
void train_decoder_backward(const TrainParams *params, const TrainRope *rope, const TrainRows *rows,
                            TrainDecoder *decoder, float *dprojected, float *gradient);

/* ---- loss ----------------------------------------------------------------------------------- */

typedef struct {
  float *normed, *rstd, *logits, *dnormed;
} TrainLoss;

void train_loss_layout(const TrainParams *params, uint32_t n_counted, TrainArena *arena,
                       TrainLoss *loss);
/* Last norm, output table and cross-entropy over the counted rows LAST [n_counted][hidden]. Returns
 * the sum; with BACKWARD, D gets the gradient of LAST. */
double train_loss_run(const TrainParams *params, const TrainRows *rows, const float *last,
                      bool backward, TrainLoss *loss, float *d, float *gradient);

#endif
