/* client_bench.c - nearfar-client bench: one target under a closed loop. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/report_text.h"
#include "clients/lib/scenario.h"
#include "clients/lib/target.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <stdio.h>

typedef struct bench_opts {
    int64_t requests, duration_us, connections, timeout_us, connect_us;
    const char *warmup, *model, *input;
    bool json, quiet;
} bench_opts;

#define AT(field) offsetof(bench_opts, field)
static const nf_opt rows[] = {
    {"n", "N", "0", "measured requests; 0: by time", NF_OPT_NUM, AT(requests), 0, 1000000000, NULL},
    {"d", "TIME", "10s", "measured time, when -n is not given", NF_OPT_TIME, AT(duration_us), 1000,
     86400000000, NULL},
    {"c", "N", "1", "connections, each with one request under way", NF_OPT_NUM, AT(connections), 1,
     10000, NULL},
    {"warmup", "N|TIME", "500ms", "requests or time before it, not recorded", NF_OPT_TEXT,
     AT(warmup), 0, 0, NULL},
    {"model", "NAME", "temp", "the model, when URL has no path", NF_OPT_TEXT, AT(model), 0, 0,
     NULL},
    {"input", "JSON|FILE", "", "an instance; a file with one a line is sent in turn", NF_OPT_TEXT,
     AT(input), 0, 0, NULL},
    CL_ROW_TIMEOUT(bench_opts),
    CL_ROW_CONNECT(bench_opts),
    CL_ROW_JSON(bench_opts),
    CL_ROW_QUIET(bench_opts),
};

static const cl_usage usage = {
    "bench",
    "URL [options]",
    "Sends the next request when the last is answered, on each connection. A URL with a path is\n"
    "used as it is (GET, or POST with --input); without one the model's predict path is asked.",
    "nearfar-client bench http://127.0.0.1:8080 --model temp -c 16 -d 10s",
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

/* The URL has a path of its own: that request, once. */
static nf_status prepare_plain(cl_target *t, const bench_opts *o, nf_error *err)
{
    cl_inputs in = {0};
    nf_status st = o->input[0] ? cl_inputs_read(&in, o->input, err) : NF_OK;
    cl_call_spec spec = {.method = "GET"};
    if (st) return st;
    if (in.n) {
        spec.method = "POST";
        spec.content_type = WIRE_TYPE_JSON;
        spec.body = in.body[0];
    }
    t->call = nf_alloc(sizeof(*t->call), NF_MEM_CLIENT);
    st = t->call ? cl_call_init(t->call, &t->url, &spec, err)
                 : nf_fail(err, NF_ENOMEM, "request", "no memory");
    t->n_calls = st ? 0 : 1;
    cl_inputs_fini(&in);
    return st;
}

static nf_status prepare(cl_target *t, cl_client *client, const bench_opts *o, nf_error *err)
{
    nf_status st;
    cl_inputs in = {0};
    const cl_input_spec spec = {.input = o->input, .model = o->model, .made = 64, .seed = 1};
    if (t->url.path[0]) return prepare_plain(t, o, err);
    if ((st = cl_inputs_get(&in, &spec, t, client, err))) return st;
    st = cl_target_prepare(t, o->model, &in, err);
    cl_inputs_fini(&in);
    return st;
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

static nf_status run(const bench_opts *o, const char *url, cl_client *client, cl_env *env,
                     nf_error *err)
{
    cl_target t = {0};
    cl_load_result result = {0};
    cl_progress progress;
    cl_load load = {.connections = (size_t)o->connections,
                    .requests = (uint64_t)o->requests,
                    .duration_us = (uint64_t)o->duration_us,
                    .limits = {(uint64_t)o->connect_us, (uint64_t)o->timeout_us, 256u << 20},
                    .progress = &progress};
    const cl_bench_report report = {env, url, &load, &result};
    nf_status st;

    cl_progress_init(&progress, o->quiet);
    if ((st = read_warmup(&load, o->warmup, err))) goto done;
    if ((st = cl_target_init(&t, client, "target", url, &load.limits, err))) goto done;
    if ((st = prepare(&t, client, o, err))) goto done;
    if ((st = probe(&t, client, err))) goto done;
    cl_conn_cancel(t.conn); /* the load brings its own connections */
    if ((st = cl_run_load(client, &t.url, t.call, t.n_calls, &load, &result, err))) goto done;
    snprintf(env->congestion, sizeof(env->congestion), "%s", result.facts.congestion);
    if (o->json)
        st = cl_json_print(cl_json_bench(&report), stdout, err);
    else
        cl_text_bench(&report, stdout);
done:
    cl_target_fini(&t);
    return st;
}

int cl_cmd_bench(int argc, char **argv)
{
    bench_opts o = {0};
    nf_error err = {0};
    cl_client client;
    cl_env env;
    int n;

    cl_env_get(&env, argc, argv);
    if (!cl_cmd_parse(&o, &usage, 1, argc, argv, &n)) return n;
    if (n != 1)
        return cl_cmd_fail(usage.name, nf_fail(&err, NF_EINVAL, "URL", "expected a URL"), &err);
    nf_status st = cl_client_init(&client, &err);
    if (st) return cl_cmd_fail(usage.name, st, &err);
    st = run(&o, argv[1], &client, &env, &err);
    const int code = st               ? cl_cmd_fail(usage.name, st, &err)
                     : client.stopped ? CL_EXIT_INTERRUPTED
                                      : CL_EXIT_OK;
    cl_client_fini(&client);
    return code;
}
