/* tensors.c - the tensors of a pair by their roles, whatever their files call them.
 *
 * A tensor of a tower that no role takes is refused, because it would be part of another
 * arithmetic; the few that only training or other uses need are named below. */
#include "clip/clip.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define ALIGN_FLOATS 16u /* slices of the arena start on 64 bytes */

typedef struct {
  ModelClipReader *reader;
  bool *taken; /* entries of the table */
  /* What must become float32, or be turned round: roles. */
  ModelTensor **vectors;
  size_t n_vectors, capacity;
  ModelTensor *turned[2];
  uint32_t n_turned;
} Filling;

/* What a tower's blocks call the parts of ModelVisionBlock, in the order of `parts`. FUSED: the
 * first of the three is all of them, one below the other. */
typedef struct {
  const char *weights[8], *biases[8];
  bool fused;
} Names;

enum { LN1, Q, K, V, O, LN2, FC1, FC2, N_PARTS };

static const Names huggingface = {
    {"layer_norm1.weight", "self_attn.q_proj.weight", "self_attn.k_proj.weight",
     "self_attn.v_proj.weight", "self_attn.out_proj.weight", "layer_norm2.weight", "mlp.fc1.weight",
     "mlp.fc2.weight"},
    {"layer_norm1.bias", "self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias",
     "self_attn.out_proj.bias", "layer_norm2.bias", "mlp.fc1.bias", "mlp.fc2.bias"},
    false};
static const Names openai = {{"ln_1.weight", "attn.in_proj_weight", NULL, NULL,
                              "attn.out_proj.weight", "ln_2.weight", "mlp.c_fc.weight",
                              "mlp.c_proj.weight"},
                             {"ln_1.bias", "attn.in_proj_bias", NULL, NULL, "attn.out_proj.bias",
                              "ln_2.bias", "mlp.c_fc.bias", "mlp.c_proj.bias"},
                             true};
static const Names timm = {{"norm1.weight", "attn.qkv.weight", NULL, NULL, "attn.proj.weight",
                            "norm2.weight", "mlp.fc1.weight", "mlp.fc2.weight"},
                           {"norm1.bias", "attn.qkv.bias", NULL, NULL, "attn.proj.bias",
                            "norm2.bias", "mlp.fc1.bias", "mlp.fc2.bias"},
                           true};
static const Names bert = {
    {"attention.output.LayerNorm.weight", "attention.self.query.weight",
     "attention.self.key.weight", "attention.self.value.weight", "attention.output.dense.weight",
     "output.LayerNorm.weight", "intermediate.dense.weight", "output.dense.weight"},
    {"attention.output.LayerNorm.bias", "attention.self.query.bias", "attention.self.key.bias",
     "attention.self.value.bias", "attention.output.dense.bias", "output.LayerNorm.bias",
     "intermediate.dense.bias", "output.dense.bias"},
    false};

/* ---- taking -------------------------------------------------------------------------------- */

static bool
remember(Filling *f, ModelTensor *vector, ModelError *err)
{
  if (f->n_vectors == f->capacity) {
    const size_t capacity = f->capacity ? 2 * f->capacity : 256;
    ModelTensor **grown = realloc(f->vectors, capacity * sizeof *grown);
    if (!grown) {
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the table of weights");
    }
    f->vectors = grown;
    f->capacity = capacity;
  }
  f->vectors[f->n_vectors++] = vector;
  return true;
}

/* PREFIX and NAME, a tensor of N_DIMS sizes, into *OUT. */
static bool
take(Filling *f, ModelTensor *out, const char *prefix, const char *name, const uint64_t *shape,
     uint32_t n_dims, ModelError *err)
{
  const ModelTable *table = &f->reader->table;
  const ModelTableEntry *entry;
  ModelRole role = {.tensor = out, .n_dims = n_dims};
  char whole[MODEL_MAX_NAME];

  memcpy(role.shape, shape, n_dims * sizeof *shape);
  snprintf(whole, sizeof whole, "%s%s", prefix, name);
  entry = model_table_find(table, whole);
  if (!model_role_fill(&role, entry, whole, f->reader->folder, err)) {
    return false;
  }
  f->taken[entry - table->entries] = true;
  return true;
}

