/* checkpoint-fixture.h - tiny checkpoints, made from nothing in a folder of their own, so that the
 * readers are tested on every machine; and what tests of hostile files share. */
#ifndef HILUM_TESTS_MODEL_CHECKPOINT_FIXTURE_H
#define HILUM_TESTS_MODEL_CHECKPOINT_FIXTURE_H

#include "checkpoint/write.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- files -------------------------------------------------------------------------------- */

static inline void
remove_tree(const char *path)
{
  GDir *dir = g_dir_open(path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    remove_tree(child);
  }
  g_clear_pointer(&dir, g_dir_close);
  g_remove(path);
}

static inline guint
count_files(const char *path)
{
  GDir *dir = g_dir_open(path, 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name(dir))
    n++;
  g_clear_pointer(&dir, g_dir_close);
  return n;
}

static inline void
write_file(const char *folder, const char *name, const void *data, gsize n)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  FILE *file = g_fopen(path, "wb"); /* g_file_set_contents() would sync thousands of files */

  g_assert_nonnull(file);
  g_assert_cmpuint(fwrite(data, 1, n, file), ==, n);
  g_assert_cmpint(fclose(file), ==, 0);
}

static inline char *
new_folder(void)
{
  g_autoptr(GError) error = NULL;
  char *folder = g_dir_make_tmp("hilum-checkpoint-XXXXXX", &error);

  g_assert_no_error(error);
  return folder;
}

static inline void
assert_message(const ModelError *err, ModelErrorCode code, const char *pattern)
{
  if (err->code != code || !g_pattern_match_simple(pattern, err->message))
    g_error("found code %d \"%s\", expected code %d \"%s\"", err->code, err->message, code,
            pattern);
}

/* ---- a tiny model ------------------------------------------------------------------------- */

typedef enum { LAYOUT_ORIGINAL, LAYOUT_CONVERTED, LAYOUT_NEWEST } Layout;

typedef struct {
  Layout layout;
  gboolean text_only, tied, linear, v10; /* v10: no tower inside, image tokens behind the pieces */
  guint extra_rows;                      /* of padding in the tables */
} TinyOptions;

enum {
  TINY_HIDDEN = 8,
  TINY_LAYERS = 2,
  TINY_HEADS = 2,
  TINY_KV = 1,
  TINY_HEAD = 4,
  TINY_FFN = 12,
  TINY_PIECES = 16,
  TINY_IMAGE = 4,
  TINY_PATCH = 2,
  TINY_VISION = 6,
  TINY_VISION_FFN = 10,
  TINY_BLOCKS = 2,
};

/* Every value is exact in every float type, and differs from tensor to tensor. */
static inline float
tiny_value(const char *original_name, guint64 index)
{
  guint32 mixed = g_str_hash(original_name) * 2654435761u + (guint32)index * 40503u;

  return (float)((int)(mixed >> 11 & 255) - 128) / 64.0f;
}

/* unk, <s>, </s>, the space, "a" to "l": BPE without byte fallback. */
static inline GByteArray *
tiny_tokenizer(void)
{
  static const guint8 trainer[] = {0x12, 2, 3 << 3, 2};
  GByteArray *model = g_byte_array_new();

  for (guint i = 0; i < TINY_PIECES; i++) {
    char letter[2] = {(char)('a' + i - 4), '\0'};
    const char *text = i == 0   ? "<unk>"
                       : i == 1 ? "<s>"
                       : i == 2 ? "</s>"
                       : i == 3 ? "\u2581"
                                : letter;
    guint8 n = (guint8)strlen(text), kind = i == 0 ? 2 : i < 3 ? 3 : 1;
    float score = -(float)i;
    guint8 head[] = {0x0A, (guint8)(n + 9), 0x0A, n}, mid = 0x15, tail[] = {0x18, kind};
    g_byte_array_append(model, head, sizeof head);
    g_byte_array_append(model, (const guint8 *)text, n);
    g_byte_array_append(model, &mid, 1);
    g_byte_array_append(model, (const guint8 *)&score, 4);
    g_byte_array_append(model, tail, sizeof tail);
  }
  g_byte_array_append(model, trainer, sizeof trainer);
  return model;
}

typedef struct {
  GString *header;
  GByteArray *data;
} TinyFile;

static inline void
tiny_file_init(TinyFile *file)
{
  file->header = g_string_new("{\"__metadata__\":{\"format\":\"pt\"}");
  file->data = g_byte_array_new();
}

