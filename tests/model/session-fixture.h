/* session-fixture.h - models for tests of sessions, and what a call streamed.
 *
 * Two kinds of models are made here: random ones, whose every number matters, and scripted ones,
 * whose next token follows from the last one alone, so that a test says what the answer is.
 */
#ifndef HILUM_TESTS_MODEL_SESSION_FIXTURE_H
#define HILUM_TESTS_MODEL_SESSION_FIXTURE_H

#include "engine/sampling.h"
#include "tiny.h"

/* ---- what a call streamed ----------------------------------------------------------------- */

typedef struct {
  GString *text;
  guint n_tokens, n_progress[3];
  gint stop_after; /* tokens until the callback says stop; 0: never */
  guint cancel_at; /* progress event at which another thread would cancel; 0: never */
  guint n_events;
  ModelSession *session;
} Watcher;

static inline void
on_progress(ModelPhase phase, uint32_t done, uint32_t total, void *user)
{
  Watcher *w = user;

  g_assert_cmpuint(done, <=, total);
  w->n_progress[phase]++;
  if (++w->n_events == w->cancel_at) {
    model_session_cancel(w->session);
  }
}

static inline bool
on_token(const char *bytes, size_t length, int32_t id, void *user)
{
  Watcher *w = user;

  g_assert_cmpuint(length, >, 0);
  g_assert_true(g_utf8_validate_len(bytes, length, NULL));
  g_string_append_len(w->text, bytes, (gssize)length);
  return ++w->n_tokens != (guint)w->stop_after;
}

static inline Watcher
watcher(ModelSession *session)
{
  return (Watcher){.text = g_string_new(NULL), .session = session};
}

static inline ModelCallbacks
callbacks(Watcher *w)
{
  return (ModelCallbacks){on_progress, on_token, w};
}

/* Asks greedily and insists that it works and that what was streamed is the answer. */
static inline ModelAnswer
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

static inline void
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

static inline gint
byte_id(char c)
{
  return 3 + (guint8)c;
}

static inline Scripted
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

static inline Scripted
scripted(const int32_t *chain, guint n, uint32_t context)
{
  return scripted_with("mistral_instruct", chain, n, context);
}

static inline void
scripted_clear(Scripted *s)
{
  model_session_free(s->session);
  model_engine_free(s->engine);
  tiny_clear(&s->tiny);
}

/* The ids of TEXT as byte pieces, then EOS. */
static inline Scripted
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

/* The pieces make up the text, and each was held possible. */
static inline void
assert_pieces(const ModelAnswer *answer)
{
  size_t end = 0;

  for (size_t i = 0; i < answer->n_pieces; i++) {
    g_assert_cmpuint(answer->pieces[i].end, >=, end);
    end = answer->pieces[i].end;
    g_assert_cmpint((guchar)answer->text[end] & 0xc0, !=, 0x80);
    g_assert_true(answer->pieces[i].p > 0 && answer->pieces[i].p <= 1);
  }
  g_assert_cmpuint(end, ==, strlen(answer->text));
  g_assert_cmpuint(answer->n_pieces, >=, answer->answer.n);
  g_assert_cmpuint(answer->n_pieces, <=, answer->answer.n + 1);
}

/* ---- random models ------------------------------------------------------------------------ */

typedef struct {
  Tiny tiny;
  ModelEngine *engine;
  ModelSession *session;
  guint8 *pixels;
  ModelImage image;
} Random;

static inline Random
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

static inline void
random_clear(Random *r)
{
  model_session_free(r->session);
  model_engine_free(r->engine);
  tiny_clear(&r->tiny);
  g_free(r->pixels);
}

/* The first N greedy ids after the whole of IDS, computed from nothing. */
static inline void
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

#endif