static bool
take_vector(Filling *f, ModelTensor *out, const char *prefix, const char *name, uint64_t n,
            ModelError *err)
{
  return take(f, out, prefix, name, &n, 1, err) && remember(f, out, err);
}

static bool
take_matrix(Filling *f, ModelTensor *out, const char *prefix, const char *name, uint64_t rows,
            uint64_t columns, ModelError *err)
{
  return take(f, out, prefix, name, (const uint64_t[]){rows, columns}, 2, err);
}

/* A matrix that the file holds as [columns][rows]: x times it, not it times x. */
static bool
take_turned(Filling *f, ModelTensor *out, const char *prefix, const char *name, uint64_t rows,
            uint64_t columns, ModelError *err)
{
  assert(f->n_turned < 2);
  f->turned[f->n_turned++] = out;
  return take_matrix(f, out, prefix, name, columns, rows, err);
}

/* Rows N * I to N * (I + 1) - 1 of WHOLE. */
static ModelTensor
slice(const ModelTensor *whole, uint32_t i, uint64_t n)
{
  const uint64_t bytes = whole->n_bytes / 3;
  ModelTensor part = *whole;

  part.data += i * bytes;
  part.n_bytes = bytes;
  part.shape[0] = n;
  return part;
}

static bool
take_fused(Filling *f, ModelVisionBlock *b, const char *prefix, const Names *names, uint64_t hidden,
           ModelError *err)
{
  ModelTensor *weights[] = {&b->q_w, &b->k_w, &b->v_w}, *biases[] = {&b->q_b, &b->k_b, &b->v_b};
  const uint64_t rows = 3 * hidden;
  ModelTensor w = {0}, bias = {0};

  if (!take_matrix(f, &w, prefix, names->weights[Q], rows, hidden, err) ||
      !take(f, &bias, prefix, names->biases[Q], &rows, 1, err)) {
    return false;
  }
  for (uint32_t i = 0; i < 3; i++) {
    *weights[i] = slice(&w, i, hidden);
    *biases[i] = slice(&bias, i, hidden);
    if (!remember(f, biases[i], err)) {
      return false;
    }
  }
  return true;
}

static bool
take_block(Filling *f, ModelVisionBlock *b, const char *prefix, const Names *names, uint64_t hidden,
           uint64_t ffn, ModelError *err)
{
  const struct {
    ModelTensor *w, *b;
    uint64_t rows, columns; /* columns 0: a norm */
  } parts[N_PARTS] = {{&b->ln1_w, &b->ln1_b, hidden, 0},   {&b->q_w, &b->q_b, hidden, hidden},
                      {&b->k_w, &b->k_b, hidden, hidden},  {&b->v_w, &b->v_b, hidden, hidden},
                      {&b->o_w, &b->o_b, hidden, hidden},  {&b->ln2_w, &b->ln2_b, hidden, 0},
                      {&b->fc1_w, &b->fc1_b, ffn, hidden}, {&b->fc2_w, &b->fc2_b, hidden, ffn}};

  for (uint32_t i = 0; i < N_PARTS; i++) {
    bool ok;
    if (names->fused && i >= Q && i <= V) {
      ok = i != Q || take_fused(f, b, prefix, names, hidden, err);
    } else {
      ok = (parts[i].columns
                ? take_matrix(f, parts[i].w, prefix, names->weights[i], parts[i].rows,
                              parts[i].columns, err)
                : take_vector(f, parts[i].w, prefix, names->weights[i], parts[i].rows, err)) &&
           take_vector(f, parts[i].b, prefix, names->biases[i], parts[i].rows, err);
    }
    if (!ok) {
      return false;
    }
  }
  return true;
}

/* FORMAT: what comes between the tower's prefix and the block's number. */
static bool
take_blocks(Filling *f, ModelVisionBlock **blocks, uint32_t n, const char *prefix,
            const char *middle, const Names *names, uint64_t hidden, uint64_t ffn, ModelError *err)
{
  *blocks = calloc(n, sizeof **blocks);
  if (!*blocks) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the table of weights");
  }
  for (uint32_t i = 0; i < n; i++) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s%s%u.", prefix, middle, i);
    if (!take_block(f, *blocks + i, whole, names, hidden, ffn, err)) {
      return false;
    }
  }
  return true;
}

