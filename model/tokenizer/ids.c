/* ids.c - a growing list of ids. */
#include "tokenizer/tokenizer.h"

#include <stdlib.h>

bool
model_ids_push(ModelIds *ids, int32_t id)
{
  if (ids->n == ids->capacity) {
    size_t capacity = ids->capacity ? ids->capacity * 2 : 64, n_bytes;
    int32_t *grown;
    if (__builtin_mul_overflow(capacity, sizeof *ids->ids, &n_bytes) ||
        !(grown = realloc(ids->ids, n_bytes))) {
      return false;
    }
    ids->ids = grown;
    ids->capacity = capacity;
  }
  ids->ids[ids->n++] = id;
  return true;
}

void
model_ids_clear(ModelIds *ids)
{
  free(ids->ids);
  *ids = (ModelIds){0};
}
