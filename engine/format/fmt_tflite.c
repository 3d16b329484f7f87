/* fmt_tflite.c - reads TensorFlow Lite files. Layer: format. Thread rule: no shared state.
 * Source: the TensorFlow Lite schema; a model is one subgraph of operators over tensors, and
 * tensors name the buffers that hold their constants. */
#include "engine/format/fmt_tflite.h"

#include "engine/base/mem.h"
#include "engine/format/fmt.h"
#include "engine/format/missing.h"

#include <stdio.h>

#define SCHEMA_VERSION 3

static bool probe(nf_bytes head)
{
    return head.len >= 8 && memcmp(head.data + 4, "TFL3", 4) == 0;
}

nf_status fmt_tfl_check(const fmt_tfl *t)
{
    if (!t->fb.bad) return NF_OK;
    return nf_fail(t->err, NF_EFORMAT, "tflite", "%s (at byte %zu of %zu)", t->fb.bad, t->fb.bad_at,
                   t->fb.file.len);
}

/* Old files hold the code in 8 bits, new ones in 32; the other one is then smaller. */
static nf_status op_code(int32_t *code, nf_span *custom, fmt_tfl *t, fmt_table op)
{
    const uint32_t index = (uint32_t)fmt_fb_i32(&t->fb, op, 0, 0);
    if (index >= t->opcodes.n)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "operator code %u of %zu", index,
                       t->opcodes.n);
    const fmt_table row = fmt_fb_item(&t->fb, t->opcodes, index);
    const int32_t old = fmt_fb_u8(&t->fb, row, 0, 0) & 0x7f, new = fmt_fb_i32(&t->fb, row, 3, 0);
    *code = old > new ? old : new;
    *custom = fmt_fb_text(&t->fb, row, 1);
    return fmt_tfl_check(t);
}

static void note_missing(fmt_missing *m, int32_t code, nf_span custom)
{
    const char *name = fmt_tfl_name(code);
    if (code == FMT_TFL_CUSTOM && custom.len) {
        fmt_missing_add(m, custom);
    } else if (name) {
        fmt_missing_add(m, (nf_span){name, strlen(name)});
    } else {
        char number[32];
        const int n = snprintf(number, sizeof(number), "operator %d", code);
        fmt_missing_add(m, (nf_span){number, (size_t)n});
    }
}

/* Every operator that we lack, of all subgraphs, in one message. */
static nf_status check_ops(fmt_tfl *t)
{
    fmt_missing missing = {0};
    nf_status st;
    for (size_t k = 0; k < t->graphs.n; k++) {
        const fmt_table graph = fmt_fb_item(&t->fb, t->graphs, k);
        const fmt_vector ops = fmt_fb_vector(&t->fb, graph, 3, 4);
        if ((st = fmt_tfl_check(t))) return st;
        if (ops.n > IR_MAX_NODES)
            return nf_fail(t->err, NF_ETOOLARGE, "tflite", "%zu operators", ops.n);
        for (size_t i = 0; i < ops.n; i++) {
            int32_t code;
            nf_span custom;
            if ((st = op_code(&code, &custom, t, fmt_fb_item(&t->fb, ops, i)))) return st;
            if (!fmt_tfl_find(code, custom)) note_missing(&missing, code, custom);
        }
    }
    return fmt_missing_check(&missing, "tflite", t->err);
}

static nf_status read_op(fmt_tfl *t, fmt_table table)
{
    fmt_tfl_op op = {0};
    int32_t code;
    nf_span custom;
    nf_status st;
    if ((st = op_code(&code, &custom, t, table))) return st;
    op.row = fmt_tfl_find(code, custom);
    op.in = fmt_fb_vector(&t->fb, table, 1, 4);
    op.out = fmt_fb_vector(&t->fb, table, 2, 4);
    op.inner = fmt_fb_vector(&t->fb, table, 8, 4);
    const fmt_vector own = fmt_fb_vector(&t->fb, table, 5, 1);
    op.custom = (nf_bytes){own.items, own.n};
    const uint8_t kind = fmt_fb_u8(&t->fb, table, 3, 0);
    if (op.row->options && kind == op.row->options) op.options = fmt_fb_sub(&t->fb, table, 4);
    if ((st = fmt_tfl_check(t))) return st;
    if (op.row->options && kind && kind != op.row->options)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "%s with the options of another operator",
                       fmt_tfl_name(code));
    const size_t most_in = op.row->most ? op.row->most : IR_MAX_ENDS;
    const bool none = op.row->outs == FMT_TFL_NO_RESULT;
    const size_t most_out = none ? 0 : op.row->outs ? op.row->outs : IR_MAX_ENDS;
    const size_t least_out = none ? 0 : 1;
    if (op.in.n < op.row->least || op.in.n > most_in || op.out.n < least_out || op.out.n > most_out)
        return nf_fail(t->err, NF_EFORMAT, "tflite",
                       "%s with %zu inputs and %zu outputs, expected %u to %zu and %zu to %zu",
                       fmt_tfl_name(code), op.in.n, op.out.n, op.row->least, most_in, least_out,
                       most_out);
    if ((st = op.row->read(t, &op))) return st;
    return fmt_tfl_check(t);
}

