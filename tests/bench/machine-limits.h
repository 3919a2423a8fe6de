/* machine-limits.h - what this machine can do at best, for benchmarks that say how near they come:
 * int8 dot products and reading memory. Each thread works through a ModelPool, as kernels do. */
#ifndef HILUM_TESTS_MACHINE_LIMITS_H
#define HILUM_TESTS_MACHINE_LIMITS_H

#include <glib.h>
#include <string.h>
#include <time.h>

#include "kernels/cpu.h"
#include "kernels/kernels.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

static inline double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { DOT_CHAINS = 12, DOT_ROUNDS = 4000000, READ_TASKS = 64 };

#ifdef __x86_64__
/* N times 12 chains of vpdpbusd, 128 operations each; in assembler, since compilers move what stays
 * in registers about. */
__attribute__((target("avx512f,avx512vnni"))) static inline int
dot_chains(guint64 n)
{
  const __m512i u = _mm512_set1_epi8(3), q = _mm512_set1_epi8(-1);
  __m512i sums[DOT_CHAINS], all = u;

#pragma GCC unroll 12
  for (int i = 0; i < DOT_CHAINS; i++) {
    sums[i] = _mm512_set1_epi32(i);
  }
  for (guint64 r = 0; r < n; r++) {
#pragma GCC unroll 12
    for (int i = 0; i < DOT_CHAINS; i++) {
      __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sums[i]) : "v"(u), "v"(q));
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < DOT_CHAINS; i++) {
    all = _mm512_xor_si512(all, sums[i]);
  }
  return (int)(_mm512_reduce_max_epu32(all) >> 1);
}

/* Reads 64 bytes at a time and asks for what comes 8 KB later. */
__attribute__((target("avx512f"))) static inline int
read_wide(const guint8 *p, gsize n)
{
  __m512i a = _mm512_setzero_si512(), b = a;

  for (gsize i = 0; i < n; i += 128) {
    _mm_prefetch((const char *)p + i + 8192, _MM_HINT_T0);
    _mm_prefetch((const char *)p + i + 8192 + 64, _MM_HINT_T0);
    a = _mm512_xor_si512(a, _mm512_load_si512(p + i));
    b = _mm512_xor_si512(b, _mm512_load_si512(p + i + 64));
  }
  /* Not left out as unused, and no sum that could overflow. */
  return (int)(_mm512_reduce_max_epu32(_mm512_xor_si512(a, b)) >> 1);
}
#endif

static inline void
dot_task(uint32_t index, uint32_t worker, void *user)
{
#ifdef __x86_64__
  *(volatile int *)user = dot_chains(DOT_ROUNDS);
#endif
}

/* GOP/s of int8 dot products in 512 bits; 0 where there are none. */
static inline double
limit_int8(ModelPool *pool)
{
  double best = 0;
  int sink = 0;

  if (!(model_cpu_features() & MODEL_CPU_AVX512_VNNI)) {
    return 0;
  }
  for (int i = 0; i < 5; i++) {
    const double start = now();
    const guint threads = model_pool_threads(pool);
    model_pool_run(pool, 2 * threads, dot_task, &sink);
    best = MAX(best, 2 * threads * (double)DOT_ROUNDS * DOT_CHAINS * 128 / (now() - start) * 1e-9);
  }
  return best;
}

typedef struct {
  const guint8 *data;
  gsize n;
  bool wide;
} LimitRead;

static inline void
read_task(uint32_t index, uint32_t worker, void *user)
{
  const LimitRead *r = user;
  const gsize n = r->n / READ_TASKS;
  const guint64 *p = (const guint64 *)(const void *)(r->data + n * index);
  guint64 sums[8] = {0};

#ifdef __x86_64__
  if (r->wide) {
    __asm__ volatile("" ::"r"(read_wide(r->data + n * index, n)));
    return;
  }
#endif
  for (gsize i = 0; i < n / 64; i++) {
    for (int k = 0; k < 8; k++) {
      sums[k] ^= p[8 * i + (gsize)k];
    }
  }
  for (int k = 0; k < 8; k++) {
    __asm__ volatile("" ::"r"(sums[k]));
  }
}

/* GB/s of reading DATA[N] in order, N a multiple of 8192 and much larger than any cache. */
static inline double
limit_read(ModelPool *pool, const guint8 *data, gsize n)
{
  LimitRead r = {data, n, (model_cpu_features() & MODEL_CPU_AVX512) != 0};
  double best = 0;

  for (int i = 0; i < 5; i++) {
    const double start = now();
    model_pool_run(pool, READ_TASKS, read_task, &r);
    best = MAX(best, (double)n / (now() - start) * 1e-9);
  }
  return best;
}

#endif
