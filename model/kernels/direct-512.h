/* direct-512.h - products straight from the packed bytes, for one or two tiles of activations: a
 * group is read once, in one stream, and unpacked in registers. For decoding, where memory is the
 * limit, and for few rows. Private to model/kernels; a part of product-512.h. */
#ifndef HILUM_MODEL_DIRECT_512_H
#define HILUM_MODEL_DIRECT_512_H

#include "kernels/lanes-512.h"

enum {
  DIRECT_TILES = 2,
  AHEAD = 8192, /* bytes that memory is asked for before they are needed */
};

/* What comes AHEAD bytes later in the stream of packed weights. */
INLINE void
ask_for(const uint8_t *p, uint32_t n)
{
#pragma GCC unroll 9
  for (uint32_t i = 0; i < n; i += 64) {
    _mm_prefetch((const char *)p + AHEAD + i, _MM_HINT_T0);
  }
}

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
      ask_for(group + (uint32_t)s * block_bytes(type), block_bytes(type) + 64u * (s == 0));
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

  ask_for(block, block_bytes(type));

#pragma GCC unroll 2
  for (int part = 0; part < parts; part++) {
    const __m512 dw = scale(type, d, sc + 16 * part);
    forget();
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
  _Alignas(64) int16_t mins[4][32];

  memset(out, 0, sizeof(float) * 16 * (uint32_t)(a + b));
  for (uint64_t u = 0; u < units; u++, group += unit_bytes(type)) {
    const __m512 d = halves(group);
    const uint8_t *sc = has_mins(type) ? scales : group + 64;

    ask_for(group, head_bytes(type));
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
          sum = dot_pairs(sum, line(mins[p]), broadcast(pairs + 2 * p * (i < a ? a : b)));
        }
        t[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), negative(halves(group + 32)), t[i]);
      }
      _mm512_store_ps(out + 16 * i,
                      _mm512_fmadd_ps(t[i], _mm512_set1_ps(i < a ? ta.d[i] : tb.d[i - a]),
                                      _mm512_load_ps(out + 16 * i)));
    }
    forget();
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

#endif
