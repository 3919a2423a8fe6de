/* The sizes of a CLIP vision tower, from its configuration and from its tensors. */
#include "checkpoint/huggingface.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
model_tower_find(const ModelTable *table)
{
  static const char *const prefixes[] = {"vision_model.", model_tower_prefix,
                                         "vision_tower.vision_model.",
                                         "model.vision_tower.vision_model."};
  char name[256];

  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    snprintf(name, sizeof name, "%sembeddings.class_embedding", prefixes[i]);
    if (model_table_find(table, name))
      return prefixes[i];
  }
  return NULL;
}

static const ModelTensor *
find(const ModelTable *table, const char *prefix, const char *suffix)
{
  const ModelTableEntry *entry;
  char name[256];

  snprintf(name, sizeof name, "%s%s", prefix, suffix);
  entry = model_table_find(table, name);
  return entry ? &entry->tensor : NULL;
}

/* Original LLaVA checkpoints name the tower in config.json and give no sizes. Heads cannot be seen
 * in the tensors; every CLIP tower has heads of 64. A size that is too odd to be one stays 0 and is
 * refused with the others. */
static void
derive(ModelVisionConfig *config, const ModelTable *table, const char *prefix)
{
  const ModelTensor *patch = find(table, prefix, "embeddings.patch_embedding.weight");
  const ModelTensor *position = find(table, prefix, "embeddings.position_embedding.weight");
  const ModelTensor *fc1 = find(table, prefix, "encoder.layers.0.mlp.fc1.weight");
  char suffix[64];

  if (patch && patch->n_dims == 4 && patch->shape[0] <= MODEL_MAX_HIDDEN &&
      patch->shape[3] <= MODEL_MAX_IMAGE_SIDE) {
    config->hidden = (uint32_t)patch->shape[0];
    config->patch_size = (uint32_t)patch->shape[3];
    config->heads = config->hidden / 64;
  }
  if (position && position->n_dims == 2 && config->patch_size) {
    uint64_t side = 0, most = MODEL_MAX_IMAGE_SIDE / config->patch_size;
    while (side < most && side * side < position->shape[0] - 1)
      side++;
    config->image_size = (uint32_t)side * config->patch_size;
  }
  if (fc1 && fc1->n_dims == 2 && fc1->shape[0] <= MODEL_MAX_HIDDEN)
    config->ffn = (uint32_t)fc1->shape[0];
  for (config->blocks_stored = 0; config->blocks_stored < MODEL_MAX_LAYERS;
       config->blocks_stored++) {
    snprintf(suffix, sizeof suffix, "encoder.layers.%u.layer_norm1.weight", config->blocks_stored);
    if (!find(table, prefix, suffix))
      break;
  }
}

static bool
read_normalisation(ModelVisionConfig *config, const char *folder, ModelError *err)
{
  ModelJson json;
  bool found, ok = true;

  if (!model_folder_json(folder, "preprocessor_config.json", &json, &found, err))
    return false;
  if (found) {
    ok = model_json_triple(&json, json.nodes, "image_mean", config->mean, err) &&
         model_json_triple(&json, json.nodes, "image_std", config->std, err);
    model_json_clear(&json);
  }
  return ok;
}

bool
model_tower_config(ModelVisionConfig *config, const ModelTable *table, const char *prefix,
                   const ModelJson *json, const ModelJsonNode *vision, const char *folder,
                   ModelError *err)
{
  const char *act = "quick_gelu", *model_type = "clip";

  memcpy(config->mean, model_clip_mean, sizeof config->mean);
  memcpy(config->std, model_clip_std, sizeof config->std);
  config->eps = 1e-5f;
  derive(config, table, prefix);
  if (!model_json_u32(json, vision, "hidden_size", &config->hidden, err) ||
      !model_json_u32(json, vision, "intermediate_size", &config->ffn, err) ||
      !model_json_u32(json, vision, "num_hidden_layers", &config->blocks_stored, err) ||
      !model_json_u32(json, vision, "num_attention_heads", &config->heads, err) ||
      !model_json_u32(json, vision, "image_size", &config->image_size, err) ||
      !model_json_u32(json, vision, "patch_size", &config->patch_size, err) ||
      !model_json_float(json, vision, "layer_norm_eps", &config->eps, err) ||
      !model_json_string(json, vision, "hidden_act", &act, err) ||
      !model_json_string(json, vision, "model_type", &model_type, err) ||
      !read_normalisation(config, folder, err))
    return false;
  if (strncmp(model_type, "clip", 4) != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: the vision tower is of type \"%.60s\"; CLIP's are read", json->label,
                      model_type);
  if (strcmp(act, "quick_gelu") != 0 && strcmp(act, "gelu") != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: the vision tower's hidden_act is \"%.60s\", expected quick_gelu or gelu",
                      json->label, act);
  config->gelu_erf = strcmp(act, "gelu") == 0;
  return true;
}

bool
model_tower_open(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                 const char **prefix, ModelError *err)
{
  ModelJson json;
  const ModelJsonNode *vision;
  bool found, ok;

  if (!model_folder_tensors(checkpoint, folder, table, err))
    return false;
  *prefix = model_tower_find(table);
  if (!*prefix)
    return model_fail(err, MODEL_ERROR_FORMAT,
                      "%s: found no tensor vision_model.embeddings.class_embedding", folder);
  if (!model_folder_json(folder, "config.json", &json, &found, err))
    return false;
  if (!found)
    return model_fail(err, MODEL_ERROR_FORMAT, "%s: the folder has no config.json", folder);
  /* "vision_config" of a whole CLIP, or the top of a tower's own file. */
  vision = model_json_get(json.nodes, "vision_config");
  ok = model_tower_config(&checkpoint->config.vision, table, *prefix, &json,
                          vision ? vision : json.nodes, folder, err);
  model_json_clear(&json);
  return ok;
}

bool
model_tower_fill(ModelCheckpoint *checkpoint, const ModelTable *table, const char *prefix,
                 const char *path, ModelError *err)
{
  ModelRole role;

  for (uint32_t i = 0; model_role_at(&checkpoint->config, &checkpoint->weights, i, &role); i++) {
    char name[256];
    if (role.part != MODEL_PART_TOWER)
      continue;
    snprintf(name, sizeof name, "%s%s", prefix, role.name + strlen(model_tower_prefix));
    if (!model_role_fill(&role, model_table_find(table, name), name, path, err))
      return false;
  }
  model_tower_trim(&checkpoint->weights);
  return true;
}

void
model_tower_trim(ModelWeights *weights)
{
  if (weights->post_ln_w.name && weights->post_ln_b.name)
    return;
  memset(&weights->post_ln_w, 0, sizeof weights->post_ln_w);
  memset(&weights->post_ln_b, 0, sizeof weights->post_ln_b);
}
