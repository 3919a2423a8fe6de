/* Rows to the types that files are written in: how much they lose beside the usual algorithms, that
 * every set of instructions and every cut of the work gives the same bytes, that importance pays
 * where it lies, and rows that are all but usual. */
#include "checkpoint/quantize.h"

#include "model/rows-fixture.h"
#include "shared.h"

#include <string.h>

#define COLUMNS 1024u
#define ROWS 64u

static const ModelType written[] = {
    MODEL_TYPE_Q4_0, MODEL_TYPE_Q5_0, MODEL_TYPE_Q8_0,
    MODEL_TYPE_Q4_K, MODEL_TYPE_Q5_K, MODEL_TYPE_Q6_K,
};

static guint8 *
quantize(ModelType type, const float *in, guint64 rows, guint64 columns, const float *importance)
{
  guint8 *out = g_malloc(rows * model_type_row_bytes(type, columns));

  model_quantize_rows(type, in, rows, columns, importance, out);
  return out;
}

static float *
read_back(ModelType type, const guint8 *data, guint64 rows, guint64 columns)
{
  float *out = g_new(float, rows *columns);
  ModelTensor tensor = {
      .name = "t", .data = data, .shape = {rows, columns}, .n_dims = 2, .type = type};

  model_tensor_read_rows(&tensor, 0, rows, out);
  return out;
}

/* Mean squared error, weighted by importance where there is one. */
static double
loss(ModelType type, const guint8 *data, const float *in, guint64 rows, guint64 columns,
     const float *importance)
{
  g_autofree float *out = read_back(type, data, rows, columns);
  double sum = 0;

  for (guint64 i = 0; i < rows * columns; i++) {
    double e = (double)out[i] - (double)in[i];
    sum += e * e * (importance ? (double)importance[i % columns] : 1);
  }
  return sum / (double)(rows * columns);
}

static double
our_loss(ModelType type, const float *in, const float *importance, const float *measure)
{
  g_autofree guint8 *data = quantize(type, in, ROWS, COLUMNS, importance);

  return loss(type, data, in, ROWS, COLUMNS, measure);
}

/* ---- beside the usual algorithms ---------------------------------------------------------- */

/* As ggml publishes them: the largest value decides the scale, which is rounded to 16 bits only
 * after the levels are chosen. */
static double
plain_loss(ModelType type, const float *in, guint64 n)
{
  double sum = 0;

  for (guint64 block = 0; block < n; block += 32) {
    float most = 0, d, stored;
    guint8 bytes[2];
    for (guint i = 0; i < 32; i++)
      if (fabsf(in[block + i]) > fabsf(most))
        most = in[block + i];
    d = type == MODEL_TYPE_Q8_0 ? fabsf(most) / 127 : most / -8;
    model_type_write_row(MODEL_TYPE_F16, &d, 1, bytes);
    model_tensor_read_rows(
        &(ModelTensor){
            .name = "d", .data = bytes, .shape = {1}, .n_dims = 1, .type = MODEL_TYPE_F16},
        0, 1, &stored);
    for (guint i = 0; i < 32; i++) {
      float level = in[block + i] * (1 / d), e;
      level = type == MODEL_TYPE_Q8_0 ? roundf(level) : fminf(15, floorf(level + 8.5f)) - 8;
      e = level * stored - in[block + i];
      sum += (double)e * (double)e;
    }
  }
  return sum / (double)n;
}

static void
test_plain(void)
{
  for (guint kind = 0; kind < ROWS_N; kind++) {
    g_autofree float *in = rows_make((RowsKind)kind, ROWS * COLUMNS);
    double q4 = our_loss(MODEL_TYPE_Q4_0, in, NULL, NULL);
    double q8 = our_loss(MODEL_TYPE_Q8_0, in, NULL, NULL);
    g_test_message("kind %u: of the plain one, Q4_0 %.4f, Q8_0 %.4f", kind,
                   q4 / plain_loss(MODEL_TYPE_Q4_0, in, ROWS * COLUMNS),
                   q8 / plain_loss(MODEL_TYPE_Q8_0, in, ROWS * COLUMNS));
    g_assert_cmpfloat(q4, <, plain_loss(MODEL_TYPE_Q4_0, in, ROWS * COLUMNS));
    g_assert_cmpfloat(q8, <, plain_loss(MODEL_TYPE_Q8_0, in, ROWS * COLUMNS));
  }
}

/* Mean squared errors of llama.cpp's quantisers on these rows, the better of its two algorithms
 * (with weights of 1, and without any). The issue allows 2 % more; there is no need for it. */
