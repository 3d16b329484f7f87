/* quant_unary_ref.c - operators of one quantized operand, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant.h"

#include <math.h>

#define HARD_SWISH_BITS 7  /* head room that the reference gives x */
#define RSQRT_BITS      20 /* head room of 1 / sqrt(x) */

static int32_t clamp(int64_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : (int32_t)v;
}

bool krn_q_range(int32_t *low, int32_t *high, krn_type type)
{
    static const int32_t ranges[KRN_TYPES][2] = {[KRN_I8] = {INT8_MIN, INT8_MAX},
                                                 [KRN_U8] = {0, UINT8_MAX},
                                                 [KRN_I16] = {INT16_MIN, INT16_MAX},
                                                 [KRN_I32] = {INT32_MIN, INT32_MAX}};
    *low = ranges[type][0];
    *high = ranges[type][1];
    return *high > 0;
}

int32_t krn_q_get(const void *x, krn_type type, size_t i)
{
    if (type == KRN_I8) return ((const int8_t *)x)[i];
    if (type == KRN_U8) return ((const uint8_t *)x)[i];
    return type == KRN_I16 ? ((const int16_t *)x)[i] : ((const int32_t *)x)[i];
}

void krn_q_put(void *y, krn_type type, size_t i, int32_t v)
{
    if (type == KRN_I16)
        ((int16_t *)y)[i] = (int16_t)v;
    else if (type == KRN_I32)
        ((int32_t *)y)[i] = v;
    else
        ((uint8_t *)y)[i] = (uint8_t)v;
}

/* The upper half of a factor, for products of 16 bits. */
static int16_t half_factor(krn_factor f)
{
    return f.m >= INT32_MAX - (1 << 15) ? INT16_MAX : (int16_t)((f.m + (1 << 15)) >> 16);
}

/* relu6(x + 3) / 6 in Q0.15 from 3 * x: all of it in 16 bits. */
static int32_t hard_swish(const krn_q_unary *p, int32_t x)
{
    const int16_t wide = (int16_t)(x * (1 << HARD_SWISH_BITS));
    const int16_t scaled = krn_mul_high16(wide, half_factor(p->factor));
    int16_t gate = wide;
    if (p->factor2.shift > 0)
        gate = krn_shift_left16(gate, p->factor2.shift > 15 ? 15 : p->factor2.shift - 1);
    gate = krn_mul_high16(gate, half_factor(p->factor2));
    if (p->factor2.shift > 0) gate = krn_shift_left16(gate, 1);
    if (p->factor2.shift < 0)
        gate = (int16_t)krn_shift_right(gate, p->factor2.shift < -31 ? 31 : -p->factor2.shift);
    gate = (int16_t)((gate + (1 << 15)) >> 1);   /* -1 .. 1 to 0 .. 1 */
    const int32_t y = gate * scaled / (1 << 15); /* the reference cuts here, it does not round */
    return p->factor.shift > 0 ? y
                               : krn_shift_right(y, p->factor.shift < -31 ? 31 : -p->factor.shift);
}

static int32_t inverse_root(const krn_q_unary *p, int32_t x)
{
    if (x <= 0) return INT16_MAX; /* the largest result; below 0 there is none */
    krn_factor root = krn_inverse_root(x), f = p->factor;
    root.shift += RSQRT_BITS;
    f.shift -= RSQRT_BITS;
    return krn_scale_int(krn_scale_int(1, root), f);
}

/* Rounded in float, then moved: as the reference fills its tables. */
static int32_t by_real(const krn_q_unary *p, int32_t x)
{
    const float v = p->real(p->scale_x * (float)x, p->with) * (1 / p->scale);
    const float most = 1e9f;
    const float cut = v > -most ? (v < most ? v : most) : v < 0 ? -most : 0;
    if (p->way == KRN_Q_REAL_EVEN) return (int32_t)lrintf(cut);
    return (int32_t)roundf(cut);
}

static int32_t square_root(const krn_q_unary *p, int32_t x)
{
    return x <= 0 ? 0 : (int32_t)fminf(sqrtf(p->scale_x * (float)x) / p->scale, 1e9f);
}

static int32_t table16(const krn_q_unary *p, int32_t x)
{
    return krn_lut16_at(p->table, x);
}

static int32_t scale(const krn_q_unary *p, int32_t x)
{
    return krn_scale_int(x, p->factor);
}

