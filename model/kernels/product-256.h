/* product-256.h - the products of packed.h with registers of 256 bits: the body of product-avx2.c
 * and product-avxvnni.c. They define TARGET, their functions' target attribute, and DOT: 1 for
 * VPDPBUSD, four products a lane into 32 bits, 0 for VPMADDUBSW, two into 16 bits.
 *
 * Up to three rows of activations by the 16 rows of a group are in registers at a time. In an
 * expanded unit the columns are u, in Q8_0 without DOT u - 128; the head's lines hold 16 numbers:
 *   Q8_0, Q4_0   d of each block (float)
 *   Q4_K, Q5_K   8 of d sc_s (float), 4 of m_2p and m_(2p+1) (int16, pairs), dmin (float)
 *   Q6_K         16 of d sc_t (float) */
#include <immintrin.h>
#include <string.h>

#include "kernels/quantize.h"
#include "kernels/source.h"

#define INLINE static inline __attribute__((always_inline)) TARGET
/* Left alone, the compiler adds in trees, and has no register free any more. */
#define KEEP(sum) __asm__("" : "+x"(sum))
/* Bytes that weights are fetched ahead of their use. Without, some processors' own guess loses its
 * way in the larger units, and two thirds of the memory's speed. */
#define AHEAD 8192u
#define MOST 3 /* rows of activations at a time */

INLINE void
fetch_ahead(Source from, const uint8_t *unit)
{
  for (uint32_t i = 0; i < unit_bytes(from); i += LINE) {
    _mm_prefetch((const char *)unit + AHEAD + i, _MM_HINT_T0);
  }
}

INLINE __m256i
load(const uint8_t *p)
{
  return _mm256_load_si256((const __m256i *)(const void *)p);
}

/* MASK of each byte, moved from bit FROM to bit TO. */
INLINE __m256i
bits(__m256i bytes, int mask, int from, int to)
{
  const __m256i kept = _mm256_and_si256(bytes, _mm256_set1_epi8((char)(mask << from)));

  return from > to ? _mm256_srli_epi16(kept, from - to) : _mm256_slli_epi16(kept, to - from);
}

/* Columns 4k .. 4k + 3 of rows 8h .. 8h + 7. */
INLINE __m256i
quad(Source from, const uint8_t *lines, uint32_t k, uint32_t h)
{
  const uint8_t *at = lines + 32 * h;
  __m256i u;

  if (from.expanded) {
    return load(at + LINE * k);
  }
  if (from.type == Q8_0) {
    u = load(at + LINE * k);
    return DOT ? u : _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
  }
  u = load(at + LINE * (k % 4));
  u = k < 4 ? bits(u, 15, 0, 0) : bits(u, 15, 4, 0);
  if (from.type == Q5_K) {
    u = _mm256_or_si256(u, bits(load(at + LINE * 4), 1, (int)k, 4));
  } else if (from.type == Q6_K) {
    u = _mm256_or_si256(u, bits(load(at + LINE * (4 + k / 4)), 3, 2 * (int)(k % 4), 4));
  }
  return u;
}

INLINE __m256i
four_of(const void *p)
{
  int32_t word;

  memcpy(&word, p, 4);
  return _mm256_set1_epi32(word);
}

/* ---- whole numbers ------------------------------------------------------------------------- */

#if DOT
/* sums[i][h] += u . q over quads FROM .. TO - 1 of LINES. Q: quad 0 of the first row, STEP bytes
 * from quad to quad. */
INLINE void
dots(Source source, const uint8_t *lines, uint32_t from, uint32_t to, const int8_t *q,
     uint64_t step, uint32_t n, __m256i sums[MOST][2])
{
  UNROLL
  for (uint32_t v = from; v < to; v++) {
    /* A line's low and high half one after the other. */
    const uint32_t k = to - from == 8 ? v % 2 * 4 + v / 2 : v;
    const __m256i u[2] = {quad(source, lines, k, 0), quad(source, lines, k, 1)};
    UNROLL
    for (uint32_t i = 0; i < n; i++) {
      const __m256i four = four_of(q + k * step + 4 * i);
      sums[i][0] = _mm256_dpbusd_avx_epi32(sums[i][0], u[0], four);
      sums[i][1] = _mm256_dpbusd_avx_epi32(sums[i][1], u[1], four);
    }
  }
}

