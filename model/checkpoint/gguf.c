/* A GGUF model: a llama-architecture decoder, its vocabulary, and a tower and projector in the same
 * file (ours) or in a second one (llama.cpp's mmproj). */
#include "checkpoint/gguf.h"
#include "checkpoint/huggingface.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CARD_BYTES (1u << 20)

static bool
check_kind(const ModelGguf *gguf, ModelError *err)
{
  static const char *const refused[] = {"rope_freqs.weight", "blk.0.attn_q.bias",
                                        "blk.0.ffn_gate_inp.weight"};
  const char *architecture = "", *scaling = "none";
  uint64_t n_architecture = 0, n_scaling = 4;
  uint32_t parts = 1;

  if (!model_gguf_string(gguf, "general.architecture", &architecture, &n_architecture, err) ||
      !model_gguf_string(gguf, "llama.rope.scaling.type", &scaling, &n_scaling, err) ||
      !model_gguf_u32(gguf, "split.count", &parts, err))
    return false;
  if (!model_gguf_string_is(gguf, "general.architecture", "llama"))
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: general.architecture is \"%.*s\", expected llama%s", gguf->mapping->path,
                      n_architecture < 60 ? (int)n_architecture : 60, architecture,
                      model_gguf_string_is(gguf, "general.architecture", "clip")
                          ? " (a vision tower alone; give the language model, and this file as "
                            "its mmproj)"
                          : "");
  if (parts > 1)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: one of %u parts of a split model; merge them first", gguf->mapping->path,
                      parts);
  if (n_scaling != 4 || memcmp(scaling, "none", 4) != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: llama.rope.scaling.type \"%.*s\" is not supported", gguf->mapping->path,
                      n_scaling < 60 ? (int)n_scaling : 60, scaling);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    if (model_table_find(&gguf->table, refused[i]))
      return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: tensor %s is not supported",
                        gguf->mapping->path, refused[i]);
  return true;
}

static bool
read_decoder(const ModelGguf *gguf, ModelDecoderConfig *c, ModelError *err)
{
  uint32_t rotated = 0, value_length = 0;

  c->context = 2048;
  c->theta = 10000;
  c->rope_adjacent = true;
  if (!model_gguf_u32(gguf, "llama.context_length", &c->context, err) ||
      !model_gguf_u32(gguf, "llama.embedding_length", &c->hidden, err) ||
      !model_gguf_u32(gguf, "llama.block_count", &c->layers, err) ||
      !model_gguf_u32(gguf, "llama.feed_forward_length", &c->ffn, err) ||
      !model_gguf_u32(gguf, "llama.attention.head_count", &c->heads, err) ||
      !model_gguf_float(gguf, "llama.attention.layer_norm_rms_epsilon", &c->eps, err) ||
      !model_gguf_float(gguf, "llama.rope.freq_base", &c->theta, err))
    return false;
  c->kv_heads = c->heads;
  if (!c->heads || !c->hidden)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: llama.embedding_length is %u and llama.attention.head_count %u, "
                      "expected neither to be 0 or missing",
                      gguf->mapping->path, c->hidden, c->heads);
  if (!model_gguf_u32(gguf, "llama.attention.head_count_kv", &c->kv_heads, err) ||
      !model_gguf_u32(gguf, "llama.rope.dimension_count", &rotated, err))
    return false;
  c->head_dim = rotated ? rotated : c->hidden / c->heads;
  if (!model_gguf_u32(gguf, "llama.attention.key_length", &c->head_dim, err))
    return false;
  value_length = c->head_dim;
  if (!model_gguf_u32(gguf, "llama.attention.value_length", &value_length, err))
    return false;
  if (value_length != c->head_dim || (rotated && rotated != c->head_dim))
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: heads of %u with values of %u, of which %u are rotated: expected three "
                      "equal numbers",
                      gguf->mapping->path, c->head_dim, value_length, rotated);
  return true;
}

/* ---- what has no standard key ------------------------------------------------------------- */

static bool
read_card(ModelCheckpoint *checkpoint, const ModelGguf *gguf, ModelError *err)
{
  const char *text = NULL;
  uint64_t length = 0;

  if (!model_gguf_string(gguf, "hilum.model_card", &text, &length, err))
    return false;
  if (!text)
    return true;
  if (length > MAX_CARD_BYTES)
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "%s: hilum.model_card has %llu bytes, at most %u are read", checkpoint->path,
                      (unsigned long long)length, MAX_CARD_BYTES);
  checkpoint->card = malloc(length + 1);
  if (!checkpoint->card)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
  model_text_copy(checkpoint->card, length + 1, text, length, true);
  return true;
}

