/* fmt_onnx_tensor.c - constants of an ONNX file. Layer: format. Thread rule: one owner.
 * A TensorProto holds its content either as raw little-endian bytes or in a list of numbers. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/half.h"
#include "engine/base/mem.h"
#include "engine/format/missing.h"

#include <assert.h>
#include <math.h>

/* TensorProto.DataType: its name, ours (-1: not supported), and the field of its numbers. */
static const struct {
    const char *name;
    int dtype;
    uint32_t field;
} types[] = {
    {"UNDEFINED", -1, 0},      {"FLOAT", ENG_F32, 4},     {"UINT8", ENG_U8, 5},
    {"INT8", ENG_I8, 5},       {"UINT16", ENG_U16, 5},    {"INT16", ENG_I16, 5},
    {"INT32", ENG_I32, 5},     {"INT64", ENG_I64, 7},     {"STRING", ENG_STR, 6},
    {"BOOL", ENG_BOOL, 5},     {"FLOAT16", ENG_F16, 5},   {"DOUBLE", ENG_F64, 10},
    {"UINT32", ENG_U32, 11},   {"UINT64", ENG_U64, 11},   {"COMPLEX64", -1, 0},
    {"COMPLEX128", -1, 0},     {"BFLOAT16", ENG_BF16, 5}, {"FLOAT8E4M3FN", -1, 0},
    {"FLOAT8E4M3FNUZ", -1, 0}, {"FLOAT8E5M2", -1, 0},     {"FLOAT8E5M2FNUZ", -1, 0},
    {"UINT4", -1, 0},          {"INT4", -1, 0},           {"FLOAT4E2M1", -1, 0},
    {"FLOAT8E8M0", -1, 0},     {"UINT2", -1, 0},          {"INT2", -1, 0},
};

nf_status fmt_onnx_spend(fmt_onnx_ctx *o, size_t bytes)
{
    if (bytes > o->left)
        return nf_fail(o->err, NF_ETOOLARGE, o->where,
                       "the file's constants are used so often that their copies do not fit");
    o->left -= bytes;
    return NF_OK;
}

nf_status fmt_onnx_dtype(eng_dtype *out, fmt_onnx_ctx *o, int32_t type, nf_span name)
{
    char text[64];
    fmt_printable(text, sizeof(text), name);
    if (type <= 0 || (size_t)type >= NF_COUNT(types))
        return nf_fail(o->err, NF_EFORMAT, text, "element type %d, expected 1 to %zu", type,
                       NF_COUNT(types) - 1);
    if (fmt_onnx_is_half_byte(type)) {
        *out = type == FMT_ONNX_U4 ? ENG_U8 : ENG_I8;
        return NF_OK;
    }
    if (types[type].dtype < 0)
        return nf_fail(o->err, NF_EUNSUPPORTED, text, "element type %s", types[type].name);
    *out = (eng_dtype)types[type].dtype;
    return NF_OK;
}

bool fmt_onnx_is_half_byte(int32_t type)
{
    return type == FMT_ONNX_U4 || type == FMT_ONNX_I4;
}

nf_status fmt_onnx_const_type(eng_dtype *out, fmt_onnx_ctx *o, const fmt_onnx_const *c,
                              nf_span name)
{
    return fmt_onnx_dtype(out, o, c->type, name);
}

static nf_status add_dim(fmt_onnx_const *c, fmt_onnx_ctx *o, int64_t dim)
{
    if (c->rank == ENG_MAX_RANK)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a constant of over %d dimensions",
                       ENG_MAX_RANK);
    if (dim < 0 || (uint64_t)dim > IR_MAX_ELEMS)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a constant with a dimension of %lld",
                       (long long)dim);
    c->dim[c->rank++] = dim;
    return NF_OK;
}

