/* link_relay.c - the link: listener, timer, settings. Layer: clients. Thread rule: the loop's
 * thread only. */
#include "clients/lib/link_relay.h"

#include "clients/lib/link_parts.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

uint64_t cl_link_queue(const cl_link *l, int direction)
{
    const cl_link_settings *s = &l->spec.shape;
    return cl_settings_queue(s, direction == CL_UP ? s->up_bps : s->down_bps);
}

/* When senders of this direction that had to stop may go on; CL_NEVER when none had to. */
static uint64_t resume_at(const cl_link *l, int direction)
{
    const uint64_t half = cl_link_queue(l, direction) / 2;
    if (cl_wire_waiting(&l->wire[direction], nf_now_ns()) <= half) return CL_NEVER;
    return cl_wire_drained_at(&l->wire[direction], half);
}

void cl_link_rearm(cl_link *l)
{
    const uint64_t times[] = {cl_wire_next(&l->wire[CL_UP]), cl_wire_next(&l->wire[CL_DOWN]),
                              cl_wire_next(&l->dialling),    cl_wire_next(&l->shaking),
                              resume_at(l, CL_UP),           resume_at(l, CL_DOWN)};
    struct itimerspec at = {{0, 0}, {0, 0}}; /* zero switches the timer off */
    uint64_t next = CL_NEVER;
    for (size_t i = 0; i < NF_COUNT(times) && l->state.up; i++)
        if (times[i] < next) next = times[i];
    for (const cl_tunnel *t = l->state.up ? l->tunnels : NULL; t; t = t->next)
        for (int d = CL_UP; d <= CL_DOWN; d++)
            if (cl_lane_next(&t->lane[d]) < next) next = cl_lane_next(&t->lane[d]);
    if (next != CL_NEVER) {
        at.it_value.tv_sec = (time_t)(next / 1000000000u);
        at.it_value.tv_nsec = (long)(next % 1000000000u) + (next == 0);
    }
    timerfd_settime(l->alarm_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* From the wire into the lane of its connection. */
static void to_lanes(cl_link *l, int d, uint64_t now)
{
    cl_chunk *c;
    while ((c = cl_wire_take(&l->wire[d], now))) {
        cl_tunnel *t = c->owner;
        const size_t behind = l->rule[d].loss > 0 ? cl_wire_behind(&l->wire[d], t, 3) : 0;
        if (t->probe) l->probed[d] += c->len;
        cl_lane_put(&t->lane[d], &l->rule[d], c, c->due_ns, behind);
    }
}

/* From the lanes to the sockets; a tunnel may end on the way. */
static void from_lanes(cl_link *l, uint64_t now)
{
    cl_tunnel *next;
    for (cl_tunnel *t = l->tunnels; t; t = next) {
        bool there = true;
        cl_chunk *c;
        next = t->next;
        for (int d = CL_UP; d <= CL_DOWN; d++)
            while (there && (c = cl_lane_take(&t->lane[d], now)))
                there = cl_tunnel_deliver(t, d, c);
        if (there) cl_tunnel_refresh(t);
    }
}

static void meter(cl_link *l, int d, uint64_t now)
{
    cl_meter *m = &l->meter[d];
    const uint64_t bytes = l->wire[d].carried, span = now - m->since_ns;
    if (span < 1000000000u) return;
    m->rate_bps = (uint64_t)((double)(bytes - m->bytes) * 8e9 / (double)span);
    m->bytes = bytes;
    m->since_ns = now;
}

/* Does everything that is due. A tunnel may end while its chunk is handed over; others of its
 * chunks are then forgotten, so that each take gives a live owner. */
static void pump(cl_link *l)
{
    cl_chunk *c;
    const uint64_t now = nf_now_ns();
    while ((c = cl_wire_take(&l->dialling, now))) {
        cl_tunnel *t = c->owner;
        nf_free(c);
        cl_tunnel_dial(t);
    }
    while ((c = cl_wire_take(&l->shaking, now))) {
        cl_tunnel *t = c->owner;
        nf_free(c);
        cl_tunnel_shaken(t);
    }
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        to_lanes(l, d, now);
        meter(l, d, now);
    }
    from_lanes(l, now);
}

static void on_alarm(uv_poll_t *p, int status, int events)
{
    cl_link *l = p->data;
    uint64_t times;
    (void)status;
    (void)events;
    if (read(l->alarm_fd, &times, sizeof(times)) < 0) return; /* moved meanwhile: nothing is due */
    if (!l->state.up) return;
    pump(l);
    cl_link_rearm(l);
}

static void on_accepted(void *user, cl_sock *near_end)
{
    cl_link *l = user;
    if (l->arrived) l->arrived(l->arrived_user);
    cl_tunnel_open(l, near_end, false);
}

static void on_probe(void *user, cl_sock *near_end)
{
    cl_tunnel_open(user, near_end, true);
}

void cl_link_reset_all(cl_link *l)
{
    while (l->tunnels)
        cl_tunnel_reset(l->tunnels);
}

void cl_link_state_get(cl_link *l, cl_link_state *out)
{
    const uint64_t now = nf_now_ns();
    *out = l->state;
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        const cl_lane_rule *r = &l->rule[d];
        meter(l, d, now);
        if (l->tun) {
            cl_tun_flow(l->tun, d, &out->flow[d]);
            continue;
        }
        out->flow[d] = (cl_link_flow){.bytes = l->wire[d].carried - l->probed[d],
                                      .segments = r->segments,
                                      .lost = r->lost,
                                      .stalls = r->stalls,
                                      .stalled_us = r->stalled_ns / 1000,
                                      .rate_bps = l->meter[d].rate_bps,
                                      .waiting = cl_wire_waiting(&l->wire[d], now)};
    }
}

