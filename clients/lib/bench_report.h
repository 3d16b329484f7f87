/* bench_report.h - what bench measured, as JSON, text, CSV and percentile file. Layer: clients.
 * Thread rule: no shared state. */
#ifndef CL_BENCH_REPORT_H
#define CL_BENCH_REPORT_H

#include "clients/lib/report_json.h"
#include "clients/lib/scenario.h"
#include "clients/lib/slo.h"

/* One load and what it gave; a sweep has several. */
typedef struct cl_bench_step {
    cl_load load;
    cl_arrivals arrivals; /* owned; load.arrivals points here in an open loop */
    cl_load_result result;
} cl_bench_step;

typedef struct cl_bench {
    const cl_env *env;
    char url[1400];
    char inputs[96];
    const char *model, *dialect; /* model "": the URL has a path of its own */
    bool gzip, fresh;
    uint64_t seed;
    const char *swept; /* "rate", "concurrency"; NULL: one load */
    cl_bench_step *step;
    size_t planned, n; /* steps there are; of these run */
    cl_slos slos;
} cl_bench;

/** Index of the knee of a sweep, n when there is none (see knee.h). */
size_t cl_bench_knee(const cl_bench *b);

/** True when every service level holds in every step. */
bool cl_bench_slos_hold(const cl_bench *b);

/** What a service level is judged by. */
cl_slo_facts cl_bench_facts(const cl_bench_step *s);

/** The interval of a percentile out of a histogram, nanoseconds. */
cl_interval cl_hist_interval(const nf_hist *h, unsigned permille);

json_t *cl_json_bench(const cl_bench *b);
void cl_text_bench(const cl_bench *b, FILE *to);

/** One row a step, with a heading; microseconds. NF_EIO: the file could not be written. */
nf_status cl_csv_bench(const cl_bench *b, const char *path, nf_error *err);

/** The latencies of the last step in the text that HdrHistogram's plotters read: value in
 * milliseconds, percentile, count, 1/(1 - percentile). NF_EIO. */
nf_status cl_hgrm_bench(const cl_bench *b, const char *path, nf_error *err);

#endif /* CL_BENCH_REPORT_H */
