/* op_binary_q8.c - ADD and MUL in 8 bits. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/lines.h"

#include <float.h>
#include <math.h>

/* Common sums: the reference widens both operands by 2^20 first. */
static nf_status add_factors(krn_qs8_binary *p, float sa, float sb, float sy, nf_error *err)
{
    const double twice = 2.0 * (double)(sa > sb ? sa : sb);
    const float most = sa > sb ? sa / sy : sb / sy;
    p->factor_a = krn_factor_of((double)sa / twice);
    p->factor_b = krn_factor_of((double)sb / twice);
    p->factor = krn_factor_of(twice / ((double)(1 << 20) * (double)sy));
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
    const nf_status st = add_factors(&l->binary, sa, sb, sy, err);
    if (!st && l->qs8.add && krn_qs8_add_prove(&l->binary)) l->kernel_name = l->qs8.add_name;
    return st;
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
    return NF_OK;
}

static void line_q8(const plan_step *s, size_t at, size_t a, size_t b)
{
    const int last = s->u.loop.rank - 1;
    const plan_layer *l = s->layer;
    if (l->kernel_name == l->qs8.add_name && s->u.loop.step_a[last] == 1 &&
        s->u.loop.step_b[last] == 1) {
        l->qs8.add((uint8_t *)s->y + at, (const uint8_t *)s->a + a, (const uint8_t *)s->b + b,
                   s->u.loop.dim[last], &l->binary);
        return;
    }
    (l->node->op == IR_ADD ? krn_qs8_add_ref : krn_qs8_mul_ref)(
        (uint8_t *)s->y + at, (const uint8_t *)s->a + a, s->u.loop.step_a[last],
        (const uint8_t *)s->b + b, s->u.loop.step_b[last], s->u.loop.dim[last], &l->binary);
}

PLAN_RUN(plan_run_binary_q8)
{
    plan_each_line(s, line_q8);
}
