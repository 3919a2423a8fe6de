/* test-vision.c - the tower and the projector beside a plain twin in double, and beside the golden
 * values of the three models, from every file. */
#include "golden.h"
#include "image/preprocess.h"
#include "tiny.h"

static void
plain_norm(const double *x, const ModelTensor *w, const ModelTensor *b, guint n, guint width,
           double eps, double *y)
{
  for (guint i = 0; i < n; i++) {
    double mean = 0, variance = 0;
    for (guint k = 0; k < width; k++) {
      mean += x[i * width + k] / width;
    }
    for (guint k = 0; k < width; k++) {
      variance += (x[i * width + k] - mean) * (x[i * width + k] - mean) / width;
    }
    for (guint k = 0; k < width; k++) {
      y[i * width + k] =
          (x[i * width + k] - mean) / sqrt(variance + eps) * tiny_values(w)[k] + tiny_values(b)[k];
    }
  }
}

static void
plain_attention(const double *q, const double *k, const double *v, guint n, guint heads,
                guint width, double *out)
{
  const guint d = width / heads;
  g_autofree double *p = g_new(double, n);

  for (guint h = 0; h < heads; h++) {
    for (guint i = 0; i < n; i++) {
      double sum = 0;
      for (guint j = 0; j < n; j++) {
        double s = 0;
        for (guint c = 0; c < d; c++) {
          s += q[i * width + h * d + c] * k[j * width + h * d + c];
        }
        p[j] = exp(s / sqrt(d));
        sum += p[j];
      }
      for (guint c = 0; c < d; c++) {
        double total = 0;
        for (guint j = 0; j < n; j++) {
          total += p[j] / sum * v[j * width + h * d + c];
        }
        out[i * width + h * d + c] = total;
      }
    }
  }
}

static double
plain_activation(const ModelVisionConfig *c, double x)
{
  return c->gelu_erf ? 0.5 * x * (1 + erf(x / sqrt(2))) : x / (1 + exp(-1.702 * x));
}

/* vision_features() of the reference, with a pixel's worth of indices. */
static double *
plain_tower(const ModelCheckpoint *checkpoint, const float *pixels)
{
  const ModelVisionConfig *c = &checkpoint->config.vision;
  const ModelWeights *w = &checkpoint->weights;
  const guint grid = c->image_size / c->patch_size, n = 1 + grid * grid, width = c->hidden;
  double *x = g_new0(double, n *width);
  g_autofree double *h = g_new(double, n *width), *q = g_new(double, n *width);
  g_autofree double *k = g_new(double, n *width), *v = g_new(double, n *width);
  g_autofree double *a = g_new(double, n *width), *f = g_new(double, n * c->ffn);

  for (guint i = 0; i < n; i++) {
    for (guint o = 0; o < width; o++) {
      double sum = 0;
      for (guint e = 0; i > 0 && e < 3 * c->patch_size * c->patch_size; e++) {
        const guint channel = e / (c->patch_size * c->patch_size);
        const guint y = (i - 1) / grid * c->patch_size + e / c->patch_size % c->patch_size;
        const guint column = (i - 1) % grid * c->patch_size + e % c->patch_size;
        sum += (double)pixels[(channel * c->image_size + y) * c->image_size + column] *
               tiny_values(&w->patch_embedding)[o * 3 * c->patch_size * c->patch_size + e];
      }
      x[i * width + o] = (i == 0 ? tiny_values(&w->class_embedding)[o] : sum) +
                         tiny_values(&w->position_embedding)[i * width + o];
    }
  }
  plain_norm(x, &w->pre_ln_w, &w->pre_ln_b, n, width, c->eps, x);
  for (guint block = 0; block < c->blocks_run; block++) {
    const ModelVisionBlock *b = &w->blocks[block];
    plain_norm(x, &b->ln1_w, &b->ln1_b, n, width, c->eps, h);
    tiny_product(&b->q_w, &b->q_b, h, n, q);
    tiny_product(&b->k_w, &b->k_b, h, n, k);
    tiny_product(&b->v_w, &b->v_b, h, n, v);
    plain_attention(q, k, v, n, c->heads, width, a);
    tiny_product(&b->o_w, &b->o_b, a, n, h);
    for (guint i = 0; i < n * width; i++) {
      x[i] += h[i];
    }
    plain_norm(x, &b->ln2_w, &b->ln2_b, n, width, c->eps, h);
    tiny_product(&b->fc1_w, &b->fc1_b, h, n, f);
    for (guint i = 0; i < n * c->ffn; i++) {
      f[i] = plain_activation(c, f[i]);
    }
    tiny_product(&b->fc2_w, &b->fc2_b, f, n, h);
    for (guint i = 0; i < n * width; i++) {
      x[i] += h[i];
    }
  }
  return x;
}

