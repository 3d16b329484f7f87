/* qs8_ops_ref.c - 8-bit elementwise operators and softmax in plain C. Layer: kernels.
 * Thread rule: pure functions. Source of KRN_ROUND_FIXED: TensorFlow Lite's reference kernels; of
 * KRN_ROUND_FLOAT: XNNPACK's arithmetic, softmax by a table of floats as TensorFlow Lite's
 * optimised kernels. */
#include "engine/kernels/krn_qs8.h"

#include <math.h>

static int32_t add_fixed(int32_t a, int32_t b, const krn_qs8_binary *p)
{
    const int32_t wide_a = krn_scale_int((a - p->zero_a) * (1 << KRN_QS8_ADD_SHIFT), p->factor_a);
    const int32_t wide_b = krn_scale_int((b - p->zero_b) * (1 << KRN_QS8_ADD_SHIFT), p->factor_b);
    return krn_clamp((int64_t)krn_scale_int(wide_a + wide_b, p->factor) + p->zero, p->low, p->high);
}

static int32_t add_float(int32_t a, int32_t b, const krn_qs8_binary *p)
{
    const int64_t sum = (int64_t)(a - p->zero_a) * p->mul_a + (int64_t)(b - p->zero_b) * p->mul_b;
    const int64_t half = p->shift ? (int64_t)1 << (p->shift - 1) : 0;
    return krn_clamp(((sum + half) >> p->shift) + p->zero, p->low, p->high);
}

void krn_qs8_add_ref(uint8_t *y, const uint8_t *a, size_t step_a, const uint8_t *b, size_t step_b,
                     size_t n, const krn_qs8_binary *p)
{
    for (size_t i = 0; i < n; i++, a += step_a, b += step_b) {
        const int32_t va = krn_q8(*a, p->is_unsigned), vb = krn_q8(*b, p->is_unsigned);
        y[i] = (uint8_t)(p->round == KRN_ROUND_FIXED ? add_fixed(va, vb, p) : add_float(va, vb, p));
    }
}

void krn_qs8_softmax_fixed(krn_qs8_softmax *p)
{
    for (int i = 0; i < 256; i++)
        p->fixed[i] = -i >= p->diff_min ? krn_exp_q5_26(krn_scale_int(-i, p->beta)) : 0;
}

void krn_qs8_softmax_init(krn_qs8_softmax *p, float in_scale, float beta)
{
    const double limit = 2147483647.0;
    const double real = (double)beta * (double)in_scale * (double)(1 << 26);
    p->beta = krn_factor_of(real < limit ? real : limit);
    /* the largest difference that still fits Q5.26 after the scaling */
    p->diff_min = p->beta.shift >= 0
                      ? -(int32_t)floor(31.0 * (double)(1 << 26) / (double)(1ll << p->beta.shift))
                      : -255;
    krn_qs8_softmax_fixed(p);
    for (int i = 0; i < 256; i++)
        p->table[i] = expf(-in_scale * beta * (float)i);
}

static void softmax_fixed(uint8_t *y, const uint8_t *x, size_t n, int32_t most,
                          const krn_qs8_softmax *p)
{
    int64_t sum = 0;
    int bits;
    for (size_t c = 0; c < n; c++) {
        const int32_t diff = krn_q8(x[c], p->is_unsigned) - most;
        if (diff >= p->diff_min) sum += krn_shift_right(p->fixed[-diff], 12);
    }
    const int32_t inverse = krn_reciprocal_q12(sum > INT32_MAX ? INT32_MAX : (int32_t)sum, &bits);
    const int32_t low = p->is_unsigned ? 0 : -128;
    for (size_t c = 0; c < n; c++) {
        const int32_t diff = krn_q8(x[c], p->is_unsigned) - most;
        int32_t v = low;
        if (diff >= p->diff_min) {
            const int shift = bits + 31 - 8;
            v = low +
                krn_shift_right(krn_mul_high(inverse, p->fixed[-diff]), shift > 31 ? 31 : shift);
        }
        y[c] = (uint8_t)krn_clamp(v, low, low + 255);
    }
}

static void softmax_float(uint8_t *y, const uint8_t *x, size_t n, int32_t most,
                          const krn_qs8_softmax *p)
{
    float sum = 0;
    const int32_t low = p->is_unsigned ? 0 : -128;
    for (size_t c = 0; c < n; c++)
        sum += p->table[most - krn_q8(x[c], p->is_unsigned)];
    const float inverse = 1 / (sum * p->out_scale);
    for (size_t c = 0; c < n; c++) {
        const float v = p->table[most - krn_q8(x[c], p->is_unsigned)] * inverse;
        y[c] = (uint8_t)krn_clamp(krn_round_float(v) + p->out_zero, low, low + 255);
    }
}

KRN_DECL_QS8_SOFTMAX(krn_qs8_softmax_ref)
{
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        int32_t most = -128;
        for (size_t c = 0; c < n; c++)
            most = krn_q8(x[c], p->is_unsigned) > most ? krn_q8(x[c], p->is_unsigned) : most;
        (p->round == KRN_ROUND_FIXED ? softmax_fixed : softmax_float)(y, x, n, most, p);
    }
}

void krn_qs8_clamp_ref(uint8_t *y, const uint8_t *x, size_t n, int32_t low, int32_t high,
                       bool is_unsigned)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (uint8_t)krn_clamp(krn_q8(x[i], is_unsigned), low, high);
}
