/* case_json.c - reads case.json. Layer: server/case. Thread rule: no shared state. */
#include "engine/base/file.h"
#include "server/case/case.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "case.json"
#define MAX_JSON  ((size_t)64 << 20)
#define MAX_ITEMS 1000000

typedef struct dtype_name {
    const char *name;
    srv_case_content content;
    eng_dtype dtype;
} dtype_name;

static const dtype_name dtypes[] = {
    {"float32", SRV_CASE_TENSOR, ENG_F32},
    {"float64", SRV_CASE_TENSOR, ENG_F64},
    {"int8", SRV_CASE_TENSOR, ENG_I8},
    {"uint8", SRV_CASE_TENSOR, ENG_U8},
    {"int16", SRV_CASE_TENSOR, ENG_I16},
    {"int32", SRV_CASE_TENSOR, ENG_I32},
    {"int64", SRV_CASE_TENSOR, ENG_I64},
    {"bool", SRV_CASE_TENSOR, ENG_BOOL},
    {"float16", SRV_CASE_TENSOR, ENG_F16},
    {"uint16", SRV_CASE_TENSOR, ENG_U16},
    {"uint32", SRV_CASE_TENSOR, ENG_U32},
    {"uint64", SRV_CASE_TENSOR, ENG_U64},
    {"string", SRV_CASE_STRINGS, ENG_STR},
    {"seq(map(string,tensor(float)))", SRV_CASE_MAPS, ENG_F32},
    {"seq(map(int64,tensor(float)))", SRV_CASE_MAPS, ENG_F32},
};

/* Which element of case.json is being read: "cases[3].outputs[0]". */
typedef struct place {
    char text[80];
} place;

static place at(const char *list, size_t i, const char *inner, size_t k)
{
    place p;
    if (inner)
        snprintf(p.text, sizeof(p.text), "%s[%zu].%s[%zu]", list, i, inner, k);
    else
        snprintf(p.text, sizeof(p.text), "%s[%zu]", list, i);
    return p;
}

static void note_wrong(const place *p, const char *field, const char *expected, const json_t *got,
                       nf_error *err)
{
    static const char *const types[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "a list",  [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null"};
    nf_note(err, NF_EINVAL, FILE_NAME, "%s%s%s: expected %s, got %s", p ? p->text : "",
            p ? "." : "", field, expected, got ? types[json_typeof(got)] : "nothing");
}

/* The value is the constant, as nf_fail's is. */
#define wrong(...) (note_wrong(__VA_ARGS__), NF_EINVAL)

static nf_status text_of(const char **out, const json_t *o, const char *key, const place *p,
                         nf_error *err)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_string(v)) return wrong(p, key, "a string", v, err);
    *out = json_string_value(v);
    return NF_OK;
}

/* A finite number that is not negative; `dflt` where the key is absent. */
static nf_status amount(double *out, const json_t *o, const char *key, double dflt, const place *p,
                        nf_error *err)
{
    const json_t *v = json_object_get(o, key);
    *out = v ? json_number_value(v) : dflt;
    if ((v && !json_is_number(v)) || !isfinite(*out) || *out < 0)
        return wrong(p, key, "a number of 0 or more", v, err);
    return NF_OK;
}

static nf_status read_dtype(srv_case_io *io, const json_t *o, const place *p, nf_error *err)
{
    const char *name = NULL;
    nf_status st = text_of(&name, o, "dtype", p, err);
    if (st) return st;
    for (size_t i = 0; i < NF_COUNT(dtypes); i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            io->content = dtypes[i].content;
            io->dtype = dtypes[i].dtype;
            return NF_OK;
        }
    return nf_fail(err, NF_EINVAL, FILE_NAME,
                   "%s.dtype: expected float16, float32, float64, int8 … uint64, bool, string or "
                   "a map, got '%s'",
                   p->text, name);
}

static nf_status read_quant(srv_case_io *io, const json_t *o, const place *p, nf_error *err)
{
    const json_t *q = json_object_get(o, "quant");
    if (!q || json_is_null(q)) return NF_OK;
    const json_t *scale = json_object_get(q, "scale"), *zero = json_object_get(q, "zero_point");
    const double s = json_number_value(scale);
    if (!json_is_number(scale) || !(s > 0) || !isfinite((float)s) || (float)s == 0.0f)
        return wrong(p, "quant.scale", "a number above 0", scale, err);
    if (!json_is_integer(zero) || json_integer_value(zero) < INT32_MIN ||
        json_integer_value(zero) > INT32_MAX)
        return wrong(p, "quant.zero_point", "a 32-bit integer", zero, err);
    io->quantized = true;
    io->scale = (float)s;
    io->zero_point = (int32_t)json_integer_value(zero);
    return NF_OK;
}

