/* fmt_onnx.c - reads ONNX files. Layer: format. Thread rule: no shared state.
 * Source: onnx.proto and the operator specification, domain ai.onnx. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"
#include "engine/format/fmt.h"
#include "engine/format/missing.h"

#define OPSET_LEAST 7
#define OPSET_MOST  28
#define IR_LEAST    3
#define IR_MOST     14

/* ONNX has no magic number: the file has to begin like a ModelProto. */
#define CORE_ML_KINDS 200 /* the fields of a Core ML model that hold it begin here */

/* A ModelProto begins with its version, producer, graph or opsets. A Core ML model begins with a
 * version too; it has fields that a ModelProto has not. */
static bool probe(nf_bytes head)
{
    fmt_pb p = fmt_pb_open(head);
    fmt_field f;
    if (!fmt_pb_next(&f, &p)) return false;
    if (!fmt_pb_is(&f, 1, FMT_VARINT) && !fmt_pb_is(&f, 2, FMT_LENGTH) &&
        !fmt_pb_is(&f, 7, FMT_LENGTH) && !fmt_pb_is(&f, 8, FMT_LENGTH))
        return false;
    while (fmt_pb_next(&f, &p))
        if (f.number >= CORE_ML_KINDS) return false;
    return true;
}

/* OperatorSetIdProto: the version of our own domain. */
static nf_status read_opset(fmt_onnx_ctx *o, nf_bytes message)
{
    fmt_pb p = fmt_pb_open(message);
    fmt_field f;
    nf_span domain = {"", 0};
    int64_t version = 0;
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 1, FMT_LENGTH)) domain = fmt_pb_text(&f);
        if (fmt_pb_is(&f, 2, FMT_VARINT)) version = (int64_t)f.value;
    }
    if (domain.len == 0 || nf_span_is(domain, "ai.onnx")) o->opset = version;
    return fmt_onnx_broken(o, &p);
}

static nf_status check_versions(const fmt_onnx_ctx *o, int64_t ir)
{
    if (ir < IR_LEAST || ir > IR_MOST)
        return nf_fail(o->err, NF_EUNSUPPORTED, "onnx", "ir_version %lld, expected %d to %d",
                       (long long)ir, IR_LEAST, IR_MOST);
    return o->graph.data ? NF_OK : nf_fail(o->err, NF_EFORMAT, "onnx", "has no graph");
}

static nf_status check_opset(const fmt_onnx_ctx *o)
{
    if (o->opset < OPSET_LEAST || o->opset > OPSET_MOST)
        return nf_fail(o->err, NF_EUNSUPPORTED, "onnx",
                       "opset %lld of the domain ai.onnx, expected %d to %d", (long long)o->opset,
                       OPSET_LEAST, OPSET_MOST);
    return NF_OK;
}

static nf_status read_model(fmt_onnx_ctx *o, nf_bytes file)
{
    fmt_pb p = fmt_pb_open(file);
    fmt_field f;
    int64_t ir = 0;
    nf_status st;
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 1, FMT_VARINT)) ir = (int64_t)f.value;
        if (fmt_pb_is(&f, 8, FMT_LENGTH) && (st = read_opset(o, f.bytes))) return st;
        if (!fmt_pb_is(&f, 7, FMT_LENGTH)) continue;
        if (o->graph.data) return nf_fail(o->err, NF_EFORMAT, "onnx", "has two graphs");
        o->graph = f.bytes;
    }
    if ((st = fmt_onnx_broken(o, &p))) return st;
    return check_versions(o, ir);
}

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

