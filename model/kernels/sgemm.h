/* sgemm.h - products of float32 matrices: OpenBLAS's, or our own plain ones in a build without it
 * (-Dopenblas=disabled). Private to model/. */
#ifndef HILUM_MODEL_SGEMM_H
#define HILUM_MODEL_SGEMM_H

#include <stdint.h>

/* y[m][n] = x[m][k] . w[n][k]^T; rows lie as many floats apart as the strides say. All numbers are
 * at most INT32_MAX. On the caller's thread alone. */
void model_sgemm(uint64_t m, uint64_t n, uint64_t k, const float *x, uint64_t x_stride,
                 const float *w, uint64_t w_stride, float *y, uint64_t y_stride);

#endif
