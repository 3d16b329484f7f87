/* fmt_onnx_ml_attr.c - attributes of any length, as the operators of ai.onnx.ml have them.
 * Layer: format. Thread rule: one owner. */
#include "engine/format/fmt_onnx_ml.h"

#include "engine/base/mem.h"
#include "engine/format/missing.h"

#include <stdio.h>

/* AttributeProto.AttributeType, and the fields of its lists */
enum { TENSOR = 4, FLOATS = 6, INTS = 7, STRINGS = 8 };
enum { FLOATS_FIELD = 7, INTS_FIELD = 8, STRINGS_FIELD = 9 };

/* A walk over the numbers of a list, packed or one a field. */
typedef struct numbers {
    fmt_pb p, packed;
    uint32_t field;
    size_t size; /* bytes of a fixed number; 0 = varints */
} numbers;

static numbers open_numbers(nf_bytes attribute, uint32_t field, size_t size)
{
    return (numbers){.p = fmt_pb_open(attribute), .field = field, .size = size};
}

static bool next_number(uint64_t *v, numbers *c)
{
    fmt_field f;
    for (;;) {
        if (c->packed.at < c->packed.end)
            return c->size ? fmt_pb_fixed(v, &c->packed, c->size) : fmt_pb_varint(v, &c->packed);
        if (!fmt_pb_next(&f, &c->p)) return false;
        if (f.number != c->field) continue;
        if (f.wire == FMT_LENGTH) {
            c->packed = fmt_pb_open(f.bytes);
        } else if (f.wire == (c->size ? FMT_FIXED32 : FMT_VARINT)) {
            *v = f.value;
            return true;
        }
    }
}

static nf_status end_numbers(const fmt_onnx_ctx *o, const numbers *c)
{
    const nf_status st = fmt_onnx_broken(o, &c->packed);
    return st ? st : fmt_onnx_broken(o, &c->p);
}

static nf_status count_numbers(size_t *n, const fmt_onnx_ctx *o, numbers c)
{
    uint64_t v;
    *n = 0;
    while (next_number(&v, &c))
        ++*n;
    return end_numbers(o, &c);
}

/* A constant of rank 1 and the memory that it will take as its content; freed on failure. */
static nf_status new_list(int32_t *tensor, uint8_t **data, fmt_onnx_ctx *o, const char *name,
                          eng_dtype dtype, size_t n)
{
    char text[160];
    size_t bytes;
    nf_status st;
    if (n > IR_MAX_ELEMS || !nf_mul_size(&bytes, n, eng_dtype_size(dtype)))
        return nf_fail(o->err, NF_ETOOLARGE, o->where, "%s has %zu elements", name, n);
    if ((st = fmt_onnx_spend(o, bytes))) return st;
    const int len = snprintf(text, sizeof(text), "%s.%s", o->where, name);
    if ((st = ir_add_tensor(tensor, o->g, text, (size_t)len, dtype, o->err))) return st;
    o->g->tensors[*tensor].rank = 1;
    o->g->tensors[*tensor].dim[0] = (int64_t)n;
    *data = nf_alloc(bytes + 1, NF_MEM_GRAPH);
    return *data ? NF_OK : nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu bytes", bytes);
}

static nf_status give(fmt_onnx_ctx *o, int32_t tensor, uint8_t *take_data)
{
    ir_tensor *t = &o->g->tensors[tensor];
    return ir_take_data(t, take_data, (size_t)t->dim[0] * eng_dtype_size(t->dtype), o->err);
}

nf_status fmt_onnx_ml_ints(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                           const char *name)
{
    nf_bytes a;
    uint8_t *data;
    size_t count;
    uint64_t v;
    nf_status st;
    *tensor = IR_NONE;
    if ((st = fmt_onnx_attr(&a, o, n, name, INTS)) || !a.data) return st;
    numbers c = open_numbers(a, INTS_FIELD, 0);
    if ((st = count_numbers(&count, o, c))) return st;
    if ((st = new_list(tensor, &data, o, name, ENG_I64, count))) return st;
    for (size_t i = 0; next_number(&v, &c); i++)
        memcpy(data + i * sizeof(v), &v, sizeof(v));
    return give(o, *tensor, data);
}

nf_status fmt_onnx_ml_floats(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name)
{
    nf_bytes a;
    uint8_t *data;
    size_t count;
    uint64_t v;
    nf_status st;
    *tensor = IR_NONE;
    if ((st = fmt_onnx_attr(&a, o, n, name, FLOATS)) || !a.data) return st;
    numbers c = open_numbers(a, FLOATS_FIELD, sizeof(float));
    if ((st = count_numbers(&count, o, c))) return st;
    if ((st = new_list(tensor, &data, o, name, ENG_F32, count))) return st;
    for (size_t i = 0; next_number(&v, &c); i++)
        memcpy(data + i * sizeof(float), &(uint32_t){(uint32_t)v}, sizeof(float));
    return give(o, *tensor, data);
}

