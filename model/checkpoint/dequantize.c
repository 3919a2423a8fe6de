/* Tensor types: sizes, reading into float32 (quantize.c writes). The block layouts are ggml's
 * (ggml-quants.c); vectors/reference/formats.py has the same in numpy. */
#include "checkpoint/checkpoint.h"

#include "checkpoint/dequantize-blocks.h"
#include "kernels/packed.h"

#include <assert.h>

typedef struct {
  const char *name;
  uint32_t values, bytes; /* of one block */
} TypeInfo;

static const TypeInfo *
type_info(ModelType type)
{
  static const TypeInfo types[] = {
      [MODEL_TYPE_F32] = {"F32", 1, 4},         [MODEL_TYPE_F16] = {"F16", 1, 2},
      [MODEL_TYPE_Q4_0] = {"Q4_0", 32, 18},     [MODEL_TYPE_Q4_1] = {"Q4_1", 32, 20},
      [MODEL_TYPE_Q5_0] = {"Q5_0", 32, 22},     [MODEL_TYPE_Q5_1] = {"Q5_1", 32, 24},
      [MODEL_TYPE_Q8_0] = {"Q8_0", 32, 34},     [MODEL_TYPE_Q2_K] = {"Q2_K", 256, 84},
      [MODEL_TYPE_Q3_K] = {"Q3_K", 256, 110},   [MODEL_TYPE_Q4_K] = {"Q4_K", 256, 144},
      [MODEL_TYPE_Q5_K] = {"Q5_K", 256, 176},   [MODEL_TYPE_Q6_K] = {"Q6_K", 256, 210},
      [MODEL_TYPE_BF16] = {"BF16", 1, 2},       [MODEL_TYPE_IQ2_XXS] = {"IQ2_XXS", 256, 66},
      [MODEL_TYPE_IQ4_NL] = {"IQ4_NL", 32, 18},
  };

  if ((unsigned)type >= sizeof types / sizeof *types || !types[type].name)
    return NULL;
  return &types[type];
}

uint64_t
model_tensor_rows(const ModelTensor *tensor)
{
  return tensor->n_dims < 2 ? 1 : tensor->shape[0];
}

uint64_t
model_tensor_columns(const ModelTensor *tensor)
{
  uint64_t columns = 1;

  for (uint32_t i = tensor->n_dims < 2 ? 0 : 1; i < tensor->n_dims; i++)
    columns *= tensor->shape[i];
  return columns;
}

uint64_t
model_type_row_bytes(ModelType type, uint64_t n_columns)
{
  const TypeInfo *info = type_info(type);
  uint64_t bytes;

  if (!info || n_columns % info->values != 0 ||
      __builtin_mul_overflow(n_columns / info->values, info->bytes, &bytes))
    return 0;
  return bytes;
}

ModelType
model_type_plain(ModelType type)
{
  return model_packed_unit_columns(type) ? (ModelType)(type - 1000) : type;
}

uint64_t
model_type_bytes(ModelType type, uint64_t rows, uint64_t columns)
{
  uint64_t row = model_type_row_bytes(model_type_plain(type), columns), n_bytes;

  /* Groups of packed rows are at most twice as large as their rows, and 15 rows are added. */
  if (__builtin_mul_overflow(row, rows, &n_bytes) || n_bytes > UINT64_MAX / 64 ||
      rows > UINT64_MAX / 64)
    return 0;
  return model_packed_unit_columns(type) && row ? model_packed_bytes(type, rows, columns) : n_bytes;
}

const char *
model_type_name(ModelType type)
{
  const TypeInfo *info = type_info(type);

  switch (type) {
  case MODEL_TYPE_PACKED_Q4_0:
    return "PACKED_Q4_0";
  case MODEL_TYPE_PACKED_Q8_0:
    return "PACKED_Q8_0";
  case MODEL_TYPE_PACKED_Q4_K:
    return "PACKED_Q4_K";
  case MODEL_TYPE_PACKED_Q5_K:
    return "PACKED_Q5_K";
  case MODEL_TYPE_PACKED_Q6_K:
    return "PACKED_Q6_K";
  default:
    return info ? info->name : NULL;
  }
}

