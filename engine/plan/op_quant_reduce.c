/* op_quant_reduce.c - MEAN, SUM, PROD, MAX, MIN and the places of those, on quantized values.
 * Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/math.h"
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

PLAN_PREPARE(plan_q_reduce)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    krn_q_reduce *p = nf_alloc(sizeof(*p), NF_MEM_WEIGHTS);
    nf_status st;
    (void)env;
    if (!p) return nf_fail(err, NF_ENOMEM, y->name, "no memory for a layer");
    l->own = p;
    if ((st = plan_q_type(&p->type, x, err))) return st;
    if (x->dtype != y->dtype || y->quant.n != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of %s to %s", ir_op_name(l->node->op),
                       eng_dtype_oip(x->dtype), eng_dtype_oip(y->dtype));
    p->way = l->node->op == IR_MEAN         ? KRN_Q_REDUCE_MEAN
             : l->node->op == IR_REDUCE_SUM ? KRN_Q_REDUCE_SUM
                                            : KRN_Q_REDUCE_PROD;
    p->zero_x = x->quant.zero[0];
    p->zero = y->quant.zero[0];
    p->scale_x = x->quant.scale[0];
    p->scale = y->quant.scale[0];
    p->factor = krn_factor_of((double)p->scale_x / (double)p->scale);
    if (p->way != KRN_Q_REDUCE_PROD && !(p->scale_x / p->scale < 1e4f))
        return nf_fail(err, NF_EFORMAT, y->name, "its scale is too small");
    p->real = plan_q_fast(l) &&
              (p->way == KRN_Q_REDUCE_SUM || (p->way == KRN_Q_REDUCE_MEAN && p->type != KRN_I16));
    plan_q_limits(&p->low, &p->high, y, ir_no_clamp());
    return NF_OK;
}

static PLAN_RUN(run_sums)
{
    s->layer->qs8.sums(s->y, s->a, s->bound, s->layer->own, s->scratch);
}

/* Where the fast kernels take it, s->bound is one axis instead of groups. */
PLAN_BIND(plan_bind_q_reduce)
{
    krn_q_axis axis;
    nf_status st = plan_bind_reduce(s, in, out, err);
    if (st || !s->layer->qs8.sums || !krn_q_axis_of(&axis, s->bound, s->layer->own)) return st;
    if ((st = plan_bind_alloc(s, sizeof(axis), err))) return st;
    *(krn_q_axis *)s->bound = axis;
    s->scratch_bytes = out->elems * sizeof(int32_t) + KRN_Q_SUMS_SLACK;
    s->run = run_sums;
    return NF_OK;
}

PLAN_RUN(plan_run_q_reduce)
{
    krn_q_reduce_ref(s->y, s->a, s->bound, s->layer->own, s->scratch);
}

/* The largest and smallest keep their meaning only where both sides have one. */
PLAN_PREPARE(plan_q_choose)
{
    krn_type type;
    const nf_status st = plan_q_type(&type, plan_in(l, g, 0), err);
    return st ? st : plan_same_quant(l, g, env, err);
}

PLAN_PREPARE(plan_q_arg)
{
    krn_type type;
    (void)env;
    return plan_q_type(&type, plan_in(l, g, 0), err);
}