/* ---- towers -------------------------------------------------------------------------------- */

static bool
take_pair(Filling *f, ModelTensor *w, ModelTensor *b, const char *prefix, const char *name,
          uint64_t n, ModelError *err)
{
  char weight[64], bias[64];

  snprintf(weight, sizeof weight, "%s.weight", name);
  snprintf(bias, sizeof bias, "%s.bias", name);
  return take_vector(f, w, prefix, weight, n, err) && take_vector(f, b, prefix, bias, n, err);
}

static bool
take_sight(Filling *f, ModelError *err)
{
  ModelClip *clip = f->reader->clip;
  const ModelVisionConfig *c = &clip->vision;
  ModelClipSight *s = &clip->sight;
  const char *prefix = f->reader->vision;
  const uint64_t grid = c->image_size / c->patch_size, n = 1 + grid * grid;
  const uint64_t patch[] = {c->hidden, 3, c->patch_size, c->patch_size};

  switch (clip->kind) {
  case MODEL_CLIP_TIMM:
    return take(f, &s->class_embedding, prefix, "cls_token", (const uint64_t[]){1, 1, c->hidden}, 3,
                err) &&
           take(f, &s->position_embedding, prefix, "pos_embed", (const uint64_t[]){1, n, c->hidden},
                3, err) &&
           take(f, &s->patch_embedding, prefix, "patch_embed.proj.weight", patch, 4, err) &&
           take_vector(f, &s->patch_bias, prefix, "patch_embed.proj.bias", c->hidden, err) &&
           take_pair(f, &s->post_ln_w, &s->post_ln_b, prefix, "norm", c->hidden, err) &&
           take_matrix(f, &s->projection, "visual.", "head.proj.weight", clip->width, c->hidden,
                       err) &&
           take_blocks(f, &s->blocks, c->blocks_stored, prefix, "blocks.", &timm, c->hidden, c->ffn,
                       err);
  case MODEL_CLIP_OPENAI:
    return take_vector(f, &s->class_embedding, prefix, "class_embedding", c->hidden, err) &&
           take_matrix(f, &s->position_embedding, prefix, "positional_embedding", n, c->hidden,
                       err) &&
           take(f, &s->patch_embedding, prefix, "conv1.weight", patch, 4, err) &&
           take_pair(f, &s->pre_ln_w, &s->pre_ln_b, prefix, "ln_pre", c->hidden, err) &&
           take_pair(f, &s->post_ln_w, &s->post_ln_b, prefix, "ln_post", c->hidden, err) &&
           take_turned(f, &s->projection, prefix, "proj", clip->width, c->hidden, err) &&
           take_blocks(f, &s->blocks, c->blocks_stored, prefix, "transformer.resblocks.", &openai,
                       c->hidden, c->ffn, err);
  default:
    return take_vector(f, &s->class_embedding, prefix, "embeddings.class_embedding", c->hidden,
                       err) &&
           take_matrix(f, &s->position_embedding, prefix, "embeddings.position_embedding.weight", n,
                       c->hidden, err) &&
           take(f, &s->patch_embedding, prefix, "embeddings.patch_embedding.weight", patch, 4,
                err) &&
           take_pair(f, &s->pre_ln_w, &s->pre_ln_b, prefix, "pre_layrnorm", c->hidden, err) &&
           take_pair(f, &s->post_ln_w, &s->post_ln_b, prefix, "post_layernorm", c->hidden, err) &&
           take_matrix(f, &s->projection, "", "visual_projection.weight", clip->width, c->hidden,
                       err) &&
           take_blocks(f, &s->blocks, c->blocks_stored, prefix, "encoder.layers.", &huggingface,
                       c->hidden, c->ffn, err);
  }
}

