/* tokenizer-fixture.h - tokenizers for tests: from a file, or built by hand as the very bytes that
 * a tokenizer.model consists of. */
#ifndef HILUM_TESTS_TOKENIZER_FIXTURE_H
#define HILUM_TESTS_TOKENIZER_FIXTURE_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "shared.h"
#include "tokenizer/tokenizer.h"

typedef struct {
  ModelVocabulary vocabulary;
  ModelConfig config;
  ModelTokenizer *tokenizer;
} Fixture;

static inline void
fixture_free(Fixture *fixture)
{
  model_tokenizer_free(fixture->tokenizer);
  model_vocabulary_clear(&fixture->vocabulary);
  g_free(fixture);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ModelIds, model_ids_clear)

static inline void
assert_no_error(const ModelError *err)
{
  g_assert_cmpint(err->code, ==, MODEL_OK);
  g_assert_cmpstr(err->message, ==, "");
}

/* A new vocabulary from BYTES; CONFIG may be NULL (bos and eos are the vocabulary's then). */
static inline Fixture *
fixture_new(const void *bytes, gsize n, const ModelConfig *config)
{
  Fixture *fixture = g_new0(Fixture, 1);
  ModelError err = {0};

  g_assert_true(model_vocabulary_parse(bytes, n, "test.model", &fixture->vocabulary, &err));
  if (config) {
    fixture->config = *config;
  } else {
    fixture->config = (ModelConfig){.bos = fixture->vocabulary.bos,
                                    .eos = fixture->vocabulary.eos,
                                    .pad = -1,
                                    .id_im_patch = -1,
                                    .id_im_start = -1,
                                    .id_im_end = -1};
  }
  fixture->tokenizer = model_tokenizer_new(&fixture->vocabulary, &fixture->config, &err);
  assert_no_error(&err);
  g_assert_nonnull(fixture->tokenizer);
  return fixture;
}

/* From a file below the shared data; NULL after skipping the test. */
static inline Fixture *
fixture_from_shared(const char *relative, const ModelConfig *config)
{
  g_autofree char *path = shared_path(relative);
  g_autofree char *bytes = NULL;
  gsize n;

  if (!path) {
    return NULL;
  }
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  return fixture_new(bytes, n, config);
}

