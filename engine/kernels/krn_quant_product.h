/* krn_quant_product.h - products of quantized values whose sums may need 64 bits, and those that
 * the fast kernels of krn_qs8.h do not take. Layer: kernels. Thread rule: pure functions.
 * Operands are int16 without their zero point, so that padding is 0. */
#ifndef KRN_QUANT_PRODUCT_H
#define KRN_QUANT_PRODUCT_H

#include "engine/kernels/krn_quant.h"
#include "engine/kernels/krn_window.h"

typedef enum krn_tail_way {
    KRN_TAIL_FIXED, /* 32 bits, integer factor, two roundings */
    KRN_TAIL_UP,    /* the same, halves up: TensorFlow Lite's fast kernels */
    KRN_TAIL_LONG,  /* 64 bits, factor of 15 bits, halves up */
    KRN_TAIL_FLOAT, /* times a float, halves to even: XNNPACK */
    KRN_TAIL_AWAY,  /* times a double, halves away from zero */
    KRN_TAIL_HYBRID /* a float: sum * scale[c] * x_scale + offset[c] */
} krn_tail_way;

/* How sums become results: q = clamp(round((sum + bias) * scale) + zero). */
typedef struct krn_q_tail {
    krn_tail_way way;
    krn_type to;
    const krn_factor *factor; /* [channels], as the next ones; only what the way needs is there */
    const double *real;
    const float *scale;
    const int64_t *bias;
    const float *offset;
    float x_scale, least, most; /* KRN_TAIL_HYBRID: of the rows at hand; limits */
    int32_t zero, low, high;
} krn_q_tail;

/** Element `at` of y from the sum of channel c. */
void krn_q_tail_put(void *y, size_t at, int64_t sum, size_t c, const krn_q_tail *t);

/** INT16 rows y[m, n] from sums acc[m, ld]; of every way but KRN_TAIL_HYBRID. */
void krn_q_tail_rows16(int16_t *y, const int32_t *acc, size_t m, size_t n, size_t ld,
                       const krn_q_tail *t);

/* a[i] = x[i] - zero, where it fits int16: INT8 and UINT8 always, INT16 with zero 0. */
void krn_q_widen_ref(int16_t *a, const void *x, krn_type type, int32_t zero, size_t n);

/* One image; f: [out_c, kernel_h, kernel_w, in_c / groups]. */
void krn_q_conv_ref(void *y, const int16_t *x, const int16_t *f, const krn_window *w, size_t groups,
                    const krn_q_tail *t);

/* One image; f: [kernel_h, kernel_w, out_c]; sums: [out_c], of one pixel at work. */
void krn_q_depthwise_ref(void *y, const int16_t *x, const int16_t *f, const krn_window *w,
                         const krn_q_tail *t, int64_t *sums);

/* One image; f: [out_c, kernel_h, kernel_w, in_c]; pixel (h, v) of x times tap (kh, kw) is added at
 * (h * stride_h - top + kh * dilation_h, v * stride_w - left + kw * dilation_w). */
void krn_q_transpose_conv_ref(void *y, const int16_t *x, const int16_t *f, const krn_window *w,
                              const krn_q_tail *t);

typedef struct krn_q_matmul { /* sizes, and steps in elements */
    size_t m, n, k, a_row, a_k, b_k, b_col;
} krn_q_matmul;

/* y[m, n] = a * b; INT16 operands are as they are, 8-bit ones widened before. */
void krn_q_matmul_ref(void *y, const int16_t *a, const int16_t *b, const krn_q_matmul *s,
                      const krn_q_tail *t);

/* Largest values of windows, or their means, halves away from zero; clamped. Scales stay. */
void krn_q_pool_ref(void *y, const void *x, krn_type type, const krn_window *w, bool mean,
                    const int32_t limits[2]);

#endif /* KRN_QUANT_PRODUCT_H */
