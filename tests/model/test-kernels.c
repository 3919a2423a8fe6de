/* test-kernels.c - every kernel beside its plain twin, over odd sizes and any number of threads. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

static float *
random_floats(GRand *rand, gsize n, double scale)
{
  float *out = g_new(float, n + 1);
  for (gsize i = 0; i < n; i++) {
    out[i] = (float)g_rand_double_range(rand, -scale, scale);
  }
  return out;
}

/* Float32 sums of n products of numbers below s: the error is about n * s^2 * 2^-24, far below. */
static void
assert_near(const float *found, const double *expected, gsize n, double atol, double rtol)
{
  for (gsize i = 0; i < n; i++) {
    if (!(fabs(found[i] - expected[i]) <= atol + rtol * fabs(expected[i]))) {
      g_test_message("at %" G_GSIZE_FORMAT ": found %.9g, expected %.9g", i, (double)found[i],
                     expected[i]);
      g_test_fail();
      return;
    }
  }
}

/* ---- pool --------------------------------------------------------------------------------- */

typedef struct {
  gint counts[1000];
  gint workers[4];
  guint n_workers;
} Marks;

static void
mark_task(uint32_t index, uint32_t worker, void *user)
{
  Marks *marks = user;
  g_assert_cmpuint(worker, <, marks->n_workers);
  g_atomic_int_inc(&marks->counts[index]);
  /* A worker runs one task at a time. */
  g_assert_cmpint(g_atomic_int_add(&marks->workers[worker], 1), ==, 0);
  g_atomic_int_add(&marks->workers[worker], -1);
}

static void
test_pool(void)
{
  for (uint32_t threads = 1; threads <= 4; threads++) {
    ModelError err = {0};
    ModelPool *pool = model_pool_new(threads, &err);
    g_assert_nonnull(pool);
    g_assert_cmpuint(model_pool_threads(pool), ==, threads);
    for (uint32_t n = 0; n <= 1000; n = n * 3 + 1) {
      g_autofree Marks *marks = g_new0(Marks, 1);
      marks->n_workers = threads;
      for (int round = 0; round < 20; round++) {
        model_pool_run(pool, n, mark_task, marks);
      }
      for (uint32_t i = 0; i < 1000; i++) {
        g_assert_cmpint(marks->counts[i], ==, i < n ? 20 : 0);
      }
    }
    model_pool_free(pool);
  }
  model_pool_free(NULL);
}

typedef struct {
  ModelPool *pool;
  gint inside;
} Turn;

static void
turn_task(uint32_t index, uint32_t worker, void *user)
{
  Turn *turn = user;
  g_atomic_int_inc(&turn->inside);
}

static gpointer
turn_thread(gpointer data)
{
  Turn *turn = data;
  for (int i = 0; i < 200; i++) {
    model_pool_run(turn->pool, 7, turn_task, turn);
  }
  return NULL;
}

/* Sessions that share an engine share its pool. */
static void
test_pool_shared(void)
{
  Turn turns[3] = {0};
  GThread *threads[3];
  ModelPool *pool = model_pool_new(2, NULL);

  for (int i = 0; i < 3; i++) {
    turns[i].pool = pool;
    threads[i] = g_thread_new("turn", turn_thread, &turns[i]);
  }
  for (int i = 0; i < 3; i++) {
    g_thread_join(threads[i]);
    g_assert_cmpint(turns[i].inside, ==, 1400);
  }
  model_pool_free(pool);
}

/* ---- matmul ------------------------------------------------------------------------------- */

typedef struct {
  guint8 *data, *start;
  ModelTensor tensor;
  float *plain; /* [rows][columns], what the tensor holds */
} Weights;

/* MISALIGN: bytes by which the data are off a float's boundary, as safetensors may have them. */
static Weights
weights_new(GRand *rand, ModelType type, guint rows, guint columns, guint misalign)
{
  const guint64 row_bytes = model_type_row_bytes(type, columns);
  Weights w = {.data = g_malloc(rows * row_bytes + 16)};
  w.start = w.data + misalign;
  for (guint i = 0; i < rows; i++) {
    g_autofree float *row = random_floats(rand, columns, 1.0);
    model_type_write_row(type, row, columns, w.start + i * row_bytes);
  }
  w.tensor = (ModelTensor){.name = "w",
                           .data = w.start,
                           .n_bytes = rows * row_bytes,
                           .shape = {rows, columns},
                           .n_dims = 2,
                           .type = type};
  w.plain = g_new(float, (gsize)rows *columns);
  model_tensor_read_rows(&w.tensor, 0, rows, w.plain);
  return w;
}

