/* client_ping.c - nearfar-client ping: the way to a server, step by step. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/recorder.h"
#include "clients/lib/report_json.h"
#include "clients/lib/target.h"
#include "clients/lib/text_out.h"
#include "clients/net/tls.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <jansson.h>
#include <stdio.h>

typedef struct ping_opts {
    int64_t rounds, timeout_us, connect_us;
    const char *congestion, *ca;
    bool insecure, verbose, json;
} ping_opts;

#define AT(field) offsetof(ping_opts, field)
static const nf_opt rows[] = {
    {"n", "N", "5", "rounds, each on a new connection", NF_OPT_NUM, AT(rounds), 1, 10000, NULL},
    {"v", NULL, NULL, "the last request step by step, and what the kernel knows of its connection",
     NF_OPT_FLAG, AT(verbose), 0, 0, NULL},
    {"congestion", "NAME", "", "TCP algorithm: cubic, bbr, reno; else the host's own", NF_OPT_TEXT,
     AT(congestion), 0, 0, NULL},
    {"ca", "FILE", "", "https: certificates to trust, PEM; else the system's", NF_OPT_TEXT, AT(ca),
     0, 0, NULL},
    {"insecure", NULL, NULL, "https: trust anyone", NF_OPT_FLAG, AT(insecure), 0, 0, NULL},
    CL_ROW_TIMEOUT(ping_opts),
    CL_ROW_CONNECT(ping_opts),
    CL_ROW_JSON(ping_opts),
};

static const cl_usage usage = {
    "ping",
    "URL… [-n N]",
    "For each URL: time to look the name up, to connect, for TLS, to the first byte of an answer,\n"
    "all of it, "
    "and the kernel's own round trip. Medians; a step that did not happen is \"-\".",
    "nearfar-client ping http://127.0.0.1:8080 http://127.0.0.1:8081",
    {rows, NF_COUNT(rows)}};

enum { DNS, CONNECT, SECURE, FIRST_BYTE, TOTAL, KERNEL_RTT, STEPS };
static const char *const step_names[STEPS] = {"dns",        "connect", "tls",
                                              "first byte", "total",   "kernel rtt"};
static const char *const step_keys[STEPS] = {"dns",        "connect", "tls",
                                             "first_byte", "total",   "kernel_rtt"};

typedef struct ping_target {
    const char *url;
    int64_t *ns[STEPS]; /* per round; ascending once the rounds are done */
    size_t n[STEPS];
    uint64_t failed;
    char why[400];
    cl_times last; /* of the last round that was answered */
    cl_tcp_facts facts;
} ping_target;

static void note(ping_target *p, int step, uint64_t from, uint64_t to)
{
    if (from && to >= from) p->ns[step][p->n[step]++] = (int64_t)(to - from);
}

static void take_round(ping_target *p, const cl_exchange *x, const cl_tcp_facts *facts)
{
    const uint64_t dialled = x->t.resolved ? x->t.resolved : x->t.start;
    if (!x->status) {
        p->failed++;
        cl_why(p->why, sizeof(p->why), x);
        return;
    }
    if (x->t.resolved) note(p, DNS, x->t.start, x->t.resolved);
    note(p, CONNECT, dialled, x->t.connected);
    note(p, SECURE, x->t.secured ? x->t.connected : 0, x->t.secured);
    note(p, FIRST_BYTE, x->t.sent, x->t.first);
    note(p, TOTAL, x->t.start, x->t.end);
    p->last = x->t;
    p->facts = *facts;
    if (facts->known) note(p, KERNEL_RTT, 1, 1 + (uint64_t)facts->rtt_us * 1000);
}

