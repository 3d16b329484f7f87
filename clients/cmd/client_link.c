/* client_link.c - nearfar-client link: an emulated network. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/link_check.h"
#include "clients/lib/link_control.h"
#include "clients/lib/link_profiles.h"
#include "clients/lib/link_relay.h"
#include "clients/net/tcp_facts.h"

#include <signal.h>
#include <stdio.h>

typedef struct link_opts {
    const char *listen, *to, *control, *profile, *schedule, *congestion;
    const char *rtt, *up, *down, *jitter, *loss, *connect, *queue; /* over the profile's */
    int64_t seed;
    int backend, down_mode;
    bool profiles, check, require_check, quiet;
} link_opts;

#define AT(field) offsetof(link_opts, field)
static const nf_opt rows[] = {
    {"listen", "ADDR:PORT", NULL, "where clients connect to", NF_OPT_TEXT, AT(listen), 0, 0, NULL},
    {"to", "HOST:PORT", NULL, "where it leads", NF_OPT_TEXT, AT(to), 0, 0, NULL},
    {"profile", "NAME|FILE", NULL, "a named link, or a JSON file as in deploy/links", NF_OPT_TEXT,
     AT(profile), 0, 0, NULL},
    {"profiles", NULL, NULL, "list the named links with their sources, and end", NF_OPT_FLAG,
     AT(profiles), 0, 0, NULL},
    {"rtt", "TIME", NULL, "added round trip, half of it each way", NF_OPT_TEXT, AT(rtt), 0, 0,
     NULL},
    {"up", "RATE", NULL, "rate towards --to, shared by all connections; 0 = unlimited", NF_OPT_TEXT,
     AT(up), 0, 0, NULL},
    {"down", "RATE", NULL, "rate back, shared by all connections; 0 = unlimited", NF_OPT_TEXT,
     AT(down), 0, 0, NULL},
    {"jitter", "TIME", NULL, "the round trip varies by as much to either side", NF_OPT_TEXT,
     AT(jitter), 0, 0, NULL},
    {"loss", "SHARE", NULL, "segments lost each way, as 1% or 0.01; felt as stalls", NF_OPT_TEXT,
     AT(loss), 0, 0, NULL},
    {"connect-delay", "TIME", NULL, "delay of a new connection (default: one round trip)",
     NF_OPT_TEXT, AT(connect), 0, 0, NULL},
    {"queue", "BYTES|TIME", NULL, "what may wait in one direction (default: 256k)", NF_OPT_TEXT,
     AT(queue), 0, 0, NULL},
    {"schedule", "SPANS", NULL, "outages: '10s up,30s down,20s up'; then it stays", NF_OPT_TEXT,
     AT(schedule), 0, 0, NULL},
    {"backend", NULL, "proxy", "tun: packet-exact, over a network device; needs rights",
     NF_OPT_PICK, AT(backend), 0, 0, "proxy|tun"},
    {"down-mode", NULL, "stall", "what an outage does to connections", NF_OPT_PICK, AT(down_mode),
     0, 0, "stall|reset"},
    {"congestion", "NAME", "", "TCP algorithm of its sockets: cubic, reno, bbr", NF_OPT_TEXT,
     AT(congestion), 0, 0, NULL},
    {"seed", "N", "1", "of jitter and loss", NF_OPT_NUM, AT(seed), 0, INT64_MAX, NULL},
    {"check", NULL, NULL, "measure the link itself, now and at the end", NF_OPT_FLAG, AT(check), 0,
     0, NULL},
    {"require-check", NULL, NULL, "the same, and status 5 when it missed what was asked",
     NF_OPT_FLAG, AT(require_check), 0, 0, NULL},
    {"control", "ADDR:PORT", "", "HTTP: GET /v1/link, POST /v1/link {\"up\":false}", NF_OPT_TEXT,
     AT(control), 0, 0, NULL},
    CL_ROW_QUIET(link_opts),
};

static const cl_usage usage = {
    "link",
    "--listen ADDR:PORT --to HOST:PORT [options]",
    "Relays TCP connections as a slow, distant or absent network would. What is not given is not\n"
    "shaped; bare numbers are ms and Mbit/s. SIGUSR1 begins and ends an outage. With --backend "
    "tun\n"
    "clients on this host connect to the address that is printed.",
    "nearfar-client link --listen 127.0.0.1:9000 --to 127.0.0.1:8080 --rtt 60ms --up 12mbit "
    "--down 40mbit",
    {rows, NF_COUNT(rows)}};

