/* wire.h - every name that crosses the wire: paths, JSON keys, headers. Layer: server/wire, shared
 * with the clients; constants only. In a path {model}, {version} and {label} are variable parts. */
#ifndef SRV_WIRE_H
#define SRV_WIRE_H

/* Our own dialect and TensorFlow Serving's; the body is the same. */
#define WIRE_MODELS             "/v1/models"
#define WIRE_MODEL              "/v1/models/{model}"
#define WIRE_MODEL_METADATA     "/v1/models/{model}/metadata"
#define WIRE_PREDICT            "/v1/models/{model}/predict"
#define WIRE_PREDICT_TF         "/v1/models/{model}:predict"
#define WIRE_VERSION            "/v1/models/{model}/versions/{version}"
#define WIRE_VERSION_METADATA   "/v1/models/{model}/versions/{version}/metadata"
#define WIRE_VERSION_PREDICT    "/v1/models/{model}/versions/{version}/predict"
#define WIRE_VERSION_PREDICT_TF "/v1/models/{model}/versions/{version}:predict"
#define WIRE_LABEL              "/v1/models/{model}/labels/{label}"
#define WIRE_LABEL_METADATA     "/v1/models/{model}/labels/{label}/metadata"
#define WIRE_LABEL_PREDICT      "/v1/models/{model}/labels/{label}/predict"
#define WIRE_LABEL_PREDICT_TF   "/v1/models/{model}/labels/{label}:predict"

/* Open Inference Protocol, version 2. */
#define WIRE_V2               "/v2"
#define WIRE_V2_LIVE          "/v2/health/live"
#define WIRE_V2_READY         "/v2/health/ready"
#define WIRE_V2_MODELS        "/v2/models"
#define WIRE_V2_MODEL         "/v2/models/{model}"
#define WIRE_V2_MODEL_READY   "/v2/models/{model}/ready"
#define WIRE_V2_INFER         "/v2/models/{model}/infer"
#define WIRE_V2_VERSION       "/v2/models/{model}/versions/{version}"
#define WIRE_V2_VERSION_READY "/v2/models/{model}/versions/{version}/ready"
#define WIRE_V2_VERSION_INFER "/v2/models/{model}/versions/{version}/infer"

#define WIRE_ADMIN_MODELS  "/v1/admin/models"
#define WIRE_ADMIN_LOAD    "/v1/admin/models/{model}/load"
#define WIRE_ADMIN_UNLOAD  "/v1/admin/models/{model}/unload"
#define WIRE_ADMIN_RELOAD  "/v1/admin/models/{model}/reload"
#define WIRE_ADMIN_VERSION "/v1/admin/models/{model}/versions/{version}"

#define WIRE_METRICS "/metrics"
#define WIRE_HEALTHZ "/healthz"
#define WIRE_ROOT    "/"

#define WIRE_KEY_INSTANCES      "instances"
#define WIRE_KEY_INPUTS         "inputs"
#define WIRE_KEY_OUTPUTS        "outputs"
#define WIRE_KEY_PREDICTIONS    "predictions"
#define WIRE_KEY_SIGNATURE      "signature_name"
#define WIRE_KEY_ANOMALY        "anomaly"
#define WIRE_KEY_CLASSES        "classes"
#define WIRE_KEY_LABEL          "label"
#define WIRE_KEY_INDEX          "index"
#define WIRE_KEY_CONFIDENCE     "confidence"
#define WIRE_KEY_MODEL          "model"
#define WIRE_KEY_MODELS         "models"
#define WIRE_KEY_VERSION        "version"
#define WIRE_KEY_ERROR          "error"
#define WIRE_KEY_CODE           "code"
#define WIRE_KEY_NAME           "name"
#define WIRE_KEY_READY          "ready"
#define WIRE_KEY_LIVE           "live"
#define WIRE_KEY_STATE          "state"
#define WIRE_KEY_DATATYPE       "datatype"
#define WIRE_KEY_SHAPE          "shape"
#define WIRE_KEY_DATA           "data"
#define WIRE_KEY_PARAMETERS     "parameters"
#define WIRE_KEY_ID             "id"
#define WIRE_KEY_MODEL_NAME     "model_name"
#define WIRE_KEY_MODEL_VERSION  "model_version"
#define WIRE_KEY_VERSION_STATUS "model_version_status"
#define WIRE_KEY_B64            "b64"
#define WIRE_KEY_BINARY_SIZE    "binary_data_size"
#define WIRE_KEY_BINARY_DATA    "binary_data"
#define WIRE_KEY_BINARY_OUTPUT  "binary_data_output"
#define WIRE_KEY_SHARED_MEMORY  "shared_memory_region"

#define WIRE_HEADER_SERVED "X-Nearfar-Served" /* mode=edge; model=temp; … */
#define WIRE_TYPE_JSON     "application/json"
#define WIRE_TYPE_TEXT     "text/plain; charset=utf-8"
#define WIRE_TYPE_METRICS  "text/plain; version=0.0.4; charset=utf-8"

#define WIRE_JSON_DEPTH 100 /* deepest nesting a body may have */

#endif /* SRV_WIRE_H */
