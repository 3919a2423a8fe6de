/* product-portable.c - the products of packed.h in plain C: what every other kernel is held
 * against, bit by bit, and what runs where there is no other. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "kernels/unpack.h"

/* ---- activations --------------------------------------------------------------------------- */

/* One block of one row into column CELL of a tile C wide; K0 is the block's first column. */
static void
quantize_block(ModelActivations *a, uint64_t tile, uint32_t c, uint32_t cell, uint64_t k0,
               const float *x, uint32_t n)
{
  const uint64_t base = 6 * tile * a->columns;
  uint32_t largest = 0;
  float d, inverse;

  /* As whole numbers, a NaN is larger than infinity, and infinity than the rest. */
  for (uint32_t k = 0; k < n; k++) {
    const uint32_t bits = model_float_to_bits(x[k]) & 0x7FFFFFFFu;
    largest = bits > largest ? bits : largest;
  }
  d = model_bits_to_float(largest) / 127.0f;
  inverse = 127.0f / model_bits_to_float(largest);
  if (largest >= 0x7F800000u) {
    d = NAN;
    inverse = 0;
  } else if (largest == 0 || inverse > FLT_MAX) {
    d = inverse = 0;
  }
  a->d[base / a->block + k0 / a->block * c + cell] = d;
  for (uint32_t k = 0; k < a->block; k++) {
    const uint64_t at = base + (k0 + k) / 4 * 4 * c + 4 * cell + k % 4;
    a->q[at] = k < n && inverse > 0 ? (int8_t)lrintf(x[k] * inverse) : 0;
  }
}

static void
sum_row(ModelActivations *a, uint64_t tile, uint32_t c, uint32_t cell)
{
  const uint64_t base = 6 * tile * a->columns;

  for (uint64_t k = 0; k < a->columns; k += 16) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < 16; i++) {
      sum += a->q[base + (k + i) / 4 * 4 * c + 4 * cell + i % 4];
    }
    if (a->block == 32) {
      int32_t *to = a->sums + base / 32 + k / 32 * c + cell;
      *to = k % 32 == 0 ? sum : *to + sum;
    } else {
      int16_t *to = a->pairs + base / 32 + (k / 64 * c + cell) * 2 + k / 32 % 2;
      *to = (int16_t)(k % 32 == 0 ? sum : *to + sum);
      a->sums16[base / 16 + k / 16 * c + cell] = sum;
    }
  }
}

static void
quantize(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns, uint64_t first,
         uint64_t n)
{
  for (uint64_t tile = first; tile < first + n; tile++) {
    const uint64_t row = MODEL_TILE * tile;
    const uint32_t c = (uint32_t)(a->m - row < MODEL_TILE ? a->m - row : MODEL_TILE);
    for (uint32_t cell = 0; cell < c; cell++) {
      for (uint64_t k = 0; k < a->columns; k += a->block) {
        const uint64_t left = k < columns ? columns - k : 0;
        quantize_block(a, tile, c, cell, k, x + (row + cell) * stride + (left > 0 ? k : 0),
                       (uint32_t)(left < a->block ? left : a->block));
      }
      sum_row(a, tile, c, cell);
    }
  }
}

/* ---- products ------------------------------------------------------------------------------ */

/* Where a row of activations lies. */
typedef struct {
  uint64_t base, c, cell;
} Place;

static Place
place_of(const ModelActivations *x, uint64_t i)
{
  const uint64_t row = i / MODEL_TILE * MODEL_TILE;

  return (Place){row * x->columns, x->m - row < MODEL_TILE ? x->m - row : MODEL_TILE, i - row};
}

/* The sum of q_k (u_k - zero) over columns 4 FROM .. 4 TO - 1 of a block that begins at K0. */
static void
whole_sums(const ModelActivations *x, Place p, uint64_t k0, const ModelBlock *block, uint32_t from,
           uint32_t to, int32_t sums[16])
{
  memset(sums, 0, 16 * sizeof *sums);
  for (uint32_t u = from; u < to; u++) {
    const int8_t *q = x->q + p.base + (k0 / 4 + u) * 4 * p.c + 4 * p.cell;
    for (uint32_t row = 0; row < 16; row++) {
      for (uint32_t j = 0; j < 4; j++) {
        sums[row] += q[j] * ((int32_t)block->u[u][row][j] - block->zero);
      }
    }
  }
}

