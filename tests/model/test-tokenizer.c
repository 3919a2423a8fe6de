/* test-tokenizer.c - the tokenizer gives SentencePiece's ids and texts, and survives its inputs. */
#include "tokenizer-fixture.h"

#include "base/limits.h"

#define LLAMA "corpus/tokenizer/llama_tokenizer.model"
#define MISTRAL "corpus/tokenizer/mistral_tokenizer.model.v1"

static void
assert_encodes(const Fixture *fixture, const char *text, gssize length, const char *expected)
{
  g_auto(ModelIds) ids = {0};
  g_autofree char *found = NULL;
  ModelError err = {0};

  g_assert_true(model_tokenizer_encode(fixture->tokenizer, text,
                                       length < 0 ? strlen(text) : (gsize)length, &ids, &err));
  found = ids_text(&ids);
  g_assert_cmpstr(found, ==, expected);
}

/* Streamed bytes, each id by itself. */
static char *
stream_hex(const Fixture *fixture, const ModelIds *ids)
{
  GString *hex = g_string_new(NULL);
  gboolean first = TRUE;

  for (gsize i = 0; i < ids->n; i++) {
    char out[256];
    gsize n = model_tokenizer_bytes(fixture->tokenizer, ids->ids[i], first, out);
    g_assert_cmpuint(n, <=, sizeof out);
    for (gsize k = 0; k < n; k++) {
      g_string_append_printf(hex, "%02x", (guint8)out[k]);
    }
    first = FALSE;
  }
  return g_string_free(hex, FALSE);
}

/* ---- golden -------------------------------------------------------------------------------- */

static void
check_golden_string(const Fixture *fixture, JsonObject *entry)
{
  const char *text = json_object_get_string_member(entry, "text");
  g_auto(ModelIds) ids = {0}, special = {0};
  g_autofree char *hex = NULL;
  char *decoded;
  ModelError err = {0};

  g_assert_true(model_tokenizer_encode(fixture->tokenizer, text, strlen(text), &ids, &err));
  assert_ids(&ids, json_object_get_array_member(entry, "ids"));
  g_assert_true(
      model_tokenizer_encode_special(fixture->tokenizer, text, strlen(text), true, &special, &err));
  assert_ids(&special, json_object_get_array_member(entry, "ids_special"));
  decoded = model_tokenizer_decode(fixture->tokenizer, ids.ids, ids.n, &err);
  g_assert_cmpstr(decoded, ==, json_object_get_string_member(entry, "decoded"));
  free(decoded);
  hex = stream_hex(fixture, &ids);
  g_assert_cmpstr(hex, ==, json_object_get_string_member(entry, "bytes_hex"));
}

static void
test_golden(void)
{
  g_autoptr(Fixture) fixture = fixture_from_shared(LLAMA, NULL);
  g_autoptr(JsonParser) parser = fixture ? shared_json("vectors/tokenizer.json") : NULL;
  JsonArray *strings, *prompts;
  JsonObject *root;
  ModelError err = {0};

  if (!parser) {
    return;
  }
  root = json_node_get_object(json_parser_get_root(parser));
  strings = json_object_get_array_member(root, "strings");
  g_assert_cmpuint(json_array_get_length(strings), >=, 200);
  for (guint i = 0; i < json_array_get_length(strings); i++) {
    check_golden_string(fixture, json_array_get_object_element(strings, i));
  }
  prompts = json_object_get_array_member(root, "prompts");
  g_assert_cmpuint(json_array_get_length(prompts), >=, 26);
  for (guint i = 0; i < json_array_get_length(prompts); i++) {
    JsonObject *entry = json_array_get_object_element(prompts, i);
    const char *prompt = json_object_get_string_member(entry, "prompt");
    g_auto(ModelIds) ids = {0};
    g_assert_true(
        model_tokenizer_encode_prompt(fixture->tokenizer, prompt, strlen(prompt), &ids, &err));
    assert_ids(&ids, json_object_get_array_member(entry, "ids"));
  }
}

