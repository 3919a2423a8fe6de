#include "checkpoint/rows.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

bool
model_rows_init(ModelRows *rows, const ModelCheckpoint *checkpoint, const ModelPlanTensor *tensor,
                ModelError *err)
{
  (void)err;
  *rows = (ModelRows){checkpoint, tensor};
  return true;
}

void
model_rows_clear(ModelRows *rows)
{
  memset(rows, 0, sizeof *rows);
}

uint64_t
model_rows_scratch(const ModelCheckpoint *checkpoint, const ModelPlanTensor *tensor)
{
  (void)checkpoint;
  return tensor->columns;
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

void
model_rows_read(const ModelRows *rows, uint64_t row, float *values, float *scratch)
{
  (void)scratch;
  model_tensor_read_rows(rows->tensor->role.tensor, source_row(rows, row), 1, values);
}

static float
largest(ModelType type)
{
  /* Q8_0 stores the largest value divided by 127 in 16 bits. */
  return type == MODEL_TYPE_F16 ? 65504.0f : 65504.0f * 127;
}

static bool
values_fit(const ModelRows *rows, const float *values)
{
  float most = largest(rows->tensor->type);
  bool fit = true;

  if (rows->tensor->type == MODEL_TYPE_F32)
    return true;
  for (uint64_t i = 0; i < rows->tensor->columns; i++)
    fit &= fabsf(values[i]) <= most;
  return fit;
}

bool
model_rows_write(const ModelRows *rows, uint64_t first, uint64_t n, float *values, float *scratch,
                 uint8_t *out)
{
  const ModelPlanTensor *to = rows->tensor;
  const ModelTensor *from = to->role.tensor;

  for (uint64_t i = 0; i < n; i++, out += to->row_bytes) {
    if (from->type == to->type) {
      memcpy(out, from->data + source_row(rows, first + i) * to->row_bytes, to->row_bytes);
      continue;
    }
    model_rows_read(rows, first + i, values, scratch);
    if (!values_fit(rows, values))
      return false;
    model_type_write_row(to->type, values, to->columns, out);
  }
  return true;
}

bool
model_rows_fail(const ModelRows *rows, uint64_t first, uint64_t n, float *values, float *scratch,
                const char *path, ModelError *err)
{
  const ModelPlanTensor *tensor = rows->tensor;
  float most = largest(tensor->type);

  for (uint64_t row = first; row < first + n; row++) {
    model_rows_read(rows, row, values, scratch);
    for (uint64_t i = 0; i < tensor->columns; i++)
      if (!(fabsf(values[i]) <= most))
        return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                          "%s: tensor %s holds %g, which %s cannot hold; convert to f32", path,
                          tensor->role.name, (double)values[i], model_type_name(tensor->type));
  }
  return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s changed while it was read", path,
                    tensor->role.name);
}
