/* test-traps-gguf.c - what is easily got wrong about llama.cpp's files (MODEL.md's table): what
 * they leave out and what they call otherwise. The files are made here, role by role, and hold
 * tiny_value() of the original names. */
#include "checkpoint/gguf-header.h"
#include "checkpoint/roles.h"

#include "model/checkpoint-fixture.h"

#include <unistd.h>

/* ---- files ---------------------------------------------------------------------------------- */

typedef struct {
  ModelBytes keys, infos, data;
  guint64 n_keys, n_tensors, offset;
} Gguf;

static void
put_key(Gguf *g, const char *name, ModelGgufType type)
{
  model_bytes_string(&g->keys, name, strlen(name));
  model_bytes_u32(&g->keys, type);
  g->n_keys++;
}

static void
put_u32(Gguf *g, const char *name, guint32 value)
{
  put_key(g, name, MODEL_GGUF_U32);
  model_bytes_u32(&g->keys, value);
}

static void
put_f32(Gguf *g, const char *name, float value)
{
  put_key(g, name, MODEL_GGUF_F32);
  model_bytes_put(&g->keys, &value, sizeof value);
}

static void
put_bool(Gguf *g, const char *name, guint8 value)
{
  put_key(g, name, MODEL_GGUF_BOOL);
  model_bytes_put(&g->keys, &value, 1);
}

static void
put_string(Gguf *g, const char *name, const char *value)
{
  put_key(g, name, MODEL_GGUF_STRING);
  model_bytes_string(&g->keys, value, strlen(value));
}

static void
put_list(Gguf *g, const char *name, ModelGgufType type, guint64 n)
{
  put_key(g, name, MODEL_GGUF_ARRAY);
  model_bytes_u32(&g->keys, type);
  model_bytes_u64(&g->keys, n);
}

/* Row ROW of a head in the file is another one in the original: its halves become neighbours. */
static void
put_values(Gguf *g, const ModelRole *role, guint head_dim, ModelType type)
{
  guint64 columns = 1, rows = role->n_dims > 1 ? role->shape[0] : 1;

  for (guint i = role->n_dims > 1 ? 1 : 0; i < role->n_dims; i++) {
    columns *= role->shape[i];
  }
  for (guint64 row = 0; row < rows; row++) {
    const guint64 in_head = row % head_dim;
    const guint64 from =
        role->rope_heads ? row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2 : row;
    for (guint64 i = 0; i < columns; i++) {
      const float value = tiny_value(role->name, from * columns + i);
      guint8 bytes[4];
      model_type_write_row(type, &value, 1, bytes);
      model_bytes_put(&g->data, bytes, type == MODEL_TYPE_F16 ? 2 : 4);
    }
  }
  while (g->data.n % 32) {
    model_bytes_put(&g->data, "", 1);
  }
}

/* The tensors of PART, named as in a legacy file when SWAPPED. As llama.cpp writes them:
 * convolutions in f16, and post_ln left out. VALUES: else their place alone. */
static void
put_part(Gguf *g, const ModelConfig *config, ModelPart part, gboolean swapped, gboolean values)
{
  ModelCheckpoint shapes = {.config = *config};
  ModelRole role;

  g_assert_true(model_weights_alloc(&shapes, NULL));
  for (guint i = 0; model_role_at(config, &shapes.weights, i, &role); i++) {
    const ModelType type = role.n_dims == 4 ? MODEL_TYPE_F16 : MODEL_TYPE_F32;
    g_autoptr(GString) name = g_string_new(role.gguf);
    guint64 n = 1;
    if (role.part != part || role.optional) {
      continue;
    }
    if (swapped && !g_string_replace(name, "ffn_up", "ffn_down", 1)) {
      g_string_replace(name, "ffn_down", "ffn_up", 1);
    }
    model_bytes_string(&g->infos, name->str, name->len);
    model_bytes_u32(&g->infos, role.n_dims);
    for (guint d = role.n_dims; d-- > 0;) {
      model_bytes_u64(&g->infos, role.shape[d]);
      n *= role.shape[d];
    }
    model_bytes_u32(&g->infos, type);
    model_bytes_u64(&g->infos, g->offset);
    g->offset += (n * (type == MODEL_TYPE_F16 ? 2 : 4) + 31) / 32 * 32;
    g->n_tensors++;
    if (values) {
      put_values(g, &role, config->decoder.head_dim, type);
      g_assert_cmpuint(g->data.n, ==, g->offset);
    }
  }
  free(shapes.weights.layers);
  free(shapes.weights.blocks);
}

