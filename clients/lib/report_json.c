/* report_json.c - builds the JSON reports. Layer: clients. Thread rule: no shared state.
 * jansson's set_new functions take what they are given, also when they fail; a report that lacks
 * memory ends as NULL or short, and cl_json_print tells. */
#include "clients/lib/report_json.h"

#include "clients/lib/report_parts.h"

#include <math.h>
#include <stdio.h>

static void set(json_t *to, const char *key, json_t *value)
{
    json_object_set_new(to, key, value);
}

static void set_text(json_t *to, const char *key, const char *text)
{
    set(to, key, text[0] ? json_string(text) : json_null());
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

json_t *cl_json_us(bool known, double ns)
{
    return known ? json_integer((json_int_t)llround(ns / 1000)) : json_null();
}

static json_t *real_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

json_t *cl_json_root(const cl_env *env, uint64_t seed)
{
    json_t *root = json_object(), *run = json_object();
    json_t *host = json_object(), *tool = json_object();
    set(root, "schema", json_string(CL_SCHEMA));
    set_text(run, "started", env->started);
    set_text(host, "kernel", env->kernel);
    set_text(host, "cpu", env->cpu);
    set_text(host, "cc", env->congestion);
    set(host, "clock", json_string("CLOCK_MONOTONIC"));
    set(run, "host", host);
    set_text(tool, "version", env->version);
    set_text(tool, "git", env->git);
    set(run, "tool", tool);
    set(run, "seed", count(seed));
    set_text(run, "args", env->command);
    set(root, "run", run);
    return root;
}

json_t *cl_json_bytes(const cl_recorder *r)
{
    json_t *j = json_object();
    const uint64_t up_head = r->up_total - r->up_app;
    const uint64_t down_head = r->down_total - r->down_app;
    set(j, "app_up", json_integer(llround(cl_recorder_each(r, r->up_app))));
    set(j, "app_down", json_integer(llround(cl_recorder_each(r, r->down_app))));
    set(j, "hdr_up", json_integer(llround(cl_recorder_each(r, up_head))));
    set(j, "hdr_down", json_integer(llround(cl_recorder_each(r, down_head))));
    set(j, "total_up", json_integer(llround(cl_recorder_each(r, r->up_total))));
    set(j, "total_down", json_integer(llround(cl_recorder_each(r, r->down_total))));
    return j;
}

json_t *cl_json_errors(const cl_recorder *r)
{
    json_t *j = json_object();
    for (int f = CL_NONE + 1; f < CL_FAILURE_COUNT; f++)
        set(j, cl_failure_key((cl_failure)f), count(r->error[f]));
    set(j, "total", count(cl_recorder_errors(r)));
    return j;
}

json_t *cl_json_tcp(const cl_tcp_facts *f)
{
    if (!f->known) return json_null();
    json_t *j = json_object();
    set(j, "rtt_us", count(f->rtt_us));
    set(j, "min_rtt_us", count(f->rtt_min_us));
    set(j, "retrans_bytes", count(f->bytes_again));
    set(j, "cc", json_string(f->congestion));
    return j;
}

static json_t *interval(cl_interval ci)
{
    if (!ci.known) return json_null();
    json_t *j = json_array();
    json_array_append_new(j, cl_json_us(true, ci.lo));
    json_array_append_new(j, cl_json_us(true, ci.hi));
    return j;
}

static json_t *latency_of(const cl_side_summary *s)
{
    json_t *j = json_object(), *raw = json_object(), *ci = json_object();
    char name[16];
    for (size_t i = 0; i < NF_COUNT(s->q); i++) {
        cl_permille_name(name, sizeof(name), s->q[i].permille);
        set(raw, name, cl_json_us(s->q[i].shown, s->q[i].ns));
        set(ci, name, interval(s->q[i].ci));
    }
    set(raw, "max", cl_json_us(s->n > 0, s->n ? (double)s->sorted[s->n - 1] : 0));
    set(j, "n", count(s->n));
    set(j, "raw", raw);
    set(j, "ci95", ci);
    set(j, "cdf", cl_json_cdf(s));
    set(j, "bins", cl_json_bins(s));
    return j;
}

static json_t *served_of(const cl_side *side)
{
    const cl_served *v = &side->served;
    if (!v->known) return json_null();
    json_t *j = json_object();
    set_text(j, "mode", v->mode);
    set_text(j, "model", v->model);
    set_text(j, "version", v->version);
    set_text(j, "precision", v->precision);
    set(j, "mean_queue_us", count(side->queue_us / (side->said ? side->said : 1)));
    set(j, "mean_compute_us", count(side->compute_us / (side->said ? side->said : 1)));
    return j;
}

static json_t *target_of(const cl_comparison *c, int which)
{
    char url[1400];
    const cl_side *side = &c->pairs->side[which];
    const cl_side_summary *s = &c->side[which];
    const double queue = (double)side->queue_us, compute = (double)side->compute_us;
    const double waiting = queue > 0 ? s->server_ns * queue / (queue + compute) : 0;
    json_t *j = json_object(), *phases = json_object();
    snprintf(url, sizeof(url), "%s://%s%s", side->target->url.tls ? "https" : "http",
             side->target->url.authority, side->target->url.path);
    set(j, "name", json_string(side->target->name));
    set(j, "url", json_string(url));
    set(j, "reachable", json_boolean(side->reachable));
    set(j, "gave_up", json_boolean(side->given_up));
    set_text(j, "first_error", side->why);
    set(j, "served", served_of(side));
    set(j, "latency", latency_of(s));
    set(phases, "server", cl_json_us(s->server_known, s->server_ns));
    set(phases, "server_queue", cl_json_us(s->server_known, waiting));
    set(phases, "server_compute", cl_json_us(s->server_known, s->server_ns - waiting));
    set(phases, "network", cl_json_us(s->server_known, s->network_ns));
    set(j, "phases", phases);
    set(j, "bytes", cl_json_bytes(&side->rec));
    set(j, "tcp", cl_json_tcp(&side->facts));
    set(j, "tcp_each", cl_json_tcp_bytes(side));
    set(j, "scores", cl_json_scores(&side->scores));
    set(j, "energy", cl_json_energy(c, which));
    set(j, "requests", count(side->rec.issued));
    set(j, "connections_opened", count(side->rec.opened));
    set(j, "errors", cl_json_errors(&side->rec));
    return j;
}

static json_t *agreement_of(const cl_agreement *g)
{
    json_t *j = json_object();
    const bool any = g->rows > 0;
    set(j, "compared", count(g->rows));
    set(j, "same_label", any ? json_real((double)g->same / (double)g->rows) : json_null());
    set(j, "max_abs_diff", any ? real_or_null(g->max_abs_diff) : json_null());
    set(j, "unequal_replies", count(g->unequal));
    return j;
}

json_t *cl_json_comparison(const cl_comparison *c)
{
    json_t *root = cl_json_root(c->env, c->seed);
    json_t *targets = json_array(), *cmp = json_object(), *load = json_object();
    set(root, "model", json_string(c->model));
    set(load, "mode", json_string("closed"));
    set(load, "order", json_string("abba"));
    set(load, "first", json_string(c->pairs->side[c->pairs->first].target->name));
    set(load, "inputs", json_string(c->inputs));
    set(load, "pairs_asked", count(c->pairs->asked));
    set(load, "pairs_done", count(c->pairs->done));
    set(load, "interrupted", json_boolean(c->pairs->interrupted));
    set(root, "load", load);
    for (int s = 0; s < 2; s++)
        json_array_append_new(targets, target_of(c, s));
    set(root, "targets", targets);
    set(cmp, "metric", json_string("latency, edge minus cloud, paired"));
    set(cmp, "pairs", count(c->both));
    set(cmp, "diff_us", cl_json_us(c->both > 0, c->diff_ns));
    set(cmp, "ci95", interval(c->ci));
    set(cmp, "resamples", json_integer(CL_RESAMPLES));
    set(cmp, "hl_shift_us", cl_json_us(c->both > 0, c->shift_ns));
    set(cmp, "p_value", real_or_null(c->p_value));
    set(cmp, "min_effect", json_real(c->min_effect));
    set(cmp, "verdict", json_string(c->sentence));
    set(cmp, "agreement", agreement_of(&c->pairs->agreement));
    set(cmp, "windows", cl_json_windows(c));
    set(root, "compare", cmp);
    set(root, "cost", cl_json_cost(c));
    return root;
}

nf_status cl_json_print(json_t *j, FILE *to, nf_error *err)
{
    nf_status st = NF_OK;
    if (!j) return nf_fail(err, NF_ENOMEM, "report", "no memory");
    if (json_dumpf(j, to, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) || fputc('\n', to) == EOF ||
        fflush(to))
        st = nf_fail(err, NF_EIO, "report", "could not be written");
    json_decref(j);
    return st;
}
