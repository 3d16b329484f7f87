/* sched.h - a bounded queue of jobs and the threads that run them. Layer: server/sched. Thread
 * rule: reserve and submit from any thread; create and destroy on the main thread. */
#ifndef SRV_SCHED_H
#define SRV_SCHED_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct srv_sched srv_sched;
typedef struct srv_job srv_job;

struct srv_job { /* stands in the caller's memory until run() is over */
    /** slot: number of the worker thread. cancelled: the server is going down; answer so. */
    void (*run)(srv_job *job, unsigned slot, bool cancelled);
    srv_job *next;
    uint64_t queued_us;
};

typedef struct srv_sched_options {
    const char *name;    /* of the threads, at most 10 characters */
    unsigned threads;    /* 1 .. 256 */
    unsigned first_slot; /* the threads get first_slot, first_slot + 1, … */
    size_t most;         /* jobs that may wait or run */
    size_t stack_bytes;  /* of a thread */
} srv_sched_options;

nf_status srv_sched_create(srv_sched **out, const srv_sched_options *options, nf_error *err);

/** Takes a place in the queue; after NF_OK the caller must submit exactly one job.
 * NF_EBUSY: all places are taken. */
nf_status srv_sched_reserve(srv_sched *s, nf_error *err);

/** Hands the job over: run() is called on a worker, perhaps before this returns. */
void srv_sched_submit(srv_sched *s, srv_job *job);

/** Jobs that wait or run. */
size_t srv_sched_pending(const srv_sched *s);

/** From now on waiting jobs are run with cancelled = true. */
void srv_sched_cancel(srv_sched *s);

/** Runs what waits, joins the threads, frees, sets *s to NULL. Accepts NULL. */
void srv_sched_destroy(srv_sched **s);

#endif /* SRV_SCHED_H */