static nf_status read_io(fmt_tfl *t, fmt_vector inputs, fmt_vector outputs, int32_t *index)
{
    nf_status st;
    for (size_t i = 0; i < inputs.n; i++)
        if ((st = fmt_tfl_input(&index[i], t, fmt_vec_i32(inputs, i)))) return st;
    for (size_t i = 0; i < outputs.n; i++)
        if ((st = fmt_tfl_tensor(&index[inputs.n + i], t, fmt_vec_i32(outputs, i)))) return st;
    return ir_set_io(t->g, index, inputs.n, index + inputs.n, outputs.n, t->err);
}

static nf_status read_graph(fmt_tfl *t, fmt_table graph)
{
    const fmt_vector inputs = fmt_fb_vector(&t->fb, graph, 1, 4);
    const fmt_vector outputs = fmt_fb_vector(&t->fb, graph, 2, 4);
    const fmt_vector ops = fmt_fb_vector(&t->fb, graph, 3, 4);
    int32_t *io = NULL;
    nf_status st;
    t->tensors = fmt_fb_vector(&t->fb, graph, 0, 4);
    if ((st = fmt_tfl_check(t))) return st;
    if (t->tensors.n > IR_MAX_TENSORS || ops.n > IR_MAX_NODES || inputs.n > t->tensors.n ||
        outputs.n > t->tensors.n)
        return nf_fail(t->err, NF_ETOOLARGE, "tflite",
                       "%zu tensors, %zu operators, %zu inputs and %zu outputs", t->tensors.n,
                       ops.n, inputs.n, outputs.n);
    t->map = nf_alloc_array(t->tensors.n, sizeof(*t->map), NF_MEM_GRAPH);
    io = nf_alloc_array(inputs.n + outputs.n, sizeof(*io), NF_MEM_GRAPH);
    if (!t->map || !io) {
        st = nf_fail(t->err, NF_ENOMEM, "tflite", "no memory for %zu tensors", t->tensors.n);
        goto done;
    }
    if ((st = read_io(t, inputs, outputs, io))) goto done;
    for (size_t i = 0; i < ops.n; i++)
        if ((st = read_op(t, fmt_fb_item(&t->fb, ops, i)))) goto done;
done:
    nf_free(io);
    return st;
}

#define DEPTH_MOST  8  /* bodies in bodies */
#define GRAPHS_MOST 64 /* subgraphs of a file */

nf_status fmt_tfl_body(int32_t *out, fmt_tfl *t, uint32_t index)
{
    fmt_tfl inner = {.fb = t->fb,
                     .err = t->err,
                     .opcodes = t->opcodes,
                     .buffers = t->buffers,
                     .graphs = t->graphs,
                     .left = t->left,
                     .depth = t->depth + 1};
    nf_status st;
    if (index >= t->graphs.n || inner.depth > DEPTH_MOST)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "subgraph %u of %zu, %d deep", index,
                       t->graphs.n, inner.depth);
    if ((st = ir_graph_create(&inner.g, t->err))) return st;
    inner.g->format = t->g->format;
    inner.g->body = true;
    st = read_graph(&inner, fmt_fb_item(&t->fb, t->graphs, index));
    nf_free(inner.map);
    t->fb = inner.fb;
    t->left = inner.left;
    if (!st) st = fmt_tfl_check(t);
    if (!st) st = ir_graph_verify(inner.g, t->err);
    if (!st) return ir_add_body(out, t->g, inner.g, t->err);
    ir_graph_destroy(&inner.g);
    return st;
}

static nf_status read_model(ir_graph *g, nf_bytes file, nf_error *err)
{
    fmt_tfl t = {.fb = {.file = file}, .g = g, .err = err};
    const fmt_table model = fmt_fb_root(&t.fb);
    const int32_t version = fmt_fb_i32(&t.fb, model, 0, 0);
    nf_status st;
    t.graphs = fmt_fb_vector(&t.fb, model, 2, 4);
    t.left = file.len < SIZE_MAX / 8 - (16u << 20) ? file.len * 8 + (16u << 20) : SIZE_MAX;
    t.opcodes = fmt_fb_vector(&t.fb, model, 1, 4);
    t.buffers = fmt_fb_vector(&t.fb, model, 4, 4);
    if ((st = fmt_tfl_check(&t))) return st;
    if (version != SCHEMA_VERSION)
        return nf_fail(err, NF_EFORMAT, "tflite", "schema version %d, expected %d", version,
                       SCHEMA_VERSION);
    if (t.graphs.n == 0) return nf_fail(err, NF_EFORMAT, "tflite", "has no subgraph");
    if (t.graphs.n > GRAPHS_MOST)
        return nf_fail(err, NF_ETOOLARGE, "tflite", "%zu subgraphs", t.graphs.n);
    if ((st = check_ops(&t))) return st;
    st = read_graph(&t, fmt_fb_item(&t.fb, t.graphs, 0)); /* the others are bodies */
    if (!st) st = fmt_tfl_check(&t);
    if (!st) st = fmt_tfl_notes(&t, model, fmt_fb_item(&t.fb, t.graphs, 0));
    nf_free(t.map);
    return st;
}

const fmt_reader fmt_tflite = {"tflite", probe, read_model};