/* Prompts of the golden models: trimmed vocabularies, and v1.0's run of patch ids. */
static void
check_cases(const char *golden, const Fixture *fixture)
{
  g_autoptr(JsonParser) parser = shared_json(golden);
  JsonArray *cases;
  ModelError err = {0};

  g_assert_nonnull(parser);
  cases = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "cases");
  g_assert_cmpuint(json_array_get_length(cases), >, 0);
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *entry = json_array_get_object_element(cases, i);
    const char *prompt = json_object_get_string_member(entry, "prompt");
    JsonArray *greedy =
        json_object_get_array_member(json_object_get_object_member(entry, "greedy"), "ids");
    g_auto(ModelIds) ids = {0}, answer = {0};
    g_autofree char *hex = NULL;
    char *text;
    g_assert_true(
        model_tokenizer_encode_prompt(fixture->tokenizer, prompt, strlen(prompt), &ids, &err));
    assert_ids(&ids, json_object_get_array_member(entry, "ids"));
    for (guint k = 0; k < json_array_get_length(greedy); k++) {
      g_assert_true(model_ids_push(&answer, (int32_t)json_array_get_int_element(greedy, k)));
    }
    text = model_tokenizer_decode(fixture->tokenizer, answer.ids, answer.n, &err);
    g_assert_cmpstr(text, ==, json_object_get_string_member(entry, "text"));
    free(text);
    hex = stream_hex(fixture, &answer);
    g_assert_cmpstr(hex, ==, json_object_get_string_member(entry, "text_hex"));
  }
}

static void
test_golden_models(void)
{
  g_autoptr(Fixture) a = fixture_from_shared("vectors/A-v15-tiny/hf/tokenizer.model", NULL);
  g_autoptr(Fixture) c = a ? fixture_from_shared("vectors/C-odd/hf/tokenizer.model", NULL) : NULL;
  g_autoptr(Fixture) b = c ? fixture_v10(56) : NULL;

  if (!b) {
    return;
  }
  check_cases("vectors/A-v15-tiny/golden.json", a);
  check_cases("vectors/B-v10-tiny/golden.json", b);
  check_cases("vectors/C-odd/golden.json", c);
}

/* The same through the readers of whole checkpoints, folders and GGUF files. */
static void
check_checkpoint(const char *relative, const char *golden)
{
  g_autofree char *path = shared_path(relative);
  ModelCheckpoint checkpoint;
  Fixture fixture = {0};
  ModelError err = {0};

  if (!path) {
    return;
  }
  model_checkpoint_open(path, NULL, &checkpoint, &err);
  assert_no_error(&err);
  fixture.tokenizer = model_tokenizer_new(&checkpoint.vocabulary, &checkpoint.config, &err);
  assert_no_error(&err);
  check_cases(golden, &fixture);
  model_tokenizer_free(fixture.tokenizer);
  model_checkpoint_close(&checkpoint);
}

static void
test_checkpoints(void)
{
  static const char *const models[] = {"A-v15-tiny", "B-v10-tiny", "C-odd"};

  for (guint i = 0; i < G_N_ELEMENTS(models); i++) {
    g_autofree char *folder = g_build_filename("vectors", models[i], "hf", NULL);
    g_autofree char *gguf = g_build_filename("vectors", models[i], "gguf", "llm-f16.gguf", NULL);
    g_autofree char *golden = g_build_filename("vectors", models[i], "golden.json", NULL);
    g_test_message("%s", models[i]);
    check_checkpoint(folder, golden);
    check_checkpoint(gguf, golden);
  }
}

/* llama.cpp's own test of its own implementation, on the same vocabulary. */
static void
test_llama_cpp_strings(void)
{
  g_autoptr(Fixture) fixture = fixture_from_shared(LLAMA, NULL);
  g_autofree char *inp =
      fixture ? shared_path("corpus/tokenizer/ggml-vocab-llama-spm.gguf.inp") : NULL;
  g_autofree char *out = inp ? shared_path("corpus/tokenizer/ggml-vocab-llama-spm.gguf.out") : NULL;
  g_autofree char *texts = NULL;
  g_autofree char *ids = NULL;
  g_auto(GStrv) text = NULL;
  g_auto(GStrv) line = NULL;
  guint n;

  if (!out) {
    return;
  }
  g_assert_true(g_file_get_contents(inp, &texts, NULL, NULL));
  g_assert_true(g_file_get_contents(out, &ids, NULL, NULL));
  text = g_strsplit(texts, "\n__ggml_vocab_test__\n", -1);
  line = g_strsplit(ids, "\n", -1);
  n = g_strv_length(text);
  g_assert_cmpuint(n, >, 40);
  g_assert_cmpuint(g_strv_length(line), >=, n);
  for (guint i = 0; i < n; i++) {
    if (i + 1 == n && *text[i] == '\0' && *g_strstrip(line[i]) == '\0') {
      continue; /* the file's end, no text */
    }
    assert_encodes(fixture, text[i], -1, g_strstrip(line[i]));
  }
}

