/* floats-avx512.c - the float kernels for AVX-512 (F, DQ, BW, VL). */
#if defined __x86_64__
#pragma GCC target("avx2,fma,f16c,avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")
#define LANES_AVX512
#include "kernels/floats-body.h"

const ModelFloats model_floats_avx512 = MODEL_FLOATS("avx512");
#endif