static nf_status ping_rounds(ping_target *p, const ping_opts *o, const cl_trust *trust,
                             cl_client *client, nf_error *err)
{
    const cl_limits limits = {.connect_us = (uint64_t)o->connect_us,
                              .response_us = (uint64_t)o->timeout_us,
                              .body_most = 1u << 20,
                              .congestion = o->congestion,
                              .trust = trust};
    cl_target t = {0};
    cl_exchange x;
    cl_tcp_facts facts;
    nf_status st = cl_target_init(&t, client, "target", p->url, &limits, err);
    const char *path = t.url.path[0] ? "" : WIRE_V2_LIVE;
    for (int64_t i = 0; i < o->rounds && !st && !client->stopped; i++) {
        st = cl_target_get(&t, client, path, &x, err);
        if (st) break;
        cl_conn_facts(t.conn, &facts);
        take_round(p, &x, &facts);
        cl_conn_cancel(t.conn); /* the next round connects again */
    }
    for (int s = 0; s < STEPS; s++)
        cl_sort(p->ns[s], p->n[s]);
    cl_target_fini(&t);
    return st == NF_ETIMEOUT ? NF_OK : st;
}

static void print_table(const ping_target *p, size_t n)
{
    char text[32];
    fprintf(stdout, "%-40s", "");
    for (int s = 0; s < STEPS; s++)
        fprintf(stdout, " %10s", step_names[s]);
    fputc('\n', stdout);
    for (size_t i = 0; i < n; i++) {
        fprintf(stdout, "%-40s", p[i].url);
        for (int s = 0; s < STEPS; s++)
            fprintf(stdout, " %10s",
                    p[i].n[s] ? cl_time_text(text, sizeof(text), cl_median(p[i].ns[s], p[i].n[s]))
                              : "-");
        fputc('\n', stdout);
        if (p[i].failed)
            fprintf(stdout, "  %llu failed: %s\n", (unsigned long long)p[i].failed, p[i].why);
    }
}

#define BAR 48 /* columns of a waterfall */

/* One line a step: where it lies in the whole, and how long it took. */
static void print_waterfall(const ping_target *p)
{
    char text[32], bar[BAR + 1];
    const cl_times *t = &p->last;
    const double scale = t->end > t->start ? BAR / (double)(t->end - t->start) : 0;
    uint64_t at = 0;
    for (int k = 0; k < CL_PHASES; k++) {
        uint64_t ns;
        if (!cl_phase_ns(&ns, t, (cl_phase)k)) {
            fprintf(stdout, "  %-8s %10s\n", cl_phase_name((cl_phase)k), "-");
            continue;
        }
        const size_t from = (size_t)((double)at * scale);
        const size_t to = (size_t)((double)(at + ns) * scale);
        at += ns;
        for (size_t c = 0; c < BAR; c++)
            bar[c] = c == from || (c > from && c < to) ? '#' : '.';
        bar[BAR] = '\0';
        fprintf(stdout, "  %-8s %10s  %s\n", cl_phase_name((cl_phase)k),
                cl_time_text(text, sizeof(text), (double)ns), bar);
    }
}

static void print_facts(const cl_tcp_facts *f)
{
    char rtt[32], least[32];
    if (!f->known) return;
    fprintf(
        stdout,
        "  kernel   rtt %s, least %s; %s; up %llu B in %u segments (%llu B again), down %llu B\n",
        cl_time_text(rtt, sizeof(rtt), f->rtt_us * 1e3),
        cl_time_text(least, sizeof(least), f->rtt_min_us * 1e3), f->congestion,
        (unsigned long long)f->bytes_up, f->segments_up, (unsigned long long)f->bytes_again,
        (unsigned long long)f->bytes_down);
}

static void print_last(const ping_target *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!p[i].last.end) continue;
        fprintf(stdout, "%s, last request\n", p[i].url);
        print_waterfall(&p[i]);
        print_facts(&p[i].facts);
    }
}

static json_t *step_json(const int64_t *sorted, size_t n)
{
    if (!n) return json_null();
    json_t *j = json_object();
    json_object_set_new(j, "min", cl_json_us(true, (double)sorted[0]));
    json_object_set_new(j, "p50", cl_json_us(true, cl_median(sorted, n)));
    json_object_set_new(j, "max", cl_json_us(true, (double)sorted[n - 1]));
    return j;
}

