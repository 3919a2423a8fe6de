/* loops.c - loops that keep one core as busy as it can be.
 *
 * Registers are named, so that no compiler spills them: 16 or more sums of their own hide the
 * latency of any dot product that there is. Their contents are whatever they are: the zeroed
 * operands keep floats from being subnormal, which would be slower. */
#include "bench/machine.h"

#include "kernels/cpu.h"

#include <string.h>

/* Lines of 64 bytes. Fetching past the end of the memory is harmless. */
static inline void
fetch(const uint8_t *bytes, size_t ahead, int lines)
{
  for (int i = 0; ahead && i < lines; i++)
    __builtin_prefetch((const void *)((uintptr_t)bytes + ahead + 64 * (size_t)i));
}

#if defined(__x86_64__)
#include <immintrin.h>

/* One instruction for each of the sums 0 .. 15 with the operands A and B. */
#define EACH16(op, a, b, r)                                                                        \
  op " %%" a ", %%" b ", %%" r "0\n\t" op " %%" a ", %%" b ", %%" r "1\n\t" op " %%" a ", %%" b    \
     ", %%" r "2\n\t" op " %%" a ", %%" b ", %%" r "3\n\t" op " %%" a ", %%" b ", %%" r "4\n\t" op \
     " %%" a ", %%" b ", %%" r "5\n\t" op " %%" a ", %%" b ", %%" r "6\n\t" op " %%" a ", %%" b    \
     ", %%" r "7\n\t" op " %%" a ", %%" b ", %%" r "8\n\t" op " %%" a ", %%" b ", %%" r "9\n\t" op \
     " %%" a ", %%" b ", %%" r "10\n\t" op " %%" a ", %%" b ", %%" r "11\n\t" op " %%" a ", %%" b  \
     ", %%" r "12\n\t" op " %%" a ", %%" b ", %%" r "13\n\t" op " %%" a ", %%" b ", %%" r          \
     "14\n\t" op " %%" a ", %%" b ", %%" r "15\n\t"
#define EACH12(op, a, b, r)                                                                        \
  op " %%" a ", %%" b ", %%" r "0\n\t" op " %%" a ", %%" b ", %%" r "1\n\t" op " %%" a ", %%" b    \
     ", %%" r "2\n\t" op " %%" a ", %%" b ", %%" r "3\n\t" op " %%" a ", %%" b ", %%" r "4\n\t" op \
     " %%" a ", %%" b ", %%" r "5\n\t" op " %%" a ", %%" b ", %%" r "6\n\t" op " %%" a ", %%" b    \
     ", %%" r "7\n\t" op " %%" a ", %%" b ", %%" r "8\n\t" op " %%" a ", %%" b ", %%" r "9\n\t" op \
     " %%" a ", %%" b ", %%" r "10\n\t" op " %%" a ", %%" b ", %%" r "11\n\t"
#define LOOP(body) "1:\n\t" body "dec %0\n\tjnz 1b\n\t"
#define LOW_REGISTERS                                                                              \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",         \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define CLEAR_512 "vpxord %%zmm30, %%zmm30, %%zmm30\n\tvpxord %%zmm31, %%zmm31, %%zmm31\n\t"
#define CLEAR_256 "vxorps %%ymm14, %%ymm14, %%ymm14\n\tvxorps %%ymm15, %%ymm15, %%ymm15\n\t"
/* Without AVX-VNNI's or AVX-512's one instruction for it: bytes to words, words to integers, and
 * the sum. Four products are under way at a time. */
#define MADD4(r, a, b, one, t0, t1, t2, t3, s0, s1, s2, s3)                                        \
  "vpmaddubsw %%" r a ", %%" r b ", %%" r t0 "\n\tvpmaddubsw %%" r a ", %%" r b ", %%" r t1        \
  "\n\tvpmaddubsw %%" r a ", %%" r b ", %%" r t2 "\n\tvpmaddubsw %%" r a ", %%" r b ", %%" r t3    \
  "\n\tvpmaddwd %%" r one ", %%" r t0 ", %%" r t0 "\n\tvpmaddwd %%" r one ", %%" r t1 ", %%" r t1  \
  "\n\tvpmaddwd %%" r one ", %%" r t2 ", %%" r t2 "\n\tvpmaddwd %%" r one ", %%" r t3 ", %%" r t3  \
  "\n\tvpaddd %%" r t0 ", %%" r s0 ", %%" r s0 "\n\tvpaddd %%" r t1 ", %%" r s1 ", %%" r s1        \
  "\n\tvpaddd %%" r t2 ", %%" r s2 ", %%" r s2 "\n\tvpaddd %%" r t3 ", %%" r s3 ", %%" r s3 "\n\t"

