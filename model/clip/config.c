/* config.c - what kinds of towers a folder holds, and how large they are.
 *
 * Decisions: sizes are read off the tensors, and a configuration that says others is believed and
 * contradicts the shapes then; heads, which no tensor shows, are of 64 unless it says otherwise. A
 * setting that would change the arithmetic and is not read here is refused by its name. */
#include "clip/clip.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "kernels/kernels.h"

/* ---- tensors ------------------------------------------------------------------------------- */

static const ModelTensor *
find(const ModelClipReader *r, const char *prefix, const char *suffix)
{
  const ModelTableEntry *entry;
  char name[MODEL_MAX_NAME];

  snprintf(name, sizeof name, "%s%s", prefix, suffix);
  entry = model_table_find(&r->table, name);
  return entry ? &entry->tensor : NULL;
}

/* Size AT of a tensor with N dimensions; 0: there is none such. */
static uint64_t
size_of(const ModelClipReader *r, const char *prefix, const char *suffix, uint32_t n, uint32_t at)
{
  const ModelTensor *tensor = find(r, prefix, suffix);

  return tensor && tensor->n_dims == n ? tensor->shape[at] : 0;
}

static uint32_t
clamp(uint64_t size)
{
  return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

/* FORMAT names a tensor of block %u. */
static uint32_t
count_blocks(const ModelClipReader *r, const char *prefix, const char *format)
{
  uint32_t n = 0;

  for (; n <= MODEL_MAX_LAYERS; n++) {
    char name[MODEL_MAX_NAME];
    snprintf(name, sizeof name, "%s%u%s", prefix, n, format);
    if (!model_table_find(&r->table, name)) {
      break;
    }
  }
  return n;
}

/* ---- settings ------------------------------------------------------------------------------ */

static bool
is_off(const ModelJsonNode *item)
{
  return item->type == MODEL_JSON_NULL || item->type == MODEL_JSON_FALSE ||
         (item->type == MODEL_JSON_NUMBER && item->number == 0) ||
         (item->type == MODEL_JSON_STRING && !*item->text) ||
         ((item->type == MODEL_JSON_OBJECT || item->type == MODEL_JSON_ARRAY) && !item->child);
}

/* Every member of SECTION is one of KNOWN (ends with NULL), or is off. */
static bool
check_known(const ModelClipReader *r, const ModelJsonNode *section, const char *const *known,
            ModelError *err)
{
  for (const ModelJsonNode *item = section ? section->child : NULL; item; item = item->next) {
    bool fits = is_off(item);
    for (uint32_t i = 0; known[i] && !fits; i++) {
      fits = item->key && strcmp(known[i], item->key) == 0;
    }
    if (!fits) {
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: \"%.60s\" is set, which is not read here", r->json.label,
                        item->key ? item->key : "");
    }
  }
  return true;
}

/* Member KEY (or its older name) of SECTION is absent, or one of A and B. */
static bool
check_choice(const ModelClipReader *r, const ModelJsonNode *section, const char *key,
             const char *older, const char *a, const char *b, ModelError *err)
{
  const char *found = a;

  if ((older && !model_json_string(&r->json, section, older, &found, err)) ||
      !model_json_string(&r->json, section, key, &found, err)) {
    return false;
  }
  return strcmp(found, a) == 0 || strcmp(found, b) == 0 ||
         model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: %s is \"%.60s\", expected \"%s\"",
                    r->json.label, key, found, *a ? a : b);
}

/* ---- pictures ------------------------------------------------------------------------------ */

static uint32_t
side_of(uint64_t positions, uint32_t patch)
{
  uint64_t side = 0;

  while (patch > 0 && side < MODEL_MAX_IMAGE_SIDE / patch && side * side + 1 < positions) {
    side++;
  }
  return (uint32_t)side * patch;
}

static bool
read_preprocessing(ModelClipReader *r, ModelError *err)
{
  static const char *const known[] = {"size",          "mode",        "mean",       "std",
                                      "interpolation", "resize_mode", "fill_color", NULL};
  const ModelJsonNode *section = model_json_get(r->json.nodes, "preprocess_cfg");
  ModelVisionConfig *vision = &r->clip->vision;

  memcpy(vision->mean, model_clip_mean, sizeof vision->mean);
  memcpy(vision->std, model_clip_std, sizeof vision->std);
  return check_known(r, section, known, err) &&
         check_choice(r, section, "interpolation", NULL, "bicubic", "bicubic", err) &&
         check_choice(r, section, "resize_mode", NULL, "shortest", "shortest", err) &&
         model_json_triple(&r->json, section, "mean", vision->mean, err) &&
         model_json_triple(&r->json, section, "std", vision->std, err);
}

