/* vec_dotprod.h - vectors of four sums for the bodies of 8-bit kernels: Arm's dot products.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_DOTPROD_H
#define KRN_VEC_DOTPROD_H

#include "engine/kernels/arm/vec_128.h"

#define ELEM   1 /* staged: q for int8, q - 128 for uint8 */
#define PLANES 1

typedef int8x16_t weights;
typedef int8x16_t taps;   /* weights of four rows */
typedef int8x16_t column; /* of a strip: what taps are for */

INLINE taps t_load(const uint8_t *w)
{
    return vreinterpretq_s8_u8(vld1q_u8(w));
}

INLINE weights w_load(const uint8_t *w)
{
    return t_load(w);
}

INLINE weights w_load_four(const uint8_t *w)
{
    const uint8x8_t two = vld1_u8(w);
    const uint8x16_t both = vcombine_u8(vand_u8(two, vdup_n_u8(15)), vshr_n_u8(two, 4));
    return vsubq_s8(vreinterpretq_s8_u8(both), vdupq_n_s8(8));
}

INLINE vec v_dot(vec sum, vec x, weights w)
{
    return vdotq_s32(sum, vreinterpretq_s8_s32(x), w);
}

INLINE taps t_in_register(taps w)
{
    return w;
}

INLINE column c_load(const uint8_t *strip, size_t plane)
{
    (void)plane;
    return t_load(strip);
}

INLINE vec v_taps(vec sum, column c, taps w)
{
    return vdotq_s32(sum, c, w);
}

#endif /* KRN_VEC_DOTPROD_H */
