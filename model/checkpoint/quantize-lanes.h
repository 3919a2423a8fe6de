/* quantize-lanes.h - sixteen runs of weights side by side, and what the search for their scales
 * asks of them. Included by quantize.c alone, which compiles it once for each set of instructions.
 *
 * Lane i of every vector is run i, so a sum over a run adds vectors in order of columns, and the
 * result is the same for any width of the machine's registers. Vectors are passed by address: by
 * value they would tie the functions to one set of instructions. */
#ifndef HILUM_MODEL_CHECKPOINT_QUANTIZE_LANES_H
#define HILUM_MODEL_CHECKPOINT_QUANTIZE_LANES_H

#include "base/half.h"
#include "checkpoint/quantize.h"

#include <stdint.h>
#include <string.h>

#define LANES 16
#define RUN 32 /* values of the longest run */
typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t LaneMask __attribute__((vector_size(4 * LANES)));

#define LANES_PICK(mask, a, b) ((Lanes)(((mask) & (LaneMask)(a)) | (~(mask) & (LaneMask)(b))))
/* By the sign of the difference: a comparison of vectors that are longer than the registers becomes
 * sixteen scalar ones. */
#define LANES_LESS(a, b) ((LaneMask)((a) - (b)) >> 31)
#define LANES_MIN(a, b) LANES_PICK(LANES_LESS(a, b), a, b)
#define LANES_MAX(a, b) LANES_PICK(LANES_LESS(b, a), a, b)
#define LANES_ALL(value) ((Lanes){0} + (float)(value))
/* To the nearest integer, ties to even, below 2^22. */
#define LANES_ROUND(a) (((a) + 12582912.0f) - 12582912.0f)
/* Below this a scale is nothing in 16 bits, and its inverse might be infinite. */
#define LANES_TINY 1e-30f

typedef struct {
  Lanes x[RUN], w[RUN]; /* values and their weights */
  Lanes w_x, w_1;       /* sums of w x and of w */
} Lot;

/* No weight is so small that its column might get any value. */
#define LEAST_WEIGHT 1e-2f

/* Runs of N values each, one after another from column FIRST; RUNS of them are there, the others
 * are zeros. */
EACH void
lot_load(Lot *lot, const float *in, const ModelColumnWeights *weights, uint64_t first, int n,
         int runs)
{
  const float *w = weights->columns ? weights->columns + first : NULL;
  float x[LANES], one[LANES];

  lot->w_x = lot->w_1 = LANES_ALL(0);
  for (int i = 0; i < n; i++) {
    for (int lane = 0; lane < LANES; lane++) {
      x[lane] = lane < runs ? in[lane * n + i] : 0;
      one[lane] = lane < runs && w ? w[lane * n + i] * weights->scale : 1;
    }
    memcpy(&lot->x[i], x, sizeof x);
    memcpy(&lot->w[i], one, sizeof one);
    lot->w[i] = LANES_MAX(lot->w[i], LANES_ALL(LEAST_WEIGHT));
    lot->w_x += lot->w[i] * lot->x[i];
    lot->w_1 += lot->w[i];
  }
}

/* 1 / a, and 0 where a is nothing. */
EACH void
lanes_invert(const Lanes *a, Lanes *out)
{
  LaneMask small = LANES_LESS(*a, LANES_ALL(LANES_TINY)) & LANES_LESS(LANES_ALL(-LANES_TINY), *a);

  *out = LANES_PICK(small, LANES_ALL(0), 1.0f / LANES_PICK(small, LANES_ALL(1), *a));
}

/* Through 16 bits, to the largest of them where it would be infinite. */
EACH void
lanes_to_half(Lanes *a)
{
  float v[LANES];

  *a = LANES_MAX(*a, LANES_ALL(-65504));
  *a = LANES_MIN(*a, LANES_ALL(65504));
  memcpy(v, a, sizeof v);
  for (int i = 0; i < LANES; i++)
    v[i] = model_f16_to_float(model_float_to_f16(v[i]));
  memcpy(a, v, sizeof v);
}

/* Every lane gets the sum of its group of N neighbours. */
EACH void
lanes_group_sum(const Lanes *a, int n, Lanes *out)
{
  float v[LANES];

  memcpy(v, a, sizeof v);
  for (int group = 0; group < LANES; group += n) {
    float sum = 0;
    for (int i = 0; i < n; i++)
      sum += v[group + i];
    for (int i = 0; i < n; i++)
      v[group + i] = sum;
  }
  memcpy(out, v, sizeof v);
}

