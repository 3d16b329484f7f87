/* vec_neon.h - vectors of four sums for the bodies of 8-bit kernels: NEON without dot products, by
 * int16 products that add up in int32. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_NEON_H
#define KRN_VEC_NEON_H

#include "engine/kernels/arm/vec_128.h"

#define ELEM   2 /* staged: q as int16 */
#define PLANES 2

typedef struct taps { /* weights of each row */
    int16x4_t row[4];
} taps;
typedef taps column; /* of a strip: what taps are for */

typedef struct weights { /* of both inputs of a group */
    int16x4_t half[2];
} weights;

INLINE int16x4_t v_half(const uint8_t *p)
{
    return vld1_s16((const int16_t *)(const void *)p);
}

INLINE weights w_load(const uint8_t *w)
{
    return (weights){{v_half(w), v_half(w + 8)}};
}

INLINE weights w_load_four(const uint8_t *w)
{
    uint32_t two;
    memcpy(&two, w, sizeof(two));
    const uint8x8_t twice = vreinterpret_u8_u32(vdup_n_u32(two));
    const uint8x8_t both = vext_u8(vand_u8(twice, vdup_n_u8(15)), vshr_n_u8(twice, 4), 4);
    const int16x8_t v = vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(both)), vdupq_n_s16(8));
    return (weights){{vget_low_s16(v), vget_high_s16(v)}};
}

INLINE vec v_dot(vec sum, vec x, weights w)
{
    const int16x4_t both = vget_low_s16(vreinterpretq_s16_s32(x));
    return vmlal_lane_s16(vmlal_lane_s16(sum, w.half[0], both, 0), w.half[1], both, 1);
}

INLINE taps t_load(const uint8_t *w)
{
    return (taps){{v_half(w), v_half(w + 8), v_half(w + 16), v_half(w + 24)}};
}

INLINE taps t_in_register(taps w)
{
    return w;
}

INLINE column c_load(const uint8_t *strip, size_t plane)
{
    return (column){{v_half(strip), v_half(strip + plane), v_half(strip + 2 * plane),
                     v_half(strip + 3 * plane)}};
}

INLINE vec v_taps(vec sum, column c, taps w)
{
    sum = vmlal_s16(sum, c.row[0], w.row[0]);
    sum = vmlal_s16(sum, c.row[1], w.row[1]);
    sum = vmlal_s16(sum, c.row[2], w.row[2]);
    return vmlal_s16(sum, c.row[3], w.row[3]);
}

#endif /* KRN_VEC_NEON_H */