/* Writes FOLDER/NAME and gives its path. Values that were not put are a hole in the file, which
 * takes no room on the disk. */
static char *
finish(Gguf *g, const char *folder, const char *name)
{
  char *path = g_build_filename(folder, name, NULL);
  ModelBytes file = {0};

  model_bytes_put(&file, "GGUF", 4);
  model_bytes_u32(&file, 3);
  model_bytes_u64(&file, g->n_tensors);
  model_bytes_u64(&file, g->n_keys);
  model_bytes_put(&file, g->keys.data, g->keys.n);
  model_bytes_put(&file, g->infos.data, g->infos.n);
  while (file.n % 32) {
    model_bytes_put(&file, "", 1);
  }
  model_bytes_put(&file, g->data.data, g->data.n);
  g_assert_false(file.failed || g->keys.failed || g->infos.failed || g->data.failed);
  write_file(folder, name, file.data, file.n);
  g_assert_cmpint(truncate(path, (off_t)(file.n - g->data.n + g->offset)), ==, 0);
  free(file.data);
  free(g->keys.data);
  free(g->infos.data);
  free(g->data.data);
  return path;
}

/* ---- the tower and the projector ------------------------------------------------------------ */

typedef struct {
  gboolean swapped, linear;
  guint ffn;                /* 0: TINY_VISION_FFN */
  const char *projector;    /* clip.projector_type; NULL: no key, as in the oldest files */
  void (*edit)(Gguf *gguf); /* further keys, or NULL */
} Mmproj;

static char *
write_mmproj(const char *folder, const Mmproj *m)
{
  const ModelConfig config = {
      .has_vision = true,
      .vision = {.image_size = TINY_IMAGE,
                 .patch_size = TINY_PATCH,
                 .hidden = TINY_VISION,
                 .heads = 3,
                 .ffn = m->ffn ? m->ffn : TINY_VISION_FFN,
                 .blocks_stored = 1},
      .projector = m->linear ? MODEL_PROJECTOR_LINEAR : MODEL_PROJECTOR_MLP2X_GELU,
      .decoder = {.hidden = TINY_HIDDEN, .layers = 1, .head_dim = TINY_HEAD}};
  Gguf g = {0};

  put_string(&g, "general.architecture", "clip");
  put_u32(&g, "clip.vision.image_size", TINY_IMAGE);
  put_u32(&g, "clip.vision.patch_size", TINY_PATCH);
  put_u32(&g, "clip.vision.embedding_length", TINY_VISION);
  put_u32(&g, "clip.vision.feed_forward_length", config.vision.ffn);
  put_u32(&g, "clip.vision.projection_dim", 768);
  put_u32(&g, "clip.vision.block_count", 1);
  put_u32(&g, "clip.vision.attention.head_count", 3);
  if (m->projector) {
    put_string(&g, "clip.projector_type", m->projector);
  }
  if (m->edit) {
    m->edit(&g);
  }
  put_part(&g, &config, MODEL_PART_PROJECTOR, FALSE, TRUE);
  put_part(&g, &config, MODEL_PART_TOWER, m->swapped, TRUE);
  return finish(&g, folder, "mmproj.gguf");
}

/* A text-only folder that MMPROJ, written into it, goes with. */
static char *
decoder_folder(void)
{
  const TinyOptions text = {.layout = LAYOUT_ORIGINAL, .text_only = TRUE};

  return tiny_folder(&text);
}

/* Both widths of the feed-forward equal, so that shapes say nothing: a file without
 * clip.projector_type is a legacy one, whose ffn_up and ffn_down are swapped. */
static void
test_equal_widths(void)
{
  static const Mmproj files[] = {{.ffn = TINY_VISION, .swapped = TRUE},
                                 {.ffn = TINY_VISION, .projector = "mlp"}};
  g_autofree char *folder = decoder_folder();

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *mmproj = write_mmproj(folder, &files[i]);
    const ModelEngineOptions options = {.mmproj = mmproj};
    ModelCheckpoint c;
    open_checkpoint(folder, &options, &c);
    assert_tiny_values(&c);
    model_checkpoint_close(&c);
  }
  remove_tree(folder);
}

