/* op_order.c - sorting and counting: results whose size depends on values. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/move.h"

#include "engine/ir/krn_types.h"

#include <string.h>

static bool is_index(const ir_tensor *t)
{
    return !t || t->dtype == ENG_I32 || t->dtype == ENG_I64;
}

static nf_status wrong_index(const plan_layer *l, const ir_tensor *t, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, t->name, "%s gives places as %s, expected INT32 or INT64",
                   ir_op_name(l->node->op), eng_dtype_oip(t->dtype));
}

/* Places as I32 or I64 into result i, if anyone wants it. */
static void put_places(const plan_step *s, int32_t i, const int64_t *places, size_t n)
{
    const plan_layer *l = s->layer;
    const ir_tensor *t = plan_out(l, l->owner->g, i);
    if (t && s->out[i])
        krn_cast_ref(s->out[i], t->dtype == ENG_I32 ? KRN_I32 : KRN_I64, places, KRN_I64, n);
}

PLAN_PREPARE(plan_top_k_check)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0), *at = plan_out(l, g, 1);
    (void)env;
    if (y->dtype != x->dtype)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "TOP_K of %s as %s", eng_dtype_oip(x->dtype),
                       eng_dtype_oip(y->dtype));
    return is_index(at) ? NF_OK : wrong_index(l, at, err);
}

PLAN_BIND(plan_bind_top_k)
{
    const plan_layer *l = s->layer;
    const ir_attr *attr = &l->node->attr;
    const int axis = plan_axis(attr->axis.axis, in->rank);
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(krn_top), err))) return st;
    *(krn_top *)s->bound = (krn_top){.compare = ir_compare_of(plan_in(l, l->owner->g, 0)->dtype),
                                     .size = l->elem_size,
                                     .outer = plan_span(in, 0, axis),
                                     .n = in->dim[axis],
                                     .inner = plan_span(in, axis + 1, in->rank),
                                     .k = out->dim[axis],
                                     .smallest = attr->axis.flag};
    s->scratch_bytes = out->elems * sizeof(int64_t) + out->dim[axis] * sizeof(size_t);
    return NF_OK;
}

PLAN_RUN(plan_run_top_k)
{
    const krn_top *t = s->bound;
    const size_t elems = t->outer * t->k * t->inner;
    int64_t *places = s->scratch;
    char *y = s->y;
    if (elems == 0) return;
    krn_top_k_ref(places, s->a, t, (size_t *)(void *)(places + elems));
    for (size_t i = 0; i < elems; i++) {
        const size_t o = i / (t->k * t->inner), in = i % t->inner;
        const size_t from = (o * t->n + (size_t)places[i]) * t->inner + in;
        memcpy(y + i * t->size, (const char *)s->a + from * t->size, t->size);
    }
    put_places(s, 1, places, elems);
}

PLAN_PREPARE(plan_unique_check)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    (void)env;
    if (y->dtype != x->dtype)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "UNIQUE of %s as %s", eng_dtype_oip(x->dtype),
                       eng_dtype_oip(y->dtype));
    for (int32_t i = 1; i < l->node->n_out; i++)
        if (!is_index(plan_out(l, g, i))) return wrong_index(l, plan_out(l, g, i), err);
    return NF_OK;
}

PLAN_BIND(plan_bind_unique)
{
    const plan_layer *l = s->layer;
    const bool whole = l->node->attr.axis.flag;
    const int axis = whole ? 0 : plan_axis(l->node->attr.axis.axis, in->rank);
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(krn_items), err))) return st;
    krn_items *t = s->bound;
    *t = (krn_items){.compare = ir_compare_of(plan_in(l, l->owner->g, 0)->dtype),
                     .size = l->elem_size,
                     .outer = whole ? 1 : plan_span(in, 0, axis),
                     .n = whole ? in->elems : in->dim[axis],
                     .inner = whole ? 1 : plan_span(in, axis + 1, in->rank)};
    s->u.elems = out->dim[axis]; /* how many there are, if it is known */
    s->scratch_bytes = KRN_UNIQUE_ROOM * t->n * sizeof(size_t) + 1;
    return NF_OK;
}

/* The lists hold sizes; they are as wide as INT64. */
_Static_assert(sizeof(size_t) == sizeof(int64_t), "lists of places are 64 bits wide");

PLAN_RUN(plan_run_unique)
{
    krn_items t = *(const krn_items *)s->bound;
    const size_t run = t.inner * t.size;
    char *y = s->y;
    krn_unique u;
    t.x = s->a;
    krn_unique_in(&u, s->scratch, t.n);
    const size_t count = krn_unique_ref(&u, &t, !s->layer->node->attr.axis.flag2);
    if (count != s->u.elems) {
        plan_fail(s, NF_EINVAL, "UNIQUE", "finds %zu values, expected %zu", count, s->u.elems);
        return;
    }
    for (size_t o = 0; o < t.outer; o++)
        for (size_t i = 0; i < count; i++, y += run)
            memcpy(y, (const char *)t.x + (o * t.n + u.first[i]) * run, run);
    put_places(s, 1, (const int64_t *)(const void *)u.first, count);
    put_places(s, 2, (const int64_t *)(const void *)u.inverse, t.n);
    put_places(s, 3, (const int64_t *)(const void *)u.times, count);
}

