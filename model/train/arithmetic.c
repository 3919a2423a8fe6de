/* arithmetic.c - linear layers, norms and activations, each forward beside its backward. */
#include "arithmetic.h"

#include <cblas.h>
#include <math.h>

void
train_linear(const float *x, const float *w, const float *b, size_t n, size_t in, size_t out,
             float *y)
{
  if (n == 0) {
    return;
  }
  for (size_t i = 0; b && i < n; i++) {
    memcpy(y + i * out, b, out * sizeof *y);
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)out, (int)in, 1.0f, x, (int)in,
              w, (int)in, b ? 1.0f : 0.0f, y, (int)out);
}

TRAIN_CLONES static void
add_rows(const float *residual, const float *b, size_t n, size_t d, float *y)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < d; j++) {
      y[i * d + j] = residual[i * d + j] + b[j];
    }
  }
}

void
train_linear_residual(const float *x, const float *w, const float *b, const float *residual,
                      size_t n, size_t in, size_t out, float *y)
{
  if (n == 0) {
    return;
  }
  if (b) {
    add_rows(residual, b, n, out, y);
  } else if (y != residual) {
    memcpy(y, residual, n * out * sizeof *y);
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)out, (int)in, 1.0f, x, (int)in,
              w, (int)in, 1.0f, y, (int)out);
}

TRAIN_CLONES static void
column_sums(const float *dy, size_t n, size_t out, float *db)
{
  memset(db, 0, out * sizeof *db);
  for (size_t i = 0; i < n; i++) {
    const float *row = dy + i * out;

    for (size_t j = 0; j < out; j++) {
      db[j] += row[j];
    }
  }
}

void
train_linear_backward(const float *dy, const float *x, const float *w, size_t n, size_t in,
                      size_t out, float *dx, float *dw, float *db)
{
  if (n == 0) {
    if (dw) {
      memset(dw, 0, in * out * sizeof *dw);
    }
    if (db) {
      memset(db, 0, out * sizeof *db);
    }
    return;
  }
  if (dx) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)in, (int)out, 1.0f, dy,
                (int)out, w, (int)in, 0.0f, dx, (int)in);
  }
  if (dw) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)out, (int)in, (int)n, 1.0f, dy,
                (int)out, x, (int)in, 0.0f, dw, (int)in);
  }
  if (db) {
    column_sums(dy, n, out, db);
  }
}

/* ---- norms -------------------------------------------------------------------------------- */

TRAIN_CLONES void
train_rms_norm(const float *restrict x, const float *restrict w, size_t n, size_t d, float eps,
               float *restrict y, float *restrict rstd)
{
  for (size_t i = 0; i < n; i++) {
    const float *row = x + i * d;
    float r = 1.0f / sqrtf(train_dot(row, row, d) / (float)d + eps);

    for (size_t j = 0; j < d; j++) {
      y[i * d + j] = row[j] * r * w[j];
    }
    rstd[i] = r;
  }
}

TRAIN_CLONES void
train_rms_norm_backward(const float *restrict dy, const float *restrict x, const float *restrict w,
                        const float *restrict rstd, size_t n, size_t d, float *restrict dx,
                        float *restrict dw)
{
  if (dw) {
    memset(dw, 0, d * sizeof *dw);
  }
  for (size_t i = 0; i < n; i++) {
    const float *row = x + i * d, *g = dy + i * d;
    float r = rstd[i], lanes[16] = {0}, c;
    size_t j = 0;

    for (; j + 16 <= d; j += 16) {
      for (int l = 0; l < 16; l++) {
        lanes[l] += g[j + l] * w[j + l] * row[j + l];
      }
    }
    for (int l = 0; j < d; j++, l++) {
      lanes[l] += g[j] * w[j] * row[j];
    }
    c = train_lanes_sum(lanes) * r * r * r / (float)d;
    for (j = 0; j < d; j++) {
      dx[i * d + j] += g[j] * w[j] * r - row[j] * c;
    }
    for (j = 0; dw && j < d; j++) {
      dw[j] += g[j] * row[j] * r;
    }
  }
}

