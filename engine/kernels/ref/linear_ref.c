/* linear_ref.c - quantization with scales that are data, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_linear.h"

#include <math.h>

static size_t scale_of(const krn_linear *p, size_t o, size_t i, size_t k)
{
    if (!p->block) return i;
    const size_t blocks = (p->n + p->block - 1) / p->block;
    return (o * blocks + i / p->block) * p->inner + k;
}

static int32_t quantized(float v, int32_t zero, const krn_linear *p)
{
    const float low = (float)p->low - (float)zero, high = (float)p->high - (float)zero;
    const float q = rintf(v);
    return q < low ? p->low : q > high ? p->high : q == q ? (int32_t)q + zero : zero;
}

void krn_quantize_linear_ref(int32_t *y, const float *x, const krn_linear *p)
{
    for (size_t o = 0; o < p->outer; o++)
        for (size_t i = 0; i < p->n; i++)
            for (size_t k = 0; k < p->inner; k++) {
                const size_t s = scale_of(p, o, i, k);
                *y++ = quantized(*x++ / p->scale[s], p->zero ? p->zero[s] : 0, p);
            }
}

void krn_dequantize_linear_ref(float *y, const int32_t *x, const krn_linear *p)
{
    for (size_t o = 0; o < p->outer; o++)
        for (size_t i = 0; i < p->n; i++)
            for (size_t k = 0; k < p->inner; k++) {
                const size_t s = scale_of(p, o, i, k);
                const int64_t v = (int64_t)*x++ - (p->zero ? p->zero[s] : 0);
                *y++ = (float)v * p->scale[s];
            }
}

void krn_dynamic_range(float *scale, uint8_t *zero, float low, float high)
{
    *scale = high == low ? 1 : (high - low) / 255;
    const float z = rintf(-low / *scale);
    *zero = (uint8_t)(z > 255 ? 255 : z > 0 ? z : 0);
}
