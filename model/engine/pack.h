/* pack.h - the matrices of a large model into the layouts of kernels/packed.h. Private to
 * model/engine. */
#ifndef HILUM_MODEL_ENGINE_PACK_H
#define HILUM_MODEL_ENGINE_PACK_H

#include "kernels/kernels.h"

typedef struct {
  const ModelCheckpoint *checkpoint;
  ModelTensor **matrices; /* borrowed array; the decoder's first */
  size_t n, n_decoder;
} ModelPacking;

void model_packing_add(ModelPacking *packing, ModelTensor *matrix);

/* Bytes that packing takes, whole huge pages, and those of the matrices that stay where they are.
 */
bool model_packing_plan(const ModelPacking *packing, size_t *packed_bytes, uint64_t *in_place_bytes,
                        ModelError *err);
/* Packs what is quantised, and makes the picture's float matrices 8-bit ones where a matrix of the
 * decoder is quantised; the tensors are of packed types then and lie in *MEMORY (NULL when there
 * was nothing to do). Pages of the file that were read are given back. Works on all threads of
 * POOL; the result does not depend on their number. */
bool model_packing_run(ModelPacking *packing, ModelPool *pool, uint8_t **memory, size_t *n_bytes,
                       ModelError *err);
void model_packing_free(uint8_t *memory, size_t n_bytes);

#endif
