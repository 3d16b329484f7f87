/* knee.h - where more load no longer pays. Layer: clients. Thread rule: no shared state.
 *
 * Rule: the knee is the last step before p95 grows by a larger factor than the throughput; that is
 * the first step after which throughput / p95 ("power") falls. Source: L. Kleinrock, Power and
 * deterministic rules of thumb for probabilistic problems in computer communications, ICC 1979:
 * the best operating point is where power is largest. */
#ifndef CL_KNEE_H
#define CL_KNEE_H

#include <stddef.h>
#include <stdint.h>

typedef struct cl_knee_step {
    double rate;   /* answers a second */
    double p95_ns; /* 0: not known */
} cl_knee_step;

#define CL_KNEE_RULE                                                                               \
    "the last step before p95 grows by a larger factor than throughput (throughput / p95 falls)"

/** Index of the knee of n steps of growing load; n: not reached; a step that is not known ends the
 * search with n. */
size_t cl_knee_find(const cl_knee_step *step, size_t n);

#endif /* CL_KNEE_H */
