/* Packed weights, 8-bit activations and their products: layouts against the file types, every
 * kernel of this machine against the portable one to the last bit, and that against float64. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "kernels/unpack.h"

static const ModelType types[] = {
    MODEL_TYPE_Q8_0,   MODEL_TYPE_Q4_0, MODEL_TYPE_Q4_K, MODEL_TYPE_Q5_K,
    MODEL_TYPE_Q6_K,   MODEL_TYPE_Q5_0, MODEL_TYPE_Q4_1, MODEL_TYPE_Q5_1,
    MODEL_TYPE_IQ4_NL, MODEL_TYPE_Q3_K, MODEL_TYPE_Q2_K,
};

static uint8_t *
aligned(gsize n)
{
  return g_aligned_alloc0(1, (n + 63) / 64 * 64 + 64, 64);
}

/* Where the 16-bit scales of a block lie, so that random bytes make finite weights. */
static void
tame_block(ModelType type, uint8_t *b, gboolean extreme)
{
  const int at[2] = {type == MODEL_TYPE_Q6_K   ? 208
                     : type == MODEL_TYPE_Q3_K ? 108
                     : type == MODEL_TYPE_Q2_K ? 80
                                               : 0,
                     type == MODEL_TYPE_Q4_K || type == MODEL_TYPE_Q5_K ||
                             type == MODEL_TYPE_Q4_1 || type == MODEL_TYPE_Q5_1
                         ? 2
                     : type == MODEL_TYPE_Q2_K ? 82
                                               : -1};
  for (int i = 0; i < 2 && at[i] >= 0; i++) {
    /* 2^-9 .. 2^-3 of either sign; extreme: also 0, and numbers below 2^-14. */
    const guint exponent = extreme ? (guint)g_test_rand_int_range(0, 3) : 6;
    const guint h = (guint)g_test_rand_int_range(0, 0x1C00) + (exponent << 10);
    b[at[i]] = (uint8_t)h;
    b[at[i] + 1] = (uint8_t)(h >> 8 | (g_test_rand_bit() ? 0x80 : 0));
    if (extreme && g_test_rand_int_range(0, 4) == 0) {
      b[at[i]] = b[at[i] + 1] = 0;
    }
  }
}

/* A matrix of random blocks; EXTREME: bytes of 0 and 255 too. */
static ModelTensor
random_tensor(ModelType type, uint64_t rows, uint64_t columns, gboolean extreme)
{
  const uint64_t row_bytes = model_type_row_bytes(type, columns);
  const uint64_t block = model_type_row_bytes(type, columns % 256 ? 32 : 256);
  const uint64_t smallest = model_type_row_bytes(type, 32) ? model_type_row_bytes(type, 32) : block;
  ModelTensor tensor = {.name = "random", .n_dims = 2, .shape = {rows, columns}, .type = type};
  uint8_t *data = g_malloc(rows * row_bytes);

  for (uint64_t at = 0; at < rows * row_bytes; at += smallest) {
    const int kind = extreme ? g_test_rand_int_range(0, 3) : 0;
    for (uint64_t i = 0; i < smallest; i++) {
      data[at + i] = kind == 0 ? (uint8_t)g_test_rand_int() : kind == 1 ? 0xFF : 0x00;
    }
    tame_block(type, data + at, extreme);
  }
  tensor.data = data;
  tensor.n_bytes = rows * row_bytes;
  return tensor;
}

static ModelTensor
pack(const ModelTensor *tensor)
{
  const uint64_t rows = tensor->shape[0], columns = tensor->shape[1];
  ModelTensor packed = *tensor;
  g_autofree float *scratch = g_new(float, columns);
  uint8_t *data;

  packed.type = model_packed_type(tensor->type);
  packed.n_bytes = model_packed_bytes(packed.type, rows, columns);
  data = aligned(packed.n_bytes);
  memset(data, 0xEE, packed.n_bytes);
  /* In two pieces, as threads do it. */
  model_pack_groups(tensor, 0, 1, data, scratch);
  model_pack_groups(tensor, 1, (rows + 15) / 16 - 1,
                    data + model_packed_group_bytes(packed.type, columns), scratch);
  packed.data = data;
  return packed;
}

static void
drop(ModelTensor *tensor, ModelTensor *packed)
{
  g_free((void *)tensor->data);
  g_aligned_free((void *)packed->data);
}

static void
test_layout(gconstpointer data)
{
  const ModelType type = (ModelType)GPOINTER_TO_UINT(data);
  const uint64_t rows = 37, columns = model_type_row_bytes(type, 96) ? 96 : 512;
  ModelTensor tensor, packed;
  g_autofree float *expected = g_new(float, rows *columns), *found = g_new(float, rows *columns);
  const gboolean rounded = type == MODEL_TYPE_Q4_1 || type == MODEL_TYPE_Q5_1 ||
                           type == MODEL_TYPE_Q2_K || type == MODEL_TYPE_IQ2_XXS;

  if (!model_type_name(type)) {
    g_test_skip("this type is not read");
    return;
  }
  tensor = random_tensor(type, rows, columns, FALSE);
  packed = pack(&tensor);
  model_tensor_read_rows(&tensor, 0, rows, expected);
  model_packed_read_rows(&packed, 0, rows, found);
  for (uint64_t i = 0; i < rows * columns; i++) {
    float largest = 0;
    for (uint64_t k = i / 32 * 32; k < i / 32 * 32 + 32; k++) {
      largest = fmaxf(largest, fabsf(expected[k]));
    }
    /* Half a step of 127, and the scale's own rounding in 16 bits. */
    g_assert_cmpfloat(fabsf(found[i] - expected[i]), <=, rounded ? largest * 0.0045f : 0.0f);
  }
  drop(&tensor, &packed);
}

