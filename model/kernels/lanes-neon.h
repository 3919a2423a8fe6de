/* lanes-neon.h - sixteen floats as four registers of NEON; lanes.h says what each operation means.
 */
#ifndef HILUM_MODEL_LANES_NEON_H
#define HILUM_MODEL_LANES_NEON_H

#include <arm_neon.h>

/* Thirty-two registers of four: four of them make one Lanes. */
#define LANES_WIDE(rows) ((rows) <= 1 ? 4 : (rows) <= 3 ? 2 : 1)
#define LANES_ROWS 1u
#define LANES_TOKENS 3u

typedef float32x4x4_t Lanes;

#define LANES_EACH(out, i, expression)                                                             \
  Lanes out;                                                                                       \
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)                                              \
  {                                                                                                \
    out.val[i] = (expression);                                                                     \
  }

LANES_INLINE Lanes
lanes_all(float a)
{
  LANES_EACH(y, i, vdupq_n_f32(a))
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
  LANES_EACH(y, i, vld1q_f32(p + 4 * i))
  return y;
}

LANES_INLINE void
lanes_store(float *p, Lanes a)
{
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)
  {
    vst1q_f32(p + 4 * i, a.val[i]);
  }
}

LANES_INLINE Lanes
lanes_load_f16(const uint16_t *p)
{
  LANES_EACH(y, i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i))))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16(const uint16_t *p)
{
  LANES_EACH(y, i, vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(p + 4 * i)), 16)))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_even(const uint16_t *p)
{
  LANES_EACH(y, i,
             vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u16(vld1q_u16(p + 8 * i)), 16)))
  return y;
}

LANES_INLINE Lanes
lanes_load_bf16_odd(const uint16_t *p)
{
  LANES_EACH(y, i,
             vreinterpretq_f32_u32(
                 vandq_u32(vreinterpretq_u32_u16(vld1q_u16(p + 8 * i)), vdupq_n_u32(0xFFFF0000))))
  return y;
}

LANES_INLINE Lanes
lanes_load_i8(const int8_t *p)
{
  const int8x16_t bytes = vld1q_s8(p);
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
  return (Lanes){{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                  vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
                  vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                  vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}

LANES_INLINE void
lanes_store_f16(uint16_t *p, Lanes a)
{
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)
  {
    vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.val[i])));
  }
}

LANES_INLINE Lanes
lanes_add(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vaddq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_sub(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vsubq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_mul(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vmulq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_div(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vdivq_f32(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_fma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, vfmaq_f32(c.val[i], a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_fnma(Lanes a, Lanes b, Lanes c)
{
  LANES_EACH(y, i, vfmsq_f32(c.val[i], a.val[i], b.val[i]))
  return y;
}

LANES_INLINE float32x4_t
lanes_max4(float32x4_t a, float32x4_t b)
{
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}

LANES_INLINE Lanes
lanes_max(Lanes a, Lanes b)
{
  LANES_EACH(y, i, lanes_max4(a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_min(Lanes a, Lanes b)
{
  LANES_EACH(y, i, vbslq_f32(vcltq_f32(a.val[i], b.val[i]), a.val[i], b.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_abs(Lanes a)
{
  LANES_EACH(y, i, vabsq_f32(a.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_round(Lanes a)
{
  LANES_EACH(y, i, vrndnq_f32(a.val[i]))
  return y;
}

LANES_INLINE Lanes
lanes_power2(Lanes n)
{
  LANES_EACH(
      y, i,
      vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.val[i]), vdupq_n_s32(127)), 23)))
  return y;
}

LANES_INLINE Lanes
lanes_less(Lanes a, Lanes b, Lanes x, Lanes y)
{
  LANES_EACH(z, i, vbslq_f32(vcltq_f32(a.val[i], b.val[i]), x.val[i], y.val[i]))
  return z;
}

LANES_INLINE float
lanes_sum(Lanes a)
{
  const float32x4_t b = vaddq_f32(vaddq_f32(a.val[0], a.val[2]), vaddq_f32(a.val[1], a.val[3]));
  const float32x2_t c = vadd_f32(vget_low_f32(b), vget_high_f32(b));

  return vget_lane_f32(c, 0) + vget_lane_f32(c, 1);
}

LANES_INLINE float
lanes_most(Lanes a)
{
  const float32x4_t b = lanes_max4(lanes_max4(a.val[0], a.val[2]), lanes_max4(a.val[1], a.val[3]));
  const float x =
      vgetq_lane_f32(b, 0) > vgetq_lane_f32(b, 2) ? vgetq_lane_f32(b, 0) : vgetq_lane_f32(b, 2);
  const float y =
      vgetq_lane_f32(b, 1) > vgetq_lane_f32(b, 3) ? vgetq_lane_f32(b, 1) : vgetq_lane_f32(b, 3);
  return x > y ? x : y;
}

#endif
