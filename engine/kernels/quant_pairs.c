/* quant_pairs.c - which operators of two quantized operands the fast kernels take. Layer: kernels.
 * Thread rule: no shared state. */
#include "engine/kernels/krn_quant.h"

/* 255 * 2^21 on both sides, and half of 2^30: below 2^31. */
static bool sum_fits(const krn_q_binary *p)
{
    const int32_t most = 1 << 21;
    return !p->real || (p->left >= 1 && p->left <= 30 && p->mul_a <= most && p->mul_b <= most &&
                        p->mul_a >= -most && p->mul_b >= -most);
}

bool krn_q_pairs_fit(const krn_q_binary *p)
{
    if (p->type == KRN_I16 || p->to != p->type) return false;
    switch (p->way) {
    case KRN_Q2_ADD:
    case KRN_Q2_SUB:
        return sum_fits(p);
    case KRN_Q2_MUL:
    case KRN_Q2_SQUARED_DIFFERENCE:
    case KRN_Q2_MINIMUM:
    case KRN_Q2_MAXIMUM:
    case KRN_Q2_PRELU:
        return true;
    default:
        return false;
    }
}
