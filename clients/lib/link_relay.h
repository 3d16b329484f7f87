/* link_relay.h - an emulated network between two TCP addresses, in user space. Layer: clients.
 * Thread rule: the loop's thread only.
 *
 * What it models: half the round trip of delay each way, counted from when bytes arrive here; one
 * serial line per direction, shared by all connections; a bounded queue before it, which pushes
 * back on the senders when full; one round trip for the handshake of a new connection, which its
 * client sees as a later first byte (its own connect ends here, at once); outages. */
#ifndef CL_LINK_RELAY_H
#define CL_LINK_RELAY_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct cl_link_spec {
    const char *listen, *to;  /* "ADDR:PORT"; ":PORT" listens on every address */
    int64_t rtt_us;           /* 0 = no delay */
    int64_t up_bps, down_bps; /* bit/s; 0 = unlimited */
    int64_t queue_bytes;      /* waiting in one direction, all connections together */
    bool reset_when_down;     /* an outage resets connections; else they stall */
} cl_link_spec;

typedef struct cl_link cl_link;

typedef struct cl_link_state {
    bool up;
    uint64_t connections, open;    /* since the start; now */
    uint64_t bytes_up, bytes_down; /* delivered */
    uint64_t refused;              /* connections that `to` did not take */
    uint64_t outages;
} cl_link_state;

/** Listens at once. `spec`'s texts are borrowed for the call. NF_EINVAL (addresses), NF_EIO
 * (address in use …), NF_ENOMEM. */
nf_status cl_link_create(cl_link **out, uv_loop_t *loop, const cl_link_spec *spec, nf_error *err);

/** Resets what is open; the loop must run once more. Accepts a pointer to NULL. */
void cl_link_destroy(cl_link **l);

/** false begins an outage, true ends it. Without change nothing happens. */
void cl_link_set_up(cl_link *l, bool up);

void cl_link_state_get(const cl_link *l, cl_link_state *out);

/** The spec it was made with; its texts are its own copies, `listen` with the true port. */
const cl_link_spec *cl_link_spec_of(const cl_link *l);

#endif /* CL_LINK_RELAY_H */
