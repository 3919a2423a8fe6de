#include "checkpoint/roles.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const float model_clip_mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
const float model_clip_std[3] = {0.26862954f, 0.26130258f, 0.27577711f};

const char model_tower_prefix[] = "model.vision_tower.vision_tower.vision_model.";

static void
set_shape(ModelRole *role, uint32_t n_dims, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
  role->n_dims = n_dims;
  role->shape[0] = a;
  role->shape[1] = b;
  role->shape[2] = c;
  role->shape[3] = d;
}

static void
set_name(char *out, size_t n, const char *name)
{
  snprintf(out, n, "%s", name);
}

#define LAYER_ROLES 9

static void
layer_role(const ModelDecoderConfig *c, ModelLayer *layer, uint32_t n, uint32_t index,
           ModelRole *role)
{
  uint64_t q = (uint64_t)c->heads * c->head_dim, kv = (uint64_t)c->kv_heads * c->head_dim;
  const struct {
    ModelTensor *tensor;
    const char *name, *gguf;
    uint64_t rows, columns;
    uint32_t rope_heads;
  } roles[LAYER_ROLES] = {
      {&layer->attn_norm, "input_layernorm", "attn_norm", c->hidden, 0, 0},
      {&layer->q, "self_attn.q_proj", "attn_q", q, c->hidden, c->heads},
      {&layer->k, "self_attn.k_proj", "attn_k", kv, c->hidden, c->kv_heads},
      {&layer->v, "self_attn.v_proj", "attn_v", kv, c->hidden, 0},
      {&layer->o, "self_attn.o_proj", "attn_output", c->hidden, q, 0},
      {&layer->ffn_norm, "post_attention_layernorm", "ffn_norm", c->hidden, 0, 0},
      {&layer->gate, "mlp.gate_proj", "ffn_gate", c->ffn, c->hidden, 0},
      {&layer->up, "mlp.up_proj", "ffn_up", c->ffn, c->hidden, 0},
      {&layer->down, "mlp.down_proj", "ffn_down", c->hidden, c->ffn, 0},
  };

  role->tensor = roles[index].tensor;
  role->rope_heads = roles[index].rope_heads;
  snprintf(role->name, sizeof role->name, "model.layers.%u.%s.weight", n, roles[index].name);
  snprintf(role->gguf, sizeof role->gguf, "blk.%u.%s.weight", n, roles[index].gguf);
  set_shape(role, roles[index].columns ? 2 : 1, roles[index].rows, roles[index].columns, 0, 0);
}

#define BLOCK_ROLES 16

static void
block_role(const ModelVisionConfig *c, ModelVisionBlock *block, uint32_t n, uint32_t index,
           ModelRole *role)
{
  const struct {
    ModelTensor *tensors[2]; /* weight, bias */
    const char *name, *gguf;
    uint64_t rows, columns;
  } roles[BLOCK_ROLES / 2] = {
      {{&block->ln1_w, &block->ln1_b}, "layer_norm1", "ln1", c->hidden, 0},
      {{&block->q_w, &block->q_b}, "self_attn.q_proj", "attn_q", c->hidden, c->hidden},
      {{&block->k_w, &block->k_b}, "self_attn.k_proj", "attn_k", c->hidden, c->hidden},
      {{&block->v_w, &block->v_b}, "self_attn.v_proj", "attn_v", c->hidden, c->hidden},
      {{&block->o_w, &block->o_b}, "self_attn.out_proj", "attn_out", c->hidden, c->hidden},
      {{&block->ln2_w, &block->ln2_b}, "layer_norm2", "ln2", c->hidden, 0},
      {{&block->fc1_w, &block->fc1_b}, "mlp.fc1", "ffn_up", c->ffn, c->hidden},
      {{&block->fc2_w, &block->fc2_b}, "mlp.fc2", "ffn_down", c->hidden, c->ffn},
  };
  bool bias = index % 2;
  const char *ending = bias ? "bias" : "weight";

  index /= 2;
  role->tensor = roles[index].tensors[bias];
  snprintf(role->name, sizeof role->name, "%sencoder.layers.%u.%s.%s", model_tower_prefix, n,
           roles[index].name, ending);
  snprintf(role->gguf, sizeof role->gguf, "v.blk.%u.%s.%s", n, roles[index].gguf, ending);
  set_shape(role, bias || !roles[index].columns ? 1 : 2, roles[index].rows, roles[index].columns, 0,
            0);
}

