#include "checkpoint/imatrix.h"

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/gguf-header.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 32u
#define SUMS ".in_sum2"
#define COUNTS ".counts"

void
model_imatrix_free(ModelImatrix *imatrix)
{
  for (uint32_t i = 0; imatrix && i < imatrix->n; i++) {
    free(imatrix->entries[i].sums);
    free(imatrix->entries[i].means);
  }
  free(imatrix ? imatrix->entries : NULL);
  free(imatrix);
}

static ModelImatrixEntry *
add(ModelImatrix *imatrix, const char *name, size_t length, uint64_t columns, ModelError *err)
{
  ModelImatrixEntry *entry;

  if (length >= sizeof entry->name) {
    model_fail(err, MODEL_ERROR_UNSUPPORTED, "a tensor's name has %zu bytes, at most %zu are read",
               length, sizeof entry->name - 1);
    return NULL;
  }
  if (imatrix->n == imatrix->capacity) {
    uint32_t capacity = 2 * imatrix->capacity + 64;
    ModelImatrixEntry *grown = realloc(imatrix->entries, capacity * sizeof *grown);
    if (!grown) {
      model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for an importance matrix");
      return NULL;
    }
    imatrix->entries = grown;
    imatrix->capacity = capacity;
  }
  entry = &imatrix->entries[imatrix->n++];
  *entry = (ModelImatrixEntry){.columns = columns};
  memcpy(entry->name, name, length);
  return entry;
}

ModelImatrixEntry *
model_imatrix_add(ModelImatrix *imatrix, const char *name, uint64_t columns, ModelError *err)
{
  ModelImatrixEntry *entry = add(imatrix, name, strlen(name), columns, err);

  if (entry) {
    entry->sums = calloc(columns, sizeof *entry->sums);
    if (!entry->sums) {
      model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for an importance matrix");
      return NULL;
    }
  }
  return entry;
}

const float *
model_imatrix_lookup(const ModelImatrix *imatrix, const char *name, uint64_t columns)
{
  for (uint32_t i = 0; i < imatrix->n; i++)
    if (strcmp(imatrix->entries[i].name, name) == 0)
      return imatrix->entries[i].columns == columns ? imatrix->entries[i].means : NULL;
  return NULL;
}

uint32_t
model_imatrix_tensors(const ModelImatrix *imatrix)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < imatrix->n; i++)
    n += imatrix->entries[i].n_rows > 0;
  return n;
}

uint64_t
model_imatrix_rows(const ModelImatrix *imatrix)
{
  double most = 0;

  for (uint32_t i = 0; i < imatrix->n; i++)
    most = fmax(most, imatrix->entries[i].n_rows);
  return (uint64_t)most;
}

void
model_imatrix_count_prompt(ModelImatrix *imatrix)
{
  imatrix->n_prompts++;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The float of SUMS's row, a value at a time: the data need not be aligned. */
static float
value_at(const ModelTensor *tensor, uint64_t index)
{
  float value;

  memcpy(&value, tensor->data + 4 * index, 4);
  return value;
}

static bool
is_counted(const ModelTensor *counts)
{
  return counts->type == MODEL_TYPE_F32 && counts->n_bytes == 4;
}

static bool
read_entry(ModelImatrix *imatrix, const ModelGguf *gguf, const ModelTensor *sums, size_t length,
           ModelError *err)
{
  uint64_t columns = model_tensor_columns(sums);
  const ModelTableEntry *counts;
  ModelImatrixEntry *entry;
  char name[MODEL_MAX_NAME + sizeof COUNTS];

  snprintf(name, sizeof name, "%.*s" COUNTS, (int)length, sums->name);
  counts = model_table_find(&gguf->table, name);
  if (!counts || !is_counted(&counts->tensor) || sums->type != MODEL_TYPE_F32 ||
      model_tensor_rows(sums) != 1 || columns > MODEL_MAX_HIDDEN)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s: expected one row of F32, at most %u, and one F32 in %s",
                      gguf->mapping->path, sums->name, MODEL_MAX_HIDDEN, name);
  entry = add(imatrix, sums->name, length, columns, err);
  if (!entry)
    return false;
  entry->n_rows = (double)value_at(&counts->tensor, 0);
  entry->means = malloc(columns * sizeof *entry->means);
  if (!entry->means)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", gguf->mapping->path);
  for (uint64_t i = 0; i < columns; i++) {
    entry->means[i] = (float)((double)value_at(sums, i) / entry->n_rows);
    if (!(entry->n_rows >= 1) || !isfinite(entry->n_rows) || !(entry->means[i] >= 0) ||
        !isfinite(entry->means[i]))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: a sum of squares of %g over %g rows", gguf->mapping->path,
                        sums->name, (double)value_at(sums, i), entry->n_rows);
  }
  return true;
}

static bool
read_all(ModelImatrix *imatrix, const ModelGguf *gguf, ModelError *err)
{
  const size_t ending = strlen(SUMS);

  if (!model_gguf_string_is(gguf, "general.type", "imatrix"))
    return model_fail(err, MODEL_ERROR_FORMAT,
                      "%s: a GGUF file, but no importance matrix (general.type \"imatrix\")",
                      gguf->mapping->path);
  if (!model_gguf_u32(gguf, "imatrix.chunk_count", &imatrix->n_prompts, err))
    return false;
  for (uint32_t i = 0; i < gguf->table.n; i++) {
    const ModelTensor *tensor = &gguf->table.entries[i].tensor;
    size_t length = strlen(tensor->name);
    if (length > ending && strcmp(tensor->name + length - ending, SUMS) == 0 &&
        !read_entry(imatrix, gguf, tensor, length - ending, err))
      return false;
  }
  return imatrix->n > 0 ||
         model_fail(err, MODEL_ERROR_CORRUPT, "%s: no tensor ends in " SUMS, gguf->mapping->path);
}

