/* lanes-avx2.h - sixteen floats as two registers of AVX2; lanes.h says what each operation means.
 */
#ifndef HILUM_MODEL_LANES_AVX2_H
#define HILUM_MODEL_LANES_AVX2_H

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

#endif
