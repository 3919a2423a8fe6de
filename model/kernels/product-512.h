/* product-512.h - products of packed weights on registers of 512 bits. Private to model/kernels:
 * product-vnni.c and product-avx512.c include it, each with its own dot products of bytes
 * (dot_two, dot_pairs) and with what those see of Q8_0 (DOT_Q8_0_OFFSET). */
#ifndef HILUM_MODEL_PRODUCT_512_H
#define HILUM_MODEL_PRODUCT_512_H

#include <assert.h>

#include "kernels/direct-512.h"
#include "kernels/panel-512.h"

/* Up to so many tiles, a second and third look at a group that is still in the caches costs less
 * than unpacking it to memory. */
enum { DIRECT_MOST = 6 };

typedef struct {
  ModelType type;
  const uint8_t *data;
  uint64_t rows, unit_bytes, units; /* units: of a group */
  const ModelActivations *x;
  const float *bias;
  float *y;
  uint64_t y_stride;
} Product;

static void
make_start(ModelType type, const int32_t *sums, uint64_t n, int32_t *start)
{
  const int32_t by = -offset(type);

  for (uint64_t i = 0; i < n; i++) {
    start[i] = by * sums[i];
  }
}

/* Rows of tile T. */
static int
tile_rows(const ModelActivations *x, uint64_t t)
{
  return x->m - TILE * t < TILE ? (int)(x->m - TILE * t) : TILE;
}

/* The sums of q that TYPE needs, and their number per 32 columns. */
static const int32_t *
sums_of(ModelType type, const ModelActivations *x, uint64_t *per_block)
{
  *per_block = is_block32(type) ? 1 : 2;
  return is_block32(type) ? x->sums : x->sums16;
}

/* Tile T from block B of 32 columns on; start is left. */
static Tile
tile_at(const Product *p, uint64_t t, uint64_t b)
{
  const ModelActivations *x = p->x;
  const uint64_t first = TILE * t * x->columns, c = (uint64_t)tile_rows(x, t);

  return (Tile){.q = x->q + first + 32 * b * c,
                .d = x->d + first / x->block + 32 * b / x->block * c,
                .pairs = x->block == 32 ? NULL : x->pairs + first / 32 + b * c};
}

static void
write_rows(const Product *p, uint64_t group, uint64_t token, const float *acc)
{
  const uint64_t row = 16 * group;
  const __mmask16 mask =
      p->rows - row < 16 ? (__mmask16)((1u << (p->rows - row)) - 1) : (__mmask16)0xFFFF;
  __m512 y = _mm512_load_ps(acc);

  if (p->bias) {
    y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, p->bias + row));
  }
  _mm512_mask_storeu_ps(p->y + token * p->y_stride + row, mask, y);
}

/* Groups FIRST .. FIRST + N - 1 directly, for tiles T .. T + TILES - 1. */
static void
product_direct(const Product *p, uint64_t first, uint64_t n, uint64_t t, uint64_t tiles,
               int32_t *start)
{
  const Direct *kernels = direct_of(p->type);
  const uint64_t blocks = p->x->columns / 32, left = p->x->m - TILE * t;
  const uint64_t rows = left < TILE * tiles ? left : TILE * tiles;
  uint64_t per_block = 1;

  if (offset(p->type) != 0) {
    const int32_t *sums = sums_of(p->type, p->x, &per_block);
    make_start(p->type, sums + TILE * t * blocks * per_block, rows * blocks * per_block, start);
  }
  for (uint64_t g = first; g < first + n; g++) {
    for (uint64_t i = 0; i < tiles; i += DIRECT_TILES) {
      const uint64_t c =
          rows - TILE * i < DIRECT_TILES * TILE ? rows - TILE * i : DIRECT_TILES * TILE;
      _Alignas(64) float acc[DIRECT_TILES * TILE][16];
      Tile pair[DIRECT_TILES] = {tile_at(p, t + i, 0)};

      if (c > TILE) {
        pair[1] = tile_at(p, t + i + 1, 0);
      }
      /* Where no start is needed, it is moved along and never read. */
      pair[0].start = start + TILE * i * blocks * per_block;
      pair[1].start = pair[0].start + TILE * blocks * per_block;
      kernels[c - 1](p->data + g * p->units * p->unit_bytes, p->units, pair, acc[0]);
      for (uint64_t k = 0; k < c; k++) {
        write_rows(p, g, TILE * (t + i) + k, acc[k]);
      }
    }
  }
}

