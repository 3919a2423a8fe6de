/* pack.c - quantised rows as a file holds them into groups of 16 rows as packed.h describes.
 * The common types move whole words of bytes, since a model of 7 billion weights is packed while
 * somebody waits; the rare ones go value by value. */
#include "kernels/packed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/half.h"

#define LINE 64u
#define LOW_NIBBLES 0x0F0F0F0F0F0F0F0Full

static inline uint64_t
load64(const uint8_t *p)
{
  uint64_t word;

  memcpy(&word, p, 8);
  return word;
}

static inline uint32_t
load32(const uint8_t *p)
{
  uint32_t word;

  memcpy(&word, p, 4);
  return word;
}

ModelType
model_packed_type(ModelType type)
{
  switch (type) {
  case MODEL_TYPE_Q4_0:
    return MODEL_TYPE_PACKED_Q4_0;
  case MODEL_TYPE_Q4_K:
    return MODEL_TYPE_PACKED_Q4_K;
  case MODEL_TYPE_Q5_K:
    return MODEL_TYPE_PACKED_Q5_K;
  case MODEL_TYPE_Q6_K:
  case MODEL_TYPE_Q3_K:
    return MODEL_TYPE_PACKED_Q6_K;
  case MODEL_TYPE_Q8_0:
  case MODEL_TYPE_Q5_0:
  case MODEL_TYPE_IQ4_NL:
  case MODEL_TYPE_Q4_1:
  case MODEL_TYPE_Q5_1:
  case MODEL_TYPE_Q2_K:
  case MODEL_TYPE_IQ2_XXS:
    return MODEL_TYPE_PACKED_Q8_0;
  default:
    return (ModelType)0;
  }
}

static uint32_t
unit_lines(ModelType packed)
{
  switch (packed) {
  case MODEL_TYPE_PACKED_Q8_0:
    return 17;
  case MODEL_TYPE_PACKED_Q4_0:
    return 9;
  case MODEL_TYPE_PACKED_Q4_K:
    return 36;
  case MODEL_TYPE_PACKED_Q5_K:
    return 44;
  case MODEL_TYPE_PACKED_Q6_K:
    return 53;
  default:
    return 0;
  }
}

uint32_t
model_packed_unit_bytes(ModelType packed)
{
  return unit_lines(packed) * LINE;
}

uint32_t
model_packed_unit_columns(ModelType packed)
{
  switch (packed) {
  case MODEL_TYPE_PACKED_Q8_0:
  case MODEL_TYPE_PACKED_Q4_0:
    return 64;
  default:
    return unit_lines(packed) > 0 ? 256 : 0;
  }
}

uint32_t
model_activation_block(ModelType packed)
{
  return model_packed_unit_columns(packed) == 64 ? 32 : 256;
}

static uint64_t
units_of(ModelType packed, uint64_t columns)
{
  const uint32_t unit = model_packed_unit_columns(packed);

  return (columns + unit - 1) / unit;
}

uint64_t
model_packed_group_bytes(ModelType packed, uint64_t columns)
{
  return units_of(packed, columns) * model_packed_unit_bytes(packed);
}

uint64_t
model_packed_bytes(ModelType packed, uint64_t rows, uint64_t columns)
{
  return (rows + MODEL_GROUP_ROWS - 1) / MODEL_GROUP_ROWS *
         model_packed_group_bytes(packed, columns);
}

/* ---- one row of one unit ------------------------------------------------------------------- */

/* FOUR bytes of a row into line I of LINES. */
static inline void
put(uint8_t *lines, uint32_t i, uint32_t row, uint32_t four)
{
  memcpy(lines + LINE * i + 4 * row, &four, 4);
}

/* 32 values of at most 4 bits: LOW and HIGH hold 8 bytes of columns 8h .. and 16 + 8h .. */
static inline void
put_nibbles(uint8_t *lines, uint32_t h, uint32_t row, uint64_t low, uint64_t high)
{
  const uint64_t both = low | high << 4;

  put(lines, 2 * h, row, (uint32_t)both);
  put(lines, 2 * h + 1, row, (uint32_t)(both >> 32));
}

