#include "checkpoint/gguf-header.h"

#include "checkpoint/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
model_bytes_put(ModelBytes *bytes, const void *data, size_t n)
{
  if (bytes->failed || n == 0)
    return;
  if (n > bytes->capacity - bytes->n) {
    size_t capacity = 2 * bytes->capacity + n + 4096;
    uint8_t *grown = realloc(bytes->data, capacity);
    if (!grown) {
      bytes->failed = true;
      return;
    }
    bytes->data = grown;
    bytes->capacity = capacity;
  }
  memcpy(bytes->data + bytes->n, data, n);
  bytes->n += n;
}

static void
put_little(ModelBytes *bytes, uint64_t value, size_t n)
{
  uint8_t little[8];

  for (size_t i = 0; i < n; i++)
    little[i] = (uint8_t)(value >> 8 * i);
  model_bytes_put(bytes, little, n);
}

void
model_bytes_u32(ModelBytes *bytes, uint32_t value)
{
  put_little(bytes, value, 4);
}

void
model_bytes_u64(ModelBytes *bytes, uint64_t value)
{
  put_little(bytes, value, 8);
}

void
model_bytes_string(ModelBytes *bytes, const char *text, size_t length)
{
  model_bytes_u64(bytes, length);
  model_bytes_put(bytes, text, length);
}

static void
put_float(ModelBytes *bytes, float value)
{
  uint32_t bits;

  memcpy(&bits, &value, 4);
  model_bytes_u32(bytes, bits);
}

/* ---- keys --------------------------------------------------------------------------------- */

typedef struct {
  ModelBytes *bytes;
  uint64_t n_keys;
} Keys;

static void
put_name(Keys *keys, const char *name, ModelGgufType type)
{
  model_bytes_string(keys->bytes, name, strlen(name));
  model_bytes_u32(keys->bytes, type);
  keys->n_keys++;
}

static void
put_u32(Keys *keys, const char *name, uint32_t value)
{
  put_name(keys, name, MODEL_GGUF_U32);
  model_bytes_u32(keys->bytes, value);
}

static void
put_f32(Keys *keys, const char *name, float value)
{
  put_name(keys, name, MODEL_GGUF_F32);
  put_float(keys->bytes, value);
}

static void
put_bool(Keys *keys, const char *name, bool value)
{
  uint8_t byte = value;

  put_name(keys, name, MODEL_GGUF_BOOL);
  model_bytes_put(keys->bytes, &byte, 1);
}

static void
put_string(Keys *keys, const char *name, const char *value)
{
  put_name(keys, name, MODEL_GGUF_STRING);
  model_bytes_string(keys->bytes, value, strlen(value));
}

/* An id that is not there has no key. */
static void
put_id(Keys *keys, const char *name, int32_t id)
{
  if (id >= 0)
    put_u32(keys, name, (uint32_t)id);
}

static void
put_list(Keys *keys, const char *name, ModelGgufType type, uint64_t count)
{
  put_name(keys, name, MODEL_GGUF_ARRAY);
  model_bytes_u32(keys->bytes, type);
  model_bytes_u64(keys->bytes, count);
}

static void
put_decoder(Keys *keys, const ModelDecoderConfig *c)
{
  put_u32(keys, "llama.vocab_size", c->vocab);
  put_u32(keys, "llama.context_length", c->context);
  put_u32(keys, "llama.embedding_length", c->hidden);
  put_u32(keys, "llama.block_count", c->layers);
  put_u32(keys, "llama.feed_forward_length", c->ffn);
  put_u32(keys, "llama.rope.dimension_count", c->head_dim);
  put_u32(keys, "llama.attention.head_count", c->heads);
  put_u32(keys, "llama.attention.head_count_kv", c->kv_heads);
  put_u32(keys, "llama.attention.key_length", c->head_dim);
  put_u32(keys, "llama.attention.value_length", c->head_dim);
  put_f32(keys, "llama.attention.layer_norm_rms_epsilon", c->eps);
  put_f32(keys, "llama.rope.freq_base", c->theta);
}

/* OF_PAIR: the blocks that are never run are left out. llama.cpp runs one block less than there is
 * unless feature_layer says how many. */
