/* elementwise.c - norms, activations, softmax and rotary positions, one vector at a time, by the
 * best kernels of this processor. */
#include "kernels/floats.h"
#include "kernels/kernels.h"

void
model_rms_norm(const float *x, const float *w, uint64_t n, float eps, float *y)
{
  model_floats_find(NULL)->rms_norm(x, w, n, eps, y);
}

void
model_layer_norm(const float *x, const float *w, const float *b, uint64_t n, float eps, float *y)
{
  model_floats_find(NULL)->layer_norm(x, w, b, n, eps, y);
}

void
model_softmax(float *x, uint64_t n)
{
  model_floats_find(NULL)->softmax(x, n);
}

void
model_silu_multiply(const float *gate, const float *up, uint64_t n, float *y)
{
  model_floats_find(NULL)->silu_multiply(gate, up, n, y);
}

void
model_quick_gelu(float *x, uint64_t n)
{
  model_floats_find(NULL)->quick_gelu(x, n);
}

void
model_gelu_erf(float *x, uint64_t n)
{
  model_floats_find(NULL)->gelu_erf(x, n);
}

void
model_add(float *x, const float *h, uint64_t n)
{
  model_floats_find(NULL)->add(x, h, n);
}

void
model_rope(float *x, uint32_t heads, uint32_t head_dim, bool adjacent, const float *cos,
           const float *sin)
{
  model_floats_find(NULL)->rope(x, heads, head_dim, adjacent, cos, sin);
}
