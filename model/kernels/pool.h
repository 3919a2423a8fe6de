/* pool.h - what kernels share with the pool: scratch space per worker. Private to model/kernels. */
#ifndef HILUM_MODEL_POOL_H
#define HILUM_MODEL_POOL_H

#include "kernels/kernels.h"
#include "kernels/product-float.h"

/* MODEL_POOL_SCRATCH floats that belong to WORKER while its task runs; 64-byte aligned. */
float *model_pool_scratch(const ModelPool *pool, uint32_t worker);

/* Of weights that are floats; chosen when the pool was made. */
const ModelFloatProducts *model_pool_float_products(const ModelPool *pool);
/* The memory that model_pool_reserve() took, for the holder of the lock. */
uint8_t *model_pool_activations(const ModelPool *pool, uint64_t *n);
/* Several runs that nothing comes between. */
void model_pool_lock(ModelPool *pool);
void model_pool_unlock(ModelPool *pool);
void model_pool_run_locked(ModelPool *pool, uint32_t n_tasks,
                           void (*task)(uint32_t index, uint32_t worker, void *user), void *user);

/* Tells the observer, if there is one. For the holder of the lock. */
void model_pool_tell(const ModelPool *pool, const ModelProduct *products, uint32_t n,
                     const float *x, uint64_t m);

#endif