/* Blocks B .. B + N - 1 of a set of SET panels, for TILES tiles from T on. */
static void
panel_pass(const Product *p, uint64_t group, uint64_t set, uint64_t t, uint64_t tiles, uint64_t b,
           uint32_t n, Scratch *scratch)
{
  const PanelKernel *kernels = panel_of(p->type);
  const uint32_t unit = unit_blocks(p->type);
  const int last = tile_rows(p->x, t + tiles - 1);
  const uint64_t stride = p->units * p->unit_bytes, n_bytes = n / unit * p->unit_bytes;
  const uint32_t per = (uint32_t)((n_bytes / 64 + tiles * n - 1) / (tiles * n));

  if (offset(p->type) != 0) {
    uint64_t per_block;
    const int32_t *sums = sums_of(p->type, p->x, &per_block);
    for (uint64_t i = 0; i < tiles; i++) {
      const uint64_t c = (uint64_t)tile_rows(p->x, t + i);
      make_start(p->type, sums + (TILE * (t + i) * (p->x->columns / 32) + b * c) * per_block,
                 n * c * per_block, scratch->start[i]);
    }
  }
  for (uint64_t s = 0; s < set; s++) {
    const uint8_t *piece = p->data + ((group + 2 * s) * p->units + b / unit) * p->unit_bytes;
    const uint8_t *next = s + 1 < set ? piece + 2 * stride : piece - 2 * s * stride + n_bytes;
    Sweep sweep = {.panel = &scratch->panel,
                   .blocks = n,
                   .x_columns = p->x->columns,
                   .tile = tile_at(p, t, b),
                   .ahead = {next, next + n_bytes, stride, per},
                   .out = scratch->acc[s]};

    expand_group(p->type, piece, n / unit, &scratch->panel, 0);
    expand_group(p->type, piece + stride, n / unit, &scratch->panel, 1);
    sweep.tile.start = scratch->start[0];
    sweep.tiles = tiles - (last < TILE);
    kernels[TILE - 1](&sweep);
    if (last < TILE) {
      sweep.tile = tile_at(p, t + tiles - 1, b);
      sweep.tile.start = scratch->start[tiles - 1];
      sweep.out += TILE * sweep.tiles;
      sweep.tiles = 1;
      kernels[last - 1](&sweep);
    }
  }
}

/* Groups GROUP .. GROUP + 2 SET - 1 for TILES tiles from T on. */
static void
product_set(const Product *p, uint64_t group, uint64_t set, uint64_t t, uint64_t tiles,
            Scratch *scratch)
{
  const uint64_t blocks = p->units * unit_blocks(p->type), left = p->x->m - TILE * t;
  const uint64_t rows = left < TILE * tiles ? left : TILE * tiles;

  for (uint64_t s = 0; s < set; s++) {
    memset(scratch->acc[s], 0, rows * sizeof scratch->acc[s][0]);
  }
  for (uint64_t b = 0; b < blocks; b += PANEL_BLOCKS) {
    const uint64_t n = blocks - b < PANEL_BLOCKS ? blocks - b : PANEL_BLOCKS;
    panel_pass(p, group, set, t, tiles, b, (uint32_t)n, scratch);
  }
  for (uint64_t i = 0; i < rows; i++) {
    for (uint64_t s = 0; s < set; s++) {
      write_rows(p, group + 2 * s, TILE * t + i, scratch->acc[s][i][0]);
      write_rows(p, group + 2 * s + 1, TILE * t + i, scratch->acc[s][i][1]);
    }
  }
}

static void
product(const ModelTensor *w, uint64_t first, uint64_t n, const ModelActivations *x,
        const float *bias, float *y, uint64_t y_stride, uint8_t *scratch)
{
  const uint64_t tiles = (x->m + TILE - 1) / TILE;
  const uint64_t passes = (tiles + PANEL_TILES - 1) / PANEL_TILES;
  const uint64_t pairs = tiles > DIRECT_MOST ? n / 2 : 0;
  const uint32_t unit_columns = model_packed_unit_columns(w->type);
  Product p = {.type = w->type,
               .data = w->data,
               .rows = model_tensor_rows(w),
               .unit_bytes = model_packed_unit_bytes(w->type),
               .units = (model_tensor_columns(w) + unit_columns - 1) / unit_columns,
               .x = x,
               .bias = bias,
               .y = y,
               .y_stride = y_stride};

  assert(x->block == model_activation_block(w->type));
  assert(x->columns >= p.units * unit_columns);
  assert(x->columns / 16 * DIRECT_MOST * TILE * sizeof(int32_t) <= MODEL_KERNEL_SCRATCH);
  for (uint64_t i = 0; i < passes; i++) {
    const uint64_t t = tiles * i / passes, end = tiles * (i + 1) / passes;
    for (uint64_t pair = 0; pair < pairs; pair += PANEL_SET) {
      product_set(&p, first + 2 * pair, pairs - pair < PANEL_SET ? pairs - pair : PANEL_SET, t,
                  end - t, (Scratch *)(void *)scratch);
    }
  }
  if (n > 2 * pairs) {
    for (uint64_t t = 0; t < tiles; t += DIRECT_MOST) {
      product_direct(&p, first + 2 * pairs, n - 2 * pairs, t,
                     tiles - t < DIRECT_MOST ? tiles - t : DIRECT_MOST, (int32_t *)(void *)scratch);
    }
  }
}

#endif
