/* test-session.c - one timeline: turns, going back, stopping, streaming, sampling, refusals.
 *
 * Two kinds of models are made here: random ones, whose every number matters, and scripted ones,
 * whose next token follows from the last one alone, so that a test says what the answer is.
 */
#include "engine/answer_text.h"
#include "engine/sampling.h"
#include "golden.h"
#include "prompt/prompt.h"
#include "tiny.h"

#include <errno.h>

/* ---- failing the n-th allocation of this thread ------------------------------------------- */

#ifndef __SANITIZE_ADDRESS__
#define CAN_FAIL_ALLOCATIONS 1
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
static __thread int fail_in; /* 0: never; 1: the next one */
static __thread guint n_allocations;

static gboolean
fails_now(void)
{
  const gboolean fails = fail_in > 0 && --fail_in == 0;

  n_allocations++;
  if (fails) {
    errno = ENOMEM; /* which the C library itself counts on */
  }
  return fails;
}

void *
malloc(size_t n)
{
  return fails_now() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t a, size_t b)
{
  return fails_now() ? NULL : __libc_calloc(a, b);
}

void *
realloc(void *old, size_t n)
{
  return fails_now() ? NULL : __libc_realloc(old, n);
}
#endif

/* ---- what a call streamed ----------------------------------------------------------------- */

typedef struct {
  GString *text;
  guint n_tokens, n_progress[3];
  gint stop_after; /* tokens until the callback says stop; 0: never */
  guint cancel_at; /* progress event at which another thread would cancel; 0: never */
  guint n_events;
  ModelSession *session;
} Watcher;

static void
on_progress(ModelPhase phase, uint32_t done, uint32_t total, void *user)
{
  Watcher *w = user;

  g_assert_cmpuint(done, <=, total);
  w->n_progress[phase]++;
  if (++w->n_events == w->cancel_at) {
    model_session_cancel(w->session);
  }
}

static bool
on_token(const char *bytes, size_t length, int32_t id, void *user)
{
  Watcher *w = user;

  g_assert_cmpuint(length, >, 0);
  g_assert_true(g_utf8_validate_len(bytes, length, NULL));
  g_string_append_len(w->text, bytes, (gssize)length);
  return ++w->n_tokens != (guint)w->stop_after;
}

static Watcher
watcher(ModelSession *session)
{
  return (Watcher){.text = g_string_new(NULL), .session = session};
}

static ModelCallbacks
callbacks(Watcher *w)
{
  return (ModelCallbacks){on_progress, on_token, w};
}

/* Asks greedily and insists that it works and that what was streamed is the answer. */
static ModelAnswer
ask(ModelSession *session, const ModelImage *image, const char *question, guint max_tokens)
{
  const ModelSampling sampling = {.top_p = 1, .max_tokens = max_tokens};
  Watcher w = watcher(session);
  const ModelCallbacks calls = callbacks(&w);
  ModelAnswer answer;
  ModelError err = {0};

  model_session_ask(session, image, question, &sampling, &calls, &answer, &err);
  g_assert_cmpstr(err.message, ==, "");
  g_assert_cmpstr(w.text->str, ==, answer.text);
  g_string_free(w.text, TRUE);
  return answer;
}

static void
assert_ids(const ModelIds *a, const ModelIds *b)
{
  g_assert_cmpmem(a->ids, a->n * sizeof *a->ids, b->ids, b->n * sizeof *b->ids);
}

/* ---- scripted models ---------------------------------------------------------------------- */

/* A decoder whose layers add nothing, whose embedding is the identity and whose output row of
 * NEXT[id] looks at id alone. CHAIN follows FROM; every id may stand in it once. */
typedef struct {
  Tiny tiny;
  ModelEngine *engine;
  ModelSession *session;
} Scripted;

static gint
byte_id(char c)
{
  return 3 + (guint8)c;
}

static Scripted
scripted_with(const char *template_name, const int32_t *chain, guint n, uint32_t context)
{
  ModelConfig config = tiny_config(FALSE);
  Scripted s = {0};
  float *embedding, *output;
  /* The prompt ends in "[/INST]" or in "Assistant:". */
  int32_t from = byte_id(g_str_equal(template_name, "mistral_instruct") ? ']' : ':');

  g_strlcpy(config.template_name, template_name, sizeof config.template_name);
  config.decoder.hidden = TINY_PIECES;
  config.decoder.layers = 1;
  tiny_init(&s.tiny, &config, 1);
  embedding = (float *)tiny_values(&s.tiny.checkpoint.weights.token_embedding);
  output = (float *)tiny_values(&s.tiny.checkpoint.weights.output);
  memset(embedding, 0, (gsize)TINY_PIECES * TINY_PIECES * sizeof(float));
  memset(output, 0, (gsize)TINY_PIECES * TINY_PIECES * sizeof(float));
  memset((float *)tiny_values(&s.tiny.checkpoint.weights.layers[0].o), 0,
         (gsize)TINY_PIECES * 24 * sizeof(float));
  memset((float *)tiny_values(&s.tiny.checkpoint.weights.layers[0].down), 0,
         (gsize)TINY_PIECES * 40 * sizeof(float));
  for (guint i = 0; i < TINY_PIECES; i++) {
    embedding[i * TINY_PIECES + i] = 1;
  }
  for (guint i = 0; i < n; i++) {
    output[chain[i] * TINY_PIECES + from] = 1;
    from = chain[i];
  }
  s.engine = tiny_engine(&s.tiny, 1);
  s.session = model_session_new(s.engine, &(ModelSessionOptions){context}, NULL);
  g_assert_nonnull(s.session);
  return s;
}