/* ---- rows -------------------------------------------------------------------------------- */

EACH void
read_f16(const uint8_t *restrict in, uint64_t n, float *restrict out)
{
  for (uint64_t i = 0; i < n; i++) {
    uint16_t word;
    memcpy(&word, in + 2 * i, 2);
    out[i] = model_f16_to_float(word);
  }
}

EACH void
read_bf16(const uint8_t *restrict in, uint64_t n, float *restrict out)
{
  for (uint64_t i = 0; i < n; i++) {
    uint16_t word;
    memcpy(&word, in + 2 * i, 2);
    out[i] = model_bits_to_float((uint32_t)word << 16);
  }
}

#define BLOCKS(VALUES, BYTES, READ)                                                                \
  for (uint64_t i = 0; i < n / (VALUES); i++, in += (BYTES), out += (VALUES))                      \
  READ

/* N values, whole blocks. */
EACH void
read_values(ModelType type, const uint8_t *in, uint64_t n, float *out)
{
  switch (type) {
  case MODEL_TYPE_F32:
    memcpy(out, in, n * sizeof *out);
    break;
  case MODEL_TYPE_F16:
    read_f16(in, n, out);
    break;
  case MODEL_TYPE_BF16:
    read_bf16(in, n, out);
    break;
  case MODEL_TYPE_Q4_0:
    BLOCKS(32, 18, read_q4(in, false, out));
    break;
  case MODEL_TYPE_Q4_1:
    BLOCKS(32, 20, read_q4(in, true, out));
    break;
  case MODEL_TYPE_Q5_0:
    BLOCKS(32, 22, read_q5(in, false, out));
    break;
  case MODEL_TYPE_Q5_1:
    BLOCKS(32, 24, read_q5(in, true, out));
    break;
  case MODEL_TYPE_Q8_0:
    BLOCKS(32, 34, read_q8_0(in, out));
    break;
  case MODEL_TYPE_IQ4_NL:
    BLOCKS(32, 18, read_iq4_nl(in, out));
    break;
  case MODEL_TYPE_Q2_K:
    BLOCKS(256, 84, read_q2_k(in, out));
    break;
  case MODEL_TYPE_Q3_K:
    BLOCKS(256, 110, read_q3_k(in, out));
    break;
  case MODEL_TYPE_Q4_K:
    BLOCKS(256, 144, read_q45_k(in, false, out));
    break;
  case MODEL_TYPE_Q5_K:
    BLOCKS(256, 176, read_q45_k(in, true, out));
    break;
  case MODEL_TYPE_Q6_K:
    BLOCKS(256, 210, read_q6_k(in, out));
    break;
  case MODEL_TYPE_IQ2_XXS:
    BLOCKS(256, 66, read_iq2_xxs(in, out));
    break;
  default:
    assert(!"a type that is not read");
  }
}

static void
read_plain(ModelType type, const uint8_t *in, uint64_t n, float *out)
{
  read_values(type, in, n, out);
}

#if defined __x86_64__
__attribute__((target("avx2"))) static void
read_avx2(ModelType type, const uint8_t *in, uint64_t n, float *out)
{
  read_values(type, in, n, out);
}
#endif

void
model_tensor_read_rows(const ModelTensor *tensor, uint64_t first_row, uint64_t n_rows, float *out)
{
  uint64_t columns = model_tensor_columns(tensor), n = n_rows * columns;
  const uint8_t *in = tensor->data + first_row * model_type_row_bytes(tensor->type, columns);

  assert(first_row + n_rows <= model_tensor_rows(tensor));
  if (model_packed_unit_columns(tensor->type)) {
    model_packed_read_rows(tensor, first_row, n_rows, out);
    return;
  }
#if defined __x86_64__
  if (__builtin_cpu_supports("avx2")) {
    read_avx2(tensor->type, in, n, out);
    return;
  }
#endif
  read_plain(tensor->type, in, n, out);
}
