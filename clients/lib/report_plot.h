/* report_plot.h - the plots of a comparison as inline SVG. Layer: clients. Thread rule: no shared
 * state. Each is drawn 420 units wide, scales with the page and takes its colours from it. */
#ifndef CL_REPORT_PLOT_H
#define CL_REPORT_PLOT_H

#include "clients/lib/comparison.h"
#include "clients/lib/text_out.h"

/** Share of requests answered within a time, both targets, logarithmic time. */
void cl_plot_cdf(cl_text *t, const cl_comparison *c);

/** Median time of a request, split into network and server; false: the servers did not say. */
bool cl_plot_split(cl_text *t, const cl_comparison *c);

/** Bytes of a request and its answer, bodies and headers. */
void cl_plot_bytes(cl_text *t, const cl_comparison *c);

#endif /* CL_REPORT_PLOT_H */
