/* quantize-blocks.h - blocks of every type that is written, with the scales of least squared error.
 * Layouts: dequantize-blocks.h. Included once for each set of instructions (quantize-plain.c,
 * -avx2.c, -avx512.c), with INSTRUCTIONS, the attribute of its functions, and
 * MODEL_QUANTIZE_BLOCKS, the name of the one that is called from outside; all give the same bytes.
 */
#ifndef HILUM_MODEL_CHECKPOINT_QUANTIZE_BLOCKS_H
#define HILUM_MODEL_CHECKPOINT_QUANTIZE_BLOCKS_H

#define EACH static inline INSTRUCTIONS

#include "checkpoint/quantize-lanes.h"
#include "checkpoint/quantize.h"

#include <math.h>

/* ---- one scale: Q4_0, Q5_0, Q8_0 ------------------------------------------------------------ */

EACH void
put_levels(ModelType type, const Lanes *levels, int lane, uint8_t *b)
{
  uint32_t high = 0;

  for (int i = 0; i < 32; i++) {
    int l = (int)levels[i][lane];
    if (type == MODEL_TYPE_Q8_0) {
      b[i] = (uint8_t)(int8_t)l;
    } else if (type == MODEL_TYPE_Q4_0) {
      b[i % 16] = (uint8_t)(i < 16 ? l + 8 : b[i % 16] | (l + 8) << 4);
    } else {
      b[4 + i % 16] = (uint8_t)(i < 16 ? (l + 16) & 15 : b[4 + i % 16] | ((l + 16) & 15) << 4);
      high |= (uint32_t)(l + 16) >> 4 << i;
    }
  }
  if (type == MODEL_TYPE_Q5_0)
    for (int i = 0; i < 4; i++)
      b[i] = (uint8_t)(high >> 8 * i);
}

/* BLOCKS <= 16 blocks of 32 values. */
EACH void
write_small_blocks(ModelType type, uint64_t block_bytes, const float *in,
                   const ModelColumnWeights *weights, uint64_t first, int blocks, uint8_t *out)
{
  float half = type == MODEL_TYPE_Q4_0 ? 8 : type == MODEL_TYPE_Q5_0 ? 16 : 128;
  Lanes scale, inverse, levels[32];
  Lot lot;

  lot_load(&lot, in, weights, first, 32, blocks);
  if (type == MODEL_TYPE_Q4_0)
    fit_signed(&lot, 32, half, -0.9f, 0.15f, 24, &scale);
  else if (type == MODEL_TYPE_Q5_0)
    fit_signed(&lot, 32, half, -0.9f, 0.15f, 24, &scale);
  else {
    /* The largest value becomes 127 or -127, as everywhere: -128 would gain little. */
    scale = LANES_ALL(0);
    for (int i = 0; i < 32; i++) {
      scale = LANES_MAX(scale, lot.x[i]);
      scale = LANES_MAX(scale, -lot.x[i]);
    }
    scale /= 127.0f;
  }
  lanes_to_half(&scale);
  lanes_invert(&scale, &inverse);
  for (int i = 0; i < 32; i++) {
    level_signed(&lot.x[i], &inverse, half, &levels[i]);
    if (type == MODEL_TYPE_Q8_0)
      levels[i] = LANES_MAX(levels[i], LANES_ALL(-127));
  }
  for (int block = 0; block < blocks; block++) {
    uint8_t *b = out + (uint64_t)block * block_bytes;
    model_store16(b, model_float_to_f16(scale[block]));
    put_levels(type, levels, block, b + 2);
  }
}

/* ---- Q6_K: 16 scales of 8 bits ----------------------------------------------------------------
 */

/* D in 16 bits, of those that make the largest scale 128 - k of them, for which the scales A lose
 * least when they become whole. */
