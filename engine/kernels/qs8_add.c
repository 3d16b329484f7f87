/* qs8_add.c - finds the quick form of an 8-bit sum and proves it. Layer: kernels.
 * Thread rule: no shared state. */
#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant.h"

#include <math.h>
#include <string.h>

/* Both operands over the result's scale, as exactly as a double has them. */
static void factors(double *a, double *b, const krn_qs8_binary *p)
{
    if (p->round == KRN_ROUND_FIXED) {
        const double back = ldexp((double)p->factor.m, p->factor.shift - 31 + KRN_QS8_ADD_SHIFT);
        *a = ldexp((double)p->factor_a.m, p->factor_a.shift - 31) * back;
        *b = ldexp((double)p->factor_b.m, p->factor_b.shift - 31) * back;
    } else {
        *a = ldexp((double)p->mul_a, -p->shift);
        *b = ldexp((double)p->mul_b, -p->shift);
    }
}

/* All results of one b, in the order of a as a number. */
static void column(uint8_t want[256], int b, const krn_q_binary *sum, krn_q_pairs_fn pairs)
{
    const krn_q_spread all = {.rows = 1, .n = 256, .step_a = 1};
    const uint8_t flip = sum->type == KRN_U8 ? 0 : 0x80, other = (uint8_t)(b ^ flip);
    uint8_t a[256];
    for (int i = 0; i < 256; i++)
        a[i] = (uint8_t)(i ^ flip);
    pairs(want, a, &other, &all, sum);
    for (int i = 0; i < 256; i++)
        want[i] ^= flip;
}

/* Narrows low <= c < high to where floor(a * i + right + c), limited, is want: the first of equal
 * results tells the one, the last the other. */
static void narrow(double *low, double *high, double a, double right, const uint8_t want[256],
                   const int32_t limit[2])
{
    for (int i = 0; i < 256; i++) {
        const double sum = a * i + right;
        const bool first = i == 0 || want[i - 1] != want[i];
        const bool last = i == 255 || want[i + 1] != want[i];
        if (first && want[i] > limit[0]) *low = fmax(*low, want[i] - sum);
        if (last && want[i] < limit[1]) *high = fmin(*high, want[i] + 1 - sum);
    }
}

/* The kernel's own results of one b. */
static void tried(uint8_t got[256], int b, const krn_qs8_binary *p, krn_qs8_add_fn add)
{
    const uint8_t flip = p->is_unsigned ? 0 : 0x80;
    uint8_t a[256], other[256];
    for (int i = 0; i < 256; i++) {
        a[i] = (uint8_t)(i ^ flip);
        other[i] = (uint8_t)(b ^ flip);
    }
    add(got, a, other, 256, p);
    for (int i = 0; i < 256; i++)
        got[i] ^= flip;
}

krn_q_binary krn_qs8_as_pair(const krn_qs8_binary *p)
{
    const krn_type type = p->is_unsigned ? KRN_U8 : KRN_I8;
    return (krn_q_binary){.way = KRN_Q2_ADD,
                          .type = type,
                          .to = type,
                          .zero_a = p->zero_a,
                          .zero_b = p->zero_b,
                          .zero = p->zero,
                          .low = p->low,
                          .high = p->high,
                          .left = p->round == KRN_ROUND_FIXED ? KRN_QS8_ADD_SHIFT : p->shift,
                          .factor_a = p->factor_a,
                          .factor_b = p->factor_b,
                          .factor = p->factor,
                          .real = p->round != KRN_ROUND_FIXED,
                          .mul_a = p->mul_a,
                          .mul_b = p->mul_b};
}

bool krn_qs8_add_prove(krn_qs8_binary *p, const krn_qs8 *k)
{
    const krn_q_binary sum = krn_qs8_as_pair(p);
    const krn_q_pairs_fn pairs = krn_q_pairs_fit(&sum) ? k->pairs : krn_q_pairs_ref;
    const int32_t up = p->is_unsigned ? 0 : 128, limit[2] = {p->low + up, p->high + up};
    double fa, fb, low = -1e9, high = 1e9;
    uint8_t want[256], got[256];
    factors(&fa, &fb, p);
    p->quick_a = (float)fa;
    p->quick_b = (float)fb;
    for (int j = 0; j < 256; j++) {
        column(want, j, &sum, pairs);
        narrow(&low, &high, (double)p->quick_a, (double)p->quick_b * j, want, limit);
    }
    p->quick_c = (float)((low + high) / 2);
    for (int j = 0; j < 256 && low < high; j++) {
        column(want, j, &sum, pairs);
        tried(got, j, p, k->add);
        if (memcmp(got, want, sizeof(want)) != 0) return false;
    }
    return low < high;
}
