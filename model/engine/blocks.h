/* blocks.h - transformer blocks over a few hundred rows, which towers are made of. Private to
 * model/. */
#ifndef HILUM_MODEL_ENGINE_BLOCKS_H
#define HILUM_MODEL_ENGINE_BLOCKS_H

#include "kernels/kernels.h"
#include "kernels/kv.h"

typedef struct {
  uint32_t hidden, heads, ffn;
  float eps;
  bool gelu_erf; /* false: CLIP's quick_gelu */
  bool causal;
  bool post_norm; /* BERT: norms behind the sums; else before attention and feed-forward */
} ModelBlockShape;
ModelBlockShape model_vision_shape(const ModelVisionConfig *config);

/* N rows on their way; all buffers row by row. X is where they are, H is free between calls. */
typedef struct {
  ModelPool *pool;
  ModelBlockShape shape;
  uint64_t n;
  float *x, *h;                /* [n][hidden] */
  float *q, *k, *v, *attended; /* [n][hidden] */
  float *wide;                 /* [n][ffn], or more where more was asked for */
  ModelKv kv;                  /* of one block: k and v as attention reads them */
  const float *norm_w, *norm_b;
  float *space;
} ModelBlocks;

/* N >= 1. WIDE: columns that `wide` has at least. On error there is nothing to clear. */
bool model_blocks_init(ModelBlocks *b, ModelPool *pool, const ModelBlockShape *shape, uint64_t n,
                       uint64_t wide, ModelError *err);
void model_blocks_clear(ModelBlocks *b);
/* h = norm(x); vectors are aligned float32. */
void model_blocks_norm(ModelBlocks *b, const ModelTensor *w, const ModelTensor *bias);
void model_blocks_swap(ModelBlocks *b); /* x and h */
/* x = block(x). Vectors are aligned float32. */
void model_blocks_run(ModelBlocks *b, const ModelVisionBlock *block);

/* The first N patches of PIXELS [3][side][side], in the layout of the convolution's kernel:
 * channel, row, column. */
void model_cut_patches(const ModelVisionConfig *config, const float *pixels, uint32_t n,
                       float *out);

#endif