/* What is taken from every u, by way of the sums of q. */
INLINE int32_t
zero_of(int type)
{
  return type == Q8_0 ? 128 : type == Q4_0 ? 8 : type == Q6_K ? 32 : 0;
}
#else
/* How many sums of two products stay within int16: |q| is at most 127, u at most 15, 31 or 63, and
 * |w| of Q8_0 at most 128. */
INLINE uint32_t
run_of(int type)
{
  return type == Q8_0 ? 1 : type == Q6_K ? 2 : type == Q5_K ? 4 : 8;
}

INLINE __m256i
two_products(int type, __m256i u, __m256i four)
{
  return type == Q8_0 ? _mm256_maddubs_epi16(_mm256_abs_epi8(u), _mm256_sign_epi8(four, u))
                      : _mm256_maddubs_epi16(u, four);
}

/* sums[i][h] += u . q over quads FROM .. TO - 1 of LINES. Q: quad 0 of the first row, STEP bytes
 * from quad to quad. */
INLINE void
dots(Source source, const uint8_t *lines, uint32_t from, uint32_t to, const int8_t *q,
     uint64_t step, uint32_t n, __m256i sums[MOST][2])
{
  const uint32_t run = run_of(source.type);
  __m256i pairs[MOST][2];

  UNROLL
  for (uint32_t v = from; v < to; v++) {
    /* A line's low and high half one after the other. */
    const uint32_t k = to - from == 8 ? v % 2 * 4 + v / 2 : v;
    const __m256i u[2] = {quad(source, lines, k, 0), quad(source, lines, k, 1)};
    UNROLL
    for (uint32_t i = 0; i < n; i++) {
      const __m256i four = four_of(q + k * step + 4 * i);
      UNROLL
      for (uint32_t h = 0; h < 2; h++) {
        const __m256i two = two_products(source.type, u[h], four);
        pairs[i][h] = (v - from) % run == 0 ? two : _mm256_add_epi16(pairs[i][h], two);
        KEEP(pairs[i][h]);
        if ((v - from) % run == run - 1) {
          sums[i][h] =
              _mm256_add_epi32(sums[i][h], _mm256_madd_epi16(pairs[i][h], _mm256_set1_epi16(1)));
          KEEP(sums[i][h]);
        }
      }
    }
  }
}

INLINE int32_t
zero_of(int type)
{
  return type == Q4_0 ? 8 : type == Q6_K ? 32 : 0;
}
#endif

/* Begins with - zero * sum of q. */
INLINE void
begin(int type, const int32_t *q_sums, uint32_t n, __m256i sums[MOST][2])
{
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    sums[i][0] = sums[i][1] =
        zero_of(type) ? _mm256_set1_epi32(-zero_of(type) * q_sums[i]) : _mm256_setzero_si256();
  }
}

/* ---- heads --------------------------------------------------------------------------------- */

/* 8 float16. */
INLINE __m256
halves(const uint8_t *p)
{
  return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)(const void *)p));
}

/* 16 bytes, each times d of its row. */
INLINE void
put_scales(float *line, __m128i sc, bool negative, const __m256 d[2])
{
  const __m128i part[2] = {sc, _mm_srli_si128(sc, 8)};

  UNROLL
  for (uint32_t h = 0; h < 2; h++) {
    const __m256i wide = negative ? _mm256_cvtepi8_epi32(part[h]) : _mm256_cvtepu8_epi32(part[h]);
    _mm256_store_ps(line + 8 * h, _mm256_mul_ps(_mm256_cvtepi32_ps(wide), d[h]));
  }
}

/* Low (SHIFT 0) or high (SHIFT 4) halves of LOW, and above them the two bits of HIGH from BIT on.
 */
INLINE __m128i
six_bits(__m128i low, int shift, __m128i high, int bit)
{
  const __m128i a = _mm_and_si128(_mm_srli_epi16(low, shift), _mm_set1_epi8(15));
  const __m128i b = _mm_and_si128(_mm_srli_epi16(high, bit), _mm_set1_epi8(3));

  return _mm_or_si128(a, _mm_slli_epi16(b, 4));
}

