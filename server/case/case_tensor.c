/* case_tensor.c - recorded tensors from their files. Layer: server/case. Thread rule: no shared
 * state. */
#include "engine/base/file.h"
#include "engine/base/half.h"
#include "server/case/case.h"
#include "server/case/case_proto.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static nf_status from_raw(srv_recorded *t, nf_bytes file, const char *path, nf_error *err)
{
    size_t want;
    if (!nf_mul_size(&want, t->elems, eng_dtype_size(t->dtype)) || want != file.len)
        return nf_fail(err, NF_EINVAL, path, "expected %zu elements of %zu bytes, got %zu bytes",
                       t->elems, eng_dtype_size(t->dtype), file.len);
    t->data = nf_alloc(file.len + 1, NF_MEM_MISC);
    if (!t->data) return nf_fail(err, NF_ENOMEM, path, "no memory");
    memcpy(t->data, file.data, file.len);
    t->bytes = file.len;
    return NF_OK;
}

nf_status srv_recorded_texts(srv_recorded *t, size_t elems, size_t bytes, nf_error *err)
{
    t->dtype = ENG_STR;
    t->elems = elems;
    t->data = nf_alloc_array(elems + 1, sizeof(nf_span), NF_MEM_MISC);
    t->text = nf_alloc(bytes + 1, NF_MEM_MISC);
    t->bytes = elems * sizeof(nf_span);
    return t->data && t->text ? NF_OK : nf_fail(err, NF_ENOMEM, "texts", "no memory");
}

/* Each line is an element; the last one needs no end. */
static nf_status from_text(srv_recorded *t, nf_bytes file, const char *path, nf_error *err)
{
    const size_t want = t->elems;
    size_t lines = 0;
    nf_status st;
    for (size_t i = 0; i < file.len; i++)
        lines += file.data[i] == '\n';
    if (file.len && file.data[file.len - 1] != '\n') lines++;
    if (lines != want)
        return nf_fail(err, NF_EINVAL, path, "expected %zu lines, got %zu", want, lines);
    if ((st = srv_recorded_texts(t, lines, file.len, err))) return st;
    memcpy(t->text, file.data, file.len);
    nf_span *const spans = (nf_span *)(void *)t->data;
    const char *at = t->text, *const end = t->text + file.len;
    for (size_t i = 0; i < lines; i++) {
        const char *const eol = memchr(at, '\n', (size_t)(end - at));
        spans[i] = (nf_span){at, (size_t)((eol ? eol : end) - at)};
        at = eol ? eol + 1 : end;
    }
    return NF_OK;
}

/* Which column a class of the file is: the model's own order, else `next`. */
static size_t column_of(const srv_case_io *io, const char *key, size_t next)
{
    for (size_t i = 0; i < io->n_classes; i++)
        if (strcmp(io->classes[i], key) == 0) return i;
    return next;
}

static nf_status fill_maps(srv_recorded *t, const json_t *rows, const srv_case_io *io,
                           const char *path, nf_error *err)
{
    float *const out = (float *)t->data;
    const size_t n = (size_t)t->dim[1];
    for (size_t r = 0; r < (size_t)t->dim[0]; r++) {
        const char *key;
        json_t *value;
        size_t next = 0;
        json_t *const row = json_array_get(rows, r);
        if (json_object_size(row) != n)
            return nf_fail(err, NF_EINVAL, path, "row %zu: expected %zu classes, got %zu", r, n,
                           json_object_size(row));
        json_object_foreach(row, key, value)
        {
            const size_t at = column_of(io, key, next++);
            if (!json_is_number(value) || at >= n)
                return nf_fail(err, NF_EINVAL, path, "row %zu, '%s': expected a number", r, key);
            out[r * n + at] = (float)json_number_value(value);
        }
    }
    return NF_OK;
}

/* [{"a": 0.1, "b": 0.9}, …] as float32 [rows, classes]. */
static nf_status from_maps(srv_recorded *t, nf_bytes file, const srv_case_io *io, const char *path,
                           nf_error *err)
{
    json_error_t why;
    json_t *rows = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &why);
    nf_status st = NF_OK;
    if (!rows) return nf_fail(err, NF_EINVAL, path, "line %d: %s", why.line, why.text);
    t->dtype = ENG_F32;
    t->rank = 2;
    t->dim[0] = (int64_t)json_array_size(rows);
    t->dim[1] = (int64_t)json_object_size(json_array_get(rows, 0));
    if (t->dim[0] == 0 || t->dim[1] == 0) {
        st = nf_fail(err, NF_EINVAL, path, "expected a list of {\"class\": probability}");
        goto done;
    }
    if (!nf_mul_size(&t->elems, (size_t)t->dim[0], (size_t)t->dim[1])) t->elems = SIZE_MAX / 8;
    t->data = nf_alloc_array(t->elems, sizeof(float), NF_MEM_MISC);
    t->bytes = t->elems * sizeof(float);
    st = t->data ? fill_maps(t, rows, io, path, err) : nf_fail(err, NF_ENOMEM, path, "no memory");