typedef struct link_run {
    cl_client client;
    cl_link *link;
    cl_control *control;
    cl_check *check;
    cl_check_result before, after; /* use; the control port shows the newest */
    uv_signal_t toggle;
    bool quiet, require_check, checked;
} link_run;

static nf_status settle(cl_link_settings *s, bool *offline, const link_opts *o, nf_error *err)
{
    const struct {
        const char *name, *text;
    } given[] = {{"rtt", o->rtt},       {"up", o->up},     {"down", o->down},
                 {"jitter", o->jitter}, {"loss", o->loss}, {"connect-delay", o->connect},
                 {"queue", o->queue}};
    cl_profile p;
    nf_status st;
    *s = cl_settings_default();
    if (o->profile) {
        if ((st = cl_profile_get(&p, o->profile, err))) return st;
        cl_profile_apply(s, &p);
        *offline = p.loss >= 1;
    }
    for (size_t i = 0; i < NF_COUNT(given); i++)
        if (given[i].text && (st = cl_settings_option(s, given[i].name, given[i].text, err)))
            return st;
    return NF_OK;
}

static void list_profiles(void)
{
    size_t n;
    const cl_profile *p = cl_profiles(&n);
    fprintf(stdout, "%-10s %9s %12s %12s %7s  %s\n", "name", "rtt ms", "down kbit/s", "up kbit/s",
            "loss %", "source");
    for (size_t i = 0; i < n; i++)
        fprintf(stdout, "%-10s %9g %12lld %12lld %7g  %s\n", p[i].name, (double)p[i].rtt_us / 1000,
                (long long)p[i].down_bps / 1000, (long long)p[i].up_bps / 1000, p[i].loss * 100,
                p[i].source);
}

static void say_start(const link_run *r)
{
    const cl_link_spec *s = cl_link_spec_of(r->link);
    char settings[400];
    fprintf(stdout, "link %s -> %s, %s%s%s%s\n", s->listen, s->to,
            cl_settings_text(settings, sizeof(settings), &s->shape), s->tun ? ", packet-exact" : "",
            r->control ? ", control http://" : "",
            r->control ? cl_control_address(r->control) : "");
    fflush(stdout);
}

/* A look before the use that a client cut short says nothing; the one after it counts. */
static bool check_missed(const link_run *r)
{
    return !r->after.ok || (r->before.done && !r->before.ok);
}

static void say_end(const link_run *r)
{
    cl_link_state s;
    cl_link_state_get(r->link, &s);
    const cl_link_flow *up = &s.flow[CL_UP], *down = &s.flow[CL_DOWN];
    const uint64_t lost = up->lost + up->dropped + down->lost + down->dropped;
    const uint64_t stalls = up->stalls + down->stalls;
    fprintf(stdout,
            "link ended: %llu connections, %llu bytes up, %llu bytes down, %llu refused, "
            "%llu outages, %llu lost, %llu stalls%s%s\n",
            (unsigned long long)s.connections, (unsigned long long)up->bytes,
            (unsigned long long)down->bytes, (unsigned long long)s.refused,
            (unsigned long long)s.outages, (unsigned long long)lost, (unsigned long long)stalls,
            r->checked ? ", " : "",
            !r->checked       ? ""
            : check_missed(r) ? "check not ok"
                              : "check ok");
}

static void say_check(const link_run *r, const char *when, const cl_check_result *c)
{
    if (!r->quiet || !c->ok)
        fprintf(stderr, "link check %s use: %s: %s\n", when,
                c->ok     ? "ok"
                : c->done ? "not as asked"
                          : "incomplete",
                c->note);
}

static void on_before(void *user)
{
    link_run *r = user;
    r->before = *cl_check_get(r->check);
    say_check(r, "before", &r->before);
}

static void on_after(void *user)
{
    link_run *r = user;
    r->after = *cl_check_get(r->check);
    say_check(r, "after", &r->after);
    uv_stop(&r->client.loop);
}

