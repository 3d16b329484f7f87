/* link_outage.c - the link goes down and comes back, by hand or by a schedule. Layer: clients.
 * Thread rule: the loop's thread only. */
#include "clients/lib/link_parts.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

static void come_back(cl_link *l)
{
    cl_wire *const wires[] = {&l->wire[CL_UP], &l->wire[CL_DOWN], &l->dialling, &l->shaking};
    const uint64_t out = nf_now_ns() - l->down_since_ns;
    cl_tunnel *next;
    for (size_t i = 0; i < NF_COUNT(wires); i++)
        cl_wire_shift(wires[i], out);
    for (cl_tunnel *t = l->tunnels; t; t = next) {
        next = t->next; /* a tunnel without memory for its handshake ends here */
        cl_lane_shift(&t->lane[CL_UP], out);
        cl_lane_shift(&t->lane[CL_DOWN], out);
        cl_tunnel_refresh(t);
        cl_tunnel_begin(t);
    }
}

static void switch_to(cl_link *l, bool up)
{
    if (up == l->state.up) return;
    l->state.up = up;
    l->changes++;
    if (l->tun) cl_tun_set_up(l->tun, up);
    if (up) {
        come_back(l);
    } else {
        l->state.outages++;
        l->down_since_ns = nf_now_ns();
        if (l->spec.reset_when_down) cl_link_reset_all(l);
        for (cl_tunnel *t = l->tunnels; t; t = t->next)
            cl_tunnel_refresh(t);
    }
    cl_link_rearm(l);
}

static void on_closed(uv_handle_t *h)
{
    nf_free(h);
}

void cl_link_unschedule(cl_link *l)
{
    if (l->switcher) uv_close((uv_handle_t *)l->switcher, on_closed);
    l->switcher = NULL;
    l->schedule.n = 0;
}

void cl_link_set_up(cl_link *l, bool up)
{
    cl_link_unschedule(l); /* a word by hand ends it */
    switch_to(l, up);
}

static void on_switch(uv_timer_t *t);

/* Does what the schedule says now and sets the timer to its next change. */
static void follow(cl_link *l)
{
    const uint64_t at_us = (nf_now_ns() - l->schedule_ns) / 1000;
    uint64_t next_us;
    switch_to(l, cl_outages_at(&l->schedule, at_us, &next_us));
    if (next_us == UINT64_MAX)
        cl_link_unschedule(l);
    else
        uv_timer_start(l->switcher, on_switch, (next_us - at_us) / 1000 + 1, 0);
}

static void on_switch(uv_timer_t *t)
{
    follow(t->data);
}

nf_status cl_link_set_schedule(cl_link *l, const cl_outages *s, nf_error *err)
{
    cl_link_unschedule(l);
    if (!s->n) return NF_OK;
    l->switcher = nf_alloc(sizeof(*l->switcher), NF_MEM_CLIENT);
    if (!l->switcher) return nf_fail(err, NF_ENOMEM, "schedule", "no memory");
    uv_timer_init(l->loop, l->switcher);
    l->switcher->data = l;
    uv_update_time(l->loop); /* timers count from the loop's time */
    l->schedule = *s;
    l->schedule_ns = nf_now_ns();
    follow(l);
    return NF_OK;
}
