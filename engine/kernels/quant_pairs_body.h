/* quant_pairs_body.h - operators of two quantized operands; included by a tier's file behind its
 * vectors (vq_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * Operands are taken as 0 .. 255: signed ones with their highest bit flipped, which moves them and
 * their zero point by 128. pairs() is written once and expanded for each way as a constant. */
#ifndef KRN_QUANT_PAIRS_BODY_H
#define KRN_QUANT_PAIRS_BODY_H

#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant.h"
#include "engine/kernels/quant_scale.h"

enum pair_way {
    PAIR_QUICK,      /* ADD in float, on the bytes as they are */
    PAIR_SUM,        /* ADD and SUB by whole factors */
    PAIR_ADD,        /* by way of the common scale */
    PAIR_SUBTRACT,   /* the same */
    PAIR_REAL,       /* MUL by a float */
    PAIR_PRODUCT,    /* MUL by a factor */
    PAIR_DIFFERENCE, /* SQUARED_DIFFERENCE */
    PAIR_MINIMUM,
    PAIR_MAXIMUM,
    PAIR_PRELU
};

typedef struct pair_constants {
    vq flip, zero_a, zero_b;
    vq low, high, zero; /* of the result; the limits before the zero point is added */
    vq_factor a, b, back;
    vq left, mul_a, mul_b, half;
    vqf real, least, most, quick_a, quick_b, quick_c;
} pair_constants;

/* What a way has no use for is never computed: all of this is expanded with it. */
INLINE pair_constants pair_constants_of(const krn_q_binary *p, const int way)
{
    const int32_t up = p->type == KRN_U8 ? 0 : 128, zero = way == PAIR_QUICK ? -up : p->zero;
    return (pair_constants){.flip = vq_all(up),
                            .zero_a = vq_all(way == PAIR_QUICK ? 0 : p->zero_a + up),
                            .zero_b = vq_all(way == PAIR_QUICK ? 0 : p->zero_b + up),
                            .low = vq_all(p->low - zero),
                            .high = vq_all(p->high - zero),
                            .zero = vq_all(zero),
                            .a = vq_factor_of(p->factor_a),
                            .b = vq_factor_of(p->factor_b),
                            .back = vq_factor_of(p->factor),
                            .left = vq_all(p->left),
                            .mul_a = vq_all(p->mul_a),
                            .mul_b = vq_all(p->mul_b),
                            .half = vq_all((int32_t)((1ll << p->left) / 2)),
                            .real = vqf_all(p->real_a),
                            .least = vqf_all(-1e6f),
                            .most = vqf_all(1e6f),
                            .quick_a = vqf_all(p->quick_a),
                            .quick_b = vqf_all(p->quick_b),
                            .quick_c = vqf_all(p->quick_c)};
}

/* An operand in the common scale. */
INLINE vq pair_side(vq v, const vq_factor *f, const pair_constants *k)
{
    return vq_scale(vq_left(v, k->left), f);
}

INLINE vq pair_difference(vq a, vq b, const pair_constants *k)
{
    return vq_sub(pair_side(a, &k->a, k), pair_side(b, &k->b, k));
}

INLINE vq pair_quick(vq a, vq b, const pair_constants *k)
{
    const vqf right = vqf_muladd(vq_float(b), k->quick_b, k->quick_c);
    return vqf_down(vqf_muladd(vq_float(a), k->quick_a, right));
}

/* The functions of quant_binary_ref.c, a and b without their zero points. */
INLINE vq pair_value(vq a, vq b, const pair_constants *k, const int way)
{
    switch (way) {
    case PAIR_QUICK:
        return pair_quick(a, b, k);
    case PAIR_SUM:
        return vq_right(vq_add(vq_add(vq_mul(a, k->mul_a), vq_mul(b, k->mul_b)), k->half), k->left);
    case PAIR_ADD:
        return vq_scale(vq_add(pair_side(a, &k->a, k), pair_side(b, &k->b, k)), &k->back);
    case PAIR_SUBTRACT:
        return vq_scale(pair_difference(a, b, k), &k->back);
    case PAIR_REAL:
        return vqf_nearest(vqf_limit(vqf_mul(vq_float(vq_mul(a, b)), k->real), k->least, k->most));
    case PAIR_PRODUCT:
        return vq_scale(vq_mul(a, b), &k->back);
    case PAIR_DIFFERENCE:
        a = pair_difference(a, b, k);
        return vq_scale(vq_mul(a, a), &k->back);
    case PAIR_MINIMUM:
        return vq_min(a, b);
    case PAIR_MAXIMUM:
        return vq_max(a, b);
    default:
        return vq_if_negative(a, vq_scale(vq_mul(a, b), &k->b), vq_scale(a, &k->a));
    }
}

