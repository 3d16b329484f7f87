/* link_wire.h - one direction of an emulated link: bytes go in, wait their turn at the link's
 * rate, travel for its delay, and come out in order. Knows no socket and no clock.
 * Layer: clients. Thread rule: one owner. Times are monotonic nanoseconds. */
#ifndef CL_LINK_WIRE_H
#define CL_LINK_WIRE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define CL_NEVER UINT64_MAX

typedef struct cl_chunk {
    struct cl_chunk *next;
    void *owner;      /* whose bytes; NULL: forgotten meanwhile */
    uint64_t due_ns;  /* when it comes out */
    uint64_t left_ns; /* when its last bit is on the line: due but for the delay */
    size_t len;       /* 0: a mark (end of stream, or an event) */
    uint8_t data[];
} cl_chunk;

/* All connections of a direction share one wire, and so one rate. */
typedef struct cl_wire {
    uint64_t delay_ns;
    uint64_t rate_bps; /* bit/s; 0 = unlimited */
    uint64_t free_ns;  /* when the last byte put in so far will have left */
    cl_chunk *head, *tail;
    uint64_t carried; /* bytes that came out */
} cl_wire;

/** Puts bytes in at `now`, cut so that a piece takes about a millisecond to send; an empty range
 * puts one mark. `now` must not go back. NF_ENOMEM: nothing, or a part from the front, was put. */
nf_status cl_wire_put(cl_wire *w, void *owner, nf_bytes bytes, uint64_t now, nf_error *err);

/** Puts bytes in as one piece of any length: a packet. */
nf_status cl_wire_put_whole(cl_wire *w, void *owner, nf_bytes bytes, uint64_t now, nf_error *err);

/** Gives the wire another rate and delay. What waits is laid out anew, what is on its way comes as
 * it was to; nothing overtakes. */
void cl_wire_reshape(cl_wire *w, uint64_t rate_bps, uint64_t delay_ns, uint64_t now);

/** Segments of 1,448 bytes that `owner` has in the wire, counted up to `most`. */
size_t cl_wire_behind(const cl_wire *w, const void *owner, size_t most);

/** The first chunk that is due and still has an owner, else NULL; nf_free it. */
cl_chunk *cl_wire_take(cl_wire *w, uint64_t now);

/** When the next chunk is due; CL_NEVER when empty. */
uint64_t cl_wire_next(const cl_wire *w);

/** Bytes that wait for their turn at `now`; 0 on an unlimited wire. */
uint64_t cl_wire_waiting(const cl_wire *w, uint64_t now);

/** When no more than `bytes` will wait. */
uint64_t cl_wire_drained_at(const cl_wire *w, uint64_t bytes);

/** An outage of `by` nanoseconds: everything comes out that much later. */
void cl_wire_shift(cl_wire *w, uint64_t by);

/** What `owner` has in the wire will not come out. */
void cl_wire_forget(cl_wire *w, const void *owner);

void cl_wire_fini(cl_wire *w);

#endif /* CL_LINK_WIRE_H */
