/* pool.c - a few threads that share out numbered tasks.
 *
 * Invariants:
 * 1. The thread that calls model_pool_run() is worker 0 and works too; the others are 1 .. n-1.
 * 2. `run` is held for a whole run, so that sessions that share an engine take turns, and the
 *    scratch of a worker belongs to one task at a time.
 * 3. `ticket` is the state of a run in one word: its number, how many tasks it has, and which is
 *    next. A task is taken by moving the word on with a comparison, so nobody can take one of a run
 *    that is over, and a thread that sleeps through a run is not waited for.
 * 4. `task` and `user` change only while every task of the last run is done.
 *
 * A token of a 7B model is some 200 runs within a tenth of a second: threads look at the ticket for
 * a while before they go to sleep.
 */
#include "kernels/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "kernels/blas.h"

#define TASK_BITS 20u /* of the number of tasks and of the next one; the rest numbers the runs */
#define TASK_MASK ((1u << TASK_BITS) - 1)
#define LOOKS 2000 /* at the ticket before sleeping: some 30 microseconds */

typedef struct {
  ModelPool *pool;
  uint32_t worker;
  pthread_t thread;
} Helper;

struct ModelPool {
  uint32_t n_threads, n_helpers; /* n_helpers: threads that were really started */
  Helper *helpers;
  float *scratch;
  const ModelKernels *kernels;
  const ModelFloatProducts *float_products;
  uint8_t *activations; /* see model_pool_reserve() */
  uint64_t n_activations;
  ModelObserver *observer;
  void *observer_user;

  pthread_mutex_t run, lock; /* lock: around sleeping */
  pthread_cond_t work, done;
  atomic_uint n_sleepers;
  atomic_bool caller_sleeps, quit;

  void (*_Atomic task)(uint32_t, uint32_t, void *);
  void *_Atomic user;
  _Atomic uint64_t ticket;
  _Atomic uint32_t n_done;
};

static inline void
relax(void)
{
#if defined __x86_64__
  __builtin_ia32_pause();
#elif defined __aarch64__
  __asm__ volatile("yield");
#endif
}

static inline bool
has_tasks(uint64_t ticket)
{
  return (ticket & TASK_MASK) < (ticket >> TASK_BITS & TASK_MASK);
}

/* Does tasks until there is none to be taken. */
static void
pool_take_tasks(ModelPool *pool, uint32_t worker)
{
  uint64_t ticket = atomic_load(&pool->ticket);

  while (has_tasks(ticket)) {
    if (atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) {
      atomic_load (&pool->task)((uint32_t)(ticket & TASK_MASK), worker, atomic_load(&pool->user));
      if (atomic_fetch_add(&pool->n_done, 1) + 1 == (ticket >> TASK_BITS & TASK_MASK) &&
          atomic_load(&pool->caller_sleeps)) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
      }
      ticket = atomic_load(&pool->ticket);
    }
  }
}

static void
helper_wait(ModelPool *pool)
{
  for (int i = 0; i < LOOKS; i++) {
    if (has_tasks(atomic_load_explicit(&pool->ticket, memory_order_relaxed)) ||
        atomic_load_explicit(&pool->quit, memory_order_relaxed)) {
      return;
    }
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->n_sleepers, 1);
  while (!has_tasks(atomic_load(&pool->ticket)) && !atomic_load(&pool->quit)) {
    pthread_cond_wait(&pool->work, &pool->lock);
  }
  atomic_fetch_sub(&pool->n_sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
}

static void *
helper_main(void *data)
{
  const Helper *helper = data;
  ModelPool *pool = helper->pool;

  while (!atomic_load(&pool->quit)) {
    helper_wait(pool);
    pool_take_tasks(pool, helper->worker);
  }
  return NULL;
}

ModelPool *
model_pool_new(uint32_t n_threads, ModelError *err)
{
  return model_pool_new_with(n_threads, NULL, err);
}

ModelPool *
model_pool_new_with(uint32_t n_threads, const char *kernels, ModelError *err)
{
  ModelPool *pool = calloc(1, sizeof *pool);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);

  if (n_threads == 0) {
    n_threads = online > 0 ? (uint32_t)online : 1;
  }
  if (n_threads > MODEL_MAX_THREADS) {
    n_threads = MODEL_MAX_THREADS;
  }
  if (!model_kernels_find(kernels)) {
    model_fail(err, MODEL_ERROR_ARGUMENT,
               "kernels: found \"%.32s\", which this processor cannot run", kernels);
    free(pool);
    return NULL;
  }
  if (!model_blas_check(NULL, err)) {
    free(pool);
    return NULL;
  }
  if (pool) {
    pthread_mutex_init(&pool->run, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->n_threads = n_threads;
    pool->kernels = model_kernels_find(kernels);
    /* Of this processor whatever KERNELS says: where OpenBLAS takes over depends on it. */
    pool->float_products = model_float_products_find(NULL);
    pool->helpers = calloc(n_threads, sizeof *pool->helpers);
    pool->scratch = aligned_alloc(64, sizeof(float) * MODEL_POOL_SCRATCH * (size_t)n_threads);
  }
  if (!pool || !pool->helpers || !pool->scratch) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a pool of %u threads", n_threads);
    model_pool_free(pool);
    return NULL;
  }
  for (uint32_t i = 1; i < n_threads; i++) {
    Helper *helper = &pool->helpers[pool->n_helpers];
    helper->pool = pool;
    helper->worker = i;
    if (pthread_create(&helper->thread, NULL, helper_main, helper) != 0) {
      model_fail(err, MODEL_ERROR_IO, "the system refused thread %u of %u", i + 1, n_threads);
      model_pool_free(pool);
      return NULL;
    }
    pool->n_helpers++;
  }
  return pool;
}

