/* shape.c - the shape rules: one small function a rule. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

const ir_tensor *ir_rule_in(const ir_rule *a, int32_t i)
{
    const bool there = i < a->node->n_in && a->node->in[i] != IR_NONE;
    return there ? &a->tensors[a->node->in[i]] : NULL;
}

static const ir_tensor *input(const ir_rule *a, int i)
{
    return &a->tensors[a->node->in[i]];
}

static bool batched(const ir_tensor *t)
{
    return t->rank > 0 && t->dim[0] == IR_BATCH;
}

static nf_status too_large(const ir_rule *a)
{
    return nf_fail(a->err, NF_ETOOLARGE, a->where, "shape of %s has too many elements",
                   ir_op_name(a->node->op));
}

static int64_t same_total(int64_t in, int64_t out, int64_t stride, int64_t extent)
{
    const int64_t total = (out - 1) * stride + extent - in;
    return total > 0 ? total : 0;
}

static int64_t explicit_out(const ir_window *w, int64_t in, const int32_t pad[2], int64_t extent,
                            int64_t stride)
{
    const int64_t room = in + pad[0] + pad[1] - extent;
    if (room < 0) return 0;
    int64_t out = (room + (w->ceil ? stride - 1 : 0)) / stride + 1;
    /* Rounded up, a window could begin behind the image: that one does not count. */
    return w->ceil && (out - 1) * stride >= in + pad[0] ? out - 1 : out;
}

ir_axis ir_window_axis(const ir_window *w, bool vertical, int64_t in, int32_t kernel)
{
    const int64_t stride = vertical ? w->stride_h : w->stride_w;
    const int64_t dilation = vertical ? w->dilation_h : w->dilation_w;
    const int64_t extent = (kernel - 1) * dilation + 1;
    const int32_t pad[2] = {vertical ? w->top : w->left, vertical ? w->bottom : w->right};
    if (in < 0) return (ir_axis){IR_FREE, 0, 0};
    if (w->pad == IR_PAD_EXPLICIT)
        return (ir_axis){explicit_out(w, in, pad, extent, stride), pad[0], pad[1]};
    if (w->pad == IR_PAD_VALID)
        return (ir_axis){in < extent ? 0 : (in - extent) / stride + 1, 0, 0};
    const int64_t out = (in + stride - 1) / stride;
    const int64_t total = same_total(in, out, stride, extent);
    if (total > INT32_MAX) return (ir_axis){0};
    const int32_t less = (int32_t)(total / 2), more = (int32_t)(total - less);
    const bool lower = w->pad == IR_PAD_SAME_LOWER;
    return (ir_axis){out, lower ? more : less, lower ? less : more};
}

/* [n, h, w, ?] -> [n, out h, out w, channels] */
static nf_status window_shape(ir_shape *out, const ir_rule *a, const int32_t kernel[2],
                              int64_t channels)
{
    const ir_tensor *x = input(a, 0);
    const ir_window *w = &a->node->attr.window;
    const ir_axis h = ir_window_axis(w, true, x->dim[1], kernel[0]);
    const ir_axis v = ir_window_axis(w, false, x->dim[2], kernel[1]);
    if (h.out == 0 || v.out == 0)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "window %dx%d of %s does not fit into an image of %lldx%lld", kernel[0],
                       kernel[1], ir_op_name(a->node->op), (long long)x->dim[1],
                       (long long)x->dim[2]);
    *out = (ir_shape){4, {x->dim[0], h.out, v.out, channels}};
    return NF_OK;
}

static nf_status check_window(const ir_rule *a)
{
    const ir_window *w = &a->node->attr.window;
    const bool bad = w->stride_h < 1 || w->stride_w < 1 || w->dilation_h < 1 || w->dilation_w < 1 ||
                     w->top < 0 || w->left < 0 || w->bottom < 0 || w->right < 0;
    if (bad)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "%s has a stride or dilation below 1, or a padding below 0",
                       ir_op_name(a->node->op));
    if (input(a, 0)->rank != 4)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s needs a 4-D input, not %d-D",
                       ir_op_name(a->node->op), input(a, 0)->rank);
    return NF_OK;
}

