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

#ifdef __x86_64__
/* N times 16 chains of vpdpbusd; 128 operations each, by 2 for product and sum. */
__attribute__((target("avx512f,avx512vnni"))) static inline int
dot_chains(guint64 n)
{
  __m512i sums[16], u = _mm512_set1_epi8(3), q = _mm512_set1_epi8(-1), all;

#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    sums[i] = _mm512_set1_epi32(i);
  }
  for (guint64 r = 0; r < n; r++) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], u, q);
    }
    __asm__ volatile("" ::: "memory");
  }
  all = sums[0];
#pragma GCC unroll 16
  for (int i = 1; i < 16; i++) {
    all = _mm512_xor_si512(all, sums[i]);
  }
  return _mm512_reduce_add_epi32(all);
}
#endif

enum { DOT_ROUNDS = 2000000, READ_TASKS = 64 };

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
    best = MAX(best, 2 * threads * (double)DOT_ROUNDS * 16 * 128 / (now() - start) * 1e-9);
  }
  return best;
}

typedef guint64 LimitLine __attribute__((vector_size(64), may_alias));

typedef struct {
  const guint8 *data;
  gsize n;
} LimitRead;

/* In vectors as wide as the compiler likes. */
static inline void
read_task(uint32_t index, uint32_t worker, void *user)
{
  const LimitRead *r = user;
  const LimitLine *p = (const LimitLine *)(const void *)(r->data + r->n / READ_TASKS * index);
  LimitLine a = {0}, b = {0}, c = {0}, d = {0};

  for (gsize i = 0; i + 4 <= r->n / READ_TASKS / 64; i += 4) {
    a ^= p[i], b ^= p[i + 1], c ^= p[i + 2], d ^= p[i + 3];
  }
  a ^= b ^ c ^ d;
  *(volatile guint64 *)&(guint64){0} = a[0];
}

/* GB/s of reading DATA[N] in order, N a multiple of 4096 and much larger than any cache. */
static inline double
limit_read(ModelPool *pool, const guint8 *data, gsize n)
{
  LimitRead r = {data, n};
  double best = 0;

  for (int i = 0; i < 5; i++) {
    const double start = now();
    model_pool_run(pool, READ_TASKS, read_task, &r);
    best = MAX(best, (double)n / (now() - start) * 1e-9);
  }
  return best;
}

#endif