/* Every lane gets the value of largest magnitude of its group, with its sign. */
EACH void
lanes_group_largest(const Lanes *a, int n, Lanes *out)
{
  float v[LANES];

  memcpy(v, a, sizeof v);
  for (int group = 0; group < LANES; group += n) {
    float most = 0;
    for (int i = 0; i < n; i++)
      if (most * most < v[group + i] * v[group + i])
        most = v[group + i];
    for (int i = 0; i < n; i++)
      v[group + i] = most;
  }
  memcpy(out, v, sizeof v);
}

/* ---- x = a l, l = -half .. half - 1 -------------------------------------------------------- */

EACH void
level_signed(const Lanes *x, const Lanes *inverse, float half, Lanes *level)
{
  Lanes l = LANES_ROUND(*x * *inverse);

  l = LANES_MAX(l, LANES_ALL(-half));
  *level = LANES_MIN(l, LANES_ALL(half - 1));
}

/* The levels that INVERSE = 1 / a gives: sums of w x l and of w l l. */
EACH void
sums_signed(const Lot *lot, int n, float half, const Lanes *inverse, Lanes *w_xl, Lanes *w_ll)
{
  *w_xl = *w_ll = LANES_ALL(0);
  for (int i = 0; i < n; i++) {
    Lanes l, wl;
    level_signed(&lot->x[i], inverse, half, &l);
    wl = lot->w[i] * l;
    *w_xl += wl * lot->x[i];
    *w_ll += wl * l;
  }
}

/* Sum of w (a l - x)^2 with the nearest levels. */
EACH void
error_signed(const Lot *lot, int n, float half, const Lanes *a, Lanes *error)
{
  Lanes inverse;

  lanes_invert(a, &inverse);
  *error = LANES_ALL(0);
  for (int i = 0; i < n; i++) {
    Lanes l, e;
    level_signed(&lot->x[i], &inverse, half, &l);
    e = *a * l - lot->x[i];
    *error += lot->w[i] * e * e;
  }
}

/* Tries the levels of INVERSE with the scale that suits them best, (sum w x l) / (sum w l l), which
 * takes (sum w x l)^2 / (sum w l l) off the error. */
EACH void
try_signed(const Lot *lot, int n, float half, const Lanes *inverse, Lanes *best, Lanes *scale)
{
  Lanes w_xl, w_ll, a;
  LaneMask better;

  sums_signed(lot, n, half, inverse, &w_xl, &w_ll);
  a = w_xl / LANES_MAX(w_ll, LANES_ALL(LANES_TINY));
  better = LANES_LESS(*best, a * w_xl);
  *best = LANES_PICK(better, a * w_xl, *best);
  *scale = LANES_PICK(better, a, *scale);
}

/* The scale of least error among STEPS places for the largest value on either side of the levels'
 * end: from FIRST levels outside of it inwards. */
EACH void
fit_signed(const Lot *lot, int n, float half, float first, float step, int steps, Lanes *scale)
{
  Lanes most = LANES_ALL(0), best = LANES_ALL(0), inverse, per_level;

  for (int i = 0; i < n; i++)
    most = LANES_PICK(LANES_LESS(most * most, lot->x[i] * lot->x[i]), lot->x[i], most);
  lanes_invert(&most, &per_level);
  *scale = LANES_ALL(0);
  for (int i = 0; i < steps; i++) {
    float past = first + (float)i * step;
    inverse = per_level * -(half + past);
    try_signed(lot, n, half, &inverse, &best, scale);
    inverse = per_level * (half - 1 + past);
    try_signed(lot, n, half, &inverse, &best, scale);
  }
  for (int i = 0; i < 2; i++) {
    lanes_invert(scale, &inverse);
    try_signed(lot, n, half, &inverse, &best, scale);
  }
}

/* ---- x = a l - b, a and b not negative, l = 0 .. top ---------------------------------------- */

EACH void
level_from_minimum(const Lanes *x, const Lanes *inverse, const Lanes *b, float top, Lanes *level)
{
  Lanes l = LANES_ROUND((*x + *b) * *inverse);

  l = LANES_MAX(l, LANES_ALL(0));
  *level = LANES_MIN(l, LANES_ALL(top));
}

