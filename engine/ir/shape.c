/* shape.c - the shape rules: one small function a rule. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/graph.h"

typedef struct shape {
    int rank;
    int64_t dim[ENG_MAX_RANK];
} shape;

typedef struct rule_args {
    const ir_graph *g;
    const ir_node *node;
    const char *where; /* name of the result */
    nf_error *err;
} rule_args;

typedef nf_status (*shape_rule)(shape *out, const rule_args *a);

static const ir_tensor *input(const rule_args *a, int i)
{
    return &a->g->tensors[a->node->in[i]];
}

static bool batched(const ir_tensor *t)
{
    return t->rank > 0 && t->dim[0] == IR_BATCH;
}

/* Product of dims first .. last-1, which are all known. */
static bool product(int64_t *out, const int64_t *dim, int first, int last)
{
    *out = 1;
    for (int i = first; i < last; i++)
        if (__builtin_mul_overflow(*out, dim[i], out)) return false;
    return true;
}

static nf_status too_large(const rule_args *a)
{
    return nf_fail(a->err, NF_ETOOLARGE, a->where, "shape of %s has too many elements",
                   ir_op_name(a->node->op));
}

static nf_status mixes_rows(const rule_args *a)
{
    return nf_fail(a->err, NF_EUNSUPPORTED, a->where,
                   "%s moves or mixes the rows of a batch: give the model a fixed first dimension",
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
static nf_status window_shape(shape *out, const rule_args *a, const int32_t kernel[2],
                              int64_t channels)
{
    const ir_tensor *x = input(a, 0);
    const ir_window *w = &a->node->attr.window;
    const ir_axis h = ir_window_axis(w, true, x->dim[1], kernel[0]);
    const ir_axis v = ir_window_axis(w, false, x->dim[2], kernel[1]);
    if (h.out <= 0 || v.out <= 0)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "window %dx%d of %s does not fit into an image of %lldx%lld", kernel[0],
                       kernel[1], ir_op_name(a->node->op), (long long)x->dim[1],
                       (long long)x->dim[2]);
    *out = (shape){4, {x->dim[0], h.out, v.out, channels}};
    return NF_OK;
}

static nf_status check_window(const rule_args *a)
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

static nf_status rule_conv(shape *out, const rule_args *a)
{
    const ir_tensor *x = input(a, 0), *w = input(a, 1);
    const bool depthwise = a->node->op == IR_DEPTHWISE_CONV_2D;
    const int64_t groups = depthwise ? 1 : a->node->attr.window.groups;
    nf_status st;
    if ((st = check_window(a))) return st;
    if (w->rank != 4 || batched(w) || w->dim[1] > INT32_MAX || w->dim[2] > INT32_MAX)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s needs 4-D weights, not %d-D",
                       ir_op_name(a->node->op), w->rank);
    const int64_t channels = depthwise ? w->dim[3] : w->dim[0], c = x->dim[3];
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
static nf_status rule_pool(shape *out, const rule_args *a)
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

static nf_status rule_dense(shape *out, const rule_args *a)
{
    const ir_tensor *x = input(a, 0), *w = input(a, 1);
    if (w->rank != 2 || batched(w) || x->rank < 1 || x->dim[x->rank - 1] != w->dim[1])
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "FULLY_CONNECTED weights [%lld,%lld] of rank %d do not fit rows of %lld",
                       (long long)w->dim[0], (long long)w->dim[1], w->rank,
                       x->rank ? (long long)x->dim[x->rank - 1] : 0LL);
    if (a->node->attr.dense.keep_dims) {
        out->rank = x->rank;
        memcpy(out->dim, x->dim, sizeof(out->dim));
        out->dim[x->rank - 1] = w->dim[0];
        return NF_OK;
    }
    int64_t rows;
    if (!product(&rows, x->dim, batched(x) ? 1 : 0, x->rank - 1)) return too_large(a);
    if (batched(x) && (rows != 1 || x->rank < 2)) return mixes_rows(a);
    *out = (shape){2, {batched(x) ? IR_BATCH : rows, w->dim[0]}};
    return NF_OK;
}

static nf_status rule_same(shape *out, const rule_args *a)
{
    const ir_tensor *x = input(a, 0);
    out->rank = x->rank;
    memcpy(out->dim, x->dim, sizeof(out->dim));
    return NF_OK;
}

static nf_status rule_broadcast(shape *out, const rule_args *a)
{
    const ir_tensor *x = input(a, 0), *y = input(a, 1);
    out->rank = x->rank > y->rank ? x->rank : y->rank;
    for (int i = 0; i < out->rank; i++) {
        const int xi = i - (out->rank - x->rank), yi = i - (out->rank - y->rank);
        const int64_t p = xi < 0 ? 1 : x->dim[xi], q = yi < 0 ? 1 : y->dim[yi];
        if (p != q && p != 1 && q != 1)
            return nf_fail(a->err, NF_EFORMAT, a->where,
                           "%s cannot broadcast %lld against %lld in dimension %d (-1: the batch)",
                           ir_op_name(a->node->op), (long long)p, (long long)q, i);
        out->dim[i] = p == 1 ? q : p;
        if (out->dim[i] == IR_BATCH && i > 0) return mixes_rows(a);
    }
    return NF_OK;
}

