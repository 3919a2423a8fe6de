/* random.h - draws for training from base/random.h's generator, whose state is four numbers that a
 * checkpoint can hold. Private to model/train. */
#ifndef HILUM_TRAIN_RANDOM_H
#define HILUM_TRAIN_RANDOM_H

#include "base/random.h"

#include <math.h>

typedef ModelRandom TrainRandom;

/* Different STREAMs of one SEED are independent. */
static inline void
train_random_seed(TrainRandom *random, uint64_t seed, uint64_t stream)
{
  uint64_t state = seed;

  model_random_seed(random, model_splitmix64(&state) ^ stream);
}

/* Uniform in 0 .. n-1, without bias; n > 0. */
static inline uint64_t
train_random_below(TrainRandom *random, uint64_t n)
{
  uint64_t limit = UINT64_MAX - UINT64_MAX % n, x;

  do {
    x = model_random_next(random);
  } while (x >= limit);
  return x % n;
}

/* Normal with mean 0 and deviation 1 (Box and Muller, one of the pair). */
static inline double
train_random_normal(TrainRandom *random)
{
  double u = (double)((model_random_next(random) >> 11) + 1) * 0x1p-53;
  double v = (double)(model_random_next(random) >> 11) * 0x1p-53;

  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#endif
