/* Importance: what is gathered is the mean square of what the products got; it comes back from the
 * file; files that are something else or damaged are refused; on a trained model it lowers the
 * error that matters. */
#include "checkpoint/imatrix.h"

#include "checkpoint/quantize.h"
#include "model/session-fixture.h"
#include "shared.h"

#include <glib/gstdio.h>

static char *
temporary(const char *name)
{
  return g_build_filename(g_get_tmp_dir(), name, NULL);
}

static ModelImatrix *
open_ok(const char *path)
{
  ModelError err = {0};
  ModelImatrix *imatrix = model_imatrix_open(path, &err);

  g_assert_cmpstr(err.message, ==, "");
  return imatrix;
}

static void
test_gather(void)
{
  Random r = random_model(FALSE, 2);
  g_autofree char *path = temporary("hilum-imatrix-test.gguf");
  const ModelTensor *o = &r.engine->weights.layers[1].o;
  const guint columns = 24, rows = 13;
  g_autofree float *x = g_new(float, columns *rows);
  g_autofree float *y = g_new(float, columns *rows);
  ModelError err = {0};
  ModelImatrix *gathered = model_imatrix_gather(r.engine, &err), *imatrix;
  const float *means;

  g_assert_nonnull(gathered);
  for (guint i = 0; i < columns * rows; i++)
    x[i] = (float)((int)(i * 37 % 101) - 50) / 8;
  model_matmul(r.engine->pool, o, NULL, x, rows - 3, y);
  model_matmul(r.engine->pool, o, NULL, x + (rows - 3) * columns, 3, y);
  model_imatrix_stop(r.engine);
  model_matmul(r.engine->pool, o, NULL, x, rows, y); /* nobody looks any more */
  g_assert_cmpuint(model_imatrix_tensors(gathered), ==, 1);
  g_assert_cmpuint(model_imatrix_rows(gathered), ==, rows);
  g_assert_true(model_imatrix_write(gathered, path, &err));
  imatrix = open_ok(path);
  means = model_imatrix_lookup(imatrix, "blk.1.attn_output.weight", columns);
  g_assert_nonnull(means);
  for (guint i = 0; i < columns; i++) {
    double sum = 0;
    for (guint k = 0; k < rows; k++)
      sum += (double)x[k * columns + i] * (double)x[k * columns + i];
    /* Rounded to float32 as a sum, then as a mean. */
    g_assert_cmpfloat(fabs((double)means[i] - sum / rows), <=, 2e-7 * sum / rows);
  }
  g_assert_null(model_imatrix_lookup(imatrix, "blk.1.attn_output.weight", columns + 1));
  g_assert_null(model_imatrix_lookup(imatrix, "blk.0.attn_output.weight", columns));
  model_imatrix_free(imatrix);
  model_imatrix_free(gathered);
  g_remove(path);
  random_clear(&r);
}

/* Every product of a picture's question has its entry, by llama.cpp's name. */
static void
test_session(void)
{
  static const struct {
    const char *name;
    guint columns;
  } expected[] = {
      {"blk.0.attn_q.weight", 24},
      {"blk.0.attn_k.weight", 24},
      {"blk.1.attn_v.weight", 24},
      {"blk.1.attn_output.weight", 24},
      {"blk.1.ffn_gate.weight", 24},
      {"blk.0.ffn_up.weight", 24},
      {"blk.1.ffn_down.weight", 40},
      {"output.weight", 24},
      {"mm.0.weight", 18},
      {"mm.2.weight", 24},
      {"v.blk.0.attn_q.weight", 18},
      {"v.blk.1.ffn_up.weight", 18},
      {"v.blk.1.ffn_down.weight", 26},
      {"v.patch_embd.weight", 75},
  };
  Random r = random_model(FALSE, 2);
  g_autofree char *path = temporary("hilum-imatrix-test.gguf");
  ModelError err = {0};
  ModelImatrix *gathered = model_imatrix_gather(r.engine, &err), *imatrix;
  ModelAnswer answer = ask(r.session, &r.image, "is it a test", 5);

  model_imatrix_stop(r.engine);
  model_imatrix_count_prompt(gathered);
  g_assert_true(model_imatrix_write(gathered, path, &err));
  imatrix = open_ok(path);
  g_assert_cmpuint(imatrix->n_prompts, ==, 1);
  /* 7 of each layer, output, 2 of the projector, 6 of each block that runs, patches. */
  g_assert_cmpuint(model_imatrix_tensors(imatrix), ==, 2 * 7 + 1 + 2 + 2 * 6 + 1);
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    const float *means = model_imatrix_lookup(imatrix, expected[i].name, expected[i].columns);
    double sum = 0;
    g_assert_nonnull(means);
    for (guint k = 0; k < expected[i].columns; k++)
      sum += (double)means[k];
    g_assert_cmpfloat(sum, >, 0);
  }
  g_assert_null(model_imatrix_lookup(imatrix, "token_embd.weight", 24));
  /* q, k and v have one input. */
  g_assert_cmpmem(model_imatrix_lookup(imatrix, "blk.0.attn_q.weight", 24), 96,
                  model_imatrix_lookup(imatrix, "blk.0.attn_v.weight", 24), 96);
  model_answer_clear(&answer);
  model_imatrix_free(imatrix);
  model_imatrix_free(gathered);
  g_remove(path);
  random_clear(&r);
}

