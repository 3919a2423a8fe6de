/* phantom-random.c - xoshiro256** seeded by splitmix64, written out so that a phantom never changes
 * with a library. */
#include "phantom-private.h"

static guint64
splitmix64(guint64 *state)
{
  guint64 z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* One state that depends on all bits of the three numbers. */
static guint64
mix(guint64 seed, guint64 index, guint64 stream)
{
  guint64 state = seed;
  state = splitmix64(&state) ^ index;
  state = splitmix64(&state) ^ stream;
  return splitmix64(&state);
}

void
phantom_random_init(PhantomRandom *random, guint64 seed, guint64 index, guint64 stream)
{
  guint64 state = mix(seed, index, stream);
  for (guint i = 0; i < 4; i++) {
    random->s[i] = splitmix64(&state);
  }
}

static guint64
rotate_left(guint64 x, int k)
{
  return (x << k) | (x >> (64 - k));
}

guint64
phantom_random_next(PhantomRandom *random)
{
  guint64 *s = random->s;
  guint64 result = rotate_left(s[1] * 5, 7) * 9;
  guint64 t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left(s[3], 45);
  return result;
}

double
phantom_random_unit(PhantomRandom *random)
{
  return (double)(phantom_random_next(random) >> 11) * (1.0 / 9007199254740992.0);
}

double
phantom_random_range(PhantomRandom *random, double low, double high)
{
  return low + (high - low) * phantom_random_unit(random);
}

guint
phantom_random_below(PhantomRandom *random, guint n)
{
  /* The high half of a product; the bias of at most n / 2^32 does not matter here. */
  return (guint)(((phantom_random_next(random) >> 32) * n) >> 32);
}

gboolean
phantom_random_chance(PhantomRandom *random, double probability)
{
  return phantom_random_unit(random) < probability;
}

void
phantom_hash(guint64 seed, guint64 index, guint64 what, guint64 hash[2])
{
  hash[0] = mix(seed, index, what);
  hash[1] = mix(~seed, index, what ^ 0x5048414e544f4du);
}
