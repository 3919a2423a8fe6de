/* bench-products.c - products of packed weights with 8-bit activations, beside what the machine can
 * do at best. Verifies first: every kernel gives the portable one's bits.
 *
 * bench-products [--kernels NAME] [--threads N] [--type NAME] [--rows N --columns N] [-m N]
 *                [--seconds S] [--moment]
 */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/packed.h"
#include "machine-limits.h"

/* Weights that follow each other through more memory than caches hold. */
static gsize pool_bytes = (gsize)640 << 20;
static guint8 *weights;

static char *only_kernels, *only_type;
static int n_threads, only_rows, only_columns, only_m;
static double seconds = 0.3;
static gboolean moment;

static const GOptionEntry entries[] = {
    {"kernels", 0, 0, G_OPTION_ARG_STRING, &only_kernels, NULL, NULL},
    {"threads", 0, 0, G_OPTION_ARG_INT, &n_threads, NULL, NULL},
    {"type", 0, 0, G_OPTION_ARG_STRING, &only_type, NULL, NULL},
    {"rows", 0, 0, G_OPTION_ARG_INT, &only_rows, NULL, NULL},
    {"columns", 0, 0, G_OPTION_ARG_INT, &only_columns, NULL, NULL},
    {"rows-of-activations", 'm', 0, G_OPTION_ARG_INT, &only_m, NULL, NULL},
    {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, NULL, NULL},
    {"moment", 0, 0, G_OPTION_ARG_NONE, &moment, NULL, NULL},
    {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
};

static const struct {
  const char *name;
  ModelType type;
} types[] = {
    {"Q4_0", MODEL_TYPE_PACKED_Q4_0}, {"Q8_0", MODEL_TYPE_PACKED_Q8_0},
    {"Q4_K", MODEL_TYPE_PACKED_Q4_K}, {"Q5_K", MODEL_TYPE_PACKED_Q5_K},
    {"Q6_K", MODEL_TYPE_PACKED_Q6_K},
};

static guint8 *
huge_pages(gsize n)
{
  guint8 *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true(p != MAP_FAILED);
  madvise(p, n, MADV_HUGEPAGE);
  return p;
}

/* Random units with scales of 2^-8 .. 2^-7. */
static void
fill_weights(ModelType type, gsize n)
{
  const guint32 unit = model_packed_unit_bytes(type);
  const guint32 scales =
      model_packed_unit_columns(type) == 64 || type != MODEL_TYPE_PACKED_Q6_K ? 32 : 16;
  guint64 state = 88172645463325252u;

  for (gsize i = 0; i + 8 <= n; i += 8) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    memcpy(weights + i, &state, 8);
  }
  for (gsize u = 0; u + unit <= n; u += unit) {
    for (guint32 i = 0; i < scales; i++) {
      weights[u + 2 * i + 1] = 0x1C | (weights[u + 2 * i + 1] & 3);
    }
  }
}

typedef struct {
  const ModelKernels *kernels;
  ModelTensor w;
  ModelActivations x;
  guint8 *memory, *scratch;
  float *in, *y;
  guint64 groups, chunk;
} Work;

static void
product_task(uint32_t index, uint32_t worker, void *user)
{
  const Work *work = user;
  const guint64 first = index * work->chunk;

  work->kernels->product(&work->w, first, MIN(work->chunk, work->groups - first), &work->x, NULL,
                         work->y, work->w.shape[0],
                         work->scratch + (gsize)worker * MODEL_KERNEL_SCRATCH);
}

static void
quantize_task(uint32_t index, uint32_t worker, void *user)
{
  Work *work = user;

  work->kernels->quantize(&work->x, work->in, work->w.shape[1], work->w.shape[1], index, 1);
}

/* Shares of even numbers of groups, about 16 of them. */
static void
run_product(ModelPool *pool, Work *work)
{
  model_pool_run(pool, (guint32)((work->groups + work->chunk - 1) / work->chunk), product_task,
                 work);
}

static void
run_quantize(ModelPool *pool, Work *work)
{
  model_pool_run(pool, (guint32)((work->x.m + MODEL_TILE - 1) / MODEL_TILE), quantize_task, work);
}

static void
work_init(Work *work, ModelPool *pool, const ModelKernels *kernels, ModelType type, guint64 rows,
          guint64 columns, guint64 m)
{
  const gsize bytes = (model_activations_bytes(m, columns) + 63) / 64 * 64;

  *work = (Work){.kernels = kernels, .groups = (rows + 15) / 16};
  work->w = (ModelTensor){.name = "bench",
                          .data = weights,
                          .n_bytes = model_packed_bytes(type, rows, columns),
                          .shape = {rows, columns},
                          .n_dims = 2,
                          .type = type};
  work->chunk = MAX(2, (work->groups + 15) / 16 + 1) & ~(guint64)1;
  work->memory = huge_pages(bytes);
  work->scratch = huge_pages((gsize)MODEL_KERNEL_SCRATCH * model_pool_threads(pool));
  work->in = g_new(float, m *columns);
  work->y = g_new0(float, m *rows);
  for (guint64 i = 0; i < m * columns; i++) {
    work->in[i] = (float)g_random_double_range(-1, 1);
  }
  model_activations_place(&work->x, m, columns, model_activation_block(type), work->memory);
  run_quantize(pool, work);
}

static void
work_clear(Work *work, ModelPool *pool)
{
  const gsize bytes = (model_activations_bytes(work->x.m, work->w.shape[1]) + 63) / 64 * 64;

  munmap(work->memory, bytes);
  munmap(work->scratch, (gsize)MODEL_KERNEL_SCRATCH * model_pool_threads(pool));
  g_free(work->in);
  g_free(work->y);
}