/* OpenCLIP's section on pictures. */
static bool
read_open_vision(ModelClipReader *r, const ModelJsonNode *model, ModelError *err)
{
  static const char *const known[] = {
      "image_size",    "layers",    "width",           "patch_size",
      "head_width",    "mlp_ratio", "timm_model_name", "timm_model_pretrained",
      "timm_pool",     "timm_proj", "timm_drop",       "timm_drop_path",
      "patch_dropout", NULL};
  const ModelJsonNode *section = model_json_get(model, "vision_cfg");
  ModelVisionConfig *v = &r->clip->vision;
  const bool timm = r->clip->kind == MODEL_CLIP_TIMM;
  uint32_t head_width = 64;
  bool quick = false;

  v->hidden = clamp(size_of(r, r->vision, timm ? "patch_embed.proj.weight" : "conv1.weight", 4, 0));
  v->patch_size =
      clamp(size_of(r, r->vision, timm ? "patch_embed.proj.weight" : "conv1.weight", 4, 3));
  v->image_size = side_of(timm ? size_of(r, r->vision, "pos_embed", 3, 1)
                               : size_of(r, r->vision, "positional_embedding", 2, 0),
                          v->patch_size);
  v->ffn = clamp(
      size_of(r, r->vision,
              timm ? "blocks.0.mlp.fc1.weight" : "transformer.resblocks.0.mlp.c_fc.weight", 2, 0));
  v->blocks_stored = timm ? count_blocks(r, "visual.trunk.blocks.", ".norm1.weight")
                          : count_blocks(r, "visual.transformer.resblocks.", ".ln_1.weight");
  v->eps = timm ? 1e-6f : 1e-5f;
  if (!check_known(r, section, known, err) ||
      !check_choice(r, section, "timm_pool", NULL, "", "token", err) ||
      !check_choice(r, section, "timm_proj", NULL, "linear", "linear", err) ||
      !model_json_u32(&r->json, section, "image_size", &v->image_size, err) ||
      !model_json_u32(&r->json, section, "head_width", &head_width, err) ||
      !model_json_bool(&r->json, model, "quick_gelu", &quick, err)) {
    return false;
  }
  v->gelu_erf = timm || !quick;
  v->round_crop = true;
  v->heads = head_width > 0 ? v->hidden / head_width : 0;
  return read_preprocessing(r, err);
}

static bool
read_vision(ModelClipReader *r, ModelError *err)
{
  ModelVisionConfig *v = &r->clip->vision;
  uint64_t grid;

  if (!(r->open_clip
            ? read_open_vision(r, model_json_get(r->json.nodes, "model_cfg"), err)
            : model_tower_config(v, &r->table, r->vision, &r->json,
                                 model_json_get(r->json.nodes, "vision_config"), r->folder, err))) {
    return false;
  }
  v->blocks_run = v->blocks_stored;
  if (!model_vision_config_check(v, r->folder, err)) {
    return false;
  }
  grid = v->image_size / v->patch_size;
  if (grid * grid > MODEL_MAX_PATCHES ||
      3 * (uint64_t)v->patch_size * v->patch_size > MODEL_POOL_SCRATCH) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "%s: a tower of %u px in patches of %u: too many of them, or too large",
                      r->folder, v->image_size, v->patch_size);
  }
  return true;
}

/* ---- texts --------------------------------------------------------------------------------- */

static bool
read_huggingface_text(ModelClipReader *r, ModelError *err)
{
  const ModelJsonNode *section = model_json_get(r->json.nodes, "text_config");
  ModelClipTextConfig *t = &r->clip->text_config;
  const char *act = "quick_gelu", *type = "clip_text_model";
  uint32_t end = 2;

  t->shape.hidden = clamp(size_of(r, r->text, "embeddings.token_embedding.weight", 2, 1));
  t->shape.heads = t->shape.hidden / 64;
  t->shape.ffn = clamp(size_of(r, r->text, "encoder.layers.0.mlp.fc1.weight", 2, 0));
  t->shape.eps = 1e-5f;
  t->vocab = clamp(size_of(r, r->text, "embeddings.token_embedding.weight", 2, 0));
  t->positions = clamp(size_of(r, r->text, "embeddings.position_embedding.weight", 2, 0));
  t->layers = count_blocks(r, "text_model.encoder.layers.", ".layer_norm1.weight");
  if (!model_json_u32(&r->json, section, "hidden_size", &t->shape.hidden, err) ||
      !model_json_u32(&r->json, section, "intermediate_size", &t->shape.ffn, err) ||
      !model_json_u32(&r->json, section, "num_hidden_layers", &t->layers, err) ||
      !model_json_u32(&r->json, section, "num_attention_heads", &t->shape.heads, err) ||
      !model_json_u32(&r->json, section, "vocab_size", &t->vocab, err) ||
      !model_json_u32(&r->json, section, "max_position_embeddings", &t->positions, err) ||
      !model_json_float(&r->json, section, "layer_norm_eps", &t->shape.eps, err) ||
      !model_json_u32(&r->json, section, "eos_token_id", &end, err) ||
      !model_json_string(&r->json, section, "hidden_act", &act, err) ||
      !model_json_string(&r->json, section, "model_type", &type, err)) {
    return false;
  }
  if (strncmp(type, "clip", 4) != 0 ||
      (strcmp(act, "quick_gelu") != 0 && strcmp(act, "gelu") != 0)) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: the text tower is of type \"%.60s\" with \"%.60s\"; CLIP's with "
                      "quick_gelu or gelu are read",
                      r->json.label, type, act);
  }
  t->shape.gelu_erf = strcmp(act, "gelu") == 0;
  t->shape.causal = true;
  t->context = t->positions;
  /* Configurations of before 2023 say 2, which CLIP's end never was: then it is the highest id. */
  t->end = end == 2 || end > INT32_MAX ? -1 : (int32_t)end;
  return true;
}

