/* qs8_tail_ref.c - what stands before and after an 8-bit product: widening, dynamic quantization,
 * requantization. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"

#include <math.h>
#include <string.h>

static inline int32_t requant_float(int32_t sum, const krn_requant *r, size_t c)
{
    /* clamped in float first, as XNNPACK does: the conversion must not leave int32 */
    float v = (float)sum * r->scale[c];
    const float low = (float)(r->low - r->zero), high = (float)(r->high - r->zero);
    v = v < low ? low : v > high ? high : v;
    return (int32_t)lrintf(v) + r->zero;
}

static inline int32_t requant_fixed(int32_t sum, const krn_requant *r, size_t c)
{
    return krn_clamp((int64_t)krn_scale_int(sum, r->factor[c]) + r->zero, r->low, r->high);
}

static inline int32_t requant_away(int32_t sum, const krn_requant *r, size_t c)
{
    const double v = round((double)sum * r->real[c]); /* below 2^31 * 10^6: fits int64 */
    return krn_clamp((int64_t)v + r->zero, r->low, r->high);
}

/* A bias from a file may be anything: the sum wraps, as it does in the kernels it stands for. */
static inline int32_t with_bias(int32_t sum, int32_t bias)
{
    return (int32_t)((uint32_t)sum + (uint32_t)bias);
}

/* One row; the choice stands outside the loop so that each loop is a straight one. */
static void requant_row(uint8_t *out, const int32_t *acc, const krn_requant *r, size_t n)
{
    switch (r->round) {
    case KRN_ROUND_FLOAT:
        for (size_t c = 0; c < n; c++)
            out[c] = (uint8_t)requant_float(with_bias(acc[c], r->bias[c]), r, c);
        break;
    case KRN_ROUND_FIXED:
        for (size_t c = 0; c < n; c++)
            out[c] = (uint8_t)requant_fixed(with_bias(acc[c], r->bias[c]), r, c);
        break;
    case KRN_ROUND_AWAY:
        for (size_t c = 0; c < n; c++)
            out[c] = (uint8_t)requant_away(with_bias(acc[c], r->bias[c]), r, c);
        break;
    }
}

KRN_DECL_QS8_REQUANT(krn_qs8_requant_ref)
{
    for (size_t row = 0; row < m; row++)
        requant_row(out + row * ld_out, acc + row * ld, r, n);
}

void krn_qs8_widen_ref(int16_t *a, const uint8_t *q, int32_t zero, bool is_unsigned, size_t m,
                       size_t k, size_t k_pad)
{
    for (size_t row = 0; row < m; row++, a += k_pad, q += k) {
        for (size_t i = 0; i < k; i++)
            a[i] = (int16_t)(krn_q8(q[i], is_unsigned) - zero);
        memset(a + k, 0, (k_pad - k) * sizeof(*a));
    }
}

static void dynamic_symmetric(int16_t *a, float *scale, const float *x, size_t k)
{
    float most = 0;
    for (size_t i = 0; i < k; i++)
        most = fmaxf(most, fabsf(x[i]));
    *scale = most > 0 ? most / 127 : 1;
    const float inverse = most > 0 ? 127 / most : 0;
    for (size_t i = 0; i < k; i++)
        a[i] = (int16_t)krn_clamp(krn_round_float(x[i] * inverse), -127, 127);
}

/* The zero point is nudged to a whole number from the end whose rounding error is smaller. */
static void dynamic_asymmetric(int16_t *a, float *scale, const float *x, size_t k)
{
    double low = 0, high = 0;
    for (size_t i = 0; i < k; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    const double step = high > low ? (high - low) / 255 : 1;
    const double from_low = -128 - low / step, from_high = 127 - high / step;
    const double low_error = 128 + fabs(low / step), high_error = 127 + fabs(high / step);
    const double exact = low_error < high_error ? from_low : from_high;
    const int32_t zero = krn_clamp(krn_round_float((float)exact), -128, 127);
    const float inverse = (float)(1 / step);
    *scale = (float)step;
    for (size_t i = 0; i < k; i++)
        a[i] =
            (int16_t)(krn_clamp(krn_round_float((float)zero + x[i] * inverse), -128, 127) - zero);
}

static void dynamic_xnn(int16_t *a, float *scale, const float *x, size_t k)
{
    float low = 0, high = 0;
    for (size_t i = 0; i < k; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    const float inverse = high > low ? 255 / (high - low) : 1;
    const float from_low = -128 + low * inverse, from_high = 127 + high * inverse;
    const float exact = from_low + from_high > 0 ? -128 - low * inverse : 127 - high * inverse;
    const int32_t zero = (int32_t)lrintf(fminf(fmaxf(exact, -128), 127));
    *scale = 1 / inverse;
    for (size_t i = 0; i < k; i++) {
        const float v = fminf(fmaxf(x[i] * inverse, -1024), 1024);
        a[i] = (int16_t)(krn_clamp((int64_t)lrintf(v) + zero, -128, 127) - zero);
    }
}

void krn_qs8_dynamic_ref(int16_t *a, float *scale, const float *x, size_t k, size_t k_pad,
                         krn_dynamic way)
{
    static void (*const ways[])(int16_t * a, float *scale, const float *x, size_t k) = {
        [KRN_DYNAMIC_WHOLE] = dynamic_asymmetric,
        [KRN_DYNAMIC_EVEN] = dynamic_symmetric,
        [KRN_DYNAMIC_XNN] = dynamic_xnn,
    };
    ways[way](a, scale, x, k);
    memset(a + k, 0, (k_pad - k) * sizeof(*a));
}

void krn_qs8_hybrid_ref(float *out, const int32_t *acc, const float *scale, const float *bias,
                        float row_scale, size_t n)
{
    for (size_t c = 0; c < n; c++)
        out[c] = (float)acc[c] * (row_scale * scale[c]) + bias[c];
}
