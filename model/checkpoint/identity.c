/* The identity of a model, whole or at a glance: see write.h. Numbers are hashed as little-endian
 * bytes, floats as their bits, so that it is the same on every machine. */
#include "checkpoint/write.h"

#include "base/error.h"
#include "checkpoint/mapping.h"

#include <string.h>
#include <sys/stat.h>

static void
hash_u64(ModelSha256 *sha, uint64_t value)
{
  uint8_t bytes[8];

  for (int i = 0; i < 8; i++)
    bytes[i] = (uint8_t)(value >> 8 * i);
  model_sha256_update(sha, bytes, 8);
}

static void
hash_float(ModelSha256 *sha, float value)
{
  uint32_t bits;

  memcpy(&bits, &value, 4);
  hash_u64(sha, bits);
}

static void
hash_text(ModelSha256 *sha, const char *text, size_t length)
{
  hash_u64(sha, length);
  model_sha256_update(sha, text, length);
}

/* What changes an answer. Names, the template (an option) and the context do not belong to it. */
static void
hash_config(ModelSha256 *sha, const ModelConfig *config)
{
  const ModelDecoderConfig *d = &config->decoder;
  const ModelVisionConfig *v = &config->vision;
  const uint64_t numbers[] = {
      d->hidden,
      d->layers,
      d->heads,
      d->kv_heads,
      d->head_dim,
      d->ffn,
      d->vocab,
      d->rope_adjacent,
      config->has_vision,
      config->projector,
      config->aspect,
      config->image_start_end,
      (uint32_t)config->bos,
      (uint32_t)config->eos,
      (uint32_t)config->pad,
  };
  const uint64_t picture[] = {v->image_size, v->patch_size, v->hidden,  v->heads,
                              v->ffn,        v->blocks_run, v->gelu_erf};

  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    hash_u64(sha, numbers[i]);
  hash_float(sha, d->theta);
  hash_float(sha, d->eps);
  if (!config->has_vision)
    return;
  for (size_t i = 0; i < sizeof picture / sizeof *picture; i++)
    hash_u64(sha, picture[i]);
  hash_float(sha, v->eps);
  for (int i = 0; i < 3; i++) {
    hash_float(sha, v->mean[i]);
    hash_float(sha, v->std[i]);
  }
}

static void
hash_vocabulary(ModelSha256 *sha, const ModelVocabulary *v)
{
  hash_u64(sha, v->n_pieces);
  for (uint32_t i = 0; i < v->n_pieces; i++) {
    hash_text(sha, v->pieces[i].text, v->pieces[i].length);
    hash_float(sha, v->pieces[i].score);
    hash_u64(sha, v->pieces[i].kind);
  }
  hash_u64(sha, v->n_added);
  for (uint32_t i = 0; i < v->n_added; i++) {
    hash_text(sha, v->added[i].text, strlen(v->added[i].text));
    hash_u64(sha, (uint32_t)v->added[i].id);
  }
  hash_u64(sha, v->add_dummy_prefix);
  hash_u64(sha, v->remove_extra_whitespaces);
}

void
model_identity_begin(ModelSha256 *sha, const ModelConfig *config, const ModelVocabulary *vocabulary)
{
  model_sha256_init(sha);
  hash_config(sha, config);
  hash_vocabulary(sha, vocabulary);
}

void
model_identity_tensor(ModelSha256 *sha, const char *name, ModelType type, uint32_t n_dims,
                      const uint64_t *shape)
{
  hash_text(sha, name, strlen(name));
  hash_u64(sha, type);
  hash_u64(sha, n_dims);
  for (uint32_t d = 0; d < n_dims; d++)
    hash_u64(sha, shape[d]);
}

/* Piece by piece, and the file's pages are given back behind it: a model whose weights were packed
 * is not to be in memory a second time. */
