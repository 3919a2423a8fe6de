/* lanes-portable.h - sixteen floats as an array; lanes.h says what each operation means. */
#ifndef HILUM_MODEL_LANES_PORTABLE_H
#define HILUM_MODEL_LANES_PORTABLE_H

#define LANES_WIDE(rows) 1
#define LANES_ROWS 1u
#define LANES_TOKENS 1u

typedef struct {
  float v[LANES];
} Lanes;

#define LANES_EACH(out, i, expression)                                                             \
  Lanes out;                                                                                       \
  for (unsigned i = 0; i < LANES; i++) {                                                           \
    out.v[i] = (expression);                                                                       \
  }

LANES_INLINE Lanes
lanes_all(float a)
{
  LANES_EACH(y, i, a)
  return y;
}

LANES_INLINE Lanes
lanes_zero(void)
{
  return lanes_all(0.0f);
}

LANES_INLINE Lanes
lanes_load(const float *p)
{
  LANES_EACH(y, i, p[i])
  return y;
}

LANES_INLINE void
lanes_store(float *p, Lanes a)
{
  memcpy(p, a.v, sizeof a.v);
}

LANES_INLINE Lanes
lanes_load_f16(const uint16_t *p)
{
  LANES_EACH(y, i, model_f16_to_float(p[i]))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16(const uint16_t *p)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)p[i] << 16))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_even(const uint16_t *p)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)p[2 * i] << 16))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_odd(const uint16_t *p)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)p[2 * i + 1] << 16))
  return y;
}

LANES_INLINE Lanes
lanes_load_i8(const int8_t *p)
{
  LANES_EACH(y, i, (float)p[i])
  return y;
}

LANES_INLINE void
lanes_store_f16(uint16_t *p, Lanes a)
{
  for (unsigned i = 0; i < LANES; i++) {
    p[i] = model_float_to_f16(a.v[i]);
  }
}

LANES_INLINE Lanes
lanes_add(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] + b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_sub(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] - b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_mul(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] * b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_div(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] / b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_fma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, fmaf(a.v[i], b.v[i], c.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_fnma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, fmaf(-a.v[i], b.v[i], c.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_max(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] > b.v[i] ? a.v[i] : b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_min(Lanes a, Lanes b)
{
  LANES_EACH(y, i, a.v[i] < b.v[i] ? a.v[i] : b.v[i])
  return y;
}

LANES_INLINE Lanes
lanes_abs(Lanes a)
{
  LANES_EACH(y, i, fabsf(a.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_round(Lanes a)
{
  LANES_EACH(y, i, rintf(a.v[i]))
  return y;
}

LANES_INLINE Lanes
lanes_power2(Lanes n)
{
  LANES_EACH(y, i, model_bits_to_float((uint32_t)((int32_t)n.v[i] + 127) << 23))
  return y;
}

LANES_INLINE Lanes
lanes_less(Lanes a, Lanes b, Lanes x, Lanes y)
{
  LANES_EACH(z, i, a.v[i] < b.v[i] ? x.v[i] : y.v[i])
  return z;
}

LANES_INLINE float
lanes_sum(Lanes a)
{
  for (unsigned width = LANES / 2; width > 0; width /= 2) {
    for (unsigned i = 0; i < width; i++) {
      a.v[i] += a.v[i + width];
    }
  }
  return a.v[0];
}

LANES_INLINE float
lanes_most(Lanes a)
{
  for (unsigned width = LANES / 2; width > 0; width /= 2) {
    for (unsigned i = 0; i < width; i++) {
      a.v[i] = a.v[i] > a.v[i + width] ? a.v[i] : a.v[i + width];
    }
  }
  return a.v[0];
}

#endif
