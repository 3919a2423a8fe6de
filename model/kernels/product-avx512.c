/* product-avx512.c - products of packed weights with AVX-512 without VNNI: pairs of products of
 * bytes in 16 bits, and pairs of those in 32. Exact, since no sum in 16 bits comes near 32767. */
#include "kernels/quantize.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c")
#endif

/* Q8_0 as signed bytes: |w| |x| stays below 2^15 for two products, what u x does not. */
#define DOT_Q8_0_OFFSET 0

static inline __attribute__((always_inline)) __m512i
widen(__m512i a)
{
  return _mm512_madd_epi16(a, _mm512_set1_epi16(1));
}

/* w x with the sign of w moved to x; at most 2 * 128 * 127 in 16 bits. */
static inline __attribute__((always_inline)) __m512i
dot_signed(__m512i u, __m512i x)
{
  const __m512i w = _mm512_xor_si512(u, _mm512_set1_epi8((char)0x80));
  const __m512i signed_x =
      _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);

  return _mm512_maddubs_epi16(_mm512_abs_epi8(w), signed_x);
}

/* sum + u0 x0 + u1 x1, over the four bytes of each lane. Other types than Q8_0 have u of at most
 * 63: 4 * 63 * 127 in 16 bits. */
static inline __attribute__((always_inline)) __m512i
dot_two(ModelType type, __m512i sum, __m512i u0, __m512i x0, __m512i u1, __m512i x1)
{
  if (type == MODEL_TYPE_PACKED_Q8_0) {
    sum = _mm512_add_epi32(sum, widen(dot_signed(u0, x0)));
    return _mm512_add_epi32(sum, widen(dot_signed(u1, x1)));
  }
  return _mm512_add_epi32(
      sum, widen(_mm512_add_epi16(_mm512_maddubs_epi16(u0, x0), _mm512_maddubs_epi16(u1, x1))));
}

/* sum + a b, over the two int16 of each lane. */
static inline __attribute__((always_inline)) __m512i
dot_pairs(__m512i sum, __m512i a, __m512i b)
{
  return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
}

#include "kernels/product-512.h"

const ModelKernels model_kernels_avx512 = {
    .name = "avx512", .quantize = model_quantize_avx512, .product = product};

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
