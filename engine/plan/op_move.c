/* op_move.c - joins, parts, repeats: loops that are known once the shapes are. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/move.h"

#include "engine/ir/slice.h"

#include <math.h>
#include <string.h>

void plan_box_add(plan_box *b, size_t dim, ptrdiff_t step_y, ptrdiff_t step_x)
{
    const int at = b->box.rank++;
    b->box.dim[at] = dim;
    b->box.step_y[at] = step_y;
    b->box.step_x[at] = step_x;
}

void plan_box_run(const plan_step *s, int32_t i, const plan_box *b)
{
    const ptrdiff_t size = (ptrdiff_t)s->layer->elem_size;
    krn_box_copy((char *)s->y + b->at_y * size, (const char *)s->in[i] + b->at_x * size,
                 s->layer->elem_size, &b->box);
}

const int64_t *plan_ints(const plan_step *s, int32_t i, size_t n, int64_t *room)
{
    const plan_layer *l = s->layer;
    const eng_dtype type = plan_in(l, l->owner->g, i)->dtype;
    if (type == ENG_I64) return s->in[i];
    ir_read_ints(room, s->in[i], type, n);
    return room;
}

nf_status plan_bound_ints(int64_t *out, size_t most, const plan_step *s, int32_t i,
                          const plan_shape *shape, nf_error *err)
{
    const plan_layer *l = s->layer;
    const ir_tensor *t = plan_in(l, l->owner->g, i);
    if (shape->elems == 0) return NF_OK;
    if (!s->in[i] || shape->elems > most)
        return nf_fail(err, NF_EUNSUPPORTED, t->name, "%s needs these numbers before it runs",
                       ir_op_name(l->node->op));
    ir_read_ints(out, s->in[i], t->dtype, shape->elems);
    return NF_OK;
}

void plan_zero(uint8_t out[PLAN_ELEM_MOST], const ir_tensor *t)
{
    memset(out, 0, PLAN_ELEM_MOST);
    if (t->quant.n && eng_dtype_size(t->dtype) <= sizeof(int32_t))
        memcpy(out, &t->quant.zero[0], eng_dtype_size(t->dtype)); /* little endian */
}

size_t plan_span(const plan_shape *s, int from, int until)
{
    size_t n = 1;
    for (int i = from; i < until; i++)
        n *= s->dim[i];
    return n;
}

int plan_axis(int64_t axis, int rank)
{
    return (int)(axis < 0 ? axis + rank : axis);
}

static bool same_quant(const ir_tensor *a, const ir_tensor *b)
{
    if (a->quant.n == 0 || b->quant.n == 0) return true;
    return a->quant.n == 1 && b->quant.n == 1 && a->quant.zero[0] == b->quant.zero[0] &&
           fabsf(a->quant.scale[0] - b->quant.scale[0]) <= 1e-4f * a->quant.scale[0];
}

/* Inputs that are moved into the result, too. */
static bool is_moved(ir_op op, int32_t i)
{
    const bool second = op == IR_MATRIX_SET_DIAG || op == IR_DYNAMIC_UPDATE_SLICE;
    return i == 0 || op == IR_CONCATENATION || (second && i == 1);
}

static nf_status differs(const plan_layer *l, const ir_tensor *t, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, t->name,
                   "%s needs one type, scale and zero point for all that it moves",
                   ir_op_name(l->node->op));
}

PLAN_PREPARE(plan_move_check)
{
    const ir_tensor *x = plan_in(l, g, 0);
    (void)env;
    for (int32_t i = 0; i < l->node->n_in; i++) {
        const ir_tensor *t = plan_in(l, g, i);
        if (!t || !is_moved(l->node->op, i)) continue;
        if (t->dtype != x->dtype || !same_quant(t, x)) return differs(l, t, err);
    }
    for (int32_t i = 0; i < l->node->n_out; i++) {
        const ir_tensor *t = plan_out(l, g, i);
        const bool zeros = l->node->op == IR_ZEROS_LIKE; /* 0 is 0 in any scale */
        if (t && (t->dtype != x->dtype || !(zeros || same_quant(t, x)))) return differs(l, t, err);
    }
    return NF_OK;
}

/* CONCATENATION and SPLIT: `outer` rounds over parts of so many bytes. */
typedef struct parts {
    size_t outer, bytes[];
} parts;

