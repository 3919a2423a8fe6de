/* order.c - see order.h. Permutations are never stored: seed, kind and epoch give them again. */
#include "order.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static void
shuffle(TrainOrder *order, uint32_t kind)
{
  const TrainKindState *state = &order->state.kinds[kind];
  uint64_t *p = order->permutation[kind];
  TrainRandom random;

  train_random_seed(&random, order->seed, ((uint64_t)(kind + 1) << 40) + state->epoch);
  for (uint64_t i = 0; i < state->count; i++) {
    p[i] = i;
  }
  for (uint64_t i = state->count; i > 1; i--) {
    uint64_t j = train_random_below(&random, i), swap = p[j];

    p[j] = p[i - 1];
    p[i - 1] = swap;
  }
}

bool
train_order_init(TrainOrder *order, uint64_t seed, const TrainSource *source, ModelError *err)
{
  memset(order, 0, sizeof *order);
  order->seed = seed;
  if (source->n_kinds == 0 || source->n_kinds > TRAIN_MAX_KINDS) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "%u kinds of data, expected 1 to %u",
                      source->n_kinds, TRAIN_MAX_KINDS);
  }
  order->state.n_kinds = source->n_kinds;
  train_random_seed(&order->state.random, seed, 0);
  for (uint32_t k = 0; k < source->n_kinds; k++) {
    uint64_t count = source->count(k, source->user);

    order->state.kinds[k].count = count;
    if (count == 0) {
      train_order_clear(order);
      return model_fail(err, MODEL_ERROR_ARGUMENT, "data set %u holds no samples", k + 1);
    }
    order->permutation[k] = count < SIZE_MAX / 8 ? malloc(count * sizeof(uint64_t)) : NULL;
    if (!order->permutation[k]) {
      train_order_clear(order);
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for the order of %llu samples",
                        (unsigned long long)count);
    }
    shuffle(order, k);
  }
  return true;
}

void
train_order_clear(TrainOrder *order)
{
  for (uint32_t k = 0; k < TRAIN_MAX_KINDS; k++) {
    free(order->permutation[k]);
    order->permutation[k] = NULL;
  }
}

bool
train_order_restore(TrainOrder *order, const TrainOrderState *state, ModelError *err)
{
  if (state->n_kinds != order->state.n_kinds) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "checkpoint has %u data sets, this run %u",
                      state->n_kinds, order->state.n_kinds);
  }
  for (uint32_t k = 0; k < state->n_kinds; k++) {
    if (state->kinds[k].count != order->state.kinds[k].count ||
        state->kinds[k].position > state->kinds[k].count) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "checkpoint is at sample %llu of %llu of data set %u, which holds %llu",
                        (unsigned long long)state->kinds[k].position,
                        (unsigned long long)state->kinds[k].count, k + 1,
                        (unsigned long long)order->state.kinds[k].count);
    }
  }
  order->state = *state;
  for (uint32_t k = 0; k < state->n_kinds; k++) {
    shuffle(order, k);
  }
  return true;
}

void
train_order_next(TrainOrder *order, uint32_t *kind, uint64_t *index, bool *picture_first)
{
  uint32_t k = order->state.n_kinds > 1
                   ? (uint32_t)train_random_below(&order->state.random, order->state.n_kinds)
                   : 0;
  TrainKindState *state = &order->state.kinds[k];

  if (state->position == state->count) {
    state->position = 0;
    state->epoch++;
    shuffle(order, k);
  }
  *kind = k;
  *index = order->permutation[k][state->position++];
  *picture_first = model_random_next(&order->state.random) >> 63;
}
