/* f32_lanes.h - exponentials and what is made of them, without branches, so that a compiler makes
 * vectors of the loops. Layer: kernels (inside). Included once for each instruction set; sums and
 * products are never contracted, so every set gives the same bits.
 *
 * Polynomials: least greatest relative error, fitted to the functions in double precision. */
#ifndef KRN_F32_LANES_H
#define KRN_F32_LANES_H

#include "engine/kernels/krn_math.h"

#include <math.h>
#include <string.h>

static inline uint32_t lane_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof(u));
    return u;
}

static inline float lane_float(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof(f));
    return f;
}

/* 2^n for n in -126 .. 127 */
static inline float lane_power(int32_t n)
{
    return lane_float((uint32_t)(n + 127) << 23);
}

#define LANE_LOG2E 1.44269504f
#define LANE_LN2   0.693359375f      /* 9 bits: its products with whole numbers are exact */
#define LANE_LN2_2 (-2.12194440e-4f) /* ln 2 - LANE_LN2 */
#define LANE_WHOLE 12582912.0f       /* 1.5 * 2^23: adding it rounds to a whole number */

/* x = n * ln 2 + r, |r| <= ln 2 / 2; e^r - 1 is the value. */
static inline float lane_reduce(int32_t *n, float x)
{
    const float t = x * LANE_LOG2E + LANE_WHOLE, whole = t - LANE_WHOLE;
    const float r = (x - whole * LANE_LN2) - whole * LANE_LN2_2;
    float p = 1.98458773e-4f;
    p = p * r + 1.39406277e-3f;
    p = p * r + 8.33338965e-3f;
    p = p * r + 4.16663624e-2f;
    p = p * r + 0.166666657f;
    p = p * r + 0.5f;
    *n = (int32_t)(lane_bits(t) - lane_bits(LANE_WHOLE));
    return r + r * r * p;
}

/* Beyond these e^x is 0 and infinity; NaN stays. */
#define LANE_LEAST (-104.0f)
#define LANE_MOST  89.0f

static inline float lane_exp(float x)
{
    int32_t n;
    const float low = x < LANE_LEAST ? LANE_LEAST : x;
    const float p = 1 + lane_reduce(&n, low > LANE_MOST ? LANE_MOST : low);
    const int32_t half = n >> 1; /* in two steps, so that both factors are normal numbers */
    return p * lane_power(half) * lane_power(n - half);
}

/* e^x - 1 for x <= 0: near 0 as exact as elsewhere. */
static inline float lane_expm1(float x)
{
    int32_t n;
    const float p = lane_reduce(&n, x < -30 ? -30 : x), scale = lane_power(n);
    return p * scale + (scale - 1);
}

static inline float lane_tanh(float x)
{
    const float e = lane_expm1(-2 * fabsf(x)); /* (e^-2|x| - 1) / (e^-2|x| + 1) = -tanh |x| */
    return copysignf(e / (2 + e), x);
}

static inline float lane_logistic(float x)
{
    const float e = lane_exp(-fabsf(x)), d = 1 / (1 + e);
    return x < 0 ? e * d : d;
}

/* |x| < 1: x times a polynomial of x^2; else 1 - e^-q, q a polynomial: erfc falls as e^-x^2 does.
 */
static inline float lane_erf(float x)
{
    const float z = x * x, t = fabsf(x) > 4 ? 4 : fabsf(x);
    float p = 7.85385782e-5f, q = -1.86380086e-4f;
    p = p * z - 8.01019254e-4f;
    p = p * z + 5.18832775e-3f;
    p = p * z - 2.68538110e-2f;
    p = p * z + 0.112835854f;
    p = p * z - 0.376126260f;
    p = p * z + 1.12837911f;
    q = q * t + 2.94766668e-3f;
    q = q * t - 2.18380969e-2f;
    q = q * t + 0.103106819f;
    q = q * t + 0.638144732f;
    q = q * t + 1.12708926f;
    q = q * t + 3.41512583e-4f;
    const float tail = -lane_expm1(-q);
    return t < 1 ? x * p : copysignf(tail, x);
}

#define LANE_SQRT_HALF 0.70710678f
#define LANE_SQRT_2_PI 0.79788456f /* sqrt(2 / pi) */

static inline float lane_gelu(float x)
{
    return 0.5f * x * (1 + lane_erf(x * LANE_SQRT_HALF));
}

/* (1 + tanh u) / 2 is the logistic function of 2 u. */
static inline float lane_gelu_tanh(float x)
{
    return x * lane_logistic(2 * LANE_SQRT_2_PI * (x + 0.044715f * x * x * x));
}

static inline float lane_elu(float x, float alpha)
{
    return x < 0 ? alpha * lane_expm1(x) : x;
}

/* tanh(ln(1 + w)) = (w^2 + 2 w) / (w^2 + 2 w + 2), w = e^x; above 20 it is 1. */
static inline float lane_mish(float x)
{
    const float w = lane_exp(x > 20 ? 20 : x), v = w * (w + 2);
    return x > 20 ? x : x * (v / (v + 2));
}

#define LANES(name, expr)                                                                          \
    static inline void lanes_##name(void *to, const void *from, size_t n, const float *p)          \
    {                                                                                              \
        const float *v = from;                                                                     \
        float *y = to;                                                                             \
        const float a = p[0], b = p[1];                                                            \
        (void)a, (void)b;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            const float x = v[i];                                                                  \
            y[i] = (expr);                                                                         \
        }                                                                                          \
    }

LANES(exp, lane_exp(x))
LANES(tanh, lane_tanh(x))
LANES(logistic, lane_logistic(x))
LANES(erf, lane_erf(x))
LANES(gelu, lane_gelu(x))
LANES(gelu_tanh, lane_gelu_tanh(x))
LANES(silu, x *lane_logistic(a *x))
LANES(mish, lane_mish(x))
LANES(elu, lane_elu(x, a))
LANES(selu, b *lane_elu(x, a))
LANES(celu, x < 0 ? a * lane_expm1(x / a) : x)
LANES(leaky_relu, x < 0 ? a * x : x)
LANES(sqrt, sqrtf(x))
LANES(rsqrt, 1 / sqrtf(x))

/* The table of one instruction set: NULL where the plain version is as good. */
#define KRN_F32_LANES(table)                                                                       \
    const krn_unary_fn table[KRN_UNARY_COUNT] = {                                                  \
        [KRN_EXP] = lanes_exp,     [KRN_TANH] = lanes_tanh,                                        \
        [KRN_ERF] = lanes_erf,     [KRN_LOGISTIC] = lanes_logistic,                                \
        [KRN_GELU] = lanes_gelu,   [KRN_GELU_TANH] = lanes_gelu_tanh,                              \
        [KRN_SILU] = lanes_silu,   [KRN_MISH] = lanes_mish,                                        \
        [KRN_ELU] = lanes_elu,     [KRN_SELU] = lanes_selu,                                        \
        [KRN_CELU] = lanes_celu,   [KRN_SQRT] = lanes_sqrt,                                        \
        [KRN_RSQRT] = lanes_rsqrt, [KRN_LEAKY_RELU] = lanes_leaky_relu,                            \
    }

extern const krn_unary_fn krn_f32_unary_lanes[KRN_UNARY_COUNT];
extern const krn_unary_fn krn_f32_unary_avx2[KRN_UNARY_COUNT]; /* the same, eight at once */

#endif /* KRN_F32_LANES_H */