static void
said(Gguf *g)
{
  put_bool(g, "clip.use_gelu", 1);
  put_f32(g, "clip.vision.attention.layer_norm_epsilon", 1e-6f);
  put_list(g, "clip.vision.image_mean", MODEL_GGUF_F32, 3);
  for (guint i = 1; i <= 3; i++) {
    const float value = 0.25f * (float)i;
    model_bytes_put(&g->keys, &value, sizeof value);
  }
}

/* Where nothing is said: CLIP's epsilon, mean, deviation and quick_gelu. mm.2 makes the projector
 * an MLP, also where the file does not name it. */
static void
test_defaults(void)
{
  static const Mmproj files[] = {{.swapped = TRUE}, /* the oldest */
                                 {.linear = TRUE, .projector = "linear", .edit = said}};
  g_autofree char *folder = decoder_folder();

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *mmproj = write_mmproj(folder, &files[i]);
    const ModelEngineOptions options = {.mmproj = mmproj};
    ModelCheckpoint c;
    open_checkpoint(folder, &options, &c);
    g_assert_cmpint(c.config.projector, ==,
                    i ? MODEL_PROJECTOR_LINEAR : MODEL_PROJECTOR_MLP2X_GELU);
    g_assert_cmpint(c.config.vision.gelu_erf, ==, i);
    g_assert_cmpfloat(c.config.vision.eps, ==, i ? 1e-6f : 1e-5f);
    g_assert_cmpfloat(c.config.vision.mean[1], ==, i ? 0.5f : 0.4578275f);
    g_assert_cmpfloat(c.config.vision.std[0], ==, 0.26862954f);
    assert_tiny_values(&c);
    model_checkpoint_close(&c);
  }
  remove_tree(folder);
}

static void
two_layers(Gguf *g)
{
  put_list(g, "clip.vision.feature_layer", MODEL_GGUF_I32, 2);
  model_bytes_u64(&g->keys, 1);
}

static void
far_layer(Gguf *g)
{
  put_list(g, "clip.vision.feature_layer", MODEL_GGUF_I32, 1);
  model_bytes_u32(&g->keys, (guint32)-3);
}

static void
silu(Gguf *g)
{
  put_bool(g, "clip.use_silu", 1);
}

