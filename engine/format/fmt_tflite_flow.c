/* fmt_tflite_flow.c - TensorFlow Lite's operators of control flow and variables. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

static nf_status read_bodies(fmt_tfl *t, const fmt_tfl_op *op, ir_op kind)
{
    int32_t body[2];
    ir_node *node;
    nf_status st;
    for (unsigned k = 0; k < 2; k++) {
        const uint32_t index = (uint32_t)fmt_fb_i32(&t->fb, op->options, k, 0);
        if ((st = fmt_tfl_body(&body[k], t, index))) return st;
    }
    if ((st = fmt_tfl_add(&node, t, op, kind, (int32_t)op->in.n))) return st;
    node->attr.flow.body[0] = body[0];
    node->attr.flow.body[1] = body[1];
    return NF_OK;
}

static nf_status read_if(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_bodies(t, op, IR_IF);
}

static nf_status read_while(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_bodies(t, op, IR_WHILE);
}

static nf_status read_handle(fmt_tfl *t, const fmt_tfl_op *op)
{
    const nf_span name = fmt_fb_text(&t->fb, op->options, 1);
    int32_t variable = IR_NONE;
    if (t->n_handles == FMT_TFL_HANDLES)
        return nf_fail(t->err, NF_ETOOLARGE, "tflite", "over %d variables", FMT_TFL_HANDLES);
    for (size_t i = 0; i < t->n_handles; i++) {
        const nf_span have = t->handles[i].name;
        if (have.len == name.len && memcmp(have.s, name.s, name.len) == 0)
            variable = t->handles[i].variable;
    }
    t->handles[t->n_handles].name = name;
    t->handles[t->n_handles].file_tensor = fmt_vec_i32(op->out, 0);
    t->handles[t->n_handles].variable = variable;
    t->n_handles++;
    return NF_OK;
}

/* The variable behind input 0, made like `value` when it is first used. */
static nf_status find_variable(int32_t *out, fmt_tfl *t, const fmt_tfl_op *op, int32_t value)
{
    const int32_t from = fmt_vec_i32(op->in, 0);
    nf_status st;
    size_t i = 0;
    while (i < t->n_handles && t->handles[i].file_tensor != from)
        i++;
    if (i == t->n_handles)
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite", "a variable that no VAR_HANDLE names");
    if (t->handles[i].variable == IR_NONE) {
        int32_t fresh;
        if ((st = fmt_tfl_temp(&fresh, t, ":variable", t->g->tensors[value].dtype))) return st;
        ir_tensor *v = &t->g->tensors[fresh];
        const ir_tensor *like = &t->g->tensors[value];
        v->rank = like->rank;
        memcpy(v->dim, like->dim, sizeof(v->dim));
        v->variable = true;
        if (like->quant.n && (st = ir_set_quant(v, like->quant.n, like->quant.scale,
                                                like->quant.zero, like->quant.axis, t->err)))
            return st;
        for (size_t k = 0; k < t->n_handles; k++)
            if (t->handles[k].name.len == t->handles[i].name.len &&
                memcmp(t->handles[k].name.s, t->handles[i].name.s, t->handles[i].name.len) == 0)
                t->handles[k].variable = fresh;
    }
    *out = t->handles[i].variable;
    return NF_OK;
}

static nf_status read_variable(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t value, variable;
    nf_status st;
    if ((st = fmt_tfl_tensor(&value, t, fmt_vec_i32(op->out, 0)))) return st;
    if ((st = find_variable(&variable, t, op, value))) return st;
    return ir_add_node(NULL, t->g, IR_IDENTITY, &variable, 1, value, t->err);
}

static nf_status assign_variable(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t in[2], out;
    nf_status st;
    if ((st = fmt_tfl_tensor(&in[1], t, fmt_vec_i32(op->in, 1)))) return st;
    if ((st = find_variable(&in[0], t, op, in[1]))) return st;
    if ((st = fmt_tfl_temp(&out, t, ":assigned", t->g->tensors[in[1]].dtype))) return st;
    return ir_add_node(NULL, t->g, IR_ASSIGN, in, 2, out, t->err);
}

/* What the body may do: make handles, and set variables to constants of zero, which they are. */
static nf_status read_call_once(fmt_tfl *t, const fmt_tfl_op *op)
{
    const uint32_t index = (uint32_t)fmt_fb_i32(&t->fb, op->options, 0, 0);
    int32_t at;
    const nf_status st = fmt_tfl_body(&at, t, index);
    if (st) return st;
    const ir_graph *body = t->g->bodies[at];
    for (size_t i = 0; i < body->n_nodes; i++) {
        const ir_node *n = &body->nodes[i];
        const ir_tensor *value = n->n_in > 1 ? &body->tensors[n->in[1]] : NULL;
        bool zero = n->op == IR_ASSIGN && value && value->data;
        for (size_t k = 0; zero && k < value->bytes; k++)
            zero = value->data[k] == 0;
        if (!zero)
            return nf_fail(t->err, NF_EUNSUPPORTED, "tflite",
                           "CALL_ONCE of something else than setting variables to zero");
    }
    return NF_OK;
}

const fmt_tfl_row fmt_tfl_flow_rows[] = {
    /* code, options, inputs, results, reader */
    {118, 92, 1, 0, 0, read_if},
    {119, 93, 1, 0, 0, read_while},
    {129, 103, 0, 0, FMT_TFL_NO_RESULT, read_call_once},
    {142, 111, 0, 0, 1, read_handle},
    {143, 0, 1, 1, 1, read_variable},
    {144, 0, 2, 2, FMT_TFL_NO_RESULT, assign_variable},
    {.read = NULL},
};
