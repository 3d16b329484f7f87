/* report_sweep.c - a sweep as JSON and as text. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/report_parts.h"
#include "clients/lib/text_out.h"

#include <math.h>

static void set(json_t *to, const char *key, json_t *value)
{
    json_object_set_new(to, key, value);
}

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *us(double ns)
{
    return real(round(ns / 10) / 100);
}

static json_t *axis(const cl_axis *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n; i++)
        json_array_append_new(list, json_integer(a->v[i]));
    return list;
}

static json_t *cell_json(const cl_cell *c)
{
    json_t *j = json_object(), *ci = json_array();
    set(j, "base", json_integer((json_int_t)c->base));
    set(j, "rtt_us", json_integer(c->rtt_us));
    set(j, "up_bps", json_integer(c->up_bps));
    set(j, "pairs", json_integer((json_int_t)c->pairs));
    set(j, "edge_us", us(c->pairs ? c->edge_ns : NAN));
    set(j, "cloud_us", us(c->pairs ? c->cloud_ns : NAN));
    set(j, "diff_us", us(c->pairs ? c->diff_ns : NAN));
    json_array_append_new(ci, us(c->ci.known ? c->ci.lo : NAN));
    json_array_append_new(ci, us(c->ci.known ? c->ci.hi : NAN));
    set(j, "ci95", ci);
    set(j, "verdict", json_string(cl_verdict_text(c->verdict)));
    set(j, "model_edge_us", real(c->model.edge_us));
    set(j, "model_cloud_us", real(c->model.cloud_us));
    set(j, "edge_compute_needed_us", real(c->model.edge_star_us));
    set(j, "model_error", real(c->error));
    return j;
}

static json_t *base_json(const cl_base *b)
{
    json_t *j = json_object();
    set(j, "model", json_string(b->model));
    set(j, "payload_asked", b->payload ? json_integer(b->payload) : json_null());
    set(j, "edge_us", us(b->edge_ns));
    set(j, "cloud_us", us(b->cloud_ns));
    set(j, "up_bytes", real(b->up_bytes));
    set(j, "down_bytes", real(b->down_bytes));
    return j;
}

static json_t *crossing_json(const cl_sweep *s, const cl_crossing *c)
{
    static const char *const kinds[] = {"crosses", "edge everywhere", "cloud everywhere"};
    char text[400];
    json_t *j = json_object(), *ci = json_array();
    cl_crossing_text(text, sizeof(text), s, c);
    set(j, "base", json_integer((json_int_t)c->base));
    set(j, "axis", json_string(c->by_uplink ? "up_bps" : "rtt_us"));
    set(j, c->by_uplink ? "rtt_us" : "up_bps", json_integer(c->held));
    set(j, "kind", json_string(kinds[c->kind]));
    set(j, "at", real(c->kind == CL_CROSSES ? c->at : NAN));
    json_array_append_new(ci, real(c->lo));
    json_array_append_new(ci, real(c->hi));
    set(j, "ci95", ci);
    set(j, "model_at", real(c->model_at));
    set(j, "sentence", json_string(text));
    return j;
}

json_t *cl_json_sweep(const cl_sweep *s, const cl_sweep_spec *spec, const cl_env *env)
{
    json_t *root = cl_json_root(env, spec->seed), *j = json_object();
    json_t *bases = json_array(), *cells = json_array(), *crossings = json_array();
    json_t *answers = json_array();
    char text[400];
    for (size_t i = 0; i < s->n_bases; i++)
        json_array_append_new(bases, base_json(&s->base[i]));
    for (size_t i = 0; i < s->n_cells; i++)
        json_array_append_new(cells, cell_json(&s->cell[i]));
    for (size_t i = 0; i < s->n_crossings; i++)
        json_array_append_new(crossings, crossing_json(s, &s->crossing[i]));
    for (size_t i = 0; cl_sweep_answer(text, sizeof(text), s, i); i++)
        json_array_append_new(answers, json_string(text));
    set(j, "answers", answers);
    set(j, "edge", json_string(spec->edge));
    set(j, "cloud", json_string(spec->cloud));
    set(j, "link", json_string("proxy, one for each cell, in this process"));
    set(j, "rtt_us", axis(&spec->rtt_us));
    set(j, "up_bps", axis(&spec->up_bps));
    set(j, "down_bps", json_integer(spec->down_bps));
    set(j, "pairs_a_cell", json_integer((json_int_t)spec->pairs));
    set(j, "cells_asked", json_integer((json_int_t)s->asked));
    set(j, "interrupted", json_boolean(s->interrupted));
    set(j, "bases", bases);
    set(j, "cells", cells);
    set(j, "crossings", crossings);
    set(j, "median_model_error", real(s->median_error));
    set(root, "sweep", j);
    return root;
}

static void print_cell(const cl_sweep *s, const cl_cell *c, FILE *to)
{
    char rtt[32], up[32], edge[32], cloud[32], model[32], lo[32], hi[32], diff[32];
    const double error = isfinite(c->error) ? c->error * 100 : 0;
    fprintf(to, "%-10s %8s %14s", s->base[c->base].model,
            cl_time_text(rtt, sizeof(rtt), (double)c->rtt_us * 1e3),
            cl_rate_text(up, sizeof(up), (double)c->up_bps));
    if (!c->pairs) {
        fprintf(to, "  nothing was answered\n");
        return;
    }
    fprintf(to, " %9s %9s %9s %6.1f%%  %9s [%s, %s] %s\n",
            cl_time_text(edge, sizeof(edge), c->edge_ns),
            cl_time_text(cloud, sizeof(cloud), c->cloud_ns),
            cl_time_text(model, sizeof(model), c->model.cloud_us * 1e3), error,
            cl_time_text(diff, sizeof(diff), c->diff_ns), cl_time_text(lo, sizeof(lo), c->ci.lo),
            cl_time_text(hi, sizeof(hi), c->ci.hi), cl_verdict_text(c->verdict));
}

/* What a heavier model would need, at the last cell of each row. */
static void print_needed(const cl_sweep *s, FILE *to)
{
    char rtt[32], up[32], need[32], has[32];
    for (size_t i = 0; i < s->n_cells; i++) {
        const cl_cell *c = &s->cell[i];
        const bool last_of_row = i + 1 == s->n_cells || s->cell[i + 1].up_bps != c->up_bps ||
                                 s->cell[i + 1].base != c->base;
        if (!last_of_row || !c->pairs) continue;
        fprintf(to,
                "model size: %s at round trip %s, uplink %s: the cloud wins once the edge "
                "computes longer than %s (it takes %s)\n",
                s->base[c->base].model, cl_time_text(rtt, sizeof(rtt), (double)c->rtt_us * 1e3),
                cl_rate_text(up, sizeof(up), (double)c->up_bps),
                cl_time_text(need, sizeof(need), c->model.edge_star_us * 1e3),
                cl_time_text(has, sizeof(has), s->base[c->base].edge_ns));
    }
}

void cl_text_sweep(const cl_sweep *s, const cl_sweep_spec *spec, FILE *to)
{
    char text[400];
    fprintf(to, "sweep of %zu of %zu cells, %zu pairs each, TCP %s%s\n", s->n_cells, s->asked,
            spec->pairs, s->congestion[0] ? s->congestion : "unknown",
            s->interrupted ? ", interrupted" : "");
    fprintf(to, "%-10s %8s %14s %9s %9s %9s %7s  %s\n", "model", "rtt", "up", "edge", "cloud",
            "predicted", "error", "edge minus cloud, 95 %");
    for (size_t i = 0; i < s->n_cells; i++)
        print_cell(s, &s->cell[i], to);
    print_needed(s, to);
    for (size_t i = 0; cl_sweep_answer(text, sizeof(text), s, i); i++)
        fprintf(to, "%s\n", text);
    if (isfinite(s->median_error))
        fprintf(to, "the model is off by %.1f %% of the cloud's time at the median of %zu cells\n",
                s->median_error * 100, s->n_cells);
}