static nf_status print_json(const cl_env *env, const ping_target *p, size_t n, nf_error *err)
{
    json_t *root = cl_json_root(env, 0), *targets = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *t = json_object(), *phases = json_object();
        json_object_set_new(t, "url", json_string(p[i].url));
        for (int s = 0; s < STEPS; s++)
            json_object_set_new(phases, step_keys[s], step_json(p[i].ns[s], p[i].n[s]));
        json_object_set_new(t, "rounds", json_integer((json_int_t)p[i].n[TOTAL]));
        json_object_set_new(t, "failed", json_integer((json_int_t)p[i].failed));
        json_object_set_new(t, "first_error", p[i].failed ? json_string(p[i].why) : json_null());
        json_object_set_new(t, "phases", phases);
        json_object_set_new(t, "tcp", cl_json_tcp(&p[i].facts));
        json_array_append_new(targets, t);
    }
    json_object_set_new(root, "targets", targets);
    return cl_json_print(root, stdout, err);
}

/* One block for all series of all targets. */
static nf_status make_room(int64_t **room, ping_target **p, size_t n, size_t rounds, nf_error *err)
{
    *p = nf_alloc_array(n, sizeof(**p), NF_MEM_CLIENT);
    *room = nf_alloc_array(n * STEPS, rounds * sizeof(**room), NF_MEM_CLIENT);
    if (!*p || !*room) return nf_fail(err, NF_ENOMEM, "ping", "no memory for %zu targets", n);
    for (size_t i = 0; i < n; i++)
        for (size_t s = 0; s < STEPS; s++)
            (*p)[i].ns[s] = *room + (i * STEPS + s) * rounds;
    return NF_OK;
}

static nf_status read_options(cl_trust **trust, const ping_opts *o, nf_error *err)
{
    nf_status st = o->congestion[0] ? cl_congestion_check(o->congestion, err) : NF_OK;
    if (!st && (o->ca[0] || o->insecure)) st = cl_trust_create(trust, o->ca, o->insecure, err);
    return st;
}

static nf_status run(const ping_opts *o, char **urls, size_t n, const cl_env *env, int *code)
{
    cl_trust *trust = NULL;
    nf_error err = {0};
    cl_client client;
    ping_target *p = NULL;
    int64_t *room = NULL;
    nf_status st = cl_client_init(&client, &err);

    if (st) return *code = cl_cmd_fail(usage.name, st, &err), st;
    st = read_options(&trust, o, &err);
    if (!st) st = make_room(&room, &p, n, (size_t)o->rounds, &err);
    *code = CL_EXIT_OK;
    for (size_t i = 0; i < n && !st; i++) {
        p[i].url = urls[i];
        st = ping_rounds(&p[i], o, trust, &client, &err);
        if (!st && p[i].failed && !p[i].n[TOTAL]) *code = CL_EXIT_UNREACHABLE;
    }
    if (!st && o->json) st = print_json(env, p, n, &err);
    if (!st && !o->json) print_table(p, n);
    if (!st && !o->json && o->verbose) print_last(p, n);
    if (client.stopped) *code = CL_EXIT_INTERRUPTED;
    if (st) *code = cl_cmd_fail(usage.name, st, &err);
    nf_free(p);
    nf_free(room);
    cl_client_fini(&client);
    cl_trust_destroy(&trust);
    return st;
}

int cl_cmd_ping(int argc, char **argv)
{
    ping_opts o = {0};
    nf_error err = {0};
    cl_env env;
    int n;

    cl_env_get(&env, argc, argv);
    if (!cl_cmd_parse(&o, &usage, argc, argc, argv, &n)) return n;
    if (n == 0)
        return cl_cmd_fail(usage.name, nf_fail(&err, NF_EINVAL, "URL", "expected a URL"), &err);
    run(&o, argv + 1, (size_t)n, &env, &n);
    return n;
}
