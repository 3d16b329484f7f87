/* scenario_open.c - the open loop. Layer: clients. Thread rule: one thread.
 *
 * Requests that wait for a connection need no queue: arrivals come in order, so the ones that wait
 * are the next of the schedule, and their moments are read from it when a connection is free. */
#include "clients/lib/scenario_parts.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#define NONE UINT64_MAX

static void dispatch(cl_run *r);

/* Reads the next arrival of the schedule under way, or moves on to the next schedule. */
static void advance(cl_run *r)
{
    cl_pace *p = &r->pace;
    const cl_load *l = r->load;
    uint64_t ns;
    p->next_waits = false;
    const bool any = cl_schedule_next(&p->schedule, &ns);
    p->next_ns = any ? p->from_ns + ns : NONE;
    const uint64_t most = p->measuring ? l->requests : l->warmup_requests;
    const uint64_t length = (p->measuring ? l->duration_us : l->warmup_us) * 1000;
    const bool ended = !any || (most ? p->issued >= most : ns >= length);
    if (!ended) return;
    if (p->measuring) {
        p->next_ns = NONE;
        return;
    }
    p->measuring = true;
    p->from_ns = most ? p->next_ns : p->from_ns + length;
    p->issued = 0;
    cl_schedule_start(&p->schedule, l->arrivals);
    cl_run_measure(r, p->from_ns);
    advance(r);
}

/* Everything due is out and answered: the run ends with its measured length. */
static void look_for_end(cl_run *r)
{
    cl_pace *p = &r->pace;
    if (!p->measuring || p->next_ns != NONE || p->under_way) return;
    const uint64_t end = r->measure_ns + r->load->duration_us * 1000;
    if (r->load->requests || nf_now_ns() >= end)
        cl_run_stop(r);
    else
        cl_alarm_set(p->alarm, end);
}

static void on_open_answer(void *user, const cl_exchange *x)
{
    cl_worker *w = user;
    cl_run *r = w->of;
    if (r->over) return;
    r->pace.idle[r->pace.n_idle++] = w;
    if (w->measured) {
        r->pace.under_way--;
        cl_run_record(r, x, w->due_ns);
    } else {
        r->warmed++;
    }
    dispatch(r);
    look_for_end(r);
}

static void issue(cl_run *r, uint64_t now)
{
    cl_pace *p = &r->pace;
    cl_worker *w = p->idle[--p->n_idle];
    w->due_ns = p->next_ns;
    w->measured = p->measuring;
    if (p->measuring) {
        r->out->due++;
        p->under_way++;
        if (p->next_waits)
            r->out->waited++;
        else
            nf_hist_add(&r->out->lag, now - p->next_ns);
    }
    p->issued++;
    advance(r);
    cl_run_send(w, on_open_answer);
}

/* Sends what is due, as far as connections are free; the alarm is for what is not due yet. */
static void dispatch(cl_run *r)
{
    cl_pace *p = &r->pace;
    while (!r->over && p->n_idle && p->next_ns != NONE) {
        const uint64_t now = nf_now_ns();
        if (p->next_ns > now) {
            cl_alarm_set(p->alarm, p->next_ns);
            return;
        }
        issue(r, now);
    }
    /* No connection is free. Whether the next request has to wait shows when its moment comes. */
    if (r->over || p->next_ns == NONE) return;
    p->next_waits = p->next_ns <= nf_now_ns();
    if (!p->next_waits) cl_alarm_set(p->alarm, p->next_ns);
}

static void on_alarm(void *user)
{
    cl_run *r = user;
    if (r->over) return;
    if (!r->pace.n_idle && r->pace.next_ns != NONE)
        r->pace.next_waits = true; /* on_open_answer sends it */
    else
        dispatch(r);
    look_for_end(r);
}

nf_status cl_pace_start(cl_run *r, nf_error *err)
{
    cl_pace *p = &r->pace;
    const cl_load *l = r->load;
    nf_status st = cl_alarm_open(&p->alarm, &r->client->loop, on_alarm, r, err);
    if (st) return st;
    p->idle = nf_alloc_array(r->n_workers, sizeof(cl_worker *), NF_MEM_CLIENT);
    if (!p->idle) return nf_fail(err, NF_ENOMEM, "connections", "no memory");
    for (size_t i = r->n_workers; i-- > 0;)
        p->idle[p->n_idle++] = &r->workers[i];
    p->warm = (cl_arrivals){.kind = l->arrivals->kind == CL_TRACE ? CL_CONSTANT : l->arrivals->kind,
                            .rate = l->arrivals->rate,
                            .seed = ~l->arrivals->seed};
    p->from_ns = nf_now_ns() + 1000000; /* the loop starts meanwhile */
    p->measuring = !l->warmup_requests && !l->warmup_us;
    if (p->measuring) cl_run_measure(r, p->from_ns);
    cl_schedule_start(&p->schedule, p->measuring ? l->arrivals : &p->warm);
    advance(r);
    cl_alarm_set(p->alarm, p->next_ns);
    return NF_OK;
}

/* The rest of the schedule up to now: requests that were due and not sent. */
static void count_unsent(cl_run *r)
{
    cl_pace *p = &r->pace;
    const uint64_t now = nf_now_ns();
    while (p->measuring && p->next_ns <= now) {
        r->out->due++;
        r->out->waited++;
        r->out->unsent++;
        p->issued++;
        advance(r);
    }
}

void cl_pace_stop(cl_run *r)
{
    cl_pace *p = &r->pace;
    count_unsent(r);
    r->out->unanswered = p->under_way;
    cl_alarm_close(&p->alarm);
    nf_free(p->idle);
    p->idle = NULL;
}