static void
test_refused(void)
{
  static const struct {
    Mmproj file;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {{.edit = far_layer}, MODEL_ERROR_CORRUPT, "*feature_layer gives -1, but there are 1 blocks"},
      {{.edit = two_layers}, MODEL_ERROR_UNSUPPORTED, "*feature_layer has 2 items*one layer is*"},
      {{.edit = silu}, MODEL_ERROR_UNSUPPORTED, "*clip.use_silu is not supported"},
  };
  g_autofree char *folder = decoder_folder();

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *mmproj = write_mmproj(folder, &cases[i].file);
    const ModelEngineOptions options = {.mmproj = mmproj};
    ModelError err = {0};
    ModelCheckpoint c;
    g_assert_false(model_checkpoint_open(folder, &options, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
  }
  remove_tree(folder);
}

/* 23 or 24 blocks of a ViT-L/14 and no word about how many to run: 23, never one less. Nothing of
 * the tensors is read. */
static void
test_vit_large(void)
{
  g_autofree char *folder = decoder_folder();

  for (guint stored = 23; stored <= 24; stored++) {
    const ModelConfig config = {.has_vision = true,
                                .vision = {.image_size = 28,
                                           .patch_size = 14,
                                           .hidden = 1024,
                                           .heads = 16,
                                           .ffn = 4096,
                                           .blocks_stored = stored},
                                .projector = MODEL_PROJECTOR_MLP2X_GELU,
                                .decoder = {.hidden = TINY_HIDDEN, .layers = 1}};
    Gguf g = {0};
    g_autofree char *path = NULL;
    ModelEngineOptions options = {0};
    ModelCheckpoint c;

    put_string(&g, "general.architecture", "clip");
    put_u32(&g, "clip.vision.image_size", 28);
    put_u32(&g, "clip.vision.patch_size", 14);
    put_u32(&g, "clip.vision.embedding_length", 1024);
    put_u32(&g, "clip.vision.feed_forward_length", 4096);
    put_u32(&g, "clip.vision.block_count", stored);
    put_u32(&g, "clip.vision.attention.head_count", 16);
    put_part(&g, &config, MODEL_PART_PROJECTOR, FALSE, FALSE);
    put_part(&g, &config, MODEL_PART_TOWER, FALSE, FALSE);
    path = finish(&g, folder, "large.gguf");
    options.mmproj = path;
    open_checkpoint(folder, &options, &c);
    g_assert_cmpuint(c.config.vision.blocks_stored, ==, stored);
    g_assert_cmpuint(c.config.vision.blocks_run, ==, 23);
    model_checkpoint_close(&c);
  }
  remove_tree(folder);
}

/* ---- the decoder ---------------------------------------------------------------------------- */

/* A file as llama.cpp's converter leaves it, without a word about pictures. */
typedef struct {
  float theta;             /* 0: no key */
  const char *name, *chat; /* chat: may be NULL */
  guint n_added;           /* v1.0's four tokens behind the pieces, or 0 */
  guint n_unused;          /* padding of the tables */
} Llm;

static void
put_vocabulary(Gguf *g, const Llm *m)
{
  static const char *const first[] = {"<unk>", "<s>", "</s>", "\u2581"};
  static const char *const added[] = {"[PAD]", "<im_patch>", "<im_start>", "<im_end>"};
  const guint n_known = TINY_PIECES + m->n_added, n = n_known + m->n_unused;

  put_string(g, "tokenizer.ggml.model", "llama");
  put_list(g, "tokenizer.ggml.tokens", MODEL_GGUF_STRING, n);
  for (guint i = 0; i < n; i++) {
    g_autofree char *text = i < 4             ? g_strdup(first[i])
                            : i < TINY_PIECES ? g_strdup_printf("%c", 'a' + (int)i - 4)
                            : i < n_known     ? g_strdup(added[i - TINY_PIECES])
                                              : g_strdup_printf("[PAD%u]", i);
    model_bytes_string(&g->keys, text, strlen(text));
  }
  put_list(g, "tokenizer.ggml.scores", MODEL_GGUF_F32, n);
  for (guint i = 0; i < n; i++) {
    const float score = -(float)i;
    model_bytes_put(&g->keys, &score, sizeof score);
  }
  put_list(g, "tokenizer.ggml.token_type", MODEL_GGUF_I32, n);
  for (guint i = 0; i < n; i++) {
    model_bytes_u32(&g->keys, i == 0            ? MODEL_PIECE_UNKNOWN
                              : i < 3           ? MODEL_PIECE_CONTROL
                              : i < TINY_PIECES ? MODEL_PIECE_NORMAL
                              : i < n_known     ? MODEL_PIECE_USER
                                                : MODEL_PIECE_UNUSED);
  }
}

static char *
write_llm(const char *folder, const Llm *m)
{
  const ModelConfig config = {.decoder = {.hidden = TINY_HIDDEN,
                                          .layers = TINY_LAYERS,
                                          .heads = TINY_HEADS,
                                          .kv_heads = TINY_KV,
                                          .head_dim = TINY_HEAD,
                                          .ffn = TINY_FFN,
                                          .vocab = TINY_PIECES + m->n_added + m->n_unused}};
  Gguf g = {0};

  put_string(&g, "general.architecture", "llama");
  put_string(&g, "general.name", m->name);
  put_u32(&g, "llama.context_length", 32768);
  put_u32(&g, "llama.embedding_length", TINY_HIDDEN);
  put_u32(&g, "llama.block_count", TINY_LAYERS);
  put_u32(&g, "llama.feed_forward_length", TINY_FFN);
  put_u32(&g, "llama.attention.head_count", TINY_HEADS);
  put_u32(&g, "llama.attention.head_count_kv", TINY_KV);
  put_f32(&g, "llama.attention.layer_norm_rms_epsilon", 1e-6f);
  if (m->theta > 0) {
    put_f32(&g, "llama.rope.freq_base", m->theta);
  }
  if (m->chat) {
    put_string(&g, "tokenizer.chat_template", m->chat);
  }
  if (m->n_added) {
    put_u32(&g, "tokenizer.ggml.bos_token_id", 2);
  }
  put_vocabulary(&g, m);
  put_part(&g, &config, MODEL_PART_DECODER, FALSE, TRUE);
  return finish(&g, folder, "llm.gguf");
}

/* What the files do not say is taken from what they hold: Mistral by theta 1e6 with fewer key/value
 * heads, by its name or by its chat template; v1.0 by its tokens; padding is cut off. */
static void
test_decoder(void)
{
  static const struct {
    Llm file;
    const char *template_name;
    gboolean v10;
  } cases[] = {
      {{.theta = 1e6f, .name = "x"}, "mistral_instruct", FALSE},
      {{.name = "LLaVA-Med v1.5 Mistral 7b"}, "mistral_instruct", FALSE},
      {{.name = "x", .chat = "{{ '[INST] ' }}"}, "mistral_instruct", FALSE},
      {{.theta = 1e6f, .name = "x", .chat = "USER"}, "vicuna_v1", FALSE},
      {{.name = "x"}, "vicuna_v1", FALSE},
      {{.name = "x", .n_unused = 5}, "vicuna_v1", FALSE},
      {{.name = "x", .n_added = 4}, "multimodal", TRUE},
      {{.name = "x", .n_added = 4, .n_unused = 3}, "multimodal", TRUE},
  };
  static const Mmproj mlp = {.projector = "mlp"};
  g_autofree char *folder = new_folder(), *mmproj = write_mmproj(folder, &mlp);
  const ModelEngineOptions options = {.mmproj = mmproj};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = write_llm(folder, &cases[i].file);
    ModelCheckpoint c;
    g_test_message("case %u", i);
    open_checkpoint(path, &options, &c);
    g_assert_cmpstr(c.config.template_name, ==, cases[i].template_name);
    g_assert_cmpint(c.config.aspect, ==, cases[i].v10 ? MODEL_ASPECT_SQUARE : MODEL_ASPECT_PAD);
    g_assert_cmpint(c.config.image_start_end, ==, cases[i].v10);
    g_assert_cmpint(c.config.id_im_patch, ==, cases[i].v10 ? TINY_PIECES + 1 : -1);
    g_assert_cmpint(c.config.bos, ==, cases[i].v10 ? 2 : 1);
    g_assert_cmpint(c.config.eos, ==, 2);
    g_assert_cmpfloat(c.config.decoder.theta, ==,
                      cases[i].file.theta > 0 ? cases[i].file.theta : 1e4f);
    g_assert_cmpuint(c.config.decoder.kv_heads, ==, TINY_KV);
    g_assert_cmpuint(c.config.decoder.head_dim, ==, TINY_HEAD);
    g_assert_true(c.config.decoder.rope_adjacent);
    g_assert_cmpuint(c.config.decoder.context, ==, 2048); /* LLaVA's own programs stop there */
    g_assert_cmpuint(c.config.decoder.vocab, ==, TINY_PIECES + cases[i].file.n_added);
    g_assert_cmpuint(c.vocabulary.n_pieces, ==, TINY_PIECES);
    g_assert_cmpuint(c.vocabulary.n_added, ==, cases[i].file.n_added);
    assert_tiny_values(&c);
    model_checkpoint_close(&c);
  }
  remove_tree(folder);
}

/* A name goes to terminals: escape codes (of one byte or two), broken and overlong bytes do not. */
static void
test_name(void)
{
  const Llm file = {.name = "a\x1b[2J \xc2\x9b"
                            "b\x7f\xc0\xaf\xed\xa0\x80 \xc3\xa9\xe2\x82"};
  g_autofree char *folder = new_folder(), *path = write_llm(folder, &file);
  ModelCheckpoint c;

  open_checkpoint(path, NULL, &c);
  g_assert_cmpstr(c.config.name, ==, "a [2J  b ????? \xc3\xa9??");
  model_checkpoint_close(&c);
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/traps-gguf/equal-widths", test_equal_widths);
  g_test_add_func("/traps-gguf/defaults", test_defaults);
  g_test_add_func("/traps-gguf/refused", test_refused);
  g_test_add_func("/traps-gguf/vit-large", test_vit_large);
  g_test_add_func("/traps-gguf/decoder", test_decoder);
  g_test_add_func("/traps-gguf/name", test_name);
  return g_test_run();
}
