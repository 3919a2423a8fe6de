/* roles.h - every tensor of a model by its role: where it goes, what it is called in each layout,
 * what shape it must have. One table serves the readers, the writer, the identity and training.
 * Private to model/checkpoint.
 *
 * Order: token embedding, layers, output norm, output; projector; tower. */
#ifndef HILUM_MODEL_CHECKPOINT_ROLES_H
#define HILUM_MODEL_CHECKPOINT_ROLES_H

#include "checkpoint/table.h"

typedef enum { MODEL_PART_DECODER, MODEL_PART_PROJECTOR, MODEL_PART_TOWER } ModelPart;

typedef struct {
  ModelPart part;
  ModelTensor *tensor;
  char name[128]; /* in an original LLaVA checkpoint */
  char gguf[64];  /* in llama.cpp's files */
  uint32_t n_dims;
  uint64_t shape[4];
  bool optional;
  bool padded;         /* rows past the vocabulary may follow in a file */
  uint32_t rope_heads; /* heads whose rows llama.cpp permutes; 0: none */
} ModelRole;

/* Role INDEX; false past the end. With weights->tied, the output has no role. */
bool model_role_at(const ModelConfig *config, ModelWeights *weights, uint32_t index,
                   ModelRole *role);

/* How a Hugging Face folder names its tensors. */
typedef struct {
  const char *decoder;   /* stands for "model." */
  const char *head;      /* stands for "lm_head.weight" */
  const char *projector; /* NULL: as in the original */
  const char *tower;     /* stands for "model.vision_tower.vision_tower.vision_model." */
} ModelLayout;
/* The layout whose token embedding is in TABLE, NULL for none. */
const ModelLayout *model_layout_detect(const ModelTable *table);
const ModelLayout *model_layout_at(uint32_t index); /* NULL past the last */
/* The name of a tensor there. */
void model_layout_name(const ModelLayout *layout, const ModelRole *role, char name[256]);
extern const char model_tower_prefix[]; /* the original one */

/* Puts ENTRY (NULL: not found) into the role after checking type and shape. NAME and PATH are for
 * the message. */
bool model_role_fill(const ModelRole *role, const ModelTableEntry *entry, const char *name,
                     const char *path, ModelError *err);

/* Allocates weights.layers and weights.blocks as config says. */
bool model_weights_alloc(ModelCheckpoint *checkpoint, ModelError *err);
/* Sizes within limits.h, and that they go together. PATH is for the message. */
bool model_config_check(const ModelConfig *config, const char *path, ModelError *err);
bool model_vision_config_check(const ModelVisionConfig *config, const char *path, ModelError *err);

/* The readers. PATH is in checkpoint->path already. */
bool model_huggingface_open(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                            ModelError *err);
bool model_gguf_open(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                     ModelError *err);
/* The tower and projector of the GGUF file PATH into config and weights; the decoder's
 * configuration is there already. With options->vision_tower only the projector is taken. */
bool model_mmproj_open(ModelCheckpoint *checkpoint, const char *path,
                       const ModelEngineOptions *options, ModelError *err);

/* The tower of the CLIP checkpoint FOLDER: its tensors into TABLE (which the caller clears), its
 * sizes into config->vision (all but blocks_run), the prefix of its names into *prefix (static). */
bool model_tower_open(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                      const char **prefix, ModelError *err);
/* Puts the tensors of TABLE into the tower's roles. PATH is for the message. */
bool model_tower_fill(ModelCheckpoint *checkpoint, const ModelTable *table, const char *prefix,
                      const char *path, ModelError *err);
/* Half a post_layernorm counts as none. */
void model_tower_trim(ModelWeights *weights);

#endif
