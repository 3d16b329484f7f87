/* op_cast.c - CAST between element types, and SHAPE. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"

#include "engine/ir/krn_types.h"

bool plan_krn_type(krn_type *out, eng_dtype t)
{
    return ir_krn_type(out, t);
}

PLAN_PREPARE(plan_cast)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    krn_type type;
    (void)env;
    if (plan_krn_type(&type, x->dtype) && plan_krn_type(&type, y->dtype)) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "CAST from %s to %s", eng_dtype_oip(x->dtype),
                   eng_dtype_oip(y->dtype));
}

PLAN_RUN(plan_run_cast)
{
    const plan_layer *l = s->layer;
    krn_type from, to;
    plan_krn_type(&from, plan_in(l, l->owner->g, 0)->dtype);
    plan_krn_type(&to, plan_out(l, l->owner->g, 0)->dtype);
    krn_cast_ref(s->y, to, s->a, from, s->u.elems);
}

PLAN_BIND(plan_bind_shape)
{
    const int first = s->layer->node->attr.axis.axis;
    nf_status st;
    if ((st = plan_bind_alloc(s, ENG_MAX_RANK * sizeof(int64_t), err))) return st;
    s->u.elems = out->elems;
    for (size_t i = 0; i < out->elems; i++)
        ((int64_t *)s->bound)[i] = (int64_t)in[0].dim[(size_t)first + i];
    return NF_OK;
}

PLAN_RUN(plan_run_shape)
{
    const plan_layer *l = s->layer;
    krn_type to;
    plan_krn_type(&to, plan_out(l, l->owner->g, 0)->dtype);
    krn_cast_ref(s->y, to, s->bound, KRN_I64, s->u.elems);
}
