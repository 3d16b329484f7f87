/* quant.h - what the layers on quantized values share. Layer: plan (inside). */
#ifndef PLAN_QUANT_H
#define PLAN_QUANT_H

#include "engine/kernels/krn_quant.h"
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

PLAN_PREPARE(plan_q_unary);
PLAN_PREPARE(plan_q_binary);
PLAN_BIND(plan_bind_q_unary);
PLAN_BIND(plan_bind_q_binary);
PLAN_RUN(plan_run_q_binary);

#endif /* PLAN_QUANT_H */
