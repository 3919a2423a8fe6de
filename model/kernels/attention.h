/* attention.h - attention of a batch of queries over a timeline's keys and values (floats.h says
 * what is computed). Private to model/. */
#ifndef HILUM_MODEL_ATTENTION_H
#define HILUM_MODEL_ATTENTION_H

#include "kernels/kernels.h"
#include "kernels/kv.h"

/* out = softmax(q k^T / sqrt(head_dim)) v for each head of LAYER. Rows of q and out are STRIDE
 * floats apart; head h lies at column h * head_dim and uses key/value head
 * h / (heads / kv->heads). CAUSAL: the queries are the last n_queries of the n_keys positions, and
 * each sees the keys up to its own. The same bits for any number of queries and threads. */
typedef struct {
  const ModelKv *kv;
  uint32_t layer, heads, n_queries, n_keys;
  bool causal;
  const float *q;
  float *out;
  uint64_t stride;
} ModelAttention;

void model_attention(ModelPool *pool, const ModelAttention *attention);

#endif
