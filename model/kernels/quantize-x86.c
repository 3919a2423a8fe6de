/* quantize-x86.c - activations to 8 bits with AVX2 and with AVX-512. */
#include "kernels/quantize.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define AVX512 __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq")))

/* 16 columns in their places, 4 by 4; their sum. */
static inline AVX2 int32_t
put_16(const ModelBlockPlace *to, uint32_t t, __m128i q)
{
  const uint64_t step = (uint64_t)4 * to->c;
  const __m128i shifted = _mm_xor_si128(q, _mm_set1_epi8((char)0x80));
  const __m128i sums = _mm_sad_epu8(shifted, _mm_setzero_si128());
  const int32_t four[4] = {_mm_extract_epi32(q, 0), _mm_extract_epi32(q, 1),
                           _mm_extract_epi32(q, 2), _mm_extract_epi32(q, 3)};

  for (uint32_t u = 0; u < 4; u++) {
    memcpy(to->q + step * (4 * t + u), &four[u], 4);
  }
  return _mm_cvtsi128_si32(sums) + _mm_extract_epi32(sums, 2) - 16 * 128;
}

/* ---- AVX2 ---------------------------------------------------------------------------------- */

static inline AVX2 uint32_t
largest_avx2(const float *x, uint32_t n)
{
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i most[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                     _mm256_setzero_si256()};
  __m128i half;

  for (uint32_t k = 0; k < n; k += 32) {
    for (uint32_t i = 0; i < 4; i++) {
      const __m256i bits = _mm256_loadu_si256((const __m256i *)(const void *)(x + k + 8 * i));
      most[i] = _mm256_max_epi32(most[i], _mm256_and_si256(bits, magnitude));
    }
  }
  most[0] =
      _mm256_max_epi32(_mm256_max_epi32(most[0], most[1]), _mm256_max_epi32(most[2], most[3]));
  half = _mm_max_epi32(_mm256_castsi256_si128(most[0]), _mm256_extracti128_si256(most[0], 1));
  half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0xB1));
  return (uint32_t)_mm_cvtsi128_si32(half);
}

static AVX2 void
block_avx2(const float *x, uint32_t block, const ModelBlockPlace *to)
{
  const float inverse = model_quantize_scale(largest_avx2(x, block), to->d);
  const __m256 factor = _mm256_set1_ps(inverse);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);

  if (inverse == 0) {
    model_quantize_zero(to, block);
    return;
  }
  for (uint32_t s = 0; s < block / 32; s++) {
    __m256i q[4], all;
    int32_t low, high;
    for (uint32_t i = 0; i < 4; i++) {
      q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 32 * s + 8 * i), factor));
    }
    all = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    all = _mm256_permutevar8x32_epi32(all, order);
    low = put_16(to, 2 * s, _mm256_castsi256_si128(all));
    high = put_16(to, 2 * s + 1, _mm256_extracti128_si256(all, 1));
    model_quantize_put_sums(to, block, s, low, high);
  }
}

AVX2 void
model_quantize_avx2(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                    uint64_t first, uint64_t n)
{
  model_quantize_walk(a, x, stride, columns, first, n, block_avx2);
}

/* ---- AVX-512 ------------------------------------------------------------------------------- */

static AVX512 void
block_avx512(const float *x, uint32_t block, const ModelBlockPlace *to)
{
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  __m512i most[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  __m512 factor;
  float inverse;

  for (uint32_t k = 0; k < block; k += 32) {
    for (uint32_t i = 0; i < 2; i++) {
      const __m512i bits = _mm512_loadu_si512(x + k + 16 * i);
      most[i] = _mm512_max_epi32(most[i], _mm512_and_si512(bits, magnitude));
    }
  }
  inverse = model_quantize_scale(
      (uint32_t)_mm512_reduce_max_epi32(_mm512_max_epi32(most[0], most[1])), to->d);
  if (inverse == 0) {
    model_quantize_zero(to, block);
    return;
  }
  factor = _mm512_set1_ps(inverse);
  for (uint32_t s = 0; s < block / 32; s++) {
    int32_t sums[2];
    for (uint32_t i = 0; i < 2; i++) {
      const __m512 scaled = _mm512_mul_ps(_mm512_loadu_ps(x + 32 * s + 16 * i), factor);
      sums[i] = put_16(to, 2 * s + i, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(scaled)));
    }
    model_quantize_put_sums(to, block, s, sums[0], sums[1]);
  }
}

AVX512 void
model_quantize_avx512(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                      uint64_t first, uint64_t n)
{
  model_quantize_walk(a, x, stride, columns, first, n, block_avx512);
}
