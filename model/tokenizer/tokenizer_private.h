/* tokenizer_private.h - the tokenizer's own parts share this. */
#ifndef HILUM_MODEL_TOKENIZER_PRIVATE_H
#define HILUM_MODEL_TOKENIZER_PRIVATE_H

#include "tokenizer/prefix.h"
#include "tokenizer/tokenizer.h"

/* Invariants after model_tokenizer_new():
 * 1. The map holds NORMAL, USER and UNUSED pieces alone, so that no text can become a control,
 *    unknown, byte or added id by looking like one.
 * 2. Every text in it is UTF-8, 1 to MODEL_MAX_PIECE_BYTES long, with a finite score.
 * 3. Either all 256 byte ids are there or `unk` is. */
struct ModelTokenizer {
  const ModelVocabulary *vocabulary; /* borrowed */
  uint32_t *slots;                   /* open addressing; index of the piece + 1, 0: free */
  uint32_t slot_mask;                /* number of slots - 1, a power of two */
  uint32_t longest;                  /* bytes of the longest piece in the map */
  int32_t byte_ids[256];             /* -1: none */
  ModelPrefixSet user;               /* user-defined pieces, matched before any merge */
  ModelPrefixSet special;
  bool has_unused;
  int32_t bos, eos, unk;
  bool image_start_end;
  int32_t id_im_patch, id_im_start, id_im_end;
  uint32_t n_patches;
};

/* Id of the piece with this very text, -1: none. */
int32_t model_tokenizer_lookup(const ModelTokenizer *tokenizer, const char *text, size_t length);

/* bpe.c: ids of a text that has been normalised already (valid UTF-8, spaces are U+2581). */
bool model_bpe_encode(const ModelTokenizer *tokenizer, const char *text, size_t length,
                      ModelIds *ids, ModelError *err);

#endif