static double *
plain_project(const ModelCheckpoint *checkpoint, const double *features, guint n)
{
  const ModelWeights *w = &checkpoint->weights;
  const guint hidden = checkpoint->config.decoder.hidden;
  double *rows = g_new(double, n *hidden);
  g_autofree double *middle = NULL;

  tiny_product(&w->mm_w[0], &w->mm_b[0], features, n, rows);
  if (checkpoint->config.projector == MODEL_PROJECTOR_MLP2X_GELU) {
    middle = g_memdup2(rows, n * hidden * sizeof *rows);
    for (guint i = 0; i < n * hidden; i++) {
      middle[i] = 0.5 * middle[i] * (1 + erf(middle[i] / sqrt(2)));
    }
    tiny_product(&w->mm_w[1], &w->mm_b[1], middle, n, rows);
  }
  return rows;
}

static void
test_plain_twin(void)
{
  for (guint variant = 0; variant < 4; variant++) {
    ModelConfig config = tiny_config(variant & 1);
    Tiny tiny;
    ModelCheckpoint plain;
    ModelEngine *engine;
    guint n_values[2];
    g_autofree float *pixels = NULL, *features = NULL, *rows = NULL;
    g_autofree double *twin = NULL, *twin_rows = NULL;
    ModelError err = {0};

    config.vision.gelu_erf = variant & 2;
    tiny_init(&tiny, &config, 10 + variant);
    plain = tiny.checkpoint; /* stays valid while the engine lives */
    pixels = tiny_array(&tiny, 3 * 21 * 21, 0, 2);
    pixels = g_memdup2(pixels, 3 * 21 * 21 * sizeof *pixels);
    engine = tiny_engine(&tiny, 2);
    n_values[0] = 16 * config.vision.hidden;
    n_values[1] = 16 * config.decoder.hidden;
    features = g_new(float, n_values[0]);
    rows = g_new(float, n_values[1]);
    g_assert_true(model_vision_encode(engine, pixels, NULL, features, &err));
    g_assert_true(model_project(engine, features, rows, &err));
    twin = plain_tower(&plain, pixels);
    twin_rows = plain_project(&plain, twin + config.vision.hidden, 16);
    /* Values reach about 10; float32 keeps seven digits through two blocks. */
    for (guint i = 0; i < n_values[0]; i++) {
      g_assert_cmpfloat(fabs(features[i] - twin[config.vision.hidden + i]), <=,
                        2e-5 + 1e-5 * fabs(twin[config.vision.hidden + i]));
    }
    for (guint i = 0; i < n_values[1]; i++) {
      g_assert_cmpfloat(fabs(rows[i] - twin_rows[i]), <=, 4e-5 + 1e-5 * fabs(twin_rows[i]));
    }
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}

static void
zero(const ModelTensor *tensor, gsize n, float value)
{
  float *values = (float *)tiny_values(tensor);

  for (gsize i = 0; i < n; i++) {
    values[i] = value;
  }
}

/* A model whose tower or projector says nothing is refused, one that sees is not. */
static void
test_sight(void)
{
  enum { SEES, NO_PATCHES, NO_PROJECTOR, NOT_A_NUMBER, N_CASES };

  for (int v10 = 0; v10 < 2; v10++) {
    for (int i = 0; i < N_CASES; i++) {
      const ModelConfig config = tiny_config(v10);
      const gsize patch = 3 * (gsize)config.vision.patch_size * config.vision.patch_size;
      Tiny tiny;
      ModelEngine *engine;
      ModelWeights *w;
      ModelError err = {0};

      tiny_init(&tiny, &config, 21);
      w = &tiny.checkpoint.weights;
      if (i == NO_PATCHES) {
        zero(&w->patch_embedding, patch * config.vision.hidden, 0);
      } else if (i == NO_PROJECTOR) {
        const ModelTensor *last = &w->mm_w[config.projector == MODEL_PROJECTOR_LINEAR ? 0 : 1];
        zero(last, model_tensor_rows(last) * model_tensor_columns(last), 0);
      } else if (i == NOT_A_NUMBER) {
        zero(&w->blocks[0].ln1_w, config.vision.hidden, NAN);
      }
      engine = tiny_engine(&tiny, 1);
      g_assert_cmpint(model_engine_check_sight(engine, &err), ==, i == SEES);
      g_assert_cmpint(err.code, ==, i == SEES ? MODEL_OK : MODEL_ERROR_CORRUPT);
      g_assert_true(i == SEES || strstr(err.message, i == NOT_A_NUMBER ? "damaged" : "blind"));
      model_engine_free(engine);
      tiny_clear(&tiny);
    }
  }
}

/* The same bits on any number of threads, at the size of a real tower's token count. */
static void
test_threads(void)
{
  ModelConfig config = tiny_config(FALSE);
  g_autofree float *first = NULL, *again = NULL;
  gsize n;

  config.vision.image_size = 120;
  n = 24 * 24 * (gsize)config.vision.hidden;
  first = g_new(float, n);
  again = g_new(float, n);
  for (guint threads = 1; threads <= 3; threads++) {
    Tiny tiny;
    ModelEngine *engine;
    float *pixels;

    tiny_init(&tiny, &config, 3);
    pixels = tiny_array(&tiny, 3 * 120 * 120, 0, 2);
    engine = tiny_engine(&tiny, threads);
    g_assert_true(model_vision_encode(engine, pixels, NULL, threads == 1 ? first : again, NULL));
    if (threads > 1) {
      g_assert_cmpmem(again, n * sizeof(float), first, n * sizeof(float));
    }
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}

static void
test_golden(gconstpointer data)
{
  const char *name = data;
  static const char *const mmproj[] = {NULL, "gguf/mmproj-f16.gguf", "gguf/mmproj-legacy-f16.gguf",
                                       "gguf/mmproj-full-f16.gguf"};
  g_autoptr(JsonParser) parser = golden_load(name);

  for (guint i = 0; parser && i < G_N_ELEMENTS(mmproj); i++) {
    ModelEngine *engine = mmproj[i] ? golden_open(name, "gguf/llm-f16.gguf", mmproj[i], NULL, 2)
                                    : golden_open_hf(name, 2);
    const ModelInfo *info = model_engine_info(engine);
    JsonArray *cases = json_object_get_array_member(golden_root(parser), "cases");

    for (guint k = 0; k < json_array_get_length(cases); k++) {
      JsonObject *object = json_array_get_object_element(cases, k);
      g_autofree float *features = g_new(float, info->n_image_tokens * info->vision_hidden);
      g_autofree float *rows = g_new(float, info->n_image_tokens * info->hidden);
      ModelImage image;
      uint32_t side;
      uint8_t *u8;
      if (!golden_image(name, object, &image)) {
        continue;
      }
      u8 = model_preprocess(engine, &image, &side, NULL);
      g_assert_true(model_picture_rows(engine, u8, NULL, features, rows, NULL));
      golden_check_matrix(features, info->n_image_tokens, info->vision_hidden,
                          json_object_get_object_member(object, "vision"), 1e-4);
      golden_check_matrix(rows, info->n_image_tokens, info->hidden,
                          json_object_get_object_member(object, "projected"), 1e-4);
      free(u8);
      g_free((void *)image.pixels);
    }
    model_engine_free(engine);
  }
}

static void
test_cancel(void)
{
  const ModelConfig config = tiny_config(FALSE);
  atomic_bool stop = true;
  const ModelWatch watch = {.cancel = &stop};
  g_autofree float *features = NULL;
  Tiny tiny;
  ModelEngine *engine;
  ModelError err = {0};
  float *pixels;

  tiny_init(&tiny, &config, 1);
  pixels = tiny_array(&tiny, 3 * 21 * 21, 0, 1);
  features = g_new(float, 16 * config.vision.hidden);
  engine = tiny_engine(&tiny, 1);
  g_assert_false(model_vision_encode(engine, pixels, &watch, features, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CANCELLED);
  model_engine_free(engine);
  tiny_clear(&tiny);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/vision/plain-twin", test_plain_twin);
  g_test_add_func("/vision/sight", test_sight);
  g_test_add_func("/vision/threads", test_threads);
  g_test_add_func("/vision/cancel", test_cancel);
  for (guint i = 0; i < G_N_ELEMENTS(golden_names); i++) {
    g_autofree char *path = g_strdup_printf("/vision/golden/%s", golden_names[i]);
    g_test_add_data_func(path, golden_names[i], test_golden);
  }
  return g_test_run();
}
