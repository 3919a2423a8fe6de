/* The files of a Hugging Face folder: JSON files and safetensors shards. */
#include "checkpoint/huggingface.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SHARDS 1024u

bool
model_folder_json(const char *folder, const char *name, ModelJson *json, bool *found,
                  ModelError *err)
{
  char *path = model_path_join(folder, name);
  bool ok = true;

  memset(json, 0, sizeof *json);
  if (!path)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  *found = model_path_exists(path);
  if (*found)
    ok = model_json_read(path, json, err);
  if (ok && *found && json->nodes->type != MODEL_JSON_OBJECT) {
    ok = model_fail(err, MODEL_ERROR_CORRUPT, "%s: found %s, expected an object", path,
                    model_json_type_name(json->nodes->type));
    model_json_clear(json);
  }
  free(path);
  return ok;
}

static bool
read_file(ModelCheckpoint *checkpoint, const char *folder, const char *name, ModelTable *table,
          ModelError *err)
{
  char *path = model_path_join(folder, name);
  ModelMapping *mapping;

  if (!path)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  mapping = model_checkpoint_map(checkpoint, path, err);
  free(path);
  return mapping && model_safetensors_read(mapping, table, err);
}

/* A shard is a plain name beside the index: nothing that leads out of the folder. */
static bool
shard_name_fits(const char *name)
{
  size_t n = strlen(name);

  return n > 12 && n < 200 && name[0] != '.' && !strchr(name, '/') &&
         strcmp(name + n - 12, ".safetensors") == 0;
}

/* The place of NAME among the N SORTED ones, or where it would go in. */
static uint32_t
find_shard(const char *const *sorted, uint32_t n, const char *name, bool *found)
{
  uint32_t low = 0, high = n;

  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (strcmp(sorted[middle], name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *found = low < n && strcmp(sorted[low], name) == 0;
  return low;
}

/* SHARDS: in the order of their names, each once, so that a map of a million entries is cheap. */
static bool
list_shards(const ModelJson *index, const char **shards, uint32_t *n_shards, ModelError *err)
{
  const ModelJsonNode *map = model_json_get(index->nodes, "weight_map");

  if (!map || map->type != MODEL_JSON_OBJECT || !map->child)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: no object \"weight_map\" with entries",
                      index->label);
  for (const ModelJsonNode *item = map->child; item; item = item->next) {
    uint32_t at;
    bool found;
    if (item->type != MODEL_JSON_STRING || !shard_name_fits(item->text))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: weight_map puts %.100s into %.100s, expected the name of a "
                        ".safetensors file beside it",
                        index->label, item->key,
                        item->text ? item->text : model_json_type_name(item->type));
    at = find_shard(shards, *n_shards, item->text, &found);
    if (found)
      continue;
    if (*n_shards == MAX_SHARDS)
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: more than %u shards", index->label,
                        MAX_SHARDS);
    memmove(shards + at + 1, shards + at, (*n_shards - at) * sizeof *shards);
    shards[at] = item->text;
    (*n_shards)++;
  }
  return true;
}

/* Every tensor that the index lists must be in the file that it names. */
static bool
check_index(const ModelJson *index, const ModelTable *table, ModelError *err)
{
  for (const ModelJsonNode *item = model_json_get(index->nodes, "weight_map")->child; item;
       item = item->next) {
    const ModelTableEntry *entry = model_table_find(table, item->key);
    const char *slash = entry ? strrchr(entry->mapping->path, '/') : NULL;
    if (!entry || strcmp(slash ? slash + 1 : entry->mapping->path, item->text) != 0)
      return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s is missing from %s", index->label,
                        item->key, item->text);
  }
  return true;
}

static bool
read_shards(ModelCheckpoint *checkpoint, const char *folder, const ModelJson *index,
            ModelTable *table, ModelError *err)
{
  const char **shards = calloc(MAX_SHARDS, sizeof *shards);
  uint32_t n_shards = 0;
  bool ok;

  if (!shards)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  ok = list_shards(index, shards, &n_shards, err);
  for (uint32_t i = 0; ok && i < n_shards; i++)
    ok = read_file(checkpoint, folder, shards[i], table, err);
  free(shards);
  return ok && model_table_seal(table, err) && check_index(index, table, err);
}

/* What to say when there are no safetensors. */
static bool
no_weights(const char *folder, ModelError *err)
{
  static const char *const pickles[] = {"pytorch_model.bin", "pytorch_model.bin.index.json"};

  for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++) {
    char *path = model_path_join(folder, pickles[i]);
    bool exists = path && model_path_exists(path);
    free(path);
    if (exists)
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: holds %s, a Python pickle, which is not read here; save the "
                        "checkpoint as safetensors",
                        folder, pickles[i]);
  }
  return model_fail(err, MODEL_ERROR_FORMAT,
                    "%s: found neither model.safetensors nor model.safetensors.index.json", folder);
}

bool
model_folder_tensors(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                     ModelError *err)
{
  ModelJson index;
  bool found, ok;
  char *single;

  if (!model_folder_json(folder, "model.safetensors.index.json", &index, &found, err))
    return false;
  if (found) {
    ok = read_shards(checkpoint, folder, &index, table, err);
    model_json_clear(&index);
    return ok;
  }
  single = model_path_join(folder, "model.safetensors");
  if (!single)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  found = model_path_exists(single);
  free(single);
  if (!found)
    return no_weights(folder, err);
  return read_file(checkpoint, folder, "model.safetensors", table, err) &&
         model_table_seal(table, err);
}
