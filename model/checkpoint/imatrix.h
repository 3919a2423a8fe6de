/* imatrix.h - how much each column of a product counts: the mean square of what its input held
 * there on real prompts. Private to model/.
 *
 * The file is a GGUF of the layout that llama.cpp's tools read and write too: for the weights
 * called NAME a tensor NAME.in_sum2 [1, columns] of sums of squares and a tensor NAME.counts [1, 1]
 * with how many rows they are of, both F32; general.type "imatrix", imatrix.datasets,
 * imatrix.chunk_count (prompts), imatrix.chunk_size (rows of one, on average); and of our own
 * general.name and hilum.imatrix.model, the identity of the model that was run. Which prompts it
 * were is not kept. */
#ifndef HILUM_MODEL_CHECKPOINT_IMATRIX_H
#define HILUM_MODEL_CHECKPOINT_IMATRIX_H

#include "checkpoint/output.h"

typedef struct {
  char name[128]; /* of the weights, as llama.cpp calls them */
  uint64_t columns;
  double n_rows;      /* that were seen */
  double *sums;       /* [columns], of squares; NULL in one that was read */
  float *means;       /* [columns]; NULL in one that is being gathered */
  const void *tensor; /* whose inputs are gathered */
} ModelImatrixEntry;

struct ModelImatrix {
  ModelImatrixEntry *entries;
  uint32_t n, capacity;
  uint32_t n_prompts;
  char model_name[128], identity[65];
};

/* An entry with sums of 0. */
ModelImatrixEntry *model_imatrix_add(ModelImatrix *imatrix, const char *name, uint64_t columns,
                                     ModelError *err);
/* Importance of the columns of the weights called NAME; NULL when none is known, or for another
 * number of columns. Of one that was read. Any number of threads. */
const float *model_imatrix_lookup(const ModelImatrix *imatrix, const char *name, uint64_t columns);
/* model_imatrix_write() through other system calls (NULL: the system's). */
bool model_imatrix_write_with(const ModelImatrix *imatrix, const char *path,
                              const ModelFileOps *ops, ModelError *err);

#endif
