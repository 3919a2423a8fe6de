/* write.h - writing a model as GGUF, and its identity. Private to model/. */
#ifndef HILUM_MODEL_CHECKPOINT_WRITE_H
#define HILUM_MODEL_CHECKPOINT_WRITE_H

#include "base/sha256.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/output.h"
#include "kernels/kernels.h"

/* Our single file, or one of the pair that llama.cpp reads: the decoder, or the tower with the
 * projector ("mmproj", without the blocks that are never run). */
typedef enum { MODEL_FILE_WHOLE, MODEL_FILE_DECODER, MODEL_FILE_PICTURE } ModelFileParts;

typedef struct {
  const char *type;       /* of model_mix_name(): "f16", "q4_k_m", ... */
  const char *tower_type; /* the same for tower and projector, "f32", "f16", "bf16" or "q8_0"; NULL:
                             as TYPE says */
  const char *card;       /* NULL: the checkpoint's own */
  const ModelImatrix *imatrix; /* NULL: all columns count alike */
  ModelFileParts parts;
  bool packed; /* what products read in the layouts of kernels/packed.h; not in a pair */
  ModelVerify verify;
  ModelPool *pool; /* NULL: the calling thread works alone; the file is the same */
  ModelConvertProgress progress;
  void *user;
  const ModelFileOps *ops; /* NULL: the system's calls */
  ModelSha256 *identity;   /* NULL; or one that the two files of a pair, the decoder first, share */
} ModelWriteOptions;

/* Writes CHECKPOINT (read from files, or built in memory) as one GGUF v3: llama.* keys and tensors
 * as llama.cpp expects them (q and k rows permuted to adjacent pairs), clip.* keys and v.*, mm.*
 * tensors, and hilum.* keys for what has no standard key. Tensors get the types that
 * model_mix_type() says. What the checkpoint is to be merged with (checkpoint->merge) is. Values
 * that a type cannot hold are refused.
 * Written aside (OUT.part-PID), read again there and held against the source, synced, renamed; on
 * any error OUT is untouched and nothing is left. Memory is bounded by the vocabulary and a few
 * pieces of a tensor; pages of the source are given back once they are written.
 * REPORT may be NULL. */
bool model_gguf_write_file(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                           const char *out, ModelConvertReport *report, ModelError *err);

/* The same without giving the file its name: OUTPUT is to be committed then, and closed always. */
bool model_gguf_write_aside(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                            const char *out, ModelOutput *output, ModelConvertReport *report,
                            ModelError *err);
/* Bytes of data that such a file would have. */
bool model_gguf_plan_bytes(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                           uint64_t *n_bytes, ModelError *err);

/* The whole of CHECKPOINT as TYPE, without reading it again. CARD and PROGRESS may be NULL. */
bool model_gguf_write(const ModelCheckpoint *checkpoint, const char *type, const char *card,
                      const char *out, ModelConvertProgress progress, void *user, ModelError *err);

/* The identity: SHA-256 over the configuration, the vocabulary, and the name, type, shape and bytes
 * of every tensor in the order of model_checkpoint_tensor(). The same model in other shards or file
 * names has the same identity; another type or row order has another. */
bool model_checkpoint_sha256(const ModelCheckpoint *checkpoint, char hex[65], ModelError *err);
/* The same in steps: the configuration and the vocabulary; then for each tensor what it is, and its
 * bytes by model_sha256_update(). */
void model_identity_begin(ModelSha256 *sha, const ModelConfig *config,
                          const ModelVocabulary *vocabulary);
void model_identity_tensor(ModelSha256 *sha, const char *name, ModelType type, uint32_t n_dims,
                           const uint64_t *shape);

/* What tells one model from another without reading it: the SHA-256 of the configuration, of the
 * size, place and times of the files, and of the names, types, shapes and some bytes of the tensors
 * - those of tower and projector (PICTURES), or the others. Two models that differ in a byte have
 * been written at different times or places, whatever the bytes that are looked at; the same model
 * copied counts as another. So it is safe to keep computed things by, and worth nothing on another
 * machine. */
void model_checkpoint_glance(const ModelCheckpoint *checkpoint, bool pictures, char hex[65]);

#endif