uint64_t cl_link_changes(const cl_link *l)
{
    return l->changes;
}

const cl_link_spec *cl_link_spec_of(const cl_link *l)
{
    return &l->spec;
}

static void on_closed(uv_handle_t *h)
{
    nf_free(h);
}

static nf_status start_alarm(cl_link *l, nf_error *err)
{
    l->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (l->alarm_fd < 0) return nf_fail(err, NF_EIO, "link", "timerfd_create failed");
    l->alarm = nf_alloc(sizeof(*l->alarm), NF_MEM_CLIENT);
    if (!l->alarm) return nf_fail(err, NF_ENOMEM, "link", "no memory");
    if (uv_poll_init(l->loop, l->alarm, l->alarm_fd)) {
        nf_free(l->alarm);
        l->alarm = NULL;
        return nf_fail(err, NF_EIO, "link", "the timer cannot be watched");
    }
    l->alarm->data = l;
    uv_poll_start(l->alarm, UV_READABLE, on_alarm);
    return NF_OK;
}

/* With a TUN device the relay behind it adds nothing. */
static void shape(cl_link *l)
{
    static const cl_link_settings unshaped = {.queue_bytes = CL_QUEUE_BYTES};
    const cl_link_settings *s = l->tun ? &unshaped : &l->spec.shape;
    const uint64_t now = l->state.up ? nf_now_ns() : l->down_since_ns; /* an outage stops time */
    const int64_t connect_us = s->connect_us == CL_CONNECT_RTT ? s->rtt_us : s->connect_us;
    if (l->tun) cl_tun_shape(l->tun, &l->spec.shape);
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        const cl_link_delay delay = cl_settings_delay(s, d == CL_UP);
        cl_wire_reshape(&l->wire[d], (uint64_t)(d == CL_UP ? s->up_bps : s->down_bps),
                        delay.fixed_ns, now);
        l->rule[d].jitter_ns = delay.jitter_ns;
        l->rule[d].rtt_ns = (uint64_t)s->rtt_us * 1000;
        l->rule[d].loss = s->loss;
    }
    l->dialling.delay_ns = (uint64_t)connect_us * 500;
    l->shaking.delay_ns = (uint64_t)connect_us * 1000;
}

void cl_link_reshape(cl_link *l, const cl_link_settings *s)
{
    l->spec.shape = *s;
    l->changes++;
    shape(l);
    for (cl_tunnel *t = l->tunnels; t; t = t->next)
        cl_tunnel_refresh(t);
    cl_link_rearm(l);
}

