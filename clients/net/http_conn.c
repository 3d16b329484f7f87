/* http_conn.c - dial, send, receive, keep alive. Layer: clients/net. Thread rule: the loop's
 * thread only. On an open connection an exchange allocates nothing: the request's bytes exist
 * already, the response goes through one fixed buffer, the timer is re-armed only when it fires. */
#include "clients/net/http_conn.h"

#include "clients/net/dial.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#define READ_BYTES (64u << 10)

struct cl_conn {
    uv_loop_t *loop;
    cl_url url;
    cl_limits limits;
    uv_timer_t *timer;   /* on the heap: outlives the connection until the loop has closed it */
    cl_dial *dial;       /* while looking up and connecting */
    cl_sock *sock;       /* while open */
    const cl_call *call; /* NULL when idle */
    cl_conn_done done;
    void *user;
    uint64_t deadline_ns; /* of the response */
    cl_exchange x;
    cl_reply reply;
    char in[READ_BYTES];
};

static void on_timer_closed(uv_handle_t *h)
{
    nf_free((uv_timer_t *)h);
}

/* Ends the exchange: the connection is idle before the callback runs, and not touched after. */
static void finish(cl_conn *c, cl_failure failure, const char *why)
{
    cl_exchange *x = &c->x;
    const cl_conn_done done = c->done;
    x->t.end = nf_now_ns();
    x->status = failure ? 0 : c->reply.status;
    x->failure = failure ? failure : cl_failure_from_http(c->reply.status);
    x->why = why;
    x->down_app = c->reply.body_len;
    c->call = NULL;
    if (failure || !c->reply.keep_alive) cl_sock_drop(&c->sock);
    done(c->user, x);
}

static void on_deadline(uv_timer_t *t)
{
    cl_conn *c = t->data;
    if (!c || !c->call || c->dial) return;
    const uint64_t now = nf_now_ns();
    if (now >= c->deadline_ns)
        finish(c, CL_RESPONSE_TIMEOUT, cl_failure_text(CL_RESPONSE_TIMEOUT));
    else
        uv_timer_start(t, on_deadline, (c->deadline_ns - now) / 1000000 + 1, 0);
}

/* The timer runs on while exchanges come and go; each one only moves the deadline. */
static void arm(cl_conn *c)
{
    c->deadline_ns = c->x.t.sent + c->limits.response_us * 1000;
    if (!uv_is_active((uv_handle_t *)c->timer))
        uv_timer_start(c->timer, on_deadline, c->limits.response_us / 1000 + 1, 0);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    cl_conn *c = ((cl_sock *)h)->owner;
    (void)hint;
    *buf = c ? uv_buf_init(c->in, sizeof(c->in)) : uv_buf_init(NULL, 0);
}

static cl_failure read_failure(nf_status st)
{
    return st == NF_ENOMEM ? CL_LOCAL : CL_BAD_REPLY;
}

static void take_bytes(cl_conn *c, nf_bytes in)
{
    size_t used;
    if (!c->x.t.first) c->x.t.first = nf_now_ns();
    c->x.down_total += in.len;
    const nf_status st = cl_reply_feed(&c->reply, in, &used);
    if (st) {
        finish(c, read_failure(st), c->reply.why);
    } else if (c->reply.complete) {
        if (used < in.len) c->reply.keep_alive = false; /* bytes that nobody asked for */
        finish(c, CL_NONE, NULL);
    }
}

