/* The tower and the projector of a GGUF file (llama.cpp's "clip" files and our own).
 *
 * Traps of these files, and how they are decided:
 * 1. The legacy converter swaps ffn_up and ffn_down. Their shapes tell; when the two widths are
 *    equal, a file without clip.projector_type counts as legacy.
 * 2. block_count counts the blocks that are used (the last one is dropped), or all of them. All of
 *    them: clip.vision.feature_layer says how many to run; without it, post_ln or the size of a
 *    whole ViT-L/14 gives it away, and the last one is not run.
 * 3. The oldest files have no clip.projector_type; they are MLPs. A projector without mm.2 is a
 *    linear one. */
#include "checkpoint/gguf.h"
#include "checkpoint/huggingface.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

bool
model_gguf_has_tower(const ModelGguf *gguf)
{
  return model_table_find(&gguf->table, "v.class_embd") ||
         model_gguf_find(gguf, "clip.vision.block_count");
}

static bool
read_triple(const ModelGguf *gguf, const char *name, float out[3], ModelError *err)
{
  const ModelGgufKey *key = model_gguf_find(gguf, name);

  if (!key)
    return true;
  if (key->type != MODEL_GGUF_ARRAY || key->item_type != MODEL_GGUF_F32 || key->count != 3)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s is not a list of three floats",
                      gguf->mapping->path, name);
  for (uint64_t i = 0; i < 3; i++)
    out[i] = model_gguf_item_float(key, i);
  return true;
}

/* Trap 2. */
static bool
read_blocks_run(const ModelGguf *gguf, ModelVisionConfig *config, ModelError *err)
{
  const ModelGgufKey *key = model_gguf_find(gguf, "clip.vision.feature_layer");
  bool whole = model_table_find(&gguf->table, "v.post_ln.weight") ||
               (config->hidden == 1024 && config->blocks_stored == 24);
  int64_t run = (int64_t)config->blocks_stored - (whole && config->blocks_stored);

  if (key && key->type == MODEL_GGUF_ARRAY) {
    if (key->count != 1 || (key->item_type != MODEL_GGUF_I32 && key->item_type != MODEL_GGUF_U32))
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: clip.vision.feature_layer has %llu items of type %u; one layer is "
                        "supported",
                        gguf->mapping->path, (unsigned long long)key->count,
                        (unsigned)key->item_type);
    run = model_gguf_item_i32(key, 0);
  } else if (!model_gguf_i64(gguf, "clip.vision.feature_layer", &run, err)) {
    return false;
  }
  if (run < 0)
    run += (int64_t)config->blocks_stored + 1;
  if (run < 0 || run > config->blocks_stored)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: clip.vision.feature_layer gives %lld, but there are %u blocks",
                      gguf->mapping->path, (long long)run, config->blocks_stored);
  config->blocks_run = (uint32_t)run;
  return true;
}

static bool
read_tower(const ModelGguf *gguf, ModelVisionConfig *config, ModelError *err)
{
  bool silu = false;

  memcpy(config->mean, model_clip_mean, sizeof config->mean);
  memcpy(config->std, model_clip_std, sizeof config->std);
  config->eps = 1e-5f;
  if (!model_gguf_u32(gguf, "clip.vision.image_size", &config->image_size, err) ||
      !model_gguf_u32(gguf, "clip.vision.patch_size", &config->patch_size, err) ||
      !model_gguf_u32(gguf, "clip.vision.embedding_length", &config->hidden, err) ||
      !model_gguf_u32(gguf, "clip.vision.feed_forward_length", &config->ffn, err) ||
      !model_gguf_u32(gguf, "clip.vision.block_count", &config->blocks_stored, err) ||
      !model_gguf_u32(gguf, "clip.vision.attention.head_count", &config->heads, err) ||
      !model_gguf_float(gguf, "clip.vision.attention.layer_norm_epsilon", &config->eps, err) ||
      !model_gguf_bool(gguf, "clip.use_gelu", &config->gelu_erf, err) ||
      !model_gguf_bool(gguf, "clip.use_silu", &silu, err) ||
      !read_triple(gguf, "clip.vision.image_mean", config->mean, err) ||
      !read_triple(gguf, "clip.vision.image_std", config->std, err))
    return false;
  if (silu)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: clip.use_silu is not supported",
                      gguf->mapping->path);
  return read_blocks_run(gguf, config, err);
}

