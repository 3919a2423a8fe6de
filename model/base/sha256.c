/* SHA-256 after FIPS 180-4. Names follow the standard. */
#include "base/sha256.h"
#include "model.h"

#include <stdio.h>
#include <string.h>

#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t
rotr(uint32_t x, unsigned n)
{
  return x >> n | x << (32 - n);
}

/* ---- blocks of 64 bytes -------------------------------------------------------------------- */

static void
compress_plain(uint32_t state[8], const uint8_t *block)
{
  uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

  for (int t = 0; t < 16; t++)
    w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
           (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
  for (int t = 16; t < 64; t++) {
    uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
    uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  for (int t = 0; t < 64; t++) {
    uint32_t s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + K[t] + w[t];
    uint32_t s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if defined __x86_64__

/* Four rounds: the instructions want the state as (a, b, e, f) and (c, d, g, h), highest word
 * first.
 */
__attribute__((target("sha,sse4.1,ssse3"))) static inline void
four_rounds(__m128i *abef, __m128i *cdgh, __m128i w, int t)
{
  const __m128i wk = _mm_add_epi32(w, _mm_loadu_si128((const __m128i *)(const void *)(K + t)));

  *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wk);
  *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(wk, 0x0E));
}

/* A model of 4 GB is hashed beside its first answer: the processor's own instructions do it in a
 * fifth of the time. */
__attribute__((target("sha,sse4.1,ssse3"))) static void
compress_sha_ni(uint32_t state[8], const uint8_t *bytes, size_t n_blocks)
{
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
  __m128i efgh =
      _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
  __m128i abef = _mm_alignr_epi8(abcd, efgh, 8), cdgh = _mm_blend_epi16(efgh, abcd, 0xF0);

  for (; n_blocks > 0; n_blocks--, bytes += 64) {
    const __m128i before[2] = {abef, cdgh};
    __m128i w[4];
    for (int i = 0; i < 4; i++) {
      w[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
      w[i] = _mm_shuffle_epi8(w[i], swap);
      four_rounds(&abef, &cdgh, w[i], 4 * i);
    }
    for (int t = 16; t < 64; t += 16) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        __m128i next = _mm_sha256msg1_epu32(w[i], w[(i + 1) % 4]);
        next = _mm_add_epi32(next, _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
        w[i] = _mm_sha256msg2_epu32(next, w[(i + 3) % 4]);
        four_rounds(&abef, &cdgh, w[i], t + 4 * i);
      }
    }
    abef = _mm_add_epi32(abef, before[0]);
    cdgh = _mm_add_epi32(cdgh, before[1]);
  }
  abcd = _mm_shuffle_epi32(abef, 0x1B);
  efgh = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(abcd, efgh, 0xF0));
  _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(efgh, abcd, 8));
}

static bool
has_sha_ni(void)
{
  unsigned a, b = 0, c = 0, d;

  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3) &&
         __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

#endif

static void
compress(uint32_t state[8], const uint8_t *bytes, size_t n_blocks)
{
#if defined __x86_64__
  if (n_blocks > 0 && has_sha_ni()) {
    compress_sha_ni(state, bytes, n_blocks);
    return;
  }
#endif
  for (; n_blocks > 0; n_blocks--, bytes += 64)
    compress_plain(state, bytes);
}

void
model_sha256_init(ModelSha256 *sha)
{
  *sha = (ModelSha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void
model_sha256_update(ModelSha256 *sha, const void *data, size_t n)
{
  const uint8_t *bytes = data;
  size_t used = sha->n_bytes % 64;

  sha->n_bytes += n;
  if (used) {
    size_t take = 64 - used < n ? 64 - used : n;
    memcpy(sha->block + used, bytes, take);
    bytes += take, n -= take;
    if (used + take < 64)
      return;
    compress(sha->state, sha->block, 1);
  }
  compress(sha->state, bytes, n / 64);
  bytes += n / 64 * 64, n %= 64;
  if (n)
    memcpy(sha->block, bytes, n);
}

void
model_sha256_finish(ModelSha256 *sha, char hex[65])
{
  uint64_t n_bits = sha->n_bytes * 8;
  uint8_t pad[72] = {0x80};
  size_t used = sha->n_bytes % 64, n_pad = (used < 56 ? 56 : 120) - used;

  for (int i = 0; i < 8; i++)
    pad[n_pad + i] = (uint8_t)(n_bits >> (56 - 8 * i));
  model_sha256_update(sha, pad, n_pad + 8);
  for (int i = 0; i < 8; i++)
    snprintf(hex + 8 * i, 9, "%08x", sha->state[i]);
}

void
model_sha256(const void *data, size_t n, char hex[65])
{
  ModelSha256 sha;

  model_sha256_init(&sha);
  if (n)
    model_sha256_update(&sha, data, n);
  model_sha256_finish(&sha, hex);
}