#define FUNCTION_512(name, body)                                                                   \
  __attribute__((target("avx512f"))) static void name(uint64_t n)                                  \
  {                                                                                                \
    __asm__ volatile(CLEAR_512 LOOP(body)                                                          \
                     : "+r"(n)                                                                     \
                     :                                                                             \
                     : LOW_REGISTERS, "xmm16", "xmm17", "xmm18", "xmm19", "xmm30", "xmm31", "cc"); \
  }
#define FUNCTION_256(name, body)                                                                   \
  __attribute__((target("avx2"))) static void name(uint64_t n)                                     \
  {                                                                                                \
    __asm__ volatile(CLEAR_256 LOOP(body) "vzeroupper\n\t" : "+r"(n) : : LOW_REGISTERS, "cc");     \
  }

FUNCTION_512(int8_vnni_512, EACH16("vpdpbusd", "zmm30", "zmm31", "zmm"))
FUNCTION_512(bf16_512, EACH16("vdpbf16ps", "zmm30", "zmm31", "zmm"))
FUNCTION_512(f32_512, EACH16("vfmadd231ps", "zmm30", "zmm31", "zmm"))
FUNCTION_512(int8_512,
             MADD4("zmm", "30", "31", "30", "16", "17", "18", "19", "0", "1", "2", "3")
                 MADD4("zmm", "30", "31", "30", "16", "17", "18", "19", "4", "5", "6", "7"))
FUNCTION_256(int8_vnni_256, EACH12("%{vex%} vpdpbusd", "ymm14", "ymm15", "ymm"))
FUNCTION_256(int8_256, MADD4("ymm", "14", "15", "14", "8", "9", "10", "11", "0", "1", "2", "3")
                           MADD4("ymm", "14", "15", "14", "8", "9", "10", "11", "4", "5", "6", "7"))
FUNCTION_256(f32_256, EACH12("vfmadd231ps", "ymm14", "ymm15", "ymm"))

__attribute__((target("avx512f"))) static uint64_t
read_512(const uint8_t *bytes, size_t n, size_t ahead)
{
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;

  for (size_t i = 0; i < n; i += 256) {
    fetch(bytes + i, ahead, 4);
    a = _mm512_xor_si512(a, _mm512_load_si512(bytes + i));
    b = _mm512_xor_si512(b, _mm512_load_si512(bytes + i + 64));
    c = _mm512_xor_si512(c, _mm512_load_si512(bytes + i + 128));
    d = _mm512_xor_si512(d, _mm512_load_si512(bytes + i + 192));
  }
  a = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
  return (uint64_t)_mm512_reduce_or_epi64(a);
}

__attribute__((target("avx2"))) static uint64_t
read_256(const uint8_t *bytes, size_t n, size_t ahead)
{
  const __m256i *p = (const __m256i *)(const void *)bytes;
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  uint64_t words[4];

  for (size_t i = 0; i < n / 32; i += 4) {
    fetch(bytes + 32 * i, ahead, 2);
    a = _mm256_xor_si256(a, _mm256_load_si256(p + i));
    b = _mm256_xor_si256(b, _mm256_load_si256(p + i + 1));
    c = _mm256_xor_si256(c, _mm256_load_si256(p + i + 2));
    d = _mm256_xor_si256(d, _mm256_load_si256(p + i + 3));
  }
  a = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
  memcpy(words, &a, sizeof words);
  return words[0] ^ words[1] ^ words[2] ^ words[3];
}

#elif defined(__aarch64__)

#define EACH16(op, a, b)                                                                           \
  op(0, a, b) op(1, a, b) op(2, a, b) op(3, a, b) op(4, a, b) op(5, a, b) op(6, a, b) op(7, a, b)  \
      op(8, a, b) op(9, a, b) op(10, a, b) op(11, a, b) op(12, a, b) op(13, a, b) op(14, a, b)     \
          op(15, a, b)
#define SDOT(r, a, b) "sdot v" #r ".4s, v" #a ".16b, v" #b ".16b\n\t"
#define FMLA(r, a, b) "fmla v" #r ".4s, v" #a ".4s, v" #b ".4s\n\t"
#define REGISTERS                                                                                  \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",   \
      "v15", "v30", "v31"
