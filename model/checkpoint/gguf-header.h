/* gguf-header.h - the keys of the GGUF files that we write, built in memory. Private to
 * model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_GGUF_HEADER_H
#define HILUM_MODEL_CHECKPOINT_GGUF_HEADER_H

#include "checkpoint/gguf-file.h"
#include "checkpoint/write.h"

/* Growing bytes. FAILED once memory was out; everything after that is dropped. */
typedef struct {
  uint8_t *data;
  size_t n, capacity;
  bool failed;
} ModelBytes;
void model_bytes_put(ModelBytes *bytes, const void *data, size_t n);
void model_bytes_u32(ModelBytes *bytes, uint32_t value);
void model_bytes_u64(ModelBytes *bytes, uint64_t value);
/* GGUF's string: eight bytes of length, then the text. */
void model_bytes_string(ModelBytes *bytes, const char *text, size_t length);

/* Appends every key of PARTS of CHECKPOINT; returns how many. FILE_TYPE is general.file_type. */
uint64_t model_gguf_put_keys(ModelBytes *bytes, const ModelCheckpoint *checkpoint,
                             ModelFileParts parts, uint32_t file_type, const char *card);

#endif
