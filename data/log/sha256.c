/* sha256.c - see sha256.h. The names are those of FIPS 180-4, 6.2.2. */
#include "sha256.h"

#include <sodium.h>
#include <string.h>

void
store_sha256_plain(StoreMessage *message)
{
  crypto_hash_sha256(message->hash, message->bytes, message->n);
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK 64u
#define SHA_TARGET __attribute__((target("sha,sse4.1")))

static const guint32 constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const guint32 initial[8] __attribute__((aligned(16))) = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* A message on its way. The instructions want the eight words as a, b, e, f and c, d, g, h. */
typedef struct {
  __m128i abef, cdgh;
  const guint8 *bytes;
  gsize whole, blocks; /* in BYTES; with the padding, which is in TAIL */
  guint8 tail[2 * BLOCK];
} Lane;

static gboolean
has_instructions(void)
{
  static gsize once; /* 1: no, 2: yes */

  if (g_once_init_enter(&once)) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    gboolean sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
    gboolean sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
    g_once_init_leave(&once, sse && sha ? 2u : 1u);
  }
  return once == 2;
}

SHA_TARGET static void
lane_begin(Lane *lane, const StoreMessage *message)
{
  const __m128i abcd = _mm_shuffle_epi32(_mm_load_si128((const __m128i *)initial), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_load_si128((const __m128i *)(initial + 4)), 0x1b);
  const gsize rest = message->n % BLOCK, padded = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  const guint64 bits = GUINT64_TO_BE((guint64)message->n * 8);

  lane->abef = _mm_alignr_epi8(abcd, efgh, 8);
  lane->cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);
  lane->bytes = message->bytes;
  lane->whole = message->n / BLOCK;
  lane->blocks = lane->whole + padded / BLOCK;
  memset(lane->tail, 0, sizeof lane->tail);
  if (rest) {
    memcpy(lane->tail, lane->bytes + lane->whole * BLOCK, rest);
  }
  lane->tail[rest] = 0x80;
  memcpy(lane->tail + padded - sizeof bits, &bits, sizeof bits);
}

SHA_TARGET static void
lane_end(const Lane *lane, StoreMessage *message)
{
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xb1);
  const __m128i abcd = _mm_blend_epi16(feba, dchg, 0xf0), efgh = _mm_alignr_epi8(dchg, feba, 8);

  _mm_storeu_si128((__m128i *)message->hash, _mm_shuffle_epi8(abcd, swap));
  _mm_storeu_si128((__m128i *)(message->hash + 16), _mm_shuffle_epi8(efgh, swap));
}

static inline const guint8 *
block_of(const Lane *lane, gsize i)
{
  return i < lane->whole ? lane->bytes + i * BLOCK : lane->tail + (i - lane->whole) * BLOCK;
}

/* Words 4 * I to 4 * I + 3 of the message schedule, into W[I % 4], which holds the last sixteen. */
SHA_TARGET static inline __attribute__((always_inline)) __m128i
schedule(__m128i w[4], int i, const guint8 *block)
{
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

  if (i < 4) {
    w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
  } else {
    const __m128i last = w[(i + 3) % 4];
    __m128i next = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
    w[i % 4] = _mm_sha256msg2_epu32(next, last);
  }
  return _mm_add_epi32(w[i % 4], _mm_load_si128((const __m128i *)(constants + 4 * i)));
}

SHA_TARGET static void
compress(Lane *lane, gsize from)
{
  for (gsize at = from; at < lane->blocks; at++) {
    const guint8 *block = block_of(lane, at);
    __m128i abef = lane->abef, cdgh = lane->cdgh, w[4];

#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      const __m128i k = schedule(w, i, block);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0e));
    }
    lane->abef = _mm_add_epi32(abef, lane->abef);
    lane->cdgh = _mm_add_epi32(cdgh, lane->cdgh);
  }
}

/* The first N blocks of both. */
SHA_TARGET static void
compress_two(Lane *a, Lane *b, gsize n)
{
  for (gsize at = 0; at < n; at++) {
    const guint8 *block_a = block_of(a, at), *block_b = block_of(b, at);
    __m128i abef_a = a->abef, cdgh_a = a->cdgh, w_a[4];
    __m128i abef_b = b->abef, cdgh_b = b->cdgh, w_b[4];

#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      const __m128i k_a = schedule(w_a, i, block_a), k_b = schedule(w_b, i, block_b);
      cdgh_a = _mm_sha256rnds2_epu32(cdgh_a, abef_a, k_a);
      cdgh_b = _mm_sha256rnds2_epu32(cdgh_b, abef_b, k_b);
      abef_a = _mm_sha256rnds2_epu32(abef_a, cdgh_a, _mm_shuffle_epi32(k_a, 0x0e));
      abef_b = _mm_sha256rnds2_epu32(abef_b, cdgh_b, _mm_shuffle_epi32(k_b, 0x0e));
    }
    a->abef = _mm_add_epi32(abef_a, a->abef);
    a->cdgh = _mm_add_epi32(cdgh_a, a->cdgh);
    b->abef = _mm_add_epi32(abef_b, b->abef);
    b->cdgh = _mm_add_epi32(cdgh_b, b->cdgh);
  }
}

void
store_sha256(StoreMessage *message)
{
  Lane lane;

  if (!has_instructions()) {
    store_sha256_plain(message);
    return;
  }
  lane_begin(&lane, message);
  compress(&lane, 0);
  lane_end(&lane, message);
}

void
store_sha256_two(StoreMessage *a, StoreMessage *b)
{
  Lane lane_a, lane_b;
  gsize both;

  if (!has_instructions()) {
    store_sha256_plain(a);
    store_sha256_plain(b);
    return;
  }
  lane_begin(&lane_a, a);
  lane_begin(&lane_b, b);
  both = MIN(lane_a.blocks, lane_b.blocks);
  compress_two(&lane_a, &lane_b, both);
  compress(&lane_a, both);
  compress(&lane_b, both);
  lane_end(&lane_a, a);
  lane_end(&lane_b, b);
}

#else

void
store_sha256(StoreMessage *message)
{
  store_sha256_plain(message);
}

void
store_sha256_two(StoreMessage *a, StoreMessage *b)
{
  store_sha256_plain(a);
  store_sha256_plain(b);
}

#endif
