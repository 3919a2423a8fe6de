/* write.h - writing a model as our single GGUF, and its identity. Private to model/. */
#ifndef HILUM_MODEL_CHECKPOINT_WRITE_H
#define HILUM_MODEL_CHECKPOINT_WRITE_H

#include "checkpoint/checkpoint.h"
#include "checkpoint/output.h"

/* Writes CHECKPOINT (read from files, or built in memory) as one GGUF v3: llama.* keys and tensors
 * as llama.cpp expects them (q and k rows permuted to adjacent pairs), clip.* keys and v.*, mm.*
 * tensors, and hilum.* keys for what has no standard key. TYPE "f32", "f16" or "q8_0"; vectors and
 * the tower's embeddings stay f32, rows that do not divide by the block stay f16. CARD may be NULL:
 * the checkpoint's own. Values that the type cannot hold are refused.
 * Written aside (OUT.part-PID), synced, renamed; on any error OUT is untouched and nothing is left.
 * Memory is bounded by the vocabulary and one piece of a tensor. */
bool model_gguf_write(const ModelCheckpoint *checkpoint, const char *type, const char *card,
                      const char *out, ModelConvertProgress progress, void *user, ModelError *err);

/* The same through other system calls (NULL: the system's). */
bool model_gguf_write_with(const ModelCheckpoint *checkpoint, const char *type, const char *card,
                           const char *out, ModelConvertProgress progress, void *user,
                           const ModelFileOps *ops, ModelError *err);

/* The identity: SHA-256 over the configuration, the vocabulary, and the name, type, shape and bytes
 * of every tensor in the order of model_checkpoint_tensor(). The same model in other shards or file
 * names has the same identity; another type or row order has another. */
bool model_checkpoint_sha256(const ModelCheckpoint *checkpoint, char hex[65], ModelError *err);

/* What tells one model from another without reading it: the SHA-256 of the configuration, of the
 * size, place and times of the files, and of the names, types, shapes and some bytes of the tensors
 * - those of tower and projector (PICTURES), or the others. Two models that differ in a byte have
 * been written at different times or places, whatever the bytes that are looked at; the same model
 * copied counts as another. So it is safe to keep computed things by, and worth nothing on another
 * machine. */
void model_checkpoint_glance(const ModelCheckpoint *checkpoint, bool pictures, char hex[65]);

#endif