/* ---- products ------------------------------------------------------------------------------ */

typedef struct {
  ModelActivations a;
  uint8_t *memory;
} Activations;

static Activations
quantize(const ModelKernels *kernels, ModelType packed, const float *x, uint64_t m,
         uint64_t columns)
{
  Activations all = {.memory = aligned(model_activations_bytes(m, columns))};
  const uint64_t n_tiles = (m + MODEL_TILE - 1) / MODEL_TILE;

  model_activations_place(&all.a, m, columns, model_activation_block(packed), all.memory);
  kernels->quantize(&all.a, x, columns + 3, columns, 0, n_tiles / 2);
  kernels->quantize(&all.a, x, columns + 3, columns, n_tiles / 2, n_tiles - n_tiles / 2);
  return all;
}

/* Rows of x, COLUMNS + 3 apart; some blocks are zero, tiny, infinite or no number. */
static float *
random_rows(uint64_t m, uint64_t columns, gboolean extreme)
{
  float *x = g_new0(float, m *(columns + 3));

  for (uint64_t i = 0; i < m * (columns + 3); i++) {
    x[i] = (float)g_test_rand_double_range(-1, 1);
    x[i] *= x[i] * x[i] * 4;
  }
  for (uint64_t at = 0; extreme && at < m * (columns + 3); at += 32) {
    const uint64_t end = MIN(at + 32, m * (columns + 3));
    switch (g_test_rand_int_range(0, 12)) {
    case 0:
      memset(x + at, 0, (end - at) * sizeof *x);
      break;
    case 1:
      for (uint64_t i = at; i < end; i++) {
        x[i] = g_test_rand_bit() ? 1.0f : -1.0f;
      }
      break;
    case 2:
      x[at] = 1e-42f;
      break;
    case 3:
      x[at] = g_test_rand_int_range(0, 30) == 0 ? NAN : 1e30f;
      break;
    case 4:
      x[at] = g_test_rand_int_range(0, 30) == 0 ? -INFINITY : 0;
      break;
    default:;
    }
  }
  return x;
}

static void
assert_same(const float *a, const float *b, uint64_t n)
{
  for (uint64_t i = 0; i < n; i++) {
    if (memcmp(a + i, b + i, sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]))) {
      g_test_message("at %" G_GUINT64_FORMAT ": %.9g, expected %.9g", i, (double)a[i],
                     (double)b[i]);
      g_assert_not_reached();
    }
  }
}

static void
assert_same_activations(const ModelActivations *a, const ModelActivations *b)
{
  const uint64_t n = a->m * a->columns;

  g_assert_true(memcmp(a->q, b->q, n) == 0);
  assert_same(a->d, b->d, n / a->block);
  if (a->block == 32) {
    g_assert_true(memcmp(a->sums, b->sums, n / 32 * 4) == 0);
  } else {
    g_assert_true(memcmp(a->sums16, b->sums16, n / 16 * 4) == 0);
    g_assert_true(memcmp(a->pairs, b->pairs, n / 32 * 2) == 0);
  }
}

static void
compare_kernels(ModelType type, uint64_t rows, uint64_t columns, uint64_t m, gboolean extreme)
{
  ModelTensor tensor = random_tensor(type, rows, columns, extreme), packed = pack(&tensor);
  g_autofree float *x = random_rows(m, columns, extreme), *bias = random_rows(1, rows, FALSE);
  const uint64_t n_groups = (rows + 15) / 16, stride = rows + 5;
  g_autofree float *expected = g_new0(float, m *stride);
  uint8_t *scratch = aligned(MODEL_KERNEL_SCRATCH);
  const ModelKernels *portable = &model_kernels_portable, *kernels;
  Activations right = quantize(portable, packed.type, x, m, columns);

  portable->product(&packed, 0, n_groups, &right.a, m % 2 ? bias : NULL, expected, stride, scratch);
  for (uint32_t i = 0; (kernels = model_kernels_at(i)); i++) {
    g_autofree float *found = g_new0(float, m *stride);
    Activations mine = quantize(kernels, packed.type, x, m, columns);
    assert_same_activations(&mine.a, &right.a);
    kernels->product(&packed, 0, n_groups / 2, &mine.a, m % 2 ? bias : NULL, found, stride,
                     scratch);
    kernels->product(&packed, n_groups / 2, n_groups - n_groups / 2, &mine.a, m % 2 ? bias : NULL,
                     found, stride, scratch);
    assert_same(found, expected, m * stride);
    g_aligned_free(mine.memory);
  }
  g_aligned_free(right.memory);
  g_aligned_free(scratch);
  drop(&tensor, &packed);
}

