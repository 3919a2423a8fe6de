/* session_answer.c - what the model says: ids are drawn, turned into text, and computed.
 *
 * Ids that are looked up (lookup.h) are run in one batch with the id that they may follow, which
 * gives the logits after each of them. At every position the id is drawn from that position's own
 * logits, by the same generator, as without: as long as what is drawn is what was looked up, the
 * next logits are there already. So the answer is the same, whatever was looked up.
 */
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Logits that are there already. */
typedef struct {
  const float *logits;
  ModelDraft draft; /* the ids behind which `checked` has logits */
  uint32_t n_right; /* of them, those that were drawn as well */
  double seconds;   /* that the batch took */
} Ahead;

/* Hands the last GROWN bytes of the text to the caller; false when the caller has had enough. */
static bool
stream(ModelAsk *ask, size_t grown, int32_t id)
{
  const ModelCallbacks *callbacks = ask->watch.callbacks;

  return grown == 0 || !callbacks || !callbacks->token ||
         callbacks->token(ask->text.text + ask->text.n_text - grown, grown, id, callbacks->user);
}

/* Takes the ids of a stop string, or of the white space before the end, back out of the answer and
 * the timeline: those that end behind the cut. */
static void
take_back(ModelAsk *ask, size_t cut)
{
  ModelSession *session = ask->session;
  ModelIds *ids = &ask->answer->answer;

  while (ids->n > 0 && ask->ends[ids->n - 1] > cut) {
    ids->n--;
    session->ids.n--;
    model_ledger_cut(&session->line, session->line.n - 1);
  }
}

/* Adds one generated id, of probability P, to answer, text and timeline. Sets answer->stop when the
 * answer ends. */
static bool
answer_add(ModelAsk *ask, int32_t id, float p, ModelError *err)
{
  ModelSession *session = ask->session;
  ModelAnswer *answer = ask->answer;
  const size_t before = ask->text.n_raw;
  size_t n, cut, grown;
  bool stopped;
  char bytes[256];

  n = model_tokenizer_bytes(session->engine->tokenizer, id, answer->answer.n == 0, bytes);
  if (!model_ids_push(&answer->answer, id) || !model_ids_push(&session->ids, id)) {
    return model_session_no_memory(err);
  }
  model_ledger_push_token(&session->line, id);
  ask->ends[ask->n_drawn] = before + n;
  ask->p[ask->n_drawn++] = p;
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

/* ---- the next logits ---------------------------------------------------------------------- */

static bool
lookup_start(ModelAsk *ask, ModelError *err)
{
  ModelSession *session = ask->session;
  const size_t vocab = session->engine->checkpoint.config.decoder.vocab;

  if (ask->sampling.lookup == 0) {
    return true;
  }
  if (!session->checked) {
    session->checked = calloc((1 + MODEL_LOOKUP_MOST) * vocab, sizeof *session->checked);
  }
  model_lookup_restart(&session->lookup);
  return (session->checked &&
          model_lookup_add(&session->lookup, true, session->ids.ids, session->ids.n)) ||
         model_session_no_memory(err);
}

static void
lookup_end(ModelAsk *ask, Ahead *ahead)
{
  if (ask->sampling.lookup > 0 && ahead->seconds > 0) {
    model_lookup_learn(&ask->session->lookup, &ahead->draft, ahead->n_right, ahead->seconds);
  }
  ask->answer->timing.drafted += ahead->draft.n;
  ask->answer->timing.accepted += ahead->n_right;
  *ahead = (Ahead){0};
}

/* How many ids can be looked up, at most, behind one that is computed now. */
static uint32_t
lookup_room(const ModelAsk *ask)
{
  const ModelSession *session = ask->session;
  const uint32_t tokens = ask->sampling.max_tokens - (uint32_t)ask->answer->answer.n - 1;
  const uint32_t positions = session->context - session->line.n;
  const uint32_t chunk = session->decoder.chunk - 1;
  uint32_t room = ask->sampling.lookup;

  room = room < session->most_lookup ? room : session->most_lookup;
  room = room < tokens ? room : tokens;
  room = room < positions ? room : positions;
  return room < chunk ? room : chunk;
}

/* Runs ID, which the timeline ends in, and what may follow it. */
static bool
run(ModelAsk *ask, int32_t id, Ahead *ahead, ModelError *err)
{
  ModelSession *session = ask->session;
  const double start = model_session_now();
  int32_t ids[1 + MODEL_LOOKUP_MOST] = {id};
  float *logits = session->decoder.logits;

  lookup_end(ask, ahead);
  if (ask->sampling.lookup > 0) {
    model_lookup_propose(&session->lookup, lookup_room(ask), &ahead->draft);
  }
  if (ahead->draft.n > 0) {
    memcpy(ids + 1, ahead->draft.ids, ahead->draft.n * sizeof *ids);
    logits = session->checked;
  }
  if (!model_decoder_verify(&session->decoder, ids, 1 + ahead->draft.n, session->cache.n, logits,
                            &ask->watch, err)) {
    return false;
  }
  model_ledger_push_token(&session->cache, id);
  ahead->logits = logits;
  ahead->seconds = model_session_now() - start;
  return true;
}

/* Makes ahead->logits those after ID, which the timeline ends in: by a look at what is there, or by
 * running it. */
static bool
go_on(ModelAsk *ask, int32_t id, Ahead *ahead, ModelError *err)
{
  ModelSession *session = ask->session;

  if (ask->sampling.lookup > 0 && !model_lookup_add(&session->lookup, true, &id, 1)) {
    return model_session_no_memory(err);
  }
  if (ahead->n_right < ahead->draft.n && ahead->draft.ids[ahead->n_right] == id) {
    ahead->n_right++;
    ahead->logits += session->engine->checkpoint.config.decoder.vocab;
    model_ledger_push_token(&session->cache, id);
    return true;
  }
  return run(ask, id, ahead, err);
}

/* ---- steps -------------------------------------------------------------------------------- */

/* One id: drawn, added, and computed when another one is wanted. Sets answer->stop at the end. */
static bool
answer_step(ModelAsk *ask, Ahead *ahead, ModelError *err)
{
  ModelSession *session = ask->session;
  ModelAnswer *answer = ask->answer;
  const int32_t id = model_sampler_pick(&session->sampler, ahead->logits);
  ModelError stopped = {0};

  ask->first = ask->first > 0 ? ask->first : model_session_now();
  if (id < 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the weights give a logit that is not a finite number at position %u",
                      session->engine->checkpoint.path, session->line.n);
  }
  if (model_tokenizer_is_stop(session->engine->tokenizer, id)) {
    take_back(ask, model_answer_text_trim(&ask->text));
    answer->stop = "eos";
    return true;
  }
  if (!answer_add(ask, id, model_sampler_probability(&session->sampler, ahead->logits, id), err)) {
    return false;
  }
  if (answer->stop) {
    return true;
  }
  model_watch_progress(&ask->watch, MODEL_PHASE_ANSWER, (uint32_t)answer->answer.n,
                       ask->sampling.max_tokens);
  if (answer->answer.n == ask->sampling.max_tokens) {
    answer->stop = "max-tokens";
  } else if (session->line.n == session->context) {
    answer->stop = "context";
  } else if (!model_watch_go_on(&ask->watch, NULL) || !go_on(ask, id, ahead, &stopped)) {
    if (stopped.code == MODEL_ERROR_TOO_LARGE) {
      return model_session_no_memory(err);
    }
    answer->stop = "cancelled"; /* the only other way in which a step fails */
  }
  return true;
}