static nf_status add_dims(fmt_onnx_const *c, fmt_onnx_ctx *o, const fmt_field *f)
{
    nf_status st = NF_OK;
    if (f->wire == FMT_VARINT) return add_dim(c, o, (int64_t)f->value);
    fmt_pb list = fmt_pb_open(f->bytes);
    for (uint64_t v; !st && list.at < list.end && fmt_pb_varint(&v, &list);)
        st = add_dim(c, o, (int64_t)v);
    return st ? st : fmt_onnx_broken(o, &list);
}

/* Everything but the dimensions. */
static nf_status read_head(fmt_onnx_const *out, nf_span *name, fmt_onnx_ctx *o, bool *outside,
                           bool *segments)
{
    fmt_pb p = fmt_pb_open(out->proto);
    fmt_field f;
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 2, FMT_VARINT)) out->type = f.value > 1000 ? 1000 : (int32_t)f.value;
        if (fmt_pb_is(&f, 8, FMT_LENGTH)) *name = fmt_pb_text(&f);
        if (f.number == 13 || (f.number == 14 && f.value)) *outside = true;
        if (f.number == 3) *segments = true;
    }
    return fmt_onnx_broken(o, &p);
}

nf_status fmt_onnx_head(fmt_onnx_const *out, nf_span *name, fmt_onnx_ctx *o, nf_bytes proto)
{
    fmt_pb p = fmt_pb_open(proto);
    fmt_field f;
    nf_status st;
    bool outside = false, segments = false;
    *name = (nf_span){"", 0};
    *out = (fmt_onnx_const){.proto = proto};
    if ((st = read_head(out, name, o, &outside, &segments))) return st;
    if (name->len) fmt_printable(o->where, sizeof(o->where), *name);
    out->outside = outside;
    if (segments) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a constant in segments");
    while (fmt_pb_next(&f, &p)) {
        const bool dims = f.number == 1 && (f.wire == FMT_VARINT || f.wire == FMT_LENGTH);
        if (dims && (st = add_dims(out, o, &f))) return st;
    }
    return NF_OK;
}

static eng_dtype file_type(const fmt_onnx_const *c)
{
    if (fmt_onnx_is_half_byte(c->type)) return c->type == FMT_ONNX_U4 ? ENG_U8 : ENG_I8;
    return (eng_dtype)types[c->type].dtype;
}

/* Halves and doubles are FP32 as soon as they are read, but for the doubles of `wide`. */
eng_dtype fmt_onnx_stored_type(const fmt_onnx_const *c)
{
    const eng_dtype type = file_type(c);
    return fmt_onnx_is_real(type) && !(c->wide && type == ENG_F64) ? ENG_F32 : type;
}

nf_status fmt_onnx_size(size_t *elems, size_t *bytes, fmt_onnx_ctx *o, const fmt_onnx_const *c)
{
    ir_tensor probe = {.rank = c->rank};
    eng_dtype dtype;
    nf_status st;
    if ((st = fmt_onnx_const_type(&dtype, o, c, (nf_span){o->where, strlen(o->where)}))) return st;
    memcpy(probe.dim, c->dim, sizeof(probe.dim));
    if (!ir_elems(elems, &probe, 1))
        return nf_fail(o->err, NF_ETOOLARGE, o->where, "a constant of over %zu elements",
                       IR_MAX_ELEMS);
    *bytes = *elems * eng_dtype_size(fmt_onnx_stored_type(c));
    return NF_OK;
}

static size_t element_size(const fmt_onnx_const *c)
{
    return eng_dtype_size(fmt_onnx_stored_type(c));
}

bool fmt_onnx_is_real(eng_dtype dtype)
{
    return dtype == ENG_F16 || dtype == ENG_BF16 || dtype == ENG_F64;
}

/* Where decoded numbers go. */
typedef struct sink {
    uint8_t *at;
    size_t left, size; /* numbers, bytes of one */
    bool range;        /* all numbers fit */
} sink;

static bool put(sink *s, uint64_t v)
{
    if (s->left == 0) return false;
    const unsigned spare = 64 - 8 * (unsigned)s->size;
    const bool is_signed = (uint64_t)((int64_t)(v << spare) >> spare) == v;
    if (!is_signed && v << spare >> spare != v) s->range = false;
    for (size_t i = 0; i < s->size; i++)
        s->at[i] = (uint8_t)(v >> (8 * i));
    s->at += s->size;
    s->left--;
    return true;
}

