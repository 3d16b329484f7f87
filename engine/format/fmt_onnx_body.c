/* fmt_onnx_body.c - graphs in attributes: bodies of If, Loop and Scan. Layer: format.
 * Thread rule: one owner. A body reads values of the graphs around it by their names: constants are
 * taken as they are, what is computed becomes a further input of the body. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

nf_status fmt_onnx_body_read(fmt_onnx_ctx *body, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name, const ir_tensor *like, size_t n_like)
{
    nf_status st;
    *body = (fmt_onnx_ctx){.parent = o,
                           .depth = o->depth + 1,
                           .err = o->err,
                           .opset = o->opset,
                           .like = like,
                           .n_like = n_like,
                           .left = o->left};
    memcpy(body->where, o->where, sizeof(body->where));
    if (body->depth > FMT_ONNX_DEPTH)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "bodies in bodies, over %d deep",
                       FMT_ONNX_DEPTH);
    if ((st = fmt_onnx_graph(&body->graph, o, n, name))) return st;
    if (!body->graph.data)
        return nf_fail(o->err, NF_EFORMAT, o->where, "attribute %s is missing", name);
    if ((st = ir_graph_create(&body->g, o->err))) return st;
    body->g->format = o->g->format;
    body->g->body = true;
    if ((st = fmt_onnx_read_nodes(body))) return st;
    return fmt_onnx_read_graph(body);
}

/* The parent's value of that name, wherever it has it from. */
static nf_status find_outer(int32_t *value, fmt_onnx_ctx *o, nf_span name)
{
    nf_error none = {0}, *err = o->err;
    o->err = &none; /* not there is not an error yet */
    const nf_status st = fmt_onnx_find(value, o, name, "a body");
    o->err = err;
    if (st == NF_EFORMAT) *value = IR_NONE;
    return st == NF_EFORMAT ? NF_OK : st;
}

/* A constant is the same inside: its content is decoded there when it is needed. */
static void copy_constant(fmt_onnx_value *v, const fmt_onnx_value *from)
{
    *v = *from;
    v->tensor = v->permuted = v->given = IR_NONE;
    v->c.data = NULL;
}

static nf_status add_capture(fmt_onnx_ctx *o, int32_t outer, int32_t value)
{
    fmt_onnx_capture *more =
        nf_realloc(o->captured, (o->n_captured + 1) * sizeof(*more), NF_MEM_GRAPH);
    if (!more) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a captured value");
    o->captured = more;
    o->captured[o->n_captured++] = (fmt_onnx_capture){outer, value};
    return NF_OK;
}

/* A tensor of the body that is like the captured one. */
static nf_status capture_computed(fmt_onnx_ctx *o, fmt_onnx_value *v, int32_t outer)
{
    int32_t source;
    nf_status st;
    if ((st = fmt_onnx_use(&source, o->parent, outer))) return st;
    const ir_tensor *from = &o->parent->g->tensors[source];
    if ((st = ir_add_tensor(&v->tensor, o->g, from->name, strlen(from->name), from->dtype, o->err)))
        return st;
    ir_tensor *t = &o->g->tensors[v->tensor];
    t->rank = from->rank;
    for (int i = 0; i < t->rank; i++)
        t->dim[i] = from->dim[i] > 0 ? from->dim[i] : IR_FREE;
    if (!from->quant.n) return NF_OK;
    return ir_set_quant(t, from->quant.n, from->quant.scale, from->quant.zero, from->quant.axis,
                        o->err);
}

static bool decoded_only(const fmt_onnx_value *v)
{
    return v->kind == FMT_ONNX_CONST && v->c.data && !v->c.proto.data;
}

nf_status fmt_onnx_capture_name(int32_t *value, fmt_onnx_ctx *o, nf_span name)
{
    int32_t outer;
    nf_status st;
    *value = IR_NONE;
    if (!o->parent) return NF_OK;
    for (size_t i = o->n_sorted; i < o->n_values; i++)
        if (o->values[i].name.len == name.len && memcmp(o->values[i].name.s, name.s, name.len) == 0)
            *value = (int32_t)i;
    if (*value != IR_NONE) return NF_OK;
    if ((st = find_outer(&outer, o->parent, name)) || outer == IR_NONE) return st;
    if (o->n_values == o->cap_values)
        return nf_fail(o->err, NF_ETOOLARGE, o->where, "too many values of outer graphs");
    fmt_onnx_value *v = &o->values[o->n_values];
    const fmt_onnx_value *from = fmt_onnx_value_of(o->parent, outer);
    *v = (fmt_onnx_value){.tensor = IR_NONE, .given = IR_NONE, .permuted = IR_NONE};
    if (from->kind == FMT_ONNX_CONST && !decoded_only(from))
        copy_constant(v, from);
    else if ((st = capture_computed(o, v, outer)))
        return st;
    v->name = name;
    v->is_output = false;
    *value = (int32_t)o->n_values++;
    return v->kind == FMT_ONNX_CONST ? NF_OK : add_capture(o, outer, *value);
}

nf_status fmt_onnx_body_captures(int32_t *outer, size_t *n, const fmt_onnx_ctx *body)
{
    for (size_t i = 0; i < body->n_captured; i++) {
        size_t k = 0;
        while (k < *n && outer[k] != body->captured[i].outer)
            k++;
        if (k < *n) continue;
        if (*n == FMT_ONNX_CAPTURES)
            return nf_fail(body->err, NF_ETOOLARGE, body->where, "bodies capture over %d values",
                           FMT_ONNX_CAPTURES);
        outer[(*n)++] = body->captured[i].outer;
    }
    return NF_OK;
}

static nf_status find_input(int32_t *tensor, fmt_onnx_ctx *body, int32_t outer)
{
    fmt_onnx_value unused = {.tensor = IR_NONE};
    for (size_t i = 0; i < body->n_captured; i++)
        if (body->captured[i].outer == outer) {
            *tensor = body->values[body->captured[i].value].tensor;
            return NF_OK;
        }
    const nf_status st = capture_computed(body, &unused, outer); /* the other branch reads it */
    *tensor = unused.tensor;
    return st;
}

nf_status fmt_onnx_body_add(int32_t *index, fmt_onnx_ctx *o, fmt_onnx_ctx *body,
                            const int32_t *outer, size_t n)
{
    int32_t inputs[FMT_ONNX_CAPTURES];
    nf_status st;
    for (size_t i = 0; i < n; i++)
        if ((st = find_input(&inputs[i], body, outer[i]))) return st;
    if ((st = fmt_onnx_set_io(body, inputs, n))) return st;
    if ((st = ir_graph_verify(body->g, o->err))) return st;
    ir_graph *g = body->g;
    body->g = NULL;
    return ir_add_body(index, o->g, g, o->err);
}

void fmt_onnx_body_end(fmt_onnx_ctx *body)
{
    if (body->parent) body->parent->left = body->left;
    ir_graph_destroy(&body->g);
    fmt_onnx_ctx_fini(body);
}
