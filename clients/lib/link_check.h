/* link_check.h - a link measures itself: connections of its own through its own line. Layer:
 * clients. Thread rule: the loop's thread only; the measuring runs on a thread of its own, with
 * blocking sockets, so that the loop's work is all that it measures. */
#ifndef CL_LINK_CHECK_H
#define CL_LINK_CHECK_H

#include "clients/lib/link_relay.h"

/* Delivered within 5 % + 1 ms of the round trip asked for, and within 5 % of each rate. */
#define CL_CHECK_SHARE    0.05
#define CL_CHECK_SLACK_US 1000

typedef struct cl_check_result {
    bool done;          /* measured to the end */
    bool ok;            /* done, and within the bounds */
    double rtt_us;      /* median; -1 = not measured, as in the next three */
    double first_us;    /* connect to first byte: the connect delay and a round trip */
    double rate_bps[2]; /* CL_UP, CL_DOWN */
    char note[320];     /* what was delivered against what was asked, or why it was not measured */
} cl_check_result;

typedef struct cl_check cl_check;

/** Starts to measure and returns at once; `done` is called from the loop when there is a result,
 * also after cl_check_cut. A client that comes to the link cuts it short. NF_EIO, NF_ENOMEM. */
nf_status cl_check_start(cl_check **out, cl_link *l, uv_loop_t *loop, void (*done)(void *user),
                         void *user, nf_error *err);

/** Ends it early; `why` is static text. */
void cl_check_cut(cl_check *c, const char *why);

/** What it found; before the end, done is false. */
const cl_check_result *cl_check_get(const cl_check *c);

/** Before the link; the loop must run once more. Accepts a pointer to NULL. */
void cl_check_destroy(cl_check **c);

#endif /* CL_LINK_CHECK_H */
