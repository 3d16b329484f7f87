/* dial.c - name, addresses, connection. Layer: clients/net. Thread rule: the loop's thread only. */
#include "clients/net/dial.h"

#include "clients/net/tcp_facts.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ADDRESSES 8

struct cl_dial {
    uv_loop_t *loop;
    uv_getaddrinfo_t lookup;
    uv_timer_t timer; /* the deadline; with delay 0 also the bearer of a failure known at once */
    cl_sock *sock;
    struct sockaddr_storage at[MOST_ADDRESSES];
    size_t n, next;
    cl_dialed result;
    cl_dial_done done; /* NULL once told or cancelled */
    void *user;
    const char *congestion;
    bool looking_up, timer_open;
};

static void on_sock_closed(uv_handle_t *h)
{
    nf_free((cl_sock *)h);
}

cl_sock *cl_sock_create(uv_loop_t *loop, void *owner)
{
    cl_sock *s = nf_alloc(sizeof(*s), NF_MEM_CLIENT);
    if (!s) return NULL;
    if (uv_tcp_init(loop, &s->tcp)) {
        nf_free(s);
        return NULL;
    }
    s->owner = owner;
    return s;
}

void cl_sock_drop(cl_sock **sp)
{
    cl_sock *s = *sp;
    if (!s) return;
    s->owner = NULL;
    uv_close((uv_handle_t *)&s->tcp, on_sock_closed);
    *sp = NULL;
}

void cl_sock_reset(cl_sock **sp)
{
    cl_sock *s = *sp;
    if (!s) return;
    s->owner = NULL;
    if (uv_tcp_close_reset(&s->tcp, on_sock_closed))
        uv_close((uv_handle_t *)&s->tcp, on_sock_closed);
    *sp = NULL;
}

/* Frees the dial when neither the lookup nor the timer can call back any more. */
static void release(cl_dial *d)
{
    if (!d->looking_up && !d->timer_open) nf_free(d);
}

static void on_timer_closed(uv_handle_t *h)
{
    cl_dial *d = h->data;
    d->timer_open = false;
    release(d);
}

/* Ends everything that is still under way; the memory follows when the loop says so. */
static void wind_down(cl_dial *d)
{
    d->done = NULL;
    cl_sock_drop(&d->sock);
    if (d->looking_up) uv_cancel((uv_req_t *)&d->lookup);
    uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

static void tell(cl_dial *d)
{
    const cl_dial_done done = d->done;
    const cl_dialed result = d->result;
    void *user = d->user;
    wind_down(d);
    done(user, &result);
}

static void on_timer(uv_timer_t *t)
{
    cl_dial *d = t->data;
    if (!d->result.failure) {
        d->result.failure = d->looking_up ? CL_NAME : CL_CONNECT_TIMEOUT;
        d->result.why = d->looking_up ? "name lookup took too long" : "connect took too long";
    }
    tell(d);
}

static void connect_next(cl_dial *d);

/* Nothing was sent yet but the handshake. That the host offers the algorithm is checked when the
 * options are read; should it go away meanwhile, the facts of the connection name the one in use.
 */
static void set_congestion(const cl_dial *d, const cl_sock *s)
{
    uv_os_fd_t fd;
    if (!d->congestion || !d->congestion[0]) return;
    if (uv_fileno((const uv_handle_t *)&s->tcp, &fd) == 0) cl_congestion_set(fd, d->congestion);
}

static void on_connect(uv_connect_t *req, int code)
{
    cl_sock *s = req->data;
    cl_dial *d = s->owner;
    if (!d) return; /* dropped meanwhile */
    if (code) {
        d->result.failure = cl_failure_from_uv(code);
        d->result.why = uv_strerror(code);
        cl_sock_drop(&d->sock);
        connect_next(d);
        return;
    }
    uv_tcp_nodelay(&s->tcp, 1);
    set_congestion(d, s);
    d->result.failure = CL_NONE;
    d->result.connected_ns = nf_now_ns();
    d->result.sock = s;
    d->sock = NULL; /* handed over */
    tell(d);
}

/* Tries addresses until one connect is under way; none left: the last failure is told from the
 * loop, so that the callback never runs inside cl_dial_start. */
static void connect_next(cl_dial *d)
{
    while (d->next < d->n) {
        const struct sockaddr *at = (const struct sockaddr *)&d->at[d->next++];
        int code = UV_ENOMEM;
        d->sock = cl_sock_create(d->loop, d);
        if (d->sock) {
            d->sock->connect.data = d->sock;
            code = uv_tcp_connect(&d->sock->connect, &d->sock->tcp, at, on_connect);
            if (!code) {
                d->result.failure = CL_NONE; /* an earlier address no longer counts */
                return;
            }
        }
        d->result.failure = cl_failure_from_uv(code);
        d->result.why = uv_strerror(code);
        cl_sock_drop(&d->sock);
    }
    uv_timer_start(&d->timer, on_timer, 0, 0);
}

static void on_lookup(uv_getaddrinfo_t *req, int code, struct addrinfo *list)
{
    cl_dial *d = req->data;
    d->looking_up = false;
    if (!d->done) {
        uv_freeaddrinfo(list);
        release(d);
        return;
    }
    d->result.resolved_ns = nf_now_ns();
    for (struct addrinfo *a = code ? NULL : list; a && d->n < MOST_ADDRESSES; a = a->ai_next)
        if (a->ai_addrlen <= sizeof(d->at[0])) memcpy(&d->at[d->n++], a->ai_addr, a->ai_addrlen);
    uv_freeaddrinfo(list);
    d->result.failure = CL_NAME;
    d->result.why = code ? uv_strerror(code) : "the name has no address";
    connect_next(d);
}

static int find_addresses(cl_dial *d, const cl_dial_spec *spec)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char *end;
    const long port =
        strtol(spec->port, &end, 10); /* digits: cl_url_parse and the like saw to it */
    if (uv_ip4_addr(spec->host, (int)port, (struct sockaddr_in *)&d->at[0]) == 0 ||
        uv_ip6_addr(spec->host, (int)port, (struct sockaddr_in6 *)&d->at[0]) == 0) {
        d->n = 1;
        connect_next(d);
        return 0;
    }
    d->lookup.data = d;
    const int code = uv_getaddrinfo(d->loop, &d->lookup, on_lookup, spec->host, spec->port, &hints);
    d->looking_up = code == 0;
    return code;
}

nf_status cl_dial_start(cl_dial **out, uv_loop_t *loop, const cl_dial_spec *spec, nf_error *err)
{
    cl_dial *d = nf_alloc(sizeof(*d), NF_MEM_CLIENT);
    *out = NULL;
    if (!d) return nf_fail(err, NF_ENOMEM, spec->host, "no memory for a connection");
    d->loop = loop;
    d->done = spec->done;
    d->user = spec->user;
    d->congestion = spec->congestion;
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    d->timer_open = true;
    uv_timer_start(&d->timer, on_timer, spec->timeout_us / 1000 + 1, 0);
    const int code = find_addresses(d, spec);
    if (code) {
        wind_down(d);
        return nf_fail(err, NF_EIO, spec->host, "name lookup: %s", uv_strerror(code));
    }
    *out = d;
    return NF_OK;
}

void cl_dial_cancel(cl_dial **dp)
{
    if (*dp) wind_down(*dp);
    *dp = NULL;
}
