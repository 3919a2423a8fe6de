#include "checkpoint/write.h"

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/gguf-header.h"
#include "checkpoint/roles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 32u
#define CHUNK_BYTES (1u << 20) /* of float32 that are in memory at a time; at least one row */

typedef struct {
  const ModelCheckpoint *checkpoint;
  ModelType type;
  ModelOutput output;
  ModelConvertProgress progress;
  void *user;
  uint64_t done, total; /* bytes of data */
  ModelError *err;
} Writer;

/* Every tensor that is there, in order. The role points into weights for the readers' sake; the
 * writer changes nothing. */
static bool
role_at(const Writer *w, uint32_t index, ModelRole *role)
{
  ModelWeights *weights = (ModelWeights *)&w->checkpoint->weights;

  /* What is optional comes last. */
  return model_role_at(&w->checkpoint->config, weights, index, role) &&
         (role->tensor->data || !role->optional);
}

static ModelType
type_of(const Writer *w, const ModelRole *role)
{
  const ModelWeights *weights = &w->checkpoint->weights;

  if (w->type == MODEL_TYPE_F32 || role->n_dims == 1 ||
      role->tensor == &weights->position_embedding)
    return MODEL_TYPE_F32;
  /* ggml's rows are the fastest dimension alone, which is the patch's side in the convolution. */
  if (role->n_dims > 2 || model_type_row_bytes(w->type, role->shape[1]) == 0)
    return MODEL_TYPE_F16;
  return w->type;
}

