/* panel-512.h - products by panels: two groups and 512 columns are unpacked once into the first
 * level cache and meet all tiles of activations there. For prefill, where dot products are the
 * limit: 2 vectors of rows by 6 rows of activations are 12 sums in registers, and take 2 + 6 loads
 * for 12 dot products. Private to model/kernels; a part of product-512.h. */
#ifndef HILUM_MODEL_PANEL_512_H
#define HILUM_MODEL_PANEL_512_H

#include "kernels/lanes-512.h"

enum {
  PANEL_BLOCKS = 16, /* of 32 columns */
  PANEL_TILES = 128, /* the most tiles that go through a panel: their part stays in level two */
  PANEL_SET = 4,     /* panels that share a pass over the activations */
  START = 2 * PANEL_BLOCKS * TILE,
};

/* Packed weights that the next panel is made of, at P and P + STRIDE up to END: a panel's kernels
 * ask for PER lines of each with every block of 32 columns. */
typedef struct {
  const uint8_t *p, *end;
  uint64_t stride;
  uint32_t per;
} Ahead;

INLINE void
ask_ahead(Ahead *ahead)
{
  for (uint32_t i = 0; i < ahead->per && ahead->p < ahead->end; i++, ahead->p += 64) {
    _mm_prefetch((const char *)ahead->p, _MM_HINT_T1);
    _mm_prefetch((const char *)ahead->p + ahead->stride, _MM_HINT_T1);
  }
}

/* 32 rows by up to 512 columns. With 2 halves of 16 rows each: w [block][k][half], columns 4k ..
 * 4k + 3; scale [block][half], for Q6_K [block of 16 columns][half]; mins [unit][p][half]. */
typedef struct {
  _Alignas(64) uint8_t w[PANEL_BLOCKS][8][2][64];
  _Alignas(64) float scale[2 * PANEL_BLOCKS][2][16];
  _Alignas(64) int16_t mins[PANEL_BLOCKS / 8][4][2][32];
  _Alignas(64) float dmin[PANEL_BLOCKS / 8][2][16]; /* negative */
} Panel;

typedef struct {
  Panel panel;
  _Alignas(64) int32_t start[PANEL_TILES][START];
  _Alignas(64) float acc[PANEL_SET][PANEL_TILES * TILE][2][16];
} Scratch;

_Static_assert(sizeof(Scratch) <= MODEL_KERNEL_SCRATCH, "the kernels' scratch is too small");

/* Unpacks UNITS units of a group into one half of the panel. */
INLINE void
expand(ModelType type, const uint8_t *group, uint32_t units, Panel *panel, int half)
{
  for (uint32_t u = 0; u < units; u++, group += unit_bytes(type)) {
    _Alignas(64) uint8_t scales[128];
    const __m512 d = halves(group);
    const uint8_t *sc = has_mins(type) ? scales : group + 64;

    if (has_mins(type)) {
      _Alignas(64) int16_t mins[4][32];
      read_scales(group, scales, mins);
      for (int p = 0; p < 4; p++) {
        _mm512_store_si512(panel->mins[u][p][half], line(mins[p]));
      }
      _mm512_store_ps(panel->dmin[u][half], negative(halves(group + 32)));
    }
    for (uint32_t s = 0; s < unit_blocks(type); s++) {
      const uint32_t b = u * unit_blocks(type) + s;
      const uint8_t *block = group + head_bytes(type) + s * block_bytes(type);
#pragma GCC unroll 8
      for (int k = 0; k < 8; k++) {
        _mm512_store_si512(panel->w[b][k][half], columns(type, block, k));
      }
      if (is_block32(type)) {
        _mm512_store_ps(panel->scale[b][half], halves(group + 32 * s));
      } else if (has_mins(type)) {
        _mm512_store_ps(panel->scale[b][half], scale(type, d, sc + 16 * s));
      } else {
        _mm512_store_ps(panel->scale[2 * b][half], scale(type, d, sc + 32 * s));
        _mm512_store_ps(panel->scale[2 * b + 1][half], scale(type, d, sc + 32 * s + 16));
      }
    }
  }
}

