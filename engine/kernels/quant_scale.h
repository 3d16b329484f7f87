/* quant_scale.h - the roundings of fixed.h on vectors; included behind a tier's vectors (vq_*.h).
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_QUANT_SCALE_H
#define KRN_QUANT_SCALE_H

/* A krn_factor, ready to use. */
typedef struct vq_factor {
    vq m, left, right, mask, half;
} vq_factor;

/* The shift as krn_shift_right() takes it. */
INLINE vq_factor vq_shift_of(int right)
{
    const int32_t mask = (int32_t)((1ll << right) - 1);
    return (vq_factor){.right = vq_all(right), .mask = vq_all(mask), .half = vq_all(mask >> 1)};
}

INLINE vq_factor vq_factor_of(krn_factor f)
{
    vq_factor v = vq_shift_of(f.shift > 0 ? 0 : f.shift < -31 ? 31 : -f.shift);
    v.m = vq_all(f.m);
    v.left = vq_all(f.shift > 0 ? f.shift : 0);
    return v;
}

/* krn_shift_right */
INLINE vq vq_shift_right(vq v, const vq_factor *f)
{
    const vq half = vq_add(f->half, vq_sign(v));
    return vq_count_more(vq_right(v, f->right), vq_and(v, f->mask), half);
}

/* krn_scale_int */
INLINE vq vq_scale(vq v, const vq_factor *f)
{
    return vq_shift_right(vq_mul_high(vq_left(v, f->left), f->m), f);
}

#endif /* KRN_QUANT_SCALE_H */
