/* krn_quant.h - operators on quantized values, one by one: INT8, UINT8 and INT16. Layer: kernels.
 * Thread rule: pure functions. Source: TensorFlow Lite's reference kernels, where nothing else is
 * said. An operator of one 8-bit operand becomes a table of its 256 results. */
#ifndef KRN_QUANT_H
#define KRN_QUANT_H

#include "engine/kernels/fixed.h"
#include "engine/kernels/krn_cast.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KRN_LUT16 513 /* entries of a table over the int16 range; the last is for interpolation */

/** The range of an 8- or 16-bit type; false for another one. */
bool krn_q_range(int32_t *low, int32_t *high, krn_type type);

/** Element i of x as a number. */
int32_t krn_q_get(const void *x, krn_type type, size_t i);
void krn_q_put(void *y, krn_type type, size_t i, int32_t v);

typedef enum krn_q_way {
    KRN_Q_SCALE,      /* x * factor: other scales, and the RELU family by its limits */
    KRN_Q_LEAKY,      /* the same, negative x times factor2 */
    KRN_Q_COARSE,     /* as XNNPACK: factor.m, negative x factor2.m, in 1/256, halves up */
    KRN_Q_ABS,        /* |x| * factor */
    KRN_Q_RSQRT,      /* factor / sqrt(x) */
    KRN_Q_SQRT,       /* in float, cut towards 0 */
    KRN_Q_HARD_SWISH, /* factor to the result's scale; factor2 to x / 3 in Q0.15 */
    KRN_Q_REAL,       /* real(x) in float */
    KRN_Q_REAL_EVEN,  /* the same, as XNNPACK: halves to even */
    KRN_Q_TABLE16,    /* INT16 through table */
    KRN_Q_LOGISTIC16, /* INT16, by points: factor.m / 2^factor.shift is from x to 1/3 * 2^-12 */
    KRN_Q_TANH16,
    KRN_Q_LOGISTIC_FIXED, /* INT16 of 2^-12, in fixed point alone */
    KRN_Q_TANH_FIXED,     /* INT16 of 2^-12 or 2^-11: factor.shift 0 or 1 */
} krn_q_way;

typedef struct krn_q_unary {
    krn_q_way way;
    krn_type from, to;
    int32_t zero_x, zero, low, high;
    krn_factor factor, factor2;
    float scale_x, scale;
    float (*real)(float x, const float *with);
    float with[2];          /* for real */
    const int16_t *table;   /* [KRN_LUT16] */
    const uint16_t *points; /* [256] of krn_logistic_points */
} krn_q_unary;

/** The result for the stored value q. */
int32_t krn_q_value(const krn_q_unary *p, int32_t q);

/** table[b] for the byte b of an 8-bit operand. */
void krn_q_tabulate(int32_t table[256], const krn_q_unary *p);

void krn_q_lookup_ref(void *y, krn_type to, const uint8_t *x, const int32_t table[256], size_t n);
void krn_q_unary_ref(void *y, const void *x, size_t n, const krn_q_unary *p);

typedef struct krn_lut16_range {
    float low, high;   /* of x */
    float least, most; /* what INT16_MIN and INT16_MAX stand for */
} krn_lut16_range;

/** Fills a table of a function's values, each point moved by half the error that interpolation
 * makes in the middle of its step. */
void krn_lut16_fill(int16_t table[KRN_LUT16], float (*real)(float x, const float *with),
                    const float *with, const krn_lut16_range *range);

/** The table at v, interpolated. */
static inline int32_t krn_lut16_at(const int16_t *table, int32_t v)
{
    const int16_t *at = table + 256 + (v >> 7);
    return at[0] + (((at[1] - at[0]) * (v & 127) + 64) >> 7);
}

/** Fills 256 points of the logistic function, at i / 24, in Q0.16. */
void krn_logistic_points(uint16_t points[256]);

/* The logistic function and tanh in Q0.15 of x in units of 2^-12 / 3, by those points. */
int16_t krn_logistic16(const uint16_t *points, int32_t x);
int16_t krn_tanh16(const uint16_t *points, int32_t x);

