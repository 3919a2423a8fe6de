/* product-512.h - products of packed weights on registers of 512 bits. Private to model/kernels:
 * product-vnni.c and product-avx512.c include it, each with its own dot products of bytes
 * (dot_two, dot_pairs) and with what those see of Q8_0 (DOT_Q8_0_OFFSET).
 *
 * Two ways through a matrix:
 * - directly, for up to two tiles of activations: each group is read once, in one stream, and its
 *   bytes are unpacked in registers. For decoding, where memory is the limit.
 * - by panels of two groups and 512 columns that are unpacked once into the first level cache and
 *   meet all tiles there. For prefill, where the dot products are the limit: 2 x 6 sums in
 *   registers take 2 + 6 loads for 12 dot products.
 */
#ifndef HILUM_MODEL_PRODUCT_512_H
#define HILUM_MODEL_PRODUCT_512_H

#include "kernels/lanes-512.h"

enum {
  TILE = MODEL_TILE,
  DIRECT_TILES = 2,
  PANEL_BLOCKS = 16, /* of 32 columns */
  PANEL_TILES = 128, /* the most tiles that go through a panel: their part stays in level two */
  PANEL_SET = 4,     /* panels that share a pass over the activations */
};

/* How far u, as the dot products see it, lies above the weight's integer. */
INLINE int32_t
offset(ModelType type)
{
  return type == MODEL_TYPE_PACKED_Q8_0   ? DOT_Q8_0_OFFSET
         : type == MODEL_TYPE_PACKED_Q4_0 ? 8
         : type == MODEL_TYPE_PACKED_Q6_K ? 32
                                          : 0;
}

/* Tile of activations, from some column on. start: what the sums of each block of 32 (Q6_K: 16)
 * start from, [block][c]. */
typedef struct {
  const int8_t *q;
  const float *d;
  const int32_t *start;
  const int16_t *pairs;
} Tile;

static void
make_start(ModelType type, const int32_t *sums, uint64_t n, int32_t *start)
{
  const int32_t by = -offset(type);

  for (uint64_t i = 0; i < n; i++) {
    start[i] = by * sums[i];
  }
}

INLINE __m512i
start_of(ModelType type, const int32_t *start)
{
  return offset(type) == 0 ? _mm512_setzero_si512() : broadcast(start);
}

/* ---- directly ----------------------------------------------------------------------------- */

/* sums[i] += dots of columns FIRST .. LAST - 1 (in fours, an even number) of one block. The 2 tiles
 * have A and B rows of activations. */
INLINE void
direct_dots(ModelType type, int a, int b, const uint8_t *block, int first, int last,
            const int8_t *qa, const int8_t *qb, __m512i *sums)
{
  const int pairs = (last - first) / 2;

#pragma GCC unroll 4
  for (int j = 0; j < pairs; j++) {
    /* Low and high halves of the same lines together; halves of a block have but one of them. */
    const int k = pairs == 4 ? j : first + 2 * j, l = pairs == 4 ? j + 4 : k + 1;
    const __m512i wk = columns(type, block, k), wl = columns(type, block, l);
#pragma GCC unroll 6
    for (int i = 0; i < a; i++) {
      sums[i] = dot_two(type, sums[i], wk, broadcast(qa + 4 * (k * a + i)), wl,
                        broadcast(qa + 4 * (l * a + i)));
    }
#pragma GCC unroll 6
    for (int i = 0; i < b; i++) {
      sums[a + i] = dot_two(type, sums[a + i], wk, broadcast(qb + 4 * (k * b + i)), wl,
                            broadcast(qb + 4 * (l * b + i)));
    }
  }
}

