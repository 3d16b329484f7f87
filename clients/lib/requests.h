/* requests.h - the requests of a load: dialect, packing. Layer: clients. Thread rule: one thread.
 */
#ifndef CL_REQUESTS_H
#define CL_REQUESTS_H

#include "clients/lib/target.h"

typedef enum cl_dialect { CL_V1, CL_V2 } cl_dialect;

#define CL_DIALECTS "v1|v2" /* in the order of cl_dialect */

typedef struct cl_request_spec {
    const char *model;
    cl_dialect dialect;
    bool gzip;  /* pack the bodies, and take packed answers */
    bool fresh; /* a new connection for each request */
} cl_request_spec;

/**
 * One POST for each input into t->call. Inputs are {"instances":…}; for the second dialect they
 * become {"inputs":[{name, shape, datatype, data}]} by the model's metadata, which is asked for.
 * One that has "inputs" is sent as it is. NF_EINVAL (does not fit the metadata), NF_ELOADING,
 * NF_EDENIED, NF_ETIMEOUT as cl_inputs_get, NF_ENOMEM.
 */
nf_status cl_requests_make(cl_target *t, cl_client *client, const cl_request_spec *spec,
                           const cl_inputs *inputs, nf_error *err);

/** The request that `t`'s URL, which has a path, says: GET, or POST with a body. As above. */
nf_status cl_requests_plain(cl_target *t, const cl_request_spec *spec, const cl_inputs *inputs,
                            nf_error *err);

/** `v1` in the second dialect by Open Inference metadata; *out is owned (nf_free). NF_EINVAL,
 * NF_ENOMEM. */
nf_status cl_body_v2(nf_bytes *out, nf_bytes v1, nf_bytes metadata, nf_error *err);

#endif /* CL_REQUESTS_H */