static void
derive_bert(ModelClipReader *r)
{
  ModelClipTextConfig *t = &r->clip->text_config;

  t->shape.hidden = clamp(size_of(r, r->text, "embeddings.word_embeddings.weight", 2, 1));
  t->shape.ffn = clamp(size_of(r, r->text, "encoder.layer.0.intermediate.dense.weight", 2, 0));
  t->shape.eps = 1e-12f;
  t->shape.gelu_erf = true;
  t->shape.post_norm = true;
  t->vocab = clamp(size_of(r, r->text, "embeddings.word_embeddings.weight", 2, 0));
  t->positions = clamp(size_of(r, r->text, "embeddings.position_embeddings.weight", 2, 0));
  t->layers =
      count_blocks(r, "text.transformer.encoder.layer.", ".attention.output.LayerNorm.weight");
  t->end = -1;
  t->mlp = find(r, "text.proj.", "2.weight") != NULL;
  t->wide = clamp(size_of(r, "text.proj.", "0.weight", 2, 0));
}

static void
derive_openai(ModelClipReader *r, bool quick)
{
  ModelClipTextConfig *t = &r->clip->text_config;
  char prefix[64];

  snprintf(prefix, sizeof prefix, "%stransformer.resblocks.", r->text);
  t->shape.hidden = clamp(size_of(r, r->text, "token_embedding.weight", 2, 1));
  t->shape.ffn = clamp(size_of(r, r->text, "transformer.resblocks.0.mlp.c_fc.weight", 2, 0));
  t->shape.eps = 1e-5f;
  t->shape.gelu_erf = !quick;
  t->shape.causal = true;
  t->vocab = clamp(size_of(r, r->text, "token_embedding.weight", 2, 0));
  t->positions = clamp(size_of(r, r->text, "positional_embedding", 2, 0));
  t->layers = count_blocks(r, prefix, ".ln_1.weight");
  t->end = -1;
}

static bool
read_open_text(ModelClipReader *r, ModelError *err)
{
  static const char *const known[] = {
      "context_length",      "vocab_size",    "width",     "heads",          "layers",
      "mlp_ratio",           "hf_model_name", "proj",      "pooler_type",    "hf_tokenizer_name",
      "hf_model_pretrained", "hf_proj_type",  "pool_type", "hf_pooler_type", NULL};
  const ModelJsonNode *model = model_json_get(r->json.nodes, "model_cfg");
  const ModelJsonNode *section = model_json_get(model, "text_cfg");
  ModelClipTextConfig *t = &r->clip->text_config;
  const bool bert = t->kind == MODEL_CLIP_BERT;
  bool quick = false;

  if (!model_json_bool(&r->json, model, "quick_gelu", &quick, err)) {
    return false;
  }
  if (bert) {
    derive_bert(r);
  } else {
    derive_openai(r, quick);
  }
  t->shape.heads = t->shape.hidden / 64;
  t->context = 77;
  return check_known(r, section, known, err) &&
         (!bert ||
          check_choice(r, section, "hf_pooler_type", "pooler_type", "cls_last_hidden_state_pooler",
                       "cls_last_hidden_state_pooler", err)) &&
         (!bert || check_choice(r, section, "hf_proj_type", "proj", t->mlp ? "mlp" : "linear",
                                t->mlp ? "mlp" : "linear", err)) &&
         (bert || check_choice(r, section, "pool_type", NULL, "argmax", "argmax", err)) &&
         model_json_u32(&r->json, section, "heads", &t->shape.heads, err) &&
         model_json_u32(&r->json, section, "context_length", &t->context, err);
}

