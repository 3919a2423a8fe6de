/* test-attention.c - keys and values in every type, and attention over them: beside plain
 * arithmetic in double, and bit by bit beside itself whatever the kernels, the batch and the
 * threads. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "kernels/attention.h"
#include "kernels/floats.h"

typedef struct {
  guint heads, kv_heads, head_dim, n_queries, n_keys;
  gboolean causal;
} Case;

static const Case cases[] = {
    {1, 1, 2, 1, 1, TRUE},     {4, 2, 14, 1, 37, TRUE},     {5, 1, 64, 70, 70, TRUE},
    {8, 2, 32, 33, 90, TRUE},  {6, 6, 12, 26, 26, FALSE},   {3, 3, 9, 97, 97, FALSE},
    {2, 1, 10, 2, 513, TRUE},  {8, 2, 128, 5, 200, TRUE},   {2, 2, 48, 7, 64, TRUE},
    {3, 1, 20, 64, 128, TRUE}, {16, 16, 64, 50, 50, FALSE}, {1, 1, 80, 1, 129, TRUE},
    {7, 1, 144, 3, 65, TRUE},  {2, 1, 2000, 2, 3, TRUE}};
static const ModelKvType types[] = {MODEL_KV_F32, MODEL_KV_F16, MODEL_KV_Q8_0};

/* One case's numbers. The cache has two layers; the first and what lies past the last key are
 * NaNs, which no result may touch. */
typedef struct {
  Case c;
  guint64 width, kv_width;
  float *q, *k, *v;
  ModelKv kv;
} Data;

static float *
random_floats(GRand *rand, gsize n, double scale)
{
  float *out = g_new(float, n);

  for (gsize i = 0; i < n; i++) {
    out[i] = (float)g_rand_double_range(rand, -scale, scale);
  }
  return out;
}

static void
data_init(Data *data, GRand *rand, const Case *c, ModelKvType type)
{
  *data = (Data){.c = *c, .width = c->heads * c->head_dim, .kv_width = c->kv_heads * c->head_dim};
  data->q = random_floats(rand, c->n_queries * data->width, 2);
  data->k = random_floats(rand, c->n_keys * data->kv_width, 2);
  data->v = random_floats(rand, c->n_keys * data->kv_width, 2);
  g_assert_true(model_kv_init(&data->kv, type, 2, c->kv_heads, c->head_dim, c->n_keys + 3, NULL));
  memset(data->kv.memory, 0xFF, model_kv_bytes(&data->kv, c->n_keys + 3));
  model_kv_write(&data->kv, 1, 0, c->n_keys, data->k, data->v, data->kv_width);
}

static void
data_clear(Data *data)
{
  model_kv_clear(&data->kv);
  g_free(data->q);
  g_free(data->k);
  g_free(data->v);
}

/* ---- the cache ---------------------------------------------------------------------------- */

/* What the cache holds, read as kv.h describes it. */
static double
stored(const ModelKv *kv, guint head, guint position, guint d, gboolean value)
{
  const guint8 *tile = model_kv_tile(kv, position / 64, 1, head);
  const guint padded = (kv->head_dim + 15) / 16 * 16, chunk = d / 64 * 64, at = position % 64;
  const guint64 index = value ? chunk * 64 + at * MIN(64, padded - chunk) + d - chunk : d * 64 + at;
  const guint8 *scales = tile + (value ? kv->value_scales : kv->key_scales);

  tile += value ? kv->values : 0;
  if (kv->type == MODEL_KV_F32) {
    return ((const float *)(const void *)tile)[index];
  }
  if (kv->type == MODEL_KV_F16) {
    return model_f16_to_float(model_load16(tile + 2 * index));
  }
  return (double)(gint8)tile[index] *
         model_f16_to_float(model_load16(scales + 2 * (d / 32 * 64 + at)));
}

static void
test_cache(void)
{
  GRand *rand = g_rand_new_with_seed(7);

  for (guint i = 0; i < G_N_ELEMENTS(cases) * 3; i++) {
    /* Half of the last place: 2^-12 of the value for float16, A / 254 for q8_0, and a rounded
     * scale. */
    static const double tolerance[] = {0, 2.0 / 4096, 2.0 / 254 + 2.0 / 2048};
    Data data;
    data_init(&data, rand, &cases[i / 3], types[i % 3]);
    for (guint position = 0; position < data.c.n_keys; position++) {
      for (guint column = 0; column < data.kv_width; column++) {
        const guint head = column / data.c.head_dim, d = column % data.c.head_dim;
        const guint64 at = position * data.kv_width + column;
        const double k = stored(&data.kv, head, position, d, FALSE);
        const double v = stored(&data.kv, head, position, d, TRUE);
        g_assert_cmpfloat(fabs(k - data.k[at]), <=, tolerance[i % 3]);
        g_assert_cmpfloat(fabs(v - data.v[at]), <=, tolerance[i % 3]);
      }
    }
    data_clear(&data);
  }
  g_rand_free(rand);
}

