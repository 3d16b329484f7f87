/* op_slice.c - slices, padding, reversal: loops whose ends are inputs. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/move.h"

#include "engine/ir/slice.h"

#include <string.h>

typedef struct shape_pair {
    plan_shape in, out;
} shape_pair;

static nf_status keep_shapes(plan_step *s, const plan_shape *in, const plan_shape *out,
                             nf_error *err)
{
    const nf_status st = plan_bind_alloc(s, sizeof(shape_pair), err);
    if (!st) *(shape_pair *)s->bound = (shape_pair){*in, *out};
    return st;
}

/* SLICE and STRIDED_SLICE: how long the lists are. */
typedef struct slice_step {
    plan_box box; /* when all lists are known */
    size_t bytes; /* where that is one run of bytes */
    shape_pair shapes;
    size_t n;
} slice_step;

static void read_lists(ir_slice_args *a, const plan_step *s, const slice_step *p)
{
    const ir_node *node = s->layer->node;
    const bool strided = node->op == IR_STRIDED_SLICE;
    int64_t *const lists[] = {NULL, a->start, a->end, strided ? a->step : a->axis, a->step};
    *a = (ir_slice_args){.rank = p->shapes.in.rank, .n = p->n, .where = ir_op_name(node->op)};
    for (int i = 0; i < ENG_MAX_RANK; i++) {
        a->axis[i] = i;
        a->step[i] = 1;
        a->dim[i] = i < a->rank ? (int64_t)p->shapes.in.dim[i] : 0;
    }
    for (int32_t i = 1; i < node->n_in; i++) {
        const ir_tensor *t = plan_in(s->layer, s->layer->owner->g, i);
        if (t && p->n) ir_read_ints(lists[i], s->in[i], t->dtype, p->n);
    }
}

/* NF_EFORMAT when the lists do not give the shape that was bound. */
static nf_status find_box(plan_box *b, const plan_step *s, const slice_step *p, nf_error *err)
{
    const ir_node *node = s->layer->node;
    ptrdiff_t step_x[ENG_MAX_RANK];
    ir_slice_args a;
    ir_slice found;
    size_t elems = 1;
    read_lists(&a, s, p);
    const nf_status st = node->op == IR_SLICE
                             ? ir_slice_plain(&found, &a, node->attr.axis.flag, err)
                             : ir_slice_strided(&found, &a, &node->attr, err);
    if (st) return st;
    *b = (plan_box){.at_x = 0};
    krn_steps(step_x, p->shapes.in.dim, a.rank);
    for (int i = a.rank - 1; i >= 0; i--) {
        const ir_range *r = &found.at[i];
        if (r->count > 0) b->at_x += (ptrdiff_t)r->start * step_x[i];
        elems *= (size_t)r->count;
    }
    if (elems != p->shapes.out.elems)
        return nf_fail(err, NF_EINVAL, a.where, "takes %zu elements, expected %zu", elems,
                       p->shapes.out.elems);
    ptrdiff_t step_y = (ptrdiff_t)elems;
    for (int i = 0; i < a.rank && elems; i++) {
        step_y /= (ptrdiff_t)found.at[i].count;
        plan_box_add(b, (size_t)found.at[i].count, step_y, (ptrdiff_t)found.at[i].step * step_x[i]);
    }
    if (!elems) plan_box_add(b, 0, 0, 0);
    return NF_OK;
}

static PLAN_RUN(run_slice_bytes)
{
    const slice_step *p = s->bound;
    memcpy(s->y, (const char *)s->a + p->box.at_x * (ptrdiff_t)s->layer->elem_size, p->bytes);
}

/* Elements side by side in x. */
static bool is_run(const krn_box *b)
{
    return b->rank == 0 || (b->rank == 1 && b->step_x[0] == 1);
}

PLAN_BIND(plan_bind_slice)
{
    bool known = true;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(slice_step), err))) return st;
    slice_step *p = s->bound;
    p->shapes = (shape_pair){in[0], out[0]};
    p->n = in[1].elems;
    for (int32_t i = 1; i < s->layer->node->n_in; i++) {
        if (s->layer->node->in[i] == IR_NONE) continue;
        known &= s->in[i] != NULL;
        if (in[i].elems != p->n || p->n > ENG_MAX_RANK)
            return nf_fail(err, NF_EFORMAT, ir_op_name(s->layer->node->op),
                           "has lists of %zu and %zu numbers", p->n, in[i].elems);
    }
    if (!known) return NF_OK;
    if ((st = find_box(&p->box, s, p, err))) return st;
    s->run = plan_run_box;
    if (out->elems == 0) return NF_OK;
    krn_box_join(&p->box.box);
    p->bytes = out->elems * s->layer->elem_size;
    if (is_run(&p->box.box)) s->run = run_slice_bytes;
    return NF_OK;
}

