/* quantize.h - activations to 8 bits (packed.h): one function for each instruction set, and the
 * walk over rows and blocks that they share. Private to model/kernels. */
#ifndef HILUM_MODEL_QUANTIZE_H
#define HILUM_MODEL_QUANTIZE_H

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "kernels/packed.h"

/* ModelKernels' quantize, for MODEL_CPU_AVX2, MODEL_CPU_AVX512, MODEL_CPU_DOTPROD. */
void model_quantize_avx2(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                         uint64_t first, uint64_t n);
void model_quantize_avx512(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                           uint64_t first, uint64_t n);
void model_quantize_neon(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                         uint64_t first, uint64_t n);

/* Where a block of one row goes. Four columns of q lie 4 C bytes after the four before, each sum
 * (pair of sums) C sums (pairs) after the one before. */
typedef struct {
  int8_t *q;
  float *d;
  int32_t *sums, *sums16;
  int16_t *pairs;
  uint32_t c;
} ModelBlockPlace;

/* d of a block whose largest |x| has these BITS, and what x is multiplied by; 0: q is 0. */
static inline float
model_quantize_scale(uint32_t bits, float *d)
{
  const float largest = model_bits_to_float(bits), inverse = 127.0f / largest;

  if (bits >= 0x7F800000u) {
    *d = NAN;
    return 0;
  }
  if (bits == 0 || inverse > FLT_MAX) {
    *d = 0;
    return 0;
  }
  *d = largest / 127.0f;
  return inverse;
}

/* A block of BLOCK columns whose q is 0. */
static inline void
model_quantize_zero(const ModelBlockPlace *to, uint32_t block)
{
  const uint64_t c = to->c;

  for (uint32_t u = 0; u < block / 4; u++) {
    memset(to->q + 4 * c * u, 0, 4);
  }
  if (block == 32) {
    *to->sums = 0;
    return;
  }
  for (uint32_t t = 0; t < 16; t++) {
    to->sums16[c * t] = 0;
    to->pairs[2 * c * (t / 2 / 2) + t / 2 % 2] = 0;
  }
}

/* LOW, HIGH: the sums of q over columns 32 S .. and the 16 behind them. */
static inline void
model_quantize_put_sums(const ModelBlockPlace *to, uint32_t block, uint32_t s, int32_t low,
                        int32_t high)
{
  if (block == 32) {
    *to->sums = low + high;
  } else {
    to->sums16[(uint64_t)to->c * (2 * s)] = low;
    to->sums16[(uint64_t)to->c * (2 * s + 1)] = high;
    to->pairs[(uint64_t)2 * to->c * (s / 2) + s % 2] = (int16_t)(low + high);
  }
}

/* Runs WORK for every block of every row of the tiles; X has BLOCK columns of it. */
static inline __attribute__((always_inline)) void
model_quantize_walk(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                    uint64_t first, uint64_t n,
                    void (*work)(const float *x, uint32_t block, const ModelBlockPlace *to))
{
  float padded[256];

  for (uint64_t tile = first; tile < first + n; tile++) {
    const uint64_t row = MODEL_TILE * tile, base = row * a->columns;
    const uint32_t c = (uint32_t)(a->m - row < MODEL_TILE ? a->m - row : MODEL_TILE);
    for (uint64_t k = 0; k < a->columns; k += a->block) {
      for (uint32_t cell = 0; cell < c; cell++) {
        const uint64_t left = k < columns ? columns - k : 0;
        const float *in = x + (row + cell) * stride + (left > 0 ? k : 0);
        const ModelBlockPlace to = {
            .q = a->q + base + k * c + (uint64_t)4 * cell,
            .d = a->d + base / a->block + k / a->block * c + cell,
            .sums = a->block == 32 ? a->sums + base / 32 + k / 32 * c + cell : NULL,
            .sums16 = a->block == 32 ? NULL : a->sums16 + base / 16 + k / 16 * c + cell,
            .pairs = a->block == 32 ? NULL : a->pairs + base / 32 + (k / 64 * c + cell) * 2,
            .c = c,
        };
        if (left < a->block) {
          memset(padded, 0, sizeof padded);
          memcpy(padded, in, left * sizeof *in);
          in = padded;
        }
        work(in, a->block, &to);
      }
    }
  }
}

#endif
