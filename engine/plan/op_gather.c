/* op_gather.c - values at computed places: read, written, made. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/move.h"

#include "engine/ir/krn_types.h"

#include <string.h>

/* A request may name a place that is not there. */
static void report(const plan_step *s, size_t bad, const int64_t *at)
{
    if (bad != KRN_ALL_FOUND)
        plan_fail(s, NF_EINVAL, ir_op_name(s->layer->node->op), "index %lld is out of range",
                  (long long)at[bad]);
}

PLAN_BIND(plan_bind_gather)
{
    const ir_attr *attr = &s->layer->node->attr;
    const int axis = plan_axis(attr->axis.axis, in->rank), batch = attr->axis.batch_dims;
    nf_status st;
    (void)out;
    if ((st = plan_bind_alloc(s, sizeof(krn_gather), err))) return st;
    *(krn_gather *)s->bound = (krn_gather){.batch = plan_span(in, 0, batch),
                                           .outer = plan_span(in, batch, axis),
                                           .n = in->dim[axis],
                                           .inner = plan_span(in, axis + 1, in->rank),
                                           .m = plan_span(&in[1], batch, in[1].rank)};
    s->scratch_bytes = in[1].elems * sizeof(int64_t);
    return NF_OK;
}

PLAN_RUN(plan_run_gather)
{
    const krn_gather *g = s->bound;
    const int64_t *at = plan_ints(s, 1, g->batch * g->m, s->scratch);
    report(s, krn_gather_ref(s->y, s->a, at, s->layer->elem_size, g), at);
}

static nf_status bind_tuples(plan_step *s, const plan_shape *x, const plan_shape *at, int batch,
                             nf_error *err)
{
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(krn_tuples), err))) return st;
    krn_tuples *t = s->bound;
    t->k = (int)at->dim[at->rank - 1];
    t->batch = plan_span(x, 0, batch);
    t->m = plan_span(at, batch, at->rank - 1);
    t->inner = plan_span(x, batch + t->k, x->rank);
    memcpy(t->dim, &x->dim[batch], (size_t)t->k * sizeof(*t->dim));
    s->scratch_bytes = at->elems * sizeof(int64_t);
    return NF_OK;
}

PLAN_BIND(plan_bind_gather_nd)
{
    (void)out;
    return bind_tuples(s, in, &in[1], s->layer->node->attr.axis.batch_dims, err);
}

PLAN_RUN(plan_run_gather_nd)
{
    const krn_tuples *t = s->bound;
    const int64_t *at = plan_ints(s, 1, t->batch * t->m * (size_t)t->k, s->scratch);
    report(s, krn_gather_nd_ref(s->y, s->a, at, s->layer->elem_size, t), at);
}

PLAN_PREPARE(plan_scatter_check)
{
    const ir_tensor *x = plan_in(l, g, 0), *u = plan_in(l, g, 2);
    const int mode = l->node->attr.misc.mode;
    krn_type type;
    if (u->dtype != x->dtype)
        return nf_fail(err, NF_EUNSUPPORTED, u->name, "%s of %s into %s", ir_op_name(l->node->op),
                       eng_dtype_oip(u->dtype), eng_dtype_oip(x->dtype));
    const bool known = ir_krn_type(&type, x->dtype) && mode >= 0 && mode <= IR_SCATTER_MIN;
    const bool plain = mode == IR_SCATTER_SET || (known && !x->quant.n);
    if (!plain || (mode != IR_SCATTER_SET && !krn_update_of((krn_scatter)mode, type)))
        return nf_fail(err, NF_EUNSUPPORTED, x->name, "%s in mode %d of %s",
                       ir_op_name(l->node->op), mode, eng_dtype_oip(x->dtype));
    return plan_move_check(l, g, env, err);
}

static krn_update_fn update_of(const plan_step *s)
{
    const plan_layer *l = s->layer;
    krn_type type;
    ir_krn_type(&type, plan_in(l, l->owner->g, 0)->dtype);
    return krn_update_of((krn_scatter)l->node->attr.misc.mode, type);
}

