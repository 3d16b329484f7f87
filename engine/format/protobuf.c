/* protobuf.c - bounded reading of Protocol Buffers. Layer: format. Thread rule: one owner.
 * Source: the Protocol Buffers encoding page. Groups (wire types 3 and 4) are refused. */
#include "engine/format/protobuf.h"

#define VARINT_MOST 10 /* bytes */
#define FIELD_MOST  ((1u << 29) - 1)

static bool fail(fmt_pb *p, const char *what)
{
    if (!p->bad) p->bad = what;
    p->at = p->end;
    return false;
}

bool fmt_pb_varint(uint64_t *out, fmt_pb *p)
{
    *out = 0;
    for (unsigned i = 0; i < VARINT_MOST; i++) {
        if (p->at == p->end) return fail(p, "a number ends with the message");
        const uint8_t b = *p->at++;
        *out |= (uint64_t)(b & 0x7f) << (7 * i);
        if (b < 0x80) return true;
    }
    return fail(p, "a number has over 10 bytes");
}

bool fmt_pb_fixed(uint64_t *out, fmt_pb *p, size_t bytes)
{
    *out = 0;
    if ((size_t)(p->end - p->at) < bytes) return fail(p, "a number ends with the message");
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)*p->at++ << (8 * i);
    return true;
}

static bool take_bytes(fmt_field *out, fmt_pb *p)
{
    uint64_t len;
    if (!fmt_pb_varint(&len, p)) return false;
    if (len > (uint64_t)(p->end - p->at)) return fail(p, "a field is longer than its message");
    out->bytes = (nf_bytes){p->at, (size_t)len};
    p->at += len;
    return true;
}

bool fmt_pb_next(fmt_field *out, fmt_pb *p)
{
    uint64_t tag;
    *out = (fmt_field){0};
    if (p->bad || p->at == p->end || !fmt_pb_varint(&tag, p)) return false;
    if (tag >> 3 == 0 || tag >> 3 > FIELD_MOST) return fail(p, "a field has a bad number");
    out->number = (uint32_t)(tag >> 3);
    out->wire = (fmt_wire)(tag & 7);
    switch (out->wire) {
    case FMT_VARINT:
        return fmt_pb_varint(&out->value, p);
    case FMT_FIXED64:
        return fmt_pb_fixed(&out->value, p, 8);
    case FMT_FIXED32:
        return fmt_pb_fixed(&out->value, p, 4);
    case FMT_LENGTH:
        return take_bytes(out, p);
    }
    return fail(p, "a field has a wire type that is not allowed");
}
