/* prefix.c - see prefix.h: a sorted list, narrowed byte by byte. */
#include "tokenizer/prefix.h"

#include <stdlib.h>
#include <string.h>

bool
model_prefix_init(ModelPrefixSet *set, uint32_t capacity)
{
  *set = (ModelPrefixSet){0};
  if (capacity > 0) {
    set->entries = calloc(capacity, sizeof *set->entries);
  }
  return capacity == 0 || set->entries;
}

void
model_prefix_clear(ModelPrefixSet *set)
{
  free(set->entries);
  *set = (ModelPrefixSet){0};
}

void
model_prefix_add(ModelPrefixSet *set, const char *text, uint32_t length, int32_t id)
{
  set->entries[set->n++] = (ModelPrefixEntry){text, length, id};
  set->first[(uint8_t)text[0]] = true;
}

static int
compare(const void *a, const void *b)
{
  const ModelPrefixEntry *x = a, *y = b;
  int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);

  if (order == 0) {
    order = (x->length > y->length) - (x->length < y->length);
  }
  return order ? order : (x->id > y->id) - (x->id < y->id);
}

void
model_prefix_finish(ModelPrefixSet *set)
{
  uint32_t kept = 0;

  if (set->n == 0) {
    return;
  }
  qsort(set->entries, set->n, sizeof *set->entries, compare);
  for (uint32_t i = 0; i < set->n; i++) {
    const ModelPrefixEntry *last = kept > 0 ? &set->entries[kept - 1] : NULL;
    if (!last || last->length != set->entries[i].length ||
        memcmp(last->text, set->entries[i].text, last->length) != 0) {
      set->entries[kept++] = set->entries[i];
    }
  }
  set->n = kept;
}

/* First entry of [low, high) whose byte at DEPTH is at least BYTE; an entry that ends before DEPTH
 * sorts first. */
static uint32_t
lower_bound(const ModelPrefixSet *set, uint32_t low, uint32_t high, size_t depth, unsigned byte)
{
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const ModelPrefixEntry *e = &set->entries[middle];
    if (e->length <= depth || (uint8_t)e->text[depth] < byte) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

size_t
model_prefix_match(const ModelPrefixSet *set, const char *text, size_t n, int32_t *id)
{
  uint32_t low = 0, high = set->n;
  size_t found = 0;

  if (n == 0 || !set->first[(uint8_t)text[0]]) {
    return 0;
  }
  /* Entries with the first DEPTH bytes in common with TEXT are one range, the shortest in front. */
  for (size_t depth = 0; depth < n && low < high; depth++) {
    unsigned byte = (uint8_t)text[depth];
    high = lower_bound(set, low, high, depth, byte + 1);
    low = lower_bound(set, low, high, depth, byte);
    if (low < high && set->entries[low].length == depth + 1) {
      found = depth + 1;
      *id = set->entries[low].id;
    }
  }
  return found;
}
