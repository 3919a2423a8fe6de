/* session.c - one timeline: ids, their keys and values, turns, and kept pictures.
 *
 * Invariants (outside a running call):
 * 1. `positions` counts the positions of `ids` (a picture counts its rows); the decoder's cache
 *    holds the first `computed` of them. The rest, none or the one last id of an answer that was
 * cut off before it was needed, is plain tokens and is computed with the next question.
 * 2. positions <= context.
 * 3. The end-of-sequence id and stop strings are never in the timeline: the next turn's ids begin
 *    with whatever closes an answer.
 * 4. turns[t] holds the numbers from just before turn t: going back is setting them again.
 */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/limits.h"
#include "engine/answer_text.h"
#include "engine/sampling.h"
#include "image/preprocess.h"
#include "prompt/prompt.h"

#define KEPT_PICTURES 4 /* projected rows that are kept; 9 MiB each in a 7B model */
#define DEFAULT_CONTEXT 4096u
#define DEFAULT_MAX_TOKENS 512u

typedef struct {
  size_t n_ids;
  uint32_t positions, computed;
} Mark;

typedef struct {
  char key[65]; /* SHA-256 of the square that the tower sees; "": free */
  float *rows;
  uint64_t used; /* by which ask, to let the oldest go */
} Picture;

struct ModelSession {
  ModelEngine *engine;
  ModelDecoder decoder;
  ModelSampler sampler;
  atomic_bool cancel, busy;
  uint32_t context, positions, computed;
  ModelIds ids;
  Mark *turns;
  uint32_t n_turns, turns_capacity;
  Picture pictures[KEPT_PICTURES];
  uint64_t n_asked;
};

/* One running ask. */
typedef struct {
  ModelSession *session;
  ModelSampling sampling;
  ModelWatch watch;
  ModelAnswer *answer;
  ModelAnswerText text;
  size_t *ends; /* [max_tokens]: raw bytes of the text after each id */
  double start;
} Ask;

static double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

ModelSession *
model_session_new(ModelEngine *engine, const ModelSessionOptions *options, ModelError *err)
{
  const uint32_t most = engine->checkpoint.config.decoder.context;
  uint32_t context = options ? options->context : 0;
  ModelSession *session;

  if (context == 0) {
    context = most < DEFAULT_CONTEXT ? most : DEFAULT_CONTEXT;
  }
  if (context > most) {
    model_fail(err, MODEL_ERROR_ARGUMENT, "context: found %u, expected at most the model's %u",
               context, most);
    return NULL;
  }
  session = calloc(1, sizeof *session);
  if (!session) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a session");
    return NULL;
  }
  session->engine = engine;
  session->context = context;
  if (!model_decoder_init(&session->decoder, engine, context, err) ||
      !model_sampler_init(&session->sampler, engine->n_usable, err)) {
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
  for (int i = 0; i < KEPT_PICTURES; i++) {
    free(session->pictures[i].rows);
  }
  free(session->turns);
  free(session);
}

void
model_answer_clear(ModelAnswer *answer)
{
  free(answer->text);
  model_ids_clear(&answer->prompt);
  model_ids_clear(&answer->answer);
  *answer = (ModelAnswer){0};
}

static Mark
mark_get(const ModelSession *session)
{
  return (Mark){session->ids.n, session->positions, session->computed};
}

static void
mark_set(ModelSession *session, Mark mark)
{
  session->ids.n = mark.n_ids;
  session->positions = mark.positions;
  session->computed = mark.computed;
}

static bool
out_of_memory(ModelError *err)
{
  return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the ids of a conversation");
}

/* ---- the picture -------------------------------------------------------------------------- */

/* The projected rows of IMAGE, borrowed from the session, encoded unless they are kept already. */
static bool
picture_get(Ask *ask, const ModelImage *image, const float **rows, ModelError *err)
{
  ModelSession *session = ask->session;
  const ModelEngine *engine = session->engine;
  const double start = now();
  Picture *oldest = &session->pictures[0];
  uint32_t side;
  char key[65];
  uint8_t *u8 = model_preprocess(engine, image, &side, err);
  bool ok;

  if (!u8) {
    return false;
  }
  model_sha256(u8, 3 * (size_t)side * side, key);
  for (int i = 0; i < KEPT_PICTURES; i++) {
    Picture *picture = &session->pictures[i];
    if (strcmp(picture->key, key) == 0) {
      picture->used = session->n_asked;
      *rows = picture->rows;
      free(u8);
      return true;
    }
    oldest = picture->used < oldest->used ? picture : oldest;
  }
  if (!oldest->rows) {
    oldest->rows =
        calloc(engine->n_patches, engine->checkpoint.config.decoder.hidden * sizeof(float));
  }
  oldest->key[0] = '\0';
  oldest->used = 0;
  ok = oldest->rows ? model_picture_rows(engine, u8, &ask->watch, NULL, oldest->rows, err)
                    : model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a picture's rows");
  free(u8);
  if (ok) {
    memcpy(oldest->key, key, sizeof key);
    oldest->used = session->n_asked;
    *rows = oldest->rows;
    ask->answer->timing.image_s = now() - start;
  }
  return ok;
}

