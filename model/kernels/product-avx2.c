/* product-avx2.c - products with AVX2, FMA and F16C. */
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define DOT 0
#include "kernels/product-256.h"

const ModelKernels model_kernels_avx2 = {"avx2", model_quantize_avx2, product};
