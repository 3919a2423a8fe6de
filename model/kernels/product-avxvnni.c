/* product-avxvnni.c - products with AVX-VNNI: processors with VPDPBUSD but without AVX-512. */
#define TARGET __attribute__((target("avx2,fma,f16c,avxvnni")))
#define DOT 1
#include "kernels/product-256.h"

const ModelKernels model_kernels_avxvnni = {"avxvnni", model_quantize_avx2, product};
