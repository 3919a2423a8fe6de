/* words-clip.c - CLIP's words, and their bytes joined to pieces.
 *
 * Of all neighbours in a word that have a merge, the first merge of the table is done first, of
 * equal ones the leftmost. Symbols are a linked list over one array; n log n in a word's length. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/words-private.h"

typedef struct ModelWordSymbol {
  int32_t id, previous, next;
  uint32_t length; /* bytes; 0: joined into an earlier symbol */
} Symbol;

static bool
consider(ModelWordWork *work, int32_t left, int32_t right)
{
  const ModelWordMerge *merge;
  const Symbol *l, *r;

  if (left < 0 || right < 0) {
    return true;
  }
  l = &work->symbols[left];
  r = &work->symbols[right];
  merge = model_words_find_merge(work->words, l->id, r->id);
  /* Ranks are below 2^24: a float holds them. */
  return !merge || model_pairs_push(&work->pairs, (ModelPair){-(float)merge->rank, left, right,
                                                              l->length + r->length, merge->id});
}

static bool
join(ModelWordWork *work, int32_t n)
{
  for (int32_t i = 1; i < n; i++) {
    if (!consider(work, i - 1, i)) {
      return false;
    }
  }
  while (work->pairs.n > 0) {
    const ModelPair pair = model_pairs_pop(&work->pairs);
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
    if (!consider(work, left->previous, pair.left) || !consider(work, pair.left, left->next)) {
      return false;
    }
  }
  return true;
}

/* The word CODES, N of them. */
static bool
push_word(ModelWordWork *work, const uint32_t *codes, size_t n)
{
  int32_t count = 0;

  if (work->symbols_capacity < 4 * n) {
    Symbol *grown = realloc(work->symbols, 4 * n * sizeof *grown);
    if (!grown) {
      return false;
    }
    work->symbols = grown;
    work->symbols_capacity = 4 * n;
  }
  for (size_t i = 0; i < n; i++) {
    char bytes[4];
    const size_t n_bytes = model_utf8_encode(codes[i], bytes);
    for (size_t k = 0; k < n_bytes; k++, count++) {
      const bool last = i + 1 == n && k + 1 == n_bytes;
      work->symbols[count] = (Symbol){work->words->bytes[last][(uint8_t)bytes[k]], count - 1,
                                      last ? -1 : count + 1, 1};
    }
  }
  if (!join(work, count)) {
    return false;
  }
  for (int32_t i = 0; i >= 0; i = work->symbols[i].next) {
    if (!model_ids_push(work->ids, work->symbols[i].id)) {
      return false;
    }
  }
  return true;
}

/* Length of the contraction that the N codes begin with; 0: none. */
static size_t
contraction(const uint32_t *codes, size_t n)
{
  static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};

  for (size_t i = 0; codes[0] == '\'' && i < sizeof endings / sizeof *endings; i++) {
    const size_t length = strlen(endings[i]);
    if (n > length && codes[1] == (uint8_t)endings[i][0] &&
        (length == 1 || codes[2] == (uint8_t)endings[i][1])) {
      return 1 + length;
    }
  }
  return 0;
}

static bool
is_other(uint32_t code)
{
  return !model_unicode_is_space(code) && !model_unicode_is_letter(code) &&
         !model_unicode_is_number(code);
}

/* The word that the N codes begin with, none of which is a space. */
static size_t
word_length(const uint32_t *codes, size_t n)
{
  size_t length = contraction(codes, n);

  if (length > 0 || model_unicode_is_number(codes[0])) {
    return length > 0 ? length : 1;
  }
  if (model_unicode_is_letter(codes[0])) {
    while (length < n && model_unicode_is_letter(codes[length])) {
      length++;
    }
  } else {
    while (length < n && is_other(codes[length])) {
      length++;
    }
  }
  return length;
}

bool
model_words_split_clip(ModelWordWork *work, const char *text, size_t length)
{
  const ModelCodes *codes = &work->codes;

  work->codes.n = 0;
  if (!model_codes_read(&work->codes, text, length) || !model_codes_compose(&work->codes) ||
      !model_codes_lower(&work->codes)) {
    return false;
  }
  for (size_t i = 0, n; i < codes->n && work->ids->n < work->most; i += n) {
    if (model_unicode_is_space(codes->codes[i])) {
      n = 1;
      continue;
    }
    n = word_length(codes->codes + i, codes->n - i);
    if (!push_word(work, codes->codes + i, n)) {
      return false;
    }
  }
  return true;
}
