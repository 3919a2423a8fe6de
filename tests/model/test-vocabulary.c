/* test-vocabulary.c - a tokenizer.model that is broken, lies or wants what is not read here gives a
 * message, never a crash or a vocabulary that does not work. */
#include "tokenizer-fixture.h"

#include "base/limits.h"
#include "shared.h"

#include <math.h>

#define N(text, score)                                                                             \
  {                                                                                                \
    text, score, MODEL_PIECE_NORMAL                                                                \
  }
#define SPECIALS                                                                                   \
  {"<unk>", 0, MODEL_PIECE_UNKNOWN}, {"<s>", 0, MODEL_PIECE_CONTROL},                              \
  {                                                                                                \
    "</s>", 0, MODEL_PIECE_CONTROL                                                                 \
  }

/* ---- vocabularies that are refused --------------------------------------------------------- */

static void
assert_refused(const ModelVocabulary *vocabulary, const ModelConfig *config, const char *pattern)
{
  ModelError err = {0};
  ModelTokenizer *tokenizer = model_tokenizer_new(vocabulary, config, &err);

  g_assert_null(tokenizer);
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CORRUPT);
  if (!g_pattern_match_simple(pattern, err.message)) {
    g_error("\"%s\" is not like \"%s\"", err.message, pattern);
  }
  g_assert_null(model_tokenizer_new(vocabulary, config, NULL));
}

static void
test_bad_vocabularies(void)
{
  ModelPiece pieces[4] = {{"<unk>", 5, 0, MODEL_PIECE_UNKNOWN},
                          {"a", 1, -1, MODEL_PIECE_NORMAL},
                          {"b", 1, -2, MODEL_PIECE_NORMAL},
                          {"c", 1, -3, MODEL_PIECE_NORMAL}};
  const ModelConfig config = {.bos = -1, .eos = -1, .pad = -1};
  ModelConfig v10 = {.image_start_end = true, .id_im_patch = -1};
  ModelAddedToken added = {(char *)"x", -5};
  ModelVocabulary v = {.pieces = pieces, .n_pieces = 4, .unk = 0};
  ModelError err = {0};
  ModelTokenizer *tokenizer = model_tokenizer_new(&v, &config, &err);
  static char text[MODEL_MAX_PIECE_BYTES + 1];

  g_assert_nonnull(tokenizer);
  model_tokenizer_free(tokenizer);
  model_tokenizer_free(NULL);

  pieces[2].text = "a";
  assert_refused(&v, &config, "*pieces 1 and 2 have the same text*");
  pieces[2] = (ModelPiece){"\xC3", 1, -2, MODEL_PIECE_NORMAL};
  assert_refused(&v, &config, "*piece 2 of 1 bytes, expected*UTF-8*");
  pieces[2] = (ModelPiece){"b", 0, -2, MODEL_PIECE_NORMAL};
  assert_refused(&v, &config, "*piece 2 of 0 bytes*");
  memset(text, 'x', sizeof text);
  pieces[2] = (ModelPiece){text, sizeof text, -2, MODEL_PIECE_USER};
  assert_refused(&v, &config, "*piece 2 of 257 bytes*");
  pieces[2] = (ModelPiece){"b", 1, NAN, MODEL_PIECE_NORMAL};
  assert_refused(&v, &config, "*finite score*");
  pieces[2] = (ModelPiece){"<0xg0>", 6, 0, MODEL_PIECE_BYTE};
  assert_refused(&v, &config, "*piece 2 is of type BYTE*<0x0A>*");
  pieces[2] = pieces[3] = (ModelPiece){"<0x41>", 6, 0, MODEL_PIECE_BYTE};
  assert_refused(&v, &config, "*pieces 2 and 3 are both byte 0x41*");
  pieces[2] = pieces[3] = (ModelPiece){"<s>", 3, 0, MODEL_PIECE_CONTROL};
  v.unk = -1;
  assert_refused(&v, &config, "*no unknown piece and 256 byte pieces missing*");
  v.unk = 4;
  assert_refused(&v, &config, "*unknown piece 4, expected -1 to 3*");
  v.unk = 0;
  assert_refused(&v, &v10, "*<im_start>, <im_patch>, <im_end> are 0, -1, 0*");
  v.added = &added;
  v.n_added = 1;
  assert_refused(&v, &config, "*added token of 1 bytes has id -5*");
  v.n_added = 0;
  v.n_pieces = 0;
  assert_refused(&v, &config, "*0 pieces, expected*");
}

