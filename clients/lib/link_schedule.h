/* link_schedule.h - when a link is up: "10s up,30s down,20s up". Layer: clients. Thread rule: no
 * shared state. Times are microseconds since the schedule began. */
#ifndef CL_LINK_SCHEDULE_H
#define CL_LINK_SCHEDULE_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CL_OUTAGES_MOST 64 /* spans */

typedef struct cl_outages {
    unsigned n; /* 0 = none */
    struct {
        uint64_t until_us;
        bool up;
    } span[CL_OUTAGES_MOST];
} cl_outages;

/** Reads spans "TIME up|down", separated by commas; after the last one its state stays.
 * NF_EINVAL: not that, a span of no length, too many. */
nf_status cl_outages_parse(cl_outages *out, const char *text, nf_error *err);

/** Is the link up at `at_us`? *next_us: when that may change, UINT64_MAX after the last span. */
bool cl_outages_at(const cl_outages *s, uint64_t at_us, uint64_t *next_us);

#endif /* CL_LINK_SCHEDULE_H */
