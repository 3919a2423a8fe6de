/* bench-product-float.c - speed of products with float weights read where they lie, beside the
 * machine's rate of reading and OpenBLAS. Verifies first: a row alone and in the batch give the
 * same bits. Arguments: rows of weights (14,336), rounds. */
#include <cblas.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/pool.h"
#include "kernels/product-float.h"

enum { COLUMNS = 4096 };

typedef struct {
  ModelPool *pool;
  const ModelFloatProducts *products;
  ModelTensor w;
  guint rows, m;
  float *x, *y;
  guint16 *x16;
  gboolean pairs;
  guint64 sums[256];
} Job;

static void
read_task(uint32_t index, uint32_t worker, void *user)
{
  Job *job = user;
  const guint64 part = job->w.n_bytes / 64;
  const guint64 *words = (const guint64 *)(const void *)(job->w.data + index * part);
  guint64 sums[8] = {0};

  for (guint64 i = 0; i + 8 <= part / 8; i += 8) {
    for (guint k = 0; k < 8; k++) {
      sums[k] += words[i + k];
    }
  }
  for (guint k = 0; k < 8; k++) {
    job->sums[worker] += sums[k];
  }
}

static void
product_task(uint32_t index, uint32_t worker, void *user)
{
  Job *job = user;
  const guint first = index * MODEL_FLOAT_ROWS, n = MIN(MODEL_FLOAT_ROWS, job->rows - first);
  float *scratch = model_pool_scratch(job->pool, worker);

  if (job->pairs) {
    job->products->product_bf16(&job->w, first, n, job->x16, COLUMNS, job->m, NULL, job->y,
                                job->rows, scratch);
  } else {
    job->products->product(&job->w, first, n, job->x, COLUMNS, job->m, NULL, job->y, job->rows,
                           scratch);
  }
}

static void
blas_task(uint32_t index, uint32_t worker, void *user)
{
  Job *job = user;
  const guint part = job->rows / 16, first = index * part;

  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)job->m, (int)part, COLUMNS, 1.0f,
              job->x, COLUMNS, (const float *)(const void *)job->w.data + (gsize)first * COLUMNS,
              COLUMNS, 0.0f, job->y + first, (int)job->rows);
}

static double
timed(Job *job, guint tasks, void (*task)(uint32_t, uint32_t, void *), guint rounds)
{
  gint64 best = G_MAXINT64;

  for (guint i = 0; i < rounds + 1; i++) {
    const gint64 start = g_get_monotonic_time();
    model_pool_run(job->pool, tasks, task, job);
    best = i > 0 ? MIN(best, g_get_monotonic_time() - start) : best;
  }
  return (double)MAX(best, 1) / 1e6;
}

static void
verify(Job *job)
{
  const guint m = job->m;
  g_autofree float *last =
      g_memdup2(job->y + (gsize)(m - 1) * job->rows, job->rows * sizeof(float));

  job->m = 1;
  job->x += (gsize)(m - 1) * COLUMNS;
  job->x16 += (gsize)(m - 1) * COLUMNS;
  model_pool_run(job->pool, (job->rows + MODEL_FLOAT_ROWS - 1) / MODEL_FLOAT_ROWS, product_task,
                 job);
  g_assert_cmpmem(job->y, job->rows * sizeof(float), last, job->rows * sizeof(float));
  job->x -= (gsize)(m - 1) * COLUMNS;
  job->x16 -= (gsize)(m - 1) * COLUMNS;
  job->m = m;
}

static void
bench(Job *job, const char *name, guint rounds)
{
  const guint tasks = (job->rows + MODEL_FLOAT_ROWS - 1) / MODEL_FLOAT_ROWS;
  const double read = timed(job, 64, read_task, rounds);
  static const guint batches[] = {1, 2, 5, 8, 512};

  for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
    double seconds;
    job->m = batches[i];
    seconds = timed(job, tasks, product_task, rounds);
    verify(job);
    printf("{\"name\":\"product-%s\",\"kernels\":\"%s\",\"m\":%u,\"seconds\":%.6f,"
           "\"read_fraction\":%.3f,\"gflops\":%.1f}\n",
           name, job->products->name, job->m, seconds, read / seconds,
           2e-9 * job->m * job->rows * COLUMNS / seconds);
    fflush(stdout);
  }
  if (job->w.type == MODEL_TYPE_F32) {
    const double seconds = timed(job, 16, blas_task, rounds);
    printf("{\"name\":\"openblas\",\"m\":%u,\"seconds\":%.6f,\"gflops\":%.1f}\n", job->m, seconds,
           2e-9 * job->m * job->rows * COLUMNS / seconds);
  }
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    ModelType type;
    gboolean pairs;
  } kinds[] = {{"f32", MODEL_TYPE_F32, FALSE},
               {"f16", MODEL_TYPE_F16, FALSE},
               {"bf16", MODEL_TYPE_BF16, FALSE},
               {"bf16-dots", MODEL_TYPE_BF16, TRUE}};
  const guint rounds = argc > 2 ? (guint)CLAMP(g_ascii_strtoll(argv[2], NULL, 10), 1, 100) : 3;
  Job job = {.products = model_float_products_find(NULL), .pool = model_pool_new(0, NULL)};
  g_autofree float *row = g_new(float, COLUMNS);

  job.rows =
      argc > 1 ? (guint)CLAMP(g_ascii_strtoll(argv[1], NULL, 10), 64, 65536) / 64 * 64 : 14336;
  job.x = aligned_alloc(64, 512 * COLUMNS * sizeof(float));
  job.x16 = aligned_alloc(64, 512 * COLUMNS * sizeof(guint16));
  job.y = g_new(float, 512 * (gsize)job.rows);
  for (guint i = 0; i < 512 * COLUMNS; i++) {
    job.x[i] = (float)(i * 2654435761u >> 8) / (float)(1 << 23) - 1.0f;
  }
  job.products->to_bf16(job.x, 512 * COLUMNS, job.x16);
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    const guint64 row_bytes = model_type_row_bytes(kinds[k].type, COLUMNS);
    guint8 *data = aligned_alloc(64, job.rows * row_bytes);
    for (guint i = 0; i < job.rows; i++) {
      for (guint c = 0; c < COLUMNS; c++) {
        row[c] = (float)((i * COLUMNS + c) * 2246822519u >> 8) / (float)(1 << 23) - 1.0f;
      }
      model_type_write_row(kinds[k].type, row, COLUMNS, data + i * row_bytes);
    }
    job.w = (ModelTensor){.name = "w",
                          .data = data,
                          .n_bytes = job.rows * row_bytes,
                          .shape = {job.rows, COLUMNS},
                          .n_dims = 2,
                          .type = kinds[k].type};
    job.pairs = kinds[k].pairs;
    bench(&job, kinds[k].name, rounds);
    free(data);
  }
  free(job.x);
  free(job.x16);
  g_free(job.y);
  model_pool_free(job.pool);
  return 0;
}
