/* client_bench.c - nearfar-client bench: one target under load. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/bench_report.h"
#include "clients/lib/json_run.h"
#include "clients/lib/requests.h"
#include "clients/net/tls.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MOST 64
#define OPEN_CONNECTIONS                                                                           \
    64 /* of an open loop, when -c is not given: they are opened when needed                       \
        */
#define CONNECTIONS_MOST 10000
#define RATE_MOST        1000000

typedef struct bench_opts {
    int64_t requests, duration_us, connections, timeout_us, connect_us, seed;
    double rate;
    const char *arrival, *rates, *concurrency, *warmup, *stable, *slo, *model, *input, *hgrm, *csv;
    const char *congestion, *ca, *out;
    int dialect, keepalive;
    bool require_stable, gzip, insecure, json, quiet;
} bench_opts;

#define AT(field)                   offsetof(bench_opts, field)
#define TEXT(name, arg, dflt, help) name, arg, dflt, help, NF_OPT_TEXT
#define FLAG(name, help)            name, NULL, NULL, help, NF_OPT_FLAG
static const nf_opt rows[] = {
    {"n", "N", "0", "measured requests; 0: by time", NF_OPT_NUM, AT(requests), 0, 1000000000, NULL},
    {"d", "TIME", "10s", "measured time, when -n is not given; a trace has its own", NF_OPT_TIME,
     AT(duration_us), 1000, 86400000000, NULL},
    {"c", "N", "0", "connections; 0: 1 in a closed loop, up to 64 in an open one", NF_OPT_NUM,
     AT(connections), 0, CONNECTIONS_MOST, NULL},
    {"r", "RATE", "0", "open loop: requests a second; 0: closed loop", NF_OPT_REAL, AT(rate), 0,
     RATE_MOST, NULL},
    {TEXT("arrival", "HOW", "constant", "open loop: constant, poisson or trace:FILE (seconds)"),
     AT(arrival), 0, 0, NULL},
    {TEXT("rates", "LIST", "", "a sweep: an open loop at each of 100,200,400"), AT(rates), 0, 0,
     NULL},
    {TEXT("concurrency", "LIST", "", "a sweep: a closed loop with each of 1,2,4,8 connections"),
     AT(concurrency), 0, 0, NULL},
    {TEXT("warmup", "N|TIME", "500ms", "requests or time before it, not recorded"), AT(warmup), 0,
     0, NULL},
    {TEXT("stable", "NxSHARE", "3x10%",
          "windows of the measured length, and how far they may differ"),
     AT(stable), 0, 0, NULL},
    {FLAG("require-stable", "exit with 4 when they differ by more"), AT(require_stable), 0, 0,
     NULL},
    {TEXT("slo", "LIST", "", "'p95<100ms,err<1%': exit with 3 when one does not hold"), AT(slo), 0,
     0, NULL},
    {TEXT("model", "NAME", "temp", "the model, when URL has no path"), AT(model), 0, 0, NULL},
    {"dialect", "NAME", "v1", "v1 (predict) or v2 (infer)", NF_OPT_PICK, AT(dialect), 0, 0,
     CL_DIALECTS},
    {TEXT("input", "JSON|FILE", "", "an instance; a file with one a line is sent in turn"),
     AT(input), 0, 0, NULL},
    {FLAG("gzip", "pack the bodies, take packed answers"), AT(gzip), 0, 0, NULL},
    {"seed", "N", "1", "of made inputs and of Poisson arrivals", NF_OPT_NUM, AT(seed), 0, INT64_MAX,
     NULL},
    {TEXT("congestion", "NAME", "", "TCP algorithm: cubic, bbr, reno; else the host's own"),
     AT(congestion), 0, 0, NULL},
    {TEXT("ca", "FILE", "", "https: certificates to trust, PEM; else the system's"), AT(ca), 0, 0,
     NULL},
    {"keepalive", "HOW", "on", "off: a new connection for each request", NF_OPT_PICK, AT(keepalive),
     0, 0, "on|off"},
    {FLAG("insecure", "https: trust anyone"), AT(insecure), 0, 0, NULL},
    CL_ROW_TIMEOUT(bench_opts),
    CL_ROW_CONNECT(bench_opts),
    {TEXT("o", "FILE", "", "write the run as JSON, for report and diff"), AT(out), 0, 0, NULL},
    {TEXT("hgrm", "FILE", "", "write the latency percentiles for HdrHistogram's plotters"),
     AT(hgrm), 0, 0, NULL},
    {TEXT("csv", "FILE", "", "write a row for each load"), AT(csv), 0, 0, NULL},
    CL_ROW_JSON(bench_opts),
    CL_ROW_QUIET(bench_opts),
};

static const cl_usage usage = {
    "bench",
    "URL [options]",
    "Closed loop: each connection sends its next request when the last is answered. With -r, open\n"
    "loop: requests are due at their moments whatever the answers do; one whose moment comes "
    "while\n"
    "every connection is busy is sent as soon as one is free, and counted. A URL with a path is\n"
    "used as it is (GET, or POST with --input); without one the model's predict path is asked.",
    "nearfar-client bench http://127.0.0.1:8080 --model temp -r 200 --arrival poisson -d 10s",
    {rows, NF_COUNT(rows)}};

