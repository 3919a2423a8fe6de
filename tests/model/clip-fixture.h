/* clip-fixture.h - small CLIP pairs whose weights come out of their tensors' names, so that others
 * could compute with the same ones (clip-golden.h). */
#ifndef HILUM_TESTS_MODEL_CLIP_FIXTURE_H
#define HILUM_TESTS_MODEL_CLIP_FIXTURE_H

#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum {
  CLIP_WIDTH = 24, /* of a direction */
  CLIP_TEXT = 32,
  CLIP_SIGHT = 48,
  CLIP_HEADS = 4,
  CLIP_BLOCKS = 2,
  CLIP_SIDE = 28,
  CLIP_PATCH = 7,
  CLIP_PIECES = 537, /* of vocab.json */
  CLIP_LINES = 111,  /* of vocab.txt */
};

typedef enum { CLIP_QUICK, CLIP_GELU, CLIP_OPENAI, CLIP_BIOMED } ClipKind;

/* Value INDEX of tensor NAME. GAIN: of a norm's weight, around 1. */
static inline float
clip_value(const char *name, guint32 index, gboolean gain)
{
  guint32 x = 0x811c9dc5u;
  double u;

  for (const char *c = name; *c; c++) {
    x = (x ^ (guint8)*c) * 0x01000193u;
  }
  x += 2654435761u * (index + 1);
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  u = x / 4294967296.0 - 0.5;
  return (float)(gain ? 1 + 0.2 * u : u * 0.5);
}

typedef struct {
  GString *header;
  GByteArray *data;
  const char *without; /* a tensor that is left out, or NULL */
  gboolean half;       /* as bfloat16, and unaligned */
} ClipFile;

static inline void
clip_put(ClipFile *file, float value)
{
  guint32 bits;

  memcpy(&bits, &value, 4);
  if (file->half) {
    const guint16 top = (guint16)(bits >> 16);
    g_byte_array_append(file->data, (const guint8 *)&top, 2);
  } else {
    g_byte_array_append(file->data, (const guint8 *)&value, 4);
  }
}

/* Begins tensor NAME of SHAPE ("[2, 3]"), whose values follow. FALSE: it is left out. */
static inline gboolean
clip_begin(ClipFile *file, const char *name, const char *shape, guint n)
{
  const guint size = file->half ? 2 : 4;

  if (g_strcmp0(file->without, name) == 0) {
    return FALSE;
  }
  g_string_append_printf(file->header,
                         "%s\"%s\": {\"dtype\": \"%s\", \"shape\": %s, \"data_offsets\": [%u, %u]}",
                         file->header->len > 1 ? ", " : "", name, file->half ? "BF16" : "F32",
                         shape, file->data->len, file->data->len + n * size);
  return TRUE;
}

/* Tensor NAME with the values of tensor FROM, in a layout of its own when TURNED. */
static inline void
clip_matrix(ClipFile *file, const char *name, const char *from, guint rows, guint columns,
            gboolean turned)
{
  g_autofree char *shape = turned ? g_strdup_printf("[%u, %u]", columns, rows)
                                  : g_strdup_printf("[%u, %u]", rows, columns);

  if (clip_begin(file, name, shape, rows * columns)) {
    for (guint i = 0; i < rows * columns; i++) {
      const guint at = turned ? i % rows * columns + i / rows : i;
      clip_put(file, clip_value(from, at, FALSE));
    }
  }
}

static inline void
clip_vector(ClipFile *file, const char *name, const char *from, guint n, gboolean gain)
{
  g_autofree char *shape = g_strdup_printf("[%u]", n);

  if (clip_begin(file, name, shape, n)) {
    for (guint i = 0; i < n; i++) {
      clip_put(file, clip_value(from, i, gain));
    }
  }
}

