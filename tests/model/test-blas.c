/* The check of OpenBLAS: it passes the right one, and would not pass a wrong one. */
#include <glib.h>
#include <math.h>

#include "kernels/blas.h"

static void
plain(int m, int n, int k, const float *x, const float *w, float *y)
{
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      float sum = 0;
      for (int l = 0; l < k; l++) {
        sum += x[i * k + l] * w[j * k + l];
      }
      y[i * n + j] = sum;
    }
  }
}

/* Wrong in the tail of the last row alone, as a kernel with a wrong edge is. */
static void
wrong_edge(int m, int n, int k, const float *x, const float *w, float *y)
{
  plain(m, n, k, x, w, y);
  if (k == 301) {
    y[m * n - 1] += 2e-3f;
  }
}

static void
not_a_number(int m, int n, int k, const float *x, const float *w, float *y)
{
  plain(m, n, k, x, w, y);
  y[0] = NAN;
}

static void
test_right(void)
{
  ModelError err = {0};

  g_assert_true(model_blas_check(NULL, &err));
  g_assert_true(model_blas_check(plain, &err));
}

static void
test_wrong(void)
{
  const ModelBlasProduct products[] = {wrong_edge, not_a_number};

  for (guint i = 0; i < G_N_ELEMENTS(products); i++) {
    ModelError err = {0};
    g_assert_false(model_blas_check(products[i], &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_UNSUPPORTED);
    g_assert_true(
        g_pattern_match_simple("OpenBLAS multiplies wrongly*OPENBLAS_CORETYPE*", err.message));
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/blas/right", test_right);
  g_test_add_func("/blas/wrong", test_wrong);
  return g_test_run();
}
