/* random.h - splitmix64 (Steele, Lea, Flood 2014) and xoshiro256** (Blackman and Vigna), written
 * out so that a seed means the same on every machine. Private to model/. */
#ifndef HILUM_MODEL_BASE_RANDOM_H
#define HILUM_MODEL_BASE_RANDOM_H

#include <stdint.h>

/* Every step gives 64 fresh bits. */
static inline uint64_t
model_splitmix64(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

typedef struct {
  uint64_t s[4]; /* not all zero */
} ModelRandom;

/* xoshiro's state is four steps of splitmix64, as its authors advise. */
static inline void
model_random_seed(ModelRandom *random, uint64_t seed)
{
  for (int i = 0; i < 4; i++) {
    random->s[i] = model_splitmix64(&seed);
  }
}

static inline uint64_t
model_random_next(ModelRandom *random)
{
  uint64_t *s = random->s, x = s[1] * 5, result = (x << 7 | x >> 57) * 9, t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = s[3] << 45 | s[3] >> 19;
  return result;
}

#endif
