/* scenario.h - the closed loop: each connection sends its next request when the last is answered.
 * Layer: clients. Thread rule: one thread. */
#ifndef CL_SCENARIO_H
#define CL_SCENARIO_H

#include "clients/lib/progress.h"
#include "clients/lib/recorder.h"
#include "clients/lib/transport.h"

typedef struct cl_load {
    size_t connections;
    uint64_t requests;                   /* measured ones; 0: by time */
    uint64_t duration_us;                /* used when requests is 0 */
    uint64_t warmup_requests, warmup_us; /* before it, not recorded; whichever is set */
    cl_limits limits;
    cl_progress *progress;
} cl_load;

typedef struct cl_load_result {
    cl_recorder rec;
    uint64_t elapsed_ns; /* of the measured part */
    uint64_t cpu_ns;     /* this process's own time in it: near elapsed, the client is the limit */
    bool interrupted;
    cl_tcp_facts facts; /* of one of the connections, at the end */
} cl_load_result;

/**
 * Sends `calls` in turn to `url`. A connection that cannot be opened is tried again after 50 ms,
 * and counts as one failed request each time. NF_OK also when every request failed; NF_ENOMEM,
 * NF_EIO.
 */
nf_status cl_closed_loop(cl_client *client, const cl_url *url, const cl_call *calls, size_t n_calls,
                         const cl_load *load, cl_load_result *out, nf_error *err);

#endif /* CL_SCENARIO_H */
