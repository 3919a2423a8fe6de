/* values.c - random rows of every type that files are written in.
 *
 * Everything is integers but for at most two exactly rounded operations in double, so a seed gives
 * the same bytes on every machine. */
#include "random/random.h"

#include "base/half.h"

#include <string.h>

/* ---- floats ------------------------------------------------------------------------------- */

/* The sum of four uniform 16-bit numbers around 0; its deviation is 65536 / sqrt(3). */
static int32_t
draw_normal(ModelRandom *random)
{
  uint64_t bits = model_random_next(random);

  return (int32_t)(bits & 0xFFFF) + (int32_t)(bits >> 16 & 0xFFFF) +
         (int32_t)(bits >> 32 & 0xFFFF) + (int32_t)(bits >> 48) - 2 * 65535;
}
#define NORMAL_DEVIATION 37837.2 /* 65536 / sqrt(3) */

static void
draw_floats(ModelRandom *random, ModelType type, ModelSpread spread, uint64_t n, uint8_t *out)
{
  /* 24 bits of scale times 18 bits are exact in double, and so is their sum with a mean of 1. */
  const double scale = (float)(spread.deviation / NORMAL_DEVIATION);

  for (uint64_t i = 0; i < n; i++) {
    float value = (float)(spread.mean + scale * draw_normal(random));
    if (type == MODEL_TYPE_F32) {
      model_store16(out + 4 * i, (uint16_t)model_float_to_bits(value));
      model_store16(out + 4 * i + 2, (uint16_t)(model_float_to_bits(value) >> 16));
    } else {
      model_store16(out + 2 * i, type == MODEL_TYPE_F16 ? model_float_to_f16(value)
                                                        : model_float_to_bf16(value));
    }
  }
}

/* ---- quantised blocks --------------------------------------------------------------------- */

static void
draw_bytes(ModelRandom *random, uint8_t *out, uint32_t n)
{
  for (uint32_t i = 0; i < n; i += 8) {
    uint64_t bits = model_random_next(random);
    for (uint32_t k = 0; k < 8 && i + k < n; k++)
      out[i + k] = (uint8_t)(bits >> 8 * k);
  }
}

/* A scale from 3/4 to 5/4 of SCALE. */
static void
draw_scale(ModelRandom *random, double scale, uint8_t *out)
{
  uint32_t part = 3 * 32768 + (uint32_t)(model_random_next(random) >> 48);

  model_store16(out, model_float_to_f16((float)(scale * part)));
}
#define SCALE_ONE 131072.0 /* what draw_scale() multiplies by, on average */

/* Deviations of uniform numbers: of -127 .. 127, 0 .. 15, 0 .. 31 and -32 .. 31. */
#define DEVIATION_8 73.6
#define DEVIATION_4 4.61
#define DEVIATION_5 9.23
#define DEVIATION_6 18.5

static void
draw_q8_0(ModelRandom *random, double deviation, uint8_t *block)
{
  draw_scale(random, deviation / DEVIATION_8 / SCALE_ONE, block);
  draw_bytes(random, block + 2, 32);
  for (int i = 2; i < 34; i++)
    block[i] = block[i] == 0x80 ? 0x81 : block[i]; /* no quantiser gives -128 */
}

/* The nibbles' mean is half a step off 0, so the step's sign is random, as in real blocks. */
static void
draw_q4_0(ModelRandom *random, double deviation, uint8_t *block)
{
  draw_scale(random, deviation / DEVIATION_4 / SCALE_ONE, block);
  draw_bytes(random, block + 2, 16);
  block[1] ^= (uint8_t)(model_random_next(random) >> 56 & 0x80);
}

/* Eight scales of 6 bits from 32 to 63, and minima about the mean of the quants times the scale, so
 * that the block's mean is about 0. */
static void
draw_k_scales(ModelRandom *random, uint8_t *packed)
{
  uint64_t bits = model_random_next(random);
  uint8_t scale[8], minimum[8];

  for (int s = 0; s < 8; s++) {
    scale[s] = (uint8_t)(32 + (bits >> 6 * s & 31));
    minimum[s] = (uint8_t)(scale[s] ^ (bits >> (6 * s + 5) & 1));
  }
  for (int s = 0; s < 4; s++) {
    packed[s] = (uint8_t)(scale[s] | scale[s + 4] >> 4 << 6);
    packed[s + 4] = (uint8_t)(minimum[s] | minimum[s + 4] >> 4 << 6);
    packed[s + 8] = (uint8_t)((scale[s + 4] & 15) | (minimum[s + 4] & 15) << 4);
  }
}
#define K_SCALE 48.4 /* root mean square of 32 .. 63 */

/* Q4_K, or Q5_K, whose quants are twice as fine. */
static void
draw_k(ModelRandom *random, double deviation, bool five, uint8_t *block)
{
  double step = deviation / K_SCALE / (five ? DEVIATION_5 : DEVIATION_4);
  float d;

  draw_scale(random, step / SCALE_ONE, block);
  d = model_f16_to_float(model_load16(block));
  model_store16(block + 2, model_float_to_f16(d * (five ? 15.5f : 7.5f)));
  draw_k_scales(random, block + 4);
  draw_bytes(random, block + 16, five ? 160 : 128);
}

static void
draw_q6_k(ModelRandom *random, double deviation, uint8_t *block)
{
  draw_bytes(random, block, 128 + 64 + 16);
  for (int i = 192; i < 208; i++) /* scales: 64 .. 127, of either sign */
    block[i] = (uint8_t)(block[i] & 0x80 ? -(64 + (block[i] & 63)) : 64 + (block[i] & 63));
  draw_scale(random, deviation / DEVIATION_6 / 97.2 / SCALE_ONE, block + 208);
}

void
model_random_values(ModelRandom *random, ModelType type, ModelSpread spread, uint64_t n,
                    uint8_t *out)
{
  uint32_t values = type == MODEL_TYPE_Q8_0 || type == MODEL_TYPE_Q4_0 ? 32 : 256;
  uint64_t bytes = model_type_row_bytes(type, values);

  if (type == MODEL_TYPE_F32 || type == MODEL_TYPE_F16 || type == MODEL_TYPE_BF16) {
    draw_floats(random, type, spread, n, out);
    return;
  }
  for (uint64_t i = 0; i < n / values; i++, out += bytes) {
    if (type == MODEL_TYPE_Q8_0)
      draw_q8_0(random, spread.deviation, out);
    else if (type == MODEL_TYPE_Q4_0)
      draw_q4_0(random, spread.deviation, out);
    else if (type == MODEL_TYPE_Q6_K)
      draw_q6_k(random, spread.deviation, out);
    else
      draw_k(random, spread.deviation, type == MODEL_TYPE_Q5_K, out);
  }
}
