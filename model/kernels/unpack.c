#include "kernels/unpack.h"

#include <assert.h>

#include "base/half.h"

#define LINE 64u

static void
read_d(const uint8_t *at, float d[16])
{
  for (uint32_t row = 0; row < 16; row++) {
    d[row] = model_f16_to_float(model_load16(at + 2 * row));
  }
}

static void
read_nibbles(const uint8_t *lines, ModelBlock *block)
{
  for (uint32_t i = 0; i < 4; i++) {
    for (uint32_t row = 0; row < 16; row++) {
      for (uint32_t j = 0; j < 4; j++) {
        const uint8_t byte = lines[LINE * i + 4 * row + j];
        block->u[i][row][j] = byte & 15;
        block->u[i + 4][row][j] = byte >> 4;
      }
    }
  }
}

/* The SHIFT'th and the next bits, N at a time, of LINE's bytes onto u of columns 4i .. */
static void
add_bits(const uint8_t *line, uint32_t shift, uint32_t mask, uint32_t i, ModelBlock *block)
{
  for (uint32_t row = 0; row < 16; row++) {
    for (uint32_t j = 0; j < 4; j++) {
      block->u[i][row][j] |= (uint8_t)((line[4 * row + j] >> shift & mask) << 4);
    }
  }
}

static void
unpack_narrow(bool eight, const uint8_t *unit, uint32_t b, ModelBlock *block)
{
  read_d(unit + 32 * b, block->scale[0]);
  memcpy(block->scale[1], block->scale[0], sizeof block->scale[0]);
  if (eight) {
    memcpy(block->u, unit + LINE * (1 + 8 * b), sizeof block->u);
  } else {
    read_nibbles(unit + LINE * (1 + 4 * b), block);
  }
  block->zero = eight ? 128 : 8;
}

static void
unpack_q45_k(bool five, const uint8_t *unit, uint32_t s, ModelBlock *block)
{
  const uint8_t *lines = unit + LINE * (4 + s * (five ? 5 : 4));
  const uint32_t j = s % 4, nibble = s < 4 ? 0 : 4, high = s < 4 ? 0 : 2;
  float d[16];

  read_d(unit, d);
  read_d(unit + 32, block->dmin);
  for (uint32_t row = 0; row < 16; row++) {
    const uint32_t at = 16 * j + row, at_m = 32 * (j / 2) + 2 * row + j % 2;
    const int sc = (unit[LINE + at] >> nibble & 15) | (unit[3 * LINE + at] >> high & 3) << 4;
    block->scale[0][row] = block->scale[1][row] = d[row] * (float)sc;
    block->m[row] = (uint8_t)((unit[2 * LINE + at_m] >> nibble & 15) |
                              (unit[3 * LINE + at_m] >> (4 + high) & 3) << 4);
  }
  read_nibbles(lines, block);
  for (uint32_t i = 0; five && i < 8; i++) {
    add_bits(lines + 4 * LINE, i, 1, i, block);
  }
}

static void
unpack_q6_k(const uint8_t *unit, uint32_t s, ModelBlock *block)
{
  const uint8_t *lines = unit + LINE * (5 + 6 * s);
  float d[16];

  read_d(unit, d);
  for (uint32_t row = 0; row < 16; row++) {
    for (uint32_t h = 0; h < 2; h++) {
      block->scale[h][row] = d[row] * (float)(int8_t)unit[LINE + 16 * (2 * s + h) + row];
    }
  }
  read_nibbles(lines, block);
  for (uint32_t i = 0; i < 8; i++) {
    add_bits(lines + LINE * (4 + i / 4), 2 * (i % 4), 3, i, block);
  }
  block->zero = 32;
}

void
model_unpack_block(ModelType packed, const uint8_t *unit, uint32_t b, ModelBlock *block)
{
  memset(block, 0, sizeof *block);
  switch (packed) {
  case MODEL_TYPE_PACKED_Q8_0:
  case MODEL_TYPE_PACKED_Q4_0:
    unpack_narrow(packed == MODEL_TYPE_PACKED_Q8_0, unit, b, block);
    break;
  case MODEL_TYPE_PACKED_Q4_K:
  case MODEL_TYPE_PACKED_Q5_K:
    unpack_q45_k(packed == MODEL_TYPE_PACKED_Q5_K, unit, b, block);
    break;
  case MODEL_TYPE_PACKED_Q6_K:
    unpack_q6_k(unit, b, block);
    break;
  default:
    assert(!"a type that is not packed");
  }
}

void
model_packed_read_rows(const ModelTensor *packed, uint64_t first, uint64_t n, float *out)
{
  const uint64_t columns = model_tensor_columns(packed);
  const uint32_t unit_columns = model_packed_unit_columns(packed->type);
  const uint64_t group_bytes = model_packed_group_bytes(packed->type, columns);
  ModelBlock block;

  for (uint64_t i = 0; i < n; i++) {
    const uint8_t *group = packed->data + (first + i) / MODEL_GROUP_ROWS * group_bytes;
    const uint32_t row = (uint32_t)((first + i) % MODEL_GROUP_ROWS);
    for (uint64_t c = 0; c < columns; c++) {
      const uint32_t k = (uint32_t)(c % 32);
      if (k == 0) {
        model_unpack_block(packed->type,
                           group + c / unit_columns * model_packed_unit_bytes(packed->type),
                           (uint32_t)(c % unit_columns / 32), &block);
      }
      out[i * columns + c] =
          block.scale[k / 16][row] * (float)((int32_t)block.u[k / 4][row][k % 4] - block.zero);
      if (block.dmin[row] != 0) {
        out[i * columns + c] -= block.dmin[row] * (float)block.m[row];
      }
    }
  }
}
