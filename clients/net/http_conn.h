/* http_conn.h - an HTTP/1.1 client connection: one exchange at a time, dialled when needed, kept
 * alive when possible, with a time stamp at every step. Layer: clients/net.
 * Thread rule: the loop's thread only.
 *
 * Lifetime rules
 * 1. cl_conn_send that fails never calls back; else `done` runs exactly once, from the loop,
 *    unless cl_conn_cancel or cl_conn_destroy came first.
 * 2. `done` may send again, cancel or destroy the same connection.
 * 3. The call's bytes are borrowed until `done`; the reply in the exchange until the next send.
 * 4. The loop must run once more after the last destroy, so that libuv can close what is open. */
#ifndef CL_HTTP_CONN_H
#define CL_HTTP_CONN_H

#include "clients/net/failure.h"
#include "clients/net/http_call.h"
#include "clients/net/http_reply.h"
#include "clients/net/http_url.h"
#include "clients/net/tcp_facts.h"

#include <uv.h>

typedef struct cl_limits {
    uint64_t connect_us;          /* name, connect and TLS together */
    uint64_t response_us;         /* from the first byte sent to the last received */
    size_t body_most;             /* bytes of a response's body */
    const char *congestion;       /* TCP algorithm; NULL or "": the host's own; borrowed */
    const struct cl_trust *trust; /* for https; NULL: the system's certificates; borrowed */
} cl_limits;

/* Monotonic nanoseconds. 0 = that step did not happen: no name to look up, connection reused. */
typedef struct cl_times {
    uint64_t start, resolved, connected;
    uint64_t secured; /* TLS handshake done */
    uint64_t sent;    /* sending begins */
    uint64_t written; /* the kernel has taken the last byte */
    uint64_t first, end;
} cl_times;

typedef struct cl_exchange {
    cl_failure failure;
    int status;      /* HTTP status, 0 when there was no answer */
    bool reused;     /* the connection was open already */
    const char *why; /* on a failure below HTTP, else NULL; valid until the next send */
    cl_times t;
    size_t up_app, up_total, down_app, down_total; /* bytes; app = bodies, total = with headers */
    const cl_reply *reply; /* borrowed; look at it only when status is not 0 */
} cl_exchange;

typedef struct cl_conn cl_conn;
typedef void (*cl_conn_done)(void *user, const cl_exchange *x);

/** A connection to the host of `url` (copied), not yet open. NF_ENOMEM. */
nf_status cl_conn_create(cl_conn **out, uv_loop_t *loop, const cl_url *url, const cl_limits *limits,
                         nf_error *err);

/** Closes without a callback; accepts a pointer to NULL. */
void cl_conn_destroy(cl_conn **c);

/** Starts one exchange. NF_EBUSY: one is under way; NF_ENOMEM, NF_EIO. */
nf_status cl_conn_send(cl_conn *c, const cl_call *call, cl_conn_done done, void *user,
                       nf_error *err);

/** Drops an exchange that is under way, without a callback, and the TCP connection. */
void cl_conn_cancel(cl_conn *c);

/** What the kernel knows of the open TCP connection; known is false when there is none. */
void cl_conn_facts(const cl_conn *c, cl_tcp_facts *out);

#endif /* CL_HTTP_CONN_H */
