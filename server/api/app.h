/* app.h - what the handlers share: the server's own world, made by cmd_serve. Layer: server/api.
 * Thread rule: const after start but for what its members say of themselves. */
#ifndef SRV_APP_H
#define SRV_APP_H

#include "server/config/live.h"
#include "server/monitor/monitor.h"
#include "server/registry/registry.h"
#include "server/route/route.h"
#include "server/sched/sched.h"

#include <pthread.h>

#define SRV_HASH_BYTES 32

typedef struct srv_auth {
    pthread_mutex_t lock;
    bool has_token;
    uint8_t token_hash[SRV_HASH_BYTES]; /* SHA-256 */
} srv_auth;

typedef struct srv_app {
    srv_live live;
    srv_monitor monitor;
    srv_registry *registry;
    srv_sched *workers; /* models that are too slow for the loop */
    srv_sched *loader;  /* one thread: everything that changes the registry */
    srv_auth auth;
    atomic_bool draining;
    uint64_t start_us;
    const char *mode_name, *version, *git_id;
    unsigned isa; /* CPU kernels allowed, 0 = all */
} srv_app;

/** THE route table. */
srv_routes srv_api_routes(void);

/** For srv_http_options.admit: who may call an admin route. */
nf_status srv_api_admit(srv_req *req, const srv_route *route, nf_error *err);

/** Reads the token file (one line, 16 to 4096 characters). NF_EINVAL, NF_EIO, NF_ENOTFOUND. */
nf_status srv_auth_read(srv_auth *a, const char *path, nf_error *err);
void srv_auth_init(srv_auth *a);

/** True when `given` is the token; takes as long for every wrong one. */
bool srv_auth_matches(srv_auth *a, const char *given);

/* ---- for the handlers ---- */

static inline srv_app *srv_app_of(const srv_req *req)
{
    return req->app;
}

/** An empty 200 reply of that type; handlers append to the returned buffer. */
srv_buf *srv_ok(srv_req *req, const char *type);

/* Handlers, one for each row of routes.c. */
// clang-format off
#define SRV_HANDLERS(X) \
    X(predict) X(predict_version) X(predict_label) X(infer) X(infer_version) \
    X(models) X(model) X(model_version) X(model_label) \
    X(metadata) X(metadata_version) X(metadata_label) \
    X(v2) X(v2_live) X(v2_ready) X(v2_models) X(v2_model) X(v2_model_version) \
    X(v2_model_ready) X(v2_model_version_ready) \
    X(admin_models) X(admin_load) X(admin_unload) X(admin_reload) X(admin_put) X(admin_delete) \
    X(metrics) X(healthz) X(root)
// clang-format on
#define X(name) srv_next api_##name(srv_req *req);
SRV_HANDLERS(X)
#undef X

#endif /* SRV_APP_H */
