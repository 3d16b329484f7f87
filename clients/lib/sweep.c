/* sweep.c - runs the grid. Layer: clients. Thread rule: one thread. */
#include "clients/lib/sweep.h"

#include "clients/lib/link_relay.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>

#define GIVE_UP     5 /* failures in a row end a cell */
#define QUEUE_BYTES (1 << 20)
#define MADE        16 /* different inputs */

typedef struct sweep_run {
    cl_sweep *s;
    const cl_sweep_spec *spec;
    cl_client *client;
    char cloud_address[280]; /* where links lead */
    cl_inputs inputs;        /* of the present base */
    uint64_t began_ns;
} sweep_run;

/* The link's address with the cloud URL's path. */
static nf_status point_at(char *to, size_t room, const cl_link *link, const cl_url *cloud,
                          nf_error *err)
{
    const int n = snprintf(to, room, "http://%s%s", cl_link_spec_of(link)->listen, cloud->path);
    return n > 0 && (size_t)n < room ? NF_OK : nf_fail(err, NF_EINVAL, "--cloud", "URL too long");
}

static nf_status knock_both(sweep_run *r, cl_pairs *p, nf_error *err)
{
    nf_status st = NF_OK;
    for (int i = 0; i < 2 && !st; i++) {
        st = cl_pairs_knock(&p->side[i], r->client, err);
        if (st || p->side[i].reachable) continue;
        r->s->unreachable = true;
        st = nf_fail(err, NF_ELOADING, p->side[i].target->url.authority, "%s", p->side[i].why);
    }
    return st;
}

typedef struct setting { /* what one measurement needs to know */
    const char *model;
    int64_t rtt_us, up_bps, down_bps;
    size_t pairs;
} setting;

typedef struct outcome {
    cl_comparison c;
    cl_pairs p;
    double up_bytes, down_bytes;
} outcome;

static nf_status measure_over(sweep_run *r, const setting *at, cl_link *link, outcome *out,
                              nf_error *err)
{
    char url[1400];
    cl_url cloud;
    cl_target t[2] = {{0}, {0}};
    nf_status st;
    const cl_pairs_spec spec = {.pairs = at->pairs,
                                .warmup = r->spec->warmup,
                                .seed = r->spec->seed,
                                .give_up = GIVE_UP,
                                .progress = &(cl_progress){0}};
    if ((st = cl_url_parse(&cloud, r->spec->cloud, err))) return st;
    if ((st = point_at(url, sizeof(url), link, &cloud, err))) return st;
    st = cl_target_init(&t[0], r->client, "edge", r->spec->edge, &r->spec->limits, err);
    if (!st) st = cl_target_init(&t[1], r->client, "cloud", url, &r->spec->limits, err);
    for (int i = 0; i < 2 && !st; i++)
        st = cl_target_prepare(&t[i], at->model, &r->inputs, err);
    if (!st) st = cl_pairs_init(&out->p, &t[0], &t[1], at->pairs, err);
    if (!st) st = knock_both(r, &out->p, err);
    if (!st) st = cl_pairs_run(&out->p, r->client, &spec, err);
    if (!st) st = cl_comparison_make(&out->c, err);
    const cl_recorder *rec = &out->p.side[1].rec;
    out->up_bytes = cl_recorder_each(rec, rec->up_total);
    out->down_bytes = cl_recorder_each(rec, rec->down_total);
    if (out->p.side[1].facts.known)
        snprintf(r->s->congestion, sizeof(r->s->congestion), "%s", out->p.side[1].facts.congestion);
    cl_target_fini(&t[0]);
    cl_target_fini(&t[1]);
    return st;
}

