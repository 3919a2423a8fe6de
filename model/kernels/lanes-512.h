/* lanes-512.h - packed weights in registers of 512 bits: a lane is a row. Private to
 * model/kernels: for the files that product-512.h is made of. */
#ifndef HILUM_MODEL_LANES_512_H
#define HILUM_MODEL_LANES_512_H

#include "kernels/packed.h"

#include <immintrin.h>
#include <string.h>

enum { TILE = MODEL_TILE };

#define INLINE static inline __attribute__((always_inline))

INLINE bool
has_mins(ModelType type)
{
  return type == MODEL_TYPE_PACKED_Q4_K || type == MODEL_TYPE_PACKED_Q5_K;
}

INLINE bool
is_block32(ModelType type)
{
  return type == MODEL_TYPE_PACKED_Q8_0 || type == MODEL_TYPE_PACKED_Q4_0;
}

/* Where the lines of block s of a unit start, and their number. */
INLINE uint32_t
head_bytes(ModelType type)
{
  return is_block32(type) ? 64 : has_mins(type) ? 256 : 320;
}

INLINE uint32_t
block_bytes(ModelType type)
{
  return type == MODEL_TYPE_PACKED_Q8_0   ? 512
         : type == MODEL_TYPE_PACKED_Q5_K ? 320
         : type == MODEL_TYPE_PACKED_Q6_K ? 384
                                          : 256;
}

INLINE uint32_t
unit_blocks(ModelType type)
{
  return is_block32(type) ? 2 : 8;
}

INLINE uint32_t
unit_bytes(ModelType type)
{
  return head_bytes(type) + unit_blocks(type) * block_bytes(type);
}

/* From here on the compiler takes what it needs from memory again, where it would otherwise keep so
 * much in registers that they run out and the sums are what goes to memory. */
INLINE void
forget(void)
{
  __asm__ volatile("" ::: "memory");
}

INLINE __m512i
line(const void *p)
{
  return _mm512_load_si512(p);
}

INLINE __m512i
broadcast(const void *p)
{
  int32_t value;

  memcpy(&value, p, sizeof value);
  return _mm512_set1_epi32(value);
}

/* Shifts bits across bytes: for bits that a mask keeps inside of theirs. */
INLINE __m512i
shift_left(__m512i a, int by)
{
  return by > 0   ? _mm512_slli_epi16(a, (unsigned)by)
         : by < 0 ? _mm512_srli_epi16(a, (unsigned)-by)
                  : a;
}

/* a | (b & mask) */
INLINE __m512i
join(__m512i a, __m512i b, int mask)
{
  return _mm512_ternarylogic_epi32(a, b, _mm512_set1_epi8((char)mask), 0xF8);
}

/* u of columns 4k .. 4k + 3 of a block of 32 whose lines start at BLOCK. */
INLINE __m512i
columns(ModelType type, const uint8_t *block, int k)
{
  __m512i u;

  if (type == MODEL_TYPE_PACKED_Q8_0) {
    return line(block + 64 * k);
  }
  u = _mm512_and_si512(shift_left(line(block + 64 * (k & 3)), k < 4 ? 0 : -4),
                       _mm512_set1_epi8(15));
  if (type == MODEL_TYPE_PACKED_Q5_K) {
    u = join(u, shift_left(line(block + 256), 4 - k), 0x10);
  }
  if (type == MODEL_TYPE_PACKED_Q6_K) {
    u = join(u, shift_left(line(block + 256 + 64 * (k >> 2)), 4 - 2 * (k & 3)), 0x30);
  }
  return u;
}

/* d of 16 rows, or dmin. */
INLINE __m512
halves(const uint8_t *p)
{
  return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(const void *)p));
}

/* sc[16 s][16 rows] of a unit of Q4_K or Q5_K, and its mins[s / 2][row][s % 2]. */
INLINE void
read_scales(const uint8_t *unit, uint8_t sc[128], int16_t mins[4][32])
{
  const __m512i low = _mm512_set1_epi8(15), l1 = line(unit + 64), l2 = line(unit + 128);
  const __m512i h = line(unit + 192);
  __m512i a, b;

  a = join(_mm512_and_si512(l1, low), _mm512_slli_epi16(h, 4), 0x30);
  b = join(_mm512_and_si512(_mm512_srli_epi16(l1, 4), low), _mm512_slli_epi16(h, 2), 0x30);
  _mm512_store_si512(sc, a);
  _mm512_store_si512(sc + 64, b);
  a = join(_mm512_and_si512(l2, low), h, 0x30);
  b = join(_mm512_and_si512(_mm512_srli_epi16(l2, 4), low), _mm512_srli_epi16(h, 2), 0x30);
  _mm512_store_si512(mins[0], _mm512_cvtepu8_epi16(_mm512_castsi512_si256(a)));
  _mm512_store_si512(mins[1], _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(a, 1)));
  _mm512_store_si512(mins[2], _mm512_cvtepu8_epi16(_mm512_castsi512_si256(b)));
  _mm512_store_si512(mins[3], _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(b, 1)));
}

/* d * sc for 16 rows; sc unsigned (Q4_K, Q5_K) or signed (Q6_K). Exact in float32. */
INLINE __m512
scale(ModelType type, __m512 d, const uint8_t *sc)
{
  const __m128i bytes = _mm_load_si128((const __m128i *)(const void *)sc);

  return _mm512_mul_ps(d, _mm512_cvtepi32_ps(has_mins(type) ? _mm512_cvtepu8_epi32(bytes)
                                                            : _mm512_cvtepi8_epi32(bytes)));
}

INLINE __m512
negative(__m512 a)
{
  return _mm512_castsi512_ps(
      _mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
}

/* ---- activations --------------------------------------------------------------------------- */

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

INLINE __m512i
start_of(ModelType type, const int32_t *start)
{
  return offset(type) == 0 ? _mm512_setzero_si512() : broadcast(start);
}

#endif