INLINE void
direct_block32(ModelType type, int a, int b, const uint8_t *group, uint64_t units,
               const Tile *tiles, float *out)
{
  Tile ta = tiles[0], tb = tiles[1];
  __m512 acc[DIRECT_TILES * TILE];
  __m512i sums[DIRECT_TILES * TILE];

#pragma GCC unroll 12
  for (int i = 0; i < a + b; i++) {
    acc[i] = _mm512_setzero_ps();
  }
  for (uint64_t u = 0; u < units; u++, group += unit_bytes(type)) {
    for (int s = 0; s < 2; s++) {
      const __m512 dw = halves(group + 32 * s);
#pragma GCC unroll 12
      for (int i = 0; i < a + b; i++) {
        sums[i] = start_of(type, i < a ? ta.start + i : tb.start + (i - a));
      }
      direct_dots(type, a, b, group + head_bytes(type) + (uint32_t)s * block_bytes(type), 0, 8,
                  ta.q, tb.q, sums);
#pragma GCC unroll 12
      for (int i = 0; i < a + b; i++) {
        const __m512 dx = _mm512_set1_ps(i < a ? ta.d[i] : tb.d[i - a]);
        acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[i]), _mm512_mul_ps(dw, dx), acc[i]);
      }
      ta.q += 32 * a, ta.d += a, ta.start += a;
      tb.q += 32 * b, tb.d += b, tb.start += b;
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < a + b; i++) {
    _mm512_store_ps(out + 16 * i, acc[i]);
  }
}

/* One block of 32 columns of a unit of 256: t += float(sums) * (d * sc). */
INLINE void
direct_block256(ModelType type, int a, int b, const uint8_t *block, __m512 d, const uint8_t *sc,
                const Tile *ta, const Tile *tb, __m512 *t)
{
  const int parts = has_mins(type) ? 1 : 2;
  __m512i sums[DIRECT_TILES * TILE];

#pragma GCC unroll 2
  for (int part = 0; part < parts; part++) {
    const __m512 dw = scale(type, d, sc + 16 * part);
#pragma GCC unroll 12
    for (int i = 0; i < a + b; i++) {
      sums[i] = start_of(type, i < a ? ta->start + part * a + i : tb->start + part * b + (i - a));
    }
    direct_dots(type, a, b, block, 8 / parts * part, 8 / parts * (part + 1), ta->q, tb->q, sums);
#pragma GCC unroll 12
    for (int i = 0; i < a + b; i++) {
      t[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[i]), dw, t[i]);
    }
  }
}

INLINE void
direct_unit256(ModelType type, int a, int b, const uint8_t *group, uint64_t units,
               const Tile *tiles, float *out)
{
  Tile ta = tiles[0], tb = tiles[1];
  __m512 t[DIRECT_TILES * TILE];
  _Alignas(64) uint8_t scales[128];
  __m512i mins[4];

  memset(out, 0, sizeof(float) * 16 * (uint32_t)(a + b));
  for (uint64_t u = 0; u < units; u++, group += unit_bytes(type)) {
    const __m512 d = halves(group);
    const uint8_t *sc = has_mins(type) ? scales : group + 64;

    if (has_mins(type)) {
      read_scales(group, scales, mins);
    }
#pragma GCC unroll 12
    for (int i = 0; i < a + b; i++) {
      t[i] = _mm512_setzero_ps();
    }
    for (uint32_t s = 0; s < 8; s++) {
      direct_block256(type, a, b, group + head_bytes(type) + s * block_bytes(type), d, sc, &ta, &tb,
                      t);
      sc += has_mins(type) ? 16 : 32;
      ta.q += 32 * a, ta.start += 2 * a;
      tb.q += 32 * b, tb.start += 2 * b;
    }
#pragma GCC unroll 12
    for (int i = 0; i < a + b; i++) {
      if (has_mins(type)) {
        const int16_t *pairs = i < a ? ta.pairs + 2 * i : tb.pairs + 2 * (i - a);
        __m512i sum = _mm512_setzero_si512();
        for (int p = 0; p < 4; p++) {
          sum = dot_pairs(sum, mins[p], broadcast(pairs + 2 * p * (i < a ? a : b)));
        }
        t[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), negative(halves(group + 32)), t[i]);
      }
      _mm512_store_ps(out + 16 * i,
                      _mm512_fmadd_ps(t[i], _mm512_set1_ps(i < a ? ta.d[i] : tb.d[i - a]),
                                      _mm512_load_ps(out + 16 * i)));
    }
    ta.pairs += 8 * a, ta.d += a;
    tb.pairs += 8 * b, tb.d += b;
  }
}

typedef void (*Direct)(const uint8_t *group, uint64_t units, const Tile *tiles, float *out);

