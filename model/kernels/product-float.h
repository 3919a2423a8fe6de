/* product-float.h - products with weights of 16- and 32-bit floats where they lie in the file, and
 * what they compute, to the last bit. Private to model/.
 *
 * A row's result is the same beside any other rows, for any number of them, and on every
 * instruction set. lanes.h says what each operation means.
 *
 * ---- x in float32; w in F32, F16 or BF16 ----
 * Two sums of 16 lanes from 0: columns 32 b + i go to lane i of the first, columns 32 b + 16 + i to
 * lane i of the second, s = fma(w, x, s), b = 0, 1, ... (past the end w = x = 0).
 * y = sum(first + second), then + bias where there is one.
 * ---- x in bfloat16 (rounded to nearest even); w in BF16 ----
 * The same with pairs of columns: columns 64 b + 2 i and + 1 go to lane i of the first, columns
 * 64 b + 32 + 2 i and + 1 to the second, s = fma(w_even, x_even, fma(w_odd, x_odd, s)): what
 * AVX-512's VDPBF16PS does. (It takes numbers below 2^-126 for 0, the others do not.)
 */
#ifndef HILUM_MODEL_PRODUCT_FLOAT_H
#define HILUM_MODEL_PRODUCT_FLOAT_H

#include "checkpoint/checkpoint.h"

/* Rows of weights that one call takes at most. */
#define MODEL_FLOAT_ROWS 64u
/* Floats of scratch for one call. */
#define MODEL_FLOAT_SCRATCH (MODEL_FLOAT_ROWS * 6u * 32u)

typedef struct {
  const char *name; /* "portable", "avx2", "avx512", "avx512bf16", "neon" */
  bool bf16_dots;   /* product_bf16 is much faster than product */
  bool beats_blas;  /* product is faster than OpenBLAS for any number of rows */
  /* y[i][row] for the rows i of X[m][columns], X_STRIDE numbers apart, and rows FIRST .. FIRST + N
   * - 1 of W; rows of Y are Y_STRIDE floats apart. BIAS[rows] or NULL. SCRATCH: 64-byte aligned.
   * Rows of X that start on 64 bytes are read twice as fast. */
  void (*product)(const ModelTensor *w, uint64_t first, uint32_t n, const float *x,
                  uint64_t x_stride, uint64_t m, const float *bias, float *y, uint64_t y_stride,
                  float *scratch);
  void (*product_bf16)(const ModelTensor *w, uint64_t first, uint32_t n, const uint16_t *x,
                       uint64_t x_stride, uint64_t m, const float *bias, float *y,
                       uint64_t y_stride, float *scratch);
  void (*to_bf16)(const float *x, uint64_t n, uint16_t *out);
} ModelFloatProducts;

extern const ModelFloatProducts model_float_products_portable;
#if defined __x86_64__
extern const ModelFloatProducts model_float_products_avx2, model_float_products_avx512,
    model_float_products_avx512bf16;
#elif defined __aarch64__
extern const ModelFloatProducts model_float_products_neon;
#endif

/* As model_kernels_find() and model_kernels_at(): ask once, keep the answer. */
const ModelFloatProducts *model_float_products_find(const char *name);
const ModelFloatProducts *model_float_products_at(uint32_t index);

/* Whether W can be used where it lies: F32, F16 or BF16, aligned to its numbers. */
bool model_float_product_fits(const ModelTensor *w);

#endif
