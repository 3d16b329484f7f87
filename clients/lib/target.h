/* target.h - one server under measurement: its address, a connection, the requests to send.
 * Layer: clients. Thread rule: one thread. */
#ifndef CL_TARGET_H
#define CL_TARGET_H

#include "clients/lib/input_set.h"
#include "clients/lib/transport.h"

typedef struct cl_target {
    const char *name; /* "edge", "cloud", "target": static */
    cl_url url;       /* where requests go; path included */
    cl_conn *conn;
    cl_call *call; /* n_calls prepared requests, owned */
    size_t n_calls;
} cl_target;

/** Parses `url` and makes a connection (not opened yet). NF_EINVAL, NF_EUNSUPPORTED, NF_ENOMEM. */
nf_status cl_target_init(cl_target *t, cl_client *client, const char *name, const char *url,
                         const cl_limits *limits, nf_error *err);

void cl_target_fini(cl_target *t);

/** Fills {model} of a path in wire.h, percent-encoded. NF_EINVAL when it does not fit. */
nf_status cl_model_path(char *to, size_t room, const char *pattern, const char *model,
                        nf_error *err);

/** Prepares one POST to the model's predict path for each input. NF_EINVAL, NF_ENOMEM. */
nf_status cl_target_prepare(cl_target *t, const char *model, const cl_inputs *inputs,
                            nf_error *err);

/** GETs `path`; *out is as cl_call_once gives it. */
nf_status cl_target_get(cl_target *t, cl_client *client, const char *path, cl_exchange *out,
                        nf_error *err);

/** The reply's body of an exchange. */
nf_bytes cl_body(const cl_exchange *x);

/** One line on why an exchange failed: for 4xx and 5xx the server's own sentence. */
void cl_why(char *to, size_t room, const cl_exchange *x);

typedef struct cl_input_spec {
    const char *input; /* --input; "" = made from the model's metadata */
    const char *model;
    size_t made; /* how many different ones to make */
    uint64_t seed;
} cl_input_spec;

/** The inputs of a run; asks `t` for the model's metadata when none are given. What cl_inputs_read
 * and cl_inputs_make give; NF_ELOADING: `t` could not be reached; NF_EDENIED: it answered with an
 * error; NF_ETIMEOUT: interrupted. */
nf_status cl_inputs_get(cl_inputs *out, const cl_input_spec *spec, cl_target *t, cl_client *client,
                        nf_error *err);

/** What `t` says of the model it holds; known is false when it says nothing. NF_ETIMEOUT:
 * interrupted; NF_EINVAL, NF_ENOMEM, NF_EIO. */
nf_status cl_facts_get(cl_facts *out, const char *model, cl_target *t, cl_client *client,
                       nf_error *err);

#endif /* CL_TARGET_H */