#define DIRECT(kind, a, b)                                                                         \
  static void direct_##kind##_##a##_##b(const uint8_t *group, uint64_t units, const Tile *tiles,   \
                                        float *out)                                                \
  {                                                                                                \
    if (is_block32(MODEL_TYPE_PACKED_##kind)) {                                                    \
      direct_block32(MODEL_TYPE_PACKED_##kind, a, b, group, units, tiles, out);                    \
    } else {                                                                                       \
      direct_unit256(MODEL_TYPE_PACKED_##kind, a, b, group, units, tiles, out);                    \
    }                                                                                              \
  }
#define DIRECT_ALL(kind)                                                                           \
  DIRECT(kind, 1, 0)                                                                               \
  DIRECT(kind, 2, 0)                                                                               \
  DIRECT(kind, 3, 0)                                                                               \
  DIRECT(kind, 4, 0)                                                                               \
  DIRECT(kind, 5, 0)                                                                               \
  DIRECT(kind, 6, 0)                                                                               \
  DIRECT(kind, 6, 1)                                                                               \
  DIRECT(kind, 6, 2)                                                                               \
  DIRECT(kind, 6, 3)                                                                               \
  DIRECT(kind, 6, 4)                                                                               \
  DIRECT(kind, 6, 5)                                                                               \
  DIRECT(kind, 6, 6)                                                                               \
  static const Direct direct_##kind[DIRECT_TILES * TILE] = {                                       \
      direct_##kind##_1_0, direct_##kind##_2_0, direct_##kind##_3_0, direct_##kind##_4_0,          \
      direct_##kind##_5_0, direct_##kind##_6_0, direct_##kind##_6_1, direct_##kind##_6_2,          \
      direct_##kind##_6_3, direct_##kind##_6_4, direct_##kind##_6_5, direct_##kind##_6_6};

DIRECT_ALL(Q8_0)
DIRECT_ALL(Q4_0)
DIRECT_ALL(Q4_K)
DIRECT_ALL(Q5_K)
DIRECT_ALL(Q6_K)

static const Direct *
direct_of(ModelType type)
{
  return type == MODEL_TYPE_PACKED_Q8_0   ? direct_Q8_0
         : type == MODEL_TYPE_PACKED_Q4_0 ? direct_Q4_0
         : type == MODEL_TYPE_PACKED_Q4_K ? direct_Q4_K
         : type == MODEL_TYPE_PACKED_Q5_K ? direct_Q5_K
                                          : direct_Q6_K;
}

/* ---- by panels ---------------------------------------------------------------------------- */

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
  _Alignas(64) int32_t start[PANEL_TILES][2 * PANEL_BLOCKS * TILE];
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
      __m512i mins[4];
      read_scales(group, scales, mins);
      for (int p = 0; p < 4; p++) {
        _mm512_store_si512(panel->mins[u][p][half], mins[p]);
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

INLINE void
panel_block32(ModelType type, int c, const Panel *panel, uint32_t blocks, Tile tile,
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

/* The end of a unit of 256: the mins, and t into the sums of all blocks. */
INLINE void
panel_close(ModelType type, int c, const Panel *panel, uint32_t u, const Tile *tile,
            __m512 t[2][TILE], float (*out)[2][16])
{
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
#pragma GCC unroll 6
    for (int i = 0; i < c; i++) {
      __m512i sum = _mm512_setzero_si512();
      if (has_mins(type)) {
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++) {
          sum = dot_pairs(sum, line(panel->mins[u][p][half]),
                          broadcast(tile->pairs + 2 * (p * c + i)));
        }
        t[half][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_load_ps(panel->dmin[u][half]),
                                     t[half][i]);
      }
      _mm512_store_ps(out[i][half], _mm512_fmadd_ps(t[half][i], _mm512_set1_ps(tile->d[i]),
                                                    _mm512_load_ps(out[i][half])));
    }
  }
}

INLINE void
panel_unit256(ModelType type, int c, const Panel *panel, uint32_t blocks, Tile tile,
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
    panel_close(type, c, panel, u, &tile, t, out);
    tile.pairs += 8 * c, tile.d += c;
  }
}

typedef void (*PanelKernel)(const Panel *panel, uint32_t blocks, Tile tile, float (*out)[2][16]);

#define PANEL(form, kind, c)                                                                       \
  static void panel_##kind##_##c(const Panel *panel, uint32_t blocks, Tile tile,                   \
                                 float(*out)[2][16])                                               \
  {                                                                                                \
    panel_##form(MODEL_TYPE_PACKED_##kind, c, panel, blocks, tile, out);                           \
  }
#define PANEL_ALL(form, kind)                                                                      \
  PANEL(form, kind, 1)                                                                             \
  PANEL(form, kind, 2)                                                                             \
  PANEL(form, kind, 3)                                                                             \
  PANEL(form, kind, 4)                                                                             \
  PANEL(form, kind, 5)                                                                             \
  PANEL(form, kind, 6)                                                                             \
  static const PanelKernel panel_##kind[TILE] = {panel_##kind##_1, panel_##kind##_2,               \
                                                 panel_##kind##_3, panel_##kind##_4,               \
                                                 panel_##kind##_5, panel_##kind##_6};

PANEL_ALL(block32, Q8_0)
PANEL_ALL(block32, Q4_0)
PANEL_ALL(unit256, Q4_K)
PANEL_ALL(unit256, Q6_K)

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

/* ---- a whole product ---------------------------------------------------------------------- */

typedef struct {
  ModelType type;
  const uint8_t *data;
  uint64_t rows, unit_bytes, units; /* units: of a group */
  const ModelActivations *x;
  const float *bias;
  float *y;
  uint64_t y_stride;
} Product;

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

/* Groups FIRST .. FIRST + N - 1 directly, for tiles T and T + 1. */
static void
product_direct(const Product *p, uint64_t first, uint64_t n, uint64_t t, int32_t *start)
{
  const uint64_t blocks = p->x->columns / 32, left = p->x->m - TILE * t;
  const uint64_t rows = left < DIRECT_TILES * TILE ? left : DIRECT_TILES * TILE;
  const Direct kernel = direct_of(p->type)[rows - 1];
  _Alignas(64) float acc[DIRECT_TILES * TILE][16];
  Tile tiles[DIRECT_TILES] = {tile_at(p, t, 0)};

  if (rows > TILE) {
    tiles[1] = tile_at(p, t + 1, 0);
  }
  if (offset(p->type) != 0) {
    uint64_t per_block;
    const int32_t *sums = sums_of(p->type, p->x, &per_block);
    make_start(p->type, sums + TILE * t * blocks * per_block, rows * blocks * per_block, start);
    tiles[0].start = start;
    tiles[1].start = start + TILE * blocks * per_block;
  } else {
    tiles[0].start = tiles[1].start = start; /* moved along, never read */
  }
  for (uint64_t g = first; g < first + n; g++) {
    kernel(p->data + g * p->units * p->unit_bytes, p->units, tiles, acc[0]);
    for (uint64_t i = 0; i < rows; i++) {
      write_rows(p, g, TILE * t + i, acc[i]);
    }
  }
}

/* Blocks B .. B + N - 1 of a set of SET panels, for TILES tiles from T on. */
static void
panel_pass(const Product *p, uint64_t group, uint64_t set, uint64_t t, uint64_t tiles, uint64_t b,
           uint32_t n, Scratch *scratch)
{
  const PanelKernel *kernels = panel_of(p->type);
  const uint32_t unit = p->x->block == 32 ? 2 : 8;

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
    for (int half = 0; half < 2; half++) {
      const uint64_t g = group + 2 * s + (uint64_t)half;
      expand_group(p->type, p->data + (g * p->units + b / unit) * p->unit_bytes, n / unit,
                   &scratch->panel, half);
    }
    for (uint64_t i = 0; i < tiles; i++) {
      Tile tile = tile_at(p, t + i, b);
      tile.start = scratch->start[i];
      kernels[tile_rows(p->x, t + i) - 1](&scratch->panel, n, tile, &scratch->acc[s][TILE * i]);
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
  const uint64_t pairs = tiles > DIRECT_TILES ? n / 2 : 0;
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

  for (uint64_t i = 0; i < passes; i++) {
    const uint64_t t = tiles * i / passes, end = tiles * (i + 1) / passes;
    for (uint64_t pair = 0; pair < pairs; pair += PANEL_SET) {
      product_set(&p, first + 2 * pair, pairs - pair < PANEL_SET ? pairs - pair : PANEL_SET, t,
                  end - t, (Scratch *)(void *)scratch);
    }
  }
  for (uint64_t t = 0; n > 2 * pairs && t < tiles; t += DIRECT_TILES) {
    product_direct(&p, first + 2 * pairs, n - 2 * pairs, t, (int32_t *)(void *)scratch);
  }
}

#endif
