/* run_diff.c - compares runs by a table of metrics. Layer: clients. Thread rule: no shared state.
 */
#include "clients/lib/run_diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *path, *per, *unit; /* per: what the number is divided by, or NULL */
    double scale;
} metrics[] = {
    {"p50", "latency/raw/p50", NULL, "us", 1},     {"p90", "latency/raw/p90", NULL, "us", 1},
    {"p95", "latency/raw/p95", NULL, "us", 1},     {"p99", "latency/raw/p99", NULL, "us", 1},
    {"p99.9", "latency/raw/p99.9", NULL, "us", 1}, {"max", "latency/raw/max", NULL, "us", 1},
    {"server", "phases/server", NULL, "us", 1},    {"network", "phases/network", NULL, "us", 1},
    {"up", "bytes/total_up", NULL, "bytes", 1},    {"down", "bytes/total_down", NULL, "bytes", 1},
    {"err", "errors/total", "requests", "%", 100}, {"accuracy", "scores/accuracy", NULL, "%", 100},
};

static double metric_of(json_t *target, size_t m)
{
    const double v = cl_json_number(target, metrics[m].path) * metrics[m].scale;
    return metrics[m].per ? v / cl_json_number(target, metrics[m].per) : v;
}

static json_t *find_target(json_t *run, const char *name)
{
    size_t i;
    json_t *t;
    json_array_foreach(cl_json_at(run, "targets"), i, t)
    {
        if (strcmp(cl_json_text(t, "name"), name) == 0) return t;
    }
    return NULL;
}

double cl_change_percent(const cl_change *c)
{
    return c->before != 0 ? 100 * (c->after - c->before) / c->before : 0;
}

typedef struct rule {
    char metric[16];
    bool above, percent;
    double limit;
} rule;

/* "p95>+10%" up to a comma; *text moves behind it. */
static nf_status read_rule(rule *to, const char **text, nf_error *err)
{
    const char *s = *text + strspn(*text, " ");
    const size_t whole = strcspn(s, ",");
    const size_t name = strcspn(s, "<>, ");
    const char *op = s + name + strspn(s + name, " ");
    char *end;
    *to = (rule){.above = *op == '>'};
    if (name == 0 || name >= sizeof(to->metric) || (*op != '<' && *op != '>')) goto bad;
    memcpy(to->metric, s, name);
    to->limit = strtod(op + 1, &end);
    if (end == op + 1 || !isfinite(to->limit)) goto bad;
    to->percent = *end == '%';
    end += to->percent;
    end += strspn(end, " ");
    if (end != s + whole) goto bad;
    *text = s + whole + (s[whole] == ',');
    return NF_OK;
bad:
    return nf_fail(err, NF_EINVAL, "--fail-if", "expected 'p95>+10%%', got '%.*s'", (int)whole, s);
}

static nf_status apply(cl_run_diff *d, const rule *r, nf_error *err)
{
    bool found = false;
    for (size_t i = 0; i < d->n; i++) {
        cl_change *c = &d->change[i];
        if (strcmp(c->metric, r->metric) != 0) continue;
        found = true;
        const bool points = strcmp(c->unit, "%") == 0;
        const double by = r->percent && !points ? cl_change_percent(c) : c->after - c->before;
        if (r->above ? by <= r->limit : by >= r->limit) continue;
        d->broken += !c->broken;
        c->broken = true;
    }
    if (found) return NF_OK;
    return nf_fail(err, NF_EINVAL, "--fail-if", "'%s' is not a metric that both runs have",
                   r->metric);
}

nf_status cl_run_diff_make(cl_run_diff *out, json_t *before, json_t *after, const char *rules,
                           nf_error *err)
{
    size_t i;
    json_t *t;
    nf_status st = NF_OK;
    *out = (cl_run_diff){.n = 0};
    json_array_foreach(cl_json_at(before, "targets"), i, t)
    {
        const char *name = cl_json_text(t, "name");
        json_t *u = find_target(after, name);
        for (size_t m = 0; u && m < NF_COUNT(metrics) && out->n < CL_CHANGES_MOST; m++) {
            const cl_change c = {
                name, metrics[m].name, metrics[m].unit, metric_of(t, m), metric_of(u, m), false};
            if (isfinite(c.before) && isfinite(c.after)) out->change[out->n++] = c;
        }
    }
    if (out->n == 0)
        return nf_fail(err, NF_EINVAL, "runs", "they have no target and metric in common");
    while (*rules && !st) {
        rule r;
        st = read_rule(&r, &rules, err);
        if (!st) st = apply(out, &r, err);
    }
    return st;
}
