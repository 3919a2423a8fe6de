/* watch.c - stopping, progress, sizes and rows: small things that every stage uses. */
#include "engine/engine.h"

#include "base/error.h"

#define ROW_BLOCK 16u

bool
model_watch_go_on(const ModelWatch *watch, ModelError *err)
{
  if (watch && watch->cancel && atomic_load_explicit(watch->cancel, memory_order_relaxed)) {
    return model_fail(err, MODEL_ERROR_CANCELLED, "stopped on request");
  }
  return true;
}

void
model_watch_progress(const ModelWatch *watch, ModelPhase phase, uint32_t done, uint32_t total)
{
  if (watch && watch->callbacks && watch->callbacks->progress) {
    watch->callbacks->progress(phase, done, total, watch->callbacks->user);
  }
}

bool
model_size(size_t a, size_t b, size_t c, size_t d, const char *what, size_t *size, ModelError *err)
{
  if (__builtin_mul_overflow(a, b, size) || __builtin_mul_overflow(*size, c, size) ||
      __builtin_mul_overflow(*size, d, size)) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: %zu x %zu x %zu x %zu bytes do not fit",
                      what, a, b, c, d);
  }
  return true;
}

typedef struct {
  uint64_t n_rows;
  void (*task)(uint64_t first, uint64_t n, void *user);
  void *user;
} Rows;

static void
rows_task(uint32_t index, uint32_t worker, void *user)
{
  const Rows *rows = user;
  const uint64_t first = (uint64_t)index * ROW_BLOCK;

  rows->task(first, rows->n_rows - first < ROW_BLOCK ? rows->n_rows - first : ROW_BLOCK,
             rows->user);
}

void
model_rows_run(ModelPool *pool, uint64_t n_rows,
               void (*task)(uint64_t first, uint64_t n, void *user), void *user)
{
  Rows rows = {n_rows, task, user};

  model_pool_run(pool, (uint32_t)((n_rows + ROW_BLOCK - 1) / ROW_BLOCK), rows_task, &rows);
}