IR_RULE(conv)
{
    const ir_tensor *x = input(a, 0), *w = input(a, 1);
    const bool depthwise = a->node->op == IR_DEPTHWISE_CONV_2D;
    const int64_t groups = depthwise ? 1 : a->node->attr.window.groups;
    nf_status st;
    if ((st = check_window(a))) return st;
    if (w->rank != 4 || !ir_shape_known(w) || w->dim[1] > INT32_MAX || w->dim[2] > INT32_MAX)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s needs 4-D weights, not %d-D",
                       ir_op_name(a->node->op), w->rank);
    if (x->dim[3] == 0)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s of no channels", ir_op_name(a->node->op));
    const int64_t channels = depthwise ? w->dim[3] : w->dim[0];
    /* an open number of them must turn out to be what the weights want */
    const int64_t c = x->dim[3] > 0 ? x->dim[3] : depthwise ? 1 : w->dim[3] * groups;
    bool fits;
    if (depthwise)
        fits = w->dim[0] == 1 && channels % c == 0;
    else
        fits = groups > 0 && c % groups == 0 && channels % groups == 0 && w->dim[3] == c / groups;
    if (!fits)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "%s weights [%lld,%lld,%lld,%lld] in %lld groups do not fit %lld channels",
                       ir_op_name(a->node->op), (long long)w->dim[0], (long long)w->dim[1],
                       (long long)w->dim[2], (long long)w->dim[3], (long long)groups, (long long)c);
    return window_shape(out, a, (int32_t[]){(int32_t)w->dim[1], (int32_t)w->dim[2]}, channels);
}

/* A window of a pool must hold at least one pixel, so that a mean is never taken of none. */
IR_RULE(pool)
{
    const ir_window *w = &a->node->attr.window;
    const bool dilated = w->dilation_h > 1 || w->dilation_w > 1;
    const bool pads = w->top || w->left || w->bottom || w->right || w->pad == IR_PAD_SAME ||
                      w->pad == IR_PAD_SAME_LOWER;
    nf_status st;
    if ((st = check_window(a))) return st;
    if (w->kernel_h < 1 || w->kernel_w < 1)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s has a window of %dx%d",
                       ir_op_name(a->node->op), w->kernel_h, w->kernel_w);
    if (dilated && pads)
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s with dilation and padding",
                       ir_op_name(a->node->op));
    if (w->top >= w->kernel_h || w->bottom >= w->kernel_h || w->left >= w->kernel_w ||
        w->right >= w->kernel_w)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s pads by its whole window",
                       ir_op_name(a->node->op));
    return window_shape(out, a, (int32_t[]){w->kernel_h, w->kernel_w}, input(a, 0)->dim[3]);
}

IR_RULE(dense)
{
    const ir_tensor *x = input(a, 0), *w = input(a, 1);
    if (w->rank != 2 || !ir_shape_known(w) || x->rank < 1 ||
        (x->dim[x->rank - 1] >= 0 && x->dim[x->rank - 1] != w->dim[1]))
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "FULLY_CONNECTED weights [%lld,%lld] of rank %d do not fit rows of %lld",
                       (long long)w->dim[0], (long long)w->dim[1], w->rank,
                       x->rank ? (long long)x->dim[x->rank - 1] : 0LL);
    if (a->node->attr.dense.keep_dims) {
        ir_rule_copy(out, a, 0);
        out->dim[x->rank - 1] = w->dim[0];
        return NF_OK;
    }
    int64_t rows = 1;
    for (int i = batched(x) ? 1 : 0; i < x->rank - 1; i++)
        rows = ir_dim_mul(rows, x->dim[i]);
    if (batched(x)) rows = rows == 1 && x->rank > 1 ? IR_BATCH : IR_FREE;
    *out = (ir_shape){2, {rows, w->dim[0]}};
    return NF_OK;
}

