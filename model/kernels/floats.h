/* floats.h - kernels of float32 arithmetic: attention, norms, activations, rotary positions, and
 * what they compute, to the last bit. Private to model/.
 *
 * As with packed.h every instruction set gives the same bits, and a row's result does not depend on
 * the rows that are computed beside it. Sixteen lanes work at a time (lanes.h says what each
 * operation means; e is its lanes_exp(), sum() its tree of additions).
 *
 * ---- attention of one query row q over the keys 0 .. seen - 1 of one head ----
 *   q'_d = q_d * scale
 *   score_k: from 0, for d = 0 .. D - 1 in order: s = fma(q'_d, key_kd, s)
 * From m = -infinity, l = 0, o_d = 0, for each tile of 64 positions that holds a seen key, in
 * order: n = the largest score of the tile's seen keys and m;  p_k = e(score_k - n), 0 for the
 * others t = sum over lanes i of (p_i + p_(16+i)) + (p_(32+i) + p_(48+i)) a = e(m - n), 1 when n =
 * m;  l = fma(l, a, t);  o_d = o_d * a;  m = n for the tile's seen keys in order: o_d = fma(p_k,
 * value_kd, o_d) At the end out_d = o_d * (1 / l).
 *
 * ---- sums over a row x of n ----
 * Lane i takes x_i, x_(16+i), ... in order, from 0 (past the end 0); then sum().
 *   rms_norm: s = lanes of fma(x, x, s); scale = float(1 / sqrt(double(sum) / n + eps));
 *             y = (x * scale) * w
 *   layer_norm: mean = float(double(sum of x) / n); s = lanes of fma(x - mean, x - mean, s); scale
 *             as above; y = fma((x - mean) * scale, w, b)
 *   softmax:  m the largest; p = e(x - m); y = p * (1 / sum of p)
 * ---- one value at a time ----
 *   silu_multiply: gate / (1 + e(-gate)) * up;  quick_gelu: x / (1 + e(-1.702 x))
 *   gelu_erf: see floats-body.h;  rope: fma(first, cos, -(second * sin)), fma(second, cos, first *
 * sin)
 */
#ifndef HILUM_MODEL_FLOATS_H
#define HILUM_MODEL_FLOATS_H

#include "kernels/kv.h"

/* Query rows of one head that a kernel takes at most. */
#define MODEL_ATTEND_ROWS 48u

/* Rows see more and more keys: seen[i] <= seen[i + 1], and at least one. */
typedef struct {
  const ModelKv *kv;
  uint32_t layer, head, n;
  float scale;
  const float *q[MODEL_ATTEND_ROWS];
  float *out[MODEL_ATTEND_ROWS];
  uint32_t seen[MODEL_ATTEND_ROWS];
  float *scratch; /* model_attend_floats() */
} ModelAttend;

/* Floats of scratch for ROWS rows, 64-byte aligned. */
uint64_t model_attend_floats(uint32_t head_dim, uint32_t rows);

typedef struct {
  const char *name; /* "portable", "avx2", "avx512", "neon" */
  void (*attend)(const ModelAttend *a);
  void (*rms_norm)(const float *x, const float *w, uint64_t n, float eps, float *y);
  void (*layer_norm)(const float *x, const float *w, const float *b, uint64_t n, float eps,
                     float *y);
  void (*softmax)(float *x, uint64_t n);
  void (*silu_multiply)(const float *gate, const float *up, uint64_t n, float *y);
  void (*quick_gelu)(float *x, uint64_t n);
  void (*gelu_erf)(float *x, uint64_t n);
  void (*add)(float *x, const float *h, uint64_t n); /* x += h */
  void (*rope)(float *x, uint32_t heads, uint32_t head_dim, bool adjacent, const float *cos,
               const float *sin);
  void (*to_f16)(const float *x, uint64_t n, uint16_t *out);
} ModelFloats;

extern const ModelFloats model_floats_portable;
#if defined __x86_64__
extern const ModelFloats model_floats_avx2, model_floats_avx512;
#elif defined __aarch64__
extern const ModelFloats model_floats_neon;
#endif

/* As model_kernels_find() and model_kernels_at(). */
const ModelFloats *model_floats_find(const char *name);
const ModelFloats *model_floats_at(uint32_t index);

#endif