static bool
check_version(const ModelGguf *gguf, bool *ours, ModelError *err)
{
  uint32_t version = 0;

  if (!model_gguf_u32(gguf, "hilum.format_version", &version, err))
    return false;
  if (version > MODEL_GGUF_FORMAT_VERSION)
    return model_fail(err, MODEL_ERROR_NEWER,
                      "%s: hilum.format_version is %u, this program reads up to %u",
                      gguf->mapping->path, version, MODEL_GGUF_FORMAT_VERSION);
  *ours = version > 0;
  return true;
}

/* Packed rows have a layout of a version of its own. */
static bool
check_packed(const ModelGguf *gguf, ModelError *err)
{
  uint32_t packed = 0;

  if (!model_gguf_u32(gguf, "hilum.packed", &packed, err))
    return false;
  if (packed > MODEL_GGUF_PACKED_VERSION)
    return model_fail(err, MODEL_ERROR_NEWER, "%s: hilum.packed is %u, this program reads up to %u",
                      gguf->mapping->path, packed, MODEL_GGUF_PACKED_VERSION);
  for (uint32_t i = 0; !packed && i < gguf->table.n; i++) {
    const ModelTensor *tensor = &gguf->table.entries[i].tensor;
    if (tensor->type != model_type_plain(tensor->type))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s has type %s, but the key hilum.packed is missing",
                        gguf->mapping->path, tensor->name, model_type_name(tensor->type));
  }
  return true;
}

static bool
contains(const char *text, uint64_t length, const char *part)
{
  size_t n = strlen(part);

  for (uint64_t i = 0; i + n <= length; i++)
    if (strncasecmp(text + i, part, n) == 0)
      return true;
  return false;
}

/* llama.cpp's files do not say which of LLaVA's templates they want. Its chat template, its name
 * and the shape of Mistral v0.2 (theta 1e6, fewer key/value heads) are what there is to go by;
 * options->template_name overrides. */
static bool
guess_template(ModelCheckpoint *checkpoint, const ModelGguf *gguf, ModelError *err)
{
  ModelConfig *config = &checkpoint->config;
  const ModelDecoderConfig *c = &config->decoder;
  const char *chat = "", *name = "vicuna_v1";
  uint64_t length = 0;
  bool mistral;

  if (!model_gguf_string(gguf, "tokenizer.chat_template", &chat, &length, err))
    return false;
  mistral = contains(chat, length, "[INST]") ||
            (!length && (contains(config->name, strlen(config->name), "mistral") ||
                         (c->theta >= 1e6f && c->kv_heads < c->heads)));
  if (!config->has_vision)
    name = "plain";
  else if (config->image_start_end)
    name = "multimodal";
  else if (mistral)
    name = "mistral_instruct";
  snprintf(config->template_name, sizeof config->template_name, "%s", name);
  return true;
}

static bool
read_template(ModelCheckpoint *checkpoint, const ModelGguf *gguf, ModelError *err)
{
  ModelConfig *config = &checkpoint->config;
  const char *text = NULL;
  uint64_t length = 0;

  if (!model_gguf_string(gguf, "hilum.template_name", &text, &length, err))
    return false;
  if (!text)
    return guess_template(checkpoint, gguf, err);
  if (length == 0 || length >= sizeof config->template_name)
    return model_fail(
        err, MODEL_ERROR_CORRUPT, "%s: hilum.template_name has %llu bytes, expected 1 to %zu",
        gguf->mapping->path, (unsigned long long)length, sizeof config->template_name - 1);
  model_text_copy(config->template_name, sizeof config->template_name, text, length, false);
  return true;
}

static bool
read_aspect(ModelConfig *config, const ModelGguf *gguf, ModelError *err)
{
  const char *aspect = config->image_start_end ? "square" : "pad";
  uint64_t length = strlen(aspect);

  if (!model_gguf_string(gguf, "hilum.aspect", &aspect, &length, err))
    return false;
  if (length == 3 && memcmp(aspect, "pad", 3) == 0)
    config->aspect = MODEL_ASPECT_PAD;
  else if (length == 6 && memcmp(aspect, "square", 6) == 0)
    config->aspect = MODEL_ASPECT_SQUARE;
  else
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: hilum.aspect is \"%.*s\", expected pad or "
                      "square",
                      gguf->mapping->path, length < 60 ? (int)length : 60, aspect);
  return true;
}