static void
narrow_unit(const ModelTensor *w, const uint8_t *unit, uint64_t k0, const ModelActivations *x,
            float *acc)
{
  ModelBlock block;
  int32_t sums[16];

  for (uint32_t b = 0; b < 2; b++, k0 += 32) {
    model_unpack_block(w->type, unit, b, &block);
    for (uint64_t i = 0; i < x->m; i++) {
      const Place p = place_of(x, i);
      const float dx = x->d[p.base / 32 + k0 / 32 * p.c + p.cell];
      whole_sums(x, p, k0, &block, 0, 8, sums);
      for (uint32_t row = 0; row < 16; row++) {
        acc[16 * i + row] = fmaf((float)sums[row], block.scale[0][row] * dx, acc[16 * i + row]);
      }
    }
  }
}

static void
wide_row(const ModelTensor *w, const ModelBlock blocks[8], uint64_t k0, const ModelActivations *x,
         uint64_t i, float *acc)
{
  const Place p = place_of(x, i);
  const float dx = x->d[p.base / 256 + k0 / 256 * p.c + p.cell];
  const uint32_t halves = w->type == MODEL_TYPE_PACKED_Q6_K ? 2 : 1;
  float t[16] = {0};
  int32_t sums[16], minima[16] = {0};

  for (uint32_t s = 0; s < 8; s++) {
    const int16_t sum = x->pairs[p.base / 32 + ((k0 / 64 + s / 2) * p.c + p.cell) * 2 + s % 2];
    for (uint32_t h = 0; h < halves; h++) {
      whole_sums(x, p, k0 + 32 * s, &blocks[s], 8 / halves * h, 8 / halves * (h + 1), sums);
      for (uint32_t row = 0; row < 16; row++) {
        t[row] = fmaf((float)sums[row], blocks[s].scale[h][row], t[row]);
      }
    }
    for (uint32_t row = 0; row < 16; row++) {
      minima[row] += blocks[s].m[row] * sum;
    }
  }
  for (uint32_t row = 0; row < 16; row++) {
    if (halves == 1) {
      t[row] = fmaf((float)minima[row], -blocks[0].dmin[row], t[row]);
    }
    acc[row] = fmaf(t[row], dx, acc[row]);
  }
}

static void
wide_unit(const ModelTensor *w, const uint8_t *unit, uint64_t k0, const ModelActivations *x,
          float *acc)
{
  ModelBlock blocks[8];

  for (uint32_t s = 0; s < 8; s++) {
    model_unpack_block(w->type, unit, s, &blocks[s]);
  }
  for (uint64_t i = 0; i < x->m; i++) {
    wide_row(w, blocks, k0, x, i, acc + 16 * i);
  }
}

static void
product(const ModelTensor *w, uint64_t first, uint64_t n, const ModelActivations *x,
        const float *bias, float *y, uint64_t y_stride, uint8_t *scratch)
{
  const uint64_t rows = model_tensor_rows(w), columns = model_tensor_columns(w);
  const uint32_t unit_columns = model_packed_unit_columns(w->type);
  const uint32_t unit_bytes = model_packed_unit_bytes(w->type);
  const uint64_t group_bytes = model_packed_group_bytes(w->type, columns);
  float *acc = (float *)(void *)scratch;

  assert(x->block == model_activation_block(w->type) && x->columns >= columns);
  assert(x->m * 16 * sizeof *acc <= MODEL_KERNEL_SCRATCH);
  for (uint64_t g = first; g < first + n; g++) {
    const uint64_t row0 = g * MODEL_GROUP_ROWS;
    const uint64_t n_rows = rows - row0 < MODEL_GROUP_ROWS ? rows - row0 : MODEL_GROUP_ROWS;
    memset(acc, 0, x->m * 16 * sizeof *acc);
    for (uint64_t k0 = 0; k0 < columns; k0 += unit_columns) {
      const uint8_t *unit = w->data + g * group_bytes + k0 / unit_columns * unit_bytes;
      if (unit_columns == 64) {
        narrow_unit(w, unit, k0, x, acc);
      } else {
        wide_unit(w, unit, k0, x, acc);
      }
    }
    for (uint64_t i = 0; i < x->m; i++) {
      for (uint64_t row = 0; row < n_rows; row++) {
        y[i * y_stride + row0 + row] =
            bias ? acc[16 * i + row] + bias[row0 + row] : acc[16 * i + row];
      }
    }
  }
}

const ModelKernels model_kernels_portable = {"portable", quantize, product};
