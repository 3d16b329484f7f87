/* recorder.h - what a run adds up: latencies, errors by kind, bytes. Layer: clients. Thread rule:
 * one owner. Adding allocates nothing. */
#ifndef CL_RECORDER_H
#define CL_RECORDER_H

#include "clients/lib/stats.h"
#include "clients/net/http_conn.h"
#include "engine/base/hist.h"

typedef struct cl_recorder {
    nf_hist latency;             /* nanoseconds, start to end, of requests answered with 2xx */
    uint64_t issued, ok, opened; /* exchanges; of these 2xx; of these on a new connection */
    uint64_t error[CL_FAILURE_COUNT];
    uint64_t up_app, up_total, down_app, down_total; /* bytes of the ok exchanges */
} cl_recorder;

void cl_recorder_add(cl_recorder *r, const cl_exchange *x);

/** All errors together. */
uint64_t cl_recorder_errors(const cl_recorder *r);

/** bytes / ok, 0 when nothing was answered. */
double cl_recorder_each(const cl_recorder *r, uint64_t bytes);

/** The percentiles that reports show, in thousandths. */
extern const unsigned cl_permilles[5];

/** "p50", "p99.9"; `to` is returned. */
const char *cl_permille_name(char *to, size_t room, unsigned permille);

#endif /* CL_RECORDER_H */
