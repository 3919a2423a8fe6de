/* floats-avx2.c - the float kernels for AVX2 with FMA and F16C. */
#if defined __x86_64__
#pragma GCC target("avx2,fma,f16c")
#define LANES_AVX2
#include "kernels/floats-body.h"

const ModelFloats model_floats_avx2 = MODEL_FLOATS("avx2");
#endif