static void
test_mistral(void)
{
  g_autoptr(Fixture) fixture = fixture_from_shared(MISTRAL, NULL);
  static const char prompt[] = "[INST] <image>\nQ [/INST]";
  g_auto(ModelIds) ids = {0};
  g_autofree char *found = NULL;
  ModelError err = {0};

  if (!fixture) {
    return;
  }
  assert_encodes(fixture, "[INST]", -1, "733 16289 28793");
  assert_encodes(fixture, "[/INST]", -1, "733 28748 16289 28793");
  g_assert_true(model_tokenizer_encode_part(fixture->tokenizer, " ", 1, false, &ids, &err));
  g_assert_cmpint(ids.ids[0], ==, 28705);
  ids.n = 0;
  g_assert_true(
      model_tokenizer_encode_prompt(fixture->tokenizer, prompt, sizeof prompt - 1, &ids, &err));
  found = ids_text(&ids);
  g_assert_cmpstr(found, ==, "1 733 16289 28793 28705 -200 28705 13 28824 733 28748 16289 28793");
}

/* ---- vocabularies made here ---------------------------------------------------------------- */

#define N(text, score)                                                                             \
  {                                                                                                \
    text, score, MODEL_PIECE_NORMAL                                                                \
  }
#define SPECIALS                                                                                   \
  {"<unk>", 0, MODEL_PIECE_UNKNOWN}, {"<s>", 0, MODEL_PIECE_CONTROL},                              \
  {                                                                                                \
    "</s>", 0, MODEL_PIECE_CONTROL                                                                 \
  }

static void
test_merges(void)
{
  /* ids          3            4            5             6           7           8 */
  static const HandPiece pieces[] = {SPECIALS,    N("a", -10), N("b", -11),  N("c", -12),
                                     N("ab", -1), N("bc", -1), N("abc", -5), N("cab", -0.5),
                                     N("aa", -2), N("aaa", -3)};
  static const HandOptions options = {2, 0, 0, FALSE};
  g_autoptr(Fixture) fixture = hand_fixture(pieces, G_N_ELEMENTS(pieces), &options);

  /* "ab" and "bc" have one score: the left one is joined, then "abc". */
  assert_encodes(fixture, "abc", -1, "8");
  assert_encodes(fixture, "bc", -1, "7");
  /* "cab" has the best score, but no pair makes it before "ab" is joined. */
  assert_encodes(fixture, "cab", -1, "9");
  assert_encodes(fixture, "bcab", -1, "7 6");
  /* Ties from the left: aa aa a, then "aaa" from the second pair and the rest. */
  assert_encodes(fixture, "aaaaa", -1, "10 11");
  assert_encodes(fixture, "aaa", -1, "11");
  /* No byte pieces: a run of unknown characters is one <unk>. */
  assert_encodes(fixture, "axyb", -1, "3 0 4");
  assert_encodes(fixture, "x\xC3\xA9 y", -1, "0");
  assert_encodes(fixture, "", -1, "");
}

static void
test_user_defined(void)
{
  static const HandPiece pieces[] = {SPECIALS,
                                     {"[INST]", 0, MODEL_PIECE_USER},
                                     {"[IN", 0, MODEL_PIECE_USER},
                                     N("S", -1),
                                     N("x[", -2),
                                     N("xx", -3),
                                     N("x", -4),
                                     N("[", -5),
                                     N("\u2581", -6),
                                     N("]x", -0.1),
                                     N("\u2581x", -0.2),
                                     {"a b", 0, MODEL_PIECE_USER},
                                     N("x[INST]", -0.3)};
  static const HandOptions options = {2, 1, 0, TRUE};
  g_autoptr(Fixture) fixture = hand_fixture(pieces, G_N_ELEMENTS(pieces), &options);

  /* The longest one is taken, it is never joined with its neighbours, and a part of it is text. */
  assert_encodes(fixture, "x[INST]x", -1, "12 3 8");
  assert_encodes(fixture, "[INS", -1, "10 4 5");
  assert_encodes(fixture, "[INST", -1, "10 4 5 99");
  assert_encodes(fixture, "[I", -1, "10 9 88");
  assert_encodes(fixture, " xx", -1, "10 12 8");
}