/* "500" is a count, "500ms" a time. */
static nf_status read_warmup(cl_load *load, const char *text, nf_error *err)
{
    static const nf_opt count = {"warmup", "N", NULL, "", NF_OPT_NUM, 0, 0, 1000000000, NULL};
    static const nf_opt time = {"warmup", "N|TIME", NULL, "", NF_OPT_TIME, 0, 0, 3600000000, NULL};
    const bool digits = text[0] && text[strspn(text, "0123456789")] == '\0';
    int64_t v = 0;
    const nf_status st = nf_opts_value(&v, digits ? &count : &time, text, err);
    if (digits)
        load->warmup_requests = (uint64_t)v;
    else
        load->warmup_us = (uint64_t)v;
    return st;
}

/* "100,200,400": growing numbers of 1 .. most. */
static nf_status read_list(double *to, size_t *n, const char *name, const char *text, double most,
                           nf_error *err)
{
    char *end;
    for (*n = 0; *n < STEPS_MOST; text = end + 1) {
        const double v = strtod(text, &end);
        const bool grows = *n == 0 || v > to[*n - 1];
        if (end == text || (*end && *end != ',') || !(v >= 1 && v <= most) || !grows)
            return nf_fail(err, NF_EINVAL, name,
                           "expected growing numbers like 100,200, got '%.40s'", text);
        to[(*n)++] = v;
        if (!*end) return NF_OK;
    }
    return nf_fail(err, NF_EINVAL, name, "expected at most %d numbers", STEPS_MOST);
}

static nf_status open_step(cl_bench_step *s, const bench_opts *o, double rate, nf_error *err)
{
    const nf_status st = cl_arrivals_read(&s->arrivals, o->arrival, rate, (uint64_t)o->seed, err);
    if (st) return st;
    s->load.arrivals = &s->arrivals;
    if (!s->load.connections) s->load.connections = OPEN_CONNECTIONS;
    if (s->arrivals.kind == CL_TRACE)
        s->load.duration_us = s->arrivals.trace_ns[s->arrivals.n_trace - 1] / 1000 + 1;
    return NF_OK;
}

/* The loads to run: one, or a sweep's. */
static nf_status plan(cl_bench *b, size_t *n, const bench_opts *o, const cl_load *base,
                      nf_error *err)
{
    double value[STEPS_MOST] = {o->rate};
    nf_status st = NF_OK;
    const bool open = o->rates[0] || o->rate > 0 || strncmp(o->arrival, "trace:", 6) == 0;
    *n = 1;
    if (o->rates[0] && o->concurrency[0])
        return nf_fail(err, NF_EINVAL, "rates", "a sweep is by rate or by concurrency, not both");
    if (o->rates[0]) st = read_list(value, n, "rates", o->rates, RATE_MOST, err);
    if (o->concurrency[0])
        st = read_list(value, n, "concurrency", o->concurrency, CONNECTIONS_MOST, err);
    if (st) return st;
    b->swept = o->rates[0] ? "rate" : o->concurrency[0] ? "concurrency" : NULL;
    b->step = nf_alloc_array(*n, sizeof(*b->step), NF_MEM_CLIENT);
    if (!b->step) return nf_fail(err, NF_ENOMEM, "bench", "no memory for %zu loads", *n);
    b->planned = *n;
    for (size_t i = 0; i < *n && !st; i++) {
        cl_bench_step *s = &b->step[i];
        s->load = *base;
        if (o->concurrency[0]) s->load.connections = (size_t)value[i];
        if (open) st = open_step(s, o, o->concurrency[0] ? o->rate : value[i], err);
        if (!s->load.connections) s->load.connections = 1;
    }
    return st;
}

static nf_status prepare(cl_target *t, cl_inputs *in, cl_client *client, const bench_opts *o,
                         nf_error *err)
{
    const cl_request_spec spec = {o->model, (cl_dialect)o->dialect, o->gzip, o->keepalive != 0};
    const cl_input_spec input = {
        .input = o->input, .model = o->model, .made = 64, .seed = (uint64_t)o->seed};
    nf_status st = NF_OK;
    if (t->url.path[0]) {
        if (o->input[0]) st = cl_inputs_read(in, o->input, err);
        return st ? st : cl_requests_plain(t, &spec, in, err);
    }
    if ((st = cl_inputs_get(in, &input, t, client, err))) return st;
    return cl_requests_make(t, client, &spec, in, err);
}

/* One request before all others: a target that is not there or refuses is told at once. */
static nf_status probe(cl_target *t, cl_client *client, nf_error *err)
{
    nf_status st;
    cl_exchange x;
    char why[400];
    if ((st = cl_call_once(client, t->conn, &t->call[0], &x, err))) return st;
    if (!x.failure) return NF_OK;
    cl_why(why, sizeof(why), &x);
    return nf_fail(err, x.status ? NF_EDENIED : NF_ELOADING, t->url.authority, "%s", why);
}

