/* krn_math.h - elementwise operators, reductions and scans of every plain element type.
 * Layer: kernels. Thread rule: pure functions.
 *
 * Whole numbers wrap as unsigned ones do. What has no result gives 0 and never traps: a quotient by
 * 0, a power of 0 below 0; the least number divided by -1 wraps. BOOL is 0 or 1. */
#ifndef KRN_MATH_H
#define KRN_MATH_H

#include "engine/kernels/krn_cast.h"

/* name, lower case; p: the op's two parameters. The operators of ops_math.h have these names. */
#define KRN_UNARY_MAP(X)                                                                           \
    X(ABS, abs)                                                                                    \
    X(NEG, neg)                                                                                    \
    X(SIGN, sign) /* of NaN: NaN */                                                                \
    X(CEIL, ceil)                                                                                  \
    X(FLOOR, floor)                                                                                \
    X(ROUND, round) /* halves to even */                                                           \
    X(SQRT, sqrt)                                                                                  \
    X(RSQRT, rsqrt)                                                                                \
    X(SQUARE, square)                                                                              \
    X(RECIPROCAL, reciprocal)                                                                      \
    X(EXP, exp)                                                                                    \
    X(LOG, log)                                                                                    \
    X(SIN, sin)                                                                                    \
    X(COS, cos)                                                                                    \
    X(TAN, tan)                                                                                    \
    X(ASIN, asin)                                                                                  \
    X(ACOS, acos)                                                                                  \
    X(ATAN, atan)                                                                                  \
    X(SINH, sinh)                                                                                  \
    X(COSH, cosh)                                                                                  \
    X(ASINH, asinh)                                                                                \
    X(ACOSH, acosh)                                                                                \
    X(ATANH, atanh)                                                                                \
    X(ERF, erf)                                                                                    \
    X(TANH, tanh)                                                                                  \
    X(LOGISTIC, logistic)                 /* 1 / (1 + e^-x) */                                     \
    X(HARD_SWISH, hard_swish)             /* x * (x + 3 within 0 .. 6) / 6 */                      \
    X(SELU, selu)                         /* p[1] * (x > 0 ? x : p[0] * (e^x - 1)) */              \
    X(SOFTPLUS, softplus)                 /* ln(1 + e^x) */                                        \
    X(SOFTSIGN, softsign)                 /* x / (1 + |x|) */                                      \
    X(SILU, silu)                         /* x * logistic(p[0] * x) */                             \
    X(MISH, mish)                         /* x * tanh(softplus(x)) */                              \
    X(LEAKY_RELU, leaky_relu)             /* x < 0: p[0] * x */                                    \
    X(ELU, elu)                           /* x < 0: p[0] * (e^x - 1) */                            \
    X(CELU, celu)                         /* x < 0: p[0] * (e^(x / p[0]) - 1) */                   \
    X(THRESHOLDED_RELU, thresholded_relu) /* x <= p[0]: 0 */                                       \
    X(HARD_SIGMOID, hard_sigmoid)         /* p[0] * x + p[1] within 0 .. 1 */                      \
    X(SHRINK, shrink)                     /* |x| <= p[1]: 0, else p[0] nearer to 0 */              \
    X(GELU, gelu)                         /* x * (1 + erf(x / sqrt 2)) / 2 */                      \
    X(IS_NAN, is_nan)                     /* to BOOL */                                            \
    X(IS_INF, is_inf)                     /* to BOOL; p[0]: +infinity counts, p[1]: -infinity */   \
    X(BITWISE_NOT, bitwise_not)                                                                    \
    X(LOGICAL_NOT, logical_not)

typedef enum krn_unary {
#define X(name, lower) KRN_##name,
    KRN_UNARY_MAP(X)
#undef X
        KRN_GELU_TANH, /* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 */
    KRN_UNARY_COUNT
} krn_unary;

/* y[i] = f(x[i]), i < n; y may be x when their types have one size. p: two numbers, in any case. */
typedef void (*krn_unary_fn)(void *y, const void *x, size_t n, const float *p);

/** The plain version for elements of type t, by libm for FP32; NULL when the op has none. */
krn_unary_fn krn_unary_ref(krn_unary op, krn_type t);

/**
 * The quickest version for a CPU with these krn_cpu bits.
 *
 * Polynomials then stand in the place of libm, and every CPU gives the same bits: EXP within 1 ULP
 * of the real function, ELU, CELU, SELU 2, TANH, LOGISTIC, ERF 2.5; GELU, SILU and MISH within
 * 1.5e-7 * |x|.
 */
krn_unary_fn krn_unary_find(krn_unary op, krn_type t, unsigned cpu);

