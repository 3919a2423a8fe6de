/* test-floats.c - every set of float kernels gives the same bits over odd sizes. What they compute
 * is held against plain arithmetic in test-kernels.c. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "kernels/floats.h"

#define MOST 300

/* Numbers of all sizes, and what is no number now and then. */
static void
fill(GRand *rand, float *x, guint n, gboolean finite)
{
  static const float odd[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 88, -87, 1e-42f, 3e38f};

  for (guint i = 0; i < n; i++) {
    x[i] = (float)(g_rand_double_range(rand, -1, 1) * pow(2, g_rand_int_range(rand, -12, 8)));
    if (!finite && g_rand_int_range(rand, 0, 16) == 0) {
      x[i] = odd[g_rand_int_range(rand, 0, G_N_ELEMENTS(odd))];
    }
  }
}

/* NaNs have many bits; one stands for all. */
static void
settle(float *x, guint n)
{
  for (guint i = 0; i < n; i++) {
    x[i] = isnan(x[i]) ? NAN : x[i];
  }
}

typedef struct {
  float x[MOST], w[MOST], b[MOST];
  guint n;
} Input;

enum { RMS, LAYER, SOFTMAX, SILU, QUICK, GELU, ADD, ROPE, ROPE_ADJACENT, F16, N_KINDS };

static void
run(const ModelFloats *floats, int kind, const Input *in, float *y)
{
  const guint n = in->n;

  memcpy(y, in->x, n * sizeof *y);
  switch (kind) {
  case RMS:
    floats->rms_norm(in->x, in->w, n, 1e-5f, y);
    break;
  case LAYER:
    floats->layer_norm(in->x, in->w, in->b, n, 1e-5f, y);
    break;
  case SOFTMAX:
    floats->softmax(y, n);
    break;
  case SILU:
    floats->silu_multiply(in->x, in->w, n, y);
    break;
  case QUICK:
    floats->quick_gelu(y, n);
    break;
  case GELU:
    floats->gelu_erf(y, n);
    break;
  case ADD:
    floats->add(y, in->w, n);
    break;
  case ROPE:
  case ROPE_ADJACENT:
    floats->rope(y, 2, n / 4 * 2, kind == ROPE_ADJACENT, in->w, in->b);
    break;
  default: {
    guint16 half[MOST];
    floats->to_f16(in->x, n, half);
    for (guint i = 0; i < n; i++) {
      y[i] = model_f16_to_float(half[i]);
    }
  }
  }
  settle(y, n);
}

static void
test_same_bits(void)
{
  GRand *rand = g_rand_new_with_seed(1);
  Input *in = g_new0(Input, 1);

  for (guint n = 1; n < MOST; n += n < 40 ? 1 : 37) {
    for (int kind = 0; kind < N_KINDS; kind++) {
      for (int finite = 0; finite < 2; finite++) {
        const ModelFloats *floats;
        float first[MOST], y[MOST];
        fill(rand, in->x, n, finite);
        fill(rand, in->w, n, finite);
        fill(rand, in->b, n, finite);
        in->n = n;
        run(&model_floats_portable, kind, in, first);
        for (guint i = 0; (floats = model_floats_at(i)); i++) {
          run(floats, kind, in, y);
          g_assert_cmpmem(y, n * sizeof *y, first, n * sizeof *y);
        }
      }
    }
  }
  g_free(in);
  g_rand_free(rand);
}

/* Accuracy over the whole range: softmax of two numbers is 1 / (1 + e^d). */
static void
test_exp(void)
{
  double worst = 0;

  for (double d = -86; d <= 0; d += 0.00137) {
    float x[2] = {0, (float)d};
    double expected = exp((double)x[1]);
    expected /= 1 + expected;
    model_floats_find(NULL)->softmax(x, 2);
    worst = fmax(worst, fabs(x[1] - expected) / expected);
  }
  g_test_message("largest relative error of a weight: %.2g", worst);
  /* exp within 2e-7, a sum, a division and a product of 6e-8 each. */
  g_assert_cmpfloat(worst, <=, 4e-7);
}

static void
test_choice(void)
{
  const ModelFloats *floats;
  guint n = 0;

  while ((floats = model_floats_at(n))) {
    g_assert_true(model_floats_find(floats->name) == floats);
    n++;
  }
  g_assert_cmpuint(n, >=, 1);
  g_assert_true(model_floats_find(NULL) == model_floats_at(0));
  g_assert_true(model_floats_find("portable") == &model_floats_portable);
  g_assert_null(model_floats_find("abacus"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/floats/choice", test_choice);
  g_test_add_func("/floats/same-bits", test_same_bits);
  g_test_add_func("/floats/exp", test_exp);
  return g_test_run();
}
