/* scenario.h - the load on one server. Closed loop: each connection sends its next request when the
 * last is answered. Open loop: requests are due at moments that do not depend on the answers.
 * Layer: clients. Thread rule: one thread. */
#ifndef CL_SCENARIO_H
#define CL_SCENARIO_H

#include "clients/lib/progress.h"
#include "clients/lib/recorder.h"
#include "clients/lib/schedule.h"
#include "clients/lib/transport.h"
#include "clients/lib/windows.h"

/* From this share of a core on the client itself may be what limits the figures. */
#define CL_BUSY_SHARE 0.9

typedef struct cl_load {
    size_t connections;
    const cl_arrivals *arrivals;         /* NULL: closed loop */
    uint64_t requests;                   /* measured ones; 0: by time */
    uint64_t duration_us;                /* used when requests is 0 */
    uint64_t warmup_requests, warmup_us; /* before it, not recorded; whichever is set */
    size_t windows;                      /* 0: none */
    double tolerance;
    cl_limits limits;
    cl_progress *progress;
} cl_load;

typedef struct cl_load_result {
    cl_recorder rec;
    cl_windows windows;
    uint64_t elapsed_ns; /* of the measured part */
    uint64_t cpu_ns;     /* this process's own time in it: near elapsed, the client is the limit */
    bool interrupted;
    cl_tcp_facts facts; /* of one of the connections, at the end */
    /* Open loop: */
    nf_hist lag;         /* ns from due to the start of sending, where a connection was free */
    uint64_t due;        /* requests whose moment came in the measured part */
    uint64_t waited;     /* of these: found no free connection and were sent later, or never */
    uint64_t unsent;     /* of these: not sent when the run ended */
    uint64_t unanswered; /* sent, and the run ended before the answer */
} cl_load_result;

/**
 * Sends `calls` in turn to `url`. Closed loop: a connection that cannot be opened is tried again
 * after 50 ms, and counts as one failed request each time. Open loop: a request whose moment comes
 * while all connections are busy is sent as soon as one is free; after the measured length what is
 * due or under way may take limits.response_us more. NF_OK also when every request failed;
 * NF_ENOMEM, NF_EIO. cl_load_result_fini frees.
 */
nf_status cl_run_load(cl_client *client, const cl_url *url, const cl_call *calls, size_t n_calls,
                      const cl_load *load, cl_load_result *out, nf_error *err);

void cl_load_result_fini(cl_load_result *r);

/** Share of a core that this process used, 0 when unknown. */
double cl_load_busy(const cl_load_result *r);

/** Answers a second. */
double cl_load_rate(const cl_load_result *r);

#endif /* CL_SCENARIO_H */
