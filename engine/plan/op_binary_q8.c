/* op_binary_q8.c - ADD and MUL in 8 bits. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/quant.h"

#include <float.h>

#define LONG_LINE 64 /* elements that the kernel of long lines takes at once */

/* Common sums: the reference widens both operands by 2^KRN_QS8_ADD_SHIFT first. */
static nf_status add_factors(krn_qs8_binary *p, float sa, float sb, float sy, nf_error *err)
{
    const double twice = 2.0 * (double)(sa > sb ? sa : sb);
    const float most = sa > sb ? sa / sy : sb / sy;
    p->factor_a = krn_factor_of((double)sa / twice);
    p->factor_b = krn_factor_of((double)sb / twice);
    p->factor = krn_factor_of(twice / ((double)(1 << KRN_QS8_ADD_SHIFT) * (double)sy));
    /* litert: both factors in fixed point with 21 significant bits in the larger one */
    p->shift = most >= FLT_MIN && isfinite(most) ? 20 - ilogbf(most) : 0;
    if (p->shift < 1 || p->shift > 40)
        return nf_fail(err, NF_EUNSUPPORTED, "ADD", "input scale is %g times the output's",
                       (double)most);
    p->mul_a = (int32_t)lrint(ldexp((double)(sa / sy), p->shift));
    p->mul_b = (int32_t)lrint(ldexp((double)(sb / sy), p->shift));
    return NF_OK;
}

static nf_status prepare_add(plan_layer *l, float sa, float sb, float sy, nf_error *err)
{
    krn_qs8_binary *p = &l->binary;
    nf_status st = add_factors(p, sa, sb, sy, err);
    if (st) return st;
    krn_q_binary sum = krn_qs8_as_pair(p);
    sum.quick = l->qs8.add && krn_qs8_add_prove(p, &l->qs8);
    sum.quick_a = p->quick_a;
    sum.quick_b = p->quick_b;
    sum.quick_c = p->quick_c;
    if ((st = plan_q_pairs_new(l, &sum, err))) return st;
    if (sum.quick) l->kernel_name = l->qs8.add_name;
    return NF_OK;
}

static nf_status prepare_mul(plan_layer *l, float sa, float sb, float sy, nf_error *err)
{
    krn_q_binary p = krn_qs8_as_pair(&l->binary);
    p.way = KRN_Q2_MUL;
    p.real_a = sa * sb / sy;
    p.factor = krn_factor_of((double)p.real_a);
    if (!(p.real_a < 1e6f)) return nf_fail(err, NF_EFORMAT, "MUL", "scales do not fit");
    return plan_q_pairs_new(l, &p, err);
}

PLAN_PREPARE(plan_binary_q8)
{
    const ir_tensor *a = &g->tensors[l->node->in[0]], *b = &g->tensors[l->node->in[1]];
    const ir_tensor *y = &g->tensors[l->node->out[0]];
    krn_qs8_binary *p = &l->binary;
    (void)env;
    if (b->dtype != a->dtype || y->dtype != a->dtype || a->quant.n != 1 || b->quant.n != 1 ||
        y->quant.n != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s needs both sides and result of one kind",
                       ir_op_name(l->node->op));
    const float sa = a->quant.scale[0], sb = b->quant.scale[0], sy = y->quant.scale[0];
    *p = (krn_qs8_binary){.round = l->round,
                          .is_unsigned = l->is_unsigned,
                          .zero_a = a->quant.zero[0],
                          .zero_b = b->quant.zero[0],
                          .zero = y->quant.zero[0],
                          .low = l->low,
                          .high = l->high};
    return (l->node->op == IR_ADD ? prepare_add : prepare_mul)(l, sa, sb, sy, err);
}

static PLAN_RUN(run_side_by_side)
{
    const plan_layer *l = s->layer;
    l->qs8.add(s->y, s->a, s->b, s->u.elems, &l->binary);
}

PLAN_BIND(plan_bind_binary_q8)
{
    const plan_q_pairs *own = s->layer->own;
    const bool straight = in[0].elems == out->elems && in[1].elems == out->elems;
    if (!own->p.quick || !straight || out->elems < LONG_LINE)
        return plan_bind_q_binary(s, in, out, err);
    s->u.elems = out->elems;
    s->run = run_side_by_side;
    return NF_OK;
}
