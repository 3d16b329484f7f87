/* comparison.h - from pairs to a verdict. Layer: clients. Thread rule: no shared state. */
#ifndef CL_COMPARISON_H
#define CL_COMPARISON_H

#include "clients/lib/energy.h"
#include "clients/lib/pairs.h"
#include "clients/lib/run_env.h"

#define CL_RESAMPLES   10000
#define CL_PAIRS_LEAST 10 /* fewer valid pairs carry no verdict */

typedef struct cl_percentile {
    unsigned permille;
    bool shown; /* false: too few samples lie beyond it */
    double ns;
    cl_interval ci;
} cl_percentile;

typedef struct cl_side_summary {
    int64_t *sorted; /* n latencies of the answered requests, ascending; owned */
    size_t n;
    double median_ns; /* 0 when n is 0 */
    cl_percentile q[5];
    bool server_known;            /* the server said what it took */
    double server_ns, network_ns; /* medians; network = total - server, per request */
} cl_side_summary;

typedef enum cl_verdict { CL_EDGE_FASTER, CL_CLOUD_FASTER, CL_NO_DIFFERENCE } cl_verdict;

/* For the modelled energy and price. */
typedef struct cl_billing {
    const cl_radio *radio; /* NULL: no energy */
    double kbps;           /* at which it sends; 0: the fastest it was measured at */
    cl_tariff tariff;
} cl_billing;

typedef struct cl_comparison {
    const char *model, *inputs; /* borrowed */
    uint64_t seed;
    double min_effect; /* share, 0.05 = 5 % */
    const cl_pairs *pairs;
    const cl_env *env;
    cl_billing billing;
    cl_side_summary side[2];
    size_t both;     /* pairs that both sides answered */
    double diff_ns;  /* median of edge - cloud; negative: edge is faster */
    cl_interval ci;  /* of it, paired bootstrap */
    double shift_ns; /* Hodges-Lehmann */
    double p_value;  /* of no shift, Wilcoxon signed rank; NAN: fewer than CL_PAIRS_LEAST */
    cl_verdict verdict;
    char sentence[400]; /* begins with the verdict's words */
} cl_comparison;

/**
 * Fills the figures and the verdict from c->pairs, c->env, c->model, c->inputs, c->seed and
 * c->min_effect. A side is faster when the whole interval of the median difference lies on its side
 * of zero and the difference is at least min_effect of the slower side's median. NF_ENOMEM.
 */
nf_status cl_comparison_make(cl_comparison *c, nf_error *err);

void cl_comparison_fini(cl_comparison *c);

/**
 * Two-sided p-value of the Wilcoxon signed-rank test that n paired differences lie around zero:
 * normal approximation with corrections for ties and continuity, zeros left out; NAN with fewer
 * than CL_PAIRS_LEAST others. `room` holds n; |d| < 2^62. Source: W. J. Conover, Practical
 * Nonparametric Statistics, 3rd ed., section 5.7.
 */
double cl_wilcoxon(int64_t *room, const int64_t *d, size_t n);

/** "edge faster", "cloud faster", "no difference shown". */
const char *cl_verdict_text(cl_verdict v);

#endif /* CL_COMPARISON_H */
