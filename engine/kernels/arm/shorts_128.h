/* shorts_128.h - vectors of eight int16 for the bodies of 8-bit kernels, in 128 bits; included
 * behind vec_*.h. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_SHORTS_128_H
#define KRN_SHORTS_128_H

#include <arm_neon.h>

#define SHORTS 8

typedef int16x8_t shorts;

INLINE shorts s_load(const int16_t *p)
{
    return vld1q_s16(p);
}

INLINE void s_store(int16_t *p, shorts v)
{
    vst1q_s16(p, v);
}

INLINE shorts s_all(int16_t v)
{
    return vdupq_n_s16(v);
}

INLINE shorts s_and(shorts a, shorts b)
{
    return vandq_s16(a, b);
}

INLINE shorts s_xor(shorts a, shorts b)
{
    return veorq_s16(a, b);
}

INLINE shorts s_add(shorts a, shorts b)
{
    return vaddq_s16(a, b);
}

INLINE shorts s_add_limited(shorts a, shorts b)
{
    return vqaddq_s16(a, b);
}

INLINE shorts s_sub(shorts a, shorts b)
{
    return vsubq_s16(a, b);
}

/* a * b / 2^15, rounded to nearest, halves up */
INLINE shorts s_mul(shorts a, shorts b)
{
    return vqrdmulhq_s16(a, b);
}

INLINE shorts s_left(shorts v, int n)
{
    return vshlq_s16(v, s_all((int16_t)n));
}

/* (a + b + 1) / 2, a and b not negative */
INLINE shorts s_average(shorts a, shorts b)
{
    return vrhaddq_s16(a, b);
}

INLINE shorts s_less(shorts a, shorts b)
{
    return vreinterpretq_s16_u16(vcltq_s16(a, b));
}

INLINE shorts s_zeros(shorts v)
{
    return vreinterpretq_s16_u16(vceqq_s16(v, s_all(0)));
}

/* a where the bits of `which` are set, else b */
INLINE shorts s_pick(shorts which, shorts a, shorts b)
{
    return vbslq_s16(vreinterpretq_u16_s16(which), a, b);
}

/* -1 where v < 0 */
INLINE shorts s_signs(shorts v)
{
    return vshrq_n_s16(v, 15);
}

INLINE shorts s_minus_abs(shorts v)
{
    return vminq_s16(v, vnegq_s16(v));
}

/* v, 0 or -v where s is above, at or below 0 */
INLINE shorts s_with_sign(shorts v, shorts s)
{
    const shorts sign = s_signs(s);
    return vbicq_s16(s_sub(s_xor(v, sign), sign), s_zeros(s));
}

INLINE shorts s_between(shorts v, int16_t low, int16_t high)
{
    return vminq_s16(vmaxq_s16(v, s_all(low)), s_all(high));
}

/* Values of 8 bits as bytes. */
INLINE void s_store_bytes(void *p, shorts v)
{
    vst1_s8(p, vmovn_s16(v));
}

#endif /* KRN_SHORTS_128_H */