PLAN_RUN(plan_run_slice)
{
    const slice_step *p = s->bound;
    nf_error err = {0};
    plan_box b;
    if (!find_box(&b, s, p, &err)) {
        plan_box_run(s, 0, &b);
        return;
    }
    memset(s->y, 0, p->shapes.out.elems * s->layer->elem_size);
    plan_fail(s, NF_EINVAL, err.where, "%s", err.text);
}

/* PAD */
typedef struct pad_step {
    krn_pad pad;
    uint8_t zero[PLAN_ELEM_MOST];
} pad_step;

PLAN_PREPARE(plan_pad_check)
{
    const ir_tensor *x = plan_in(l, g, 0), *v = plan_in(l, g, 2);
    const ir_quant *p = &x->quant;
    size_t n;
    if (v && (v->dtype != x->dtype || !ir_elems(&n, v, 1) || n != 1))
        return nf_fail(err, NF_EFORMAT, v->name, "PAD of %s needs one value of that type",
                       eng_dtype_oip(x->dtype));
    if (v && p->n && v->quant.n && p->zero[0] != v->quant.zero[0])
        return nf_fail(err, NF_EUNSUPPORTED, v->name, "PAD with a value of another scale");
    if ((unsigned)l->node->attr.misc.mode > IR_PAD_SYMMETRIC)
        return nf_fail(err, NF_EFORMAT, x->name, "PAD in mode %d", l->node->attr.misc.mode);
    return plan_move_check(l, g, env, err);
}

/* Something is asked for that a mode which repeats x cannot find. */
static bool repeats_nothing(const krn_pad *p, const plan_shape *in, const plan_shape *out)
{
    return p->mode != KRN_PAD_VALUE && in->elems == 0 && out->elems > 0;
}

PLAN_BIND(plan_bind_pad)
{
    static const krn_pad_mode modes[] = {KRN_PAD_VALUE, KRN_PAD_REFLECT, KRN_PAD_EDGE, KRN_PAD_WRAP,
                                         KRN_PAD_SYMMETRIC};
    const ir_attr *attr = &s->layer->node->attr;
    ir_slice_args a = {.rank = in->rank, .n = (size_t)in->rank, .where = "PAD"};
    int64_t list[2 * ENG_MAX_RANK];
    const bool has_axes = s->layer->node->n_in > 3 && s->layer->node->in[3] >= 0;
    ir_pads pads;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(pad_step), err))) return st;
    pad_step *p = s->bound;
    for (int i = 0; i < in->rank; i++)
        a.axis[i] = i;
    if (has_axes) a.n = in[3].elems;
    if (has_axes && (st = plan_bound_ints(a.axis, ENG_MAX_RANK, s, 3, &in[3], err))) return st;
    if ((st = plan_bound_ints(list, NF_COUNT(list), s, 1, &in[1], err)) ||
        (st = ir_pads_of(&pads, &a, list, in[1].elems, attr->misc.flag, err)))
        return st;
    p->pad = (krn_pad){.rank = in->rank, .mode = modes[attr->misc.mode]};
    memcpy(p->pad.in, in->dim, sizeof(p->pad.in));
    memcpy(p->pad.out, out->dim, sizeof(p->pad.out));
    memcpy(p->pad.before, pads.before, sizeof(p->pad.before));
    plan_zero(p->zero, plan_in(s->layer, s->layer->owner->g, 0));
    if (repeats_nothing(&p->pad, in, out))
        return nf_fail(err, NF_EINVAL, "PAD", "repeats an empty tensor");
    return NF_OK;
}

PLAN_RUN(plan_run_pad)
{
    const pad_step *p = s->bound;
    const bool given = s->layer->node->n_in > 2 && s->in[2];
    krn_pad_ref(s->y, s->a, given ? s->in[2] : p->zero, s->layer->elem_size, &p->pad);
}

/* REVERSE_V2: its axes may be computed. */
typedef struct reverse_step {
    shape_pair shapes;
    size_t n;
} reverse_step;

PLAN_BIND(plan_bind_reverse)
{
    nf_status st;
    if (in[1].elems > ENG_MAX_RANK)
        return nf_fail(err, NF_EFORMAT, "REVERSE_V2", "along %zu axes", in[1].elems);
    if ((st = plan_bind_alloc(s, sizeof(reverse_step), err))) return st;
    *(reverse_step *)s->bound = (reverse_step){{in[0], out[0]}, in[1].elems};
    return NF_OK;
}

