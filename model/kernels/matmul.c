/* matmul.c - products with weights of any type. Blocks of output rows are the unit of work. */
#include "kernels/pool.h"

#include <assert.h>
#include <cblas.h>
#include <string.h>

typedef struct {
  const ModelPool *pool;
  const ModelTensor *w;
  const float *bias, *x;
  float *y;
  uint64_t m, rows, columns, block;
} Product;

/* Sixteen running sums: the compiler keeps them in vector registers, and their number is part of
 * the result's definition, so that every machine adds in the same order. */
static float
dot(const float *a, const float *b, uint64_t n)
{
  float sums[16] = {0};
  float sum = 0;
  uint64_t i = 0;

  for (; i + 16 <= n; i += 16) {
    for (int j = 0; j < 16; j++) {
      sums[j] += a[i + j] * b[i + j];
    }
  }
  for (; i < n; i++) {
    sum += a[i] * b[i];
  }
  for (int width = 8; width > 0; width /= 2) {
    for (int j = 0; j < width; j++) {
      sums[j] += sums[j + width];
    }
  }
  return sum + sums[0];
}

/* Weights that can be used where they lie: float32, aligned. */
static const float *
tensor_in_place(const ModelTensor *w)
{
  return w->type == MODEL_TYPE_F32 && ((uintptr_t)w->data & (sizeof(float) - 1)) == 0
             ? (const float *)(const void *)w->data
             : NULL;
}

static void
product_vector(const Product *p, uint64_t first, uint64_t n, float *scratch)
{
  const float *in_place = tensor_in_place(p->w);

  for (uint64_t row = first; row < first + n; row++) {
    const float *weights = in_place ? in_place + row * p->columns : scratch;
    if (!in_place) {
      model_tensor_read_rows(p->w, row, 1, scratch);
    }
    p->y[row] = dot(p->x, weights, p->columns) + (p->bias ? p->bias[row] : 0.0f);
  }
}

static void
product_matrix(const Product *p, uint64_t first, uint64_t n, float *scratch)
{
  const float *in_place = tensor_in_place(p->w);
  const float *weights = in_place ? in_place + first * p->columns : scratch;

  if (!in_place) {
    model_tensor_read_rows(p->w, first, n, scratch);
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)p->m, (int)n, (int)p->columns, 1.0f,
              p->x, (int)p->columns, weights, (int)p->columns, 0.0f, p->y + first, (int)p->rows);
  if (p->bias) {
    for (uint64_t i = 0; i < p->m; i++) {
      float *y = p->y + i * p->rows;
      for (uint64_t row = first; row < first + n; row++) {
        y[row] += p->bias[row];
      }
    }
  }
}

static void
product_task(uint32_t index, uint32_t worker, void *user)
{
  const Product *p = user;
  const uint64_t first = index * p->block;
  const uint64_t n = p->rows - first < p->block ? p->rows - first : p->block;

  if (p->m == 1) {
    product_vector(p, first, n, model_pool_scratch(p->pool, worker));
  } else {
    product_matrix(p, first, n, model_pool_scratch(p->pool, worker));
  }
}

/* Rows per task: about a sixteenth of the rows, but no task so small that waking a thread costs
 * more than it gives (a quarter of a million products), and none larger than the scratch. */
static uint64_t
block_rows(uint64_t m, uint64_t rows, uint64_t columns)
{
  const uint64_t most = MODEL_POOL_SCRATCH / columns > 0 ? MODEL_POOL_SCRATCH / columns : 1;
  const uint64_t least = 262144 / (m * columns) + 1;
  uint64_t block = rows / 16 > 32 ? rows / 16 : 32;

  block = block > least ? block : least;
  block = (block + 15) / 16 * 16;
  return block < most ? block : most;
}

void
model_matmul(ModelPool *pool, const ModelTensor *w, const float *bias, const float *x, uint64_t m,
             float *y)
{
  Product p = {.pool = pool, .w = w, .bias = bias, .x = x, .y = y, .m = m};

  p.rows = model_tensor_rows(w);
  p.columns = model_tensor_columns(w);
  if (m == 0 || p.rows == 0) {
    return;
  }
  assert(p.columns > 0 && p.columns <= MODEL_POOL_SCRATCH);
  assert(m <= INT32_MAX && p.rows <= INT32_MAX);
  p.block = block_rows(m, p.rows, p.columns);
  model_pool_run(pool, (uint32_t)((p.rows + p.block - 1) / p.block), product_task, &p);
}