/* Block B (0 or 1) of a 64-column unit. */
static void
pack_q4_0(const uint8_t *in, uint32_t b, uint32_t row, uint8_t *out)
{
  memcpy(out + 32 * b + 2 * row, in, 2);
  for (uint32_t i = 0; i < 4; i++) {
    put(out + LINE * (1 + 4 * b), i, row, load32(in + 2 + 4 * i));
  }
}

static void
pack_q8_0(const uint8_t *in, uint32_t b, uint32_t row, uint8_t *out)
{
  memcpy(out + 32 * b + 2 * row, in, 2);
  for (uint32_t i = 0; i < 8; i++) {
    put(out + LINE * (1 + 8 * b), i, row, load32(in + 2 + 4 * i) ^ 0x80808080u);
  }
}

/* Lines 1 to 3 of Q4_K and Q5_K from the file's 12 bytes. */
static void
pack_scales(const uint8_t *s, uint32_t row, uint8_t *out)
{
  uint8_t scale[8], minimum[8];

  for (int g = 0; g < 4; g++) {
    scale[g] = s[g] & 63;
    minimum[g] = s[g + 4] & 63;
    scale[g + 4] = (uint8_t)((s[g + 8] & 15) | s[g] >> 6 << 4);
    minimum[g + 4] = (uint8_t)(s[g + 8] >> 4 | s[g + 4] >> 6 << 4);
  }
  for (uint32_t j = 0; j < 4; j++) {
    const uint32_t at = 16 * j + row, at_m = 32 * (j / 2) + 2 * row + j % 2;
    out[LINE + at] = (uint8_t)((scale[j] & 15) | scale[j + 4] << 4);
    out[2 * LINE + at_m] = (uint8_t)((minimum[j] & 15) | minimum[j + 4] << 4);
    out[3 * LINE + at] |= (uint8_t)(scale[j] >> 4 | scale[j + 4] >> 4 << 2);
    out[3 * LINE + at_m] |= (uint8_t)(minimum[j] >> 4 << 4 | minimum[j + 4] >> 4 << 6);
  }
}

static void
pack_q45_k(const uint8_t *in, bool five, uint32_t row, uint8_t *out)
{
  const uint8_t *high = in + 16, *q = in + (five ? 48 : 16);
  const uint32_t lines = five ? 5 : 4;

  memcpy(out + 2 * row, in, 2);
  memcpy(out + 32 + 2 * row, in + 2, 2);
  pack_scales(in + 4, row, out);
  for (uint32_t pair = 0; pair < 4; pair++) {
    uint8_t *even = out + LINE * (4 + 2 * pair * lines), *odd = even + LINE * lines;
    for (uint32_t h = 0; h < 2; h++) {
      const uint64_t a = load64(q + 32 * pair + 8 * h), b = load64(q + 32 * pair + 16 + 8 * h);
      put_nibbles(even, h, row, a & LOW_NIBBLES, b & LOW_NIBBLES);
      put_nibbles(odd, h, row, a >> 4 & LOW_NIBBLES, b >> 4 & LOW_NIBBLES);
    }
  }
  for (uint32_t s = 0; five && s < 8; s++) {
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 8; i++) {
      bits |= (load32(high + 4 * i) >> s & 0x01010101u) << i;
    }
    put(out + LINE * (4 + 5 * s), 4, row, bits);
  }
}