static bool
hash_tensor(ModelSha256 *sha, const ModelCheckpoint *checkpoint, const ModelTensor *tensor,
            uint64_t n_bytes, ModelError *err)
{
  const uint64_t most = 16u << 20;

  for (uint64_t at = 0; at < n_bytes; at += most) {
    ModelTensor piece = *tensor;
    if (!model_checkpoint_go_on(checkpoint, err))
      return false;
    piece.data = tensor->data + at;
    piece.n_bytes = n_bytes - at < most ? n_bytes - at : most;
    model_sha256_update(sha, piece.data, piece.n_bytes);
    model_checkpoint_drop(checkpoint, &piece);
  }
  return true;
}

bool
model_checkpoint_sha256(const ModelCheckpoint *checkpoint, char hex[65], ModelError *err)
{
  const ModelTensor *tensor;
  ModelSha256 sha;
  char name[256];

  model_identity_begin(&sha, &checkpoint->config, &checkpoint->vocabulary);
  for (uint32_t i = 0; (tensor = model_checkpoint_tensor(checkpoint, i, name)); i++) {
    uint64_t n_bytes =
        model_type_bytes(tensor->type, model_tensor_rows(tensor), model_tensor_columns(tensor));
    if (!tensor->data || !n_bytes)
      return model_fail(err, MODEL_ERROR_ARGUMENT, "tensor %s is missing", name);
    model_identity_tensor(&sha, name, tensor->type, tensor->n_dims, tensor->shape);
    if (!hash_tensor(&sha, checkpoint, tensor, n_bytes, err))
      return false;
  }
  model_sha256_finish(&sha, hex);
  return true;
}

/* ---- at a glance -------------------------------------------------------------------------- */

/* A file that was written anew has another time of change, whatever its contents; a copy of it
 * counts as another. */
static void
hash_file(ModelSha256 *sha, const ModelMapping *mapping)
{
  struct stat st;

  hash_u64(sha, mapping->size);
  if (stat(mapping->path, &st) == 0) {
    hash_u64(sha, (uint64_t)st.st_dev);
    hash_u64(sha, (uint64_t)st.st_ino);
    hash_u64(sha, (uint64_t)st.st_mtim.tv_sec);
    hash_u64(sha, (uint64_t)st.st_mtim.tv_nsec);
    hash_u64(sha, (uint64_t)st.st_ctim.tv_sec);
    hash_u64(sha, (uint64_t)st.st_ctim.tv_nsec);
  }
}

/* The whole of a small tensor, both ends and the middle of a large one. */
static void
hash_sample(ModelSha256 *sha, const ModelTensor *tensor)
{
  const uint64_t n = tensor->n_bytes, part = 256;

  if (!tensor->data) {
    return;
  }
  if (n <= 16 * part) {
    model_sha256_update(sha, tensor->data, n);
    return;
  }
  model_sha256_update(sha, tensor->data, part);
  model_sha256_update(sha, tensor->data + n / 2, part);
  model_sha256_update(sha, tensor->data + n - part, part);
}

void
model_checkpoint_glance(const ModelCheckpoint *checkpoint, bool pictures, char hex[65])
{
  static const char tower[] = "model.vision_tower.", projector[] = "model.mm_projector.";
  const ModelTensor *tensor;
  ModelSha256 sha;
  char name[256];

  model_sha256_init(&sha);
  hash_config(&sha, &checkpoint->config);
  for (uint32_t i = 0; i < checkpoint->n_mappings; i++) {
    hash_file(&sha, checkpoint->mappings[i]);
  }
  for (uint32_t i = 0; (tensor = model_checkpoint_tensor(checkpoint, i, name)); i++) {
    const bool sees = strncmp(name, tower, strlen(tower)) == 0 ||
                      strncmp(name, projector, strlen(projector)) == 0;
    if (sees == pictures) {
      hash_text(&sha, name, strlen(name));
      hash_u64(&sha, tensor->type);
      for (uint32_t d = 0; d < tensor->n_dims; d++) {
        hash_u64(&sha, tensor->shape[d]);
      }
      hash_sample(&sha, tensor);
    }
  }
  model_sha256_finish(&sha, hex);
}