/* sums[half][i] += dots of columns FIRST .. LAST - 1 (in fours) of one block. */
INLINE void
panel_dots(ModelType type, int c, const uint8_t (*w)[2][64], int first, int last, const int8_t *q,
           __m512i sums[2][TILE])
{
#pragma GCC unroll 4
  for (int k = first; k < last; k += 2) {
    const __m512i w00 = line(w[k][0]), w01 = line(w[k][1]);
    const __m512i w10 = line(w[k + 1][0]), w11 = line(w[k + 1][1]);
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      const __m512i x0 = broadcast(q + 4 * (k * c + i)), x1 = broadcast(q + 4 * ((k + 1) * c + i));
      sums[0][i] = dot_two(type, sums[0][i], w00, x0, w10, x1);
      sums[1][i] = dot_two(type, sums[1][i], w01, x0, w11, x1);
    }
  }
}

/* TILES tiles of the same number of rows, from TILE on, meet a panel; X_COLUMNS: of activations. */
typedef struct {
  const Panel *panel;
  uint32_t blocks;
  uint64_t tiles, x_columns;
  Tile tile;
  Ahead ahead;
  float (*out)[2][16];
} Sweep;

INLINE void
panel_block32(ModelType type, int c, const Panel *panel, uint32_t blocks, Tile tile, Ahead *ahead,
              float (*out)[2][16])
{
  __m512 acc[2][TILE];
  __m512i sums[2][TILE];

#pragma GCC unroll 6
  for (int i = 0; i < c; i++) {
    acc[0][i] = _mm512_load_ps(out[i][0]);
    acc[1][i] = _mm512_load_ps(out[i][1]);
  }
  for (uint32_t b = 0; b < blocks; b++) {
    ask_ahead(ahead);
    const __m512 d0 = _mm512_load_ps(panel->scale[b][0]), d1 = _mm512_load_ps(panel->scale[b][1]);
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      sums[0][i] = sums[1][i] = start_of(type, tile.start + i);
    }
    panel_dots(type, c, panel->w[b], 0, 8, tile.q, sums);
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      const __m512 dx = _mm512_set1_ps(tile.d[i]);
      acc[0][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[0][i]), _mm512_mul_ps(d0, dx), acc[0][i]);
      acc[1][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[1][i]), _mm512_mul_ps(d1, dx), acc[1][i]);
    }
    tile.q += 32 * c, tile.d += c, tile.start += c;
  }
#pragma GCC unroll 6
  for (int i = 0; i < c; i++) {
    _mm512_store_ps(out[i][0], acc[0][i]);
    _mm512_store_ps(out[i][1], acc[1][i]);
  }
}

/* t += float(sum of m_s (sum of q)) * -dmin */
INLINE void
panel_mins(int c, const Panel *panel, uint32_t u, const Tile *tile, __m512 t[2][TILE])
{
  const __m512 dmin0 = _mm512_load_ps(panel->dmin[u][0]), dmin1 = _mm512_load_ps(panel->dmin[u][1]);
  __m512i sums[2][TILE];

#pragma GCC unroll 6
  for (int i = 0; i < c; i++) {
    sums[0][i] = sums[1][i] = _mm512_setzero_si512();
  }
#pragma GCC unroll 4
  for (int p = 0; p < 4; p++) {
    const __m512i m0 = line(panel->mins[u][p][0]), m1 = line(panel->mins[u][p][1]);
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      const __m512i x = broadcast(tile->pairs + 2 * (p * c + i));
      sums[0][i] = dot_pairs(sums[0][i], m0, x);
      sums[1][i] = dot_pairs(sums[1][i], m1, x);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < c; i++) {
    t[0][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[0][i]), dmin0, t[0][i]);
    t[1][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[1][i]), dmin1, t[1][i]);
  }
}

