/* quant_binary_ref.c - operators of two quantized operands, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant.h"

#include <math.h>

typedef int32_t (*way_fn)(const krn_q_binary *p, int32_t a, int32_t b);

/* An operand in the common scale. */
static int32_t side(const krn_q_binary *p, int32_t v, krn_factor f)
{
    return krn_scale_int((int32_t)((uint32_t)v << p->left), f);
}

static int32_t to_result(const krn_q_binary *p, int32_t v)
{
    return krn_scale_int(v, p->factor);
}

/* a + b by whole factors: XNNPACK's way, halves up. */
static int32_t sum_real(const krn_q_binary *p, int32_t a, int32_t b)
{
    const int64_t sum = (int64_t)a * p->mul_a + (int64_t)b * p->mul_b;
    return (int32_t)((sum + ((int64_t)1 << p->left >> 1)) >> p->left);
}

static int32_t add(const krn_q_binary *p, int32_t a, int32_t b)
{
    if (p->real) return sum_real(p, a, b);
    return to_result(p, side(p, a, p->factor_a) + side(p, b, p->factor_b));
}

static int32_t subtract(const krn_q_binary *p, int32_t a, int32_t b)
{
    if (p->real) return sum_real(p, a, b);
    return to_result(p, side(p, a, p->factor_a) - side(p, b, p->factor_b));
}

static int32_t multiply(const krn_q_binary *p, int32_t a, int32_t b)
{
    if (!p->real) return to_result(p, a * b);
    return (int32_t)lrintf(fminf(fmaxf((float)(a * b) * p->real_a, -1e6f), 1e6f));
}

/* a / b by the reciprocal of b; by 0 it is past the limits. */
static int32_t divide(const krn_q_binary *p, int32_t a, int32_t b)
{
    if (b == 0) return a < 0 ? -4 * UINT8_MAX : 4 * UINT8_MAX;
    int bits;
    krn_factor f = p->factor;
    const int32_t top = b < 0 ? -a : a, headroom = __builtin_clrsb(top);
    const int32_t inverse = krn_reciprocal_q12(b < 0 ? -b : b, &bits);
    const int32_t quotient = krn_mul_high((int32_t)((uint32_t)top << headroom), inverse);
    f.shift -= bits + 31 - 12 + headroom; /* the reciprocal is that of a number of 31 bits */
    return krn_scale_int(quotient, f);
}

static int32_t squared_difference(const krn_q_binary *p, int32_t a, int32_t b)
{
    const int32_t d = side(p, a, p->factor_a) - side(p, b, p->factor_b);
    return to_result(p, (int32_t)((uint32_t)d * (uint32_t)d));
}

static int32_t minimum(const krn_q_binary *p, int32_t a, int32_t b)
{
    (void)p;
    return a < b ? a : b;
}

static int32_t maximum(const krn_q_binary *p, int32_t a, int32_t b)
{
    (void)p;
    return a > b ? a : b;
}

static int32_t prelu(const krn_q_binary *p, int32_t a, int32_t b)
{
    return a < 0 ? krn_scale_int(a * b, p->factor_b) : krn_scale_int(a, p->factor_a);
}

static int32_t order(const krn_q_binary *p, int32_t a, int32_t b)
{
    const int32_t va = side(p, a, p->factor_a), vb = side(p, b, p->factor_b);
    return va < vb ? -1 : va > vb;
}

static int32_t equal(const krn_q_binary *p, int32_t a, int32_t b)
{
    return order(p, a, b) == 0;
}

static int32_t not_equal(const krn_q_binary *p, int32_t a, int32_t b)
{
    return order(p, a, b) != 0;
}

static int32_t less(const krn_q_binary *p, int32_t a, int32_t b)
{
    return order(p, a, b) < 0;
}

static int32_t less_equal(const krn_q_binary *p, int32_t a, int32_t b)
{
    return order(p, a, b) <= 0;
}

static int32_t greater(const krn_q_binary *p, int32_t a, int32_t b)
{
    return order(p, a, b) > 0;
}

static int32_t greater_equal(const krn_q_binary *p, int32_t a, int32_t b)
{
    return order(p, a, b) >= 0;
}

/* As krn_q_get and krn_q_put, where compilers see them. */
static inline int32_t value_at(const void *x, krn_type type, size_t i)
{
    if (type == KRN_I8) return ((const int8_t *)x)[i];
    return type == KRN_U8 ? ((const uint8_t *)x)[i] : ((const int16_t *)x)[i];
}

static inline void put_at(void *y, krn_type type, size_t i, int32_t v)
{
    if (type == KRN_I16)
        ((int16_t *)y)[i] = (int16_t)v;
    else
        ((uint8_t *)y)[i] = (uint8_t)v;
}

typedef struct two_sides {
    const void *a, *b;
    size_t step_a, step_b;
} two_sides;

/* Expanded with each way. */
static inline __attribute__((always_inline)) void line(void *y, const two_sides *s, size_t n,
                                                       const krn_q_binary *p, way_fn way)
{
    const krn_type type = p->type, to = p->to;
    for (size_t i = 0; i < n; i++) {
        const int32_t va = value_at(s->a, type, i * s->step_a) - p->zero_a;
        const int32_t vb = value_at(s->b, type, i * s->step_b) - p->zero_b;
        const int64_t v = (int64_t)way(p, va, vb) + p->zero;
        put_at(y, to, i, (int32_t)(v < p->low ? p->low : v > p->high ? p->high : v));
    }
}

#define WAYS(X)                                                                                    \
    X(ADD, add)                                                                                    \
    X(SUB, subtract)                                                                               \
    X(MUL, multiply)                                                                               \
    X(DIV, divide)                                                                                 \
    X(SQUARED_DIFFERENCE, squared_difference)                                                      \
    X(MINIMUM, minimum)                                                                            \
    X(MAXIMUM, maximum)                                                                            \
    X(PRELU, prelu)                                                                                \
    X(EQUAL, equal)                                                                                \
    X(NOT_EQUAL, not_equal)                                                                        \
    X(LESS, less)                                                                                  \
    X(LESS_EQUAL, less_equal)                                                                      \
    X(GREATER, greater)                                                                            \
    X(GREATER_EQUAL, greater_equal)

#define X(name, way)                                                                               \
    static void line_##way(void *y, const two_sides *s, size_t n, const krn_q_binary *p)           \
    {                                                                                              \
        line(y, s, n, p, way);                                                                     \
    }
WAYS(X)
#undef X

void krn_q_binary_ref(void *y, const void *a, size_t step_a, const void *b, size_t step_b, size_t n,
                      const krn_q_binary *p)
{
    static void (*const lines[])(void *y, const two_sides *s, size_t n, const krn_q_binary *p) = {
#define X(name, way) [KRN_Q2_##name] = line_##way,
        WAYS(X)
#undef X
    };
    const two_sides s = {a, b, step_a, step_b};
    lines[p->way](y, &s, n, p);
}

KRN_DECL_Q_PAIRS(krn_q_pairs_ref)
{
    const size_t in = p->type == KRN_I16 ? 2 : 1, out = p->to == KRN_I16 ? 2 : 1;
    for (size_t r = 0; r < s->rows; r++)
        krn_q_binary_ref((char *)y + r * s->n * out, (const char *)a + r * s->row_a * in, s->step_a,
                         (const char *)b + r * s->row_b * in, s->step_b, s->n, p);
}
