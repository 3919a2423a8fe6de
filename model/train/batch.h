/* batch.h - from the caller's samples to items that can be computed. Private to model/train. */
#ifndef HILUM_TRAIN_BATCH_H
#define HILUM_TRAIN_BATCH_H

#include "core.h"
#include "order.h"
#include "prompt/prompt.h"

/* A copy of one sample, because the caller's lasts only until the next. */
typedef struct {
  char **turns;
  size_t n_turns;
  uint32_t kind;
  uint64_t index;
  ModelIds ids, labels;
  bool mismatch;
  ModelError error; /* code MODEL_OK: none */
} TrainRaw;

typedef struct {
  const ModelTokenizer *tokenizer; /* borrowed, as are the next three */
  const ModelConfig *config;
  const char *template_name;
  ModelPool *pool;
  ModelMask mask;
  uint32_t max_length, most_rows, capacity;
  uint32_t n;
  TrainRaw *raw;
  TrainItem *items;             /* [capacity] */
  uint64_t n_ids, n_mismatches; /* of the batch */
} TrainBatch;

bool train_batch_init(TrainBatch *batch, uint32_t capacity, ModelError *err);
void train_batch_clear(TrainBatch *batch);
/* The next CAPACITY samples of SOURCE in ORDER, tokenized on the pool's threads. */
bool train_batch_fill(TrainBatch *batch, const TrainSource *source, TrainOrder *order,
                      ModelError *err);

#endif
