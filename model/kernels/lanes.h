/* lanes.h - sixteen float32 at a time, for one instruction set. Private to the float kernels.
 *
 * Each of floats-ISA.c includes this after defining one of LANES_AVX512, LANES_AVX2, LANES_NEON or
 * LANES_PORTABLE. An operation means the same everywhere, to the last bit:
 *   add, sub, mul, div   rounded once per lane, to nearest even
 *   fma(a, b, c)         a * b + c, rounded once;  fnma: c - a * b, rounded once
 *   max(a, b), min       a > b ? a : b, a < b ? a : b (so b where either is no number)
 *   round                to the nearest integer, ties to even
 *   power2(n)            2^n for whole n in -126 .. 127
 *   sum, most            lanes i and i + 8 together, then i and i + 4, i + 2, i + 1
 */
#ifndef HILUM_MODEL_LANES_H
#define HILUM_MODEL_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"

#define LANES 16u
#define LANES_INLINE static inline __attribute__((always_inline))

#if defined LANES_AVX512
#include "kernels/lanes-avx512.h"
#elif defined LANES_AVX2
#include "kernels/lanes-avx2.h"
#elif defined LANES_NEON
#include "kernels/lanes-neon.h"
#else
#include "kernels/lanes-portable.h"
#endif

/* N <= 16 floats, the other lanes VALUE. */
LANES_INLINE Lanes
lanes_load_some(const float *p, uint64_t n, float value)
{
  float all[LANES];

  for (uint64_t i = 0; i < LANES; i++) {
    all[i] = i < n ? p[i] : value;
  }
  return lanes_load(all);
}

LANES_INLINE void
lanes_store_some(float *p, uint64_t n, Lanes a)
{
  float all[LANES];

  lanes_store(all, a);
  memcpy(p, all, n * sizeof *p);
}

/* e^x within 2e-7 of itself: n = round(x log2 e), r = x - n ln 2 in two steps, then
 * 1 + (r + r^2 g(r)) with the Chebyshev polynomial g of (e^r - 1 - r) / r^2, times 2^n. Below -87
 * it is 0, above 88 infinite; no number stays none. */
LANES_INLINE Lanes
lanes_exp(Lanes x)
{
  Lanes n = lanes_round(lanes_mul(x, lanes_all(0x1.715476p+0f))), r, g, y;

  n = lanes_min(lanes_max(n, lanes_all(-126.0f)), lanes_all(127.0f));
  r = lanes_fnma(n, lanes_all(0x1.62e4p-1f), x); /* ln 2 in 16 bits: exact for every n */
  r = lanes_fnma(n, lanes_all(0x1.7f7d1cp-20f), r);
  g = lanes_fma(lanes_all(0.0013926250831f), r, lanes_all(0.0083632328837f));
  g = lanes_fma(g, r, lanes_all(0.0416665542130f));
  g = lanes_fma(g, r, lanes_all(0.1666657667612f));
  g = lanes_fma(g, r, lanes_all(0.5f));
  y = lanes_add(lanes_fma(g, lanes_mul(r, r), r), lanes_all(1.0f));
  y = lanes_mul(y, lanes_power2(n));
  y = lanes_less(x, lanes_all(-87.0f), lanes_zero(), y);
  return lanes_less(lanes_all(88.0f), x, lanes_all(INFINITY), y);
}

#endif
