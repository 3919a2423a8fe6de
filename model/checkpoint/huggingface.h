/* huggingface.h - the pieces of the reader of Hugging Face folders. Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_HUGGINGFACE_H
#define HILUM_MODEL_CHECKPOINT_HUGGINGFACE_H

#include "checkpoint/json.h"
#include "checkpoint/roles.h"

#define MODEL_MAX_ADDED 8192u /* tokens behind a vocabulary; v1.0 has 4 */

/* FOLDER/NAME as JSON. A file that is not there is no error: *found tells. */
bool model_folder_json(const char *folder, const char *name, ModelJson *json, bool *found,
                       ModelError *err);
/* The tensors of FOLDER/STEM.safetensors, or of STEM.bin. *FOUND tells whether either is there;
 * with FOUND NULL it must be. Sealed. */
bool model_folder_file(ModelCheckpoint *checkpoint, const char *folder, const char *stem,
                       ModelTable *table, bool *found, ModelError *err);
/* Every tensor of a folder: model.safetensors, or the shards that its index names, or the same as
 * pytorch_model.bin. Sealed. */
bool model_folder_tensors(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                          ModelError *err);

/* What options->lora and a projector file as options->mmproj add to a folder (hf-extra.c): a
 * configuration with pictures in place of *json when that has none, and tensors. */
bool model_extra_config(const ModelEngineOptions *options, ModelJson *json, ModelError *err);
bool model_extra_tensors(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                         ModelTable *table, ModelError *err);
/* Whether MMPROJ (may be NULL) is LLaVA's projector file and no GGUF, by its name's ending. */
bool model_extra_is_projector(const char *mmproj);

/* The tower of a checkpoint's configuration. VISION may be NULL: sizes are then read off the
 * tensors of TABLE under PREFIX. FOLDER is where preprocessor_config.json may lie. */
bool model_tower_config(ModelVisionConfig *config, const ModelTable *table, const char *prefix,
                        const ModelJson *json, const ModelJsonNode *vision, const char *folder,
                        ModelError *err);
/* The prefix of the tower's names in TABLE, NULL when it holds none. Static. */
const char *model_tower_find(const ModelTable *table);

/* tokenizer.model, added tokens and special tokens of FOLDER into checkpoint->vocabulary and
 * config (bos, eos, pad, image ids, decoder.vocab). ROWS: of the token embedding. CONVERTED: names
 * of the Hugging Face conversion, whose "<image>" and "<pad>" are placeholders, not text. */
bool model_folder_vocabulary(ModelCheckpoint *checkpoint, const char *folder, const ModelJson *json,
                             bool converted, uint64_t rows, ModelError *err);

/* Copies text of LENGTH into OUT of N bytes as printable UTF-8 with a NUL, cut at a character.
 * LINES: line ends and tabs stay. */
void model_text_copy(char *out, size_t n, const char *text, size_t length, bool lines);
/* Sets the ids of the image tokens from vocabulary->added; -1 where there is none. */
void model_vocabulary_image_ids(const ModelVocabulary *vocabulary, ModelConfig *config);

#endif
