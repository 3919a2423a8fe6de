/* product-neon.c - products with NEON's dot products (SDOT), which multiply signed bytes: the
 * values go in as u - zero. This file is compiled for ARMv8.2 with them; choose.c asks before.
 *
 * An expanded unit's head has lines of 16 numbers:
 *   Q8_0, Q4_0   d of each block (float)
 *   Q4_K, Q5_K   8 of d sc_s (float), m_0 .. m_7 (int16), dmin (float)
 *   Q6_K         16 of d sc_t (float) */
#include <arm_neon.h>
#include <string.h>

#include "kernels/quantize.h"
#include "kernels/source.h"

#define INLINE static inline __attribute__((always_inline))
#define MOST 6 /* rows of activations at a time */
/* Bytes that weights are fetched ahead of their use. */
#define AHEAD 4096u

typedef int32x4_t Sums[MOST][4]; /* of N rows of activations by 16 rows of weights */
typedef float32x4_t Floats[MOST][4];

INLINE void
fetch_ahead(Source from, const uint8_t *unit)
{
  for (uint32_t i = 0; i < unit_bytes(from); i += LINE) {
    __builtin_prefetch(unit + AHEAD + i);
  }
}

/* MASK of each byte, moved from bit FROM to bit TO. */
INLINE uint8x16_t
bits(uint8x16_t bytes, int mask, int from, int to)
{
  const uint8x16_t kept = vandq_u8(bytes, vdupq_n_u8((uint8_t)(mask << from)));

  return vshlq_u8(kept, vdupq_n_s8((int8_t)(to - from)));
}

/* Columns 4k .. 4k + 3 of rows 4v .. 4v + 3. */
INLINE int8x16_t
quad(Source from, const uint8_t *lines, uint32_t k, uint32_t v)
{
  const uint8_t *at = lines + 16 * v;
  uint8x16_t u;

  if (from.expanded) {
    return vreinterpretq_s8_u8(vld1q_u8(at + LINE * k));
  }
  if (from.type == Q8_0) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(at + LINE * k), vdupq_n_u8(0x80)));
  }
  u = vld1q_u8(at + LINE * (k % 4));
  u = k < 4 ? vandq_u8(u, vdupq_n_u8(15)) : vshrq_n_u8(u, 4);
  if (from.type == Q5_K) {
    u = vorrq_u8(u, bits(vld1q_u8(at + LINE * 4), 1, (int)k, 4));
  } else if (from.type == Q6_K) {
    u = vorrq_u8(u, bits(vld1q_u8(at + LINE * (4 + k / 4)), 3, 2 * (int)(k % 4), 4));
  }
  if (from.type == Q4_0 || from.type == Q6_K) {
    u = vsubq_u8(u, vdupq_n_u8(from.type == Q4_0 ? 8 : 32));
  }
  return vreinterpretq_s8_u8(u);
}

/* sums += w . q over quads FROM .. TO - 1 of LINES. Q: quad 0 of the first row, STEP bytes from
 * quad to quad. N: 6, 4, 2 or 1. */
INLINE void
dots(Source source, const uint8_t *lines, uint32_t from, uint32_t to, const int8_t *q,
     uint64_t step, uint32_t n, Sums sums)
{
  UNROLL
  for (uint32_t x = from; x < to; x++) {
    /* A line's low and high half one after the other. */
    const uint32_t k = to - from == 8 ? x % 2 * 4 + x / 2 : x;
    const int8_t *at = q + k * step;
    const int8x16_t four = n >= 4 ? vld1q_s8(at) : vdupq_n_s8(0);
    int32_t word = 0;
    int8x8_t two = vdup_n_s8(0);
    if (n == 1) {
      memcpy(&word, at, 4);
      two = vreinterpret_s8_s32(vdup_n_s32(word));
    } else if (n != 4) {
      two = vld1_s8(at + (n == 6 ? 16 : 0));
    }
    UNROLL
    for (uint32_t v = 0; v < 4; v++) {
      const int8x16_t w = quad(source, lines, k, v);
      if (n >= 4) {
        sums[0][v] = vdotq_laneq_s32(sums[0][v], w, four, 0);
        sums[1][v] = vdotq_laneq_s32(sums[1][v], w, four, 1);
        sums[2][v] = vdotq_laneq_s32(sums[2][v], w, four, 2);
        sums[3][v] = vdotq_laneq_s32(sums[3][v], w, four, 3);
      }
      if (n != 4) {
        const uint32_t i = n == 6 ? 4 : 0;
        sums[i][v] = vdotq_lane_s32(sums[i][v], w, two, 0);
        if (n > 1) {
          sums[i + 1][v] = vdotq_lane_s32(sums[i + 1][v], w, two, 1);
        }
      }
    }
  }
}

INLINE void
clear(uint32_t n, Sums sums)
{
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    sums[i][0] = sums[i][1] = sums[i][2] = sums[i][3] = vdupq_n_s32(0);
  }
}

/* ---- heads --------------------------------------------------------------------------------- */

