/* core.h - gradients of a batch and the optimizer's step. Private to model/train.
 *
 * Invariants: a micro-batch is cut into shards by its samples alone; shard gradients, block sums
 * and norms are added in a fixed order. So losses and weights do not depend on the thread count.
 */
#ifndef HILUM_TRAIN_CORE_H
#define HILUM_TRAIN_CORE_H

#include "kernels/kernels.h"
#include "shard.h"

#define TRAIN_MAX_SHARDS 16u

typedef struct {
  TrainParams params;
  TrainRope rope;
  ModelPool *pool;
  uint32_t n_shards; /* most that a micro-batch is cut into */
  TrainShard shards[TRAIN_MAX_SHARDS];
  float *shard_gradients[TRAIN_MAX_SHARDS];
  TrainArena *arenas; /* one per thread */
  uint32_t n_arenas;
  float *gradient, *m, *v; /* [params.n_gradient]: sum of loss gradients, AdamW's moments */
  double *block_squares;
  /* Of the step under way: sums over its micro-batches, and the norm of the MEAN gradient. */
  double loss_sum, norm;
  uint64_t counted;
  uint64_t updates; /* AdamW's t */
} TrainCore;

/* Takes over PARAMS (cleared by train_core_clear(), also after a failure). BATCH: samples per
 * micro-batch, N_POSITIONS: positions of the longest sequence. */
bool train_core_init(TrainCore *core, TrainParams *params, unsigned parts, uint32_t batch,
                     uint32_t n_positions, uint32_t n_threads, ModelError *err);
void train_core_clear(TrainCore *core);

/* Forgets the sums of the step before. */
void train_core_begin(TrainCore *core);
/* Adds loss and gradient of a micro-batch of measured items. */
bool train_core_add(TrainCore *core, const TrainItem *items, uint32_t n_items, ModelError *err);
/* Mean loss of the step so far (0 when nothing counted). */
double train_core_loss(const TrainCore *core);

typedef struct {
  double beta1, beta2, eps, weight_decay, clip_norm; /* clip_norm 0: no clipping */
} TrainAdamW;
/* One update with the mean gradient scaled by min(1, clip / (norm + 1e-6)). */
void train_core_update(TrainCore *core, const TrainAdamW *adamw, double lr);

/* Learning rate of step STEP (from 0) of STEPS: linear warm-up from 0 over ceil(ratio * steps)
 * steps, then half a cosine to 0 (transformers' get_cosine_schedule_with_warmup). */
double train_schedule(uint64_t step, uint64_t steps, double lr, double warmup_ratio, bool constant);

/* Zeroed memory on whole huge pages where the system has them; free() gives it back. */
void *train_memory_new(size_t bytes);

#endif