static void
pack_q6_k(const uint8_t *in, uint32_t row, uint8_t *out)
{
  memcpy(out + 2 * row, in + 208, 2);
  for (uint32_t t = 0; t < 16; t++) {
    out[LINE + 16 * t + row] = in[192 + t];
  }
  for (uint32_t s = 0; s < 8; s++) {
    const uint8_t *low = in + 64 * (s / 4) + 32 * (s % 2), *high = in + 128 + 32 * (s / 4);
    const uint32_t shift = s % 4 < 2 ? 0 : 4, k = 2 * (s % 4);
    uint8_t *lines = out + LINE * (5 + 6 * s);
    for (uint32_t h = 0; h < 2; h++) {
      uint32_t bits = 0;
      put_nibbles(lines, h, row, load64(low + 8 * h) >> shift & LOW_NIBBLES,
                  load64(low + 16 + 8 * h) >> shift & LOW_NIBBLES);
      for (uint32_t f = 0; f < 4; f++) {
        bits |= (load32(high + 16 * h + 4 * f) >> k & 0x03030303u) << 2 * f;
      }
      put(lines, 4 + h, row, bits);
    }
  }
}

/* ---- types that become another ------------------------------------------------------------- */

/* A Q5_0 or IQ4_NL block of 32 values as a Q8_0 block: the same d, whole numbers below 128. */
static void
block_as_q8_0(ModelType type, const uint8_t *in, uint8_t *out)
{
  static const int8_t levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};
  const uint8_t *q = in + (type == MODEL_TYPE_Q5_0 ? 6 : 2);

  memcpy(out, in, 2);
  for (uint32_t i = 0; i < 32; i++) {
    const int v = i < 16 ? q[i] & 15 : q[i - 16] >> 4;
    out[2 + i] = type == MODEL_TYPE_Q5_0 ? (uint8_t)((v | (int)(load32(in + 2) >> i & 1) << 4) - 16)
                                         : (uint8_t)levels[v];
  }
}

/* A Q3_K block as a Q6_K block: d sc (q - 4) with sc in -32 .. 31 and q - 4 in -4 .. 3. */
static void
block_as_q6_k(const uint8_t *in, uint8_t *out)
{
  const uint8_t *mask = in, *q = in + 32, *s = in + 96;

  memset(out, 0, 208);
  memcpy(out + 208, in + 108, 2);
  for (uint32_t t = 0; t < 16; t++) {
    const int low = t < 8 ? s[t] & 15 : s[t - 8] >> 4, high = s[8 + t % 4] >> 2 * (t / 4) & 3;
    out[192 + t] = (uint8_t)((low | high << 4) - 32);
  }
  for (uint32_t i = 0; i < 256; i++) {
    const uint32_t half = i / 128, k = i % 128 / 32, l = i % 32;
    const int v = (q[32 * half + l] >> 2 * k & 3) - (mask[l] >> (4 * half + k) & 1 ? 0 : 4) + 32;
    out[64 * half + 32 * (k % 2) + l] |= (uint8_t)((v & 15) << (k < 2 ? 0 : 4));
    out[128 + 32 * half + l] |= (uint8_t)(v >> 4 << 2 * k);
  }
}

/* ---- groups -------------------------------------------------------------------------------- */

/* Unit UNIT of the row at IN, whose row is ROW of the group; SCRATCH has the row's columns. */
static void
pack_wide(ModelType type, const uint8_t *in, uint64_t unit, uint32_t row, uint8_t *out)
{
  uint8_t block[210];

  switch (type) {
  case MODEL_TYPE_Q4_K:
  case MODEL_TYPE_Q5_K:
    pack_q45_k(in + unit * (type == MODEL_TYPE_Q5_K ? 176 : 144), type == MODEL_TYPE_Q5_K, row,
               out);
    break;
  case MODEL_TYPE_Q6_K:
    pack_q6_k(in + unit * 210, row, out);
    break;
  default: /* Q3_K */
    block_as_q6_k(in + unit * 110, block);
    pack_q6_k(block, row, out);
  }
}

