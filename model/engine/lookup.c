/* lookup.c - proposes how an answer goes on (prompt lookup decoding; speculative decoding after
 * Leviathan, Kalman, Matias 2023, with a table of n-grams in the small model's place). */
#include "engine/lookup.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 8u     /* a match of more ids tells no more */
#define CANDIDATES 16u /* places that are held against each other */
#define MEMORY 24.0    /* proposals that are remembered, about */

static uint32_t
pair_hash(const ModelGrams *grams, int32_t a, int32_t b)
{
  const uint64_t pair = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;

  return (uint32_t)(pair * 0x9e3779b97f4a7c15u >> (64 - grams->bits));
}

static void
grams_clear(ModelGrams *grams)
{
  free(grams->ids);
  free(grams->heads);
  free(grams->older);
  *grams = (ModelGrams){0};
}

/* Pair END - 1, END - 2 is entered once something follows it, so that the last pair does not find
 * itself. */
static void
grams_enter(ModelGrams *grams, uint32_t end)
{
  if (end >= 2) {
    uint32_t *head = &grams->heads[pair_hash(grams, grams->ids[end - 2], grams->ids[end - 1])];
    grams->older[end] = *head;
    *head = end;
  }
}

static bool
grams_reserve(ModelGrams *grams, size_t n)
{
  uint32_t bits = grams->bits ? grams->bits : 10;
  ModelGrams larger;

  if (n < grams->capacity) {
    return true;
  }
  while ((UINT64_C(1) << bits) <= n) {
    bits++;
  }
  larger = (ModelGrams){.n = grams->n, .capacity = 1u << bits, .bits = bits};
  larger.ids = calloc(larger.capacity, sizeof *larger.ids);
  larger.heads = calloc(larger.capacity, sizeof *larger.heads);
  larger.older = calloc(larger.capacity, sizeof *larger.older);
  if (!larger.ids || !larger.heads || !larger.older) {
    grams_clear(&larger);
    return false;
  }
  for (uint32_t i = 0; i < grams->n; i++) {
    larger.ids[i] = grams->ids[i];
    grams_enter(&larger, i);
  }
  grams_clear(grams);
  *grams = larger;
  return true;
}

void
model_lookup_clear(ModelLookup *lookup)
{
  grams_clear(&lookup->texts);
  grams_clear(&lookup->talk);
}

bool
model_lookup_add(ModelLookup *lookup, bool talk, const int32_t *ids, size_t n)
{
  ModelGrams *grams = talk ? &lookup->talk : &lookup->texts;

  if (n > MODEL_LOOKUP_MAX_TEXTS || grams->n + n > 2 * MODEL_LOOKUP_MAX_TEXTS) {
    return true; /* more than anybody would look up: left out */
  }
  if (!grams_reserve(grams, grams->n + n)) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    grams_enter(grams, grams->n);
    grams->ids[grams->n++] = ids[i];
  }
  return true;
}

void
model_lookup_restart(ModelLookup *lookup)
{
  lookup->talk.n = 0;
  if (lookup->talk.heads) {
    memset(lookup->talk.heads, 0, lookup->talk.capacity * sizeof *lookup->talk.heads);
  }
}

/* Where in GRAMS the longest match of the end of what was said ends, 0: nowhere; of equal ones the
 * newest. *length: of the match. */
static uint32_t
grams_find(const ModelGrams *grams, const ModelGrams *talk, uint32_t *length)
{
  const int32_t *end = talk->ids + talk->n;
  uint32_t best = 0, at, tried = 0;

  *length = 0;
  if (talk->n < 2 || !grams->heads) {
    return 0;
  }
  at = grams->heads[pair_hash(grams, end[-2], end[-1])];
  for (; at != 0 && tried < CANDIDATES; at = grams->older[at], tried++) {
    uint32_t n = 0;
    while (n < LONGEST && n < at && n < talk->n && grams->ids[at - 1 - n] == end[-1 - (long)n]) {
      n++;
    }
    if (n >= 2 && n > *length) {
      *length = n;
      best = at;
    }
  }
  return best;
}

/* The number of proposals that gives the most ids per second, when each comes true with CHANCE. */
static uint32_t
worthwhile(const ModelLookup *lookup, double chance, uint32_t most)
{
  double expected = 1, power = 1, best_rate = 1;
  uint32_t best = 0;

  for (uint32_t k = 1; k <= most; k++) {
    power *= chance;
    expected += power;
    if (expected / (1 + lookup->slope * k) > best_rate * 1.02) {
      best_rate = expected / (1 + lookup->slope * k);
      best = k;
    }
  }
  return best;
}

void
model_lookup_propose(ModelLookup *lookup, uint32_t most, ModelDraft *draft)
{
  const ModelGrams *from = &lookup->talk;
  uint32_t length, length_in_texts;
  uint32_t at = grams_find(&lookup->talk, &lookup->talk, &length);
  const uint32_t in_texts = grams_find(&lookup->texts, &lookup->talk, &length_in_texts);

  *draft = (ModelDraft){0};
  if (length_in_texts > length) {
    from = &lookup->texts;
    at = in_texts;
    length = length_in_texts;
  }
  if (at == 0) {
    return;
  }
  draft->length = (length < 4 ? length : 4) - 2;
  most = most < MODEL_LOOKUP_MOST ? most : MODEL_LOOKUP_MOST;
  if (from == &lookup->texts && most > from->n - at) {
    most = from->n - at;
  }
  if (!lookup->is_greedy) {
    /* As if one of two had come true before there is any experience. */
    const double chance = (lookup->hits[draft->length] + 1) / (lookup->tries[draft->length] + 2);
    most = worthwhile(lookup, chance, most);
    if (most == 0) {
      /* Bad experience fades, so that it is tried again now and then. */
      lookup->hits[draft->length] *= 0.99;
      lookup->tries[draft->length] *= 0.99;
      lookup->slope *= 0.998;
    }
  }
  /* What is said in a circle goes on in its own proposal. A picture or a gap between texts is
   * nothing that can be said. */
  while (draft->n < most) {
    const uint32_t next = at + draft->n;
    const int32_t id = next < from->n ? from->ids[next] : draft->ids[next - from->n];
    if (id < 0) {
      return;
    }
    draft->ids[draft->n++] = id;
  }
}

void
model_lookup_learn(ModelLookup *lookup, const ModelDraft *draft, uint32_t accepted, double seconds)
{
  const double keep = 1 - 1 / MEMORY;

  if (draft->n == 0) {
    lookup->step_s =
        lookup->step_s > 0 ? lookup->step_s + 0.2 * (seconds - lookup->step_s) : seconds;
    return;
  }
  if (lookup->step_s > 0) {
    const double slope = (seconds / lookup->step_s - 1) / draft->n;
    /* One slow batch may be another program's doing. */
    const double bounded = slope < 0 ? 0 : slope > 2 ? 2 : slope;
    lookup->slope += 0.2 * (bounded - lookup->slope);
  }
  lookup->hits[draft->length] = keep * lookup->hits[draft->length] + accepted;
  lookup->tries[draft->length] =
      keep * lookup->tries[draft->length] + (accepted < draft->n ? accepted + 1 : accepted);
}