/* ---- the prompt --------------------------------------------------------------------------- */

/* Ids that this turn adds, after what is still to be computed, and the positions of all of them.
 * Refuses a question that does not fit before any work is done. */
static bool
question_ids(Ask *ask, const char *question, bool has_image, ModelIds *ids, uint64_t *positions,
             ModelError *err)
{
  const ModelSession *session = ask->session;
  const size_t n_waiting = session->positions - session->computed;
  ModelSpan span = {.n_plain = n_waiting};

  for (size_t i = 0; i < n_waiting; i++) {
    if (!model_ids_push(ids, session->ids.ids[session->ids.n - n_waiting + i])) {
      return out_of_memory(err);
    }
  }
  if (!model_prompt_turn_ids(session->engine->tokenizer, &session->engine->checkpoint.config,
                             session->n_turns, question, has_image, ids, err)) {
    return false;
  }
  span.ids = ids->ids;
  span.n = ids->n;
  if (!model_span_positions(session->engine, &span, has_image, positions, err)) {
    return false;
  }
  if (session->computed + *positions + 1 > session->context) {
    return model_fail(
        err, MODEL_ERROR_CONTEXT,
        "the question needs %llu positions (%u of the conversation so far, %llu of its "
        "own, 1 for an answer), but the context has %u",
        (unsigned long long)(session->computed + *positions + 1), session->positions,
        (unsigned long long)(*positions - n_waiting), session->context);
  }
  return true;
}

static bool
prompt_run(Ask *ask, const ModelIds *ids, uint64_t positions, const float *rows, ModelError *err)
{
  ModelSession *session = ask->session;
  const size_t n_waiting = session->positions - session->computed;
  ModelSpan span = {.ids = ids->ids, .n = ids->n, .n_plain = n_waiting, .rows = rows};
  const double start = now();

  if (!model_decoder_run(&session->decoder, &span, session->computed, &ask->watch, err)) {
    return false;
  }
  for (size_t i = n_waiting; i < ids->n; i++) {
    if (!model_ids_push(&session->ids, ids->ids[i])) {
      return out_of_memory(err);
    }
  }
  session->computed += (uint32_t)positions;
  session->positions = session->computed;
  ask->answer->timing.prompt_s = now() - start;
  ask->answer->timing.prompt_tokens = (uint32_t)positions;
  for (size_t i = 0; i < session->ids.n; i++) {
    if (!model_ids_push(&ask->answer->prompt, session->ids.ids[i])) {
      return out_of_memory(err);
    }
  }
  return true;
}

/* ---- the answer --------------------------------------------------------------------------- */

/* Hands the last GROWN bytes of the text to the caller; false when the caller has had enough. */
static bool
stream(Ask *ask, size_t grown, int32_t id)
{
  const ModelCallbacks *callbacks = ask->watch.callbacks;

  return grown == 0 || !callbacks || !callbacks->token ||
         callbacks->token(ask->text.text + ask->text.n_text - grown, grown, id, callbacks->user);
}

/* Takes the ids of a stop string, or of the white space before the end, back out of the answer and
 * the timeline: those that end behind the cut. */
static void
take_back(Ask *ask, size_t cut)
{
  ModelSession *session = ask->session;
  ModelIds *ids = &ask->answer->answer;

  while (ids->n > 0 && ask->ends[ids->n - 1] > cut) {
    ids->n--;
    session->ids.n--;
    session->positions--;
  }
  session->computed =
      session->computed < session->positions ? session->computed : session->positions;
}

/* Adds one generated id to answer, text and timeline. Sets answer->stop when the answer ends. */
static bool
answer_add(Ask *ask, int32_t id, ModelError *err)
{
  ModelSession *session = ask->session;
  ModelAnswer *answer = ask->answer;
  const size_t before = ask->text.n_raw;
  size_t n, cut, grown;
  bool stopped;
  char bytes[256];

  n = model_tokenizer_bytes(session->engine->tokenizer, id, answer->answer.n == 0, bytes);
  if (!model_ids_push(&answer->answer, id) || !model_ids_push(&session->ids, id)) {
    return out_of_memory(err);
  }
  session->positions++;
  ask->ends[answer->answer.n - 1] = before + n;
  if (!model_answer_text_add(&ask->text, bytes, n, &stopped, &cut, &grown, err)) {
    return false;
  }
  if (stopped) {
    take_back(ask, cut);
    answer->stop = "stop-string";
  }
  if (!stream(ask, grown, id) && !answer->stop) {
    answer->stop = "cancelled";
  }
  return true;
}