static void
test_unused(void)
{
  /* ids                    3           4           5 */
  static const HandPiece pieces[] = {SPECIALS,
                                     N("a", -10),
                                     N("b", -11),
                                     N("c", -12),
                                     {"ab", -1, MODEL_PIECE_UNUSED},
                                     N("abc", -2),
                                     {"abca", -3, MODEL_PIECE_UNUSED},
                                     {"d", -4, MODEL_PIECE_UNUSED},
                                     {"cc", -5, MODEL_PIECE_UNUSED},
                                     {"ccc", -6, MODEL_PIECE_UNUSED}};
  static const HandOptions options = {2, 0, 0, FALSE};
  g_autoptr(Fixture) fixture = hand_fixture(pieces, G_N_ELEMENTS(pieces), &options);

  /* Joined through an unused piece, but the unused piece itself is taken apart again. */
  assert_encodes(fixture, "abc", -1, "7");
  assert_encodes(fixture, "ab", -1, "3 4");
  assert_encodes(fixture, "abca", -1, "7 3");
  assert_encodes(fixture, "ccc", -1, "5 5 5");
  /* A single unused character cannot be taken apart. */
  assert_encodes(fixture, "d", -1, "9");
}

static void
test_spaces(void)
{
  static const HandPiece pieces[] = {SPECIALS, N("\u2581", -5), N("a", -6), N("\u2581a", -1),
                                     N("\u2581\u2581", -2)};
  static const HandOptions keep = {2, 1, 0, TRUE}, squeeze = {2, 1, 1, TRUE},
                           bare = {2, 0, 0, TRUE}, by_default = {2, -1, -1, TRUE};
  g_autoptr(Fixture) kept = hand_fixture(pieces, G_N_ELEMENTS(pieces), &keep);
  g_autoptr(Fixture) squeezed = hand_fixture(pieces, G_N_ELEMENTS(pieces), &squeeze);
  g_autoptr(Fixture) no_prefix = hand_fixture(pieces, G_N_ELEMENTS(pieces), &bare);
  g_autoptr(Fixture) defaults = hand_fixture(pieces, G_N_ELEMENTS(pieces), &by_default);
  const int32_t spaced[] = {5, 3, 5}, leading[] = {3, 3, 4};
  char *text;

  assert_encodes(kept, "a  a ", -1, "5 3 5 3");
  assert_encodes(kept, " ", -1, "6");
  assert_encodes(squeezed, "  a   a  ", -1, "5 5");
  assert_encodes(squeezed, "   ", -1, "");
  assert_encodes(no_prefix, "a a", -1, "4 5");
  assert_encodes(no_prefix, " ", -1, "3");
  /* protobuf's defaults: prefix on, extra spaces removed */
  assert_encodes(defaults, "a  a ", -1, "5 5");

  text = model_tokenizer_decode(kept->tokenizer, spaced, 3, NULL);
  g_assert_cmpstr(text, ==, "a  a");
  free(text);
  text = model_tokenizer_decode(no_prefix->tokenizer, spaced, 3, NULL);
  g_assert_cmpstr(text, ==, " a  a");
  free(text);
  /* One dummy prefix is taken off, or all leading spaces where none is to be doubled. */
  text = model_tokenizer_decode(kept->tokenizer, leading, 3, NULL);
  g_assert_cmpstr(text, ==, " a");
  free(text);
  text = model_tokenizer_decode(squeezed->tokenizer, leading, 3, NULL);
  g_assert_cmpstr(text, ==, "a");
  free(text);
}

