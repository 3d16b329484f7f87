/* fmt_onnx_attr.c - attributes of an ONNX node. Layer: format. Thread rule: one owner. */
#include "engine/format/fmt_onnx.h"

/* AttributeProto.AttributeType */
enum { FLOAT = 1, INT = 2, TEXT = 3, TENSOR = 4, GRAPH = 5, FLOATS = 6, INTS = 7, TEXTS = 8 };

static nf_status read_kind(nf_span *name, int64_t *type, fmt_onnx_ctx *o, nf_bytes message)
{
    fmt_pb p = fmt_pb_open(message);
    fmt_field f;
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 1, FMT_LENGTH)) *name = fmt_pb_text(&f);
        if (fmt_pb_is(&f, 20, FMT_VARINT)) *type = (int64_t)f.value;
    }
    return fmt_onnx_broken(o, &p);
}

nf_status fmt_onnx_attr(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                        int64_t want)
{
    fmt_pb p = fmt_pb_open(n->message);
    fmt_field f;
    nf_status st;
    *out = (nf_bytes){0};
    while (fmt_pb_next(&f, &p)) {
        nf_span own = {0};
        int64_t type = 0; /* old files leave it out */
        if (!fmt_pb_is(&f, 5, FMT_LENGTH)) continue;
        if ((st = read_kind(&own, &type, o, f.bytes))) return st;
        if (!own.s || !nf_span_is(own, name)) continue;
        if (type && type != want)
            return nf_fail(o->err, NF_EFORMAT, o->where,
                           "attribute %s has type %lld, expected %lld", name, (long long)type,
                           (long long)want);
        *out = f.bytes;
        return NF_OK;
    }
    return fmt_onnx_broken(o, &p);
}

/* The last field of that number; false when there is none. */
static bool field(fmt_field *out, nf_bytes message, uint32_t number, fmt_wire wire)
{
    fmt_pb p = fmt_pb_open(message);
    fmt_field f;
    bool found = false;
    while (fmt_pb_next(&f, &p)) {
        if (!fmt_pb_is(&f, number, wire)) continue;
        *out = f;
        found = true;
    }
    return found;
}

nf_status fmt_onnx_int(int64_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                       int64_t absent)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, INT);
    *out = absent;
    if (st || !a.data) return st;
    *out = field(&f, a, 3, FMT_VARINT) ? (int64_t)f.value : 0;
    return NF_OK;
}

nf_status fmt_onnx_float(float *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                         float absent)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, FLOAT);
    *out = absent;
    if (st || !a.data) return st;
    const uint32_t bits = field(&f, a, 2, FMT_FIXED32) ? (uint32_t)f.value : 0;
    memcpy(out, &bits, sizeof(bits));
    return NF_OK;
}

nf_status fmt_onnx_ints(int64_t *out, size_t *count, size_t most, fmt_onnx_ctx *o,
                        const fmt_onnx_node *n, const char *name)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, INTS);
    *count = 0;
    if (st || !a.data) return st;
    fmt_pb p = fmt_pb_open(a);
    while (fmt_pb_next(&f, &p)) {
        if (f.number != 8 || (f.wire != FMT_VARINT && f.wire != FMT_LENGTH)) continue;
        fmt_pb list = fmt_pb_open(f.bytes); /* packed, or one number a field */
        uint64_t v = f.value;
        while (f.wire == FMT_VARINT || (list.at < list.end && fmt_pb_varint(&v, &list))) {
            if (*count == most)
                return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                               "attribute %s has over %zu numbers", name, most);
            out[(*count)++] = (int64_t)v;
            if (f.wire == FMT_VARINT) break;
        }
        if (list.bad) return fmt_onnx_broken(o, &list);
    }
    return fmt_onnx_broken(o, &p);
}

nf_status fmt_onnx_text(nf_span *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, TEXT);
    *out = (nf_span){0};
    if (!st && a.data && field(&f, a, 4, FMT_LENGTH)) *out = fmt_pb_text(&f);
    return st;
}

nf_status fmt_onnx_proto(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, TENSOR);
    *out = (nf_bytes){0};
    if (!st && a.data && field(&f, a, 5, FMT_LENGTH)) *out = f.bytes;
    return st;
}

nf_status fmt_onnx_graph(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, GRAPH);
    *out = (nf_bytes){0};
    if (!st && a.data && field(&f, a, 6, FMT_LENGTH)) *out = f.bytes;
    return st;
}

/* One number, or a packed list of them. */
static nf_status add_reals(float *out, size_t *count, size_t most, fmt_onnx_ctx *o,
                           const fmt_field *f)
{
    const uint32_t one = (uint32_t)f->value;
    const size_t n = f->wire == FMT_FIXED32 ? 1 : f->bytes.len / sizeof(float);
    if (n > most - *count)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "an attribute has over %zu numbers",
                       most);
    if (f->wire == FMT_FIXED32)
        memcpy(out + *count, &one, sizeof(one));
    else if (n)
        memcpy(out + *count, f->bytes.data, n * sizeof(*out));
    *count += n;
    return NF_OK;
}

nf_status fmt_onnx_reals(float *out, size_t *count, size_t most, fmt_onnx_ctx *o,
                         const fmt_onnx_node *n, const char *name)
{
    nf_bytes a;
    fmt_field f;
    nf_status st = fmt_onnx_attr(&a, o, n, name, FLOATS);
    *count = 0;
    if (st || !a.data) return st;
    fmt_pb p = fmt_pb_open(a);
    while (fmt_pb_next(&f, &p))
        if (f.number == 7 && (f.wire == FMT_FIXED32 || f.wire == FMT_LENGTH) &&
            (st = add_reals(out, count, most, o, &f)))
            return st;
    return fmt_onnx_broken(o, &p);
}

nf_status fmt_onnx_text_at(nf_span *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                           size_t i)
{
    nf_bytes a;
    fmt_field f;
    const nf_status st = fmt_onnx_attr(&a, o, n, name, TEXTS);
    size_t at = 0;
    *out = (nf_span){0};
    if (st || !a.data) return st;
    fmt_pb p = fmt_pb_open(a);
    while (fmt_pb_next(&f, &p))
        if (fmt_pb_is(&f, 9, FMT_LENGTH) && at++ == i) *out = fmt_pb_text(&f);
    return fmt_onnx_broken(o, &p);
}
