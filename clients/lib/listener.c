/* listener.c - listens and accepts. Layer: clients. Thread rule: the loop's thread only. */
#include "clients/lib/listener.h"

#include "clients/net/http_url.h"
#include "clients/net/tcp_facts.h"
#include "engine/base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define BACKLOG 256

static void on_closed(uv_handle_t *h)
{
    nf_free((uv_tcp_t *)h);
}

static void on_connection(uv_stream_t *s, int status)
{
    cl_listener *l = s->data;
    cl_sock *sock = status ? NULL : cl_sock_create(s->loop, NULL);
    uv_os_fd_t fd;
    if (!sock) return;
    if (uv_accept(s, (uv_stream_t *)&sock->tcp)) {
        cl_sock_drop(&sock);
        return;
    }
    uv_tcp_nodelay(&sock->tcp, 1);
    if (l->congestion && l->congestion[0] && uv_fileno((uv_handle_t *)&sock->tcp, &fd) == 0)
        cl_congestion_set(fd, l->congestion); /* looked at before: it is there */
    l->accepted(l->user, sock);
}

/* The port may have been 0, so the socket is asked. */
static void name_address(cl_listener *l)
{
    struct sockaddr_storage at;
    int len = sizeof(at);
    char host[64] = "?";
    if (uv_tcp_getsockname(l->tcp, (struct sockaddr *)&at, &len)) return;
    const bool six = at.ss_family == AF_INET6;
    const uint16_t port =
        six ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port;
    if (six)
        uv_ip6_name((struct sockaddr_in6 *)&at, host, sizeof(host));
    else
        uv_ip4_name((struct sockaddr_in *)&at, host, sizeof(host));
    snprintf(l->address, sizeof(l->address), six ? "[%s]:%u" : "%s:%u", host, ntohs(port));
}

static nf_status read_address(struct sockaddr_storage *at, const char *where, nf_error *err)
{
    cl_url u;
    nf_status st;
    if ((st = cl_host_port_parse(&u, where, err))) return st;
    const char *host = u.host[0] ? u.host : where[0] == ':' ? "0.0.0.0" : "127.0.0.1";
    const int port = (int)strtol(u.port, NULL, 10);
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)at) &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)at))
        return nf_fail(err, NF_EINVAL, where, "expected a numeric address to listen on");
    return NF_OK;
}

nf_status cl_listener_start(cl_listener *l, uv_loop_t *loop, const char *where, nf_error *err)
{
    struct sockaddr_storage at;
    nf_status st;
    if ((st = read_address(&at, where, err))) return st;
    l->tcp = nf_alloc(sizeof(*l->tcp), NF_MEM_CLIENT);
    if (!l->tcp) return nf_fail(err, NF_ENOMEM, where, "no memory");
    uv_tcp_init(loop, l->tcp);
    l->tcp->data = l;
    int code = uv_tcp_bind(l->tcp, (const struct sockaddr *)&at, 0);
    if (!code) code = uv_listen((uv_stream_t *)l->tcp, BACKLOG, on_connection);
    if (code) {
        cl_listener_stop(l);
        return nf_fail(err, NF_EIO, where, "cannot listen: %s", uv_strerror(code));
    }
    name_address(l);
    return NF_OK;
}

void cl_listener_stop(cl_listener *l)
{
    if (l->tcp) uv_close((uv_handle_t *)l->tcp, on_closed);
    l->tcp = NULL;
}