static void
test_bytes(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();
  const int32_t byte0 = 20;
  const int32_t broken[] = {1, byte0 + 0xE2, byte0 + 0x82, 11, byte0, 0, 5000, -200, -1};
  char *text, out[256];

  g_assert_cmpint(fixture->vocabulary.n_pieces, ==, 276);
  /* a, U+00E9, NUL in the middle of a text */
  assert_encodes(fixture, "a\xC3\xA9", -1, "8 215 189");
  assert_encodes(fixture, "a\0a", 3, "8 20 11");
  /* Broken UTF-8: U+FFFD for each broken byte, then its bytes. */
  assert_encodes(fixture, "a\xFF", -1, "8 259 211 209");
  assert_encodes(fixture, "\xE2\x82", -1, "10 259 211 209 259 211 209");
  assert_encodes(fixture, "\xC0\x80", -1, "10 259 211 209 259 211 209");
  assert_encodes(fixture, "\xED\xA0\x80", -1, "10 259 211 209 259 211 209 259 211 209");
  /* A text like a byte piece is text. */
  assert_encodes(fixture, "<0x0A>", -1, "10 80 68 140 68 85 82");
  /* Each broken byte by itself, NUL too; control, unknown and absent ids are nothing. */
  text = model_tokenizer_decode(fixture->tokenizer, broken, G_N_ELEMENTS(broken), NULL);
  g_assert_cmpstr(text, ==,
                  "\xEF\xBF\xBD\xEF\xBF\xBD"
                  "a"
                  "\xEF\xBF\xBD");
  free(text);
  text = model_tokenizer_decode(fixture->tokenizer, NULL, 0, NULL);
  g_assert_cmpstr(text, ==, "");
  free(text);
  for (gsize i = 5; i < G_N_ELEMENTS(broken); i++) {
    g_assert_cmpuint(model_tokenizer_bytes(fixture->tokenizer, broken[i], true, out), ==, 0);
  }
  g_assert_cmpuint(model_tokenizer_bytes(fixture->tokenizer, 5, false, out), ==, 4);
  g_assert_cmpint(memcmp(out, " the", 4), ==, 0);
  g_assert_cmpuint(model_tokenizer_bytes(fixture->tokenizer, 5, true, out), ==, 3);
  g_assert_true(model_tokenizer_is_stop(fixture->tokenizer, 2));
  g_assert_false(model_tokenizer_is_stop(fixture->tokenizer, 1));
}

static char *
special_ids(const Fixture *fixture, const char *text, gboolean prompt)
{
  g_auto(ModelIds) ids = {0};
  ModelError err = {0};

  g_assert_true(
      prompt ? model_tokenizer_encode_prompt(fixture->tokenizer, text, strlen(text), &ids, &err)
             : model_tokenizer_encode_special(fixture->tokenizer, text, strlen(text), false, &ids,
                                              &err));
  return ids_text(&ids);
}

static void
test_specials(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();
  ModelError err = {0};
  g_autofree char *plain = special_ids(fixture, "a</s>a<unk><s>", FALSE);
  g_autofree char *longest = NULL, *image = NULL, *images = NULL, *run = NULL;

  g_assert_cmpstr(plain, ==, "8 2 8 0 1");
  /* Typed by a user it is text: "<", "/", "s", ">" as bytes. */
  assert_encodes(fixture, "</s>", -1, "10 80 67 135 82");

  image = special_ids(fixture, "a<image>a", TRUE);
  g_assert_cmpstr(image, ==, "1 8 -200 8");
  images = special_ids(fixture, "<image><image></s>", TRUE);
  g_assert_cmpstr(images, ==, "1 -200 -200 2");

  /* Added tokens; of two that match the longer one; "<image>" stays the picture. */
  fixture->vocabulary.n_added = 4;
  fixture->vocabulary.added = calloc(4, sizeof *fixture->vocabulary.added);
  fixture->vocabulary.added[0] = (ModelAddedToken){strdup("<im"), 276};
  fixture->vocabulary.added[1] = (ModelAddedToken){strdup("<im_end>"), 277};
  fixture->vocabulary.added[2] = (ModelAddedToken){strdup("<image>"), 278};
  fixture->vocabulary.added[3] = (ModelAddedToken){strdup(""), 279};
  fixture->config.image_start_end = true;
  fixture->config.id_im_patch = 276;
  fixture->config.id_im_start = 276;
  fixture->config.id_im_end = 277;
  fixture->config.has_vision = true;
  fixture->config.vision.image_size = 56;
  fixture->config.vision.patch_size = 28;
  model_tokenizer_free(fixture->tokenizer);
  fixture->tokenizer = model_tokenizer_new(&fixture->vocabulary, &fixture->config, &err);
  g_assert_nonnull(fixture->tokenizer);
  longest = special_ids(fixture, "<im_end><im", FALSE);
  g_assert_cmpstr(longest, ==, "277 276");
  run = special_ids(fixture, "a<image>", TRUE);
  g_assert_cmpstr(run, ==, "1 8 276 276 276 276 276 277");
}

