/* test-words.c - the tokenizers of text towers beside transformers', and vocabularies that are
 * refused. */
#include "clip-open.h"
#include "shared.h"
#include "tokenizer/unicode.h"

#include <gio/gio.h>

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
  char *folder = new_folder();
  const char *line;
  gsize n;

  g_assert_true(g_input_stream_read_all(stream, text, (4 << 20) - 1, &n, NULL, NULL));
  line = memchr(text, '\n', n); /* g_strsplit() would take minutes under AddressSanitizer */
  /* The tiny vocabulary begins with the same 512. */
  g_string_truncate(pieces, (gsize)(strstr(pieces->str, ": 511") - pieces->str) + 5);
  for (guint i = 1; i <= 48894; i++) {
    const char *end = line ? memchr(line + 1, '\n', n - (gsize)(line + 1 - text)) : NULL;
    g_autofree char *merge = end ? g_strndup(line + 1, (gsize)(end - line - 1)) : NULL;
    g_auto(GStrv) parts = NULL;
    g_autofree char *whole = NULL;

    g_assert_nonnull(merge);
    parts = g_strsplit(merge, " ", 2);
    whole = g_strjoinv("", parts);
    g_string_append_printf(merges, "%s\n", merge);
    line = end;
    g_string_append(pieces, ", \"");
    for (const char *c = whole; *c; c++) {
      g_string_append_printf(pieces, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    g_string_append_printf(pieces, "\": %u", 511 + i);
  }
  g_string_append(pieces, ", \"<|startoftext|>\": 49406, \"<|endoftext|>\": 49407}");
  clip_write_text(folder, "vocab.json", pieces->str);
  clip_write_text(folder, "merges.txt", merges->str);
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

/* ---- what is refused ------------------------------------------------------------------------- */

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
  g_test_add_func("/words/golden", test_words);
  g_test_add_func("/words/tokenizer-json", test_tokenizer_json);
  g_test_add_func("/words/real-vocabulary", test_real_vocabulary);
  g_test_add_func("/words/normal-forms", test_normal_forms);
  g_test_add_func("/words/vocabularies", test_vocabularies);
  return g_test_run();
}
