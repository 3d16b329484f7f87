/* client_compare.c - nearfar-client compare: edge against cloud. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/json_run.h"
#include "clients/lib/pairs.h"
#include "clients/lib/report_html.h"
#include "clients/lib/report_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define GIVE_UP 10 /* failures in a row */

typedef struct compare_opts {
    const char *edge, *cloud, *model, *input, *labelled, *min_effect, *html, *out, *congestion;
    double kbps, memory_gb, egress;
    int radio;
    int64_t pairs, warmup, seed, timeout_us, connect_us;
    bool json, quiet;
} compare_opts;

#define AT(field) offsetof(compare_opts, field)
static const nf_opt rows[] = {
    {"edge", "URL", NULL, "the server near the data", NF_OPT_TEXT, AT(edge), 0, 0, NULL},
    {"cloud", "URL", NULL, "the server far from it", NF_OPT_TEXT, AT(cloud), 0, 0, NULL},
    {"model", "NAME", "temp", "the model, on both", NF_OPT_TEXT, AT(model), 0, 0, NULL},
    {"n", "N", "200", "measured pairs", NF_OPT_NUM, AT(pairs), 1, 1000000, NULL},
    {"warmup", "N", "10", "pairs before them, not recorded", NF_OPT_NUM, AT(warmup), 0, 1000000,
     NULL},
    {"input", "JSON|FILE", "", "an instance; a file with one a line is sent in turn", NF_OPT_TEXT,
     AT(input), 0, 0, NULL},
    {"labelled", "FILE.csv", "", "rows of numbers and a label, in turn: accuracy of both",
     NF_OPT_TEXT, AT(labelled), 0, 0, NULL},
    {"min-effect", "PERCENT", "5%", "least difference that counts, of the slower median",
     NF_OPT_TEXT, AT(min_effect), 0, 0, NULL},
    {"seed", "N", "1", "of the inputs, the order and the bootstrap", NF_OPT_NUM, AT(seed), 0,
     INT64_MAX, NULL},
    {"html", "FILE", "", "also write a report for a browser", NF_OPT_TEXT, AT(html), 0, 0, NULL},
    {"o", "FILE", "", "also write the run, for report and diff", NF_OPT_TEXT, AT(out), 0, 0, NULL},
    {"radio", NULL, "wifi", "what the device sends with, for the modelled energy", NF_OPT_PICK,
     AT(radio), 0, 0, "wifi|hsdpa|gprs"},
    {"radio-kbps", "N", "0", "at this rate; 0: the fastest that was measured", NF_OPT_REAL,
     AT(kbps), 0, 100000000, NULL},
    {"memory-gb", "N", "0.5", "of the cloud function, for the modelled price", NF_OPT_REAL,
     AT(memory_gb), 0, 10000, NULL},
    {"egress", "USD", "0", "price of a gigabyte out of the cloud", NF_OPT_REAL, AT(egress), 0, 1000,
     NULL},
    {"congestion", "NAME", "", "TCP algorithm of this side, e.g. cubic; absent: the host's own",
     NF_OPT_TEXT, AT(congestion), 0, 0, NULL},
    CL_ROW_TIMEOUT(compare_opts),
    CL_ROW_CONNECT(compare_opts),
    CL_ROW_JSON(compare_opts),
    CL_ROW_QUIET(compare_opts),
};

static const cl_usage usage = {
    "compare",
    "--edge URL --cloud URL [options]",
    "Asks both the same questions in pairs, in the order edge, cloud, cloud, edge, and says which\n"
    "one is faster, by how much, and whether they answer alike.",
    "nearfar-client compare --edge http://127.0.0.1:8080 --cloud http://127.0.0.1:8081 "
    "--model temp --html report.html",
    {rows, NF_COUNT(rows)}};

static nf_status read_effect(double *out, const char *text, nf_error *err)
{
    char *end;
    const double v = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "%") != 0) || !(v >= 0 && v <= 1000))
        return nf_fail(err, NF_EINVAL, "min-effect", "expected a percentage, got '%s'", text);
    *out = v / 100;
    return NF_OK;
}

/* Inputs from the option, or from the metadata of whichever target answers first. */
static nf_status get_inputs(cl_inputs *in, const compare_opts *o, cl_target *t, cl_client *client,
                            nf_error *err)
{
    const cl_input_spec spec = {
        .input = o->input, .model = o->model, .made = 64, .seed = (uint64_t)o->seed};
    nf_error first = {0};
    if (o->labelled[0] && o->input[0])
        return nf_fail(err, NF_EINVAL, "--labelled", "not together with --input");
    if (o->labelled[0]) return cl_inputs_labelled(in, o->labelled, err);
    const nf_status st = cl_inputs_get(in, &spec, &t[0], client, &first);
    if (st != NF_ELOADING) {
        *err = first;
        return st;
    }
    fprintf(stderr, "nearfar-client compare: edge: %s\n", first.text);
    return cl_inputs_get(in, &spec, &t[1], client, err);
}