PLAN_RUN(plan_run_reverse)
{
    const reverse_step *p = s->bound;
    const plan_shape *x = &p->shapes.in;
    int64_t room[ENG_MAX_RANK];
    const int64_t *axes = p->n ? plan_ints(s, 1, p->n, room) : room;
    plan_box b = {.at_x = 0};
    ptrdiff_t step[ENG_MAX_RANK];
    krn_steps(step, x->dim, x->rank);
    for (int i = 0; i < x->rank; i++)
        plan_box_add(&b, x->dim[i], step[i], step[i]);
    for (size_t k = 0; k < p->n; k++) {
        const int axis = plan_axis(axes[k] < -x->rank ? x->rank : axes[k], x->rank);
        if (axis >= x->rank || b.box.step_x[axis] != step[axis]) {
            plan_fail(s, NF_EINVAL, "REVERSE_V2", "axis %lld of %d is wrong or there twice",
                      (long long)axes[k], x->rank);
            break;
        }
        b.box.step_x[axis] = -step[axis];
        b.at_x += (ptrdiff_t)(x->dim[axis] ? x->dim[axis] - 1 : 0) * step[axis];
    }
    plan_box_run(s, 0, &b);
}

PLAN_BIND(plan_bind_reverse_sequence)
{
    s->scratch_bytes = in[1].elems * sizeof(int64_t);
    return keep_shapes(s, in, out, err);
}

/* Entry e of the batch: the first `length` steps backwards, the rest as it is. */
static void reverse_entry(const plan_step *s, const plan_shape *x, size_t e, size_t length)
{
    const ir_attr *attr = &s->layer->node->attr;
    const int time = plan_axis(attr->axis.axis, x->rank);
    const int batch = plan_axis(attr->axis.batch_dims, x->rank);
    plan_box turned = {.at_x = 0}, rest;
    ptrdiff_t step[ENG_MAX_RANK];
    krn_steps(step, x->dim, x->rank);
    for (int i = 0; i < x->rank; i++)
        plan_box_add(&turned, i == batch ? 1 : x->dim[i], step[i], step[i]);
    turned.at_x = turned.at_y = (ptrdiff_t)e * step[batch];
    rest = turned;
    rest.box.dim[time] -= length;
    rest.at_x += (ptrdiff_t)length * step[time];
    rest.at_y = rest.at_x;
    turned.box.dim[time] = length;
    turned.box.step_x[time] = -step[time];
    if (length) turned.at_x += (ptrdiff_t)(length - 1) * step[time];
    plan_box_run(s, 0, &turned);
    plan_box_run(s, 0, &rest);
}

PLAN_RUN(plan_run_reverse_sequence)
{
    const plan_shape *x = &((const shape_pair *)s->bound)->in;
    const ir_attr *attr = &s->layer->node->attr;
    const size_t n = x->dim[plan_axis(attr->axis.batch_dims, x->rank)];
    const size_t most = x->dim[plan_axis(attr->axis.axis, x->rank)];
    const int64_t *lengths = plan_ints(s, 1, n, s->scratch);
    for (size_t e = 0; e < n; e++) {
        const bool bad = lengths[e] < 0 || (uint64_t)lengths[e] > most;
        if (bad)
            plan_fail(s, NF_EINVAL, "REVERSE_SEQUENCE", "length %lld of %zu", (long long)lengths[e],
                      most);
        reverse_entry(s, x, e, bad ? 0 : (size_t)lengths[e]);
    }
}

/* SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: blocks are taken out of, or put into, a whole number of
 * them in scratch; pads and crops are what the scratch has more. */
typedef struct batch_step {
    plan_box blocks, edge; /* edge: crops */
    krn_pad pad;
    uint8_t zero[PLAN_ELEM_MOST];
} batch_step;

/* The loops over `whole` [n, h, w, ..] and over blocks [rows, columns, n, h', w', ..]. */
static void batch_loops(plan_box *b, const plan_shape *whole, const int64_t *size, int n,
                        bool to_batch)
{
    ptrdiff_t step[ENG_MAX_RANK], next = (ptrdiff_t)whole->elems;
    krn_steps(step, whole->dim, whole->rank);
    for (int k = 0; k < 2 * n + 1 + (whole->rank - n - 1); k++) {
        const int axis = k < n ? k + 1 : k - n;
        const bool spatial = axis >= 1 && axis <= n;
        const size_t block = spatial ? (size_t)size[axis - 1] : 1;
        const size_t dim = k < n ? block : whole->dim[axis] / block;
        const ptrdiff_t at = k < n ? step[axis] : (ptrdiff_t)block * step[axis];
        next = dim ? next / (ptrdiff_t)dim : 0;
        plan_box_add(b, dim, to_batch ? next : at, to_batch ? at : next);
    }
}

