/* op_quant_pool.c - pooling of INT16, SOFTMAX to INT16, L2_NORMALIZATION. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

PLAN_PREPARE(plan_q_pool)
{
    const ir_tensor *y = plan_out(l, g, 0);
    krn_type type;
    nf_status st;
    if ((st = plan_same_quant(l, g, env, err)) || (st = plan_q_type(&type, y, err))) return st;
    plan_q_limits(&l->low, &l->high, y, (ir_clamp){l->clamp_low, l->clamp_high});
    return NF_OK;
}

PLAN_RUN(plan_run_q_pool)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    const int32_t limits[2] = {l->low, l->high};
    const size_t in = w->in_h * w->in_w * w->in_c, out = w->out_h * w->out_w * w->out_c;
    for (size_t b = 0; b < s->u.window.batch; b++)
        krn_q_pool_ref((char *)s->y + b * out * l->elem_size,
                       (const char *)s->a + b * in * l->elem_size, KRN_I16, w,
                       l->node->op == IR_AVERAGE_POOL_2D, limits);
}

PLAN_PREPARE(plan_q_softmax16)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    krn_type from, to;
    nf_status st;
    if (x->dtype != ENG_I16 && y->dtype != ENG_I16) return plan_softmax_q8(l, g, env, err);
    if ((st = plan_q_type(&from, x, err)) || (st = plan_q_type(&to, y, err))) return st;
    if (l->node->attr.softmax.axis != x->rank - 1 || to != KRN_I16)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "16-bit SOFTMAX runs along the last axis");
    krn_q_softmax16 *p = nf_alloc(sizeof(*p), NF_MEM_WEIGHTS);
    if (!p) return nf_fail(err, NF_ENOMEM, y->name, "no memory for a table");
    l->own = p;
    p->from = from;
    p->scale = y->quant.scale[0];
    p->zero = y->quant.zero[0];
    p->fast = plan_q_fast(l);
    krn_q_softmax16_init(p, l->scale, l->node->attr.softmax.beta);
    l->weight_bytes = sizeof(*p);
    return NF_OK;
}

static PLAN_RUN(run_softmax16)
{
    krn_q_softmax16_ref(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->layer->own);
}

PLAN_BIND(plan_bind_q_softmax)
{
    s->run = s->layer->own ? run_softmax16 : plan_run_softmax_q8;
    return plan_bind_softmax(s, in, out, err);
}

PLAN_PREPARE(plan_q_l2_norm)
{
    const ir_norm *a = &l->node->attr.norm;
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    krn_type type;
    nf_status st;
    (void)env;
    if ((st = plan_q_type(&type, x, err)) || (st = plan_q_type(&type, y, err))) return st;
    if (a->axis == x->rank - 1 && a->p == 2 && type != KRN_I16 && x->dtype == y->dtype &&
        y->quant.scale[0] == 1.0f / 128)
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "this norm of quantized values");
}

PLAN_BIND(plan_bind_q_l2_norm)
{
    (void)in, (void)err;
    s->u.softmax.n = out->rank ? out->dim[out->rank - 1] : 1;
    s->u.softmax.outer = s->u.softmax.n ? out->elems / s->u.softmax.n : 0;
    return NF_OK;
}

PLAN_RUN(plan_run_q_l2_norm)
{
    const plan_layer *l = s->layer;
    krn_q_l2_norm_ref(s->y, s->a, l->is_unsigned ? KRN_U8 : KRN_I8, s->u.softmax.outer,
                      s->u.softmax.n, l->zero, plan_out(l, l->owner->g, 0)->quant.zero[0]);
}