INLINE void
panel_unit256(ModelType type, int c, const Panel *panel, uint32_t blocks, Tile tile, Ahead *ahead,
              float (*out)[2][16])
{
  const int parts = has_mins(type) ? 1 : 2;
  __m512 t[2][TILE];
  __m512i sums[2][TILE];

  for (uint32_t u = 0; u < blocks / 8; u++) {
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      t[0][i] = t[1][i] = _mm512_setzero_ps();
    }
    for (uint32_t b = 8 * u; b < 8 * u + 8; b++) {
      ask_ahead(ahead);
#pragma GCC unroll 2
      for (int part = 0; part < parts; part++) {
        const float(*d)[16] = panel->scale[(uint32_t)parts * b + (uint32_t)part];
#pragma GCC unroll 6
        for (int i = 0; i < c; i++) {
          sums[0][i] = sums[1][i] = start_of(type, tile.start + part * c + i);
        }
        panel_dots(type, c, panel->w[b], 8 / parts * part, 8 / parts * (part + 1), tile.q, sums);
#pragma GCC unroll 6
        for (int i = 0; i < c; i++) {
          t[0][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[0][i]), _mm512_load_ps(d[0]), t[0][i]);
          t[1][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[1][i]), _mm512_load_ps(d[1]), t[1][i]);
        }
      }
      tile.q += 32 * c, tile.start += 2 * c;
    }
    if (has_mins(type)) {
      panel_mins(c, panel, u, &tile, t);
    }
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      const __m512 dx = _mm512_set1_ps(tile.d[i]);
      _mm512_store_ps(out[i][0], _mm512_fmadd_ps(t[0][i], dx, _mm512_load_ps(out[i][0])));
      _mm512_store_ps(out[i][1], _mm512_fmadd_ps(t[1][i], dx, _mm512_load_ps(out[i][1])));
    }
    forget();
    tile.pairs += 8 * c, tile.d += c;
  }
}

typedef void (*PanelKernel)(Sweep *sweep);

INLINE void
sweep_panel(ModelType type, int c, Sweep *sweep)
{
  const uint32_t blocks = sweep->blocks;
  Tile tile = sweep->tile;
  Ahead ahead = sweep->ahead;
  float(*out)[2][16] = sweep->out;

  for (uint64_t i = 0; i < sweep->tiles; i++, out += c) {
    if (is_block32(type)) {
      panel_block32(type, c, sweep->panel, blocks, tile, &ahead, out);
    } else {
      panel_unit256(type, c, sweep->panel, blocks, tile, &ahead, out);
    }
    tile.q += TILE * sweep->x_columns;
    tile.d += TILE * sweep->x_columns / (is_block32(type) ? 32 : 256);
    tile.pairs += has_mins(type) ? TILE * sweep->x_columns / 32 : 0;
    tile.start += START;
  }
  sweep->ahead = ahead;
}

#define PANEL(kind, c)                                                                             \
  static void panel_##kind##_##c(Sweep *sweep)                                                     \
  {                                                                                                \
    sweep_panel(MODEL_TYPE_PACKED_##kind, c, sweep);                                               \
  }
#define PANEL_ALL(kind)                                                                            \
  PANEL(kind, 1)                                                                                   \
  PANEL(kind, 2)                                                                                   \
  PANEL(kind, 3)                                                                                   \
  PANEL(kind, 4)                                                                                   \
  PANEL(kind, 5)                                                                                   \
  PANEL(kind, 6)                                                                                   \
  static const PanelKernel panel_##kind[TILE] = {panel_##kind##_1, panel_##kind##_2,               \
                                                 panel_##kind##_3, panel_##kind##_4,               \
                                                 panel_##kind##_5, panel_##kind##_6};

PANEL_ALL(Q8_0)
PANEL_ALL(Q4_0)
PANEL_ALL(Q4_K)
PANEL_ALL(Q6_K)

/* An unpacked panel of Q5_K is one of Q4_K to the kernel. */
static const PanelKernel *
panel_of(ModelType type)
{
  return type == MODEL_TYPE_PACKED_Q8_0   ? panel_Q8_0
         : type == MODEL_TYPE_PACKED_Q4_0 ? panel_Q4_0
         : type == MODEL_TYPE_PACKED_Q6_K ? panel_Q6_K
                                          : panel_Q4_K;
}

static void
expand_group(ModelType type, const uint8_t *group, uint32_t units, Panel *panel, int half)
{
  switch (type) {
  case MODEL_TYPE_PACKED_Q8_0:
    expand(MODEL_TYPE_PACKED_Q8_0, group, units, panel, half);
    break;
  case MODEL_TYPE_PACKED_Q4_0:
    expand(MODEL_TYPE_PACKED_Q4_0, group, units, panel, half);
    break;
  case MODEL_TYPE_PACKED_Q4_K:
    expand(MODEL_TYPE_PACKED_Q4_K, group, units, panel, half);
    break;
  case MODEL_TYPE_PACKED_Q5_K:
    expand(MODEL_TYPE_PACKED_Q5_K, group, units, panel, half);
    break;
  default:
    expand(MODEL_TYPE_PACKED_Q6_K, group, units, panel, half);
  }
}

#endif