static void
test_kernels(gconstpointer data)
{
  static const uint64_t batches[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 31, 48, 97};
  const ModelType type = (ModelType)GPOINTER_TO_UINT(data);
  const uint64_t step = model_type_row_bytes(type, 32) ? 32 : 256;
  const ModelKernels *kernels;

  for (uint32_t i = 0; (kernels = model_kernels_at(i)); i++) {
    g_test_message("kernels: %s", kernels->name);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(batches); i++) {
    const uint64_t rows = (uint64_t)g_test_rand_int_range(1, 100);
    const uint64_t columns = step * (uint64_t)g_test_rand_int_range(1, step == 32 ? 40 : 6);
    compare_kernels(type, rows, columns, batches[i], FALSE);
    compare_kernels(type, rows, columns, batches[i], TRUE);
  }
  compare_kernels(type, 130, 2048 + step, 20, FALSE);
}

/* A row alone has the bits that it has among others. */
static void
test_batch(gconstpointer data)
{
  const ModelType type = (ModelType)GPOINTER_TO_UINT(data);
  const uint64_t rows = 50, columns = 768, m = 19;
  ModelTensor tensor = random_tensor(type, rows, columns, FALSE), packed = pack(&tensor);
  g_autofree float *x = random_rows(m, columns, FALSE), *all = g_new0(float, m *rows);
  g_autofree float *one = g_new0(float, rows);
  uint8_t *scratch = aligned(MODEL_KERNEL_SCRATCH);
  const ModelKernels *kernels;

  for (uint32_t k = 0; (kernels = model_kernels_at(k)); k++) {
    Activations together = quantize(kernels, packed.type, x, m, columns);
    kernels->product(&packed, 0, 4, &together.a, NULL, all, rows, scratch);
    for (uint64_t i = 0; i < m; i++) {
      Activations alone = quantize(kernels, packed.type, x + i * (columns + 3), 1, columns);
      kernels->product(&packed, 0, 4, &alone.a, NULL, one, rows, scratch);
      assert_same(one, all + i * rows, rows);
      g_aligned_free(alone.memory);
    }
    g_aligned_free(together.memory);
  }
  g_aligned_free(scratch);
  drop(&tensor, &packed);
}

/* The whole way against float64: what 8-bit activations cost, and nothing else. */
static void
test_accuracy(gconstpointer data)
{
  const ModelType type = (ModelType)GPOINTER_TO_UINT(data);
  const uint64_t rows = 33, columns = 1024, m = 7;
  ModelTensor tensor = random_tensor(type, rows, columns, FALSE), packed = pack(&tensor);
  g_autofree float *x = random_rows(m, columns, FALSE), *y = g_new0(float, m *rows);
  g_autofree float *w = g_new(float, rows *columns);
  uint8_t *scratch = aligned(MODEL_KERNEL_SCRATCH);
  Activations a = quantize(&model_kernels_portable, packed.type, x, m, columns);

  model_packed_read_rows(&packed, 0, rows, w);
  model_kernels_portable.product(&packed, 0, 3, &a.a, NULL, y, rows, scratch);
  for (uint64_t i = 0; i < m; i++) {
    for (uint64_t row = 0; row < rows; row++) {
      double exact = 0, squares = 0;
      for (uint64_t k = 0; k < columns; k++) {
        exact += (double)w[row * columns + k] * (double)x[i * (columns + 3) + k];
        squares += (double)w[row * columns + k] * (double)w[row * columns + k];
      }
      /* |x| <= 4: a step is 4 / 127, its error uniform (standard deviation 0.29 steps), five of
       * those deviations over the sum. */
      g_assert_cmpfloat(fabs(exact - (double)y[i * rows + row]), <,
                        5 * 0.29 * 4 / 127 * sqrt(squares) + 1e-6);
    }
  }
  g_aligned_free(a.memory);
  g_aligned_free(scratch);
  drop(&tensor, &packed);
}

static void
test_find(void)
{
  g_assert_true(model_kernels_find(NULL) == model_kernels_at(0));
  g_assert_true(model_kernels_find("portable") == &model_kernels_portable);
  g_assert_null(model_kernels_find("abacus"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/products/find", test_find);
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
    g_autofree char *layout = g_strdup_printf("/products/layout/%u", types[i]);
    g_test_add_data_func(layout, GUINT_TO_POINTER(types[i]), test_layout);
    if (i < 5) {
      g_autofree char *kernels = g_strdup_printf("/products/kernels/%u", types[i]);
      g_autofree char *batch = g_strdup_printf("/products/batch/%u", types[i]);
      g_autofree char *accuracy = g_strdup_printf("/products/accuracy/%u", types[i]);
      g_test_add_data_func(kernels, GUINT_TO_POINTER(types[i]), test_kernels);
      g_test_add_data_func(batch, GUINT_TO_POINTER(types[i]), test_batch);
      g_test_add_data_func(accuracy, GUINT_TO_POINTER(types[i]), test_accuracy);
    }
  }
  return g_test_run();
}
