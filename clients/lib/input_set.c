/* input_set.c - request bodies. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/input_set.h"

#include "clients/lib/stats.h"
#include "clients/lib/text_out.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <jansson.h>
#include <stdio.h>

#define FILE_MOST     (64u << 20)
#define ELEMENTS_MOST (4u << 20)
#define LINES_MOST    (1u << 20)

static nf_status add_body(cl_inputs *in, cl_text *t, nf_error *err)
{
    nf_bytes *grown = nf_realloc(in->body, (in->n + 1) * sizeof(*grown), NF_MEM_CLIENT);
    if (grown) in->body = grown;
    if (!grown || t->failed)
        return nf_fail(err, NF_ENOMEM, "input", "no memory for request %zu, or it is over %u MiB",
                       in->n + 1, FILE_MOST >> 20);
    in->body[in->n++] = (nf_bytes){(uint8_t *)t->s, t->len};
    *t = (cl_text){.most = t->most}; /* the text belongs to the set now */
    return NF_OK;
}

/* One JSON document, checked, as a request body. */
static nf_status add_document(cl_inputs *in, const char *s, size_t len, nf_error *err)
{
    json_error_t at;
    nf_status st;
    cl_text t = {.most = FILE_MOST};
    json_t *doc = json_loadb(s, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &at);

    if (!doc)
        return nf_fail(err, NF_EINVAL, in->source, "expected JSON: %s (line %d, column %d)",
                       at.text, at.line, at.column);
    const bool whole =
        json_object_get(doc, WIRE_KEY_INSTANCES) || json_object_get(doc, WIRE_KEY_INPUTS);
    json_decref(doc);
    if (!whole) cl_text_fmt(&t, "{\"" WIRE_KEY_INSTANCES "\":[");
    cl_text_add(&t, s, len);
    if (!whole) cl_text_add(&t, "]}", 2);
    st = add_body(in, &t, err);
    cl_text_fini(&t);
    return st;
}

static nf_span next_line(nf_span *rest)
{
    const char *end = memchr(rest->s, '\n', rest->len);
    const size_t len = end ? (size_t)(end - rest->s) : rest->len;
    const nf_span line = {rest->s, len};
    rest->s += len + (end != NULL);
    rest->len -= len + (end != NULL);
    return line;
}

static bool is_blank(nf_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr(" \t\r", s.s[i]) || s.s[i] == '\0') return false;
    return true;
}

/* True when every line that is not blank is a JSON document of its own, and there are two. */
static bool is_lines(nf_span all)
{
    size_t documents = 0;
    while (all.len) {
        const nf_span line = next_line(&all);
        if (is_blank(line)) continue;
        json_t *doc = json_loadb(line.s, line.len, JSON_DECODE_ANY, NULL);
        json_decref(doc);
        if (!doc || ++documents > LINES_MOST) return false;
    }
    return documents > 1;
}

static nf_status add_text(cl_inputs *in, nf_span all, nf_error *err)
{
    nf_status st = NF_OK;
    if (!is_lines(all)) return add_document(in, all.s, all.len, err);
    while (all.len && !st) {
        const nf_span line = next_line(&all);
        if (!is_blank(line)) st = add_document(in, line.s, line.len, err);
    }
    return st;
}

static nf_status read_inputs(cl_inputs *out, const char *text, nf_error *err)
{
    nf_bytes file = {0};
    nf_status st;
    if (text[0] && strchr("[{-0123456789\"", text[0])) {
        snprintf(out->source, sizeof(out->source), "--input");
        return add_text(out, (nf_span){text, strlen(text)}, err);
    }
    snprintf(out->source, sizeof(out->source), "%s", text);
    if ((st = nf_read_file(&file, text, FILE_MOST, NF_MEM_CLIENT, err))) return st;
    st = add_text(out, (nf_span){(const char *)file.data, file.len}, err);
    nf_free((void *)file.data);
    return st;
}

nf_status cl_inputs_read(cl_inputs *out, const char *text, nf_error *err)
{
    *out = (cl_inputs){0};
    const nf_status st = read_inputs(out, text, err);
    if (st) cl_inputs_fini(out);
    return st;
}

nf_status cl_inputs_pad(cl_inputs *in, size_t bytes, nf_error *err)
{
    for (size_t i = 0; i < in->n; i++) {
        nf_bytes *b = &in->body[i];
        if (b->len >= bytes) continue;
        uint8_t *longer = nf_realloc((void *)b->data, bytes, NF_MEM_CLIENT);
        if (!longer) return nf_fail(err, NF_ENOMEM, "input", "no memory for %zu bytes", bytes);
        memset(longer + b->len, ' ', bytes - b->len);
        *b = (nf_bytes){longer, bytes};
    }
    return NF_OK;
}

void cl_inputs_fini(cl_inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        nf_free((void *)in->body[i].data);
        if (in->label) nf_free(in->label[i]);
    }
    nf_free(in->label);
    nf_free(in->body);
    *in = (cl_inputs){0};
}

/* What to put into one input of the model. */
typedef struct filling {
    size_t count; /* elements of one instance */
    double low, high;
    bool whole; /* integers only */
} filling;

/* Elements of one instance: the product of the dimensions behind the batch; a dimension the model
 * leaves open counts as 1. */
static nf_status count_elements(size_t *out, json_t *shape, const char *name, nf_error *err)
{
    size_t i;
    json_t *dim;
    *out = 1;
    json_array_foreach(shape, i, dim)
    {
        const json_int_t d = json_integer_value(dim);
        if (i == 0 || d <= 0) continue;
        if (!nf_mul_size(out, *out, (size_t)d) || *out > ELEMENTS_MOST)
            return nf_fail(err, NF_ETOOLARGE, name, "over %u elements an instance", ELEMENTS_MOST);
    }
    return NF_OK;
}

