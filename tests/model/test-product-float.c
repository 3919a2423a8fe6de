/* test-product-float.c - products with float weights: beside plain arithmetic in double, and bit by
 * bit the same on every instruction set, for any number of rows at a time. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "kernels/product-float.h"

typedef struct {
  guint rows, columns, m;
  ModelTensor w;
  guint8 *data;
  float *plain, *x, *bias; /* plain: [rows][columns] */
  guint16 *x16;
} Case;

static const guint shapes[][3] = {{1, 1, 1},    {3, 16, 2},   {5, 31, 7},     {64, 32, 3},
                                  {7, 64, 13},  {2, 65, 6},   {20, 200, 8},   {3, 1024, 7},
                                  {4, 1025, 9}, {5, 2100, 1}, {64, 3000, 14}, {1, 2048, 64}};

static Case *
case_new(GRand *rand, const guint *shape, ModelType type)
{
  Case *c = g_new0(Case, 1);
  const guint64 row_bytes = model_type_row_bytes(type, shape[1]);

  c->rows = shape[0];
  c->columns = shape[1];
  c->m = shape[2];
  c->data = g_malloc(c->rows * row_bytes);
  c->plain = g_new(float, c->rows * c->columns);
  c->x = g_new(float, c->m * c->columns);
  c->x16 = g_new(guint16, c->m * c->columns);
  c->bias = g_new(float, c->rows);
  for (guint i = 0; i < c->rows * c->columns; i++) {
    c->plain[i] = (float)g_rand_double_range(rand, -1, 1);
  }
  for (guint i = 0; i < c->rows; i++) {
    c->bias[i] = (float)g_rand_double_range(rand, -1, 1);
    model_type_write_row(type, c->plain + i * c->columns, c->columns, c->data + i * row_bytes);
  }
  for (guint i = 0; i < c->m * c->columns; i++) {
    c->x[i] = (float)g_rand_double_range(rand, -1, 1);
  }
  c->w = (ModelTensor){.name = "w",
                       .data = c->data,
                       .n_bytes = c->rows * row_bytes,
                       .shape = {c->rows, c->columns},
                       .n_dims = 2,
                       .type = type};
  model_tensor_read_rows(&c->w, 0, c->rows, c->plain);
  model_float_products_portable.to_bf16(c->x, c->m * c->columns, c->x16);
  g_assert_true(model_float_product_fits(&c->w));
  return c;
}

static void
case_free(Case *c)
{
  g_free(c->data);
  g_free(c->plain);
  g_free(c->x);
  g_free(c->x16);
  g_free(c->bias);
  g_free(c);
}

/* All of C, PIECE rows of x at a time and at most SPAN rows of w. */
static float *
run(const ModelFloatProducts *products, const Case *c, gboolean pairs, gboolean bias, guint piece,
    guint span)
{
  float *y = g_new0(float, c->m * c->rows);
  g_autofree float *scratch = g_new(float, MODEL_FLOAT_SCRATCH);

  for (guint first = 0; first < c->rows; first += span) {
    const guint n = MIN(span, c->rows - first);
    for (guint i = 0; i < c->m; i += piece) {
      const guint m = MIN(piece, c->m - i);
      if (pairs) {
        products->product_bf16(&c->w, first, n, c->x16 + i * c->columns, c->columns, m,
                               bias ? c->bias : NULL, y + i * c->rows, c->rows, scratch);
      } else {
        products->product(&c->w, first, n, c->x + i * c->columns, c->columns, m,
                          bias ? c->bias : NULL, y + i * c->rows, c->rows, scratch);
      }
    }
  }
  return y;
}

static void
check_plain(const Case *c, gboolean pairs, const float *y)
{
  for (guint i = 0; i < c->m; i++) {
    for (guint row = 0; row < c->rows; row++) {
      double sum = c->bias[row], size = 1;
      for (guint k = 0; k < c->columns; k++) {
        const guint at = i * c->columns + k;
        const double x = pairs ? model_bits_to_float((guint32)c->x16[at] << 16) : (double)c->x[at];
        sum += x * c->plain[row * c->columns + k];
        size += fabs(x * c->plain[row * c->columns + k]);
      }
      /* At most a hundred additions per lane, half a last place each. */
      g_assert_cmpfloat(fabs(y[i * c->rows + row] - sum), <=, size * 100 * 0x1p-24);
    }
  }
}

static void
check_case(const Case *c, gboolean pairs)
{
  const gsize bytes = c->m * c->rows * sizeof(float);
  g_autofree float *first = run(&model_float_products_portable, c, pairs, TRUE, c->m, 64);
  g_autofree float *bare = run(&model_float_products_portable, c, pairs, FALSE, c->m, 64);
  const ModelFloatProducts *products;

  check_plain(c, pairs, first);
  for (guint i = 0; (products = model_float_products_at(i)); i++) {
    for (guint piece = 1; piece <= c->m;
         piece = piece < c->m ? MIN(piece * 2 + 1, c->m) : G_MAXINT) {
      g_autofree float *y = run(products, c, pairs, TRUE, piece, piece % 2 ? 64 : 5);
      g_assert_cmpmem(y, bytes, first, bytes);
    }
    g_autofree float *y = run(products, c, pairs, FALSE, c->m, 64);
    g_assert_cmpmem(y, bytes, bare, bytes);
  }
}

static void
test_products(void)
{
  static const ModelType types[] = {MODEL_TYPE_F32, MODEL_TYPE_F16, MODEL_TYPE_BF16};
  GRand *rand = g_rand_new_with_seed(11);

  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    for (guint t = 0; t < G_N_ELEMENTS(types); t++) {
      Case *c = case_new(rand, shapes[i], types[t]);
      check_case(c, FALSE);
      if (types[t] == MODEL_TYPE_BF16) {
        check_case(c, TRUE);
      }
      case_free(c);
    }
  }
  g_rand_free(rand);
}

static void
test_to_bf16(void)
{
  const ModelFloatProducts *products;
  float x[37];
  guint16 y[37];

  for (guint i = 0; i < 37; i++) {
    x[i] = i == 5 ? INFINITY : model_bits_to_float(0x3F808000u + i * 0x4321u + (i % 3 << 15));
  }
  for (guint i = 0; (products = model_float_products_at(i)); i++) {
    products->to_bf16(x, 37, y);
    for (guint k = 0; k < 37; k++) {
      g_assert_cmpuint(y[k], ==, model_float_to_bf16(x[k]));
    }
  }
}

static void
test_fits(void)
{
  static const float numbers[4] = {0};
  ModelTensor w = {.name = "w",
                   .data = (const uint8_t *)numbers,
                   .shape = {1, 2},
                   .n_dims = 2,
                   .type = MODEL_TYPE_F32};

  g_assert_true(model_float_product_fits(&w));
  w.data += 2;
  g_assert_false(model_float_product_fits(&w));
  w.type = MODEL_TYPE_F16;
  g_assert_true(model_float_product_fits(&w));
  w.data += 1;
  g_assert_false(model_float_product_fits(&w));
  w.type = MODEL_TYPE_Q8_0;
  g_assert_false(model_float_product_fits(&w));
  g_assert_true(model_float_products_find(NULL) == model_float_products_at(0));
  g_assert_null(model_float_products_find("abacus"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/product-float/products", test_products);
  g_test_add_func("/product-float/to-bf16", test_to_bf16);
  g_test_add_func("/product-float/fits", test_fits);
  return g_test_run();
}
