/* matmul.c - products with weights of any type. Blocks of output rows are the unit of work. */
#include "kernels/pool.h"

#include <assert.h>
#include <string.h>

#include "kernels/sgemm.h"

#define MOST_PRODUCTS 4u

/* One product, cut in tasks: blocks of rows of float weights, of groups of packed ones. */
typedef struct {
  const ModelTensor *w;
  const float *bias;
  float *y;
  uint64_t rows, columns;
  uint64_t block; /* rows or groups of a task */
  uint32_t n_tasks;
  bool packed;
  const ModelActivations *activations;
} Product;

typedef struct {
  ModelPool *pool;
  const ModelFloatProducts *floats;
  const float *x;
  uint64_t m;
  Product products[MOST_PRODUCTS];
  uint32_t n_products;
  ModelActivations activations[2]; /* in blocks of 32 and of 256 */
  uint64_t columns;
  uint32_t n_quantized; /* tasks of one of them */
} Job;

/* Weights that can be used where they lie: float32, aligned. */
static const float *
tensor_in_place(const ModelTensor *w)
{
  return w->type == MODEL_TYPE_F32 && ((uintptr_t)w->data & (sizeof(float) - 1)) == 0
             ? (const float *)(const void *)w->data
             : NULL;
}

/* Each row of X gets the same bits beside any others (product-float.h). Weights of other types
 * become float32 a few rows at a time. */
static void
product_rows(const Job *job, const Product *p, uint64_t first, uint64_t n, float *scratch)
{
  _Alignas(64) float sums[MODEL_FLOAT_SCRATCH];
  const uint64_t fitting = MODEL_POOL_SCRATCH / p->columns;
  const bool in_place = model_float_product_fits(p->w);
  const uint64_t most = in_place || fitting > MODEL_FLOAT_ROWS ? MODEL_FLOAT_ROWS : fitting;

  for (uint64_t row = first; row < first + n;) {
    const uint64_t left = first + n - row;
    const uint32_t some = (uint32_t)(left < most ? left : most);
    ModelTensor rows = {.name = p->w->name,
                        .data = (const uint8_t *)scratch,
                        .shape = {some, p->columns},
                        .n_dims = 2,
                        .type = MODEL_TYPE_F32};
    if (in_place) {
      job->floats->product(p->w, row, some, job->x, p->columns, job->m, p->bias, p->y, p->rows,
                           sums);
    } else {
      model_tensor_read_rows(p->w, row, some, scratch);
      job->floats->product(&rows, 0, some, job->x, p->columns, job->m,
                           p->bias ? p->bias + row : NULL, p->y + row, p->rows, sums);
    }
    row += some;
  }
}