PLAN_BIND(plan_bind_concat)
{
    const int32_t n = s->layer->node->n_in;
    const int axis = plan_axis(s->layer->node->attr.axis.axis, out->rank);
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(parts) + (size_t)n * sizeof(size_t), err))) return st;
    parts *p = s->bound;
    p->outer = plan_span(out, 0, axis);
    for (int32_t i = 0; i < n; i++) /* an empty part may have another rank */
        if (in[i].elems) p->bytes[i] = in[i].elems / p->outer * s->layer->elem_size;
    return NF_OK;
}

/* The size of part i, whether anyone wants it or not; SIZE_MAX is the rest. */
static size_t part_size(const plan_step *s, const plan_shape *in, const plan_shape *out, int32_t i,
                        int axis)
{
    const ir_node *node = s->layer->node;
    const size_t n = (size_t)node->n_out, dim = in->dim[axis], part = (dim + n - 1) / n;
    const size_t before = part * (size_t)i;
    if (node->out[i] >= 0) return out[i].dim[axis];
    if (node->n_in < 2 || node->in[1] < 0)
        return before >= dim ? 0 : dim - before < part ? dim - before : part;
    const eng_dtype type = plan_in(s->layer, s->layer->owner->g, 1)->dtype;
    int64_t size = -1;
    if (s->in[1])
        ir_read_ints(&size, (const char *)s->in[1] + (size_t)i * eng_dtype_size(type), type, 1);
    return size < 0 ? SIZE_MAX : (size_t)size;
}

PLAN_BIND(plan_bind_split)
{
    const int32_t n = s->layer->node->n_out;
    const int axis = plan_axis(s->layer->node->attr.axis.axis, in->rank);
    const size_t run = plan_span(in, axis + 1, in->rank) * s->layer->elem_size;
    size_t rest = in->dim[axis];
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(parts) + (size_t)n * sizeof(size_t), err))) return st;
    parts *p = s->bound;
    p->outer = plan_span(in, 0, axis);
    for (int32_t i = 0; i < n; i++) {
        p->bytes[i] = part_size(s, in, out, i, axis);
        if (p->bytes[i] == SIZE_MAX) continue;
        if (p->bytes[i] > rest)
            return nf_fail(err, NF_EINVAL, "SPLIT", "has parts of more than %zu", in->dim[axis]);
        rest -= p->bytes[i];
    }
    for (int32_t i = 0; i < n; i++) {
        const bool open = p->bytes[i] == SIZE_MAX;
        p->bytes[i] = (open ? rest : p->bytes[i]) * run;
        if (open) rest = 0;
    }
    return NF_OK;
}

PLAN_RUN(plan_run_concat)
{
    const parts *p = s->bound;
    char *y = s->y;
    for (size_t o = 0; o < p->outer; o++)
        for (int32_t i = 0; i < s->layer->node->n_in; i++) {
            if (!p->bytes[i]) continue;
            memcpy(y, (const char *)s->in[i] + o * p->bytes[i], p->bytes[i]);
            y += p->bytes[i];
        }
}

PLAN_RUN(plan_run_split)
{
    const parts *p = s->bound;
    const char *x = s->a;
    for (size_t o = 0; o < p->outer; o++)
        for (int32_t i = 0; i < s->layer->node->n_out; i++) {
            if (p->bytes[i] && s->out[i])
                memcpy((char *)s->out[i] + o * p->bytes[i], x, p->bytes[i]);
            x += p->bytes[i];
        }
}

PLAN_BIND(plan_bind_transpose)
{
    const int *perm = s->layer->node->attr.transpose.perm;
    ptrdiff_t step_x[ENG_MAX_RANK], step_y[ENG_MAX_RANK];
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(plan_box), err))) return st;
    krn_steps(step_x, in->dim, in->rank);
    krn_steps(step_y, out->dim, out->rank);
    for (int i = 0; i < out->rank; i++)
        plan_box_add(s->bound, out->dim[i], step_y[i], step_x[perm[i]]);
    return NF_OK;
}

PLAN_RUN(plan_run_box)
{
    plan_box_run(s, 0, s->bound);
}

