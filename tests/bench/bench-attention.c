/* bench-attention.c - speed of the attention and elementwise kernels on the shapes of a 7B model
 * and of its tower, beside the machine's own rate of reading. Verifies first: one thread and two,
 * and a batch and its rows, give the same bits. Arguments: how many layers to run (32: all),
 * rounds. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/attention.h"
#include "kernels/floats.h"

typedef struct {
  const char *name;
  guint heads, kv_heads, head_dim, layers, n_queries, n_keys;
  gboolean causal;
} Shape;

static const Shape shapes[] = {
    {"prefill-616-mha", 32, 32, 128, 32, 616, 616, TRUE},
    {"prefill-616-gqa", 32, 8, 128, 32, 616, 616, TRUE},
    {"decode-4096-mha", 32, 32, 128, 32, 1, 4096, TRUE},
    {"decode-4096-gqa", 32, 8, 128, 32, 1, 4096, TRUE},
    {"verify-5-of-4096-gqa", 32, 8, 128, 32, 5, 4096, TRUE},
    {"tower-577", 16, 16, 64, 23, 577, 577, FALSE},
};
static const struct {
  const char *name;
  ModelKvType type;
} types[] = {{"f32", MODEL_KV_F32}, {"f16", MODEL_KV_F16}, {"q8_0", MODEL_KV_Q8_0}};

static float *
random_floats(guint64 n)
{
  float *x = g_new(float, n);
  guint32 state = 1;

  for (guint64 i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    x[i] = (float)(state >> 8) / (float)(1 << 23) - 1.0f;
  }
  return x;
}

typedef struct {
  const guint8 *bytes;
  guint64 n, part;
  guint64 sums[256];
} Read;

static void
read_task(uint32_t index, uint32_t worker, void *user)
{
  Read *r = user;
  const guint64 *words = (const guint64 *)(const void *)(r->bytes + index * r->part);
  guint64 sums[8] = {0};

  for (guint64 i = 0; i + 8 <= r->part / 8; i += 8) {
    for (guint k = 0; k < 8; k++) {
      sums[k] += words[i + k];
    }
  }
  for (guint k = 0; k < 8; k++) {
    r->sums[worker] += sums[k];
  }
}

/* Bytes per second that the pool reads of N bytes. */
static double
read_rate(ModelPool *pool, const guint8 *bytes, guint64 n)
{
  Read r = {.bytes = bytes, .n = n, .part = n / 64};
  gint64 best = G_MAXINT64;

  for (guint i = 0; i < 4; i++) {
    const gint64 start = g_get_monotonic_time();
    model_pool_run(pool, 64, read_task, &r);
    best = MIN(best, g_get_monotonic_time() - start);
  }
  g_assert_cmpuint(r.sums[0] + 1, !=, 0);
  return (double)n / (double)MAX(best, 1) * 1e6;
}

static void
run_layers(ModelPool *pool, ModelAttention *a, guint layers)
{
  for (guint i = 0; i < layers; i++) {
    a->layer = i;
    model_attention(pool, a);
  }
}

static void
verify(ModelAttention a, guint64 n)
{
  g_autofree float *out = g_new0(float, n);
  ModelPool *pool = model_pool_new(1, NULL);
  const float *first = a.out;

  a.out = out + (a.n_queries - 1) * a.stride;
  a.q += (a.n_queries - 1) * a.stride;
  a.n_queries = 1;
  model_attention(pool, &a);
  g_assert_cmpmem(a.out, a.stride * sizeof(float), first + n - a.stride, a.stride * sizeof(float));
  model_pool_free(pool);
}

