/* link_tunnel.c - one relayed connection. Layer: clients. Thread rule: the loop's thread only. */
#include "clients/lib/link_parts.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"

#define DIAL_US 10000000u /* longest connect to the far side */

static int other(int direction)
{
    return direction == CL_UP ? CL_DOWN : CL_UP;
}

static void unlink_tunnel(cl_tunnel *t)
{
    if (t->prev)
        t->prev->next = t->next;
    else
        t->link->tunnels = t->next;
    if (t->next) t->next->prev = t->prev;
    if (!t->probe) t->link->state.open--;
}

static void forget(cl_tunnel *t)
{
    cl_link *l = t->link;
    cl_wire_forget(&l->wire[CL_UP], t);
    cl_wire_forget(&l->wire[CL_DOWN], t);
    cl_wire_forget(&l->dialling, t);
    cl_wire_forget(&l->shaking, t);
    cl_lane_fini(&t->lane[CL_UP]);
    cl_lane_fini(&t->lane[CL_DOWN]);
    cl_dial_cancel(&t->dial);
    unlink_tunnel(t);
}

void cl_tunnel_reset(cl_tunnel *t)
{
    forget(t);
    cl_sock_reset(&t->end[CL_UP]);
    cl_sock_reset(&t->end[CL_DOWN]);
    nf_free(t);
}

/* Both sides have said all: an orderly end. */
static void close_tunnel(cl_tunnel *t)
{
    forget(t);
    cl_sock_drop(&t->end[CL_UP]);
    cl_sock_drop(&t->end[CL_DOWN]);
    nf_free(t);
}

/* No more than the queue has room for, but a segment: so it is bounded whatever a read could give.
 */
static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    const cl_tunnel *t = ((cl_sock *)h)->owner;
    (void)hint;
    *buf = uv_buf_init(NULL, 0);
    if (!t) return;
    cl_link *l = t->link;
    const int d = (cl_sock *)h == t->end[CL_UP] ? CL_UP : CL_DOWN;
    const uint64_t waiting = cl_wire_waiting(&l->wire[d], nf_now_ns());
    const uint64_t queue = cl_link_queue(l, d);
    uint64_t room = waiting < queue ? queue - waiting : 0;
    if (room < CL_SEGMENT) room = CL_SEGMENT;
    *buf = uv_buf_init(l->scratch, room < sizeof(l->scratch) ? (unsigned)room : sizeof(l->scratch));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    cl_tunnel *t = ((cl_sock *)s)->owner;
    if (!t || n == 0) return;
    cl_link *l = t->link;
    const int direction = s == (uv_stream_t *)t->end[CL_UP] ? CL_UP : CL_DOWN;
    const nf_bytes in = {(const uint8_t *)buf->base, n > 0 ? (size_t)n : 0};
    if (n < 0) t->ended[direction] = true;
    if ((n < 0 && n != UV_EOF) ||
        cl_wire_put(&l->wire[direction], t, in, nf_now_ns(), NULL)) { /* the end is a mark */
        cl_tunnel_reset(t);
    } else {
        t->queued[direction] += in.len;
        cl_tunnel_refresh(t);
    }
    cl_link_rearm(l);
}

/* May bytes be taken from the end that sends in this direction? */
static bool may_read(const cl_tunnel *t, int direction)
{
    const cl_link *l = t->link;
    const uint64_t waiting = cl_wire_waiting(&l->wire[direction], nf_now_ns());
    const uint64_t queue = cl_link_queue(l, direction);
    if (!l->state.up || t->ended[direction] || !t->end[CL_UP] || !t->end[CL_DOWN]) return false;
    if (direction == CL_UP && !t->handshaken) return false;
    /* Stops at the limit, goes on at half of it, so that it does not flutter. */
    if (t->queued[direction] >= (t->reading[direction] ? CL_TUNNEL_MOST : CL_TUNNEL_MOST / 2))
        return false;
    return waiting < (t->reading[direction] ? queue : queue / 2 + 1);
}

void cl_tunnel_refresh(cl_tunnel *t)
{
    for (int d = CL_UP; d <= CL_DOWN; d++) {
        const bool want = may_read(t, d);
        if (want == t->reading[d] || !t->end[d]) continue;
        uv_stream_t *s = (uv_stream_t *)&t->end[d]->tcp;
        t->reading[d] = want && uv_read_start(s, on_alloc, on_read) == 0;
        if (!want) uv_read_stop(s);
    }
}