/* Trap 3. */
static bool
read_projector(const ModelGguf *gguf, ModelConfig *config, ModelError *err)
{
  const char *type = "mlp";
  uint64_t length = 3;

  if (!model_gguf_string(gguf, "clip.projector_type", &type, &length, err))
    return false;
  if (!(length == 3 && memcmp(type, "mlp", 3) == 0) &&
      !(length == 6 && memcmp(type, "linear", 6) == 0))
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: clip.projector_type is \"%.*s\", expected mlp or linear",
                      gguf->mapping->path, length < 60 ? (int)length : 60, type);
  config->projector = model_table_find(&gguf->table, "mm.2.weight") ? MODEL_PROJECTOR_MLP2X_GELU
                                                                    : MODEL_PROJECTOR_LINEAR;
  if (model_table_find(&gguf->table, "v.image_newline") ||
      model_table_find(&gguf->table, "model.image_newline"))
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: pictures in several tiles (LLaVA 1.6, image_newline) are not supported",
                      gguf->mapping->path);
  return true;
}

/* Trap 1. */
static bool
ffn_is_swapped(const ModelGguf *gguf, const ModelVisionConfig *config)
{
  const ModelTableEntry *up = model_table_find(&gguf->table, "v.blk.0.ffn_up.weight");

  if (config->ffn == config->hidden)
    return !model_gguf_find(gguf, "clip.projector_type");
  return up && up->tensor.n_dims == 2 && up->tensor.shape[0] == config->hidden &&
         up->tensor.shape[1] == config->ffn;
}

static bool
fill(ModelCheckpoint *checkpoint, const ModelGguf *gguf, bool tower, ModelError *err)
{
  ModelWeights *weights = &checkpoint->weights;
  bool swapped = ffn_is_swapped(gguf, &checkpoint->config.vision);
  ModelRole role;

  for (uint32_t i = 0; model_role_at(&checkpoint->config, weights, i, &role); i++) {
    char name[64], *ffn;
    if (role.part == MODEL_PART_DECODER || (role.part == MODEL_PART_TOWER && !tower))
      continue;
    snprintf(name, sizeof name, "%s", role.gguf);
    ffn = role.part == MODEL_PART_TOWER && swapped ? strstr(name, ".ffn_") : NULL;
    if (ffn) {
      const char *ending = strrchr(role.gguf, '.');
      bool down = strncmp(ffn, ".ffn_up.", 8) == 0;
      snprintf(ffn, sizeof name - (size_t)(ffn - name), ".ffn_%s%s", down ? "down" : "up", ending);
    }
    if (!model_role_fill(&role, model_table_find(&gguf->table, name), name, gguf->mapping->path,
                         err))
      return false;
  }
  return true;
}

bool
model_gguf_picture(ModelCheckpoint *checkpoint, const ModelGguf *gguf,
                   const ModelEngineOptions *options, ModelError *err)
{
  ModelConfig *config = &checkpoint->config;
  const char *folder = options ? options->vision_tower : NULL, *prefix = NULL;
  ModelTable table = {0};
  uint32_t blocks_run;
  bool ok;

  if (!model_gguf_has_tower(gguf))
    return model_fail(err, MODEL_ERROR_FORMAT,
                      "%s: found no vision tower (v.class_embd, clip.vision.*)",
                      gguf->mapping->path);
  if (!read_tower(gguf, &config->vision, err) || !read_projector(gguf, config, err))
    return false;
  blocks_run = config->vision.blocks_run;
  ok = !folder || model_tower_open(checkpoint, folder, &table, &prefix, err);
  if (ok && folder)
    config->vision.blocks_run = blocks_run;
  config->has_vision = true;
  ok = ok && model_config_check(config, folder ? folder : gguf->mapping->path, err) &&
       model_weights_alloc(checkpoint, err) && fill(checkpoint, gguf, !folder, err) &&
       (!folder || model_tower_fill(checkpoint, &table, prefix, folder, err));
  model_tower_trim(&checkpoint->weights);
  model_table_clear(&table);
  checkpoint->tower_origin =
      folder || model_gguf_string_is(gguf, "hilum.tower_origin", "stock") ? "stock" : "checkpoint";
  return ok;
}

bool
model_mmproj_open(ModelCheckpoint *checkpoint, const char *path, const ModelEngineOptions *options,
                  ModelError *err)
{
  ModelMapping *mapping = model_checkpoint_map(checkpoint, path, err);
  ModelGguf gguf = {0};
  bool ok = mapping && model_gguf_parse(mapping, &gguf, err) &&
            model_gguf_picture(checkpoint, &gguf, options, err);

  model_gguf_clear(&gguf);
  return ok;
}
