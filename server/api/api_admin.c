/* api_admin.c - changes to the models: upload, load, unload, reload, delete. Layer: server/api.
 * Thread rule: the request is suspended and the loader thread does the work, one at a time. */
#include "server/api/app.h"
#include "server/api/status.h"
#include "server/base/json_out.h"
#include "server/wire/wire.h"

typedef struct admin_job {
    srv_job job; /* first */
    srv_req *req;
    uint64_t version;
    /** The work; *state: what the reply says of the model afterwards. */
    nf_status (*work)(struct admin_job *a, const char **state, nf_error *err);
} admin_job;

static nf_status do_load(admin_job *a, const char **state, nf_error *err)
{
    *state = "AVAILABLE";
    return srv_registry_load(srv_app_of(a->req)->registry, a->req->params.v[0], err);
}

static nf_status do_unload(admin_job *a, const char **state, nf_error *err)
{
    *state = "END";
    return srv_registry_unload(srv_app_of(a->req)->registry, a->req->params.v[0], err);
}

static nf_status do_put(admin_job *a, const char **state, nf_error *err)
{
    *state = "AVAILABLE";
    return srv_registry_put(srv_app_of(a->req)->registry, a->req->params.v[0], a->version,
                            a->req->body, err);
}

static nf_status do_delete(admin_job *a, const char **state, nf_error *err)
{
    *state = "DELETED";
    return srv_registry_delete(srv_app_of(a->req)->registry, a->req->params.v[0], a->version, err);
}

static void write_done(const admin_job *a, const char *state)
{
    srv_buf *b = srv_ok(a->req, WIRE_TYPE_JSON);
    srv_buf_char(b, '{');
    srv_json_key(b, WIRE_KEY_NAME);
    srv_json_string(b, a->req->params.v[0]);
    if (a->version)
        srv_buf_fmt(b, ",\"" WIRE_KEY_VERSION "\":\"%llu\"", (unsigned long long)a->version);
    srv_buf_char(b, ',');
    srv_json_pair(b, WIRE_KEY_STATE, state);
    srv_buf_text(b, "}\n");
}

static void run_job(srv_job *job, unsigned slot, bool cancelled)
{
    admin_job *a = (admin_job *)job;
    srv_req *req = a->req;
    const char *state = "";
    nf_error err = {0};
    (void)slot;
    const nf_status st = cancelled ? nf_fail(&err, NF_ELOADING, "admin", "the server is going down")
                                   : a->work(a, &state, &err);
    if (st)
        srv_fail(req, st, &err);
    else
        write_done(a, state);
    req->ops->resume(req);
}

static nf_status check_names(uint64_t *version, const srv_req *req, nf_error *err)
{
    const srv_params *p = &req->params;
    if (!srv_name_ok(p->v[0]))
        return nf_fail(err, NF_EINVAL, "model name",
                       "expected 1 to %d of A-Z a-z 0-9 . _ -, the first a letter or digit",
                       SRV_NAME_MOST);
    if (p->n > 1 && (!srv_version_parse(version, p->v[1]) || *version == 0))
        return nf_fail(err, NF_EINVAL, "version", "expected a number from 1 on, at most 18 digits");
    return NF_OK;
}

static srv_next submit(srv_req *req,
                       nf_status (*work)(admin_job *a, const char **state, nf_error *err))
{
    srv_app *app = srv_app_of(req);
    nf_error err = {0};
    uint64_t version = 0;
    admin_job *a = srv_arena_alloc(&req->arena, sizeof(*a));
    nf_status st = a ? check_names(&version, req, &err)
                     : nf_fail(&err, NF_ENOMEM, "request", "no memory for it");
    if (st || (st = srv_sched_reserve(app->loader, &err))) {
        srv_fail(req, st, &err);
        return SRV_DONE;
    }
    *a = (admin_job){.job = {.run = run_job}, .req = req, .version = version, .work = work};
    req->ops->suspend(req);
    srv_sched_submit(app->loader, &a->job);
    return SRV_LATER;
}

srv_next api_admin_load(srv_req *req)
{
    return submit(req, do_load);
}

srv_next api_admin_reload(srv_req *req)
{
    return submit(req, do_load);
}

srv_next api_admin_unload(srv_req *req)
{
    return submit(req, do_unload);
}

srv_next api_admin_put(srv_req *req)
{
    return submit(req, do_put);
}

srv_next api_admin_delete(srv_req *req)
{
    return submit(req, do_delete);
}