ModelImatrix *
model_imatrix_open(const char *path, ModelError *err)
{
  ModelImatrix *imatrix = calloc(1, sizeof *imatrix);
  ModelMapping *mapping = NULL;
  ModelGguf gguf = {0};
  bool ok = imatrix || model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);

  ok = ok && model_mapping_open(path, &mapping, err) && model_gguf_parse(mapping, &gguf, err) &&
       read_all(imatrix, &gguf, err);
  model_gguf_clear(&gguf);
  model_mapping_free(mapping);
  if (ok)
    return imatrix;
  model_imatrix_free(imatrix);
  return NULL;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void
put_text(ModelBytes *bytes, const char *key, const char *text)
{
  model_bytes_string(bytes, key, strlen(key));
  model_bytes_u32(bytes, MODEL_GGUF_STRING);
  model_bytes_string(bytes, text, strlen(text));
}

static void
put_number(ModelBytes *bytes, const char *key, uint32_t number)
{
  model_bytes_string(bytes, key, strlen(key));
  model_bytes_u32(bytes, MODEL_GGUF_U32);
  model_bytes_u32(bytes, number);
}

static void
put_keys(ModelBytes *bytes, const ModelImatrix *imatrix)
{
  const uint64_t per_prompt =
      imatrix->n_prompts ? model_imatrix_rows(imatrix) / imatrix->n_prompts : 0;

  put_text(bytes, "general.type", "imatrix");
  put_text(bytes, "general.name", imatrix->model_name);
  put_text(bytes, "hilum.imatrix.model", imatrix->identity);
  model_bytes_string(bytes, "imatrix.datasets", strlen("imatrix.datasets"));
  model_bytes_u32(bytes, MODEL_GGUF_ARRAY);
  model_bytes_u32(bytes, MODEL_GGUF_STRING);
  model_bytes_u64(bytes, 1);
  model_bytes_string(bytes, "prompts", strlen("prompts"));
  put_number(bytes, "imatrix.chunk_count", imatrix->n_prompts);
  put_number(bytes, "imatrix.chunk_size", (uint32_t)per_prompt);
}
#define N_KEYS 6

static void
put_info(ModelBytes *bytes, const ModelImatrixEntry *entry, const char *ending, uint64_t columns,
         uint64_t *offset)
{
  char name[sizeof entry->name + sizeof SUMS];

  snprintf(name, sizeof name, "%s%s", entry->name, ending);
  model_bytes_string(bytes, name, strlen(name));
  model_bytes_u32(bytes, 2);
  model_bytes_u64(bytes, columns);
  model_bytes_u64(bytes, 1);
  model_bytes_u32(bytes, MODEL_TYPE_F32);
  model_bytes_u64(bytes, *offset);
  *offset += (4 * columns + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void
put_aligned(ModelBytes *bytes)
{
  while (bytes->n % ALIGNMENT && !bytes->failed)
    model_bytes_put(bytes, "", 1);
}

static bool
put_data(ModelBytes *bytes, const ModelImatrixEntry *entry, const char *path, ModelError *err)
{
  float value = (float)entry->n_rows;

  for (uint64_t i = 0; i < entry->columns; i++) {
    float sum = (float)(entry->sums ? entry->sums[i] : (double)entry->means[i] * entry->n_rows);
    if (!isfinite(sum))
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: the inputs of %s are not finite, or too large to be squared", path,
                        entry->name);
    model_bytes_put(bytes, &sum, sizeof sum);
  }
  put_aligned(bytes);
  model_bytes_put(bytes, &value, sizeof value);
  put_aligned(bytes);
  return true;
}

/* A few megabytes at most, put together in memory. Weights that no prompt reached have no entry. */
static bool
build(const ModelImatrix *imatrix, ModelBytes *bytes, const char *path, ModelError *err)
{
  uint64_t offset = 0;
  bool ok = true;

  model_bytes_put(bytes, "GGUF", 4);
  model_bytes_u32(bytes, 3);
  model_bytes_u64(bytes, 2 * (uint64_t)model_imatrix_tensors(imatrix));
  model_bytes_u64(bytes, N_KEYS);
  put_keys(bytes, imatrix);
  for (uint32_t i = 0; i < imatrix->n; i++)
    if (imatrix->entries[i].n_rows > 0) {
      put_info(bytes, &imatrix->entries[i], SUMS, imatrix->entries[i].columns, &offset);
      put_info(bytes, &imatrix->entries[i], COUNTS, 1, &offset);
    }
  put_aligned(bytes);
  for (uint32_t i = 0; ok && i < imatrix->n; i++)
    ok = imatrix->entries[i].n_rows <= 0 || put_data(bytes, &imatrix->entries[i], path, err);
  if (ok && bytes->failed)
    ok = model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
  return ok;
}

bool
model_imatrix_write_with(const ModelImatrix *imatrix, const char *path, const ModelFileOps *ops,
                         ModelError *err)
{
  ModelBytes bytes = {0};
  ModelOutput output;
  bool ok;

  model_output_none(&output);
  ok = (model_imatrix_tensors(imatrix) > 0 ||
        model_fail(err, MODEL_ERROR_ARGUMENT, "%s: nothing was gathered", path)) &&
       build(imatrix, &bytes, path, err) && model_output_open(&output, path, ops, err) &&
       model_output_write(&output, bytes.data, bytes.n, err) && model_output_commit(&output, err);
  model_output_close(&output);
  free(bytes.data);
  return ok;
}

bool
model_imatrix_write(const ModelImatrix *imatrix, const char *path, ModelError *err)
{
  return model_imatrix_write_with(imatrix, path, NULL, err);
}