/* GGUF files keep v1.0's added tokens as user-defined pieces inside the vocabulary. */
static void
test_special_user_pieces(void)
{
  static const HandPiece pieces[] = {SPECIALS,
                                     {"<im_start>", 0, MODEL_PIECE_USER},
                                     {"<im_patch>", 0, MODEL_PIECE_USER},
                                     {"<im_end>", 0, MODEL_PIECE_USER},
                                     N("a", -1)};
  static const HandOptions options = {2, 0, 0, FALSE};
  g_autoptr(GByteArray) bytes = hand_model(pieces, G_N_ELEMENTS(pieces), &options);
  ModelConfig config = {.has_vision = true,
                        .vision = {.image_size = 14, .patch_size = 14},
                        .image_start_end = true,
                        .bos = 1,
                        .eos = 2,
                        .pad = -1,
                        .id_im_start = 3,
                        .id_im_patch = 4,
                        .id_im_end = 5};
  g_autoptr(Fixture) fixture = fixture_new(bytes->data, bytes->len, &config);
  g_autofree char *ids = special_ids(fixture, "a<im_start>a", FALSE);
  g_autofree char *image = special_ids(fixture, "a<image>", TRUE);
  char out[256];

  g_assert_cmpstr(ids, ==, "6 3 6");
  g_assert_cmpstr(image, ==, "1 6 3 4 5");
  assert_encodes(fixture, "a<im_start>a", -1, "6 0 6 0 6"); /* one "a" is in "start" */
  g_assert_cmpuint(model_tokenizer_bytes(fixture->tokenizer, 3, false, out), ==, 0);
}

/* ---- size ---------------------------------------------------------------------------------- */

/* A megabyte is joined as its parts are: the heap neither loses nor repeats a pair. */
static void
test_long_text(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();
  g_autoptr(GString) text = g_string_new(NULL);
  g_auto(ModelIds) ids = {0}, one = {0};
  ModelError err = {0};
  gsize period;

  while (text->len < 1000000) {
    g_string_append(text, "the onion in a thin hat ### ");
  }
  g_assert_true(model_tokenizer_encode(fixture->tokenizer, text->str, text->len, &ids, &err));
  g_assert_true(
      model_tokenizer_encode(fixture->tokenizer, "the onion in a thin hat ###", 27, &one, &err));
  period = one.n; /* each time the space before joins with "the" */
  g_assert_cmpuint(ids.n, ==, text->len / 28 * period + 1);
  for (gsize i = 0; i + 1 < ids.n; i++) {
    g_assert_cmpint(ids.ids[i], ==, one.ids[i % period]);
  }
  /* One long run of one letter has the most stale pairs. */
  memset(text->str, '#', text->len);
  ids.n = 0;
  g_assert_true(model_tokenizer_encode(fixture->tokenizer, text->str, text->len, &ids, &err));
  g_assert_cmpuint(ids.n, ==, 1 + (text->len + 1) / 2);
}

static void
test_too_long(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();
  g_autofree char *text = g_malloc0(MODEL_MAX_TEXT_BYTES + 1);
  g_auto(ModelIds) ids = {0};
  ModelError err = {0};

  g_assert_true(model_ids_push(&ids, 7));
  g_assert_false(
      model_tokenizer_encode(fixture->tokenizer, text, MODEL_MAX_TEXT_BYTES + 1, &ids, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
  g_assert_nonnull(strstr(err.message, "8388609"));
  g_assert_cmpuint(ids.n, ==, 1);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/tokenizer/golden", test_golden);
  g_test_add_func("/tokenizer/golden-models", test_golden_models);
  g_test_add_func("/tokenizer/checkpoints", test_checkpoints);
  g_test_add_func("/tokenizer/llama-cpp-strings", test_llama_cpp_strings);
  g_test_add_func("/tokenizer/mistral", test_mistral);
  g_test_add_func("/tokenizer/merges", test_merges);
  g_test_add_func("/tokenizer/user-defined", test_user_defined);
  g_test_add_func("/tokenizer/unused", test_unused);
  g_test_add_func("/tokenizer/spaces", test_spaces);
  g_test_add_func("/tokenizer/bytes", test_bytes);
  g_test_add_func("/tokenizer/specials", test_specials);
  g_test_add_func("/tokenizer/special-user-pieces", test_special_user_pieces);
  g_test_add_func("/tokenizer/long-text", test_long_text);
  g_test_add_func("/tokenizer/too-long", test_too_long);
  return g_test_run();
}
