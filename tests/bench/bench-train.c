/* bench-train.c - speed of a training step on the demo model's shape, beside the machine's own rate
 * of float32 products. Verifies first: the same numbers on one thread and on all. */
#include "core.h"
#include "run.h"

#include <cblas.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static ModelConfig
demo_config(void)
{
  ModelConfig config = {.has_vision = true,
                        .projector = MODEL_PROJECTOR_MLP2X_GELU,
                        .id_im_patch = -1,
                        .id_im_start = -1,
                        .id_im_end = -1,
                        .bos = 1,
                        .eos = 2,
                        .name = "bench"};

  config.vision = (ModelVisionConfig){.image_size = 112,
                                      .patch_size = 14,
                                      .hidden = 192,
                                      .heads = 4,
                                      .ffn = 768,
                                      .blocks_stored = 6,
                                      .blocks_run = 6,
                                      .eps = 1e-5f,
                                      .mean = {.48f, .46f, .41f},
                                      .std = {.27f, .26f, .28f}};
  config.decoder = (ModelDecoderConfig){.hidden = 256,
                                        .layers = 6,
                                        .heads = 4,
                                        .kv_heads = 4,
                                        .head_dim = 64,
                                        .ffn = 704,
                                        .vocab = 2048,
                                        .context = 1024,
                                        .theta = 1e4f,
                                        .eps = 1e-5f,
                                        .rope_adjacent = true};
  return config;
}

/* A picture and about TEXT ids, of which the last sixth counts. */
static TrainItem
item_new(GRand *rand, guint text, const ModelConfig *config)
{
  TrainItem item = {.has_picture = true};
  gsize n = text - 16 + (gsize)g_rand_int_range(rand, 0, 33), bytes = 112 * 112 * 3;
  ModelError err = {0};

  item.n_ids = n;
  item.ids = g_new(int32_t, n);
  item.labels = g_new(int32_t, n);
  for (gsize i = 0; i < n; i++) {
    item.ids[i] = i == 3 ? MODEL_IMAGE_ID : g_rand_int_range(rand, 3, 2048);
    item.labels[i] = i + n / 6 >= n ? item.ids[i] : MODEL_IGNORE_INDEX;
  }
  item.picture = g_malloc(bytes);
  for (gsize i = 0; i < bytes; i++) {
    item.picture[i] = (guint8)g_rand_int(rand);
  }
  g_assert_true(train_item_measure(&item, config, 1024, &err));
  return item;
}

static TrainCore *
core_new(unsigned parts, guint batch, guint threads)
{
  TrainCore *core = g_new0(TrainCore, 1);
  ModelConfig config = demo_config();
  TrainParams params;
  ModelError err = {0};

  g_assert_true(train_params_init(&params, &config, false, false, &err));
  train_params_random(&params, 1);
  g_assert_true(train_core_init(core, &params, parts, batch, 1024, threads, &err));
  return core;
}

static void
core_free(TrainCore *core)
{
  train_core_clear(core);
  g_free(core);
}

static void
step(TrainCore *core, const TrainItem *items, guint batch)
{
  TrainAdamW adamw = {0.9, 0.999, 1e-8, 0, 1.0};
  ModelError err = {0};

  train_core_begin(core);
  g_assert_true(train_core_add(core, items, batch, &err));
  train_core_update(core, &adamw, 1e-3);
}

static void
verify(const TrainItem *items, guint batch)
{
  unsigned parts = TRAIN_VISION | TRAIN_PROJECTOR | TRAIN_LLM;
  TrainCore *one = core_new(parts, batch, 1), *all = core_new(parts, batch, 0);

  for (guint s = 0; s < 2; s++) {
    step(one, items, batch);
    step(all, items, batch);
    g_assert_true(one->loss_sum == all->loss_sum && one->norm == all->norm);
  }
  g_assert_true(memcmp(one->params.data, all->params.data, one->params.n_data * 4) == 0);
  core_free(one);
  core_free(all);
}

/* Forward 2 operations per weight and row, backward twice that where weights train. Attention's
 * products count with the half that a causal mask leaves. */
