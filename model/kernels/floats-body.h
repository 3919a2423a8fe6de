/* floats-body.h - the float kernels (floats.h) over lanes.h; compiled once per instruction set by
 * floats-ISA.c. */
#include "kernels/attend-body.h"
#include "kernels/floats.h"
#include "kernels/lanes.h"

/* The lanes of x[i ..] that a row of N has, the others VALUE. */
LANES_INLINE Lanes
row_load(const float *x, uint64_t i, uint64_t n, float value)
{
  return n - i >= LANES ? lanes_load(x + i) : lanes_load_some(x + i, n - i, value);
}

LANES_INLINE void
row_store(float *y, uint64_t i, uint64_t n, Lanes a)
{
  if (n - i >= LANES) {
    lanes_store(y + i, a);
  } else {
    lanes_store_some(y + i, n - i, a);
  }
}

LANES_INLINE Lanes
row_scale(float squares, uint64_t n, float eps)
{
  return lanes_all((float)(1.0 / sqrt((double)squares / (double)n + (double)eps)));
}

static void
rms_norm(const float *x, const float *w, uint64_t n, float eps, float *y)
{
  Lanes squares = lanes_zero(), scale;

  for (uint64_t i = 0; i < n; i += LANES) {
    const Lanes a = row_load(x, i, n, 0.0f);
    squares = lanes_fma(a, a, squares);
  }
  scale = row_scale(lanes_sum(squares), n, eps);
  for (uint64_t i = 0; i < n; i += LANES) {
    row_store(y, i, n,
              lanes_mul(lanes_mul(row_load(x, i, n, 0.0f), scale), row_load(w, i, n, 0.0f)));
  }
}

static void
layer_norm(const float *x, const float *w, const float *b, uint64_t n, float eps, float *y)
{
  Lanes sum = lanes_zero(), squares = lanes_zero(), mean, scale;
  float middle;

  for (uint64_t i = 0; i < n; i += LANES) {
    sum = lanes_add(sum, row_load(x, i, n, 0.0f));
  }
  middle = (float)((double)lanes_sum(sum) / (double)n);
  mean = lanes_all(middle);
  for (uint64_t i = 0; i < n; i += LANES) {
    const Lanes d = lanes_sub(row_load(x, i, n, middle), mean);
    squares = lanes_fma(d, d, squares);
  }
  scale = row_scale(lanes_sum(squares), n, eps);
  for (uint64_t i = 0; i < n; i += LANES) {
    const Lanes d = lanes_sub(row_load(x, i, n, 0.0f), mean);
    row_store(y, i, n,
              lanes_fma(lanes_mul(d, scale), row_load(w, i, n, 0.0f), row_load(b, i, n, 0.0f)));
  }
}

static void
softmax(float *x, uint64_t n)
{
  Lanes most = lanes_all(-INFINITY), sum = lanes_zero(), scale;

  for (uint64_t i = 0; i < n; i += LANES) {
    most = lanes_max(row_load(x, i, n, -INFINITY), most);
  }
  most = lanes_all(lanes_most(most));
  for (uint64_t i = 0; i < n; i += LANES) {
    const Lanes p = lanes_exp(lanes_sub(row_load(x, i, n, -INFINITY), most));
    sum = lanes_add(sum, p);
    row_store(x, i, n, p);
  }
  scale = lanes_all(1.0f / lanes_sum(sum));
  for (uint64_t i = 0; i < n; i += LANES) {
    row_store(x, i, n, lanes_mul(row_load(x, i, n, 0.0f), scale));
  }
}

/* 1 + e(-x * SLOPE) */
LANES_INLINE Lanes
gate_of(Lanes x, float slope)
{
  return lanes_add(lanes_all(1.0f), lanes_exp(lanes_mul(x, lanes_all(-slope))));
}

static void
silu_multiply(const float *gate, const float *up, uint64_t n, float *y)
{
  for (uint64_t i = 0; i < n; i += LANES) {
    const Lanes x = row_load(gate, i, n, 0.0f);
    row_store(y, i, n, lanes_mul(lanes_div(x, gate_of(x, 1.0f)), row_load(up, i, n, 0.0f)));
  }
}

