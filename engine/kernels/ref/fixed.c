/* fixed.c - fixed-point factors, exponential and reciprocal. Layer: kernels. Thread rule: none.
 * Source: the series and Newton steps are those of gemmlowp's fixed-point notes, whose results the
 * reference softmax of TensorFlow Lite is defined by. */
#include "engine/kernels/fixed.h"

#include "engine/base/bytes.h"

#include <math.h>

krn_factor krn_factor_of(double real)
{
    int shift;
    if (!(real > 0)) return (krn_factor){0, 0};
    int64_t m = (int64_t)round(frexp(real, &shift) * (double)(1ll << 31));
    if (m == 1ll << 31) {
        m /= 2;
        shift++;
    }
    if (shift < -31) return (krn_factor){0, 0};
    if (shift > 30) return (krn_factor){INT32_MAX, 30};
    return (krn_factor){(int32_t)m, shift};
}

/* exp(x) as Q0.31 for x in [-1/4, 0) as Q0.31: Taylor's series to the fourth power about -1/8. */
static int32_t exp_small(int32_t x)
{
    const int32_t exp_minus_eighth = 1895147668, third = 715827883;
    const int32_t d = x + (1 << 28);
    const int32_t d2 = krn_mul_high(d, d);
    const int32_t d3 = krn_mul_high(d2, d);
    const int32_t d4_4 = krn_shift_right(krn_mul_high(d2, d2), 2);
    const int32_t tail = krn_shift_right(krn_mul_high(d4_4 + d3, third) + d2, 1);
    return exp_minus_eighth + krn_mul_high(exp_minus_eighth, d + tail);
}

int32_t krn_exp_q5_26(int32_t x)
{
    /* exp(-2^k) as Q0.31, k = -2 .. 4 */
    static const int32_t step[] = {1672461947, 1302514674, 790015084, 290630308,
                                   39332535,   720401,     242};
    const int32_t quarter = 1 << 24;
    if (x == 0) return INT32_MAX;
    const int32_t part = (x & (quarter - 1)) - quarter;
    const int32_t rest = part - x;
    int32_t y = exp_small(krn_shift_left(part, 5));
    for (size_t k = 0; k < NF_COUNT(step); k++)
        if (rest & (1 << (24 + k))) y = krn_mul_high(y, step[k]);
    return y;
}

int32_t krn_reciprocal_q12(int32_t x, int *bits_over_unit)
{
    const int32_t c48_17 = 1515870810, c32_17 = -1010580540, one_q2 = 1 << 29;
    const int headroom = __builtin_clz((uint32_t)x);
    *bits_over_unit = 12 - headroom;
    const int32_t above_one = (int32_t)(((uint32_t)x << headroom) - (1u << 31));
    const int32_t half = (int32_t)(((int64_t)above_one + INT32_MAX + 1) / 2);
    int32_t y = c48_17 + krn_mul_high(half, c32_17);
    for (int i = 0; i < 3; i++) { /* Newton: y += y * (1 - half * y) */
        const int32_t miss = one_q2 - krn_mul_high(half, y);
        y += krn_shift_left(krn_mul_high(y, miss), 2);
    }
    return krn_shift_left(y, 1);
}

/* Newton's steps y += y / 2 * (1 - x * y * y) in Q3.28, on x brought to 1/4 .. 1. */
static int32_t root_steps(int32_t half)
{
    const int32_t three_halves = (1 << 28) + (1 << 27), root_half = 1518500250;
    int32_t y = 1 << 28;
    for (int i = 0; i < 5; i++) {
        const int32_t cube = krn_shift_left(krn_mul_high(krn_mul_high(y, y), y), 6);
        const int32_t next = krn_mul_high(three_halves, y) - krn_mul_high(half, cube);
        y = krn_shift_left(next, 3);
    }
    return krn_mul_high(y, root_half);
}

krn_factor krn_inverse_root(int32_t x)
{
    int down = 11;
    if (x <= 1) return (krn_factor){INT32_MAX, 0};
    for (; x >= 1 << 29; x /= 4)
        down++;
    const int pairs = (__builtin_clz((uint32_t)x) - 1) / 2 - 1;
    down -= pairs;
    const int32_t root = root_steps(krn_shift_right((int32_t)((uint32_t)x << (2 * pairs)) >> 1, 1));
    return down < 0 ? (krn_factor){(int32_t)((uint32_t)root << -down), 0}
                    : (krn_factor){root, -down};
}