static nf_status rule_flatten(shape *out, const rule_args *a)
{
    const ir_tensor *x = input(a, 0);
    const int axis = a->node->attr.reshape.axis, rows = batched(x) ? 1 : 0;
    int64_t before, behind;
    if (axis < 0 || axis > x->rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "flattens at axis %d of a %d-D input", axis,
                       x->rank);
    if (batched(x) && axis == 0) return mixes_rows(a);
    if (!product(&before, x->dim, rows, axis) || !product(&behind, x->dim, axis, x->rank))
        return too_large(a);
    if (batched(x) && before != 1) return mixes_rows(a);
    *out = (shape){2, {batched(x) ? IR_BATCH : before, behind}};
    return NF_OK;
}

/* Copies the wanted dims, with 0 replaced by the input's dim; *open is the place of -1, or none. */
static nf_status wanted_dims(shape *out, int *open, const rule_args *a)
{
    const ir_tensor *x = input(a, 0);
    *open = -1;
    out->rank = a->node->attr.reshape.rank;
    for (int i = 0; i < out->rank; i++) {
        const int64_t d = a->node->attr.reshape.dim[i];
        if (d < -1 || (d == -1 && *open >= 0) || (d == 0 && i >= x->rank))
            return nf_fail(a->err, NF_EFORMAT, a->where, "RESHAPE to a bad dimension %d: %lld", i,
                           (long long)d);
        if (d == 0 && x->dim[i] == IR_BATCH && i > 0) return mixes_rows(a);
        if (d == -1) *open = i;
        out->dim[i] = d == 0 ? x->dim[i] : d;
    }
    return NF_OK;
}

/* Gives the open dimension what is left of `elems`; the others must divide it. */
static nf_status fill_open(shape *out, int open, int first, int64_t elems, const rule_args *a)
{
    int64_t known = 1;
    for (int i = first; i < out->rank; i++)
        if (i != open && __builtin_mul_overflow(known, out->dim[i], &known)) return too_large(a);
    if (open >= first && elems % known == 0) {
        out->dim[open] = elems / known;
        return NF_OK;
    }
    if (open < first && known == elems) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "RESHAPE of %lld elements to %lld",
                   (long long)elems, (long long)known);
}

static nf_status rule_reshape(shape *out, const rule_args *a)
{
    const ir_tensor *x = input(a, 0);
    int64_t elems;
    int open;
    nf_status st;
    if (a->node->attr.reshape.flatten) return rule_flatten(out, a);
    if ((st = wanted_dims(out, &open, a))) return st;
    if (!product(&elems, x->dim, batched(x) ? 1 : 0, x->rank)) return too_large(a);
    if (!batched(x)) return fill_open(out, open, 0, elems, a);
    /* The rows stay in front: a file that was written for one row says 1 (or -1) there. */
    if (out->rank == 0 || (out->dim[0] != IR_BATCH && out->dim[0] != 1)) return mixes_rows(a);
    out->dim[0] = IR_BATCH;
    if (open == 0) open = -1;
    return fill_open(out, open, 1, elems, a);
}

static nf_status rule_transpose(shape *out, const rule_args *a)
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
        if (out->dim[i] == IR_BATCH && i > 0) return mixes_rows(a);
    }
    return NF_OK;
}

static const struct {
    int32_t least, most;
    shape_rule rule;
} rules[] = {
#define X(name, least, most, outs, rule) {least, most, rule_##rule},
    IR_OP_MAP(X)
#undef X
};

static nf_status check_args(const rule_args *a)
{
    const ir_node *node = a->node;
    if (node->n_in < rules[node->op].least || node->n_in > rules[node->op].most)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s has %d inputs, expected %d to %d",
                       ir_op_name(node->op), node->n_in, rules[node->op].least,
                       rules[node->op].most);
    for (int32_t i = 0; i < node->n_in; i++) {
        const bool absent = node->in[i] == IR_NONE && i >= rules[node->op].least;
        if (!absent && (node->in[i] < 0 || (size_t)node->in[i] >= a->g->n_tensors))
            return nf_fail(a->err, NF_EFORMAT, a->where, "input %d of %s names tensor %d of %zu", i,
                           ir_op_name(node->op), node->in[i], a->g->n_tensors);
    }
    return NF_OK;
}

nf_status ir_infer_shape(int64_t dim[ENG_MAX_RANK], int *rank, const ir_graph *g,
                         const ir_node *node, nf_error *err)
{
    rule_args a = {g, node, "graph", err};
    shape s = {0};
    nf_status st;
    if (node->out < 0 || (size_t)node->out >= g->n_tensors || (unsigned)node->op >= IR_OP_COUNT)
        return nf_fail(err, NF_EFORMAT, "graph", "a node has no result (tensor %d of %zu)",
                       node->out, g->n_tensors);
    a.where = g->tensors[node->out].name;
    if ((st = check_args(&a))) return st;
    if ((st = rules[node->op].rule(&s, &a))) return st;
    ir_tensor probe = {.rank = s.rank};
    size_t n;
    memcpy(probe.dim, s.dim, sizeof(probe.dim));
    if (!ir_elems(&n, &probe, 1) || n == 0) return too_large(&a);
    memcpy(dim, s.dim, sizeof(s.dim));
    *rank = s.rank;
    return NF_OK;
}
