/* run_diff.h - two saved runs side by side, and rules about what may change. Layer: clients. Thread
 * rule: no shared state. */
#ifndef CL_RUN_DIFF_H
#define CL_RUN_DIFF_H

#include "clients/lib/json_run.h"
#include "clients/lib/report_json.h"

#define CL_CHANGES_MOST 64

typedef struct cl_change {
    const char *target;        /* borrowed from the run */
    const char *metric, *unit; /* static */
    double before, after;
    bool broken; /* a rule says no */
} cl_change;

typedef struct cl_run_diff {
    cl_change change[CL_CHANGES_MOST];
    size_t n;
    size_t broken;
} cl_run_diff;

/**
 * Every metric that both runs have of a target of the same name. `rules`: "p95>+10%,err>+1", ""
 * for none. NF_EINVAL: a rule that cannot be read or that names a metric both runs do not have, or
 * runs without a target in common.
 */
nf_status cl_run_diff_make(cl_run_diff *out, json_t *before, json_t *after, const char *rules,
                           nf_error *err);

/** In percent of before; 0 when that is 0. */
double cl_change_percent(const cl_change *c);

#endif /* CL_RUN_DIFF_H */
