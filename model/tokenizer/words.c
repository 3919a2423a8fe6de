/* words.c - the pieces of a text tower's vocabulary, and texts cut at its special tokens. */
#include "tokenizer/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/words-private.h"

#define MOST_MERGES (4u * MODEL_MAX_VOCAB)

static const char *const specials[2][6] = {{"<|startoftext|>", "<|endoftext|>", NULL},
                                           {"[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", NULL}};

static bool
no_memory(ModelError *err)
{
  return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a text tower's vocabulary");
}

ModelWords *
model_words_new(ModelWordsKind kind, ModelError *err)
{
  ModelWords *words = calloc(1, sizeof *words);

  if (!words) {
    no_memory(err);
    return NULL;
  }
  words->kind = kind;
  return words;
}

void
model_words_free(ModelWords *words)
{
  if (words) {
    free(words->texts);
    free(words->pieces);
    free(words->merges);
    model_prefix_clear(&words->special);
    free(words);
  }
}

void
model_words_set_cased(ModelWords *words, bool cased)
{
  words->cased = cased;
}

int32_t
model_words_end(const ModelWords *words)
{
  return words->end;
}

/* ---- filling ------------------------------------------------------------------------------- */

/* Room for N more of SIZE bytes in *ARRAY; NULL: out of memory. */
static void *
grow(void *array, size_t n, size_t more, size_t *capacity, size_t size)
{
  size_t wanted = *capacity ? *capacity : 256, n_bytes;
  void *grown;

  if (n + more <= *capacity) {
    return array;
  }
  while (wanted < n + more) {
    wanted *= 2;
  }
  if (__builtin_mul_overflow(wanted, size, &n_bytes) || !(grown = realloc(array, n_bytes))) {
    return NULL;
  }
  *capacity = wanted;
  return grown;
}

bool
model_words_add(ModelWords *words, const char *text, size_t length, int32_t id, ModelError *err)
{
  char *texts;
  ModelWordPiece *pieces;

  if (words->n_pieces >= MODEL_MAX_VOCAB || length > UINT32_MAX - words->n_texts) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "the vocabulary has more than %u pieces",
                      MODEL_MAX_VOCAB);
  }
  texts = grow(words->texts, words->n_texts, length + 1, &words->texts_capacity, 1);
  if (texts) {
    words->texts = texts;
  }
  pieces = grow(words->pieces, words->n_pieces, 1, &words->pieces_capacity, sizeof *pieces);
  if (pieces) {
    words->pieces = pieces;
  }
  if (!texts || !pieces) {
    return no_memory(err);
  }
  memcpy(texts + words->n_texts, text, length);
  pieces[words->n_pieces++] = (ModelWordPiece){(uint32_t)words->n_texts, (uint32_t)length, id};
  words->n_texts += length;
  return true;
}

static int
compare_texts(const char *a, size_t n_a, const char *b, size_t n_b)
{
  const int order = memcmp(a, b, n_a < n_b ? n_a : n_b);

  return order ? order : (n_a > n_b) - (n_a < n_b);
}

/* qsort() hands no context through: pieces are sorted by pointers into their texts. */
static int
compare_entries(const void *a, const void *b)
{
  const ModelPrefixEntry *x = a, *y = b;
  const int order = compare_texts(x->text, x->length, y->text, y->length);

  return order ? order : (x->id > y->id) - (x->id < y->id);
}

static bool
sort_pieces(ModelWords *words)
{
  ModelPrefixEntry *entries = calloc(words->n_pieces, sizeof *entries);
  size_t kept = 0;

  if (!entries) {
    return false;
  }
  for (size_t i = 0; i < words->n_pieces; i++) {
    const ModelWordPiece *p = &words->pieces[i];
    entries[i] = (ModelPrefixEntry){words->texts + p->at, p->length, p->id};
  }
  qsort(entries, words->n_pieces, sizeof *entries, compare_entries);
  for (size_t i = 0; i < words->n_pieces; i++) {
    const ModelPrefixEntry *e = &entries[i];
    kept -= i > 0 && compare_texts(e[-1].text, e[-1].length, e->text, e->length) == 0;
    words->pieces[kept++] = (ModelWordPiece){(uint32_t)(e->text - words->texts), e->length, e->id};
  }
  words->n_pieces = kept;
  free(entries);
  return true;
}

int32_t
model_words_find(const ModelWords *words, const char *text, size_t length)
{
  size_t low = 0, high = words->n_pieces;

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const ModelWordPiece *p = &words->pieces[middle];
    const int order = compare_texts(text, length, words->texts + p->at, p->length);
    if (order == 0) {
      return p->id;
    }
    low = order > 0 ? middle + 1 : low;
    high = order < 0 ? middle : high;
  }
  return -1;
}

/* CLIP's vocabulary writes bytes as characters that can be seen: printable ones of Latin-1 as they
 * are, the others from U+0100 on, in order. */
static bool
find_bytes(ModelWords *words, ModelError *err)
{
  uint32_t next = 0x100;

  for (uint32_t byte = 0; byte < 256; byte++) {
    const bool plain = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    char text[8];
    const size_t n = model_utf8_encode(plain ? byte : next, text);

    next += !plain;
    memcpy(text + n, "</w>", 4);
    words->bytes[0][byte] = model_words_find(words, text, n);
    words->bytes[1][byte] = model_words_find(words, text, n + 4);
    if (words->bytes[0][byte] < 0 || words->bytes[1][byte] < 0) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "the vocabulary has no piece for byte %u, alone and with </w>: not CLIP's",
                        byte);
    }
  }
  return true;
}

