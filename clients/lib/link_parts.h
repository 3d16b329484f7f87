/* link_parts.h - what the files of the relay share. Layer: clients, private to link_*.c.
 *
 * link_relay.c   the link: listener, timer, settings
 * link_outage.c  up and down, by hand and by schedule
 * link_tunnel.c  one relayed connection
 * link_wire.c    rate and delay of a direction
 * link_lane.c    jitter and stalls of a connection */
#ifndef CL_LINK_PARTS_H
#define CL_LINK_PARTS_H

#include "clients/lib/link_lane.h"
#include "clients/lib/link_relay.h"
#include "clients/lib/link_tun.h"
#include "clients/lib/link_wire.h"
#include "clients/lib/listener.h"
#include "clients/net/dial.h"
#include "clients/net/http_url.h"

/* What may be on its way or unwritten of one connection and direction: above the bandwidth-delay
 * product of 100 Mbit/s and 300 ms. */
#define CL_TUNNEL_MOST (4u << 20)

typedef struct cl_tunnel {
    cl_link *link;
    struct cl_tunnel *prev, *next;
    cl_sock *end[2]; /* near: who connected to us; far: where we connected to */
    cl_dial *dial;
    cl_lane lane[2];
    size_t queued[2]; /* bytes read from that end and not yet written to the other */
    bool reading[2];  /* the socket is being read */
    bool ended[2];    /* that end has sent its last byte */
    bool shut[2];     /* ... and the other end has been told */
    bool begun;       /* handshake under way or done; false while it waits for the link */
    bool handshaken;  /* one round trip has passed: the near end may speak */
    bool probe;       /* the link's look at itself: leads elsewhere, counts nowhere */
} cl_tunnel;

typedef struct cl_meter { /* bytes a second over the last window of at least one */
    uint64_t since_ns, bytes, rate_bps;
} cl_meter;

struct cl_link {
    uv_loop_t *loop;
    cl_link_spec spec;
    char to_text[300], congestion[16];
    cl_url to, probe_to;
    cl_listener listener, probe;
    void (*arrived)(void *user); /* told of clients while there is a probe */
    void *arrived_user;
    uv_poll_t *alarm;     /* on the heap: outlives the link until the loop has closed it */
    int alarm_fd;         /* timerfd: libuv's own timers are whole milliseconds */
    uv_timer_t *switcher; /* on the heap too: the schedule's next change */
    cl_outages schedule;
    uint64_t schedule_ns; /* when it began */
    cl_tun *tun;          /* NULL, or it shapes and the relay behind it does not */
    char outer[32];       /* where clients find the device */
    char outer_probe[32];
    cl_wire wire[2];
    cl_lane_rule rule[2];
    cl_meter meter[2];
    uint64_t probed[2];        /* bytes of probes */
    cl_wire dialling, shaking; /* marks: half a handshake, a whole one after accept */
    cl_tunnel *tunnels;
    cl_link_state state;
    uint64_t changes;
    uint64_t down_since_ns;
    char scratch[64 << 10]; /* reads land here and are copied into the wire */
};

/** A connection that was accepted: begins the handshake when the link is up. Takes `near`. */
void cl_tunnel_open(cl_link *l, cl_sock *near_end, bool probe);

/** Starts the handshake of a connection that waited for the link. */
void cl_tunnel_begin(cl_tunnel *t);

/** Half a round trip has passed: connect to the far side. */
void cl_tunnel_dial(cl_tunnel *t);

/** A whole round trip has passed. */
void cl_tunnel_shaken(cl_tunnel *t);

/** Hands a chunk that came out of the lane to the other end. Takes `c`. False: the tunnel is
 * gone. */
bool cl_tunnel_deliver(cl_tunnel *t, int direction, cl_chunk *c);

/** Reads from the ends that may be read now, and from no other. */
void cl_tunnel_refresh(cl_tunnel *t);

/** Ends both connections with a reset and frees the tunnel. */
void cl_tunnel_reset(cl_tunnel *t);

/** Bytes that may wait in that direction. */
uint64_t cl_link_queue(const cl_link *l, int direction);

/** Moves the alarm to the next thing that is due; after every change of a wire. */
void cl_link_rearm(cl_link *l);

/** Resets every tunnel. */
void cl_link_reset_all(cl_link *l);

/** Closes the schedule's timer. */
void cl_link_unschedule(cl_link *l);

#endif /* CL_LINK_PARTS_H */