PLAN_PREPARE(plan_number_check)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    krn_type type;
    (void)env;
    const bool counts = ir_krn_type(&type, x->dtype) && !x->quant.n;
    if (l->node->op != IR_SIZE && !counts)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of %s", ir_op_name(l->node->op),
                       eng_dtype_oip(x->dtype));
    return is_index(y) ? NF_OK : wrong_index(l, y, err);
}

typedef struct flags_step {
    plan_shape x;
    size_t count;
} flags_step;

PLAN_BIND(plan_bind_non_zero)
{
    const bool rows = s->layer->node->attr.axis.flag;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(flags_step), err))) return st;
    *(flags_step *)s->bound = (flags_step){in[0], out->dim[rows ? 0 : 1]};
    s->scratch_bytes = out->elems * sizeof(int64_t) + in->elems;
    return NF_OK;
}

PLAN_RUN(plan_run_non_zero)
{
    const flags_step *p = s->bound;
    const plan_layer *l = s->layer;
    const size_t found = p->count * (size_t)p->x.rank;
    int64_t *places = s->scratch;
    uint8_t *is = (uint8_t *)(places + found);
    krn_type type;
    ir_krn_type(&type, plan_in(l, l->owner->g, 0)->dtype);
    krn_cast_ref(is, KRN_BOOL, s->a, type, p->x.elems);
    if (krn_count_ref(is, p->x.elems) != p->count)
        plan_fail(s, NF_EINVAL, "NON_ZERO", "finds another number of values than %zu", p->count);
    memset(places, 0, found * sizeof(*places));
    krn_non_zero_ref(places, is, p->x.dim, p->x.rank, p->count, l->node->attr.axis.flag);
    put_places(s, 0, places, found);
}

typedef struct compress_step {
    krn_gather gather;
    size_t n; /* conditions */
} compress_step;

PLAN_BIND(plan_bind_compress)
{
    const ir_attr *attr = &s->layer->node->attr;
    const bool whole = attr->axis.flag;
    const int axis = whole ? 0 : plan_axis(attr->axis.axis, in->rank);
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(compress_step), err))) return st;
    compress_step *p = s->bound;
    p->gather = (krn_gather){.batch = 1,
                             .outer = whole ? 1 : plan_span(in, 0, axis),
                             .n = whole ? in->elems : in->dim[axis],
                             .inner = whole ? 1 : plan_span(in, axis + 1, in->rank),
                             .m = out->dim[axis]};
    p->n = in[1].elems;
    s->scratch_bytes = p->gather.m * sizeof(int64_t);
    return NF_OK;
}

PLAN_RUN(plan_run_compress)
{
    const compress_step *p = s->bound;
    int64_t *places = s->scratch;
    const uint8_t *is = s->b;
    if (krn_count_ref(is, p->n) != p->gather.m)
        plan_fail(s, NF_EINVAL, "COMPRESS", "keeps another number of values than %zu", p->gather.m);
    memset(places, 0, p->gather.m * sizeof(*places));
    krn_non_zero_ref(places, is, &p->n, 1, p->gather.m, false);
    krn_gather_ref(s->y, s->a, places, s->layer->elem_size, &p->gather);
}

PLAN_RUN(plan_run_size)
{
    const int64_t n = (int64_t)((const plan_ends *)s->bound)->first.elems;
    put_places(s, 0, &n, 1);
}

/* The shape that two shapes broadcast to. */
PLAN_RUN(plan_run_broadcast_args)
{
    const plan_ends *ends = s->bound;
    const size_t n = ends->out.elems, np = ends->first.elems, nq = ends->last.elems;
    const plan_layer *l = s->layer;
    const eng_dtype type = plan_in(l, l->owner->g, 0)->dtype;
    const krn_type from = type == ENG_I64 ? KRN_I64 : KRN_I32;
    const size_t width = eng_dtype_size(type);
    for (size_t i = 0; i < n; i++) {
        int64_t p = 1, q = 1;
        if (i + np >= n)
            krn_cast_ref(&p, KRN_I64, (const char *)s->a + (i + np - n) * width, from, 1);
        if (i + nq >= n)
            krn_cast_ref(&q, KRN_I64, (const char *)s->b + (i + nq - n) * width, from, 1);
        if (p != q && p != 1 && q != 1)
            plan_fail(s, NF_EINVAL, "BROADCAST_ARGS", "%lld against %lld", (long long)p,
                      (long long)q);
        const int64_t d = p == 1 ? q : p;
        krn_cast_ref((char *)s->y + i * width, from, &d, KRN_I64, 1);
    }
}