static void
pack_narrow(const ModelTensor *tensor, const uint8_t *in, uint64_t block, uint32_t row,
            const float *values, uint8_t *out)
{
  const uint32_t b = (uint32_t)(block % 2);
  uint8_t q8[34];

  switch (tensor->type) {
  case MODEL_TYPE_Q4_0:
    pack_q4_0(in + 18 * block, b, row, out);
    return;
  case MODEL_TYPE_Q8_0:
    pack_q8_0(in + 34 * block, b, row, out);
    return;
  case MODEL_TYPE_Q5_0:
  case MODEL_TYPE_IQ4_NL:
    block_as_q8_0(tensor->type, in + (tensor->type == MODEL_TYPE_Q5_0 ? 22 : 18) * block, q8);
    break;
  default:
    model_type_write_row(MODEL_TYPE_Q8_0, values + 32 * block, 32, q8);
  }
  pack_q8_0(q8, b, row, out);
}

static void
pack_row(const ModelTensor *tensor, uint64_t source, uint32_t row, uint8_t *out, float *scratch)
{
  const uint64_t columns = model_tensor_columns(tensor);
  const ModelType packed = model_packed_type(tensor->type);
  const uint8_t *in = tensor->data + source * model_type_row_bytes(tensor->type, columns);
  const uint32_t unit_bytes = model_packed_unit_bytes(packed);

  if (model_packed_unit_columns(packed) == 256) {
    for (uint64_t unit = 0; unit < columns / 256; unit++) {
      pack_wide(tensor->type, in, unit, row, out + unit * unit_bytes);
    }
    return;
  }
  if (tensor->type == MODEL_TYPE_Q4_1 || tensor->type == MODEL_TYPE_Q5_1 ||
      tensor->type == MODEL_TYPE_Q2_K || tensor->type == MODEL_TYPE_IQ2_XXS) {
    model_tensor_read_rows(tensor, source, 1, scratch);
  }
  for (uint64_t block = 0; block < columns / 32; block++) {
    pack_narrow(tensor, in, block, row, scratch, out + block / 2 * unit_bytes);
  }
}

void
model_pack_groups(const ModelTensor *tensor, uint64_t first, uint64_t n, uint8_t *out,
                  float *scratch)
{
  const uint64_t rows = model_tensor_rows(tensor), columns = model_tensor_columns(tensor);
  const ModelType packed = model_packed_type(tensor->type);
  const uint64_t group_bytes = model_packed_group_bytes(packed, columns);

  assert(packed != 0);
  memset(out, 0, n * group_bytes); /* what pads, and bits that are put together with "or" */
  for (uint64_t g = 0; g < n; g++) {
    const uint64_t at = (first + g) * MODEL_GROUP_ROWS;
    for (uint32_t row = 0; row < MODEL_GROUP_ROWS && at + row < rows; row++) {
      pack_row(tensor, at + row, row, out + g * group_bytes, scratch);
    }
  }
}

/* ---- activations --------------------------------------------------------------------------- */

/* Bytes of each array, in the order of the struct, each padded to whole lines. */
static uint64_t
place(ModelActivations *a, uint64_t m, uint64_t columns, uint8_t *memory)
{
  const uint64_t bytes[] = {m * columns, m * columns / 8, m * columns / 8, m * columns / 4,
                            m * columns / 16};
  uint8_t *at[5];
  uint64_t total = 0;

  for (int i = 0; i < 5; i++) {
    at[i] = memory ? memory + total : NULL;
    total += (bytes[i] + LINE - 1) / LINE * LINE;
  }
  if (a) {
    a->q = (int8_t *)at[0];
    a->d = (float *)(void *)at[1];
    a->sums = (int32_t *)(void *)at[2];
    a->sums16 = (int32_t *)(void *)at[3];
    a->pairs = (int16_t *)(void *)at[4];
  }
  return total;
}

uint64_t
model_activations_bytes(uint64_t m, uint64_t columns)
{
  return place(NULL, m, (columns + 255) / 256 * 256, NULL);
}

void
model_activations_place(ModelActivations *a, uint64_t m, uint64_t columns, uint32_t block,
                        uint8_t *memory)
{
  const uint64_t unit = block == 32 ? 64 : 256;

  *a = (ModelActivations){.m = m, .columns = (columns + unit - 1) / unit * unit, .block = block};
  place(a, m, (columns + 255) / 256 * 256, memory);
}
