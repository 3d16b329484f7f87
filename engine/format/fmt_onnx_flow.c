/* fmt_onnx_flow.c - ONNX: control flow. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

/* The node's operands, behind them what its bodies capture. */
static nf_status operands(int32_t *in, size_t *n_in, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                          const int32_t *outer, size_t n_outer)
{
    nf_status st;
    *n_in = 0;
    for (size_t i = 0; i < n->n_in; i++, (*n_in)++) {
        in[*n_in] = IR_NONE;
        if (fmt_onnx_in(o, n, i) == IR_NONE) continue;
        if ((st = fmt_onnx_use(&in[*n_in], o, fmt_onnx_in(o, n, i)))) return st;
    }
    for (size_t i = 0; i < n_outer; i++, (*n_in)++)
        if ((st = fmt_onnx_use(&in[*n_in], o, outer[i]))) return st;
    return NF_OK;
}

/* Emits the node; its results have the types of the body's outputs from `first` on. */
static nf_status emit_flow(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const ir_attr *attr,
                           const int32_t *outer, size_t n_outer, size_t first)
{
    const size_t all = n->n_in + n_outer + n->n_out;
    int32_t *ends = nf_alloc_array(all, sizeof(*ends), NF_MEM_GRAPH);
    size_t n_in;
    if (!ends) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a node");
    nf_status st = operands(ends, &n_in, o, n, outer, n_outer);
    int32_t *out = ends + n->n_in + n_outer;
    for (size_t i = 0; i < n->n_out && !st; i++) {
        const ir_graph *body = o->g->bodies[attr->flow.body[0]];
        if (first + i >= body->n_outputs)
            st = nf_fail(o->err, NF_EFORMAT, o->where, "more results than the body has");
        else
            st = fmt_onnx_out_at(&out[i], o, n, i, body->tensors[body->outputs[first + i]].dtype);
    }
    size_t n_out = n->n_out;
    if (!st && out[0] == IR_NONE) /* a node is known by its first result */
        st = fmt_onnx_temp(&out[0], o, n, ":first",
                           o->g->bodies[attr->flow.body[0]]
                               ->tensors[o->g->bodies[attr->flow.body[0]]->outputs[first]]
                               .dtype);
    const ir_ends e = {ends, out, (int32_t)n_in, (int32_t)n_out};
    if (!st) st = fmt_onnx_emit_ends(o, op, &e, attr);
    nf_free(ends);
    return st;
}

static nf_status read_if(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const names[] = {"then_branch", "else_branch"};
    fmt_onnx_ctx *body = nf_alloc_array(2, sizeof(*body), NF_MEM_GRAPH);
    int32_t outer[FMT_ONNX_CAPTURES];
    size_t n_outer = 0;
    ir_attr attr = {0};
    nf_status st = body ? NF_OK : nf_fail(o->err, NF_ENOMEM, o->where, "no memory");
    for (int k = 0; k < 2 && !st; k++) {
        st = fmt_onnx_body_read(&body[k], o, n, names[k], NULL, 0);
        if (!st) st = fmt_onnx_body_captures(outer, &n_outer, &body[k]);
        o->left = body[k].left;
    }
    for (int k = 0; k < 2 && !st; k++)
        st = fmt_onnx_body_add(&attr.flow.body[k], o, &body[k], outer, n_outer);
    for (int k = 0; k < 2 && body; k++)
        fmt_onnx_body_end(&body[k]);
    nf_free(body);
    return st ? st : emit_flow(o, n, IR_IF, &attr, outer, n_outer, 0);
}

