/* client_link.c - nearfar-client link: an emulated network. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/link_control.h"
#include "clients/lib/link_relay.h"
#include "clients/lib/text_out.h"

#include <signal.h>
#include <stdio.h>

typedef struct link_opts {
    const char *listen, *to, *control;
    int64_t rtt_us, up_bps, down_bps, queue_bytes;
    int down_mode;
    bool quiet;
} link_opts;

#define AT(field) offsetof(link_opts, field)
static const nf_opt rows[] = {
    {"listen", "ADDR:PORT", NULL, "where clients connect to", NF_OPT_TEXT, AT(listen), 0, 0, NULL},
    {"to", "HOST:PORT", NULL, "where it leads", NF_OPT_TEXT, AT(to), 0, 0, NULL},
    {"rtt", "TIME", "0", "added round trip, half of it each way", NF_OPT_TIME, AT(rtt_us), 0,
     60000000, NULL},
    {"up", "RATE", NULL, "rate towards --to, shared by all connections", NF_OPT_RATE, AT(up_bps),
     8000, 100000000000, NULL},
    {"down", "RATE", NULL, "rate back, shared by all connections", NF_OPT_RATE, AT(down_bps), 8000,
     100000000000, NULL},
    {"queue", "BYTES", "256k", "bytes that may wait in one direction", NF_OPT_BYTES,
     AT(queue_bytes), 4096, 1073741824, NULL},
    {"down-mode", NULL, "stall", "what an outage does to connections", NF_OPT_PICK, AT(down_mode),
     0, 0, "stall|reset"},
    {"control", "ADDR:PORT", "", "HTTP: GET /v1/link, POST /v1/link {\"up\":false}", NF_OPT_TEXT,
     AT(control), 0, 0, NULL},
    CL_ROW_QUIET(link_opts),
};

static const cl_usage usage = {
    "link",
    "--listen ADDR:PORT --to HOST:PORT [options]",
    "Relays TCP connections as a slow, distant or absent network would. What is not given is not\n"
    "shaped; bare numbers are ms and Mbit/s. SIGUSR1 begins and ends an outage.",
    "nearfar-client link --listen 127.0.0.1:9000 --to 127.0.0.1:8080 --rtt 60ms --up 12mbit "
    "--down 40mbit",
    {rows, NF_COUNT(rows)}};

typedef struct link_run {
    cl_client client;
    cl_link *link;
    cl_control *control;
    uv_signal_t toggle;
    bool quiet;
} link_run;

static const char *rate_text(char *to, size_t room, int64_t bps)
{
    if (bps)
        snprintf(to, room, "%g Mbit/s", (double)bps / 1e6);
    else
        snprintf(to, room, "unshaped");
    return to;
}

static void say_start(const link_run *r)
{
    const cl_link_spec *s = cl_link_spec_of(r->link);
    char up[32], down[32], rtt[32];
    fprintf(stdout, "link %s -> %s, rtt %s, up %s, down %s%s%s\n", s->listen, s->to,
            s->rtt_us ? cl_time_text(rtt, sizeof(rtt), (double)s->rtt_us * 1000) : "unshaped",
            rate_text(up, sizeof(up), s->up_bps), rate_text(down, sizeof(down), s->down_bps),
            r->control ? ", control http://" : "",
            r->control ? cl_control_address(r->control) : "");
    fflush(stdout);
}

static void say_end(const link_run *r)
{
    cl_link_state s;
    cl_link_state_get(r->link, &s);
    fprintf(stdout,
            "link ended: %llu connections, %llu bytes up, %llu bytes down, %llu refused, "
            "%llu outages\n",
            (unsigned long long)s.connections, (unsigned long long)s.bytes_up,
            (unsigned long long)s.bytes_down, (unsigned long long)s.refused,
            (unsigned long long)s.outages);
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

static nf_status start(link_run *r, const link_opts *o, nf_error *err)
{
    nf_status st;
    const cl_link_spec spec = {.listen = o->listen,
                               .to = o->to,
                               .rtt_us = o->rtt_us,
                               .up_bps = o->up_bps,
                               .down_bps = o->down_bps,
                               .queue_bytes = o->queue_bytes,
                               .reset_when_down = o->down_mode == 1};
    if (!o->listen || !o->to)
        return nf_fail(err, NF_EINVAL, o->listen ? "--to" : "--listen", "an address is needed");
    if ((st = cl_link_create(&r->link, &r->client.loop, &spec, err))) return st;
    if (o->control[0])
        if ((st = cl_control_create(&r->control, r->link, &r->client.loop, o->control, err)))
            return st;
    r->toggle.data = r;
    uv_signal_start(&r->toggle, on_toggle, SIGUSR1);
    return NF_OK;
}

int cl_cmd_link(int argc, char **argv)
{
    link_opts o = {0};
    nf_error err = {0};
    link_run r = {0};
    int code;

    if (!cl_cmd_parse(&o, &usage, 0, argc, argv, &code)) return code;
    nf_status st = cl_client_init(&r.client, &err);
    if (st) return cl_cmd_fail(usage.name, st, &err);
    r.quiet = o.quiet;
    uv_signal_init(&r.client.loop, &r.toggle);
    st = start(&r, &o, &err);
    code = st ? cl_cmd_fail(usage.name, st, &err) : CL_EXIT_OK;
    if (!st) {
        say_start(&r);
        uv_run(&r.client.loop, UV_RUN_DEFAULT); /* until SIGTERM or Ctrl-C */
        say_end(&r);
    }
    uv_close((uv_handle_t *)&r.toggle, NULL);
    cl_control_destroy(&r.control);
    cl_link_destroy(&r.link);
    cl_client_fini(&r.client);
    return code;
}
