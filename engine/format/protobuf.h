/* protobuf.h - bounded reading of Protocol Buffers. Layer: format. Thread rule: one owner.
 *
 * A message is walked field by field, without recursion: nesting costs a cursor of the caller's.
 * Errors stick: after the first one `bad` says what it was and the walk is over. */
#ifndef FMT_PROTOBUF_H
#define FMT_PROTOBUF_H

#include "engine/base/bytes.h"

typedef enum fmt_wire { FMT_VARINT = 0, FMT_FIXED64 = 1, FMT_LENGTH = 2, FMT_FIXED32 = 5 } fmt_wire;

typedef struct fmt_pb {
    const uint8_t *at, *end;
    const char *bad; /* static text, NULL = well-formed so far */
} fmt_pb;

typedef struct fmt_field {
    uint32_t number;
    fmt_wire wire;
    uint64_t value; /* varint or fixed */
    nf_bytes bytes; /* FMT_LENGTH */
} fmt_field;

static inline fmt_pb fmt_pb_open(nf_bytes message)
{
    return (fmt_pb){message.data, message.len ? message.data + message.len : message.data, NULL};
}

/** The next field; false at the end, and at the first malformed byte. */
bool fmt_pb_next(fmt_field *out, fmt_pb *p);

/** One varint of a packed list; false when there is none. */
bool fmt_pb_varint(uint64_t *out, fmt_pb *p);

/** One little-endian number of 4 or 8 bytes of a packed list. */
bool fmt_pb_fixed(uint64_t *out, fmt_pb *p, size_t bytes);

static inline bool fmt_pb_is(const fmt_field *f, uint32_t number, fmt_wire wire)
{
    return f->number == number && f->wire == wire;
}

static inline nf_span fmt_pb_text(const fmt_field *f)
{
    return (nf_span){(const char *)f->bytes.data, f->bytes.len};
}

#endif /* FMT_PROTOBUF_H */