bool
model_words_seal(ModelWords *words, ModelError *err)
{
  const char *const *names = specials[words->kind];
  int32_t ids[3] = {-1, -1, -1};

  if (words->n_pieces == 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "the vocabulary is empty");
  }
  if (!sort_pieces(words) || !model_prefix_init(&words->special, 5)) {
    return no_memory(err);
  }
  for (uint32_t i = 0; names[i]; i++) {
    const size_t length = strlen(names[i]);
    const int32_t id = model_words_find(words, names[i], length);
    if (id >= 0) {
      model_prefix_add(&words->special, names[i], (uint32_t)length, id);
    } else if (i < (words->kind == MODEL_WORDS_CLIP ? 2 : 3)) {
      return model_fail(err, MODEL_ERROR_CORRUPT, "the vocabulary has no %s", names[i]);
    }
    if (i < 3) {
      ids[i] = id;
    }
  }
  model_prefix_finish(&words->special);
  words->begin = ids[0];
  words->end = ids[1];
  words->unknown = ids[2];
  return words->kind == MODEL_WORDS_BERT || find_bytes(words, err);
}

bool
model_words_add_merge(ModelWords *words, const char *left, size_t n_left, const char *right,
                      size_t n_right, ModelError *err)
{
  ModelWordMerge *merges;
  int32_t ids[3] = {model_words_find(words, left, n_left), model_words_find(words, right, n_right),
                    -1};
  char *whole;

  if (words->n_merges >= MOST_MERGES) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "more than %u merges", MOST_MERGES);
  }
  whole = malloc(n_left + n_right + 1);
  merges = grow(words->merges, words->n_merges, 1, &words->merges_capacity, sizeof *merges);
  if (merges) {
    words->merges = merges;
  }
  if (!whole || !merges) {
    free(whole);
    return no_memory(err);
  }
  memcpy(whole, left, n_left);
  memcpy(whole + n_left, right, n_right);
  ids[2] = model_words_find(words, whole, n_left + n_right);
  free(whole);
  if (ids[0] < 0 || ids[1] < 0 || ids[2] < 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "merge %zu of %.*s and %.*s: they or what they make are no pieces",
                      words->n_merges + 1, (int)(n_left < 40 ? n_left : 40), left,
                      (int)(n_right < 40 ? n_right : 40), right);
  }
  merges[words->n_merges] = (ModelWordMerge){ids[0], ids[1], ids[2], (uint32_t)words->n_merges};
  words->n_merges++;
  return true;
}

static int
compare_merges(const void *a, const void *b)
{
  const ModelWordMerge *x = a, *y = b;

  if (x->left != y->left) {
    return x->left < y->left ? -1 : 1;
  }
  if (x->right != y->right) {
    return x->right < y->right ? -1 : 1;
  }
  return (x->rank > y->rank) - (x->rank < y->rank);
}

bool
model_words_finish(ModelWords *words, ModelError *err)
{
  size_t kept = 0;

  if (words->kind == MODEL_WORDS_CLIP && words->n_merges == 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "there are no merges");
  }
  if (words->n_merges > 0) {
    qsort(words->merges, words->n_merges, sizeof *words->merges, compare_merges);
  }
  for (size_t i = 0; i < words->n_merges; i++) {
    const ModelWordMerge *m = &words->merges[i];
    kept -= kept > 0 && words->merges[kept - 1].left == m->left &&
            words->merges[kept - 1].right == m->right;
    words->merges[kept++] = *m;
  }
  words->n_merges = kept;
  return true;
}

const ModelWordMerge *
model_words_find_merge(const ModelWords *words, int32_t left, int32_t right)
{
  size_t low = 0, high = words->n_merges;

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const ModelWordMerge *m = &words->merges[middle];
    if (m->left < left || (m->left == left && m->right < right)) {
      low = middle + 1;
    } else if (m->left > left || m->right > right) {
      high = middle;
    } else {
      return m;
    }
  }
  return NULL;
}

/* ---- texts --------------------------------------------------------------------------------- */

void
model_word_work_clear(ModelWordWork *work)
{
  model_codes_clear(&work->codes);
  free(work->symbols);
  free(work->pairs.pairs);
}

static bool
split(ModelWordWork *work, const char *text, size_t length)
{
  return work->words->kind == MODEL_WORDS_CLIP ? model_words_split_clip(work, text, length)
                                               : model_words_split_bert(work, text, length);
}

static bool
run(ModelWordWork *work, const char *text, size_t length)
{
  const ModelPrefixSet *special = &work->words->special;
  size_t from = 0, at = 0;

  while (at < length && work->ids->n < work->most) {
    int32_t id;
    const size_t n = model_prefix_match(special, text + at, length - at, &id);
    if (n == 0) {
      at++;
      continue;
    }
    if (!split(work, text + from, at - from) || !model_ids_push(work->ids, id)) {
      return false;
    }
    at += n;
    from = at;
  }
  return work->ids->n >= work->most || split(work, text + from, length - from);
}

bool
model_words_encode(const ModelWords *words, const char *text, size_t length, uint32_t context,
                   ModelIds *ids, ModelError *err)
{
  const size_t before = ids->n;
  ModelWordWork work = {.words = words, .ids = ids, .most = before + context - 1};
  bool ok;

  if (length > MODEL_MAX_TEXT_BYTES) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "a text of %zu bytes, at most %u are read",
                      length, MODEL_MAX_TEXT_BYTES);
  }
  if (context < 2) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "a text of %u ids at most: none fits", context);
  }
  ok = model_ids_push(ids, words->begin) && run(&work, text, length);
  if (ok && ids->n > work.most) {
    ids->n = work.most;
  }
  ok = ok && model_ids_push(ids, words->end);
  model_word_work_clear(&work);
  if (!ok) {
    ids->n = before;
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a text of %zu bytes", length);
  }
  return true;
}
