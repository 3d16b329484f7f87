/* case_proto.c - a bounded reader of TensorProto. Layer: server/case. Thread rule: no shared
 * state. Source of the numbers: onnx.proto3, message TensorProto, and the protocol buffers
 * encoding. */
#include "server/case/case_proto.h"

#include "engine/base/mem.h"

#include <string.h>

#define WHERE "TensorProto"

/* Field numbers of TensorProto. */
enum {
    F_DIMS = 1,
    F_TYPE = 2,
    F_SEGMENT = 3,
    F_FLOAT = 4,
    F_INT32 = 5,
    F_STRING = 6,
    F_INT64 = 7,
    F_RAW = 9,
    F_DOUBLE = 10,
    F_UINT64 = 11,
    F_LOCATION = 14,
    F_PAIRS = 100 /* no field: two numbers a byte, in raw_data only */
};

enum { U4 = 21, I4 = 22 };

/* Wire types. */
enum { W_VARINT = 0, W_64 = 1, W_LEN = 2, W_32 = 5 };

/* data_type -> dtype, and the typed field its elements may stand in. */
typedef struct proto_type {
    uint64_t number;
    eng_dtype dtype;
    uint32_t field;
} proto_type;

static const proto_type types[] = {
    {1, ENG_F32, F_FLOAT},   {2, ENG_U8, F_INT32},    {3, ENG_I8, F_INT32},
    {4, ENG_U16, F_INT32},   {5, ENG_I16, F_INT32},   {6, ENG_I32, F_INT32},
    {7, ENG_I64, F_INT64},   {8, ENG_STR, F_STRING},  {9, ENG_BOOL, F_INT32},
    {10, ENG_F16, F_INT32},  {11, ENG_F64, F_DOUBLE}, {12, ENG_U32, F_UINT64},
    {13, ENG_U64, F_UINT64}, {16, ENG_BF16, F_INT32}, {U4, ENG_U8, F_PAIRS},
    {I4, ENG_I8, F_PAIRS},
};

/* What the other numbers are, for messages. */
static const char *type_name(uint64_t number)
{
    static const char *const names[] = {[14] = "complex64",    [15] = "complex128",
                                        [17] = "float8e4m3fn", [18] = "float8e4m3fnuz",
                                        [19] = "float8e5m2",   [20] = "float8e5m2fnuz",
                                        [23] = "float4e2m1",   [24] = "float8e8m0",
                                        [25] = "uint2",        [26] = "int2"};
    return number < NF_COUNT(names) && names[number] ? names[number] : "none that we know";
}

typedef struct reader {
    nf_bytes in;
    size_t at;
    nf_error *err;
} reader;

/* One field: number, wire type, and its value or its bytes. */
typedef struct field {
    uint32_t number;
    uint32_t wire;
    uint64_t value; /* W_VARINT */
    nf_bytes bytes; /* W_LEN, and the 4 or 8 bytes of W_32 and W_64 */
} field;

/* What is gathered in the first pass; typed elements are copied in the second. */
typedef struct gathered {
    const proto_type *type;
    uint64_t number; /* data_type as it came */
    nf_bytes raw;
    bool has_raw;
} gathered;

/* The value is the constant, as nf_fail's is. */
#define bad(r, what) nf_fail((r)->err, NF_EFORMAT, WHERE, "byte %zu: %s", (r)->at, (what))

static nf_status varint(uint64_t *out, reader *r)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at >= r->in.len) return bad(r, "the file ends within a number");
        const uint8_t b = r->in.data[r->at++];
        if (shift == 63 && b > 1) break;
        *out |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) return NF_OK;
    }
    return bad(r, "number of more than 64 bits");
}

static nf_status next_field(field *f, reader *r)
{
    uint64_t key, len;
    nf_status st;
    *f = (field){0};
    if ((st = varint(&key, r))) return st;
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff) return bad(r, "field number out of range");
    f->number = (uint32_t)(key >> 3);
    f->wire = (uint32_t)(key & 7);
    if (f->wire == W_VARINT) return varint(&f->value, r);
    if (f->wire == W_32 || f->wire == W_64) {
        len = f->wire == W_32 ? 4 : 8;
    } else if (f->wire == W_LEN) {
        if ((st = varint(&len, r))) return st;
    } else {
        return bad(r, "unknown wire type");
    }
    if (!nf_bytes_sub(&f->bytes, r->in, r->at, (size_t)len))
        return bad(r, "field is longer than the file");
    r->at += (size_t)len;
    return NF_OK;
}

