/* op_binary_q8.c - ADD and MUL in 8 bits. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/quant.h"

#include <float.h>

#define LONG_LINE 64 /* elements that the kernel of long lines takes at once */
#define ADD_SHIFT 20 /* head room that the reference gives both operands of a sum */

/* Common sums: the reference widens both operands by 2^ADD_SHIFT first. */
static nf_status add_factors(krn_qs8_binary *p, float sa, float sb, float sy, nf_error *err)
{
    const double twice = 2.0 * (double)(sa > sb ? sa : sb);
    const float most = sa > sb ? sa / sy : sb / sy;
    p->factor_a = krn_factor_of((double)sa / twice);
    p->factor_b = krn_factor_of((double)sb / twice);
    p->factor = krn_factor_of(twice / ((double)(1 << ADD_SHIFT) * (double)sy));
    /* litert: both factors in fixed point with 21 significant bits in the larger one */
    p->shift = most >= FLT_MIN && isfinite(most) ? 20 - ilogbf(most) : 0;
    if (p->shift < 1 || p->shift > 40)
        return nf_fail(err, NF_EUNSUPPORTED, "ADD", "input scale is %g times the output's",
                       (double)most);
    p->mul_a = (int32_t)lrint(ldexp((double)(sa / sy), p->shift));
    p->mul_b = (int32_t)lrint(ldexp((double)(sb / sy), p->shift));
    return NF_OK;
}

/* The same as the kernel of all such operators wants it. */
static nf_status set_pairs(plan_layer *l, const krn_qs8_binary *p, bool quick, nf_error *err)
{
    const krn_type type = p->is_unsigned ? KRN_U8 : KRN_I8;
    const krn_q_binary q = {.way = l->node->op == IR_ADD ? KRN_Q2_ADD : KRN_Q2_MUL,
                            .type = type,
                            .to = type,
                            .zero_a = p->zero_a,
                            .zero_b = p->zero_b,
                            .zero = p->zero,
                            .low = p->low,
                            .high = p->high,
                            .left = p->round == KRN_ROUND_FIXED ? ADD_SHIFT : p->shift,
                            .factor_a = p->factor_a,
                            .factor_b = p->factor_b,
                            .factor = p->factor,
                            .real = p->round != KRN_ROUND_FIXED,
                            .real_a = p->scale_a,
                            .mul_a = p->mul_a,
                            .mul_b = p->mul_b,
                            .quick = quick,
                            .quick_a = p->quick_a,
                            .quick_b = p->quick_b,
                            .quick_c = p->quick_c};
    return plan_q_pairs_new(l, &q, err);
}

static nf_status prepare_add(plan_layer *l, float sa, float sb, float sy, nf_error *err)
{
    nf_status st = add_factors(&l->binary, sa, sb, sy, err);
    if (st) return st;
    const bool quick = l->qs8.add && krn_qs8_add_prove(&l->binary);
    if ((st = set_pairs(l, &l->binary, quick, err))) return st;
    if (quick) l->kernel_name = l->qs8.add_name;
    return NF_OK;
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
    if (l->node->op == IR_ADD) return prepare_add(l, sa, sb, sy, err);
    p->scale_a = sa * sb / sy;
    p->factor = krn_factor_of((double)p->scale_a);
    if (!(p->scale_a < 1e6f)) return nf_fail(err, NF_EFORMAT, y->name, "scales do not fit");
    return set_pairs(l, p, false, err);
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
