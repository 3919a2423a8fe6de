/* Rows of float32 to the types that files are written in: the scales of least squared error are
 * searched for (quantize-blocks.h), where the usual programs take a formula's. */
#include "checkpoint/quantize.h"

#include "base/half.h"

#include <assert.h>
#include <float.h>
#include <string.h>

static const struct {
  const char *name;
  ModelQuantizeBlocks *write;
} writers[] = {
#if defined __x86_64__
    {"avx512", model_quantize_blocks_avx512},
    {"avx2", model_quantize_blocks_avx2},
#endif
    {"plain", model_quantize_blocks_plain},
};

static bool
can_run(const char *name)
{
#if defined __x86_64__
  if (strcmp(name, "avx512") == 0)
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  if (strcmp(name, "avx2") == 0)
    return __builtin_cpu_supports("avx2");
#endif
  return true;
}

static bool
write_floats(ModelType type, const float *in, uint64_t n, uint8_t *out)
{
  if (type == MODEL_TYPE_F32)
    memcpy(out, in, n * sizeof *in);
  else if (type == MODEL_TYPE_F16)
    for (uint64_t i = 0; i < n; i++)
      model_store16(out + 2 * i, model_float_to_f16(in[i]));
  else if (type == MODEL_TYPE_BF16)
    for (uint64_t i = 0; i < n; i++)
      model_store16(out + 2 * i, model_float_to_bf16(in[i]));
  else
    return false;
  return true;
}

bool
model_type_is_written(ModelType type)
{
  return model_type_largest(type) > 0;
}

float
model_type_largest(ModelType type)
{
  const float half = 65504; /* the largest of 16 bits */

  switch (type) {
  case MODEL_TYPE_F32:
    return FLT_MAX;
  case MODEL_TYPE_BF16:
    return 0x1.FEp127f;
  case MODEL_TYPE_F16:
    return half;
  case MODEL_TYPE_Q4_0:
    return half * 7;
  case MODEL_TYPE_Q5_0:
    return half * 15;
  case MODEL_TYPE_Q8_0:
    return half * 127;
  case MODEL_TYPE_Q4_K: /* a negative value alone is all minimum */
  case MODEL_TYPE_Q5_K:
    return half * 63;
  case MODEL_TYPE_Q6_K:
    return half * 127 * 31;
  default:
    return 0;
  }
}

bool
model_quantize_rows_with(const char *instructions, ModelType type, const float *in, uint64_t n_rows,
                         uint64_t n_columns, const float *importance, uint8_t *out)
{
  ModelColumnWeights weights = {.columns = importance};
  size_t i = 0, n = sizeof writers / sizeof *writers;
  double sum = 0;

  while (i < n && (!can_run(writers[i].name) ||
                   (instructions && strcmp(instructions, writers[i].name) != 0)))
    i++;
  if (i == n)
    return false;
  if (write_floats(type, in, n_rows * n_columns, out))
    return true;
  for (uint64_t column = 0; importance && column < n_columns; column++)
    sum += (double)importance[column];
  if (sum > 0)
    weights.scale = (float)((double)n_columns / sum);
  else
    weights.columns = NULL;
  for (uint64_t row = 0; row < n_rows; row++)
    writers[i].write(type, in + row * n_columns, &weights, n_columns,
                     out + row * model_type_row_bytes(type, n_columns));
  return true;
}

void
model_quantize_rows(ModelType type, const float *in, uint64_t n_rows, uint64_t n_columns,
                    const float *importance, uint8_t *out)
{
  bool done = model_quantize_rows_with(NULL, type, in, n_rows, n_columns, importance, out);

  assert(done);
  (void)done;
}

void
model_type_write_row(ModelType type, const float *in, uint64_t n_columns, uint8_t *out)
{
  model_quantize_rows(type, in, 1, n_columns, NULL, out);
}