TRAIN_CLONES void
train_layer_norm(const float *restrict x, const float *restrict w, const float *restrict b,
                 size_t n, size_t d, float eps, float *restrict y, float *restrict stats)
{
  for (size_t i = 0; i < n; i++) {
    const float *row = x + i * d;
    float lanes[16] = {0}, mean, r;
    size_t j = 0;

    for (; j + 16 <= d; j += 16) {
      for (int l = 0; l < 16; l++) {
        lanes[l] += row[j + l];
      }
    }
    for (int l = 0; j < d; j++, l++) {
      lanes[l] += row[j];
    }
    mean = train_lanes_sum(lanes) / (float)d;
    memset(lanes, 0, sizeof lanes);
    for (j = 0; j + 16 <= d; j += 16) {
      for (int l = 0; l < 16; l++) {
        lanes[l] += (row[j + l] - mean) * (row[j + l] - mean);
      }
    }
    for (int l = 0; j < d; j++, l++) {
      lanes[l] += (row[j] - mean) * (row[j] - mean);
    }
    r = 1.0f / sqrtf(train_lanes_sum(lanes) / (float)d + eps);
    for (j = 0; j < d; j++) {
      y[i * d + j] = (row[j] - mean) * r * w[j] + b[j];
    }
    stats[2 * i] = mean;
    stats[2 * i + 1] = r;
  }
}

/* With h = (x - mean) * rstd and g = dy * w: dx = rstd * (g - mean(g) - h * mean(g * h)). */
TRAIN_CLONES void
train_layer_norm_backward(const float *restrict dy, const float *restrict x,
                          const float *restrict w, const float *restrict stats, size_t n, size_t d,
                          bool add, float *restrict dx, float *restrict dw, float *restrict db)
{
  if (dw) {
    memset(dw, 0, d * sizeof *dw);
    memset(db, 0, d * sizeof *db);
  }
  if (!add) {
    memset(dx, 0, n * d * sizeof *dx);
  }
  for (size_t i = 0; i < n; i++) {
    const float *row = x + i * d, *g = dy + i * d;
    float mean = stats[2 * i], r = stats[2 * i + 1], sum[16] = {0}, cross[16] = {0}, mg, mgh;
    size_t j = 0;

    for (; j + 16 <= d; j += 16) {
      for (int l = 0; l < 16; l++) {
        float gw = g[j + l] * w[j + l];

        sum[l] += gw;
        cross[l] += gw * ((row[j + l] - mean) * r);
      }
    }
    for (int l = 0; j < d; j++, l++) {
      sum[l] += g[j] * w[j];
      cross[l] += g[j] * w[j] * ((row[j] - mean) * r);
    }
    mg = train_lanes_sum(sum) / (float)d;
    mgh = train_lanes_sum(cross) / (float)d;
    for (j = 0; j < d; j++) {
      dx[i * d + j] += r * (g[j] * w[j] - mg - (row[j] - mean) * r * mgh);
    }
    for (j = 0; dw && j < d; j++) {
      dw[j] += g[j] * ((row[j] - mean) * r);
      db[j] += g[j];
    }
  }
}

/* ---- activations -------------------------------------------------------------------------- */

TRAIN_CLONES void
train_swiglu(const float *restrict gu, size_t n, size_t f, float *restrict act)
{
  for (size_t i = 0; i < n; i++) {
    const float *g = gu + i * 2 * f, *u = g + f;
    float *a = act + i * f;

    for (size_t j = 0; j < f; j++) {
      a[j] = g[j] * train_sigmoid(g[j]) * u[j];
    }
  }
}

