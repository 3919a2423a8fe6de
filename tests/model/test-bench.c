/* Measuring: the work is counted right, the machine's limits are there, and two models are as near
 * as a second computation says. No figure of time is looked at but for being there. */
#include "bench/machine.h"
#include "engine/engine.h"
#include "kernels/cpu.h"
#include "model_bench.h"

#include "model/tiny.h"

/* ---- the machine -------------------------------------------------------------------------- */

static void
test_loops(void)
{
  const guint32 features = model_cpu_features();

  /* Every set of features that this processor has, and none. */
  for (guint32 some = features;; some = (some - 1) & features) {
    const ModelLoop *loops[] = {model_loop_int8(some), model_loop_bf16(some), model_loop_f32(some)};
    for (guint i = 0; i < G_N_ELEMENTS(loops); i++) {
      if (loops[i]) {
        g_assert_cmpuint(loops[i]->operations, >, 0);
        loops[i]->run(3);
      }
    }
    g_assert_nonnull(loops[0]);
    g_assert_nonnull(loops[2]);
    if (some == 0) {
      break;
    }
  }
}

/* All readers read every byte: each flips the result. */
static void
test_reading(void)
{
  const guint32 features[] = {model_cpu_features(), model_cpu_features() & MODEL_CPU_AVX2, 0};
  const gsize n = 2048;
  guint8 *bytes = aligned_alloc(64, n);

  memset(bytes, 0, n);
  for (guint f = 0; f < G_N_ELEMENTS(features); f++) {
    g_assert_cmpuint(model_stream_read(features[f], bytes, n, 8192), ==, 0);
    for (gsize i = 0; i < n; i++) {
      bytes[i] = 0x10;
      g_assert_cmpuint(model_stream_read(features[f], bytes, n, 0), !=, 0);
      bytes[i] = 0;
    }
  }
  free(bytes);
}

static void
test_machine(void)
{
  ModelMachine machine;
  ModelError err = {0};

  g_assert_true(model_machine_measure(2, 1, 1e-4, &machine, &err));
  g_assert_cmpuint(machine.n_threads, ==, 2);
  g_assert_cmpfloat(machine.read_bytes_per_s, >, 0);
  g_assert_cmpfloat(machine.int8_ops_per_s, >, 0);
  g_assert_cmpfloat(machine.f32_ops_per_s, >, 0);
  g_assert_cmpint(machine.bf16_ops_per_s > 0, ==, machine.bf16_name != NULL);
  g_assert_nonnull(machine.int8_name);
}

static void
test_median(void)
{
  double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};

  g_assert_cmpfloat(model_median(odd, 3), ==, 2);
  g_assert_cmpfloat(model_median(even, 4), ==, 2.5);
  g_assert_cmpfloat(model_median(NULL, 0), ==, 0);
}

/* ---- a model's speed ------------------------------------------------------------------------ */

static bool
count_progress(const char *what, uint32_t done, uint32_t total, void *user)
{
  guint *seen = user;

  g_assert_nonnull(what);
  g_assert_cmpuint(done, ==, ++*seen);
  g_assert_cmpuint(done, <=, total);
  return done < 5;
}

static ModelBenchOptions
small(void)
{
  return (ModelBenchOptions){
      .prompt = 7, .tokens = 3, .depth = 2, .question = 5, .image = true, .repeats = 2};
}

