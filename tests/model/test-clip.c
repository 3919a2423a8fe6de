/* test-clip.c - CLIP pairs: both towers beside transformers' and timm's numbers, the tokenizers
 * beside transformers', and what is refused. */
#include "clip-fixture.h"
#include "clip-golden.h"

#include "checkpoint-fixture.h"
#include "clip/clip.h"
#include "tokenizer/unicode.h"

#include "shared.h"

#include <gio/gio.h>

static char *
make(ClipKind kind, gboolean half, const char *without)
{
  char *folder = new_folder();

  clip_make(folder, kind, half, without);
  return folder;
}

static ModelClip *
open_clip(const char *folder, guint threads)
{
  const ModelClipOptions options = {.n_threads = threads};
  ModelError err = {0};
  ModelClip *clip = model_clip_open(folder, &options, &err);

  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(clip);
  return clip;
}

/* ---- features -------------------------------------------------------------------------------- */

/* The references are doubles; float32 through two blocks leaves 4e-7 of numbers around 1. */
static void
assert_near(const float *found, const double *expected, double atol)
{
  double worst = 0;

  for (guint i = 0; i < CLIP_WIDTH; i++) {
    worst = MAX(worst, fabs(found[i] - expected[i]) / (1 + fabs(expected[i])));
  }
  g_test_message("worst difference %.2g", worst);
  g_assert_cmpfloat(worst, <, atol);
}

static void
check_features(ClipKind kind, const GoldenText *texts, guint n, const double (*pictures)[24],
               double atol, gboolean half)
{
  static const char *const names[] = {"pixels1", "pixels2"};
  g_autofree char *folder = make(kind, half, NULL);
  ModelClip *clip = open_clip(folder, 2);
  float out[CLIP_WIDTH], pixels[3 * CLIP_SIDE * CLIP_SIDE];
  ModelClipInfo info;
  ModelError err = {0};

  for (guint i = 0; i < n; i++) {
    gsize length = 0;
    while (texts[i].ids[length] >= 0) {
      length++;
    }
    g_assert_true(model_clip_encode_ids(clip, texts[i].ids, length, out, &err));
    assert_near(out, texts[i].features, atol);
  }
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    for (guint k = 0; k < G_N_ELEMENTS(pixels); k++) {
      pixels[k] = clip_value(names[i], k, FALSE) * 4;
    }
    g_assert_true(model_clip_encode_pixels(clip, pixels, out, &err));
    assert_near(out, pictures[i], atol);
  }
  model_clip_info(clip, &info);
  g_assert_cmpuint(info.width, ==, CLIP_WIDTH);
  g_assert_cmpuint(info.image_size, ==, CLIP_SIDE);
  /* In bfloat16 the logarithm of the scale is 2.65625. */
  g_assert_cmpfloat_with_epsilon(info.scale, half ? 14.2429 : 14.285714, 1e-3);
  model_clip_free(clip);
  remove_tree(folder);
}

static void
test_features(void)
{
  check_features(CLIP_QUICK, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 5e-6, FALSE);
  check_features(CLIP_GELU, gelu_texts, G_N_ELEMENTS(gelu_texts), gelu_pictures, 5e-6, FALSE);
  check_features(CLIP_OPENAI, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 5e-6, FALSE);
  check_features(CLIP_BIOMED, biomed_texts, G_N_ELEMENTS(biomed_texts), biomed_pictures, 5e-6,
                 FALSE);
}

/* Weights of 8 bits, in a file where nothing is aligned: near, and the layouts agree. */
static void
test_half(void)
{
  check_features(CLIP_QUICK, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 0.1, TRUE);
  check_features(CLIP_OPENAI, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 0.1, TRUE);
  check_features(CLIP_BIOMED, biomed_texts, G_N_ELEMENTS(biomed_texts), biomed_pictures, 0.1, TRUE);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void
assert_ids(const ModelIds *ids, const int *expected, gsize n)
{
  g_assert_cmpuint(ids->n, ==, n);
  for (gsize i = 0; i < n; i++) {
    g_assert_cmpint(ids->ids[i], ==, expected[i]);
  }
}

static void
check_words(const ModelClip *clip, const GoldenWords *words, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree int *cut = g_new(int, 16);
    ModelIds ids = {0};
    ModelError err = {0};
    gsize length = 0;

    g_test_message("\"%s\"", words[i].text);
    while (words[i].ids[length] >= 0) {
      length++;
    }
    g_assert_true(
        model_words_encode(clip->words, words[i].text, strlen(words[i].text), 1000, &ids, &err));
    assert_ids(&ids, words[i].ids, length);
    ids.n = 0;
    memcpy(cut, words[i].ids, MIN(length, 16) * sizeof *cut);
    cut[MIN(length, 16) - 1] = words[i].ids[length - 1];
    g_assert_true(
        model_words_encode(clip->words, words[i].text, strlen(words[i].text), 16, &ids, &err));
    assert_ids(&ids, cut, MIN(length, 16));
    model_ids_clear(&ids);
  }
}