INLINE void
head_q45_k(const uint8_t *unit, float *head)
{
  const __m256 d[2] = {halves(unit), halves(unit + 16)};

  for (uint32_t j = 0; j < 4; j++) {
    const __m128i low = _mm_load_si128((const __m128i *)(const void *)(unit + LINE + 16 * j));
    const __m128i high = _mm_load_si128((const __m128i *)(const void *)(unit + 3 * LINE + 16 * j));
    const __m128i m = _mm_load_si128((const __m128i *)(const void *)(unit + 2 * LINE + 16 * j));
    /* Line 2's 32 bytes of a pair of blocks are 16 rows of two. */
    __m256i *minima = (__m256i *)(void *)(head + 16 * (8 + j / 2)) + j % 2;
    put_scales(head + 16 * j, six_bits(low, 0, high, 0), false, d);
    put_scales(head + 16 * (j + 4), six_bits(low, 4, high, 2), false, d);
    _mm256_store_si256(minima, _mm256_cvtepu8_epi16(six_bits(m, 0, high, 4)));
    _mm256_store_si256(minima + 4, _mm256_cvtepu8_epi16(six_bits(m, 4, high, 6)));
  }
  _mm256_store_ps(head + 16 * 12, halves(unit + 32));
  _mm256_store_ps(head + 16 * 12 + 8, halves(unit + 48));
}

INLINE void
head_q6_k(const uint8_t *unit, float *head)
{
  const __m256 d[2] = {halves(unit), halves(unit + 16)};

  for (uint32_t t = 0; t < 16; t++) {
    put_scales(head + 16 * t, _mm_load_si128((const __m128i *)(const void *)(unit + LINE + 16 * t)),
               true, d);
  }
}

INLINE void
put_head(int type, const uint8_t *unit, float *head)
{
  if (type == Q4_K || type == Q5_K) {
    head_q45_k(unit, head);
  } else if (type == Q6_K) {
    head_q6_k(unit, head);
  } else {
    for (uint32_t i = 0; i < 4; i++) {
      _mm256_store_ps(head + 8 * i, halves(unit + 16 * i));
    }
  }
}

BODY TARGET void
expand(int type, const uint8_t *unit, uint8_t *expanded)
{
  const Source from = {type, false}, to = {type, true};

  fetch_ahead(from, unit);
  put_head(type, unit, (float *)(void *)expanded);
  for (uint32_t s = 0; s < (head_lines(type) == 2 ? 2u : 8u); s++) {
    const uint8_t *in = lines_of(from, unit, s);
    __m256i *out = (__m256i *)(void *)(expanded + (lines_of(to, unit, s) - unit));
    UNROLL
    for (uint32_t v = 0; v < 8; v++) {
      const uint32_t k = v % 2 * 4 + v / 2;
      _mm256_store_si256(out + 2 * k, quad(from, in, k, 0));
      _mm256_store_si256(out + 2 * k + 1, quad(from, in, k, 1));
    }
  }
}

/* ---- N rows of activations ----------------------------------------------------------------- */

/* sums as floats, times SCALES of the rows, onto t. */
INLINE void
add_scaled(const __m256i sums[MOST][2], const float *scales, uint32_t n, __m256 t[MOST][2])
{
  const __m256 scale[2] = {_mm256_load_ps(scales), _mm256_load_ps(scales + 8)};

  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    t[i][0] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i][0]), scale[0], t[i][0]);
    t[i][1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i][1]), scale[1], t[i][1]);
  }
}

/* Blocks of 32: Q8_0, Q4_0. X begins at its row I0. */
INLINE void
narrow_rows(Source from, const uint8_t *unit, const ModelTileView *x, uint32_t i0, uint32_t n,
            __m256 acc[MOST][2])
{
  const uint64_t c = x->c;

  for (uint32_t b = 0; b < 2; b++) {
    const float *d = x->d + b * c + i0;
    __m256i sums[MOST][2];
    __m256 scale[2];
    begin(from.type, x->sums + b * c + i0, n, sums);
    dots(from, lines_of(from, unit, b), 0, 8, x->q + 4 * (8 * b * c + i0), 4 * c, n, sums);
    UNROLL
    for (uint32_t h = 0; h < 2; h++) {
      scale[h] = from.expanded ? _mm256_load_ps((const float *)(const void *)unit + 16 * b + 8 * h)
                               : halves(unit + 32 * b + 16 * h);
    }
    UNROLL
    for (uint32_t i = 0; i < n; i++) {
      const __m256 dx = _mm256_broadcast_ss(d + i);
      acc[i][0] =
          _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i][0]), _mm256_mul_ps(scale[0], dx), acc[i][0]);
      acc[i][1] =
          _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i][1]), _mm256_mul_ps(scale[1], dx), acc[i][1]);
    }
  }
}

