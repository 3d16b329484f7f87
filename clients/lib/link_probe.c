/* link_probe.c - round trips and rates, with blocking calls. Layer: clients. Thread rule: one
 * thread. */
#include "clients/lib/link_probe.h"

#include "engine/base/clock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_NS   10000000000u
#define SLICE_MS      20          /* between looks at `stop` */
#define TRIPS_NS      1500000000u /* no further trip begins after it */
#define TRIPS_LEAST   2
#define PIECES_LEAST  8 /* reads that a rate is made of */
#define WRITE_AT_ONCE 16384

/* Waits until one of the n is ready. False: stopped, or nothing came. */
static bool ready(cl_probe *p, struct pollfd *fds, nfds_t n)
{
    const uint64_t until = nf_now_ns() + PATIENCE_NS;
    while (!p->stop && nf_now_ns() < until) {
        const int got = poll(fds, n, SLICE_MS);
        if (got > 0) return true;
        if (got < 0 && errno != EINTR) return false;
    }
    return false;
}

static bool ready_one(cl_probe *p, int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    return ready(p, &one, 1);
}

/* One byte from one socket to the other. */
static bool pass_byte(cl_probe *p, int from, int to)
{
    char b = 'x';
    return send(from, &b, 1, MSG_NOSIGNAL) == 1 && ready_one(p, to, POLLIN) &&
           recv(to, &b, 1, 0) == 1;
}

static bool round_trip(cl_probe *p, int near_fd, int far_fd)
{
    return pass_byte(p, near_fd, far_fd) && pass_byte(p, far_fd, near_fd);
}

static int open_near(cl_probe *p)
{
    const int on = 1;
    int bad = 0;
    socklen_t len = sizeof(bad);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const int code = connect(fd, (const struct sockaddr *)&p->to, sizeof(p->to));
    if ((code == 0 || errno == EINPROGRESS) && ready_one(p, fd, POLLOUT) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &len) == 0 && !bad)
        return fd;
    close(fd);
    return -1;
}

/* The handshake of the far side begins when the link lets it. */
static int open_far(cl_probe *p)
{
    const int on = 1;
    const int fd = ready_one(p, p->listen_fd, POLLIN)
                       ? accept4(p->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
                       : -1;
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static bool measure_trips(cl_probe *p, int near_fd, int far_fd)
{
    const uint64_t since = nf_now_ns();
    while (p->trips < CL_PROBE_TRIPS &&
           (p->trips < TRIPS_LEAST || nf_now_ns() - since < TRIPS_NS)) {
        const uint64_t start = nf_now_ns();
        if (!round_trip(p, near_fd, far_fd)) return false;
        p->trip_ns[p->trips++] = (int64_t)(nf_now_ns() - start);
    }
    return true;
}

/* Fills the line in one direction. The first read starts the clock and does not count: what came
 * after it took exactly the time since. */
static bool measure_rate(cl_probe *p, double *bps, int from, int to)
{
    static const char zeros[WRITE_AT_ONCE];
    char in[65536];
    uint64_t begun_ns = 0, first_ns = 0, last_ns = 0, bytes = 0;
    for (unsigned reads = 0;;) {
        struct pollfd fds[] = {{from, POLLOUT, 0}, {to, POLLIN, 0}};
        if (!ready(p, fds, 2)) return false;
        if ((fds[0].revents & POLLOUT) && send(from, zeros, sizeof(zeros), MSG_NOSIGNAL) < 0 &&
            errno != EAGAIN)
            return false;
        if (!fds[1].revents) {
            if (fds[0].revents & POLLOUT) continue;
            return false; /* the sending end broke */
        }
        const ssize_t n = recv(to, in, sizeof(in), 0);
        if (n <= 0) return false;
        last_ns = nf_now_ns();
        if (!begun_ns) begun_ns = last_ns;
        if (last_ns - begun_ns >= (uint64_t)p->skip_us * 1000) reads++;
        if (reads > 1)
            bytes += (uint64_t)n;
        else
            first_ns = last_ns; /* the start, or a slow start that does not count */
        if (reads > PIECES_LEAST && last_ns - first_ns >= (uint64_t)p->rate_us * 1000) break;
    }
    *bps = (double)bytes * 8e9 / (double)(last_ns - first_ns);
    return true;
}

bool cl_probe_run(cl_probe *p)
{
    const uint64_t start = nf_now_ns();
    bool fine = false;
    char b = 'x';
    int far_fd = -1;
    const int near_fd = open_near(p);
    if (near_fd < 0 || send(near_fd, &b, 1, MSG_NOSIGNAL) != 1) goto done;
    if ((far_fd = open_far(p)) < 0) goto done;
    if (!ready_one(p, far_fd, POLLIN) || recv(far_fd, &b, 1, 0) != 1) goto done;
    if (!pass_byte(p, far_fd, near_fd)) goto done;
    p->first_ns = (int64_t)(nf_now_ns() - start);
    fine = measure_trips(p, near_fd, far_fd) && measure_rate(p, &p->rate_bps[0], near_fd, far_fd) &&
           measure_rate(p, &p->rate_bps[1], far_fd, near_fd);
done:
    if (near_fd >= 0) close(near_fd);
    if (far_fd >= 0) close(far_fd);
    return fine;
}
