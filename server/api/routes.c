/* routes.c - THE route table. Layer: server/api. Thread rule: const. */
#include "server/api/app.h"
#include "server/wire/wire.h"

// clang-format off
static const srv_route rows[] = {
    /* the busy ones first */
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_PREDICT,            api_predict},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_PREDICT_TF,         api_predict},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_V2_INFER,           api_infer},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_VERSION_PREDICT,    api_predict_version},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_VERSION_PREDICT_TF, api_predict_version},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_LABEL_PREDICT,      api_predict_label},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_LABEL_PREDICT_TF,   api_predict_label},
    {SRV_POST,   SRV_OPEN,  SRV_BODY_DATA,  WIRE_V2_VERSION_INFER,   api_infer_version},

    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_MODELS,             api_models},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_MODEL,              api_model},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_MODEL_METADATA,     api_metadata},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_VERSION,            api_model_version},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_VERSION_METADATA,   api_metadata_version},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_LABEL,              api_model_label},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_LABEL_METADATA,     api_metadata_label},

    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2,                 api_v2},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_LIVE,            api_v2_live},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_READY,           api_v2_ready},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_MODELS,          api_v2_models},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_MODEL,           api_v2_model},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_MODEL_READY,     api_v2_model_ready},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_VERSION,         api_v2_model_version},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_V2_VERSION_READY,   api_v2_model_version_ready},

    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_METRICS,            api_metrics},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_HEALTHZ,            api_healthz},
    {SRV_GET,    SRV_OPEN,  SRV_BODY_NONE,  WIRE_ROOT,               api_root},

    {SRV_GET,    SRV_ADMIN, SRV_BODY_NONE,  WIRE_ADMIN_MODELS,       api_admin_models},
    {SRV_POST,   SRV_ADMIN, SRV_BODY_SMALL, WIRE_ADMIN_LOAD,         api_admin_load},
    {SRV_POST,   SRV_ADMIN, SRV_BODY_SMALL, WIRE_ADMIN_UNLOAD,       api_admin_unload},
    {SRV_POST,   SRV_ADMIN, SRV_BODY_SMALL, WIRE_ADMIN_RELOAD,       api_admin_reload},
    {SRV_PUT,    SRV_ADMIN, SRV_BODY_MODEL, WIRE_ADMIN_VERSION,      api_admin_put},
    {SRV_DELETE, SRV_ADMIN, SRV_BODY_NONE,  WIRE_ADMIN_VERSION,      api_admin_delete},
};
// clang-format on

srv_routes srv_api_routes(void)
{
    return (srv_routes){rows, NF_COUNT(rows)};
}

srv_buf *srv_ok(srv_req *req, const char *type)
{
    req->reply.code = 200;
    req->reply.type = type;
    req->reply.body.len = 0;
    return &req->reply.body;
}
