/* session.h - the inside of a session, shared by session*.c. Private to model/engine and the room's
 * tests.
 *
 * Invariants (outside a running call):
 * 1. `line` says what stands at each position of the timeline, `ids` the same as ids (a picture of
 *    one id counts its rows there).
 * 2. `cache` says what each position of the decoder's keys and values was computed from. It need
 *    not be the timeline: where both begin alike nothing is computed again, and the rest is run
 *    over. So going back, branches and other questions cost only what differs.
 * 3. line.n <= context, cache.n <= context.
 * 4. The end-of-sequence id and stop strings are never in the timeline: the next turn's ids begin
 *    with whatever closes an answer.
 * 5. turns[t] holds the numbers from just before turn t: going back is setting them again.
 * 6. Every picture of `line` has its square, so that it can be encoded again.
 */
#ifndef HILUM_MODEL_SESSION_H
#define HILUM_MODEL_SESSION_H

#include "engine/answer_text.h"
#include "engine/engine.h"
#include "engine/ledger.h"
#include "engine/lookup.h"
#include "engine/pictures.h"
#include "engine/sampling.h"

typedef struct {
  size_t n_ids;
  uint32_t positions;
} ModelMark;

struct ModelSession {
  ModelEngine *engine;
  ModelDecoder decoder;
  ModelSampler sampler;
  atomic_bool cancel, busy;
  uint32_t context;
  ModelIds ids;
  ModelLedger line, cache;
  ModelMark *turns;
  uint32_t n_turns, turns_capacity;
  ModelLookup lookup;
  uint32_t
      most_lookup; /* ids in a batch besides the first, so that it gives the bits of one alone */
  float *checked;  /* [1 + MODEL_LOOKUP_MOST][vocab]: logits of a batch; NULL before the first */
};

/* One running ask. */
typedef struct {
  ModelSession *session;
  ModelSampling sampling;
  ModelWatch watch;
  ModelAnswer *answer;
  ModelAnswerText text;
  size_t *ends; /* [max_tokens]: raw bytes of the text after each id that was drawn */
  float *p;     /* [max_tokens]: how likely it was */
  size_t n_drawn;
  double start, first; /* of the call, and of the first id that was drawn (0: none yet) */
} ModelAsk;

double model_session_now(void);
bool model_session_no_memory(ModelError *err);
/* Claims the session, false with BUSY. */
bool model_session_begin(ModelSession *session, ModelError *err);
void model_session_end(ModelSession *session);

/* ---- session_prompt.c --------------------------------------------------------------------- */

/* Appends this turn's ids to the timeline. Refuses a question that does not fit before any work. */
bool model_session_extend(ModelSession *session, const ModelImage *image, const char *question,
                          ModelError *err);
/* Computes what the cache lacks of LINE, at most MOST positions of it; logits are those after the
 * last. TIMING is added to. */
bool model_session_compute(ModelSession *session, const ModelLedger *line, uint32_t most,
                           const ModelWatch *watch, ModelTiming *timing, ModelError *err);

/* ---- session_answer.c --------------------------------------------------------------------- */

bool model_session_answer(ModelAsk *ask, ModelError *err);

#endif
