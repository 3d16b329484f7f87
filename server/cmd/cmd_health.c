/* cmd_health.c - asks a server whether it is ready, for container health checks. Layer: server/cmd.
 * Thread rule: main thread. */
#include "engine/base/opts.h"
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_options.h"
#include "server/wire/wire.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct health_opts {
    int64_t timeout_us;
    bool help;
} health_opts;

static const nf_opt rows[] = {
    {"timeout", "TIME", "2s", "for the connection and for the answer", NF_OPT_TIME,
     offsetof(health_opts, timeout_us), 1000, 60000000, NULL},
    CMD_HELP_ROW(health_opts),
};

static const cmd_spec spec = {
    .usage = "nearfar health URL [OPTIONS]",
    .what = "Exit status 0 when the server at URL is ready to answer, 1 when it is not.",
    .example = "nearfar health http://127.0.0.1:8080 && echo ready\n",
    .table = {rows, sizeof(rows) / sizeof(rows[0])},
    .help = offsetof(health_opts, help),
};

/* "http://host:port[/]" into its parts; the port may be missing. */
static nf_status split(char *host, size_t size, char *port, size_t port_size, const char *url,
                       nf_error *err)
{
    const char *from = strncmp(url, "http://", 7) == 0 ? url + 7 : url;
    const size_t bracket = *from == '[' ? strcspn(from, "]") + 1 : 0;
    const size_t len = bracket ? bracket : strcspn(from, ":/");
    const char *at = from + len;
    if (strstr(url, "://") && from == url)
        return nf_fail(err, NF_EINVAL, "URL", "expected http://HOST:PORT, got '%s'", url);
    const size_t digits = *at == ':' ? strcspn(at + 1, "/") : 0;
    if (len == 0 || len >= size || digits >= port_size)
        return nf_fail(err, NF_EINVAL, "URL", "expected http://HOST:PORT, got '%s'", url);
    const size_t skip = bracket ? 1 : 0;
    snprintf(host, size, "%.*s", (int)(len - 2 * skip), from + skip);
    snprintf(port, port_size, "%.*s", digits ? (int)digits : 2, digits ? at + 1 : "80");
    return NF_OK;
}

static int open_connection(const char *host, const char *port, const struct timeval *timeout)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &found)) return -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, sizeof(*timeout));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeout, sizeof(*timeout));
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) break;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* The status of the reply, or 0 when there is none. */
static int ask(int fd, const char *host)
{
    char text[512];
    size_t got = 0;
    const int n =
        snprintf(text, sizeof(text),
                 "GET " WIRE_V2_READY " HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
    if (n < 0 || (size_t)n >= sizeof(text) || send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        return 0;
    while (got < sizeof("HTTP/1.1 200") - 1) {
        const ssize_t more = recv(fd, text + got, sizeof(text) - 1 - got, 0);
        if (more <= 0) return 0;
        got += (size_t)more;
    }
    text[got] = '\0';
    return strncmp(text, "HTTP/1.", 7) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

int cmd_health(int argc, char **argv)
{
    health_opts o = {0};
    nf_error err = {0};
    char host[256], port[8];
    int n;
    const int early = cmd_options(&o, &spec, argc, argv, &n);
    if (early >= 0) return early;
    if (n != 1) {
        fprintf(stderr, "nearfar health: expected one URL (see nearfar health --help)\n");
        return CMD_USAGE;
    }
    if (split(host, sizeof(host), port, sizeof(port), argv[1], &err)) {
        cmd_fail("health", &err);
        return CMD_USAGE;
    }
    const struct timeval timeout = {o.timeout_us / 1000000, o.timeout_us % 1000000};
    const int fd = open_connection(host, port, &timeout);
    const int code = fd < 0 ? 0 : ask(fd, host);
    if (fd >= 0) close(fd);
    if (code == 200) return 0;
    if (code)
        fprintf(stderr, "nearfar health: %s is not ready (%d)\n", argv[1], code);
    else
        fprintf(stderr, "nearfar health: no answer from %s\n", argv[1]);
    return CMD_FAILED;
}