IR_RULE(same)
{
    ir_rule_copy(out, a, 0);
    return NF_OK;
}

IR_RULE(softmax)
{
    const int axis = a->node->attr.softmax.axis;
    ir_rule_copy(out, a, 0);
    if (axis < 0 || axis >= out->rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s along axis %d of %d",
                       ir_op_name(a->node->op), axis, out->rank);
    if (axis == 0) ir_rule_mix(out);
    return NF_OK;
}

IR_RULE(broadcast)
{
    ir_rule_copy(out, a, 0);
    for (int32_t i = 1; i < a->node->n_in; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        ir_shape s = {0};
        if (!t) continue;
        s.rank = t->rank;
        memcpy(s.dim, t->dim, sizeof(s.dim));
        const nf_status st = ir_rule_join(out, &s, a);
        if (st) return st;
    }
    return NF_OK;
}

static nf_status flatten(ir_shape *out, const ir_rule *a)
{
    const ir_tensor *x = input(a, 0);
    const int axis = a->node->attr.reshape.axis;
    int64_t before = 1, behind = 1;
    if (axis < 0 || axis > x->rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "flattens at axis %d of a %d-D input", axis,
                       x->rank);
    for (int i = batched(x) ? 1 : 0; i < axis; i++)
        before = ir_dim_mul(before, x->dim[i]);
    for (int i = axis; i < x->rank; i++)
        behind = ir_dim_mul(behind, x->dim[i]);
    if (batched(x) && axis > 0) before = before == 1 ? IR_BATCH : IR_FREE;
    *out = (ir_shape){2, {before, behind}};
    return NF_OK;
}

/* What a RESHAPE is asked for: dims as in ir_attr.reshape, IR_SYMBOL for the rows of the batch. */
typedef struct target {
    size_t rank; /* ENG_MAX_RANK + 1 when it is not known */
    bool known;
    int64_t dim[ENG_MAX_RANK];
    int open; /* the place of -1, or none (-1) */
} target;

static nf_status read_target(target *t, const ir_rule *a)
{
    const ir_tensor *x = input(a, 0);
    nf_status st;
    *t = (target){.rank = (size_t)a->node->attr.reshape.rank, .known = true, .open = -1};
    memcpy(t->dim, a->node->attr.reshape.dim, sizeof(t->dim));
    if (ir_rule_in(a, 1) && (st = ir_rule_ints(t->dim, &t->rank, &t->known, ENG_MAX_RANK, a, 1)))
        return st;
    for (size_t i = 0; t->known && i < t->rank; i++) {
        const bool copies = t->dim[i] == 0 && !a->node->attr.reshape.zero;
        const bool bad = t->dim[i] < -1 && t->dim[i] != IR_SYMBOL;
        if (bad || (t->dim[i] == -1 && t->open >= 0) || (copies && (int)i >= x->rank))
            return nf_fail(a->err, NF_EFORMAT, a->where, "RESHAPE to a bad dimension %zu: %lld", i,
                           (long long)t->dim[i]);
        if (t->dim[i] == -1) t->open = (int)i;
        if (copies) t->dim[i] = x->dim[i] == IR_BATCH ? IR_SYMBOL : x->dim[i];
    }
    return NF_OK;
}

/* Fills dim[open] so that dims first .. rank-1 hold `elems`; false when they cannot. */
static bool fill_open(ir_shape *out, int open, int first, int64_t elems)
{
    int64_t rest = 1;
    for (int i = first; i < out->rank; i++)
        if (i != open && __builtin_mul_overflow(rest, out->dim[i], &rest)) return false;
    if (open < first) return rest == elems;
    if (rest == 0 || elems % rest != 0) return false;
    out->dim[open] = elems / rest;
    return true;
}

