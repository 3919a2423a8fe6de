/* A Hugging Face folder: LLaVA-Med's original names (v1.0 and v1.5), the Hugging Face conversion's,
 * and plain text-only Llama or Mistral checkpoints.
 *
 * Decisions: the checkpoint's own tower is used when it is there (Microsoft's code replaces it by
 * the stock one; options->vision_tower does that here); v1.0 is known by mm_use_im_start_end; table
 * rows past the tokenizer's ids are padding and are cut off; unknown keys are passed over. */
#include "checkpoint/huggingface.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  ModelCheckpoint *checkpoint;
  const ModelEngineOptions *options;
  ModelJson json;
  const ModelJsonNode *text; /* the decoder's part of the configuration */
  ModelTable table, tower;   /* tower: of another folder */
  const ModelLayout *layout;
  char *tower_folder;
  bool original;  /* a multimodal configuration of the original kind */
  bool converted; /* of the Hugging Face conversion */
} Reader;

/* ---- the decoder's configuration ---------------------------------------------------------- */

static bool
check_rope(const Reader *r, ModelError *err)
{
  ModelDecoderConfig *c = &r->checkpoint->config.decoder;
  const ModelJsonNode *parameters = model_json_get(r->text, "rope_parameters");
  const ModelJsonNode *scaling = model_json_get(r->text, "rope_scaling");
  const char *type = "default";

  if (!model_json_float(&r->json, r->text, "rope_theta", &c->theta, err) ||
      !model_json_float(&r->json, parameters, "rope_theta", &c->theta, err) ||
      !model_json_string(&r->json, parameters, "rope_type", &type, err) ||
      !model_json_string(&r->json, scaling, "type", &type, err) ||
      !model_json_string(&r->json, scaling, "rope_type", &type, err))
    return false;
  if (strcmp(type, "default") != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: rope scaling \"%.60s\" is not supported",
                      r->json.label, type);
  return true;
}

static bool
check_kind(const Reader *r, ModelError *err)
{
  static const char *const known[] = {"llama", "mistral", "llava", "llava_llama", "llava_mistral"};
  const char *act = "silu", *type = "llama";
  bool bias = false, fits = false;

  if (!model_json_string(&r->json, r->text, "hidden_act", &act, err) ||
      !model_json_string(&r->json, r->text, "model_type", &type, err) ||
      !model_json_bool(&r->json, r->text, "attention_bias", &bias, err))
    return false;
  /* Others may have the same names and another arithmetic. */
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    fits |= strcmp(type, known[i]) == 0;
  if (!fits)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: model_type is \"%.60s\"; Llama's and Mistral's decoders are read",
                      r->json.label, type);
  if (strcmp(act, "silu") != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: hidden_act is \"%.60s\", expected silu",
                      r->json.label, act);
  if (bias)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: attention_bias true is not supported",
                      r->json.label);
  return true;
}

/* The conversion leaves out what equals the defaults of transformers' LlamaConfig or
 * MistralConfig. */
static void
set_defaults(Reader *r)
{
  ModelDecoderConfig *c = &r->checkpoint->config.decoder;
  const ModelJsonNode *type = model_json_get(r->text, "model_type");
  bool mistral = type && type->type == MODEL_JSON_STRING && strcmp(type->text, "mistral") == 0;

  c->eps = 1e-6f;
  c->theta = 10000;
  c->context = 2048;
  if (!r->converted)
    return;
  c->hidden = 4096;
  c->layers = 32;
  c->heads = 32;
  c->kv_heads = mistral ? 8 : 0;
  c->ffn = mistral ? 14336 : 11008;
  c->context = mistral ? 131072 : 2048;
}

static bool
read_context(Reader *r, ModelError *err)
{
  ModelDecoderConfig *c = &r->checkpoint->config.decoder;
  uint32_t window = UINT32_MAX, most = 0;

  if (!model_json_u32(&r->json, r->text, "max_position_embeddings", &c->context, err) ||
      !model_json_u32(&r->json, r->text, "sliding_window", &window, err) ||
      !model_json_u32(&r->json, r->json.nodes, "max_sequence_length", &most, err))
    return false;
  /* LLaVA's own programs: max_sequence_length if present, else 2048. */
  if (!most && (r->original || r->converted))
    most = 2048;
  if (most && (r->original || r->converted) && most < c->context)
    c->context = most;
  /* Within one window, sliding attention is full attention. */
  if (window && window < c->context)
    c->context = window;
  return true;
}

