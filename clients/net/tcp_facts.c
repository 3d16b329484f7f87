/* tcp_facts.c - getsockopt(TCP_INFO). Layer: clients/net. Thread rule: no shared state.
 * linux/tcp.h and not netinet/tcp.h: the C library's copy of the struct ends before the byte
 * counts. The kernel fills as much as it knows; what it lacks stays zero. */
#include "clients/net/tcp_facts.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

void cl_tcp_facts_get(cl_tcp_facts *out, int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    socklen_t name_len = sizeof(out->congestion) - 1;

    memset(&info, 0, sizeof(info));
    memset(out, 0, sizeof(*out));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len)) return;
    out->known = true;
    out->rtt_us = info.tcpi_rtt;
    out->rtt_min_us = info.tcpi_min_rtt == UINT32_MAX ? info.tcpi_rtt : info.tcpi_min_rtt;
    out->bytes_up = info.tcpi_bytes_sent;
    out->bytes_down = info.tcpi_bytes_received;
    out->bytes_again = info.tcpi_bytes_retrans;
    out->segments_up = info.tcpi_segs_out;
    if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out->congestion, &name_len))
        out->congestion[0] = '\0';
}
