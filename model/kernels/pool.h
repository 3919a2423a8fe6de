/* pool.h - what kernels share with the pool: scratch space per worker. Private to model/kernels. */
#ifndef HILUM_MODEL_POOL_H
#define HILUM_MODEL_POOL_H

#include "kernels/kernels.h"

/* MODEL_POOL_SCRATCH floats that belong to WORKER while its task runs; 64-byte aligned. */
float *model_pool_scratch(const ModelPool *pool, uint32_t worker);

#endif
