/* blas.h - trust in OpenBLAS, checked. Private to model/kernels and its test. */
#ifndef HILUM_MODEL_BLAS_H
#define HILUM_MODEL_BLAS_H

#include <stdbool.h>

#include "model.h"

/* y[m][n] = x[m][k] . w[n][k]^T, all row by row. */
typedef void (*ModelBlasProduct)(int m, int n, int k, const float *x, const float *w, float *y);

/* Multiplies a few odd shapes with PRODUCT (NULL: OpenBLAS) and with plain loops, and holds the
 * results against each other: MODEL_ERROR_UNSUPPORTED when they differ. */
bool model_blas_check(ModelBlasProduct product, ModelError *err);

#endif
