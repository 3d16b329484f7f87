/* fmt_onnx_shape.c - ONNX operators that change the shape and not the values. Layer: format.
 * Thread rule: no shared state.
 *
 * Applied to a constant they make another constant, so that weights which a file transposes or
 * reshapes on their way to a product are still constants. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

/* What is known of input 0: a stored constant, or the shape of a computed tensor. */
typedef struct source {
    int32_t value, tensor; /* tensor: IR_NONE for a constant */
    const fmt_onnx_const *c;
    int rank;
    int64_t dim[ENG_MAX_RANK];
} source;

static nf_status open_source(source *s, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    *s = (source){.value = fmt_onnx_in(o, n, 0), .tensor = IR_NONE};
    const fmt_onnx_value *v = fmt_onnx_value_of(o, s->value);
    if (v && v->kind == FMT_ONNX_CONST) {
        s->c = &v->c;
        s->rank = v->c.rank;
        memcpy(s->dim, v->c.dim, sizeof(s->dim));
        return NF_OK;
    }
    if ((st = fmt_onnx_use(&s->tensor, o, s->value))) return st;
    s->rank = o->g->tensors[s->tensor].rank;
    memcpy(s->dim, o->g->tensors[s->tensor].dim, sizeof(s->dim));
    return NF_OK;
}

/* The constant's content under another shape, which the rule of RESHAPE finds. */
static nf_status fold_reshape(fmt_onnx_ctx *o, const fmt_onnx_node *n, const source *s,
                              const ir_attr *attr)
{
    ir_tensor pair[2] = {{.name = o->where, .rank = s->rank}, {.name = o->where}};
    int32_t in = 0;
    const ir_graph g = {.tensors = pair, .n_tensors = 2};
    int32_t to = 1;
    const ir_node node = {
        .op = IR_RESHAPE, .in = &in, .n_in = 1, .out = &to, .n_out = 1, .attr = *attr};
    fmt_onnx_value *v = fmt_onnx_result(o, n);
    size_t elems, bytes;
    nf_status st;
    memcpy(pair[0].dim, s->dim, sizeof(s->dim));
    if ((st = fmt_onnx_size(&elems, &bytes, o, s->c))) return st;
    fmt_onnx_const c = {.type = s->c->type, .proto = s->c->proto};
    if ((st = ir_infer_shape(c.dim, &c.rank, &g, &node, o->err))) return st;
    if (s->c->data) {
        if ((st = fmt_onnx_spend(o, bytes))) return st;
        c.data = nf_alloc(bytes, NF_MEM_GRAPH);
        if (!c.data) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu bytes", bytes);
        memcpy(c.data, s->c->data, bytes);
    }
    v->kind = FMT_ONNX_CONST;
    v->c = c;
    return NF_OK;
}

static nf_status add_reshape(fmt_onnx_ctx *o, const fmt_onnx_node *n, const source *s,
                             const ir_attr *attr)
{
    int32_t y;
    nf_status st;
    if (s->c) return fold_reshape(o, n, s, attr);
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[s->tensor].dtype))) return st;
    return fmt_onnx_emit(o, IR_RESHAPE, &s->tensor, 1, y, attr);
}

nf_status fmt_onnx_flatten(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    source s;
    int64_t axis;
    nf_status st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", 1))) return st;
    if ((st = open_source(&s, o, n))) return st;
    if (axis < -s.rank || axis > s.rank)
        return nf_fail(o->err, NF_EFORMAT, o->where, "axis %lld of %d", (long long)axis, s.rank);
    const int at = (int)(axis < 0 ? axis + s.rank : axis);
    const ir_attr attr = {.reshape = {.flatten = true, .axis = at}};
    return add_reshape(o, n, &s, &attr);
}

static bool is_constant(const fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    return !v || v->kind == FMT_ONNX_CONST;
}

/* A node whose second input is computed; IR_NONE: it has none. */
static nf_status add_computed(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, int32_t second,
                              const ir_attr *attr)
{
    int32_t in[2] = {IR_NONE, second}, y;
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype))) return st;
    return fmt_onnx_emit(o, op, in, second == IR_NONE ? 1 : 2, y, attr);
}

nf_status fmt_onnx_reshape(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.reshape = {.rank = 0}};
    source s;
    int64_t allow_zero;
    int32_t to;
    size_t rank;
    nf_status st;
    if ((st = fmt_onnx_int(&allow_zero, o, n, "allowzero", 0))) return st;
    attr.reshape.zero = allow_zero != 0;
    if (!is_constant(o, fmt_onnx_in(o, n, 1))) {
        if ((st = fmt_onnx_use(&to, o, fmt_onnx_in(o, n, 1)))) return st;
        return add_computed(o, n, IR_RESHAPE, to, &attr);
    }
    st = fmt_onnx_numbers(attr.reshape.dim, &rank, ENG_MAX_RANK, o, fmt_onnx_in(o, n, 1));
    if (st) return st;
    attr.reshape.rank = (int)rank;
    if ((st = open_source(&s, o, n))) return st;
    return add_reshape(o, n, &s, &attr);
}

/* The axes of Squeeze and Unsqueeze as bits: an attribute before opset 13, an input since. */
static nf_status read_axes(uint32_t *bits, fmt_onnx_ctx *o, const fmt_onnx_node *n, int rank)
{
    int64_t axes[ENG_MAX_RANK];
    size_t count = 0;
    nf_status st = NF_OK;
    *bits = 0;
    if (o->opset < 13)
        st = fmt_onnx_ints(axes, &count, ENG_MAX_RANK, o, n, "axes");
    else if (fmt_onnx_in(o, n, 1) != IR_NONE)
        st = fmt_onnx_numbers(axes, &count, ENG_MAX_RANK, o, fmt_onnx_in(o, n, 1));
    for (size_t i = 0; !st && i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (axis < 0 || axis >= rank || (*bits >> axis & 1))
            return nf_fail(o->err, NF_EFORMAT, o->where, "axis %lld of %d is wrong or there twice",
                           (long long)axes[i], rank);
        *bits |= 1u << axis;
    }
    return st;
}

