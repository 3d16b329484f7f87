/* tcp_facts.c - getsockopt(TCP_INFO). Layer: clients/net. Thread rule: no shared state.
 * linux/tcp.h and not netinet/tcp.h: the C library's copy of the struct ends before the byte
 * counts. The kernel fills as much as it knows; what it lacks stays zero. */
#include "clients/net/tcp_facts.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define AVAILABLE "/proc/sys/net/ipv4/tcp_available_congestion_control"

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

int cl_congestion_set(int fd, const char *name)
{
    const int code = setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
    return code ? -errno : 0;
}

/* What the kernel offers, a line of names; "" when it does not say. */
static void read_offer(char *to, size_t room)
{
    const int fd = open(AVAILABLE, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, to, room - 1);
    to[n > 0 ? n : 0] = '\0';
    to[strcspn(to, "\n")] = '\0';
    if (fd >= 0) close(fd);
}

nf_status cl_congestion_check(const char *name, nf_error *err)
{
    char offer[256];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return nf_fail(err, NF_EIO, "congestion", "no socket: errno %d", errno);
    const int code = cl_congestion_set(fd, name);
    close(fd);
    if (!code) return NF_OK;
    read_offer(offer, sizeof(offer));
    return nf_fail(err, NF_EUNSUPPORTED, "congestion",
                   "'%.15s' is not offered here (errno %d); there are: %s", name, -code, offer);
}
