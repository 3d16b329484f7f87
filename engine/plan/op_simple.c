/* op_simple.c - softmax, limits, conversions, views. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_qs16.h"
#include "engine/kernels/krn_qs8_real.h"

#include <string.h>

PLAN_PREPARE(plan_same_quant)
{
    const ir_quant *x = &g->tensors[l->node->in[0]].quant, *y = &g->tensors[l->node->out[0]].quant;
    (void)env;
    if (x->n == 1 && y->n == 1 && x->scale[0] == y->scale[0] && x->zero[0] == y->zero[0])
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, g->tensors[l->node->out[0]].name,
                   "%s needs the same scale and zero point on both sides", ir_op_name(l->node->op));
}

PLAN_PREPARE(plan_softmax_q8)
{
    const ir_tensor *x = &g->tensors[l->node->in[0]], *y = &g->tensors[l->node->out[0]];
    (void)env;
    if (l->node->attr.softmax.axis != x->rank - 1 || y->dtype != x->dtype || y->quant.n != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "8-bit SOFTMAX runs along the last axis");
    l->softmax = nf_alloc(sizeof(*l->softmax), NF_MEM_WEIGHTS);
    if (!l->softmax) return nf_fail(err, NF_ENOMEM, y->name, "no memory for a table");
    l->softmax->round = l->round;
    l->softmax->is_unsigned = l->is_unsigned;
    l->softmax->out_scale = y->quant.scale[0];
    l->softmax->out_zero = y->quant.zero[0];
    krn_qs8_softmax_init(l->softmax, l->scale, l->node->attr.softmax.beta);
    l->weight_bytes = sizeof(*l->softmax);
    return NF_OK;
}

PLAN_PREPARE(plan_quantize)
{
    const ir_tensor *y = &g->tensors[l->node->out[0]];
    (void)env;
    if ((y->dtype != ENG_I8 && y->dtype != ENG_U8 && y->dtype != ENG_I16) || y->quant.n != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "QUANTIZE to %s with %zu scales",
                       eng_dtype_oip(y->dtype), y->quant.n);
    l->scale = y->quant.scale[0];
    l->zero = y->quant.zero[0];
    l->is_unsigned = y->dtype == ENG_U8;
    return NF_OK;
}

PLAN_BIND(plan_bind_elems)
{
    (void)in, (void)err;
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_BIND(plan_bind_softmax)
{
    (void)in, (void)err;
    const int axis = s->layer->node->attr.softmax.axis;
    s->u.softmax.outer = s->u.softmax.inner = 1;
    s->u.softmax.n = out->dim[axis];
    for (int i = 0; i < out->rank; i++)
        if (i != axis) *(i < axis ? &s->u.softmax.outer : &s->u.softmax.inner) *= out->dim[i];
    return NF_OK;
}

PLAN_RUN(plan_run_softmax_f32)
{
    s->layer->f32.softmax(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->u.softmax.inner,
                          s->layer->node->attr.softmax.beta);
}

PLAN_RUN(plan_run_softmax_q8)
{
    s->layer->qs8.softmax(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->layer->softmax);
}

PLAN_RUN(plan_run_clamp_f32)
{
    s->layer->f32.clamp(s->y, s->a, s->u.elems, s->layer->clamp_low, s->layer->clamp_high);
}

PLAN_RUN(plan_run_clamp_q8)
{
    krn_qs8_clamp_ref(s->y, s->a, s->u.elems, s->layer->low, s->layer->high, s->layer->is_unsigned);
}

PLAN_RUN(plan_run_quantize)
{
    const plan_layer *l = s->layer;
    if (plan_out(l, l->owner->g, 0)->dtype == ENG_I16) {
        krn_qs16_quantize_ref(s->y, s->a, s->u.elems, l->scale, l->zero, l->away);
        return;
    }
    const krn_qs8_steps to = krn_qs8_steps_to(l->scale, l->zero, l->is_unsigned, l->away);
    l->qs8.real->bytes(s->y, s->a, s->u.elems, &to);
}

PLAN_RUN(plan_run_copy)
{
    if (s->y != s->a) memcpy(s->y, s->a, s->u.elems * s->layer->elem_size);
}
