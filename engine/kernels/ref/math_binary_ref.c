/* math_binary_ref.c - the meaning of the elementwise operators of two operands, in plain C.
 * Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_math.h"

#include "engine/base/bytes.h"

#include <math.h>

/* Whole numbers are computed with in 64 bits, s_… for signed and narrow ones, u_… for U64. */

static inline uint64_t u_div(uint64_t a, uint64_t b)
{
    return b ? a / b : 0;
}

static inline uint64_t u_mod(uint64_t a, uint64_t b)
{
    return b ? a % b : 0;
}

static inline int64_t s_div(int64_t a, int64_t b)
{
    if (b == -1) return (int64_t)(0 - (uint64_t)a); /* the least number has no opposite */
    return b ? a / b : 0;
}

static inline int64_t s_mod(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

static inline int64_t s_floor_mod(int64_t a, int64_t b)
{
    const int64_t m = s_mod(a, b);
    return m && (m < 0) != (b < 0) ? m + b : m;
}

static inline int64_t s_floor_div(int64_t a, int64_t b)
{
    return s_div(a, b) - (s_mod(a, b) && (a < 0) != (b < 0));
}

static inline uint64_t power(uint64_t a, uint64_t b)
{
    uint64_t y = 1;
    for (; b; b >>= 1, a *= a)
        if (b & 1) y *= a;
    return y;
}

static inline uint64_t u_pow(uint64_t a, uint64_t b)
{
    return power(a, b);
}

/* Below 0 only 1 and -1 have powers that are whole. */
static inline int64_t s_pow(int64_t a, int64_t b)
{
    if (b >= 0) return (int64_t)power((uint64_t)a, (uint64_t)b);
    return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
}

static inline uint64_t u_shift_left(uint64_t a, uint64_t b)
{
    return b < 64 ? a << b : 0;
}

static inline uint64_t u_shift_right(uint64_t a, uint64_t b)
{
    return b < 64 ? a >> b : 0;
}

static inline int64_t s_shift_left(int64_t a, int64_t b)
{
    return b < 0 ? a : (int64_t)u_shift_left((uint64_t)a, (uint64_t)b);
}

static inline int64_t s_shift_right(int64_t a, int64_t b)
{
    return b < 0 ? a : a >> (b > 63 ? 63 : b); /* gcc and clang keep the sign */
}

/* T: elements; W: what they are computed in; R: elements of the result */
#define LINE(name, T, W, R, expr)                                                                  \
    static void name(void *to, const void *from_a, size_t step_a, const void *from_b,              \
                     size_t step_b, size_t n)                                                      \
    {                                                                                              \
        const T *pa = from_a, *pb = from_b;                                                        \
        R *y = to;                                                                                 \
        for (size_t i = 0; i < n; i++) {                                                           \
            const W a = (W)pa[i * step_a], b = (W)pb[i * step_b];                                  \
            y[i] = (R)(expr);                                                                      \
        }                                                                                          \
    }

#define COMPARES(T, W)                                                                             \
    LINE(T##_equal, T, W, uint8_t, a == b)                                                         \
    LINE(T##_not_equal, T, W, uint8_t, a != b)                                                     \
    LINE(T##_less, T, W, uint8_t, a < b)                                                           \
    LINE(T##_less_equal, T, W, uint8_t, a <= b)                                                    \
    LINE(T##_greater, T, W, uint8_t, a > b)                                                        \
    LINE(T##_greater_equal, T, W, uint8_t, a >= b)

#define COMMON(T, W, s)                                                                            \
    LINE(T##_add, T, uint64_t, T, a + b)                                                           \
    LINE(T##_sub, T, uint64_t, T, a - b)                                                           \
    LINE(T##_mul, T, uint64_t, T, a *b)                                                            \
    LINE(T##_squared_difference, T, uint64_t, T, (a - b) * (a - b))                                \
    LINE(T##_bitwise_and, T, uint64_t, T, a &b)                                                    \
    LINE(T##_bitwise_or, T, uint64_t, T, a | b)                                                    \
    LINE(T##_bitwise_xor, T, uint64_t, T, a ^ b)                                                   \
    LINE(T##_minimum, T, W, T, a < b ? a : b)                                                      \
    LINE(T##_maximum, T, W, T, a > b ? a : b)                                                      \
    LINE(T##_div, T, W, T, s##_div(a, b))                                                          \
    LINE(T##_mod, T, W, T, s##_mod(a, b))                                                          \
    LINE(T##_pow, T, W, T, s##_pow(a, b))                                                          \
    LINE(T##_shift_left, T, W, T, s##_shift_left(a, b))                                            \
    LINE(T##_shift_right, T, W, T, s##_shift_right(a, b))                                          \
    COMPARES(T, W)

#define SIGNED(T)                                                                                  \
    COMMON(T, int64_t, s)                                                                          \
    LINE(T##_floor_div, T, int64_t, T, s_floor_div(a, b))                                          \
    LINE(T##_floor_mod, T, int64_t, T, s_floor_mod(a, b))

SIGNED(int8_t)
SIGNED(int16_t)
SIGNED(int32_t)
SIGNED(int64_t)
COMMON(uint8_t, uint64_t, u)
COMMON(uint16_t, uint64_t, u)
COMMON(uint32_t, uint64_t, u)
COMMON(uint64_t, uint64_t, u)

/* Three loops, so that compilers make vectors of those that repeat one number. */
#define REAL(name, R, expr)                                                                        \
    static inline R one_##name(float a, float b)                                                   \
    {                                                                                              \
        return (R)(expr);                                                                          \
    }                                                                                              \
    static void f32_##name(void *to, const void *from_a, size_t step_a, const void *from_b,        \
                           size_t step_b, size_t n)                                                \
    {                                                                                              \
        const float *a = from_a, *b = from_b;                                                      \
        R *y = to;                                                                                 \
        if (step_a && step_b)                                                                      \
            for (size_t i = 0; i < n; i++)                                                         \
                y[i] = one_##name(a[i], b[i]);                                                     \
        else if (step_a)                                                                           \
            for (size_t i = 0; i < n; i++)                                                         \
                y[i] = one_##name(a[i], *b);                                                       \
        else                                                                                       \
            for (size_t i = 0; i < n; i++)                                                         \
                y[i] = one_##name(*a, b[i * step_b]);                                              \
    }

static inline float real_mod(float a, float b)
{
    const float m = fmodf(a, b);
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

/* Squares are by far the most common power. */
static void f32_pow(void *to, const void *from_a, size_t step_a, const void *from_b, size_t step_b,
                    size_t n)
{
    const float *a = from_a, *b = from_b;
    float *y = to;
    const bool squares = step_b == 0 && n > 0 && *b == 2;
    for (size_t i = 0; squares && i < n; i++)
        y[i] = a[i * step_a] * a[i * step_a];
    for (size_t i = 0; !squares && i < n; i++)
        y[i] = powf(a[i * step_a], b[i * step_b]);
}

/* NaN of either side stays: a comparison with it is false. */
REAL(minimum, float, a < b || a != a ? a : b)
REAL(maximum, float, a > b || a != a ? a : b)
REAL(floor_div, float, floorf(a / b))
REAL(floor_mod, float, real_mod(a, b))
REAL(mod, float, fmodf(a, b))
REAL(atan2, float, atan2f(a, b))
REAL(equal, uint8_t, a == b)
REAL(not_equal, uint8_t, a != b)
REAL(less, uint8_t, a < b)
REAL(less_equal, uint8_t, a <= b)
REAL(greater, uint8_t, a > b)
REAL(greater_equal, uint8_t, a >= b)

LINE(bool_equal, uint8_t, uint8_t, uint8_t, !a == !b)
LINE(bool_not_equal, uint8_t, uint8_t, uint8_t, !a != !b)
LINE(bool_logical_and, uint8_t, uint8_t, uint8_t, a &&b)
LINE(bool_logical_or, uint8_t, uint8_t, uint8_t, a || b)

static const krn_binary_fn real[KRN_BINARY_COUNT] = {
    [KRN_POW] = f32_pow,
    [KRN_MINIMUM] = f32_minimum,
    [KRN_MAXIMUM] = f32_maximum,
    [KRN_FLOOR_DIV] = f32_floor_div,
    [KRN_FLOOR_MOD] = f32_floor_mod,
    [KRN_MOD] = f32_mod,
    [KRN_ATAN2] = f32_atan2,
    [KRN_EQUAL] = f32_equal,
    [KRN_NOT_EQUAL] = f32_not_equal,
    [KRN_LESS] = f32_less,
    [KRN_LESS_EQUAL] = f32_less_equal,
    [KRN_GREATER] = f32_greater,
    [KRN_GREATER_EQUAL] = f32_greater_equal,
};

static const krn_binary_fn logic[KRN_BINARY_COUNT] = {
    [KRN_EQUAL] = bool_equal,
    [KRN_NOT_EQUAL] = bool_not_equal,
    [KRN_LOGICAL_AND] = bool_logical_and,
    [KRN_LOGICAL_OR] = bool_logical_or,
    [KRN_LOGICAL_XOR] = bool_not_equal,
    [KRN_MINIMUM] = bool_logical_and,
    [KRN_MAXIMUM] = bool_logical_or,
};

/* s: what divides downwards: floor_div and floor_mod, or for unsigned ones div and mod */
#define WHOLE(T, down)                                                                             \
    {                                                                                              \
        [KRN_ADD] = T##_add, [KRN_SUB] = T##_sub, [KRN_MUL] = T##_mul, [KRN_DIV] = T##_div,        \
        [KRN_POW] = T##_pow, [KRN_MINIMUM] = T##_minimum, [KRN_MAXIMUM] = T##_maximum,             \
        [KRN_SQUARED_DIFFERENCE] = T##_squared_difference, [KRN_FLOOR_DIV] = T##_##down##div,      \
        [KRN_FLOOR_MOD] = T##_##down##mod, [KRN_MOD] = T##_mod,                                    \
        [KRN_BITWISE_AND] = T##_bitwise_and, [KRN_BITWISE_OR] = T##_bitwise_or,                    \
        [KRN_BITWISE_XOR] = T##_bitwise_xor, [KRN_SHIFT_LEFT] = T##_shift_left,                    \
        [KRN_SHIFT_RIGHT] = T##_shift_right, [KRN_EQUAL] = T##_equal,                              \
        [KRN_NOT_EQUAL] = T##_not_equal, [KRN_LESS] = T##_less, [KRN_LESS_EQUAL] = T##_less_equal, \
        [KRN_GREATER] = T##_greater, [KRN_GREATER_EQUAL] = T##_greater_equal                       \
    }

static const krn_binary_fn whole[KRN_TYPES][KRN_BINARY_COUNT] = {
    [KRN_I8] = WHOLE(int8_t, floor_),   [KRN_I16] = WHOLE(int16_t, floor_),
    [KRN_I32] = WHOLE(int32_t, floor_), [KRN_I64] = WHOLE(int64_t, floor_),
    [KRN_U8] = WHOLE(uint8_t, ),        [KRN_U16] = WHOLE(uint16_t, ),
    [KRN_U32] = WHOLE(uint32_t, ),      [KRN_U64] = WHOLE(uint64_t, ),
};

krn_binary_fn krn_binary_ref(krn_binary op, krn_type t)
{
    if (t == KRN_F32) return real[op];
    return t == KRN_BOOL ? logic[op] : whole[t][op];
}

void krn_str_equal_ref(void *to, const void *from_a, size_t step_a, const void *from_b,
                       size_t step_b, size_t n)
{
    const nf_span *a = from_a, *b = from_b;
    uint8_t *y = to;
    for (size_t i = 0; i < n; i++, a += step_a, b += step_b)
        y[i] = a->len == b->len && (a->len == 0 || memcmp(a->s, b->s, a->len) == 0);
}

static size_t bytes_of(krn_type t)
{
    static const uint8_t bytes[KRN_TYPES] = {
        [KRN_I8] = 1,  [KRN_U8] = 1,  [KRN_BOOL] = 1, [KRN_I16] = 2, [KRN_U16] = 2,
        [KRN_I32] = 4, [KRN_U32] = 4, [KRN_I64] = 8,  [KRN_U64] = 8,
    };
    return bytes[t];
}

bool krn_has_zero(const void *x, krn_type t, size_t n)
{
    static const uint8_t zero[8];
    const uint8_t *p = x;
    const size_t size = bytes_of(t);
    for (size_t i = 0; size && i < n; i++)
        if (memcmp(p + i * size, zero, size) == 0) return true;
    return false;
}

#define SELECT(name, T)                                                                            \
    static void name(void *to, krn_side sc, krn_side sa, krn_side sb, size_t n)                    \
    {                                                                                              \
        const uint8_t *c = sc.p;                                                                   \
        const T *a = sa.p, *b = sb.p;                                                              \
        T *y = to;                                                                                 \
        for (size_t i = 0; i < n; i++)                                                             \
            y[i] = c[i * sc.step] ? a[i * sa.step] : b[i * sb.step];                               \
    }

SELECT(select_1, uint8_t)
SELECT(select_2, uint16_t)
SELECT(select_4, uint32_t)
SELECT(select_8, uint64_t)
SELECT(select_16, nf_span)

/* By bytes of an element. */
static void (*const selects[])(void *y, krn_side c, krn_side a, krn_side b, size_t n) = {
    [1] = select_1, [2] = select_2, [4] = select_4, [8] = select_8, [16] = select_16,
};

void krn_select_ref(void *y, krn_side c, krn_side a, krn_side b, size_t n, size_t size)
{
    selects[size](y, c, a, b, n);
}
