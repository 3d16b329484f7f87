/* op_reduce.c - reductions, ARG_MAX, running sums, LOG_SOFTMAX, HARDMAX. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/math.h"

static krn_reduce kernel_of(ir_op op)
{
    static const uint8_t ops[IR_OP_COUNT] = {
        [IR_REDUCE_SUM] = KRN_REDUCE_SUM,         [IR_MEAN] = KRN_REDUCE_MEAN,
        [IR_REDUCE_MAX] = KRN_REDUCE_MAX,         [IR_REDUCE_ANY] = KRN_REDUCE_MAX,
        [IR_REDUCE_MIN] = KRN_REDUCE_MIN,         [IR_REDUCE_ALL] = KRN_REDUCE_MIN,
        [IR_REDUCE_PROD] = KRN_REDUCE_PROD,       [IR_REDUCE_L1] = KRN_REDUCE_L1,
        [IR_REDUCE_L2] = KRN_REDUCE_L2,           [IR_REDUCE_SUM_SQUARE] = KRN_REDUCE_SUM_SQUARE,
        [IR_REDUCE_LOG_SUM] = KRN_REDUCE_LOG_SUM, [IR_REDUCE_LOG_SUM_EXP] = KRN_REDUCE_LOG_SUM_EXP,
    };
    return ops[op];
}

/* FP32, plain whole numbers and BOOL. */
static bool is_plain(const ir_tensor *x)
{
    return !x->quant.n && x->dtype != ENG_STR && x->dtype != ENG_F64 && x->dtype != ENG_F16 &&
           x->dtype != ENG_BF16;
}

PLAN_PREPARE(plan_reduce)
{
    const ir_tensor *x = plan_in(l, g, 0);
    const bool real = l->node->op == IR_REDUCE_LOG_SUM || l->node->op == IR_REDUCE_LOG_SUM_EXP;
    (void)env;
    if (!is_plain(x) || (real && x->dtype != ENG_F32)) return plan_unsupported(l, g, err);
    return NF_OK;
}

PLAN_PREPARE(plan_reduce_bool)
{
    (void)env;
    return plan_in(l, g, 0)->dtype == ENG_BOOL ? NF_OK : plan_unsupported(l, g, err);
}

/* The axes that the op names, as bits; the shape rule has checked them. NF_ENOTIMPL: they are still
 * to be computed. */
static nf_status axes_of(uint32_t *axes, const plan_step *s, const plan_shape *in, nf_error *err)
{
    const plan_layer *l = s->layer;
    const bool listed = plan_in(l, l->owner->g, 1) != NULL;
    const int rank = in[0].rank;
    *axes = listed ? 0 : l->node->attr.reduce.axes;
    if (listed && !s->in[1])
        return nf_fail(err, NF_ENOTIMPL, plan_out(l, l->owner->g, 0)->name,
                       "%s over axes that the model computes", ir_op_name(l->node->op));
    for (size_t i = 0; listed && rank > 0 && i < in[1].elems; i++) {
        const int64_t axis = plan_number(s, 1, i);
        *axes |= 1u << (axis < 0 ? axis + rank : axis);
    }
    const bool none = !listed || in[1].elems == 0;
    if (none && *axes == 0 && l->node->attr.reduce.all) *axes = (1u << rank) - 1;
    return NF_OK;
}

PLAN_BIND(plan_bind_reduce)
{
    uint32_t axes;
    nf_status st;
    if ((st = axes_of(&axes, s, in, err))) return st;
    if ((st = plan_bind_alloc(s, sizeof(krn_groups), err))) return st;
    krn_groups_of(s->bound, in[0].dim, in[0].rank, axes);
    s->scratch_bytes = out->elems * sizeof(double);
    return NF_OK;
}

PLAN_RUN(plan_run_reduce)
{
    const krn_type t = plan_type(s);
    const krn_reduce op = kernel_of(s->layer->node->op);
    if (t == KRN_F32)
        krn_reduce_f32_ref(s->y, s->a, s->bound, op, s->scratch);
    else
        krn_reduce_int_ref(s->y, s->a, t, s->bound, op, s->scratch);
}

