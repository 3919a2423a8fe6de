/* half.h - 16-bit floats and little-endian words. Private to model/. */
#ifndef HILUM_MODEL_HALF_H
#define HILUM_MODEL_HALF_H

#include <stdint.h>
#include <string.h>

static inline float
model_bits_to_float(uint32_t bits)
{
  float value;

  memcpy(&value, &bits, 4);
  return value;
}

static inline uint32_t
model_float_to_bits(float value)
{
  uint32_t bits;

  memcpy(&bits, &value, 4);
  return bits;
}

static inline uint16_t
model_load16(const uint8_t *p)
{
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline void
model_store16(uint8_t *p, uint16_t value)
{
  p[0] = (uint8_t)value;
  p[1] = (uint8_t)(value >> 8);
}

/* Exponent and mantissa, moved into a float's place, are too small by 2^112; that holds for
 * subnormal numbers too. Multiplied in any case, and chosen by a mask, so that a loop of it has no
 * branch. */
static inline float
model_f16_to_float(uint16_t h)
{
  uint32_t rest = h & 0x7FFFu, sign = (uint32_t)(h & 0x8000u) << 16;
  uint32_t finite = model_float_to_bits(model_bits_to_float(rest << 13) * 0x1p112f);
  uint32_t special = 0x7F800000u | (rest & 0x3FFu) << 13, mask = -(uint32_t)(rest >= 0x7C00u);

  return model_bits_to_float(sign | (mask & special) | (~mask & finite));
}

/* Round to nearest, ties to even; too large becomes infinity. */
static inline uint16_t
model_float_to_f16(float value)
{
  uint32_t bits = model_float_to_bits(value), sign = bits >> 16 & 0x8000u,
           rest = bits & 0x7FFFFFFFu;

  if (rest > 0x7F800000u)
    return (uint16_t)(sign | 0x7E00u);
  if (rest >= 0x477FF000u) /* 65520, half way past the largest */
    return (uint16_t)(sign | 0x7C00u);
  if (rest < 0x38800000u) /* below 2^-14: adding 0.5 rounds at the last place of a subnormal */
    return (uint16_t)(sign | (model_float_to_bits(model_bits_to_float(rest) + 0.5f) - 0x3F000000u));
  rest += 0xC8000FFFu + (rest >> 13 & 1u); /* exponent bias 127 to 15, and half of the last place */
  return (uint16_t)(sign | rest >> 13);
}

static inline uint16_t
model_float_to_bf16(float value)
{
  uint32_t bits = model_float_to_bits(value);

  if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
    return (uint16_t)(bits >> 16 | 0x40u); /* stay a NaN */
  return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

#endif
