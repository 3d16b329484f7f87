/* link_lane.c - jitter and stalls of one connection. Layer: clients. Thread rule: one owner. */
#include "clients/lib/link_lane.h"

#include "clients/lib/stats.h"
#include "engine/base/mem.h"

#define TIMEOUT_LEAST_NS 200000000u /* Linux, TCP_RTO_MIN */
#define DUPLICATES       3u         /* acknowledgements that mean a loss: RFC 5681 */
#define REPEATS_MOST     6u         /* lost retransmissions in a row: 200 ms become 12.6 s */

/* How much later a lost segment comes. */
static uint64_t stall_ns(cl_lane_rule *r, size_t following)
{
    const uint64_t by_rtt = r->rtt_ns + r->rtt_ns / 2;
    const uint64_t timeout = by_rtt > TIMEOUT_LEAST_NS ? by_rtt : TIMEOUT_LEAST_NS;
    uint64_t stall = following >= DUPLICATES ? r->rtt_ns : timeout;
    for (unsigned k = 0; k < REPEATS_MOST && cl_random_unit(&r->random) < r->loss; k++)
        stall += timeout << k;
    return stall;
}

/* The latest of the times at which the chunk's segments are there. */
static uint64_t arrival(cl_lane_rule *r, const cl_chunk *c, uint64_t at, size_t following)
{
    const size_t n = (c->len + CL_SEGMENT - 1) / CL_SEGMENT;
    uint64_t latest = at;
    for (size_t i = 0; i < n; i++) {
        if (cl_random_unit(&r->random) >= r->loss) continue;
        const uint64_t there = at + stall_ns(r, following + n - 1 - i);
        r->lost++;
        if (there > latest) latest = there;
    }
    r->segments += n;
    return latest;
}

void cl_lane_put(cl_lane *l, cl_lane_rule *r, cl_chunk *c, uint64_t at, size_t following)
{
    uint64_t due = at;
    if (r->loss > 0 && c->len) due = arrival(r, c, at, following);
    if (due > at && due > l->last_ns) {
        r->stalls++;
        r->stalled_ns += due - (l->last_ns > at ? l->last_ns : at);
    }
    if (r->jitter_ns) due += (uint64_t)(cl_random_unit(&r->random) * (double)r->jitter_ns);
    if (due < l->last_ns) due = l->last_ns; /* never before what was sent earlier */
    l->last_ns = due;
    c->due_ns = due;
    c->next = NULL;
    if (l->tail)
        l->tail->next = c;
    else
        l->head = c;
    l->tail = c;
}

cl_chunk *cl_lane_take(cl_lane *l, uint64_t now)
{
    cl_chunk *c = l->head;
    if (!c || c->due_ns > now) return NULL;
    l->head = c->next;
    if (!l->head) l->tail = NULL;
    c->next = NULL;
    return c;
}

uint64_t cl_lane_next(const cl_lane *l)
{
    return l->head ? l->head->due_ns : CL_NEVER;
}

void cl_lane_shift(cl_lane *l, uint64_t by)
{
    for (cl_chunk *c = l->head; c; c = c->next)
        c->due_ns += by;
    l->last_ns += by;
}

void cl_lane_fini(cl_lane *l)
{
    while (l->head) {
        cl_chunk *c = l->head;
        l->head = c->next;
        nf_free(c);
    }
    l->tail = NULL;
}