/* TILE and BROADCAST_TO: each axis of y is that of x, some times over. */
PLAN_BIND(plan_bind_repeat)
{
    ptrdiff_t step_x[ENG_MAX_RANK], step_y[ENG_MAX_RANK];
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(plan_box), err))) return st;
    plan_box *b = s->bound;
    krn_steps(step_x, in->dim, in->rank);
    krn_steps(step_y, out->dim, out->rank);
    for (int i = 0; i < out->rank; i++) {
        const int from = i - (out->rank - in->rank);
        const size_t d = from < 0 ? 1 : in->dim[from];
        plan_box_add(b, d ? out->dim[i] / d : 0, (ptrdiff_t)d * step_y[i], 0);
        plan_box_add(b, d, step_y[i], from < 0 ? 0 : step_x[from]);
    }
    return NF_OK;
}

/* The loops over a tensor of blocks [n, h, w, c] and one of pixels, in the order of either; see
 * ops_move.h for the two orders of channels. */
static void block_loops(size_t dim[6], ptrdiff_t deep[6], ptrdiff_t wide[6], const plan_shape *d,
                        const ir_attr *attr)
{
    const bool first = attr->misc.flag, crd = attr->misc.flag2;
    const size_t b = (size_t)attr->misc.size[0], h = d->dim[first ? 2 : 1],
                 w = d->dim[first ? 3 : 2], all = d->dim[first ? 1 : 3], c = all / (b * b);
    const ptrdiff_t pixel = first ? 1 : (ptrdiff_t)all;       /* steps of the deep one */
    const ptrdiff_t channel = first ? (ptrdiff_t)(h * w) : 1; /* likewise */
    const ptrdiff_t wide_pixel = first ? 1 : (ptrdiff_t)c, line = (ptrdiff_t)(w * b) * wide_pixel;
    const ptrdiff_t sb = (ptrdiff_t)b, sc = (ptrdiff_t)c, sw = (ptrdiff_t)w;
    const size_t dims[6] = {d->dim[0], h, b, w, b, c}; /* n, h, row in block, w, column, c */
    const ptrdiff_t deeps[6] = {(ptrdiff_t)(h * w * all),       sw * pixel,
                                (crd ? sb : sb * sc) * channel, pixel,
                                (crd ? 1 : sc) * channel,       (crd ? sb * sb : 1) * channel};
    const ptrdiff_t wides[6] = {
        (ptrdiff_t)(h * w * all), line * sb,  line,
        wide_pixel * sb,          wide_pixel, first ? (ptrdiff_t)(h * b * w * b) : 1};
    memcpy(dim, dims, sizeof(dims));
    memcpy(deep, deeps, sizeof(deeps));
    memcpy(wide, wides, sizeof(wides));
}

PLAN_BIND(plan_bind_blocks)
{
    const bool to_space = s->layer->node->op == IR_DEPTH_TO_SPACE;
    size_t dim[6];
    ptrdiff_t deep[6], wide[6];
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(plan_box), err))) return st;
    block_loops(dim, deep, wide, to_space ? in : out, &s->layer->node->attr);
    for (int i = 0; i < 6; i++)
        plan_box_add(s->bound, dim[i], to_space ? wide[i] : deep[i], to_space ? deep[i] : wide[i]);
    return NF_OK;
}

/* MATRIX_DIAG, MATRIX_SET_DIAG: [batch, diagonal] onto [batch, rows, cols]. */
PLAN_BIND(plan_bind_diag)
{
    const plan_shape *d = &in[s->layer->node->n_in - 1];
    const size_t rows = out->dim[out->rank - 2], cols = out->dim[out->rank - 1];
    const size_t n = rows < cols ? rows : cols;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(plan_box), err))) return st;
    plan_box_add(s->bound, plan_span(d, 0, d->rank - 1), (ptrdiff_t)(rows * cols), (ptrdiff_t)n);
    plan_box_add(s->bound, n, (ptrdiff_t)cols + 1, 1);
    s->u.elems = out->elems;
    return NF_OK;
}

PLAN_RUN(plan_run_diag)
{
    const plan_layer *l = s->layer;
    uint8_t zero[PLAN_ELEM_MOST];
    plan_zero(zero, plan_in(l, l->owner->g, 0));
    if (l->node->n_in > 1)
        memcpy(s->y, s->a, s->u.elems * l->elem_size);
    else
        krn_fill_ref(s->y, zero, l->elem_size, s->u.elems);
    plan_box_run(s, l->node->n_in - 1, s->bound);
}

PLAN_RUN(plan_run_zeros)
{
    uint8_t zero[PLAN_ELEM_MOST];
    plan_zero(zero, plan_out(s->layer, s->layer->owner->g, 0));
    krn_fill_ref(s->y, zero, s->layer->elem_size, s->u.elems);
}
