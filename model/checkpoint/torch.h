/* torch.h - the archive inside a file of torch.save(). Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_TORCH_H
#define HILUM_MODEL_CHECKPOINT_TORCH_H

#include "checkpoint/mapping.h"

typedef struct {
  const char *name; /* not NUL-terminated */
  size_t length;
  const uint8_t *data;
  uint64_t size;
} ModelZipEntry;

/* A zip archive whose entries are stored as they are: PyTorch compresses nothing, so that tensors
 * can be mapped. Sorted by name. */
typedef struct {
  ModelZipEntry *entries;
  uint32_t n;
} ModelZip;

bool model_zip_open(const ModelMapping *mapping, ModelZip *zip, ModelError *err);
void model_zip_clear(ModelZip *zip);
/* The entry that is called FIRST and then SECOND; NULL when there is none. */
const ModelZipEntry *model_zip_find(const ModelZip *zip, const char *first, size_t n_first,
                                    const char *second, size_t n_second);

#endif
