/* report_plot.h - the plots of a saved run as inline SVG, one row each. Layer: clients. Thread
 * rule: no shared state. */
#ifndef CL_REPORT_PLOT_H
#define CL_REPORT_PLOT_H

#include "clients/lib/text_out.h"

#include <jansson.h>

typedef struct cl_plot {
    const char *id, *title;
    const char *how;                       /* one sentence: how to read it */
    bool (*draw)(cl_text *t, json_t *run); /* false: the run has not what it needs; nothing drawn */
} cl_plot;

extern const cl_plot cl_plots[];
extern const size_t cl_plot_count;

/* Of a sweep; in report_grid.c. The heat map draws one picture for each model and payload. */
bool cl_plot_heat(cl_text *t, json_t *run);
bool cl_plot_fit(cl_text *t, json_t *run);

#endif /* CL_REPORT_PLOT_H */