static uint64_t
padded(uint64_t n_bytes)
{
  return (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint64_t
bytes_of(const Writer *w, const ModelRole *role)
{
  return model_tensor_rows(role->tensor) *
         model_type_row_bytes(type_of(w, role), model_tensor_columns(role->tensor));
}

/* What a model built in memory might lack; a model that was read has all of it. */
static bool
check_role(const Writer *w, const ModelRole *role)
{
  const ModelTensor *tensor = role->tensor;
  bool fits = tensor->data && tensor->n_dims == role->n_dims && model_type_name(tensor->type);

  for (uint32_t i = 0; fits && i < role->n_dims; i++)
    fits = tensor->shape[i] == role->shape[i];
  fits = fits && model_type_row_bytes(tensor->type, model_tensor_columns(tensor));
  return fits || model_fail(w->err, MODEL_ERROR_ARGUMENT,
                            "tensor %s is missing or not of its configured shape", role->name);
}

static bool
build_header(Writer *w, const char *card, ModelBytes *header)
{
  uint32_t file_type = w->type == MODEL_TYPE_F32 ? 0 : w->type == MODEL_TYPE_F16 ? 1 : 7;
  uint64_t n_tensors = 0, n_keys;
  ModelBytes keys = {0}, infos = {0};
  ModelRole role;
  bool ok = true;

  n_keys = model_gguf_put_keys(&keys, w->checkpoint, file_type, card);
  for (uint32_t i = 0; ok && role_at(w, i, &role); i++, n_tensors++) {
    ok = check_role(w, &role);
    if (!ok)
      break;
    model_bytes_string(&infos, role.gguf, strlen(role.gguf));
    model_bytes_u32(&infos, role.n_dims);
    for (uint32_t d = role.n_dims; d-- > 0;)
      model_bytes_u64(&infos, role.shape[d]);
    model_bytes_u32(&infos, type_of(w, &role));
    model_bytes_u64(&infos, w->total);
    w->total += padded(bytes_of(w, &role));
  }
  model_bytes_put(header, "GGUF", 4);
  model_bytes_u32(header, 3);
  model_bytes_u64(header, n_tensors);
  model_bytes_u64(header, n_keys);
  model_bytes_put(header, keys.data, keys.n);
  model_bytes_put(header, infos.data, infos.n);
  while (header->n % ALIGNMENT && !header->failed)
    model_bytes_put(header, "", 1);
  if (ok && (keys.failed || infos.failed || header->failed))
    ok = model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", w->output.path);
  free(keys.data);
  free(infos.data);
  return ok;
}

/* llama.cpp rotates neighbouring pairs: row 2j + p of a head is Hugging Face's row p * d/2 + j. */
static uint64_t
source_row(const Writer *w, const ModelRole *role, uint64_t row)
{
  uint64_t d = w->checkpoint->config.decoder.head_dim, in_head = row % d;

  if (!role->rope_heads || w->checkpoint->config.decoder.rope_adjacent)
    return row;
  return row - in_head + in_head % 2 * (d / 2) + in_head / 2;
}

static bool
check_values(const Writer *w, const ModelRole *role, ModelType type, const float *values,
             uint64_t n)
{
  /* Q8_0 stores the largest value divided by 127 in 16 bits. */
  float most = type == MODEL_TYPE_F16 ? 65504.0f : 65504.0f * 127;

  if (type == MODEL_TYPE_F32)
    return true;
  for (uint64_t i = 0; i < n; i++)
    if (!(fabsf(values[i]) <= most))
      return model_fail(w->err, MODEL_ERROR_UNSUPPORTED,
                        "%s: tensor %s holds %g, which %s cannot hold; convert to f32",
                        w->output.path, role->name, (double)values[i], model_type_name(type));
  return true;
}

/* Rows [first, first + n) of the file into OUT. VALUES has room for them as float32. */
static bool
convert_rows(const Writer *w, const ModelRole *role, uint64_t first, uint64_t n, float *values,
             uint8_t *out)
{
  const ModelTensor *tensor = role->tensor;
  uint64_t columns = model_tensor_columns(tensor);
  ModelType type = type_of(w, role);
  uint64_t row_bytes = model_type_row_bytes(type, columns);

  for (uint64_t i = 0; i < n; i++) {
    uint64_t row = source_row(w, role, first + i);
    if (tensor->type == type) {
      memcpy(out + i * row_bytes, tensor->data + row * row_bytes, row_bytes);
      continue;
    }
    model_tensor_read_rows(tensor, row, 1, values);
    if (!check_values(w, role, type, values, columns))
      return false;
    model_type_write_row(type, values, columns, out + i * row_bytes);
  }
  return true;
}

static bool
report(Writer *w, uint64_t n_bytes)
{
  w->done += n_bytes;
  if (!w->progress || w->progress(w->done, w->total, w->user))
    return true;
  return model_fail(w->err, MODEL_ERROR_CANCELLED, "%s: cancelled after %llu of %llu bytes",
                    w->output.path, (unsigned long long)w->done, (unsigned long long)w->total);
}

static bool
write_tensor(Writer *w, const ModelRole *role)
{
  static const uint8_t zeros[ALIGNMENT];
  uint64_t rows = model_tensor_rows(role->tensor), columns = model_tensor_columns(role->tensor);
  uint64_t row_bytes = model_type_row_bytes(type_of(w, role), columns);
  uint64_t at_a_time = columns * 4 < CHUNK_BYTES ? CHUNK_BYTES / (columns * 4) : 1;
  uint64_t padding = padded(rows * row_bytes) - rows * row_bytes;
  float *values = malloc(columns * sizeof *values);
  uint8_t *out = malloc(at_a_time * row_bytes);
  bool ok = values && out;

  if (!ok)
    model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", w->output.path);
  for (uint64_t row = 0; ok && row < rows; row += at_a_time) {
    uint64_t n = rows - row < at_a_time ? rows - row : at_a_time;
    ok = convert_rows(w, role, row, n, values, out) &&
         model_output_write(&w->output, out, n * row_bytes, w->err) && report(w, n * row_bytes);
  }
  free(values);
  free(out);
  return ok && (!padding ||
                (model_output_write(&w->output, zeros, padding, w->err) && report(w, padding)));
}

static bool
write_all(Writer *w, const char *card)
{
  ModelBytes header = {0};
  ModelRole role;
  bool ok = build_header(w, card, &header) &&
            model_output_write(&w->output, header.data, header.n, w->err);

  free(header.data);
  for (uint32_t i = 0; ok && role_at(w, i, &role); i++)
    ok = write_tensor(w, &role);
  return ok && model_output_commit(&w->output, w->err);
}

static bool
parse_type(const char *text, ModelType *type, ModelError *err)
{
  static const struct {
    const char *name;
    ModelType type;
  } types[] = {{"f32", MODEL_TYPE_F32}, {"f16", MODEL_TYPE_F16}, {"q8_0", MODEL_TYPE_Q8_0}};

  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, text) == 0) {
      *type = types[i].type;
      return true;
    }
  return model_fail(err, MODEL_ERROR_ARGUMENT, "type \"%.40s\", expected f32, f16 or q8_0", text);
}

bool
model_gguf_write_with(const ModelCheckpoint *checkpoint, const char *type, const char *card,
                      const char *out, ModelConvertProgress progress, void *user,
                      const ModelFileOps *ops, ModelError *err)
{
  const ModelConfig *config = &checkpoint->config;
  Writer w = {.checkpoint = checkpoint, .progress = progress, .user = user, .err = err};
  bool ok;

  if (!parse_type(type, &w.type, err) || !model_config_check(config, out, err))
    return false;
  if (checkpoint->vocabulary.n_pieces > config->decoder.vocab)
    return model_fail(err, MODEL_ERROR_ARGUMENT, "%u pieces, but a vocabulary of %u",
                      checkpoint->vocabulary.n_pieces, config->decoder.vocab);
  ok = model_output_open(&w.output, out, ops, err) && write_all(&w, card ? card : checkpoint->card);
  model_output_close(&w.output);
  return ok;
}

bool
model_gguf_write(const ModelCheckpoint *checkpoint, const char *type, const char *card,
                 const char *out, ModelConvertProgress progress, void *user, ModelError *err)
{
  return model_gguf_write_with(checkpoint, type, card, out, progress, user, NULL, err);
}