static void
assert_not_parsed(const GByteArray *bytes, ModelErrorCode code, const char *pattern)
{
  ModelVocabulary v;
  ModelError err = {0};

  g_assert_false(model_vocabulary_parse(bytes->data, bytes->len, "a/tokenizer.model", &v, &err));
  if (!g_pattern_match_simple(pattern, err.message)) {
    g_error("\"%s\" is not like \"%s\"", err.message, pattern);
  }
  g_assert_cmpint(err.code, ==, code);
  g_assert_true(g_str_has_prefix(err.message, "a/tokenizer.model: "));
  g_assert_null(v.pieces);
  g_assert_cmpuint(v.n_pieces, ==, 0);
  g_assert_false(model_vocabulary_parse(bytes->data, bytes->len, "a", &v, NULL));
}

#define ASSERT_HAND_NOT_PARSED(pieces, options, code, pattern)                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr(GByteArray) made = hand_model(pieces, G_N_ELEMENTS(pieces), &(options));             \
    assert_not_parsed(made, code, pattern);                                                        \
  }                                                                                                \
  G_STMT_END

static void
test_bad_models(void)
{
  static const HandPiece good[] = {SPECIALS, N("a", -1)};
  static const HandPiece empty[] = {SPECIALS, N("", -1)};
  static const HandPiece latin1[] = {SPECIALS, N("\xE9", -1)};
  static const HandPiece infinite[] = {SPECIALS, N("a", HUGE_VAL)};
  static const HandPiece kind[] = {SPECIALS, {"a", -1, 7}};
  static const HandPiece no_unknown[] = {N("a", -1)};
  static const HandPiece stray_byte[] = {SPECIALS, {"<0x00>", 0, MODEL_PIECE_BYTE}};
  static const HandOptions bpe = {2, 1, 0, FALSE}, unigram = {1, 1, 0, FALSE};
  g_autoptr(GByteArray) bytes = hand_model(good, G_N_ELEMENTS(good), &bpe);
  static char lfs[] = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 493443\n";
  const GByteArray nothing = {0}, pointer = {(guint8 *)lfs, sizeof lfs - 1};

  assert_not_parsed(&nothing, MODEL_ERROR_FORMAT, "*empty, expected a SentencePiece model");
  assert_not_parsed(&pointer, MODEL_ERROR_FORMAT, "*not a SentencePiece model");
  ASSERT_HAND_NOT_PARSED(empty, bpe, MODEL_ERROR_CORRUPT, "*piece 3: its text is empty*");
  ASSERT_HAND_NOT_PARSED(latin1, bpe, MODEL_ERROR_CORRUPT, "*piece 3: its text is not UTF-8*");
  ASSERT_HAND_NOT_PARSED(infinite, bpe, MODEL_ERROR_CORRUPT, "*piece 3: score is not*");
  ASSERT_HAND_NOT_PARSED(kind, bpe, MODEL_ERROR_CORRUPT, "*piece 3: type 7, expected 1 to 6");
  ASSERT_HAND_NOT_PARSED(no_unknown, bpe, MODEL_ERROR_CORRUPT, "*0 pieces of type UNKNOWN*");
  ASSERT_HAND_NOT_PARSED(stray_byte, bpe, MODEL_ERROR_CORRUPT, "*1 pieces of type BYTE*");
  ASSERT_HAND_NOT_PARSED(good, unigram, MODEL_ERROR_UNSUPPORTED, "*model_type is 1, only 2*");
  /* A group, a reserved field number, a known field with another type, a length past the end */
  g_byte_array_append(bytes, (const guint8 *)"\x0B", 1);
  assert_not_parsed(bytes, MODEL_ERROR_CORRUPT, "*file at byte * of *: truncated or mistyped*");
  g_byte_array_set_size(bytes, bytes->len - 1);
  g_byte_array_append(bytes, (const guint8 *)"\x00\x01", 2);
  assert_not_parsed(bytes, MODEL_ERROR_CORRUPT, "*truncated or mistyped*");
  g_byte_array_set_size(bytes, bytes->len - 2);
  g_byte_array_append(bytes, (const guint8 *)"\x10\x01", 2);
  assert_not_parsed(bytes, MODEL_ERROR_CORRUPT, "*trainer_spec at byte*");
  g_byte_array_set_size(bytes, bytes->len - 2);
  g_byte_array_append(bytes, (const guint8 *)"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10);
  assert_not_parsed(bytes, MODEL_ERROR_CORRUPT, "*truncated or mistyped*");
  g_byte_array_set_size(bytes, bytes->len - 10);
  g_byte_array_append(bytes, (const guint8 *)"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11);
  assert_not_parsed(bytes, MODEL_ERROR_CORRUPT, "*truncated or mistyped*");
}

/* A field appended to a sub-message: protobuf merges what comes later. */
static void
append_field(GByteArray *model, guint message, guint number, const char *bytes, gint64 value)
{
  g_autoptr(GByteArray) sub = g_byte_array_new();

  if (bytes) {
    proto_bytes(sub, number, bytes, strlen(bytes));
  } else {
    proto_number(sub, number, (guint64)value);
  }
  proto_bytes(model, message, sub->data, sub->len);
}

static void
test_unsupported_models(void)
{
  static const HandPiece good[] = {SPECIALS, N("a", -1)};
  static const HandOptions bpe = {2, 1, 0, FALSE};
  static const struct {
    guint message, number;
    const char *name, *pattern;
    gint64 value;
  } cases[] = {{2, 24, NULL, "*treat_whitespace_as_suffix is not read here", 1},
               {3, 5, NULL, "*escape_whitespaces = false is not read here", 0},
               {5, 2, "map", "*denormalizer_spec.precompiled_charsmap is not read here", 0}};
  g_autoptr(GByteArray) mapped = hand_model(good, G_N_ELEMENTS(good), &bpe);
  g_autoptr(GByteArray) extra = hand_model(good, G_N_ELEMENTS(good), &bpe);
  ModelVocabulary v;
  ModelError err = {0};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) made = hand_model(good, G_N_ELEMENTS(good), &bpe);
    append_field(made, cases[i].message, cases[i].number, cases[i].name, cases[i].value);
    assert_not_parsed(made, MODEL_ERROR_UNSUPPORTED, cases[i].pattern);
  }
  /* A character map is fine only under the name "identity". */
  append_field(mapped, 3, 2, "map", 0);
  g_assert_true(model_vocabulary_parse(mapped->data, mapped->len, "m", &v, &err));
  model_vocabulary_clear(&v);
  append_field(mapped, 3, 1, "nmt_nfkc", 0);
  assert_not_parsed(mapped, MODEL_ERROR_UNSUPPORTED, "*character map (\"nmt_nfkc\")*");
  /* Unknown fields of every wire type are passed over; bos and eos are found by name. */
  proto_number(extra, 200, 12345678901);
  proto_bytes(extra, 4, "self test", 9);
  proto_varint(extra, 201 << 3 | 1);
  g_byte_array_append(extra, (const guint8 *)"12345678", 8);
  append_field(extra, 2, 46, "</s>", 0);
  g_assert_true(model_vocabulary_parse(extra->data, extra->len, "m", &v, &err));
  g_assert_cmpuint(v.n_pieces, ==, 4);
  g_assert_cmpint(v.bos, ==, 2);
  g_assert_cmpint(v.eos, ==, 2);
  g_assert_cmpint(v.pad, ==, -1);
  g_assert_cmpint(v.unk, ==, 0);
  model_vocabulary_clear(&v);
}

