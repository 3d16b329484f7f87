/* link_check.c - runs the probe and judges it. Layer: clients. Thread rule: the loop's thread but
 * for the measuring one, which touches `probe` and `complete` alone until it is joined. */
#include "clients/lib/link_check.h"

#include "clients/lib/link_probe.h"
#include "clients/lib/stats.h"
#include "clients/net/http_url.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILL_US       1000000 /* of each direction that has a rate */
#define SLOW_START_US 1500000 /* left out where TCP itself is on the line */
#define FILL_FREE_US  200000  /* of one that has none: there is nothing to hold it against */

struct cl_check {
    cl_link *link;
    cl_link_settings asked;
    uint64_t changes; /* of the link, when it began */
    void (*done)(void *user);
    void *user;
    const char *cut; /* why it ended early */
    uv_thread_t thread;
    uv_async_t *finished; /* on the heap until the loop has closed it */
    bool running, complete;
    cl_probe probe;
    cl_check_result result;
};

static void on_closed(uv_handle_t *h)
{
    nf_free(h);
}

static void measure(void *arg)
{
    cl_check *c = arg;
    c->complete = cl_probe_run(&c->probe);
    uv_async_send(c->finished);
}

static bool near_enough(double got, double asked, double slack)
{
    return fabs(got - asked) <= asked * CL_CHECK_SHARE + slack;
}

static double asked_rate(const cl_check *c, int d)
{
    return (double)(d == CL_UP ? c->asked.up_bps : c->asked.down_bps);
}

/* A direction without a rate has nothing to miss; with losses its stalls are part of what was
 * asked for. */
static bool rate_ok(const cl_check *c, int d)
{
    const cl_link_settings *s = &c->asked;
    const double asked = asked_rate(c, d);
    const double by_jitter = asked * (double)s->jitter_us / FILL_US;
    return asked <= 0 || s->loss > 0 || near_enough(c->result.rate_bps[d], asked, by_jitter);
}

static void judge(cl_check *c)
{
    const cl_link_settings *s = &c->asked;
    cl_check_result *r = &c->result;
    const double connect_us = (double)(s->connect_us == CL_CONNECT_RTT ? s->rtt_us : s->connect_us);
    const double slack = CL_CHECK_SLACK_US + (double)s->jitter_us;
    const bool trip = near_enough(r->rtt_us, (double)s->rtt_us, slack);
    const double first_us = connect_us + (double)s->rtt_us;
    /* One sample, so a wide bound: it is there to find a handshake that was not delayed. */
    const bool first = s->loss > 0 || fabs(r->first_us - first_us) <= first_us / 5 + 5 * slack;
    char up[32] = "", down[32] = "";
    if (s->up_bps) snprintf(up, sizeof(up), " of %.4g", asked_rate(c, CL_UP) / 1e6);
    if (s->down_bps) snprintf(down, sizeof(down), " of %.4g", asked_rate(c, CL_DOWN) / 1e6);
    r->done = true;
    r->ok = trip && first && rate_ok(c, CL_UP) && rate_ok(c, CL_DOWN);
    snprintf(r->note, sizeof(r->note),
             "rtt %.4g of %.4g ms, first byte after %.4g ms, up %.4g%s, down %.4g%s Mbit/s%s",
             r->rtt_us / 1e3, (double)s->rtt_us / 1e3, r->first_us / 1e3, r->rate_bps[CL_UP] / 1e6,
             up, r->rate_bps[CL_DOWN] / 1e6, down,
             s->loss > 0 ? "; rates are not judged: losses are set" : "");
}

/* Where TCP itself is on the line, its repairs make the rate of a connection uneven; then it is
 * the device that tells how much passed in its best second. */
static double packet_rate(const cl_check *c, int d, double bps)
{
    cl_link_state s;
    if (!cl_link_spec_of(c->link)->tun) return bps;
    cl_link_state_get(c->link, &s);
    return (double)s.flow[d].peak_bps;
}

static void take_over(cl_check *c)
{
    cl_check_result *r = &c->result;
    cl_probe *p = &c->probe;
    cl_sort(p->trip_ns, p->trips);
    if (p->trips) r->rtt_us = cl_median(p->trip_ns, p->trips) / 1e3;
    if (p->first_ns) r->first_us = (double)p->first_ns / 1e3;
    for (int d = CL_UP; d <= CL_DOWN; d++)
        if (p->rate_bps[d] > 0) r->rate_bps[d] = packet_rate(c, d, p->rate_bps[d]);
    if (!c->cut && cl_link_changes(c->link) != c->changes)
        c->cut = "the link was changed meanwhile";
    if (!c->cut && c->complete)
        judge(c);
    else
        snprintf(r->note, sizeof(r->note), "not measured to the end: %s",
                 c->cut ? c->cut : "nothing came through");
}