/* The clients are gone; the line is measured once more. A second signal ends that as well. */
static void check_again(link_run *r)
{
    nf_error err = {0};
    cl_check_destroy(&r->check);
    cl_link_retire(r->link);
    cl_link_set_up(r->link, true);
    if (cl_check_start(&r->check, r->link, &r->client.loop, on_after, r, &err))
        fprintf(stderr, "link check after use: %s: %s\n", err.where, err.text);
    else
        uv_run(&r->client.loop, UV_RUN_DEFAULT);
}

static void on_toggle(uv_signal_t *s, int number)
{
    link_run *r = s->data;
    cl_link_state now;
    (void)number;
    cl_link_state_get(r->link, &now);
    cl_link_set_up(r->link, !now.up);
    if (!r->quiet) fprintf(stderr, "link is %s\n", now.up ? "down" : "up");
}

/* The look at itself comes after the listening: it holds nobody up. */
static nf_status start_check(link_run *r, bool offline, nf_error *err)
{
    snprintf(r->before.note, sizeof(r->before.note), "not measured: the link is down");
    snprintf(r->after.note, sizeof(r->after.note), "not measured yet");
    r->checked = true;
    r->before.rtt_us = r->before.first_us = -1;
    r->before.rate_bps[CL_UP] = r->before.rate_bps[CL_DOWN] = -1;
    if (r->control) cl_control_show_check(r->control, &r->before);
    if (offline) return NF_OK;
    snprintf(r->before.note, sizeof(r->before.note), "under way");
    return cl_check_start(&r->check, r->link, &r->client.loop, on_before, r, err);
}

static nf_status start_control(link_run *r, const char *where, nf_error *err)
{
    return where[0] ? cl_control_create(&r->control, r->link, &r->client.loop, where, err) : NF_OK;
}

static nf_status start(link_run *r, const link_opts *o, nf_error *err)
{
    nf_status st;
    cl_outages schedule = {0};
    bool offline = false;
    cl_link_spec spec = {.listen = o->listen,
                         .to = o->to,
                         .congestion = o->congestion,
                         .seed = (uint64_t)o->seed,
                         .tun = o->backend == 1,
                         .reset_when_down = o->down_mode == 1};
    if (!o->listen || !o->to)
        return nf_fail(err, NF_EINVAL, o->listen ? "--to" : "--listen", "an address is needed");
    if ((st = settle(&spec.shape, &offline, o, err))) return st;
    if (o->schedule && (st = cl_outages_parse(&schedule, o->schedule, err))) return st;
    if (o->congestion[0] && (st = cl_congestion_check(o->congestion, err))) return st;
    if ((st = cl_link_create(&r->link, &r->client.loop, &spec, err))) return st;
    if ((st = start_control(r, o->control, err))) return st;
    if (offline) cl_link_set_up(r->link, false);
    if ((st = cl_link_set_schedule(r->link, &schedule, err))) return st;
    if (o->check || o->require_check) st = start_check(r, offline, err);
    r->require_check = o->require_check;
    r->toggle.data = r;
    uv_signal_start(&r->toggle, on_toggle, SIGUSR1);
    return st;
}

static int serve(link_run *r)
{
    say_start(r);
    uv_run(&r->client.loop, UV_RUN_DEFAULT); /* until SIGTERM or Ctrl-C */
    if (r->checked) check_again(r);
    say_end(r);
    return r->require_check && check_missed(r) ? CL_EXIT_LINK_CHECK : CL_EXIT_OK;
}

int cl_cmd_link(int argc, char **argv)
{
    link_opts o = {0};
    nf_error err = {0};
    link_run r = {0};
    int code;

    if (!cl_cmd_parse(&o, &usage, 0, argc, argv, &code)) return code;
    if (o.profiles) {
        list_profiles();
        return CL_EXIT_OK;
    }
    nf_status st = cl_client_init(&r.client, &err);
    if (st) return cl_cmd_fail(usage.name, st, &err);
    r.quiet = o.quiet;
    uv_signal_init(&r.client.loop, &r.toggle);
    st = start(&r, &o, &err);
    code = st ? cl_cmd_fail(usage.name, st, &err) : serve(&r);
    uv_close((uv_handle_t *)&r.toggle, NULL);
    cl_check_destroy(&r.check);
    cl_control_destroy(&r.control);
    cl_link_destroy(&r.link);
    cl_client_fini(&r.client);
    return code;
}
