/* math_unary_ref.c - the meaning of the elementwise operators of one operand, in plain C.
 * Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_math.h"

#include <math.h>

/* One function per operator: x is the element, p its two parameters. */
#define F32(name, expr)                                                                            \
    static void f32_##name(void *to, const void *from, size_t n, const float *p)                   \
    {                                                                                              \
        const float *v = from;                                                                     \
        float *y = to;                                                                             \
        (void)p;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const float x = v[i];                                                                  \
            y[i] = (expr);                                                                         \
        }                                                                                          \
    }

static inline float within(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

/* e^-|x| cannot overflow. */
static inline float logistic(float x)
{
    const float e = expf(-fabsf(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static inline float softplus(float x)
{
    return fmaxf(x, 0) + log1pf(expf(-fabsf(x)));
}

static inline float shrunk(float x, float bias, float threshold)
{
    return x < -threshold ? x + bias : x > threshold ? x - bias : 0;
}

#define SQRT_HALF   0.70710678f
#define SQRT_2_PI   0.79788456f /* sqrt(2 / pi) */
#define GELU_CUBIC  0.044715f
#define GELU_TAN(x) tanhf(SQRT_2_PI *((x) + GELU_CUBIC * (x) * (x) * (x)))

static void f32_is_nan(void *to, const void *from, size_t n, const float *p)
{
    const float *x = from;
    uint8_t *y = to;
    (void)p;
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] != x[i];
}

static void f32_is_inf(void *to, const void *from, size_t n, const float *p)
{
    const float *x = from;
    uint8_t *y = to;
    for (size_t i = 0; i < n; i++)
        y[i] = isinf(x[i]) && (x[i] > 0 ? p[0] : p[1]) != 0;
}

static void bool_logical_not(void *to, const void *from, size_t n, const float *p)
{
    const uint8_t *x = from;
    uint8_t *y = to;
    (void)p;
    for (size_t i = 0; i < n; i++)
        y[i] = !x[i];
}

F32(abs, fabsf(x))
F32(neg, -x)
F32(sign, x > 0 ? 1.0f : x < 0 ? -1.0f : x)
F32(ceil, ceilf(x))
F32(floor, floorf(x))
F32(round, rintf(x))
F32(sqrt, sqrtf(x))
F32(rsqrt, 1 / sqrtf(x))
F32(square, x *x)
F32(reciprocal, 1 / x)
F32(exp, expf(x))
F32(log, logf(x))
F32(sin, sinf(x))
F32(cos, cosf(x))
F32(tan, tanf(x))
F32(asin, asinf(x))
F32(acos, acosf(x))
F32(atan, atanf(x))
F32(sinh, sinhf(x))
F32(cosh, coshf(x))
F32(asinh, asinhf(x))
F32(acosh, acoshf(x))
F32(atanh, atanhf(x))
F32(erf, erff(x))
F32(tanh, tanhf(x))
F32(logistic, logistic(x))
F32(hard_swish, x *within(x + 3, 0, 6) / 6)
F32(selu, p[1] * (x > 0 ? x : p[0] * expm1f(x)))
F32(softplus, softplus(x))
F32(softsign, x / (1 + fabsf(x)))
F32(silu, x *logistic(p[0] * x))
F32(mish, x *tanhf(softplus(x)))
F32(leaky_relu, x < 0 ? p[0] * x : x)
F32(elu, x < 0 ? p[0] * expm1f(x) : x)
F32(celu, x < 0 ? p[0] * expm1f(x / p[0]) : x)
F32(thresholded_relu, x > p[0] ? x : 0)
F32(hard_sigmoid, within(p[0] * x + p[1], 0, 1))
F32(shrink, shrunk(x, p[0], p[1]))
F32(gelu, 0.5f * x * (1 + erff(x * SQRT_HALF)))
F32(gelu_tanh, 0.5f * x * (1 + GELU_TAN(x)))

/* Whole numbers are widened to 64 bits, and what comes out is cut to their own type. */
#define INT(T, name, expr)                                                                         \
    static void T##_##name(void *to, const void *from, size_t n, const float *p)                   \
    {                                                                                              \
        const T *v = from;                                                                         \
        T *y = to;                                                                                 \
        (void)p;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const uint64_t x = (uint64_t)v[i];                                                     \
            y[i] = (T)(expr);                                                                      \
        }                                                                                          \
    }

#define SIGNED(T)                                                                                  \
    INT(T, abs, v[i] < 0 ? 0 - x : x)                                                              \
    INT(T, neg, 0 - x)                                                                             \
    INT(T, sign, v[i] < 0 ? -1 : x != 0)                                                           \
    INT(T, square, x *x)                                                                           \
    INT(T, bitwise_not, ~x)

#define UNSIGNED(T)                                                                                \
    INT(T, abs, x)                                                                                 \
    INT(T, sign, x != 0)                                                                           \
    INT(T, square, x *x)                                                                           \
    INT(T, bitwise_not, ~x)

SIGNED(int8_t)
SIGNED(int16_t)
SIGNED(int32_t)
SIGNED(int64_t)
UNSIGNED(uint8_t)
UNSIGNED(uint16_t)
UNSIGNED(uint32_t)
UNSIGNED(uint64_t)

static const krn_unary_fn real[KRN_UNARY_COUNT] = {
    [KRN_ABS] = f32_abs,
    [KRN_NEG] = f32_neg,
    [KRN_SIGN] = f32_sign,
    [KRN_CEIL] = f32_ceil,
    [KRN_FLOOR] = f32_floor,
    [KRN_ROUND] = f32_round,
    [KRN_SQRT] = f32_sqrt,
    [KRN_RSQRT] = f32_rsqrt,
    [KRN_SQUARE] = f32_square,
    [KRN_RECIPROCAL] = f32_reciprocal,
    [KRN_EXP] = f32_exp,
    [KRN_LOG] = f32_log,
    [KRN_SIN] = f32_sin,
    [KRN_COS] = f32_cos,
    [KRN_TAN] = f32_tan,
    [KRN_ASIN] = f32_asin,
    [KRN_ACOS] = f32_acos,
    [KRN_ATAN] = f32_atan,
    [KRN_SINH] = f32_sinh,
    [KRN_COSH] = f32_cosh,
    [KRN_ASINH] = f32_asinh,
    [KRN_ACOSH] = f32_acosh,
    [KRN_ATANH] = f32_atanh,
    [KRN_ERF] = f32_erf,
    [KRN_TANH] = f32_tanh,
    [KRN_LOGISTIC] = f32_logistic,
    [KRN_HARD_SWISH] = f32_hard_swish,
    [KRN_SELU] = f32_selu,
    [KRN_SOFTPLUS] = f32_softplus,
    [KRN_SOFTSIGN] = f32_softsign,
    [KRN_SILU] = f32_silu,
    [KRN_MISH] = f32_mish,
    [KRN_LEAKY_RELU] = f32_leaky_relu,
    [KRN_ELU] = f32_elu,
    [KRN_CELU] = f32_celu,
    [KRN_THRESHOLDED_RELU] = f32_thresholded_relu,
    [KRN_HARD_SIGMOID] = f32_hard_sigmoid,
    [KRN_SHRINK] = f32_shrink,
    [KRN_GELU] = f32_gelu,
    [KRN_GELU_TANH] = f32_gelu_tanh,
    [KRN_IS_NAN] = f32_is_nan,
    [KRN_IS_INF] = f32_is_inf,
};

static const krn_unary_fn logic[KRN_UNARY_COUNT] = {[KRN_LOGICAL_NOT] = bool_logical_not};

#define SIGNED_TABLE(T)                                                                            \
    {                                                                                              \
        [KRN_ABS] = T##_abs, [KRN_NEG] = T##_neg, [KRN_SIGN] = T##_sign,                           \
        [KRN_SQUARE] = T##_square, [KRN_BITWISE_NOT] = T##_bitwise_not                             \
    }
#define UNSIGNED_TABLE(T)                                                                          \
    {                                                                                              \
        [KRN_ABS] = T##_abs, [KRN_SIGN] = T##_sign, [KRN_SQUARE] = T##_square,                     \
        [KRN_BITWISE_NOT] = T##_bitwise_not                                                        \
    }

static const krn_unary_fn whole[KRN_TYPES][KRN_UNARY_COUNT] = {
    [KRN_I8] = SIGNED_TABLE(int8_t),      [KRN_I16] = SIGNED_TABLE(int16_t),
    [KRN_I32] = SIGNED_TABLE(int32_t),    [KRN_I64] = SIGNED_TABLE(int64_t),
    [KRN_U8] = UNSIGNED_TABLE(uint8_t),   [KRN_U16] = UNSIGNED_TABLE(uint16_t),
    [KRN_U32] = UNSIGNED_TABLE(uint32_t), [KRN_U64] = UNSIGNED_TABLE(uint64_t),
};

krn_unary_fn krn_unary_ref(krn_unary op, krn_type t)
{
    if (t == KRN_F32) return real[op];
    return t == KRN_BOOL ? logic[op] : whole[t][op];
}