/* ---- broken files -------------------------------------------------------------------------- */

/* Whatever the bytes are: an error with a message, or a vocabulary that works. */
static gboolean
try_bytes(const guint8 *bytes, gsize n)
{
  static const char text[] = "the ###<image> \xE2\x89\xA5 \xFF</s>[INST] x";
  ModelVocabulary v;
  ModelError err = {0};
  ModelTokenizer *tokenizer;
  g_auto(ModelIds) ids = {0};

  if (!model_vocabulary_parse(bytes, n, "broken", &v, &err)) {
    g_assert_cmpint(err.code, !=, MODEL_OK);
    g_assert_cmpuint(strlen(err.message), >, 10);
    return FALSE;
  }
  const ModelConfig config = {.bos = v.bos, .eos = v.eos, .pad = v.pad};
  tokenizer = model_tokenizer_new(&v, &config, &err);
  if (tokenizer) {
    char *decoded;
    g_assert_true(model_tokenizer_encode_prompt(tokenizer, text, sizeof text - 1, &ids, &err));
    decoded = model_tokenizer_decode(tokenizer, ids.ids, ids.n, &err);
    g_assert_true(g_utf8_validate(decoded, -1, NULL));
    free(decoded);
    model_tokenizer_free(tokenizer);
  } else {
    g_assert_cmpint(err.code, !=, MODEL_OK);
  }
  model_vocabulary_clear(&v);
  return TRUE;
}

