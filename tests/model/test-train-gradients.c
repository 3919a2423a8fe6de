/* test-train-gradients.c - every backward against differences of the forward pass, on small shapes
 * of many kinds; sums over shards, micro-batches and threads. */
#include "core.h"
#include "prompt/prompt.h"
#include "random.h"

#include <glib.h>
#include <math.h>
#include <string.h>

typedef struct {
  const char *name;
  guint hidden, heads, kv_heads, head_dim, ffn, vision_hidden, vision_heads;
  bool adjacent, linear, tied, gelu_erf, start_end;
} Shape;

static const Shape shapes[] = {
    {"half-mlp", 32, 4, 4, 8, 48, 24, 3, false, false, false, false, false},
    {"adjacent-grouped-tied", 40, 4, 2, 12, 56, 20, 2, true, false, true, false, false},
    {"half-one-key-linear", 24, 3, 1, 6, 33, 18, 3, false, true, false, true, false},
    {"adjacent-linear-tied-patch-ids", 16, 2, 2, 10, 20, 16, 4, true, true, true, false, true},
};
#define VOCAB 37
#define PATCH_ID 35

static ModelConfig
config_of(const Shape *s)
{
  ModelConfig config = {
      .has_vision = true, .id_im_start = -1, .id_im_end = -1, .bos = 1, .eos = 2, .name = "test"};

  config.projector = s->linear ? MODEL_PROJECTOR_LINEAR : MODEL_PROJECTOR_MLP2X_GELU;
  config.image_start_end = s->start_end;
  config.id_im_patch = s->start_end ? PATCH_ID : -1;
  config.vision = (ModelVisionConfig){.image_size = 12,
                                      .patch_size = 4,
                                      .hidden = s->vision_hidden,
                                      .heads = s->vision_heads,
                                      .ffn = 30,
                                      .blocks_stored = 3,
                                      .blocks_run = 2,
                                      .eps = 1e-5f,
                                      .mean = {.5f, .4f, .3f},
                                      .std = {.3f, .4f, .5f},
                                      .gelu_erf = s->gelu_erf};
  config.decoder = (ModelDecoderConfig){.hidden = s->hidden,
                                        .layers = 2,
                                        .heads = s->heads,
                                        .kv_heads = s->kv_heads,
                                        .head_dim = s->head_dim,
                                        .ffn = s->ffn,
                                        .vocab = VOCAB,
                                        .context = 256,
                                        .theta = 100.0f,
                                        .eps = 1e-6f,
                                        .rope_adjacent = s->adjacent};
  return config;
}

/* Values that are not tiny, so that every path carries a gradient. */
static void
fill(TrainParams *params)
{
  TrainRandom random;

  train_random_seed(&random, 7, 1);
  for (uint32_t i = 0; i < params->n_tensors; i++) {
    const TrainTensor *t = &params->tensors[i];
    bool norm = t->n_dims == 1 && g_str_has_suffix(t->name, ".weight");
    double deviation = t->n_dims == 1 ? 0.2 : 1.0 / sqrt((double)t->n / (double)t->shape[0]);

    for (size_t k = 0; k < t->n; k++) {
      params->data[t->offset + k] =
          (float)((norm ? 1.0 : 0.0) + deviation * train_random_normal(&random));
    }
  }
}

static TrainCore *
core_new(const Shape *shape, unsigned parts, guint batch, guint threads)
{
  TrainCore *core = g_new0(TrainCore, 1);
  ModelConfig config = config_of(shape);
  TrainParams params;
  ModelError err = {0};

  g_assert_true(train_params_init(&params, &config, shape->tied, true, &err));
  fill(&params);
  g_assert_true(train_core_init(core, &params, parts, batch, 256, threads, &err));
  return core;
}

static void
core_free(TrainCore *core)
{
  train_core_clear(core);
  g_free(core);
}

static void
push(GArray *ids, int32_t id)
{
  g_array_append_val(ids, id);
}