static nf_status print(const cl_bench *b, const bench_opts *o, nf_error *err)
{
    json_t *run = o->out[0] ? cl_json_bench(b) : NULL;
    nf_status st = o->out[0] ? cl_run_write(run, o->out, err) : NF_OK;
    json_decref(run);
    if (!st && o->csv[0]) st = cl_csv_bench(b, o->csv, err);
    if (!st && o->hgrm[0]) st = cl_hgrm_bench(b, o->hgrm, err);
    if (!st && o->json) return cl_json_print(cl_json_bench(b), stdout, err);
    if (!st) cl_text_bench(b, stdout);
    return st;
}

static nf_status run_steps(cl_bench *b, size_t n, cl_client *client, const cl_target *t,
                           cl_env *env, nf_error *err)
{
    nf_status st = NF_OK;
    while (b->n < n && !st && !client->stopped) {
        cl_bench_step *s = &b->step[b->n];
        st = cl_run_load(client, &t->url, t->call, t->n_calls, &s->load, &s->result, err);
        b->n++;
        snprintf(env->congestion, sizeof(env->congestion), "%s", s->result.facts.congestion);
    }
    return st;
}

static nf_status run(cl_bench *b, const bench_opts *o, const cl_load *base, const char *url,
                     cl_client *client, cl_env *env, nf_error *err)
{
    cl_target t = {0};
    cl_inputs in = {0};
    size_t n;
    nf_status st;
    if ((st = plan(b, &n, o, base, err))) goto done;
    if ((st = cl_target_init(&t, client, "target", url, &base->limits, err))) goto done;
    cl_url_text(b->url, sizeof(b->url), &t.url);
    if ((st = prepare(&t, &in, client, o, err))) goto done;
    if ((st = probe(&t, client, err))) goto done;
    cl_conn_cancel(t.conn); /* the load brings its own connections */
    b->model = t.url.path[0] ? "" : o->model;
    snprintf(b->inputs, sizeof(b->inputs), "%s", in.source);
    if ((st = run_steps(b, n, client, &t, env, err))) goto done;
    st = print(b, o, err);
done:
    cl_target_fini(&t);
    cl_inputs_fini(&in);
    return st;
}

static nf_status read_options(cl_load *load, cl_bench *b, cl_trust **trust, const bench_opts *o,
                              nf_error *err)
{
    nf_status st = read_warmup(load, o->warmup, err);
    if (!st) st = cl_windows_read(&load->windows, &load->tolerance, o->stable, err);
    if (!st && o->slo[0]) st = cl_slos_read(&b->slos, o->slo, err);
    if (!st && o->congestion[0]) st = cl_congestion_check(o->congestion, err);
    if (!st && (o->ca[0] || o->insecure)) st = cl_trust_create(trust, o->ca, o->insecure, err);
    load->limits.trust = *trust;
    return st;
}

static void release(cl_bench *b)
{
    for (size_t i = 0; i < b->planned; i++) {
        cl_load_result_fini(&b->step[i].result);
        cl_arrivals_fini(&b->step[i].arrivals);
    }
    nf_free(b->step);
}

static int judge(const cl_bench *b, const bench_opts *o)
{
    bool stable = true;
    for (size_t i = 0; i < b->n; i++)
        stable = cl_windows_judge(&b->step[i].result.windows).stable && stable;
    if (!cl_bench_slos_hold(b)) return CL_EXIT_MISSED;
    return o->require_stable && !stable ? CL_EXIT_UNSTABLE : CL_EXIT_OK;
}

int cl_cmd_bench(int argc, char **argv)
{
    bench_opts o = {0};
    nf_error err = {0};
    cl_client client;
    cl_progress progress;
    cl_trust *trust = NULL;
    cl_env env;
    int n;

    cl_env_get(&env, argc, argv);
    if (!cl_cmd_parse(&o, &usage, 1, argc, argv, &n)) return n;
    if (n != 1)
        return cl_cmd_fail(usage.name, nf_fail(&err, NF_EINVAL, "URL", "expected a URL"), &err);
    cl_progress_init(&progress, o.quiet);
    cl_bench b = {.env = &env,
                  .fresh = o.keepalive != 0,
                  .dialect = o.dialect == CL_V2 ? "v2" : "v1",
                  .gzip = o.gzip,
                  .seed = (uint64_t)o.seed};
    cl_load base = {.connections = (size_t)o.connections,
                    .requests = (uint64_t)o.requests,
                    .duration_us = (uint64_t)o.duration_us,
                    .limits = {.connect_us = (uint64_t)o.connect_us,
                               .response_us = (uint64_t)o.timeout_us,
                               .body_most = 256u << 20,
                               .congestion = o.congestion},
                    .progress = &progress};
    nf_status st = read_options(&base, &b, &trust, &o, &err);
    if (!st && !(st = cl_client_init(&client, &err))) {
        st = run(&b, &o, &base, argv[1], &client, &env, &err);
        n = st ? 0 : client.stopped ? CL_EXIT_INTERRUPTED : judge(&b, &o);
        cl_client_fini(&client);
    }
    release(&b);
    cl_trust_destroy(&trust);
    return st ? cl_cmd_fail(usage.name, st, &err) : n;
}
