/* bench_json.c - bench as JSON. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/bench_report.h"
#include "clients/lib/knee.h"

#include <math.h>
#include <stdio.h>

static void set(json_t *to, const char *key, json_t *value)
{
    json_object_set_new(to, key, value);
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *quantile(const nf_hist *h, unsigned permille)
{
    return cl_json_us(cl_quantile_shown(h->count, permille),
                      (double)nf_hist_quantile(h, permille / 1000.0));
}

static json_t *quantiles(const nf_hist *h)
{
    json_t *j = json_object();
    char name[16];
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++)
        set(j, cl_permille_name(name, sizeof(name), cl_permilles[i]), quantile(h, cl_permilles[i]));
    set(j, "max", cl_json_us(h->count > 0, (double)h->most));
    set(j, "mean", cl_json_us(h->count > 0, h->count ? (double)h->sum / (double)h->count : 0));
    return j;
}

static json_t *intervals(const nf_hist *h)
{
    json_t *j = json_object();
    char name[16];
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++) {
        const unsigned p = cl_permilles[i];
        const cl_interval ci = cl_hist_interval(h, p);
        const bool shown = ci.known && cl_quantile_shown(h->count, p);
        json_t *pair = shown ? json_array() : json_null();
        if (shown) json_array_append_new(pair, cl_json_us(true, ci.lo));
        if (shown) json_array_append_new(pair, cl_json_us(true, ci.hi));
        set(j, cl_permille_name(name, sizeof(name), p), pair);
    }
    return j;
}

static json_t *latency_of(const cl_load_result *r)
{
    json_t *j = json_object();
    const bool open = r->rec.corrected.count > 0;
    set(j, "n", count(r->rec.latency.count));
    set(j, "basis", json_string(open ? "corrected" : "raw"));
    set(j, "raw", quantiles(&r->rec.latency));
    set(j, "corrected", open ? quantiles(&r->rec.corrected) : json_null());
    set(j, "ci95", intervals(cl_recorder_latency(&r->rec)));
    return j;
}

static json_t *phases_of(const cl_recorder *r)
{
    json_t *j = json_object();
    for (int p = 0; p < CL_PHASES; p++) {
        const nf_hist *h = &r->phase[p];
        json_t *one = h->count ? json_object() : json_null();
        if (h->count) {
            set(one, "n", count(h->count));
            set(one, "p50", cl_json_us(true, (double)nf_hist_quantile(h, 0.5)));
            set(one, "max", cl_json_us(true, (double)h->most));
        }
        set(j, cl_phase_name((cl_phase)p), one);
    }
    return j;
}

static json_t *load_of(const cl_bench_step *s)
{
    json_t *j = json_object();
    const cl_load *l = &s->load;
    set(j, "mode", json_string(l->arrivals ? "open" : "closed"));
    set(j, "concurrency", count(l->connections));
    set(j, "rate", l->arrivals ? json_real(l->arrivals->rate) : json_null());
    set(j, "arrival", l->arrivals ? json_string(l->arrivals->name) : json_null());
    set(j, "warmup_requests", count(l->warmup_requests));
    set(j, "warmup_us", count(l->warmup_requests ? 0 : l->warmup_us));
    set(j, "elapsed_us", cl_json_us(true, (double)s->result.elapsed_ns));
    set(j, "interrupted", json_boolean(s->result.interrupted));
    set(j, "client_cpu_us", cl_json_us(true, (double)s->result.cpu_ns));
    set(j, "client_cpu_share", json_real(cl_load_busy(&s->result)));
    set(j, "client_is_limit", json_boolean(cl_load_busy(&s->result) > CL_BUSY_SHARE));
    return j;
}

static json_t *schedule_of(const cl_load_result *r, bool open)
{
    if (!open) return json_null();
    json_t *j = json_object();
    set(j, "due", count(r->due));
    set(j, "waited", count(r->waited));
    set(j, "unsent", count(r->unsent));
    set(j, "unanswered", count(r->unanswered));
    set(j, "error", quantiles(&r->lag));
    return j;
}

static json_t *windows_of(const cl_windows *w)
{
    if (!w->n) return json_null();
    json_t *j = json_array();
    for (size_t i = 0; i < w->n; i++) {
        json_t *one = json_object();
        const cl_window *x = &w->window[i];
        set(one, "start_us", cl_json_us(true, (double)x->start_ns));
        set(one, "end_us", cl_json_us(true, (double)x->end_ns));
        set(one, "n", count(x->latency.count));
        set(one, "p50_us", quantile(&x->latency, 500));
        set(one, "rate", json_real(cl_windows_rate(w, i)));
        json_array_append_new(j, one);
    }
    return j;
}

static json_t *stability_of(const cl_windows *w)
{
    if (!w->n) return json_null();
    const cl_stability s = cl_windows_judge(w);
    json_t *j = json_object();
    set(j, "stable", json_boolean(s.stable));
    set(j, "tolerance", json_real(w->tolerance));
    set(j, "rate_spread", s.known ? json_real(s.rate_spread) : json_null());
    set(j, "latency_spread", s.known ? json_real(s.latency_spread) : json_null());
    return j;
}

static json_t *target_of(const cl_bench *b, const cl_bench_step *s)
{
    json_t *t = json_object();
    const cl_load_result *r = &s->result;
    set(t, "name", json_string("target"));
    set(t, "url", json_string(b->url));
    set(t, "load", load_of(s));
    set(t, "requests", count(r->rec.issued));
    set(t, "ok", count(r->rec.ok));
    set(t, "rate", json_real(cl_load_rate(r)));
    set(t, "connections_opened", count(r->rec.opened));
    set(t, "latency", latency_of(r));
    set(t, "phases", phases_of(&r->rec));
    set(t, "schedule", schedule_of(r, s->load.arrivals != NULL));
    set(t, "windows", windows_of(&r->windows));
    set(t, "stability", stability_of(&r->windows));
    set(t, "bytes", cl_json_bytes(&r->rec));
    set(t, "tcp", cl_json_tcp(&r->facts));
    set(t, "errors", cl_json_errors(&r->rec));
    return t;
}

static json_t *slos_of(const cl_bench *b)
{
    json_t *list = json_array();
    for (size_t i = 0; i < b->n; i++) {
        const cl_slo_facts facts = cl_bench_facts(&b->step[i]);
        for (size_t k = 0; k < b->slos.n; k++) {
            const cl_slo *s = &b->slos.one[k];
            const cl_slo_result r = cl_slo_judge(s, &facts);
            const bool time = s->metric != CL_SLO_ERR && s->metric != CL_SLO_RATE;
            json_t *one = json_object();
            set(one, "target", count(i));
            set(one, "expr", json_string(s->expr));
            set(one, "unit", json_string(time ? "us" : s->metric == CL_SLO_ERR ? "share" : "1/s"));
            if (time)
                set(one, "value", cl_json_us(r.known, r.value));
            else
                set(one, "value", json_real(r.value));
            set(one, "pass", json_boolean(r.pass));
            json_array_append_new(list, one);
        }
    }
    return list;
}

static json_t *sweep_of(const cl_bench *b)
{
    json_t *j = json_object();
    const size_t knee = cl_bench_knee(b);
    set(j, "by", json_string(b->swept));
    set(j, "rule", json_string(CL_KNEE_RULE));
    set(j, "knee", knee < b->n ? count(knee) : json_null());
    return j;
}

json_t *cl_json_bench(const cl_bench *b)
{
    json_t *root = cl_json_root(b->env, b->seed), *targets = json_array();
    set(root, "model", b->model[0] ? json_string(b->model) : json_null());
    set(root, "inputs", b->inputs[0] ? json_string(b->inputs) : json_null());
    set(root, "dialect", b->model[0] ? json_string(b->dialect) : json_null());
    set(root, "gzip", json_boolean(b->gzip));
    set(root, "keepalive", json_boolean(!b->fresh));
    if (b->n) set(root, "load", load_of(&b->step[0]));
    for (size_t i = 0; i < b->n; i++)
        json_array_append_new(targets, target_of(b, &b->step[i]));
    set(root, "targets", targets);
    set(root, "slo", slos_of(b));
    set(root, "sweep", b->swept ? sweep_of(b) : json_null());
    return root;
}