/* What values of a unit usually are. */
static const struct {
    const char *unit;
    double low, high;
} unit_ranges[] = {
    {"degC", -5, 40}, /* a room from an open door in winter to a hot machine */
    {"", 0, 1},       /* unknown; the last row */
};

static nf_status describe(filling *f, json_t *input, const char *unit, const char *name,
                          nf_error *err)
{
    json_t *extra = json_object_get(input, WIRE_KEY_PARAMETERS);
    json_t *low = json_object_get(extra, "min");
    json_t *high = json_object_get(extra, "max");
    const char *type = json_string_value(json_object_get(input, WIRE_KEY_DATATYPE));
    size_t u = 0;
    while (u + 1 < NF_COUNT(unit_ranges) && strcmp(unit, unit_ranges[u].unit) != 0)
        u++;
    f->low = unit_ranges[u].low;
    f->high = unit_ranges[u].high;
    if (json_is_number(low) && json_is_number(high)) {
        f->low = json_number_value(low);
        f->high = json_number_value(high);
    }
    f->whole = type && (strstr(type, "INT") || strcmp(type, "BOOL") == 0);
    return count_elements(&f->count, json_object_get(input, WIRE_KEY_SHAPE), name, err);
}

static void fill(cl_text *t, const filling *f, uint64_t *seed)
{
    for (size_t i = 0; i < f->count; i++) {
        const double v = f->low + (f->high - f->low) * cl_random_unit(seed);
        cl_text_fmt(t, "%s%.*f", i ? "," : "[", f->whole ? 0 : 3, v);
    }
    cl_text_add(t, "]", 1);
}

/* ,"name": in front of one input's values. */
static bool add_key(cl_text *t, json_t *input, size_t i)
{
    char quoted[512];
    json_t *name = json_object_get(input, WIRE_KEY_NAME);
    const size_t len = json_dumpb(name, quoted, sizeof(quoted), JSON_ENCODE_ANY);
    cl_text_fmt(t, "%s%.*s:", i ? "," : "", len > sizeof(quoted) ? 0 : (int)len, quoted);
    return len > 0 && len <= sizeof(quoted);
}

/* {"instances":[[…]]}, or with several inputs {"instances":[{"a":[…],"b":[…]}]}. */
static nf_status make_body(cl_text *t, json_t *inputs, const char *unit, uint64_t *seed,
                           nf_error *err)
{
    size_t i;
    json_t *input;
    const bool named = json_array_size(inputs) > 1;
    cl_text_fmt(t, "{\"" WIRE_KEY_INSTANCES "\":[%s", named ? "{" : "");
    json_array_foreach(inputs, i, input)
    {
        const char *name = json_string_value(json_object_get(input, WIRE_KEY_NAME));
        filling f;
        nf_status st;
        if (!name) return nf_fail(err, NF_EINVAL, "metadata", "input %zu has no name", i);
        if ((st = describe(&f, input, unit, name, err))) return st;
        if (named && !add_key(t, input, i))
            return nf_fail(err, NF_EINVAL, "metadata", "name too long");
        fill(t, &f, seed);
    }
    cl_text_fmt(t, "%s]}", named ? "}" : "");
    return NF_OK;
}

void cl_facts_read(cl_facts *to, nf_bytes metadata)
{
    json_t *doc = json_loadb((const char *)metadata.data, metadata.len, 0, NULL);
    json_t *own = json_object_get(doc, "nearfar");
    json_t *macs = json_object_get(own, "macs");
    const char *precision = json_string_value(json_object_get(own, "precision"));
    *to = (cl_facts){.known = json_is_number(macs) && precision,
                     .macs = json_number_value(macs),
                     .weight_bytes = json_number_value(json_object_get(own, "weight_bytes"))};
    snprintf(to->precision, sizeof(to->precision), "%s", precision ? precision : "");
    json_decref(doc);
}

void cl_unit_read(char *to, size_t room, nf_bytes facts)
{
    json_t *doc = json_loadb((const char *)facts.data, facts.len, 0, NULL);
    const char *unit = json_string_value(json_object_get(json_object_get(doc, "nearfar"), "units"));
    const bool fits = unit && strlen(unit) < room;
    snprintf(to, room, "%s", fits ? unit : "");
    json_decref(doc);
}

nf_status cl_inputs_make(cl_inputs *out, nf_bytes metadata, const char *unit, size_t n,
                         uint64_t seed, nf_error *err)
{
    nf_status st = NF_OK;
    cl_text t = {.most = FILE_MOST};
    json_t *doc = json_loadb((const char *)metadata.data, metadata.len, 0, NULL);
    json_t *inputs = json_object_get(doc, WIRE_KEY_INPUTS);

    *out = (cl_inputs){0};
    snprintf(out->source, sizeof(out->source), "made to fit the model, seed %llu",
             (unsigned long long)seed);
    if (json_array_size(inputs) == 0)
        st = nf_fail(err, NF_EINVAL, "metadata", "expected JSON with a list \"inputs\"");
    for (size_t i = 0; i < n && !st; i++) {
        st = make_body(&t, inputs, unit, &seed, err);
        if (!st) st = add_body(out, &t, err);
    }
    cl_text_fini(&t);
    json_decref(doc);
    if (st) cl_inputs_fini(out);
    return st;
}
