/* floats-avx2.c - the float kernels for AVX2 with FMA and F16C. */
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
#include "kernels/floats-body.h"

const ModelFloats model_floats_avx2 = MODEL_FLOATS("avx2");
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