static nf_status open_targets(cl_target *t, const compare_opts *o, cl_client *client, cl_inputs *in,
                              nf_error *err)
{
    const cl_limits limits = {.connect_us = (uint64_t)o->connect_us,
                              .response_us = (uint64_t)o->timeout_us,
                              .body_most = 256u << 20,
                              .congestion = o->congestion};
    nf_status st;
    if (!o->edge || !o->cloud)
        return nf_fail(err, NF_EINVAL, o->edge ? "--cloud" : "--edge", "a URL is needed");
    if ((st = cl_target_init(&t[0], client, "edge", o->edge, &limits, err))) return st;
    if ((st = cl_target_init(&t[1], client, "cloud", o->cloud, &limits, err))) return st;
    if ((st = get_inputs(in, o, t, client, err))) return st;
    for (int s = 0; s < 2; s++)
        if ((st = cl_target_prepare(&t[s], o->model, in, err))) return st;
    return NF_OK;
}

static nf_status measure(cl_pairs *p, const compare_opts *o, const cl_inputs *in, cl_client *client,
                         nf_error *err)
{
    nf_status st = NF_OK;
    cl_progress progress;
    const cl_pairs_spec spec = {.pairs = (size_t)o->pairs,
                                .warmup = (size_t)o->warmup,
                                .seed = (uint64_t)o->seed,
                                .give_up = GIVE_UP,
                                .inputs = in,
                                .progress = &progress};
    cl_progress_init(&progress, o->quiet);
    for (int s = 0; s < 2 && !st; s++)
        st = cl_pairs_knock(&p->side[s], client, err);
    for (int s = 0; s < 2 && !st; s++)
        if (p->side[s].reachable)
            st = cl_facts_get(&p->side[s].model, o->model, p->side[s].target, client, err);
    return st ? st : cl_pairs_run(p, client, &spec, err);
}

static nf_status publish(const cl_comparison *c, const compare_opts *o, nf_error *err)
{
    nf_status st = NF_OK;
    json_t *run = cl_json_comparison(c);
    if (o->html[0]) st = cl_html_runs(&run, 1, o->html, err);
    if (!st && o->out[0]) st = cl_run_write(run, o->out, err);
    if (!st && o->json) return cl_json_print(run, stdout, err);
    json_decref(run);
    if (!st) cl_text_comparison(c, stdout);
    return st;
}

/* The exit status of a comparison that was carried out. */
static int outcome(const cl_pairs *p)
{
    if (p->interrupted) return CL_EXIT_INTERRUPTED;
    for (int s = 0; s < 2; s++)
        if (!p->side[s].reachable) return CL_EXIT_UNREACHABLE;
    for (int s = 0; s < 2; s++)
        if (p->side[s].rec.ok == 0) return CL_EXIT_ANSWERED_ERROR;
    return CL_EXIT_OK;
}

static nf_status run(const compare_opts *o, cl_client *client, cl_env *env, int *code,
                     nf_error *err)
{
    cl_target t[2] = {{0}, {0}};
    cl_inputs in = {0};
    cl_pairs p = {0};
    cl_comparison c = {.model = o->model, .seed = (uint64_t)o->seed, .pairs = &p, .env = env};
    static const char *const radios[] = {"wifi", "hsdpa", "gprs"};
    c.billing = (cl_billing){cl_radio_find(radios[o->radio]), o->kbps, {o->memory_gb, o->egress}};
    nf_status st;

    if ((st = read_effect(&c.min_effect, o->min_effect, err))) goto done;
    if ((st = open_targets(t, o, client, &in, err))) goto done;
    if ((st = cl_pairs_init(&p, &t[0], &t[1], (size_t)o->pairs, err))) goto done;
    if ((st = measure(&p, o, &in, client, err))) goto done;
    const cl_tcp_facts *facts = &p.side[p.side[0].facts.known ? 0 : 1].facts;
    snprintf(env->congestion, sizeof(env->congestion), "%s", facts->congestion);
    c.inputs = in.source;
    if ((st = cl_comparison_make(&c, err))) goto done;
    st = publish(&c, o, err);
    *code = outcome(&p);
done:
    cl_comparison_fini(&c);
    cl_pairs_fini(&p);
    cl_inputs_fini(&in);
    cl_target_fini(&t[0]);
    cl_target_fini(&t[1]);
    return st;
}

int cl_cmd_compare(int argc, char **argv)
{
    compare_opts o = {0};
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