static void
put_vision(Keys *keys, const ModelConfig *config, bool of_pair)
{
  const ModelVisionConfig *c = &config->vision;

  put_bool(keys, "clip.has_text_encoder", false);
  put_bool(keys, "clip.has_vision_encoder", true);
  put_bool(keys, "clip.has_llava_projector", true);
  /* llama.cpp has no linear projector, and no name for it. */
  put_string(keys, "clip.projector_type",
             config->projector == MODEL_PROJECTOR_LINEAR ? "linear" : "mlp");
  put_bool(keys, "clip.use_gelu", c->gelu_erf);
  put_u32(keys, "clip.vision.image_size", c->image_size);
  put_u32(keys, "clip.vision.patch_size", c->patch_size);
  put_u32(keys, "clip.vision.embedding_length", c->hidden);
  put_u32(keys, "clip.vision.feed_forward_length", c->ffn);
  put_u32(keys, "clip.vision.projection_dim", config->decoder.hidden);
  put_u32(keys, "clip.vision.block_count", of_pair ? c->blocks_run : c->blocks_stored);
  put_u32(keys, "clip.vision.attention.head_count", c->heads);
  put_f32(keys, "clip.vision.attention.layer_norm_epsilon", c->eps);
  put_list(keys, "clip.vision.image_mean", MODEL_GGUF_F32, 3);
  for (int i = 0; i < 3; i++)
    put_float(keys->bytes, c->mean[i]);
  put_list(keys, "clip.vision.image_std", MODEL_GGUF_F32, 3);
  for (int i = 0; i < 3; i++)
    put_float(keys->bytes, c->std[i]);
  put_list(keys, "clip.vision.feature_layer", MODEL_GGUF_I32, 1);
  model_bytes_u32(keys->bytes, c->blocks_run);
}

/* The token with ID behind the SentencePiece pieces, NULL for a hole. */
static const ModelAddedToken *
added_token(const ModelVocabulary *vocabulary, uint32_t id)
{
  for (uint32_t i = 0; i < vocabulary->n_added; i++)
    if ((uint32_t)vocabulary->added[i].id == id)
      return &vocabulary->added[i];
  return NULL;
}

/* Added tokens stand behind the pieces as user-defined ones, as llama.cpp's converter puts them;
 * ids without a text are filled up with unused ones. */
static void
put_tokens(Keys *keys, const ModelVocabulary *v, uint32_t vocab)
{
  put_list(keys, "tokenizer.ggml.tokens", MODEL_GGUF_STRING, vocab);
  for (uint32_t i = 0; i < vocab; i++) {
    const ModelAddedToken *added = i < v->n_pieces ? NULL : added_token(v, i);
    char hole[32];
    snprintf(hole, sizeof hole, "[PAD%u]", i);
    if (i < v->n_pieces)
      model_bytes_string(keys->bytes, v->pieces[i].text, v->pieces[i].length);
    else
      model_bytes_string(keys->bytes, added ? added->text : hole,
                         strlen(added ? added->text : hole));
  }
  put_list(keys, "tokenizer.ggml.scores", MODEL_GGUF_F32, vocab);
  for (uint32_t i = 0; i < vocab; i++)
    put_float(keys->bytes, i < v->n_pieces ? v->pieces[i].score : -1000.0f);
  put_list(keys, "tokenizer.ggml.token_type", MODEL_GGUF_I32, vocab);
  for (uint32_t i = 0; i < vocab; i++) {
    ModelPieceKind kind = added_token(v, i) ? MODEL_PIECE_USER : MODEL_PIECE_UNUSED;
    model_bytes_u32(keys->bytes, i < v->n_pieces ? v->pieces[i].kind : kind);
  }
}

static void
put_vocabulary(Keys *keys, const ModelCheckpoint *checkpoint)
{
  const ModelVocabulary *v = &checkpoint->vocabulary;
  const ModelConfig *config = &checkpoint->config;

  put_string(keys, "tokenizer.ggml.model", "llama");
  put_string(keys, "tokenizer.ggml.pre", "default");
  put_tokens(keys, v, config->decoder.vocab);
  put_id(keys, "tokenizer.ggml.bos_token_id", config->bos);
  put_id(keys, "tokenizer.ggml.eos_token_id", config->eos);
  put_id(keys, "tokenizer.ggml.unknown_token_id", v->unk);
  put_id(keys, "tokenizer.ggml.padding_token_id", config->pad);
  put_bool(keys, "tokenizer.ggml.add_bos_token", true);
  put_bool(keys, "tokenizer.ggml.add_eos_token", false);
  put_bool(keys, "tokenizer.ggml.add_space_prefix", v->add_dummy_prefix);
  put_bool(keys, "tokenizer.ggml.remove_extra_whitespaces", v->remove_extra_whitespaces);
  put_u32(keys, "hilum.n_pieces", v->n_pieces);
}