static nf_status read_blocks(int64_t size[ENG_MAX_RANK], int64_t edge[2 * ENG_MAX_RANK],
                             plan_step *s, const plan_shape *in, nf_error *err)
{
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(batch_step), err))) return st;
    if ((st = plan_bound_ints(size, ENG_MAX_RANK, s, 1, &in[1], err))) return st;
    return plan_bound_ints(edge, (size_t)2 * ENG_MAX_RANK, s, 2, &in[2], err);
}

PLAN_BIND(plan_bind_space_to_batch)
{
    int64_t size[ENG_MAX_RANK], edge[2 * ENG_MAX_RANK];
    const int n = (int)in[1].elems;
    plan_shape whole = in[0];
    nf_status st;
    if ((st = read_blocks(size, edge, s, in, err))) return st;
    batch_step *p = s->bound;
    p->pad = (krn_pad){.rank = in->rank, .mode = KRN_PAD_VALUE};
    for (int i = 0; i < n; i++) {
        whole.dim[i + 1] = out->dim[i + 1] * (size_t)size[i];
        p->pad.before[i + 1] = edge[2 * i];
    }
    whole.elems = plan_span(&whole, 0, whole.rank);
    memcpy(p->pad.in, in->dim, sizeof(p->pad.in));
    memcpy(p->pad.out, whole.dim, sizeof(p->pad.out));
    plan_zero(p->zero, plan_in(s->layer, s->layer->owner->g, 0));
    batch_loops(&p->blocks, &whole, size, n, true);
    s->scratch_bytes = whole.elems * s->layer->elem_size;
    return NF_OK;
}

PLAN_RUN(plan_run_space_to_batch)
{
    const batch_step *p = s->bound;
    krn_pad_ref(s->scratch, s->a, p->zero, s->layer->elem_size, &p->pad);
    krn_box_copy(s->y, s->scratch, s->layer->elem_size, &p->blocks.box);
}

PLAN_BIND(plan_bind_batch_to_space)
{
    int64_t size[ENG_MAX_RANK], edge[2 * ENG_MAX_RANK];
    const int n = (int)in[1].elems;
    plan_shape whole = out[0];
    ptrdiff_t step_x[ENG_MAX_RANK], step_y[ENG_MAX_RANK];
    nf_status st;
    if ((st = read_blocks(size, edge, s, in, err))) return st;
    batch_step *p = s->bound;
    for (int i = 0; i < n; i++)
        whole.dim[i + 1] = in->dim[i + 1] * (size_t)size[i];
    whole.elems = plan_span(&whole, 0, whole.rank);
    batch_loops(&p->blocks, &whole, size, n, false);
    krn_steps(step_x, whole.dim, whole.rank);
    krn_steps(step_y, out->dim, out->rank);
    for (int i = 0; i < out->rank; i++) {
        plan_box_add(&p->edge, out->dim[i], step_y[i], step_x[i]);
        if (i >= 1 && i <= n) p->edge.at_x += (ptrdiff_t)edge[2 * (i - 1)] * step_x[i];
    }
    s->scratch_bytes = whole.elems * s->layer->elem_size;
    return NF_OK;
}

PLAN_RUN(plan_run_batch_to_space)
{
    const batch_step *p = s->bound;
    const size_t size = s->layer->elem_size;
    krn_box_copy(s->scratch, s->a, size, &p->blocks.box);
    krn_box_copy(s->y, (const char *)s->scratch + p->edge.at_x * (ptrdiff_t)size, size,
                 &p->edge.box);
}

PLAN_BIND(plan_bind_update_slice)
{
    return keep_shapes(s, &in[1], out, err);
}

/* The update is moved so that all of it lies inside. */
PLAN_RUN(plan_run_update_slice)
{
    const shape_pair *p = s->bound;
    int64_t room[ENG_MAX_RANK];
    const int64_t *at = p->out.rank ? plan_ints(s, 2, (size_t)p->out.rank, room) : room;
    ptrdiff_t step_x[ENG_MAX_RANK], step_y[ENG_MAX_RANK];
    plan_box b = {.at_x = 0};
    krn_steps(step_x, p->in.dim, p->in.rank);
    krn_steps(step_y, p->out.dim, p->out.rank);
    for (int i = 0; i < p->out.rank; i++) {
        const int64_t most = (int64_t)(p->out.dim[i] - p->in.dim[i]);
        const int64_t from = at[i] < 0 ? 0 : at[i] > most ? most : at[i];
        plan_box_add(&b, p->in.dim[i], step_y[i], step_x[i]);
        b.at_y += (ptrdiff_t)from * step_y[i];
    }
    memcpy(s->y, s->a, p->out.elems * s->layer->elem_size);
    plan_box_run(s, 1, &b);
}
