/* lanes-avx512.h - sixteen floats as one register of AVX-512; lanes.h says what each operation
 * means. */
#ifndef HILUM_MODEL_LANES_AVX512_H
#define HILUM_MODEL_LANES_AVX512_H

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

#endif
