/* target.c - prepares a server under measurement. Layer: clients. Thread rule: one thread. */
#include "clients/lib/target.h"

#include "clients/lib/answer.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <stdio.h>

nf_status cl_target_init(cl_target *t, cl_client *client, const char *name, const char *url,
                         const cl_limits *limits, nf_error *err)
{
    nf_status st;
    *t = (cl_target){.name = name};
    if ((st = cl_url_parse(&t->url, url, err))) return st;
    return cl_conn_create(&t->conn, &client->loop, &t->url, limits, err);
}

void cl_target_fini(cl_target *t)
{
    cl_conn_destroy(&t->conn);
    for (size_t i = 0; i < t->n_calls; i++)
        cl_call_fini(&t->call[i]);
    nf_free(t->call);
    t->call = NULL;
    t->n_calls = 0;
}

/* Appends one byte as RFC 3986 wants it in a path segment; false when there is no room. */
static bool put_encoded(char *to, size_t room, size_t *n, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       (c && strchr("-._~", c));
    if (room - *n < 4) return false;
    if (plain) {
        to[(*n)++] = (char)c;
        return true;
    }
    to[(*n)++] = '%';
    to[(*n)++] = hex[c >> 4];
    to[(*n)++] = hex[c & 15];
    return true;
}

nf_status cl_model_path(char *to, size_t room, const char *pattern, const char *model,
                        nf_error *err)
{
    static const char mark[] = "{model}";
    const char *at = strstr(pattern, mark);
    const size_t lead = at ? (size_t)(at - pattern) : strlen(pattern);
    const char *tail = at ? at + strlen(mark) : "";
    size_t n = lead;
    if (lead + strlen(tail) + 4 > room) goto too_long;
    for (size_t i = 0; i < lead; i++)
        to[i] = pattern[i];
    for (const char *c = at ? model : ""; *c; c++)
        if (!put_encoded(to, room - strlen(tail), &n, (unsigned char)*c)) goto too_long;
    memcpy(to + n, tail, strlen(tail) + 1);
    return NF_OK;
too_long:
    return nf_fail(err, NF_EINVAL, "model", "the name does not fit a path of %zu bytes", room);
}

nf_status cl_target_prepare(cl_target *t, const char *model, const cl_inputs *inputs, nf_error *err)
{
    char path[512];
    nf_status st;
    if ((st = cl_model_path(path, sizeof(path), WIRE_PREDICT, model, err))) return st;
    t->call = nf_alloc_array(inputs->n, sizeof(*t->call), NF_MEM_CLIENT);
    if (!t->call) return nf_fail(err, NF_ENOMEM, t->name, "no memory for %zu requests", inputs->n);
    for (size_t i = 0; i < inputs->n; i++) {
        const cl_call_spec spec = {.method = "POST",
                                   .path = path,
                                   .content_type = WIRE_TYPE_JSON,
                                   .body = inputs->body[i]};
        if ((st = cl_call_init(&t->call[i], &t->url, &spec, err))) return st;
        t->n_calls++;
    }
    return NF_OK;
}

nf_status cl_target_get(cl_target *t, cl_client *client, const char *path, cl_exchange *out,
                        nf_error *err)
{
    nf_status st;
    cl_call call;
    const cl_call_spec spec = {.method = "GET", .path = path};
    if ((st = cl_call_init(&call, &t->url, &spec, err))) return st;
    st = cl_call_once(client, t->conn, &call, out, err);
    cl_call_fini(&call);
    return st;
}

nf_bytes cl_body(const cl_exchange *x)
{
    if (!x->reply || !x->reply->body_len) return (nf_bytes){(const uint8_t *)"", 0};
    return (nf_bytes){(const uint8_t *)x->reply->body, x->reply->body_len};
}

void cl_why(char *to, size_t room, const cl_exchange *x)
{
    char said[256];
    if (x->why && strcmp(x->why, cl_failure_text(x->failure)) != 0) {
        snprintf(to, room, "%s (%s)", cl_failure_text(x->failure), x->why);
    } else if (x->status) {
        cl_answer_error(said, sizeof(said), cl_body(x));
        snprintf(to, room, "HTTP %d: %s", x->status, said);
    } else {
        snprintf(to, room, "%s", cl_failure_text(x->failure));
    }
}

/* One answer of `t` about the model; a failure is an error. */
static nf_status ask_about(cl_exchange *x, const char *pattern, const char *model, cl_target *t,
                           cl_client *client, nf_error *err)
{
    char path[512], why[400];
    nf_status st;
    if ((st = cl_model_path(path, sizeof(path), pattern, model, err))) return st;
    if ((st = cl_target_get(t, client, path, x, err)) || !x->failure) return st;
    cl_why(why, sizeof(why), x);
    return nf_fail(err, x->status ? NF_EDENIED : NF_ELOADING, t->url.authority,
                   "no metadata of model '%s': %s", model, why);
}

nf_status cl_inputs_get(cl_inputs *out, const cl_input_spec *spec, cl_target *t, cl_client *client,
                        nf_error *err)
{
    char unit[32] = "";
    cl_exchange x;
    nf_status st;
    *out = (cl_inputs){0};
    if (spec->input[0]) return cl_inputs_read(out, spec->input, err);
    /* The unit is an extra that only our own servers tell; without it the range is 0 .. 1. */
    st = ask_about(&x, WIRE_MODEL_METADATA, spec->model, t, client, NULL);
    if (st == NF_OK) cl_unit_read(unit, sizeof(unit), cl_body(&x));
    if ((st = ask_about(&x, WIRE_V2_MODEL, spec->model, t, client, err))) return st;
    return cl_inputs_make(out, cl_body(&x), unit, spec->made, spec->seed, err);
}

nf_status cl_facts_get(cl_facts *out, const char *model, cl_target *t, cl_client *client,
                       nf_error *err)
{
    char path[512];
    cl_exchange x;
    nf_status st;
    *out = (cl_facts){0};
    if ((st = cl_model_path(path, sizeof(path), WIRE_MODEL_METADATA, model, err))) return st;
    if ((st = cl_target_get(t, client, path, &x, err))) return st;
    if (!x.failure) cl_facts_read(out, cl_body(&x));
    return NF_OK;
}
