/* tokenizer.h - SentencePiece BPE with byte fallback, special strings, LLaVA's image handling.
 * Private to model/. A ModelTokenizer is read-only after creation and may be shared. */
#ifndef HILUM_MODEL_TOKENIZER_H
#define HILUM_MODEL_TOKENIZER_H

#include "checkpoint/checkpoint.h"

typedef struct ModelTokenizer ModelTokenizer;

/* CONFIG gives bos/eos, the image ids, image_start_end and the number of patches (copied).
 * VOCABULARY is borrowed and must outlive the tokenizer. Special strings are the control pieces,
 * <unk>, the added tokens, and user-defined pieces whose id CONFIG names (GGUF files keep v1.0's
 * <im_start> so). "<image>" is none: only model_tokenizer_encode_prompt() knows it. CORRUPT when
 * two pieces have one text, an id is out of range, a text is not UTF-8 or a score not finite. */
ModelTokenizer *model_tokenizer_new(const ModelVocabulary *vocabulary, const ModelConfig *config,
                                    ModelError *err);
void model_tokenizer_free(ModelTokenizer *tokenizer);

bool model_ids_push(ModelIds *ids, int32_t id); /* false: out of memory */

/* The encoders append to IDS; on error IDS is as it was before.
 *
 * Plain SentencePiece: no BOS; a text that looks like a special string stays text, whoever typed
 * it. Broken UTF-8 becomes U+FFFD byte by byte, as SentencePiece does. */
bool model_tokenizer_encode(const ModelTokenizer *tokenizer, const char *text, size_t length,
                            ModelIds *ids, ModelError *err);
/* Special strings recognised, no BOS unless ADD_BOS. */
bool model_tokenizer_encode_special(const ModelTokenizer *tokenizer, const char *text,
                                    size_t length, bool add_bos, ModelIds *ids, ModelError *err);
/* BOS, then pieces between "<image>" encoded one by one, MODEL_IMAGE_ID (or the v1.0 run) between
 */
bool model_tokenizer_encode_prompt(const ModelTokenizer *tokenizer, const char *text, size_t length,
                                   ModelIds *ids, ModelError *err);
/* model_tokenizer_encode() of a text that goes on where another one stopped: without the dummy
 * prefix space unless DUMMY_PREFIX. */
bool model_tokenizer_encode_part(const ModelTokenizer *tokenizer, const char *text, size_t length,
                                 bool dummy_prefix, ModelIds *ids, ModelError *err);
/* First special string in TEXT, the longest of those that start there: its length, *AT where it
 * starts, *ID. 0: none. */
size_t model_tokenizer_find_special(const ModelTokenizer *tokenizer, const char *text,
                                    size_t length, size_t *at, int32_t *id);
/* One picture: MODEL_IMAGE_ID, or v1.0's <im_start>, <im_patch> once per patch, <im_end>. */
bool model_tokenizer_push_image(const ModelTokenizer *tokenizer, ModelIds *ids);
int32_t model_tokenizer_bos(const ModelTokenizer *tokenizer); /* -1: none */

/* SentencePiece decode, without control, unknown and added ids (and ids that no piece has). Valid
 * UTF-8: each broken byte becomes U+FFFD, and so does a NUL, which a C string cannot hold. Caller
 * frees with free(). */
char *model_tokenizer_decode(const ModelTokenizer *tokenizer, const int32_t *ids, size_t n,
                             ModelError *err);
/* Bytes that ID adds to a running text (byte pieces as their byte, U+2581 as space, control,
 * unknown and added ids nothing). FIRST: no id has given bytes yet, so that one leading space, the
 * dummy prefix, is dropped. OUT has room for 256 bytes; returns the number written. For
 * streaming: may end within a character. */
size_t model_tokenizer_bytes(const ModelTokenizer *tokenizer, int32_t id, bool first, char *out);
bool model_tokenizer_is_stop(const ModelTokenizer *tokenizer, int32_t id); /* EOS */

#endif