/* ---- files that are wrong ----------------------------------------------------------------- */

typedef struct {
  float sum, count;
  gboolean of_model, no_counts, two_rows;
  ModelErrorCode code;
  const char *message;
} Broken;

static void
put_text(GByteArray *b, const char *text)
{
  guint64 n = strlen(text);

  g_byte_array_append(b, (const guint8 *)&n, 8);
  g_byte_array_append(b, (const guint8 *)text, (guint)n);
}

static void
put_numbers(GByteArray *b, const guint32 *words, guint n)
{
  g_byte_array_append(b, (const guint8 *)words, 4 * n);
}

static GByteArray *
build(const Broken *broken)
{
  GByteArray *b = g_byte_array_new();
  const guint32 tensors = broken->no_counts ? 1 : 2, rows = broken->two_rows ? 2 : 1;
  const float sums[4] = {1, broken->sum, 1, 1};

  g_byte_array_append(b, (const guint8 *)"GGUF", 4);
  put_numbers(b, (guint32[]){3, tensors, 0, 1, 0}, 5);
  put_text(b, "general.type");
  put_numbers(b, (guint32[]){8}, 1);
  put_text(b, broken->of_model ? "model" : "imatrix");
  put_text(b, "blk.0.attn_q.weight.in_sum2");
  put_numbers(b, (guint32[]){2, 2, 0, rows, 0, 0, 0, 0}, 8);
  if (!broken->no_counts) {
    put_text(b, "blk.0.attn_q.weight.counts");
    put_numbers(b, (guint32[]){2, 1, 0, 1, 0, 0, 32, 0}, 8);
  }
  while (b->len % 32)
    g_byte_array_append(b, (const guint8 *)"", 1);
  g_byte_array_append(b, (const guint8 *)sums, 16);
  while (b->len % 32)
    g_byte_array_append(b, (const guint8 *)"", 1);
  g_byte_array_append(b, (const guint8 *)&broken->count, 4);
  while (b->len % 32)
    g_byte_array_append(b, (const guint8 *)"", 1);
  return b;
}

static void
test_broken(void)
{
  static const Broken cases[] = {
      {1, 4, FALSE, FALSE, FALSE, MODEL_OK, ""},
      {1, 4, TRUE, FALSE, FALSE, MODEL_ERROR_FORMAT, "*no importance matrix*"},
      {1, 4, FALSE, TRUE, FALSE, MODEL_ERROR_CORRUPT, "*attn_q.weight.in_sum2*.counts"},
      {1, 4, FALSE, FALSE, TRUE, MODEL_ERROR_CORRUPT, "*expected one row of F32*"},
      {-1, 4, FALSE, FALSE, FALSE, MODEL_ERROR_CORRUPT, "*a sum of squares of -1 over 4 rows"},
      {NAN, 4, FALSE, FALSE, FALSE, MODEL_ERROR_CORRUPT, "*nan over 4 rows"},
      {INFINITY, 4, FALSE, FALSE, FALSE, MODEL_ERROR_CORRUPT, "*inf over 4 rows"},
      {1, 0, FALSE, FALSE, FALSE, MODEL_ERROR_CORRUPT, "*over 0 rows"},
      {1, INFINITY, FALSE, FALSE, FALSE, MODEL_ERROR_CORRUPT, "*over inf rows"},
      {1, -3, FALSE, FALSE, FALSE, MODEL_ERROR_CORRUPT, "*over -3 rows"},
  };
  g_autofree char *path = temporary("hilum-imatrix-broken.gguf");

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = build(&cases[i]);
    ModelError err = {0};
    ModelImatrix *imatrix;
    g_assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
    imatrix = model_imatrix_open(path, &err);
    g_assert_cmpint(err.code, ==, cases[i].code);
    g_assert_true((imatrix != NULL) == (cases[i].code == MODEL_OK));
    g_assert_true(g_pattern_match_simple(cases[i].message, err.message));
    if (imatrix) {
      g_assert_cmpfloat(model_imatrix_lookup(imatrix, "blk.0.attn_q.weight", 2)[1], ==, 0.25f);
      /* Cut short anywhere. */
      for (guint n = 1; n < bytes->len - 31; n++) {
        g_assert_true(g_file_set_contents(path, (const char *)bytes->data, n, NULL));
        g_assert_null(model_imatrix_open(path, &err));
      }
    }
    model_imatrix_free(imatrix);
  }
  g_remove(path);
}

