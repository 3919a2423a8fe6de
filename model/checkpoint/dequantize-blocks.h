/* dequantize-blocks.h - one block of each type to float32. Included by dequantize.c alone, which
 * compiles it once for each set of instructions: every number is computed by itself, so all give
 * the same bits. The layouts are ggml's. */
#ifndef HILUM_MODEL_CHECKPOINT_DEQUANTIZE_BLOCKS_H
#define HILUM_MODEL_CHECKPOINT_DEQUANTIZE_BLOCKS_H

#include "base/half.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EACH static inline __attribute__((always_inline))

/* ---- blocks of 32 ------------------------------------------------------------------------- */

EACH void
read_q4(const uint8_t *restrict b, bool has_minimum, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b)),
        m = has_minimum ? model_f16_to_float(model_load16(b + 2)) : 0;
  const uint8_t *q = b + (has_minimum ? 4 : 2);

  /* Q4_0 is d * (q - 8): multiplied out it would round differently. */
  for (int i = 0; i < 16; i++)
    out[i] = has_minimum ? d * (float)(q[i] & 15) + m : d * (float)((q[i] & 15) - 8);
  for (int i = 0; i < 16; i++)
    out[i + 16] = has_minimum ? d * (float)(q[i] >> 4) + m : d * (float)((q[i] >> 4) - 8);
}

EACH void
read_q5(const uint8_t *restrict b, bool has_minimum, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b)),
        m = has_minimum ? model_f16_to_float(model_load16(b + 2)) : 0;
  const uint8_t *h = b + (has_minimum ? 4 : 2), *q = h + 4;
  uint32_t high =
      (uint32_t)h[0] | (uint32_t)h[1] << 8 | (uint32_t)h[2] << 16 | (uint32_t)h[3] << 24;

  for (int i = 0; i < 16; i++) {
    int v = (q[i] & 15) | (int)(high >> i & 1) << 4, v16 = q[i] >> 4 | (int)(high >> (i + 16) & 1)
                                                                           << 4;
    out[i] = has_minimum ? d * (float)v + m : d * (float)(v - 16);
    out[i + 16] = has_minimum ? d * (float)v16 + m : d * (float)(v16 - 16);
  }
}

EACH void
read_q8_0(const uint8_t *restrict b, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b));

  for (int i = 0; i < 32; i++)
    out[i] = d * (float)(int8_t)b[2 + i];
}

/* Sixteen levels that lie closer where more weights are. */
EACH void
read_iq4_nl(const uint8_t *restrict b, float *restrict out)
{
  static const int8_t levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};
  float d = model_f16_to_float(model_load16(b));

  for (int i = 0; i < 16; i++) {
    out[i] = d * (float)levels[b[2 + i] & 15];
    out[i + 16] = d * (float)levels[b[2 + i] >> 4];
  }
}

/* ---- blocks of 256 ------------------------------------------------------------------------ */

/* Two halves of 128 with two bits of each value, of four groups of 32 in one byte; sixteen scales
 * and minima of four bits. */
EACH void
read_q2_k(const uint8_t *restrict b, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b + 80)), dm = model_f16_to_float(model_load16(b + 82));

  for (int g = 0; g < 16; g++) {
    const uint8_t *q = b + 16 + g / 8 * 32 + g % 2 * 16;
    float ds = d * (float)(b[g] & 15), ms = dm * (float)(b[g] >> 4);
    for (int i = 0; i < 16; i++)
      out[g * 16 + i] = ds * (float)(q[i] >> g % 8 / 2 * 2 & 3) - ms;
  }
}

/* As Q2_K, with a third bit of each value in 32 bytes before, one bit of a byte for each group of
 * 32, and sixteen scales of six bits. */
EACH void
read_q3_k(const uint8_t *restrict b, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b + 108));
  const uint8_t *s = b + 96;

  for (int g = 0; g < 16; g++) {
    const uint8_t *h = b + g % 2 * 16, *q = b + 32 + g / 8 * 32 + g % 2 * 16;
    int scale = (g < 8 ? s[g] & 15 : s[g - 8] >> 4) | (s[8 + g % 4] >> g / 4 * 2 & 3) << 4;
    float ds = d * (float)(scale - 32);
    for (int i = 0; i < 16; i++) {
      int v = (q[i] >> g % 8 / 2 * 2 & 3) + (h[i] >> g / 2 & 1) * 4;
      out[g * 16 + i] = ds * (float)(v - 4);
    }
  }
}

/* Q4_K and Q5_K: eight groups of 32, each with a scale and a minimum of six bits. */
EACH void
read_q45_k(const uint8_t *restrict b, bool five, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b)), dm = model_f16_to_float(model_load16(b + 2));
  const uint8_t *s = b + 4, *h = b + 16, *q = b + (five ? 48 : 16);

  for (int g = 0; g < 8; g++) {
    int scale = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | s[g - 4] >> 6 << 4;
    int minimum = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | s[g] >> 6 << 4;
    float ds = d * (float)scale, ms = dm * (float)minimum;
    const uint8_t *p = q + g / 2 * 32;
    for (int i = 0; i < 32; i++) {
      int v = g % 2 ? p[i] >> 4 : p[i] & 15;
      if (five)
        v |= (h[i] >> g & 1) << 4;
      out[g * 32 + i] = ds * (float)v - ms;
    }
  }
}

/* Two halves of 128; low four bits, high two bits, a scale per 16 values. */
EACH void
read_q6_k(const uint8_t *restrict b, float *restrict out)
{
  float d = model_f16_to_float(model_load16(b + 208));

  for (int g = 0; g < 16; g++) {
    int half = g / 8, k = g % 8 / 2, l = g % 2 * 16;
    const uint8_t *low = b + half * 64 + k % 2 * 32 + l, *high = b + 128 + half * 32 + l;
    float ds = d * (float)(int8_t)b[192 + g];
    for (int i = 0; i < 16; i++) {
      int v = (low[i] >> k / 2 * 4 & 15) | (high[i] >> 2 * k & 3) << 4;
      out[g * 16 + i] = ds * (float)(v - 32);
    }
  }
}

