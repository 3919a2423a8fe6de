/* elementwise.c - norms, activations, softmax and rotary positions, one vector at a time. */
#include "kernels/kernels.h"

#include <math.h>

void
model_rms_norm(const float *x, const float *w, uint64_t n, float eps, float *y)
{
  double squares = 0;
  float scale;

  for (uint64_t i = 0; i < n; i++) {
    squares += (double)x[i] * x[i];
  }
  scale = (float)(1.0 / sqrt(squares / (double)n + eps));
  for (uint64_t i = 0; i < n; i++) {
    y[i] = x[i] * scale * w[i];
  }
}

void
model_layer_norm(const float *x, const float *w, const float *b, uint64_t n, float eps, float *y)
{
  double sum = 0, squares = 0;
  float mean, scale;

  for (uint64_t i = 0; i < n; i++) {
    sum += x[i];
  }
  mean = (float)(sum / (double)n);
  for (uint64_t i = 0; i < n; i++) {
    const double d = (double)x[i] - mean;
    squares += d * d;
  }
  scale = (float)(1.0 / sqrt(squares / (double)n + eps));
  for (uint64_t i = 0; i < n; i++) {
    y[i] = (x[i] - mean) * scale * w[i] + b[i];
  }
}

void
model_softmax(float *x, uint64_t n)
{
  float most = -INFINITY, scale;
  double sum = 0;

  for (uint64_t i = 0; i < n; i++) {
    most = x[i] > most ? x[i] : most;
  }
  for (uint64_t i = 0; i < n; i++) {
    x[i] = expf(x[i] - most);
    sum += x[i];
  }
  scale = (float)(1.0 / sum);
  for (uint64_t i = 0; i < n; i++) {
    x[i] *= scale;
  }
}

void
model_silu_multiply(const float *gate, const float *up, uint64_t n, float *y)
{
  for (uint64_t i = 0; i < n; i++) {
    y[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
  }
}

/* CLIP's x * sigmoid(1.702 x). */
void
model_quick_gelu(float *x, uint64_t n)
{
  for (uint64_t i = 0; i < n; i++) {
    x[i] = x[i] / (1.0f + expf(-1.702f * x[i]));
  }
}

/* torch's default GELU, the exact one: ggml's tanh form differs in the fourth digit. */
void
model_gelu_erf(float *x, uint64_t n)
{
  for (uint64_t i = 0; i < n; i++) {
    x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
  }
}

void
model_rope(float *x, uint32_t heads, uint32_t head_dim, bool adjacent, const float *cos,
           const float *sin)
{
  const uint32_t half = head_dim / 2;

  for (uint32_t head = 0; head < heads; head++) {
    float *row = x + (uint64_t)head * head_dim;
    for (uint32_t i = 0; i < half; i++) {
      float *a = adjacent ? row + 2 * i : row + i;
      float *b = adjacent ? row + 2 * i + 1 : row + i + half;
      const float first = *a, second = *b;
      *a = first * cos[i] - second * sin[i];
      *b = second * cos[i] + first * sin[i];
    }
  }
}
