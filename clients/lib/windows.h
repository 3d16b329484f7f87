/* windows.h - is a run stable? Its measured length, cut into equal windows. Layer: clients.
 * Thread rule: one owner. Adding allocates nothing.
 *
 * Rule: stable when of all windows the largest rate is within `tolerance` of the smallest, and the
 * largest median latency within it of the smallest. Source: perf_analyzer, which asks the same of
 * its last three windows, within 10 %. */
#ifndef CL_WINDOWS_H
#define CL_WINDOWS_H

#include "engine/base/err.h"
#include "engine/base/hist.h"

#include <stdbool.h>

#define CL_WINDOWS_MOST 100

typedef struct cl_window {
    uint64_t start_ns, end_ns; /* from the start of the measured part */
    nf_hist latency;           /* of the requests answered in it */
} cl_window;

typedef struct cl_windows {
    cl_window *window; /* n, owned; NULL: not asked for */
    size_t n;
    double tolerance;  /* 0.10 = 10 % */
    uint64_t whole_ns; /* length by time; 0: by count */
    uint64_t requests; /* length by count */
    uint64_t seen;
} cl_windows;

/** Reads "3x10%" (or "3x0.1") into n and tolerance: 2 .. CL_WINDOWS_MOST windows, above 0 % to
 * 1000 %. NF_EINVAL. */
nf_status cl_windows_read(size_t *n, double *tolerance, const char *text, nf_error *err);

/** Windows over `whole_ns`, or when that is 0 over `requests`. n = 0: none. NF_ENOMEM. */
nf_status cl_windows_init(cl_windows *w, size_t n, double tolerance, uint64_t whole_ns,
                          uint64_t requests, nf_error *err);

void cl_windows_fini(cl_windows *w);

/** A request that was answered at `at_ns`; every one in turn. What comes after the last window (a
 * backlog that is worked off) is left out. */
void cl_windows_add(cl_windows *w, uint64_t at_ns, bool ok, uint64_t latency_ns);

/** Answers a second in window i; 0 when it was not reached. */
double cl_windows_rate(const cl_windows *w, size_t i);

typedef struct cl_stability {
    bool known; /* every window has answers */
    bool stable;
    double rate_spread, latency_spread; /* largest / smallest - 1 */
} cl_stability;

cl_stability cl_windows_judge(const cl_windows *w);

#endif /* CL_WINDOWS_H */
