/* attention.c - softmax attention over packed sequences; grouped-query heads share keys.
 *
 * A causal sequence is taken in blocks of queries, each against the keys up to its own end: about
 * half of the full square. The probabilities of all blocks are kept for the backward pass. */
#include "stages.h"

#include "arithmetic.h"

#include <cblas.h>
#include <math.h>

#define QUERY_BLOCK 64u

/* Queries first .. first + n see keys 0 .. keys. */
typedef struct {
  uint32_t first, n, keys;
} Block;

static bool
next_block(const TrainAttention *a, uint32_t length, Block *block)
{
  uint32_t size = a->causal ? QUERY_BLOCK : length;

  block->first += block->n;
  if (block->first >= length) {
    return false;
  }
  block->n = length - block->first < size ? length - block->first : size;
  block->keys = a->causal ? block->first + block->n : length;
  return true;
}

size_t
train_attention_need(const TrainAttention *a)
{
  size_t total = 0;

  for (uint32_t s = 0; s < a->n_sequences; s++) {
    Block block = {0, 0, 0};

    while (next_block(a, a->length[s], &block)) {
      total += (size_t)block.n * block.keys;
    }
  }
  return total * a->heads;
}

size_t
train_attention_scratch(const TrainAttention *a)
{
  size_t longest = 0;

  for (uint32_t s = 0; s < a->n_sequences; s++) {
    longest = a->length[s] > longest ? a->length[s] : longest;
  }
  return longest * (a->causal ? QUERY_BLOCK : longest);
}

static void
product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k, float alpha,
        const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
  cblas_sgemm(CblasRowMajor, ta, tb, (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta,
              c, (int)ldc);
}

void
train_attention_forward(const TrainAttention *a, const float *qkv, float *probabilities, float *out)
{
  size_t hd = a->head_dim, wide = (a->heads + 2 * (size_t)a->kv_heads) * hd, group;
  size_t ld_out = a->heads * hd;
  float scale = 1.0f / sqrtf((float)hd), *p = probabilities;

  group = a->heads / a->kv_heads;
  for (uint32_t s = 0; s < a->n_sequences; s++) {
    const float *rows = qkv + a->start[s] * wide;

    for (uint32_t h = 0; h < a->heads; h++) {
      const float *q = rows + h * hd, *k = rows + (a->heads + h / group) * hd;
      const float *v = k + a->kv_heads * hd;
      float *o = out + a->start[s] * ld_out + h * hd;
      Block b = {0, 0, 0};

      while (next_block(a, a->length[s], &b)) {
        product(CblasNoTrans, CblasTrans, b.n, b.keys, hd, scale, q + b.first * wide, wide, k, wide,
                0.0f, p, b.keys);
        for (uint32_t i = 0; i < b.n; i++) {
          train_softmax_row(p + (size_t)i * b.keys, a->causal ? b.first + i + 1 : b.keys, b.keys);
        }
        product(CblasNoTrans, CblasNoTrans, b.n, hd, b.keys, 1.0f, p, b.keys, v, wide, 0.0f,
                o + b.first * ld_out, ld_out);
        p += (size_t)b.n * b.keys;
      }
    }
  }
}

/* dp [n][keys] becomes the gradient of the scores: p * (dp - sum(dout * out)) of each row. */
TRAIN_CLONES static void
softmax_backward(const float *restrict p, const float *restrict dout, const float *restrict out,
                 size_t ld, size_t hd, size_t n, size_t keys, float *restrict dp)
{
  for (size_t i = 0; i < n; i++) {
    float d = train_dot(dout + i * ld, out + i * ld, hd);
    float *row = dp + i * keys;
    const float *pr = p + i * keys;

    for (size_t j = 0; j < keys; j++) {
      row[j] = pr[j] * (row[j] - d);
    }
  }
}

void
train_attention_backward(const TrainAttention *a, const float *qkv, const float *probabilities,
                         const float *out, const float *dout, float *scratch, float *dqkv)
{
  size_t hd = a->head_dim, wide = (a->heads + 2 * (size_t)a->kv_heads) * hd;
  size_t group = a->heads / a->kv_heads, ld = a->heads * hd;
  float scale = 1.0f / sqrtf((float)hd);
  const float *p = probabilities;

  for (uint32_t s = 0; s < a->n_sequences; s++) {
    const float *rows = qkv + a->start[s] * wide;
    float *drows = dqkv + a->start[s] * wide;

    memset(drows, 0, a->length[s] * wide * sizeof *drows);
    for (uint32_t h = 0; h < a->heads; h++) {
      size_t qo = h * hd, ko = (a->heads + h / group) * hd, vo = ko + a->kv_heads * hd;
      const float *o = out + a->start[s] * ld + h * hd, *d = dout + a->start[s] * ld + h * hd;
      Block b = {0, 0, 0};

      while (next_block(a, a->length[s], &b)) {
        const float *db = d + b.first * ld;

        product(CblasTrans, CblasNoTrans, b.keys, hd, b.n, 1.0f, p, b.keys, db, ld, 1.0f,
                drows + vo, wide);
        product(CblasNoTrans, CblasTrans, b.n, b.keys, hd, 1.0f, db, ld, rows + vo, wide, 0.0f,
                scratch, b.keys);
        softmax_backward(p, db, o + b.first * ld, ld, hd, b.n, b.keys, scratch);
        product(CblasNoTrans, CblasNoTrans, b.n, hd, b.keys, scale, scratch, b.keys, rows + ko,
                wide, 0.0f, drows + b.first * wide + qo, wide);
        product(CblasTrans, CblasNoTrans, b.keys, hd, b.n, scale, scratch, b.keys,
                rows + b.first * wide + qo, wide, 1.0f, drows + ko, wide);
        p += (size_t)b.n * b.keys;
      }
    }
  }
}
