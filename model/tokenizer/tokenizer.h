/* tokenizer.h - SentencePiece BPE with byte fallback, special strings, LLaVA's image handling.
 * Private to model/. A ModelTokenizer is read-only after creation and may be shared. */
#ifndef HILUM_MODEL_TOKENIZER_H
#define HILUM_MODEL_TOKENIZER_H

#include "checkpoint/checkpoint.h"

typedef struct ModelTokenizer ModelTokenizer;

/* CONFIG gives bos/eos, the image ids, image_start_end and the number of patches.
 * VOCABULARY is borrowed and must outlive the tokenizer. */
ModelTokenizer *model_tokenizer_new(const ModelVocabulary *vocabulary, const ModelConfig *config,
                                    ModelError *err);
void model_tokenizer_free(ModelTokenizer *tokenizer);

bool model_ids_push(ModelIds *ids, int32_t id); /* false: out of memory */

/* All append to IDS. */
bool model_tokenizer_encode(const ModelTokenizer *tokenizer, const char *text, size_t length,
                            ModelIds *ids, ModelError *err);
/* Special strings recognised, no BOS unless ADD_BOS. */
bool model_tokenizer_encode_special(const ModelTokenizer *tokenizer, const char *text,
                                    size_t length, bool add_bos, ModelIds *ids, ModelError *err);
/* BOS, then pieces between "<image>" encoded one by one, MODEL_IMAGE_ID (or the v1.0 run) between */
bool model_tokenizer_encode_prompt(const ModelTokenizer *tokenizer, const char *text,
                                   size_t length, ModelIds *ids, ModelError *err);
/* SentencePiece decode. */
char *model_tokenizer_decode(const ModelTokenizer *tokenizer, const int32_t *ids, size_t n,
                             ModelError *err);
/* Bytes that ID adds to a running text (byte pieces as their byte, U+2581 as space, control and
 * added ids nothing). FIRST: the dummy-prefix space is dropped. OUT has room for 256 bytes;
 * returns the number written. For streaming. */
size_t model_tokenizer_bytes(const ModelTokenizer *tokenizer, int32_t id, bool first, char *out);
bool model_tokenizer_is_stop(const ModelTokenizer *tokenizer, int32_t id); /* EOS */

#endif
