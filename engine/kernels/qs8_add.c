/* qs8_add.c - finds the quick form of an 8-bit sum and proves it. Layer: kernels.
 * Thread rule: no shared state. */
#include "engine/kernels/krn_qs8.h"

#include <math.h>

/* Both operands over the result's scale, as exactly as a double has them. */
static void factors(double *a, double *b, const krn_qs8_binary *p)
{
    if (p->round == KRN_ROUND_FIXED) {
        const double back = ldexp((double)p->factor.m, p->factor.shift - 31 + 20);
        *a = ldexp((double)p->factor_a.m, p->factor_a.shift - 31) * back;
        *b = ldexp((double)p->factor_b.m, p->factor_b.shift - 31) * back;
    } else {
        *a = ldexp((double)p->mul_a, -p->shift);
        *b = ldexp((double)p->mul_b, -p->shift);
    }
}

/* All results of one b. */
static void column(uint8_t want[256], int b, const krn_qs8_binary *p)
{
    uint8_t a[256];
    const uint8_t other = (uint8_t)(p->is_unsigned ? b : b - 128);
    for (int i = 0; i < 256; i++)
        a[i] = (uint8_t)(p->is_unsigned ? i : i - 128);
    krn_qs8_add_ref(want, a, 1, &other, 0, 256, p);
    for (int i = 0; i < 256 && !p->is_unsigned; i++)
        want[i] ^= 0x80;
}

/* Narrows low <= c < high to where floor(a * i + b * j + c), limited, is want. */
static void narrow(double *low, double *high, double sum, uint8_t want, const int32_t limit[2])
{
    if (want > limit[0]) *low = fmax(*low, want - sum);
    if (want < limit[1]) *high = fmin(*high, want + 1 - sum);
}

bool krn_qs8_add_prove(krn_qs8_binary *p)
{
    const int32_t up = p->is_unsigned ? 0 : 128, limit[2] = {p->low + up, p->high + up};
    double fa, fb, low = -1e9, high = 1e9;
    uint8_t want[256];
    factors(&fa, &fb, p);
    p->quick_a = (float)fa;
    p->quick_b = (float)fb;
    for (int j = 0; j < 256; j++) {
        column(want, j, p);
        for (int i = 0; i < 256; i++)
            narrow(&low, &high, (double)p->quick_a * i + (double)p->quick_b * j, want[i], limit);
    }
    p->quick_c = (float)((low + high) / 2);
    for (int j = 0; j < 256 && low < high; j++) {
        column(want, j, p);
        const float right = fmaf((float)j, p->quick_b, p->quick_c);
        for (int i = 0; i < 256; i++) {
            const int32_t v = (int32_t)floorf(fmaf((float)i, p->quick_a, right));
            if (krn_clamp(v, limit[0], limit[1]) != want[i]) return false;
        }
    }
    return low < high;
}
