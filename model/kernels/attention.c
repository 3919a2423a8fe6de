/* attention.c - cuts softmax(q k^T / sqrt(d)) v, for the tower (every key) and the decoder
 * (causal), into tasks: some query rows of one key/value head each. */
#include "kernels/attention.h"

#include <assert.h>
#include <math.h>

#include "kernels/floats.h"
#include "kernels/pool.h"

#define MOST_TASKS (1u << 19) /* half of what the pool counts */

typedef struct {
  const ModelPool *pool;
  const ModelAttention *a;
  const ModelFloats *floats;
  uint32_t group;             /* query heads that share a key/value head */
  uint64_t n_rows;            /* of a key/value head: [query][head of the group] */
  uint32_t block, n_blocks;   /* rows of a unit, units per key/value head */
  uint32_t n_units, per_task; /* (head, block) pairs, and how many a task takes */
} Job;

static uint64_t
padded(uint32_t head_dim)
{
  return (head_dim + 15ull) / 16 * 16;
}

uint64_t
model_attend_floats(uint32_t head_dim, uint32_t rows)
{
  const uint64_t blocks = (head_dim + MODEL_KV_BLOCK - 1ull) / MODEL_KV_BLOCK;

  return (6 + 2 * blocks) * MODEL_KV_TILE + rows * 2 * padded(head_dim);
}

static void
attend_unit(const Job *job, uint32_t index, float *scratch)
{
  const ModelAttention *a = job->a;
  const uint32_t head = index / job->n_blocks, dim = a->kv->head_dim;
  const uint64_t first = (uint64_t)(index % job->n_blocks) * job->block;
  const uint64_t left = job->n_rows - first;
  ModelAttend rows = {.kv = a->kv,
                      .layer = a->layer,
                      .head = head,
                      .n = (uint32_t)(left < job->block ? left : job->block),
                      .scale = (float)(1.0 / sqrt((double)dim)),
                      .scratch = scratch};

  for (uint32_t i = 0; i < rows.n; i++) {
    const uint32_t query = (uint32_t)((first + i) / job->group);
    const uint32_t of_group = (uint32_t)((first + i) % job->group);
    const uint64_t at = query * a->stride + ((uint64_t)head * job->group + of_group) * dim;
    rows.q[i] = a->q + at;
    rows.out[i] = a->out + at;
    rows.seen[i] = a->causal ? a->n_keys - a->n_queries + query + 1 : a->n_keys;
  }
  job->floats->attend(&rows);
}

static void
attend_task(uint32_t index, uint32_t worker, void *user)
{
  const Job *job = user;
  const uint32_t first = index * job->per_task;
  const uint32_t end = job->n_units - first < job->per_task ? job->n_units : first + job->per_task;

  for (uint32_t unit = first; unit < end; unit++) {
    attend_unit(job, unit, model_pool_scratch(job->pool, worker));
  }
}

void
model_attention(ModelPool *pool, const ModelAttention *a)
{
  const uint32_t dim = a->kv->head_dim;
  Job job = {.pool = pool, .a = a, .floats = model_floats_find(NULL)};
  uint64_t unit_work, most;

  assert(a->n_queries > 0 && a->n_keys >= a->n_queries && a->n_keys <= a->kv->positions);
  assert(a->kv->heads > 0 && a->heads % a->kv->heads == 0);
  assert(model_attend_floats(dim, 1) <= MODEL_POOL_SCRATCH);
  job.group = a->heads / a->kv->heads;
  job.n_rows = (uint64_t)a->n_queries * job.group;
  most = (MODEL_POOL_SCRATCH - model_attend_floats(dim, 0)) / (2 * padded(dim));
  job.block = (uint32_t)(most < MODEL_ATTEND_ROWS ? most : MODEL_ATTEND_ROWS);
  job.n_blocks = (uint32_t)((job.n_rows + job.block - 1) / job.block);
  job.n_units = a->kv->heads * job.n_blocks;
  /* A task below a hundred thousand products or so costs more to hand out than to do. */
  unit_work = (job.n_rows < job.block ? job.n_rows : job.block) * a->n_keys * dim;
  job.per_task = (uint32_t)(131072 / unit_work + 1);
  job.per_task += job.n_units / MOST_TASKS;
  model_pool_run(pool, (job.n_units + job.per_task - 1) / job.per_task, attend_task, &job);
}