static bool
decoder_role(const ModelConfig *config, ModelWeights *weights, uint32_t index, ModelRole *role)
{
  const ModelDecoderConfig *c = &config->decoder;

  role->part = MODEL_PART_DECODER;
  if (index == 0) {
    role->tensor = &weights->token_embedding;
    set_name(role->name, sizeof role->name, "model.embed_tokens.weight");
    set_name(role->gguf, sizeof role->gguf, "token_embd.weight");
    set_shape(role, 2, c->vocab, c->hidden, 0, 0);
    role->padded = true;
    return true;
  }
  index--;
  if (index < c->layers * LAYER_ROLES) {
    uint32_t n = index / LAYER_ROLES;
    layer_role(c, &weights->layers[n], n, index % LAYER_ROLES, role);
    return true;
  }
  index -= c->layers * LAYER_ROLES;
  if (index == 0) {
    role->tensor = &weights->output_norm;
    set_name(role->name, sizeof role->name, "model.norm.weight");
    set_name(role->gguf, sizeof role->gguf, "output_norm.weight");
    set_shape(role, 1, c->hidden, 0, 0, 0);
    return true;
  }
  role->tensor = &weights->output;
  set_name(role->name, sizeof role->name, "lm_head.weight");
  set_name(role->gguf, sizeof role->gguf, "output.weight");
  set_shape(role, 2, c->vocab, c->hidden, 0, 0);
  role->padded = true;
  return true;
}

static void
projector_role(const ModelConfig *config, ModelWeights *weights, uint32_t index, ModelRole *role)
{
  uint32_t n = index / 2;
  bool bias = index % 2;
  const char *ending = bias ? "bias" : "weight";

  role->part = MODEL_PART_PROJECTOR;
  role->tensor = bias ? &weights->mm_b[n] : &weights->mm_w[n];
  if (config->projector == MODEL_PROJECTOR_LINEAR)
    snprintf(role->name, sizeof role->name, "model.mm_projector.%s", ending);
  else
    snprintf(role->name, sizeof role->name, "model.mm_projector.%u.%s", 2 * n, ending);
  snprintf(role->gguf, sizeof role->gguf, "mm.%u.%s", 2 * n, ending);
  set_shape(role, bias ? 1 : 2, config->decoder.hidden,
            n ? config->decoder.hidden : config->vision.hidden, 0, 0);
}

static bool
tower_role(const ModelConfig *config, ModelWeights *weights, uint32_t index, ModelRole *role)
{
  const ModelVisionConfig *c = &config->vision;
  uint64_t side = c->image_size / c->patch_size;
  const struct {
    ModelTensor *tensor;
    const char *name, *gguf;
  } before[] = {
      {&weights->class_embedding, "embeddings.class_embedding", "v.class_embd"},
      {&weights->patch_embedding, "embeddings.patch_embedding.weight", "v.patch_embd.weight"},
      {&weights->position_embedding, "embeddings.position_embedding.weight",
       "v.position_embd.weight"},
      {&weights->pre_ln_w, "pre_layrnorm.weight", "v.pre_ln.weight"},
      {&weights->pre_ln_b, "pre_layrnorm.bias", "v.pre_ln.bias"},
      {&weights->post_ln_w, "post_layernorm.weight", "v.post_ln.weight"},
      {&weights->post_ln_b, "post_layernorm.bias", "v.post_ln.bias"},
  };
  uint32_t at = index, in_blocks = c->blocks_stored * BLOCK_ROLES;

  role->part = MODEL_PART_TOWER;
  if (index >= 5 && index - 5 < in_blocks) {
    uint32_t n = (index - 5) / BLOCK_ROLES;
    block_role(c, &weights->blocks[n], n, (index - 5) % BLOCK_ROLES, role);
    return true;
  }
  if (index >= 5)
    at = index - in_blocks;
  if (at >= sizeof before / sizeof *before)
    return false;
  role->tensor = before[at].tensor;
  role->optional = at >= 5;
  snprintf(role->name, sizeof role->name, "%s%s", model_tower_prefix, before[at].name);
  snprintf(role->gguf, sizeof role->gguf, "%s", before[at].gguf);
  if (at == 1)
    set_shape(role, 4, c->hidden, 3, c->patch_size, c->patch_size);
  else if (at == 2)
    set_shape(role, 2, 1 + side * side, c->hidden, 0, 0);
  else
    set_shape(role, 1, c->hidden, 0, 0, 0);
  return true;
}

bool
model_role_at(const ModelConfig *config, ModelWeights *weights, uint32_t index, ModelRole *role)
{
  uint32_t n_decoder = config->decoder.layers * LAYER_ROLES + (weights->tied ? 2 : 3);
  uint32_t n_projector = config->projector == MODEL_PROJECTOR_LINEAR ? 2 : 4;

  memset(role, 0, sizeof *role);
  if (index < n_decoder)
    return decoder_role(config, weights, index, role);
  index -= n_decoder;
  if (!config->has_vision)
    return false;
  if (index < n_projector) {
    projector_role(config, weights, index, role);
    return true;
  }
  return tower_role(config, weights, index - n_projector, role);
}

