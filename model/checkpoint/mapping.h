/* mapping.h - files as read-only memory. Private to model/checkpoint.
 *
 * A mapping is of the size that the file had when it was opened. A file that another process cuts
 * short afterwards cannot be read safely by anybody; small files (configurations, vocabularies)
 * are therefore copied, only weights are mapped, and a guard (model.h) is told of them. */
#ifndef HILUM_MODEL_CHECKPOINT_MAPPING_H
#define HILUM_MODEL_CHECKPOINT_MAPPING_H

#include "checkpoint/checkpoint.h"

struct ModelMapping {
  char *path;
  const uint8_t *data;
  uint64_t size;
  char *names;             /* the tensor names found in this file, one after the other, or NULL */
  const ModelGuard *guard; /* that was told of it, or NULL */
};

/* Only regular files that are not empty. */
bool model_mapping_open(const char *path, ModelMapping **mapping, ModelError *err);
void model_mapping_free(ModelMapping *mapping);
/* Gives the memory of N bytes at DATA back; they are read from the file again when they are needed.
 */
void model_mapping_drop(const ModelMapping *mapping, const uint8_t *data, uint64_t n);
/* TENSOR will be read as a whole, or was, when it lies in one of the checkpoint's files. */
void model_checkpoint_expect(const ModelCheckpoint *checkpoint, const ModelTensor *tensor);
void model_checkpoint_drop(const ModelCheckpoint *checkpoint, const ModelTensor *tensor);

/* Opens PATH and appends it to the checkpoint's mappings, which own it. */
ModelMapping *model_checkpoint_map(ModelCheckpoint *checkpoint, const char *path, ModelError *err);

/* The whole of a small file, with a NUL behind it. Caller frees *data. *n excludes the NUL. */
bool model_file_read(const char *path, uint64_t max_bytes, char **data, size_t *n, ModelError *err);
/* FOLDER/NAME, or NULL when memory is out. Caller frees. */
char *model_path_join(const char *folder, const char *name);
/* The last part of PATH as printable text, cut to N bytes with the NUL. */
void model_path_base(const char *path, char *out, size_t n);
bool model_path_is_folder(const char *path);
bool model_path_exists(const char *path);

#endif
