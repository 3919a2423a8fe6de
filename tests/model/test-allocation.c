/* test-allocation.c - every allocation of tokenizer and prompts fails once: a message, the caller's
 * ids as before, nothing leaked (the sanitizer build sees to that), and the next try works.
 * Linked with --wrap, so that the library's calls come here. */
#include "tokenizer-fixture.h"

#include "prompt/prompt.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

/* The allocation that fails, counted down; 0: none. */
static guint countdown;

static gboolean
fails_now(void)
{
  return countdown > 0 && --countdown == 0;
}

void *
__wrap_malloc(size_t n)
{
  return fails_now() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
  return fails_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
  return fails_now() ? NULL : __real_realloc(p, n);
}

static const char *const turns[] = {"Q</s>[INST]", "the onion", "Q", "a</s>"};

/* One use of everything that allocates; false with ERR when something failed. */
typedef bool (*Use)(const Fixture *fixture, ModelIds *ids, ModelError *err);

static bool
use_vocabulary(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  static const HandPiece pieces[] = {{"<unk>", 0, MODEL_PIECE_UNKNOWN},
                                     {"<s>", 0, MODEL_PIECE_CONTROL},
                                     {"[INST]", 0, MODEL_PIECE_USER},
                                     {"a", -1, MODEL_PIECE_NORMAL}};
  static const HandOptions options = {2, 1, 0, FALSE};
  g_autoptr(GByteArray) bytes = hand_model(pieces, G_N_ELEMENTS(pieces), &options);
  ModelVocabulary v;
  ModelConfig config = {.bos = 1, .eos = -1, .pad = -1};
  ModelTokenizer *tokenizer;

  if (!model_vocabulary_parse(bytes->data, bytes->len, "test", &v, err)) {
    g_assert_null(v.pieces);
    return false;
  }
  tokenizer = model_tokenizer_new(&v, &config, err);
  model_tokenizer_free(tokenizer);
  model_vocabulary_clear(&v);
  return tokenizer;
}

static bool
use_prompt(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  static const char text[] = "a</s>the onion in the hat<image>\xC3\xA9</s>";

  return model_tokenizer_encode_prompt(fixture->tokenizer, text, sizeof text - 1, ids, err);
}

static bool
use_decode(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  static const int32_t given[] = {5, 9, 2, 30};
  char *text = model_tokenizer_decode(fixture->tokenizer, given, G_N_ELEMENTS(given), err);

  free(text);
  return text;
}

static bool
use_turn(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  ModelConfig config = fixture->config;

  g_strlcpy(config.template_name, "llava_llama_2", sizeof config.template_name);
  return model_prompt_turn_ids(fixture->tokenizer, &config, 1, "the onion", true, ids, err);
}

static bool
use_labels(const Fixture *fixture, ModelIds *ids, ModelError *err, ModelMask mask,
           const char *template_name, gsize n)
{
  g_auto(ModelIds) made = {0}, labels = {0};
  bool mismatch;

  if (model_prompt_labels(fixture->tokenizer, mask, template_name, turns, n, 0, &made, &labels,
                          &mismatch, err)) {
    return true;
  }
  g_assert_cmpuint(made.n, ==, 0);
  g_assert_cmpuint(labels.n, ==, 0);
  return false;
}

static bool
use_plain(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  return use_labels(fixture, ids, err, MODEL_MASK_PLAIN, NULL, 1);
}

static bool
use_rounds(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  return use_labels(fixture, ids, err, MODEL_MASK_LLAMA_2, "mistral_instruct", 4);
}

static bool
use_v0(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  return use_labels(fixture, ids, err, MODEL_MASK_V0, "v0", 4);
}

static bool
use_render(const Fixture *fixture, ModelIds *ids, ModelError *err)
{
  char *text = model_prompt_render("v1_mmtag", turns, 3, true);

  if (!text) {
    *err = (ModelError){MODEL_ERROR_TOO_LARGE, "out of memory"}; /* NULL says it all here */
  }
  free(text);
  return text;
}

static void
test_failures(gconstpointer data)
{
  const Use use = *(const Use *)data;
  g_autoptr(Fixture) fixture = hand_fixture_small();
  guint n = 0;
  gboolean clean = FALSE;

  while (!clean) {
    ModelIds ids = {0};
    ModelError err = {0};
    bool done;
    g_assert_true(model_ids_push(&ids, 77));
    countdown = ++n;
    done = use(fixture, &ids, &err);
    clean = countdown > 0; /* it was not reached */
    countdown = 0;
    g_assert_cmpint(done, ==, clean);
    g_assert_cmpint(err.code, ==, clean ? MODEL_OK : MODEL_ERROR_TOO_LARGE);
    if (!clean) {
      g_assert_nonnull(strstr(err.message, "out of memory"));
      g_assert_cmpuint(ids.n, ==, 1);
      g_assert_cmpint(ids.ids[0], ==, 77);
    }
    model_ids_clear(&ids);
  }
  g_test_message("%u allocations", n - 1);
  g_assert_cmpuint(n, >, 1);
}

/* A vocabulary with UNUSED pieces takes one array more per text. */
static void
test_unused(void)
{
  static const HandPiece pieces[] = {{"<unk>", 0, MODEL_PIECE_UNKNOWN},
                                     {"a", -1, MODEL_PIECE_NORMAL},
                                     {"aa", -1, MODEL_PIECE_UNUSED}};
  static const HandOptions options = {2, 0, 0, FALSE};
  g_autoptr(Fixture) fixture = hand_fixture(pieces, G_N_ELEMENTS(pieces), &options);
  guint n = 0;
  bool done = false;

  while (!done) {
    g_auto(ModelIds) ids = {0};
    ModelError err = {0};
    countdown = ++n;
    done = model_tokenizer_encode(fixture->tokenizer, "aaa", 3, &ids, &err);
    countdown = 0;
    g_assert_cmpuint(ids.n, ==, done ? 3 : 0);
  }
  g_assert_cmpuint(n, >=, 6);
}

int
main(int argc, char **argv)
{
  static const Use uses[] = {use_vocabulary, use_prompt, use_decode, use_turn,
                             use_plain,      use_rounds, use_v0,     use_render};
  static const char *const names[] = {"vocabulary", "prompt", "decode", "turn",
                                      "plain",      "rounds", "v0",     "render"};

  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(uses); i++) {
    g_autofree char *path = g_strconcat("/allocation/", names[i], NULL);
    g_test_add_data_func(path, &uses[i], test_failures);
  }
  g_test_add_func("/allocation/unused", test_unused);
  return g_test_run();
}
