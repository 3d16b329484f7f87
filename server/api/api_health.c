/* api_health.c - liveness, readiness, and what the server is. Layer: server/api. Thread rule: the
 * loop's thread. The health bodies suit both families of clients: those that look at the status,
 * and those that read "live" and "ready". */
#include "server/api/app.h"
#include "server/base/json_out.h"
#include "server/wire/wire.h"

static bool is_ready(srv_app *app)
{
    return !atomic_load_explicit(&app->draining, memory_order_relaxed) &&
           srv_registry_ready(app->registry);
}

srv_next api_v2_live(srv_req *req)
{
    srv_buf_text(srv_ok(req, WIRE_TYPE_JSON), "{\"" WIRE_KEY_LIVE "\":true}\n");
    return SRV_DONE;
}

srv_next api_v2_ready(srv_req *req)
{
    const bool ready = is_ready(srv_app_of(req));
    srv_buf *b = srv_ok(req, WIRE_TYPE_JSON);
    srv_buf_text(b, ready ? "{\"" WIRE_KEY_READY "\":true}\n" : "{\"" WIRE_KEY_READY "\":false}\n");
    if (!ready) req->reply.code = 503;
    return SRV_DONE;
}

srv_next api_healthz(srv_req *req)
{
    const bool ready = is_ready(srv_app_of(req));
    srv_buf_text(srv_ok(req, WIRE_TYPE_TEXT), ready ? "ok\n" : "not ready\n");
    if (!ready) req->reply.code = 503;
    return SRV_DONE;
}

srv_next api_v2(srv_req *req)
{
    srv_buf *b = srv_ok(req, WIRE_TYPE_JSON);
    srv_buf_char(b, '{');
    srv_json_pair(b, WIRE_KEY_NAME, "nearfar");
    srv_buf_char(b, ',');
    srv_json_pair(b, WIRE_KEY_VERSION, srv_app_of(req)->version);
    srv_buf_text(b, ",\"extensions\":[]}\n");
    return SRV_DONE;
}

typedef struct names {
    srv_buf *b;
    const char *last;
} names;

static void list_name(void *arg, const srv_version_view *v)
{
    names *n = arg;
    if (n->last && strcmp(n->last, v->name) == 0) return;
    if (n->last) srv_buf_char(n->b, ',');
    srv_json_text(n->b, v->name);
    n->last = v->name;
}

srv_next api_v2_models(srv_req *req)
{
    names n = {srv_ok(req, WIRE_TYPE_JSON), NULL};
    srv_buf_text(n.b, "{\"" WIRE_KEY_MODELS "\":[");
    srv_registry_list(srv_app_of(req)->registry, NULL, list_name, &n);
    srv_buf_text(n.b, "]}\n");
    return SRV_DONE;
}

/* KServe's clients look for {"status":"alive"} here; a person sees where to go on. */
srv_next api_root(srv_req *req)
{
    srv_buf *b = srv_ok(req, WIRE_TYPE_JSON);
    srv_buf_text(b, "{\"status\":\"alive\",");
    srv_json_pair(b, WIRE_KEY_NAME, "nearfar");
    srv_buf_char(b, ',');
    srv_json_pair(b, WIRE_KEY_VERSION, srv_app_of(req)->version);
    srv_buf_char(b, ',');
    srv_json_pair(b, "mode", srv_app_of(req)->mode_name);
    srv_buf_text(b, ",\"endpoints\":[\"GET " WIRE_MODELS "\",\"GET " WIRE_MODEL_METADATA
                    "\",\"POST " WIRE_PREDICT "\",\"POST " WIRE_V2_INFER "\",\"GET " WIRE_V2_READY
                    "\",\"GET " WIRE_METRICS "\"]}\n");
    return SRV_DONE;
}