/* An open first dimension is the batch, if it has the name that the first one had. */
static int64_t open_dim(fmt_onnx_ctx *o, nf_span name, int axis)
{
    if (axis > 0) return IR_FREE;
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
        t->dim[t->rank] = dim > 0 ? dim : open_dim(o, name, t->rank);
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

/* ValueInfoProto -> TypeProto -> TypeProto.Tensor {elem_type, shape} */
static nf_status read_input(fmt_onnx_ctx *o, fmt_onnx_value *v, nf_bytes info)
{
    nf_bytes type, tensor, shape;
    eng_dtype dtype;
    fmt_field f;
    int32_t element = 0;
    nf_status st;
    char text[64];
    fmt_printable(text, sizeof(text), v->name);
    if (!sub_message(&type, info, 2) || !sub_message(&tensor, type, 1))
        return nf_fail(o->err, NF_EUNSUPPORTED, text, "this input is not a tensor");
    for (fmt_pb p = fmt_pb_open(tensor); fmt_pb_next(&f, &p);)
        if (fmt_pb_is(&f, 1, FMT_VARINT)) element = f.value > 1000 ? 1000 : (int32_t)f.value;
    if ((st = fmt_onnx_dtype(&dtype, o, element, v->name))) return st;
    if ((st = ir_add_tensor(&v->tensor, o->g, v->name.s, v->name.len, dtype, o->err))) return st;
    v->given = v->tensor;
    o->g->tensors[v->tensor].rank = IR_RANK_FREE;
    if (sub_message(&shape, tensor, 2)) {
        o->g->tensors[v->tensor].rank = 0;
        if ((st = read_shape(o, &o->g->tensors[v->tensor], shape))) return st;
    }
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
        if (!v->shadowed && (st = read_input(o, v, f.bytes))) return st;
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
        if (n->n_in < row->least || n->n_in > most || n->n_out < 1 || n->n_out > IR_MAX_ENDS)
            return nf_fail(o->err, NF_EFORMAT, o->where,
                           "%zu inputs and %zu outputs, expected %zu to %zu and 1 or more", n->n_in,
                           n->n_out, row->least, most);
        if ((st = row->read(o, n))) return st;
    }
    return NF_OK;
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
    const bool narrows = t->dtype == ENG_F32 && fmt_onnx_is_real(want);
    for (size_t i = 0; i < o->n_inputs; i++)
        shared |= o->values[i].given == from;
    for (size_t i = 0; i < n_outputs; i++)
        shared |= outputs[i] == from;
    if (!shared && !narrows) return NF_OK;
    (void)sub_message(&name, info, 1);
    if ((st = ir_add_tensor(tensor, o->g, (const char *)name.data, name.len,
                            narrows ? want : t->dtype, o->err)))
        return st;
    return fmt_onnx_emit(o, narrows ? IR_CAST : IR_IDENTITY, &from, 1, *tensor, NULL);
}

static nf_status set_io(fmt_onnx_ctx *o)
{
    size_t in = 0, out = 0;
    fmt_field f;
    nf_status st = NF_OK;
    int32_t *io = nf_alloc_array(o->n_inputs + o->n_outputs, sizeof(*io), NF_MEM_GRAPH);
    if (!io) return nf_fail(o->err, NF_ENOMEM, "onnx", "no memory for inputs and outputs");
    for (size_t i = 0; i < o->n_inputs; i++)
        if (!o->values[i].shadowed) io[in++] = o->values[i].given;
    for (fmt_pb p = fmt_pb_open(o->graph); !st && fmt_pb_next(&f, &p);) {
        nf_bytes name = {0};
        int32_t value;
        if (!fmt_pb_is(&f, 12, FMT_LENGTH)) continue;
        (void)sub_message(&name, f.bytes, 1);
        st = fmt_onnx_find(&value, o, (nf_span){name.len ? (const char *)name.data : "", name.len},
                           "the outputs");
        if (!st) st = fmt_onnx_use(&io[in + out], o, value);
        if (!st) st = own_output(&io[in + out], o, f.bytes, io + in, out);
        out++;
    }
    if (!st) st = ir_set_io(o->g, io, in, io + in, out, o->err);
    nf_free(io);
    return st;
}

static nf_status read_file(ir_graph *g, nf_bytes file, nf_error *err)
{
    fmt_onnx_ctx o = {.g = g, .err = err, .where = "onnx"};
    nf_status st;
    o.left = file.len < SIZE_MAX / 8 - (16u << 20) ? file.len * 8 + (16u << 20) : SIZE_MAX;
    if ((st = read_model(&o, file))) goto done;
    if ((st = fmt_onnx_read_nodes(&o))) goto done;
    if ((st = check_opset(&o))) goto done;
    if ((st = fmt_onnx_read_values(&o))) goto done;
    if ((st = read_inputs(&o))) goto done;
    if ((st = run_nodes(&o))) goto done;
    st = set_io(&o);
done:
    for (size_t i = 0; o.values && i < o.n_values; i++)
        nf_free(o.values[i].c.data);
    nf_free(o.nodes);
    nf_free(o.refs);
    nf_free(o.values);
    nf_free(o.names);
    return st;
}

const fmt_reader fmt_onnx = {"onnx", probe, read_file};