/* GATHER_ELEMENTS, SCATTER_ELEMENTS */
PLAN_BIND(plan_bind_elements)
{
    const ir_attr *attr = &s->layer->node->attr;
    const bool gathers = s->layer->node->op == IR_GATHER_ELEMENTS;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(krn_elements), err))) return st;
    krn_elements *e = s->bound;
    e->rank = in->rank;
    e->axis = plan_axis(gathers ? attr->axis.axis : attr->misc.size[0], in->rank);
    memcpy(e->dim, in->dim, sizeof(e->dim));
    memcpy(e->at, in[1].dim, sizeof(e->at));
    for (int i = 0; i < e->rank; i++)
        if (i != e->axis && e->at[i] > e->dim[i])
            return nf_fail(err, NF_EINVAL, ir_op_name(s->layer->node->op),
                           "has indices for %zu of %zu", e->at[i], e->dim[i]);
    s->scratch_bytes = in[1].elems * sizeof(int64_t);
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_RUN(plan_run_gather_elements)
{
    const krn_elements *e = s->bound;
    const int64_t *at = plan_ints(s, 1, s->u.elems, s->scratch);
    report(s, krn_gather_elements_ref(s->y, s->a, at, s->layer->elem_size, e), at);
}

PLAN_RUN(plan_run_scatter_elements)
{
    const krn_elements *e = s->bound;
    size_t n = 1;
    for (int i = 0; i < e->rank; i++)
        n *= e->at[i];
    const int64_t *at = plan_ints(s, 1, n, s->scratch);
    memcpy(s->y, s->a, s->u.elems * s->layer->elem_size);
    report(s, krn_scatter_elements_ref(s->y, s->in[2], at, s->layer->elem_size, e, update_of(s)),
           at);
}

PLAN_BIND(plan_bind_scatter_nd)
{
    const nf_status st = bind_tuples(s, in, &in[1], 0, err);
    if (st) return st;
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_RUN(plan_run_scatter_nd)
{
    const krn_tuples *t = s->bound;
    const int64_t *at = plan_ints(s, 1, t->m * (size_t)t->k, s->scratch);
    memcpy(s->y, s->a, s->u.elems * s->layer->elem_size);
    report(s, krn_scatter_nd_ref(s->y, s->in[2], at, s->layer->elem_size, t, update_of(s)), at);
}

PLAN_PREPARE(plan_one_hot_check)
{
    const ir_tensor *y = plan_out(l, g, 0);
    (void)env;
    if (plan_in(l, g, 2)->dtype == y->dtype && plan_in(l, g, 3)->dtype == y->dtype) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "ONE_HOT of values of another type");
}

PLAN_BIND(plan_bind_one_hot)
{
    const int axis = plan_axis(s->layer->node->attr.axis.axis, out->rank);
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(krn_one_hot), err))) return st;
    *(krn_one_hot *)s->bound = (krn_one_hot){.outer = plan_span(out, 0, axis),
                                             .depth = out->dim[axis],
                                             .inner = plan_span(out, axis + 1, out->rank),
                                             .wrap = s->layer->node->attr.axis.flag};
    s->scratch_bytes = in->elems * sizeof(int64_t);
    return NF_OK;
}

PLAN_RUN(plan_run_one_hot)
{
    const krn_one_hot *h = s->bound;
    const plan_layer *l = s->layer;
    const size_t size = eng_dtype_size(plan_out(l, l->owner->g, 0)->dtype);
    const int64_t *at = plan_ints(s, 0, h->outer * h->inner, s->scratch);
    krn_one_hot_ref(s->y, at, s->in[2], s->in[3], size, h);
}

