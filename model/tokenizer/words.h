/* words.h - the tokenizers of text towers, which cut a text into words and words into pieces:
 * CLIP's byte pairs and BERT's WordPiece, as transformers' CLIPTokenizer and BertTokenizer give
 * them. Private to model/. A ModelWords is read-only once it is finished, and may be shared.
 *
 * CLIP: NFC, small letters; runs of letters, single digits, runs of other signs, and English
 * contractions are words; a word's bytes are joined by the merges, the last of them as "...</w>".
 * (OpenAI's own program repairs a text first, with ftfy and by undoing HTML; that is not done.)
 * BERT: controls go; ideographs are words; small letters without accents where it is uncased;
 * signs are words; the longest piece first, what follows in a word with "##" before it; a word that
 * does not come out is [UNK]. */
#ifndef HILUM_MODEL_TOKENIZER_WORDS_H
#define HILUM_MODEL_TOKENIZER_WORDS_H

#include "model.h"

typedef enum { MODEL_WORDS_CLIP, MODEL_WORDS_BERT } ModelWordsKind;

typedef struct ModelWords ModelWords;

ModelWords *model_words_new(ModelWordsKind kind, ModelError *err);
void model_words_free(ModelWords *words);

/* Filling, in this order; texts are copied. Of two pieces with one text the one with the higher id
 * counts. ID is in range (the caller's check). */
bool model_words_add(ModelWords *words, const char *text, size_t length, int32_t id,
                     ModelError *err);
/* Whether BERT's has small letters without accents only; so it is until this is called. */
void model_words_set_cased(ModelWords *words, bool cased);
/* No more pieces. CORRUPT when one is missing that the kind cannot do without. */
bool model_words_seal(ModelWords *words, ModelError *err);
/* The next of CLIP's merges, the first ones first. CORRUPT when a part or the whole is no piece. */
bool model_words_add_merge(ModelWords *words, const char *left, size_t n_left, const char *right,
                           size_t n_right, ModelError *err);
/* No more merges. */
bool model_words_finish(ModelWords *words, ModelError *err);

int32_t model_words_end(const ModelWords *words); /* the id behind every text */

/* The ids of TEXT between the one that begins and the one that ends it, CONTEXT of them at most: of
 * a longer text the front. Special tokens that stand in the text are what they say. Appends to IDS;
 * on error IDS is as it was. */
bool model_words_encode(const ModelWords *words, const char *text, size_t length, uint32_t context,
                        ModelIds *ids, ModelError *err);

#endif
