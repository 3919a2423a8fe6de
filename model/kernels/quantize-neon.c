/* quantize-neon.c - activations to 8 bits with NEON. */
#include "kernels/quantize.h"

#include <arm_neon.h>

static uint32_t
largest(const float *x, uint32_t n)
{
  uint32x4_t most[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};

  for (uint32_t k = 0; k < n; k += 16) {
    for (uint32_t i = 0; i < 4; i++) {
      const uint32x4_t bits = vreinterpretq_u32_f32(vld1q_f32(x + k + 4 * i));
      most[i] = vmaxq_u32(most[i], vandq_u32(bits, vdupq_n_u32(0x7FFFFFFFu)));
    }
  }
  return vmaxvq_u32(vmaxq_u32(vmaxq_u32(most[0], most[1]), vmaxq_u32(most[2], most[3])));
}

/* 16 columns from X on into their places, 4 by 4; their sum. */
static inline int32_t
put_16(const ModelBlockPlace *to, uint32_t t, const float *x, float inverse)
{
  int32x4_t q[4];
  int8x16_t all;
  int32_t four[4];

  for (uint32_t i = 0; i < 4; i++) {
    q[i] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4 * i), inverse));
  }
  all = vcombine_s8(vqmovn_s16(vcombine_s16(vqmovn_s32(q[0]), vqmovn_s32(q[1]))),
                    vqmovn_s16(vcombine_s16(vqmovn_s32(q[2]), vqmovn_s32(q[3]))));
  vst1q_s32(four, vreinterpretq_s32_s8(all));
  for (uint32_t u = 0; u < 4; u++) {
    memcpy(to->q + (uint64_t)4 * to->c * (4 * t + u), &four[u], 4);
  }
  return vaddlvq_s8(all);
}

static void
block_neon(const float *x, uint32_t block, const ModelBlockPlace *to)
{
  const float inverse = model_quantize_scale(largest(x, block), to->d);

  if (inverse == 0) {
    model_quantize_zero(to, block);
    return;
  }
  for (uint32_t s = 0; s < block / 32; s++) {
    const int32_t low = put_16(to, 2 * s, x + 32 * s, inverse);
    const int32_t high = put_16(to, 2 * s + 1, x + 32 * s + 16, inverse);
    model_quantize_put_sums(to, block, s, low, high);
  }
}

void
model_quantize_neon(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                    uint64_t first, uint64_t n)
{
  model_quantize_walk(a, x, stride, columns, first, n, block_neon);
}
