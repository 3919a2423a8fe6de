/* arithmetic.h - the arithmetic that all training stages share. Private to model/train.
 *
 * Every matrix is row-major: x [rows][in], a weight W [out][in], y = x W^T + b. The loops fix the
 * order of each sum by themselves (sixteen lanes, then a tree), so that they give the same numbers
 * in every instruction set that they are compiled for.
 */
#ifndef HILUM_TRAIN_ARITHMETIC_H
#define HILUM_TRAIN_ARITHMETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The element loops are compiled for three instruction sets and chosen when the program starts.
 * Sanitizers instrument the chooser, which runs before they are ready: one version is enough. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TRAIN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define TRAIN_CLONES
#endif
#define TRAIN_INLINE static inline __attribute__((always_inline))

/* e^x to about one unit in the last place, for x in [-87, 88] (clamped). Plain arithmetic, so that
 * the compiler can make vectors of it. Range reduction and polynomial: Cephes, expf. */
TRAIN_INLINE float
train_exp(float x)
{
  const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
  float t, n, r, p, scale;
  int32_t bits;

  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  t = x * 1.44269504088896341f + shift;
  memcpy(&bits, &t, 4);
  n = t - shift;
  r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  bits = (int32_t)(((uint32_t)bits - 0x4B400000u + 127u) << 23);
  memcpy(&scale, &bits, 4);
  return p * scale;
}

TRAIN_INLINE float
train_sigmoid(float x)
{
  return 1.0f / (1.0f + train_exp(-x));
}

/* The sixteen lanes of a sum, added up as a tree. */
TRAIN_INLINE float
train_lanes_sum(const float lanes[16])
{
  float a[8], b[4];

  for (int i = 0; i < 8; i++) {
    a[i] = lanes[i] + lanes[i + 8];
  }
  for (int i = 0; i < 4; i++) {
    b[i] = a[i] + a[i + 4];
  }
  return (b[0] + b[2]) + (b[1] + b[3]);
}

/* sum of a[i] * b[i] */
TRAIN_INLINE float
train_dot(const float *a, const float *b, size_t n)
{
  float lanes[16] = {0};
  size_t i = 0;

  for (; i + 16 <= n; i += 16) {
    for (int l = 0; l < 16; l++) {
      lanes[l] += a[i + l] * b[i + l];
    }
  }
  for (int l = 0; i < n; i++, l++) {
    lanes[l] += a[i] * b[i];
  }
  return train_lanes_sum(lanes);
}

/* y[n][out] = x[n][in] W[out][in]^T + b (b may be NULL). */
void train_linear(const float *x, const float *w, const float *b, size_t n, size_t in, size_t out,
                  float *y);
/* y = residual + x W^T + b (b may be NULL); y and residual may be the same. */
void train_linear_residual(const float *x, const float *w, const float *b, const float *residual,
                           size_t n, size_t in, size_t out, float *y);
/* From dy[n][out]: dx[n][in] = dy W, dw[out][in] = dy^T x, db[out] = column sums of dy. Each of dx,
 * dw and db may be NULL; what is not NULL is overwritten. */
void train_linear_backward(const float *dy, const float *x, const float *w, size_t n, size_t in,
                           size_t out, float *dx, float *dw, float *db);

/* rstd[row] = 1/sqrt(mean(x^2) + eps), y = x * rstd * w */
void train_rms_norm(const float *x, const float *w, size_t n, size_t d, float eps, float *y,
                    float *rstd);
/* dx += gradient; dw (may be NULL) is overwritten. */
void train_rms_norm_backward(const float *dy, const float *x, const float *w, const float *rstd,
                             size_t n, size_t d, float *dx, float *dw);
/* stats[row] = {mean, 1/sqrt(var + eps)}, y = (x - mean) * rstd * w + b */
void train_layer_norm(const float *x, const float *w, const float *b, size_t n, size_t d, float eps,
                      float *y, float *stats);
/* dx is overwritten (ADD false) or added to; dw and db (both or neither NULL) are overwritten. */
void train_layer_norm_backward(const float *dy, const float *x, const float *w, const float *stats,
                               size_t n, size_t d, bool add, float *dx, float *dw, float *db);

/* act[n][f] = silu(gu[row][0..f)) * gu[row][f..2f) */
void train_swiglu(const float *gu, size_t n, size_t f, float *act);
/* dgu from dact; may not overlap. */
void train_swiglu_backward(const float *dact, const float *gu, size_t n, size_t f, float *dgu);
/* CLIP's x * sigmoid(1.702 x), or the exact erf form. The backward works in place on d. */
void train_gelu(const float *x, size_t n, bool erf_form, float *y);
void train_gelu_backward(const float *x, size_t n, bool erf_form, float *d);

/* y += x */
void train_add(const float *x, size_t n, float *y);
/* Softmax over the first N_KEEP of N values of a row, the rest becomes 0. */
void train_softmax_row(float *x, size_t n_keep, size_t n);
/* Replaces a row of logits by probabilities less one at TARGET; returns -log p[target]. */
double train_cross_entropy_row(float *logits, size_t n, size_t target);

#endif
