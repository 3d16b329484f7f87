/* listener.h - a listening TCP socket that frees itself. Layer: clients. Thread rule: the loop's
 * thread only. */
#ifndef CL_LISTENER_H
#define CL_LISTENER_H

#include "clients/net/dial.h"

typedef void (*cl_accepted)(void *user, cl_sock *sock /* taken */);

typedef struct cl_listener {
    uv_tcp_t *tcp; /* on the heap until the loop has closed it */
    cl_accepted accepted;
    void *user;
    const char *congestion; /* of what it accepts; NULL or "": the host's own */
    char address[80];       /* "ADDR:PORT" it listens on, with the true port */
} cl_listener;

/** Listens on "ADDR:PORT", ":PORT" (every address) or "PORT" (127.0.0.1). `l` must stay where it is
 * until cl_listener_stop. NF_EINVAL, NF_EIO, NF_ENOMEM. */
nf_status cl_listener_start(cl_listener *l, uv_loop_t *loop, const char *where, nf_error *err);

void cl_listener_stop(cl_listener *l);

#endif /* CL_LISTENER_H */