/* NAME.weight and NAME.bias. COLUMNS 0: a norm. */
static inline void
clip_layer(ClipFile *file, const char *name, const char *from, guint rows, guint columns)
{
  g_autofree char *w = g_strconcat(name, ".weight", NULL), *b = g_strconcat(name, ".bias", NULL);
  g_autofree char *fw = g_strconcat(from, ".weight", NULL), *fb = g_strconcat(from, ".bias", NULL);

  if (columns > 0) {
    clip_matrix(file, w, fw, rows, columns, FALSE);
  } else {
    clip_vector(file, w, fw, rows, TRUE);
  }
  clip_vector(file, b, fb, rows, FALSE);
}

static inline void
clip_shaped(ClipFile *file, const char *name, const char *from, const char *shape, guint n)
{
  if (clip_begin(file, name, shape, n)) {
    for (guint i = 0; i < n; i++) {
      clip_put(file, clip_value(from, i, FALSE));
    }
  }
}

static inline void
clip_scale(ClipFile *file)
{
  if (clip_begin(file, "logit_scale", "[]", 1)) {
    clip_put(file, 2.65926f);
  }
}

/* Block I of PREFIX in Hugging Face's names, called NAME in OpenAI's (NULL: in its own). */
static inline void
clip_block(ClipFile *file, const char *prefix, const char *name, guint i, guint hidden, guint ffn)
{
  static const char *const from[] = {
      "layer_norm1",        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
      "self_attn.out_proj", "layer_norm2",      "mlp.fc1",          "mlp.fc2"};
  static const char *const to[] = {"ln_1",          NULL,   NULL,       NULL,
                                   "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"};
  const guint rows[] = {hidden, hidden, hidden, hidden, hidden, hidden, ffn, hidden};
  const guint columns[] = {0, hidden, hidden, hidden, hidden, 0, hidden, ffn};

  for (guint k = 0; k < G_N_ELEMENTS(from); k++) {
    g_autofree char *source = g_strdup_printf("%s%u.%s", prefix, i, from[k]);
    g_autofree char *target = name && to[k] ? g_strdup_printf("%s%u.%s", name, i, to[k]) : NULL;
    if (!name || to[k]) {
      clip_layer(file, target ? target : source, source, rows[k], columns[k]);
    }
  }
  for (guint part = 0; name && part < 2; part++) { /* weights, biases */
    const guint n = part ? hidden : hidden * hidden;
    g_autofree char *target =
        g_strdup_printf("%s%u.attn.in_proj_%s", name, i, part ? "bias" : "weight");
    g_autofree char *shape = part ? g_strdup_printf("[%u]", 3 * hidden)
                                  : g_strdup_printf("[%u, %u]", 3 * hidden, hidden);
    if (clip_begin(file, target, shape, 3 * n)) {
      for (guint k = 1; k <= 3; k++) {
        g_autofree char *source =
            g_strdup_printf("%s%u.%s.%s", prefix, i, from[k], part ? "bias" : "weight");
        for (guint at = 0; at < n; at++) {
          clip_put(file, clip_value(source, at, FALSE));
        }
      }
    }
  }
}

