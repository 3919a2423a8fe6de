/* order.h - which sample comes next: kinds drawn uniformly, each kind in a seeded permutation that
 * changes with every epoch. Its state is a few numbers. Private to model/train. */
#ifndef HILUM_TRAIN_ORDER_H
#define HILUM_TRAIN_ORDER_H

#include "random.h"
#include "train.h"

#define TRAIN_MAX_KINDS 64u

typedef struct {
  uint64_t count, epoch, position;
} TrainKindState;

/* What a checkpoint holds. */
typedef struct {
  TrainRandom random;
  uint32_t n_kinds, unused;
  TrainKindState kinds[TRAIN_MAX_KINDS];
} TrainOrderState;

typedef struct {
  TrainOrderState state;
  uint64_t seed;
  uint64_t *permutation[TRAIN_MAX_KINDS];
} TrainOrder;

bool train_order_init(TrainOrder *order, uint64_t seed, const TrainSource *source, ModelError *err);
void train_order_clear(TrainOrder *order);
/* Goes on from STATE, which must be of the same counts. */
bool train_order_restore(TrainOrder *order, const TrainOrderState *state, ModelError *err);
/* *PICTURE_FIRST: where the picture's mark goes in the first question. */
void train_order_next(TrainOrder *order, uint32_t *kind, uint64_t *index, bool *picture_first);

#endif
