/* op_dequantize.c - whole numbers with one scale, or one for each index of an axis, to floats.
 * Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"

#include "engine/kernels/krn_qs8_real.h"

PLAN_PREPARE(plan_dequantize)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    krn_type type;
    (void)env;
    if (x->quant.n && y->dtype == ENG_F32 && plan_krn_type(&type, x->dtype)) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "DEQUANTIZE from %s with %zu scales to %s",
                   eng_dtype_oip(x->dtype), x->quant.n, eng_dtype_oip(y->dtype));
}

static PLAN_RUN(run_bytes)
{
    const plan_layer *l = s->layer;
    l->qs8.real->floats(s->y, s->a, s->u.elems, l->scale, l->zero, l->is_unsigned);
}

static PLAN_RUN(run_axis)
{
    const plan_layer *l = s->layer;
    const ir_quant *q = &plan_in(l, l->owner->g, 0)->quant;
    const krn_scales scales = {q->scale, q->zero, s->u.softmax.n, s->u.softmax.inner};
    krn_type type;
    plan_krn_type(&type, plan_in(l, l->owner->g, 0)->dtype);
    krn_dequantize_ref(s->y, s->a, type, s->u.softmax.outer, &scales);
}

/* [outer, n, inner]: n scales, each for `inner` elements. */
PLAN_BIND(plan_bind_dequantize)
{
    const plan_layer *l = s->layer;
    const ir_tensor *x = plan_in(l, l->owner->g, 0);
    const bool bytes = x->dtype == ENG_I8 || x->dtype == ENG_U8;
    (void)err;
    if (x->quant.n == 1 && bytes) {
        s->u.elems = out->elems;
        s->run = run_bytes;
        return NF_OK;
    }
    s->u.softmax.n = x->quant.n;
    s->u.softmax.inner = 1;
    for (int i = x->quant.axis + 1; i < in[0].rank && x->quant.n > 1; i++)
        s->u.softmax.inner *= in[0].dim[i];
    const size_t block = s->u.softmax.n * s->u.softmax.inner;
    s->u.softmax.outer = block ? out->elems / block : 0;
    s->run = run_axis;
    return NF_OK;
}