const ModelTensor *
model_checkpoint_tensor(const ModelCheckpoint *checkpoint, uint32_t index, char name[256])
{
  /* The role points to the tensor for the readers' sake; nothing is changed here. */
  ModelWeights *weights = (ModelWeights *)&checkpoint->weights;
  ModelRole role;

  if (!model_role_at(&checkpoint->config, weights, index, &role))
    return NULL;
  /* Only post_layernorm may be absent, and it comes last, both parts or none. */
  if (!role.tensor->data)
    return NULL;
  snprintf(name, 256, "%s", role.name);
  return role.tensor;
}

/* ---- names in Hugging Face folders -------------------------------------------------------- */

const ModelLayout *
model_layout_at(uint32_t index)
{
  static const ModelLayout layouts[] = {
      {"model.", "lm_head.weight", NULL, model_tower_prefix},
      {"language_model.model.", "language_model.lm_head.weight", "multi_modal_projector.",
       "vision_tower.vision_model."},
      {"model.language_model.", "lm_head.weight", "model.multi_modal_projector.",
       "model.vision_tower.vision_model."},
  };

  return index < sizeof layouts / sizeof *layouts ? &layouts[index] : NULL;
}

const ModelLayout *
model_layout_detect(const ModelTable *table)
{
  const ModelLayout *layout;
  char name[256];

  for (uint32_t i = 0; (layout = model_layout_at(i)); i++) {
    snprintf(name, sizeof name, "%sembed_tokens.weight", layout->decoder);
    if (model_table_find(table, name))
      return layout;
  }
  return NULL;
}

void
model_layout_name(const ModelLayout *layout, const ModelRole *role, char name[256])
{
  static const char model[] = "model.", projector[] = "model.mm_projector.";

  if (role->part == MODEL_PART_PROJECTOR && layout->projector) {
    const char *rest = role->name + strlen(projector);
    /* Linear layers sit at 0 and 2 of the original's nn.Sequential. */
    if (rest[0] == '0' || rest[0] == '2')
      snprintf(name, 256, "%slinear_%c.%s", layout->projector, rest[0] == '0' ? '1' : '2',
               rest + 2);
    else
      snprintf(name, 256, "%slinear_1.%s", layout->projector, rest);
  } else if (role->part == MODEL_PART_DECODER && strcmp(role->name, "lm_head.weight") == 0) {
    snprintf(name, 256, "%s", layout->head);
  } else if (role->part == MODEL_PART_DECODER) {
    snprintf(name, 256, "%s%s", layout->decoder, role->name + strlen(model));
  } else if (role->part == MODEL_PART_TOWER) {
    snprintf(name, 256, "%s%s", layout->tower, role->name + strlen(model_tower_prefix));
  } else {
    snprintf(name, 256, "%s", role->name);
  }
}

/* ---- filling ------------------------------------------------------------------------------ */

static void
shape_text(char *text, size_t n, const uint64_t *shape, uint32_t n_dims)
{
  size_t at = 0;

  at += (size_t)snprintf(text, n, "[");
  for (uint32_t i = 0; i < n_dims && at < n; i++)
    at +=
        (size_t)snprintf(text + at, n - at, "%s%llu", i ? ", " : "", (unsigned long long)shape[i]);
  if (at < n)
    snprintf(text + at, n - at, "]");
}

bool
model_role_fill(const ModelRole *role, const ModelTableEntry *entry, const char *name,
                const char *path, ModelError *err)
{
  ModelTensor tensor;
  bool fits;

  if (!entry) {
    if (role->optional)
      return true;
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s is missing", path, name);
  }
  tensor = entry->tensor;
  if (tensor.type == MODEL_TYPE_NOT_READ)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: tensor %s has type %s, which is not read",
                      entry->mapping->path, name, entry->type_name);
  fits = tensor.n_dims == role->n_dims;
  for (uint32_t i = 0; fits && i < role->n_dims; i++)
    fits = tensor.shape[i] == role->shape[i] ||
           (i == 0 && role->padded && tensor.shape[i] > role->shape[i]);
  if (!fits) {
    char found[128], expected[128];
    shape_text(found, sizeof found, tensor.shape, tensor.n_dims);
    shape_text(expected, sizeof expected, role->shape, role->n_dims);
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s has shape %s, expected %s%s",
                      entry->mapping->path, name, found, expected,
                      role->padded ? " or more rows" : "");
  }
  tensor.shape[0] = role->shape[0];
  tensor.n_bytes =
      model_type_bytes(tensor.type, model_tensor_rows(&tensor), model_tensor_columns(&tensor));
  *role->tensor = tensor;
  return true;
}

