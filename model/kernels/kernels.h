/* kernels.h - the thread pool and the arithmetic. Private to model/.
 * Rule of repeatability: work is split into blocks whose bounds depend on the shapes alone, never
 * on the number of threads, so any thread count gives the same numbers. OpenBLAS runs on one
 * thread; our pool calls it once per block. */
#ifndef HILUM_MODEL_KERNELS_H
#define HILUM_MODEL_KERNELS_H

#include "kernels/packed.h"

typedef struct ModelPool ModelPool;
/* N_THREADS 0: one per online core. */
ModelPool *model_pool_new(uint32_t n_threads, ModelError *err);
void model_pool_free(ModelPool *pool);
/* As model_pool_new(), with the kernels of that name (NULL: the best); MODEL_ERROR_ARGUMENT when
 * this processor cannot run them. */
ModelPool *model_pool_new_with(uint32_t n_threads, const char *kernels, ModelError *err);
uint32_t model_pool_threads(const ModelPool *pool);
const ModelKernels *model_pool_kernels(const ModelPool *pool);
/* Takes the memory for products of M rows of COLUMNS numbers with packed weights, once; smaller
 * ones fit into it. */
bool model_pool_reserve(ModelPool *pool, uint64_t m, uint64_t columns, ModelError *err);
/* Runs task(0..n_tasks-1) on all threads and waits; WORKER is 0..threads-1 (for scratch space).
 * Not re-entrant. N_TASKS < 2^20. */
void model_pool_run(ModelPool *pool, uint32_t n_tasks,
                    void (*task)(uint32_t index, uint32_t worker, void *user), void *user);

/* Floats of scratch that every worker has: the most columns that a product can have, and more than
 * an attention needs. */
#define MODEL_POOL_SCRATCH (1u << 20)

/* y[m][rows] = x[m][columns] . W^T (+ bias[rows] when not NULL); W of any type. */
typedef struct {
  const ModelTensor *w;
  const float *bias;
  float *y;
} ModelProduct;

/* Rows of activations up to which a product with float weights goes row by row, so that a row has
 * the same bits alone and among a few (packed weights: always; see packed.h). */
#define MODEL_FEW_ROWS 8u

/* Several products of one X, which share its preparation. Memory comes from the pool: columns <=
 * MODEL_POOL_SCRATCH, and for packed weights model_pool_reserve() has taken enough. */
void model_products(ModelPool *pool, const ModelProduct *products, uint32_t n, const float *x,
                    uint64_t m);
void model_matmul(ModelPool *pool, const ModelTensor *w, const float *bias, const float *x,
                  uint64_t m, float *y);
/* Looks at every product before it is computed, one at a time; it must not use the pool. NULL:
 * nobody does. */
typedef void ModelObserver(const ModelProduct *product, const float *x, uint64_t m, void *user);
void model_pool_observe(ModelPool *pool, ModelObserver *observer, void *user);

void model_rms_norm(const float *x, const float *w, uint64_t n, float eps, float *y);
void model_layer_norm(const float *x, const float *w, const float *b, uint64_t n, float eps,
                      float *y);
void model_softmax(float *x, uint64_t n);
void model_silu_multiply(const float *gate, const float *up, uint64_t n, float *y);
void model_quick_gelu(float *x, uint64_t n);
void model_gelu_erf(float *x, uint64_t n);
void model_add(float *x, const float *h, uint64_t n); /* x += h */
/* ADJACENT: pairs (2i, 2i+1), else (i, i + head_dim/2). COS and SIN: [head_dim/2] of one position.
 */
void model_rope(float *x, uint32_t heads, uint32_t head_dim, bool adjacent, const float *cos,
                const float *sin);

#endif