static int32_t leaky(const krn_q_unary *p, int32_t x)
{
    return krn_scale_int(x, x < 0 ? p->factor2 : p->factor);
}

static int32_t coarse(const krn_q_unary *p, int32_t x)
{
    return (x * (x < 0 ? p->factor2.m : p->factor.m) + 128) >> 8;
}

static int32_t absolute(const krn_q_unary *p, int32_t x)
{
    return krn_scale_int(x < 0 ? -x : x, p->factor);
}

/* x * m / 2^shift, halves up. */
static int32_t third(const krn_q_unary *p, int32_t x)
{
    const int32_t half = p->factor.shift > 0 ? 1 << (p->factor.shift - 1) : 0;
    return (x * p->factor.m + half) >> p->factor.shift;
}

static int32_t logistic16(const krn_q_unary *p, int32_t x)
{
    return krn_logistic16(p->points, third(p, x));
}

static int32_t tanh16(const krn_q_unary *p, int32_t x)
{
    return krn_tanh16(p->points, third(p, x));
}

static int32_t logistic_fixed(const krn_q_unary *p, int32_t x)
{
    (void)p;
    return krn_logistic_fixed16((int16_t)x);
}

static int32_t tanh_fixed(const krn_q_unary *p, int32_t x)
{
    return krn_tanh_fixed16(krn_shift_left16(x, p->factor.shift), 3);
}

int32_t krn_q_value(const krn_q_unary *p, int32_t q)
{
    static int32_t (*const ways[])(const krn_q_unary *p, int32_t x) = {
        [KRN_Q_SCALE] = scale,
        [KRN_Q_LEAKY] = leaky,
        [KRN_Q_COARSE] = coarse,
        [KRN_Q_ABS] = absolute,
        [KRN_Q_RSQRT] = inverse_root,
        [KRN_Q_SQRT] = square_root,
        [KRN_Q_HARD_SWISH] = hard_swish,
        [KRN_Q_REAL] = by_real,
        [KRN_Q_REAL_EVEN] = by_real,
        [KRN_Q_TABLE16] = table16,
        [KRN_Q_LOGISTIC16] = logistic16,
        [KRN_Q_TANH16] = tanh16,
        [KRN_Q_LOGISTIC_FIXED] = logistic_fixed,
        [KRN_Q_TANH_FIXED] = tanh_fixed,
    };
    return clamp((int64_t)ways[p->way](p, q - p->zero_x) + p->zero, p->low, p->high);
}

void krn_q_tabulate(int32_t table[256], const krn_q_unary *p)
{
    for (int b = 0; b < 256; b++)
        table[b] = krn_q_value(p, p->from == KRN_U8 ? b : (int8_t)b);
}

void krn_q_lookup_ref(void *y, krn_type to, const uint8_t *x, const int32_t table[256], size_t n)
{
    for (size_t i = 0; i < n; i++)
        krn_q_put(y, to, i, table[x[i]]);
}

KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = table[x[i]];
}

void krn_q_unary_ref(void *y, const void *x, size_t n, const krn_q_unary *p)
{
    for (size_t i = 0; i < n; i++)
        krn_q_put(y, p->to, i, krn_q_value(p, krn_q_get(x, p->from, i)));
}

static float nearest(float v)
{
    return roundf(v);
}

void krn_lut16_fill(int16_t table[KRN_LUT16], float (*real)(float x, const float *with),
                    const float *with, const krn_lut16_range *range)
{
    const int steps = KRN_LUT16 - 1;
    const float low = range->low, high = range->high;
    const float step = (high - low) / (float)steps, half = step / 2;
    const float inverse = 65536.0f / (range->most - range->least);
    for (int i = 0; i < steps; i++) {
        const float at = low + (float)i * step;
        const float here = nearest(real(at, with) * inverse);
        const float next = real(low + (float)(i + 1) * step, with) * inverse;
        const float middle = nearest(real(at + half, with) * inverse);
        const float error = nearest((next + here) / 2) - middle;
        const float v = here - nearest(error / 2);
        table[i] = (int16_t)fminf(fmaxf(v, INT16_MIN), INT16_MAX);
    }
    table[steps] = (int16_t)fminf(fmaxf(nearest(real(high, with) * inverse), INT16_MIN), INT16_MAX);
}
