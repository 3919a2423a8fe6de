/* product-float-avx512bf16.c - float products for AVX-512 with BF16. */
#if defined __x86_64__
#ifdef __clang__
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512dq,avx512bw,avx512vl,avx512bf16"))),        \
    apply_to = function)
#else
#pragma GCC target(                                                                                \
    "avx2,fma,f16c,avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,prefer-vector-width=512")
#endif
#define LANES_AVX512
#define LANES_BF16
#include "kernels/product-float-body.h"

const ModelFloatProducts model_float_products_avx512bf16 =
    MODEL_FLOAT_PRODUCTS("avx512bf16", true, true);
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
