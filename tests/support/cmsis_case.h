/* cmsis_case.h - recorded cases of integer kernels: case.json and raw tensors. Layer: tests. */
#ifndef TEST_CMSIS_CASE_H
#define TEST_CMSIS_CASE_H

#include "tests/support/support.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/kernels/krn_quant_product.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define CASE_DIMS 8

typedef struct case_tensor {
    krn_type type;
    void *data; /* owned */
    size_t bytes, elems;
} case_tensor;

typedef struct case_run { /* of one case, or of one layer of a network */
    const char *folder, *prefix;
    json_t *json, *params;   /* json: with the list of tensors */
    const case_tensor *from; /* input of a layer inside a network */
} case_run;

static inline int64_t case_number(const case_run *r, const char *key)
{
    return json_integer_value(json_object_get(r->params, key));
}

static inline size_t case_sizes(size_t *out, const case_run *r, const char *key)
{
    json_t *list = json_object_get(r->params, key);
    for (size_t i = 0; i < json_array_size(list) && i < CASE_DIMS; i++)
        out[i] = (size_t)json_integer_value(json_array_get(list, i));
    return json_array_size(list);
}

static inline int64_t case_item(const case_run *r, const char *key, size_t i)
{
    return json_integer_value(json_array_get(json_object_get(r->params, key), i));
}

static inline json_t *case_entry(const case_run *r, const char *name)
{
    json_t *list = json_object_get(r->json, "tensors"), *t;
    char full[96];
    size_t i;
    (void)snprintf(full, sizeof(full), "%s%s", r->prefix, name);
    json_array_foreach(list, i, t)
    {
        if (!strcmp(json_string_value(json_object_get(t, "name")), full)) return t;
    }
    return NULL;
}

/* Two values a byte, the low one first. */
static inline void case_unpack(case_tensor *t)
{
    const uint8_t *packed = t->data;
    int8_t *v = nf_alloc(t->elems, NF_MEM_MISC);
    for (size_t i = 0; i < t->elems; i++) {
        const int half = (packed[i / 2] >> (i % 2 ? 4 : 0)) & 15;
        v[i] = (int8_t)(half < 8 ? half : half - 16);
    }
    nf_free(t->data);
    t->data = v;
    t->bytes = t->elems;
}

/** Reads a tensor; an empty one when the case has none of that name. */
static inline case_tensor case_load(const case_run *r, const char *name)
{
    static const struct {
        const char *name;
        krn_type type;
    } types[] = {{"int8", KRN_I8},    {"s4_packed", KRN_I8}, {"int16", KRN_I16},
                 {"uint16", KRN_I16}, {"int32", KRN_I32},    {"int64", KRN_I64}};
    case_tensor t = {0};
    json_t *entry = case_entry(r, name), *dim;
    char path[1024];
    nf_error err = {0};
    nf_bytes file = {0};
    size_t i;
    if (!entry) return t;
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    (void)snprintf(path, sizeof(path), "%s/%s", r->folder,
                   json_string_value(json_object_get(entry, "file")));
    assert_ok(nf_read_file(&file, path, (size_t)1 << 24, NF_MEM_MISC, &err), &err);
    for (i = 0; i < NF_COUNT(types); i++)
        if (!strcmp(types[i].name, dtype)) t.type = types[i].type;
    t.elems = 1;
    json_array_foreach(json_object_get(entry, "shape"), i, dim)
    {
        t.elems *= (size_t)json_integer_value(dim);
    }
    t.data = (void *)(uintptr_t)file.data;
    t.bytes = file.len;
    if (!strcmp(dtype, "s4_packed")) case_unpack(&t);
    return t;
}

static inline void case_free(case_tensor *t)
{
    nf_free(t->data);
    *t = (case_tensor){0};
}

/** Room for a result. */
static inline case_tensor case_new(krn_type type, size_t elems)
{
    const size_t size = type == KRN_I16 ? 2 : 1;
    return (case_tensor){type, nf_alloc(elems * size + 1, NF_MEM_MISC), elems * size, elems};
}

/** The input of a layer: that of the case, or the result of the layer before. */
static inline case_tensor case_input(const case_run *r, const char *name)
{
    if (!r->from) return case_load(r, name);
    case_tensor t = case_new(r->from->type, r->from->elems);
    memcpy(t.data, r->from->data, t.bytes);
    return t;
}

/** A bias as 64 bits, of n outputs; zeros when the case has none. */
static inline void case_bias(int64_t *out, size_t n, const case_run *r, const char *name)
{
    case_tensor t = case_load(r, name);
    for (size_t c = 0; c < n; c++)
        out[c] = !t.data             ? 0
                 : t.type == KRN_I64 ? ((const int64_t *)t.data)[c]
                                     : ((const int32_t *)t.data)[c];
    case_free(&t);
}

/** A value less its offset as int16. */
static inline int16_t *case_wide(const case_tensor *x, int64_t zero)
{
    int16_t *wide = nf_alloc((x->elems + 1) * sizeof(*wide), NF_MEM_MISC);
    for (size_t i = 0; i < x->elems; i++)
        wide[i] = (int16_t)(krn_q_get(x->data, x->type, i) - zero);
    return wide;
}

static inline krn_factor case_factor(const case_run *r, const char *multiplier, const char *shift)
{
    return (krn_factor){(int32_t)case_number(r, multiplier), (int32_t)case_number(r, shift)};
}

/* in, filter [o, h, w, i] or [1, h, w, c], out: images of four dimensions. */
static inline krn_window case_window(const case_run *r, const size_t *in, const size_t *out,
                                     const size_t kernel[2])
{
    size_t stride[2] = {1, 1}, dilation[2] = {1, 1}, pad[2] = {0, 0};
    case_sizes(stride, r, "stride");
    case_sizes(dilation, r, "dilation");
    case_sizes(pad, r, "padding");
    return (krn_window){.in_h = in[1],
                        .in_w = in[2],
                        .in_c = in[3],
                        .out_h = out[1],
                        .out_w = out[2],
                        .out_c = out[3],
                        .kernel_h = kernel[0],
                        .kernel_w = kernel[1],
                        .stride_h = stride[0],
                        .stride_w = stride[1],
                        .dilation_h = dilation[0],
                        .dilation_w = dilation[1],
                        .top = (ptrdiff_t)pad[0],
                        .left = (ptrdiff_t)pad[1]};
}

#endif /* TEST_CMSIS_CASE_H */