/* N ids of text around a picture (or none); every third label counts. */
static TrainItem
item_new(const Shape *shape, const ModelConfig *config, TrainRandom *random, guint n, bool picture)
{
  TrainItem item = {.has_picture = picture};
  GArray *ids = g_array_new(FALSE, FALSE, sizeof(int32_t));
  gsize side = config->vision.image_size;
  ModelError err = {0};

  for (guint i = 0; i < n; i++) {
    push(ids, (int32_t)train_random_below(random, PATCH_ID));
    if (i == 4 && picture) {
      for (guint k = 0; k < (shape->start_end ? 9 : 1); k++) {
        push(ids, shape->start_end ? PATCH_ID : MODEL_IMAGE_ID);
      }
    }
  }
  item.n_ids = ids->len;
  item.ids = (int32_t *)g_array_free(ids, FALSE);
  item.labels = g_new(int32_t, item.n_ids);
  for (gsize i = 0; i < item.n_ids; i++) {
    bool text = item.ids[i] != MODEL_IMAGE_ID && item.ids[i] != PATCH_ID;

    item.labels[i] = text && i % 3 == 0 ? item.ids[i] : MODEL_IGNORE_INDEX;
  }
  item.picture = g_malloc(side * side * 3);
  for (gsize i = 0; i < side * side * 3; i++) {
    item.picture[i] = (uint8_t)model_random_next(random);
  }
  g_assert_true(train_item_measure(&item, config, 256, &err));
  return item;
}

#define N_ITEMS 5

/* Sequences longer than one block of queries, short ones, and one without a picture. */
static void
items_new(const Shape *shape, TrainItem items[N_ITEMS])
{
  static const guint lengths[N_ITEMS] = {75, 9, 140, 20, 33};
  ModelConfig config = config_of(shape);
  TrainRandom random;

  train_random_seed(&random, 3, 2);
  for (guint i = 0; i < N_ITEMS; i++) {
    items[i] = item_new(shape, &config, &random, lengths[i], i != 3);
  }
}

static void
items_free(TrainItem items[N_ITEMS])
{
  for (guint i = 0; i < N_ITEMS; i++) {
    g_free(items[i].ids);
    g_free(items[i].labels);
    g_free(items[i].picture);
  }
}

static double
loss_of(TrainCore *core, const TrainItem *items)
{
  ModelError err = {0};

  train_core_begin(core);
  g_assert_true(train_core_add(core, items, N_ITEMS, &err));
  return core->loss_sum;
}

/* The slope along half the gradient's own direction and half a random one must be the product of
 * gradient and direction. */
static double
slope_error(TrainCore *core, const TrainItem *items, const TrainTensor *t, const float *gradient,
            TrainRandom *random)
{
  float *p = core->params.data + t->offset;
  const float *g = gradient + t->gradient;
  g_autofree float *direction = g_new(float, t->n), *start = g_memdup2(p, t->n * sizeof *p);
  double norm = 0, size = 0, expected = 0, up, down, h;

  for (size_t i = 0; i < t->n; i++) {
    norm += (double)g[i] * g[i];
    size += (double)start[i] * start[i];
  }
  norm = sqrt(norm);
  for (size_t i = 0; i < t->n; i++) {
    direction[i] = (float)(g[i] / norm + train_random_normal(random) / sqrt((double)t->n));
    expected += (double)g[i] * direction[i];
  }
  h = 2e-3 * (sqrt(size) + 0.1);
  h = MIN(h, 0.3 / norm); /* a change of the loss that is seen, but small */
  for (size_t i = 0; i < t->n; i++) {
    p[i] = (float)(start[i] + h * direction[i]);
  }
  up = loss_of(core, items);
  for (size_t i = 0; i < t->n; i++) {
    p[i] = (float)(start[i] - h * direction[i]);
  }
  down = loss_of(core, items);
  memcpy(p, start, t->n * sizeof *p);
  return fabs((up - down) / (2 * h) - expected) / norm;
}