static void take_end(cl_conn *c, int code)
{
    const bool whole = code == UV_EOF && c->x.t.first && cl_reply_end(&c->reply) == NF_OK;
    if (whole) {
        c->reply.keep_alive = false;
        finish(c, CL_NONE, NULL);
    } else {
        finish(c, CL_CUT, code == UV_EOF ? cl_failure_text(CL_CUT) : uv_strerror(code));
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    cl_conn *c = ((cl_sock *)stream)->owner;
    if (!c || n == 0) return;
    if (!c->call)
        cl_sock_drop(&c->sock); /* closed, or speaking, between exchanges */
    else if (n > 0)
        take_bytes(c, (nf_bytes){(const uint8_t *)buf->base, (size_t)n});
    else
        take_end(c, (int)n);
}

static void on_written(uv_write_t *req, int code)
{
    cl_conn *c = ((cl_sock *)req->data)->owner;
    if (c && c->call && code) finish(c, CL_CUT, uv_strerror(code));
}

/* What the socket does not take at once is left to libuv. A failure is told from the loop, by the
 * read side or by the deadline, never from here. */
static int transmit(cl_conn *c)
{
    uv_stream_t *s = (uv_stream_t *)&c->sock->tcp;
    uv_buf_t all = uv_buf_init(c->call->bytes, (unsigned)c->call->len);
    c->x.t.sent = nf_now_ns();
    c->x.up_app = c->call->body_len;
    c->x.up_total = c->call->len;
    arm(c);
    int n = uv_try_write(s, &all, 1);
    if (n == (int)all.len) return 0;
    if (n < 0 && n != UV_EAGAIN) return n;
    if (n < 0) n = 0;
    uv_buf_t rest = uv_buf_init(all.base + n, (unsigned)(all.len - (size_t)n));
    c->sock->write.data = c->sock;
    return uv_write(&c->sock->write, s, &rest, 1, on_written);
}

static void on_dialled(void *user, const cl_dialed *d)
{
    cl_conn *c = user;
    c->dial = NULL;
    c->x.t.resolved = d->resolved_ns;
    c->x.t.connected = d->connected_ns;
    if (d->failure) {
        finish(c, d->failure, d->why);
        return;
    }
    c->sock = d->sock;
    c->sock->owner = c;
    int code = uv_read_start((uv_stream_t *)&c->sock->tcp, on_alloc, on_read);
    if (!code) code = transmit(c);
    if (code) finish(c, cl_failure_from_uv(code), uv_strerror(code));
}

static nf_status dial(cl_conn *c, nf_error *err)
{
    const cl_dial_spec spec = {.host = c->url.host,
                               .port = c->url.port,
                               .timeout_us = c->limits.connect_us,
                               .done = on_dialled,
                               .user = c};
    return cl_dial_start(&c->dial, c->loop, &spec, err);
}

nf_status cl_conn_send(cl_conn *c, const cl_call *call, cl_conn_done done, void *user,
                       nf_error *err)
{
    nf_status st = NF_OK;
    if (c->call) return nf_fail(err, NF_EBUSY, c->url.host, "an exchange is under way");
    if (call->len > INT32_MAX)
        return nf_fail(err, NF_ETOOLARGE, c->url.host, "request of %zu bytes", call->len);
    cl_reply_reset(&c->reply);
    c->x = (cl_exchange){.reply = &c->reply, .reused = c->sock != NULL};
    c->x.t.start = nf_now_ns();
    c->call = call;
    c->done = done;
    c->user = user;
    if (c->sock && transmit(c) == 0) return NF_OK;
    cl_sock_drop(&c->sock); /* it went away while idle: nothing was sent, so dial again */
    c->x.reused = false;
    if ((st = dial(c, err))) c->call = NULL;
    return st;
}

nf_status cl_conn_create(cl_conn **out, uv_loop_t *loop, const cl_url *url, const cl_limits *limits,
                         nf_error *err)
{
    cl_conn *c = nf_alloc(sizeof(*c), NF_MEM_CLIENT);
    *out = NULL;
    if (c) c->timer = nf_alloc(sizeof(*c->timer), NF_MEM_CLIENT);
    if (!c || !c->timer) {
        nf_free(c);
        return nf_fail(err, NF_ENOMEM, url->host, "no memory for a connection");
    }
    uv_timer_init(loop, c->timer);
    c->timer->data = c;
    uv_unref((uv_handle_t *)c->timer); /* an idle connection does not keep the loop alive */
    c->loop = loop;
    c->url = *url;
    c->limits = *limits;
    cl_reply_init(&c->reply, limits->body_most);
    *out = c;
    return NF_OK;
}

void cl_conn_cancel(cl_conn *c)
{
    c->call = NULL;
    cl_dial_cancel(&c->dial);
    cl_sock_drop(&c->sock);
}

void cl_conn_destroy(cl_conn **cp)
{
    cl_conn *c = *cp;
    if (!c) return;
    cl_conn_cancel(c);
    c->timer->data = NULL;
    uv_close((uv_handle_t *)c->timer, on_timer_closed);
    cl_reply_fini(&c->reply);
    nf_free(c);
    *cp = NULL;
}

void cl_conn_facts(const cl_conn *c, cl_tcp_facts *out)
{
    uv_os_fd_t fd;
    *out = (cl_tcp_facts){0};
    if (c->sock && uv_fileno((const uv_handle_t *)&c->sock->tcp, &fd) == 0)
        cl_tcp_facts_get(out, fd);
}
