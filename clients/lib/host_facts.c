/* host_facts.c - looks at the host. Layer: clients. Thread rule: one thread. */
#include "clients/lib/host_facts.h"

#include "clients/lib/host_trial.h"
#include "clients/lib/stats.h"
#include "clients/net/tcp_facts.h"
#include "engine/base/bytes.h"
#include "engine/base/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CAP_NET_ADMIN_BIT 12 /* linux/capability.h */
#define TICKS             50 /* sleeps of a millisecond */
#define LATE_MOST_NS      200000

static void found(cl_host_fact *f, bool fine, const char *text, const char *cure)
{
    f->fine = fine;
    snprintf(f->found, sizeof(f->found), "%s", text);
    snprintf(f->cure, sizeof(f->cure), "%s", fine ? "" : cure);
}

/* The first line of a file without its end; false and "" when it cannot be read. */
static bool read_line(char *to, size_t room, const char *path)
{
    FILE *file = fopen(path, "re");
    to[0] = '\0';
    if (!file) return false;
    const bool got = fgets(to, (int)room, file) != NULL;
    fclose(file);
    to[strcspn(to, "\n")] = '\0';
    return got;
}

static void look_relay(cl_host_fact *f)
{
    found(f, true, "the relay in user space runs everywhere", "");
}

static void look_rights(cl_host_fact *f)
{
    char line[128];
    uint64_t bits = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "CapEff:", 7) == 0) bits = strtoull(line + 7, NULL, 16);
    if (file) fclose(file);
    const bool has = bits >> CAP_NET_ADMIN_BIT & 1;
    found(f, has, has ? "this process has it" : "this process lacks it",
          "run as root, or in a container with --cap-add NET_ADMIN");
}

static void look_tun(cl_host_fact *f)
{
    char text[240];
    const int code = cl_trial_tun();
    if (code == 0)
        snprintf(text, sizeof(text), "a device can be made");
    else
        snprintf(text, sizeof(text), "no device: %s", strerror(code));
    found(f, code == 0, text,
          code == ENOENT ? "load the tun module, or start the container with --device /dev/net/tun"
                         : "run as root, or with --cap-add NET_ADMIN --device /dev/net/tun");
}

static void look_netem(cl_host_fact *f)
{
    char text[240];
    const int code = cl_trial_netem();
    if (code == 0)
        snprintf(text, sizeof(text), "the kernel has it");
    else
        snprintf(text, sizeof(text), "%s: %s",
                 code == ENOENT ? "the kernel lacks it" : "it could not be tried", strerror(code));
    found(f, code == 0, text,
          code == ENOENT ? "not needed: link brings its own; or a kernel with CONFIG_NET_SCH_NETEM"
                         : "not needed: link brings its own; root could say more");
}

static void look_congestion(cl_host_fact *f)
{
    char now[64], all[128], text[240];
    const bool known =
        read_line(now, sizeof(now), "/proc/sys/net/ipv4/tcp_congestion_control") &&
        read_line(all, sizeof(all), "/proc/sys/net/ipv4/tcp_available_congestion_control");
    snprintf(text, sizeof(text), "%s of: %s%s", now, all,
             strcmp(now, "bbr") == 0 ? "; bbr hardly minds losses" : "");
    found(f, known, known ? text : "/proc does not tell", "mount /proc");
    if (strcmp(now, "bbr") == 0)
        snprintf(f->cure, sizeof(f->cure), "--congestion cubic shows what most servers do");
}

static void look_clock(cl_host_fact *f)
{
    struct timespec res = {0};
    char source[64], text[240];
    clock_getres(CLOCK_MONOTONIC, &res);
    const bool known = read_line(
        source, sizeof(source), "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    const bool fine = res.tv_sec == 0 && res.tv_nsec <= 1000;
    snprintf(text, sizeof(text), "source %s, resolution %ld ns", known ? source : "unknown",
             res.tv_sec ? 1000000000L : res.tv_nsec);
    found(f, fine, text, "a kernel with high resolution timers");
}

/* How late a sleep of a millisecond ends. */
static void look_timer(cl_host_fact *f)
{
    int64_t late[TICKS];
    char text[240];
    for (size_t i = 0; i < TICKS; i++) {
        const uint64_t due = nf_now_ns() + 1000000;
        const struct timespec at = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
            continue;
        late[i] = (int64_t)(nf_now_ns() - due);
    }
    cl_sort(late, TICKS);
    const double median = cl_median(late, TICKS);
    snprintf(text, sizeof(text), "%.0f us late in the median, %.0f us at worst, of %d",
             median / 1e3, (double)late[TICKS - 1] / 1e3, TICKS);
    found(f, median <= LATE_MOST_NS, text, "leave a core free, or a machine that is not shared");
}

static void look_tcp_info(cl_host_fact *f)
{
    cl_tcp_facts facts = {0};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        cl_tcp_facts_get(&facts, fd);
        close(fd);
    }
    found(f, facts.known,
          facts.known ? "the kernel counts bytes, segments and round trips"
                      : "the kernel does not tell",
          "Linux 4.6 or newer, and no sandbox that forbids getsockopt");
}

static void look_docker(cl_host_fact *f)
{
    const struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "/var/run/docker.sock"};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int code = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&at, sizeof(at));
    char text[240];
    snprintf(text, sizeof(text), "%s: %s", at.sun_path, code ? strerror(errno) : "answers");
    if (fd >= 0) close(fd);
    found(f, code == 0, text, "only for the compose files: start the engine, join its group");
}

static const struct {
    const char *name, *use;
    void (*look)(cl_host_fact *f);
} rows[] = {
    {"link proxy", "delay, rate, jitter, losses as stalls, outages", look_relay},
    {"net admin", "network devices: CAP_NET_ADMIN", look_rights},
    {"tun", "packet-exact relays", look_tun},
    {"netem", "the kernel's own emulation", look_netem},
    {"congestion", "how TCP answers to losses", look_congestion},
    {"clock", "time stamps", look_clock},
    {"timer", "schedules of requests and of the link", look_timer},
    {"tcp info", "bytes on the wire, kernel round trip", look_tcp_info},
    {"docker", "edge, cloud and link as containers", look_docker},
};

size_t cl_host_facts_get(cl_host_fact facts[CL_HOST_FACTS_MOST])
{
    _Static_assert(NF_COUNT(rows) <= CL_HOST_FACTS_MOST, "room for every row");
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        facts[i] = (cl_host_fact){.name = rows[i].name, .use = rows[i].use};
        rows[i].look(&facts[i]);
    }
    return NF_COUNT(rows);
}