static void
test_recorded(void)
{
  static const struct {
    ModelType type;
    double loss[ROWS_N];
  } recorded[] = {
      {MODEL_TYPE_Q4_0, {2.6156e-06, 4.2972e-06, 2.4867e-05}},
      {MODEL_TYPE_Q5_0, {6.4092e-07, 1.0700e-06, 6.4291e-06}},
      {MODEL_TYPE_Q8_0, {1.1365e-08, 1.8247e-08, 1.0728e-07}},
      {MODEL_TYPE_Q4_K, {1.9790e-06, 2.8320e-06, 1.0111e-05}},
      {MODEL_TYPE_Q5_K, {4.9291e-07, 7.0953e-07, 2.5421e-06}},
      {MODEL_TYPE_Q6_K, {1.1378e-07, 1.7527e-07, 8.6684e-07}},
  };

  for (guint kind = 0; kind < ROWS_N; kind++) {
    g_autofree float *in = rows_make((RowsKind)kind, ROWS * COLUMNS);
    for (guint i = 0; i < G_N_ELEMENTS(recorded); i++) {
      double found = our_loss(recorded[i].type, in, NULL, NULL);
      g_test_message("kind %u, %s: %.4e, %.4f of the recorded", kind,
                     model_type_name(recorded[i].type), found, found / recorded[i].loss[kind]);
      g_assert_cmpfloat(found, <=, recorded[i].loss[kind]);
    }
  }
}

/* ---- importance --------------------------------------------------------------------------- */

static float *
make_importance(gboolean some_zero)
{
  float *importance = rows_make(ROWS_LAPLACE, COLUMNS);

  for (guint i = 0; i < COLUMNS; i++)
    importance[i] = some_zero && i % 5 == 0 ? 0 : expf(importance[i] * 50);
  return importance;
}

static void
test_importance(void)
{
  g_autofree float *in = rows_make(ROWS_NORMAL, ROWS * COLUMNS);
  g_autofree float *importance = make_importance(FALSE), *zeros = g_new0(float, COLUMNS);
  g_autofree float *scaled = make_importance(FALSE);

  for (guint i = 0; i < COLUMNS; i++)
    scaled[i] *= 0x1p40f;
  for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
    gsize n = ROWS * model_type_row_bytes(written[i], COLUMNS);
    g_autofree guint8 *with = quantize(written[i], in, ROWS, COLUMNS, importance);
    g_autofree guint8 *same = quantize(written[i], in, ROWS, COLUMNS, scaled);
    g_autofree guint8 *without = quantize(written[i], in, ROWS, COLUMNS, NULL);
    g_autofree guint8 *of_zeros = quantize(written[i], in, ROWS, COLUMNS, zeros);
    double gain = loss(written[i], with, in, ROWS, COLUMNS, importance) /
                  loss(written[i], without, in, ROWS, COLUMNS, importance);
    g_test_message("%s: importance leaves %.4f of the weighted error", model_type_name(written[i]),
                   gain);
    /* Q8_0 has nothing to choose. */
    g_assert_cmpfloat(gain, <, written[i] == MODEL_TYPE_Q8_0 ? 1.0001 : 0.99);
    g_assert_cmpmem(same, n, with, n);
    g_assert_cmpmem(of_zeros, n, without, n);
  }
}

/* A column that the prompts never reached still gets something like its value. */
static void
test_importance_of_nothing(void)
{
  g_autofree float *in = rows_make(ROWS_NORMAL, ROWS * COLUMNS);
  g_autofree float *importance = make_importance(TRUE);

  for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
    g_autofree guint8 *data = quantize(written[i], in, ROWS, COLUMNS, importance);
    g_autofree float *out = read_back(written[i], data, ROWS, COLUMNS);
    double sum = 0;
    for (guint k = 0; k < ROWS * COLUMNS; k += 5)
      if (k % COLUMNS % 5 == 0)
        sum += ((double)out[k] - (double)in[k]) * ((double)out[k] - (double)in[k]);
    /* The values' own mean square is 4e-4; 4 bits lose 1 % of it, and clipped columns some more. */
    g_assert_cmpfloat(sum / (ROWS * COLUMNS / 5.0), <, 4e-4 * 0.1);
  }
}

/* ---- the same bytes ----------------------------------------------------------------------- */

static void
test_instructions(void)
{
  static const char *const names[] = {"avx512", "avx2", "plain"};
  g_autofree float *importance = make_importance(FALSE);

  for (guint kind = 0; kind < ROWS_N; kind++) {
    g_autofree float *in = rows_make((RowsKind)kind, ROWS * COLUMNS);
    for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
      gsize n = ROWS * model_type_row_bytes(written[i], COLUMNS);
      const float *weights = kind == ROWS_LAPLACE ? importance : NULL;
      g_autofree guint8 *expected = quantize(written[i], in, ROWS, COLUMNS, weights);
      g_autofree guint8 *found = g_malloc(n);
      for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
        memset(found, 0xA5, n);
        if (model_quantize_rows_with(names[k], written[i], in, ROWS, COLUMNS, weights, found))
          g_assert_cmpmem(found, n, expected, n);
        else
          g_test_message("this processor has no %s", names[k]);
      }
      g_assert_true(model_quantize_rows_with("plain", written[i], in, 1, COLUMNS, NULL, found));
      g_assert_false(model_quantize_rows_with("sse9", written[i], in, 1, COLUMNS, NULL, found));
    }
  }
}

