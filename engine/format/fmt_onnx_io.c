/* fmt_onnx_io.c - inputs and outputs of an ONNX graph, and the walk over its nodes. Layer: format.
 * Thread rule: one owner. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"
#include "engine/format/missing.h"

/* TensorShapeProto.Dimension: a number, or the name of one that stays open. */
static int64_t read_dim(nf_span *name, nf_bytes message)
{
    fmt_pb p = fmt_pb_open(message);
    fmt_field f;
    int64_t dim = 0;
    *name = (nf_span){"", 0};
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 1, FMT_VARINT)) dim = (int64_t)f.value;
        if (fmt_pb_is(&f, 2, FMT_LENGTH)) *name = fmt_pb_text(&f);
    }
    return dim;
}

/* An open first dimension is the batch, if it has the name that the first one had. One without a
 * name is, if the first input begins with it: else it is a list, which may be empty. */
static int64_t open_dim(fmt_onnx_ctx *o, nf_span name, const ir_tensor *t)
{
    const bool list = !o->has_batch && !name.len && t != o->g->tensors;
    if (t->rank > 0 || o->parent || list) return IR_FREE;
    if (!o->has_batch) o->batch = name;
    o->has_batch = true;
    const bool same = name.len == o->batch.len && memcmp(name.s, o->batch.s, name.len) == 0;
    return same ? IR_BATCH : IR_FREE;
}

static nf_status read_shape(fmt_onnx_ctx *o, ir_tensor *t, nf_bytes shape)
{
    fmt_pb p = fmt_pb_open(shape);
    fmt_field f;
    while (fmt_pb_next(&f, &p)) {
        nf_span name;
        if (!fmt_pb_is(&f, 1, FMT_LENGTH)) continue;
        if (t->rank == ENG_MAX_RANK)
            return nf_fail(o->err, NF_EUNSUPPORTED, t->name, "over %d dimensions", ENG_MAX_RANK);
        const int64_t dim = read_dim(&name, f.bytes);
        t->dim[t->rank] = dim > 0 ? dim : open_dim(o, name, t);
        t->rank++;
    }
    return fmt_onnx_broken(o, &p);
}

static bool sub_message(nf_bytes *out, nf_bytes in, uint32_t number)
{
    fmt_pb p = fmt_pb_open(in);
    fmt_field f;
    bool found = false;
    while (fmt_pb_next(&f, &p)) {
        if (!fmt_pb_is(&f, number, FMT_LENGTH)) continue;
        *out = f.bytes;
        found = true;
    }
    return found;
}

static int32_t element_type(nf_bytes info)
{
    nf_bytes type, tensor;
    fmt_field f;
    int32_t element = 0;
    if (!sub_message(&type, info, 2) || !sub_message(&tensor, type, 1)) return 0;
    for (fmt_pb p = fmt_pb_open(tensor); fmt_pb_next(&f, &p);)
        if (fmt_pb_is(&f, 1, FMT_VARINT)) element = f.value > 1000 ? 1000 : (int32_t)f.value;
    return element;
}

/* What the operand of a body is, where the body does not say; halves and doubles are FP32 there. */
static nf_status take_like(fmt_onnx_ctx *o, ir_tensor *t, const ir_tensor *like)
{
    if (fmt_onnx_is_real(t->dtype)) t->dtype = ENG_F32;
    if (!like) return NF_OK;
    if (t->rank == IR_RANK_FREE && like->rank >= 0) {
        t->rank = like->rank;
        for (int i = 0; i < t->rank; i++)
            t->dim[i] = IR_FREE;
    }
    if (!like->quant.n || like->dtype != t->dtype) return NF_OK;
    return ir_set_quant(t, like->quant.n, like->quant.scale, like->quant.zero, like->quant.axis,
                        o->err);
}

/* ValueInfoProto -> TypeProto -> TypeProto.Tensor {elem_type, shape} */
static nf_status read_input(fmt_onnx_ctx *o, fmt_onnx_value *v, nf_bytes info, size_t at)
{
    const ir_tensor *like = o->like && at < o->n_like ? &o->like[at] : NULL;
    nf_bytes type, tensor, shape = {0};
    eng_dtype dtype;
    int32_t element = 0;
    nf_status st;
    char text[64];
    fmt_printable(text, sizeof(text), v->name);
    if (sub_message(&type, info, 2)) {
        if (!sub_message(&tensor, type, 1))
            return nf_fail(o->err, NF_EUNSUPPORTED, text, "this input is not a tensor");
        element = element_type(info);
        (void)sub_message(&shape, tensor, 2);
    }
    if (element == 0 && like)
        dtype = like->dtype;
    else if ((st = fmt_onnx_dtype(&dtype, o, element, v->name)))
        return st;
    if ((st = ir_add_tensor(&v->tensor, o->g, v->name.s, v->name.len, dtype, o->err))) return st;
    v->given = v->tensor;
    o->g->tensors[v->tensor].rank = IR_RANK_FREE;
    if (shape.data) {
        o->g->tensors[v->tensor].rank = 0;
        if ((st = read_shape(o, &o->g->tensors[v->tensor], shape))) return st;
    }
    if (o->parent) return take_like(o, &o->g->tensors[v->tensor], like);
    return fmt_onnx_is_real(dtype) ? fmt_onnx_real_input(o, v) : NF_OK;
}