#define FUNCTION(name, body)                                                                       \
  static void name(uint64_t n)                                                                     \
  {                                                                                                \
    __asm__ volatile("movi v30.16b, #0\n\tmovi v31.16b, #0\n\t"                                    \
                     "1:\n\t" body "subs %0, %0, #1\n\tb.ne 1b\n\t"                                \
                     : "+r"(n)                                                                     \
                     :                                                                             \
                     : REGISTERS, "cc");                                                           \
  }

FUNCTION(int8_dot, ".arch armv8.2-a+dotprod\n\t" EACH16(SDOT, 30, 31))
FUNCTION(f32_128, EACH16(FMLA, 30, 31))
#endif

/* ---- plain C: whatever the compiler makes of it ------------------------------------------- */

#define PLAIN 64

static void
int8_plain(uint64_t n)
{
  volatile int8_t source = 0;
  int8_t a[PLAIN], b[PLAIN];
  int32_t sums[PLAIN] = {0};

  for (int i = 0; i < PLAIN; i++)
    a[i] = b[i] = source;
  while (n-- > 0) {
    for (int i = 0; i < PLAIN; i++)
      sums[i] += a[i] * b[i];
    __asm__ volatile("" : : "r"(sums), "r"(a), "r"(b) : "memory");
  }
}

static void
f32_plain(uint64_t n)
{
  volatile float source = 0;
  float a[PLAIN], b[PLAIN], sums[PLAIN] = {0};

  for (int i = 0; i < PLAIN; i++)
    a[i] = b[i] = source;
  while (n-- > 0) {
    for (int i = 0; i < PLAIN; i++)
      sums[i] += a[i] * b[i];
    __asm__ volatile("" : : "r"(sums), "r"(a), "r"(b) : "memory");
  }
}

static uint64_t
read_plain(const uint8_t *bytes, size_t n, size_t ahead)
{
  uint64_t words[8] = {0}, now[8];

  for (size_t i = 0; i < n; i += sizeof now) {
    fetch(bytes + i, ahead, 1);
    memcpy(now, bytes + i, sizeof now);
    for (int k = 0; k < 8; k++)
      words[k] ^= now[k];
  }
  return words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ words[5] ^ words[6] ^ words[7];
}

/* ---- which ---------------------------------------------------------------------------------- */

const ModelLoop *
model_loop_int8(uint32_t features)
{
#if defined(__x86_64__)
  static const ModelLoop vnni_512 = {"vpdpbusd 512", 16 * 128, int8_vnni_512},
                         vnni_256 = {"vpdpbusd 256", 12 * 64, int8_vnni_256},
                         madd_512 = {"vpmaddubsw 512", 8 * 128, int8_512},
                         madd_256 = {"vpmaddubsw 256", 8 * 64, int8_256};
  if (features & MODEL_CPU_AVX512_VNNI)
    return &vnni_512;
  if (features & MODEL_CPU_AVX_VNNI)
    return &vnni_256;
  if (features & MODEL_CPU_AVX512)
    return &madd_512;
  if (features & MODEL_CPU_AVX2)
    return &madd_256;
#elif defined(__aarch64__)
  static const ModelLoop dot = {"sdot 128", 16 * 32, int8_dot};
  if (features & MODEL_CPU_DOTPROD)
    return &dot;
#endif
  static const ModelLoop plain = {"portable", 2 * PLAIN, int8_plain};
  return &plain;
}

const ModelLoop *
model_loop_bf16(uint32_t features)
{
#if defined(__x86_64__)
  static const ModelLoop dot = {"vdpbf16ps 512", 16 * 64, bf16_512};
  if (features & MODEL_CPU_AVX512_BF16)
    return &dot;
#endif
  return NULL;
}

const ModelLoop *
model_loop_f32(uint32_t features)
{
#if defined(__x86_64__)
  static const ModelLoop wide = {"vfmadd 512", 16 * 32, f32_512},
                         narrow = {"vfmadd 256", 12 * 16, f32_256};
  if (features & MODEL_CPU_AVX512)
    return &wide;
  if (features & MODEL_CPU_AVX2)
    return &narrow;
#elif defined(__aarch64__)
  static const ModelLoop neon = {"fmla 128", 16 * 8, f32_128};
  return &neon;
#endif
  static const ModelLoop plain = {"portable", 2 * PLAIN, f32_plain};
  return &plain;
}

uint64_t
model_stream_read(uint32_t features, const uint8_t *bytes, size_t n, size_t ahead)
{
#if defined(__x86_64__)
  if (features & MODEL_CPU_AVX512)
    return read_512(bytes, n, ahead);
  if (features & MODEL_CPU_AVX2)
    return read_256(bytes, n, ahead);
#endif
  return read_plain(bytes, n, ahead);
}
