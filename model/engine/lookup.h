/* lookup.h - proposes how an answer goes on by looking the last words up in what was said before:
 * in the conversation, and in texts that the caller gave. Private to model/engine.
 *
 * A proposal costs nothing when it is wrong but its place in a batch, and never changes an answer:
 * see session_answer.c. How many ids are proposed follows from how often proposals came true, and
 * from what a larger batch has cost, by the clock. */
#ifndef HILUM_MODEL_LOOKUP_H
#define HILUM_MODEL_LOOKUP_H

#include "model.h"

#define MODEL_LOOKUP_MOST 16u             /* ids proposed at a time */
#define MODEL_LOOKUP_MAX_TEXTS (1u << 20) /* ids of texts that are kept */
#define MODEL_LOOKUP_SLOPE 0.1           /* a careful beginning: 7B models have a third of it */
#define MODEL_LOOKUP_LENGTHS 3            /* matches of 2, of 3, of 4 and more ids */

/* Ids with an index of all pairs. */
typedef struct {
  int32_t *ids;
  uint32_t *heads; /* [1 << bits]: where the newest pair of this hash ends, 0: none */
  uint32_t *older; /* [capacity]: the pair of the same hash before it */
  uint32_t n, capacity, bits;
} ModelGrams;

typedef struct {
  ModelGrams texts, talk;
  bool is_greedy; /* propose all that can be had: for tests, and to measure what batches cost */
  double hits[MODEL_LOOKUP_LENGTHS], tries[MODEL_LOOKUP_LENGTHS];
  double step_s; /* of one id alone; 0: not known */
  double slope;  /* what each more id of a batch costs, as a part of that */
} ModelLookup;

void model_lookup_clear(ModelLookup *lookup);
/* Adds ids to what was said (TALK) or to the texts. False only without memory. */
bool model_lookup_add(ModelLookup *lookup, bool talk, const int32_t *ids, size_t n);
/* Forgets what was said, and not the texts. */
void model_lookup_restart(ModelLookup *lookup);

typedef struct {
  int32_t ids[MODEL_LOOKUP_MOST];
  uint32_t n;      /* 0: nothing worth trying */
  uint32_t length; /* of the match, as an index into `hits` */
} ModelDraft;
/* At most MOST ids that may follow what was said last. */
void model_lookup_propose(ModelLookup *lookup, uint32_t most, ModelDraft *draft);
/* A batch of 1 + N ids took SECONDS, and ACCEPTED of the N proposed came true. */
void model_lookup_learn(ModelLookup *lookup, const ModelDraft *draft, uint32_t accepted,
                        double seconds);

#endif