done:
    json_decref(rows);
    return st;
}

static nf_status from_proto(srv_recorded *t, nf_bytes file, const char *path, nf_error *err)
{
    nf_error why = {0};
    const nf_status st = srv_recorded_proto(t, file, &why);
    if (st) nf_note(err, st, path, "%s", why.text);
    return st;
}

static nf_status read_content(srv_recorded *t, nf_bytes file, const srv_case_io *io,
                              const char *path, nf_error *err)
{
    switch (io->content) {
    case SRV_CASE_STRINGS:
        return from_text(t, file, path, err);
    case SRV_CASE_MAPS:
        return from_maps(t, file, io, path, err);
    case SRV_CASE_PROTO:
        return from_proto(t, file, path, err);
    case SRV_CASE_TENSOR:
        break;
    }
    return from_raw(t, file, path, err);
}

/* "outputs/3.bin" -> "outputs_xnn/3.bin". */
static nf_status path_of(char **out, const srv_case *c, const srv_case_ref *ref,
                         const char *instead, nf_error *err)
{
    const char *slash = strchr(ref->file, '/');
    char *inner = NULL;
    nf_status st;
    if (!instead || !slash) return srv_case_path(out, c->dir, ref->file, err);
    if ((st = srv_case_path(&inner, instead, slash + 1, err))) return st;
    st = srv_case_path(out, c->dir, inner, err);
    nf_free(inner);
    return st;
}

nf_status srv_recorded_read(srv_recorded *out, const srv_case *c, const srv_case_io *io,
                            const srv_case_ref *ref, const char *instead, nf_error *err)
{
    nf_bytes file = {0};
    char *path = NULL;
    nf_status st;

    *out =
        (srv_recorded){.content = io->content, .dtype = io->dtype, .rank = ref->rank, .elems = 1};
    memcpy(out->dim, ref->dim, sizeof(out->dim));
    if ((st = path_of(&path, c, ref, instead, err))) goto done;
    for (int d = 0; d < out->rank; d++)
        if (!nf_mul_size(&out->elems, out->elems, (size_t)out->dim[d])) out->elems = SIZE_MAX;
    if ((st = nf_read_file(&file, path, SRV_CASE_MAX_FILE, NF_MEM_MISC, err))) goto done;
    st = read_content(out, file, io, path, err);
done:
    nf_free((void *)file.data);
    nf_free(path);
    if (st) srv_recorded_fini(out);
    return st;
}

void srv_recorded_fini(srv_recorded *t)
{
    nf_free(t->data);
    nf_free(t->text);
    *t = (srv_recorded){0};
}

// clang-format off
#define ELEMENT_TYPES(X) \
    X(F32, float) X(I8, int8_t) X(U8, uint8_t) X(I16, int16_t) X(I32, int32_t) X(I64, int64_t) \
    X(BOOL, uint8_t) X(F64, double) X(U16, uint16_t) X(U32, uint32_t) X(U64, uint64_t)
// clang-format on

double srv_element(const void *data, eng_dtype dtype, size_t i)
{
    uint16_t h;
    switch (dtype) {
#define X(name, type)                                                                              \
    case ENG_##name: {                                                                             \
        type v;                                                                                    \
        memcpy(&v, (const char *)data + i * sizeof(v), sizeof(v));                                 \
        return (double)v;                                                                          \
    }
        ELEMENT_TYPES(X)
#undef X
    case ENG_F16:
    case ENG_BF16:
        memcpy(&h, (const char *)data + i * sizeof(h), sizeof(h));
        return (double)(dtype == ENG_F16 ? nf_from_f16(h) : nf_from_bf16(h));
    default:
        return 0;
    }
}

nf_status srv_recorded_real(srv_recorded *out, const srv_recorded *in, const srv_case_io *io,
                            nf_error *err)
{
    *out = (srv_recorded){.content = in->content, .dtype = ENG_F32, .rank = in->rank};
    if (in->dtype == ENG_STR)
        return nf_fail(err, NF_EUNSUPPORTED, io->name, "text has no value in real units");
    memcpy(out->dim, in->dim, sizeof(out->dim));
    out->elems = in->elems;
    out->bytes = in->elems * sizeof(float);
    out->data = nf_alloc(out->bytes + 1, NF_MEM_MISC);
    if (!out->data) return nf_fail(err, NF_ENOMEM, io->name, "no memory");
    for (size_t i = 0; i < in->elems; i++) {
        const double q = srv_element(in->data, in->dtype, i);
        const float real = io->quantized ? (float)(q - io->zero_point) * io->scale : (float)q;
        memcpy(out->data + i * sizeof(real), &real, sizeof(real));
    }
    return NF_OK;
}
