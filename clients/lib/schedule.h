/* schedule.h - when the requests of an open loop are due. Layer: clients. Thread rule: one owner.
 * Times are nanoseconds from the start of the schedule. */
#ifndef CL_SCHEDULE_H
#define CL_SCHEDULE_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cl_arrival { CL_CONSTANT, CL_POISSON, CL_TRACE } cl_arrival;

/* What an open loop is told; const while loads use it. */
typedef struct cl_arrivals {
    cl_arrival kind;
    double rate;        /* requests a second; of a trace: its mean */
    uint64_t seed;      /* Poisson */
    uint64_t *trace_ns; /* ascending, n_trace of them; owned */
    size_t n_trace;
    char name[80]; /* "constant", "poisson", "trace:FILE" */
} cl_arrivals;

/**
 * Reads "constant", "poisson" or "trace:FILE". A trace is text: one number a line, the seconds
 * from the start at which a request is due, not going back; empty lines and lines with # are
 * passed over. NF_EINVAL (a trace: the text says the line), NF_ENOTFOUND, NF_ETOOLARGE, NF_ENOMEM.
 */
nf_status cl_arrivals_read(cl_arrivals *out, const char *text, double rate, uint64_t seed,
                           nf_error *err);

void cl_arrivals_fini(cl_arrivals *a);

typedef struct cl_schedule {
    const cl_arrivals *of;
    uint64_t state;   /* random generator */
    uint64_t at;      /* index of the next arrival */
    double poisson_s; /* time of the last one, seconds */
} cl_schedule;

void cl_schedule_start(cl_schedule *s, const cl_arrivals *a);

/** The next arrival; false when a trace has ended. */
bool cl_schedule_next(cl_schedule *s, uint64_t *ns);

#endif /* CL_SCHEDULE_H */