static void
bench(ModelPool *pool, const Shape *s, guint type, guint layers, guint rounds)
{
  const guint64 width = (guint64)s->heads * s->head_dim, kv_width = s->kv_heads * s->head_dim;
  const guint64 n = s->n_queries * width;
  g_autofree float *q = random_floats(n), *out = g_new(float, n);
  g_autofree float *rows = random_floats(s->n_keys * kv_width);
  ModelAttention a = {.heads = s->heads,
                      .n_queries = s->n_queries,
                      .n_keys = s->n_keys,
                      .causal = s->causal,
                      .q = q,
                      .out = out,
                      .stride = width};
  gint64 best = G_MAXINT64, start = g_get_monotonic_time(), write_us;
  double rate;
  ModelKv kv;

  layers = MIN(layers, s->layers);
  g_assert_true(
      model_kv_init(&kv, types[type].type, layers, s->kv_heads, s->head_dim, s->n_keys, NULL));
  for (guint i = 0; i < layers; i++) {
    model_kv_write(&kv, i, 0, s->n_keys, rows, rows, kv_width);
  }
  write_us = g_get_monotonic_time() - start;
  a.kv = &kv;
  run_layers(pool, &a, layers);
  verify(a, n);
  rate = read_rate(pool, kv.memory, model_kv_bytes(&kv, s->n_keys));
  for (guint i = 0; i < rounds; i++) {
    start = g_get_monotonic_time();
    run_layers(pool, &a, layers);
    best = MIN(best, g_get_monotonic_time() - start);
  }
  printf("{\"name\":\"attention-%s\",\"kv\":\"%s\",\"threads\":%u,\"layers\":%u,\"seconds\":%.6f,"
         "\"cache_bytes\":%" G_GUINT64_FORMAT ",\"read_fraction\":%.3f,\"gflops\":%.1f,"
         "\"fill_seconds\":%.6f}\n",
         s->name, types[type].name, model_pool_threads(pool), layers, (double)best / 1e6,
         model_kv_bytes(&kv, s->n_keys),
         (double)model_kv_bytes(&kv, s->n_keys) / ((double)best / 1e6) / rate,
         4e-3 * (double)s->n_queries * s->n_keys * (s->causal && s->n_queries > 64 ? 0.5 : 1) *
             (double)width * layers / (double)best,
         (double)write_us / 1e6);
  fflush(stdout);
  model_kv_clear(&kv);
}

/* Microseconds per call on rows of 4,096 (14,336 for what lies between). */
static void
bench_elementwise(guint rounds)
{
  enum { N = 14336, HIDDEN = 4096 };
  g_autofree float *x = random_floats(N), *w = random_floats(N), *y = g_new(float, N);
  const ModelFloats *floats = model_floats_find(NULL);
  const char *names[] = {"rms_norm", "layer_norm", "silu_multiply", "quick_gelu",
                         "gelu_erf", "add",        "rope",          "softmax"};

  for (guint kind = 0; kind < G_N_ELEMENTS(names); kind++) {
    gint64 best = G_MAXINT64;
    for (guint round = 0; round < rounds; round++) {
      const gint64 start = g_get_monotonic_time();
      for (guint i = 0; i < 100; i++) {
        memcpy(y, x, sizeof *y * 64);
        switch (kind) {
        case 0:
          floats->rms_norm(x, w, HIDDEN, 1e-5f, y);
          break;
        case 1:
          floats->layer_norm(x, w, w, HIDDEN, 1e-5f, y);
          break;
        case 2:
          floats->silu_multiply(x, w, N, y);
          break;
        case 3:
          floats->quick_gelu(y, HIDDEN);
          break;
        case 4:
          floats->gelu_erf(y, HIDDEN);
          break;
        case 5:
          floats->add(y, x, HIDDEN);
          break;
        case 6:
          floats->rope(y, 32, 128, true, x, w);
          break;
        default:
          floats->softmax(y, HIDDEN);
        }
      }
      best = MIN(best, g_get_monotonic_time() - start);
    }
    printf("{\"name\":\"%s\",\"kernels\":\"%s\",\"microseconds\":%.3f}\n", names[kind],
           floats->name, (double)best / 100);
  }
}

int
main(int argc, char **argv)
{
  const guint layers = argc > 1 ? (guint)CLAMP(g_ascii_strtoll(argv[1], NULL, 10), 1, 32) : 32;
  const guint rounds = argc > 2 ? (guint)CLAMP(g_ascii_strtoll(argv[2], NULL, 10), 1, 100) : 3;
  ModelPool *pool = model_pool_new(0, NULL);

  g_assert_nonnull(pool);
  bench_elementwise(rounds);
  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    for (guint t = 0; t < G_N_ELEMENTS(types); t++) {
      if (argc <= 3 || strstr(shapes[i].name, argv[3])) {
        bench(pool, &shapes[i], t, layers, rounds);
      }
    }
  }
  model_pool_free(pool);
  return 0;
}
