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
  /* Bytes that a file of mine may still take beside PATH; UINT64_MAX when nobody knows. */
  uint64_t (*room)(const char *path);
} ModelFileOps;
extern const ModelFileOps model_file_ops;

typedef struct {
  const ModelFileOps *ops;
  char *path, *part;
  int fd;
  uint64_t n_bytes; /* written so far */
  bool synced;
} ModelOutput;

/* An output that was not opened; it may be closed. */
void model_output_none(ModelOutput *output);
/* Creates PATH.part-PID-N beside PATH. */
bool model_output_open(ModelOutput *output, const char *path, const ModelFileOps *ops,
                       ModelError *err);
bool model_output_write(ModelOutput *output, const void *data, size_t n, ModelError *err);
/* Whether N more bytes have room on the disk; what is missing is said if not. */
bool model_output_room(const ModelOutput *output, uint64_t n, ModelError *err);
/* Puts what was written onto the disk; committing does so too. */
bool model_output_sync(ModelOutput *output, ModelError *err);
/* Syncs and renames. On failure, and when not called at all, PATH is as it was. */
bool model_output_commit(ModelOutput *output, ModelError *err);
/* Removes what was not committed, and frees. Always call it. */
void model_output_close(ModelOutput *output);

#endif
