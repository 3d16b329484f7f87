/* transport.h - the client's loop, its signals, and one call at a time for what need not overlap.
 * Layer: clients. Thread rule: one thread. */
#ifndef CL_TRANSPORT_H
#define CL_TRANSPORT_H

#include "clients/net/http_conn.h"

#include <uv.h>

typedef struct cl_client {
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    bool stopped; /* Ctrl-C or SIGTERM came: finish and report what there is */
} cl_client;

/** Opens the loop and takes over SIGINT and SIGTERM; a second one kills as usual. NF_EIO. */
nf_status cl_client_init(cl_client *c, nf_error *err);

/** Closes everything that is still on the loop. */
void cl_client_fini(cl_client *c);

/**
 * One exchange, start to end. *out holds it; its reply is borrowed until the next send on `conn`.
 * NF_OK also for exchanges that failed (look at out->failure); NF_ETIMEOUT: interrupted by a
 * signal, *out is empty; NF_ENOMEM, NF_EIO: it could not be started.
 */
nf_status cl_call_once(cl_client *c, cl_conn *conn, const cl_call *call, cl_exchange *out,
                       nf_error *err);

#endif /* CL_TRANSPORT_H */