/* The shape is not known enough to say which dimensions stay. */
static bool is_open(const source *s)
{
    bool open = s->rank < 0;
    for (int i = 0; i < s->rank; i++)
        open |= s->dim[i] == IR_FREE;
    return open;
}

/* The axes of Squeeze and Unsqueeze as a tensor; IR_NONE when none are listed. */
static nf_status axes_tensor(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t axes[ENG_MAX_RANK];
    size_t count;
    nf_status st;
    *tensor = IR_NONE;
    if (o->opset >= 13)
        return fmt_onnx_in(o, n, 1) == IR_NONE ? NF_OK
                                               : fmt_onnx_use(tensor, o, fmt_onnx_in(o, n, 1));
    if ((st = fmt_onnx_ints(axes, &count, ENG_MAX_RANK, o, n, "axes"))) return st;
    return count ? fmt_onnx_new_ints(tensor, o, axes, count, 1) : NF_OK;
}

static nf_status add_open(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    int32_t axes;
    const nf_status st = axes_tensor(&axes, o, n);
    return st ? st : add_computed(o, n, op, axes, NULL);
}

/* Rows of a batch are counted by the request: their dimension is written as 0, as in the input. */
static int64_t kept(int64_t dim)
{
    return dim == IR_BATCH ? 0 : dim;
}

nf_status fmt_onnx_squeeze(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.reshape = {.rank = 0}};
    source s;
    uint32_t drop;
    nf_status st;
    if ((st = open_source(&s, o, n))) return st;
    if (is_open(&s) || !is_constant(o, fmt_onnx_in(o, n, 1))) return add_open(o, n, IR_SQUEEZE);
    if ((st = read_axes(&drop, o, n, s.rank))) return st;
    for (int i = 0; i < s.rank; i++) {
        const bool gone = drop ? drop >> i & 1 : s.dim[i] == 1;
        if (gone && s.dim[i] != 1)
            return nf_fail(o->err, NF_EFORMAT, o->where, "drops dimension %d, which is %lld", i,
                           (long long)s.dim[i]);
        if (!gone) attr.reshape.dim[attr.reshape.rank++] = kept(s.dim[i]);
    }
    return add_reshape(o, n, &s, &attr);
}

nf_status fmt_onnx_unsqueeze(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t axes[ENG_MAX_RANK];
    ir_attr attr = {.reshape = {.rank = 0}};
    source s;
    uint32_t add;
    size_t count;
    nf_status st;
    if ((st = open_source(&s, o, n))) return st;
    if (is_open(&s) || !is_constant(o, fmt_onnx_in(o, n, 1))) return add_open(o, n, IR_UNSQUEEZE);
    if (o->opset < 13)
        st = fmt_onnx_ints(axes, &count, ENG_MAX_RANK, o, n, "axes");
    else
        st = fmt_onnx_numbers(axes, &count, ENG_MAX_RANK, o, fmt_onnx_in(o, n, 1));
    if (st) return st;
    const int rank = s.rank + (int)count;
    if (rank > ENG_MAX_RANK)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "over %d dimensions", ENG_MAX_RANK);
    if ((st = read_axes(&add, o, n, rank))) return st;
    attr.reshape.rank = rank;
    for (int i = 0, from = 0; i < rank; i++)
        attr.reshape.dim[i] = add >> i & 1 ? 1 : kept(s.dim[from++]);
    return add_reshape(o, n, &s, &attr);
}

static nf_status read_perm(int *perm, fmt_onnx_ctx *o, const fmt_onnx_node *n, int rank)
{
    int64_t list[ENG_MAX_RANK];
    size_t count;
    uint32_t seen = 0;
    nf_status st;
    if ((st = fmt_onnx_ints(list, &count, ENG_MAX_RANK, o, n, "perm"))) return st;
    if (count && count != (size_t)rank)
        return nf_fail(o->err, NF_EFORMAT, o->where, "perm of %zu axes, the input has %d", count,
                       rank);
    for (int i = 0; i < rank; i++) {
        const int64_t p = count ? list[i] : rank - 1 - i;
        if (p < 0 || p >= rank || (seen >> p & 1))
            return nf_fail(o->err, NF_EFORMAT, o->where, "perm has axis %lld wrong or twice",
                           (long long)p);
        seen |= 1u << p;
        perm[i] = (int)p;
    }
    return NF_OK;
}

nf_status fmt_onnx_transpose(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.transpose = {.rank = 0}};
    source s;
    int32_t y;
    nf_status st;
    if ((st = open_source(&s, o, n))) return st;
    if ((st = read_perm(attr.transpose.perm, o, n, s.rank))) return st;
    attr.transpose.rank = s.rank;
    if (s.c) {
        fmt_onnx_value *v = fmt_onnx_result(o, n);
        if ((st = fmt_onnx_permute(&v->c, o, s.c, attr.transpose.perm))) return st;
        v->kind = FMT_ONNX_CONST;
        return NF_OK;
    }
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[s.tensor].dtype))) return st;
    return fmt_onnx_emit(o, IR_TRANSPOSE, &s.tensor, 1, y, &attr);
}