static void
test_bench(void)
{
  const ModelConfig config = tiny_config(FALSE);
  ModelBenchOptions options = small();
  ModelBench result;
  ModelError err = {0};
  ModelEngine *engine;
  Tiny tiny;
  /* tiny: 2 layers of q and o 24 * 24, k and v 12 * 24, and three of 40 * 24; 295 rows of logits.
   * Its weights are float32. */
  const guint64 layers = 2 * (2 * 24 * 24 + 2 * 12 * 24 + 3 * 40 * 24), logits = 295 * 24;
  /* 16 patches of 3 * 5 * 5; 17 rows through 2 blocks; 16 through the projector. */
  const guint64 picture =
      16 * 75 * 18 + 17 * 2 * (4 * 18 * 18 + 2 * 18 * 26 + 2 * 17 * 18) + 16 * (18 * 24 + 24 * 24);

  tiny_init(&tiny, &config, 1);
  engine = tiny_engine(&tiny, 2);
  g_assert_true(model_bench_run(engine, &options, &result, &err));
  g_assert_cmpuint(result.layer_products, ==, layers);
  g_assert_cmpuint(result.output_products, ==, logits);
  g_assert_cmpuint(result.token_bytes, ==, 4 * (layers + logits));
  g_assert_cmpuint(result.picture_products, ==, picture);
  g_assert_cmpfloat(result.prompt_s, >, 0);
  g_assert_cmpfloat(result.decode_s, >, 0);
  g_assert_cmpfloat(result.image_s, >, 0);
  g_assert_cmpfloat(result.first_token_s, >=, result.image_s);
  g_assert_cmpfloat(result.follow_up_first_token_s, >, 0);
  g_assert_cmpuint(result.first_positions, >, 16 + 5);
  g_assert_cmpuint(result.follow_up_positions, >=, 5);
  g_assert_cmpuint(result.follow_up_positions, <, result.first_positions);
  g_assert_cmpuint(result.n_threads, ==, 2);
  model_engine_free(engine);
  tiny_clear(&tiny);
}