/* One measurement over a link of its own. The outcome must be ended in every case. */
static nf_status measure(sweep_run *r, const setting *at, outcome *out, nf_error *err)
{
    cl_link *link = NULL;
    cl_link_spec spec = {
        .listen = "127.0.0.1:0", .to = r->cloud_address, .shape = cl_settings_default()};
    spec.shape.rtt_us = at->rtt_us;
    spec.shape.up_bps = at->up_bps;
    spec.shape.down_bps = at->down_bps;
    spec.shape.queue_bytes = QUEUE_BYTES;
    *out = (outcome){
        .c = {.model = at->model, .seed = r->spec->seed, .min_effect = r->spec->min_effect}};
    out->c.pairs = &out->p;
    nf_status st = cl_link_create(&link, &r->client->loop, &spec, err);
    if (!st) st = measure_over(r, at, link, out, err);
    cl_link_destroy(&link);
    return st;
}

static void outcome_fini(outcome *o)
{
    cl_comparison_fini(&o->c);
    cl_pairs_fini(&o->p);
}

static nf_status get_inputs(sweep_run *r, const cl_base *b, nf_error *err)
{
    cl_target edge = {0};
    nf_status st;
    const cl_input_spec spec = {
        .input = r->spec->input, .model = b->model, .made = MADE, .seed = r->spec->seed};
    cl_inputs_fini(&r->inputs);
    st = cl_target_init(&edge, r->client, "edge", r->spec->edge, &r->spec->limits, err);
    if (!st) st = cl_inputs_get(&r->inputs, &spec, &edge, r->client, err);
    if (!st) st = cl_inputs_pad(&r->inputs, (size_t)b->payload, err);
    cl_target_fini(&edge);
    return st;
}

static nf_status measure_base(sweep_run *r, cl_base *b, nf_error *err)
{
    outcome o;
    const setting at = {.model = b->model, .pairs = 2 * r->spec->pairs};
    nf_status st = get_inputs(r, b, err);
    if (st) return st;
    st = measure(r, &at, &o, err);
    if (!st && !r->client->stopped && o.c.both < CL_PAIRS_LEAST)
        st = nf_fail(err, NF_EDENIED, b->model, "no answers without a network: %s",
                     o.p.side[o.p.side[0].why[0] ? 0 : 1].why);
    b->edge_ns = o.c.side[0].median_ns;
    b->cloud_ns = o.c.side[1].median_ns;
    b->up_bytes = o.up_bytes;
    b->down_bytes = o.down_bytes;
    outcome_fini(&o);
    return st;
}

static void compute_model(const cl_sweep_spec *spec, const cl_base *b, cl_cell *c)
{
    const cl_way way = {.edge_us = b->edge_ns / 1e3,
                        .cloud_us = b->cloud_ns / 1e3,
                        .rtt_us = (double)c->rtt_us,
                        .up_bps = (double)c->up_bps,
                        .down_bps = (double)spec->down_bps,
                        .payload = b->up_bytes,
                        .reply = b->down_bytes,
                        .trips = 1};
    c->model = cl_forecast_of(&way);
    c->error = c->cloud_ns > 0 ? fabs(c->model.cloud_us * 1e3 - c->cloud_ns) / c->cloud_ns : NAN;
}

static nf_status measure_cell(sweep_run *r, cl_cell *c, nf_error *err)
{
    outcome o;
    const cl_base *b = &r->s->base[c->base];
    const setting at = {b->model, c->rtt_us, c->up_bps, r->spec->down_bps, r->spec->pairs};
    const nf_status st = measure(r, &at, &o, err);
    c->pairs = o.c.both;
    c->edge_ns = o.c.side[0].median_ns;
    c->cloud_ns = o.c.side[1].median_ns;
    c->diff_ns = o.c.diff_ns;
    c->ci = o.c.ci;
    c->verdict = o.c.verdict;
    compute_model(r->spec, b, c);
    outcome_fini(&o);
    return st;
}