EACH void
choose_unit(const Lanes *a, const Lanes *cost, int group, float most, int steps, Lanes *unit)
{
  Lanes largest, best = LANES_ALL(INFINITY), inverse;

  lanes_group_largest(a, group, &largest);
  *unit = LANES_ALL(0);
  for (int k = 0; k < steps; k++) {
    Lanes d = largest / (most - (float)k), e;
    LaneMask better;
    lanes_to_half(&d);
    lanes_invert(&d, &inverse);
    e = LANES_ROUND(*a * inverse) * d - *a;
    e = *cost * e * e;
    lanes_group_sum(&e, group, &e);
    better = LANES_LESS(e, best);
    best = LANES_PICK(better, e, best);
    *unit = LANES_PICK(better, d, *unit);
  }
}

typedef struct {
  Lanes d, scale, error; /* error: of the whole block, in every lane */
} Signed;

/* Around START, the whole scales of least error. */
EACH void
search_signed(const Lot *lot, const Lanes *start, int reach, Signed *s)
{
  Lanes best = LANES_ALL(INFINITY);

  for (int i = -reach; i <= reach; i++) {
    Lanes scale = *start + (float)i, a, e;
    LaneMask better;
    scale = LANES_MAX(scale, LANES_ALL(-128));
    scale = LANES_MIN(scale, LANES_ALL(127));
    a = s->d * scale;
    error_signed(lot, 16, 32, &a, &e);
    better = LANES_LESS(e, best);
    best = LANES_PICK(better, e, best);
    s->scale = LANES_PICK(better, scale, s->scale);
  }
  lanes_group_sum(&best, LANES, &s->error);
}

/* With levels and scales as they are, the D of least error. */
EACH void
refit_signed(const Lot *lot, Signed *s)
{
  Lanes a = s->d * s->scale, inverse, w_xl, w_ll, above, below;

  lanes_invert(&a, &inverse);
  sums_signed(lot, 16, 32, &inverse, &w_xl, &w_ll);
  above = s->scale * w_xl;
  below = s->scale * s->scale * w_ll;
  lanes_group_sum(&above, LANES, &above);
  lanes_group_sum(&below, LANES, &below);
  s->d = above / LANES_MAX(below, LANES_ALL(LANES_TINY));
  lanes_to_half(&s->d);
}

EACH void
put_six_bits(uint8_t *b, int at, int u)
{
  int half = at / 128, k = at % 128 / 32, column = at % 32;

  b[half * 64 + k % 2 * 32 + column] |= (uint8_t)((u & 15) << (k < 2 ? 0 : 4));
  b[128 + half * 32 + column] |= (uint8_t)(u >> 4 << 2 * k);
}

EACH void
write_q6_k(const float *in, const ModelColumnWeights *weights, uint64_t first, uint8_t *out)
{
  Lanes a, inverse, w_xl, w_ll, start;
  Signed best, next;
  Lot lot;

  lot_load(&lot, in, weights, first, 16, 16);
  fit_signed(&lot, 16, 32, -0.9f, 0.2f, 12, &a);
  lanes_invert(&a, &inverse);
  sums_signed(&lot, 16, 32, &inverse, &w_xl, &w_ll);
  memset(&best, 0, sizeof best);
  choose_unit(&a, &w_ll, LANES, -128, 1, &best.d);
  lanes_invert(&best.d, &inverse);
  start = LANES_ROUND(a * inverse);
  search_signed(&lot, &start, 3, &best);
  for (int round = 0; round < 2; round++) {
    LaneMask better;
    next = best;
    refit_signed(&lot, &next);
    search_signed(&lot, &best.scale, 1, &next);
    better = LANES_LESS(next.error, best.error);
    best.d = LANES_PICK(better, next.d, best.d);
    best.scale = LANES_PICK(better, next.scale, best.scale);
    best.error = LANES_PICK(better, next.error, best.error);
  }
  memset(out, 0, 192);
  a = best.d * best.scale;
  lanes_invert(&a, &inverse);
  for (int i = 0; i < 16; i++) {
    Lanes level;
    float u[LANES];
    level_signed(&lot.x[i], &inverse, 32, &level);
    memcpy(u, &level, sizeof u);
    for (int run = 0; run < 16; run++)
      put_six_bits(out, 16 * run + i, (int)u[run] + 32);
  }
  for (int run = 0; run < 16; run++)
    out[192 + run] = (uint8_t)(int8_t)best.scale[run];
  model_store16(out + 208, model_float_to_f16(best.d[0]));
}

