/* gguf-header.h - the keys of the GGUF files that we write, built in memory. Private to
 * model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_GGUF_HEADER_H
#define HILUM_MODEL_CHECKPOINT_GGUF_HEADER_H

#include "checkpoint/gguf-file.h"
#include "checkpoint/plan.h"
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

/* Everything before the data of a file that PLAN describes. False when memory is out; the caller
 * frees header->data. */
bool model_gguf_header(ModelBytes *header, const ModelCheckpoint *checkpoint, const ModelPlan *plan,
                       ModelFileParts parts, const char *card);

#endif