static inline void
clip_tensors(ClipFile *file, gboolean openai)
{
#define NAME(theirs, openais) openai ? openais : theirs, theirs
  const guint grid = CLIP_SIDE / CLIP_PATCH;

  clip_scale(file);
  clip_matrix(file, NAME("text_model.embeddings.token_embedding.weight", "token_embedding.weight"),
              CLIP_PIECES, CLIP_TEXT, FALSE);
  clip_matrix(file, NAME("text_model.embeddings.position_embedding.weight", "positional_embedding"),
              16, CLIP_TEXT, FALSE);
  clip_layer(file, NAME("text_model.final_layer_norm", "ln_final"), CLIP_TEXT, 0);
  clip_matrix(file, NAME("text_projection.weight", "text_projection"), CLIP_WIDTH, CLIP_TEXT,
              openai);
  clip_vector(file, NAME("vision_model.embeddings.class_embedding", "visual.class_embedding"),
              CLIP_SIGHT, FALSE);
  clip_shaped(file, NAME("vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"),
              "[48, 3, 7, 7]", CLIP_SIGHT * 3 * CLIP_PATCH * CLIP_PATCH);
  clip_matrix(
      file,
      NAME("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"),
      1 + grid * grid, CLIP_SIGHT, FALSE);
  clip_layer(file, NAME("vision_model.pre_layrnorm", "visual.ln_pre"), CLIP_SIGHT, 0);
  clip_layer(file, NAME("vision_model.post_layernorm", "visual.ln_post"), CLIP_SIGHT, 0);
  clip_matrix(file, NAME("visual_projection.weight", "visual.proj"), CLIP_WIDTH, CLIP_SIGHT,
              openai);
  for (guint i = 0; i < CLIP_BLOCKS; i++) {
    clip_block(file, "text_model.encoder.layers.", openai ? "transformer.resblocks." : NULL, i,
               CLIP_TEXT, 2 * CLIP_TEXT);
    clip_block(file, "vision_model.encoder.layers.",
               openai ? "visual.transformer.resblocks." : NULL, i, CLIP_SIGHT, 2 * CLIP_SIGHT);
  }
#undef NAME
}

static inline void
biomed_layers(ClipFile *file, const char *prefix, const char *const *names, const guint (*sizes)[2],
              guint n)
{
  for (guint i = 0; i < CLIP_BLOCKS; i++) {
    for (guint k = 0; k < n; k++) {
      g_autofree char *name = g_strdup_printf("%s%u.%s", prefix, i, names[k]);
      clip_layer(file, name, name, sizes[k][0], sizes[k][1]);
    }
  }
}

static inline void
biomed_tensors(ClipFile *file)
{
  static const char *const bert[] = {"attention.self.query",
                                     "attention.self.key",
                                     "attention.self.value",
                                     "attention.output.dense",
                                     "attention.output.LayerNorm",
                                     "intermediate.dense",
                                     "output.dense",
                                     "output.LayerNorm"};
  static const guint bert_sizes[][2] = {{32, 32}, {32, 32}, {32, 32}, {32, 32},
                                        {32, 0},  {64, 32}, {32, 64}, {32, 0}};
  static const char *const vit[] = {"norm1", "attn.qkv", "attn.proj",
                                    "norm2", "mlp.fc1",  "mlp.fc2"};
  static const guint vit_sizes[][2] = {{48, 0}, {144, 48}, {48, 48}, {48, 0}, {96, 48}, {48, 96}};
  static const struct {
    const char *name;
    guint rows, columns;
  } others[] = {{"text.transformer.embeddings.word_embeddings.weight", CLIP_LINES, 32},
                {"text.transformer.embeddings.position_embeddings.weight", 32, 32},
                {"text.transformer.embeddings.token_type_embeddings.weight", 2, 32},
                {"text.proj.0.weight", 28, 32},
                {"text.proj.2.weight", 24, 28},
                {"visual.head.proj.weight", 24, 48}};

  clip_scale(file);
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    clip_matrix(file, others[i].name, others[i].name, others[i].rows, others[i].columns, FALSE);
  }
  clip_layer(file, "text.transformer.embeddings.LayerNorm", "text.transformer.embeddings.LayerNorm",
             32, 0);
  biomed_layers(file, "text.transformer.encoder.layer.", bert, bert_sizes, G_N_ELEMENTS(bert));
  clip_shaped(file, "visual.trunk.cls_token", "visual.trunk.cls_token", "[1, 1, 48]", 48);
  clip_shaped(file, "visual.trunk.pos_embed", "visual.trunk.pos_embed", "[1, 17, 48]", 17 * 48);
  clip_shaped(file, "visual.trunk.patch_embed.proj.weight", "visual.trunk.patch_embed.proj.weight",
              "[48, 3, 7, 7]", 48 * 147);
  clip_vector(file, "visual.trunk.patch_embed.proj.bias", "visual.trunk.patch_embed.proj.bias", 48,
              FALSE);
  clip_layer(file, "visual.trunk.norm", "visual.trunk.norm", 48, 0);
  biomed_layers(file, "visual.trunk.blocks.", vit, vit_sizes, G_N_ELEMENTS(vit));
}

