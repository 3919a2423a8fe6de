#include "checkpoint/rows.h"

#include "base/error.h"
#include "base/half.h"
#include "checkpoint/quantize.h"
#include "kernels/packed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
model_rows_init(ModelRows *rows, const ModelCheckpoint *checkpoint, const ModelPlanTensor *tensor,
                ModelError *err)
{
  const ModelMerged *merged = model_merge_find(checkpoint->merge, tensor->role.tensor);

  *rows = (ModelRows){checkpoint, tensor, merged, NULL};
  if (!merged || !merged->a.data)
    return true;
  rows->a = malloc(merged->a.shape[0] * tensor->columns * sizeof *rows->a);
  if (!rows->a)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
  model_tensor_read_rows(&merged->a, 0, merged->a.shape[0], rows->a);
  return true;
}

void
model_rows_expect(const ModelRows *rows)
{
  model_checkpoint_expect(rows->checkpoint, rows->tensor->role.tensor);
  if (rows->merged && rows->merged->base.data)
    model_checkpoint_expect(rows->checkpoint, &rows->merged->base);
}

void
model_rows_clear(ModelRows *rows)
{
  const ModelMerged *merged = rows->merged;
  const ModelTensor *others[] = {merged ? &merged->base : NULL, merged ? &merged->a : NULL,
                                 merged ? &merged->b : NULL};

  model_checkpoint_drop(rows->checkpoint, rows->tensor->role.tensor);
  for (size_t i = 0; merged && i < sizeof others / sizeof *others; i++)
    if (others[i]->data)
      model_checkpoint_drop(rows->checkpoint, others[i]);
  free(rows->a);
  memset(rows, 0, sizeof *rows);
}

/* Floats beside a row for reading one. */
static uint64_t
row_scratch(const ModelCheckpoint *checkpoint, const ModelPlanTensor *tensor)
{
  const ModelMerged *merged = model_merge_find(checkpoint->merge, tensor->role.tensor);

  return tensor->columns + (merged && merged->a.data ? merged->a.shape[0] : 0);
}

uint64_t
model_rows_scratch(const ModelCheckpoint *checkpoint, const ModelPlanTensor *tensor)
{
  uint64_t row_bytes = model_type_row_bytes(model_type_plain(tensor->type), tensor->columns);

  return row_scratch(checkpoint, tensor) +
         (tensor->unit_rows > 1 ? tensor->unit_rows * row_bytes / sizeof(float) + 1 : 0);
}

/* llama.cpp rotates neighbouring pairs: row 2j + p of a head is Hugging Face's row p * d/2 + j. */
static uint64_t
huggingface_row(const ModelRows *rows, uint64_t row)
{
  uint64_t d = rows->checkpoint->config.decoder.head_dim, in_head = row % d;

  if (!rows->tensor->role.rope_heads)
    return row;
  return row - in_head + in_head % 2 * (d / 2) + in_head / 2;
}

static uint64_t
source_row(const ModelRows *rows, uint64_t row)
{
  return rows->checkpoint->config.decoder.rope_adjacent ? row : huggingface_row(rows, row);
}

/* VALUE as TYPE holds it. */
static float
rounded(ModelType type, float value)
{
  uint32_t bits;

  switch (type) {
  case MODEL_TYPE_F16:
    return model_f16_to_float(model_float_to_f16(value));
  case MODEL_TYPE_BF16:
    bits = (uint32_t)model_float_to_bf16(value) << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
  default:
    return value;
  }
}

/* As apply_delta.py does it: both in the delta's type, and the sum too. */
static void
add_base(const ModelRows *rows, uint64_t row, float *values, float *scratch)
{
  const ModelTensor *base = &rows->merged->base;
  ModelType type = rows->tensor->role.tensor->type;

  if (!base->data || row >= model_tensor_rows(base))
    return;
  model_tensor_read_rows(base, row, 1, scratch);
  for (uint64_t i = 0; i < rows->tensor->columns; i++)
    values[i] = rounded(type, values[i] + rounded(type, scratch[i]));
}

/* In float32 and in the order of the ranks, so that every machine gives the same bits. */
static void
add_adapter(const ModelRows *rows, uint64_t row, float *values, float *scratch)
{
  const ModelMerged *merged = rows->merged;
  uint64_t n = rows->tensor->columns;

  if (!merged->a.data)
    return;
  memset(scratch, 0, n * sizeof *scratch);
  model_tensor_read_rows(&merged->b, row, 1, scratch + n);
  for (uint64_t r = 0; r < merged->a.shape[0]; r++) {
    const float *a = rows->a + r * n;
    float b = scratch[n + r];
    for (uint64_t i = 0; i < n; i++)
      scratch[i] += b * a[i];
  }
  for (uint64_t i = 0; i < n; i++)
    values[i] += merged->scale * scratch[i];
}