static void
test_differences(gconstpointer data)
{
  const Shape *shape = data;
  TrainCore *core = core_new(shape, TRAIN_VISION | TRAIN_PROJECTOR | TRAIN_LLM, N_ITEMS, 2);
  g_autofree float *gradient = NULL;
  TrainItem items[N_ITEMS];
  TrainRandom random;
  double worst = 0;

  items_new(shape, items);
  train_random_seed(&random, 5, 3);
  loss_of(core, items);
  gradient = g_memdup2(core->gradient, core->params.n_gradient * sizeof(float));
  for (uint32_t i = 0; i < core->params.n_tensors; i++) {
    const TrainTensor *t = &core->params.tensors[i];
    double error;

    if (t->part == 0) {
      g_assert_true(t->gradient == TRAIN_NO_GRADIENT); /* last block and post_layernorm */
      continue;
    }
    /* The slope along k_proj.bias is zero: it moves all scores of a row alike. */
    if (strstr(t->name, "k_proj.bias")) {
      continue;
    }
    error = slope_error(core, items, t, gradient, &random);
    worst = MAX(worst, error);
    /* Differences in float32: the loss (about 300) is known to some 1e-5, the step moves it by
     * some 1e-1, and the curvature's share is of the order of the step squared. */
    if (error > 5e-3) {
      g_test_message("%s: slope is off by %.3g of the norm", t->name, error);
      g_test_fail();
    }
  }
  g_test_message("%s: slopes within %.2g of the norm", shape->name, worst);
  items_free(items);
  core_free(core);
}

/* Frozen parts change nothing in the gradients of the others. */
static void
test_frozen(gconstpointer data)
{
  const Shape *shape = data;
  const unsigned all = TRAIN_VISION | TRAIN_PROJECTOR | TRAIN_LLM;
  TrainCore *whole = core_new(shape, all, N_ITEMS, 2);
  TrainItem items[N_ITEMS];

  items_new(shape, items);
  loss_of(whole, items);
  for (unsigned parts = 1; parts < all; parts++) {
    TrainCore *part = core_new(shape, parts, N_ITEMS, 2);

    loss_of(part, items);
    g_assert_true(part->loss_sum == whole->loss_sum);
    for (uint32_t i = 0; i < part->params.n_tensors; i++) {
      const TrainTensor *a = &part->params.tensors[i], *b = &whole->params.tensors[i];

      g_assert_true((a->gradient != TRAIN_NO_GRADIENT) == ((a->part & parts) != 0));
      if (a->gradient != TRAIN_NO_GRADIENT) {
        g_assert_cmpmem(part->gradient + a->gradient, a->n * sizeof(float),
                        whole->gradient + b->gradient, b->n * sizeof(float));
      }
    }
    core_free(part);
  }
  items_free(items);
  core_free(whole);
}

/* One thread or three, the same bits; two micro-batches or one, the same but for rounding. */
static void
test_sums(void)
{
  const Shape *shape = &shapes[1];
  const unsigned all = TRAIN_VISION | TRAIN_PROJECTOR | TRAIN_LLM;
  TrainCore *one = core_new(shape, all, N_ITEMS, 1), *three = core_new(shape, all, N_ITEMS, 3);
  TrainAdamW adamw = {0.9, 0.999, 1e-8, 0.01, 1.0};
  TrainItem items[N_ITEMS];
  ModelError err = {0};
  double largest = 0;

  items_new(shape, items);
  for (guint step = 0; step < 3; step++) {
    loss_of(one, items);
    loss_of(three, items);
    g_assert_true(one->loss_sum == three->loss_sum && one->norm == three->norm);
    train_core_update(one, &adamw, 1e-3);
    train_core_update(three, &adamw, 1e-3);
  }
  g_assert_cmpmem(one->params.data, one->params.n_data * sizeof(float), three->params.data,
                  three->params.n_data * sizeof(float));
  loss_of(one, items);
  train_core_begin(three);
  g_assert_true(train_core_add(three, items, 2, &err));
  g_assert_true(train_core_add(three, items + 2, N_ITEMS - 2, &err));
  g_assert_cmpuint(one->counted, ==, three->counted);
  g_assert_cmpfloat(fabs(one->loss_sum - three->loss_sum), <=, 1e-6 * one->loss_sum);
  g_assert_cmpfloat(fabs(one->norm - three->norm), <=, 1e-5 * one->norm);
  for (size_t i = 0; i < one->params.n_gradient; i++) {
    largest = MAX(largest, fabs(one->gradient[i]));
  }
  for (size_t i = 0; i < one->params.n_gradient; i++) {
    g_assert_cmpfloat(fabs(one->gradient[i] - three->gradient[i]), <=, 1e-5 * largest);
  }
  items_free(items);
  core_free(one);
  core_free(three);
}

