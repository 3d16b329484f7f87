/* npy_read.c - rows of numbers from a NumPy array file. Layer: server/table. Thread rule: pure.
 *
 * Behind the magic and two bytes of version stand the length of the header (2 bytes in version 1,
 * 4 from then on) and the header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
#include "engine/base/half.h"
#include "engine/base/mem.h"
#include "server/table/float_rows.h"

#include <math.h>

#define MOST_AXES   32
#define MOST_HEADER 65536

typedef struct header {
    nf_span descr;
    int fortran; /* -1: not said */
    size_t rank, dim[MOST_AXES];
    bool shape; /* was said */
} header;

typedef struct reader {
    const char *at, *end;
    const char *name;
    nf_error *err;
} reader;

static nf_status bad(const reader *r, const char *what)
{
    return nf_fail(r->err, NF_EINVAL, r->name, "no NPY file: %s", what);
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n'))
        r->at++;
}

static bool take(reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool take_text(reader *r, nf_span *out)
{
    skip_blanks(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"')) return false;
    const char quote = *r->at++;
    const char *close = memchr(r->at, quote, (size_t)(r->end - r->at));
    if (!close) return false;
    *out = (nf_span){r->at, (size_t)(close - r->at)};
    r->at = close + 1;
    return true;
}

static bool take_word(reader *r, const char *word)
{
    const size_t n = strlen(word);
    skip_blanks(r);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

static bool take_size(reader *r, size_t *out)
{
    skip_blanks(r);
    const char *from = r->at;
    for (*out = 0; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (!nf_mul_size(out, *out, 10) || !nf_add_size(out, *out, (size_t)(*r->at - '0')))
            return false;
    return r->at > from;
}

static nf_status read_descr(reader *r, header *h)
{
    return take_text(r, &h->descr) ? NF_OK : bad(r, "expected a plain type as 'descr'");
}

static nf_status read_order(reader *r, header *h)
{
    h->fortran = take_word(r, "True") ? 1 : take_word(r, "False") ? 0 : -1;
    return h->fortran >= 0 ? NF_OK : bad(r, "expected True or False as 'fortran_order'");
}

static nf_status read_shape(reader *r, header *h)
{
    if (!take(r, '(')) return bad(r, "expected a tuple as 'shape'");
    h->shape = true;
    for (h->rank = 0; !take(r, ')'); h->rank++) {
        if (h->rank == MOST_AXES) return bad(r, "too many dimensions");
        if (!take_size(r, &h->dim[h->rank])) return bad(r, "expected sizes in 'shape'");
        if (take(r, ',')) continue;
        h->rank++;
        return take(r, ')') ? NF_OK : bad(r, "'shape' has no end");
    }
    return NF_OK;
}

static const struct {
    const char *name;
    nf_status (*read)(reader *r, header *h);
} keys[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};

static nf_status read_entry(reader *r, header *h)
{
    nf_span key;
    if (!take_text(r, &key) || !take(r, ':')) return bad(r, "expected a key and ':'");
    for (size_t i = 0; i < NF_COUNT(keys); i++)
        if (nf_span_is(key, keys[i].name)) return keys[i].read(r, h);
    return bad(r, "expected the keys descr, fortran_order and shape");
}

static nf_status read_header(reader *r, header *h)
{
    nf_status st;
    *h = (header){.fortran = -1};
    if (!take(r, '{')) return bad(r, "expected '{'");
    while (!take(r, '}')) {
        if ((st = read_entry(r, h))) return st;
        if (take(r, ',')) continue;
        if (!take(r, '}')) return bad(r, "expected ',' or '}'");
        break;
    }
    if (!h->descr.s || h->fortran < 0 || !h->shape)
        return bad(r, "expected the keys descr, fortran_order and shape");
    return NF_OK;
}

/* name in 'descr', type; b1 is a byte, f2 needs a function of its own */
#define NPY_TYPE_MAP(X)                                                                            \
    X(f4, float)                                                                                   \
    X(f8, double)                                                                                  \
    X(i1, int8_t)                                                                                  \
    X(u1, uint8_t)                                                                                 \
    X(b1, uint8_t)                                                                                 \
    X(i2, int16_t)                                                                                 \
    X(u2, uint16_t)                                                                                \
    X(i4, int32_t)                                                                                 \
    X(u4, uint32_t)                                                                                \
    X(i8, int64_t)                                                                                 \
    X(u8, uint64_t)

#define X(name, type)                                                                              \
    static float from_##name(const uint8_t *p)                                                     \
    {                                                                                              \
        type v;                                                                                    \
        memcpy(&v, p, sizeof(v));                                                                  \
        return (float)v;                                                                           \
    }
NPY_TYPE_MAP(X)
#undef X

static float from_f2(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return nf_from_f16(v);
}

/* Bytes have no order ('|'); every machine that this runs on is little endian, so '=' is '<'. */
static const struct {
    const char *name;
    size_t size;
    float (*read)(const uint8_t *p);
} types[] = {
#define X(name, type) {#name, sizeof(type), from_##name},
    NPY_TYPE_MAP(X)
#undef X
        {"f2", 2, from_f2},
};

/* The row of types[], or NF_COUNT(types). */
static size_t type_of(nf_span descr)
{
    size_t i = 0;
    if (descr.len != 3 || !memchr("<=|", descr.s[0], 3)) return NF_COUNT(types);
    while (i < NF_COUNT(types) && memcmp(types[i].name, descr.s + 1, 2) != 0)
        i++;
    return i < NF_COUNT(types) && types[i].size > 1 && descr.s[0] == '|' ? NF_COUNT(types) : i;
}

static nf_status convert(srv_rows *out, const reader *r, nf_bytes data, size_t type)
{
    const size_t n = out->n * out->width, size = types[type].size;
    out->v = nf_alloc_array(n + 1, sizeof(*out->v), NF_MEM_MISC);
    if (!out->v) return nf_fail(r->err, NF_ENOMEM, r->name, "no memory for %zu numbers", n);
    for (size_t i = 0; i < n; i++) {
        out->v[i] = types[type].read(data.data + i * size);
        if (!isfinite(out->v[i]))
            return nf_fail(r->err, NF_EINVAL, r->name, "row %zu: number %zu is not finite",
                           i / out->width, i % out->width);
    }
    return NF_OK;
}

static nf_status read_rows(srv_rows *out, const reader *r, const header *h, nf_bytes data)
{
    const size_t type = type_of(h->descr);
    size_t bytes;
    if (type == NF_COUNT(types))
        return nf_fail(r->err, NF_EINVAL, r->name, "numbers of type '%.*s' are not supported",
                       (int)(h->descr.len < 20 ? h->descr.len : 20), h->descr.s);
    if (h->fortran && h->rank > 1)
        return nf_fail(r->err, NF_EINVAL, r->name, "is in Fortran order, expected C order");
    if (h->rank == 0) return bad(r, "one number is no table");
    out->n = h->dim[0];
    out->width = 1;
    for (size_t i = 1; i < h->rank; i++)
        if (!nf_mul_size(&out->width, out->width, h->dim[i])) return bad(r, "rows without end");
    if (!nf_mul_size(&bytes, out->n, out->width) || !nf_mul_size(&bytes, bytes, types[type].size) ||
        bytes != data.len)
        return nf_fail(r->err, NF_EINVAL, r->name,
                       "has %zu bytes of numbers, its shape and type ask for others", data.len);
    if (out->width == 0) return bad(r, "rows of nothing");
    return convert(out, r, data, type);
}

/* Cuts the file into header and numbers. */
static nf_status split(reader *r, nf_bytes *data, nf_bytes file)
{
    static const char magic[] = "\x93NUMPY";
    const size_t fixed = sizeof(magic) - 1 + 2;
    nf_bytes head;
    if (file.len < fixed + 4 || memcmp(file.data, magic, sizeof(magic) - 1) != 0)
        return bad(r, "it does not begin as one");
    const uint8_t version = file.data[fixed - 2], *p = file.data + fixed;
    if (version < 1 || version > 3) return bad(r, "a version of the format that is not known");
    const size_t lead = version == 1 ? 2 : 4;
    size_t len = p[0] | (size_t)p[1] << 8;
    if (version > 1) len |= (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (len > MOST_HEADER || !nf_bytes_sub(&head, file, fixed + lead, len))
        return bad(r, "its header is cut off");
    r->at = (const char *)head.data;
    r->end = r->at + len;
    return nf_bytes_sub(data, file, fixed + lead + len, file.len - fixed - lead - len)
               ? NF_OK
               : bad(r, "its header is cut off");
}

nf_status srv_rows_from_npy(srv_rows *out, nf_bytes file, const char *name, nf_error *err)
{
    reader r = {.name = name, .err = err};
    header h;
    nf_bytes data = {0};
    *out = (srv_rows){0};
    nf_status st = split(&r, &data, file);
    if (!st) st = read_header(&r, &h);
    if (!st) st = read_rows(out, &r, &h, data);
    if (st) srv_rows_fini(out);
    return st;
}