bool
model_weights_alloc(ModelCheckpoint *checkpoint, ModelError *err)
{
  const ModelConfig *config = &checkpoint->config;
  ModelWeights *weights = &checkpoint->weights;

  if (!weights->layers)
    weights->layers = calloc(config->decoder.layers, sizeof *weights->layers);
  if (!weights->blocks && config->has_vision)
    weights->blocks = calloc(config->vision.blocks_stored, sizeof *weights->blocks);
  if (!weights->layers || (config->has_vision && !weights->blocks))
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
  return true;
}

/* ---- sanity of sizes ---------------------------------------------------------------------- */

static bool
in_range(const char *path, const char *field, uint64_t found, uint64_t least, uint64_t most,
         ModelError *err)
{
  if (found >= least && found <= most)
    return true;
  return model_fail(err, found > most ? MODEL_ERROR_TOO_LARGE : MODEL_ERROR_CORRUPT,
                    "%s: %s is %llu, expected %llu to %llu", path, field, (unsigned long long)found,
                    (unsigned long long)least, (unsigned long long)most);
}

static bool
eps_fits(const char *path, const char *field, float eps, ModelError *err)
{
  if (eps > 0 && eps < 1)
    return true;
  return model_fail(err, MODEL_ERROR_CORRUPT, "%s: %s is %g, expected more than 0 and less than 1",
                    path, field, (double)eps);
}

bool
model_vision_config_check(const ModelVisionConfig *c, const char *path, ModelError *err)
{
  if (!in_range(path, "the tower's image size", c->image_size, 1, MODEL_MAX_IMAGE_SIDE, err) ||
      !in_range(path, "the tower's patch size", c->patch_size, 1, c->image_size, err) ||
      !in_range(path, "the tower's hidden size", c->hidden, 1, MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "the tower's ffn size", c->ffn, 1, MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "the tower's number of heads", c->heads, 1, c->hidden, err) ||
      !in_range(path, "the tower's number of blocks", c->blocks_stored, 1, MODEL_MAX_LAYERS, err) ||
      !in_range(path, "the tower's blocks to run", c->blocks_run, 0, c->blocks_stored, err) ||
      !eps_fits(path, "the tower's layer norm epsilon", c->eps, err))
    return false;
  if (c->image_size % c->patch_size != 0)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: patches of %u pixels do not divide the tower's image of %u", path,
                      c->patch_size, c->image_size);
  if (c->hidden % c->heads != 0)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the tower's %u heads do not divide its hidden size %u", path, c->heads,
                      c->hidden);
  for (int i = 0; i < 3; i++)
    if (!(c->std[i] > 0 && c->std[i] < 1e6f) || !(c->mean[i] > -1e6f && c->mean[i] < 1e6f))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: image mean %g and std %g of channel %d, expected finite numbers and "
                        "std more than 0",
                        path, (double)c->mean[i], (double)c->std[i], i);
  return true;
}

bool
model_config_check(const ModelConfig *config, const char *path, ModelError *err)
{
  const ModelDecoderConfig *c = &config->decoder;

  if (!in_range(path, "the hidden size", c->hidden, 1, MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "the number of layers", c->layers, 1, MODEL_MAX_LAYERS, err) ||
      !in_range(path, "the number of heads", c->heads, 1, MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "the number of key/value heads", c->kv_heads, 1, c->heads, err) ||
      !in_range(path, "the head size", c->head_dim, 2, MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "heads times head size", (uint64_t)c->heads * c->head_dim, 2,
                MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "the ffn size", c->ffn, 1, MODEL_MAX_HIDDEN, err) ||
      !in_range(path, "the vocabulary", c->vocab, 1, MODEL_MAX_VOCAB, err) ||
      !in_range(path, "the context", c->context, 1, MODEL_MAX_CONTEXT, err) ||
      !eps_fits(path, "the RMS norm epsilon", c->eps, err))
    return false;
  if (c->heads % c->kv_heads != 0)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: %u key/value heads do not divide %u attention heads", path, c->kv_heads,
                      c->heads);
  if (c->head_dim % 2 != 0)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: the head size is %u, expected an even number",
                      path, c->head_dim);
  if (!(c->theta > 0 && c->theta < 1e30f))
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: the rope theta is %g, expected more than 0",
                      path, (double)c->theta);
  return !config->has_vision || model_vision_config_check(&config->vision, path, err);
}