/* Nothing counted: no loss, no gradient, and nothing of an earlier batch left over. */
static void
test_nothing_counts(void)
{
  TrainCore *core = core_new(&shapes[0], TRAIN_PROJECTOR | TRAIN_LLM, N_ITEMS, 2);
  TrainItem items[N_ITEMS];
  ModelError err = {0};

  items_new(&shapes[0], items);
  loss_of(core, items);
  for (guint i = 0; i < N_ITEMS; i++) {
    for (gsize k = 0; k < items[i].n_ids; k++) {
      items[i].labels[k] = MODEL_IGNORE_INDEX;
    }
    g_assert_true(train_item_measure(&items[i], &core->params.config, 256, &err));
  }
  g_assert_true(loss_of(core, items) == 0 && core->norm == 0 && core->counted == 0);
  for (size_t i = 0; i < core->params.n_gradient; i++) {
    g_assert_true(core->gradient[i] == 0);
  }
  items_free(items);
  core_free(core);
}

/* Items that do not fit the model are refused, long ones are cut. */
static void
test_measure(void)
{
  ModelConfig config = config_of(&shapes[0]);
  int32_t ids[] = {1, 5, MODEL_IMAGE_ID, 6, 7, 2};
  int32_t labels[] = {-100, -100, -100, -100, 7, 2};
  TrainItem item = {.ids = ids, .labels = labels, .n_ids = 6, .has_picture = true};
  ModelError err = {0};

  g_assert_true(train_item_measure(&item, &config, 256, &err));
  g_assert_cmpuint(item.n_rows, ==, 14); /* five ids and nine patches */
  g_assert_cmpuint(item.n_counted, ==, 2);
  g_assert_true(train_item_measure(&item, &config, 13, &err));
  g_assert_cmpuint(item.n_ids, ==, 5);
  g_assert_cmpuint(item.n_counted, ==, 1);
  g_assert_false(train_item_measure(&item, &config, 8, &err)); /* the picture is cut off */
  item.n_ids = 6;
  item.has_picture = false;
  g_assert_false(train_item_measure(&item, &config, 256, &err));
  item.has_picture = true;
  ids[4] = VOCAB;
  g_assert_false(train_item_measure(&item, &config, 256, &err));
  g_assert_nonnull(strstr(err.message, "37"));
  ids[4] = 7;
  labels[4] = VOCAB;
  g_assert_false(train_item_measure(&item, &config, 256, &err));
  labels[4] = -5;
  g_assert_false(train_item_measure(&item, &config, 256, &err));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    g_autofree char *slopes = g_strdup_printf("/train/differences/%s", shapes[i].name);
    g_autofree char *frozen = g_strdup_printf("/train/frozen/%s", shapes[i].name);

    g_test_add_data_func(slopes, &shapes[i], test_differences);
    g_test_add_data_func(frozen, &shapes[i], test_frozen);
  }
  g_test_add_func("/train/sums", test_sums);
  g_test_add_func("/train/nothing-counts", test_nothing_counts);
  g_test_add_func("/train/measure", test_measure);
  return g_test_run();
}