/* One field of numbers, packed or single. False: more numbers than the shape has. */
static bool put_field(sink *s, const fmt_field *f, uint32_t number, fmt_pb *list)
{
    const bool varint = number == 5 || number == 7 || number == 11;
    if (f->wire != FMT_LENGTH) return put(s, f->value);
    *list = fmt_pb_open(f->bytes);
    for (uint64_t v; list->at < list->end;) {
        if (!(varint ? fmt_pb_varint(&v, list) : fmt_pb_fixed(&v, list, s->size))) return false;
        if (!put(s, v)) return false;
    }
    return true;
}

static nf_status decode_list(uint8_t *out, size_t elems, fmt_onnx_ctx *o, const fmt_onnx_const *c,
                             size_t size)
{
    const uint32_t number = types[c->type].field;
    sink s = {out, elems, size, true};
    fmt_pb p = fmt_pb_open(c->proto), list = {0};
    fmt_field f;
    while (fmt_pb_next(&f, &p)) {
        if (f.number != number) continue;
        if (!put_field(&s, &f, number, &list))
            return list.bad ? fmt_onnx_broken(o, &list)
                            : nf_fail(o->err, NF_EFORMAT, o->where,
                                      "a constant has over %zu numbers", elems);
    }
    if (s.left)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a constant has %zu numbers, expected %zu",
                       elems - s.left, elems);
    if (!s.range)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a constant has numbers that are not %s",
                       types[c->type].name);
    return NF_OK;
}

static void to_single(float *out, const uint8_t *in, size_t n, eng_dtype type)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        double wide;
        if (type == ENG_F64) {
            memcpy(&wide, in + 8 * i, sizeof(wide));
            out[i] = (float)wide;
            continue;
        }
        memcpy(&half, in + 2 * i, sizeof(half));
        out[i] = type == ENG_F16 ? nf_from_f16(half) : nf_from_bf16(half);
    }
}

/* Two numbers a byte, the lower half first. */
static nf_status decode_half_bytes(uint8_t *out, size_t elems, fmt_onnx_ctx *o,
                                   const fmt_onnx_const *c, nf_bytes raw)
{
    if (raw.len != (elems + 1) / 2)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%zu numbers of 4 bits in %zu raw bytes",
                       elems, raw.len);
    for (size_t i = 0; i < elems; i++) {
        const uint8_t half = raw.data[i / 2] >> (i % 2 * 4) & 15;
        out[i] = c->type == 22 && half > 7 ? (uint8_t)(half | 0xf0) : half;
    }
    return NF_OK;
}

/* As in the file: raw bytes, or a list of numbers. */
static nf_status decode_plain(uint8_t *out, size_t elems, fmt_onnx_ctx *o, const fmt_onnx_const *c)
{
    const size_t size = eng_dtype_size(file_type(c));
    fmt_pb p = fmt_pb_open(c->proto);
    fmt_field f, raw = {0};
    if (c->outside && fmt_onnx_is_half_byte(c->type))
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "external data of %s",
                       types[c->type].name);
    if (c->outside) {
        nf_bytes content;
        const nf_status st = fmt_onnx_outside(&content, o, c, elems * size);
        if (!st && elems) memcpy(out, content.data, content.len);
        return st;
    }
    while (fmt_pb_next(&f, &p))
        if (fmt_pb_is(&f, 9, FMT_LENGTH)) raw = f;
    if (fmt_onnx_is_half_byte(c->type)) return decode_half_bytes(out, elems, o, c, raw.bytes);
    if (raw.number == 0) return decode_list(out, elems, o, c, size);
    if (raw.bytes.len != elems * size)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a constant of %zu bytes, expected %zu",
                       raw.bytes.len, elems * size);
    if (elems) memcpy(out, raw.bytes.data, elems * size);
    return NF_OK;
}

