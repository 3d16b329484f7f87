/* tensor_in.c - reads nested arrays of numbers or strings. Layer: server/codec. Thread rule: no
 * shared state. */
#include "server/codec/tensor_in.h"

#include "server/wire/wire.h"

#include <float.h>
#include <math.h>

/* Range and conversion of one number into one type; false: it does not fit. */
typedef bool (*put_fn)(void *at, const srv_number *n);

static bool put_f32(void *at, const srv_number *n)
{
    /* Half a unit above FLT_MAX still rounds down to it. */
    if (fabs(n->real) >= FLT_MAX * (1.0 + 0x1p-25)) return false;
    *(float *)at = (float)n->real;
    return true;
}

static bool put_f64(void *at, const srv_number *n)
{
    *(double *)at = n->real;
    return true;
}

/* 3 and 3.0 are whole; 3.5 and 1e300 are not. */
static bool whole(int64_t *out, const srv_number *n, int64_t least, int64_t most)
{
    if (n->is_whole)
        *out = n->whole;
    else if (fabs(n->real) < 0x1p53 && n->real == floor(n->real))
        *out = (int64_t)n->real;
    else
        return false;
    return *out >= least && *out <= most;
}

static bool put_u64(void *at, const srv_number *n)
{
    int64_t v = 0;
    if (!n->is_huge && !whole(&v, n, 0, INT64_MAX)) return false;
    *(uint64_t *)at = n->is_huge ? n->huge : (uint64_t)v;
    return true;
}

#define PUT_INTEGER(name, type, least, most)                                                       \
    static bool name(void *at, const srv_number *n)                                                \
    {                                                                                              \
        int64_t v;                                                                                 \
        if (!whole(&v, n, least, most)) return false;                                              \
        *(type *)at = (type)v;                                                                     \
        return true;                                                                               \
    }
PUT_INTEGER(put_i8, int8_t, INT8_MIN, INT8_MAX)
PUT_INTEGER(put_u8, uint8_t, 0, UINT8_MAX)
PUT_INTEGER(put_i16, int16_t, INT16_MIN, INT16_MAX)
PUT_INTEGER(put_i32, int32_t, INT32_MIN, INT32_MAX)
PUT_INTEGER(put_i64, int64_t, INT64_MIN, INT64_MAX)
PUT_INTEGER(put_u16, uint16_t, 0, UINT16_MAX)
PUT_INTEGER(put_u32, uint32_t, 0, UINT32_MAX)
PUT_INTEGER(put_bool, uint8_t, 0, 1)

static const put_fn put_of[ENG_DTYPE_COUNT] = {
    [ENG_F32] = put_f32, [ENG_I8] = put_i8,   [ENG_U8] = put_u8,     [ENG_I16] = put_i16,
    [ENG_I32] = put_i32, [ENG_I64] = put_i64, [ENG_BOOL] = put_bool, [ENG_F64] = put_f64,
    [ENG_U16] = put_u16, [ENG_U32] = put_u32, [ENG_U64] = put_u64,
};

static nf_status make_room(srv_tensor *t, srv_json *j)
{
    const size_t size = eng_dtype_size(t->dtype);
    const size_t left = (size_t)(j->end - j->at) / 2 + 1; /* a number and its comma: 2 bytes */
    size_t cap = t->cap ? t->cap * 2 : 1024, bytes;
    if (left < cap - t->count) cap = t->count + left;
    char *data = nf_mul_size(&bytes, cap, size) ? srv_arena_alloc(j->arena, bytes) : NULL;
    if (!data)
        return nf_fail(j->err, NF_ETOOLARGE, "request body",
                       "more than %zu values do not fit into the memory of a request", t->count);
    if (t->count) memcpy(data, t->data, t->count * size);
    t->data = data;
    t->cap = cap;
    return NF_OK;
}

static nf_status no_value(srv_json *j, const char *name, eng_dtype dtype)
{
    srv_json_list list;
    nf_span key;
    bool more;
    if (srv_json_peek(j) == '{' && !srv_json_open(j, &list, '{') &&
        !srv_json_next(j, &list, &more) && more && !srv_json_key_of(j, &key) &&
        nf_span_is(key, WIRE_KEY_B64))
        return nf_fail(j->err, NF_ENOTIMPL, name, "base64 values are not supported");
    return srv_json_expected(j, dtype == ENG_STR ? "a string or an array of strings"
                                                 : "a number or an array of numbers");
}