static nf_status add_dim(srv_recorded *t, uint64_t v, const reader *r)
{
    if (t->rank == ENG_MAX_RANK) return bad(r, "more than 8 dimensions");
    if (v > SRV_CASE_MAX_FILE) return bad(r, "dimension out of range");
    t->dim[t->rank++] = (int64_t)v;
    return NF_OK;
}

static nf_status read_dims(srv_recorded *t, const field *f, const reader *r)
{
    nf_status st = NF_OK;
    if (f->wire == W_VARINT) return add_dim(t, f->value, r);
    if (f->wire != W_LEN) return bad(r, "dims of a wrong wire type");
    reader packed = {.in = f->bytes, .err = r->err};
    while (!st && packed.at < packed.in.len) {
        uint64_t v;
        st = varint(&v, &packed);
        if (!st) st = add_dim(t, v, r);
    }
    return st;
}

static nf_status gather_one(gathered *g, srv_recorded *t, const field *f, const reader *r)
{
    switch (f->number) {
    case F_DIMS:
        return read_dims(t, f, r);
    case F_TYPE:
        if (f->wire != W_VARINT) return bad(r, "data_type of a wrong wire type");
        g->number = f->value;
        return NF_OK;
    case F_RAW:
        if (f->wire != W_LEN) return bad(r, "raw_data of a wrong wire type");
        g->raw = f->bytes;
        g->has_raw = true;
        return NF_OK;
    case F_SEGMENT:
        return nf_fail(r->err, NF_EUNSUPPORTED, WHERE, "a sequence, or a tensor cut into segments");
    case F_LOCATION:
        if (!f->value) return NF_OK;
        return nf_fail(r->err, NF_EUNSUPPORTED, WHERE, "the elements are in another file");
    default:
        return NF_OK;
    }
}

static nf_status gather(gathered *g, srv_recorded *t, nf_bytes file, nf_error *err)
{
    reader r = {.in = file, .err = err};
    nf_status st = NF_OK;
    while (!st && r.at < r.in.len) {
        field f;
        st = next_field(&f, &r);
        if (!st) st = gather_one(g, t, &f, &r);
    }
    for (size_t i = 0; !st && i < NF_COUNT(types); i++)
        if (types[i].number == g->number) g->type = &types[i];
    if (!st && !g->type)
        return nf_fail(err, NF_EUNSUPPORTED, WHERE, "element type %llu (%s)",
                       (unsigned long long)g->number, type_name(g->number));
    return st;
}

static nf_status sizes(srv_recorded *t, nf_error *err)
{
    t->elems = 1;
    for (int d = 0; d < t->rank; d++)
        if (!nf_mul_size(&t->elems, t->elems, (size_t)t->dim[d])) t->elems = SIZE_MAX;
    if (!nf_mul_size(&t->bytes, t->elems, eng_dtype_size(t->dtype)) || t->bytes > SRV_CASE_MAX_FILE)
        return nf_fail(err, NF_ETOOLARGE, WHERE, "over %zu bytes", SRV_CASE_MAX_FILE);
    return NF_OK;
}

/* Stores one element of a typed field; *n counts them. value holds the low bytes of it. */
static nf_status put(srv_recorded *t, size_t *n, const void *value, const reader *r)
{
    const size_t size = eng_dtype_size(t->dtype);
    if (*n >= t->elems) return bad(r, "more elements than the shape has");
    memcpy(t->data + *n * size, value, size);
    ++*n;
    return NF_OK;
}

/* One field of typed elements: packed (W_LEN) or a single one. */
static nf_status typed(srv_recorded *t, size_t *n, const field *f, const reader *r)
{
    const bool fixed = t->dtype == ENG_F32 || t->dtype == ENG_F64;
    const uint32_t single = !fixed ? W_VARINT : t->dtype == ENG_F32 ? W_32 : W_64;
    nf_status st = NF_OK;
    if (f->wire == W_VARINT && !fixed) return put(t, n, &f->value, r);
    if (f->wire == single) return put(t, n, f->bytes.data, r);
    if (f->wire != W_LEN) return bad(r, "elements of a wrong wire type");
    reader packed = {.in = f->bytes, .err = r->err};
    while (!st && packed.at < packed.in.len) {
        uint64_t v;
        nf_bytes one;
        if (!fixed) {
            st = varint(&v, &packed);
            if (!st) st = put(t, n, &v, r);
        } else if (nf_bytes_sub(&one, packed.in, packed.at, eng_dtype_size(t->dtype))) {
            packed.at += one.len;
            st = put(t, n, one.data, r);
        } else {
            st = bad(r, "the packed elements end within one");
        }
    }
    return st;
}