/* The pieces of the finished text. */
static bool
pieces_make(ModelAsk *ask, ModelError *err)
{
  ModelAnswer *answer = ask->answer;
  ModelAnswerPiece *pieces = calloc(ask->n_drawn + 1, sizeof *pieces);
  size_t n = 0;

  if (!pieces) {
    return model_session_no_memory(err);
  }
  model_answer_text_ends(&ask->text, ask->ends, ask->n_drawn);
  /* Those of the answer, and the one whose text the cut went through. */
  for (; n < ask->n_drawn; n++) {
    if (n >= answer->answer.n && (n > 0 ? ask->ends[n - 1] : 0) == ask->text.n_text) {
      break;
    }
    pieces[n] = (ModelAnswerPiece){ask->ends[n], ask->p[n]};
  }
  answer->pieces = pieces;
  answer->n_pieces = n;
  return true;
}

bool
model_session_answer(ModelAsk *ask, ModelError *err)
{
  ModelAnswer *answer = ask->answer;
  Ahead ahead = {.logits = ask->session->decoder.logits};
  size_t grown;

  /* A stop that came with the last layer of the prompt: nothing has been answered yet. */
  if (!model_watch_go_on(&ask->watch, err) || !lookup_start(ask, err)) {
    return false;
  }
  model_sampler_start(&ask->session->sampler, &ask->sampling);
  do {
    if (!answer_step(ask, &ahead, err)) {
      return false;
    }
  } while (!answer->stop);
  lookup_end(ask, &ahead);
  if (!model_answer_text_finish(&ask->text, &grown, err) || !pieces_make(ask, err)) {
    return false;
  }
  if (strcmp(answer->stop, "cancelled") != 0) {
    stream(ask, grown, answer->answer.n > 0 ? answer->answer.ids[answer->answer.n - 1] : -1);
  }
  answer->timing.first_token_s = ask->first - ask->start;
  answer->timing.answer_s = model_session_now() - ask->first;
  answer->timing.answer_tokens = (uint32_t)answer->answer.n;
  answer->text = ask->text.text;
  ask->text.text = NULL;
  return true;
}
