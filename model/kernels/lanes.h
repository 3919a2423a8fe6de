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

#include <immintrin.h>

/* Vectors of keys or columns that a tile of ROWS rows keeps in registers. */
#define LANES_WIDE(rows) 4
/* Rows of weights and rows of activations of which a tile keeps two sums each. */
#define LANES_ROWS 2u
#define LANES_TOKENS 6u

typedef __m512 Lanes;

LANES_INLINE Lanes
lanes_zero(void)
{
  return _mm512_setzero_ps();
}

LANES_INLINE Lanes
lanes_all(float a)
{
  return _mm512_set1_ps(a);
}

LANES_INLINE Lanes
lanes_load(const float *p)
{
  return _mm512_loadu_ps(p);
}

LANES_INLINE void
lanes_store(float *p, Lanes a)
{
  _mm512_storeu_ps(p, a);
}

LANES_INLINE Lanes
lanes_load_f16(const uint16_t *p)
{
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

LANES_INLINE Lanes
lanes_load_bf16(const uint16_t *p)
{
  const __m256i bits = _mm256_loadu_si256((const __m256i *)(const void *)p);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/* Of 32 numbers those at even, at odd places. */
LANES_INLINE Lanes
lanes_load_bf16_even(const uint16_t *p)
{
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
}

LANES_INLINE Lanes
lanes_load_bf16_odd(const uint16_t *p)
{
  const __m512i high = _mm512_set1_epi32((int)0xFFFF0000);
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), high));
}

LANES_INLINE Lanes
lanes_load_i8(const int8_t *p)
{
  const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

LANES_INLINE void
lanes_store_f16(uint16_t *p, Lanes a)
{
  _mm256_storeu_si256((__m256i *)(void *)p,
                      _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

LANES_INLINE Lanes
lanes_add(Lanes a, Lanes b)
{
  return _mm512_add_ps(a, b);
}

LANES_INLINE Lanes
lanes_sub(Lanes a, Lanes b)
{
  return _mm512_sub_ps(a, b);
}

LANES_INLINE Lanes
lanes_mul(Lanes a, Lanes b)
{
  return _mm512_mul_ps(a, b);
}

LANES_INLINE Lanes
lanes_div(Lanes a, Lanes b)
{
  return _mm512_div_ps(a, b);
}

LANES_INLINE Lanes
lanes_fma(Lanes a, Lanes b, Lanes c)
{
  return _mm512_fmadd_ps(a, b, c);
}

LANES_INLINE Lanes
lanes_fnma(Lanes a, Lanes b, Lanes c)
{
  return _mm512_fnmadd_ps(a, b, c);
}

LANES_INLINE Lanes
lanes_max(Lanes a, Lanes b)
{
  return _mm512_max_ps(a, b);
}

LANES_INLINE Lanes
lanes_min(Lanes a, Lanes b)
{
  return _mm512_min_ps(a, b);
}

LANES_INLINE Lanes
lanes_abs(Lanes a)
{
  return _mm512_abs_ps(a);
}

LANES_INLINE Lanes
lanes_round(Lanes a)
{
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

LANES_INLINE Lanes
lanes_power2(Lanes n)
{
  const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
}

/* a < b ? x : y, lane by lane. */
LANES_INLINE Lanes
lanes_less(Lanes a, Lanes b, Lanes x, Lanes y)
{
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}

LANES_INLINE __m256
lanes_high(Lanes a)
{
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
}

LANES_INLINE float
lanes_sum(Lanes a)
{
  const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), lanes_high(a));
  __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));

  c = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

LANES_INLINE float
lanes_most(Lanes a)
{
  const __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a), lanes_high(a));
  __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));

  c = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

#elif defined LANES_AVX2

#include <immintrin.h>

/* Sixteen registers of eight: two of them make one Lanes. */
#define LANES_WIDE(rows) ((rows) <= 1 ? 4 : (rows) <= 3 ? 2 : 1)
#define LANES_ROWS 1u
#define LANES_TOKENS 3u

typedef struct {
  __m256 a, b;
} Lanes;

LANES_INLINE Lanes
lanes_zero(void)
{
  return (Lanes){_mm256_setzero_ps(), _mm256_setzero_ps()};
}

LANES_INLINE Lanes
lanes_all(float a)
{
  return (Lanes){_mm256_set1_ps(a), _mm256_set1_ps(a)};
}

