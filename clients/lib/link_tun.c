/* link_tun.c - the device, and the packets through it. Layer: clients. Thread rule: the loop's
 * thread only. */
#include "clients/lib/link_tun.h"

#include "clients/lib/alarm.h"
#include "clients/lib/link_lane.h"
#include "clients/lib/stats.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE       "nearfar%d" /* the kernel puts the first free number */
#define DEVICES_MOST 256
#define PACKET_MOST  2048 /* the device's MTU is 1,500 */
#define AT_ONCE      64   /* packets read before others of the loop have their turn */

typedef struct line { /* one direction */
    cl_wire wire;
    cl_lane lane;
    cl_lane_rule rule; /* jitter alone; the loss is drawn here, where packets can really go */
    uint64_t queue, random;
    uint64_t packets, lost, dropped, bytes;
    uint64_t all_bytes;                       /* the probe's too */
    uint64_t since_ns, since_bytes, rate_bps; /* of the last window of at least a second */
    uint64_t peak_bps;                        /* of all windows since the probe began */
} line;

struct cl_tun {
    int fd;
    uv_poll_t *watch; /* on the heap until the loop has closed it */
    cl_alarm *alarm;
    char inner[16], outer[16];
    unsigned port[CL_TUN_PORTS];
    char owner[CL_TUN_PORTS]; /* their addresses say whose a packet is */
    line line[2];
    double loss;
    bool up;
    uint8_t packet[PACKET_MOST];
};

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool is_port(const cl_tun *t, int which, const uint8_t *p)
{
    return t->port[which] && get16(p) == t->port[which];
}

typedef struct way {
    int direction; /* -1: not served */
    int which;
} way;

/* Which way an IPv4 packet goes: TCP and UDP by the ports, ICMP by question and answer. */
static way find_way(const cl_tun *t, const uint8_t *p, size_t len)
{
    const way none = {-1, 0};
    if (len < 20 || p[0] >> 4 != 4) return none;
    const size_t head = (size_t)(p[0] & 15) * 4;
    if (head < 20 || len < head + 8) return none;
    if (p[9] == IPPROTO_ICMP)
        return (way){p[head] == 8 ? CL_UP : p[head] == 0 ? CL_DOWN : -1, CL_TUN_CLIENTS};
    if (p[9] != IPPROTO_TCP && p[9] != IPPROTO_UDP) return none;
    for (int w = 0; w < CL_TUN_PORTS; w++) {
        if (is_port(t, w, p + head + 2)) return (way){CL_UP, w};
        if (is_port(t, w, p + head)) return (way){CL_DOWN, w};
    }
    return none;
}

static void exchange_addresses(uint8_t *p)
{
    uint8_t source[4];
    memcpy(source, p + 12, 4);
    memcpy(p + 12, p + 16, 4);
    memcpy(p + 16, source, 4);
}

/* A packet that the host sent: lost, dropped, or put on the line. */
static void take_packet(cl_tun *t, size_t len, uint64_t now)
{
    const way w = find_way(t, t->packet, len);
    if (w.direction < 0 || !t->up) return;
    line *l = &t->line[w.direction];
    const bool counted = w.which == CL_TUN_CLIENTS;
    l->packets += counted;
    if (t->loss > 0 && cl_random_unit(&l->random) < t->loss) {
        l->lost += counted;
        return;
    }
    if (cl_wire_waiting(&l->wire, now) + len > l->queue) {
        l->dropped += counted;
        return;
    }
    exchange_addresses(t->packet);
    if (cl_wire_put_whole(&l->wire, &t->owner[w.which], (nf_bytes){t->packet, len}, now, NULL))
        l->dropped += counted;
}

static void meter(line *l, uint64_t now)
{
    if (now - l->since_ns < 1000000000u) return;
    l->rate_bps =
        (uint64_t)((double)(l->all_bytes - l->since_bytes) * 8e9 / (double)(now - l->since_ns));
    l->since_bytes = l->all_bytes;
    l->since_ns = now;
    if (l->rate_bps > l->peak_bps) l->peak_bps = l->rate_bps;
}

/* Gives the host what is due. A write that fails is a packet lost; TCP sends it again. */
static void give_packets(cl_tun *t, uint64_t now)
{
    cl_chunk *c;
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        line *l = &t->line[d];
        while ((c = cl_wire_take(&l->wire, now)))
            cl_lane_put(&l->lane, &l->rule, c, c->due_ns, 0);
        while ((c = cl_lane_take(&l->lane, now))) {
            const bool counted = c->owner == &t->owner[CL_TUN_CLIENTS];
            if (write(t->fd, c->data, c->len) == (ssize_t)c->len) {
                l->bytes += counted ? c->len : 0;
                l->all_bytes += c->len;
            } else {
                l->dropped += counted;
            }
            nf_free(c);
        }
        meter(l, now);
    }
}

static void rearm(cl_tun *t)
{
    uint64_t next = CL_NEVER;
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        const uint64_t wire = cl_wire_next(&t->line[d].wire), lane = cl_lane_next(&t->line[d].lane);
        if (wire < next) next = wire;
        if (lane < next) next = lane;
    }
    if (next != CL_NEVER) cl_alarm_set(t->alarm, next);
}

static void on_alarm(void *user)
{
    cl_tun *t = user;
    give_packets(t, nf_now_ns());
    rearm(t);
}

static void on_packets(uv_poll_t *p, int status, int events)
{
    cl_tun *t = p->data;
    ssize_t n;
    (void)status;
    (void)events;
    for (int i = 0; i < AT_ONCE && (n = read(t->fd, t->packet, sizeof(t->packet))) > 0; i++)
        take_packet(t, (size_t)n, nf_now_ns());
    on_alarm(t);
}