static double
flops(const TrainCore *core, const TrainItem *items, guint batch)
{
  const ModelConfig *c = &core->params.config;
  unsigned trained = core->params.trained;
  double patches = train_patches(c), h = c->decoder.hidden, vh = c->vision.hidden, total = 0;
  double layer = 4 * h * h + 3 * h * c->decoder.ffn;
  double block = 4 * vh * vh + 2 * vh * c->vision.ffn;

  for (guint i = 0; i < batch; i++) {
    double n = items[i].n_rows, m = items[i].n_counted, p = patches + 1;
    double decoder = 2 * n * layer * c->decoder.layers -
                     2 * (n - m) * (h * h + 3 * h * c->decoder.ffn) + 2 * m * h * c->decoder.vocab +
                     2 * n * n * h * c->decoder.layers;
    double vision =
        c->vision.blocks_run * (2 * p * block + 4 * p * p * vh) + 2 * patches * 588 * vh;
    double projector = 2 * patches * (vh * h + h * h);

    total += decoder * (trained & TRAIN_LLM ? 3 : 2) + vision * (trained & TRAIN_VISION ? 3 : 1) +
             projector * 3;
  }
  return total;
}

static void *
sgemm_thread(void *data)
{
  enum { N = 736, K = 256, M = 704, REPEATS = 200 };
  float *a = g_new0(float, N *K), *b = g_new0(float, M *K), *c = g_new0(float, N *M);
  gint64 start = g_get_monotonic_time();

  for (int r = 0; r < REPEATS; r++) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, M, K, 1, a, K, b, K, 0, c, M);
  }
  *(double *)data = 2.0 * N * K * M * REPEATS / (double)(g_get_monotonic_time() - start) * 1e-3;
  g_free(a);
  g_free(b);
  g_free(c);
  return NULL;
}

static double
sgemm_rate(guint threads)
{
  double rates[64], total = 0;
  GThread *thread[64];

  for (guint t = 0; t < threads; t++) {
    thread[t] = g_thread_new("sgemm", sgemm_thread, &rates[t]);
  }
  for (guint t = 0; t < threads; t++) {
    g_thread_join(thread[t]);
    total += rates[t];
  }
  return total;
}

static void
measure(const char *what, unsigned parts, const TrainItem *items, guint batch, guint threads,
        guint steps)
{
  TrainCore *core = core_new(parts, batch, threads);
  double rate, seconds;
  gint64 start;

  step(core, items, batch);
  rate = sgemm_rate(threads);
  start = g_get_monotonic_time();
  for (guint s = 0; s < steps; s++) {
    step(core, items, batch);
  }
  seconds = (double)(g_get_monotonic_time() - start) * 1e-6 / steps;
  printf("{\"bench\":\"train\",\"trains\":\"%s\",\"batch\":%u,\"threads\":%u,\"step_s\":%.4f,"
         "\"samples_per_s\":%.1f,\"gflops\":%.1f,\"sgemm_gflops\":%.1f,\"of_sgemm\":%.2f}\n",
         what, batch, threads, seconds, batch / seconds, flops(core, items, batch) / seconds * 1e-9,
         rate, flops(core, items, batch) / seconds * 1e-9 / rate);
  core_free(core);
}

int
main(int argc, char **argv)
{
  guint batch = argc > 1 ? (guint)MAX(1, g_ascii_strtoull(argv[1], NULL, 10)) : 16;
  guint steps = argc > 2 ? (guint)MAX(1, g_ascii_strtoull(argv[2], NULL, 10)) : 5;
  guint threads = (guint)MIN(64, MAX(1, sysconf(_SC_NPROCESSORS_ONLN)));
  g_autoptr(GRand) rand = g_rand_new_with_seed(1);
  TrainItem *items = g_new0(TrainItem, batch);
  ModelConfig config = demo_config();

  for (guint i = 0; i < batch; i++) {
    items[i] = item_new(rand, 120, &config);
  }
  verify(items, batch);
  measure("vision,projector,llm", 7, items, batch, threads, steps);
  measure("projector,llm", 6, items, batch, threads, steps);
  measure("projector", 2, items, batch, threads, steps);
  measure("vision,projector,llm", 7, items, batch, 1, steps);
  for (guint i = 0; i < batch; i++) {
    g_free(items[i].ids);
    g_free(items[i].labels);
    g_free(items[i].picture);
  }
  g_free(items);
  return 0;
}