static void
product_many(const Job *job, const Product *p, uint64_t first, uint64_t n, float *scratch)
{
  const float *in_place = tensor_in_place(p->w);
  const float *weights = in_place ? in_place + first * p->columns : scratch;

  if (!in_place) {
    model_tensor_read_rows(p->w, first, n, scratch);
  }
  model_sgemm(job->m, n, p->columns, job->x, p->columns, weights, p->columns, p->y + first,
              p->rows);
  if (p->bias) {
    for (uint64_t i = 0; i < job->m; i++) {
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
  const Job *job = user;
  const Product *p = job->products;
  float *scratch = model_pool_scratch(job->pool, worker);
  uint64_t first, n, all;

  while (index >= p->n_tasks) {
    index -= p->n_tasks;
    p++;
  }
  first = index * p->block;
  all = p->packed ? (p->rows + MODEL_GROUP_ROWS - 1) / MODEL_GROUP_ROWS : p->rows;
  n = all - first < p->block ? all - first : p->block;
  if (p->packed) {
    model_pool_kernels(job->pool)->product(p->w, first, n, p->activations, p->bias, p->y, p->rows,
                                           (uint8_t *)(void *)scratch);
  } else if (job->m <= MODEL_FEW_ROWS || job->floats->beats_blas) {
    product_rows(job, p, first, n, scratch);
  } else {
    product_many(job, p, first, n, scratch);
  }
}

static void
quantize_task(uint32_t index, uint32_t worker, void *user)
{
  Job *job = user;
  ModelActivations *a = &job->activations[index / job->n_quantized];
  const uint64_t tiles = (job->m + MODEL_TILE - 1) / MODEL_TILE;
  const uint64_t part = (tiles + job->n_quantized - 1) / job->n_quantized;
  const uint64_t first = index % job->n_quantized * part;

  if (a->q && first < tiles) {
    model_pool_kernels(job->pool)->quantize(a, job->x, job->columns, job->columns, first,
                                            tiles - first < part ? tiles - first : part);
  }
}

/* Activations in 8 bits, in the one or two kinds of blocks that the products ask for. */
static void
job_quantize(Job *job)
{
  uint64_t n_memory, half;
  uint8_t *memory = model_pool_activations(job->pool, &n_memory);

  half = model_activations_bytes(job->m, job->columns);
  for (uint32_t i = 0; i < job->n_products; i++) {
    Product *p = &job->products[i];
    if (p->packed) {
      const uint32_t block = model_activation_block(p->w->type), which = block == 32 ? 0 : 1;
      assert(2 * half <= n_memory);
      model_activations_place(&job->activations[which], job->m, job->columns, block,
                              memory + which * half);
      p->activations = &job->activations[which];
    }
  }
  if (job->activations[0].q || job->activations[1].q) {
    /* Sixteen tiles and more are worth sharing. */
    job->n_quantized = (uint32_t)(job->m / (16 * MODEL_TILE) + 1);
    model_pool_run_locked(job->pool, 2 * job->n_quantized, quantize_task, job);
  }
}

/* Rows of float weights per task: about a sixteenth of the rows, but no task so small that waking a
 * thread costs more than it gives (a quarter of a million products), and none larger than the
 * scratch. */
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

/* Groups of packed weights per task. For many rows of activations 16, which keep those in the
 * cache. For a few an eighth of a thread's share, so that none waits long for the other, up to
 * 1 MiB: each task begins with reads that nothing has fetched ahead. */
static uint64_t
block_groups(const ModelPool *pool, uint64_t m, const ModelTensor *w, uint64_t rows,
             uint64_t columns)
{
  const uint64_t bytes = model_packed_group_bytes(w->type, columns);
  const uint64_t share =
      (rows + MODEL_GROUP_ROWS - 1) / MODEL_GROUP_ROWS / 8 / model_pool_threads(pool);
  const uint64_t most = (1u << 20) / bytes, few = share < most ? share : most;

  return m > 2 * MODEL_TILE ? 16 : few > 0 ? few : 1;
}

void
model_products(ModelPool *pool, const ModelProduct *products, uint32_t n, const float *x,
               uint64_t m)
{
  Job job = {.pool = pool, .floats = model_pool_float_products(pool), .x = x, .m = m};
  uint32_t n_tasks = 0;

  assert(n <= MOST_PRODUCTS && m <= INT32_MAX);
  for (uint32_t i = 0; i < n; i++) {
    Product *p = &job.products[job.n_products];
    *p = (Product){.w = products[i].w, .bias = products[i].bias, .y = products[i].y};
    p->rows = model_tensor_rows(p->w);
    p->columns = model_tensor_columns(p->w);
    if (m == 0 || p->rows == 0) {
      continue;
    }
    assert(p->columns > 0 && p->columns <= MODEL_POOL_SCRATCH && p->rows <= INT32_MAX);
    assert(job.columns == 0 || job.columns == p->columns);
    job.columns = p->columns;
    p->packed = model_packed_unit_columns(p->w->type) > 0;
    p->block = p->packed ? block_groups(pool, m, p->w, p->rows, p->columns)
                         : block_rows(m, p->rows, p->columns);
    p->n_tasks =
        (uint32_t)(((p->packed ? (p->rows + MODEL_GROUP_ROWS - 1) / MODEL_GROUP_ROWS : p->rows) +
                    p->block - 1) /
                   p->block);
    n_tasks += p->n_tasks;
    job.n_products++;
  }
  model_pool_lock(pool);
  model_pool_tell(pool, products, n, x, m);
  job_quantize(&job);
  model_pool_run_locked(pool, n_tasks, product_task, &job);
  model_pool_unlock(pool);
}

void
model_matmul(ModelPool *pool, const ModelTensor *w, const float *bias, const float *x, uint64_t m,
             float *y)
{
  const ModelProduct product = {w, bias, y};

  model_products(pool, &product, 1, x, m);
}
