/* op_pool_nd.c - pools over 1 to 3 axes, with the places of the maxima, and their way back.
 * Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/nn.h"
#include "engine/plan/space.h"

#include <string.h>

typedef struct pool {
    krn_space s;
    krn_pool p;
    size_t batch;
} pool;

PLAN_PREPARE(plan_pool_nd)
{
    const ir_tensor *y = plan_out(l, g, 0), *at = plan_out(l, g, 1);
    const ir_nd *a = &l->node->attr.nd;
    (void)env;
    if (y->dtype != ENG_F32 || (at && (at->dtype != ENG_I64 || a->kind != IR_POOL_MAX)) ||
        (a->kind == IR_POOL_LP && a->p < 1))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "POOL_ND with results of %s and norm %d",
                       eng_dtype_oip(y->dtype), a->p);
    return NF_OK;
}

PLAN_BIND(plan_bind_pool_nd)
{
    const ir_nd *a = &s->layer->node->attr.nd;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(pool), err))) return st;
    pool *p = s->bound;
    int32_t kernel[IR_SPACE];
    for (int i = 0; i < a->n; i++)
        kernel[i] = a->kernel[i] ? a->kernel[i] : (int32_t)in[0].dim[i + 1];
    plan_space_bind(&p->s, a, &in[0], &out[0], kernel);
    p->batch = in[0].dim[0];
    p->p = (krn_pool){in[0].dim[a->n + 1], a->count_pad, a->columns, a->p, 0};
    return NF_OK;
}

PLAN_RUN(plan_run_pool_nd)
{
    const pool *own = s->bound;
    const ir_node *n = s->layer->node;
    const size_t in = krn_space_in(&own->s) * own->p.c, out = krn_space_out(&own->s) * own->p.c;
    krn_pool p = own->p;
    for (size_t i = 0; i < own->batch; i++, p.first += (int64_t)in) {
        float *y = (float *)s->out[0] + i * out;
        const float *x = (const float *)s->a + i * in;
        int64_t *index = n->n_out > 1 && s->out[1] ? (int64_t *)s->out[1] + i * out : NULL;
        if (n->attr.nd.kind == IR_POOL_MAX)
            krn_f32_max_pool_nd_ref(y, index, x, &own->s, &p);
        else if (n->attr.nd.kind == IR_POOL_MEAN)
            krn_f32_mean_pool_nd_ref(y, x, &own->s, &p);
        else
            krn_f32_lp_pool_nd_ref(y, x, &own->s, &p);
    }
}

PLAN_PREPARE(plan_unpool)
{
    const ir_tensor *y = plan_out(l, g, 0);
    (void)env;
    if (y->dtype == ENG_F32 && plan_in(l, g, 1)->dtype == ENG_I64) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "MAX_UNPOOL to %s", eng_dtype_oip(y->dtype));
}

typedef struct unpool {
    size_t n, out; /* elements */
    size_t rank;
    size_t from[ENG_MAX_RANK], to[ENG_MAX_RANK]; /* the indices' image, and the result */
} unpool;

/* The indices count in the image that the pool's parameters give; with a shape of its own the
 * result keeps each value at its coordinates. */
PLAN_BIND(plan_bind_unpool)
{
    const ir_nd *a = &s->layer->node->attr.nd;
    nf_status st;
    if (in[0].elems != in[1].elems)
        return nf_fail(err, NF_EFORMAT, "unpool", "%zu values and %zu indices", in[0].elems,
                       in[1].elems);
    if ((st = plan_bind_alloc(s, sizeof(unpool), err))) return st;
    unpool *u = s->bound;
    *u = (unpool){.n = in[0].elems, .out = out->elems, .rank = (size_t)out->rank};
    for (int i = 0; i < out->rank; i++) {
        u->from[i] = u->to[i] = out->dim[i];
        if (i < 2) continue;
        const int64_t pads = (int64_t)a->before[i - 2] + a->after[i - 2];
        const int64_t full =
            ((int64_t)in[0].dim[i] - 1) * a->stride[i - 2] + a->kernel[i - 2] - pads;
        u->from[i] = full > 0 ? (size_t)full : 1;
    }
    return NF_OK;
}

/* Where the value with that index goes; u->out when it has no place. */
static size_t placed(const unpool *u, int64_t index)
{
    size_t coordinate[ENG_MAX_RANK], at = 0, left = (size_t)index;
    if (index < 0) return u->out;
    for (size_t i = u->rank; i-- > 0;) {
        coordinate[i] = left % u->from[i];
        left /= u->from[i];
    }
    if (left) return u->out;
    for (size_t i = 0; i < u->rank; i++) {
        if (coordinate[i] >= u->to[i]) return u->out;
        at = at * u->to[i] + coordinate[i];
    }
    return at;
}

PLAN_RUN(plan_run_unpool)
{
    const unpool *u = s->bound;
    const int64_t *index = s->b;
    float *y = s->y;
    memset(y, 0, u->out * sizeof(*y));
    for (size_t i = 0; i < u->n; i++) {
        const size_t at = placed(u, index[i]);
        if (at < u->out)
            y[at] = ((const float *)s->a)[i];
        else
            plan_fail(s, NF_EINVAL, "MAX_UNPOOL", "index %lld is outside the result",
                      (long long)index[i]);
    }
}
