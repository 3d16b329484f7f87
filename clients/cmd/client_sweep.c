/* client_sweep.c - nearfar-client sweep: where the cloud begins to win. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/json_run.h"
#include "clients/lib/report_parts.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct sweep_opts {
    const char *edge, *cloud, *model, *rtt, *up, *payload, *input, *out, *congestion;
    int64_t down_bps, pairs, warmup, seed, timeout_us, connect_us;
    double min_effect;
    bool json, quiet;
} sweep_opts;

#define AT(field) offsetof(sweep_opts, field)
static const nf_opt rows[] = {
    {"edge", "URL", NULL, "the server near the data", NF_OPT_TEXT, AT(edge), 0, 0, NULL},
    {"cloud", "URL", NULL, "the server far from it; the link comes before it", NF_OPT_TEXT,
     AT(cloud), 0, 0, NULL},
    {"model", "NAME,…", "temp", "models, on both", NF_OPT_TEXT, AT(model), 0, 0, NULL},
    {"rtt", "TIME,…", "0,20,50,100,200", "round trips", NF_OPT_TEXT, AT(rtt), 0, 0, NULL},
    {"up", "RATE,…", "0.4,1,5,20", "uplinks; 0: unlimited", NF_OPT_TEXT, AT(up), 0, 0, NULL},
    {"down", "RATE", NULL, "downlink; absent: unlimited", NF_OPT_RATE, AT(down_bps), 8000,
     100000000000, NULL},
    {"payload", "BYTES,…", "0", "requests lengthened to this; 0: as they are", NF_OPT_TEXT,
     AT(payload), 0, 0, NULL},
    {"n", "N", "12", "measured pairs in each cell", NF_OPT_NUM, AT(pairs), CL_PAIRS_LEAST, 100000,
     NULL},
    {"warmup", "N", "2", "pairs before them, not recorded", NF_OPT_NUM, AT(warmup), 0, 1000, NULL},
    {"input", "JSON|FILE", "", "an instance; a file with one a line is sent in turn", NF_OPT_TEXT,
     AT(input), 0, 0, NULL},
    {"min-effect", "PERCENT", "5", "least difference that counts, of the slower median",
     NF_OPT_REAL, AT(min_effect), 0, 1000, NULL},
    {"seed", "N", "1", "of the inputs, the order and the bootstrap", NF_OPT_NUM, AT(seed), 0,
     INT64_MAX, NULL},
    {"o", "FILE", "", "also write the run, for report", NF_OPT_TEXT, AT(out), 0, 0, NULL},
    {"congestion", "NAME", "", "TCP algorithm of this side, e.g. cubic; absent: the host's own",
     NF_OPT_TEXT, AT(congestion), 0, 0, NULL},
    CL_ROW_TIMEOUT(sweep_opts),
    CL_ROW_CONNECT(sweep_opts),
    CL_ROW_JSON(sweep_opts),
    CL_ROW_QUIET(sweep_opts),
};

static const cl_usage usage = {
    "sweep",
    "--edge URL --cloud URL [options]",
    "Measures edge against cloud over a grid of emulated round trips and uplinks, with what the\n"
    "analytic model says beside each cell, and tells from where on the cloud wins.",
    "nearfar-client sweep --edge http://127.0.0.1:8080 --cloud http://127.0.0.1:8081 "
    "--model temp,digits --rtt 0,20,50,100 --up 1,5,20 -o sweep.json",
    {rows, NF_COUNT(rows)}};

static const nf_opt axis_kinds[] = {
    {"rtt", NULL, NULL, NULL, NF_OPT_TIME, 0, 0, 60000000, NULL},
    {"up", NULL, NULL, NULL, NF_OPT_RATE, 0, 8000, 100000000000, NULL},
    {"payload", NULL, NULL, NULL, NF_OPT_BYTES, 0, 0, 64 << 20, NULL},
};

/* The next word of a list into `to`; false at its end. */
static bool next_word(const char **list, char *to, size_t room)
{
    const size_t len = strcspn(*list, ",");
    if (**list == '\0') return false;
    snprintf(to, room, "%.*s", (int)(len < room ? len : room - 1), *list);
    *list += len + ((*list)[len] == ',');
    return true;
}