static void
weights_clear(Weights *w)
{
  g_free(w->data);
  g_free(w->plain);
}

static double *
plain_matmul(const float *w, const float *bias, const float *x, guint m, guint rows, guint columns)
{
  double *y = g_new0(double, (gsize)m *rows);
  for (guint i = 0; i < m; i++) {
    for (guint j = 0; j < rows; j++) {
      double sum = bias ? bias[j] : 0;
      for (guint k = 0; k < columns; k++) {
        sum += (double)x[(gsize)i * columns + k] * w[(gsize)j * columns + k];
      }
      y[(gsize)i * rows + j] = sum;
    }
  }
  return y;
}

static void
check_matmul(GRand *rand, ModelType type, guint misalign, guint m, guint rows, guint columns)
{
  Weights w = weights_new(rand, type, rows, columns, misalign);
  g_autofree float *x = random_floats(rand, (gsize)m * columns, 1.0);
  g_autofree float *bias = random_floats(rand, rows, 1.0);
  g_autofree float *first = g_new(float, (gsize)m *rows), *again = g_new(float, (gsize)m *rows);

  for (int with_bias = 0; with_bias < 2; with_bias++) {
    g_autofree double *twin = plain_matmul(w.plain, with_bias ? bias : NULL, x, m, rows, columns);
    for (uint32_t threads = 1; threads <= 3; threads++) {
      ModelPool *pool = model_pool_new(threads, NULL);
      float *y = threads == 1 ? first : again;
      model_matmul(pool, &w.tensor, with_bias ? bias : NULL, x, m, y);
      model_pool_free(pool);
      if (threads > 1) {
        g_assert_cmpmem(again, m * rows * sizeof(float), first, m * rows * sizeof(float));
      }
    }
    assert_near(first, twin, (gsize)m * rows, 2e-6 * columns, 1e-5);
  }
  weights_clear(&w);
}

static void
test_matmul(void)
{
  static const ModelType types[] = {MODEL_TYPE_F32, MODEL_TYPE_F16, MODEL_TYPE_BF16};
  static const guint shapes[][3] = {{1, 1, 1},     {2, 1, 1},     {1, 33, 17},
                                    {3, 5, 7},     {1, 1000, 3},  {17, 130, 65},
                                    {5, 1021, 72}, {1, 700, 600}, {33, 64, 588}};
  GRand *rand = g_rand_new_with_seed(1);

  for (guint t = 0; t < G_N_ELEMENTS(types); t++) {
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
      check_matmul(rand, types[t], i % 3, shapes[i][0], shapes[i][1], shapes[i][2]);
    }
  }
  for (guint m = 1; m < 40; m += 19) {
    check_matmul(rand, MODEL_TYPE_Q8_0, 1, m, 77, 96);
    check_matmul(rand, MODEL_TYPE_F32, 0, m, 77, 96);
  }
  g_rand_free(rand);
}

/* A row as wide as a worker's scratch, one row per block. */
static void
test_matmul_wide(void)
{
  GRand *rand = g_rand_new_with_seed(2);
  check_matmul(rand, MODEL_TYPE_F16, 0, 1, 3, MODEL_POOL_SCRATCH);
  check_matmul(rand, MODEL_TYPE_F16, 0, 2, 2, MODEL_POOL_SCRATCH);
  g_rand_free(rand);
}

/* ---- elementwise -------------------------------------------------------------------------- */

static void
test_norms(void)
{
  GRand *rand = g_rand_new_with_seed(3);

  for (guint n = 1; n < 700; n = n * 2 + 1) {
    g_autofree float *x = random_floats(rand, n, 3), *w = random_floats(rand, n, 2);
    g_autofree float *b = random_floats(rand, n, 1), *y = g_new(float, n);
    g_autofree double *twin = g_new(double, n);
    double mean = 0, variance = 0, squares = 0;
    for (guint i = 0; i < n; i++) {
      mean += x[i] / (double)n;
      squares += (double)x[i] * x[i] / n;
    }
    for (guint i = 0; i < n; i++) {
      variance += (x[i] - mean) * (x[i] - mean) / n;
    }
    for (guint i = 0; i < n; i++) {
      twin[i] = x[i] / sqrt(squares + 1e-5) * w[i];
    }
    model_rms_norm(x, w, n, 1e-5f, y);
    assert_near(y, twin, n, 1e-6, 1e-5);
    for (guint i = 0; i < n; i++) {
      twin[i] = (x[i] - mean) / sqrt(variance + 1e-5) * w[i] + b[i];
    }
    model_layer_norm(x, w, b, n, 1e-5f, y);
    /* A single value minus its mean is all rounding, and 1/sqrt(eps) makes 300 of it. */
    assert_near(y, twin, n, 1e-4, 1e-5);
  }
  g_rand_free(rand);
}

