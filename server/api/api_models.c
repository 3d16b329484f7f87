/* api_models.c - lists, states and metadata of models in the /v1 dialect. Layer: server/api. Thread
 * rule: the loop's thread. Source: TensorFlow Serving's REST API; the keys "name" and "ready" are
 * KServe's. */
#include "server/api/app.h"
#include "server/api/model_text.h"
#include "server/api/status.h"
#include "server/base/json_out.h"
#include "server/wire/wire.h"

/* What a list callback writes to, and where it is. */
typedef struct lister {
    srv_buf *b;
    nf_span last; /* name of the model that is being written */
    bool ready;
    size_t n;
    uint64_t only; /* 0, or the one version to show */
} lister;

static const char *const state_names[] = {"LOADING", "AVAILABLE", "END", "END"};

static void list_version(void *arg, const srv_version_view *v)
{
    lister *l = arg;
    if (nf_span_is(l->last, v->name)) {
        srv_buf_text(l->b, ",");
    } else {
        srv_buf_text(l->b, l->n++ ? "]},{" : "{");
        srv_json_pair(l->b, WIRE_KEY_NAME, v->name);
        srv_buf_text(l->b, ",\"versions\":[");
        l->last = (nf_span){v->name, strlen(v->name)};
    }
    srv_buf_char(l->b, '{');
    srv_buf_fmt(l->b, "\"" WIRE_KEY_VERSION "\":\"%llu\",", (unsigned long long)v->version);
    srv_json_pair(l->b, WIRE_KEY_STATE, state_names[v->state]);
    srv_buf_text(l->b, v->is_default ? ",\"default\":true" : ",\"default\":false");
    if (v->model) {
        srv_buf_char(l->b, ',');
        srv_json_pair(l->b, "precision", eng_precision_name(v->model->info->precision));
        srv_buf_char(l->b, ',');
        srv_json_pair(l->b, "format", v->model->info->format);
    }
    if (*v->reason) {
        srv_buf_char(l->b, ',');
        srv_json_pair(l->b, "reason", v->reason);
    }
    srv_buf_char(l->b, '}');
}

srv_next api_models(srv_req *req)
{
    lister l = {.b = srv_ok(req, WIRE_TYPE_JSON)};
    srv_buf_text(l.b, "{\"" WIRE_KEY_MODELS "\":[");
    srv_registry_list(srv_app_of(req)->registry, NULL, list_version, &l);
    srv_buf_text(l.b, l.n ? "]}]}\n" : "]}\n");
    return SRV_DONE;
}

srv_next api_admin_models(srv_req *req)
{
    return api_models(req);
}

static void list_status(void *arg, const srv_version_view *v)
{
    lister *l = arg;
    if (l->only && v->version != l->only) return;
    if (l->n++) srv_buf_char(l->b, ',');
    if (v->is_default || (l->only && v->state == SRV_AVAILABLE)) l->ready = true;
    srv_buf_fmt(l->b, "{\"" WIRE_KEY_VERSION "\":\"%llu\",", (unsigned long long)v->version);
    srv_json_pair(l->b, WIRE_KEY_STATE, state_names[v->state]);
    srv_buf_text(l->b, ",\"status\":{");
    srv_json_pair(l->b, "error_code", v->state == SRV_FAILED ? "UNKNOWN" : "OK");
    srv_buf_char(l->b, ',');
    srv_json_pair(l->b, "error_message", v->reason);
    srv_buf_text(l->b, "}}");
}

static srv_next not_found(srv_req *req, const char *what)
{
    nf_error err = {0};
    nf_note(&err, NF_ENOTFOUND, "model", "there is no %s '%.*s'", what, (int)req->params.v[0].len,
            req->params.v[0].s);
    srv_fail(req, NF_ENOTFOUND, &err);
    return SRV_DONE;
}

/* {"model_version_status":[…],"name","ready"}: "ready" is known only
 * when it has been made, so the list comes first. */
static srv_next write_status(srv_req *req, uint64_t only)
{
    lister l = {.b = srv_ok(req, WIRE_TYPE_JSON), .only = only};
    const nf_span name = req->params.v[0];
    srv_buf_text(l.b, "{\"" WIRE_KEY_VERSION_STATUS "\":[");
    srv_registry_list(srv_app_of(req)->registry, &name, list_status, &l);
    srv_buf_text(l.b, "],");
    if (l.n == 0) return not_found(req, only ? "such version of" : "model");
    srv_json_key(l.b, WIRE_KEY_NAME);
    srv_json_string(l.b, name);
    srv_buf_text(l.b,
                 l.ready ? ",\"" WIRE_KEY_READY "\":true}\n" : ",\"" WIRE_KEY_READY "\":false}\n");
    return SRV_DONE;
}

srv_next api_model(srv_req *req)
{
    return write_status(req, 0);
}

/* A version that need not be loaded; 0 and labels mean one that is. */
static srv_next status_of(srv_req *req, srv_pick pick)
{
    srv_model *m = NULL;
    nf_error err = {0};
    uint64_t number = 0;
    const srv_selector which = {req->params.v[0], pick, req->params.v[1]};
    if (pick == SRV_PICK_VERSION && srv_version_parse(&number, which.which) && number)
        return write_status(req, number);
    const nf_status st = srv_registry_get(&m, srv_app_of(req)->registry, &which, &err);
    if (st) {
        srv_fail(req, st, &err);
        return SRV_DONE;
    }
    number = m->version;
    srv_model_unref(&m);
    return write_status(req, number);
}

srv_next api_model_version(srv_req *req)
{
    return status_of(req, SRV_PICK_VERSION);
}

srv_next api_model_label(srv_req *req)
{
    return status_of(req, SRV_PICK_LABEL);
}

static srv_next with_model(srv_req *req, srv_pick pick,
                           void (*write)(srv_buf *b, const srv_model *m))
{
    srv_model *m = NULL;
    nf_error err = {0};
    const srv_selector which = {req->params.v[0], pick, req->params.v[1]};
    const nf_status st = srv_registry_get(&m, srv_app_of(req)->registry, &which, &err);
    if (st) {
        srv_fail(req, st, &err);
        return SRV_DONE;
    }
    write(srv_ok(req, WIRE_TYPE_JSON), m);
    srv_model_unref(&m);
    return SRV_DONE;
}

srv_next api_metadata(srv_req *req)
{
    return with_model(req, SRV_PICK_DEFAULT, srv_text_metadata);
}

srv_next api_metadata_version(srv_req *req)
{
    return with_model(req, SRV_PICK_VERSION, srv_text_metadata);
}

srv_next api_metadata_label(srv_req *req)
{
    return with_model(req, SRV_PICK_LABEL, srv_text_metadata);
}

srv_next api_v2_model(srv_req *req)
{
    return with_model(req, SRV_PICK_DEFAULT, srv_text_v2_model);
}

srv_next api_v2_model_version(srv_req *req)
{
    return with_model(req, SRV_PICK_VERSION, srv_text_v2_model);
}

srv_next api_v2_model_ready(srv_req *req)
{
    return with_model(req, SRV_PICK_DEFAULT, srv_text_v2_ready);
}

srv_next api_v2_model_version_ready(srv_req *req)
{
    return with_model(req, SRV_PICK_VERSION, srv_text_v2_ready);
}
