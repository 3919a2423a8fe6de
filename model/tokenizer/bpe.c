/* bpe.c - SentencePiece's byte pair encoding (bpe_model.cc): of all neighbours whose joined text is
 * a piece, the pair with the best score is joined first, of equal scores the leftmost.
 *
 * Symbols are a linked list over one array, candidate pairs a heap; a pair that a join has made
 * stale is recognised by its length when it is popped. n log n in the length of the text.
 */
#include "base/error.h"
#include "base/limits.h"
#include "tokenizer/pair-heap.h"
#include "tokenizer/tokenizer_private.h"
#include "base/utf8.h"

#include <stdlib.h>

typedef struct {
  uint32_t at, length; /* in the text; length 0: joined into an earlier symbol */
  int32_t previous, next;
  int32_t id;  /* -1: no piece has this text */
  bool frozen; /* a user-defined piece: never joined */
} Symbol;

typedef struct {
  const ModelTokenizer *tokenizer;
  const char *text;
  Symbol *symbols;
  int32_t n_symbols;
  ModelPairs pairs;
  uint32_t *splits; /* per piece: where an UNUSED one was joined; NULL without such pieces */
} Work;

static bool
consider_pair(Work *work, int32_t left, int32_t right)
{
  const Symbol *l, *r;
  uint32_t length;
  int32_t id;

  if (left < 0 || right < 0) {
    return true;
  }
  l = &work->symbols[left];
  r = &work->symbols[right];
  length = l->length + r->length;
  if (l->frozen || r->frozen || length > work->tokenizer->longest) {
    return true;
  }
  id = model_tokenizer_lookup(work->tokenizer, work->text + l->at, length);
  if (id < 0) {
    return true;
  }
  if (work->splits && work->tokenizer->vocabulary->pieces[id].kind == MODEL_PIECE_UNUSED) {
    work->splits[id] = l->length;
  }
  return model_pairs_push(&work->pairs, (ModelPair){work->tokenizer->vocabulary->pieces[id].score,
                                                    left, right, length, id});
}

/* One symbol per user-defined piece or character. */
static void
split_symbols(Work *work, size_t n)
{
  int32_t count = 0;

  for (size_t i = 0; i < n;) {
    uint32_t code;
    int32_t id = -1;
    size_t length = model_prefix_match(&work->tokenizer->user, work->text + i, n - i, &id);
    bool frozen = length > 0;
    if (length == 0) {
      length = model_utf8_decode(work->text + i, n - i, &code);
      length = length ? length : 1;
      id = model_tokenizer_lookup(work->tokenizer, work->text + i, length);
    }
    work->symbols[count] =
        (Symbol){(uint32_t)i, (uint32_t)length, count - 1, count + 1, id, frozen};
    count++;
    i += length;
  }
  work->symbols[count - 1].next = -1;
  work->n_symbols = count;
}

static bool
join_pairs(Work *work)
{
  for (int32_t i = 1; i < work->n_symbols; i++) {
    if (!consider_pair(work, i - 1, i)) {
      return false;
    }
  }
  while (work->pairs.n > 0) {
    ModelPair pair = model_pairs_pop(&work->pairs);
    Symbol *left = &work->symbols[pair.left], *right = &work->symbols[pair.right];
    if (left->length == 0 || right->length == 0 || left->length + right->length != pair.length) {
      continue;
    }
    left->length = pair.length;
    left->id = pair.id;
    left->next = right->next;
    if (right->next >= 0) {
      work->symbols[right->next].previous = pair.left;
    }
    right->length = 0;
    if (!consider_pair(work, left->previous, pair.left) ||
        !consider_pair(work, pair.left, left->next)) {
      return false;
    }
  }
  return true;
}

/* A text that is no piece: its bytes, or <unk> once for a run of such texts. */
static bool
push_unknown(const Work *work, const char *text, size_t length, bool *after_unknown, ModelIds *ids)
{
  const ModelTokenizer *t = work->tokenizer;
  bool bytes = true;

  for (size_t i = 0; i < length; i++) {
    bytes = bytes && t->byte_ids[(uint8_t)text[i]] >= 0;
  }
  if (!bytes) {
    bool merge = *after_unknown;
    *after_unknown = true;
    return merge || model_ids_push(ids, t->unk);
  }
  *after_unknown = false;
  for (size_t i = 0; i < length; i++) {
    if (!model_ids_push(ids, t->byte_ids[(uint8_t)text[i]])) {
      return false;
    }
  }
  return true;
}

/* An UNUSED piece helped joining but is not given: it is taken apart again where it was joined.
 * Each step shortens what is on the stack, so that it never holds more than a piece's bytes. */
static bool
push_symbol(const Work *work, const Symbol *symbol, bool *after_unknown, ModelIds *ids)
{
  struct {
    uint32_t at, length;
    int32_t id;
  } stack[MODEL_MAX_PIECE_BYTES + 1];
  uint32_t depth = 1;

  stack[0].at = symbol->at;
  stack[0].length = symbol->length;
  stack[0].id = symbol->id;
  while (depth > 0) {
    uint32_t at = stack[--depth].at, length = stack[depth].length;
    int32_t id = stack[depth].id;
    uint32_t split = work->splits && id >= 0 ? work->splits[id] : 0;
    if (id < 0) {
      if (!push_unknown(work, work->text + at, length, after_unknown, ids)) {
        return false;
      }
    } else if (split > 0 && split < length) {
      stack[depth].at = at + split;
      stack[depth].length = length - split;
      stack[depth++].id =
          model_tokenizer_lookup(work->tokenizer, work->text + at + split, length - split);
      stack[depth].at = at;
      stack[depth].length = split;
      stack[depth++].id = model_tokenizer_lookup(work->tokenizer, work->text + at, split);
    } else {
      *after_unknown = false;
      if (!model_ids_push(ids, id)) {
        return false;
      }
    }
  }
  return true;
}

static bool
run(Work *work, size_t length, ModelIds *ids)
{
  bool after_unknown = false;

  work->symbols = malloc(length * sizeof *work->symbols);
  if (work->tokenizer->has_unused) {
    work->splits = calloc(work->tokenizer->vocabulary->n_pieces, sizeof *work->splits);
  }
  if (!work->symbols || (work->tokenizer->has_unused && !work->splits)) {
    return false;
  }
  split_symbols(work, length);
  if (!join_pairs(work)) {
    return false;
  }
  for (int32_t i = 0; i >= 0; i = work->symbols[i].next) {
    if (!push_symbol(work, &work->symbols[i], &after_unknown, ids)) {
      return false;
    }
  }
  return true;
}

bool
model_bpe_encode(const ModelTokenizer *tokenizer, const char *text, size_t length, ModelIds *ids,
                 ModelError *err)
{
  Work work = {.tokenizer = tokenizer, .text = text};
  size_t before_n = ids->n;
  bool done = length == 0 || run(&work, length, ids);

  free(work.symbols);
  free(work.pairs.pairs);
  free(work.splits);
  if (!done) {
    ids->n = before_n;
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a text of %zu bytes", length);
  }
  return true;
}