TRAIN_CLONES void
train_swiglu_backward(const float *restrict dact, const float *restrict gu, size_t n, size_t f,
                      float *restrict dgu)
{
  for (size_t i = 0; i < n; i++) {
    const float *g = gu + i * 2 * f, *u = g + f, *da = dact + i * f;
    float *dg = dgu + i * 2 * f, *du = dg + f;

    for (size_t j = 0; j < f; j++) {
      float s = train_sigmoid(g[j]);

      du[j] = da[j] * (g[j] * s);
      dg[j] = da[j] * u[j] * (s * (1.0f + g[j] * (1.0f - s)));
    }
  }
}

TRAIN_CLONES static void
quick_gelu(const float *restrict x, size_t n, float *restrict y)
{
  for (size_t i = 0; i < n; i++) {
    y[i] = x[i] * train_sigmoid(1.702f * x[i]);
  }
}

TRAIN_CLONES static void
quick_gelu_backward(const float *restrict x, size_t n, float *restrict d)
{
  for (size_t i = 0; i < n; i++) {
    float s = train_sigmoid(1.702f * x[i]);

    d[i] *= s * (1.0f + 1.702f * x[i] * (1.0f - s));
  }
}

void
train_gelu(const float *x, size_t n, bool erf_form, float *y)
{
  if (!erf_form) {
    quick_gelu(x, n, y);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
  }
}

void
train_gelu_backward(const float *x, size_t n, bool erf_form, float *d)
{
  if (!erf_form) {
    quick_gelu_backward(x, n, d);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    float cdf = 0.5f * (1.0f + erff(x[i] * 0.70710678118654752f));

    d[i] *= cdf + x[i] * 0.39894228040143268f * train_exp(-0.5f * x[i] * x[i]);
  }
}

TRAIN_CLONES void
train_add(const float *restrict x, size_t n, float *restrict y)
{
  for (size_t i = 0; i < n; i++) {
    y[i] += x[i];
  }
}

/* ---- softmax ------------------------------------------------------------------------------ */

TRAIN_INLINE float
row_max(const float *x, size_t n)
{
  float lanes[16], top = x[0];
  size_t i = 0;

  for (int l = 0; l < 16; l++) {
    lanes[l] = top;
  }
  for (; i + 16 <= n; i += 16) {
    for (int l = 0; l < 16; l++) {
      lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
    }
  }
  for (; i < n; i++) {
    top = x[i] > top ? x[i] : top;
  }
  for (int l = 0; l < 16; l++) {
    top = lanes[l] > top ? lanes[l] : top;
  }
  return top;
}

/* Replaces x by e^(x - top) and returns the sum. */
TRAIN_INLINE float
row_exp(float *x, size_t n, float top)
{
  float lanes[16] = {0};
  size_t i = 0;

  for (; i + 16 <= n; i += 16) {
    for (int l = 0; l < 16; l++) {
      float e = train_exp(x[i + l] - top);

      x[i + l] = e;
      lanes[l] += e;
    }
  }
  for (int l = 0; i < n; i++, l++) {
    x[i] = train_exp(x[i] - top);
    lanes[l] += x[i];
  }
  return train_lanes_sum(lanes);
}

TRAIN_CLONES void
train_softmax_row(float *x, size_t n_keep, size_t n)
{
  float scale = 1.0f / row_exp(x, n_keep, row_max(x, n_keep));

  for (size_t i = 0; i < n_keep; i++) {
    x[i] *= scale;
  }
  for (size_t i = n_keep; i < n; i++) {
    x[i] = 0.0f;
  }
}

TRAIN_CLONES double
train_cross_entropy_row(float *logits, size_t n, size_t target)
{
  float top = row_max(logits, n), at = logits[target], sum = row_exp(logits, n, top);
  float scale = 1.0f / sum;

  for (size_t i = 0; i < n; i++) {
    logits[i] *= scale;
  }
  logits[target] -= 1.0f;
  return log((double)sum) + ((double)top - (double)at);
}
