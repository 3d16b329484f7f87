/* slo.h - service levels: 'p95<100ms,err<1%'. Layer: clients. Thread rule: no shared state. */
#ifndef CL_SLO_H
#define CL_SLO_H

#include "engine/base/err.h"
#include "engine/base/hist.h"

#include <stdbool.h>

#define CL_SLO_MOST 16

typedef enum cl_slo_metric {
    CL_SLO_QUANTILE,
    CL_SLO_MEAN,
    CL_SLO_MAX,
    CL_SLO_ERR,
    CL_SLO_RATE
} cl_slo_metric;

typedef struct cl_slo {
    char expr[48];
    cl_slo_metric metric;
    unsigned permille; /* of CL_SLO_QUANTILE */
    bool above, equal; /* ">" or ">=", else "<" or "<="; equal: with "=" */
    double limit;      /* nanoseconds, a share 0..1, or requests a second */
} cl_slo;

typedef struct cl_slos {
    cl_slo one[CL_SLO_MOST];
    size_t n;
} cl_slos;

/**
 * Reads expressions with commas between: METRIC < | <= | > | >= VALUE. METRIC: p50 … p99.9, mean,
 * max (a time; a bare number is ms), err (a share: "1%" or "0.01"), rate (requests a second).
 * NF_EINVAL names the expression.
 */
nf_status cl_slos_read(cl_slos *out, const char *text, nf_error *err);

/* What a run gave. */
typedef struct cl_slo_facts {
    const nf_hist *latency; /* nanoseconds */
    double err, rate;       /* share of failed requests; answers a second */
} cl_slo_facts;

typedef struct cl_slo_result {
    bool known; /* false: too few samples for the percentile; then it did not pass */
    bool pass;
    double value; /* in the unit of limit */
} cl_slo_result;

cl_slo_result cl_slo_judge(const cl_slo *s, const cl_slo_facts *f);

#endif /* CL_SLO_H */
