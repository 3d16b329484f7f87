/* client_diff.c - nearfar-client diff: what changed between two saved runs. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/run_diff.h"

#include <stdio.h>

typedef struct diff_opts {
    const char *fail_if;
    bool json;
} diff_opts;

#define AT(field) offsetof(diff_opts, field)
static const nf_opt rows[] = {
    {"fail-if", "RULES", "", "e.g. 'p95>+10%,err>+1,accuracy<-2': exit 3 when one holds",
     NF_OPT_TEXT, AT(fail_if), 0, 0, NULL},
    CL_ROW_JSON(diff_opts),
};

static const cl_usage usage = {"diff",
                               "BEFORE.json AFTER.json [--fail-if RULES]",
                               "Prints what changed from one saved run to another, target by "
                               "target. A rule is a metric, > or <\n"
                               "and a change: p50, p90, p95, p99, p99.9, max, server, network, up, "
                               "down (percent with %, else\n"
                               "us or bytes); err and accuracy (points of a hundred).",
                               "nearfar-client diff main.json branch.json --fail-if 'p95>+10%'",
                               {rows, NF_COUNT(rows)}};

static void print_text(const cl_run_diff *d)
{
    printf("%-8s %-9s %12s %12s %10s\n", "target", "metric", "before", "after", "change");
    for (size_t i = 0; i < d->n; i++) {
        const cl_change *c = &d->change[i];
        char share[32] = "-";
        if (c->before != 0) snprintf(share, sizeof(share), "%+.1f %%", cl_change_percent(c));
        printf("%-8s %-9s %12.6g %12.6g %10s %s%s\n", c->target, c->metric, c->before, c->after,
               share, c->unit, c->broken ? "  <- fails the rule" : "");
    }
    printf(d->broken ? "%zu rules fail\n" : "no rule fails\n", d->broken);
}

static json_t *to_json(const cl_run_diff *d)
{
    json_t *root = json_object(), *list = json_array();
    json_object_set_new(root, "schema", json_string("nearfar-client/1"));
    for (size_t i = 0; i < d->n; i++) {
        const cl_change *c = &d->change[i];
        json_t *j = json_object();
        json_object_set_new(j, "target", json_string(c->target));
        json_object_set_new(j, "metric", json_string(c->metric));
        json_object_set_new(j, "unit", json_string(c->unit));
        json_object_set_new(j, "before", json_real(c->before));
        json_object_set_new(j, "after", json_real(c->after));
        json_object_set_new(j, "fails", json_boolean(c->broken));
        json_array_append_new(list, j);
    }
    json_object_set_new(root, "changes", list);
    json_object_set_new(root, "failed", json_integer((json_int_t)d->broken));
    return root;
}

int cl_cmd_diff(int argc, char **argv)
{
    diff_opts o = {0};
    nf_error err = {0};
    nf_status st = NF_OK;
    json_t *run[2] = {NULL, NULL};
    cl_run_diff d = {.n = 0};
    int n;

    if (!cl_cmd_parse(&o, &usage, 2, argc, argv, &n)) return n;
    if (n != 2) st = nf_fail(&err, NF_EINVAL, "", "expected the names of two saved runs");
    for (int i = 0; i < 2 && !st; i++)
        st = cl_run_read(&run[i], argv[1 + i], &err);
    if (!st) st = cl_run_diff_make(&d, run[0], run[1], o.fail_if, &err);
    if (!st && o.json) st = cl_json_print(to_json(&d), stdout, &err);
    if (!st && !o.json) print_text(&d);
    for (int i = 0; i < 2; i++)
        json_decref(run[i]);
    if (st) return cl_cmd_fail(usage.name, st, &err);
    return d.broken ? CL_EXIT_MISSED : CL_EXIT_OK;
}