static bool next_text(nf_span *out, fmt_pb *p)
{
    fmt_field f;
    while (fmt_pb_next(&f, p)) {
        if (!fmt_pb_is(&f, STRINGS_FIELD, FMT_LENGTH)) continue;
        *out = fmt_pb_text(&f);
        return true;
    }
    return false;
}

static nf_status count_texts(nf_bytes *a, size_t *count, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name)
{
    nf_span text;
    const nf_status st = fmt_onnx_attr(a, o, n, name, STRINGS);
    *count = 0;
    if (st || !a->data) return st;
    fmt_pb p = fmt_pb_open(*a);
    while (next_text(&text, &p))
        ++*count;
    return fmt_onnx_broken(o, &p);
}

nf_status fmt_onnx_ml_texts(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name)
{
    nf_bytes a;
    uint8_t *data;
    size_t count;
    nf_status st;
    *tensor = IR_NONE;
    if ((st = count_texts(&a, &count, o, n, name)) || !a.data) return st;
    if ((st = fmt_onnx_spend(o, a.len))) return st;
    if ((st = new_list(tensor, &data, o, name, ENG_STR, count))) return st;
    nf_span *spans = (nf_span *)(void *)data;
    fmt_pb p = fmt_pb_open(a);
    for (size_t i = 0; i < count; i++)
        (void)next_text(&spans[i], &p);
    st = ir_set_text(&o->g->tensors[*tensor], spans, count, o->err);
    nf_free(data);
    return st;
}

nf_status fmt_onnx_ml_modes(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name)
{
    static const char *const modes[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE", "BRANCH_GT",
                                        "BRANCH_EQ",  "BRANCH_NEQ", "",           "LEAF"};
    nf_bytes a;
    nf_span text;
    uint8_t *data;
    size_t count;
    nf_status st;
    *tensor = IR_NONE;
    if ((st = count_texts(&a, &count, o, n, name)) || !a.data) return st;
    if ((st = new_list(tensor, &data, o, name, ENG_U8, count))) return st;
    fmt_pb p = fmt_pb_open(a);
    for (size_t i = 0; next_text(&text, &p); i++) {
        while (data[i] < NF_COUNT(modes) && (!text.len || !nf_span_is(text, modes[data[i]])))
            data[i]++;
    }
    return give(o, *tensor, data); /* a mode that nobody knows is one too many: trees refuse it */
}

nf_status fmt_onnx_ml_tensor(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name)
{
    fmt_onnx_const c;
    nf_bytes a;
    nf_span own;
    char where[sizeof(o->where)];
    nf_status st;
    *tensor = IR_NONE;
    if ((st = fmt_onnx_proto(&a, o, n, name)) || !a.data) return st;
    memcpy(where, o->where, sizeof(where));
    if ((st = fmt_onnx_head(&c, &own, o, a))) return st;
    memcpy(o->where, where, sizeof(where));
    c.wide = true;
    return fmt_onnx_new_const(tensor, o, &c);
}

nf_status fmt_onnx_ml_reals(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const char *name)
{
    char wide[64];
    const nf_status st = fmt_onnx_ml_floats(tensor, o, n, name);
    if (st || *tensor != IR_NONE) return st;
    snprintf(wide, sizeof(wide), "%s_as_tensor", name);
    return fmt_onnx_ml_tensor(tensor, o, n, wide);
}

nf_status fmt_onnx_ml_word(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                           const char *const *words, int count, int absent)
{
    nf_span text;
    char shown[32];
    const nf_status st = fmt_onnx_text(&text, o, n, name);
    *out = absent;
    if (st || !text.s) return st;
    for (*out = 0; *out < count; ++*out)
        if (nf_span_is(text, words[*out])) return NF_OK;
    return nf_fail(o->err, NF_EFORMAT, o->where, "%s is '%s'", name,
                   fmt_printable(shown, sizeof(shown), text));
}

nf_status fmt_onnx_ml_one(int32_t *tensor, fmt_onnx_ctx *o, eng_dtype dtype, const void *element)
{
    uint8_t *data;
    const nf_status st = new_list(tensor, &data, o, "other", dtype, 1);
    if (st) return st;
    if (dtype == ENG_STR) {
        nf_free(data);
        return ir_set_text(&o->g->tensors[*tensor], element, 1, o->err);
    }
    memcpy(data, element, eng_dtype_size(dtype));
    return give(o, *tensor, data);
}
