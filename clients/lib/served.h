/* served.h - what a server says of itself in the X-Nearfar-Served header. Layer: clients.
 * Thread rule: no shared state. */
#ifndef CL_SERVED_H
#define CL_SERVED_H

#include "engine/base/bytes.h"

typedef struct cl_served {
    bool known;
    char mode[16], model[64], version[24], precision[16]; /* "" = not said */
    uint64_t queue_us, compute_us;
} cl_served;

/** Reads "mode=edge; model=temp; version=1; precision=int8; queue_us=3; compute_us=1". Keys may
 * come in any order, unknown ones are passed over; known is false when `value` is empty. */
void cl_served_parse(cl_served *out, nf_span value);

#endif /* CL_SERVED_H */