static void
test_broken_files(void)
{
  static const HandPiece pieces[] = {SPECIALS,
                                     {"[INST]", 0, MODEL_PIECE_USER},
                                     {"he", -1, MODEL_PIECE_UNUSED},
                                     N("t", -2),
                                     N("the", -3),
                                     N("\u2581", -4),
                                     N("##", -5)};
  static const HandOptions options = {2, 1, 0, TRUE};
  g_autoptr(GByteArray) good = hand_model(pieces, G_N_ELEMENTS(pieces), &options);
  g_autoptr(GRand) random = g_rand_new_with_seed(20240607);
  guint n_read = 0, n_refused = 0;

  g_assert_true(try_bytes(good->data, good->len));
  for (guint n = 0; n < good->len; n++) { /* cut off after every byte */
    g_autofree guint8 *cut = g_memdup2(good->data, n);
    (void)try_bytes(cut, n);
  }
  for (guint round = 0; round < test_rounds(20000); round++) {
    gsize n = good->len - (round % 4 == 3 ? (gsize)g_rand_int_range(random, 0, 200) : 0);
    g_autofree guint8 *bytes = g_memdup2(good->data, n);
    gint n_changes = g_rand_int_range(random, 1, 6);
    for (gint i = 0; i < n_changes; i++) {
      gsize at = (gsize)g_rand_int_range(random, 0, (gint)n);
      bytes[at] = round % 2 ? (guint8)g_rand_int(random) : bytes[at] ^ (guint8)(1 << (at % 8));
    }
    if (try_bytes(bytes, n)) {
      n_read++;
    } else {
      n_refused++;
    }
  }
  g_test_message("%u read, %u refused", n_read, n_refused);
  g_assert_cmpuint(n_read, >, 1000);
  g_assert_cmpuint(n_refused, >, 1000);
}

/* A vocabulary of a million pieces is made and asked in one go; one more is refused. */
static void
test_large_vocabulary(void)
{
  const guint n = MODEL_MAX_VOCAB;
  g_autofree ModelPiece *pieces = g_new0(ModelPiece, n);
  g_autofree char *texts = g_malloc(n * 8);
  ModelVocabulary v = {.pieces = pieces, .n_pieces = n, .unk = 0};
  const ModelConfig config = {.bos = -1, .eos = -1, .pad = -1};
  ModelError err = {0};
  g_auto(ModelIds) ids = {0};
  ModelTokenizer *tokenizer;

  pieces[0] = (ModelPiece){"<unk>", 5, 0, MODEL_PIECE_UNKNOWN};
  for (guint i = 1; i < n; i++) {
    g_snprintf(texts + i * 8, 8, "%07x", i);
    pieces[i] = (ModelPiece){texts + i * 8, 7, -1, MODEL_PIECE_USER};
  }
  tokenizer = model_tokenizer_new(&v, &config, &err);
  assert_no_error(&err);
  g_assert_true(model_tokenizer_encode(tokenizer, "00fffff0000001x", 15, &ids, &err));
  g_assert_cmpuint(ids.n, ==, 3);
  g_assert_cmpint(ids.ids[0], ==, 0xfffff);
  g_assert_cmpint(ids.ids[1], ==, 1);
  g_assert_cmpint(ids.ids[2], ==, 0);
  model_tokenizer_free(tokenizer);
  v.n_pieces = n + 1;
  assert_refused(&v, &config, "*1048577 pieces, expected 1 to 1048576");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/vocabulary/bad-vocabularies", test_bad_vocabularies);
  g_test_add_func("/vocabulary/bad-models", test_bad_models);
  g_test_add_func("/vocabulary/unsupported-models", test_unsupported_models);
  g_test_add_func("/vocabulary/broken-files", test_broken_files);
  g_test_add_func("/vocabulary/large-vocabulary", test_large_vocabulary);
  return g_test_run();
}