/* Listens on `where`; with a TUN device on its address and that port, and tells the device. */
static nf_status listen_at(cl_link *l, cl_listener *on, const char *where, int which, nf_error *err)
{
    char inner[32];
    cl_url u;
    nf_status st;
    if (!l->tun) return cl_listener_start(on, l->loop, where, err);
    if ((st = cl_host_port_parse(&u, where, err))) return st;
    snprintf(inner, sizeof(inner), "%s:%s", cl_tun_inner(l->tun), u.port);
    if ((st = cl_listener_start(on, l->loop, inner, err))) return st;
    if ((st = cl_host_port_parse(&u, on->address, err))) return st;
    char *outer = which == CL_TUN_PROBE ? l->outer_probe : l->outer;
    snprintf(outer, sizeof(l->outer), "%s:%s", cl_tun_outer(l->tun), u.port);
    cl_tun_port(l->tun, which, (unsigned)strtoul(u.port, NULL, 10));
    return NF_OK;
}

nf_status cl_link_probe_start(cl_link *l, unsigned port, const char **address,
                              void (*arrived)(void *user), void *user, nf_error *err)
{
    snprintf(l->probe_to.host, sizeof(l->probe_to.host), "127.0.0.1");
    snprintf(l->probe_to.port, sizeof(l->probe_to.port), "%u", port & 0xffffu);
    l->probe.accepted = on_probe;
    l->probe.user = l;
    const nf_status st = listen_at(l, &l->probe, "0", CL_TUN_PROBE, err);
    if (st) return st;
    *address = l->tun ? l->outer_probe : l->probe.address;
    l->arrived = arrived;
    l->arrived_user = user;
    return NF_OK;
}

void cl_link_probe_stop(cl_link *l)
{
    cl_tunnel *next;
    l->arrived = NULL;
    cl_listener_stop(&l->probe);
    for (cl_tunnel *t = l->tunnels; t; t = next) {
        next = t->next;
        if (t->probe) cl_tunnel_reset(t);
    }
    shape(l); /* takes up the time that its bytes would have had on the line */
    cl_link_rearm(l);
}

void cl_link_retire(cl_link *l)
{
    cl_listener_stop(&l->listener);
    cl_link_reset_all(l);
}

nf_status cl_link_create(cl_link **out, uv_loop_t *loop, const cl_link_spec *spec, nf_error *err)
{
    nf_status st;
    cl_link *l = nf_alloc(sizeof(*l), NF_MEM_CLIENT);
    *out = NULL;
    if (!l) return nf_fail(err, NF_ENOMEM, "link", "no memory");
    l->loop = loop;
    l->alarm_fd = -1;
    l->spec = *spec;
    l->state.up = true;
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        l->rule[d].random = spec->seed + (uint64_t)d;
        l->meter[d].since_ns = nf_now_ns();
    }
    snprintf(l->congestion, sizeof(l->congestion), "%s", spec->congestion ? spec->congestion : "");
    l->spec.congestion = l->congestion;
    l->listener.congestion = l->congestion;
    snprintf(l->to_text, sizeof(l->to_text), "%s", spec->to);
    l->spec.to = l->to_text;
    l->spec.listen = spec->tun ? l->outer : l->listener.address;
    st = cl_host_port_parse(&l->to, spec->to, err);
    if (!st && !l->to.host[0])
        st = nf_fail(err, NF_EINVAL, "--to", "expected HOST:PORT, got '%s'", spec->to);
    if (!st) st = start_alarm(l, err);
    l->listener.accepted = on_accepted;
    l->listener.user = l;
    if (!st && spec->tun) st = cl_tun_create(&l->tun, loop, spec->seed, err);
    if (!st) shape(l);
    if (!st) st = listen_at(l, &l->listener, spec->listen, CL_TUN_CLIENTS, err);
    if (st) cl_link_destroy(&l);
    *out = l;
    return st;
}

void cl_link_destroy(cl_link **lp)
{
    cl_link *l = *lp;
    if (!l) return;
    cl_link_unschedule(l);
    cl_link_reset_all(l);
    cl_listener_stop(&l->probe);
    cl_listener_stop(&l->listener);
    cl_tun_destroy(&l->tun);
    if (l->alarm) uv_close((uv_handle_t *)l->alarm, on_closed);
    if (l->alarm_fd >= 0) close(l->alarm_fd);
    cl_wire_fini(&l->wire[CL_UP]);
    cl_wire_fini(&l->wire[CL_DOWN]);
    cl_wire_fini(&l->dialling);
    cl_wire_fini(&l->shaking);
    nf_free(l);
    *lp = NULL;
}
