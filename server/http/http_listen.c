/* http_listen.c - listening sockets. Layer: server/http. Thread rule: main thread. */
#include "server/http/http_inside.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

/* "host:port" or "[v6]:port" into its parts; an empty host is every address. */
static nf_status split(char *host, size_t host_size, char *port, size_t port_size, const char *text,
                       nf_error *err)
{
    const char *colon = strrchr(text, ':');
    const char *from = text, *to = colon;
    if (!colon || colon[1] < '0' || colon[1] > '9')
        return nf_fail(err, NF_EINVAL, "--listen", "expected ADDRESS:PORT, got '%s'", text);
    if (*from == '[' && to > from && to[-1] == ']') {
        from++;
        to--;
    }
    if ((size_t)(to - from) >= host_size || strlen(colon + 1) >= port_size)
        return nf_fail(err, NF_EINVAL, "--listen", "'%s' is too long", text);
    char *end;
    if (strtoul(colon + 1, &end, 10) > 65535 || *end)
        return nf_fail(err, NF_EINVAL, "--listen", "expected a port from 0 to 65535, got '%s'",
                       colon + 1);
    snprintf(host, host_size, "%.*s", (int)(to - from), from);
    snprintf(port, port_size, "%s", colon + 1);
    return NF_OK;
}

nf_status srv_http_check_address(const char *text, nf_error *err)
{
    char host[256], port[8];
    return split(host, sizeof(host), port, sizeof(port), text, err);
}

static int open_socket(const struct addrinfo *a)
{
    const int one = 1;
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    /* Every loop has its own socket on the same port: the kernel spreads the connections. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
        bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, BACKLOG)) {
        const int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage s = {0};
    socklen_t len = sizeof(s);
    if (getsockname(fd, (struct sockaddr *)&s, &len)) return 0;
    return ntohs(s.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&s)->sin6_port
                                         : ((struct sockaddr_in *)&s)->sin_port);
}

/* Another process may hold the port with SO_REUSEPORT too, and would share our connections: so the
 * first socket is tried without it. */
static nf_status probe(const struct addrinfo *a, const char *text, nf_error *err)
{
    const int one = 1;
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return nf_fail(err, NF_EIO, text, "cannot make a socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    const int failed = bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 1) ? errno : 0;
    close(fd);
    if (!failed) return NF_OK;
    return nf_fail(err, NF_EIO, text, "cannot listen: %s", strerror(failed));
}

nf_status http_listen(int *fd, unsigned *port, const char *text, nf_error *err)
{
    char host[256], service[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    nf_status st = split(host, sizeof(host), service, sizeof(service), text, err);
    if (st) return st;
    const bool first = *port == 0;
    if (!first) snprintf(service, sizeof(service), "%u", *port % 65536u);
    const int bad = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (bad) return nf_fail(err, NF_EINVAL, "--listen", "'%s': %s", text, gai_strerror(bad));
    if (first && strcmp(service, "0") != 0) st = probe(found, text, err);
    if (!st) {
        *fd = open_socket(found);
        if (*fd < 0) st = nf_fail(err, NF_EIO, text, "cannot listen: %s", strerror(errno));
    }
    if (!st) *port = port_of(*fd);
    freeaddrinfo(found);
    return st;
}