static void
test_cache_bytes(void)
{
  ModelKv kv;
  ModelError err = {0};

  /* A 7B model with 8 key/value heads: 128 KiB a position. */
  g_assert_cmpuint(model_kv_position_bytes(MODEL_KV_F16, 32, 8, 128), ==, 131072);
  g_assert_cmpuint(model_kv_position_bytes(MODEL_KV_F32, 32, 8, 128), ==, 262144);
  g_assert_cmpuint(model_kv_position_bytes(MODEL_KV_Q8_0, 32, 8, 128), ==, 32 * 8 * 2 * 136);
  for (guint i = 0; i < 3; i++) {
    g_assert_true(model_kv_init(&kv, types[i], 3, 2, 20, 130, NULL));
    g_assert_cmpuint((guintptr)kv.memory % 64, ==, 0);
    g_assert_cmpuint(kv.head_bytes % 64, ==, 0);
    g_assert_cmpuint(model_kv_bytes(&kv, 64), ==, 64 * model_kv_position_bytes(types[i], 3, 2, 20));
    g_assert_cmpuint(model_kv_bytes(&kv, 65), ==, 2 * model_kv_bytes(&kv, 1));
    model_kv_clear(&kv);
  }
  g_assert_false(model_kv_init(&kv, MODEL_KV_F32, 256, 512, 128, G_MAXUINT32 - 63, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
  g_assert_null(kv.memory);
}

/* q8_0 of numbers that are none, of zeros and of the smallest ones. */
static void
test_cache_extremes(void)
{
  float rows[3][64] = {{0}}, nothing[3][64] = {{0}};
  ModelKv kv;

  rows[0][3] = NAN;
  rows[0][40] = 5;
  rows[1][0] = INFINITY;
  rows[2][1] = 1e-42f;
  g_assert_true(model_kv_init(&kv, MODEL_KV_Q8_0, 2, 1, 64, 3, NULL));
  model_kv_write(&kv, 1, 0, 3, rows[0], nothing[0], 64);
  g_assert_true(isnan(stored(&kv, 0, 0, 3, FALSE)) && isnan(stored(&kv, 0, 0, 4, FALSE)));
  g_assert_cmpfloat(fabs(stored(&kv, 0, 0, 40, FALSE) - 5), <=, 5.0 / 2048);
  g_assert_true(isnan(stored(&kv, 0, 1, 0, FALSE)));
  g_assert_cmpfloat(stored(&kv, 0, 2, 1, FALSE), ==, 0);
  g_assert_cmpfloat(stored(&kv, 0, 2, 1, TRUE), ==, 0);
  model_kv_clear(&kv);
}

/* ---- attention ---------------------------------------------------------------------------- */

static double *
plain_attention(const Data *data)
{
  const Case *c = &data->c;
  double *out = g_new0(double, c->n_queries * data->width);
  g_autofree double *p = g_new(double, c->n_keys);

  for (guint head = 0; head < c->heads; head++) {
    const guint kv = head / (c->heads / c->kv_heads);
    for (guint i = 0; i < c->n_queries; i++) {
      const guint seen = c->causal ? c->n_keys - c->n_queries + i + 1 : c->n_keys;
      const guint64 at = i * data->width + head * c->head_dim;
      double sum = 0, most = -G_MAXDOUBLE;
      for (guint k = 0; k < seen; k++) {
        p[k] = 0;
        for (guint d = 0; d < c->head_dim; d++) {
          p[k] += data->q[at + d] * stored(&data->kv, kv, k, d, FALSE);
        }
        p[k] /= sqrt(c->head_dim);
        most = MAX(most, p[k]);
      }
      for (guint k = 0; k < seen; k++) {
        p[k] = exp(p[k] - most);
        sum += p[k];
      }
      for (guint k = 0; k < seen; k++) {
        for (guint d = 0; d < c->head_dim; d++) {
          out[at + d] += p[k] / sum * stored(&data->kv, kv, k, d, TRUE);
        }
      }
    }
  }
  return out;
}

static ModelAttention
attention_of(const Data *data, float *out)
{
  return (ModelAttention){.kv = &data->kv,
                          .layer = 1,
                          .heads = data->c.heads,
                          .n_queries = data->c.n_queries,
                          .n_keys = data->c.n_keys,
                          .causal = data->c.causal,
                          .q = data->q,
                          .out = out,
                          .stride = data->width};
}

static void
check_near(const float *found, const double *expected, gsize n)
{
  /* Scores of up to some hundreds of float32 products below 4, an error of 1e-5 at the worst, and
   * weighted means of numbers below 2. */
  for (gsize i = 0; i < n; i++) {
    if (!(fabs(found[i] - expected[i]) <= 1e-5 + 1e-5 * fabs(expected[i]))) {
      g_test_message("at %" G_GSIZE_FORMAT ": found %.9g, expected %.9g", i, (double)found[i],
                     expected[i]);
      g_test_fail();
      return;
    }
  }
}

/* Each query on its own, and in pieces, over a cache that holds no later key. */
static void
check_batches(const Data *data, const float *whole)
{
  const gsize n = data->c.n_queries * data->width;
  ModelPool *pool = model_pool_new(1, NULL);

  for (guint piece = 1; piece <= data->c.n_queries; piece = piece * 2 + 1) {
    g_autofree float *out = g_new0(float, n);
    for (guint first = 0; first < data->c.n_queries; first += piece) {
      ModelAttention a = attention_of(data, out + first * data->width);
      a.q += first * data->width;
      a.n_queries = MIN(piece, data->c.n_queries - first);
      a.n_keys = data->c.causal ? data->c.n_keys - data->c.n_queries + first + a.n_queries
                                : data->c.n_keys;
      model_attention(pool, &a);
    }
    g_assert_cmpmem(out, n * sizeof(float), whole, n * sizeof(float));
  }
  model_pool_free(pool);
}

/* The rows of one head in one call, by every set of kernels. */
static void
check_kernels(const Data *data, const float *whole)
{
  const Case *c = &data->c;
  const guint group = c->heads / c->kv_heads, n = MIN(c->n_queries * group, MODEL_ATTEND_ROWS);
  g_autofree float *scratch = g_new(float, model_attend_floats(c->head_dim, n));
  const ModelFloats *floats;

  for (guint i = 0; (floats = model_floats_at(i)); i++) {
    g_autofree float *out = g_new0(float, n * c->head_dim);
    ModelAttend a = {.kv = &data->kv,
                     .layer = 1,
                     .head = c->kv_heads - 1,
                     .n = n,
                     .scale = (float)(1.0 / sqrt(c->head_dim)),
                     .scratch = scratch};
    for (guint row = 0; row < n; row++) {
      const guint query = row / group;
      a.q[row] = data->q + query * data->width + (a.head * group + row % group) * c->head_dim;
      a.out[row] = out + row * c->head_dim;
      a.seen[row] = c->causal ? c->n_keys - c->n_queries + query + 1 : c->n_keys;
    }
    floats->attend(&a);
    for (guint row = 0; row < n; row++) {
      g_assert_cmpmem(a.out[row], c->head_dim * sizeof(float), whole + (a.q[row] - data->q),
                      c->head_dim * sizeof(float));
    }
  }
}

static void
test_attention(void)
{
  GRand *rand = g_rand_new_with_seed(6);

  for (guint i = 0; i < G_N_ELEMENTS(cases) * 3; i++) {
    const Case *c = &cases[i / 3];
    const gsize n = (gsize)c->n_queries * c->heads * c->head_dim;
    g_autofree float *first = g_new(float, n), *again = g_new(float, n);
    g_autofree double *twin = NULL;
    Data data;
    data_init(&data, rand, c, types[i % 3]);
    for (guint threads = 1; threads <= 3; threads++) {
      ModelPool *pool = model_pool_new(threads, NULL);
      const ModelAttention a = attention_of(&data, threads == 1 ? first : again);
      model_attention(pool, &a);
      model_pool_free(pool);
      if (threads > 1) {
        g_assert_cmpmem(again, n * sizeof(float), first, n * sizeof(float));
      }
    }
    twin = plain_attention(&data);
    check_near(first, twin, n);
    check_batches(&data, first);
    check_kernels(&data, first);
    data_clear(&data);
  }
  g_rand_free(rand);
}

/* Scores that grow from tile to tile, far past what exp() holds, and a tile that counts for
 * nothing. */
static void
test_large_scores(void)
{
  static const Case c = {1, 1, 16, 1, 300, TRUE};
  GRand *rand = g_rand_new_with_seed(8);
  float out[16];
  Data data;
  g_autofree double *twin = NULL;
  ModelPool *pool = model_pool_new(1, NULL);

  data_init(&data, rand, &c, MODEL_KV_F32);
  for (guint i = 0; i < c.n_keys * 16; i++) {
    data.k[i] = i % 16 == 0 ? (float)(i / 16 / 64 * 500) + data.k[i] : 0;
  }
  data.q[0] = 2;
  model_kv_write(&data.kv, 1, 0, c.n_keys, data.k, data.v, 16);
  twin = plain_attention(&data);
  const ModelAttention a = attention_of(&data, out);
  model_attention(pool, &a);
  for (guint i = 0; i < 16; i++) {
    /* Scores of 1,000 in float32 are off by 6e-5. */
    g_assert_cmpfloat(fabs(out[i] - twin[i]), <=, 2e-4);
  }
  check_kernels(&data, out);
  /* A key that is no number is not hidden. */
  data.k[40] = NAN;
  model_kv_write(&data.kv, 1, 0, c.n_keys, data.k, data.v, 16);
  model_attention(pool, &a);
  g_assert_true(isnan(out[0]));
  model_pool_free(pool);
  data_clear(&data);
  g_rand_free(rand);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/attention/cache", test_cache);
  g_test_add_func("/attention/cache-bytes", test_cache_bytes);
  g_test_add_func("/attention/cache-extremes", test_cache_extremes);
  g_test_add_func("/attention/attention", test_attention);
  g_test_add_func("/attention/large-scores", test_large_scores);
  return g_test_run();
}