static void
test_words(void)
{
  g_autofree char *quick = make(CLIP_QUICK, FALSE, NULL), *biomed = make(CLIP_BIOMED, FALSE, NULL);
  ModelClip *clip = open_clip(quick, 1), *bert = open_clip(biomed, 1);
  ModelIds ids = {0};
  ModelError err = {0};

  check_words(clip, clip_words, G_N_ELEMENTS(clip_words));
  check_words(bert, bert_words, G_N_ELEMENTS(bert_words));
  /* Bytes that are no text are one sign each; a text in the limits of the tower. */
  g_assert_true(model_clip_tokenize(clip, "a\xff\xfe", 3, &ids, &err));
  g_assert_cmpuint(ids.n, ==, 9);
  ids.n = 0;
  g_assert_true(
      model_clip_tokenize(clip, "a a a a a a a a a a a a a a a a a a a a", 39, &ids, &err));
  g_assert_cmpuint(ids.n, ==, 16);
  g_assert_cmpint(ids.ids[15], ==, 536);
  ids.n = 0;
  g_assert_false(model_words_encode(clip->words, "a", 1, 1, &ids, &err));
  g_assert_cmpuint(ids.n, ==, 0);
  model_ids_clear(&ids);
  model_clip_free(clip);
  model_clip_free(bert);
  remove_tree(quick);
  remove_tree(biomed);
}

/* The same from tokenizer.json, in both ways that merges are written. */
static void
test_tokenizer_json(void)
{
  g_autofree char *quick = make(CLIP_QUICK, FALSE, NULL), *biomed = make(CLIP_BIOMED, FALSE, NULL);
  g_autofree char *pieces = clip_vocabulary(-1),
                  *path = g_build_filename(quick, "merges.txt", NULL);
  g_autofree char *lines = g_build_filename(biomed, "vocab.txt", NULL);
  g_auto(GStrv) merges = g_strsplit(strchr(clip_merges, '\n') + 1, "\n", -1);
  g_auto(GStrv) words = g_strsplit(bert_lines, " ", -1);

  g_unlink(path);
  g_unlink(lines);
  for (guint newer = 0; newer < 2; newer++) {
    g_autoptr(GString) json = g_string_new("{\"model\": {\"type\": \"BPE\", \"vocab\": ");
    ModelClip *clip;
    g_string_append_printf(json, "%s, \"merges\": [", pieces);
    for (guint i = 0; merges[i] && *merges[i]; i++) {
      g_auto(GStrv) parts = g_strsplit(merges[i], " ", 2);
      g_string_append_printf(json, newer ? "%s[\"%s\", \"%s\"]" : "%s\"%s %s\"", i ? ", " : "",
                             parts[0], parts[1]);
    }
    g_string_append(json, "]}}");
    clip_write_text(quick, "tokenizer.json", json->str);
    clip = open_clip(quick, 1);
    check_words(clip, clip_words, G_N_ELEMENTS(clip_words));
    model_clip_free(clip);
  }
  {
    g_autoptr(GString) json = g_string_new("{\"model\": {\"type\": \"WordPiece\", \"vocab\": {");
    ModelClip *clip;
    for (guint i = 0; words[i]; i++) {
      g_string_append_printf(json, "%s\"%s%s\": %u", i ? ", " : "", *words[i] == '"' ? "\\" : "",
                             words[i], i);
    }
    g_string_append(json, "}}}");
    clip_write_text(biomed, "tokenizer.json", json->str);
    clip = open_clip(biomed, 1);
    check_words(clip, bert_words, G_N_ELEMENTS(bert_words));
    model_clip_free(clip);
  }
  remove_tree(quick);
  remove_tree(biomed);
}

