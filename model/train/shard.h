/* shard.h - a few samples that one worker takes through the model together. Private to model/train.
 *
 * Sequences of different lengths lie one after the other, without padding: n_rows rows in all. The
 * bounds of shards depend on the batch alone, never on the number of threads, and every shard has
 * a gradient buffer of its own; these are added up in a fixed order.
 */
#ifndef HILUM_TRAIN_SHARD_H
#define HILUM_TRAIN_SHARD_H

#include "params.h"

/* One sample, ready to compute. */
typedef struct {
  int32_t *ids;    /* [n_ids] as the tokenizer gives them */
  int32_t *labels; /* [n_ids] */
  size_t n_ids;
  uint8_t *picture; /* [side][side][3], owned by the batch; unused when HAS_PICTURE is false */
  bool has_picture;
  uint32_t n_rows; /* positions with the picture expanded */
  uint32_t n_counted;
} TrainItem;

typedef struct {
  const TrainItem **items;
  uint32_t *start, *length; /* [n_items] rows of each */
  uint32_t n_items;
  uint64_t n_rows, n_pictures, n_counted;
  double loss; /* sum over counted positions, after the run */
  bool failed; /* no memory for it */
} TrainShard;

/* Memory of one worker. A first pass with base NULL counts, a second hands out. */
typedef struct {
  float *base;
  size_t used, capacity; /* floats */
} TrainArena;
float *train_arena_take(TrainArena *arena, size_t n);

/* The rows of a shard, by kind. */
typedef struct {
  uint32_t n_sequences;
  const uint32_t *start, *length; /* [n_sequences] */
  int32_t *token;                 /* [n_rows]: an id, or -1 - row among the projected rows */
  uint32_t *position;             /* [n_rows] in its sequence */
  uint32_t n_rows, n_counted, n_pictures;
  uint32_t *counted; /* [n_counted] rows whose NEXT id counts */
  int32_t *target;   /* [n_counted] that id */
} TrainRows;

/* Cosines and sines of all positions, [n][head_dim / 2]. */
typedef struct {
  float *cos, *sin;
  uint32_t n;
} TrainRope;
bool train_rope_init(TrainRope *rope, const ModelDecoderConfig *config, uint32_t n,
                     ModelError *err);
void train_rope_clear(TrainRope *rope);

/* Patches of a picture; 0 without a tower. */
uint32_t train_patches(const ModelConfig *config);
/* Positions and counted labels of an item; ids past MOST_ROWS positions are cut off, as LLaVA does.
 * False when the ids do not fit the picture (an id out of the vocabulary, a picture that is not
 * there or not whole): the message says which. */
bool train_item_measure(TrainItem *item, const ModelConfig *config, uint32_t most_rows,
                        ModelError *err);

/* Floats that train_shard_run() needs for SHARD. */
size_t train_shard_need(const TrainParams *params, const TrainShard *shard);
/* Forward and backward. GRADIENT [n_gradient] is overwritten with the gradient of the loss SUM;
 * NULL: forward alone. shard->loss is set. */
void train_shard_run(const TrainParams *params, const TrainRope *rope, TrainShard *shard,
                     TrainArena *arena, float *gradient);

#endif