static bool
read_decoder(Reader *r, ModelError *err)
{
  ModelDecoderConfig *c = &r->checkpoint->config.decoder;
  ModelJson *json = &r->json;

  set_defaults(r);
  if (!model_json_u32(json, r->text, "hidden_size", &c->hidden, err) ||
      !model_json_u32(json, r->text, "num_hidden_layers", &c->layers, err) ||
      !model_json_u32(json, r->text, "num_attention_heads", &c->heads, err) ||
      !model_json_u32(json, r->text, "num_key_value_heads", &c->kv_heads, err) ||
      !model_json_u32(json, r->text, "head_dim", &c->head_dim, err) ||
      !model_json_u32(json, r->text, "intermediate_size", &c->ffn, err) ||
      !model_json_float(json, r->text, "rms_norm_eps", &c->eps, err) || !check_rope(r, err) ||
      !check_kind(r, err) || !read_context(r, err))
    return false;
  if (!c->hidden || !c->layers || !c->heads || !c->ffn)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: hidden_size, num_hidden_layers, num_attention_heads and "
                      "intermediate_size are %u, %u, %u and %u, expected none to be 0 or missing",
                      json->label, c->hidden, c->layers, c->heads, c->ffn);
  if (!c->kv_heads)
    c->kv_heads = c->heads;
  if (!c->head_dim && c->hidden % c->heads != 0)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: %u attention heads do not divide the hidden size %u", json->label,
                      c->heads, c->hidden);
  if (!c->head_dim)
    c->head_dim = c->hidden / c->heads;
  return true;
}

/* ---- the picture's configuration ---------------------------------------------------------- */

static bool
read_select(const Reader *r, ModelError *err)
{
  ModelVisionConfig *vision = &r->checkpoint->config.vision;
  const char *key = r->converted ? "vision_feature_layer" : "mm_vision_select_layer";
  const char *feature_key =
      r->converted ? "vision_feature_select_strategy" : "mm_vision_select_feature";
  const char *expected = r->converted ? "default" : "patch", *feature = expected;
  int32_t select = -2;
  int64_t run;

  if (!model_json_i32(&r->json, r->json.nodes, key, &select, err) ||
      !model_json_string(&r->json, r->json.nodes, feature_key, &feature, err))
    return false;
  if (strcmp(feature, expected) != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: %s is \"%.60s\", expected %s",
                      r->json.label, feature_key, feature, expected);
  /* Hidden state 0 is before the first block, so there is one more than blocks. */
  run = select < 0 ? (int64_t)vision->blocks_stored + 1 + select : select;
  if (run < 0 || run > vision->blocks_stored)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: %s is %d, but the tower has %u blocks",
                      r->json.label, key, (int)select, vision->blocks_stored);
  vision->blocks_run = (uint32_t)run;
  return true;
}

static bool
read_projector(const Reader *r, ModelError *err)
{
  ModelConfig *config = &r->checkpoint->config;
  const char *kind =
      model_table_find(&r->table, "model.mm_projector.2.weight") ? "mlp2x_gelu" : "linear";
  const char *act = "gelu";

  if (r->layout->projector) {
    kind = "mlp2x_gelu";
    if (!model_json_string(&r->json, r->json.nodes, "projector_hidden_act", &act, err))
      return false;
  } else if (!model_json_string(&r->json, r->json.nodes, "mm_projector_type", &kind, err)) {
    return false;
  }
  if (strcmp(kind, "linear") == 0)
    config->projector = MODEL_PROJECTOR_LINEAR;
  else if (strcmp(kind, "mlp2x_gelu") == 0 && strcmp(act, "gelu") == 0)
    config->projector = MODEL_PROJECTOR_MLP2X_GELU;
  else
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: projector \"%.60s\" with \"%.60s\" is not supported; linear and "
                      "mlp2x_gelu with gelu are",
                      r->json.label, kind, act);
  return true;
}

static bool
is_mistral(const Reader *r)
{
  const ModelJsonNode *type = model_json_get(r->json.nodes, "model_type");

  return type && type->type == MODEL_JSON_STRING && strcmp(type->text, "llava_mistral") == 0;
}

/* v1.0 leaves image_aspect_ratio out and its processor cuts a square; v1.5 and the conversion pad.
 */