static void
test_activations(void)
{
  GRand *rand = g_rand_new_with_seed(4);

  for (guint n = 1; n < 300; n = n * 3 + 2) {
    g_autofree float *x = random_floats(rand, n, 12), *up = random_floats(rand, n, 2);
    g_autofree float *y = g_new(float, n);
    g_autofree double *twin = g_new(double, n);
    double sum = 0;

    for (guint i = 0; i < n; i++) {
      twin[i] = (double)x[i] / (1 + exp(-(double)x[i])) * up[i];
    }
    model_silu_multiply(x, up, n, y);
    assert_near(y, twin, n, 1e-6, 1e-5);

    for (guint i = 0; i < n; i++) {
      twin[i] = (double)x[i] / (1 + exp(-1.702 * x[i]));
    }
    memcpy(y, x, n * sizeof *x);
    model_quick_gelu(y, n);
    assert_near(y, twin, n, 1e-6, 1e-5);

    for (guint i = 0; i < n; i++) {
      twin[i] = 0.5 * x[i] * (1 + erf(x[i] / sqrt(2)));
    }
    memcpy(y, x, n * sizeof *x);
    model_gelu_erf(y, n);
    assert_near(y, twin, n, 1e-6, 1e-5);

    for (guint i = 0; i < n; i++) {
      twin[i] = exp(x[i]);
      sum += twin[i];
    }
    for (guint i = 0; i < n; i++) {
      twin[i] /= sum;
    }
    memcpy(y, x, n * sizeof *x);
    model_softmax(y, n);
    assert_near(y, twin, n, 1e-7, 1e-5);
  }
  g_rand_free(rand);
}

/* Known values: the erf form and the tanh form of GELU differ in the fourth digit. */
static void
test_gelu_is_exact(void)
{
  float x[3] = {1.0f, -1.0f, 2.5f};
  const double expected[3] = {0.8413447460685429, -0.15865525393145707, 2.4844758366855597};
  float extreme[4] = {-1000, 1000, -80, 0};

  model_gelu_erf(x, 3);
  assert_near(x, expected, 3, 1e-7, 1e-6);
  model_quick_gelu(extreme, 4);
  g_assert_cmpfloat(extreme[0], ==, 0);
  g_assert_cmpfloat(extreme[1], ==, 1000);
  g_assert_cmpfloat(extreme[3], ==, 0);
}

static void
test_rope(void)
{
  GRand *rand = g_rand_new_with_seed(5);

  for (guint head_dim = 2; head_dim <= 34; head_dim += 4) {
    const guint heads = 3, half = head_dim / 2;
    g_autofree float *x = random_floats(rand, heads * head_dim, 2);
    g_autofree float *cosine = g_new(float, half), *sine = g_new(float, half);
    for (guint i = 0; i < half; i++) {
      cosine[i] = (float)cos(0.7 * (i + 1));
      sine[i] = (float)sin(0.7 * (i + 1));
    }
    for (int adjacent = 0; adjacent < 2; adjacent++) {
      g_autofree float *y = g_memdup2(x, heads * head_dim * sizeof *x);
      g_autofree double *twin = g_new(double, heads *head_dim);
      for (guint h = 0; h < heads; h++) {
        for (guint i = 0; i < half; i++) {
          const guint a = h * head_dim + (adjacent ? 2 * i : i);
          const guint b = h * head_dim + (adjacent ? 2 * i + 1 : i + half);
          twin[a] = (double)x[a] * cosine[i] - (double)x[b] * sine[i];
          twin[b] = (double)x[b] * cosine[i] + (double)x[a] * sine[i];
        }
      }
      model_rope(y, heads, head_dim, adjacent, cosine, sine);
      assert_near(y, twin, heads * head_dim, 1e-6, 1e-6);
    }
  }
  g_rand_free(rand);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kernels/pool", test_pool);
  g_test_add_func("/kernels/pool-shared", test_pool_shared);
  g_test_add_func("/kernels/matmul", test_matmul);
  g_test_add_func("/kernels/matmul-wide", test_matmul_wide);
  g_test_add_func("/kernels/norms", test_norms);
  g_test_add_func("/kernels/activations", test_activations);
  g_test_add_func("/kernels/gelu-is-exact", test_gelu_is_exact);
  g_test_add_func("/kernels/rope", test_rope);
  return g_test_run();
}