static nf_status read_tolerance(srv_case_tolerance *t, const json_t *o, const place *p,
                                nf_error *err)
{
    const json_t *v = json_object_get(o, "tolerance");
    const char *kind = NULL;
    double lsb = 0;
    nf_status st;
    if (!json_is_object(v)) return wrong(p, "tolerance", "an object", v, err);
    if ((st = text_of(&kind, v, "kind", p, err))) return st;
    if ((st = amount(&t->abs, v, "abs", 0, p, err))) return st;
    if ((st = amount(&t->rel, v, "rel", 0, p, err))) return st;
    if ((st = amount(&lsb, v, "lsb", 0, p, err))) return st;
    t->lsb = (int64_t)fmin(lsb, 65536);
    static const char *const kinds[] = {"exact", "lsb", "abs_rel"};
    for (size_t i = 0; i < NF_COUNT(kinds); i++)
        if (strcmp(kinds[i], kind) == 0) return t->rule = (srv_case_rule)i, NF_OK;
    return nf_fail(err, NF_EINVAL, FILE_NAME,
                   "%s.tolerance.kind: expected exact, lsb or abs_rel, got '%s'", p->text, kind);
}

static nf_status read_ios(srv_case_io *ios, size_t *n, const json_t *root, const char *key,
                          nf_error *err)
{
    const bool outputs = strcmp(key, "outputs") == 0;
    const json_t *list = json_object_get(root, key);
    nf_status st;
    if (!json_is_array(list)) return wrong(NULL, key, "a list", list, err);
    *n = json_array_size(list);
    if (*n == 0 || *n > SRV_CASE_MAX_IO)
        return nf_fail(err, NF_EINVAL, FILE_NAME, "%s: expected 1 to %d entries, got %zu", key,
                       SRV_CASE_MAX_IO, *n);
    for (size_t i = 0; i < *n; i++) {
        const json_t *o = json_array_get(list, i);
        const place p = at(key, i, NULL, 0);
        if (!json_is_object(o)) return wrong(&p, "entry", "an object", o, err);
        if ((st = text_of(&ios[i].name, o, "name", &p, err))) return st;
        if ((st = read_dtype(&ios[i], o, &p, err))) return st;
        if ((st = read_quant(&ios[i], o, &p, err))) return st;
        if (outputs && (st = read_tolerance(&ios[i].tolerance, o, &p, err))) return st;
    }
    return NF_OK;
}

static nf_status read_shape(srv_case_ref *ref, const json_t *o, const place *p, nf_error *err)
{
    const json_t *shape = json_object_get(o, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > ENG_MAX_RANK)
        return wrong(p, "shape", "a list of at most 8 sizes", shape, err);
    ref->rank = (int)json_array_size(shape);
    for (int d = 0; d < ref->rank; d++) {
        const json_t *v = json_array_get(shape, (size_t)d);
        ref->dim[d] = json_integer_value(v);
        if (!json_is_integer(v) || ref->dim[d] < 0)
            return wrong(p, "shape", "sizes of 0 or more", v, err);
    }
    return NF_OK;
}

static nf_status read_refs(srv_case_ref **out, size_t n, const srv_case_io *ios, const json_t *item,
                           size_t index, const char *key, nf_error *err)
{
    const json_t *list = json_object_get(item, key);
    nf_status st;
    if (!json_is_array(list) || json_array_size(list) != n)
        return nf_fail(err, NF_EINVAL, FILE_NAME, "cases[%zu].%s: expected %zu entries, got %zu",
                       index, key, n, json_array_size(list));
    *out = nf_alloc_array(n, sizeof(**out), NF_MEM_MISC);
    if (!*out) return nf_fail(err, NF_ENOMEM, FILE_NAME, "no memory");
    for (size_t k = 0; k < n; k++) {
        const json_t *o = json_array_get(list, k);
        const place p = at("cases", index, key, k);
        const char *file = NULL;
        if ((st = text_of(&file, o, "file", &p, err))) return st;
        if (ios[k].content != SRV_CASE_MAPS && (st = read_shape(&(*out)[k], o, &p, err))) return st;
        (*out)[k].file = nf_strdup(file, strlen(file), NF_MEM_MISC);
        if (!(*out)[k].file) return nf_fail(err, NF_ENOMEM, FILE_NAME, "no memory");
    }
    return NF_OK;
}

