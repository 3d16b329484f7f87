/* krn_quant_reduce.h - sums, means and products of quantized values. Layer: kernels.
 * Thread rule: pure functions. Source: TensorFlow Lite's reference kernels. */
#ifndef KRN_QUANT_REDUCE_H
#define KRN_QUANT_REDUCE_H

#include "engine/kernels/krn_math.h"
#include "engine/kernels/krn_quant.h"

typedef enum krn_q_reduce_way {
    KRN_Q_REDUCE_SUM,
    KRN_Q_REDUCE_MEAN, /* 1 / n goes into the factor */
    KRN_Q_REDUCE_PROD  /* scaled after each multiplication */
} krn_q_reduce_way;

typedef struct krn_q_reduce {
    krn_q_reduce_way way;
    krn_type type;
    int32_t zero_x, zero, low, high;
    krn_factor factor; /* of x's scale over y's */
    float scale_x, scale;
    bool real; /* SUM and MEAN as XNNPACK: in float, halves to even */
} krn_q_reduce;

/* How sums become results: times a factor, or in float. */
typedef struct krn_q_sum_tail {
    krn_factor factor;
    float each, offset; /* of p->real: the sum of x as it is stored * each + offset */
} krn_q_sum_tail;

/** Of sums (MEAN, SUM) of n elements, n >= 1. */
krn_q_sum_tail krn_q_sum_tail_of(const krn_q_reduce *p, size_t n);

/* Sums along the middle axis of [outer, n, inner]. */
typedef struct krn_q_axis {
    size_t outer, n, inner;
    krn_q_sum_tail tail; /* of n */
} krn_q_axis;

/** Fills *a; false: the groups do not lie along one axis, or the fast versions of krn_q_sums_fn
 * (krn_qs8.h) do not take it. */
bool krn_q_axis_of(krn_q_axis *a, const krn_groups *g, const krn_q_reduce *p);

#define KRN_Q_SUMS_SLACK 64 /* bytes of acc behind the sums */

/* acc: [g->kept]. */
void krn_q_reduce_ref(void *y, const void *x, const krn_groups *g, const krn_q_reduce *p,
                      int64_t *acc);

#endif /* KRN_QUANT_REDUCE_H */