static void show(sweep_run *r, const cl_cell *c)
{
    const double seconds = (double)(nf_now_ns() - r->began_ns) / 1e9;
    const double left =
        r->s->n_cells ? seconds / (double)r->s->n_cells * (double)(r->s->asked - r->s->n_cells) : 0;
    cl_progress_show(r->spec->progress,
                     "cell %zu of %zu: %s, rtt %g ms, up %g Mbit/s; about %.0f s left",
                     r->s->n_cells + 1, r->s->asked, r->s->base[c->base].model,
                     (double)c->rtt_us / 1e3, (double)c->up_bps / 1e6, left);
}

static nf_status sweep_base(sweep_run *r, size_t base, nf_error *err)
{
    const cl_sweep_spec *spec = r->spec;
    nf_status st = measure_base(r, &r->s->base[base], err);
    if (st || r->client->stopped) return st;
    r->s->n_bases = base + 1;
    for (size_t u = 0; u < spec->up_bps.n && !st; u++)
        for (size_t t = 0; t < spec->rtt_us.n && !st; t++) {
            cl_cell *c = &r->s->cell[r->s->n_cells];
            *c = (cl_cell){.base = base, .rtt_us = spec->rtt_us.v[t], .up_bps = spec->up_bps.v[u]};
            show(r, c);
            st = measure_cell(r, c, err);
            if (r->client->stopped) return NF_OK; /* half a cell is no cell */
            r->s->n_cells += !st;
        }
    return st;
}

static nf_status make_room(cl_sweep *out, const cl_sweep_spec *spec, nf_error *err)
{
    const size_t bases = spec->n_models * spec->payload.n;
    const size_t crossings = bases * (spec->rtt_us.n + spec->up_bps.n);
    out->asked = bases * spec->rtt_us.n * spec->up_bps.n;
    out->base = nf_alloc_array(bases, sizeof(*out->base), NF_MEM_CLIENT);
    out->cell = nf_alloc_array(out->asked, sizeof(*out->cell), NF_MEM_CLIENT);
    out->crossing = nf_alloc_array(crossings, sizeof(*out->crossing), NF_MEM_CLIENT);
    if (!out->base || !out->cell || !out->crossing)
        return nf_fail(err, NF_ENOMEM, "sweep", "no memory for %zu cells", out->asked);
    for (size_t i = 0; i < bases; i++)
        out->base[i] = (cl_base){.model = spec->model[i / spec->payload.n],
                                 .payload = spec->payload.v[i % spec->payload.n]};
    return NF_OK;
}

nf_status cl_sweep_run(cl_sweep *out, const cl_sweep_spec *spec, cl_client *client, nf_error *err)
{
    sweep_run r = {.s = out, .spec = spec, .client = client, .began_ns = nf_now_ns()};
    cl_url cloud;
    nf_status st;
    *out = (cl_sweep){.median_error = NAN};
    if ((st = cl_url_parse(&cloud, spec->cloud, err))) return st;
    if (cloud.tls)
        return nf_fail(err, NF_EUNSUPPORTED, "--cloud", "the sweep's link carries http alone");
    snprintf(r.cloud_address, sizeof(r.cloud_address),
             cloud.host[strcspn(cloud.host, ":")] ? "[%s]:%s" : "%s:%s", cloud.host, cloud.port);
    st = make_room(out, spec, err);
    for (size_t b = 0; b < spec->n_models * spec->payload.n && !st && !client->stopped; b++)
        st = sweep_base(&r, b, err);
    cl_progress_end(spec->progress);
    cl_inputs_fini(&r.inputs);
    out->interrupted = client->stopped;
    if (client->stopped && st == NF_ETIMEOUT) st = NF_OK;
    return st ? st : cl_sweep_conclude(out, spec, err);
}

void cl_sweep_fini(cl_sweep *s)
{
    nf_free(s->base);
    nf_free(s->cell);
    nf_free(s->crossing);
    s->base = NULL;
    s->cell = NULL;
    s->crossing = NULL;
    s->n_bases = s->n_cells = s->n_crossings = 0;
}
