/* quant.h - what the layers on quantized values share. Layer: plan (inside). */
#ifndef PLAN_QUANT_H
#define PLAN_QUANT_H

#include "engine/kernels/krn_quant_product.h"
#include "engine/kernels/krn_quant_reduce.h"
#include "engine/plan/layer.h"

#include <math.h>

/** The kernels' type of a tensor with one scale that is INT8, UINT8 or INT16; NF_EUNSUPPORTED. */
nf_status plan_q_type(krn_type *out, const ir_tensor *t, nf_error *err);

/** Limits of a result, narrowed by a clamp in real units, for every quantized type. */
void plan_q_limits(int32_t *low, int32_t *high, const ir_tensor *y, ir_clamp clamp);

/** The layer works as LiteRT's own fast kernels do, not as the reference. */
static inline bool plan_q_fast(const plan_layer *l)
{
    return l->round == KRN_ROUND_FLOAT;
}

/** A constant of this type and number of elements, with one scale and zero point 0. */
static inline bool plan_q_matrix(const ir_tensor *t, eng_dtype dtype, size_t elems)
{
    size_t n;
    return t && t->data && t->dtype == dtype && t->quant.n == 1 && t->quant.zero[0] == 0 &&
           ir_elems(&n, t, 1) && n == elems;
}

/* The private part of the layer of an operator of two operands. */
typedef struct plan_q_pairs {
    krn_q_binary p;
    krn_q_pairs_fn fn;
} plan_q_pairs;

/** Gives the layer one, and the kernel that takes it. NF_ENOMEM. */
nf_status plan_q_pairs_new(plan_layer *l, const krn_q_binary *p, nf_error *err);

/* The private part of a product's layer. */
typedef struct plan_q_product {
    krn_type type; /* of x */
    int32_t zero;  /* of x */
    int16_t *w;
    int8_t *packed; /* by krn_qs8_pack; NULL: the plain kernel runs on w */
    size_t n_pad, k_pad;
    int64_t *bias;
    krn_factor *factor;
    double *real;
    float *scale, *offset;
    krn_q_tail tail;
} plan_q_product;

/** Gives the layer an empty one. */
nf_status plan_q_product_new(plan_q_product **out, plan_layer *l, nf_error *err);

PLAN_PREPARE(plan_q_unary);
PLAN_PREPARE(plan_q_binary);
PLAN_PREPARE(plan_q_product_prepare);
PLAN_PREPARE(plan_q_hybrid);
PLAN_PREPARE(plan_q_depthwise_hybrid);
PLAN_BIND(plan_bind_q_conv);
PLAN_BIND(plan_bind_q_hybrid_conv);
PLAN_BIND(plan_bind_q_dense);
PLAN_RUN(plan_run_q_conv);
PLAN_RUN(plan_run_q_dense);
PLAN_RUN(plan_run_q_depthwise_hybrid);
PLAN_PREPARE(plan_q_deconv);
PLAN_PREPARE(plan_q_matmul);
PLAN_PREPARE(plan_q_reduce);
PLAN_PREPARE(plan_q_choose);
PLAN_PREPARE(plan_q_arg);
PLAN_BIND(plan_bind_q_deconv);
PLAN_BIND(plan_bind_q_matmul);
PLAN_BIND(plan_bind_q_reduce);
PLAN_RUN(plan_run_q_deconv);
PLAN_RUN(plan_run_q_matmul);
PLAN_RUN(plan_run_q_reduce);
PLAN_PREPARE(plan_lstm_q8);
PLAN_PREPARE(plan_svdf_q8);
PLAN_BIND(plan_bind_lstm_q8);
PLAN_BIND(plan_bind_svdf_q8);
PLAN_RUN(plan_run_lstm_q8);
PLAN_RUN(plan_run_svdf_q8);
PLAN_PREPARE(plan_q_l2_norm);
PLAN_BIND(plan_bind_q_l2_norm);
PLAN_RUN(plan_run_q_l2_norm);
PLAN_PREPARE(plan_q_resize);
PLAN_BIND(plan_bind_q_resize);
PLAN_PREPARE(plan_q_pool);
PLAN_PREPARE(plan_q_softmax16);
PLAN_BIND(plan_bind_q_softmax);
PLAN_RUN(plan_run_q_pool);
PLAN_BIND(plan_bind_q_unary);
PLAN_BIND(plan_bind_q_binary);
PLAN_RUN(plan_run_q_binary);

#endif /* PLAN_QUANT_H */
