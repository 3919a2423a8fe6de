/* product-float-avx2.c - float products for AVX2 with FMA and F16C. */
#if defined __x86_64__
#ifdef __clang__
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif
#define LANES_AVX2
#include "kernels/product-float-body.h"

const ModelFloatProducts model_float_products_avx2 = MODEL_FLOAT_PRODUCTS("avx2", false, false);
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