static bool
take_bert(Filling *f, ModelError *err)
{
  ModelClip *clip = f->reader->clip;
  const ModelClipTextConfig *c = &clip->text_config;
  ModelClipText *t = &clip->text;
  const char *prefix = f->reader->text;
  const uint64_t hidden = c->shape.hidden;

  return take_matrix(f, &t->token_embedding, prefix, "embeddings.word_embeddings.weight", c->vocab,
                     hidden, err) &&
         take_matrix(f, &t->position_embedding, prefix, "embeddings.position_embeddings.weight",
                     c->positions, hidden, err) &&
         take_matrix(f, &t->kind_embedding, prefix, "embeddings.token_type_embeddings.weight", 2,
                     hidden, err) &&
         take_pair(f, &t->embedding_ln_w, &t->embedding_ln_b, prefix, "embeddings.LayerNorm",
                   hidden, err) &&
         (c->mlp
              ? take_matrix(f, &t->projection[0], "text.", "proj.0.weight", c->wide, hidden, err) &&
                    take_matrix(f, &t->projection[1], "text.", "proj.2.weight", clip->width,
                                c->wide, err)
              : take_matrix(f, &t->projection[0], "text.", "proj.weight", clip->width, hidden,
                            err)) &&
         take_blocks(f, &t->blocks, c->layers, prefix, "encoder.layer.", &bert, hidden,
                     c->shape.ffn, err);
}

static bool
take_text(Filling *f, ModelError *err)
{
  ModelClip *clip = f->reader->clip;
  const ModelClipTextConfig *c = &clip->text_config;
  ModelClipText *t = &clip->text;
  const char *prefix = f->reader->text;
  const uint64_t hidden = c->shape.hidden;

  switch (c->kind) {
  case MODEL_CLIP_BERT:
    return take_bert(f, err);
  case MODEL_CLIP_TEXT_OPENAI:
    return take_matrix(f, &t->token_embedding, prefix, "token_embedding.weight", c->vocab, hidden,
                       err) &&
           take_matrix(f, &t->position_embedding, prefix, "positional_embedding", c->positions,
                       hidden, err) &&
           take_pair(f, &t->final_ln_w, &t->final_ln_b, prefix, "ln_final", hidden, err) &&
           take_turned(f, &t->projection[0], prefix, "text_projection", clip->width, hidden, err) &&
           take_blocks(f, &t->blocks, c->layers, prefix, "transformer.resblocks.", &openai, hidden,
                       c->shape.ffn, err);
  default:
    return take_matrix(f, &t->token_embedding, prefix, "embeddings.token_embedding.weight",
                       c->vocab, hidden, err) &&
           take_matrix(f, &t->position_embedding, prefix, "embeddings.position_embedding.weight",
                       c->positions, hidden, err) &&
           take_pair(f, &t->final_ln_w, &t->final_ln_b, prefix, "final_layer_norm", hidden, err) &&
           take_matrix(f, &t->projection[0], "", "text_projection.weight", clip->width, hidden,
                       err) &&
           take_blocks(f, &t->blocks, c->layers, prefix, "encoder.layers.", &huggingface, hidden,
                       c->shape.ffn, err);
  }
}

static bool
take_scale(Filling *f, ModelError *err)
{
  ModelTensor scale = {0};
  const uint64_t one = 1;
  const ModelTableEntry *entry = model_table_find(&f->reader->table, "logit_scale");
  float value = 0;

  if (!take(f, &scale, "", "logit_scale", &one, entry && entry->tensor.n_dims == 1, err)) {
    return false;
  }
  scale.n_dims = 1;
  scale.shape[0] = 1;
  model_tensor_read_rows(&scale, 0, 1, &value);
  f->reader->clip->scale = exp((double)value);
  return (value >= -10 && value <= 10) ||
         model_fail(err, MODEL_ERROR_CORRUPT, "%s: logit_scale is %g, expected -10 to 10",
                    f->reader->folder, (double)value);
}

static bool
check_left_over(const Filling *f, ModelError *err)
{
  /* Counters, masks that are computed, and what BERT has for other uses. */
  static const char *const harmless[] = {"position_ids", "attn_mask", ".pooler.", "logit_bias",
                                         "token_type_ids"};
  const ModelTable *table = &f->reader->table;

  for (uint32_t i = 0; i < table->n; i++) {
    const char *name = table->entries[i].tensor.name;
    bool fits = f->taken[i];
    for (size_t k = 0; !fits && k < sizeof harmless / sizeof *harmless; k++) {
      fits = strstr(name, harmless[k]) != NULL;
    }
    if (!fits) {
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: holds tensor %s, which no tower that is read here has",
                        table->entries[i].mapping->path, name);
    }
  }
  return true;
}

