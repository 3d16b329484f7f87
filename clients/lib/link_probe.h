/* link_probe.h - measures round trip and rates between two sockets of its own. Layer: clients.
 * Thread rule: cl_probe_run may run on any one thread; `stop` may be set from another. */
#ifndef CL_LINK_PROBE_H
#define CL_LINK_PROBE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CL_PROBE_TRIPS 20

typedef struct cl_probe {
    int listen_fd;         /* in: what goes through comes here */
    struct sockaddr_in to; /* in: where to connect */
    int64_t rate_us;       /* in: how long each direction is filled, after its first byte */
    int64_t skip_us;       /* in: what comes in that time after it does not count */
    atomic_bool stop;      /* set: it ends soon */
    int64_t first_ns;      /* connect to first byte; 0 = not measured */
    int64_t trip_ns[CL_PROBE_TRIPS];
    unsigned trips;
    double rate_bps[2]; /* there, back; 0 = not measured */
} cl_probe;

/** Measures. False: stopped, a connection ended, or nothing came for ten seconds; what was
 * measured until then stays. */
bool cl_probe_run(cl_probe *p);

#endif /* CL_LINK_PROBE_H */