/* t -= dmin * sum over s of m_s * (sum of q in s). */
INLINE void
subtract_minima(const float *head, const ModelTileView *x, uint32_t i0, uint32_t n,
                __m256 t[MOST][2])
{
  const uint8_t *minima = (const uint8_t *)(head + 16 * 8);
  const float *dmin = head + 16 * 12;

  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    UNROLL
    for (uint32_t p = 0; p < 4; p++) {
      const __m256i two = four_of(x->pairs + 2 * ((uint64_t)p * x->c + i0 + i));
      sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(load(minima + LINE * p), two));
      sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(load(minima + LINE * p + 32), two));
    }
    t[i][0] = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(sums[0]), _mm256_load_ps(dmin), t[i][0]);
    t[i][1] = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(sums[1]), _mm256_load_ps(dmin + 8), t[i][1]);
  }
}

/* Blocks of 256: the K types. */
INLINE void
wide_rows(Source from, const uint8_t *unit, const ModelTileView *x, uint32_t i0, uint32_t n,
          __m256 acc[MOST][2])
{
  const uint64_t c = x->c;
  const uint32_t parts = from.type == Q6_K ? 2 : 1; /* scales of 32 columns */
  float own[16 * 16] __attribute__((aligned(64)));
  const float *head = from.expanded ? (const float *)(const void *)unit : own;
  __m256 t[MOST][2];

  if (!from.expanded) {
    put_head(from.type, unit, own);
  }
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    t[i][0] = t[i][1] = _mm256_setzero_ps();
  }
  for (uint32_t s = 0; s < 8; s++) {
    UNROLL
    for (uint32_t part = 0; part < parts; part++) {
      __m256i sums[MOST][2];
      begin(from.type, x->sums16 + (2 * s + part) * c + i0, n, sums);
      dots(from, lines_of(from, unit, s), 8 / parts * part, 8 / parts * (part + 1),
           x->q + 4 * (8 * s * c + i0), 4 * c, n, sums);
      add_scaled(sums, head + 16 * (parts * s + part), n, t);
    }
  }
  if (from.type != Q6_K) {
    subtract_minima(head, x, i0, n, t);
  }
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    const __m256 dx = _mm256_broadcast_ss(x->d + i0 + i);
    acc[i][0] = _mm256_fmadd_ps(t[i][0], dx, acc[i][0]);
    acc[i][1] = _mm256_fmadd_ps(t[i][1], dx, acc[i][1]);
  }
}

BODY TARGET void
some_rows(Source from, const uint8_t *units, uint64_t n_units, ModelTileView x, uint32_t i0,
          uint32_t n, float *out)
{
  const uint32_t columns = head_lines(from.type) == 2 ? 64 : 256;
  const uint64_t c = x.c;
  __m256 acc[MOST][2];

  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    acc[i][0] = _mm256_load_ps(out + 16 * (i0 + i));
    acc[i][1] = _mm256_load_ps(out + 16 * (i0 + i) + 8);
  }
  for (uint64_t u = 0; u < n_units; u++, units += unit_bytes(from)) {
    if (!from.expanded) {
      fetch_ahead(from, units);
    }
    if (columns == 64) {
      narrow_rows(from, units, &x, i0, n, acc);
      x.d += 2 * c;
      x.sums += 2 * c;
    } else {
      wide_rows(from, units, &x, i0, n, acc);
      x.d += c;
      x.sums16 += 16 * c;
      x.pairs += 8 * c;
    }
    x.q += columns * c;
  }
  UNROLL
  for (uint32_t i = 0; i < n; i++) {
    _mm256_store_ps(out + 16 * (i0 + i), acc[i][0]);
    _mm256_store_ps(out + 16 * (i0 + i) + 8, acc[i][1]);
  }
}

INLINE void
tile(Source from, const uint8_t *units, uint64_t n, const ModelTileView *x, float *acc)
{
  uint32_t i = 0;

  for (; x->c - i >= 3; i += 3) {
    some_rows(from, units, n, *x, i, 3, acc);
  }
  if (x->c - i == 2) {
    some_rows(from, units, n, *x, i, 2, acc);
  } else if (x->c - i == 1) {
    some_rows(from, units, n, *x, i, 1, acc);
  }
}

/* Above this, unpacking once pays. */
#define MOST_DIRECT(type) ((type) == Q5_K || (type) == Q6_K ? MOST : 2 * MOST)
#include "kernels/steps.h"