PLAN_PREPARE(plan_arg)
{
    (void)env;
    return is_plain(plan_in(l, g, 0)) ? NF_OK : plan_unsupported(l, g, err);
}

/* Elements before, along and behind one axis. */
static void cut_at(size_t *outer, size_t *n, size_t *inner, const plan_shape *x, int axis)
{
    *outer = *inner = 1;
    *n = x->rank ? x->dim[axis] : 1;
    for (int i = 0; i < x->rank; i++)
        if (i != axis) *(i < axis ? outer : inner) *= x->dim[i];
}

PLAN_BIND(plan_bind_arg)
{
    const char *name = plan_out(s->layer, s->layer->owner->g, 0)->name;
    uint32_t axes;
    nf_status st;
    if ((st = axes_of(&axes, s, in, err))) return st;
    const bool one = axes && (axes & (axes - 1)) == 0;
    if (!one && in[0].rank > 0)
        return nf_fail(err, NF_EUNSUPPORTED, name, "%s along another number of axes than 1",
                       ir_op_name(s->layer->node->op));
    if ((st = plan_bind_alloc(s, sizeof(krn_arg), err))) return st;
    krn_arg *a = s->bound;
    cut_at(&a->outer, &a->n, &a->inner, &in[0], one ? __builtin_ctz(axes) : 0);
    if (a->n == 0 && out->elems)
        return nf_fail(err, NF_EINVAL, name, "%s of no elements", ir_op_name(s->layer->node->op));
    a->least = s->layer->node->op == IR_ARG_MIN;
    a->last = s->layer->node->attr.reduce.last;
    s->u.elems = out->elems;
    s->scratch_bytes = out->elems * sizeof(int64_t);
    return NF_OK;
}

PLAN_RUN(plan_run_arg)
{
    krn_type to;
    plan_krn_type(&to, plan_out(s->layer, s->layer->owner->g, 0)->dtype);
    krn_arg_ref(s->scratch, s->a, plan_type(s), s->bound);
    krn_cast_ref(s->y, to, s->scratch, KRN_I64, s->u.elems);
}

PLAN_PREPARE(plan_cumulate)
{
    const eng_dtype t = plan_in(l, g, 0)->dtype;
    (void)env;
    if (t == ENG_F32 || t == ENG_I32 || t == ENG_I64 || t == ENG_U32 || t == ENG_U64) return NF_OK;
    return plan_unsupported(l, g, err);
}

PLAN_BIND(plan_bind_cumulate)
{
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(*in), err))) return st;
    *(plan_shape *)s->bound = in[0];
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_RUN(plan_run_cumulate)
{
    const plan_layer *l = s->layer;
    const plan_shape *x = s->bound;
    int64_t axis = plan_number(s, 1, 0);
    krn_scan scan = {.exclusive = l->node->attr.reduce.exclusive,
                     .reverse = l->node->attr.reduce.reverse,
                     .product = l->node->op == IR_CUM_PROD};
    if (axis < -x->rank || axis >= x->rank) {
        plan_fail(s, NF_EINVAL, plan_out(l, l->owner->g, 0)->name, "%s along axis %lld of %d",
                  ir_op_name(l->node->op), (long long)axis, x->rank);
        axis = 0;
    }
    cut_at(&scan.outer, &scan.n, &scan.inner, x, (int)(axis < 0 ? axis + x->rank : axis));
    krn_scan_ref(s->y, s->a, plan_type(s), &scan);
}

PLAN_RUN(plan_run_log_softmax)
{
    krn_f32_log_softmax_ref(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->u.softmax.inner);
}

PLAN_RUN(plan_run_hardmax)
{
    krn_f32_hardmax_ref(s->y, s->a, s->u.softmax.outer, s->u.softmax.n, s->u.softmax.inner);
}
