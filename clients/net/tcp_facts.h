/* tcp_facts.h - what the kernel knows of a connection. Layer: clients/net. Thread rule: the loop's
 * thread. Source: Linux tcp(7), TCP_INFO. */
#ifndef CL_TCP_FACTS_H
#define CL_TCP_FACTS_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cl_tcp_facts {
    bool known;                                 /* false: the rest means nothing */
    uint32_t rtt_us, rtt_min_us;                /* smoothed and least round trip */
    uint64_t bytes_up, bytes_down, bytes_again; /* TCP payload; sent a second time */
    uint32_t segments_up;
    char congestion[16]; /* "cubic", "bbr" … */
} cl_tcp_facts;

/** Facts of the socket `fd`; known stays false when the kernel does not tell. */
void cl_tcp_facts_get(cl_tcp_facts *out, int fd);

/** Sets the congestion control algorithm of the socket `fd`; 0, or a negative errno. */
int cl_congestion_set(int fd, const char *name);

/** NF_OK when this host offers the algorithm; else NF_EUNSUPPORTED, and the text names those it
 * offers. NF_EIO: no socket. */
nf_status cl_congestion_check(const char *name, nf_error *err);

#endif /* CL_TCP_FACTS_H */
