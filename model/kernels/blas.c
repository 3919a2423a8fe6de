/* blas.c - a few small products before any answer is trusted.
 *
 * OpenBLAS picks its kernels by the processor's name and cache sizes. Releases as old as Debian
 * 12's are known to compute wrong products, without a word, on processors or virtual machines that
 * came after them. A model would still talk then. A millisecond at the start tells. */
#include "kernels/blas.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"
#include "kernels/sgemm.h"

enum { MOST_M = 65, MOST_N = 131, MOST_K = 301 };

static const int shapes[][3] = {{1, 7, 33}, {5, MOST_N, 64}, {MOST_M, 16, 129}, {33, 67, MOST_K}};

static void
own_product(int m, int n, int k, const float *x, const float *w, float *y)
{
  model_sgemm((uint64_t)m, (uint64_t)n, (uint64_t)k, x, (uint64_t)k, w, (uint64_t)k, y,
              (uint64_t)n);
}

/* Largest difference from the plain product, NaN included as infinity. */
static double
largest_error(int m, int n, int k, const float *x, const float *w, const float *y)
{
  double largest = 0;

  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      double sum = 0, error;

      for (int l = 0; l < k; l++) {
        sum += (double)x[i * k + l] * w[j * k + l];
      }
      error = fabs(sum - y[i * n + j]);
      largest = error <= largest ? largest : isnan(error) ? INFINITY : error;
    }
  }
  return largest;
}

static bool
check_shapes(ModelBlasProduct product, float *x, float *w, float *y, ModelError *err)
{
  ModelRandom random;

  model_random_seed(&random, 1);
  for (size_t i = 0; i < MOST_M * MOST_K; i++) {
    x[i] = (float)((double)(model_random_next(&random) >> 11) * 0x1p-52 - 1);
  }
  for (size_t i = 0; i < MOST_N * MOST_K; i++) {
    w[i] = (float)((double)(model_random_next(&random) >> 11) * 0x1p-52 - 1);
  }
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const int m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
    double error;

    product(m, n, k, x, w, y);
    error = largest_error(m, n, k, x, w, y);
    /* Rounding stays below k * 2^-24 * |x||w| = 2e-5 for sums of up to 301 products below 1. */
    if (error > 1e-4) {
      return model_fail(
          err, MODEL_ERROR_UNSUPPORTED,
          "OpenBLAS multiplies wrongly on this processor (a product of %d by %d by %d "
          "is off by %g, expected at most 1e-4): set OPENBLAS_CORETYPE=Haswell in the "
          "environment, or install a newer OpenBLAS",
          m, n, k, error);
    }
  }
  return true;
}

bool
model_blas_check(ModelBlasProduct product, ModelError *err)
{
  float *x = malloc(sizeof(float) * MOST_M * MOST_K), *w = malloc(sizeof(float) * MOST_N * MOST_K);
  float *y = malloc(sizeof(float) * MOST_M * MOST_N);
  bool ok;

  if (!x || !w || !y) {
    ok = model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a check of OpenBLAS");
  } else {
    ok = check_shapes(product ? product : own_product, x, w, y, err);
  }
  free(x);
  free(w);
  free(y);
  return ok;
}