PLAN_BIND(plan_bind_shapes)
{
    const nf_status st = plan_bind_alloc(s, sizeof(plan_ends), err);
    if (st) return st;
    *(plan_ends *)s->bound = (plan_ends){in[0], in[s->layer->node->n_in - 1], out[0]};
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_BIND(plan_bind_trilu)
{
    nf_status st;
    (void)in;
    if ((st = plan_bind_alloc(s, 3 * sizeof(size_t), err))) return st;
    size_t *dim = s->bound;
    dim[0] = plan_span(out, 0, out->rank - 2);
    dim[1] = out->dim[out->rank - 2];
    dim[2] = out->dim[out->rank - 1];
    return NF_OK;
}

PLAN_RUN(plan_run_trilu)
{
    const plan_layer *l = s->layer;
    uint8_t zero[PLAN_ELEM_MOST];
    int64_t room[1];
    const bool given = l->node->n_in > 1 && s->in[1];
    plan_zero(zero, plan_in(l, l->owner->g, 0));
    krn_trilu_ref(s->y, s->a, zero, l->elem_size, s->bound, given ? *plan_ints(s, 1, 1, room) : 0,
                  l->node->attr.axis.flag);
}

static void range_of_floats(float *y, const plan_step *s)
{
    const float start = *(const float *)s->in[0], delta = *(const float *)s->in[2];
    for (size_t i = 0; i < s->u.elems; i++)
        y[i] = start + (float)i * delta;
}

PLAN_RUN(plan_run_range)
{
    const plan_layer *l = s->layer;
    const eng_dtype type = plan_in(l, l->owner->g, 0)->dtype;
    int64_t from[1], step[1];
    if (type == ENG_F32) {
        range_of_floats(s->y, s);
        return;
    }
    const uint64_t start = (uint64_t)*plan_ints(s, 0, 1, from);
    const uint64_t delta = (uint64_t)*plan_ints(s, 2, 1, step);
    for (size_t i = 0; i < s->u.elems; i++) { /* the last one is below the limit: no wrap counts */
        const int64_t v = (int64_t)(start + i * delta);
        if (type == ENG_I64)
            ((int64_t *)s->y)[i] = v;
        else
            ((int32_t *)s->y)[i] = (int32_t)v;
    }
}

PLAN_PREPARE(plan_eye_check)
{
    krn_type type;
    const ir_tensor *y = plan_out(l, g, 0);
    (void)env;
    if (ir_krn_type(&type, y->dtype) && !y->quant.n) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "EYE_LIKE of %s", eng_dtype_oip(y->dtype));
}

PLAN_RUN(plan_run_eye)
{
    const plan_layer *l = s->layer;
    const plan_shape *y = &((const plan_ends *)s->bound)->out;
    const int64_t one = 1, k = l->node->attr.axis.number;
    const eng_dtype dtype = plan_out(l, l->owner->g, 0)->dtype;
    const size_t size = eng_dtype_size(dtype);
    uint8_t element[PLAN_ELEM_MOST];
    krn_type type;
    ir_krn_type(&type, dtype);
    krn_cast_ref(element, type, &one, KRN_I64, 1);
    memset(s->y, 0, y->elems * size);
    for (int64_t r = 0; r < (int64_t)y->dim[0]; r++) {
        int64_t c;
        if (__builtin_add_overflow(r, k, &c) || c < 0 || c >= (int64_t)y->dim[1]) continue;
        memcpy((char *)s->y + (size_t)(r * (int64_t)y->dim[1] + c) * size, element, size);
    }
}

PLAN_PREPARE(plan_segment_check)
{
    const ir_tensor *x = plan_in(l, g, 0);
    krn_type type;
    (void)env;
    if (ir_krn_type(&type, x->dtype) && krn_update_of(KRN_SCATTER_ADD, type)) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, x->name, "SEGMENT_SUM of %s", eng_dtype_oip(x->dtype));
}

PLAN_RUN(plan_run_segment_sum)
{
    const plan_layer *l = s->layer;
    const plan_ends *ends = s->bound;
    const plan_shape *ids = &ends->last, *y = &ends->out;
    const size_t run = plan_span(y, 1, y->rank), size = l->elem_size;
    krn_type type;
    ir_krn_type(&type, plan_in(l, l->owner->g, 0)->dtype);
    const krn_update_fn add = krn_update_of(KRN_SCATTER_ADD, type);
    memset(s->y, 0, y->elems * size);
    for (size_t i = 0; i < ids->elems; i++) {
        const size_t width = eng_dtype_size(plan_in(l, l->owner->g, 1)->dtype);
        int64_t id;
        krn_cast_ref(&id, KRN_I64, (const char *)s->b + i * width, width == 8 ? KRN_I64 : KRN_I32,
                     1);
        if (id < 0 || (uint64_t)id >= y->dim[0])
            plan_fail(s, NF_EINVAL, "SEGMENT_SUM", "id %lld of %zu", (long long)id, y->dim[0]);
        else
            add((char *)s->y + (size_t)id * run * size, (const char *)s->a + i * run * size, run,
                size);
    }
}