void cl_tunnel_begin(cl_tunnel *t)
{
    cl_link *l = t->link;
    const uint64_t now = nf_now_ns();
    const nf_bytes mark = {NULL, 0};
    if (t->begun) return;
    t->begun = true;
    if (cl_wire_put(&l->dialling, t, mark, now, NULL) ||
        cl_wire_put(&l->shaking, t, mark, now, NULL))
        cl_tunnel_reset(t);
    cl_link_rearm(l);
}

void cl_tunnel_open(cl_link *l, cl_sock *near_end, bool probe)
{
    cl_tunnel *t = nf_alloc(sizeof(*t), NF_MEM_CLIENT);
    if (!probe) l->state.connections++;
    if (!t || (!l->state.up && l->spec.reset_when_down)) {
        nf_free(t);
        cl_sock_reset(&near_end);
        return;
    }
    t->link = l;
    t->probe = probe;
    t->end[CL_UP] = near_end;
    near_end->owner = t;
    t->next = l->tunnels;
    if (t->next) t->next->prev = t;
    l->tunnels = t;
    if (!probe) l->state.open++;
    if (l->state.up) cl_tunnel_begin(t);
}

static void on_dialled(void *user, const cl_dialed *d)
{
    cl_tunnel *t = user;
    t->dial = NULL;
    if (d->failure) {
        if (!t->probe) t->link->state.refused++;
        cl_tunnel_reset(t); /* who connected sees what the far side did: no connection */
        return;
    }
    t->end[CL_DOWN] = d->sock;
    d->sock->owner = t;
    cl_tunnel_refresh(t);
}

void cl_tunnel_dial(cl_tunnel *t)
{
    const cl_url *to = t->probe ? &t->link->probe_to : &t->link->to;
    const cl_dial_spec spec = {.host = to->host,
                               .port = to->port,
                               .congestion = t->link->congestion,
                               .timeout_us = DIAL_US,
                               .done = on_dialled,
                               .user = t};
    if (cl_dial_start(&t->dial, t->link->loop, &spec, NULL)) cl_tunnel_reset(t);
}

void cl_tunnel_shaken(cl_tunnel *t)
{
    t->handshaken = true;
    cl_tunnel_refresh(t);
}

typedef struct late_write { /* what the socket did not take at once */
    uv_write_t req;
    cl_chunk *chunk;
    int direction;
} late_write;

static void on_written(uv_write_t *req, int code)
{
    late_write *w = (late_write *)req;
    cl_tunnel *t = ((cl_sock *)req->handle)->owner;
    if (t && code) {
        cl_tunnel_reset(t);
    } else if (t) {
        t->queued[w->direction] -= w->chunk->len;
        cl_tunnel_refresh(t);
    }
    nf_free(w->chunk);
    nf_free(w);
}

static void on_shutdown(uv_shutdown_t *req, int code)
{
    cl_tunnel *t = ((cl_sock *)req->handle)->owner;
    (void)code; /* a peer that is gone needs no word any more */
    if (!t) return;
    t->shut[(cl_sock *)req->handle == t->end[CL_DOWN] ? CL_UP : CL_DOWN] = true;
    if (t->shut[CL_UP] && t->shut[CL_DOWN]) close_tunnel(t);
}

/* The rest of a chunk, from byte `done` on, through libuv's queue. */
static int write_late(cl_tunnel *t, int direction, cl_chunk *c, size_t done)
{
    cl_sock *to = t->end[other(direction)];
    late_write *w = nf_alloc(sizeof(*w), NF_MEM_CLIENT);
    uv_buf_t rest = uv_buf_init((char *)c->data + done, (unsigned)(c->len - done));
    if (!w) return UV_ENOMEM;
    w->chunk = c;
    w->direction = direction;
    const int code = uv_write(&w->req, (uv_stream_t *)&to->tcp, &rest, 1, on_written);
    if (code) nf_free(w);
    return code;
}

bool cl_tunnel_deliver(cl_tunnel *t, int direction, cl_chunk *c)
{
    cl_sock *to = t->end[other(direction)];
    uv_stream_t *s = (uv_stream_t *)&to->tcp;
    int code;
    if (c->len == 0) {
        nf_free(c);
        if (uv_shutdown(&to->shutdown, s, on_shutdown) == 0) return true;
        cl_tunnel_reset(t);
        return false;
    }
    uv_buf_t all = uv_buf_init((char *)c->data, (unsigned)c->len);
    code = uv_try_write(s, &all, 1);
    if (code == (int)c->len) {
        t->queued[direction] -= c->len;
        nf_free(c);
        return true;
    }
    if (code == UV_EAGAIN) code = 0;
    if (code >= 0) code = write_late(t, direction, c, (size_t)code);
    if (!code) return true;
    nf_free(c);
    cl_tunnel_reset(t);
    return false;
}