/* v1.0's files are known by the image tokens behind the vocabulary. */
static bool
read_start_end(ModelConfig *config, const ModelGguf *gguf, bool ours, ModelError *err)
{
  bool all = config->id_im_patch >= 0 && config->id_im_start >= 0 && config->id_im_end >= 0;

  config->image_start_end = !ours && all;
  if (!model_gguf_bool(gguf, "hilum.image_start_end", &config->image_start_end, err))
    return false;
  if (config->image_start_end && !all)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: hilum.image_start_end is set, but one of <im_patch>, <im_start>, "
                      "<im_end> is not among the added tokens",
                      gguf->mapping->path);
  return true;
}

static void
set_name(ModelCheckpoint *checkpoint, const ModelGguf *gguf)
{
  const ModelGgufKey *key = model_gguf_find(gguf, "general.name");
  const char *slash = strrchr(checkpoint->path, '/');
  const char *base = slash ? slash + 1 : checkpoint->path;
  ModelConfig *config = &checkpoint->config;

  if (key && key->type == MODEL_GGUF_STRING && key->count)
    model_text_copy(config->name, sizeof config->name, (const char *)key->value, key->count, false);
  else
    model_text_copy(config->name, sizeof config->name, base, strlen(base), false);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool
fill_decoder(ModelCheckpoint *checkpoint, const ModelGguf *gguf, ModelError *err)
{
  ModelWeights *weights = &checkpoint->weights;
  ModelRole role;

  weights->tied = !model_table_find(&gguf->table, "output.weight");
  for (uint32_t i = 0; model_role_at(&checkpoint->config, weights, i, &role); i++)
    if (role.part == MODEL_PART_DECODER &&
        !model_role_fill(&role, model_table_find(&gguf->table, role.gguf), role.gguf,
                         gguf->mapping->path, err))
      return false;
  if (weights->tied)
    weights->output = weights->token_embedding;
  return true;
}

static bool
read_all(ModelCheckpoint *checkpoint, const ModelEngineOptions *options, const ModelGguf *gguf,
         ModelError *err)
{
  ModelConfig *config = &checkpoint->config;
  const char *mmproj = options ? options->mmproj : NULL;
  bool ours = false;

  set_name(checkpoint, gguf);
  if (!check_version(gguf, &ours, err) || !check_packed(gguf, err) || !check_kind(gguf, err) ||
      !read_decoder(gguf, &config->decoder, err) ||
      !model_gguf_vocabulary(checkpoint, gguf, ours, err) ||
      !model_config_check(config, checkpoint->path, err) ||
      !read_start_end(config, gguf, ours, err) || !read_aspect(config, gguf, err) ||
      !read_card(checkpoint, gguf, err))
    return false;
  if (mmproj) {
    checkpoint->format = "gguf+mmproj";
    if (!model_mmproj_open(checkpoint, mmproj, options, err))
      return false;
  } else if (model_gguf_has_tower(gguf)) {
    if (!model_gguf_picture(checkpoint, gguf, options, err))
      return false;
  } else if (options && options->vision_tower) {
    return model_fail(
        err, MODEL_ERROR_ARGUMENT,
        "%s: without a projector (mmproj) there is no use for the vision tower %.200s",
        checkpoint->path, options->vision_tower);
  }
  if (!config->has_vision) {
    config->image_start_end = false;
    config->aspect = MODEL_ASPECT_PAD;
  }
  /* As with Hugging Face folders: LLaVA's own programs stop at 2048. */
  if (config->has_vision && !ours && config->decoder.context > 2048)
    config->decoder.context = 2048;
  return read_template(checkpoint, gguf, err) && model_weights_alloc(checkpoint, err) &&
         fill_decoder(checkpoint, gguf, err);
}

bool
model_gguf_open(ModelCheckpoint *checkpoint, const ModelEngineOptions *options, ModelError *err)
{
  ModelMapping *mapping = model_checkpoint_map(checkpoint, checkpoint->path, err);
  ModelGguf gguf = {0};
  bool ok;

  checkpoint->format = "gguf";
  ok =
      mapping && model_gguf_parse(mapping, &gguf, err) && read_all(checkpoint, options, &gguf, err);
  model_gguf_clear(&gguf);
  return ok;
}
