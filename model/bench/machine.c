/* machine.c - what the machine could give: streaming read, and dot products of three kinds, with
 * all threads together. */
#include "bench/machine.h"

#include "base/error.h"
#include "base/limits.h"
#include "kernels/cpu.h"
#include "kernels/kernels.h"
#include "model_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PIECE (4u << 20) /* bytes that a thread reads at a time, of one order for all */
#define LEAST_BUFFER (64ull << 20)
#define REPEATS 5
#define TASK_S 0.002 /* of a compute task: long beside the start of one, short beside a repeat */

static double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

double
model_median(double *values, uint32_t n)
{
  if (n == 0)
    return 0;
  qsort(values, n, sizeof *values, compare);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct {
  uint32_t features;
  const uint8_t *bytes;
  size_t n, ahead;
  uint64_t found[MODEL_MAX_THREADS]; /* so that the reading is for something */
} Reading;

static void
fill(uint32_t index, uint32_t worker, void *user)
{
  memset((uint8_t *)user + (size_t)index * PIECE, (int)(index | 1), PIECE);
}

static void
read_piece(uint32_t index, uint32_t worker, void *user)
{
  Reading *reading = user;
  const size_t from = (size_t)index * PIECE, left = reading->n - from;

  reading->found[worker] ^= model_stream_read(reading->features, reading->bytes + from,
                                              left < PIECE ? left : PIECE, reading->ahead);
}

double
model_stream_pass(ModelPool *pool, const uint8_t *bytes, size_t n, size_t ahead)
{
  Reading reading = {.features = model_cpu_features(), .bytes = bytes, .n = n, .ahead = ahead};
  const double start = now();

  model_pool_run(pool, (uint32_t)((n + PIECE - 1) / PIECE), read_piece, &reading);
  return now() - start;
}

/* Half as much as there is no memory for, down to what no cache holds. */
static uint8_t *
take_buffer(uint64_t *n)
{
  for (*n -= *n % PIECE; *n >= LEAST_BUFFER; *n = *n / 2 - *n / 2 % PIECE) {
    void *bytes = *n <= SIZE_MAX ? mmap(NULL, (size_t)*n, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                 : MAP_FAILED;
    if (bytes != MAP_FAILED) {
      (void)madvise(bytes, (size_t)*n, MADV_HUGEPAGE);
      return bytes;
    }
  }
  return NULL;
}

static bool
measure_reading(ModelPool *pool, uint64_t buffer, ModelMachine *machine, ModelError *err)
{
  double rates[REPEATS], rate;
  uint64_t n = buffer > LEAST_BUFFER ? buffer : LEAST_BUFFER;
  uint8_t *bytes = take_buffer(&n);

  if (!bytes) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %llu bytes to read",
                      (unsigned long long)n);
  }
  model_pool_run(pool, (uint32_t)(n / PIECE), fill, bytes);
  /* Some processors read faster when they are told what comes, others do not. */
  for (size_t ahead = 0; ahead <= MODEL_STREAM_AHEAD; ahead += MODEL_STREAM_AHEAD) {
    for (int i = 0; i < REPEATS; i++) {
      rates[i] = (double)n / model_stream_pass(pool, bytes, (size_t)n, ahead);
    }
    rate = model_median(rates, REPEATS);
    machine->read_bytes_per_s = fmax(machine->read_bytes_per_s, rate);
  }
  munmap(bytes, (size_t)n);
  return true;
}

/* ---- computing ---------------------------------------------------------------------------- */

typedef struct {
  const ModelLoop *loop;
  uint64_t n; /* of a task */
} Computing;

static void
compute(uint32_t index, uint32_t worker, void *user)
{
  const Computing *computing = user;

  computing->loop->run(computing->n);
}

static double
measure_loop(ModelPool *pool, const ModelLoop *loop, double seconds)
{
  Computing computing = {loop, 1000};
  uint32_t n_tasks;
  double rates[REPEATS], start, took;

  /* As many rounds as a task should last, found by trying. */
  for (;;) {
    start = now();
    loop->run(computing.n);
    took = now() - start;
    if (took >= TASK_S / 4 || computing.n > UINT64_MAX / 16)
      break;
    computing.n *= 4;
  }
  computing.n = (uint64_t)((double)computing.n * TASK_S / took) + 1;
  n_tasks = model_pool_threads(pool) * ((uint32_t)(seconds / REPEATS / TASK_S) + 1);
  for (int i = 0; i < REPEATS; i++) {
    start = now();
    model_pool_run(pool, n_tasks, compute, &computing);
    rates[i] = (double)n_tasks * (double)computing.n * (double)loop->operations / (now() - start);
  }
  return model_median(rates, REPEATS);
}

bool
model_machine_measure(uint32_t n_threads, uint64_t buffer_bytes, double seconds,
                      ModelMachine *machine, ModelError *err)
{
  const uint32_t features = model_cpu_features();
  const ModelLoop *int8 = model_loop_int8(features), *bf16 = model_loop_bf16(features),
                  *f32 = model_loop_f32(features);
  ModelPool *pool = model_pool_new(n_threads, err);
  bool ok;

  memset(machine, 0, sizeof *machine);
  if (!pool)
    return false;
  machine->n_threads = model_pool_threads(pool);
  ok = measure_reading(pool, buffer_bytes, machine, err);
  if (ok && seconds > 0) {
    machine->int8_name = int8->name;
    machine->int8_ops_per_s = measure_loop(pool, int8, seconds);
    machine->f32_name = f32->name;
    machine->f32_ops_per_s = measure_loop(pool, f32, seconds);
    machine->bf16_name = bf16 ? bf16->name : NULL;
    machine->bf16_ops_per_s = bf16 ? measure_loop(pool, bf16, seconds) : 0;
  }
  model_pool_free(pool);
  return ok;
}
