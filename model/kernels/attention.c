/* attention.c - softmax(q k^T / sqrt(d)) v, for the tower (every key) and the decoder (causal). */
#include "kernels/pool.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <string.h>

#define QUERY_BLOCK 32 /* query rows per task */

typedef struct {
  const ModelPool *pool;
  const ModelAttention *a;
  float scale;
  uint32_t block, n_blocks;   /* query rows of a unit, units per head */
  uint32_t n_units, per_task; /* (head, block) pairs, and how many a task takes */
} Job;

/* One query row: plain loops, since a product of one row has nothing to reuse. */
static void
attend_row(const ModelAttention *a, const float *q, const float *k, const float *v, uint64_t n_keys,
           float scale, float *scores, float *out)
{
  for (uint64_t key = 0; key < n_keys; key++) {
    const float *row = k + key * a->kv_stride;
    float sums[8] = {0}, sum = 0;
    uint32_t i = 0;
    for (; i + 8 <= a->head_dim; i += 8) {
      for (int j = 0; j < 8; j++) {
        sums[j] += q[i + j] * row[i + j];
      }
    }
    for (; i < a->head_dim; i++) {
      sum += q[i] * row[i];
    }
    for (int j = 0; j < 8; j++) {
      sum += sums[j];
    }
    scores[key] = sum * scale;
  }
  model_softmax(scores, n_keys);
  memset(out, 0, a->head_dim * sizeof *out);
  for (uint64_t key = 0; key < n_keys; key++) {
    const float *row = v + key * a->kv_stride;
    const float weight = scores[key];
    for (uint32_t i = 0; i < a->head_dim; i++) {
      out[i] += weight * row[i];
    }
  }
}

static void
attend_unit(const Job *job, uint32_t index, float *scores)
{
  const ModelAttention *a = job->a;
  const uint32_t head = index / job->n_blocks;
  const uint64_t first = (uint64_t)(index % job->n_blocks) * job->block;
  const uint64_t n = a->n_queries - first < job->block ? a->n_queries - first : job->block;
  const uint64_t n_keys = a->causal ? a->n_keys - a->n_queries + first + n : a->n_keys;
  const uint64_t kv_offset = (uint64_t)(head / (a->heads / a->kv_heads)) * a->head_dim;
  const float *q = a->q + first * a->q_stride + (uint64_t)head * a->head_dim;
  const float *k = a->k + kv_offset, *v = a->v + kv_offset;
  float *out = a->out + first * a->q_stride + (uint64_t)head * a->head_dim;

  if (n == 1) {
    attend_row(a, q, k, v, n_keys, job->scale, scores, out);
    return;
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n_keys, (int)a->head_dim,
              job->scale, q, (int)a->q_stride, k, (int)a->kv_stride, 0.0f, scores, (int)n_keys);
  for (uint64_t i = 0; i < n; i++) {
    const uint64_t seen = a->causal ? n_keys - n + i + 1 : n_keys;
    model_softmax(scores + i * n_keys, seen);
    memset(scores + i * n_keys + seen, 0, (n_keys - seen) * sizeof *scores);
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)a->head_dim, (int)n_keys,
              1.0f, scores, (int)n_keys, v, (int)a->kv_stride, 0.0f, out, (int)a->q_stride);
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
  Job job = {.pool = pool, .a = a, .scale = (float)(1.0 / sqrt((double)a->head_dim))};
  uint64_t unit_work;

  assert(a->n_queries > 0 && a->n_keys >= a->n_queries && a->n_keys <= MODEL_POOL_SCRATCH);
  assert(a->kv_heads > 0 && a->heads % a->kv_heads == 0);
  job.block = MODEL_POOL_SCRATCH / a->n_keys < QUERY_BLOCK
                  ? (uint32_t)(MODEL_POOL_SCRATCH / a->n_keys)
                  : QUERY_BLOCK;
  job.n_blocks = (uint32_t)((a->n_queries + job.block - 1) / job.block);
  job.n_units = a->heads * job.n_blocks;
  /* A task below a hundred thousand products or so costs more to hand out than to do. */
  unit_work = (a->n_queries < job.block ? a->n_queries : job.block) * a->n_keys * a->head_dim;
  job.per_task = (uint32_t)(131072 / unit_work + 1);
  model_pool_run(pool, (job.n_units + job.per_task - 1) / job.per_task, attend_task, &job);
}