/* ORIGINAL gives the values, NAME is what the file calls it. B, C, D: 0 for fewer dimensions. */
static inline void
tiny_add(TinyFile *file, const char *original, const char *name, guint a, guint b, guint c, guint d)
{
  guint n = a * MAX(b, 1) * MAX(c, 1) * MAX(d, 1), begin = file->data->len;

  g_string_append_printf(file->header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%u", name, a);
  if (b)
    g_string_append_printf(file->header, ",%u", b);
  if (c)
    g_string_append_printf(file->header, ",%u,%u", c, d);
  g_string_append_printf(file->header, "],\"data_offsets\":[%u,%u]}", begin, begin + 4 * n);
  for (guint i = 0; i < n; i++) {
    float value = tiny_value(original, i);
    g_byte_array_append(file->data, (const guint8 *)&value, 4);
  }
}

static inline GByteArray *
tiny_file_bytes(TinyFile *file)
{
  GByteArray *bytes = g_byte_array_new();
  guint64 length;

  g_string_append_c(file->header, '}');
  length = file->header->len;
  g_byte_array_append(bytes, (const guint8 *)&length, 8);
  g_byte_array_append(bytes, (const guint8 *)file->header->str, (guint)length);
  g_byte_array_append(bytes, file->data->data, file->data->len);
  g_string_free(file->header, TRUE);
  g_byte_array_unref(file->data);
  return bytes;
}

static inline void
tiny_tower(TinyFile *file, const char *prefix)
{
  static const char original[] = "model.vision_tower.vision_tower.vision_model.";
  static const struct {
    const char *name;
    guint rows, columns;
  } parts[] = {{"layer_norm1", TINY_VISION, 0},
               {"layer_norm2", TINY_VISION, 0},
               {"self_attn.q_proj", TINY_VISION, TINY_VISION},
               {"self_attn.k_proj", TINY_VISION, TINY_VISION},
               {"self_attn.v_proj", TINY_VISION, TINY_VISION},
               {"self_attn.out_proj", TINY_VISION, TINY_VISION},
               {"mlp.fc1", TINY_VISION_FFN, TINY_VISION},
               {"mlp.fc2", TINY_VISION, TINY_VISION_FFN}};
  guint patches = (TINY_IMAGE / TINY_PATCH) * (TINY_IMAGE / TINY_PATCH);

#define TOWER(suffix, ...)                                                                         \
  do {                                                                                             \
    g_autofree char *from = g_strconcat(original, suffix, NULL);                                   \
    g_autofree char *to = g_strconcat(prefix, suffix, NULL);                                       \
    tiny_add(file, from, to, __VA_ARGS__);                                                         \
  } while (0)
  TOWER("embeddings.class_embedding", TINY_VISION, 0, 0, 0);
  TOWER("embeddings.patch_embedding.weight", TINY_VISION, 3, TINY_PATCH, TINY_PATCH);
  TOWER("embeddings.position_embedding.weight", 1 + patches, TINY_VISION, 0, 0);
  TOWER("pre_layrnorm.weight", TINY_VISION, 0, 0, 0);
  TOWER("pre_layrnorm.bias", TINY_VISION, 0, 0, 0);
  TOWER("post_layernorm.weight", TINY_VISION, 0, 0, 0);
  TOWER("post_layernorm.bias", TINY_VISION, 0, 0, 0);
  for (guint b = 0; b < TINY_BLOCKS; b++)
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
      g_autofree char *weight = g_strdup_printf("encoder.layers.%u.%s.weight", b, parts[i].name);
      g_autofree char *bias = g_strdup_printf("encoder.layers.%u.%s.bias", b, parts[i].name);
      TOWER(weight, parts[i].rows, parts[i].columns, 0, 0);
      TOWER(bias, parts[i].rows, 0, 0, 0);
    }
#undef TOWER
}

static inline void
tiny_decoder(TinyFile *file, const TinyOptions *o)
{
  static const struct {
    const char *name;
    guint rows, columns;
  } parts[] = {{"input_layernorm", TINY_HIDDEN, 0},
               {"post_attention_layernorm", TINY_HIDDEN, 0},
               {"self_attn.q_proj", TINY_HEADS * TINY_HEAD, TINY_HIDDEN},
               {"self_attn.k_proj", TINY_KV * TINY_HEAD, TINY_HIDDEN},
               {"self_attn.v_proj", TINY_KV * TINY_HEAD, TINY_HIDDEN},
               {"self_attn.o_proj", TINY_HIDDEN, TINY_HEADS * TINY_HEAD},
               {"mlp.gate_proj", TINY_FFN, TINY_HIDDEN},
               {"mlp.up_proj", TINY_FFN, TINY_HIDDEN},
               {"mlp.down_proj", TINY_HIDDEN, TINY_FFN}};
  const char *prefix = o->layout == LAYOUT_ORIGINAL    ? "model."
                       : o->layout == LAYOUT_CONVERTED ? "language_model.model."
                                                       : "model.language_model.";
  guint rows = TINY_PIECES + (o->v10 ? 4 : 0) + o->extra_rows;

#define DECODER(suffix, ...)                                                                       \
  do {                                                                                             \
    g_autofree char *from = g_strconcat("model.", suffix, NULL);                                   \
    g_autofree char *to = g_strconcat(prefix, suffix, NULL);                                       \
    tiny_add(file, from, to, __VA_ARGS__);                                                         \
  } while (0)
  DECODER("embed_tokens.weight", rows, TINY_HIDDEN, 0, 0);
  for (guint l = 0; l < TINY_LAYERS; l++)
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
      g_autofree char *name = g_strdup_printf("layers.%u.%s.weight", l, parts[i].name);
      DECODER(name, parts[i].rows, parts[i].columns, 0, 0);
    }
  DECODER("norm.weight", TINY_HIDDEN, 0, 0, 0);