/* llama.cpp asks for one before it will talk; a template of ours that it knows by these marks. */
static void
put_chat_template(Keys *keys, const ModelConfig *config)
{
  if (strcmp(config->template_name, "mistral_instruct") == 0)
    put_string(keys, "tokenizer.chat_template",
               "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
               "{{ '[INST] ' + m['content'] + ' [/INST]' }}{% else %}"
               "{{ m['content'] + eos_token }}{% endif %}{% endfor %}");
  else if (strcmp(config->template_name, "vicuna_v1") == 0)
    put_string(keys, "tokenizer.chat_template",
               "{% for m in messages %}{% if m['role'] == 'user' %}{{ 'USER: ' + m['content'] + "
               "' ' }}{% elif m['role'] == 'system' %}{{ m['content'] + ' ' }}{% else %}"
               "{{ 'ASSISTANT: ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
               "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}");
}

static void
put_decoder_part(Keys *keys, const ModelCheckpoint *checkpoint, ModelFileParts parts)
{
  const ModelConfig *config = &checkpoint->config;

  put_decoder(keys, &config->decoder);
  put_vocabulary(keys, checkpoint);
  if (config->has_vision) {
    put_string(keys, "hilum.aspect", config->aspect == MODEL_ASPECT_PAD ? "pad" : "square");
    put_bool(keys, "hilum.image_start_end", config->image_start_end);
  }
  if (parts == MODEL_FILE_DECODER)
    put_chat_template(keys, config);
}

/* Appends every key of PARTS; returns how many. */
static uint64_t
put_keys(ModelBytes *bytes, const ModelCheckpoint *checkpoint, const ModelPlan *plan,
         ModelFileParts parts, const char *card)
{
  const ModelConfig *config = &checkpoint->config;
  bool picture = parts == MODEL_FILE_PICTURE;
  Keys keys = {bytes, 0};

  put_string(&keys, "general.architecture", picture ? "clip" : "llama");
  if (picture)
    put_string(&keys, "general.type", "mmproj");
  put_string(&keys, "general.name", config->name);
  put_u32(&keys, "general.alignment", plan->alignment);
  put_u32(&keys, "general.file_type", model_mix_file_type(picture ? plan->tower_mix : plan->mix));
  put_u32(&keys, "general.quantization_version", 2);
  put_u32(&keys, "hilum.format_version", MODEL_GGUF_FORMAT_VERSION);
  if (plan->alignment == MODEL_GGUF_PACKED_ALIGNMENT)
    put_u32(&keys, "hilum.packed", MODEL_GGUF_PACKED_VERSION);
  if (!picture)
    put_string(&keys, "hilum.template_name", config->template_name);
  if (card && *card)
    put_string(&keys, "hilum.model_card", card);
  if (!picture)
    put_decoder_part(&keys, checkpoint, parts);
  if (config->has_vision && parts != MODEL_FILE_DECODER) {
    if (checkpoint->tower_origin)
      put_string(&keys, "hilum.tower_origin", checkpoint->tower_origin);
    put_vision(&keys, config, picture);
  }
  return keys.n_keys;
}

bool
model_gguf_header(ModelBytes *header, const ModelCheckpoint *checkpoint, const ModelPlan *plan,
                  ModelFileParts parts, const char *card)
{
  ModelBytes keys = {0};
  uint64_t n_keys = put_keys(&keys, checkpoint, plan, parts, card);
  bool ok;

  model_bytes_put(header, "GGUF", 4);
  model_bytes_u32(header, 3);
  model_bytes_u64(header, plan->n);
  model_bytes_u64(header, n_keys);
  model_bytes_put(header, keys.data, keys.n);
  for (uint32_t i = 0; i < plan->n; i++) {
    const ModelPlanTensor *tensor = &plan->tensors[i];
    model_bytes_string(header, tensor->role.gguf, strlen(tensor->role.gguf));
    model_bytes_u32(header, tensor->role.n_dims);
    for (uint32_t d = tensor->role.n_dims; d-- > 0;)
      model_bytes_u64(header, tensor->role.shape[d]);
    model_bytes_u32(header, tensor->type);
    model_bytes_u64(header, tensor->offset);
  }
  while (header->n % plan->alignment && !header->failed)
    model_bytes_put(header, "", 1);
  ok = !keys.failed && !header->failed;
  free(keys.data);
  return ok;
}