/* The same in fixed point alone, by Newton's method and a series: x in Q3.12, and for tanh with
 * `bits` integer bits, 0 .. 7. Source: gemmlowp's fixed-point notes, on 16 bits. */
int16_t krn_logistic_fixed16(int16_t x);
int16_t krn_tanh_fixed16(int16_t x, int bits);

/** a * b / 2^15, rounded to nearest, halves away from zero, saturated. */
static inline int16_t krn_mul_high16(int16_t a, int16_t b)
{
    if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
    const int32_t product = a * b;
    return (int16_t)((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

/** x * 2^n, saturated; n in 0..15. */
static inline int16_t krn_shift_left16(int32_t x, int n)
{
    const int64_t wide = (int64_t)x * ((int64_t)1 << n);
    return (int16_t)(wide > INT16_MAX ? INT16_MAX : wide < INT16_MIN ? INT16_MIN : wide);
}

typedef enum krn_q2_way {
    KRN_Q2_ADD,
    KRN_Q2_SUB,
    KRN_Q2_MUL,
    KRN_Q2_DIV,
    KRN_Q2_SQUARED_DIFFERENCE,
    KRN_Q2_MINIMUM,
    KRN_Q2_MAXIMUM,
    KRN_Q2_PRELU,
    KRN_Q2_EQUAL, /* comparisons: the result is BOOL */
    KRN_Q2_NOT_EQUAL,
    KRN_Q2_LESS,
    KRN_Q2_LESS_EQUAL,
    KRN_Q2_GREATER,
    KRN_Q2_GREATER_EQUAL,
} krn_q2_way;

typedef struct krn_q_binary {
    krn_q2_way way;
    krn_type type, to;
    int32_t zero_a, zero_b, zero, low, high;
    int left;                              /* head room of ADD and its like, bits */
    krn_factor factor_a, factor_b, factor; /* to the common scale, and to the result's */
    bool real;                             /* as XNNPACK: MUL by real_a, halves to even; ADD and SUB
                                              by whole factors mul_a, mul_b over 2^left */
    float real_a;
    int32_t mul_a, mul_b;
    /* ADD, where krn_qs8_add_prove() has found them: the sum's other form, of the same results */
    bool quick;
    float quick_a, quick_b, quick_c;
} krn_q_binary;

/* y[i] = a[i * step_a] op b[i * step_b], i < n; step 0 repeats one element of that side. */
void krn_q_binary_ref(void *y, const void *a, size_t step_a, const void *b, size_t step_b, size_t n,
                      const krn_q_binary *p);

/* How the operands of a result [rows, n] meet. Steps are 0 where an operand is repeated; along n
 * they are 0 or 1. */
typedef struct krn_q_spread {
    size_t rows, n;
    size_t row_a, row_b, step_a, step_b;
} krn_q_spread;

/** True when the fast versions of krn_q_pairs_fn (krn_qs8.h) take it: 8 bits, and a way whose steps
 * all stay within 32. */
bool krn_q_pairs_fit(const krn_q_binary *p);

typedef struct krn_q_softmax16 { /* to INT16 with zero point 0 or, from 8 bits, any */
    krn_factor factor;           /* INT16: differences to 10 / 65535 */
    int16_t exp[KRN_LUT16];      /* INT16: of -10 .. 0 */
    int16_t inverse[KRN_LUT16];  /* INT16: 1 / (1 + x) of 0 .. 1 */
    krn_type from;
    int32_t zero; /* of the result */
    float scale;  /* of the result */
    bool fast;    /* 8 bits: by table, else by the factor to Q5.26 */
    int32_t diff_min;
    float table[256]; /* exp(-beta * scale * i) */
} krn_q_softmax16;

void krn_q_softmax16_init(krn_q_softmax16 *p, float in_scale, float beta);

/* y[r * n + c] over rows of n. */
void krn_q_softmax16_ref(int16_t *y, const void *x, size_t rows, size_t n,
                         const krn_q_softmax16 *p);

/* Rows of n over their length, in 1/128 about `zero`; INT8 and UINT8. */
void krn_q_l2_norm_ref(void *y, const void *x, krn_type type, size_t rows, size_t n, int32_t zero_x,
                       int32_t zero);

#endif /* KRN_QUANT_H */