#undef DECODER
  if (!o->tied)
    tiny_add(file, "lm_head.weight",
             o->layout == LAYOUT_CONVERTED ? "language_model.lm_head.weight" : "lm_head.weight",
             rows, TINY_HIDDEN, 0, 0);
}

static inline void
tiny_projector(TinyFile *file, const TinyOptions *o)
{
  const char *prefix =
      o->layout == LAYOUT_CONVERTED ? "multi_modal_projector." : "model.multi_modal_projector.";

  if (o->linear) {
    tiny_add(file, "model.mm_projector.weight", "model.mm_projector.weight", TINY_HIDDEN,
             TINY_VISION, 0, 0);
    tiny_add(file, "model.mm_projector.bias", "model.mm_projector.bias", TINY_HIDDEN, 0, 0, 0);
    return;
  }
  for (guint i = 0; i < 2; i++) {
    g_autofree char *from = g_strdup_printf("model.mm_projector.%u.", 2 * i);
    g_autofree char *to = o->layout == LAYOUT_ORIGINAL
                              ? g_strdup(from)
                              : g_strdup_printf("%slinear_%u.", prefix, i + 1);
    g_autofree char *from_w = g_strconcat(from, "weight", NULL);
    g_autofree char *from_b = g_strconcat(from, "bias", NULL);
    g_autofree char *to_w = g_strconcat(to, "weight", NULL);
    g_autofree char *to_b = g_strconcat(to, "bias", NULL);
    tiny_add(file, from_w, to_w, TINY_HIDDEN, i ? TINY_HIDDEN : TINY_VISION, 0, 0);
    tiny_add(file, from_b, to_b, TINY_HIDDEN, 0, 0, 0);
  }
}

#define TINY_VISION_JSON                                                                           \
  "\"vision_config\":{\"model_type\":\"clip_vision_model\",\"hidden_size\":6,"                     \
  "\"intermediate_size\":10,\"num_hidden_layers\":2,\"num_attention_heads\":3,\"image_size\":4,"   \
  "\"patch_size\":2,\"hidden_act\":\"quick_gelu\",\"layer_norm_eps\":1e-05}"
#define TINY_TEXT_JSON                                                                             \
  "\"hidden_size\":8,\"intermediate_size\":12,\"num_hidden_layers\":2,\"num_attention_heads\":2,"  \
  "\"num_key_value_heads\":1,\"rms_norm_eps\":1e-06,\"rope_theta\":10000.0,"                       \
  "\"max_position_embeddings\":512,\"hidden_act\":\"silu\",\"unknown_key\":[1,{\"a\":null}]"

static inline void
tiny_config(const char *folder, const TinyOptions *o)
{
  g_autoptr(GString) json = g_string_new("{");

  if (o->text_only)
    g_string_append(json, "\"model_type\":\"llama\"," TINY_TEXT_JSON);
  else if (o->layout == LAYOUT_ORIGINAL)
    g_string_append_printf(
        json,
        "\"model_type\":\"%s\",\"_name_or_path\":\"tiny\",\"mm_vision_tower\":\"clip\","
        "\"mm_projector_type\":\"%s\",\"mm_use_im_start_end\":%s,\"bos_token_id\":0,"
        "\"eos_token_id\":1,\"pad_token_id\":-1," TINY_TEXT_JSON "," TINY_VISION_JSON,
        o->v10 ? "llava" : "llava_mistral", o->linear ? "linear" : "mlp2x_gelu",
        o->v10 ? "true" : "false");
  else
    g_string_append(json, "\"model_type\":\"llava\",\"vision_feature_layer\":-2,"
                          "\"text_config\":{\"model_type\":\"llama\"," TINY_TEXT_JSON
                          "}," TINY_VISION_JSON);
  g_string_append_printf(json, ",\"tie_word_embeddings\":%s}", o->tied ? "true" : "false");
  write_file(folder, "config.json", json->str, json->len);
}

