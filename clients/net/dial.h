/* dial.h - TCP sockets that free themselves, and getting one connected. Layer: clients/net.
 * Thread rule: the loop's thread only.
 *
 * Lifetime rules
 * 1. A cl_sock lives on the heap until libuv has closed it; its owner only forgets it.
 * 2. After cl_sock_drop no callback finds the owner any more: sock->owner is NULL.
 * 3. When cl_dial_start fails its callback never runs; else it runs exactly once, later, unless
 *    cl_dial_cancel came first. */
#ifndef CL_DIAL_H
#define CL_DIAL_H

#include "clients/net/failure.h"
#include "engine/base/err.h"

#include <uv.h>

typedef struct cl_sock {
    uv_tcp_t tcp; /* first member: the handle's address is the socket's */
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    void *owner; /* NULL once dropped */
} cl_sock;

/** A socket on `loop`, not connected; NULL when there is no memory. */
cl_sock *cl_sock_create(uv_loop_t *loop, void *owner);

/** Closes and forgets; accepts a pointer to NULL. Memory goes when the loop has closed it. */
void cl_sock_drop(cl_sock **s);

/** The same with a TCP reset instead of an orderly end. */
void cl_sock_reset(cl_sock **s);

typedef struct cl_dial cl_dial;

typedef struct cl_dialed {
    cl_sock *sock; /* taken by the callback; NULL on failure */
    cl_failure failure;
    const char *why;                    /* static text on failure */
    uint64_t resolved_ns, connected_ns; /* monotonic; resolved 0 when the host was an address */
} cl_dialed;

typedef void (*cl_dial_done)(void *user, const cl_dialed *d);

typedef struct cl_dial_spec {
    const char *host, *port; /* borrowed for the call */
    uint64_t timeout_us;     /* name and connect together */
    cl_dial_done done;
    void *user;
    const char *congestion; /* TCP algorithm; NULL or "": the host's own. Must outlive the dial */
} cl_dial_spec;

/** Looks the name up and connects to its addresses in turn. NF_ENOMEM, NF_EIO. */
nf_status cl_dial_start(cl_dial **out, uv_loop_t *loop, const cl_dial_spec *spec, nf_error *err);

/** Gives up without a callback; accepts a pointer to NULL. */
void cl_dial_cancel(cl_dial **d);

#endif /* CL_DIAL_H */