static void
verify(ModelPool *pool, const ModelKernels *kernels, ModelType type)
{
  static const guint64 batches[] = {1, 5, 8, 12, 29};

  for (gsize i = 0; i < G_N_ELEMENTS(batches); i++) {
    Work mine, right;
    work_init(&mine, pool, kernels, type, 150, 1280, batches[i]);
    work_init(&right, pool, &model_kernels_portable, type, 150, 1280, batches[i]);
    memcpy(right.in, mine.in, 1280 * batches[i] * sizeof *mine.in);
    run_quantize(pool, &right);
    run_product(pool, &mine);
    run_product(pool, &right);
    g_assert_true(memcmp(mine.y, right.y, 150 * batches[i] * sizeof *mine.y) == 0);
    work_clear(&mine, pool);
    work_clear(&right, pool);
  }
}

static int
compare_doubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* The median time of a product; each takes the next of as many matrices as there is room for. */
static double
time_product(ModelPool *pool, Work *work, guint *n_runs)
{
  const guint64 n = MAX(1, pool_bytes / work->w.n_bytes);
  double times[1000], end;
  guint runs = 0;

  run_product(pool, work);
  end = now() + (moment ? 0.001 : seconds);
  do {
    const double start = now();
    work->w.data = weights + (runs + 1) % n * work->w.n_bytes;
    run_product(pool, work);
    times[runs++] = now() - start;
  } while (runs < G_N_ELEMENTS(times) && (now() < end || runs < 3));
  qsort(times, runs, sizeof *times, compare_doubles);
  *n_runs = runs;
  return times[runs / 2];
}

static void
bench(ModelPool *pool, const ModelKernels *kernels, gsize type, guint64 rows, guint64 columns,
      guint64 m, double int8, double bandwidth)
{
  Work work;
  guint runs;
  double taken, gop, gb;

  work_init(&work, pool, kernels, types[type].type, rows, columns, m);
  taken = time_product(pool, &work, &runs);
  gop = 2e-9 * (double)rows * (double)columns * (double)m / taken;
  gb = 1e-9 * (double)work.w.n_bytes / taken;
  printf("{\"bench\": \"product\", \"kernels\": \"%s\", \"threads\": %u, \"type\": \"%s\", "
         "\"rows\": %" G_GUINT64_FORMAT ", \"columns\": %" G_GUINT64_FORMAT
         ", \"m\": %" G_GUINT64_FORMAT ", \"runs\": %u, \"ms\": %.4f, \"gop_per_s\": %.1f, "
         "\"gb_per_s\": %.2f",
         kernels->name, model_pool_threads(pool), types[type].name, rows, columns, m, runs,
         taken * 1e3, gop, gb);
  if (int8 > 0) {
    printf(", \"of_int8\": %.3f", gop / int8);
  }
  printf(", \"of_read\": %.3f}\n", gb / bandwidth);
  fflush(stdout);
  work_clear(&work, pool);
}

static void
bench_type(ModelPool *pool, const ModelKernels *kernels, gsize type)
{
  static const guint64 shapes[][2] = {
      {4096, 4096}, {1024, 4096}, {14336, 4096}, {4096, 14336}, {32000, 4096}};
  static const guint64 batches[] = {1, 2, 4, 8, 40, 128, 512};
  const gsize n_shapes = moment || only_rows > 0 ? 1 : G_N_ELEMENTS(shapes);
  const gsize n_batches = only_m > 0 ? 1 : moment ? 3 : G_N_ELEMENTS(batches);

  fill_weights(types[type].type, pool_bytes);
  verify(pool, kernels, types[type].type);
  for (gsize s = 0; s < n_shapes; s++) {
    /* Again for each shape: clocks and neighbours change what a machine can do. */
    const double int8 = limit_int8(pool), bandwidth = limit_read(pool, weights, pool_bytes);

    printf("{\"bench\": \"limits\", \"threads\": %u, \"int8_gop_per_s\": %.1f, "
           "\"read_gb_per_s\": %.2f}\n",
           model_pool_threads(pool), int8, bandwidth);
    for (gsize i = 0; i < n_batches; i++) {
      bench(pool, kernels, type, only_rows > 0 ? (guint64)only_rows : shapes[s][0],
            only_columns > 0 ? (guint64)only_columns : shapes[s][1],
            only_m > 0 ? (guint64)only_m : batches[i], int8, bandwidth);
    }
  }
}

int
main(int argc, char **argv)
{
  g_autoptr(GOptionContext) options = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  ModelError err = {0};
  const ModelKernels *kernels;
  ModelPool *pool;

  g_option_context_add_main_entries(options, entries, NULL);
  if (!g_option_context_parse(options, &argc, &argv, &error)) {
    g_printerr("bench-products: %s\n", error->message);
    return 2;
  }
  pool_bytes = moment ? (gsize)32 << 20 : pool_bytes;
  pool = model_pool_new((guint32)n_threads, &err);
  kernels = model_kernels_find(only_kernels);
  g_assert_true(pool && kernels);
  weights = huge_pages(pool_bytes);
  memset(weights, 1, pool_bytes);
  for (gsize t = 0; t < G_N_ELEMENTS(types); t++) {
    if (!only_type || strcmp(only_type, types[t].name) == 0) {
      bench_type(pool, kernels, t);
    }
  }
  munmap(weights, pool_bytes);
  model_pool_free(pool);
  return 0;
}
