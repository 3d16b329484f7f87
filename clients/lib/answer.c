/* answer.c - reads predictions, compares two. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/answer.h"

#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#define VALUES_MOST (16u << 20)

/* Counts the numbers below `j`, and stores them when `to` is given. */
static size_t collect(json_t *j, double *to, int depth)
{
    size_t n = 0, i;
    const char *key;
    json_t *item;
    if (json_is_number(j)) {
        if (to) *to = json_number_value(j);
        return 1;
    }
    if (depth > WIRE_JSON_DEPTH) return 0;
    json_array_foreach(j, i, item) n += collect(item, to ? to + n : NULL, depth + 1);
    json_object_foreach(j, key, item) n += collect(item, to ? to + n : NULL, depth + 1);
    return n;
}

static void read_class(cl_answer *out, json_t *root)
{
    json_t *first = json_array_get(json_object_get(root, WIRE_KEY_CLASSES), 0);
    const char *label = json_string_value(json_object_get(first, WIRE_KEY_LABEL));
    if (!label) return;
    out->labelled = true;
    snprintf(out->label, sizeof(out->label), "%s", label);
    out->confidence = json_number_value(json_object_get(first, WIRE_KEY_CONFIDENCE));
}

static nf_status read_values(cl_answer *out, json_t *root, nf_error *err)
{
    json_t *values = json_object_get(root, WIRE_KEY_PREDICTIONS);
    if (!values) values = json_object_get(root, WIRE_KEY_OUTPUTS);
    const size_t n = values ? collect(values, NULL, 0) : 0;
    if (n == 0 || n > VALUES_MOST)
        return nf_fail(err, NF_EINVAL, "reply", "expected numbers under \"predictions\"");
    out->value = nf_alloc_array(n, sizeof(*out->value), NF_MEM_CLIENT);
    if (!out->value) return nf_fail(err, NF_ENOMEM, "reply", "no memory for %zu values", n);
    out->n_values = collect(values, out->value, 0);
    out->rows = json_is_array(values) ? json_array_size(values) : 1;
    return NF_OK;
}

nf_status cl_answer_parse(cl_answer *out, nf_bytes body, nf_error *err)
{
    json_error_t at;
    *out = (cl_answer){0};
    json_t *root = json_loadb((const char *)body.data, body.len, 0, &at);
    if (!root) return nf_fail(err, NF_EINVAL, "reply", "expected JSON: %s", at.text);
    const nf_status st = read_values(out, root, err);
    if (!st) read_class(out, root);
    json_decref(root);
    return st;
}

void cl_answer_fini(cl_answer *a)
{
    nf_free(a->value);
    *a = (cl_answer){0};
}

void cl_answer_error(char *to, size_t room, nf_bytes body)
{
    json_t *root = json_loadb((const char *)body.data, body.len, 0, NULL);
    const char *text = json_string_value(json_object_get(root, WIRE_KEY_ERROR));
    if (text)
        snprintf(to, room, "%s", text);
    else
        snprintf(to, room, "%.*s", (int)(body.len < 160 ? body.len : 160), (const char *)body.data);
    for (char *c = to; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = ' ';
    json_decref(root);
}

static size_t largest(const double *v, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[best]) best = i;
    return best;
}

static double distance(double a, double b)
{
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : INFINITY;
    return a == b ? 0 : fabs(a - b);
}

void cl_agreement_add(cl_agreement *g, const cl_answer *a, const cl_answer *b)
{
    if (a->n_values != b->n_values || a->rows != b->rows || !a->rows || a->n_values % a->rows) {
        g->unequal++;
        return;
    }
    const size_t width = a->n_values / a->rows;
    for (size_t r = 0; r < a->rows; r++) {
        const double *x = a->value + r * width;
        const double *y = b->value + r * width;
        g->rows++;
        g->same += largest(x, width) == largest(y, width);
        for (size_t i = 0; i < width; i++)
            g->max_abs_diff = fmax(g->max_abs_diff, distance(x[i], y[i]));
    }
}
