/* vq_neon.h - four 32-bit numbers, for the kernels on quantized values (quant_*_body.h): NEON.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VQ_NEON_H
#define KRN_VQ_NEON_H

#include "engine/kernels/quant_vec.h"

#include <arm_neon.h>
#include <string.h>

#define VQ_LANES    4
#define VQ_NAME(fn) fn##_neon

typedef int32x4_t vq;
typedef float32x4_t vqf;
typedef uint8x16_t vq_turn; /* flips the highest bits of bytes, or none */

INLINE vq_turn vq_turn_of(int flip)
{
    return vdupq_n_u8((uint8_t)flip);
}

/* The sum of n bytes, each turned; n < 2^24. */
INLINE int32_t vq_sum_bytes(const uint8_t *p, size_t n, vq_turn turn)
{
    uint32x4_t sum = vdupq_n_u32(0);
    for (; n >= 16; n -= 16, p += 16)
        sum = vpadalq_u16(sum, vpaddlq_u8(veorq_u8(vld1q_u8(p), turn)));
    int32_t all = (int32_t)vaddvq_u32(sum);
    for (; n; n--, p++)
        all += *p ^ vgetq_lane_u8(turn, 0);
    return all;
}

/* The largest of n >= 16 bytes, each turned. */
INLINE uint8_t vq_most_byte(const uint8_t *p, size_t n, vq_turn turn)
{
    uint8x16_t most = veorq_u8(vld1q_u8(p + n - 16), turn);
    for (size_t i = 0; i + 16 < n; i += 16)
        most = vmaxq_u8(most, veorq_u8(vld1q_u8(p + i), turn));
    return vmaxvq_u8(most);
}

/* Eight bytes of most - p[i], each of p turned. */
INLINE uint64_t vq_eight_below(const uint8_t *p, uint8_t most, vq_turn turn)
{
    const uint8x8_t v = vsub_u8(vdup_n_u8(most), veor_u8(vld1_u8(p), vget_low_u8(turn)));
    return vget_lane_u64(vreinterpret_u64_u8(v), 0);
}

INLINE vq vq_all(int32_t v)
{
    return vdupq_n_s32(v);
}

INLINE vq vq_load(const int32_t *p)
{
    return vld1q_s32(p);
}

INLINE void vq_store(int32_t *p, vq v)
{
    vst1q_s32(p, v);
}

INLINE vqf vqf_load(const float *p)
{
    return vld1q_f32(p);
}

INLINE vqf vqf_all(float v)
{
    return vdupq_n_f32(v);
}

INLINE vq vq_xor(vq a, vq b)
{
    return veorq_s32(a, b);
}

INLINE vq vq_and(vq a, vq b)
{
    return vandq_s32(a, b);
}

/* n bytes, at most four, with the bits of `flip` turned, from 0 to 255. */
INLINE vq vq_bytes_part(const uint8_t *p, size_t n, vq flip)
{
    uint32_t four = 0;
    memcpy(&four, p, n);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vq_xor(vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide))), flip);
}

INLINE vq vq_bytes(const uint8_t *p, vq flip)
{
    return vq_bytes_part(p, VQ_LANES, flip);
}

/* The lowest byte of each of the first n. */
INLINE void vq_store_bytes_part(uint8_t *p, size_t n, vq v)
{
    const int16x4_t half = vmovn_s32(v);
    const uint32x2_t four = vreinterpret_u32_s8(vmovn_s16(vcombine_s16(half, half)));
    const uint32_t bytes = vget_lane_u32(four, 0);
    memcpy(p, &bytes, n);
}

INLINE void vq_store_bytes(uint8_t *p, vq v)
{
    vq_store_bytes_part(p, VQ_LANES, v);
}

INLINE vq vq_add(vq a, vq b)
{
    return vaddq_s32(a, b);
}

INLINE vq vq_sub(vq a, vq b)
{
    return vsubq_s32(a, b);
}

/* The lower 32 bits of the products. */
INLINE vq vq_mul(vq a, vq b)
{
    return vmulq_s32(a, b);
}

INLINE vq vq_min(vq a, vq b)
{
    return vminq_s32(a, b);
}

INLINE vq vq_max(vq a, vq b)
{
    return vmaxq_s32(a, b);
}

INLINE vq vq_left(vq v, vq n)
{
    return vshlq_s32(v, n);
}

INLINE vq vq_right(vq v, vq n)
{
    return vshlq_s32(v, vnegq_s32(n));
}

/* a where v < 0, else b */
INLINE vq vq_if_negative(vq v, vq a, vq b)
{
    return vbslq_s32(vreinterpretq_u32_s32(vshrq_n_s32(v, 31)), a, b);
}

INLINE vqf vq_float(vq v)
{
    return vcvtq_f32_s32(v);
}

INLINE vqf vqf_mul(vqf a, vqf b)
{
    return vmulq_f32(a, b);
}

INLINE vqf vqf_add(vqf a, vqf b)
{
    return vaddq_f32(a, b);
}

INLINE vqf vqf_muladd(vqf a, vqf b, vqf c)
{
    return vfmaq_f32(c, a, b);
}

/* No number becomes the lower limit. */
INLINE vqf vqf_limit(vqf v, vqf low, vqf high)
{
    return vminnmq_f32(vmaxnmq_f32(v, low), high);
}

INLINE vq vqf_nearest(vqf v)
{
    return vcvtnq_s32_f32(v);
}

INLINE vq vqf_down(vqf v)
{
    return vcvtmq_s32_f32(v);
}

/* a * b / 2^31, halves up: krn_mul_high for b >= 0. */
INLINE vq vq_mul_high(vq a, vq b)
{
    return vqrdmulhq_s32(a, b);
}

/* v + 1 where a > b */
INLINE vq vq_count_more(vq v, vq a, vq b)
{
    return vsubq_s32(v, vreinterpretq_s32_u32(vcgtq_s32(a, b)));
}

/* Of all lanes. */
INLINE int32_t vq_sum(vq v)
{
    return vaddvq_s32(v);
}

/* 1 where v < 0, else 0 */
INLINE vq vq_sign(vq v)
{
    return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(v), 31));
}

#endif /* KRN_VQ_NEON_H */
