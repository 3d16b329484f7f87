/* requests_v2.c - a body in our dialect rewritten as Open Inference, version 2. Layer: clients.
 * Thread rule: no shared state. */
#include "clients/lib/requests.h"
#include "clients/lib/text_out.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <jansson.h>

#define BODY_MOST (64u << 20)

/* The values of one instance of one input, flat and in order. */
static nf_status flatten(json_t *data, json_t *from, int depth, nf_error *err)
{
    size_t i;
    json_t *one;
    if (depth > WIRE_JSON_DEPTH) return nf_fail(err, NF_EINVAL, "input", "nested too deep");
    if (!json_is_array(from)) {
        if (json_array_append(data, from)) return nf_fail(err, NF_ENOMEM, "input", "no memory");
        return NF_OK;
    }
    json_array_foreach(from, i, one)
    {
        const nf_status st = flatten(data, one, depth + 1, err);
        if (st) return st;
    }
    return NF_OK;
}

/* The model's shape with the batch put in; of the other dimensions the first that the model leaves
 * open takes what is left of the values, further ones are 1. NULL: the values do not fit. */
static json_t *fit_shape(json_t *shape, size_t rows, size_t values)
{
    json_t *out = json_array(), *dim;
    size_t i, open = SIZE_MAX, known = rows;
    json_array_foreach(shape, i, dim)
    {
        const json_int_t d = i ? json_integer_value(dim) : (json_int_t)rows;
        if (i && d <= 0 && open == SIZE_MAX) open = i;
        if (i && d > 0 && !nf_mul_size(&known, known, (size_t)d)) known = 0;
        json_array_append_new(out, json_integer(d > 0 ? d : 1));
    }
    const bool fits = known && values % known == 0 && (open != SIZE_MAX || values == known);
    if (fits && open != SIZE_MAX)
        json_array_set_new(out, open, json_integer((json_int_t)(values / known)));
    if (fits) return out;
    json_decref(out);
    return NULL;
}

static nf_status convert_input(json_t *to, json_t *instances, json_t *about, bool named,
                               nf_error *err)
{
    size_t i;
    json_t *row;
    const char *name = json_string_value(json_object_get(about, WIRE_KEY_NAME));
    json_t *type = json_object_get(about, WIRE_KEY_DATATYPE);
    json_t *one = json_object(), *data = json_array();
    nf_status st = name && json_is_string(type) && one && data
                       ? NF_OK
                       : nf_fail(err, NF_EINVAL, "metadata", "an input has no name or datatype");
    json_array_append_new(to, one);
    if (st) {
        json_decref(data);
        return st;
    }
    json_object_set_new(one, WIRE_KEY_DATA, data);
    json_array_foreach(instances, i, row)
    {
        json_t *from = named ? json_object_get(row, name) : row;
        if (!from) return nf_fail(err, NF_EINVAL, name, "instance %zu lacks it", i);
        if ((st = flatten(data, from, 0, err))) return st;
    }
    json_t *shape = fit_shape(json_object_get(about, WIRE_KEY_SHAPE), json_array_size(instances),
                              json_array_size(data));
    if (!shape)
        return nf_fail(err, NF_EINVAL, name, "%zu values do not fit the model's shape",
                       json_array_size(data));
    json_object_set_new(one, WIRE_KEY_SHAPE, shape);
    json_object_set_new(one, WIRE_KEY_NAME, json_string(name));
    json_object_set(one, WIRE_KEY_DATATYPE, type);
    return NF_OK;
}

static nf_status dump(nf_bytes *out, json_t *j, nf_error *err)
{
    const size_t len = json_dumpb(j, NULL, 0, JSON_COMPACT);
    char *text = len && len < BODY_MOST ? nf_alloc(len, NF_MEM_CLIENT) : NULL;
    if (!text) return nf_fail(err, NF_ENOMEM, "request", "no memory for %zu bytes", len);
    json_dumpb(j, text, len, JSON_COMPACT);
    *out = (nf_bytes){(const uint8_t *)text, len};
    return NF_OK;
}

nf_status cl_body_v2(nf_bytes *out, nf_bytes v1, nf_bytes metadata, nf_error *err)
{
    nf_status st = NF_OK;
    size_t i;
    json_t *about;
    json_t *in = json_loadb((const char *)v1.data, v1.len, 0, NULL);
    json_t *facts = json_loadb((const char *)metadata.data, metadata.len, 0, NULL);
    json_t *inputs = json_object_get(facts, WIRE_KEY_INPUTS);
    json_t *instances = json_object_get(in, WIRE_KEY_INSTANCES);
    json_t *to = json_object(), *list = json_array();

    *out = (nf_bytes){0};
    json_object_set_new(to, WIRE_KEY_INPUTS, list);
    if (json_object_get(in, WIRE_KEY_INPUTS)) {
        st = dump(out, in, err);
        goto done;
    }
    if (!json_array_size(instances) || !json_array_size(inputs))
        st = nf_fail(err, NF_EINVAL, "input",
                     "expected a list \"instances\" and the metadata's "
                     "\"inputs\"");
    json_array_foreach(inputs, i, about)
    {
        if (!st) st = convert_input(list, instances, about, json_array_size(inputs) > 1, err);
    }
    if (!st) st = dump(out, to, err);
done:
    json_decref(in);
    json_decref(facts);
    json_decref(to);
    return st;
}