static nf_status denied(const char *what, int code, nf_error *err)
{
    return nf_fail(err, NF_EDENIED, "--backend tun",
                   "%s: %s; it needs root or CAP_NET_ADMIN, and /dev/net/tun (in a container "
                   "--cap-add NET_ADMIN --device /dev/net/tun); --backend proxy needs neither",
                   what, strerror(code));
}

/* Gives the device 10.77.N.1/30 and switches it on. */
static int configure(cl_tun *t, struct ifreq *req)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct in_addr mask;
    const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) return errno;
    inet_pton(AF_INET, t->inner, &at.sin_addr);
    memcpy(&req->ifr_addr, &at, sizeof(at));
    int code = ioctl(s, SIOCSIFADDR, req) ? errno : 0;
    inet_pton(AF_INET, "255.255.255.252", &mask);
    at.sin_addr = mask;
    memcpy(&req->ifr_netmask, &at, sizeof(at));
    if (!code && ioctl(s, SIOCSIFNETMASK, req)) code = errno;
    req->ifr_flags = IFF_UP | IFF_RUNNING;
    if (!code && ioctl(s, SIOCSIFFLAGS, req)) code = errno;
    close(s);
    return code;
}

static nf_status open_device(cl_tun *t, nf_error *err)
{
    struct ifreq req = {.ifr_name = DEVICE, .ifr_flags = IFF_TUN | IFF_NO_PI};
    t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0) return denied("/dev/net/tun cannot be opened", errno, err);
    if (ioctl(t->fd, TUNSETIFF, &req)) return denied("no device can be made", errno, err);
    const long n = strtol(req.ifr_name + strlen(DEVICE) - 2, NULL, 10);
    if (n >= DEVICES_MOST) return nf_fail(err, NF_EIO, req.ifr_name, "too many devices");
    snprintf(t->inner, sizeof(t->inner), "10.77.%u.1", (unsigned)n & 255u);
    snprintf(t->outer, sizeof(t->outer), "10.77.%u.2", (unsigned)n & 255u);
    const int code = configure(t, &req);
    return code ? denied("the device cannot be configured", code, err) : NF_OK;
}

static nf_status watch(cl_tun *t, uv_loop_t *loop, nf_error *err)
{
    nf_status st;
    if ((st = cl_alarm_open(&t->alarm, loop, on_alarm, t, err))) return st;
    t->watch = nf_alloc(sizeof(*t->watch), NF_MEM_CLIENT);
    if (!t->watch) return nf_fail(err, NF_ENOMEM, "--backend tun", "no memory");
    if (uv_poll_init(loop, t->watch, t->fd)) {
        nf_free(t->watch);
        t->watch = NULL;
        return nf_fail(err, NF_EIO, "--backend tun", "the device cannot be watched");
    }
    t->watch->data = t;
    uv_poll_start(t->watch, UV_READABLE, on_packets);
    return NF_OK;
}

nf_status cl_tun_create(cl_tun **out, uv_loop_t *loop, uint64_t seed, nf_error *err)
{
    nf_status st;
    cl_tun *t = nf_alloc(sizeof(*t), NF_MEM_CLIENT);
    *out = NULL;
    if (!t) return nf_fail(err, NF_ENOMEM, "--backend tun", "no memory");
    t->up = true;
    for (unsigned d = CL_UP; d <= CL_DOWN; d++) {
        t->line[d].random = seed + d;
        t->line[d].rule.random = ~seed + d;
        t->line[d].queue = CL_QUEUE_BYTES;
        t->line[d].since_ns = nf_now_ns();
    }
    st = open_device(t, err);
    if (!st) st = watch(t, loop, err);
    if (st) cl_tun_destroy(&t);
    *out = t;
    return st;
}

static void on_closed(uv_handle_t *h)
{
    nf_free(h);
}

void cl_tun_destroy(cl_tun **tp)
{
    cl_tun *t = *tp;
    if (!t) return;
    if (t->watch) uv_close((uv_handle_t *)t->watch, on_closed);
    cl_alarm_close(&t->alarm);
    if (t->fd >= 0) close(t->fd);
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        cl_wire_fini(&t->line[d].wire);
        cl_lane_fini(&t->line[d].lane);
    }
    nf_free(t);
    *tp = NULL;
}

const char *cl_tun_inner(const cl_tun *t)
{
    return t->inner;
}

const char *cl_tun_outer(const cl_tun *t)
{
    return t->outer;
}

void cl_tun_port(cl_tun *t, int which, unsigned port)
{
    t->port[which] = port;
    t->line[CL_UP].peak_bps = t->line[CL_DOWN].peak_bps = 0;
}

void cl_tun_shape(cl_tun *t, const cl_link_settings *s)
{
    const uint64_t now = nf_now_ns();
    const int64_t rates[] = {s->up_bps, s->down_bps};
    t->loss = s->loss;
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        const cl_link_delay delay = cl_settings_delay(s, d == CL_UP);
        t->line[d].queue = cl_settings_queue(s, rates[d]);
        t->line[d].rule.jitter_ns = delay.jitter_ns;
        cl_wire_reshape(&t->line[d].wire, (uint64_t)rates[d], delay.fixed_ns, now);
    }
    rearm(t);
}

void cl_tun_set_up(cl_tun *t, bool up)
{
    t->up = up;
}

void cl_tun_flow(cl_tun *t, int direction, cl_link_flow *out)
{
    line *l = &t->line[direction];
    const uint64_t now = nf_now_ns();
    meter(l, now);
    *out = (cl_link_flow){.bytes = l->bytes,
                          .segments = l->packets,
                          .lost = l->lost,
                          .dropped = l->dropped,
                          .rate_bps = l->rate_bps,
                          .peak_bps = l->peak_bps,
                          .waiting = cl_wire_waiting(&l->wire, now)};
}
