/* fmt_tflite_emit.c - the tables of TensorFlow Lite's operators, and what their readers share.
 * Layer: format. Thread rule: one owner. */
#include "engine/format/fmt_tflite.h"

#include "engine/base/mem.h"

#include <math.h>

static const fmt_tfl_row *const tables[] = {
    fmt_tfl_core_rows, fmt_tfl_math_rows, fmt_tfl_move_rows,  fmt_tfl_nn_rows,
    fmt_tfl_rnn_rows,  fmt_tfl_flow_rows, fmt_tfl_detect_rows};

static const fmt_tfl_row *find_custom(nf_span name)
{
    for (const fmt_tfl_custom *c = fmt_tfl_custom_rows; c->name; c++)
        if (strlen(c->name) == name.len && memcmp(c->name, name.s, name.len) == 0) return &c->row;
    return NULL;
}

const fmt_tfl_row *fmt_tfl_find(int32_t code, nf_span custom)
{
    if (code == FMT_TFL_CUSTOM) return find_custom(custom);
    for (size_t i = 0; i < NF_COUNT(tables); i++)
        for (const fmt_tfl_row *r = tables[i]; r->read; r++)
            if (r->code == code) return r;
    return NULL;
}

static nf_status fill_ends(int32_t *ends, fmt_tfl *t, const fmt_tfl_op *op, int32_t n_in)
{
    nf_status st;
    for (int32_t i = 0; i < n_in; i++) {
        const int32_t index = fmt_vec_i32(op->in, (size_t)i);
        ends[i] = IR_NONE;
        const bool absent = index == -1 && i >= op->row->least;
        if (!absent && (st = fmt_tfl_tensor(&ends[i], t, index))) return st;
    }
    for (size_t i = 0; i < op->out.n; i++)
        if ((st = fmt_tfl_tensor(&ends[n_in + (int32_t)i], t, fmt_vec_i32(op->out, i)))) return st;
    return NF_OK;
}

nf_status fmt_tfl_add(ir_node **node, fmt_tfl *t, const fmt_tfl_op *op, ir_op kind, int32_t n_in)
{
    if (n_in > (int32_t)op->in.n) n_in = (int32_t)op->in.n;
    int32_t *ends = nf_alloc_array((size_t)n_in + op->out.n, sizeof(*ends), NF_MEM_GRAPH);
    if (!ends) return nf_fail(t->err, NF_ENOMEM, "tflite", "no memory for a node");
    nf_status st = fill_ends(ends, t, op, n_in);
    int32_t kept = n_in;
    while (!st && kept > 1 && ends[kept - 1] == IR_NONE)
        kept--;
    const ir_ends e = {ends, ends + n_in, kept, (int32_t)op->out.n};
    if (!st) st = ir_add_node_ends(node, t->g, kind, &e, t->err);
    nf_free(ends);
    return st;
}

nf_status fmt_tfl_in(const ir_tensor **x, fmt_tfl *t, const fmt_tfl_op *op, size_t i)
{
    int32_t at;
    *x = NULL;
    if (i >= op->in.n || fmt_vec_i32(op->in, i) == -1)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "%s without its operand %zu",
                       fmt_tfl_name(op->row->code), i);
    const nf_status st = fmt_tfl_tensor(&at, t, fmt_vec_i32(op->in, i));
    if (!st) *x = &t->g->tensors[at];
    return st;
}

nf_status fmt_tfl_clamp(ir_clamp *out, fmt_tfl *t, uint8_t activation)
{
    static const ir_clamp clamps[] = {{-INFINITY, INFINITY}, {0, INFINITY}, {-1, 1}, {0, 6}};
    if (activation >= NF_COUNT(clamps))
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite", "fused activation %u", activation);
    *out = clamps[activation];
    return NF_OK;
}

nf_status fmt_tfl_temp(int32_t *out, fmt_tfl *t, const char *suffix, eng_dtype dtype)
{
    return ir_add_tensor(out, t->g, suffix, strlen(suffix), dtype, t->err);
}

nf_status fmt_tfl_new_ints(int32_t *out, fmt_tfl *t, const int64_t *v, size_t n)
{
    nf_status st;
    if ((st = fmt_tfl_temp(out, t, ":list", ENG_I64))) return st;
    ir_tensor *x = &t->g->tensors[*out];
    x->rank = 1;
    x->dim[0] = (int64_t)n;
    return ir_set_data(x, (nf_bytes){(const uint8_t *)v, n * sizeof(*v)}, t->err);
}
