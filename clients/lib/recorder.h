/* recorder.h - what a run adds up: latencies, steps, errors by kind, bytes. Layer: clients. Thread
 * rule: one owner. Adding allocates nothing. */
#ifndef CL_RECORDER_H
#define CL_RECORDER_H

#include "clients/lib/stats.h"
#include "clients/net/http_conn.h"
#include "engine/base/hist.h"

/* Steps of a request. The first three happen on a new connection only. */
typedef enum cl_phase {
    CL_DNS,
    CL_CONNECT,
    CL_SECURE,
    CL_SEND,
    CL_WAIT,
    CL_RECV,
    CL_PHASES
} cl_phase;

typedef struct cl_recorder {
    nf_hist latency;             /* nanoseconds, start to end, of requests answered with 2xx */
    nf_hist corrected;           /* the same from the moment they were due; open loop only */
    nf_hist phase[CL_PHASES];    /* nanoseconds; a step that did not happen is not counted */
    uint64_t issued, ok, opened; /* exchanges; of these 2xx; of these on a new connection */
    uint64_t error[CL_FAILURE_COUNT];
    uint64_t up_app, up_total, down_app, down_total; /* bytes of the ok exchanges */
} cl_recorder;

void cl_recorder_add(cl_recorder *r, const cl_exchange *x);

/** The same for a request of an open loop that was due at `due_ns` (monotonic). */
void cl_recorder_add_due(cl_recorder *r, const cl_exchange *x, uint64_t due_ns);

/** The histogram a report goes by: corrected where there is one. */
const nf_hist *cl_recorder_latency(const cl_recorder *r);

/** Nanoseconds of each step of one exchange; false: it did not happen. */
bool cl_phase_ns(uint64_t *ns, const cl_times *t, cl_phase p);

/** "dns", "connect", "tls", "send", "wait", "recv". */
const char *cl_phase_name(cl_phase p);

/** All errors together. */
uint64_t cl_recorder_errors(const cl_recorder *r);

/** bytes / ok, 0 when nothing was answered. */
double cl_recorder_each(const cl_recorder *r, uint64_t bytes);

/** The percentiles that reports show, in thousandths. */
extern const unsigned cl_permilles[5];

/** "p50", "p99.9"; `to` is returned. */
const char *cl_permille_name(char *to, size_t room, unsigned permille);

#endif /* CL_RECORDER_H */
