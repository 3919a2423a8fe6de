#include "checkpoint/merge.h"

#include "base/error.h"
#include "checkpoint/huggingface.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
model_merge_free(ModelMerge *merge)
{
  if (!merge)
    return;
  free(merge->items);
  free(merge);
}

const ModelMerged *
model_merge_find(const ModelMerge *merge, const ModelTensor *tensor)
{
  for (uint32_t i = 0; merge && i < merge->n; i++)
    if (merge->items[i].of == tensor->data)
      return &merge->items[i];
  return NULL;
}

ModelMerged *
model_merge_get(ModelCheckpoint *checkpoint, const ModelTensor *tensor, ModelError *err)
{
  const ModelMerged *there = model_merge_find(checkpoint->merge, tensor);
  ModelMerge *merge = checkpoint->merge;

  if (there)
    return &merge->items[there - merge->items];
  if (!merge)
    merge = checkpoint->merge = calloc(1, sizeof *merge);
  if (merge && merge->n == merge->capacity) {
    uint32_t capacity = 2 * merge->capacity + 64;
    ModelMerged *grown = realloc(merge->items, capacity * sizeof *grown);
    if (grown) {
      merge->items = grown;
      merge->capacity = capacity;
    }
  }
  if (!merge || merge->n == merge->capacity) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
    return NULL;
  }
  merge->items[merge->n] = (ModelMerged){.of = tensor->data};
  return &merge->items[merge->n++];
}

/* ---- deltas ------------------------------------------------------------------------------- */

static double
magnitude(const ModelTensor *vector)
{
  ModelTensor one = *vector; /* a value at a time: nothing is allocated for a look */
  double sum = 0;
  float value;

  one.shape[0] = 1;
  for (uint64_t i = 0; i < vector->shape[0]; i++, one.data += model_type_row_bytes(one.type, 1)) {
    model_tensor_read_rows(&one, 0, 1, &value);
    sum += fabs((double)value);
  }
  return sum / (double)vector->shape[0];
}

/* Trained norms have values of 0.1 to 4, about 1 in the last; fine-tuning moves them by less than
 * a hundredth. One could be odd, so all have to be small. */
static bool
norms_are_small(const ModelCheckpoint *checkpoint)
{
  static const double least = 0.03;
  const ModelWeights *w = &checkpoint->weights;
  uint32_t n = checkpoint->config.decoder.layers;
  double sum = 0;

  for (uint32_t i = 0; i < n; i++)
    sum += magnitude(&w->layers[i].attn_norm) + magnitude(&w->layers[i].ffn_norm);
  return sum < least * 2 * n && magnitude(&w->output_norm) < least;
}

bool
model_delta_check(const ModelCheckpoint *checkpoint, bool with_base, ModelError *err)
{
  bool delta = norms_are_small(checkpoint);

  if (delta && !with_base)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: this is a delta, not a model: its norms are about 0, expected about 1. "
                      "Convert it together with the model that it is the difference to (LLaMA-7B "
                      "for LLaVA-Med v1.0), as \"hilum model convert DELTA --base LLAMA\"",
                      checkpoint->path);
  if (!delta && with_base)
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%s: a base was given, but this is a whole model and no delta: its norms are "
                      "about 1, expected about 0",
                      checkpoint->path);
  return true;
}

static bool
add_base(ModelCheckpoint *checkpoint, const ModelRole *role, const ModelTableEntry *entry,
         const char *name, const char *folder, ModelError *err)
{
  const ModelTensor *delta = role->tensor, *base = entry ? &entry->tensor : NULL;
  ModelMerged *merged;

  if (!base)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s is missing, which the delta %.200s changes", folder, name,
                      checkpoint->path);
  if (base->type == MODEL_TYPE_NOT_READ)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: tensor %s has type %s, which is not read",
                      entry->mapping->path, name, entry->type_name);
  /* Only the token tables may have grown. */
  if (base->n_dims != delta->n_dims || (base->n_dims > 1 && base->shape[1] != delta->shape[1]) ||
      (role->padded ? base->shape[0] > delta->shape[0] : base->shape[0] != delta->shape[0]))
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s has shape [%llu, %llu], the delta's has [%llu, %llu]: not the "
                      "model that this is the difference to",
                      entry->mapping->path, name, (unsigned long long)base->shape[0],
                      (unsigned long long)(base->n_dims > 1 ? base->shape[1] : 1),
                      (unsigned long long)delta->shape[0],
                      (unsigned long long)(delta->n_dims > 1 ? delta->shape[1] : 1));
  merged = model_merge_get(checkpoint, delta, err);
  if (!merged)
    return false;
  merged->base = *base;
  return true;
}

bool
model_delta_open(ModelCheckpoint *checkpoint, const char *folder, ModelError *err)
{
  ModelTable table = {0};
  const ModelLayout *layout = NULL;
  bool ok = model_folder_tensors(checkpoint, folder, &table, err);
  ModelRole role;

  if (ok) {
    layout = model_layout_detect(&table);
    ok = layout || model_fail(err, MODEL_ERROR_CORRUPT,
                              "%s: found no token embedding (model.embed_tokens.weight)", folder);
  }
  for (uint32_t i = 0; ok && model_role_at(&checkpoint->config, &checkpoint->weights, i, &role);
       i++) {
    char name[256];
    if (role.part != MODEL_PART_DECODER)
      continue;
    model_layout_name(layout, &role, name);
    ok = add_base(checkpoint, &role, model_table_find(&table, name), name, folder, err);
  }
  model_table_clear(&table);
  if (ok)
    model_path_base(folder, checkpoint->merge->base, sizeof checkpoint->merge->base);
  return ok;
}
