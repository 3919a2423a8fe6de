/* table.h - the tensors found in files, by their names there, before they get their roles.
 * Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_TABLE_H
#define HILUM_MODEL_CHECKPOINT_TABLE_H

#include "checkpoint/mapping.h"

/* A type that is known to the format but not read here; an error only when a role needs it. */
#define MODEL_TYPE_NOT_READ ((ModelType)255)

typedef struct {
  ModelTensor tensor;
  const char *type_name; /* as in the file; static */
  const ModelMapping *mapping;
} ModelTableEntry;

typedef struct {
  ModelTableEntry *entries;
  uint32_t n, capacity;
} ModelTable;

bool model_table_add(ModelTable *table, const ModelTableEntry *entry, ModelError *err);
/* Sorts by name, and refuses a name that is there twice. Before model_table_find(). */
bool model_table_seal(ModelTable *table, ModelError *err);
const ModelTableEntry *model_table_find(const ModelTable *table, const char *name);
void model_table_clear(ModelTable *table);

/* Puts the entries of OVER into TABLE, in place of those of the same name, and seals both. */
bool model_table_overlay(ModelTable *table, ModelTable *over, ModelError *err);

/* Refuses tensors of one file that share bytes. [begin, end) in bytes of any origin. */
typedef struct {
  uint64_t begin, end;
  const char *name;
} ModelByteSpan;
bool model_spans_check(ModelByteSpan *spans, size_t n, const char *path, ModelError *err);

/* Adds every tensor of a file that PyTorch's torch.save() wrote (a zip archive since 1.6): of a
 * dictionary from names to tensors, and nothing else. The pickle in it is not run: what is not
 * needed for such a dictionary is refused by its name. */
bool model_torch_read(ModelMapping *mapping, ModelTable *table, ModelError *err);
/* Adds every tensor of a safetensors file. */
bool model_safetensors_read(ModelMapping *mapping, ModelTable *table, ModelError *err);

#endif
