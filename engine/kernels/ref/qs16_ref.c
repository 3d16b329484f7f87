/* qs16_ref.c - int16 activations to and from floats, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs16.h"

#include <math.h>

void krn_qs16_quantize_ref(int16_t *q, const float *x, size_t n, float scale, int32_t zero,
                           bool away)
{
    for (size_t i = 0; i < n; i++) {
        float v = x[i] / scale;
        v = v >= -131072 && v <= 131072 ? v : v > 0 ? 131072 : -131072; /* NaN: the low end */
        const int32_t r = (int32_t)(away ? roundf(v) : rintf(v)) + zero;
        q[i] = (int16_t)(r < INT16_MIN ? INT16_MIN : r > INT16_MAX ? INT16_MAX : r);
    }
}

void krn_qs16_dequantize_ref(float *x, const int16_t *q, size_t n, float scale, int32_t zero)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(q[i] - zero) * scale;
}
