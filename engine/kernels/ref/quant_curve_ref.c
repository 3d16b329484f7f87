/* quant_curve_ref.c - the logistic function and tanh on 16 bits, by interpolation between points
 * and in fixed point alone. Layer: kernels. Thread rule: pure functions. Source: TensorFlow Lite's
 * reference kernels and gemmlowp's fixed-point notes. */
#include "engine/kernels/krn_quant.h"

#include <math.h>
#include <stdlib.h>

#define POINTS 256
#define GRID   24.0 /* points a unit of x */

static double logistic(double x)
{
    return 65536 / (1 + exp(-x));
}

/* Each point is moved by half the error that interpolation makes in the middle of its step. */
void krn_logistic_points(uint16_t points[POINTS])
{
    for (int i = 0; i < POINTS; i++) {
        const double here = logistic(i / GRID), next = logistic((i + 1) / GRID);
        const double error = (here + next) / 2 - logistic((i + 0.5) / GRID);
        points[i] = (uint16_t)lrint(here - error / 2);
    }
    points[POINTS - 1] = UINT16_MAX;
}

/* Between two points, `bits` below the grid, for x >= 0; past the last one it is `most`. */
static int32_t between(const uint16_t *points, uint32_t x, int bits, uint32_t most)
{
    const uint32_t at = x >> bits;
    if (at >= POINTS - 1) return (int32_t)(most << bits);
    const uint32_t rest = x & ((1u << bits) - 1);
    return (int32_t)(((uint32_t)points[at] << bits) + rest * (points[at + 1] - points[at]));
}

int16_t krn_logistic16(const uint16_t *points, int32_t x)
{
    /* past the last point it is 2^15 - 1 in Q0.15; below 0 it is 1 minus its mirror */
    const int32_t y = between(points, (uint32_t)abs(x), 9, 0x7FFF << 1);
    return (int16_t)((x >= 0 ? y + (1 << 9) : (1 << 25) - y + (1 << 9) - 1) >> 10);
}

/* tanh(x) = 2 * logistic(2 * x) - 1: the same points, twice as far apart. */
int16_t krn_tanh16(const uint16_t *points, int32_t x)
{
    const int32_t y = between(points, (uint32_t)abs(x), 8, UINT16_MAX) - (1 << 23);
    return (int16_t)((x >= 0 ? y + (1 << 7) : -y + (1 << 7) - 1) >> 8);
}

/* exp(x) as Q0.15 for x in [-1/4, 0) as Q0.15: Taylor's series to the fourth power about -1/8. */
static int16_t exp_small(int16_t x)
{
    const int16_t exp_minus_eighth = 28918, third = 10923;
    const int16_t d = (int16_t)(x + (1 << 12));
    const int16_t d2 = krn_mul_high16(d, d), d3 = krn_mul_high16(d2, d);
    const int16_t d4_4 = (int16_t)krn_shift_right(krn_mul_high16(d2, d2), 2);
    const int16_t cubes = krn_mul_high16((int16_t)(d4_4 + d3), third);
    const int16_t tail = (int16_t)krn_shift_right(cubes + d2, 1);
    const int16_t grow = krn_mul_high16(exp_minus_eighth, (int16_t)(d + tail));
    return krn_shift_left16(exp_minus_eighth + grow, 0);
}

/* exp(x) as Q0.15 for x <= 0 with `bits` integer bits. */
static int16_t exp_fixed(int16_t x, int bits)
{
    /* exp(-2^k) as Q0.15, k = -2 .. 4 */
    static const int16_t step[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int below = 15 - bits;
    const int16_t quarter = (int16_t)(1 << (below - 2 > 0 ? below - 2 : 0));
    if (x == 0) return INT16_MAX;
    const int16_t part = (int16_t)((x & (quarter - 1)) - quarter);
    const int32_t rest = part - x;
    int16_t y = exp_small(krn_shift_left16(part, bits));
    for (int k = 0; k < 7 && k - 2 < bits; k++)
        if (rest & (1 << (below + k - 2))) y = krn_mul_high16(y, step[k]);
    if (bits > 5 && x < -(1 << (20 - bits))) return 0;
    return y;
}

/* 2 / (1 + x) in Q2.13 for x in 0 .. 1 as Q0.15. */
static int16_t reciprocal_fixed(int16_t x)
{
    const int16_t c48_17 = 23130, c32_17 = -15420, one_q2 = 1 << 13;
    const int16_t half = (int16_t)((x + INT16_MAX + 1) / 2);
    int16_t y = (int16_t)(c48_17 + krn_mul_high16(half, c32_17));
    for (int i = 0; i < 3; i++) {
        const int16_t miss = (int16_t)(one_q2 - krn_mul_high16(half, y));
        y = (int16_t)(y + krn_shift_left16(krn_mul_high16(y, miss), 2));
    }
    return y;
}

int16_t krn_logistic_fixed16(int16_t x)
{
    if (x == 0) return 1 << 14;
    const int16_t mirror = x > 0 ? (int16_t)-x : x;
    const int16_t y = krn_shift_left16(reciprocal_fixed(exp_fixed(mirror, 3)), 1);
    return x > 0 ? y : (int16_t)(INT16_MAX - y);
}

int16_t krn_tanh_fixed16(int16_t x, int bits)
{
    if (x == 0) return 0;
    const int16_t mirror = x > 0 ? (int16_t)-x : x;
    /* (1 - e) / (1 + e), e = exp(-2 |x|): one integer bit more says the same as twice x */
    const int16_t twice = reciprocal_fixed(exp_fixed(mirror, bits + 1));
    const int16_t y = krn_shift_left16(twice - (1 << 13), 2);
    return x > 0 ? y : (int16_t)-y;
}