static nf_status read_axis(cl_axis *to, const nf_opt *kind, const char *list, nf_error *err)
{
    char word[64];
    nf_status st;
    *to = (cl_axis){.n = 0};
    while (next_word(&list, word, sizeof(word))) {
        if (to->n == CL_AXIS_MOST)
            return nf_fail(err, NF_EINVAL, kind->name, "over %d values", CL_AXIS_MOST);
        int64_t *v = &to->v[to->n++];
        if (strcmp(word, "0") == 0) continue; /* none of it, whatever the unit */
        if ((st = nf_opts_value(v, kind, word, err))) return st;
    }
    return to->n ? NF_OK : nf_fail(err, NF_EINVAL, kind->name, "expected a list of values");
}

static nf_status read_models(cl_sweep_spec *to, const char *list, nf_error *err)
{
    char word[64];
    while (next_word(&list, word, sizeof(word))) {
        if (to->n_models == CL_AXIS_MOST)
            return nf_fail(err, NF_EINVAL, "model", "over %d names", CL_AXIS_MOST);
        memcpy(to->model[to->n_models++], word, sizeof(word));
    }
    return to->n_models ? NF_OK : nf_fail(err, NF_EINVAL, "model", "a name is needed");
}

static nf_status read_spec(cl_sweep_spec *to, const sweep_opts *o, nf_error *err)
{
    nf_status st;
    *to = (cl_sweep_spec){.edge = o->edge,
                          .cloud = o->cloud,
                          .down_bps = o->down_bps,
                          .input = o->input,
                          .pairs = (size_t)o->pairs,
                          .warmup = (size_t)o->warmup,
                          .seed = (uint64_t)o->seed,
                          .min_effect = o->min_effect / 100,
                          .limits = {.connect_us = (uint64_t)o->connect_us,
                                     .response_us = (uint64_t)o->timeout_us,
                                     .body_most = 256u << 20,
                                     .congestion = o->congestion}};
    if (!o->edge || !o->cloud)
        return nf_fail(err, NF_EINVAL, o->edge ? "--cloud" : "--edge", "a URL is needed");
    if ((st = read_models(to, o->model, err))) return st;
    if ((st = read_axis(&to->rtt_us, &axis_kinds[0], o->rtt, err))) return st;
    if ((st = read_axis(&to->up_bps, &axis_kinds[1], o->up, err))) return st;
    return read_axis(&to->payload, &axis_kinds[2], o->payload, err);
}

static nf_status publish(const cl_sweep *s, const cl_sweep_spec *spec, const sweep_opts *o,
                         cl_env *env, nf_error *err)
{
    nf_status st = NF_OK;
    snprintf(env->congestion, sizeof(env->congestion), "%s", s->congestion);
    json_t *run = cl_json_sweep(s, spec, env);
    if (o->out[0]) st = cl_run_write(run, o->out, err);
    if (!st && o->json) return cl_json_print(run, stdout, err);
    json_decref(run);
    if (!st) cl_text_sweep(s, spec, stdout);
    return st;
}

static nf_status run(const sweep_opts *o, cl_client *client, cl_env *env, int *code, nf_error *err)
{
    cl_sweep s = {0};
    cl_sweep_spec spec;
    cl_progress progress;
    nf_status st;

    if ((st = read_spec(&spec, o, err))) return st;
    cl_progress_init(&progress, o->quiet);
    spec.progress = &progress;
    if ((st = cl_sweep_run(&s, &spec, client, err))) goto done;
    st = publish(&s, &spec, o, env, err);
    *code = s.interrupted ? CL_EXIT_INTERRUPTED : CL_EXIT_OK;
done:
    cl_sweep_fini(&s);
    return st;
}

int cl_cmd_sweep(int argc, char **argv)
{
    sweep_opts o = {0};
    nf_error err = {0};
    cl_client client;
    cl_env env;
    int code;

    cl_env_get(&env, argc, argv);
    if (!cl_cmd_parse(&o, &usage, 0, argc, argv, &code)) return code;
    nf_status st = cl_client_init(&client, &err);
    if (st) return cl_cmd_fail(usage.name, st, &err);
    st = run(&o, &client, &env, &code, &err);
    if (st) code = cl_cmd_fail(usage.name, st, &err);
    cl_client_fini(&client);
    return code;
}