/* Joins the thread and gives back what it used. */
static void wind_down(cl_check *c)
{
    if (!c->running) return;
    c->running = false;
    c->probe.stop = true;
    uv_thread_join(&c->thread);
    cl_link_probe_stop(c->link);
    close(c->probe.listen_fd);
    uv_close((uv_handle_t *)c->finished, on_closed);
}

static void on_finished(uv_async_t *a)
{
    cl_check *c = a->data;
    if (!c->running) return;
    wind_down(c);
    take_over(c);
    c->done(c->user);
}

void cl_check_cut(cl_check *c, const char *why)
{
    if (!c->running || c->cut) return;
    c->cut = why;
    c->probe.stop = true;
    cl_link_probe_stop(c->link); /* the line is free at once; the thread wakes up and ends */
}

static void on_arrived(void *user)
{
    cl_check_cut(user, "a client came, and the line is his");
}

static nf_status open_listener(int *fd, unsigned *port, nf_error *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0) return nf_fail(err, NF_EIO, "check", "no socket");
    if (bind(*fd, (struct sockaddr *)&at, len) || listen(*fd, 4) ||
        getsockname(*fd, (struct sockaddr *)&at, &len)) {
        close(*fd);
        return nf_fail(err, NF_EIO, "check", "cannot listen on 127.0.0.1");
    }
    *port = ntohs(at.sin_port);
    return NF_OK;
}

static nf_status start(cl_check *c, uv_loop_t *loop, nf_error *err)
{
    const char *address;
    cl_url u;
    unsigned port;
    nf_status st;
    if ((st = open_listener(&c->probe.listen_fd, &port, err))) return st;
    st = cl_link_probe_start(c->link, port, &address, on_arrived, c, err);
    if (!st) st = cl_host_port_parse(&u, address, err);
    if (!st && uv_ip4_addr(u.host, (int)strtol(u.port, NULL, 10), &c->probe.to))
        st = nf_fail(err, NF_EIO, address, "not an IPv4 address");
    if (!st && uv_async_init(loop, c->finished, on_finished))
        st = nf_fail(err, NF_EIO, "check", "the loop takes no signal");
    if (st) {
        cl_link_probe_stop(c->link);
        close(c->probe.listen_fd);
        nf_free(c->finished);
        return st;
    }
    c->finished->data = c;
    uv_unref((uv_handle_t *)c->finished);
    if (uv_thread_create(&c->thread, measure, c) == 0) {
        c->running = true;
        return NF_OK;
    }
    cl_link_probe_stop(c->link);
    close(c->probe.listen_fd);
    uv_close((uv_handle_t *)c->finished, on_closed);
    return nf_fail(err, NF_EIO, "check", "no thread");
}

nf_status cl_check_start(cl_check **out, cl_link *l, uv_loop_t *loop, void (*done)(void *user),
                         void *user, nf_error *err)
{
    cl_check *c = nf_alloc(sizeof(*c), NF_MEM_CLIENT);
    nf_status st = NF_ENOMEM;
    *out = NULL;
    if (c) c->finished = nf_alloc(sizeof(*c->finished), NF_MEM_CLIENT);
    if (!c || !c->finished) {
        nf_free(c);
        return nf_fail(err, NF_ENOMEM, "check", "no memory");
    }
    c->link = l;
    c->asked = cl_link_spec_of(l)->shape;
    c->changes = cl_link_changes(l);
    c->done = done;
    c->user = user;
    c->result = (cl_check_result){.rtt_us = -1, .first_us = -1, .rate_bps = {-1, -1}};
    snprintf(c->result.note, sizeof(c->result.note), "under way");
    c->probe.skip_us = cl_link_spec_of(l)->tun ? SLOW_START_US : 0;
    c->probe.rate_us = c->asked.up_bps || c->asked.down_bps ? FILL_US : FILL_FREE_US;
    if ((st = start(c, loop, err)))
        nf_free(c);
    else
        *out = c;
    return st;
}

const cl_check_result *cl_check_get(const cl_check *c)
{
    return &c->result;
}

void cl_check_destroy(cl_check **cp)
{
    if (!*cp) return;
    wind_down(*cp);
    nf_free(*cp);
    *cp = NULL;
}