#define KRN_BINARY_MAP(X)                                                                          \
    X(ADD, add)                                                                                    \
    X(SUB, sub)                                                                                    \
    X(MUL, mul)                                                                                    \
    X(DIV, div) /* towards 0 */                                                                    \
    X(POW, pow)                                                                                    \
    X(MINIMUM, minimum) /* NaN if one of them is */                                                \
    X(MAXIMUM, maximum)                                                                            \
    X(SQUARED_DIFFERENCE, squared_difference)                                                      \
    X(FLOOR_DIV, floor_div)                                                                        \
    X(FLOOR_MOD, floor_mod) /* sign of b */                                                        \
    X(MOD, mod)             /* sign of a, as C's % and fmod */                                     \
    X(ATAN2, atan2)                                                                                \
    X(PRELU, prelu) /* a < 0: a * b */                                                             \
    X(BITWISE_AND, bitwise_and)                                                                    \
    X(BITWISE_OR, bitwise_or)                                                                      \
    X(BITWISE_XOR, bitwise_xor)                                                                    \
    X(EQUAL, equal) /* this and the rest: to BOOL */                                               \
    X(NOT_EQUAL, not_equal)                                                                        \
    X(LESS, less)                                                                                  \
    X(LESS_EQUAL, less_equal)                                                                      \
    X(GREATER, greater)                                                                            \
    X(GREATER_EQUAL, greater_equal)                                                                \
    X(LOGICAL_AND, logical_and)                                                                    \
    X(LOGICAL_OR, logical_or)                                                                      \
    X(LOGICAL_XOR, logical_xor)

typedef enum krn_binary {
#define X(name, lower) KRN_##name,
    KRN_BINARY_MAP(X)
#undef X
        KRN_SHIFT_LEFT, /* by b bits, 0 .. ; all of them gone gives 0 */
    KRN_SHIFT_RIGHT,    /* keeps the sign */
    KRN_BINARY_COUNT
} krn_binary;

/* y[i] = a[i * step_a] op b[i * step_b], i < n; step 0 repeats one element of that side. */
typedef void (*krn_binary_fn)(void *y, const void *a, size_t step_a, const void *b, size_t step_b,
                              size_t n);

/** For operands of type t, NULL when the op has none: FP32 (but those of krn_f32.h), whole numbers,
 * BOOL. */
krn_binary_fn krn_binary_ref(krn_binary op, krn_type t);

/** EQUAL of nf_spans. */
void krn_str_equal_ref(void *y, const void *a, size_t step_a, const void *b, size_t step_b,
                       size_t n);

/** True when one of n whole numbers is 0. */
bool krn_has_zero(const void *x, krn_type t, size_t n);

/* One operand of a line. */
typedef struct krn_side {
    const void *p;
    size_t step; /* in elements */
} krn_side;

/* y[i] = c[i] ? a[i] : b[i], i < n, elements of `size` bytes: 1, 2, 4, 8 or 16. */
void krn_select_ref(void *y, krn_side c, krn_side a, krn_side b, size_t n, size_t size);

typedef enum krn_reduce {
    KRN_REDUCE_SUM,
    KRN_REDUCE_MEAN, /* of whole numbers: towards 0 */
    KRN_REDUCE_MAX,  /* BOOL: any */
    KRN_REDUCE_MIN,  /* BOOL: all */
    KRN_REDUCE_PROD,
    KRN_REDUCE_L1,         /* sum of |x| */
    KRN_REDUCE_L2,         /* square root of the sum of squares */
    KRN_REDUCE_SUM_SQUARE, /* sum of squares */
    KRN_REDUCE_LOG_SUM,
    KRN_REDUCE_LOG_SUM_EXP,
    KRN_REDUCES
} krn_reduce;

/* The axes of x, neighbours that are both kept or both reduced taken as one; n >= 1. */
typedef struct krn_groups {
    int n;
    size_t dim[8];
    bool reduced[8];
    size_t kept, count; /* elements of the result, and of x that go into each */
} krn_groups;

/** Groups of an x of rank 0 .. 8; bit i of `axes`: axis i is reduced. */
void krn_groups_of(krn_groups *g, const size_t *dim, int rank, uint32_t axes);

/* Sums are taken in double and rounded once. Nothing to reduce gives the op's neutral element
 * (MEAN: NaN), of MAX -infinity. acc: [kept]. */
void krn_reduce_f32_ref(float *y, const float *x, const krn_groups *g, krn_reduce op, double *acc);

/* Of whole numbers, in 64 bits that wrap; not the two with logarithms. acc: [kept]. Nothing to
 * reduce gives the least number for MAX, the greatest for MIN, 0 for MEAN. */
void krn_reduce_int_ref(void *y, const void *x, krn_type t, const krn_groups *g, krn_reduce op,
                        int64_t *acc);

/* The place of the greatest (least: smallest) of x [outer, n, inner] along the middle axis, n >= 1;
 * the first of equal ones or the last. FP32, whole numbers and BOOL. */
typedef struct krn_arg {
    size_t outer, n, inner;
    bool least, last;
} krn_arg;
void krn_arg_ref(int64_t *y, const void *x, krn_type t, const krn_arg *a);

/* y[k] = x[0] + … + x[k] along the middle axis of [outer, n, inner]; exclusive: without x[k];
 * reverse: from the end; product: the same with *. FP32, I32, I64 and their unsigned twins; y is
 * not x. */
typedef struct krn_scan {
    size_t outer, n, inner;
    bool exclusive, reverse, product;
} krn_scan;
void krn_scan_ref(void *y, const void *x, krn_type t, const krn_scan *s);

/* Along the middle axis of [outer, n, inner]: x - ln(sum of e^x); y may be x. */
void krn_f32_log_softmax_ref(float *y, const float *x, size_t outer, size_t n, size_t inner);

/* 1 at the first greatest number along that axis, else 0. */
void krn_f32_hardmax_ref(float *y, const float *x, size_t outer, size_t n, size_t inner);

#endif /* KRN_MATH_H */
