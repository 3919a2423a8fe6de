/* rows.h - the rows of a tensor as they go into a GGUF file: in its order, merged with what the
 * checkpoint is to be merged with, in the type that was planned. Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_ROWS_H
#define HILUM_MODEL_CHECKPOINT_ROWS_H

#include "checkpoint/merge.h"
#include "checkpoint/plan.h"

typedef struct {
  const ModelCheckpoint *checkpoint;
  const ModelPlanTensor *tensor;
  const ModelMerged *merged; /* NULL: nothing is added */
  float *a;                  /* of an adapter, [rank][columns] */
} ModelRows;

bool model_rows_init(ModelRows *rows, const ModelCheckpoint *checkpoint,
                     const ModelPlanTensor *tensor, ModelError *err);
/* All of them will be read: in one go from the disk. */
void model_rows_expect(const ModelRows *rows);
/* Gives the memory of the source back, too, which it would fill up in the end. */
void model_rows_clear(ModelRows *rows);

/* Floats of scratch that the calls below need beside a row of TENSOR. */
uint64_t model_rows_scratch(const ModelCheckpoint *checkpoint, const ModelPlanTensor *tensor);
/* Row ROW of the file as float32 into VALUES[columns]. Any number of threads. */
void model_rows_read(const ModelRows *rows, uint64_t row, float *values, float *scratch);
/* Units FIRST .. FIRST + N - 1 in the planned type into OUT. VALUES has room for a row. False when
 * a value does not fit into the type. */
bool model_rows_write(const ModelRows *rows, uint64_t first, uint64_t n, float *values,
                      float *scratch, uint8_t *out);
/* Says which value of these units model_rows_write() refused. PATH is for the message. */
bool model_rows_fail(const ModelRows *rows, uint64_t first, uint64_t n, float *values,
                     float *scratch, const char *path, ModelError *err);

#endif
