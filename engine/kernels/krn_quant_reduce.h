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

/* acc: [g->kept]. */
void krn_q_reduce_ref(void *y, const void *x, const krn_groups *g, const krn_q_reduce *p,
                      int64_t *acc);

#endif /* KRN_QUANT_REDUCE_H */
