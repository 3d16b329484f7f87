/* client_report.c - nearfar-client report: saved runs as one HTML page. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/json_run.h"
#include "clients/lib/report_html.h"

#include <stdio.h>

#define RUNS_MOST 8

typedef struct report_opts {
    const char *out;
} report_opts;

static const nf_opt rows[] = {
    {"o", "FILE", "report.html", "the page to write", NF_OPT_TEXT, offsetof(report_opts, out), 0, 0,
     NULL},
};

static const cl_usage usage = {"report",
                               "RUN.json… [-o FILE]",
                               "Writes one HTML page with the verdicts, plots and tables of saved "
                               "runs (compare -o, sweep -o).",
                               "nearfar-client report compare.json sweep.json -o report.html",
                               {rows, NF_COUNT(rows)}};

int cl_cmd_report(int argc, char **argv)
{
    report_opts o = {0};
    nf_error err = {0};
    nf_status st = NF_OK;
    json_t *run[RUNS_MOST] = {NULL};
    int n;

    if (!cl_cmd_parse(&o, &usage, RUNS_MOST, argc, argv, &n)) return n;
    if (n == 0) st = nf_fail(&err, NF_EINVAL, "", "expected the names of saved runs");
    for (int i = 0; i < n && !st; i++)
        st = cl_run_read(&run[i], argv[1 + i], &err);
    if (!st) st = cl_html_runs(run, (size_t)n, o.out, &err);
    for (int i = 0; i < n; i++)
        json_decref(run[i]);
    return st ? cl_cmd_fail(usage.name, st, &err) : CL_EXIT_OK;
}
