/* recorder.c - adds exchanges up. Layer: clients. Thread rule: one owner. */
#include "clients/lib/recorder.h"

#include <stdio.h>

const unsigned cl_permilles[5] = {500, 900, 950, 990, 999};

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
