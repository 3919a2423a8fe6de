/* The files of a Hugging Face folder: JSON files, and shards in safetensors or torch.save()'s zip.
 */
#include "checkpoint/huggingface.h"

#include "base/error.h"

#include <stdio.h>
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
ends_with(const char *name, const char *ending)
{
  size_t n = strlen(name), n_ending = strlen(ending);

  return n > n_ending && strcmp(name + n - n_ending, ending) == 0;
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
  if (!mapping)
    return false;
  return ends_with(name, ".safetensors") ? model_safetensors_read(mapping, table, err)
                                         : model_torch_read(mapping, table, err);
}

/* A shard is a plain name beside the index: nothing that leads out of the folder. */
static bool
shard_name_fits(const char *name)
{
  return strlen(name) < 200 && name[0] != '.' && !strchr(name, '/') &&
         (ends_with(name, ".safetensors") || ends_with(name, ".bin"));
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
                        ".safetensors or .bin file beside it",
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

static bool
file_exists(const char *folder, const char *name, bool *exists, ModelError *err)
{
  char *path = model_path_join(folder, name);

  if (!path)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  *exists = model_path_exists(path);
  free(path);
  return true;
}

bool
model_folder_file(ModelCheckpoint *checkpoint, const char *folder, const char *stem,
                  ModelTable *table, bool *found, ModelError *err)
{
  static const char *const endings[] = {"safetensors", "bin"};
  bool exists = false;

  if (found)
    *found = false;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", stem, endings[i]);
    if (!file_exists(folder, name, &exists, err))
      return false;
    if (!exists)
      continue;
    if (found)
      *found = true;
    return read_file(checkpoint, folder, name, table, err) && model_table_seal(table, err);
  }
  return found || model_fail(err, MODEL_ERROR_FORMAT, "%s: found neither %s.safetensors nor %s.bin",
                             folder, stem, stem);
}

bool
model_folder_tensors(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                     ModelError *err)
{
  static const char *const stems[] = {"model.safetensors", "pytorch_model.bin"};
  bool found, ok;

  for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
    ModelJson index;
    char name[64];
    snprintf(name, sizeof name, "%s.index.json", stems[i]);
    if (!model_folder_json(folder, name, &index, &found, err))
      return false;
    if (found) {
      ok = read_shards(checkpoint, folder, &index, table, err);
      model_json_clear(&index);
      return ok;
    }
    if (!file_exists(folder, stems[i], &found, err))
      return false;
    if (found)
      return read_file(checkpoint, folder, stems[i], table, err) && model_table_seal(table, err);
  }
  return model_fail(err, MODEL_ERROR_FORMAT,
                    "%s: found neither model.safetensors nor pytorch_model.bin, nor an index of "
                    "their shards",
                    folder);
}
