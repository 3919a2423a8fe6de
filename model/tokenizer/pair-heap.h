/* pair-heap.h - neighbours that may be joined, the best first. Private to model/tokenizer. */
#ifndef HILUM_MODEL_TOKENIZER_PAIR_HEAP_H
#define HILUM_MODEL_TOKENIZER_PAIR_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct {
  float score;
  int32_t left, right;
  uint32_t length; /* of both: a join that came between has made it another */
  int32_t id;      /* of what they become */
} ModelPair;

typedef struct {
  ModelPair *pairs;
  size_t n, capacity;
} ModelPairs;

/* Of equal scores the leftmost. */
static inline bool
model_pair_before(const ModelPair *a, const ModelPair *b)
{
  return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static inline bool
model_pairs_push(ModelPairs *heap, ModelPair pair)
{
  size_t i = heap->n;

  if (heap->n == heap->capacity) {
    size_t capacity = heap->capacity ? heap->capacity * 2 : 64;
    ModelPair *grown = realloc(heap->pairs, capacity * sizeof *grown);
    if (!grown) {
      return false;
    }
    heap->pairs = grown;
    heap->capacity = capacity;
  }
  heap->n++;
  for (; i > 0 && model_pair_before(&pair, &heap->pairs[(i - 1) / 2]); i = (i - 1) / 2) {
    heap->pairs[i] = heap->pairs[(i - 1) / 2];
  }
  heap->pairs[i] = pair;
  return true;
}

/* There is one. */
static inline ModelPair
model_pairs_pop(ModelPairs *heap)
{
  ModelPair top = heap->pairs[0], last = heap->pairs[--heap->n];
  size_t i = 0, child;

  while ((child = 2 * i + 1) < heap->n) {
    if (child + 1 < heap->n && model_pair_before(&heap->pairs[child + 1], &heap->pairs[child])) {
      child++;
    }
    if (!model_pair_before(&heap->pairs[child], &last)) {
      break;
    }
    heap->pairs[i] = heap->pairs[child];
    i = child;
  }
  heap->pairs[i] = last;
  return top;
}

#endif
