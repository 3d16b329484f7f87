/* quant_softmax_ref.c - softmax to 16 bits, and rows over their length, in plain C. Layer: kernels.
 * Thread rule: pure functions. Source: TensorFlow Lite's reference kernels; from 8 bits in litert
 * its fast ones. */
#include "engine/kernels/krn_quant.h"

#include <math.h>

static float exponential(float x, const float *with)
{
    (void)with;
    return expf(x);
}

static float one_by_one_plus(float x, const float *with)
{
    (void)with;
    return 1.0f / (1.0f + x);
}

void krn_q_softmax16_init(krn_q_softmax16 *p, float in_scale, float beta)
{
    const krn_lut16_range exps = {-10, 0, -1, 1}, inverses = {0, 1, -1, 1};
    const double q = (double)beta * (double)in_scale * (double)(1 << 26), most = 2147483647.0;
    if (p->from == KRN_I16) {
        p->factor = krn_factor_of((double)(in_scale * beta) / (10.0 / 65535.0));
        krn_lut16_fill(p->exp, exponential, NULL, &exps);
        krn_lut16_fill(p->inverse, one_by_one_plus, NULL, &inverses);
        return;
    }
    p->factor = krn_factor_of(q < most ? q : most);
    /* the largest difference that still fits Q5.26 after the scaling */
    p->diff_min = p->factor.shift >= 0
                      ? -(int32_t)floor(31.0 * (1 << 26) / (double)(1ll << p->factor.shift))
                      : -255;
    for (int i = 0; i < 256; i++)
        p->table[i] = expf(-in_scale * beta * (float)i);
}

static int32_t clamp16(int64_t v)
{
    return v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : (int32_t)v;
}

/* exp of a difference <= 0, Q0.15 */
static int32_t exp16(const krn_q_softmax16 *p, int32_t diff)
{
    return krn_lut16_at(p->exp, clamp16((int64_t)krn_scale_int(diff, p->factor) + INT16_MAX));
}

static void row16(int16_t *y, const int16_t *x, size_t n, int32_t most, const krn_q_softmax16 *p)
{
    int64_t all = 0;
    for (size_t c = 0; c < n; c++)
        all += exp16(p, x[c] - most);
    const int32_t sum = all < 1 ? 1 : all > INT32_MAX ? INT32_MAX : (int32_t)all; /* Q16.15 */
    const int headroom = __builtin_clz((uint32_t)sum);
    /* 1 + x, x in 0 .. 1 as Q0.15 moved to the table's range */
    const int32_t top = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14);
    const int32_t inverse = krn_lut16_at(p->inverse, clamp16(top - (1 << 15) - (1 << 16)));
    for (size_t c = 0; c < n; c++) {
        const int32_t product = exp16(p, x[c] - most) * inverse;
        const int down = 30 - headroom;
        const int32_t v = ((down > 0 ? product >> down : product) + 1) >> 1;
        y[c] = (int16_t)clamp16(v);
    }
}

static int32_t exp8(const krn_q_softmax16 *p, int32_t diff)
{
    return krn_exp_q5_26(krn_scale_int(diff, p->factor));
}

static void row8_fixed(int16_t *y, const void *x, size_t n, int32_t most, const krn_q_softmax16 *p)
{
    int64_t sum = 0;
    int bits;
    for (size_t c = 0; c < n; c++) {
        const int32_t diff = krn_q_get(x, p->from, c) - most;
        if (diff >= p->diff_min) sum += krn_shift_right(exp8(p, diff), 12);
    }
    const int32_t inverse = krn_reciprocal_q12(sum > INT32_MAX ? INT32_MAX : (int32_t)sum, &bits);
    for (size_t c = 0; c < n; c++) {
        const int32_t diff = krn_q_get(x, p->from, c) - most;
        const int down = bits + 31 - 16;
        y[c] = INT16_MIN;
        if (diff >= p->diff_min)
            y[c] = (int16_t)clamp16(
                INT16_MIN + (int64_t)krn_shift_right(krn_mul_high(inverse, exp8(p, diff)), down));
    }
}

static void row8_fast(int16_t *y, const void *x, size_t n, int32_t most, const krn_q_softmax16 *p)
{
    float sum = 0;
    for (size_t c = 0; c < n; c++)
        sum += p->table[most - krn_q_get(x, p->from, c)];
    const float inverse = 1 / (sum * p->scale);
    for (size_t c = 0; c < n; c++) {
        const float v = p->table[most - krn_q_get(x, p->from, c)] * inverse;
        y[c] = (int16_t)clamp16((int64_t)roundf(fminf(v, 1e6f)) + p->zero);
    }
}

void krn_q_softmax16_ref(int16_t *y, const void *x, size_t rows, size_t n, const krn_q_softmax16 *p)
{
    const size_t size = p->from == KRN_I16 ? 2 : 1;
    for (size_t r = 0; r < rows; r++, y += n) {
        const char *row = (const char *)x + r * n * size;
        int32_t most = INT16_MIN;
        for (size_t c = 0; c < n; c++) {
            const int32_t v = krn_q_get(row, p->from, c);
            most = v > most ? v : most;
        }
        if (p->from == KRN_I16)
            row16(y, (const int16_t *)(const void *)row, n, most, p);
        else
            (p->fast ? row8_fast : row8_fixed)(y, row, n, most, p);
    }
}

void krn_q_l2_norm_ref(void *y, const void *x, krn_type type, size_t rows, size_t n, int32_t zero_x,
                       int32_t zero)
{
    int32_t low, high;
    krn_q_range(&low, &high, type);
    for (size_t r = 0; r < rows; r++) {
        int64_t squares = 0;
        for (size_t c = r * n; c < (r + 1) * n; c++) {
            const int32_t v = krn_q_get(x, type, c) - zero_x;
            squares += v * v;
        }
        krn_factor f = krn_inverse_root(squares > INT32_MAX ? INT32_MAX : (int32_t)squares);
        f.shift += 7;
        for (size_t c = r * n; c < (r + 1) * n; c++) {
            const int32_t v = krn_scale_int(krn_q_get(x, type, c) - zero_x, f) + zero;
            krn_q_put(y, type, c, v < low ? low : v > high ? high : v);
        }
    }
}
