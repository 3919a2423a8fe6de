/* session.c - one timeline: turns, asking and going back. Its parts: session_prompt.c (what a
 * question adds, and computing it), session_answer.c (what the model says). Invariants: session.h.
 */
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "kernels/packed.h"
#include "prompt/prompt.h"

#define DEFAULT_CONTEXT 4096u
#define DEFAULT_MAX_TOKENS 512u

double
model_session_now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool
model_session_no_memory(ModelError *err)
{
  return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the ids of a conversation");
}

uint32_t
model_engine_context(const ModelEngine *engine, const ModelSessionOptions *options)
{
  const uint32_t most = engine->checkpoint.config.decoder.context;

  if (options && options->context > 0) {
    return options->context;
  }
  return most < DEFAULT_CONTEXT ? most : DEFAULT_CONTEXT;
}

/* Products with packed weights give the same bits for any number of rows; those with floats do so
 * for a few. */
static uint32_t
most_lookup(const ModelEngine *engine)
{
  const ModelWeights *w = &engine->weights;
  bool all = model_packed_unit_columns(w->output.type) > 0;

  for (uint32_t i = 0; i < engine->checkpoint.config.decoder.layers; i++) {
    const ModelLayer *l = &w->layers[i];
    const ModelTensor *matrices[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (size_t m = 0; m < sizeof matrices / sizeof *matrices; m++) {
      all = all && model_packed_unit_columns(matrices[m]->type) > 0;
    }
  }
  return all || MODEL_LOOKUP_MOST < MODEL_FEW_ROWS ? MODEL_LOOKUP_MOST : MODEL_FEW_ROWS - 1;
}

ModelSession *
model_session_new(ModelEngine *engine, const ModelSessionOptions *options, ModelError *err)
{
  const uint32_t most = engine->checkpoint.config.decoder.context;
  const uint32_t context = model_engine_context(engine, options);
  ModelSession *session;

  if (!model_engine_check_ready(engine, err)) {
    return NULL;
  }
  if (context > most) {
    model_fail(err, MODEL_ERROR_ARGUMENT, "context: found %u, expected at most the model's %u",
               context, most);
    return NULL;
  }
  if (options && (unsigned)options->kv_type > MODEL_KV_Q8_0) {
    model_fail(err, MODEL_ERROR_ARGUMENT, "there is no type %d of keys and values",
               (int)options->kv_type);
    return NULL;
  }
  session = calloc(1, sizeof *session);
  if (!session) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a session");
    return NULL;
  }
  session->engine = engine;
  session->context = context;
  session->lookup.slope = MODEL_LOOKUP_SLOPE;
  session->most_lookup = most_lookup(engine);
  if (!model_decoder_init_typed(&session->decoder, engine, context,
                                options ? options->kv_type : MODEL_KV_AUTO, err) ||
      !model_sampler_init(&session->sampler, engine->n_usable, err) ||
      !model_ledger_init(&session->line, context, err) ||
      !model_ledger_init(&session->cache, context, err)) {
    model_session_free(session);
    return NULL;
  }
  return session;
}

void
model_session_free(ModelSession *session)
{
  if (!session) {
    return;
  }
  model_decoder_clear(&session->decoder);
  model_sampler_clear(&session->sampler);
  model_ids_clear(&session->ids);
  model_ledger_clear(&session->line);
  model_ledger_clear(&session->cache);
  model_lookup_clear(&session->lookup);
  free(session->checked);
  free(session->turns);
  free(session);
}

void
model_answer_clear(ModelAnswer *answer)
{
  free(answer->text);
  free(answer->pieces);
  model_ids_clear(&answer->prompt);
  model_ids_clear(&answer->answer);
  *answer = (ModelAnswer){0};
}

bool
model_session_begin(ModelSession *session, ModelError *err)
{
  if (atomic_exchange(&session->busy, true)) {
    return model_fail(err, MODEL_ERROR_BUSY, "the session is answering another question");
  }
  return true;
}

void
model_session_end(ModelSession *session)
{
  atomic_store(&session->busy, false);
}

static ModelMark
mark_get(const ModelSession *session)
{
  return (ModelMark){session->ids.n, session->line.n};
}

static void
mark_set(ModelSession *session, ModelMark mark)
{
  session->ids.n = mark.n_ids;
  model_ledger_cut(&session->line, mark.positions);
}

/* ---- ask ---------------------------------------------------------------------------------- */

static bool
turns_reserve(ModelSession *session, ModelError *err)
{
  const uint32_t capacity = session->turns_capacity ? 2 * session->turns_capacity : 16;
  ModelMark *moved;

  if (session->n_turns < session->turns_capacity) {
    return true;
  }
  moved = realloc(session->turns, capacity * sizeof *moved);
  if (!moved) {
    return model_session_no_memory(err);
  }
  session->turns = moved;
  session->turns_capacity = capacity;
  return true;
}

static bool
ask_start(ModelAsk *ask, ModelError *err)
{
  const ModelSession *session = ask->session;
  const char *template_name = session->engine->checkpoint.config.template_name;
  const char *stop;

  if (ask->sampling.max_tokens == 0) {
    ask->sampling.max_tokens = DEFAULT_MAX_TOKENS;
  }
  if (ask->sampling.max_tokens > session->context) {
    ask->sampling.max_tokens = session->context; /* more cannot come */
  }
  ask->ends = calloc(ask->sampling.max_tokens, sizeof *ask->ends);
  ask->p = calloc(ask->sampling.max_tokens, sizeof *ask->p);
  if (!ask->ends || !ask->p) {
    return model_session_no_memory(err);
  }
  if (!model_answer_text_init(&ask->text, err)) {
    return false;
  }
  for (uint32_t i = 0; (stop = model_prompt_stop_string(template_name, i)); i++) {
    model_answer_text_stop_at(&ask->text, stop);
  }
  return true;
}

