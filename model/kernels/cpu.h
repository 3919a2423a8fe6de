/* cpu.h - what this processor can do, as far as kernels care. Private to model/. */
#ifndef HILUM_MODEL_CPU_H
#define HILUM_MODEL_CPU_H

#include <stdint.h>

/* Each also means that the operating system keeps the registers that it needs. */
typedef enum {
  MODEL_CPU_AVX2 = 1 << 0,        /* with FMA and F16C */
  MODEL_CPU_AVX_VNNI = 1 << 1,    /* AVX2 and the 256-bit dot products of AVX-VNNI */
  MODEL_CPU_AVX512 = 1 << 2,      /* AVX2 and F, BW, VL and DQ */
  MODEL_CPU_AVX512_VNNI = 1 << 3, /* AVX-512 and its dot products */
  MODEL_CPU_AVX512_BF16 = 1 << 4, /* AVX-512 and its bfloat16 dot products */
  MODEL_CPU_DOTPROD = 1 << 5,     /* AArch64: SDOT and UDOT */
} ModelCpuFeature;

/* ModelCpuFeature bits. Costs some microseconds (more in a virtual machine): ask once, keep it. */
uint32_t model_cpu_features(void);

#endif