/* ---- vocabularies --------------------------------------------------------------------------- */

static const char clip_merges[] =
    "#version: 0.2\na n</w>\ni n\nt h\nth e</w>\nc h\nch e\ns t</w>\nche st</w>\nx -</w>\nr a\n"
    "ra y</w>\nin g</w>\no f</w>\nu n\nl un\nlun g</w>\n1 2</w>\n' s</w>\n\u00c3 \u00bc\n"
    "e r</w>\nd e\nde n\no n</w>\n";

static const char bert_lines[] =
    "[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 "
    "5 "
    "6 7 8 9 . , : ; - ( ) ' \" ! ? % / < > | ##a ##b ##c ##d ##e ##f ##g ##h ##i ##j ##k ##l ##m "
    "##n ##o ##p ##q ##r ##s ##t ##u ##v ##w ##x ##y ##z ##0 ##1 ##2 ##3 ##4 ##5 ##6 ##7 ##8 ##9 "
    "chest ray ##ray lung the of uber \u4e2d \u6587 naive ##ing patient cm 12 ##mm \u00bd strasse "
    "istanbul";

/* Characters of bytes that can be seen, then of the others; alone and with </w>; what the merges
 * make; the special ones. With END the last one changes its id with the piece that has this. */
static inline char *
clip_vocabulary(gint end)
{
  static const char *const made[] = {
      "an</w>",       "in",        "th",     "the</w>",  "ch",      "che",
      "st</w>",       "chest</w>", "x-</w>", "ra",       "ray</w>", "ing</w>",
      "of</w>",       "un",        "lun",    "lung</w>", "12</w>",  "'s</w>",
      "\u00c3\u00bc", "er</w>",    "de",     "den",      "on</w>",  "<|startoftext|>",
      "<|endoftext|>"};
  g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(g_free);
  GString *json = g_string_new("{");
  gunichar next = 256;

  for (guint last = 0; last < 2; last++) {
    next = 256;
    for (guint seen = 2; seen-- > 0;) {
      for (guint byte = 0; byte < 256; byte++) {
        const gboolean plain = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
        char text[12] = "";
        if (plain == (seen > 0)) {
          text[g_unichar_to_utf8(plain ? byte : next, text)] = '\0';
          next += !plain;
          g_ptr_array_add(pieces, g_strconcat(text, last ? "</w>" : "", NULL));
        }
      }
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(made); i++) {
    g_ptr_array_add(pieces, g_strdup(made[i]));
  }
  g_assert_cmpuint(pieces->len, ==, CLIP_PIECES);
  for (guint i = 0; i < pieces->len; i++) {
    const guint id = (gint)i == end                     ? pieces->len - 1
                     : i + 1 == pieces->len && end >= 0 ? (guint)end
                                                        : i;
    const char *raw = pieces->pdata[i];
    g_string_append_printf(json, "%s\"%s%s\": %u", i ? ", " : "",
                           *raw == '"' || *raw == '\\' ? "\\" : "", raw, id);
  }
  g_string_append_c(json, '}');
  return g_string_free(json, FALSE);
}

/* ---- folders --------------------------------------------------------------------------------- */

static inline void
clip_write(const char *into, const char *name, const void *bytes, gsize n)
{
  g_autofree char *path = g_build_filename(into, name, NULL);

  g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
}

static inline void
clip_write_text(const char *into, const char *name, const char *text)
{
  clip_write(into, name, text, strlen(text));
}

static inline char *
clip_config(ClipKind kind)
{
  const char *act = kind == CLIP_GELU ? "gelu" : "quick_gelu";

  if (kind == CLIP_BIOMED) {
    return g_strdup(
        "{\"model_cfg\": {\"embed_dim\": 24, \"vision_cfg\": {\"timm_model_name\": "
        "\"vit_base_patch16_224\", \"timm_model_pretrained\": false, \"timm_pool\": \"\", "
        "\"timm_proj\": \"linear\", \"image_size\": 28, \"head_width\": 12}, \"text_cfg\": "
        "{\"hf_model_name\": \"microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract\", "
        "\"hf_tokenizer_name\": \"microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract\", "
        "\"hf_proj_type\": \"mlp\", \"hf_pooler_type\": \"cls_last_hidden_state_pooler\", "
        "\"heads\": 4, \"context_length\": 32}}, \"preprocess_cfg\": {\"mean\": [0.48145466, "
        "0.4578275, 0.40821073], \"std\": [0.26862954, 0.26130258, 0.27577711]}}");
  }
  if (kind == CLIP_OPENAI) {
    return g_strdup(
        "{\"model_cfg\": {\"embed_dim\": 24, \"quick_gelu\": true, \"vision_cfg\": "
        "{\"image_size\": "
        "28, \"layers\": 2, \"width\": 48, \"head_width\": 12, \"patch_size\": 7}, \"text_cfg\": "
        "{\"context_length\": 16, \"vocab_size\": 537, \"width\": 32, \"heads\": 4, \"layers\": "
        "2}}, \"preprocess_cfg\": {\"interpolation\": \"bicubic\", \"resize_mode\": "
        "\"shortest\"}}");
  }
  return g_strdup_printf(
      "{\"model_type\": \"clip\", \"projection_dim\": 24, \"text_config\": {\"model_type\": "
      "\"clip_text_model\", \"hidden_act\": \"%s\", \"hidden_size\": 32, \"intermediate_size\": "
      "64, "
      "\"num_attention_heads\": 4, \"num_hidden_layers\": 2, \"max_position_embeddings\": 16, "
      "\"eos_token_id\": %d, \"vocab_size\": 537}, \"vision_config\": {\"model_type\": "
      "\"clip_vision_model\", \"hidden_act\": \"%s\", \"num_attention_heads\": 4, \"image_size\": "
      "28, \"patch_size\": 7}}",
      act, kind == CLIP_GELU ? 63 : 2, act);
}

/* A whole pair in INTO. WITHOUT: a tensor that is left out, or NULL. */
static inline void
clip_make(const char *into, ClipKind kind, gboolean half, const char *without)
{
  const gboolean open = kind == CLIP_OPENAI || kind == CLIP_BIOMED;
  ClipFile file = {g_string_new("{"), g_byte_array_new(), without, half};
  g_autoptr(GByteArray) whole = g_byte_array_new();
  g_autofree char *config = clip_config(kind), *vocabulary = NULL;
  guint64 length;

  if (kind == CLIP_BIOMED) {
    biomed_tensors(&file);
    vocabulary = g_strdelimit(g_strdup(bert_lines), " ", '\n');
    clip_write_text(into, "vocab.txt", vocabulary);
  } else {
    clip_tensors(&file, kind == CLIP_OPENAI);
    vocabulary = clip_vocabulary(kind == CLIP_GELU ? 63 : -1);
    clip_write_text(into, "vocab.json", vocabulary);
    clip_write_text(into, "merges.txt", clip_merges);
  }
  g_string_append(file.header, half ? "} " : "}");
  while (!half && file.header->len % 8) {
    g_string_append_c(file.header, ' ');
  }
  length = GUINT64_TO_LE((guint64)file.header->len);
  g_byte_array_append(whole, (const guint8 *)&length, 8);
  g_byte_array_append(whole, (const guint8 *)file.header->str, (guint)file.header->len);
  g_byte_array_append(whole, file.data->data, file.data->len);
  clip_write(into, open ? "open_clip_model.safetensors" : "model.safetensors", whole->data,
             whole->len);
  clip_write_text(into, open ? "open_clip_config.json" : "config.json", config);
  g_string_free(file.header, TRUE);
  g_byte_array_unref(file.data);
}

#endif