/* ---- Q4_K, Q5_K: 8 scales and 8 minima of 6 bits -------------------------------------------- */

typedef struct {
  Lanes d, dm, scale, minimum, error; /* error: of the whole block, in each of its lanes */
} Minimum;

EACH void
pick_minimum(const Minimum *next, Minimum *best)
{
  LaneMask better = LANES_LESS(next->error, best->error);

  best->d = LANES_PICK(better, next->d, best->d);
  best->dm = LANES_PICK(better, next->dm, best->dm);
  best->scale = LANES_PICK(better, next->scale, best->scale);
  best->minimum = LANES_PICK(better, next->minimum, best->minimum);
  best->error = LANES_PICK(better, next->error, best->error);
}

EACH void
clamp_six_bits(Lanes *value)
{
  *value = LANES_MAX(*value, LANES_ALL(0));
  *value = LANES_MIN(*value, LANES_ALL(63));
}

EACH void
search_minimum(const Lot *lot, float top, const Lanes *start_scale, const Lanes *start_minimum,
               int reach, Minimum *s)
{
  Lanes best = LANES_ALL(INFINITY);
  int side = 2 * reach + 1;

  for (int i = 0; i < side * side; i++) {
    Lanes scale = *start_scale + (float)(i / side - reach), a, b, e;
    Lanes minimum = *start_minimum + (float)(i % side - reach);
    LaneMask better;
    clamp_six_bits(&scale);
    clamp_six_bits(&minimum);
    a = s->d * scale;
    b = s->dm * minimum;
    error_minimum(lot, 32, top, &a, &b, &e);
    better = LANES_LESS(e, best);
    best = LANES_PICK(better, e, best);
    s->scale = LANES_PICK(better, scale, s->scale);
    s->minimum = LANES_PICK(better, minimum, s->minimum);
  }
  lanes_group_sum(&best, 8, &s->error);
}

/* With levels, scales and minima as they are, the D and DMIN of least error. */
EACH void
refit_minimum(const Lot *lot, float top, Minimum *s)
{
  Lanes a = s->d * s->scale, b = s->dm * s->minimum, inverse, ll, lm, mm, xl, xm, det;
  MinimumSums sums;
  LaneMask flat;

  lanes_invert(&a, &inverse);
  sums_minimum(lot, 32, top, &inverse, &b, &sums);
  ll = s->scale * s->scale * sums.w_ll;
  lm = s->scale * s->minimum * sums.w_l;
  mm = s->minimum * s->minimum * lot->w_1;
  xl = s->scale * sums.w_xl;
  xm = s->minimum * lot->w_x;
  lanes_group_sum(&ll, 8, &ll);
  lanes_group_sum(&lm, 8, &lm);
  lanes_group_sum(&mm, 8, &mm);
  lanes_group_sum(&xl, 8, &xl);
  lanes_group_sum(&xm, 8, &xm);
  det = ll * mm - lm * lm;
  flat = LANES_LESS(det, LANES_ALL(LANES_TINY));
  det = 1.0f / LANES_PICK(flat, LANES_ALL(1), det);
  a = (xl * mm - xm * lm) * det;
  b = (xl * lm - xm * ll) * det;
  flat |= LANES_LESS(a, LANES_ALL(0)) | LANES_LESS(b, LANES_ALL(0));
  s->d = LANES_PICK(flat, s->d, a);
  s->dm = LANES_PICK(flat, s->dm, b);
  lanes_to_half(&s->d);
  lanes_to_half(&s->dm);
}

