/* plan.h - what goes into a GGUF file that we write: its tensors in order, their types and places.
 * Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_PLAN_H
#define HILUM_MODEL_CHECKPOINT_PLAN_H

#include "checkpoint/mix.h"
#include "checkpoint/roles.h"
#include "checkpoint/write.h"

#define MODEL_GGUF_ALIGNMENT 32u
/* With packed tensors: their pages hold nothing else. */
#define MODEL_GGUF_PACKED_ALIGNMENT 4096u

typedef struct {
  ModelRole role; /* role.tensor: the source, in the checkpoint */
  ModelType type; /* in the file */
  uint64_t rows, columns;
  const float *importance; /* of its columns, or NULL */
  /* What is written as a whole: a row, or a group of packed ones. */
  uint64_t unit_rows, unit_bytes, n_units;
  uint64_t n_bytes, padding; /* padding: up to where the next tensor may start */
  uint64_t offset;           /* in the file's data */
} ModelPlanTensor;

typedef struct {
  ModelPlanTensor *tensors;
  uint32_t n;
  uint64_t n_bytes; /* of all data, padding included */
  uint32_t alignment;
  ModelMix mix, tower_mix;
} ModelPlan;

/* Refuses types that there are not, and tensors that are missing or of another shape than the
 * configuration says (which a model that was read has none of). */
bool model_plan_init(ModelPlan *plan, const ModelCheckpoint *checkpoint,
                     const ModelWriteOptions *options, ModelError *err);
void model_plan_clear(ModelPlan *plan);

#endif
