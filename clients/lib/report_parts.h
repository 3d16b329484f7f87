/* report_parts.h - parts of the JSON reports that plots are drawn from. Layer: clients. Thread
 * rule: no shared state. */
#ifndef CL_REPORT_PARTS_H
#define CL_REPORT_PARTS_H

#include "clients/lib/report_json.h"
#include "clients/lib/sweep.h"

/** [[share, us, lo_us, hi_us], …] from the fastest answer to the slowest, at most 100 points; lo
 * and hi are null where too few samples carry an interval. */
json_t *cl_json_cdf(const cl_side_summary *s);

/** [[from_us, count], …]: bins on a grid that all runs share, each 10^(1/20) wide. */
json_t *cl_json_bins(const cl_side_summary *s);

/** Accuracy, macro precision and recall, or null without a labelled set. */
json_t *cl_json_scores(const cl_scores *s);

/** TCP payload of the measured requests in all, or null when the connection was opened anew
 * meanwhile. */
json_t *cl_json_tcp_bytes(const cl_side *side);

/** Modelled energy of a request in joules: compute there, and for the cloud the device's radio. */
json_t *cl_json_energy(const cl_comparison *c, int side);

/** Modelled price of a million requests to the cloud. */
json_t *cl_json_cost(const cl_comparison *c);

/** [{pairs, edge_us, cloud_us}, …]: medians of up to 20 equal parts of the run, in order. */
json_t *cl_json_windows(const cl_comparison *c);

/** The whole of a sweep. */
json_t *cl_json_sweep(const cl_sweep *s, const cl_sweep_spec *spec, const cl_env *env);

/** The sweep as a table and its answers, for people. */
void cl_text_sweep(const cl_sweep *s, const cl_sweep_spec *spec, FILE *to);

#endif /* CL_REPORT_PARTS_H */