EACH void
put_minimum_block(bool five, const Minimum *s, int first, const Lanes *levels, uint8_t *b)
{
  uint8_t *six = b + 4, *high = b + 16, *low = b + (five ? 48 : 16);

  model_store16(b, model_float_to_f16(s->d[first]));
  model_store16(b + 2, model_float_to_f16(s->dm[first]));
  memset(b + 4, 0, five ? 172 : 140);
  for (int g = 0; g < 8; g++) {
    int scale = (int)s->scale[first + g], minimum = (int)s->minimum[first + g];
    if (g < 4) {
      six[g] = (uint8_t)scale;
      six[g + 4] = (uint8_t)minimum;
    } else {
      six[g + 4] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
      six[g - 4] |= (uint8_t)(scale >> 4 << 6);
      six[g] |= (uint8_t)(minimum >> 4 << 6);
    }
    for (int i = 0; i < 32; i++) {
      int u = (int)levels[i][first + g];
      low[g / 2 * 32 + i] |= (uint8_t)((u & 15) << 4 * (g % 2));
      if (five)
        high[i] |= (uint8_t)(u >> 4 << g);
    }
  }
}

/* One or two blocks of 256 values. */
EACH void
write_q45_k(bool five, const float *in, const ModelColumnWeights *weights, uint64_t first,
            int blocks, uint8_t *out)
{
  float top = five ? 31 : 15;
  Lanes a, b, inverse, cost, start_scale, start_minimum, levels[32];
  MinimumSums sums;
  Minimum best, next;
  Lot lot;

  lot_load(&lot, in, weights, first, 32, 8 * blocks);
  fit_minimum(&lot, 32, top, -0.02f, 0.03f, five ? 5 : 6, &a, &b);
  lanes_invert(&a, &inverse);
  sums_minimum(&lot, 32, top, &inverse, &b, &sums);
  memset(&best, 0, sizeof best);
  cost = sums.w_ll - sums.w_l * sums.w_l / lot.w_1;
  choose_unit(&a, &cost, 8, 63, 1, &best.d);
  choose_unit(&b, &lot.w_1, 8, 63, 1, &best.dm);
  lanes_invert(&best.d, &inverse);
  start_scale = LANES_ROUND(a * inverse);
  lanes_invert(&best.dm, &inverse);
  start_minimum = LANES_ROUND(b * inverse);
  search_minimum(&lot, top, &start_scale, &start_minimum, 2, &best);
  for (int round = 0; round < 2; round++) {
    next = best;
    refit_minimum(&lot, top, &next);
    search_minimum(&lot, top, &best.scale, &best.minimum, 1, &next);
    pick_minimum(&next, &best);
  }
  a = best.d * best.scale;
  b = best.dm * best.minimum;
  lanes_invert(&a, &inverse);
  for (int i = 0; i < 32; i++)
    level_from_minimum(&lot.x[i], &inverse, &b, top, &levels[i]);
  for (int block = 0; block < blocks; block++)
    put_minimum_block(five, &best, 8 * block, levels, out + block * (five ? 176 : 144));
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* N values of a row, a whole number of blocks, as many of which go side by side as fill the lanes.
 */
INSTRUCTIONS void
MODEL_QUANTIZE_BLOCKS(ModelType type, const float *in, const ModelColumnWeights *weights,
                      uint64_t n, uint8_t *out)
{
  bool small = type == MODEL_TYPE_Q4_0 || type == MODEL_TYPE_Q5_0 || type == MODEL_TYPE_Q8_0;
  uint64_t values = small ? 32 : 256, bytes = model_type_row_bytes(type, values);
  uint64_t side = small ? 16 : type == MODEL_TYPE_Q6_K ? 1 : 2;

  for (uint64_t block = 0; block < n / values; block += side) {
    uint64_t left = n / values - block, first = block * values;
    int blocks = (int)(left < side ? left : side);
    uint8_t *b = out + block * bytes;
    if (type == MODEL_TYPE_Q6_K)
      write_q6_k(in + first, weights, first, b);
    else if (!small)
      write_q45_k(type == MODEL_TYPE_Q5_K, in + first, weights, first, blocks, b);
    else
      write_small_blocks(type, bytes, in + first, weights, first, blocks, b);
  }
}

#endif