LANES_INLINE Lanes
lanes_load(const float *p)
{
  return (Lanes){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

LANES_INLINE void
lanes_store(float *p, Lanes a)
{
  _mm256_storeu_ps(p, a.a);
  _mm256_storeu_ps(p + 8, a.b);
}

LANES_INLINE __m128i
lanes_bytes(const void *p)
{
  return _mm_loadu_si128((const __m128i *)p);
}

LANES_INLINE Lanes
lanes_load_f16(const uint16_t *p)
{
  return (Lanes){_mm256_cvtph_ps(lanes_bytes(p)), _mm256_cvtph_ps(lanes_bytes(p + 8))};
}

LANES_INLINE Lanes
lanes_load_bf16(const uint16_t *p)
{
  const __m256i a = _mm256_cvtepu16_epi32(lanes_bytes(p));
  const __m256i b = _mm256_cvtepu16_epi32(lanes_bytes(p + 8));
  return (Lanes){_mm256_castsi256_ps(_mm256_slli_epi32(a, 16)),
                 _mm256_castsi256_ps(_mm256_slli_epi32(b, 16))};
}

LANES_INLINE __m256i
lanes_words(const uint16_t *p)
{
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

LANES_INLINE Lanes
lanes_load_bf16_even(const uint16_t *p)
{
  return (Lanes){_mm256_castsi256_ps(_mm256_slli_epi32(lanes_words(p), 16)),
                 _mm256_castsi256_ps(_mm256_slli_epi32(lanes_words(p + 16), 16))};
}

LANES_INLINE Lanes
lanes_load_bf16_odd(const uint16_t *p)
{
  const __m256i high = _mm256_set1_epi32((int)0xFFFF0000);
  return (Lanes){_mm256_castsi256_ps(_mm256_and_si256(lanes_words(p), high)),
                 _mm256_castsi256_ps(_mm256_and_si256(lanes_words(p + 16), high))};
}

LANES_INLINE Lanes
lanes_load_i8(const int8_t *p)
{
  const __m128i bytes = lanes_bytes(p);
  return (Lanes){_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
                 _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))};
}

LANES_INLINE void
lanes_store_f16(uint16_t *p, Lanes a)
{
  _mm_storeu_si128((__m128i *)(void *)p,
                   _mm256_cvtps_ph(a.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  _mm_storeu_si128((__m128i *)(void *)(p + 8),
                   _mm256_cvtps_ph(a.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

LANES_INLINE Lanes
lanes_add(Lanes a, Lanes b)
{
  return (Lanes){_mm256_add_ps(a.a, b.a), _mm256_add_ps(a.b, b.b)};
}

LANES_INLINE Lanes
lanes_sub(Lanes a, Lanes b)
{
  return (Lanes){_mm256_sub_ps(a.a, b.a), _mm256_sub_ps(a.b, b.b)};
}

LANES_INLINE Lanes
lanes_mul(Lanes a, Lanes b)
{
  return (Lanes){_mm256_mul_ps(a.a, b.a), _mm256_mul_ps(a.b, b.b)};
}

LANES_INLINE Lanes
lanes_div(Lanes a, Lanes b)
{
  return (Lanes){_mm256_div_ps(a.a, b.a), _mm256_div_ps(a.b, b.b)};
}

LANES_INLINE Lanes
lanes_fma(Lanes a, Lanes b, Lanes c)
{
  return (Lanes){_mm256_fmadd_ps(a.a, b.a, c.a), _mm256_fmadd_ps(a.b, b.b, c.b)};
}

LANES_INLINE Lanes
lanes_fnma(Lanes a, Lanes b, Lanes c)
{
  return (Lanes){_mm256_fnmadd_ps(a.a, b.a, c.a), _mm256_fnmadd_ps(a.b, b.b, c.b)};
}

LANES_INLINE Lanes
lanes_max(Lanes a, Lanes b)
{
  return (Lanes){_mm256_max_ps(a.a, b.a), _mm256_max_ps(a.b, b.b)};
}

LANES_INLINE Lanes
lanes_min(Lanes a, Lanes b)
{
  return (Lanes){_mm256_min_ps(a.a, b.a), _mm256_min_ps(a.b, b.b)};
}

LANES_INLINE Lanes
lanes_abs(Lanes a)
{
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return (Lanes){_mm256_andnot_ps(sign, a.a), _mm256_andnot_ps(sign, a.b)};
}

LANES_INLINE Lanes
lanes_round(Lanes a)
{
  return (Lanes){_mm256_round_ps(a.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                 _mm256_round_ps(a.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

LANES_INLINE __m256
lanes_power2_half(__m256 n)
{
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}

LANES_INLINE Lanes
lanes_power2(Lanes n)
{
  return (Lanes){lanes_power2_half(n.a), lanes_power2_half(n.b)};
}

LANES_INLINE Lanes
lanes_less(Lanes a, Lanes b, Lanes x, Lanes y)
{
  return (Lanes){_mm256_blendv_ps(y.a, x.a, _mm256_cmp_ps(a.a, b.a, _CMP_LT_OQ)),
                 _mm256_blendv_ps(y.b, x.b, _mm256_cmp_ps(a.b, b.b, _CMP_LT_OQ))};
}

LANES_INLINE float
lanes_sum(Lanes a)
{
  const __m256 b = _mm256_add_ps(a.a, a.b);
  __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));

  c = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

LANES_INLINE float
lanes_most(Lanes a)
{
  const __m256 b = _mm256_max_ps(a.a, a.b);
  __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));

  c = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

#elif defined LANES_NEON

#include <arm_neon.h>

/* Thirty-two registers of four: four of them make one Lanes. */
#define LANES_WIDE(rows) ((rows) <= 1 ? 4 : (rows) <= 3 ? 2 : 1)
#define LANES_ROWS 1u
#define LANES_TOKENS 3u

typedef float32x4x4_t Lanes;

#define LANES_EACH(out, i, expression)                                                             \
  Lanes out;                                                                                       \
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)                                              \
  {                                                                                                \
    out.val[i] = (expression);                                                                     \
  }

LANES_INLINE Lanes
lanes_all(float a)
{
  LANES_EACH(y, i, vdupq_n_f32(a))
  return y;
}

LANES_INLINE Lanes
lanes_zero(void)
{
  return lanes_all(0.0f);
}

LANES_INLINE Lanes
lanes_load(const float *p)
{
  LANES_EACH(y, i, vld1q_f32(p + 4 * i))
  return y;
}

LANES_INLINE void
lanes_store(float *p, Lanes a)
{
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)
  {
    vst1q_f32(p + 4 * i, a.val[i]);
  }
}

LANES_INLINE Lanes
lanes_load_f16(const uint16_t *p)
{
  LANES_EACH(y, i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i))))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16(const uint16_t *p)
{
  LANES_EACH(y, i, vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(p + 4 * i)), 16)))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_even(const uint16_t *p)
{
  LANES_EACH(y, i,
             vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u16(vld1q_u16(p + 8 * i)), 16)))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_odd(const uint16_t *p)
{
  LANES_EACH(y, i,
             vreinterpretq_f32_u32(
                 vandq_u32(vreinterpretq_u32_u16(vld1q_u16(p + 8 * i)), vdupq_n_u32(0xFFFF0000))))
  return y;
}

LANES_INLINE Lanes
lanes_load_i8(const int8_t *p)
{
  const int8x16_t bytes = vld1q_s8(p);
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
  return (Lanes){{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                  vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
                  vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                  vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}

LANES_INLINE void
lanes_store_f16(uint16_t *p, Lanes a)
{
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)
  {
    vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.val[i])));
  }
}