/* 4 float16. */
INLINE float32x4_t
halves(const uint8_t *p)
{
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

/* 16 numbers, each times d of its row. */
INLINE void
put_scales(float *line, int16x8_t low, int16x8_t high, const uint8_t *unit)
{
  const int16x4_t part[4] = {vget_low_s16(low), vget_high_s16(low), vget_low_s16(high),
                             vget_high_s16(high)};

  UNROLL
  for (uint32_t v = 0; v < 4; v++) {
    vst1q_f32(line + 4 * v, vmulq_f32(vcvtq_f32_s32(vmovl_s16(part[v])), halves(unit + 8 * v)));
  }
}

/* Low (SHIFT 0) or high (SHIFT 4) halves of LOW, and above them the two bits of HIGH from BIT on.
 */
INLINE uint8x16_t
six_bits(uint8x16_t low, int shift, uint8x16_t high, int bit)
{
  return vorrq_u8(bits(low, 15, shift, 0), bits(high, 3, bit, 4));
}

INLINE int16x8_t
wide(uint8x8_t bytes)
{
  return vreinterpretq_s16_u16(vmovl_u8(bytes));
}

INLINE void
put_minima(int16_t *line, uint8x16_t m)
{
  vst1q_s16(line, wide(vget_low_u8(m)));
  vst1q_s16(line + 8, wide(vget_high_u8(m)));
}

INLINE void
head_q45_k(const uint8_t *unit, float *head)
{
  int16_t *minima = (int16_t *)(void *)(head + 16 * 8);

  for (uint32_t j = 0; j < 4; j++) {
    const uint8x16_t low = vld1q_u8(unit + LINE + 16 * j);
    const uint8x16_t high = vld1q_u8(unit + 3 * LINE + 16 * j);
    const uint8x16_t first = six_bits(low, 0, high, 0), second = six_bits(low, 4, high, 2);
    put_scales(head + 16 * j, wide(vget_low_u8(first)), wide(vget_high_u8(first)), unit);
    put_scales(head + 16 * (j + 4), wide(vget_low_u8(second)), wide(vget_high_u8(second)), unit);
  }
  for (uint32_t p = 0; p < 2; p++) {
    const uint8x16x2_t low = vld2q_u8(unit + 2 * LINE + 32 * p);
    const uint8x16x2_t high = vld2q_u8(unit + 3 * LINE + 32 * p);
    for (uint32_t e = 0; e < 2; e++) {
      put_minima(minima + 16 * (2 * p + e), six_bits(low.val[e], 0, high.val[e], 4));
      put_minima(minima + 16 * (2 * p + e + 4), six_bits(low.val[e], 4, high.val[e], 6));
    }
  }
  for (uint32_t v = 0; v < 4; v++) {
    vst1q_f32(head + 16 * 12 + 4 * v, halves(unit + 32 + 8 * v));
  }
}

INLINE void
put_head(int type, const uint8_t *unit, float *head)
{
  if (type == Q4_K || type == Q5_K) {
    head_q45_k(unit, head);
  } else if (type == Q6_K) {
    for (uint32_t t = 0; t < 16; t++) {
      const int8x16_t sc = vreinterpretq_s8_u8(vld1q_u8(unit + LINE + 16 * t));
      put_scales(head + 16 * t, vmovl_s8(vget_low_s8(sc)), vmovl_s8(vget_high_s8(sc)), unit);
    }
  } else {
    for (uint32_t i = 0; i < 8; i++) {
      vst1q_f32(head + 4 * i, halves(unit + 8 * i));
    }
  }
}

BODY void
expand(int type, const uint8_t *unit, uint8_t *expanded)
{
  const Source from = {type, false}, to = {type, true};

  fetch_ahead(from, unit);
  put_head(type, unit, (float *)(void *)expanded);
  for (uint32_t s = 0; s < (head_lines(type) == 2 ? 2u : 8u); s++) {
    const uint8_t *in = lines_of(from, unit, s);
    uint8_t *out = expanded + (lines_of(to, unit, s) - unit);
    UNROLL
    for (uint32_t x = 0; x < 8; x++) {
      const uint32_t k = x % 2 * 4 + x / 2;
      UNROLL
      for (uint32_t v = 0; v < 4; v++) {
        vst1q_u8(out + LINE * k + 16 * v, vreinterpretq_u8_s8(quad(from, in, k, v)));
      }
    }
  }
}

/* ---- N rows of activations ----------------------------------------------------------------- */

/* sums as floats, times SCALES of the rows, onto t. */
INLINE void
add_scaled(const Sums sums, const float *scales, uint32_t n, Floats t)
{
  UNROLL
  for (uint32_t v = 0; v < 4; v++) {
    const float32x4_t scale = vld1q_f32(scales + 4 * v);
    UNROLL
    for (uint32_t i = 0; i < n; i++) {
      t[i][v] = vfmaq_f32(t[i][v], vcvtq_f32_s32(sums[i][v]), scale);
    }
  }
}

/* Blocks of 32: Q8_0, Q4_0. X begins at its row I0. */
INLINE void
narrow_rows(Source from, const uint8_t *unit, const ModelTileView *x, uint32_t i0, uint32_t n,
            Floats acc)
{
  const uint64_t c = x->c;

  for (uint32_t b = 0; b < 2; b++) {
    const float *d = x->d + b * c + i0;
    Sums sums;
    clear(n, sums);
    dots(from, lines_of(from, unit, b), 0, 8, x->q + 4 * (8 * b * c + i0), 4 * c, n, sums);
    UNROLL
    for (uint32_t v = 0; v < 4; v++) {
      const float32x4_t scale = from.expanded
                                    ? vld1q_f32((const float *)(const void *)unit + 16 * b + 4 * v)
                                    : halves(unit + 32 * b + 8 * v);
      UNROLL
      for (uint32_t i = 0; i < n; i++) {
        acc[i][v] = vfmaq_f32(acc[i][v], vcvtq_f32_s32(sums[i][v]), vmulq_n_f32(scale, d[i]));
      }
    }
  }
}

/* t -= dmin * sum over s of m_s * (sum of q in s). */
INLINE void
subtract_minima(const float *head, const ModelTileView *x, uint32_t i0, uint32_t n, Floats t)
{
  const int16_t *minima = (const int16_t *)(const void *)(head + 16 * 8);
  const float *dmin = head + 16 * 12;

  for (uint32_t v = 0; v < 4; v++) {
    UNROLL
    for (uint32_t i = 0; i < n; i++) {
      int32x4_t sums = vdupq_n_s32(0);
      UNROLL
      for (uint32_t s = 0; s < 8; s++) {
        const int16_t q = x->pairs[2 * ((uint64_t)(s / 2) * x->c + i0 + i) + s % 2];
        sums = vmlal_n_s16(sums, vld1_s16(minima + 16 * s + 4 * v), q);
      }
      t[i][v] = vfmsq_f32(t[i][v], vcvtq_f32_s32(sums), vld1q_f32(dmin + 4 * v));
    }
  }
}

/* Blocks of 256: the K types. */
INLINE void
wide_rows(Source from, const uint8_t *unit, const ModelTileView *x, uint32_t i0, uint32_t n,
          Floats acc)
{
  const uint64_t c = x->c;
  const uint32_t parts = from.type == Q6_K ? 2 : 1; /* scales of 32 columns */
  float own[16 * 16] __attribute__((aligned(64)));
  const float *head = from.expanded ? (const float *)(const void *)unit : own;
  Floats t;

  if (!from.expanded) {
    put_head(from.type, unit, own);
  }
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    t[i][0] = t[i][1] = t[i][2] = t[i][3] = vdupq_n_f32(0);
  }
  for (uint32_t s = 0; s < 8; s++) {
    UNROLL
    for (uint32_t part = 0; part < parts; part++) {
      Sums sums;
      clear(n, sums);
      dots(from, lines_of(from, unit, s), 8 / parts * part, 8 / parts * (part + 1),
           x->q + 4 * (8 * s * c + i0), 4 * c, n, sums);
      add_scaled(sums, head + 16 * (parts * s + part), n, t);
    }
  }
  if (from.type != Q6_K) {
    subtract_minima(head, x, i0, n, t);
  }
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    UNROLL
    for (uint32_t v = 0; v < 4; v++) {
      acc[i][v] = vfmaq_n_f32(acc[i][v], t[i][v], x->d[i0 + i]);
    }
  }
}

