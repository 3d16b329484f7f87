/* fmt_onnx.c - reads ONNX files. Layer: format. Thread rule: no shared state.
 * Source: onnx.proto and the operator specification, domain ai.onnx. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"
#include "engine/format/fmt.h"
#include "engine/format/missing.h"

#define OPSET_LEAST 6
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

/* A graph of other domains alone need not name the version of ours. */
static bool has_ours(const fmt_onnx_ctx *o)
{
    for (size_t i = 0; i < o->n_nodes; i++)
        if (!o->nodes[i].domain.len || nf_span_is(o->nodes[i].domain, "ai.onnx")) return true;
    return false;
}

static nf_status check_opset(fmt_onnx_ctx *o)
{
    if (o->opset == 0 && !has_ours(o)) o->opset = OPSET_MOST;
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

static nf_status read_file(ir_graph *g, nf_bytes file, nf_error *err)
{
    fmt_onnx_ctx o = {.g = g, .err = err, .where = "onnx", .file = file};
    nf_status st;
    o.left = file.len < SIZE_MAX / 8 - (16u << 20) ? file.len * 8 + (16u << 20) : SIZE_MAX;
    if ((st = read_model(&o, file))) goto done;
    if ((st = fmt_onnx_read_nodes(&o))) goto done;
    if ((st = check_opset(&o))) goto done;
    if ((st = fmt_onnx_read_graph(&o))) goto done;
    if ((st = fmt_onnx_set_io(&o, NULL, 0))) goto done;
    st = fmt_onnx_ml_task(&o);
done:
    fmt_onnx_ctx_fini(&o);
    return st;
}

const fmt_reader fmt_onnx = {"onnx", probe, read_file};