/* "clip" inside FOLDER. */
static inline void
tiny_clip(const char *folder)
{
  g_autofree char *clip = g_build_filename(folder, "clip", NULL);
  g_autoptr(GByteArray) bytes = NULL;
  TinyFile file;

  g_mkdir(clip, 0700);
  tiny_file_init(&file);
  tiny_tower(&file, "vision_model.");
  tiny_add(&file, "text", "text_model.embeddings.token_embedding.weight", 3, 2, 0, 0);
  bytes = tiny_file_bytes(&file);
  write_file(clip, "model.safetensors", bytes->data, bytes->len);
  write_file(clip, "config.json", "{" TINY_VISION_JSON "}", strlen("{" TINY_VISION_JSON "}"));
}

/* A whole folder; caller frees and removes it. */
static inline char *
tiny_folder(const TinyOptions *o)
{
  char *folder = new_folder();
  g_autoptr(GByteArray) tokenizer = tiny_tokenizer();
  g_autoptr(GByteArray) bytes = NULL;
  static const char specials[] = "{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}}";
  static const char v10_specials[] =
      "{\"bos_token\":\"</s>\",\"eos_token\":\"</s>\",\"pad_token\":\"[PAD]\"}";
  static const char v10_added[] =
      "{\"[PAD]\":16,\"<im_patch>\":17,\"<im_start>\":18,\"<im_end>\":19}";
  TinyFile file;

  tiny_config(folder, o);
  write_file(folder, "tokenizer.model", tokenizer->data, tokenizer->len);
  write_file(folder, "special_tokens_map.json", o->v10 ? v10_specials : specials,
             strlen(o->v10 ? v10_specials : specials));
  if (o->v10)
    write_file(folder, "added_tokens.json", v10_added, strlen(v10_added));
  tiny_file_init(&file);
  tiny_decoder(&file, o);
  if (!o->text_only) {
    tiny_projector(&file, o);
    if (o->v10)
      tiny_clip(folder);
    else
      tiny_tower(&file, o->layout == LAYOUT_ORIGINAL
                            ? "model.vision_tower.vision_tower.vision_model."
                        : o->layout == LAYOUT_CONVERTED ? "vision_tower.vision_model."
                                                        : "model.vision_tower.vision_model.");
  }
  bytes = tiny_file_bytes(&file);
  write_file(folder, "model.safetensors", bytes->data, bytes->len);
  return folder;
}

/* FROM in config.json becomes TO. */
static inline void
edit_config(const char *folder, const char *from, const char *to)
{
  g_autofree char *path = g_build_filename(folder, "config.json", NULL), *text = NULL;
  g_autoptr(GString) edited = NULL;

  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  edited = g_string_new(text);
  g_assert_cmpuint(g_string_replace(edited, from, to, 1), ==, 1);
  write_file(folder, "config.json", edited->str, edited->len);
}

static inline void
open_checkpoint(const char *path, const ModelEngineOptions *options, ModelCheckpoint *checkpoint)
{
  ModelError err = {0};

  if (!model_checkpoint_open(path, options, checkpoint, &err))
    g_error("%s", err.message);
}

/* Row ROW of TENSOR as float32. */
static inline void
read_row(const ModelTensor *tensor, guint64 row, float **values)
{
  *values = g_renew(float, *values, model_tensor_columns(tensor));
  model_tensor_read_rows(tensor, row, 1, *values);
}

/* Every tensor of the tiny model holds tiny_value() of its original name, whatever the file. */
static inline guint
assert_tiny_values(const ModelCheckpoint *checkpoint)
{
  g_autofree float *values = NULL;
  const ModelTensor *tensor;
  char name[256];
  guint i;

  for (i = 0; (tensor = model_checkpoint_tensor(checkpoint, i, name)); i++) {
    gboolean permuted = checkpoint->config.decoder.rope_adjacent &&
                        (strstr(name, "layers.") == name + 6) &&
                        (strstr(name, "q_proj") || strstr(name, "k_proj"));
    guint64 columns = model_tensor_columns(tensor);
    for (guint64 row = 0; row < model_tensor_rows(tensor); row++) {
      /* Heads of four: rows 0 1 2 3 of a GGUF are 0 2 1 3 of the original. */
      guint64 from = permuted ? row / 4 * 4 + row % 2 * 2 + row % 4 / 2 : row;
      read_row(tensor, row, &values);
      for (guint64 c = 0; c < columns; c++)
        if (values[c] != tiny_value(name, from * columns + c))
          g_error("%s row %" G_GUINT64_FORMAT " column %" G_GUINT64_FORMAT ": %g, expected %g",
                  name, row, c, (double)values[c], (double)tiny_value(name, from * columns + c));
    }
  }
  return i;
}

#endif