/* One body whose inputs are like `like`. */
static nf_status read_body(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, ir_attr *attr,
                           const ir_tensor *like, size_t n_like)
{
    fmt_onnx_ctx *body = nf_alloc(sizeof(*body), NF_MEM_GRAPH);
    int32_t outer[FMT_ONNX_CAPTURES];
    size_t n_outer = 0;
    nf_status st;
    if (!body) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a body");
    st = fmt_onnx_body_read(body, o, n, "body", like, n_like);
    if (!st) st = fmt_onnx_body_captures(outer, &n_outer, body);
    if (!st) st = fmt_onnx_body_add(&attr->flow.body[0], o, body, outer, n_outer);
    fmt_onnx_body_end(body);
    nf_free(body);
    attr->flow.body[1] = IR_NONE;
    return st ? st : emit_flow(o, n, op, attr, outer, n_outer, op == IR_LOOP ? 1 : 0);
}

/* What operand i looks like to a body; slices lose their first dimension. */
static nf_status like_operand(ir_tensor *like, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i,
                              bool slice)
{
    int32_t t;
    nf_status st;
    if ((st = fmt_onnx_use(&t, o, fmt_onnx_in(o, n, i)))) return st;
    const ir_tensor *x = &o->g->tensors[t];
    *like = (ir_tensor){.dtype = x->dtype, .rank = x->rank, .quant = x->quant};
    if (like->quant.n > 1) like->quant.n = 0;
    if (slice && like->rank > 0) like->rank--;
    return NF_OK;
}

static nf_status read_loop(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const size_t kept = n->n_in - 2;
    ir_attr attr = {.flow = {.kept = (int32_t)kept}};
    ir_tensor *like = nf_alloc_array(n->n_in, sizeof(*like), NF_MEM_GRAPH);
    nf_status st = like ? NF_OK : nf_fail(o->err, NF_ENOMEM, o->where, "no memory");
    if (like) {
        like[0] = (ir_tensor){.dtype = ENG_I64};
        like[1] = (ir_tensor){.dtype = ENG_BOOL};
    }
    for (size_t i = 2; i < n->n_in && !st; i++)
        st = like_operand(&like[i], o, n, i, false);
    if (!st && n->n_out < kept)
        st = nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a Loop that hides what it carries");
    if (!st) st = read_body(o, n, IR_LOOP, &attr, like, n->n_in);
    nf_free(like);
    return st;
}

/* Axes and directions other than the usual ones are refused. */
static nf_status check_scan(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const names[] = {"scan_input_axes", "scan_output_axes",
                                        "scan_input_directions", "scan_output_directions"};
    int64_t v[64];
    size_t count;
    nf_status st;
    if (o->opset < 9) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "Scan of opset 8");
    for (size_t k = 0; k < NF_COUNT(names); k++) {
        if ((st = fmt_onnx_ints(v, &count, NF_COUNT(v), o, n, names[k]))) return st;
        for (size_t i = 0; i < count; i++)
            if (v[i]) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "Scan with %s", names[k]);
    }
    return NF_OK;
}

static nf_status read_scan(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {0};
    int64_t sliced;
    nf_status st;
    if ((st = check_scan(o, n))) return st;
    if ((st = fmt_onnx_int(&sliced, o, n, "num_scan_inputs", 0))) return st;
    if (sliced < 1 || sliced > (int64_t)n->n_in)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld stacks of %zu inputs", (long long)sliced,
                       n->n_in);
    attr.flow.sliced = (int32_t)sliced;
    attr.flow.kept = (int32_t)n->n_in - attr.flow.sliced;
    ir_tensor *like = nf_alloc_array(n->n_in, sizeof(*like), NF_MEM_GRAPH);
    if (!like) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory");
    for (size_t i = 0; i < n->n_in && !st; i++)
        st = like_operand(&like[i], o, n, i, i >= (size_t)attr.flow.kept);
    if (!st) st = read_body(o, n, IR_SCAN, &attr, like, n->n_in);
    nf_free(like);
    return st;
}

const fmt_onnx_row fmt_onnx_flow_rows[] = {
    /* operator, inputs, reader */
    {"If", 1, 1, read_if},
    {"Loop", 2, 0, read_loop},
    {"Scan", 1, 0, read_scan},
    {.op = NULL},
};
