/* http_call.h - a request as finished bytes, made once and sent many times. Layer: clients/net.
 * Thread rule: const after it is made. */
#ifndef CL_HTTP_CALL_H
#define CL_HTTP_CALL_H

#include "clients/net/http_url.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct cl_call {
    char *bytes; /* request line, headers, empty line, body */
    size_t len;
    size_t body_len; /* the application's share of len */
    bool last;       /* the connection ends with its answer */
} cl_call;

typedef struct cl_call_spec {
    const char *method;       /* "GET", "POST" … */
    const char *path;         /* appended to the URL's own path; "" = the URL's path alone */
    const char *content_type; /* NULL when there is no body */
    const char *headers;      /* further lines, each ended by CR LF; NULL for none */
    nf_bytes body;
    bool last; /* says Connection: close */
} cl_call_spec;

/** Writes the request for `url`. NF_EINVAL (too long), NF_ENOMEM. cl_call_fini frees it. */
nf_status cl_call_init(cl_call *out, const cl_url *url, const cl_call_spec *spec, nf_error *err);

void cl_call_fini(cl_call *call);

#endif /* CL_HTTP_CALL_H */