LANES_INLINE Lanes
lanes_add(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vaddq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_sub(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vsubq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_mul(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vmulq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_div(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vdivq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_fma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, vfmaq_f32(c.val[i], a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_fnma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, vfmsq_f32(c.val[i], a.val[i], b.val[i]))
  return y;
}

LANES_INLINE float32x4_t
lanes_max4(float32x4_t a, float32x4_t b)
{
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}

LANES_INLINE Lanes
lanes_max(Lanes a, Lanes b)
{
  LANES_EACH(y, i, lanes_max4(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_min(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vbslq_f32(vcltq_f32(a.val[i], b.val[i]), a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_abs(Lanes a)
{
  LANES_EACH(y, i, vabsq_f32(a.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_round(Lanes a)
{
  LANES_EACH(y, i, vrndnq_f32(a.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_power2(Lanes n)
{
  LANES_EACH(
      y, i,
      vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.val[i]), vdupq_n_s32(127)), 23)))
  return y;
}

LANES_INLINE Lanes
lanes_less(Lanes a, Lanes b, Lanes x, Lanes y)
{
  LANES_EACH(z, i, vbslq_f32(vcltq_f32(a.val[i], b.val[i]), x.val[i], y.val[i]))
  return z;
}

LANES_INLINE float
lanes_sum(Lanes a)
{
  const float32x4_t b = vaddq_f32(vaddq_f32(a.val[0], a.val[2]), vaddq_f32(a.val[1], a.val[3]));
  const float32x2_t c = vadd_f32(vget_low_f32(b), vget_high_f32(b));

  return vget_lane_f32(c, 0) + vget_lane_f32(c, 1);
}

LANES_INLINE float
lanes_most(Lanes a)
{
  const float32x4_t b = lanes_max4(lanes_max4(a.val[0], a.val[2]), lanes_max4(a.val[1], a.val[3]));
  const float x =
      vgetq_lane_f32(b, 0) > vgetq_lane_f32(b, 2) ? vgetq_lane_f32(b, 0) : vgetq_lane_f32(b, 2);
  const float y =
      vgetq_lane_f32(b, 1) > vgetq_lane_f32(b, 3) ? vgetq_lane_f32(b, 1) : vgetq_lane_f32(b, 3);
  return x > y ? x : y;
}

#else

#define LANES_WIDE(rows) 1
#define LANES_ROWS 1u
#define LANES_TOKENS 1u

typedef struct {
  float v[LANES];
} Lanes;

#define LANES_EACH(out, i, expression)                                                             \
  Lanes out;                                                                                       \
  for (unsigned i = 0; i < LANES; i++) {                                                           \
    out.v[i] = (expression);                                                                       \
  }

LANES_INLINE Lanes
lanes_all(float a)
{
  LANES_EACH(y, i, a)
  return y;
}

LANES_INLINE Lanes
lanes_zero(void)
{
  return lanes_all(0.0f);
}

LANES_INLINE Lanes
lanes_load(const float *p)
{
  LANES_EACH(y, i, p[i])
  return y;
}

LANES_INLINE void
lanes_store(float *p, Lanes a)
{
  memcpy(p, a.v, sizeof a.v);
}

LANES_INLINE Lanes
lanes_load_f16(const uint16_t *p)
{
  LANES_EACH(y, i, model_f16_to_float(p[i]))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16(const uint16_t *p)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)p[i] << 16))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_even(const uint16_t *p)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)p[2 * i] << 16))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_odd(const uint16_t *p)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)p[2 * i + 1] << 16))
  return y;
}

LANES_INLINE Lanes
lanes_load_i8(const int8_t *p)
{
  LANES_EACH(y, i, (float)p[i])
  return y;
}

LANES_INLINE void
lanes_store_f16(uint16_t *p, Lanes a)
{
  for (unsigned i = 0; i < LANES; i++) {
    p[i] = model_float_to_f16(a.v[i]);
  }
}

LANES_INLINE Lanes
lanes_add(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] + b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_sub(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] - b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_mul(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] * b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_div(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] / b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_fma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, fmaf(a.v[i], b.v[i], c.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_fnma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, fmaf(-a.v[i], b.v[i], c.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_max(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] > b.v[i] ? a.v[i] : b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_min(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] < b.v[i] ? a.v[i] : b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_abs(Lanes a)
{
  LANES_EACH(y, i, fabsf(a.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_round(Lanes a)
{
  LANES_EACH(y, i, rintf(a.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_power2(Lanes n)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)((int32_t)n.v[i] + 127) << 23))
  return y;
}

LANES_INLINE Lanes
lanes_less(Lanes a, Lanes b, Lanes x, Lanes y)
{
  LANES_EACH(z, i, a.v[i] < b.v[i] ? x.v[i] : y.v[i])
  return z;
}

LANES_INLINE float
lanes_sum(Lanes a)
{
  for (unsigned width = LANES / 2; width > 0; width /= 2) {
    for (unsigned i = 0; i < width; i++) {
      a.v[i] += a.v[i + width];
    }
  }
  return a.v[0];
}

LANES_INLINE float
lanes_most(Lanes a)
{
  for (unsigned width = LANES / 2; width > 0; width /= 2) {
    for (unsigned i = 0; i < width; i++) {
      a.v[i] = a.v[i] > a.v[i + width] ? a.v[i] : a.v[i + width];
    }
  }
  return a.v[0];
}

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
