/* requests.c - makes the requests of a load. Layer: clients. Thread rule: one thread. */
#include "clients/lib/requests.h"

#include "clients/net/gzip.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

static const char packed_headers[] = "Content-Encoding: gzip\r\nAccept-Encoding: gzip\r\n";

static nf_status make_call(cl_call *call, const cl_target *t, const cl_request_spec *spec,
                           cl_call_spec *c, nf_error *err)
{
    char *packed = NULL;
    size_t len;
    nf_status st;
    c->last = spec->fresh;
    if (spec->gzip && c->body.len) {
        if ((st = cl_gzip(&packed, &len, c->body, err))) return st;
        c->body = (nf_bytes){(const uint8_t *)packed, len};
        c->headers = packed_headers;
    } else if (spec->gzip) {
        c->headers = strchr(packed_headers, '\n') + 1; /* the second line alone */
    }
    st = cl_call_init(call, &t->url, c, err);
    nf_free(packed);
    return st;
}

/* The metadata that the second dialect needs; *doc is a copy, NUL behind it. */
static nf_status get_metadata(char **doc, size_t *len, cl_target *t, cl_client *client,
                              const char *model, nf_error *err)
{
    char path[512], why[400];
    cl_exchange x;
    nf_status st;
    if ((st = cl_model_path(path, sizeof(path), WIRE_V2_MODEL, model, err))) return st;
    if ((st = cl_target_get(t, client, path, &x, err))) return st;
    if (x.failure) {
        cl_why(why, sizeof(why), &x);
        return nf_fail(err, x.status ? NF_EDENIED : NF_ELOADING, t->url.authority,
                       "no metadata of model '%s': %s", model, why);
    }
    *len = cl_body(&x).len;
    *doc = nf_alloc(*len + 1, NF_MEM_CLIENT);
    if (!*doc) return nf_fail(err, NF_ENOMEM, "metadata", "no memory for %zu bytes", *len);
    memcpy(*doc, cl_body(&x).data, *len);
    return NF_OK;
}

nf_status cl_requests_make(cl_target *t, cl_client *client, const cl_request_spec *spec,
                           const cl_inputs *inputs, nf_error *err)
{
    char path[512];
    char *doc = NULL;
    size_t doc_len = 0;
    const bool v2 = spec->dialect == CL_V2;
    nf_status st =
        cl_model_path(path, sizeof(path), v2 ? WIRE_V2_INFER : WIRE_PREDICT, spec->model, err);
    if (!st && v2) st = get_metadata(&doc, &doc_len, t, client, spec->model, err);
    if (st) goto done;
    t->call = nf_alloc_array(inputs->n, sizeof(*t->call), NF_MEM_CLIENT);
    if (!t->call) st = nf_fail(err, NF_ENOMEM, t->name, "no memory for %zu requests", inputs->n);
    for (size_t i = 0; i < inputs->n && !st; i++) {
        nf_bytes made = {0};
        if (v2) st = cl_body_v2(&made, inputs->body[i], (nf_bytes){(uint8_t *)doc, doc_len}, err);
        cl_call_spec c = {.method = "POST",
                          .path = path,
                          .content_type = WIRE_TYPE_JSON,
                          .body = v2 ? made : inputs->body[i]};
        if (!st) st = make_call(&t->call[i], t, spec, &c, err);
        if (!st) t->n_calls++;
        nf_free((void *)(uintptr_t)made.data);
    }
done:
    nf_free(doc);
    return st;
}

nf_status cl_requests_plain(cl_target *t, const cl_request_spec *spec, const cl_inputs *inputs,
                            nf_error *err)
{
    cl_call_spec c = {.method = "GET"};
    if (inputs->n) {
        c.method = "POST";
        c.content_type = WIRE_TYPE_JSON;
        c.body = inputs->body[0];
    }
    t->call = nf_alloc(sizeof(*t->call), NF_MEM_CLIENT);
    if (!t->call) return nf_fail(err, NF_ENOMEM, "request", "no memory");
    const nf_status st = make_call(t->call, t, spec, &c, err);
    t->n_calls = st ? 0 : 1;
    return st;
}