static Scripted
scripted(const int32_t *chain, guint n, uint32_t context)
{
  return scripted_with("mistral_instruct", chain, n, context);
}

static void
scripted_clear(Scripted *s)
{
  model_session_free(s->session);
  model_engine_free(s->engine);
  tiny_clear(&s->tiny);
}

/* The ids of TEXT as byte pieces, then EOS. */
static Scripted
scripted_bytes(const char *text, uint32_t context)
{
  int32_t chain[64];
  guint n = 0;

  for (; text[n]; n++) {
    chain[n] = byte_id(text[n]);
  }
  if (n == 0 || text[n - 1] != ']') { /* which the prompt ends in, and has a successor already */
    chain[n++] = 2;
  }
  return scripted(chain, n, context);
}

static void
check_script(const char *bytes, const char *expected, const char *stop, guint n_ids)
{
  Scripted s = scripted_bytes(bytes, 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==, expected);
  g_assert_cmpstr(answer.stop, ==, stop);
  g_assert_cmpuint(answer.answer.n, ==, n_ids);
  g_assert_cmpuint(answer.timing.answer_tokens, ==, n_ids);
  /* Neither the EOS nor a stop string's ids stay in the timeline. */
  g_assert_cmpuint(model_session_positions(s.session), ==, answer.prompt.n + n_ids);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

static void
test_ends(void)
{
  check_script("he", "he", "eos", 2);
  check_script("", "", "eos", 0);
  check_script("ok[INST]", "ok", "stop-string", 2);
  check_script("[INST]", "", "stop-string", 0);
  check_script("a[INx", "a[INx", "eos", 5); /* held back, then let go */
  check_script("a[IN", "a[IN", "eos", 4);   /* let go at the end */
  check_script("a</s>", "a", "stop-string", 1);
  check_script("a</sb", "a</sb", "eos", 5);
  check_script("\xe2\x82\xac", "\xe2\x82\xac", "eos", 3);
  check_script("\xe2z", "\xef\xbf\xbdz", "eos", 2);
  check_script("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "eos", 2);
  check_script("\xe2[INST]", "\xef\xbf\xbd", "stop-string", 1);
  check_script("\xffy", "\xef\xbf\xbdy", "eos", 2);
}

/* The byte 0 would end the text for whoever reads it as a C string. */
static void
test_zero_byte(void)
{
  const int32_t chain[] = {byte_id('a'), byte_id('\0'), byte_id('b'), 2};
  Scripted s = scripted(chain, G_N_ELEMENTS(chain), 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==,
                  "a\xef\xbf\xbd"
                  "b");
  g_assert_cmpuint(answer.answer.n, ==, 3);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* v1.0 has no end in its templates but "###". Each id of a script has one successor, so that '#'
 * goes on for ever. */
static void
test_ends_of_v10(void)
{
  const int32_t chain[] = {byte_id('n'), byte_id('o'), byte_id('#'), byte_id('#')};
  static const char *const names[] = {"multimodal", "simple", "v0"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    Scripted s = scripted_with(names[i], chain, G_N_ELEMENTS(chain), 2000);
    ModelAnswer answer = ask(s.session, NULL, "q", 32);
    g_assert_cmpstr(answer.text, ==, "no");
    g_assert_cmpstr(answer.stop, ==, "stop-string");
    g_assert_cmpuint(answer.answer.n, ==, 2);
    g_assert_cmpuint(model_session_positions(s.session), ==, answer.prompt.n + 2);
    model_answer_clear(&answer);
    scripted_clear(&s);
  }
}

/* Several words: nothing empty stops an answer after the first (facts 3: issue 86). */
static void
test_several_words(void)
{
  const int32_t chain[] = {286, 288, 289, 292, 2}; /* "_a", "the", "_i", "_is" */
  Scripted s = scripted(chain, G_N_ELEMENTS(chain), 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==, "athe i is");
  g_assert_cmpstr(answer.stop, ==, "eos");
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* The blank of the first piece belongs to the dummy prefix; later ones are blanks. */
static void
test_leading_blank(void)
{
  const int32_t chain[] = {286, 289, 2}; /* "_a", "_i" */
  Scripted s = scripted(chain, 3, 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==, "a i");
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* A piece that holds the beginning of a stop string and something before it. */
static void
test_stop_inside_a_piece(void)
{
  ModelAnswerText text;
  bool stopped;
  size_t cut, grown;

  g_assert_true(model_answer_text_init(&text, NULL));
  model_answer_text_stop_at(&text, "");
  model_answer_text_stop_at(&text, "###");
  g_assert_cmpuint(text.n_stops, ==, 1);
  g_assert_true(model_answer_text_add(&text, "one#", 4, &stopped, &cut, &grown, NULL));
  g_assert_false(stopped);
  g_assert_cmpstr(text.text, ==, "one");
  g_assert_true(model_answer_text_add(&text, "#", 1, &stopped, &cut, &grown, NULL));
  g_assert_cmpuint(grown, ==, 0);
  g_assert_true(model_answer_text_add(&text, "#Human", 6, &stopped, &cut, &grown, NULL));
  g_assert_true(stopped);
  g_assert_cmpuint(cut, ==, 3);
  g_assert_cmpstr(text.text, ==, "one");
  model_answer_text_clear(&text);
}

static void
test_max_tokens_and_the_next_turn(void)
{
  Scripted s = scripted_bytes("abcdefgh", 400);
  ModelAnswer first = ask(s.session, NULL, "q", 3), second;
  ModelIds own = {0};

  g_assert_cmpstr(first.text, ==, "abc");
  g_assert_cmpstr(first.stop, ==, "max-tokens");
  g_assert_cmpuint(first.timing.prompt_tokens, ==, first.prompt.n);
  g_assert_cmpuint(model_session_positions(s.session), ==, first.prompt.n + 3);
  second = ask(s.session, NULL, "r", 3);
  g_assert_true(model_prompt_turn_ids(s.engine->tokenizer, &s.engine->checkpoint.config, 1, "r",
                                      false, &own, NULL));
  /* The last id of the first answer was not needed then and is computed now. */
  g_assert_cmpuint(second.timing.prompt_tokens, ==, own.n + 1);
  g_assert_cmpuint(second.prompt.n, ==, first.prompt.n + 3 + own.n);
  g_assert_cmpstr(second.text, ==, "abc");
  g_assert_cmpuint(model_session_turns(s.session), ==, 2);
  model_ids_clear(&own);
  model_answer_clear(&first);
  model_answer_clear(&second);
  scripted_clear(&s);
}

static void
test_token_callback_stops(void)
{
  Scripted s = scripted_bytes("abcdefgh", 400);
  Watcher w = watcher(s.session);
  const ModelCallbacks calls = callbacks(&w);
  ModelAnswer answer, again;

  w.stop_after = 2;
  g_assert_true(model_session_ask(s.session, NULL, "q", NULL, &calls, &answer, NULL));
  g_assert_cmpstr(answer.text, ==, "ab");
  g_assert_cmpstr(answer.stop, ==, "cancelled");
  g_assert_cmpuint(model_session_turns(s.session), ==, 1); /* a finished turn */
  again = ask(s.session, NULL, "q", 32);
  g_assert_cmpstr(again.text, ==, "abcdefgh");
  model_answer_clear(&answer);
  model_answer_clear(&again);
  g_string_free(w.text, TRUE);
  scripted_clear(&s);
}

static void
test_context(void)
{
  Scripted s = scripted_bytes("abcdefgh", 40);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);
  const guint left = 40 - (guint)answer.prompt.n;
  g_autofree char *longer = g_strnfill(100, 'x');
  g_autofree char *needs = NULL;
  ModelError err = {0};
  Watcher w = watcher(s.session);
  const ModelCallbacks calls = callbacks(&w);

  model_answer_clear(&answer);
  g_assert_true(model_session_rewind(s.session, 0, NULL));
  /* An answer that fills the timeline. */
  if (left > 8) {
    g_autofree char *padding = g_strnfill(left - 4, 'x');
    answer = ask(s.session, NULL, padding, 32);
    g_assert_cmpstr(answer.stop, ==, "context");
    g_assert_cmpuint(model_session_positions(s.session), ==, 40);
    model_answer_clear(&answer);
    g_assert_false(model_session_ask(s.session, NULL, "q", NULL, &calls, &answer, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
    g_assert_true(model_session_rewind(s.session, 0, NULL));
  }
  err = (ModelError){0};
  g_assert_false(model_session_ask(s.session, NULL, longer, NULL, &calls, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
  /* 99 more letters than "q" had, and one position for an answer. */
  needs = g_strdup_printf("*needs %u positions*context has 40*", 40 - left + 99 + 1);
  g_assert_true(g_pattern_match_simple(needs, err.message));
  g_assert_cmpuint(w.n_events, ==, 0); /* before any work */
  g_assert_cmpuint(model_session_positions(s.session), ==, 0);
  g_assert_null(answer.text);
  g_string_free(w.text, TRUE);
  scripted_clear(&s);
}

static void
test_broken_weights(void)
{
  const float bad[] = {NAN, INFINITY, -INFINITY};

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Scripted s = scripted_bytes("ab", 200);
    ModelAnswer answer = ask(s.session, NULL, "q", 8);
    ModelError err = {0};
    const guint before = model_session_positions(s.session);
    model_answer_clear(&answer);
    ((float *)tiny_values(&s.engine->weights.output))[5] = bad[i];
    ((float *)tiny_values(&s.engine->weights.token_embedding))[byte_id(']') * TINY_PIECES + 5] = 1;
    g_assert_false(model_session_ask(s.session, NULL, "q", NULL, NULL, &answer, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_CORRUPT);
    g_assert_cmpuint(model_session_positions(s.session), ==, before);
    g_assert_cmpuint(model_session_turns(s.session), ==, 1);
    scripted_clear(&s);
  }
}

/* ---- random models ------------------------------------------------------------------------ */

typedef struct {
  Tiny tiny;
  ModelEngine *engine;
  ModelSession *session;
  guint8 *pixels;
  ModelImage image;
} Random;

static Random
random_model(gboolean v10, guint threads)
{
  const ModelConfig config = tiny_config(v10);
  Random r = {0};

  tiny_init(&r.tiny, &config, 77);
  r.engine = tiny_engine(&r.tiny, threads);
  r.session = model_session_new(r.engine, &(ModelSessionOptions){1500}, NULL);
  g_assert_nonnull(r.session);
  r.pixels = g_malloc(31 * 17 * 3);
  for (guint i = 0; i < 31 * 17 * 3; i++) {
    r.pixels[i] = (guint8)(i * 37 + i / 7);
  }
  r.image = (ModelImage){31, 17, 3, r.pixels};
  return r;
}

static void
random_clear(Random *r)
{
  model_session_free(r->session);
  model_engine_free(r->engine);
  tiny_clear(&r->tiny);
  g_free(r->pixels);
}

/* The first N greedy ids after the whole of IDS, computed from nothing. */
static void
check_fresh(const Random *r, const ModelIds *ids, const ModelImage *image, const ModelIds *expected)
{
  ModelSpan span = {.ids = ids->ids, .n = ids->n};
  g_autofree float *rows = NULL;
  ModelDecoder decoder = {0};
  ModelSampler sampler = {0};
  uint64_t positions;
  uint32_t side;

  if (image) {
    uint8_t *u8 = model_preprocess(r->engine, image, &side, NULL);
    rows = g_new(float, r->engine->n_patches * r->engine->info.hidden);
    g_assert_true(model_picture_rows(r->engine, u8, NULL, NULL, rows, NULL));
    free(u8);
    span.rows = rows;
  }
  g_assert_true(model_span_positions(r->engine, &span, image != NULL, &positions, NULL));
  g_assert_true(model_decoder_init(&decoder, r->engine, (guint)positions + 100, NULL));
  g_assert_true(model_sampler_init(&sampler, r->engine->n_usable, NULL));
  model_sampler_start(&sampler, &(ModelSampling){.top_p = 1});
  g_assert_true(model_decoder_run(&decoder, &span, 0, NULL, NULL));
  for (gsize i = 0; i < expected->n; i++) {
    const int32_t id = model_sampler_pick(&sampler, decoder.logits);
    g_assert_cmpint(id, ==, expected->ids[i]);
    g_assert_true(model_decoder_step(&decoder, id, (guint)(positions + i), NULL, NULL));
  }
  model_sampler_clear(&sampler);
  model_decoder_clear(&decoder);
}

static void
test_follow_up(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    Random r = random_model(v10, 2);
    guint before = 0;
    for (guint turn = 0; turn < 3; turn++) {
      ModelAnswer answer = ask(r.session, turn ? NULL : &r.image, "is the lung there", 9);
      ModelIds own = {0};
      guint expected;
      g_assert_true(model_prompt_turn_ids(r.engine->tokenizer, &r.engine->checkpoint.config, turn,
                                          "is the lung there", turn == 0, &own, NULL));
      expected = (guint)own.n + (turn == 0 && !v10 ? r.engine->n_patches - 1 : 0);
      /* Its own positions, and at most the one id that the last answer left over. */
      g_assert_cmpuint(answer.timing.prompt_tokens, >=, expected);
      g_assert_cmpuint(answer.timing.prompt_tokens, <=, expected + (turn > 0));
      g_assert_cmpuint(model_session_positions(r.session), ==, before + expected + answer.answer.n);
      g_assert_cmpfloat(answer.timing.image_s > 0, ==, turn == 0);
      check_fresh(&r, &answer.prompt, &r.image, &answer.answer);
      before = model_session_positions(r.session);
      model_ids_clear(&own);
      model_answer_clear(&answer);
    }
    random_clear(&r);
  }
}

static void
test_rewind(void)
{
  Random r = random_model(FALSE, 2);
  ModelAnswer first = ask(r.session, &r.image, "what is it", 7);
  ModelAnswer second = ask(r.session, NULL, "where is it", 7), again;
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 7};
  Watcher w = watcher(r.session);
  const ModelCallbacks calls = callbacks(&w);
  ModelError err = {0};

  g_assert_true(model_session_rewind(r.session, 1, NULL));
  g_assert_cmpuint(model_session_turns(r.session), ==, 1);
  again = ask(r.session, NULL, "where is it", 7);
  assert_ids(&again.answer, &second.answer);
  assert_ids(&again.prompt, &second.prompt);
  model_answer_clear(&again);

  g_assert_true(model_session_rewind(r.session, 0, NULL));
  g_assert_cmpuint(model_session_positions(r.session), ==, 0);
  g_assert_true(
      model_session_ask(r.session, &r.image, "what is it", &sampling, &calls, &again, NULL));
  assert_ids(&again.answer, &first.answer);
  g_assert_cmpuint(w.n_progress[MODEL_PHASE_IMAGE], ==, 0); /* the rows were kept */
  g_assert_cmpfloat(again.timing.image_s, ==, 0);
  model_answer_clear(&again);

  /* Another question at the same place is another turn, not the old one. */
  g_assert_true(model_session_rewind(r.session, 0, NULL));
  again = ask(r.session, &r.image, "another", 7);
  check_fresh(&r, &again.prompt, &r.image, &again.answer);
  model_answer_clear(&again);

  g_assert_true(model_session_rewind(r.session, 1, NULL)); /* where it is already */
  g_assert_false(model_session_rewind(r.session, 2, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  model_answer_clear(&first);
  model_answer_clear(&second);
  g_string_free(w.text, TRUE);
  random_clear(&r);
}

/* More pictures than are kept, and one more picture in a later turn. */
static void
test_pictures(void)
{
  Random r = random_model(FALSE, 1);
  ModelAnswer answers[6];

  for (guint i = 0; i < 6; i++) {
    r.pixels[0] = (guint8)(40 * i);
    r.pixels[300] = (guint8)(250 - 40 * i);
    answers[i] = ask(r.session, &r.image, "what", 3);
    g_assert_cmpfloat(answers[i].timing.image_s, >, 0);
    g_assert_cmpint(answers[i].prompt.ids[answers[i].prompt.n - 1], ==, byte_id(']'));
  }
  g_assert_cmpuint(model_session_turns(r.session), ==, 6);
  for (guint i = 0; i < 6; i++) {
    guint n_pictures = 0;
    for (gsize k = 0; k < answers[i].prompt.n; k++) {
      n_pictures += answers[i].prompt.ids[k] == MODEL_IMAGE_ID;
    }
    g_assert_cmpuint(n_pictures, ==, i + 1);
    model_answer_clear(&answers[i]);
  }
  random_clear(&r);
}

/* Cancelling at every point where a call says how far it is: either nothing happened, or the turn
 * is finished; and what follows is as if it had never been asked. */
static void
test_cancel_anywhere(void)
{
  Random r = random_model(FALSE, 2);
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 6};
  ModelAnswer first = ask(r.session, &r.image, "one", 4), whole, answer;
  const guint before = model_session_positions(r.session);
  gboolean done = FALSE, was_refused = FALSE, was_cut = FALSE;

  r.pixels[7] ^= 0x40;
  whole = ask(r.session, &r.image, "two", 6);
  for (guint at = 1; !done; at++) {
    Watcher w = watcher(r.session);
    const ModelCallbacks calls = callbacks(&w);
    ModelError err = {0};
    g_assert_true(model_session_rewind(r.session, 1, NULL));
    g_assert_cmpuint(model_session_positions(r.session), ==, before);
    w.cancel_at = at;
    r.pixels[8] = (guint8)at; /* a new picture each time, so that it is encoded */
    if (!model_session_ask(r.session, &r.image, "two", &sampling, &calls, &answer, &err)) {
      g_assert_cmpint(err.code, ==, MODEL_ERROR_CANCELLED);
      g_assert_null(answer.text);
      g_assert_cmpuint(model_session_turns(r.session), ==, 1);
      g_assert_cmpuint(model_session_positions(r.session), ==, before);
      was_refused = TRUE;
    } else if (g_str_equal(answer.stop, "cancelled")) {
      g_assert_cmpuint(answer.answer.n, >, 0);
      g_assert_cmpuint(model_session_turns(r.session), ==, 2);
      was_cut = TRUE;
    } else {
      done = w.n_events < at;
    }
    model_answer_clear(&answer);
    g_string_free(w.text, TRUE);
  }
  g_assert_true(was_refused);
  g_assert_true(was_cut);
  r.pixels[8] = (guint8)(8 * 37 + 8 / 7);
  g_assert_true(model_session_rewind(r.session, 1, NULL));
  answer = ask(r.session, &r.image, "two", 6);
  assert_ids(&answer.answer, &whole.answer);
  model_answer_clear(&answer);
  model_answer_clear(&whole);
  model_answer_clear(&first);
  random_clear(&r);
}

/* A turn that was cut off goes on as any other. */
static void
test_after_a_cut(void)
{
  Random r = random_model(FALSE, 2);
  Watcher w = watcher(r.session);
  const ModelCallbacks calls = callbacks(&w);
  ModelAnswer cut, next;

  w.cancel_at = 4 + 2 + 3; /* three of the answer's events, after the tower's and the prompt's */
  g_assert_true(model_session_ask(r.session, &r.image, "one", NULL, &calls, &cut, NULL));
  next = ask(r.session, NULL, "two", 8);
  check_fresh(&r, &next.prompt, &r.image, &next.answer);
  model_answer_clear(&cut);
  model_answer_clear(&next);
  g_string_free(w.text, TRUE);
  random_clear(&r);
}

static void
test_seeds(void)
{
  ModelIds same = {0};
  guint n_different = 0;

  for (guint threads = 1; threads <= 3; threads++) {
    Random r = random_model(FALSE, threads);
    for (guint seed = 0; seed < 4; seed++) {
      const ModelSampling sampling = {
          .temperature = 0.9f, .top_p = seed == 1 ? 1 : 0.8f, .seed = seed, .max_tokens = 20};
      ModelAnswer answer, again;
      g_assert_true(model_session_rewind(r.session, 0, NULL));
      g_assert_true(model_session_ask(r.session, &r.image, "q", &sampling, NULL, &answer, NULL));
      g_assert_true(model_session_rewind(r.session, 0, NULL));
      g_assert_true(model_session_ask(r.session, &r.image, "q", &sampling, NULL, &again, NULL));
      assert_ids(&answer.answer, &again.answer);
      if (threads == 1 && seed == 0) {
        same = answer.answer;
        answer.answer = (ModelIds){0};
      } else if (seed == 0) {
        assert_ids(&answer.answer, &same);
      } else {
        n_different += answer.answer.n != same.n ||
                       memcmp(answer.answer.ids, same.ids, same.n * sizeof *same.ids) != 0;
      }
      model_answer_clear(&answer);
      model_answer_clear(&again);
    }
    random_clear(&r);
  }
  g_assert_cmpuint(n_different, >, 0);
  model_ids_clear(&same);
}

static void
test_arguments(void)
{
  Random r = random_model(FALSE, 1);
  const ModelSampling bad[] = {
      {.temperature = NAN, .top_p = 1},      {.temperature = -0.1f, .top_p = 1},
      {.temperature = INFINITY, .top_p = 1}, {.temperature = 1, .top_p = 0},
      {.temperature = 1, .top_p = 1.01f},    {.temperature = 1, .top_p = NAN},
      {.temperature = 1, .top_p = -1}};
  const ModelImage broken = {3, 3, 2, r.pixels};
  ModelAnswer answer;
  ModelError err;

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    err = (ModelError){0};
    g_assert_false(model_session_ask(r.session, NULL, "q", &bad[i], NULL, &answer, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  }
  g_assert_false(model_session_ask(r.session, &broken, "q", NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_session_ask(r.session, NULL, NULL, NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_null(model_session_new(r.engine, &(ModelSessionOptions){2049}, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_cmpuint(model_session_turns(r.session), ==, 0);
  random_clear(&r);
}

static bool
ask_inside(const char *bytes, size_t length, int32_t id, void *user)
{
  ModelAnswer answer;
  ModelError err = {0};

  g_assert_false(model_session_ask(user, NULL, "q", NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_BUSY);
  err = (ModelError){0};
  g_assert_false(model_session_rewind(user, 0, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_BUSY);
  return true;
}

static void
test_busy(void)
{
  Scripted s = scripted_bytes("ab", 200);
  const ModelCallbacks calls = {NULL, ask_inside, s.session};
  ModelAnswer answer;

  g_assert_true(model_session_ask(s.session, NULL, "q", NULL, &calls, &answer, NULL));
  g_assert_cmpstr(answer.text, ==, "ab");
  model_answer_clear(&answer);
  scripted_clear(&s);
}

static void
test_text_model(void)
{
  ModelConfig config = tiny_config(FALSE);
  Random r = {0};
  const guint8 pixel[3] = {0};
  const ModelImage image = {1, 1, 3, pixel};
  ModelAnswer answer;
  ModelError err = {0};

  config.has_vision = false;
  config.projector = MODEL_PROJECTOR_NONE;
  tiny_init(&r.tiny, &config, 3);
  r.engine = tiny_engine(&r.tiny, 1);
  r.session = model_session_new(r.engine, NULL, NULL);
  g_assert_cmpuint(model_engine_image_positions(r.engine), ==, 0);
  g_assert_false(model_session_ask(r.session, &image, "q", NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  answer = ask(r.session, NULL, "q", 3);
  check_fresh(&r, &answer.prompt, NULL, &answer.answer);
  model_answer_clear(&answer);
  random_clear(&r);
}

/* ---- sampling on its own ------------------------------------------------------------------ */

static void
test_greedy_ties(void)
{
  const float logits[] = {1, 3, 3, 2, 9};
  ModelSampler sampler;

  g_assert_true(model_sampler_init(&sampler, 4, NULL)); /* the fifth row is padding */
  model_sampler_start(&sampler, &(ModelSampling){.top_p = 1});
  g_assert_cmpint(model_sampler_pick(&sampler, logits), ==, 1);
  model_sampler_clear(&sampler);
}

/* Frequencies of many draws, for the whole distribution and for a nucleus. */
static void
test_frequencies(void)
{
  const float logits[] = {logf(0.5f), logf(0.05f), logf(0.3f), logf(0.15f)};
  const double whole[] = {0.5, 0.05, 0.3, 0.15}, nucleus[] = {0.625, 0, 0.375, 0};
  const double cold[] = {0.25 / 0.365, 0.0025 / 0.365, 0.09 / 0.365, 0.0225 / 0.365};
  const struct {
    float temperature, top_p;
    const double *expected;
  } cases[] = {{1, 1, whole}, {1, 0.79f, nucleus}, {0.5f, 1, cold}};
  const guint n = 40000;

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    guint counts[4] = {0};
    ModelSampler sampler;
    g_assert_true(model_sampler_init(&sampler, 4, NULL));
    model_sampler_start(&sampler, &(ModelSampling){.temperature = cases[i].temperature,
                                                   .top_p = cases[i].top_p,
                                                   .seed = 12345});
    for (guint k = 0; k < n; k++) {
      counts[model_sampler_pick(&sampler, logits)]++;
    }
    for (guint k = 0; k < 4; k++) {
      /* Five standard deviations of a count. */
      const double p = cases[i].expected[k];
      g_assert_cmpfloat(fabs(counts[k] - n * p), <=, 5 * sqrt(n * p * (1 - p)) + 1e-9);
    }
    model_sampler_clear(&sampler);
  }
}

static void
test_padded_rows(void)
{
  ModelConfig config = tiny_config(FALSE);
  const ModelSampling sampling = {.temperature = 1, .top_p = 1, .max_tokens = 50};
  Random r = {0};
  ModelAnswer answer;
  float *output;

  config.decoder.vocab = TINY_PIECES + 25;
  tiny_init(&r.tiny, &config, 4);
  output = (float *)tiny_values(&r.tiny.checkpoint.weights.output);
  for (guint i = TINY_PIECES * config.decoder.hidden;
       i < (TINY_PIECES + 25) * config.decoder.hidden; i++) {
    output[i] *= 100;
  }
  r.engine = tiny_engine(&r.tiny, 1);
  r.session = model_session_new(r.engine, NULL, NULL);
  for (int greedy = 0; greedy < 2; greedy++) {
    g_assert_true(
        model_session_ask(r.session, NULL, "q", greedy ? NULL : &sampling, NULL, &answer, NULL));
    for (gsize i = 0; i < answer.answer.n; i++) {
      g_assert_cmpint(answer.answer.ids[i], <, TINY_PIECES);
    }
    model_answer_clear(&answer);
  }
  random_clear(&r);
}

/* ---- memory ------------------------------------------------------------------------------- */

#ifdef CAN_FAIL_ALLOCATIONS
static void
test_allocation_failures(void)
{
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 5};
  Random r = random_model(FALSE, 1);
  ModelAnswer whole = ask(r.session, &r.image, "one", 5), answer;
  gboolean done = FALSE;

  for (int n = 1; !done; n++) {
    ModelError err = {0};
    ModelSession *session;
    gboolean ok;
    fail_in = n;
    session = model_session_new(r.engine, NULL, &err);
    if (session) {
      ok = model_session_ask(session, &r.image, "one", &sampling, NULL, &answer, &err);
      done = fail_in > 0;
      fail_in = 0;
      if (!ok) {
        g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
        g_assert_null(answer.text);
        g_assert_cmpuint(model_session_positions(session), ==, 0);
        g_assert_true(model_session_ask(session, &r.image, "one", &sampling, NULL, &answer, NULL));
      }
      assert_ids(&answer.answer, &whole.answer);
      model_answer_clear(&answer);
      model_session_free(session);
    } else {
      fail_in = 0;
      g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
    }
  }
  model_answer_clear(&whole);
  random_clear(&r);
}

typedef struct {
  guint n_tokens, at_first, at_last;
} Counted;

static bool
count_allocations(const char *bytes, size_t length, int32_t id, void *user)
{
  Counted *c = user;

  c->at_last = n_allocations;
  c->at_first = c->n_tokens++ == 0 ? n_allocations : c->at_first;
  return true;
}

/* Nothing is allocated per token: lists of ids and the text double now and then, and no more. */
static void
test_no_allocation_per_token(void)
{
  const int32_t chain[] = {byte_id('a'), byte_id('b'), byte_id('a')}; /* and on for ever */
  const ModelSampling sampling = {.temperature = 0.01f, .top_p = 0.9f, .max_tokens = 500};
  Scripted s = scripted(chain, G_N_ELEMENTS(chain), 600);
  Counted c = {0};
  const ModelCallbacks calls = {NULL, count_allocations, &c};
  ModelAnswer answer;

  g_assert_true(model_session_ask(s.session, NULL, "q", &sampling, &calls, &answer, NULL));
  g_assert_cmpuint(c.n_tokens, ==, 500);
  g_test_message("%u allocations", c.at_last - c.at_first);
  g_assert_cmpuint(c.at_last - c.at_first, <=, 10);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

static void
test_open_failures(void)
{
  gboolean done = FALSE;

  for (int n = 1; !done; n++) {
    const ModelConfig config = tiny_config(n & 1);
    const ModelEngineOptions options = {.n_threads = 2};
    ModelError err = {0};
    ModelEngine *engine;
    Tiny tiny;
    tiny_init(&tiny, &config, 5);
    tiny.checkpoint.weights.token_embedding.type = MODEL_TYPE_F16; /* something for the arena */
    fail_in = (n + 1) / 2;
    engine = model_engine_new(&tiny.checkpoint, &options, MODEL_ARENA_BYTES, &err);
    done = fail_in > 0 && n > 2;
    fail_in = 0;
    if (!engine) {
      /* pthread_create says EAGAIN when memory is out. */
      g_assert_true(err.code == MODEL_ERROR_TOO_LARGE || err.code == MODEL_ERROR_IO);
    }
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}
#endif

/* ---- golden ------------------------------------------------------------------------------- */

static void
test_golden(gconstpointer data)
{
  const char *name = data;
  g_autoptr(JsonParser) parser = golden_load(name);
  static const char *const cases[] = {"pic1", "pic2"};
  JsonObject *config;
  ModelEngine *engine;
  ModelSession *session;
  ModelError err = {0};
  g_autofree char *folder = NULL, *path = NULL, *tower = NULL;

  if (!parser) {
    return;
  }
  config = json_object_get_object_member(golden_root(parser), "config");
  folder = g_strdup_printf("vectors/%s/hf", name);
  path = shared_path(folder);
  tower = g_str_has_prefix(name, "B-") ? g_build_filename(path, "clip", NULL) : NULL;
  engine = model_engine_open(
      path,
      &(ModelEngineOptions){.vision_tower = tower,
                            .template_name = json_object_get_string_member(config, "template"),
                            .n_threads = 2},
      &err);
  g_assert_cmpstr(err.message, ==, "");
  session = model_session_new(engine, NULL, &err);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    JsonObject *object = golden_case(golden_root(parser), cases[i]);
    ModelImage image;
    ModelAnswer answer;
    golden_image(name, object, &image);
    g_assert_true(model_session_rewind(session, 0, NULL));
    answer =
        ask(session, &image,
            json_array_get_string_element(json_object_get_array_member(object, "turns"), 0), 16);
    golden_check_ids(&answer.prompt, json_object_get_array_member(object, "ids"));
    golden_check_ids(&answer.answer, json_object_get_array_member(
                                         json_object_get_object_member(object, "greedy"), "ids"));
    g_assert_cmpint(answer.timing.prompt_tokens, ==,
                    json_object_get_int_member(object, "n_positions"));
    g_assert_cmpstr(answer.text, ==, json_object_get_string_member(object, "text"));
    model_answer_clear(&answer);
    g_free((void *)image.pixels);
  }
  model_session_free(session);
  model_engine_free(engine);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/session/ends", test_ends);
  g_test_add_func("/session/zero-byte", test_zero_byte);
  g_test_add_func("/session/ends-of-v10", test_ends_of_v10);
  g_test_add_func("/session/several-words", test_several_words);
  g_test_add_func("/session/leading-blank", test_leading_blank);
  g_test_add_func("/session/stop-inside-a-piece", test_stop_inside_a_piece);
  g_test_add_func("/session/max-tokens", test_max_tokens_and_the_next_turn);
  g_test_add_func("/session/token-callback-stops", test_token_callback_stops);
  g_test_add_func("/session/context", test_context);
  g_test_add_func("/session/broken-weights", test_broken_weights);
  g_test_add_func("/session/follow-up", test_follow_up);
  g_test_add_func("/session/rewind", test_rewind);
  g_test_add_func("/session/pictures", test_pictures);
  g_test_add_func("/session/cancel-anywhere", test_cancel_anywhere);
  g_test_add_func("/session/after-a-cut", test_after_a_cut);
  g_test_add_func("/session/seeds", test_seeds);
  g_test_add_func("/session/arguments", test_arguments);
  g_test_add_func("/session/busy", test_busy);
  g_test_add_func("/session/text-model", test_text_model);
  g_test_add_func("/session/greedy-ties", test_greedy_ties);
  g_test_add_func("/session/frequencies", test_frequencies);
  g_test_add_func("/session/padded-rows", test_padded_rows);
#ifdef CAN_FAIL_ALLOCATIONS
  g_test_add_func("/session/allocation-failures", test_allocation_failures);
  g_test_add_func("/session/no-allocation-per-token", test_no_allocation_per_token);
  g_test_add_func("/session/open-failures", test_open_failures);
#endif
  for (guint i = 0; i < G_N_ELEMENTS(golden_names); i++) {
    g_autofree char *path = g_strdup_printf("/session/golden/%s", golden_names[i]);
    g_test_add_data_func(path, golden_names[i], test_golden);
  }
  return g_test_run();
}