void
model_pool_free(ModelPool *pool)
{
  if (!pool) {
    return;
  }
  pthread_mutex_lock(&pool->lock);
  atomic_store(&pool->quit, true);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (uint32_t i = 0; i < pool->n_helpers; i++) {
    pthread_join(pool->helpers[i].thread, NULL);
  }
  pthread_cond_destroy(&pool->work);
  pthread_cond_destroy(&pool->done);
  pthread_mutex_destroy(&pool->lock);
  pthread_mutex_destroy(&pool->run);
  free(pool->helpers);
  free(pool->scratch);
  free(pool->activations);
  free(pool);
}

uint32_t
model_pool_threads(const ModelPool *pool)
{
  return pool->n_threads;
}

float *
model_pool_scratch(const ModelPool *pool, uint32_t worker)
{
  return pool->scratch + (size_t)worker * MODEL_POOL_SCRATCH;
}

const ModelKernels *
model_pool_kernels(const ModelPool *pool)
{
  return pool->kernels;
}

const ModelFloatProducts *
model_pool_float_products(const ModelPool *pool)
{
  return pool->float_products;
}

bool
model_pool_reserve(ModelPool *pool, uint64_t m, uint64_t columns, ModelError *err)
{
  /* One set for each block of activations. */
  const uint64_t n = 2 * model_activations_bytes(m, columns);
  uint8_t *grown = NULL;

  pthread_mutex_lock(&pool->run);
  if (n > pool->n_activations) {
    grown = n < SIZE_MAX / 2 ? aligned_alloc(MODEL_PACKED_ALIGNMENT, n) : NULL;
    if (grown) {
      free(pool->activations);
      pool->activations = grown;
      pool->n_activations = n;
    }
  }
  pthread_mutex_unlock(&pool->run);
  return pool->n_activations >= n ||
         model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %llu rows of activations",
                    (unsigned long long)m);
}

uint8_t *
model_pool_activations(const ModelPool *pool, uint64_t *n)
{
  *n = pool->n_activations;
  return pool->activations;
}

void
model_pool_lock(ModelPool *pool)
{
  pthread_mutex_lock(&pool->run);
}

void
model_pool_unlock(ModelPool *pool)
{
  pthread_mutex_unlock(&pool->run);
}

static void
wait_for_tasks(ModelPool *pool, uint32_t n_tasks)
{
  for (int i = 0; i < LOOKS; i++) {
    if (atomic_load(&pool->n_done) == n_tasks) {
      return;
    }
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_store(&pool->caller_sleeps, true);
  /* Before n_done is looked at, for who does the last task looks at the two the other way around.
   * The language promises as much of the store; QEMU 7.2 does not keep it for AArch64. */
  atomic_thread_fence(memory_order_seq_cst);
  while (atomic_load(&pool->n_done) < n_tasks) {
    pthread_cond_wait(&pool->done, &pool->lock);
  }
  atomic_store(&pool->caller_sleeps, false);
  pthread_mutex_unlock(&pool->lock);
}

void
model_pool_run_locked(ModelPool *pool, uint32_t n_tasks,
                      void (*task)(uint32_t index, uint32_t worker, void *user), void *user)
{
  uint64_t ticket = atomic_load(&pool->ticket);

  assert(n_tasks <= TASK_MASK);
  if (n_tasks < 2 || pool->n_helpers == 0) {
    for (uint32_t i = 0; i < n_tasks; i++) {
      task(i, 0, user);
    }
    return;
  }
  atomic_store(&pool->task, task);
  atomic_store(&pool->user, user);
  atomic_store(&pool->n_done, 0);
  ticket = ((ticket >> 2 * TASK_BITS) + 1) << 2 * TASK_BITS | (uint64_t)n_tasks << TASK_BITS;
  atomic_store(&pool->ticket, ticket);
  if (atomic_load(&pool->n_sleepers) > 0) {
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
  }
  pool_take_tasks(pool, 0);
  wait_for_tasks(pool, n_tasks);
}

void
model_pool_run(ModelPool *pool, uint32_t n_tasks,
               void (*task)(uint32_t index, uint32_t worker, void *user), void *user)
{
  model_pool_lock(pool);
  model_pool_run_locked(pool, n_tasks, task, user);
  model_pool_unlock(pool);
}

void
model_pool_observe(ModelPool *pool, ModelObserver *observer, void *user)
{
  model_pool_lock(pool);
  pool->observer = observer;
  pool->observer_user = user;
  model_pool_unlock(pool);
}

void
model_pool_tell(const ModelPool *pool, const ModelProduct *products, uint32_t n, const float *x,
                uint64_t m)
{
  for (uint32_t i = 0; pool->observer && i < n; i++) {
    pool->observer(&products[i], x, m, pool->observer_user);
  }
}