/* The rows stay in front, or they are mixed. A file that was written for one row says 1 there. */
static nf_status reshape_rows(ir_shape *out, const target *t, int64_t row_elems, const ir_rule *a)
{
    const bool front = out->rank > 0 && (t->dim[0] == IR_SYMBOL || t->dim[0] == 1 || t->open == 0);
    ir_shape try = *out;
    try.dim[0] = 1;
    bool others = false; /* a second place that has the batch */
    for (int i = 1; i < out->rank; i++)
        others |= t->dim[i] == IR_SYMBOL;
    if (front && !others && fill_open(&try, t->open > 0 ? t->open : -1, 1, row_elems)) {
        *out = try;
        out->dim[0] = IR_BATCH;
        return NF_OK;
    }
    int64_t rest = 1;
    for (int i = 0; i < out->rank; i++) {
        if (t->dim[i] < 0)
            out->dim[i] = IR_FREE;
        else
            rest = ir_dim_mul(rest, t->dim[i]);
    }
    /* whatever the number of rows, they must be cut into whole pieces, or be whole pieces */
    if (rest > 0 && row_elems > 0 && rest % row_elems != 0 && row_elems % rest != 0)
        return nf_fail(a->err, NF_EFORMAT, a->where, "RESHAPE of rows of %lld elements to %lld",
                       (long long)row_elems, (long long)rest);
    return NF_OK;
}

IR_RULE(reshape)
{
    const ir_tensor *x = input(a, 0);
    int64_t elems = 1;
    target t;
    nf_status st;
    if (a->node->attr.reshape.flatten) return flatten(out, a);
    if ((st = read_target(&t, a))) return st;
    out->rank = t.rank > ENG_MAX_RANK ? IR_RANK_FREE : (int)t.rank;
    for (int i = 0; i < out->rank; i++)
        out->dim[i] = t.known && t.dim[i] >= 0 ? t.dim[i] : IR_FREE;
    if (!t.known) return NF_OK;
    for (int i = batched(x) ? 1 : 0; i < x->rank; i++)
        elems = ir_dim_mul(elems, x->dim[i]);
    if (elems < 0) { /* open dimensions that are copied in place keep their meaning */
        if (batched(x) && out->rank > 0 && t.dim[0] == IR_SYMBOL) out->dim[0] = IR_BATCH;
        return NF_OK;
    }
    if (batched(x)) return reshape_rows(out, &t, elems, a);
    if (fill_open(out, t.open, 0, elems)) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "RESHAPE of %lld elements to another number",
                   (long long)elems);
}

IR_RULE(transpose)
{
    const ir_tensor *x = input(a, 0);
    const int *perm = a->node->attr.transpose.perm;
    unsigned seen = 0;
    out->rank = x->rank;
    if (a->node->attr.transpose.rank != x->rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "TRANSPOSE of %d axes, the input has %d",
                       a->node->attr.transpose.rank, x->rank);
    for (int i = 0; i < x->rank; i++) {
        if (perm[i] < 0 || perm[i] >= x->rank || (seen & 1u << perm[i]))
            return nf_fail(a->err, NF_EFORMAT, a->where, "TRANSPOSE has axis %d wrong or twice",
                           perm[i]);
        seen |= 1u << perm[i];
        out->dim[i] = x->dim[perm[i]];
        if (out->dim[i] == IR_BATCH && i > 0) out->dim[i] = IR_FREE;
    }
    return NF_OK;
}

/* The range of axes that a SHAPE tells. */
IR_RULE(shape_of)
{
    const int rank = input(a, 0)->rank;
    const int from = a->node->attr.axis.axis, to = (int)a->node->attr.axis.number;
    *out = (ir_shape){1, {0}};
    if (from < 0 || to < from || to > rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "SHAPE from axis %d to %d of %d", from, to,
                       rank);
    out->dim[0] = to - from;
    return NF_OK;
}

typedef struct rule_row {
    int32_t least, most, outs;
    nf_status (*rule)(ir_shape *out, const ir_rule *a);
} rule_row;

