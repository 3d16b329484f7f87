/* qs8_tail_ref.c - what stands before and after an 8-bit product: widening, dynamic quantization,
 * requantization. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_qs8_real.h"

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

void krn_qs8_dynamic_ref(int16_t *a, float *scale, const float *x, size_t k, size_t k_pad,
                         krn_dynamic way)
{
    krn_qs8_row row;
    float low, high;
    krn_qs8_real_ref.range(&low, &high, x, k);
    const krn_qs8_steps s = krn_qs8_steps_over(&row, low, high, way);
    for (size_t i = 0; i < k; i++)
        a[i] = (int16_t)(krn_qs8_step(x[i], &s) - row.zero);
    memset(a + k, 0, (k_pad - k) * sizeof(*a));
    *scale = row.scale;
}

void krn_qs8_hybrid_ref(float *out, const int32_t *acc, const float *scale, const float *bias,
                        float row_scale, size_t n)
{
    for (size_t c = 0; c < n; c++)
        out[c] = (float)acc[c] * (row_scale * scale[c]) + bias[c];
}