/* Spans of the file's own text. */
static nf_status decode_texts(nf_span *out, size_t elems, fmt_onnx_ctx *o, const fmt_onnx_const *c)
{
    fmt_pb p = fmt_pb_open(c->proto);
    fmt_field f;
    size_t n = 0;
    while (fmt_pb_next(&f, &p)) {
        if (!fmt_pb_is(&f, types[c->type].field, FMT_LENGTH)) continue;
        if (n < elems) out[n] = fmt_pb_text(&f);
        n++;
    }
    if (n == elems) return fmt_onnx_broken(o, &p);
    return nf_fail(o->err, NF_EFORMAT, o->where, "a constant has %zu texts, expected %zu", n,
                   elems);
}

nf_status fmt_onnx_decode(uint8_t *out, size_t bytes, fmt_onnx_ctx *o, const fmt_onnx_const *c)
{
    size_t elems, want;
    nf_status st;
    if ((st = fmt_onnx_size(&elems, &want, o, c))) return st;
    if (c->data) {
        memcpy(out, c->data, bytes);
        return NF_OK;
    }
    if (file_type(c) == ENG_STR) return decode_texts((nf_span *)(void *)out, elems, o, c);
    if (fmt_onnx_stored_type(c) == file_type(c)) return decode_plain(out, elems, o, c);
    uint8_t *plain = nf_alloc(elems * eng_dtype_size(file_type(c)) + 1, NF_MEM_GRAPH);
    if (!plain) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu numbers", elems);
    st = decode_plain(plain, elems, o, c);
    if (!st) to_single((float *)(void *)out, plain, elems, file_type(c));
    nf_free(plain);
    return st;
}

nf_status fmt_onnx_content(const fmt_onnx_const **out, size_t *elems, fmt_onnx_ctx *o,
                           int32_t value)
{
    size_t bytes;
    nf_status st;
    fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    if (!v || v->kind != FMT_ONNX_CONST)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "a parameter of this operator is computed, expected a constant");
    if ((st = fmt_onnx_size(elems, &bytes, o, &v->c))) return st;
    *out = &v->c;
    if (v->c.data) return NF_OK;
    if ((st = fmt_onnx_spend(o, bytes + v->c.proto.len))) return st;
    uint8_t *data = nf_alloc(bytes + 1, NF_MEM_GRAPH);
    if (!data) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu bytes", bytes);
    if ((st = fmt_onnx_decode(data, bytes, o, &v->c))) {
        nf_free(data);
        return st;
    }
    v->c.data = data;
    return NF_OK;
}

nf_status fmt_onnx_floats(const float **out, size_t *n, fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_const *c;
    nf_status st;
    if ((st = fmt_onnx_content(&c, n, o, value))) return st;
    if (fmt_onnx_stored_type(c) != ENG_F32)
        return nf_fail(o->err, NF_EFORMAT, o->where, "a parameter is %s, expected FLOAT",
                       types[c->type].name);
    *out = (const float *)(const void *)c->data;
    return NF_OK;
}

static int64_t number_at(const fmt_onnx_const *c, size_t i)
{
    const size_t size = eng_dtype_size(file_type(c));
    uint64_t v = 0;
    assert(size >= 1 && size <= sizeof(v)); /* decoded, so its type is one of ours */
    for (size_t k = 0; k < size; k++)
        v |= (uint64_t)c->data[i * size + k] << (8 * k);
    const unsigned spare = 64 - 8 * (unsigned)size;
    const int d = (int)file_type(c);
    const bool is_signed = d != ENG_U8 && d != ENG_BOOL && d != ENG_U16 && d != ENG_U32;
    return is_signed ? (int64_t)(v << spare) >> spare : (int64_t)v;
}

