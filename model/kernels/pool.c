/* pool.c - a few threads that wait on a condition variable and share out numbered tasks.
 *
 * Invariants:
 * 1. The thread that calls model_pool_run() is worker 0 and works too; the others are 1 .. n-1.
 * 2. `run` is held for a whole run, so that sessions that share an engine take turns, and the
 *    scratch of a worker belongs to one task at a time.
 * 3. A worker looks at task, user and n_tasks only between seeing a new `generation` under `lock`
 *    and lowering `n_busy` under `lock`; the caller changes them only while n_busy is 0.
 */
#include "kernels/pool.h"

#include <cblas.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "kernels/blas.h"

typedef struct {
  ModelPool *pool;
  uint32_t worker;
  pthread_t thread;
} Helper;

struct ModelPool {
  uint32_t n_threads, n_helpers; /* n_helpers: threads that were really started */
  Helper *helpers;
  float *scratch;

  pthread_mutex_t run, lock;
  pthread_cond_t work, done;
  uint64_t generation;
  uint32_t n_busy;
  bool quit;

  void (*task)(uint32_t, uint32_t, void *);
  void *user;
  uint32_t n_tasks;
  _Atomic uint32_t next;
};

static void
pool_take_tasks(ModelPool *pool, uint32_t worker)
{
  uint32_t index;

  while ((index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed)) <
         pool->n_tasks) {
    pool->task(index, worker, pool->user);
  }
}

static void *
helper_main(void *data)
{
  const Helper *helper = data;
  ModelPool *pool = helper->pool;
  uint64_t seen = 0;

  pthread_mutex_lock(&pool->lock);
  for (;;) {
    while (!pool->quit && pool->generation == seen) {
      pthread_cond_wait(&pool->work, &pool->lock);
    }
    if (pool->quit) {
      break;
    }
    seen = pool->generation;
    pthread_mutex_unlock(&pool->lock);
    pool_take_tasks(pool, helper->worker);
    pthread_mutex_lock(&pool->lock);
    if (--pool->n_busy == 0) {
      pthread_cond_signal(&pool->done);
    }
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

/* OpenBLAS ends its threads by this, before a fork. Weak: builds of it without threads have none.
 */
int blas_thread_shutdown_(void) __attribute__((weak));

/* OpenBLAS starts a thread for each core when the program is loaded, whatever the program is for,
 * and each of them turns in circles for some milliseconds before it sleeps. None is ever needed:
 * our blocks are the unit of work, and a second layer of threads would only fight with them. */
__attribute__((constructor)) static void
stop_blas_threads(void)
{
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_) {
    blas_thread_shutdown_();
  }
}

ModelPool *
model_pool_new(uint32_t n_threads, ModelError *err)
{
  ModelPool *pool = calloc(1, sizeof *pool);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);

  if (n_threads == 0) {
    n_threads = online > 0 ? (uint32_t)online : 1;
  }
  if (n_threads > MODEL_MAX_THREADS) {
    n_threads = MODEL_MAX_THREADS;
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
  pool->quit = true;
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

void
model_pool_run(ModelPool *pool, uint32_t n_tasks,
               void (*task)(uint32_t index, uint32_t worker, void *user), void *user)
{
  const bool alone = n_tasks < 2 || pool->n_helpers == 0;

  pthread_mutex_lock(&pool->run);
  pool->task = task;
  pool->user = user;
  pool->n_tasks = n_tasks;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  if (!alone) {
    pthread_mutex_lock(&pool->lock);
    pool->n_busy = pool->n_helpers;
    pool->generation++;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
  }
  pool_take_tasks(pool, 0);
  if (!alone) {
    pthread_mutex_lock(&pool->lock);
    while (pool->n_busy > 0) {
      pthread_cond_wait(&pool->done, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->run);
}