/* v1.0: tokens after the vocabulary, bos is "</s>". */
static inline Fixture *
fixture_v10(guint image_size)
{
  static const char *const added[] = {"[PAD]", "<im_patch>", "<im_start>", "<im_end>"};
  ModelConfig config = {.has_vision = true,
                        .vision = {.image_size = image_size, .patch_size = 14},
                        .image_start_end = true,
                        .bos = 2,
                        .eos = 2,
                        .pad = 32000,
                        .id_im_patch = 32001,
                        .id_im_start = 32002,
                        .id_im_end = 32003};
  Fixture *fixture = fixture_from_shared("corpus/tokenizer/llama_tokenizer.model", &config);
  ModelError err = {0};

  if (!fixture) {
    return NULL;
  }
  model_tokenizer_free(fixture->tokenizer);
  fixture->vocabulary.n_added = G_N_ELEMENTS(added);
  fixture->vocabulary.added = calloc(G_N_ELEMENTS(added), sizeof *fixture->vocabulary.added);
  for (guint i = 0; i < G_N_ELEMENTS(added); i++) {
    fixture->vocabulary.added[i] = (ModelAddedToken){strdup(added[i]), (int32_t)(32000 + i)};
  }
  fixture->tokenizer = model_tokenizer_new(&fixture->vocabulary, &fixture->config, &err);
  assert_no_error(&err);
  return fixture;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* The root of a JSON file below the shared data; NULL after skipping. Unref the parser. */
static inline JsonParser *
shared_json(const char *relative)
{
  g_autofree char *path = shared_path(relative);
  g_autoptr(GError) error = NULL;
  JsonParser *parser;

  if (!path) {
    return NULL;
  }
  parser = json_parser_new();
  g_assert_true(json_parser_load_from_file(parser, path, &error));
  g_assert_no_error(error);
  return parser;
}

static inline void
assert_ids(const ModelIds *ids, JsonArray *expected)
{
  g_assert_cmpuint(ids->n, ==, json_array_get_length(expected));
  for (guint i = 0; i < ids->n; i++) {
    g_assert_cmpint(ids->ids[i], ==, json_array_get_int_element(expected, i));
  }
}

/* "1 2 3" */
static inline char *
ids_text(const ModelIds *ids)
{
  GString *text = g_string_new(NULL);

  for (gsize i = 0; i < ids->n; i++) {
    g_string_append_printf(text, i ? " %d" : "%d", ids->ids[i]);
  }
  return g_string_free(text, FALSE);
}

/* Array of strings, NULL-terminated; borrowed strings. */
static inline const char **
json_strings(JsonArray *array)
{
  const char **strings = g_new0(const char *, json_array_get_length(array) + 1);

  for (guint i = 0; i < json_array_get_length(array); i++) {
    strings[i] = json_array_get_string_element(array, i);
  }
  return strings;
}

/* ---- tokenizer.model by hand --------------------------------------------------------------- */

typedef struct {
  const char *text;
  double score;
  int kind;
} HandPiece;

typedef struct {
  int model_type;    /* 2: BPE */
  int dummy_prefix;  /* -1: field left out */
  int remove_spaces; /* -1: left out */
  gboolean bytes;    /* the 256 byte pieces after PIECES, and byte_fallback */
} HandOptions;

static inline void
proto_varint(GByteArray *out, guint64 value)
{
  guint8 byte;

  do {
    byte = (guint8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    g_byte_array_append(out, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static inline void
proto_bytes(GByteArray *out, guint number, const void *bytes, gsize n)
{
  proto_varint(out, number << 3 | 2);
  proto_varint(out, n);
  g_byte_array_append(out, bytes, (guint)n);
}

static inline void
proto_number(GByteArray *out, guint number, guint64 value)
{
  proto_varint(out, number << 3);
  proto_varint(out, value);
}

static inline void
proto_piece(GByteArray *out, const char *text, double score, int kind)
{
  g_autoptr(GByteArray) piece = g_byte_array_new();
  float single = (float)score;
  guint32 bits;

  memcpy(&bits, &single, sizeof bits);
  bits = GUINT32_TO_LE(bits);
  proto_bytes(piece, 1, text, strlen(text));
  proto_varint(piece, 2 << 3 | 5);
  g_byte_array_append(piece, (const guint8 *)&bits, sizeof bits);
  if (kind != MODEL_PIECE_NORMAL) {
    proto_number(piece, 3, (guint64)kind);
  }
  proto_bytes(out, 1, piece->data, piece->len);
}

static inline GByteArray *
hand_model(const HandPiece *pieces, gsize n, const HandOptions *options)
{
  GByteArray *out = g_byte_array_new();
  g_autoptr(GByteArray) trainer = g_byte_array_new();
  g_autoptr(GByteArray) normalizer = g_byte_array_new();

  for (gsize i = 0; i < n; i++) {
    proto_piece(out, pieces[i].text, pieces[i].score, pieces[i].kind);
  }
  for (guint i = 0; options->bytes && i < 256; i++) {
    char text[8];
    g_snprintf(text, sizeof text, "<0x%02X>", i);
    proto_piece(out, text, 0, MODEL_PIECE_BYTE);
  }
  proto_number(trainer, 3, (guint64)options->model_type);
  proto_number(trainer, 35, options->bytes);
  proto_bytes(out, 2, trainer->data, trainer->len);
  proto_bytes(normalizer, 1, "identity", 8);
  proto_bytes(normalizer, 2, "", 0);
  if (options->dummy_prefix >= 0) {
    proto_number(normalizer, 3, (guint64)options->dummy_prefix);
  }
  if (options->remove_spaces >= 0) {
    proto_number(normalizer, 4, (guint64)options->remove_spaces);
  }
  proto_bytes(out, 3, normalizer->data, normalizer->len);
  return out;
}

static inline Fixture *
hand_fixture(const HandPiece *pieces, gsize n, const HandOptions *options)
{
  g_autoptr(GByteArray) bytes = hand_model(pieces, n, options);

  return fixture_new(bytes->data, bytes->len, NULL);
}

/* "<unk> <s> </s>", the marks that templates use, and letters with a few merges: enough to render
 * and tokenize every template without any data from outside. */
static inline Fixture *
hand_fixture_small(void)
{
  static const HandPiece pieces[] = {
      {"<unk>", 0, MODEL_PIECE_UNKNOWN},   {"<s>", 0, MODEL_PIECE_CONTROL},
      {"</s>", 0, MODEL_PIECE_CONTROL},    {"\u2581t", -1, MODEL_PIECE_NORMAL},
      {"he", -2, MODEL_PIECE_NORMAL},      {"\u2581the", -3, MODEL_PIECE_NORMAL},
      {"in", -4, MODEL_PIECE_NORMAL},      {"##", -5, MODEL_PIECE_NORMAL},
      {"\u2581a", -6, MODEL_PIECE_NORMAL}, {"on", -7, MODEL_PIECE_NORMAL},
      {"\u2581", -8, MODEL_PIECE_NORMAL},  {"a", -9, MODEL_PIECE_NORMAL},
      {"e", -10, MODEL_PIECE_NORMAL},      {"h", -11, MODEL_PIECE_NORMAL},
      {"i", -12, MODEL_PIECE_NORMAL},      {"n", -13, MODEL_PIECE_NORMAL},
      {"o", -14, MODEL_PIECE_NORMAL},      {"t", -15, MODEL_PIECE_NORMAL},
      {"#", -16, MODEL_PIECE_NORMAL},      {"###", -17, MODEL_PIECE_NORMAL},
  };
  static const HandOptions options = {2, 1, 0, TRUE};

  return hand_fixture(pieces, G_N_ELEMENTS(pieces), &options);
}

#endif
