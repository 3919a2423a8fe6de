#include "checkpoint/table.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

bool
model_table_add(ModelTable *table, const ModelTableEntry *entry, ModelError *err)
{
  if (table->n >= MODEL_MAX_TENSORS)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: more than %u tensors", entry->mapping->path,
                      MODEL_MAX_TENSORS);
  if (table->n == table->capacity) {
    uint32_t capacity = table->capacity ? 2 * table->capacity : 64;
    ModelTableEntry *grown = realloc(table->entries, capacity * sizeof *grown);
    if (!grown)
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", entry->mapping->path);
    table->entries = grown;
    table->capacity = capacity;
  }
  table->entries[table->n++] = *entry;
  return true;
}

static int
compare_entries(const void *a, const void *b)
{
  return strcmp(((const ModelTableEntry *)a)->tensor.name,
                ((const ModelTableEntry *)b)->tensor.name);
}

bool
model_table_seal(ModelTable *table, ModelError *err)
{
  if (table->n)
    qsort(table->entries, table->n, sizeof *table->entries, compare_entries);
  for (uint32_t i = 1; i < table->n; i++) {
    const ModelTableEntry *a = &table->entries[i - 1], *b = &table->entries[i];
    if (strcmp(a->tensor.name, b->tensor.name) == 0)
      return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s is there twice (also in %s)",
                        b->mapping->path, b->tensor.name, a->mapping->path);
  }
  return true;
}

static int
compare_name(const void *key, const void *entry)
{
  return strcmp(key, ((const ModelTableEntry *)entry)->tensor.name);
}

const ModelTableEntry *
model_table_find(const ModelTable *table, const char *name)
{
  if (!table->n)
    return NULL;
  return bsearch(name, table->entries, table->n, sizeof *table->entries, compare_name);
}

void
model_table_clear(ModelTable *table)
{
  free(table->entries);
  memset(table, 0, sizeof *table);
}

bool
model_table_overlay(ModelTable *table, ModelTable *over, ModelError *err)
{
  if (!model_table_seal(over, err))
    return false;
  for (uint32_t i = 0; i < over->n; i++) {
    const ModelTableEntry *there = model_table_find(table, over->entries[i].tensor.name);
    if (there)
      table->entries[there - table->entries] = over->entries[i];
    else if (!model_table_add(table, &over->entries[i], err) || !model_table_seal(table, err))
      return false;
  }
  return true;
}

static int
compare_spans(const void *a, const void *b)
{
  const ModelByteSpan *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

bool
model_spans_check(ModelByteSpan *spans, size_t n, const char *path, ModelError *err)
{
  if (n)
    qsort(spans, n, sizeof *spans, compare_spans);
  for (size_t i = 1; i < n; i++)
    if (spans[i].begin < spans[i - 1].end)
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: tensors %s and %s share bytes: one ends at %llu, the other begins at "
                        "%llu",
                        path, spans[i - 1].name, spans[i].name,
                        (unsigned long long)spans[i - 1].end, (unsigned long long)spans[i].begin);
  return true;
}
