/* link_control.h - the small HTTP API that reads and switches a link. Layer: clients.
 * Thread rule: the loop's thread only.
 *
 *   GET  /v1/link                  its state as JSON
 *   POST /v1/link {"up":false}     begins an outage; {"up":true} ends it; answers the state
 *   POST /v1/link {"rtt_us":60000,"up_bps":"12mbit"}   changes settings; all of them or none
 *   POST /v1/link {"schedule":"10s up,30s down"}       begins a schedule of outages
 *
 * A field that is unknown or out of range is named in the answer (400).
 * One request a connection. Requests that a web page sent (Origin header) are refused. */
#ifndef CL_LINK_CONTROL_H
#define CL_LINK_CONTROL_H

#include "clients/lib/link_check.h"

typedef struct cl_control cl_control;

/** Listens on `where` ("ADDR:PORT", ":PORT", "PORT" on 127.0.0.1). NF_EINVAL, NF_EIO, NF_ENOMEM. */
nf_status cl_control_create(cl_control **out, cl_link *link, uv_loop_t *loop, const char *where,
                            nf_error *err);

/** From now on its state shows `r`, which stays the caller's and must outlive it. */
void cl_control_show_check(cl_control *c, const cl_check_result *r);

/** Before the link; the loop must run once more. Accepts a pointer to NULL. */
void cl_control_destroy(cl_control **c);

/** "ADDR:PORT" it listens on. */
const char *cl_control_address(const cl_control *c);

#endif /* CL_LINK_CONTROL_H */