nf_status fmt_onnx_numbers(int64_t *out, size_t *n, size_t most, fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_const *c;
    nf_status st;
    if ((st = fmt_onnx_content(&c, n, o, value))) return st;
    const eng_dtype d = file_type(c);
    if (d == ENG_F32 || d == ENG_STR || fmt_onnx_is_real(d))
        return nf_fail(o->err, NF_EFORMAT, o->where, "a parameter is %s, expected an integer",
                       types[c->type].name);
    if (*n > most)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "a parameter has %zu numbers, at most %zu", *n, most);
    for (size_t i = 0; i < *n; i++)
        out[i] = number_at(c, i);
    return NF_OK;
}

/* Copies c's elements into the order of out's axes: out axis i is axis perm[i] of c. */
static void move_elements(uint8_t *out, const uint8_t *in, const fmt_onnx_const *c, const int *perm,
                          size_t size)
{
    size_t stride[ENG_MAX_RANK] = {0}, index[ENG_MAX_RANK] = {0}, from = 0;
    size_t step = size;
    for (int i = c->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= (size_t)c->dim[i];
    }
    for (size_t to = 0; to < step; to += size) {
        memcpy(out + to, in + from, size);
        for (int i = c->rank - 1; i >= 0; i--) {
            from += stride[perm[i]];
            if (++index[i] < (size_t)c->dim[perm[i]]) break;
            from -= stride[perm[i]] * index[i];
            index[i] = 0;
        }
    }
}

nf_status fmt_onnx_permute(fmt_onnx_const *out, fmt_onnx_ctx *o, const fmt_onnx_const *c,
                           const int *perm)
{
    uint8_t *plain = NULL, *moved = NULL;
    size_t elems, bytes;
    nf_status st;
    *out = (fmt_onnx_const){.type = c->type, .rank = c->rank};
    if ((st = fmt_onnx_size(&elems, &bytes, o, c))) return st;
    if ((st = fmt_onnx_spend(o, bytes + c->proto.len))) return st;
    plain = nf_alloc(bytes + 1, NF_MEM_GRAPH);
    moved = nf_alloc(bytes + 1, NF_MEM_GRAPH);
    if (!plain || !moved) {
        st = nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu bytes", bytes);
        goto done;
    }
    if ((st = fmt_onnx_decode(plain, bytes, o, c))) goto done;
    move_elements(moved, plain, c, perm, element_size(c));
    for (int i = 0; i < c->rank; i++)
        out->dim[i] = c->dim[perm[i]];
    out->data = moved;
    moved = NULL;
done:
    nf_free(plain);
    nf_free(moved);
    return st;
}

static nf_status take_numbers(fmt_onnx_value *v, fmt_onnx_ctx *o, int32_t type, const void *numbers,
                              size_t bytes)
{
    v->c.type = type;
    v->c.data = nf_alloc(bytes, NF_MEM_GRAPH);
    if (!v->c.data) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a constant");
    memcpy(v->c.data, numbers, bytes);
    v->kind = FMT_ONNX_CONST;
    return NF_OK;
}

nf_status fmt_onnx_plain_constant(fmt_onnx_value *v, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t list[ENG_MAX_RANK], number, other;
    float real, none;
    size_t count;
    nf_status st;
    /* Absent is what two different defaults show. */
    if ((st = fmt_onnx_float(&real, o, n, "value_float", 0))) return st;
    if ((st = fmt_onnx_float(&none, o, n, "value_float", 1))) return st;
    if (real == none || (isnan(real) && isnan(none)))
        return take_numbers(v, o, 1, &real, sizeof(real));
    if ((st = fmt_onnx_int(&number, o, n, "value_int", 0))) return st;
    if ((st = fmt_onnx_int(&other, o, n, "value_int", 1))) return st;
    if (number == other) return take_numbers(v, o, 7, &number, sizeof(number));
    if ((st = fmt_onnx_ints(list, &count, ENG_MAX_RANK, o, n, "value_ints"))) return st;
    if (count == 0) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a Constant of this kind");
    v->c.rank = 1;
    v->c.dim[0] = (int64_t)count;
    return take_numbers(v, o, 7, list, count * sizeof(*list));
}
