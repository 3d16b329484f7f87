/* link_lane.h - what delays the bytes of one connection and direction beyond the wire: jitter, and
 * the stalls that lost segments cause. Bytes never overtake each other. Knows no socket and no
 * clock. Layer: clients. Thread rule: one owner. Times are monotonic nanoseconds.
 *
 * A proxy cannot lose bytes of a TCP stream, but it can give what a loss costs the receiver. Each
 * segment of 1,448 bytes is lost with probability p. Lost at time t, it and all behind it come at
 *     t + RTT                    three or more segments of the connection follow it on the wire:
 *                                they are the duplicate acknowledgements of a fast retransmission
 *                                (RFC 5681, section 3.2)
 *     t + max(200 ms, 1.5 RTT)   else: the sender's timer runs out. RFC 6298 waits for SRTT plus
 *                                four times its variation, which a steady link lets shrink; Linux
 *                                waits at least 200 ms (TCP_RTO_MIN)
 * A retransmission is lost with p as well: then that timer again, doubled each time (RFC 6298,
 * section 5.5). Losses of one flight are repaired side by side, as with SACK (RFC 2018): a segment
 * that comes during a stall and is fine waits for its end, no longer. What this does not give is
 * the smaller congestion window after a loss: the TUN backend does. */
#ifndef CL_LINK_LANE_H
#define CL_LINK_LANE_H

#include "clients/lib/link_wire.h"

#define CL_SEGMENT 1448u /* payload of one Ethernet frame over TCP with time stamps */

typedef struct cl_lane_rule {
    uint64_t jitter_ns; /* each chunk is delayed by 0 .. jitter_ns more, uniformly */
    uint64_t rtt_ns;
    double loss;
    uint64_t random; /* state of the generator: the seed at first */
    uint64_t segments, lost;
    uint64_t stalls, stalled_ns; /* losses that held bytes back, and for how long together */
} cl_lane_rule;

typedef struct cl_lane {
    cl_chunk *head, *tail;
    uint64_t last_ns; /* nothing comes out before it */
} cl_lane;

/** Puts in a chunk that left the wire at `at`; `following`: segments of the same connection that
 * are on the wire behind it. Takes `c`. */
void cl_lane_put(cl_lane *l, cl_lane_rule *r, cl_chunk *c, uint64_t at, size_t following);

/** The first chunk if it is due, else NULL; nf_free it. */
cl_chunk *cl_lane_take(cl_lane *l, uint64_t now);

/** When the next chunk is due; CL_NEVER when empty. */
uint64_t cl_lane_next(const cl_lane *l);

/** Everything comes out that much later. */
void cl_lane_shift(cl_lane *l, uint64_t by);

void cl_lane_fini(cl_lane *l);

#endif /* CL_LINK_LANE_H */