/* VQ_LANES values of one side from p on, or n where that is less; step 0: one value. */
INLINE vq pair_load(const uint8_t *p, size_t step, size_t n, vq flip, vq zero)
{
    const vq v = step == 0       ? vq_xor(vq_all(*p), flip)
                 : n >= VQ_LANES ? vq_bytes(p, flip)
                                 : vq_bytes_part(p, n, flip);
    return vq_sub(v, zero);
}

/* n results; the last vector overlaps the one before it. */
INLINE void pair_row(uint8_t *y, const uint8_t *a, const uint8_t *b, const krn_q_spread *s,
                     const pair_constants *k, const int way)
{
    const size_t n = s->n;
    for (size_t i = 0; i < n; i += VQ_LANES) {
        const size_t at = i + VQ_LANES <= n || n < VQ_LANES ? i : n - VQ_LANES;
        const vq va = pair_load(a + at * s->step_a, s->step_a, n, k->flip, k->zero_a);
        const vq vb = pair_load(b + at * s->step_b, s->step_b, n, k->flip, k->zero_b);
        vq v = pair_value(va, vb, k, way);
        v = vq_add(vq_min(vq_max(v, k->low), k->high), k->zero);
        if (n >= VQ_LANES)
            vq_store_bytes(y + at, v);
        else
            vq_store_bytes_part(y, n, v);
    }
}

INLINE void pairs(uint8_t *y, const uint8_t *a, const uint8_t *b, const krn_q_spread *s,
                  const krn_q_binary *p, const int way)
{
    const pair_constants k = pair_constants_of(p, way);
    const krn_q_spread to = *s; /* a copy: the bytes stored could be anyone's */
    for (size_t r = 0; r < to.rows; r++)
        pair_row(y + r * to.n, a + r * to.row_a, b + r * to.row_b, &to, &k, way);
}

#define PAIR_FUNCTION(way)                                                                         \
    static void pairs_##way(void *y, const void *a, const void *b, const krn_q_spread *s,          \
                            const krn_q_binary *p)                                                 \
    {                                                                                              \
        pairs(y, a, b, s, p, PAIR_##way);                                                          \
    }
PAIR_FUNCTION(QUICK)
PAIR_FUNCTION(SUM)
PAIR_FUNCTION(ADD)
PAIR_FUNCTION(SUBTRACT)
PAIR_FUNCTION(REAL)
PAIR_FUNCTION(PRODUCT)
PAIR_FUNCTION(DIFFERENCE)
PAIR_FUNCTION(MINIMUM)
PAIR_FUNCTION(MAXIMUM)
PAIR_FUNCTION(PRELU)

KRN_DECL_Q_PAIRS(VQ_NAME(krn_q_pairs))
{
    static const krn_q_pairs_fn fixed[] = {
        [KRN_Q2_ADD] = pairs_ADD,         [KRN_Q2_SUB] = pairs_SUBTRACT,
        [KRN_Q2_MUL] = pairs_PRODUCT,     [KRN_Q2_SQUARED_DIFFERENCE] = pairs_DIFFERENCE,
        [KRN_Q2_MINIMUM] = pairs_MINIMUM, [KRN_Q2_MAXIMUM] = pairs_MAXIMUM,
        [KRN_Q2_PRELU] = pairs_PRELU};
    static const krn_q_pairs_fn real[] = {
        [KRN_Q2_ADD] = pairs_SUM, [KRN_Q2_SUB] = pairs_SUM, [KRN_Q2_MUL] = pairs_REAL};
    (p->quick ? pairs_QUICK : p->real ? real[p->way] : fixed[p->way])(y, a, b, s, p);
}

#endif /* KRN_QUANT_PAIRS_BODY_H */