static bool
read_aspect(const Reader *r, ModelError *err)
{
  ModelConfig *config = &r->checkpoint->config;
  const char *aspect =
      r->converted || (is_mistral(r) && !config->image_start_end) ? "pad" : "square";

  if (!model_json_string(&r->json, r->json.nodes, "image_aspect_ratio", &aspect, err))
    return false;
  if (strcmp(aspect, "pad") != 0 && strcmp(aspect, "square") != 0)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: image_aspect_ratio is \"%.60s\", expected pad or square", r->json.label,
                      aspect);
  config->aspect = strcmp(aspect, "pad") == 0 ? MODEL_ASPECT_PAD : MODEL_ASPECT_SQUARE;
  return true;
}

/* Where the tower comes from: the folder that was asked for, the checkpoint itself, the folder
 * "clip" inside it. */
static bool
find_tower_folder(Reader *r, ModelError *err)
{
  const ModelCheckpoint *checkpoint = r->checkpoint;
  const ModelJsonNode *tower = model_json_get(r->json.nodes, "mm_vision_tower");
  char name[256];

  if (r->options && r->options->vision_tower) {
    r->tower_folder = strdup(r->options->vision_tower);
    if (!r->tower_folder)
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
    return true;
  }
  snprintf(name, sizeof name, "%sembeddings.class_embedding", r->layout->tower);
  if (model_table_find(&r->table, name))
    return true;
  r->tower_folder = model_path_join(checkpoint->path, "clip");
  if (!r->tower_folder)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
  if (model_path_is_folder(r->tower_folder))
    return true;
  return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                    "%s: the checkpoint holds no vision tower (its mm_vision_tower is \"%.80s\"); "
                    "give the folder of that CLIP checkpoint as the vision tower, or put it into "
                    "%.200s",
                    checkpoint->path,
                    tower && tower->type == MODEL_JSON_STRING ? tower->text : "not given",
                    r->tower_folder);
}

static bool
read_vision(Reader *r, const char **tower_prefix, ModelError *err)
{
  ModelCheckpoint *checkpoint = r->checkpoint;
  bool ok;

  if (!find_tower_folder(r, err))
    return false;
  *tower_prefix = r->layout->tower;
  checkpoint->tower_origin = r->tower_folder ? "stock" : "checkpoint";
  if (r->tower_folder)
    ok = model_tower_open(checkpoint, r->tower_folder, &r->tower, tower_prefix, err);
  else
    ok = model_tower_config(&checkpoint->config.vision, &r->table, *tower_prefix, &r->json,
                            model_json_get(r->json.nodes, "vision_config"), checkpoint->path, err);
  if (!ok)
    return false;
  checkpoint->config.has_vision = true;
  return read_select(r, err) && read_projector(r, err) && read_aspect(r, err);
}

/* ---- names -------------------------------------------------------------------------------- */

/* The conversation template that the folder itself gives away, if any. */
static bool
mentions_inst(const Reader *r, const char *file, bool *mentions, ModelError *err)
{
  ModelJson json;
  const ModelJsonNode *chat;
  bool found;

  if (!model_folder_json(r->checkpoint->path, file, &json, &found, err))
    return false;
  chat = found ? model_json_get(json.nodes, "chat_template") : NULL;
  *mentions |= chat && chat->type == MODEL_JSON_STRING && strstr(chat->text, "[INST]");
  model_json_clear(&json);
  return true;
}

static bool
set_names(Reader *r, ModelError *err)
{
  ModelConfig *config = &r->checkpoint->config;
  const char *path = r->checkpoint->path, *name = "", *template_name = "plain";
  size_t end = strlen(path), start;
  bool inst = false;

  if (!model_json_string(&r->json, r->json.nodes, "_name_or_path", &name, err))
    return false;
  while (end > 1 && path[end - 1] == '/')
    end--;
  for (start = end; start > 0 && path[start - 1] != '/';)
    start--;
  if (*name && *name != '/' && *name != '.')
    model_text_copy(config->name, sizeof config->name, name, strlen(name), false);
  else
    model_text_copy(config->name, sizeof config->name, path + start, end - start, false);
  if (r->converted && (!mentions_inst(r, "tokenizer_config.json", &inst, err) ||
                       !mentions_inst(r, "chat_template.json", &inst, err)))
    return false;
  if (config->has_vision && config->image_start_end)
    template_name = "multimodal";
  else if (config->has_vision && (is_mistral(r) || inst))
    template_name = "mistral_instruct";
  else if (config->has_vision)
    template_name = "vicuna_v1";
  snprintf(config->template_name, sizeof config->template_name, "%s", template_name);
  return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool
fill(Reader *r, const char *tower_prefix, ModelError *err)
{
  ModelCheckpoint *checkpoint = r->checkpoint;
  ModelWeights *weights = &checkpoint->weights;
  ModelRole role;

  for (uint32_t i = 0; model_role_at(&checkpoint->config, weights, i, &role); i++) {
    char name[256];
    if (role.part == MODEL_PART_TOWER || role.tensor->name) /* below, or from the mmproj file */
      continue;
    model_layout_name(r->layout, &role, name);
    if (!model_role_fill(&role, model_table_find(&r->table, name), name, checkpoint->path, err))
      return false;
  }
  if (weights->tied)
    weights->output = weights->token_embedding;
  if (!tower_prefix)
    return true;
  return model_tower_fill(checkpoint, r->tower_folder ? &r->tower : &r->table, tower_prefix,
                          r->tower_folder ? r->tower_folder : checkpoint->path, err);
}

/* A bias in the decoder would be left out silently. */
static bool
check_no_bias(const Reader *r, ModelError *err)
{
  char name[256];

  snprintf(name, sizeof name, "%slayers.0.self_attn.q_proj.bias", r->layout->decoder);
  if (model_table_find(&r->table, name))
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: tensor %s: attention with biases is not supported", r->checkpoint->path,
                      name);
  return true;
}

