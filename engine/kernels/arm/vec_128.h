/* vec_128.h - vectors of four sums for the bodies of 8-bit kernels: what Arm's sets share.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_128_H
#define KRN_VEC_128_H

#include "engine/kernels/krn_qs8_tile.h"

#include <arm_neon.h>
#include <string.h>

#define LANES  4
#define UNIT   16 /* wide strips are in order too */
#define INLINE static inline __attribute__((always_inline))

typedef int32x4_t vec;
typedef float32x4_t vecf;
typedef int8x16_t bytes; /* of four vectors, in their order */

INLINE vec v_load(const void *p)
{
    return vld1q_s32(p);
}

INLINE void v_store(int32_t *p, vec v)
{
    vst1q_s32(p, v);
}

INLINE vec v_four(const uint8_t *p)
{
    int32_t four;
    memcpy(&four, p, sizeof(four));
    return vdupq_n_s32(four);
}

INLINE vec v_add(vec a, vec b)
{
    return vaddq_s32(a, b);
}

INLINE vec v_zero(void)
{
    return vdupq_n_s32(0);
}

INLINE vec v_all(int32_t v)
{
    return vdupq_n_s32(v);
}

/* -most .. most - 1 */
INLINE vec v_limited(vec v, int32_t most)
{
    return vminq_s32(vmaxq_s32(v, v_all(-most)), v_all(most - 1));
}

INLINE vec v_left(vec v, int n)
{
    return vshlq_s32(v, v_all(n));
}

/* krn_mul_high */
INLINE vec v_mul_high(vec a, vec b)
{
    return vqrdmulhq_s32(a, b);
}

/* krn_shift_right; mask: of the bits that go; half: half of it */
INLINE vec v_right(vec v, int n, vec mask, vec half)
{
    const uint32x4_t up = vcgtq_s32(vandq_s32(v, mask), vsubq_s32(half, vshrq_n_s32(v, 31)));
    return vsubq_s32(vshlq_s32(v, v_all(-n)), vreinterpretq_s32_u32(up));
}

/* krn_shift_right for |v| <= 2^30 and n from 1 to 30 */
INLINE vec v_right_small(vec v, int n)
{
    return vrshlq_s32(vaddq_s32(v, vshrq_n_s32(v, 31)), v_all(-n));
}

/* Eight int16 times eight. */
INLINE void s_product(vec p[2], int16x8_t a, int16x8_t b)
{
    p[0] = vmull_s16(vget_low_s16(a), vget_low_s16(b));
    p[1] = vmull_high_s16(a, b);
}

/* Saturated to int16. */
INLINE int16x8_t s_join(const vec p[2])
{
    return vcombine_s16(vqmovn_s32(p[0]), vqmovn_s32(p[1]));
}

INLINE vecf v_float(vec v)
{
    return vcvtq_f32_s32(v);
}

INLINE vecf vf_load(const float *p)
{
    return vld1q_f32(p);
}

INLINE vecf vf_all(float v)
{
    return vdupq_n_f32(v);
}

INLINE vecf vf_add(vecf a, vecf b)
{
    return vaddq_f32(a, b);
}

INLINE vecf vf_mul(vecf a, vecf b)
{
    return vmulq_f32(a, b);
}

INLINE vecf vf_least(vecf a, vecf b)
{
    return vminq_f32(a, b);
}

INLINE vecf vf_muladd(vecf a, vecf b, vecf c)
{
    return vfmaq_f32(c, a, b);
}

/* a >= 0 with the sign of b */
INLINE vecf vf_sign(vecf a, vecf b)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), b, a);
}

INLINE vec vf_nearest(vecf v)
{
    return vcvtnq_s32_f32(v);
}

INLINE vec vf_down(vecf v)
{
    return vcvtmq_s32_f32(v);
}

/* 16 results of 16 bits as bytes, limited. */
INLINE bytes b_limited(int16x8_t x, int16x8_t y, const krn_qs8_limits *k)
{
    const bytes v = vcombine_s8(vqmovn_s16(x), vqmovn_s16(y));
    if (__builtin_expect(k->full, 1)) return v;
    const bytes cut = vminq_s8(vmaxq_s8(v, vld1q_s8(k->low)), vld1q_s8(k->high));
    return veorq_s8(cut, vreinterpretq_s8_u8(vld1q_u8(k->flip)));
}

/* Saturated to 16 bits, the zero point added, limited. */
INLINE bytes v_pack(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const int16x8_t zero = vld1q_s16(k->zero);
    return b_limited(vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), zero),
                     vqaddq_s16(vcombine_s16(vqmovn_s32(c), vqmovn_s32(d)), zero), k);
}

/* The upper halves, limited. */
INLINE bytes v_pack_high(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    return b_limited(vcombine_s16(vshrn_n_s32(a, 16), vshrn_n_s32(b, 16)),
                     vcombine_s16(vshrn_n_s32(c, 16), vshrn_n_s32(d, 16)), k);
}

INLINE uint16x8_t v_halves(vec v)
{
    return vreinterpretq_u16_s32(v);
}

/* True when a lower half has none of the doubtful bits; the least of two has none when either. */
INLINE bool v_doubt(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const uint16x8_t ab = vminq_u16(v_halves(a), v_halves(b));
    const uint16x8_t least = vminq_u16(ab, vminq_u16(v_halves(c), v_halves(d)));
    const uint32x4_t bits =
        vandq_u32(vreinterpretq_u32_u16(least), vreinterpretq_u32_s32(v_load(k->doubtful)));
    return vminvq_u32(bits) == 0;
}

INLINE bytes b_order(bytes v)
{
    return v;
}

INLINE bytes b_order_wide(bytes v)
{
    return v;
}

INLINE bytes b_load(const uint8_t *p)
{
    return vreinterpretq_s8_u8(vld1q_u8(p));
}

INLINE void b_store(uint8_t *p, bytes v)
{
    vst1q_u8(p, vreinterpretq_u8_s8(v));
}

INLINE void b_store_half(uint8_t *p, bytes v, int i)
{
    vst1_s8((int8_t *)p, i ? vget_high_s8(v) : vget_low_s8(v));
}

INLINE void b_store_quarter(uint8_t *p, bytes v, int i)
{
    const int32x4_t fours = vreinterpretq_s32_s8(v);
    const int32_t four = i == 0   ? vgetq_lane_s32(fours, 0)
                         : i == 1 ? vgetq_lane_s32(fours, 1)
                         : i == 2 ? vgetq_lane_s32(fours, 2)
                                  : vgetq_lane_s32(fours, 3);
    memcpy(p, &four, sizeof(four));
}

#endif /* KRN_VEC_128_H */
