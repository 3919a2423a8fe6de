/* sweep.h - the order in which a product goes over weights and activations, for kernels that differ
 * in their instructions only. Private to model/kernels.
 *
 * A few rows of activations: each group of weights once, from first to last byte, unpacked on the
 * way (the memory sets the pace). More: a block of 256 columns of a few groups is unpacked into a
 * panel that stays in the first cache, and every tile of activations passes by it. */
#ifndef HILUM_MODEL_SWEEP_H
#define HILUM_MODEL_SWEEP_H

#include "kernels/packed.h"

/* A tile of C rows of activations from some column on; the arrays are those of packed.h. */
typedef struct {
  const int8_t *q;
  const float *d;
  const int32_t *sums, *sums16;
  const int16_t *pairs;
  uint32_t c;
} ModelTileView;

/* acc[c][16] after N units of 16 rows, which go on from X's first column. */
typedef void (*ModelSweepStep)(const uint8_t *units, uint64_t n, const ModelTileView *x,
                               float *acc);

/* One packed type. The bytes of an expanded unit are the kernel's own matter; whole lines of 64. */
typedef struct {
  ModelType type;
  uint32_t expanded_bytes;
  uint64_t most_direct; /* rows of activations up to which nothing is expanded */
  void (*expand)(const uint8_t *unit, uint8_t *expanded);
  ModelSweepStep packed, expanded;
} ModelSweep;

/* ModelKernels' product, by means of SWEEP. */
void model_sweep(const ModelSweep *sweep, const ModelTensor *w, uint64_t first, uint64_t n,
                 const ModelActivations *x, const float *bias, float *y, uint64_t y_stride,
                 uint8_t *scratch);

#endif
