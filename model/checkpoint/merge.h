/* merge.h - what is added to a checkpoint's weights while they are converted: the base of a delta,
 * low-rank adapters. Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_MERGE_H
#define HILUM_MODEL_CHECKPOINT_MERGE_H

#include "checkpoint/table.h"

#define MODEL_MAX_RANK 1024u /* of an adapter; those in use have 4 to 256 */

typedef struct {
  const uint8_t *of; /* data of the checkpoint's tensor, which tells it from all others */
  ModelTensor base;  /* data NULL: none. Rows past its last are left as they are */
  ModelTensor a, b;  /* [rank, columns], [rows, rank]; data NULL: none */
  float scale;       /* the weight is w + scale * b a */
} ModelMerged;

struct ModelMerge {
  ModelMerged *items;
  uint32_t n, capacity;
  char base[128], lora[160]; /* for the card: names, ranks; never folders */
};

void model_merge_free(ModelMerge *merge);
/* What is to be added to TENSOR; NULL: nothing. MERGE may be NULL. */
const ModelMerged *model_merge_find(const ModelMerge *merge, const ModelTensor *tensor);
/* The same for changing, made when there is none yet; NULL without memory. */
ModelMerged *model_merge_get(ModelCheckpoint *checkpoint, const ModelTensor *tensor,
                             ModelError *err);

/* Whether the checkpoint's norms are those of a model (about 1) or of a difference of two (about
 * 0): a delta needs WITH_BASE, a model must not have it. */
bool model_delta_check(const ModelCheckpoint *checkpoint, bool with_base, ModelError *err);
/* The model in FOLDER that the checkpoint is the delta to. As in LLaVA-Med's apply_delta.py every
 * tensor of the decoder is added, and rows of the token tables past the base's are kept. */
bool model_delta_open(ModelCheckpoint *checkpoint, const char *folder, ModelError *err);

/* The PEFT adapter in FOLDER. Every tensor of it must belong to one of the checkpoint's and fit. */
bool model_lora_open(ModelCheckpoint *checkpoint, const char *folder, ModelError *err);
/* The tensors that FOLDER (of an adapter) keeps beside it under the names that they have in a
 * checkpoint, put into TABLE in place of those of the same name; none is no error. */
bool model_lora_overlay(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                        ModelError *err);

#endif
