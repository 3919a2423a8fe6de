/* What lies beside a checkpoint and adds a picture to it: the folder of an adapter with what was
 * trained whole (non_lora_trainables), or a projector alone (LLaVA's mm_projector.bin), each with a
 * config.json that describes the model of both together. */
#include "checkpoint/huggingface.h"
#include "checkpoint/merge.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

bool
model_extra_is_projector(const char *mmproj)
{
  size_t n = mmproj ? strlen(mmproj) : 0;

  return (n > 4 && strcmp(mmproj + n - 4, ".bin") == 0) ||
         (n > 12 && strcmp(mmproj + n - 12, ".safetensors") == 0);
}

/* The folder that FILE lies in; caller frees. */
static char *
folder_of(const char *file)
{
  const char *slash = strrchr(file, '/');

  return slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
}

static bool
is_multimodal(const ModelJson *json)
{
  return model_json_get(json->nodes, "mm_vision_tower") ||
         model_json_get(json->nodes, "mm_projector_type") ||
         model_json_get(json->nodes, "mm_hidden_size") ||
         model_json_get(json->nodes, "text_config");
}

static bool
take_config(const char *folder, ModelJson *json, ModelError *err)
{
  ModelJson own;
  bool found;

  if (!folder)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", json->label);
  if (!model_folder_json(folder, "config.json", &own, &found, err))
    return false;
  if (found && is_multimodal(&own)) {
    model_json_clear(json);
    *json = own;
  } else if (found) {
    model_json_clear(&own);
  }
  return true;
}

bool
model_extra_config(const ModelEngineOptions *options, ModelJson *json, ModelError *err)
{
  char *folder;
  bool ok;

  if (!options || is_multimodal(json))
    return true;
  if (options->lora)
    return take_config(options->lora, json, err);
  if (!model_extra_is_projector(options->mmproj))
    return true;
  folder = folder_of(options->mmproj);
  ok = take_config(folder, json, err);
  free(folder);
  return ok;
}

/* Names as of a whole checkpoint, whatever stands before "mm_projector.". */
static bool
keep_projector(const ModelTable *all, ModelTable *projector, ModelError *err)
{
  static const char *const names[] = {"model.mm_projector.weight",   "model.mm_projector.bias",
                                      "model.mm_projector.0.weight", "model.mm_projector.0.bias",
                                      "model.mm_projector.2.weight", "model.mm_projector.2.bias"};

  for (uint32_t i = 0; i < all->n; i++) {
    ModelTableEntry entry = all->entries[i];
    const char *at = strstr(entry.tensor.name, "mm_projector.");
    for (size_t k = 0; at && k < sizeof names / sizeof *names; k++)
      if (strcmp(at, names[k] + strlen("model.")) == 0) {
        entry.tensor.name = names[k];
        if (!model_table_add(projector, &entry, err))
          return false;
      }
  }
  return true;
}

static bool
overlay_projector(ModelCheckpoint *checkpoint, const char *path, ModelTable *table, ModelError *err)
{
  ModelTable all = {0}, projector = {0};
  ModelMapping *mapping = model_checkpoint_map(checkpoint, path, err);
  size_t n = strlen(path);
  bool ok =
      mapping && (strcmp(path + n - 4, ".bin") == 0 ? model_torch_read(mapping, &all, err)
                                                    : model_safetensors_read(mapping, &all, err));

  ok = ok && keep_projector(&all, &projector, err);
  if (ok && !projector.n)
    ok = model_fail(err, MODEL_ERROR_FORMAT, "%s: found no tensor mm_projector.weight or .0.weight",
                    path);
  ok = ok && model_table_overlay(table, &projector, err);
  model_table_clear(&all);
  model_table_clear(&projector);
  return ok;
}

bool
model_extra_tensors(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                    ModelTable *table, ModelError *err)
{
  if (!options)
    return true;
  if (options->lora && !model_lora_overlay(checkpoint, options->lora, table, err))
    return false;
  return !model_extra_is_projector(options->mmproj) ||
         overlay_projector(checkpoint, options->mmproj, table, err);
}