/* Any number of blocks in a row, and a block has the same bytes wherever it stands. */
static void
test_cuts(void)
{
  g_autofree float *in = rows_make(ROWS_LAPLACE, ROWS * COLUMNS);

  for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
    guint64 values = model_type_row_bytes(written[i], 32) ? 32 : 256;
    gsize bytes = model_type_row_bytes(written[i], values);
    g_autofree guint8 *whole = quantize(written[i], in, 1, 40 * values, NULL);
    g_autofree guint8 *singly = quantize(written[i], in, 40, values, NULL);
    g_assert_cmpmem(singly, 40 * bytes, whole, 40 * bytes);
    for (guint n = 1; n < 40; n++) {
      g_autofree guint8 *some = g_malloc(n * bytes + 1);
      some[n * bytes] = 0x5A;
      model_quantize_rows(written[i], in, 1, n * values, NULL, some);
      g_assert_cmpmem(some, n * bytes, whole, n * bytes);
      g_assert_cmpuint(some[n * bytes], ==, 0x5A);
    }
  }
}

/* ---- unusual rows ------------------------------------------------------------------------- */

static void
check_row(ModelType type, const float *in, float allowed, const char *what)
{
  g_autofree guint8 *data = quantize(type, in, 1, 256, NULL);
  g_autofree float *out = read_back(type, data, 1, 256);

  for (guint i = 0; i < 256; i++)
    if (!(fabsf(out[i] - in[i]) <= allowed))
      g_error("%s, %s: value %u is %g, expected %g within %g", model_type_name(type), what, i,
              (double)out[i], (double)in[i], (double)allowed);
}

static void
test_unusual(void)
{
  float in[256];

  for (guint t = 0; t < G_N_ELEMENTS(written); t++) {
    ModelType type = written[t];
    float largest = model_type_largest(type);
    memset(in, 0, sizeof in);
    check_row(type, in, 0, "zeros");
    in[7] = 1e-44f;
    check_row(type, in, 1e-44f, "a subnormal number");
    in[7] = 1e-31f;
    check_row(type, in, 1e-31f, "a tiny number");
    in[7] = largest;
    check_row(type, in, largest / 127, "the largest number");
    in[7] = -largest;
    check_row(type, in, largest / 127, "the smallest number");
    for (guint i = 0; i < 256; i++)
      in[i] = i % 2 ? largest : -largest;
    check_row(type, in, largest / 7, "the largest and the smallest");
    for (guint i = 0; i < 256; i++)
      in[i] = -0.375f;
    check_row(type, in, 0.375f / 1000, "all the same, negative");
    for (guint i = 0; i < 256; i++)
      in[i] = 0.375f;
    check_row(type, in, 0.375f / 1000, "all the same, positive");
    for (guint i = 0; i < 256; i++)
      in[i] = 5 + (float)i / 256;
    /* Steps of half a level of 0 to 6 in 15 steps; the types without a minimum have 8 of them. */
    check_row(type, in, type == MODEL_TYPE_Q4_0 ? 0.4f : 0.25f, "far from zero, positive");
    for (guint i = 0; i < 256; i++)
      in[i] = -5 - (float)i / 256;
    check_row(type, in, type == MODEL_TYPE_Q4_0 ? 0.4f : 0.25f, "far from zero, negative");
  }
}

/* Values that a type holds exactly come back (nearly: another scale may hold them as well). */
static void
test_again(void)
{
  g_autofree float *in = rows_make(ROWS_NORMAL, ROWS * COLUMNS);

  for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
    g_autofree guint8 *once = quantize(written[i], in, ROWS, COLUMNS, NULL);
    g_autofree float *values = read_back(written[i], once, ROWS, COLUMNS);
    double first = loss(written[i], once, in, ROWS, COLUMNS, NULL);
    double second = our_loss(written[i], values, NULL, NULL);
    g_test_message("%s: written again it loses %.4f of the first time", model_type_name(written[i]),
                   second / first);
    g_assert_cmpfloat(second, <, first * 0.05);
  }
}

static void
test_types(void)
{
  for (guint t = 0; t < 40; t++) {
    ModelType type = (ModelType)t;
    gboolean expected = type == MODEL_TYPE_F32 || type == MODEL_TYPE_F16 || type == MODEL_TYPE_BF16;
    for (guint i = 0; i < G_N_ELEMENTS(written); i++)
      expected |= written[i] == type;
    g_assert_cmpint(model_type_is_written(type), ==, expected);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/quantize/types", test_types);
  g_test_add_func("/quantize/plain", test_plain);
  g_test_add_func("/quantize/recorded", test_recorded);
  g_test_add_func("/quantize/importance", test_importance);
  g_test_add_func("/quantize/importance-of-nothing", test_importance_of_nothing);
  g_test_add_func("/quantize/instructions", test_instructions);
  g_test_add_func("/quantize/cuts", test_cuts);
  g_test_add_func("/quantize/unusual", test_unusual);
  g_test_add_func("/quantize/again", test_again);
  return g_test_run();
}