static const rule_row rules[] = {
#define X(name, least, most, outs, rule, types) {least, most, outs, ir_rule_##rule},
    IR_OP_MAP(X)
#undef X
};

static nf_status check_args(const ir_rule *a)
{
    const ir_node *node = a->node;
    const rule_row *row = &rules[node->op];
    const bool too_many = (row->most && node->n_in > row->most) || node->n_in > IR_MAX_ENDS;
    if (node->n_in < row->least || too_many)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s has %d inputs, expected %d to %d",
                       ir_op_name(node->op), node->n_in, row->least, row->most);
    if (node->n_out < 1 || (row->outs && node->n_out > row->outs) || node->n_out > IR_MAX_ENDS)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s has %d results, expected 1 to %d",
                       ir_op_name(node->op), node->n_out, row->outs);
    for (int32_t i = 0; i < node->n_in; i++) {
        const bool absent = node->in[i] == IR_NONE && i >= row->least;
        if (!absent && (node->in[i] < 0 || (size_t)node->in[i] >= a->g->n_tensors))
            return nf_fail(a->err, NF_EFORMAT, a->where, "input %d of %s names tensor %d of %zu", i,
                           ir_op_name(node->op), node->in[i], a->g->n_tensors);
    }
    return NF_OK;
}

static bool rank_missing(const ir_rule *a)
{
    for (int32_t i = 0; i < a->node->n_in; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        if (t && t->rank == IR_RANK_FREE) return true;
    }
    return false;
}

static nf_status check_result(const ir_shape *s, const ir_rule *a)
{
    int64_t n = 1;
    if (s->rank < IR_RANK_FREE || s->rank > ENG_MAX_RANK)
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s gives %d dimensions, at most %d",
                       ir_op_name(a->node->op), s->rank, ENG_MAX_RANK);
    for (int i = 0; i < s->rank; i++) {
        const bool rows = s->dim[i] == IR_BATCH && i == 0;
        if (s->dim[i] < 0 && s->dim[i] != IR_FREE && !rows) return too_large(a);
        if (s->dim[i] >= 0 &&
            (__builtin_mul_overflow(n, s->dim[i], &n) || n > (int64_t)IR_MAX_ELEMS))
            return too_large(a);
    }
    return NF_OK;
}

nf_status ir_infer_shapes(ir_shape *out, const ir_graph *g, const ir_tensor *tensors,
                          const ir_node *node, nf_error *err)
{
    ir_rule a = {g, tensors, node, "graph", err};
    nf_status st;
    if ((unsigned)node->op >= IR_OP_COUNT || node->n_out < 1 || node->out[0] < 0 ||
        (size_t)node->out[0] >= g->n_tensors)
        return nf_fail(err, NF_EFORMAT, "graph", "a node has no result (tensor %d of %zu)",
                       node->n_out ? node->out[0] : -1, g->n_tensors);
    a.where = tensors[node->out[0]].name;
    if ((st = check_args(&a))) return st;
    for (int32_t i = 0; i < node->n_out; i++)
        out[i] = (ir_shape){.rank = IR_RANK_FREE};
    if (rank_missing(&a)) return NF_OK;
    if ((st = rules[node->op].rule(out, &a))) return st;
    for (int32_t i = 0; i < node->n_out; i++)
        if ((st = check_result(&out[i], &a))) return st;
    return NF_OK;
}

nf_status ir_infer_shape(int64_t dim[ENG_MAX_RANK], int *rank, const ir_graph *g,
                         const ir_node *node, nf_error *err)
{
    ir_shape s;
    nf_status st;
    if (node->n_out > 1)
        return nf_fail(err, NF_EFORMAT, "graph", "%s has %d results, expected 1",
                       ir_op_name(node->op), node->n_out);
    if ((st = ir_infer_shapes(&s, g, g->tensors, node, err))) return st;
    memcpy(dim, s.dim, sizeof(s.dim));
    *rank = s.rank;
    return NF_OK;
}
