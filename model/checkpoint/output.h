/* output.h - a file that is there whole or not at all: written aside, synced, renamed.
 * Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_OUTPUT_H
#define HILUM_MODEL_CHECKPOINT_OUTPUT_H

#include "model.h"

#include <sys/types.h>

/* The system's calls, so that tests can let the n-th one fail. */
typedef struct {
  ssize_t (*write)(int fd, const void *data, size_t n);
  int (*fsync)(int fd);
  int (*rename)(const char *from, const char *to);
} ModelFileOps;
extern const ModelFileOps model_file_ops;

typedef struct {
  const ModelFileOps *ops;
  char *path, *part;
  int fd;
  uint64_t n_bytes; /* written so far */
} ModelOutput;

/* Creates PATH.part-PID-N beside PATH. */
bool model_output_open(ModelOutput *output, const char *path, const ModelFileOps *ops,
                       ModelError *err);
bool model_output_write(ModelOutput *output, const void *data, size_t n, ModelError *err);
/* Syncs and renames. On failure, and when not called at all, PATH is as it was. */
bool model_output_commit(ModelOutput *output, ModelError *err);
/* Removes what was not committed, and frees. Always call it. */
void model_output_close(ModelOutput *output);

#endif
