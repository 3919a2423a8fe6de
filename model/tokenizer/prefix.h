/* prefix.h - a set of short texts that is asked for the longest one a text begins with. Private to
 * the tokenizer. */
#ifndef HILUM_MODEL_TOKENIZER_PREFIX_H
#define HILUM_MODEL_TOKENIZER_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *text; /* borrowed */
  uint32_t length;
  int32_t id;
} ModelPrefixEntry;

typedef struct {
  ModelPrefixEntry *entries; /* owned, sorted bytewise after model_prefix_finish() */
  uint32_t n;
  bool first[256]; /* some entry begins with this byte */
} ModelPrefixSet;

/* CAPACITY entries at most; false: out of memory. */
bool model_prefix_init(ModelPrefixSet *set, uint32_t capacity);
void model_prefix_clear(ModelPrefixSet *set);
/* Within the capacity; LENGTH > 0. */
void model_prefix_add(ModelPrefixSet *set, const char *text, uint32_t length, int32_t id);
/* Sorts; of equal texts the one with the smallest id stays. */
void model_prefix_finish(ModelPrefixSet *set);
/* Length of the longest entry that TEXT begins with, and its id; 0: none. */
size_t model_prefix_match(const ModelPrefixSet *set, const char *text, size_t n, int32_t *id);

#endif