/* CLIP's own merges, of which its pieces are made: bytes, bytes with </w>, what is joined, and two
 * more (openai/CLIP, simple_tokenizer.py). */
static char *
real_vocabulary(const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GFileInputStream) packed = g_file_read(file, NULL, NULL);
  g_autoptr(GConverter) unpack =
      G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr(GInputStream) stream = g_converter_input_stream_new(G_INPUT_STREAM(packed), unpack);
  g_autofree char *text = g_malloc0(4 << 20), *tiny = clip_vocabulary(-1);
  g_autoptr(GString) pieces = g_string_new(tiny), merges = g_string_new("#version: 0.2\n");
  char *folder = new_folder(), **lines;
  gsize n;

  g_assert_true(g_input_stream_read_all(stream, text, (4 << 20) - 1, &n, NULL, NULL));
  lines = g_strsplit(text, "\n", -1);
  /* The tiny vocabulary begins with the same 512. */
  g_string_truncate(pieces, (gsize)(strstr(pieces->str, ": 511") - pieces->str) + 5);
  for (guint i = 1; i <= 48894; i++) {
    char **parts = g_strsplit(lines[i], " ", 2);
    g_autofree char *whole = g_strjoinv("", parts);
    g_string_append_printf(merges, "%s\n", lines[i]);
    g_strfreev(parts);
    g_string_append(pieces, ", \"");
    for (const char *c = whole; *c; c++) {
      g_string_append_printf(pieces, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    g_string_append_printf(pieces, "\": %u", 511 + i);
  }
  g_string_append(pieces, ", \"<|startoftext|>\": 49406, \"<|endoftext|>\": 49407}");
  clip_write_text(folder, "vocab.json", pieces->str);
  clip_write_text(folder, "merges.txt", merges->str);
  g_strfreev(lines);
  return folder;
}

/* The ids that OpenAI's program gives (its README and notebooks show these). */
static void
test_real_vocabulary(void)
{
  const GoldenWords rows[] = {
      {"a photo of a cat", (const int[]){49406, 320, 1125, 539, 320, 2368, 49407, -1}},
      {"a dog", (const int[]){49406, 320, 1929, 49407, -1}},
      {"a diagram", (const int[]){49406, 320, 22697, 49407, -1}}};
  g_autofree char *path = shared_path("corpus/tokenizer/bpe_simple_vocab_16e6.txt.gz");
  g_autofree char *folder = path ? real_vocabulary(path) : NULL;
  ModelClip clip = {0};
  ModelError err = {0};

  if (!path) {
    return;
  }
  clip.words = model_clip_words_open(folder, MODEL_WORDS_CLIP, 49408, &err);
  g_assert_cmpstr(err.message, ==, "");
  check_words(&clip, rows, G_N_ELEMENTS(rows));
  model_words_free(clip.words);
  remove_tree(folder);
}

/* Normal forms against the standard's own examples: marks in their order, of one class as they
 * stood; Hangul by arithmetic; what is never composed again; a mark that stands in the way. */
static void
test_normal_forms(void)
{
  static const struct {
    guint32 from[4], apart[5], whole[4];
  } rows[] = {
      {{0x1E9B, 0x323}, {0x17F, 0x323, 0x307}, {0x1E9B, 0x323}},
      {{'a', 0x301, 0x327}, {'a', 0x327, 0x301}, {0xE1, 0x327}},
      {{'a', 0x301, 0x300}, {'a', 0x301, 0x300}, {0xE1, 0x300}},
      {{0x1D5, 0x323}, {'U', 0x323, 0x308, 0x304}, {0x1EE4, 0x308, 0x304}},
      {{0xAC01}, {0x1100, 0x1161, 0x11A8}, {0xAC01}},
      {{0x1100, 0x1161, 'x'}, {0x1100, 0x1161, 'x'}, {0xAC00, 'x'}},
      {{0x212B}, {'A', 0x30A}, {0xC5}},
      {{0x958}, {0x915, 0x93C}, {0x915, 0x93C}},
      {{0x301, 'e'}, {0x301, 'e'}, {0x301, 'e'}},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    for (guint composed = 0; composed < 2; composed++) {
      const guint32 *expected = composed ? rows[i].whole : rows[i].apart;
      ModelCodes codes = {0};
      for (guint k = 0; k < 4 && rows[i].from[k]; k++) {
        g_assert_true(model_codes_push(&codes, rows[i].from[k]));
      }
      g_assert_true(composed ? model_codes_compose(&codes) : model_codes_decompose(&codes));
      for (guint k = 0; k < codes.n; k++) {
        g_assert_cmphex(codes.codes[k], ==, expected[k]);
      }
      g_assert_true(codes.n >= 4 || expected[codes.n] == 0);
      model_codes_clear(&codes);
    }
  }
}

/* ---- directions ------------------------------------------------------------------------------ */

static double
length_of(const float *out)
{
  double sum = 0;

  for (guint i = 0; i < CLIP_WIDTH; i++) {
    sum += (double)out[i] * out[i];
  }
  return sqrt(sum);
}

static void
test_directions(void)
{
  static const char text[] = "a chest x-ray";
  const int ids[] = {535, 320, 519, 343, 268, 522, 536};
  g_autofree char *folder = make(CLIP_QUICK, FALSE, NULL);
  ModelClip *one = open_clip(folder, 1), *three = open_clip(folder, 3);
  guint8 pixels[40 * 30 * 3];
  const ModelImage picture = {40, 30, 3, pixels}, none = {0, 30, 3, pixels};
  float a[CLIP_WIDTH], b[CLIP_WIDTH];
  ModelError err = {0};

  for (guint i = 0; i < sizeof pixels; i++) {
    pixels[i] = (guint8)(i * 7);
  }
  g_assert_true(model_clip_is(folder));
  g_assert_true(model_clip_text(one, text, strlen(text), a, &err));
  g_assert_true(model_clip_text(three, text, strlen(text), b, &err));
  g_assert_cmpmem(a, sizeof a, b, sizeof b);
  g_assert_cmpfloat_with_epsilon(length_of(a), 1, 1e-6);
  g_assert_true(model_clip_encode_ids(one, ids, G_N_ELEMENTS(ids), b, &err));
  for (guint i = 0; i < CLIP_WIDTH; i++) {
    g_assert_cmpfloat_with_epsilon(a[i] * length_of(b), b[i], 1e-6);
  }
  g_assert_true(model_clip_picture(one, &picture, a, &err));
  g_assert_true(model_clip_picture(three, &picture, b, &err));
  g_assert_cmpmem(a, sizeof a, b, sizeof b);
  g_assert_cmpfloat_with_epsilon(length_of(a), 1, 1e-6);
  g_assert_false(model_clip_picture(one, &none, a, &err));
  g_assert_false(model_clip_encode_ids(one, (const int[]){535, 537}, 2, a, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "id 537, expected 0 to 536");
  g_assert_false(model_clip_encode_ids(one, ids, 0, a, &err));
  g_assert_false(model_clip_encode_ids(one, (const int[17]){0}, 17, a, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "a text of 17 ids, expected 1 to 16");
  model_clip_free(one);
  model_clip_free(three);
  remove_tree(folder);
}

/* A square out of a picture that is three pixels wider: transformers begins at 1, torchvision (and
 * OpenCLIP with it) at 2. */
static void
test_crop(void)
{
  static const ClipKind kinds[] = {CLIP_QUICK, CLIP_OPENAI};
  guint8 wide[31 * 28 * 3], square[28 * 28 * 3];
  const ModelImage whole = {31, 28, 3, wide}, middle = {28, 28, 3, square};

  for (guint i = 0; i < sizeof wide; i++) {
    wide[i] = (guint8)(i * 41 % 251);
  }
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autofree char *folder = make(kinds[k], FALSE, NULL);
    ModelClip *clip = open_clip(folder, 1);
    float a[CLIP_WIDTH], b[CLIP_WIDTH];
    ModelError err = {0};

    for (guint row = 0; row < 28; row++) {
      memcpy(square + row * 28 * 3, wide + (row * 31 + 1 + k) * 3, 28 * 3);
    }
    g_assert_true(model_clip_picture(clip, &whole, a, &err));
    g_assert_true(model_clip_picture(clip, &middle, b, &err));
    g_assert_cmpmem(a, sizeof a, b, sizeof b);
    model_clip_free(clip);
    remove_tree(folder);
  }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void
assert_refused(const char *folder, ModelErrorCode code, const char *pattern)
{
  ModelError err = {0};
  ModelClip *clip = model_clip_open(folder, NULL, &err);

  g_assert_null(clip);
  assert_message(&err, code, pattern);
}

/* FROM becomes TO in a pair's configuration, which is refused then. */
static void
assert_config_refused(ClipKind kind, const char *from, const char *to, ModelErrorCode code,
                      const char *pattern)
{
  g_autofree char *folder = make(kind, FALSE, NULL), *config = clip_config(kind);
  g_auto(GStrv) parts = g_strsplit(config, from, 2);
  g_autofree char *other = g_strjoinv(to, parts);

  g_assert_cmpuint(g_strv_length(parts), ==, 2);
  clip_write_text(
      folder, kind == CLIP_OPENAI || kind == CLIP_BIOMED ? "open_clip_config.json" : "config.json",
      other);
  assert_refused(folder, code, pattern);
  remove_tree(folder);
}

static void
test_configurations(void)
{
  assert_config_refused(CLIP_QUICK, "\"vocab_size\": 537", "\"vocab_size\": 538",
                        MODEL_ERROR_CORRUPT, "*token_embedding.weight has shape [537, 32*");
  assert_config_refused(CLIP_QUICK, "\"hidden_size\": 32", "\"hidden_size\": 4000000000",
                        MODEL_ERROR_CORRUPT, "*4000000000 wide*out of bounds");
  assert_config_refused(CLIP_QUICK, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
                        MODEL_ERROR_CORRUPT, "*text_model.encoder.layers.2.*missing");
  assert_config_refused(CLIP_QUICK, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1",
                        MODEL_ERROR_UNSUPPORTED, "*text_model.encoder.layers.1.*no tower*");
  assert_config_refused(CLIP_QUICK, "\"num_attention_heads\": 4, \"num_hidden",
                        "\"num_attention_heads\": 5, \"num_hidden", MODEL_ERROR_CORRUPT,
                        "*5 heads do not divide*");
  assert_config_refused(CLIP_QUICK, "quick_gelu", "relu", MODEL_ERROR_UNSUPPORTED, "*\"relu\"*");
  assert_config_refused(CLIP_QUICK, "\"projection_dim\": 24", "\"projection_dim\": 25",
                        MODEL_ERROR_CORRUPT, "*projection.weight has shape*");
  assert_config_refused(CLIP_QUICK, "\"image_size\": 28", "\"image_size\": 35", MODEL_ERROR_CORRUPT,
                        "*position_embedding.weight has shape*");
  assert_config_refused(CLIP_QUICK, "\"model_type\": \"clip\"", "\"model_type\": \"llava\"",
                        MODEL_ERROR_FORMAT, "*no CLIP checkpoint*");
  assert_config_refused(CLIP_GELU, "\"eos_token_id\": 63", "\"eos_token_id\": 62",
                        MODEL_ERROR_CORRUPT, "*eos_token_id is 62, but*63");
  assert_config_refused(CLIP_OPENAI, "\"width\": 48", "\"no_ln_pre\": true",
                        MODEL_ERROR_UNSUPPORTED, "*\"no_ln_pre\" is set*");
  assert_config_refused(CLIP_OPENAI, "shortest", "squash", MODEL_ERROR_UNSUPPORTED,
                        "*resize_mode is \"squash\", expected \"shortest\"");
  assert_config_refused(CLIP_OPENAI, "\"context_length\": 16", "\"context_length\": 17",
                        MODEL_ERROR_CORRUPT, "*texts of 17 ids, and 16 positions*");
  assert_config_refused(CLIP_BIOMED, "\"timm_pool\": \"\"", "\"timm_pool\": \"avg\"",
                        MODEL_ERROR_UNSUPPORTED, "*timm_pool is \"avg\"*");
  assert_config_refused(CLIP_BIOMED, "\"mlp\"", "\"linear\"", MODEL_ERROR_UNSUPPORTED,
                        "*hf_proj_type is \"linear\", expected \"mlp\"");
  assert_config_refused(CLIP_BIOMED, "cls_last_hidden_state_pooler", "mean_pooler",
                        MODEL_ERROR_UNSUPPORTED, "*hf_pooler_type is \"mean_pooler\"*");
  assert_config_refused(CLIP_BIOMED, "[0.48145466, 0.4578275, 0.40821073]", "[1, 2]",
                        MODEL_ERROR_CORRUPT, "*\"mean\" is not a list of three numbers");
}

static void
test_tensors(void)
{
  static const struct {
    ClipKind kind;
    const char *name, *pattern;
  } rows[] = {
      {CLIP_QUICK, "logit_scale", "*logit_scale is missing"},
      {CLIP_QUICK, "text_projection.weight", "*text_projection.weight is missing"},
      {CLIP_QUICK, "text_model.encoder.layers.1.self_attn.k_proj.bias", "*k_proj.bias is missing"},
      {CLIP_QUICK, "vision_model.post_layernorm.weight", "*post_layernorm.weight is missing"},
      {CLIP_OPENAI, "visual.transformer.resblocks.0.attn.in_proj_bias", "*in_proj_bias is missing"},
      {CLIP_BIOMED, "visual.trunk.pos_embed", "*pos_embed is missing"},
      {CLIP_BIOMED, "text.transformer.encoder.layer.0.output.LayerNorm.bias", "*is missing"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *folder = make(rows[i].kind, FALSE, rows[i].name);
    assert_refused(folder, MODEL_ERROR_CORRUPT, rows[i].pattern);
    remove_tree(folder);
  }
}

static void
test_vocabularies(void)
{
  g_autofree char *quick = make(CLIP_QUICK, FALSE, NULL), *biomed = make(CLIP_BIOMED, FALSE, NULL);
  g_autofree char *pieces = clip_vocabulary(-1),
                  *merges = g_build_filename(quick, "merges.txt", NULL);
  g_autofree char *lines = g_build_filename(biomed, "vocab.txt", NULL), *text = NULL;
  g_auto(GStrv) parts = g_strsplit(pieces, "536", 2);
  g_autofree char *high = g_strjoinv("537", parts);

  clip_write_text(quick, "merges.txt", "#version: 0.2\na b\n");
  assert_refused(quick, MODEL_ERROR_CORRUPT, "*merge 1 of a and b*no pieces");
  clip_write_text(quick, "merges.txt", "ab\n");
  assert_refused(quick, MODEL_ERROR_CORRUPT, "*a merge is \"ab\"*");
  clip_write_text(quick, "merges.txt", "#version: 0.2\n");
  assert_refused(quick, MODEL_ERROR_CORRUPT, "*no merges");
  clip_write_text(quick, "vocab.json", high);
  assert_refused(quick, MODEL_ERROR_CORRUPT, "*<|endoftext|> is 537*below the 537 rows*");
  clip_write_text(quick, "vocab.json", "{\"<|startoftext|>\": 1, \"<|endoftext|>\": 2}");
  assert_refused(quick, MODEL_ERROR_CORRUPT, "*no piece for byte 0*");
  clip_write_text(quick, "vocab.json", "{}");
  assert_refused(quick, MODEL_ERROR_CORRUPT, "*vocabulary is empty");
  g_unlink(merges);
  assert_refused(quick, MODEL_ERROR_FORMAT, "*neither vocab.json with merges.txt nor*");
  clip_write_text(biomed, "vocab.txt", "[UNK]\n[CLS]\n");
  assert_refused(biomed, MODEL_ERROR_CORRUPT, "*no [SEP]");
  text = g_strconcat(bert_lines, " more", NULL);
  g_strdelimit(text, " ", '\n');
  clip_write_text(biomed, "vocab.txt", text);
  assert_refused(biomed, MODEL_ERROR_CORRUPT, "*more lines than the 111 rows*");
  g_unlink(lines);
  clip_write_text(biomed, "tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}");
  assert_refused(biomed, MODEL_ERROR_UNSUPPORTED, "*\"Unigram\", expected WordPiece");
  remove_tree(quick);
  remove_tree(biomed);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/clip/features", test_features);
  g_test_add_func("/model/clip/half", test_half);
  g_test_add_func("/model/clip/words", test_words);
  g_test_add_func("/model/clip/tokenizer-json", test_tokenizer_json);
  g_test_add_func("/model/clip/real-vocabulary", test_real_vocabulary);
  g_test_add_func("/model/clip/normal-forms", test_normal_forms);
  g_test_add_func("/model/clip/directions", test_directions);
  g_test_add_func("/model/clip/crop", test_crop);
  g_test_add_func("/model/clip/configurations", test_configurations);
  g_test_add_func("/model/clip/tensors", test_tensors);
  g_test_add_func("/model/clip/vocabularies", test_vocabularies);
  return g_test_run();
}