static bool
read_all(Reader *r, ModelError *err)
{
  ModelCheckpoint *checkpoint = r->checkpoint;
  ModelConfig *config = &checkpoint->config;
  const ModelJsonNode *root = r->json.nodes;
  const char *mmproj = r->options ? r->options->mmproj : NULL, *tower_prefix = NULL;
  bool projector = model_extra_is_projector(mmproj);
  const ModelTableEntry *embedding;
  char name[256];

  r->text = model_json_get(root, "text_config");
  r->converted = r->text && r->text->type == MODEL_JSON_OBJECT;
  if (!r->converted)
    r->text = root;
  r->original = !r->converted && (projector || model_json_get(root, "mm_vision_tower") ||
                                  model_json_get(root, "mm_projector_type") ||
                                  model_json_get(root, "mm_hidden_size"));
  if (!model_folder_tensors(checkpoint, checkpoint->path, &r->table, err) ||
      !model_extra_tensors(checkpoint, r->options, &r->table, err) || !read_decoder(r, err) ||
      !model_json_bool(&r->json, root, "mm_use_im_start_end", &config->image_start_end, err) ||
      !model_json_bool(&r->json, r->text, "tie_word_embeddings", &checkpoint->weights.tied, err) ||
      !model_json_bool(&r->json, root, "tie_word_embeddings", &checkpoint->weights.tied, err))
    return false;
  r->layout = model_layout_detect(&r->table);
  if (!r->layout)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: found no token embedding (model.embed_tokens.weight, or with the names "
                      "of the Hugging Face conversion)",
                      checkpoint->path);
  snprintf(name, sizeof name, "%sembed_tokens.weight", r->layout->decoder);
  embedding = model_table_find(&r->table, name);
  if (!model_folder_vocabulary(checkpoint, checkpoint->path, &r->json, r->converted,
                               model_tensor_rows(&embedding->tensor), err) ||
      !check_no_bias(r, err))
    return false;
  if (mmproj && !projector) {
    if (!read_aspect(r, err) || !model_config_check(config, checkpoint->path, err) ||
        !model_mmproj_open(checkpoint, mmproj, r->options, err))
      return false;
  } else if ((r->original || r->converted) && !read_vision(r, &tower_prefix, err)) {
    return false;
  }
  if (!config->has_vision && r->options && r->options->vision_tower)
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%s: a text-only model, which has no use for the vision tower %.200s",
                      checkpoint->path, r->options->vision_tower);
  return set_names(r, err) && model_config_check(config, checkpoint->path, err) &&
         model_weights_alloc(checkpoint, err) && fill(r, tower_prefix, err);
}

bool
model_huggingface_open(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                       ModelError *err)
{
  Reader r = {.checkpoint = checkpoint, .options = options};
  bool found, ok;

  checkpoint->format = options && options->mmproj ? "huggingface+mmproj" : "huggingface";
  if (!model_folder_json(checkpoint->path, "config.json", &r.json, &found, err))
    return false;
  ok = found ? model_extra_config(options, &r.json, err) && read_all(&r, err)
             : model_fail(err, MODEL_ERROR_FORMAT, "%s: the folder has no config.json",
                          checkpoint->path);
  model_table_clear(&r.table);
  model_table_clear(&r.tower);
  model_json_clear(&r.json);
  free(r.tower_folder);
  return ok;
}