static void
quick_gelu(float *x, uint64_t n)
{
  for (uint64_t i = 0; i < n; i += LANES) {
    const Lanes a = row_load(x, i, n, 0.0f);
    row_store(x, i, n, lanes_div(a, gate_of(a, 1.702f)));
  }
}

/* x / 2 * (1 + erf(x / sqrt 2)) by way of erfc(t) = s e(h(s) - t^2), t = |x| / sqrt 2,
 * s = 1 / (1 + t / 2): h is smooth, and a polynomial of degree 9 in s - 0.5875 is within 5e-8 of it
 * (Chebyshev's nodes over t = 0 .. 9.4, past which erfc(t) is 0 here). */
LANES_INLINE Lanes
gelu_of(Lanes x)
{
  static const float h[] = {0.142482400f, 0.0861172527f,  -0.241548136f, -0.0504676327f,
                            0.293970972f, -0.0291280579f, -0.407932490f, 0.0856081843f,
                            1.36947167f,  -0.552890778f};
  const Lanes one = lanes_all(1.0f);
  const Lanes t = lanes_mul(lanes_abs(x), lanes_all(0.70710678f));
  const Lanes s = lanes_div(one, lanes_fma(t, lanes_all(0.5f), one));
  const Lanes u = lanes_sub(s, lanes_all(0.5875f));
  Lanes p = lanes_all(h[0]), c;

  for (unsigned i = 1; i < sizeof h / sizeof *h; i++) {
    p = lanes_fma(p, u, lanes_all(h[i]));
  }
  c = lanes_mul(s, lanes_exp(lanes_fnma(t, t, p)));
  c = lanes_less(x, lanes_zero(), c, lanes_sub(lanes_all(2.0f), c));
  return lanes_mul(lanes_mul(x, lanes_all(0.5f)), c);
}

static void
gelu_erf(float *x, uint64_t n)
{
  for (uint64_t i = 0; i < n; i += LANES) {
    row_store(x, i, n, gelu_of(row_load(x, i, n, 0.0f)));
  }
}

static void
add(float *x, const float *h, uint64_t n)
{
  for (uint64_t i = 0; i < n; i += LANES) {
    row_store(x, i, n, lanes_add(row_load(x, i, n, 0.0f), row_load(h, i, n, 0.0f)));
  }
}

static void
rope_head(float *a, uint32_t half, const float *cos, const float *sin)
{
  float *b = a + half;

  for (uint32_t i = 0; i < half; i += LANES) {
    const Lanes first = row_load(a, i, half, 0.0f), second = row_load(b, i, half, 0.0f);
    const Lanes c = row_load(cos, i, half, 0.0f), s = row_load(sin, i, half, 0.0f);
    const Lanes minus = lanes_mul(lanes_mul(second, s), lanes_all(-1.0f));
    row_store(a, i, half, lanes_fma(first, c, minus));
    row_store(b, i, half, lanes_fma(second, c, lanes_mul(first, s)));
  }
}

static void
rope(float *x, uint32_t heads, uint32_t head_dim, bool adjacent, const float *cos, const float *sin)
{
  const uint32_t half = head_dim / 2;

  for (uint32_t head = 0; head < heads; head++) {
    float *row = x + (uint64_t)head * head_dim;
    if (!adjacent) {
      rope_head(row, half, cos, sin);
      continue;
    }
    for (uint32_t i = 0; i < half; i++) {
      const float first = row[2 * i], second = row[2 * i + 1];
      row[2 * i] = fmaf(first, cos[i], -(second * sin[i]));
      row[2 * i + 1] = fmaf(second, cos[i], first * sin[i]);
    }
  }
}

static void
to_f16(const float *x, uint64_t n, uint16_t *out)
{
  uint64_t i = 0;

  for (; i + LANES <= n; i += LANES) {
    lanes_store_f16(out + i, lanes_load(x + i));
  }
  for (; i < n; i++) {
    out[i] = model_float_to_f16(x[i]);
  }
}

#define MODEL_FLOATS(isa)                                                                          \
  {                                                                                                \
    .name = isa, .attend = attend, .rms_norm = rms_norm, .layer_norm = layer_norm,                 \
    .softmax = softmax, .silu_multiply = silu_multiply, .quick_gelu = quick_gelu,                  \
    .gelu_erf = gelu_erf, .add = add, .rope = rope, .to_f16 = to_f16                               \
  }