static nf_status typed_elements(srv_recorded *t, const proto_type *type, nf_bytes file,
                                nf_error *err)
{
    reader r = {.in = file, .err = err};
    size_t n = 0;
    nf_status st = NF_OK;
    while (!st && r.at < r.in.len) {
        field f;
        st = next_field(&f, &r);
        if (!st && f.number == type->field) st = typed(t, &n, &f, &r);
    }
    if (!st && n != t->elems)
        return nf_fail(err, NF_EFORMAT, WHERE, "the shape has %zu elements, the file %zu", t->elems,
                       n);
    return st;
}

/* string_data: one field an element. */
static nf_status texts(srv_recorded *t, nf_bytes file, nf_error *err)
{
    reader r = {.in = file, .err = err};
    size_t n = 0, used = 0;
    nf_status st = srv_recorded_texts(t, t->elems, file.len, err);
    while (!st && r.at < r.in.len) {
        field f;
        st = next_field(&f, &r);
        if (st || f.number != F_STRING) continue;
        if (f.wire != W_LEN || n == t->elems) return bad(&r, "more texts than the shape has");
        memcpy(t->text + used, f.bytes.data, f.bytes.len); /* all of them are in the file */
        ((nf_span *)(void *)t->data)[n++] = (nf_span){t->text + used, f.bytes.len};
        used += f.bytes.len;
    }
    if (!st && n != t->elems)
        return nf_fail(err, NF_EFORMAT, WHERE, "the shape has %zu texts, the file %zu", t->elems,
                       n);
    return st;
}

/* Two numbers a byte, the first one in the low half. */
static void unpack_pairs(uint8_t *to, const uint8_t *from, size_t n, bool is_signed)
{
    for (size_t i = 0; i < n; i++) {
        const int half = from[i / 2] >> (i % 2 ? 4 : 0) & 15;
        to[i] = (uint8_t)(is_signed && half > 7 ? half - 16 : half);
    }
}

nf_status srv_recorded_proto(srv_recorded *out, nf_bytes file, nf_error *err)
{
    gathered g = {0};
    nf_status st;

    *out = (srv_recorded){.content = SRV_CASE_PROTO};
    if ((st = gather(&g, out, file, err))) goto done;
    out->dtype = g.type->dtype;
    if ((st = sizes(out, err))) goto done;
    const bool pairs = g.type->field == F_PAIRS;
    if (g.has_raw && g.raw.len != (pairs ? (out->bytes + 1) / 2 : out->bytes)) {
        st = nf_fail(err, NF_EFORMAT, WHERE, "the shape needs %zu bytes, raw_data has %zu",
                     out->bytes, g.raw.len);
        goto done;
    }
    if (!g.has_raw && out->elems > file.len) { /* an element takes a byte at least */
        st = nf_fail(err, NF_EFORMAT, WHERE, "the shape has %zu elements, the file only %zu bytes",
                     out->elems, file.len);
        goto done;
    }
    if (out->dtype == ENG_STR) {
        if (g.has_raw || out->elems > file.len)
            st = nf_fail(err, NF_EFORMAT, WHERE, "texts are not in string_data");
        else
            st = texts(out, file, err);
        goto done;
    }
    out->data = nf_alloc(out->bytes + 1, NF_MEM_MISC);
    if (!out->data) {
        st = nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu bytes", out->bytes);
        goto done;
    }
    if (g.has_raw && pairs)
        unpack_pairs(out->data, g.raw.data, out->elems, g.type->number == I4);
    else if (g.has_raw)
        memcpy(out->data, g.raw.data, g.raw.len);
    else if (pairs)
        st = nf_fail(err, NF_EUNSUPPORTED, WHERE, "4-bit numbers in a list");
    else
        st = typed_elements(out, g.type, file, err);
done:
    if (st) srv_recorded_fini(out);
    return st;
}