/* The 256 runs of eight magnitudes of IQ2_XXS, two bits of each: 0, 1, 2 stand for 8, 25, 43. (Of
 * the 6561 runs that could be; the sum of a run is always even.) */
static const uint16_t iq2_xxs_runs[256] = {
    0x0000, 0x0002, 0x0005, 0x0008, 0x000A, 0x0011, 0x0014, 0x0020, 0x0022, 0x0028, 0x002A, 0x0041,
    0x0044, 0x0050, 0x0058, 0x0061, 0x0064, 0x0080, 0x0082, 0x008A, 0x00A2, 0x0101, 0x0104, 0x0110,
    0x0115, 0x0140, 0x0184, 0x0198, 0x0200, 0x0202, 0x0222, 0x0282, 0x0401, 0x0404, 0x0410, 0x0421,
    0x0424, 0x0440, 0x0442, 0x0448, 0x0460, 0x0481, 0x0484, 0x0490, 0x04A4, 0x0500, 0x0502, 0x0508,
    0x0520, 0x0546, 0x0569, 0x0580, 0x0591, 0x0609, 0x0610, 0x0640, 0x0684, 0x06A4, 0x0800, 0x0805,
    0x0808, 0x0814, 0x0828, 0x0841, 0x0844, 0x0850, 0x0852, 0x0888, 0x0904, 0x0940, 0x0A02, 0x0A14,
    0x1001, 0x1004, 0x1010, 0x1021, 0x1040, 0x1060, 0x1084, 0x1090, 0x1095, 0x1100, 0x1108, 0x1120,
    0x1150, 0x115A, 0x1180, 0x1224, 0x1245, 0x1400, 0x1408, 0x1420, 0x1425, 0x1449, 0x1480, 0x1518,
    0x1562, 0x1600, 0x1616, 0x1801, 0x1804, 0x1810, 0x1840, 0x1881, 0x1900, 0x1905, 0x19A0, 0x1A51,
    0x2000, 0x2002, 0x200A, 0x2044, 0x2061, 0x2080, 0x2082, 0x2129, 0x2148, 0x2200, 0x2202, 0x2401,
    0x2404, 0x2410, 0x2440, 0x2456, 0x2500, 0x2541, 0x2564, 0x2690, 0x2808, 0x2820, 0x2894, 0x2A44,
    0x4001, 0x4004, 0x4010, 0x4018, 0x4021, 0x4024, 0x4040, 0x4048, 0x4056, 0x4060, 0x4081, 0x4084,
    0x4090, 0x4100, 0x4120, 0x4161, 0x4180, 0x4185, 0x4201, 0x4210, 0x4248, 0x4256, 0x4268, 0x4400,
    0x4408, 0x4420, 0x4480, 0x4499, 0x4512, 0x4524, 0x4600, 0x4801, 0x4804, 0x4810, 0x4840, 0x4845,
    0x4900, 0x4958, 0x4961, 0x4982, 0x4A45, 0x4A90, 0x5000, 0x5008, 0x5011, 0x5019, 0x5020, 0x5080,
    0x5088, 0x5104, 0x5142, 0x51A4, 0x5291, 0x5490, 0x5492, 0x550A, 0x5601, 0x5654, 0x5800, 0x5811,
    0x5819, 0x5864, 0x5940, 0x5A08, 0x6004, 0x6010, 0x6040, 0x6068, 0x6100, 0x6155, 0x6218, 0x6260,
    0x6400, 0x6405, 0x6510, 0x6512, 0x6584, 0x6842, 0x8000, 0x8002, 0x800A, 0x8041, 0x8082, 0x8104,
    0x8118, 0x8140, 0x8211, 0x8401, 0x8404, 0x8410, 0x8415, 0x8440, 0x8460, 0x8500, 0x8546, 0x8594,
    0x8609, 0x8640, 0x8660, 0x8802, 0x8904, 0x8A11, 0x9004, 0x9010, 0x9024, 0x9040, 0x90A1, 0x9116,
    0x9180, 0x9245, 0x9400, 0x9422, 0x9444, 0x9551, 0x9881, 0x9920, 0xA002, 0xA050, 0xA085, 0xA109,
    0xA200, 0xA418, 0xA850, 0xA904,
};

/* Eight groups of 32 in two words each: four bytes that name runs; four times seven bits of signs,
 * whose eighth makes the number of negative ones even, and four bits of scale. */
EACH void
read_iq2_xxs(const uint8_t *restrict b, float *restrict out)
{
  static const uint8_t magnitudes[4] = {8, 25, 43, 0};
  float d = model_f16_to_float(model_load16(b));

  for (int g = 0; g < 8; g++) {
    const uint8_t *p = b + 2 + 8 * g;
    uint32_t rest = (uint32_t)model_load16(p + 4) | (uint32_t)model_load16(p + 6) << 16;
    float ds = d * (0.5f + (float)(rest >> 28)) * 0.25f;
    for (int i = 0; i < 32; i++) {
      uint32_t run = iq2_xxs_runs[p[i / 8]], signs = rest >> 7 * (i / 8) & 127;
      uint32_t negative = i % 8 < 7 ? signs >> i % 8 & 1 : (uint32_t)__builtin_parity(signs);
      float magnitude = (float)magnitudes[run >> 2 * (i % 8) & 3];
      out[32 * g + i] = ds * (negative ? -magnitude : magnitude);
    }
  }
}

#endif