static nf_status read_leaf(srv_tensor *t, srv_json *j, const char *name)
{
    srv_number n = {0};
    nf_status st;
    const char c = srv_json_peek(j);
    const char *from = j->at;
    bool yes;
    if (t->count == t->cap && (st = make_room(t, j))) return st;
    if (t->dtype == ENG_STR) {
        if (c != '"') return no_value(j, name, t->dtype);
        st = srv_json_string_of(j, (nf_span *)(void *)t->data + t->count);
        t->count += !st;
        return st;
    }
    if (t->dtype == ENG_BOOL && (c == 't' || c == 'f')) {
        if ((st = srv_json_bool_of(j, &yes))) return st;
        n = (srv_number){.real = yes, .whole = yes, .is_whole = true};
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        if ((st = srv_json_number_of(j, &n))) return st;
    } else {
        return no_value(j, name, t->dtype);
    }
    if (put_of[t->dtype](t->data + t->count * eng_dtype_size(t->dtype), &n)) {
        t->count++;
        return NF_OK;
    }
    return nf_fail(j->err, NF_EINVAL, name, "byte %td: %.*s does not fit into %s", from - j->start,
                   (int)(j->at - from < 24 ? j->at - from : 24), from, eng_dtype_oip(t->dtype));
}

static nf_status ragged(const srv_json *j, const char *name)
{
    return nf_fail(j->err, NF_EINVAL, name,
                   "byte %td: ragged array: all parts of a level must have the same shape",
                   j->at - j->start);
}

/* State of one nest while it is read. */
typedef struct nest {
    srv_json_list list[SRV_NEST_MOST];
    size_t count[SRV_NEST_MOST]; /* members so far of the open array of each level */
    bool closed[SRV_NEST_MOST];  /* an array of this level has ended: dim holds its length */
    int depth;                   /* open arrays */
    int rank;                    /* level of the numbers, -1 until the first one */
} nest;

static nf_status open_level(srv_tensor *t, srv_json *j, nest *n, const char *name)
{
    if (n->depth == n->rank) return ragged(j, name);
    if (n->depth == SRV_NEST_MOST)
        return nf_fail(j->err, NF_EINVAL, name, "byte %td: arrays nested deeper than %d levels",
                       j->at - j->start, SRV_NEST_MOST);
    if (n->rank < 0) t->dim[n->depth] = 0;
    n->count[n->depth] = 0;
    return srv_json_open(j, &n->list[n->depth++], '[');
}

/* Behind a value: closes every array that ends here. */
static nf_status close_levels(srv_tensor *t, srv_json *j, nest *n, const char *name)
{
    while (n->depth) {
        bool more;
        const int level = n->depth - 1;
        const nf_status st = srv_json_next(j, &n->list[level], &more);
        if (st || more) return st;
        if (n->count[level] == 0 && !t->may_be_empty)
            return nf_fail(j->err, NF_EINVAL, name, "an array is empty");
        if (n->count[level] == 0 && n->rank < 0) n->rank = level + 1; /* an empty one has no leaf */
        if (n->closed[level] && t->dim[level] != n->count[level]) return ragged(j, name);
        n->closed[level] = true;
        t->dim[level] = n->count[level];
        n->depth--;
        if (level) n->count[level - 1]++;
    }
    return NF_OK;
}

static nf_status read_number(srv_tensor *t, srv_json *j, nest *n, const char *name)
{
    if (n->rank < 0) n->rank = n->depth;
    if (n->rank != n->depth) return ragged(j, name);
    const nf_status st = read_leaf(t, j, name);
    if (!st && n->depth) n->count[n->depth - 1]++;
    return st;
}

nf_status srv_tensor_read(srv_tensor *t, srv_json *j, const char *name)
{
    nest n = {.rank = -1};
    nf_status st;
    do {
        const bool opens = srv_json_peek(j) == '[';
        if ((st = opens ? open_level(t, j, &n, name) : read_number(t, j, &n, name))) return st;
        if ((st = close_levels(t, j, &n, name))) return st;
    } while (n.depth);
    t->rank = n.rank;
    return NF_OK;
}

size_t srv_tensor_last(const srv_tensor *t)
{
    size_t count = 1;
    for (int i = 0; i < t->rank; i++)
        count *= t->dim[i]; /* each is backed by numbers that were read: cannot wrap */
    return count;
}