static bool
ask_prompt(ModelAsk *ask, ModelError *err)
{
  ModelSession *session = ask->session;
  ModelTiming *timing = &ask->answer->timing;

  if (!model_session_compute(session, &session->line, UINT32_MAX, &ask->watch, timing, err)) {
    return false;
  }
  timing->prompt_cached_tokens = session->line.n - timing->prompt_tokens;
  for (size_t i = 0; i < session->ids.n; i++) {
    if (!model_ids_push(&ask->answer->prompt, session->ids.ids[i])) {
      return model_session_no_memory(err);
    }
  }
  return true;
}

static bool
ask_run(ModelAsk *ask, const ModelImage *image, const char *question, ModelError *err)
{
  ModelSession *session = ask->session;
  const ModelMark mark = mark_get(session);
  bool ok = ask_start(ask, err) && turns_reserve(session, err) &&
            model_session_extend(session, image, question, err) && ask_prompt(ask, err) &&
            model_session_answer(ask, err);

  if (ok) {
    session->turns[session->n_turns++] = mark;
  } else {
    mark_set(session, mark);
    model_answer_clear(ask->answer);
  }
  model_answer_text_clear(&ask->text);
  free(ask->ends);
  free(ask->p);
  return ok;
}

static bool
ask_check(const ModelSession *session, const ModelImage *image, const char *question,
          const ModelSampling *sampling, ModelError *err)
{
  if (!question) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "question: found none");
  }
  if (image && !session->engine->checkpoint.config.has_vision) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%s has no vision tower: it cannot be asked about a picture",
                      session->engine->checkpoint.path);
  }
  return !sampling || model_sampling_check(sampling, err);
}

bool
model_session_ask(ModelSession *session, const ModelImage *image, const char *question,
                  const ModelSampling *sampling, const ModelCallbacks *callbacks,
                  ModelAnswer *answer, ModelError *err)
{
  ModelAsk ask = {.session = session, .answer = answer, .watch = {&session->cancel, callbacks}};
  bool ok;

  *answer = (ModelAnswer){0};
  ask.sampling = sampling ? *sampling : (ModelSampling){.top_p = 1};
  ask.start = model_session_now();
  if (!ask_check(session, image, question, sampling, err) || !model_session_begin(session, err)) {
    return false;
  }
  atomic_store(&session->cancel, false);
  ok = ask_run(&ask, image, question, err);
  model_session_end(session);
  return ok;
}

/* ---- reciting ----------------------------------------------------------------------------- */

static bool
recite_answer(ModelSession *session, const int32_t *answer, size_t n, ModelError *err)
{
  const uint32_t vocab = session->engine->checkpoint.config.decoder.vocab;

  if (n > session->context - session->line.n) {
    return model_fail(err, MODEL_ERROR_CONTEXT,
                      "what was said needs %zu positions more than the %u before it, but the "
                      "context has %u",
                      n, session->line.n, session->context);
  }
  for (size_t i = 0; i < n; i++) {
    if (answer[i] < 0 || (uint32_t)answer[i] >= vocab) {
      return model_fail(err, MODEL_ERROR_ARGUMENT,
                        "id %zu of an answer: found %d, expected 0 to %u", i, (int)answer[i],
                        vocab - 1);
    }
    if (!model_ids_push(&session->ids, answer[i])) {
      return model_session_no_memory(err);
    }
    model_ledger_push_token(&session->line, answer[i]);
  }
  return true;
}

bool
model_session_recite(ModelSession *session, const ModelImage *image, const char *question,
                     const int32_t *answer, size_t n, ModelError *err)
{
  const ModelMark mark = mark_get(session);
  bool ok;

  if (!ask_check(session, image, question, NULL, err) || !model_session_begin(session, err)) {
    return false;
  }
  ok = turns_reserve(session, err) && model_session_extend(session, image, question, err) &&
       recite_answer(session, answer, n, err);
  if (ok) {
    session->turns[session->n_turns++] = mark;
  } else {
    mark_set(session, mark);
  }
  model_session_end(session);
  return ok;
}

/* ---- turns -------------------------------------------------------------------------------- */

uint32_t
model_session_turns(const ModelSession *session)
{
  return session->n_turns;
}

uint32_t
model_session_positions(const ModelSession *session)
{
  return session->line.n;
}

bool
model_session_rewind(ModelSession *session, uint32_t turn, ModelError *err)
{
  bool ok = true;

  if (!model_session_begin(session, err)) {
    return false;
  }
  if (turn < session->n_turns) {
    mark_set(session, session->turns[turn]);
    session->n_turns = turn;
  } else if (turn > session->n_turns) {
    ok = model_fail(err, MODEL_ERROR_ARGUMENT, "turn: found %u, expected at most %u", turn,
                    session->n_turns);
  }
  model_session_end(session);
  return ok;
}

void
model_session_cancel(ModelSession *session)
{
  atomic_store(&session->cancel, true);
}

bool
model_session_expect(ModelSession *session, const char *text, size_t length, ModelError *err)
{
  const int32_t gap = -1;
  ModelIds ids = {0};
  bool ok = model_session_begin(session, err);

  if (!ok) {
    return false;
  }
  ok = model_tokenize(session->engine, text, length, &ids, err);
  if (ok && (!model_lookup_add(&session->lookup, false, ids.ids, ids.n) ||
             !model_lookup_add(&session->lookup, false, &gap, 1))) {
    ok = model_session_no_memory(err);
  }
  model_ids_clear(&ids);
  model_session_end(session);
  return ok;
}
