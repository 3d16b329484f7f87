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