/* One id: drawn, added, and computed when another one is wanted. Sets answer->stop at the end. */
static bool
answer_step(Ask *ask, ModelError *err)
{
  ModelSession *session = ask->session;
  ModelAnswer *answer = ask->answer;
  const int32_t id = model_sampler_pick(&session->sampler, session->decoder.logits);
  ModelError stopped = {0};

  if (id < 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the weights give a logit that is not a finite number at position %u",
                      session->engine->checkpoint.path, session->positions);
  }
  if (model_tokenizer_is_stop(session->engine->tokenizer, id)) {
    take_back(ask, model_answer_text_trim(&ask->text));
    answer->stop = "eos";
    return true;
  }
  if (!answer_add(ask, id, err)) {
    return false;
  }
  if (answer->stop) {
    return true;
  }
  model_watch_progress(&ask->watch, MODEL_PHASE_ANSWER, (uint32_t)answer->answer.n,
                       ask->sampling.max_tokens);
  if (answer->answer.n == ask->sampling.max_tokens) {
    answer->stop = "max-tokens";
  } else if (session->positions == session->context) {
    answer->stop = "context";
  } else if (model_decoder_step(&session->decoder, id, session->computed, &ask->watch, &stopped)) {
    session->computed++;
  } else {
    answer->stop = "cancelled"; /* the only way in which a step fails */
  }
  return true;
}

static bool
answer_run(Ask *ask, ModelError *err)
{
  ModelAnswer *answer = ask->answer;
  double first = 0;
  size_t grown;

  /* A stop that came with the last layer of the prompt: nothing has been answered yet. */
  if (!model_watch_go_on(&ask->watch, err)) {
    return false;
  }
  model_sampler_start(&ask->session->sampler, &ask->sampling);
  do {
    if (!answer_step(ask, err)) {
      return false;
    }
    first = first > 0 ? first : now();
  } while (!answer->stop);
  if (!model_answer_text_finish(&ask->text, &grown, err)) {
    return false;
  }
  if (strcmp(answer->stop, "cancelled") != 0) {
    stream(ask, grown, answer->answer.n > 0 ? answer->answer.ids[answer->answer.n - 1] : -1);
  }
  answer->timing.first_token_s = first - ask->start;
  answer->timing.answer_s = now() - first;
  answer->timing.answer_tokens = (uint32_t)answer->answer.n;
  answer->text = ask->text.text;
  ask->text.text = NULL;
  return true;
}

/* ---- ask ---------------------------------------------------------------------------------- */

static bool
turns_reserve(ModelSession *session, ModelError *err)
{
  const uint32_t capacity = session->turns_capacity ? 2 * session->turns_capacity : 16;
  Mark *moved;

  if (session->n_turns < session->turns_capacity) {
    return true;
  }
  moved = realloc(session->turns, capacity * sizeof *moved);
  if (!moved) {
    return out_of_memory(err);
  }
  session->turns = moved;
  session->turns_capacity = capacity;
  return true;
}

static bool
ask_start(Ask *ask, ModelError *err)
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
  if (!ask->ends) {
    return out_of_memory(err);
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
ask_run(Ask *ask, const ModelImage *image, const char *question, ModelError *err)
{
  ModelSession *session = ask->session;
  const Mark mark = mark_get(session);
  const float *rows = NULL;
  uint64_t positions = 0;
  ModelIds ids = {0};
  bool ok = ask_start(ask, err) && turns_reserve(session, err) &&
            question_ids(ask, question, image != NULL, &ids, &positions, err) &&
            (!image || picture_get(ask, image, &rows, err)) &&
            prompt_run(ask, &ids, positions, rows, err) && answer_run(ask, err);

  if (ok) {
    session->turns[session->n_turns++] = mark;
  } else {
    mark_set(session, mark);
    model_answer_clear(ask->answer);
  }
  model_ids_clear(&ids);
  model_answer_text_clear(&ask->text);
  free(ask->ends);
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
  Ask ask = {.session = session, .answer = answer, .watch = {&session->cancel, callbacks}};
  bool ok;

  *answer = (ModelAnswer){0};
  ask.sampling = sampling ? *sampling : (ModelSampling){.top_p = 1};
  ask.start = now();
  if (!ask_check(session, image, question, sampling, err)) {
    return false;
  }
  if (atomic_exchange(&session->busy, true)) {
    return model_fail(err, MODEL_ERROR_BUSY, "the session is answering another question");
  }
  atomic_store(&session->cancel, false);
  session->n_asked++;
  ok = ask_run(&ask, image, question, err);
  atomic_store(&session->busy, false);
  return ok;
}

uint32_t
model_session_turns(const ModelSession *session)
{
  return session->n_turns;
}

uint32_t
model_session_positions(const ModelSession *session)
{
  return session->positions;
}

bool
model_session_rewind(ModelSession *session, uint32_t turn, ModelError *err)
{
  if (atomic_exchange(&session->busy, true)) {
    return model_fail(err, MODEL_ERROR_BUSY, "the session is answering a question");
  }
  if (turn < session->n_turns) {
    mark_set(session, session->turns[turn]);
    session->n_turns = turn;
  } else if (turn > session->n_turns) {
    atomic_store(&session->busy, false);
    return model_fail(err, MODEL_ERROR_ARGUMENT, "turn: found %u, expected at most %u", turn,
                      session->n_turns);
  }
  atomic_store(&session->busy, false);
  return true;
}

void
model_session_cancel(ModelSession *session)
{
  atomic_store(&session->cancel, true);
}
