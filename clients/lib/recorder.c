/* recorder.c - adds exchanges up. Layer: clients. Thread rule: one owner. */
#include "clients/lib/recorder.h"

#include <stddef.h>
#include <stdio.h>

const unsigned cl_permilles[5] = {500, 900, 950, 990, 999};

/* Where a step begins and ends; a beginning that did not happen is replaced by the one before. */
static const struct {
    const char *name;
    size_t from, from_else, to;
} steps[CL_PHASES] = {
    {"dns", offsetof(cl_times, start), 0, offsetof(cl_times, resolved)},
    {"connect", offsetof(cl_times, resolved), offsetof(cl_times, start),
     offsetof(cl_times, connected)},
    {"tls", offsetof(cl_times, connected), 0, offsetof(cl_times, secured)},
    {"send", offsetof(cl_times, sent), 0, offsetof(cl_times, written)},
    {"wait", offsetof(cl_times, written), offsetof(cl_times, sent), offsetof(cl_times, first)},
    {"recv", offsetof(cl_times, first), 0, offsetof(cl_times, end)},
};

static uint64_t stamp(const cl_times *t, size_t offset)
{
    return *(const uint64_t *)((const char *)t + offset);
}

bool cl_phase_ns(uint64_t *ns, const cl_times *t, cl_phase p)
{
    uint64_t from = stamp(t, steps[p].from);
    const uint64_t to = stamp(t, steps[p].to);
    if (!from) from = stamp(t, steps[p].from_else);
    *ns = to > from ? to - from : 0;
    return from && to;
}

const char *cl_phase_name(cl_phase p)
{
    return steps[p].name;
}

const nf_hist *cl_recorder_latency(const cl_recorder *r)
{
    return r->corrected.count ? &r->corrected : &r->latency;
}

void cl_recorder_add(cl_recorder *r, const cl_exchange *x)
{
    r->issued++;
    r->opened += x->t.connected != 0;
    if (x->failure) {
        r->error[x->failure]++;
        return;
    }
    r->ok++;
    r->up_app += x->up_app;
    r->up_total += x->up_total;
    r->down_app += x->down_app;
    r->down_total += x->down_total;
    nf_hist_add(&r->latency, x->t.end - x->t.start);
    for (int p = 0; p < CL_PHASES; p++) {
        uint64_t ns;
        if (cl_phase_ns(&ns, &x->t, (cl_phase)p)) nf_hist_add(&r->phase[p], ns);
    }
}

void cl_recorder_add_due(cl_recorder *r, const cl_exchange *x, uint64_t due_ns)
{
    cl_recorder_add(r, x);
    if (!x->failure) nf_hist_add(&r->corrected, x->t.end - due_ns);
}

uint64_t cl_recorder_errors(const cl_recorder *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < CL_FAILURE_COUNT; i++)
        n += r->error[i];
    return n;
}

double cl_recorder_each(const cl_recorder *r, uint64_t bytes)
{
    return r->ok ? (double)bytes / (double)r->ok : 0;
}

const char *cl_permille_name(char *to, size_t room, unsigned permille)
{
    if (permille % 10)
        snprintf(to, room, "p%u.%u", permille / 10, permille % 10);
    else
        snprintf(to, room, "p%u", permille / 10);
    return to;
}