void
model_rows_read(const ModelRows *rows, uint64_t row, float *values, float *scratch)
{
  model_tensor_read_rows(rows->tensor->role.tensor, source_row(rows, row), 1, values);
  if (!rows->merged)
    return;
  add_base(rows, source_row(rows, row), values, scratch);
  add_adapter(rows, huggingface_row(rows, row), values, scratch);
}

static bool
values_fit(const ModelRows *rows, const float *values)
{
  float most = model_type_largest(model_type_plain(rows->tensor->type));
  bool fit = true;

  if (rows->tensor->type == MODEL_TYPE_F32)
    return true;
  for (uint64_t i = 0; i < rows->tensor->columns; i++)
    fit &= fabsf(values[i]) <= most;
  return fit;
}

/* Row ROW of the file in TYPE, no packed one. */
static bool
write_row(const ModelRows *rows, ModelType type, uint64_t row, float *values, float *scratch,
          uint8_t *out)
{
  const ModelTensor *from = rows->tensor->role.tensor;
  uint64_t columns = rows->tensor->columns;

  if (from->type == type && !rows->merged) {
    uint64_t row_bytes = model_type_row_bytes(type, columns);
    memcpy(out, from->data + source_row(rows, row) * row_bytes, row_bytes);
    return true;
  }
  model_rows_read(rows, row, values, scratch);
  if (!values_fit(rows, values))
    return false;
  model_quantize_rows(type, values, 1, columns, rows->tensor->importance, out);
  return true;
}

/* A group of packed rows: stored as they would be otherwise, and packed then. */
static bool
write_group(const ModelRows *rows, uint64_t group, float *values, float *scratch, uint8_t *out)
{
  const ModelPlanTensor *to = rows->tensor;
  ModelType plain = model_type_plain(to->type);
  uint64_t row_bytes = model_type_row_bytes(plain, to->columns);
  uint64_t first = group * to->unit_rows, n = to->rows - first;
  uint8_t *stored = (uint8_t *)(scratch + row_scratch(rows->checkpoint, to));
  ModelTensor block = {.name = "",
                       .data = stored,
                       .n_dims = 2,
                       .shape = {n < to->unit_rows ? n : to->unit_rows, to->columns},
                       .type = plain};

  for (uint64_t i = 0; i < block.shape[0]; i++)
    if (!write_row(rows, plain, first + i, values, scratch, stored + i * row_bytes))
      return false;
  model_pack_groups(&block, 0, 1, out, values);
  return true;
}

bool
model_rows_write(const ModelRows *rows, uint64_t first, uint64_t n, float *values, float *scratch,
                 uint8_t *out)
{
  const ModelPlanTensor *to = rows->tensor;
  const ModelTensor *from = to->role.tensor;
  bool packed = to->unit_rows > 1, ok = true;

  if (packed && from->type == to->type && !rows->merged &&
      (!to->role.rope_heads || rows->checkpoint->config.decoder.rope_adjacent)) {
    memcpy(out, from->data + first * to->unit_bytes, n * to->unit_bytes);
    return true;
  }
  for (uint64_t i = first; ok && i < first + n; i++, out += to->unit_bytes)
    ok = packed ? write_group(rows, i, values, scratch, out)
                : write_row(rows, to->type, i, values, scratch, out);
  return ok;
}

bool
model_rows_fail(const ModelRows *rows, uint64_t first, uint64_t n, float *values, float *scratch,
                const char *path, ModelError *err)
{
  const ModelPlanTensor *tensor = rows->tensor;
  ModelType type = model_type_plain(tensor->type);
  float most = model_type_largest(type);
  uint64_t end = (first + n) * tensor->unit_rows;

  for (uint64_t row = first * tensor->unit_rows; row < end && row < tensor->rows; row++) {
    model_rows_read(rows, row, values, scratch);
    for (uint64_t i = 0; i < tensor->columns; i++)
      if (!(fabsf(values[i]) <= most))
        return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                          "%s: tensor %s holds %g, which %s cannot hold; convert to f32", path,
                          tensor->role.name, (double)values[i], model_type_name(type));
  }
  return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s changed while it was read", path,
                    tensor->role.name);
}