typedef struct {
  Lanes w_l, w_ll, w_xl; /* sums of w l, w l l and w x l */
} MinimumSums;

EACH void
sums_minimum(const Lot *lot, int n, float top, const Lanes *inverse, const Lanes *b,
             MinimumSums *sums)
{
  sums->w_l = sums->w_ll = sums->w_xl = LANES_ALL(0);
  for (int i = 0; i < n; i++) {
    Lanes l, wl;
    level_from_minimum(&lot->x[i], inverse, b, top, &l);
    wl = lot->w[i] * l;
    sums->w_l += wl;
    sums->w_ll += wl * l;
    sums->w_xl += wl * lot->x[i];
  }
}

EACH void
error_minimum(const Lot *lot, int n, float top, const Lanes *a, const Lanes *b, Lanes *error)
{
  Lanes inverse;

  lanes_invert(a, &inverse);
  *error = LANES_ALL(0);
  for (int i = 0; i < n; i++) {
    Lanes l, e;
    level_from_minimum(&lot->x[i], &inverse, b, top, &l);
    e = *a * l - *b - lot->x[i];
    *error += lot->w[i] * e * e;
  }
}

/* The levels that INVERSE and B give, with the scale and minimum that suit them best: the solution
 * of the two normal equations, or of one when the minimum would be negative. GAIN is what they
 * take off the error. */
EACH void
try_minimum(const Lot *lot, int n, float top, const Lanes *inverse, const Lanes *b, Lanes *gain,
            Lanes *best_a, Lanes *best_b)
{
  MinimumSums s;
  Lanes det, one, a, m, a1, this_gain;
  LaneMask flat, better;

  sums_minimum(lot, n, top, inverse, b, &s);
  det = lot->w_1 * s.w_ll - s.w_l * s.w_l;
  flat = LANES_LESS(det, LANES_ALL(LANES_TINY));
  one = 1.0f / LANES_PICK(flat, LANES_ALL(1), det);
  a = (lot->w_1 * s.w_xl - lot->w_x * s.w_l) * one;
  m = (s.w_l * s.w_xl - s.w_ll * lot->w_x) * one;
  a1 = s.w_xl / LANES_MAX(s.w_ll, LANES_ALL(LANES_TINY));
  flat |= LANES_LESS(m, LANES_ALL(0));
  a = LANES_PICK(flat, a1, a);
  m = LANES_PICK(flat, LANES_ALL(0), m);
  this_gain = a * s.w_xl - m * lot->w_x;
  better = LANES_LESS(*gain, this_gain) & LANES_LESS(LANES_ALL(0), a);
  *gain = LANES_PICK(better, this_gain, *gain);
  *best_a = LANES_PICK(better, a, *best_a);
  *best_b = LANES_PICK(better, m, *best_b);
}

/* The range of the values is cut at both ends by steps of STEP of it, less below than above when
 * they are all positive. */
EACH void
fit_minimum(const Lot *lot, int n, float top, float first, float step, int steps, Lanes *a,
            Lanes *b)
{
  Lanes low = LANES_ALL(0), high = lot->x[0], range, inverse, gain;

  for (int i = 0; i < n; i++) {
    low = LANES_MIN(lot->x[i], low);
    high = LANES_MAX(lot->x[i], high);
  }
  range = high - low;
  /* All levels 0 at first: the mean, if that is negative. */
  *a = LANES_ALL(0);
  *b = LANES_MAX(-lot->w_x / lot->w_1, LANES_ALL(0));
  gain = *b * *b * lot->w_1;
  for (int i = 0; i < steps * steps; i++) {
    float below = first + step * (float)(i / steps), above = first + step * (float)(i % steps);
    Lanes width = range * ((1 - below - above) / top), minimum = -low - range * below;
    lanes_invert(&width, &inverse);
    minimum = LANES_MAX(minimum, LANES_ALL(0));
    try_minimum(lot, n, top, &inverse, &minimum, &gain, a, b);
  }
  for (int i = 0; i < 2; i++) {
    lanes_invert(a, &inverse);
    try_minimum(lot, n, top, &inverse, b, &gain, a, b);
  }
}

#endif