static void
test_nothing(void)
{
  Random r = random_model(FALSE, 1);
  g_autofree char *path = temporary("hilum-imatrix-nothing.gguf");
  ModelError err = {0};
  ModelImatrix *gathered = model_imatrix_gather(r.engine, &err);

  model_imatrix_stop(r.engine);
  g_assert_false(model_imatrix_write(gathered, path, &err));
  g_assert_true(g_pattern_match_simple("*nothing was gathered", err.message));
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  model_imatrix_free(gathered);
  random_clear(&r);
}

/* ---- what it is for ----------------------------------------------------------------------- */

/* The weighted error of TYPE over the decoder's matrices, with and without importance. */
static double
share_left(const ModelEngine *engine, const ModelImatrix *imatrix, ModelType type)
{
  double with = 0, without = 0;

  for (guint i = 0; i < engine->checkpoint.config.decoder.layers; i++) {
    const ModelTensor *tensor = &engine->weights.layers[i].down;
    guint64 rows = model_tensor_rows(tensor), columns = model_tensor_columns(tensor);
    gsize n = rows * columns;
    g_autofree char *name = g_strdup_printf("blk.%u.ffn_down.weight", i);
    const float *importance = model_imatrix_lookup(imatrix, name, columns);
    g_autofree float *values = g_new(float, n);
    g_autofree float *back = g_new(float, n);
    g_autofree guint8 *data = g_malloc(rows * model_type_row_bytes(type, columns));
    ModelTensor written = *tensor;
    g_assert_nonnull(importance);
    model_tensor_read_rows(tensor, 0, rows, values);
    written.type = type;
    written.data = data;
    for (guint k = 0; k < 2; k++) {
      model_quantize_rows(type, values, rows, columns, k ? importance : NULL, data);
      model_tensor_read_rows(&written, 0, rows, back);
      for (gsize v = 0; v < n; v++) {
        double e = (double)back[v] - (double)values[v];
        *(k ? &with : &without) += e * e * (double)importance[v % columns];
      }
    }
  }
  return with / without;
}

static void
test_trained(void)
{
  static const char *const prompts[] = {"Once upon a time there was a little dog",
                                        "Lily went to the park with her mom and saw a red ball"};
  static const ModelType types[] = {MODEL_TYPE_Q4_0, MODEL_TYPE_Q4_K, MODEL_TYPE_Q5_K,
                                    MODEL_TYPE_Q6_K};
  g_autofree char *model = shared_path("corpus/weights/stories15M");
  g_autofree char *path = temporary("hilum-imatrix-stories.gguf");
  ModelError err = {0};
  ModelEngine *engine;
  ModelImatrix *gathered, *imatrix;

  if (!model)
    return;
  engine = model_engine_open(model, NULL, &err);
  g_assert_cmpstr(err.message, ==, "");
  gathered = model_imatrix_gather(engine, &err);
  for (guint i = 0; i < G_N_ELEMENTS(prompts); i++) {
    ModelTrace trace;
    g_assert_true(model_trace(engine, NULL, prompts[i], 40, &trace, &err));
    model_trace_clear(&trace);
  }
  model_imatrix_stop(engine);
  g_assert_true(model_imatrix_write(gathered, path, &err));
  imatrix = open_ok(path);
  /* Tied: the embedding is the output. */
  g_assert_nonnull(model_imatrix_lookup(imatrix, "token_embd.weight", 288));
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    double left = share_left(engine, imatrix, types[i]);
    g_test_message("%s: importance leaves %.4f of ffn_down's weighted error",
                   model_type_name(types[i]), left);
    g_assert_cmpfloat(left, <, 0.99);
  }
  model_imatrix_free(imatrix);
  model_imatrix_free(gathered);
  model_engine_free(engine);
  g_remove(path);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/imatrix/gather", test_gather);
  g_test_add_func("/imatrix/session", test_session);
  g_test_add_func("/imatrix/broken", test_broken);
  g_test_add_func("/imatrix/nothing", test_nothing);
  g_test_add_func("/imatrix/trained", test_trained);
  return g_test_run();
}
