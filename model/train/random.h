/* random.h - xoshiro256** (Blackman and Vigna), seeded by splitmix64: small, and its state is four
 * numbers that a checkpoint can hold. Private to model/train. */
#ifndef HILUM_TRAIN_RANDOM_H
#define HILUM_TRAIN_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct {
  uint64_t s[4];
} TrainRandom;

static inline uint64_t
train_splitmix(uint64_t *state)
{
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);

  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* Different STREAMs of one SEED are independent. */
static inline void
train_random_seed(TrainRandom *random, uint64_t seed, uint64_t stream)
{
  uint64_t state = seed, mixed = train_splitmix(&state) ^ stream;

  for (int i = 0; i < 4; i++) {
    random->s[i] = train_splitmix(&mixed);
  }
}

static inline uint64_t
train_random_next(TrainRandom *random)
{
  uint64_t *s = random->s, x = s[1] * 5, result = ((x << 7) | (x >> 57)) * 9, t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = (s[3] << 45) | (s[3] >> 19);
  return result;
}

/* Uniform in 0 .. n-1, without bias; n > 0. */
static inline uint64_t
train_random_below(TrainRandom *random, uint64_t n)
{
  uint64_t limit = UINT64_MAX - UINT64_MAX % n, x;

  do {
    x = train_random_next(random);
  } while (x >= limit);
  return x % n;
}

/* Normal with mean 0 and deviation 1 (Box and Muller, one of the pair). */
static inline double
train_random_normal(TrainRandom *random)
{
  double u = (double)((train_random_next(random) >> 11) + 1) * 0x1p-53;
  double v = (double)(train_random_next(random) >> 11) * 0x1p-53;

  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#endif
