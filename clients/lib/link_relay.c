/* link_relay.c - the link: listener, timer, outages. Layer: clients. Thread rule: the loop's
 * thread only. */
#include "clients/lib/link_relay.h"

#include "clients/lib/link_parts.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* When senders of this direction that had to stop may go on; CL_NEVER when none had to. */
static uint64_t resume_at(const cl_link *l, int direction)
{
    const uint64_t half = (uint64_t)l->spec.queue_bytes / 2;
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
    if (next != CL_NEVER) {
        at.it_value.tv_sec = (time_t)(next / 1000000000u);
        at.it_value.tv_nsec = (long)(next % 1000000000u) + (next == 0);
    }
    timerfd_settime(l->alarm_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Takes out of every wire what is due. A tunnel may end while its chunk is handed over; others of
 * its chunks are then forgotten, so that each take gives a live owner. */
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
    for (int d = CL_UP; d <= CL_DOWN; d++)
        while ((c = cl_wire_take(&l->wire[d], now)))
            cl_tunnel_deliver(c->owner, d, c);
    for (cl_tunnel *t = l->tunnels; t; t = t->next)
        cl_tunnel_refresh(t);
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
    cl_tunnel_open(user, near_end);
}

/* Resets every tunnel. */
static void reset_all(cl_link *l)
{
    while (l->tunnels)
        cl_tunnel_reset(l->tunnels);
}

static void come_back(cl_link *l)
{
    cl_wire *const wires[] = {&l->wire[CL_UP], &l->wire[CL_DOWN], &l->dialling, &l->shaking};
    const uint64_t out = nf_now_ns() - l->down_since_ns;
    cl_tunnel *next;
    for (size_t i = 0; i < NF_COUNT(wires); i++)
        cl_wire_shift(wires[i], out);
    for (cl_tunnel *t = l->tunnels; t; t = next) {
        next = t->next; /* a tunnel without memory for its handshake ends here */
        cl_tunnel_refresh(t);
        cl_tunnel_begin(t);
    }
}

void cl_link_set_up(cl_link *l, bool up)
{
    if (up == l->state.up) return;
    l->state.up = up;
    if (up) {
        come_back(l);
    } else {
        l->state.outages++;
        l->down_since_ns = nf_now_ns();
        if (l->spec.reset_when_down) reset_all(l);
        for (cl_tunnel *t = l->tunnels; t; t = t->next)
            cl_tunnel_refresh(t);
    }
    cl_link_rearm(l);
}

void cl_link_state_get(const cl_link *l, cl_link_state *out)
{
    *out = l->state;
    out->bytes_up = l->wire[CL_UP].carried;
    out->bytes_down = l->wire[CL_DOWN].carried;
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

static void shape(cl_link *l)
{
    const uint64_t rtt_ns = (uint64_t)l->spec.rtt_us * 1000;
    l->wire[CL_UP] = (cl_wire){.delay_ns = rtt_ns / 2, .rate_bps = (uint64_t)l->spec.up_bps};
    l->wire[CL_DOWN] =
        (cl_wire){.delay_ns = rtt_ns - rtt_ns / 2, .rate_bps = (uint64_t)l->spec.down_bps};
    l->dialling.delay_ns = rtt_ns / 2;
    l->shaking.delay_ns = rtt_ns;
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
    shape(l);
    snprintf(l->to_text, sizeof(l->to_text), "%s", spec->to);
    l->spec.to = l->to_text;
    l->spec.listen = l->listener.address;
    st = cl_host_port_parse(&l->to, spec->to, err);
    if (!st && !l->to.host[0])
        st = nf_fail(err, NF_EINVAL, "--to", "expected HOST:PORT, got '%s'", spec->to);
    if (!st) st = start_alarm(l, err);
    l->listener.accepted = on_accepted;
    l->listener.user = l;
    if (!st) st = cl_listener_start(&l->listener, loop, spec->listen, err);
    if (st) cl_link_destroy(&l);
    *out = l;
    return st;
}

void cl_link_destroy(cl_link **lp)
{
    cl_link *l = *lp;
    if (!l) return;
    reset_all(l);
    cl_listener_stop(&l->listener);
    if (l->alarm) uv_close((uv_handle_t *)l->alarm, on_closed);
    if (l->alarm_fd >= 0) close(l->alarm_fd);
    cl_wire_fini(&l->wire[CL_UP]);
    cl_wire_fini(&l->wire[CL_DOWN]);
    cl_wire_fini(&l->dialling);
    cl_wire_fini(&l->shaking);
    nf_free(l);
    *lp = NULL;
}