static nf_status read_inputs(fmt_onnx_ctx *o)
{
    size_t i = 0;
    fmt_field f;
    nf_status st;
    for (fmt_pb p = fmt_pb_open(o->graph); fmt_pb_next(&f, &p);) {
        if (!fmt_pb_is(&f, 11, FMT_LENGTH)) continue;
        fmt_onnx_value *v = &o->values[i++];
        if (!v->shadowed && (st = read_input(o, v, f.bytes, i - 1))) return st;
    }
    return NF_OK;
}

/* "Conv 'name of its first result'", for messages. */
static void set_where(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const nf_span result = n->n_out ? o->refs[n->first + n->n_in].name : (nf_span){"", 0};
    size_t at = strlen(fmt_printable(o->where, 32, n->op));
    o->where[at++] = ' ';
    fmt_printable(o->where + at, sizeof(o->where) - at, result);
}

static nf_status run_nodes(fmt_onnx_ctx *o)
{
    nf_status st;
    for (size_t i = 0; i < o->n_nodes; i++) {
        const fmt_onnx_node *n = &o->nodes[i];
        const fmt_onnx_row *row = fmt_onnx_op(n);
        set_where(o, n);
        const size_t most = row->most || !row->least ? row->most : IR_MAX_ENDS;
        if (n->n_in < row->least || n->n_in > most || n->n_out > IR_MAX_ENDS ||
            !fmt_onnx_result(o, n))
            return nf_fail(o->err, NF_EFORMAT, o->where,
                           "%zu inputs and %zu outputs, expected %zu to %zu and 1 or more", n->n_in,
                           n->n_out, row->least, most);
        if ((st = row->read(o, n))) return st;
    }
    return NF_OK;
}

/* Inputs, constants and values that are another output too get a tensor of their own; values that
 * the file wants in half or double precision become that again. */
static nf_status own_output(int32_t *tensor, fmt_onnx_ctx *o, nf_bytes info, const int32_t *outputs,
                            size_t n_outputs)
{
    const ir_tensor *t = &o->g->tensors[*tensor];
    const int32_t from = *tensor, type = element_type(info);
    eng_dtype want = t->dtype;
    nf_bytes name = {0};
    bool shared = t->data != NULL;
    nf_status st;
    if (type && (st = fmt_onnx_dtype(&want, o, type, (nf_span){o->where, strlen(o->where)})))
        return st;
    const bool narrows = !o->parent && t->dtype == ENG_F32 && fmt_onnx_is_real(want);
    for (size_t i = 0; i < o->n_inputs; i++)
        shared |= o->values[i].given == from;
    for (size_t i = 0; i < n_outputs; i++)
        shared |= outputs[i] == from;
    for (size_t i = 0; i < o->n_captured; i++)
        shared |= o->values[o->captured[i].value].tensor == from;
    if (!shared && !narrows) return NF_OK;
    (void)sub_message(&name, info, 1);
    if ((st = ir_add_tensor(tensor, o->g, (const char *)name.data, name.len,
                            narrows ? want : t->dtype, o->err)))
        return st;
    return fmt_onnx_emit(o, narrows ? IR_CAST : IR_IDENTITY, &from, 1, *tensor, NULL);
}

static nf_status read_outputs(fmt_onnx_ctx *o, int32_t *outputs)
{
    size_t n = 0;
    fmt_field f;
    nf_status st = NF_OK;
    for (fmt_pb p = fmt_pb_open(o->graph); !st && fmt_pb_next(&f, &p);) {
        nf_bytes name = {0};
        int32_t value;
        if (!fmt_pb_is(&f, 12, FMT_LENGTH)) continue;
        (void)sub_message(&name, f.bytes, 1);
        st = fmt_onnx_find(&value, o, (nf_span){name.len ? (const char *)name.data : "", name.len},
                           "the outputs");
        if (!st) st = fmt_onnx_use(&outputs[n], o, value);
        if (!st) st = own_output(&outputs[n], o, f.bytes, outputs, n);
        n++;
    }
    return st;
}

nf_status fmt_onnx_set_io(fmt_onnx_ctx *o, const int32_t *more, size_t n_more)
{
    size_t in = 0;
    nf_status st;
    int32_t *io = nf_alloc_array(o->n_inputs + n_more + o->n_outputs, sizeof(*io), NF_MEM_GRAPH);
    if (!io) return nf_fail(o->err, NF_ENOMEM, "onnx", "no memory for inputs and outputs");
    for (size_t i = 0; i < o->n_inputs; i++)
        if (!o->values[i].shadowed) io[in++] = o->values[i].given;
    for (size_t i = 0; i < n_more; i++)
        io[in++] = more[i];
    st = read_outputs(o, io + in);
    if (!st) st = ir_set_io(o->g, io, in, io + in, o->n_outputs, o->err);
    nf_free(io);
    return st;
}

nf_status fmt_onnx_read_graph(fmt_onnx_ctx *o)
{
    nf_status st;
    if ((st = fmt_onnx_read_values(o)) || (st = fmt_onnx_sort(o)) || (st = read_inputs(o)))
        return st;
    return run_nodes(o);
}

void fmt_onnx_ctx_fini(fmt_onnx_ctx *o)
{
    for (size_t i = 0; o->values && i < o->n_values; i++) {
        nf_free(o->values[i].c.data);
        nf_free(o->values[i].items);
    }
    nf_free(o->nodes);
    nf_free(o->refs);
    nf_free(o->values);
    nf_free(o->names);
    nf_free(o->captured);
    for (size_t i = 0; i < o->n_files; i++)
        nf_free((void *)(uintptr_t)o->files[i].content.data);
}
