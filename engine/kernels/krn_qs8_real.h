/* krn_qs8_real.h - floats to 8 bits, and sums of 8-bit products to floats. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_QS8_REAL_H
#define KRN_QS8_REAL_H

#include "engine/kernels/krn_qs8.h"

#include <math.h>

/* What is added to the magnitude before cutting: rounding away from zero is that of the largest
 * float below 1/2. TensorFlow's dynamic quantization adds 1/2 itself. 0: halves to even. */
#define KRN_HALF_EVEN  0.0f
#define KRN_HALF_AWAY  0.49999997f
#define KRN_HALF_ADDED 0.5f

/* q = clamp(round(x / scale + before) + after) */
typedef struct krn_qs8_steps {
    float scale;
    bool times;   /* x * scale instead: not the same where rounding is near */
    float before; /* |before| <= 128 */
    float nan;    /* what NaN is before it is rounded */
    float half;
    int32_t after, low, high;
} krn_qs8_steps;

/* What the numbers of a row, or image, of bytes stand for: (q - zero) * scale. */
typedef struct krn_qs8_row {
    float scale;
    int32_t zero;
} krn_qs8_row;

/** The meaning of krn_qs8_steps. */
static inline int32_t krn_qs8_step(float x, const krn_qs8_steps *s)
{
    const float exact = (s->times ? x * s->scale : x / s->scale) + s->before;
    const float v = exact != exact ? s->nan : exact < -1024 ? -1024 : exact > 1024 ? 1024 : exact;
    const int32_t q =
        s->half > 0 ? (int32_t)(v < 0 ? v - s->half : v + s->half) : (int32_t)lrintf(v);
    return krn_clamp(q + s->after, s->low, s->high);
}

/** Steps to a scale and zero point; NaN goes to the low end. */
krn_qs8_steps krn_qs8_steps_to(float scale, int32_t zero, bool is_unsigned, bool away);

/** Steps from floats between low <= 0 and high >= 0 to unsigned bytes, as *row says. */
krn_qs8_steps krn_qs8_steps_over(krn_qs8_row *row, float low, float high, krn_dynamic way);

/* The least and the largest of x and 0, NaN passed over. */
#define KRN_DECL_QS8_RANGE(name) void name(float *low, float *high, const float *x, size_t n)
typedef KRN_DECL_QS8_RANGE((*krn_qs8_range_fn));

/* n floats to bytes; q is not x: the last vector is computed twice. */
#define KRN_DECL_QS8_BYTES(name)                                                                   \
    void name(uint8_t *q, const float *x, size_t n, const krn_qs8_steps *s)
typedef KRN_DECL_QS8_BYTES((*krn_qs8_bytes_fn));

/* Rows of k floats to unsigned bytes with a scale and zero point each. */
#define KRN_DECL_QS8_ROWS(name)                                                                    \
    void name(uint8_t *q, krn_qs8_row *row, const float *x, size_t rows, size_t k, krn_dynamic way)
typedef KRN_DECL_QS8_ROWS((*krn_qs8_rows_fn));

/* x = (q - zero) * scale */
#define KRN_DECL_QS8_FLOATS(name)                                                                  \
    void name(float *x, const uint8_t *q, size_t n, float scale, int32_t zero, bool is_unsigned)
typedef KRN_DECL_QS8_FLOATS((*krn_qs8_floats_fn));

/* The outputs of a product of bytes as floats. */
typedef struct krn_qs8_out {
    const int32_t *weights;    /* [n]: the sum of those of each output */
    const float *scale, *bias; /* [n] */
    bool late; /* sum * scale * row's scale, else sum * (row's scale * scale): roundings differ */
    float low, high;
} krn_qs8_out;

/* y[r * n + c] from the sum that lies there, of bytes whose zero point is not taken off:
 * (sum - zero * weights) * scale + bias, within limits. Row r is row[r * step]. */
#define KRN_DECL_QS8_REALS(name)                                                                   \
    void name(void *y, size_t rows, size_t n, const krn_qs8_out *o, const krn_qs8_row *row,        \
              size_t step)
typedef KRN_DECL_QS8_REALS((*krn_qs8_reals_fn));

/* Exact: every version equals ref. */
typedef struct krn_qs8_real {
    const char *name;
    krn_qs8_range_fn range;
    krn_qs8_bytes_fn bytes;
    krn_qs8_rows_fn rows;
    krn_qs8_floats_fn floats;
    krn_qs8_reals_fn reals;
} krn_qs8_real;

extern const krn_qs8_real krn_qs8_real_ref, krn_qs8_real_avx2, krn_qs8_real_avx512;

#endif /* KRN_QS8_REAL_H */