static nf_status read_items(srv_case *c, const json_t *root, nf_error *err)
{
    const json_t *list = json_object_get(root, "cases");
    const size_t n = json_array_size(list);
    nf_status st;
    if (!json_is_array(list) || n == 0 || n > MAX_ITEMS)
        return wrong(NULL, "cases", "a list of 1 to 1,000,000 cases", list, err);
    c->items = nf_alloc_array(n, sizeof(*c->items), NF_MEM_MISC);
    if (!c->items) return nf_fail(err, NF_ENOMEM, FILE_NAME, "no memory for %zu cases", n);
    c->n_items = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        srv_case_item *const it = &c->items[i];
        if ((st = read_refs(&it->in, c->n_in, c->in, o, i, "inputs", err))) return st;
        if ((st = read_refs(&it->out, c->n_out, c->out, o, i, "outputs", err))) return st;
        it->label = json_string_value(json_object_get(o, "label"));
    }
    return NF_OK;
}

static nf_status read_labels(srv_case *c, const json_t *root, nf_error *err)
{
    const json_t *list = json_object_get(root, "labels");
    if (!list || json_is_null(list)) return NF_OK;
    if (!json_is_array(list)) return wrong(NULL, "labels", "a list of strings", list, err);
    c->labels = nf_alloc_array(json_array_size(list) + 1, sizeof(*c->labels), NF_MEM_MISC);
    if (!c->labels) return nf_fail(err, NF_ENOMEM, FILE_NAME, "no memory");
    c->n_labels = json_array_size(list);
    for (size_t i = 0; i < c->n_labels; i++) {
        const json_t *v = json_array_get(list, i);
        c->labels[i] = json_string_value(v);
        if (!c->labels[i]) return wrong(NULL, "labels", "a list of strings", v, err);
    }
    return NF_OK;
}

static nf_status read_alternatives(srv_case *c, const json_t *root, nf_error *err)
{
    const json_t *list = json_object_get(root, "alternatives");
    nf_status st;
    if (!list || json_is_null(list)) return NF_OK;
    if (!json_is_array(list) || json_array_size(list) > SRV_CASE_MAX_ALT)
        return wrong(NULL, "alternatives", "a list of at most 8", list, err);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const place p = at("alternatives", i, NULL, 0);
        const json_t *o = json_array_get(list, i);
        if ((st = text_of(&c->alternatives[i], o, "dir", &p, err))) return st;
        c->n_alternatives++;
    }
    return NF_OK;
}

static nf_status read_root(srv_case *c, const json_t *root, nf_error *err)
{
    static const char *const ariths[] = {"float", "framework", "reference", "litert", "onnx"};
    const char *model = NULL;
    const json_t *format = json_object_get(root, "format");
    bool known = false;
    nf_status st;
    if (!json_is_object(root)) return wrong(NULL, "the file", "an object", root, err);
    if ((st = text_of(&model, root, "model", NULL, err))) return st;
    if ((st = text_of(&c->arith, root, "arith", NULL, err))) return st;
    for (size_t i = 0; i < NF_COUNT(ariths); i++)
        known |= strcmp(c->arith, ariths[i]) == 0;
    if (!known)
        return nf_fail(err, NF_EINVAL, FILE_NAME,
                       "arith: expected float, framework, reference, litert or onnx, got '%s'",
                       c->arith);
    c->format = json_is_string(format) ? json_string_value(format) : "";
    c->model = nf_strdup(model, strlen(model), NF_MEM_MISC);
    if (!c->model) return nf_fail(err, NF_ENOMEM, FILE_NAME, "no memory");
    if ((st = read_ios(c->in, &c->n_in, root, "inputs", err))) return st;
    if ((st = read_ios(c->out, &c->n_out, root, "outputs", err))) return st;
    if ((st = read_labels(c, root, err))) return st;
    if ((st = read_alternatives(c, root, err))) return st;
    return read_items(c, root, err);
}

bool srv_case_json_here(const char *dir)
{
    return srv_case_holds(dir, FILE_NAME);
}

nf_status srv_case_json_read(srv_case *c, nf_error *err)
{
    nf_bytes file = {0};
    char *path = NULL;
    json_error_t why;
    nf_status st;

    if ((st = srv_case_path(&path, c->dir, FILE_NAME, err))) goto done;
    if ((st = nf_read_file(&file, path, MAX_JSON, NF_MEM_MISC, err))) goto done;
    c->json = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &why);
    if (!c->json)
        st = nf_fail(err, NF_EINVAL, path, "line %d: %s", why.line, why.text);
    else
        st = read_root(c, c->json, err);
done:
    nf_free((void *)file.data);
    nf_free(path);
    return st;
}
