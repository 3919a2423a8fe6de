/* words-private.h - the parts of words.c share this. */
#ifndef HILUM_MODEL_TOKENIZER_WORDS_PRIVATE_H
#define HILUM_MODEL_TOKENIZER_WORDS_PRIVATE_H

#include "tokenizer/pair-heap.h"
#include "tokenizer/prefix.h"
#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

typedef struct {
  uint32_t at, length; /* in `texts` */
  int32_t id;
} ModelWordPiece;

typedef struct {
  int32_t left, right, id;
  uint32_t rank; /* the lower, the sooner */
} ModelWordMerge;

/* Invariants of a finished one: pieces are sorted by text, merges by left and right; each once. */
struct ModelWords {
  ModelWordsKind kind;
  bool cased;
  char *texts;
  size_t n_texts, texts_capacity;
  ModelWordPiece *pieces;
  size_t n_pieces, pieces_capacity;
  ModelWordMerge *merges;
  size_t n_merges, merges_capacity;
  int32_t bytes[2][256]; /* CLIP: of a byte inside of a word, and of its last one */
  ModelPrefixSet special;
  int32_t begin, end, unknown;
};

/* -1: no piece has this text. */
int32_t model_words_find(const ModelWords *words, const char *text, size_t length);
const ModelWordMerge *model_words_find_merge(const ModelWords *words, int32_t left, int32_t right);

/* What one encoding works with. */
typedef struct {
  const ModelWords *words;
  ModelIds *ids;
  size_t most; /* ids, after which no more are needed */
  ModelCodes codes;
  struct ModelWordSymbol *symbols;
  size_t symbols_capacity;
  ModelPairs pairs;
} ModelWordWork;

/* The ids of a text without special tokens. False: out of memory. */
bool model_words_split_clip(ModelWordWork *work, const char *text, size_t length);
bool model_words_split_bert(ModelWordWork *work, const char *text, size_t length);
void model_word_work_clear(ModelWordWork *work);

#endif