static void
test_bench_stops(void)
{
  const ModelConfig config = tiny_config(FALSE);
  ModelBenchOptions options = small();
  ModelBench result;
  ModelError err = {0};
  ModelEngine *engine;
  guint seen = 0;
  Tiny tiny;

  tiny_init(&tiny, &config, 1);
  engine = tiny_engine(&tiny, 1);
  options.progress = count_progress;
  options.user = &seen;
  g_assert_false(model_bench_run(engine, &options, &result, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CANCELLED);
  g_assert_cmpuint(seen, ==, 5);
  options = small();
  options.tokens = 0;
  g_assert_false(model_bench_run(engine, &options, &result, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  options = small();
  options.depth = 2048;
  g_assert_false(model_bench_run(engine, &options, &result, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  model_engine_free(engine);
  tiny_clear(&tiny);
}

/* ---- how near two models are ---------------------------------------------------------------- */

/* The same in the plainest way: all logits of each model by a trace of the text so far. */
static void
plain_compare(ModelEngine *a, ModelEngine *b, const char *text, ModelCompared *plain)
{
  ModelIds ids = {0};
  double nll[2] = {0};
  guint agree = 0;
  ModelDecoder decoders[2];

  g_assert_true(model_tokenize(a, text, strlen(text), &ids, NULL));
  *plain = (ModelCompared){.positions = ids.n};
  g_assert_true(model_decoder_init(&decoders[0], a, 64, NULL));
  g_assert_true(model_decoder_init(&decoders[1], b, 64, NULL));
  for (guint i = 0; i < ids.n; i++) {
    const int32_t id = i == 0 ? 1 : ids.ids[i - 1];
    double p[2][TINY_PIECES], divergence = 0;
    guint top[2] = {0};
    for (guint k = 0; k < 2; k++) {
      double sum = 0;
      g_assert_true(model_decoder_step(&decoders[k], id, i, &(ModelWatch){0}, NULL));
      for (guint j = 0; j < TINY_PIECES; j++) {
        p[k][j] = exp((double)decoders[k].logits[j]);
        sum += p[k][j];
      }
      for (guint j = 0; j < TINY_PIECES; j++) {
        p[k][j] /= sum;
        top[k] = p[k][j] > p[k][top[k]] ? j : top[k];
      }
      nll[k] -= log(p[k][ids.ids[i]]);
    }
    for (guint j = 0; j < TINY_PIECES; j++) {
      divergence += p[0][j] * log(p[0][j] / p[1][j]);
    }
    plain->mean_divergence += divergence / (double)ids.n;
    plain->largest_divergence = MAX(plain->largest_divergence, divergence);
    agree += top[0] == top[1];
  }
  plain->agreement = (double)agree / (double)ids.n;
  plain->perplexity_a = exp(nll[0] / (double)ids.n);
  plain->perplexity_b = exp(nll[1] / (double)ids.n);
  model_decoder_clear(&decoders[0]);
  model_decoder_clear(&decoders[1]);
  model_ids_clear(&ids);
}

/* Logits are float32 sums of 24 products; a batch may add them in another order. */
static void
assert_near(double a, double b)
{
  if (!(fabs(a - b) <= 1e-5 + 1e-4 * fabs(b))) {
    g_error("found %.9g, expected %.9g", a, b);
  }
}

static void
test_compare(void)
{
  static const char text[] = "the ant is in the tin that is at the inn and it sits in the hat";
  const ModelConfig config = tiny_config(FALSE);
  ModelEngine *engines[2];
  ModelComparison *comparison;
  ModelCompared found, plain;
  ModelError err = {0};
  Tiny tiny[2];

  for (guint i = 0; i < 2; i++) {
    tiny_init(&tiny[i], &config, 1 + i);
    engines[i] = tiny_engine(&tiny[i], 1);
  }
  comparison = model_comparison_new(engines[0], engines[1], 0, &err);
  g_assert_nonnull(comparison);
  g_assert_true(model_comparison_add(comparison, text, strlen(text), &err));
  model_comparison_result(comparison, &found);
  plain_compare(engines[0], engines[1], text, &plain);
  g_assert_cmpuint(found.window, ==, 512);
  g_assert_cmpuint(found.positions, ==, plain.positions);
  g_assert_cmpuint(found.positions, >, 30); /* more than a piece */
  assert_near(found.mean_divergence, plain.mean_divergence);
  assert_near(found.largest_divergence, plain.largest_divergence);
  assert_near(found.agreement, plain.agreement);
  assert_near(found.perplexity_a, plain.perplexity_a);
  assert_near(found.perplexity_b, plain.perplexity_b);
  g_assert_cmpfloat(found.median_divergence, >, 0);
  g_assert_cmpfloat(found.median_divergence, <=, found.p99_divergence);
  g_assert_cmpfloat(found.p99_divergence, <=, found.largest_divergence);
  model_comparison_free(comparison);

  /* A model is itself, in windows too. */
  comparison = model_comparison_new(engines[0], engines[0], 8, &err);
  g_assert_nonnull(comparison);
  g_assert_true(model_comparison_add(comparison, text, strlen(text), &err));
  model_comparison_result(comparison, &found);
  g_assert_cmpuint(found.positions, ==, plain.positions);
  g_assert_cmpfloat(found.largest_divergence, <, 1e-12);
  g_assert_cmpfloat(found.agreement, ==, 1);
  model_comparison_free(comparison);
  for (guint i = 0; i < 2; i++) {
    model_engine_free(engines[i]);
    tiny_clear(&tiny[i]);
  }
}

static void
test_compare_refuses(void)
{
  const ModelConfig config = tiny_config(FALSE);
  ModelEngine *engines[2];
  ModelError err = {0};
  Tiny tiny[2];

  for (guint i = 0; i < 2; i++) {
    tiny_init(&tiny[i], &config, 1);
    if (i == 1) {
      /* The last piece ends in another letter. */
      char *storage = tiny[i].checkpoint.vocabulary.storage;
      storage[strlen(storage) - 1] ^= 1;
    }
    engines[i] = tiny_engine(&tiny[i], 1);
  }
  g_assert_null(model_comparison_new(engines[0], engines[1], 0, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(err.message, "vocabular"));
  g_assert_null(model_comparison_new(engines[0], engines[0], 1, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_null(model_comparison_new(engines[0], engines[0], 4096, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  model_comparison_free(NULL);
  for (guint i = 0; i < 2; i++) {
    model_engine_free(engines[i]);
    tiny_clear(&tiny[i]);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/bench/loops", test_loops);
  g_test_add_func("/bench/reading", test_reading);
  g_test_add_func("/bench/machine", test_machine);
  g_test_add_func("/bench/median", test_median);
  g_test_add_func("/bench/run", test_bench);
  g_test_add_func("/bench/stops", test_bench_stops);
  g_test_add_func("/bench/compare", test_compare);
  g_test_add_func("/bench/compare/refuses", test_compare_refuses);
  return g_test_run();
}