static bool
check_text(const ModelClipReader *r, ModelError *err)
{
  const ModelClipTextConfig *t = &r->clip->text_config;
  const ModelBlockShape *s = &t->shape;

  if (s->hidden < 1 || s->hidden > MODEL_MAX_HIDDEN || s->ffn < 1 || s->ffn > MODEL_MAX_HIDDEN ||
      t->layers < 1 || t->layers > MODEL_MAX_LAYERS || t->vocab < 1 || t->vocab > MODEL_MAX_VOCAB ||
      t->wide > MODEL_MAX_HIDDEN) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: a text tower of %u layers, %u wide, %u in the middle and %u ids is out "
                      "of bounds",
                      r->folder, t->layers, s->hidden, s->ffn, t->vocab);
  }
  if (s->heads < 1 || s->hidden % s->heads != 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the text tower's %u heads do not divide its hidden size %u", r->folder,
                      s->heads, s->hidden);
  }
  if (t->context < 2 || t->context > t->positions || t->positions > MODEL_MAX_CONTEXT) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: texts of %u ids, and %u positions; expected 2 to as many", r->folder,
                      t->context, t->positions);
  }
  if (!(s->eps > 0 && s->eps < 1)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the text tower's layer norm epsilon is %g, expected more than 0 and "
                      "less than 1",
                      r->folder, (double)s->eps);
  }
  return true;
}

/* ---- both ---------------------------------------------------------------------------------- */

static bool
find_kinds(ModelClipReader *r, ModelError *err)
{
  ModelClip *clip = r->clip;

  if (!r->open_clip) {
    clip->kind = MODEL_CLIP_HUGGINGFACE;
    clip->text_config.kind = MODEL_CLIP_TEXT;
    r->vision = "vision_model.";
    r->text = "text_model.";
    return true;
  }
  if (find(r, "visual.trunk.", "patch_embed.proj.weight")) {
    clip->kind = MODEL_CLIP_TIMM;
    r->vision = "visual.trunk.";
  } else if (find(r, "visual.", "conv1.weight")) {
    clip->kind = MODEL_CLIP_OPENAI;
    r->vision = "visual.";
  }
  if (find(r, "text.transformer.", "embeddings.word_embeddings.weight")) {
    clip->text_config.kind = MODEL_CLIP_BERT;
    r->text = "text.transformer.";
  } else if (find(r, "", "token_embedding.weight") || find(r, "text.", "token_embedding.weight")) {
    clip->text_config.kind = MODEL_CLIP_TEXT_OPENAI;
    r->text = find(r, "", "token_embedding.weight") ? "" : "text.";
  }
  if (!r->vision || !r->text) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: found no tower of %s that is read here: OpenAI's (%s), or %s", r->folder,
                      r->vision ? "texts" : "pictures",
                      r->vision ? "token_embedding.weight" : "visual.conv1.weight",
                      r->vision ? "BERT (text.transformer.embeddings.word_embeddings.weight)"
                                : "timm's ViT (visual.trunk.patch_embed.proj.weight)");
  }
  return true;
}

/* Numbers of a direction, by the projection of texts. */
static uint64_t
width_of(const ModelClipReader *r)
{
  switch (r->clip->text_config.kind) {
  case MODEL_CLIP_BERT:
    return r->clip->text_config.mlp ? size_of(r, "text.proj.", "2.weight", 2, 0)
                                    : size_of(r, "text.proj.", "weight", 2, 0);
  case MODEL_CLIP_TEXT_OPENAI:
    return size_of(r, r->text, "text_projection", 2, 1);
  default:
    return size_of(r, "", "text_projection.weight", 2, 0);
  }
}

bool
model_clip_config(ModelClipReader *r, ModelError *err)
{
  const ModelJsonNode *model =
      r->open_clip ? model_json_get(r->json.nodes, "model_cfg") : r->json.nodes;
  const char *key = r->open_clip ? "embed_dim" : "projection_dim";
  ModelClip *clip = r->clip;

  if (!find_kinds(r, err)) {
    return false;
  }
  clip->width = clamp(width_of(r));
  if (!model_json_u32(&r->json, model, key, &clip->width, err) || !read_vision(r, err) ||
      !(r->open_clip ? read_open_text(r, err) : read_huggingface_text(r, err)) ||
      !check_text(r, err)) {
    return false;
  }
  return (clip->width >= 1 && clip->width <= MODEL_MAX_HIDDEN) ||
         model_fail(err, MODEL_ERROR_CORRUPT, "%s: %s is %u, expected 1 to %u", r->folder, key,
                    clip->width, MODEL_MAX_HIDDEN);
}