/* ---- the arena ----------------------------------------------------------------------------- */

static uint64_t
floats_of(const ModelTensor *tensor)
{
  const uint64_t n = model_tensor_rows(tensor) * model_tensor_columns(tensor);

  return (n + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static bool
is_in_place(const ModelTensor *tensor)
{
  return tensor->type == MODEL_TYPE_F32 && ((uintptr_t)tensor->data & (sizeof(float) - 1)) == 0;
}

/* *TENSOR is float32 at OUT from now on; TURNED: the other way round. */
static void
move(ModelTensor *tensor, float *out, bool turned)
{
  const uint64_t rows = model_tensor_rows(tensor), columns = model_tensor_columns(tensor);

  if (!turned) {
    model_tensor_read_rows(tensor, 0, rows, out);
  }
  for (uint64_t i = 0; turned && i < rows; i++) {
    /* One value at a time would read rows again and again; a row is read behind what it fills. */
    float *row = out + rows * columns;
    model_tensor_read_rows(tensor, i, 1, row);
    for (uint64_t k = 0; k < columns; k++) {
      out[k * rows + i] = row[k];
    }
  }
  if (turned) {
    tensor->shape[0] = columns;
    tensor->shape[1] = rows;
  }
  tensor->data = (const uint8_t *)out;
  tensor->n_bytes = rows * columns * sizeof(float);
  tensor->type = MODEL_TYPE_F32;
}

/* Every size was held against a file's. Behind all of it is room for one more row. */
static bool
fill_arena(const Filling *f, ModelError *err)
{
  ModelClip *clip = f->reader->clip;
  uint64_t n = MODEL_MAX_HIDDEN, at = 0, bytes;

  for (size_t i = 0; i < f->n_vectors; i++) {
    n += is_in_place(f->vectors[i]) ? 0 : floats_of(f->vectors[i]);
  }
  for (uint32_t i = 0; i < f->n_turned; i++) {
    n += floats_of(f->turned[i]);
  }
  if (__builtin_mul_overflow(n, sizeof(float), &bytes) || bytes > SIZE_MAX / 2 ||
      !(clip->arena = aligned_alloc(ALIGN_FLOATS * sizeof(float), (size_t)bytes))) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %llu float32 weights",
                      (unsigned long long)n);
  }
  for (size_t i = 0; i < f->n_vectors; i++) {
    if (!is_in_place(f->vectors[i])) {
      const uint64_t taken = floats_of(f->vectors[i]);
      move(f->vectors[i], clip->arena + at, false);
      at += taken;
    }
  }
  for (uint32_t i = 0; i < f->n_turned; i++) {
    const uint64_t taken = floats_of(f->turned[i]);
    move(f->turned[i], clip->arena + at, true);
    at += taken;
  }
  return true;
}

bool
model_clip_tensors(ModelClipReader *r, ModelError *err)
{
  Filling f = {.reader = r, .taken = calloc((size_t)r->table.n + 1, sizeof *f.taken)};
  ModelClip *clip = r->clip;
  bool ok = f.taken || model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", r->folder);

  ok = ok && take_sight(&f, err) && take_text(&f, err) && take_scale(&f, err) &&
       check_left_over(&f, err);
  /* These are read as arrays, too. */
  ok = ok && (clip->kind != MODEL_CLIP_TIMM || remember(&f, &clip->sight.class_embedding, err)) &&
       remember(&f, &clip->sight.position_embedding, err) &&
       (clip->text_config.kind != MODEL_CLIP_BERT || remember(&f, &clip->text.kind_embedding, err));
  ok = ok && fill_arena(&f, err);
  free(f.taken);
  free(f.vectors);
  return ok;
}

void
model_clip_tensors_clear(ModelClip *clip)
{
  free(clip->sight.blocks);
  free(clip->text.blocks);
  free(clip->arena);
}
