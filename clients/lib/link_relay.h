/* link_relay.h - an emulated network between two TCP addresses, in user space. Layer: clients.
 * Thread rule: the loop's thread only.
 *
 * What it models: half the round trip of delay each way, counted from when bytes arrive here; one
 * serial line per direction, shared by all connections, that never carries more than a piece of
 * about a millisecond at once; a bounded queue before it, which pushes back on the senders when
 * full; jitter and the stalls of lost segments, per connection (link_lane.h); one round trip for
 * the handshake of a new connection, which its client sees as a later first byte (its own connect
 * ends here, at once); outages. */
#ifndef CL_LINK_RELAY_H
#define CL_LINK_RELAY_H

#include "clients/lib/link_schedule.h"
#include "clients/lib/link_settings.h"

#include <uv.h>

typedef struct cl_link_spec {
    const char *listen, *to; /* "ADDR:PORT"; ":PORT" listens on every address */
    cl_link_settings shape;
    const char *congestion; /* TCP algorithm of its sockets; NULL or "": the host's own */
    uint64_t seed;          /* of jitter and loss: same seed, same bytes, same draws */
    bool tun;               /* packet-exact (link_tun.h); `listen` gives the port alone */
    bool reset_when_down;   /* an outage resets connections; else they stall */
} cl_link_spec;

typedef struct cl_link cl_link;

typedef struct cl_link_flow { /* one direction */
    uint64_t bytes;           /* delivered */
    uint64_t segments, lost;  /* of 1,448 bytes, counted while a loss is set; or packets */
    uint64_t dropped;         /* packets that met a full queue; with a TUN device alone */
    uint64_t stalls, stalled_us;
    uint64_t rate_bps; /* over the last second or more */
    uint64_t peak_bps; /* its best since the last probe began; with a TUN device alone */
    uint64_t waiting;  /* bytes in the queue */
} cl_link_flow;

typedef struct cl_link_state {
    bool up;
    uint64_t connections, open; /* since the start; now */
    uint64_t refused;           /* connections that `to` did not take */
    uint64_t outages;
    cl_link_flow flow[2]; /* CL_UP, CL_DOWN */
} cl_link_state;

enum { CL_UP, CL_DOWN }; /* direction; also which end sends: the near one, the far one */

/** Listens at once. `spec`'s texts are borrowed for the call. NF_EINVAL (addresses), NF_EIO
 * (address in use …), NF_EDENIED (no TUN device here), NF_ENOMEM. */
nf_status cl_link_create(cl_link **out, uv_loop_t *loop, const cl_link_spec *spec, nf_error *err);

/** Resets what is open; the loop must run once more. Accepts a pointer to NULL. */
void cl_link_destroy(cl_link **l);

/** false begins an outage, true ends it. Without change nothing happens. */
void cl_link_set_up(cl_link *l, bool up);

/** From now on the link goes up and down by `s`; an empty one ends that. NF_EIO, NF_ENOMEM. */
nf_status cl_link_set_schedule(cl_link *l, const cl_outages *s, nf_error *err);

/** Shapes the link anew, from now on. What is on its way comes as it was to. */
void cl_link_reshape(cl_link *l, const cl_link_settings *s);

void cl_link_state_get(cl_link *l, cl_link_state *out);

/** The spec it was made with and its settings now; its texts are its own copies, `listen` with the
 * true port. */
const cl_link_spec *cl_link_spec_of(const cl_link *l);

/** How often it was shaped or switched. */
uint64_t cl_link_changes(const cl_link *l);

/** Takes no more connections and resets those that are open. */
void cl_link_retire(cl_link *l);

/**
 * A second way in, for a look at the link itself: what connects to `*address` (which stays valid)
 * goes through the same line to 127.0.0.1:`port`, and is counted nowhere. `arrived` is called when
 * a client comes. NF_EIO, NF_ENOMEM.
 */
nf_status cl_link_probe_start(cl_link *l, unsigned port, const char **address,
                              void (*arrived)(void *user), void *user, nf_error *err);

/** Ends it; what it has on the line is taken off. */
void cl_link_probe_stop(cl_link *l);

#endif /* CL_LINK_RELAY_H */
