/* product-float-avx512.c - float products for AVX-512 (F, DQ, BW, VL). */
#if defined __x86_64__
#ifdef __clang__
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512dq,avx512bw,avx512vl"))),                   \
    apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c,avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")
#endif
#define LANES_AVX512
#include "kernels/product-float-body.h"

const ModelFloatProducts model_float_products_avx512 = MODEL_FLOAT_PRODUCTS("avx512", false, true);
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