BODY void
some_rows(Source from, const uint8_t *units, uint64_t n_units, ModelTileView x, uint32_t i0,
          uint32_t n, float *out)
{
  const uint32_t columns = head_lines(from.type) == 2 ? 64 : 256;
  const uint64_t c = x.c;
  Floats acc;

  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    UNROLL
    for (uint32_t v = 0; v < 4; v++) {
      acc[i][v] = vld1q_f32(out + 16 * (i0 + i) + 4 * v);
    }
  }
  for (uint64_t u = 0; u < n_units; u++, units += unit_bytes(from)) {
    if (!from.expanded) {
      fetch_ahead(from, units);
    }
    if (columns == 64) {
      narrow_rows(from, units, &x, i0, n, acc);
      x.d += 2 * c;
    } else {
      wide_rows(from, units, &x, i0, n, acc);
      x.d += c;
      x.pairs += 8 * c;
    }
    x.q += columns * c;
  }
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    UNROLL
    for (uint32_t v = 0; v < 4; v++) {
      vst1q_f32(out + 16 * (i0 + i) + 4 * v, acc[i][v]);
    }
  }
}

INLINE void
tile(Source from, const uint8_t *units, uint64_t n, const ModelTileView *x, float *acc)
{
  uint32_t i = 0;

  if (x->c == 6) {
    some_rows(from, units, n, *x, 0, 6, acc);
    return;
  }
  if (x->c & 4) {
    some_rows(from, units, n, *x, 0, 4, acc);
    i = 4;
  }
  if (x->c & 2) {
    some_rows(from, units, n, *x, i, 2, acc);
    i += 2;
  }
  if (x->c & 1) {
    some_rows(from, units, n, *x, i, 1, acc);
  }
}

#define TARGET
#define MOST_DIRECT(type) MOST
#include "kernels/steps.h"

const ModelKernels model_kernels_neon = {"neon", model_quantize_neon, product};
