/* Tensor types: sizes, reading into float32 (quantize.c writes). The block layouts are ggml's
 * (ggml-quants.c); vectors/reference/formats.py has the same in numpy. */
#include "checkpoint/checkpoint.h"

#include <assert.h>
#include <string.h>

#include "base/half.h"

typedef struct {
  const char *name;
  uint32_t values, bytes; /* of one block */
} TypeInfo;

static const TypeInfo *
type_info(ModelType type)
{
  static const TypeInfo types[] = {
      [MODEL_TYPE_F32] = {"F32", 1, 4},       [MODEL_TYPE_F16] = {"F16", 1, 2},
      [MODEL_TYPE_Q4_0] = {"Q4_0", 32, 18},   [MODEL_TYPE_Q4_1] = {"Q4_1", 32, 20},
      [MODEL_TYPE_Q5_0] = {"Q5_0", 32, 22},   [MODEL_TYPE_Q5_1] = {"Q5_1", 32, 24},
      [MODEL_TYPE_Q8_0] = {"Q8_0", 32, 34},   [MODEL_TYPE_Q4_K] = {"Q4_K", 256, 144},
      [MODEL_TYPE_Q5_K] = {"Q5_K", 256, 176}, [MODEL_TYPE_Q6_K] = {"Q6_K", 256, 210},
      [MODEL_TYPE_BF16] = {"BF16", 1, 2},
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

const char *
model_type_name(ModelType type)
{
  const TypeInfo *info = type_info(type);

  return info ? info->name : NULL;
}

/* ---- blocks ------------------------------------------------------------------------------- */

static void
read_q4(const uint8_t *b, bool has_minimum, float *out)
{
  float d = model_f16_to_float(model_load16(b)),
        m = has_minimum ? model_f16_to_float(model_load16(b + 2)) : 0;
  const uint8_t *q = b + (has_minimum ? 4 : 2);

  for (int i = 0; i < 16; i++) {
    /* Q4_0 is d * (q - 8): multiplied out it would round differently. */
    out[i] = has_minimum ? d * (float)(q[i] & 15) + m : d * (float)((q[i] & 15) - 8);
    out[i + 16] = has_minimum ? d * (float)(q[i] >> 4) + m : d * (float)((q[i] >> 4) - 8);
  }
}

static void
read_q5(const uint8_t *b, bool has_minimum, float *out)
{
  float d = model_f16_to_float(model_load16(b)),
        m = has_minimum ? model_f16_to_float(model_load16(b + 2)) : 0;
  const uint8_t *h = b + (has_minimum ? 4 : 2), *q = h + 4;
  uint32_t high =
      (uint32_t)h[0] | (uint32_t)h[1] << 8 | (uint32_t)h[2] << 16 | (uint32_t)h[3] << 24;

  for (int i = 0; i < 32; i++) {
    int v = (i < 16 ? q[i] & 15 : q[i - 16] >> 4) | (int)(high >> i & 1) << 4;
    out[i] = has_minimum ? d * (float)v + m : d * (float)(v - 16);
  }
}

static void
read_q8_0(const uint8_t *b, float *out)
{
  float d = model_f16_to_float(model_load16(b));

  for (int i = 0; i < 32; i++)
    out[i] = d * (float)(int8_t)b[2 + i];
}

/* Q4_K and Q5_K: eight groups of 32, each with a scale and a minimum of six bits. */
static void
read_q45_k(const uint8_t *b, bool five, float *out)
{
  float d = model_f16_to_float(model_load16(b)), dm = model_f16_to_float(model_load16(b + 2));
  const uint8_t *s = b + 4, *h = b + 16, *q = b + (five ? 48 : 16);

  for (int g = 0; g < 8; g++) {
    int scale = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | s[g - 4] >> 6 << 4;
    int minimum = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | s[g] >> 6 << 4;
    float ds = d * (float)scale, ms = dm * (float)minimum;
    const uint8_t *p = q + g / 2 * 32;
    for (int i = 0; i < 32; i++) {
      int v = g % 2 ? p[i] >> 4 : p[i] & 15;
      if (five)
        v |= (h[i] >> g & 1) << 4;
      out[g * 32 + i] = ds * (float)v - ms;
    }
  }
}

/* Two halves of 128; low four bits, high two bits, a scale per 16 values. */
static void
read_q6_k(const uint8_t *b, float *out)
{
  float d = model_f16_to_float(model_load16(b + 208));

  for (int i = 0; i < 256; i++) {
    int half = i / 128, k = i % 128 / 32, l = i % 32;
    const uint8_t *low = b + half * 64 + (k % 2) * 32, *high = b + 128 + half * 32;
    int v = (k < 2 ? low[l] & 15 : low[l] >> 4) | (high[l] >> 2 * k & 3) << 4;
    out[i] = d * (float)(int8_t)b[192 + i / 16] * (float)(v - 32);
  }
}

static void
read_block(ModelType type, const uint8_t *b, float *out)
{
  switch (type) {
  case MODEL_TYPE_Q4_0:
  case MODEL_TYPE_Q4_1:
    read_q4(b, type == MODEL_TYPE_Q4_1, out);
    break;
  case MODEL_TYPE_Q5_0:
  case MODEL_TYPE_Q5_1:
    read_q5(b, type == MODEL_TYPE_Q5_1, out);
    break;
  case MODEL_TYPE_Q8_0:
    read_q8_0(b, out);
    break;
  case MODEL_TYPE_Q4_K:
  case MODEL_TYPE_Q5_K:
    read_q45_k(b, type == MODEL_TYPE_Q5_K, out);
    break;
  case MODEL_TYPE_Q6_K:
    read_q6_k(b, out);
    break;
  default:
    assert(!"a type without blocks");
  }
}

void
model_tensor_read_rows(const ModelTensor *tensor, uint64_t first_row, uint64_t n_rows, float *out)
{
  const TypeInfo *info = type_info(tensor->type);
  uint64_t columns = model_tensor_columns(tensor), n = n_rows * columns;
  const uint8_t *in;

  assert(info && first_row + n_rows <= model_tensor_rows(tensor));
  in = tensor->data + first_row * model_type_row_bytes(tensor->type, columns);
  switch (tensor->type) {
  case MODEL_TYPE_F32:
    memcpy(out, in, n * sizeof *out);
    break;
  case MODEL_TYPE_F16:
    for (uint64_t i = 0; i < n; i++)
      out[i] = model_f16_to_float(model_load16(in + 2 * i));
    break;
  case MODEL_TYPE_BF16:
    for (uint64_t i = 0; i < n; i++)
      out[i] = model_bits_to_float((uint32_t)model_load16(in + 2 * i) << 16);
    break;
  default:
    for (uint64_t i = 0; i < n / info->values; i++)
      read_block(tensor->type, in + i * info->bytes, out + i * info->values);
  }
}
