/* product-vnni.c - products of packed weights with AVX-512 VNNI: four products of bytes in a lane
 * of 32 bits, exact. */
#include "kernels/quantize.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c"))),             \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")
#endif

#define DOT_Q8_0_OFFSET 128

/* sum + u0 x0 + u1 x1, over the four bytes of each lane. */
static inline __attribute__((always_inline)) __m512i
dot_two(ModelType type, __m512i sum, __m512i u0, __m512i x0, __m512i u1, __m512i x1)
{
  return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, u0, x0), u1, x1);
}

/* sum + a b, over the two int16 of each lane. */
static inline __attribute__((always_inline)) __m512i
dot_pairs(__m512i sum, __m512i a, __m512i b)
{
  return _mm512_dpwssd_epi32(sum, a, b);
}

#include "kernels/product-512.h"

const ModelKernels model_kernels_vnni = {
    .name = "vnni", .quantize = model_quantize_avx512, .product = product};

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
