/* link_settings.h - what a link is told: one table for options, profiles and the control port.
 * Layer: clients. Thread rule: no shared state. */
#ifndef CL_LINK_SETTINGS_H
#define CL_LINK_SETTINGS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <jansson.h>

typedef struct cl_link_settings {
    int64_t rtt_us;           /* added round trip; 0 = none */
    int64_t jitter_us;        /* the round trip varies by as much to either side */
    int64_t connect_us;       /* delay of a new connection; CL_CONNECT_RTT = one round trip */
    int64_t up_bps, down_bps; /* bit/s; 0 = unlimited */
    double loss;              /* share of 1,448-byte segments lost each way, 0 .. 0.5 */
    int64_t queue_bytes;      /* may wait in one direction, all connections together */
    int64_t queue_us;         /* the same as a time at the rate; 0 = queue_bytes counts */
} cl_link_settings;

#define CL_CONNECT_RTT (-1)
#define CL_QUEUE_BYTES 262144
#define CL_QUEUE_LEAST 4096

/** Unshaped. */
cl_link_settings cl_settings_default(void);

/** Sets one from an option: "rtt", "jitter", "connect-delay", "up", "down", "loss", "queue".
 * NF_EINVAL: err->where names it. */
nf_status cl_settings_option(cl_link_settings *s, const char *name, const char *text,
                             nf_error *err);

typedef enum cl_settings_use {
    CL_SETTINGS_LINK,   /* the control port: everything */
    CL_SETTINGS_PROFILE /* a profile: round trip, rates, and a loss of up to 1 */
} cl_settings_use;

/** Sets what the object holds: rtt_us, jitter_us, connect_delay_us, up_bps, down_bps, loss,
 * queue_bytes, queue_us as numbers, or as the option's text ("60ms"). All or nothing. NF_EINVAL:
 * err->where names the field. */
nf_status cl_settings_from_json(cl_link_settings *s, json_t *object, cl_settings_use use,
                                nf_error *err);

/** Adds the same fields to an object. 0, or -1 without memory. */
int cl_settings_to_json(const cl_link_settings *s, json_t *object);

typedef struct cl_link_delay {    /* of one direction */
    uint64_t fixed_ns, jitter_ns; /* each piece takes fixed .. fixed + jitter, uniformly */
} cl_link_delay;

/** Half the round trip, give or take half the jitter; cut where that would fall below zero. */
cl_link_delay cl_settings_delay(const cl_link_settings *s, bool up);

/** Bytes that may wait in a direction of that rate. */
uint64_t cl_settings_queue(const cl_link_settings *s, int64_t bps);

/** "rtt 60 ms, up 12 Mbit/s, down unshaped, loss 1 %", for people. `to` is returned. */
const char *cl_settings_text(char *to, size_t room, const cl_link_settings *s);

#endif /* CL_LINK_SETTINGS_H */
