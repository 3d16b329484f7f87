/* http_conn.c - dial, send, receive, keep alive. Layer: clients/net. Thread rule: the loop's
 * thread only. On an open connection an exchange allocates nothing: the request's bytes exist
 * already, the response goes through one fixed buffer, the timer is re-armed only when it fires. */
#include "clients/net/http_conn.h"

#include "clients/net/dial.h"
#include "clients/net/tls.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <stdio.h>

#define READ_BYTES (64u << 10)
#define TLS_RECORD (16u << 10) /* most plain bytes of a record: RFC 8446, 5.1 */

struct cl_conn {
    uv_loop_t *loop;
    cl_url url;
    cl_limits limits;
    uv_timer_t *timer;   /* on the heap: outlives the connection until the loop has closed it */
    cl_dial *dial;       /* while looking up and connecting */
    cl_sock *sock;       /* while open */
    cl_tls *tls;         /* while open, for https */
    cl_trust *own_trust; /* made when the limits bring none */
    bool shaking;        /* TLS handshake under way */
    const cl_call *call; /* NULL when idle */
    cl_conn_done done;
    void *user;
    uint64_t deadline_ns; /* of the response */
    cl_exchange x;
    cl_reply reply;
    char why[200]; /* the TLS session's words, which go with it */
    char in[READ_BYTES];
    char plain[TLS_RECORD]; /* decrypted */
};

static void on_timer_closed(uv_handle_t *h)
{
    nf_free((uv_timer_t *)h);
}

/* Closes the TCP connection. */
static void hang_up(cl_conn *c)
{
    cl_tls_destroy(&c->tls);
    c->shaking = false;
    cl_sock_drop(&c->sock);
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
    x->down_app = c->reply.body_wire;
    const bool last = c->call->last;
    c->call = NULL;
    if (failure || last || !c->reply.keep_alive) hang_up(c);
    done(c->user, x);
}

static void on_deadline(uv_timer_t *t)
{
    cl_conn *c = t->data;
    if (!c || !c->call || c->dial) return;
    const uint64_t now = nf_now_ns();
    const cl_failure late = c->shaking ? CL_CONNECT_TIMEOUT : CL_RESPONSE_TIMEOUT;
    if (now >= c->deadline_ns)
        finish(c, late, cl_failure_text(late));
    else
        uv_timer_start(t, on_deadline, (c->deadline_ns - now) / 1000000 + 1, 0);
}

/* The timer runs on while exchanges come and go; each one only moves the deadline. */
static void arm(cl_conn *c, uint64_t from_ns, uint64_t us)
{
    const uint64_t now = nf_now_ns();
    c->deadline_ns = from_ns + us * 1000;
    const uint64_t left = c->deadline_ns > now ? c->deadline_ns - now : 0;
    if (!uv_is_active((uv_handle_t *)c->timer) ||
        uv_timer_get_due_in(c->timer) > left / 1000000 + 1)
        uv_timer_start(c->timer, on_deadline, left / 1000000 + 1, 0);
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

/* False: the exchange is over, and the connection may be gone. */
static bool take_bytes(cl_conn *c, nf_bytes in)
{
    size_t used;
    if (!c->x.t.first) c->x.t.first = nf_now_ns();
    c->x.down_total += in.len;
    const nf_status st = cl_reply_feed(&c->reply, in, &used);
    if (st) {
        finish(c, read_failure(st), c->reply.why);
        return false;
    }
    if (!c->reply.complete) return true;
    if (used < in.len) c->reply.keep_alive = false; /* bytes that nobody asked for */
    finish(c, CL_NONE, NULL);
    return false;
}

/* The other side, or the network, ended it before there was an answer. */
static void finish_early(cl_conn *c, int code)
{
    const cl_failure kind = c->shaking ? CL_TLS : CL_CUT;
    snprintf(c->why, sizeof(c->why), "%s%s%s", cl_failure_text(kind), code == UV_EOF ? "" : ": ",
             code == UV_EOF ? "" : uv_strerror(code));
    finish(c, kind, c->why);
}

static void take_end(cl_conn *c, int code)
{
    const bool whole = code == UV_EOF && c->x.t.first && cl_reply_end(&c->reply) == NF_OK;
    if (whole) {
        c->reply.keep_alive = false;
        finish(c, CL_NONE, NULL);
    } else {
        finish_early(c, code);
    }
}

/* Ends the exchange with what the TLS session says. */
static void finish_tls(cl_conn *c)
{
    snprintf(c->why, sizeof(c->why), "%s", cl_tls_why(c->tls));
    finish(c, c->shaking ? CL_TLS : CL_CUT, c->why);
}

static int transmit(cl_conn *c);
static int flush_tls(cl_conn *c);

/* One step of the handshake; the request follows when it is done. */
static void shake(cl_conn *c)
{
    const cl_tls_step step = cl_tls_shake(c->tls);
    int code = flush_tls(c);
    if (step == CL_TLS_FAILED) {
        finish_tls(c);
        return;
    }
    if (!code && step == CL_TLS_READY) {
        c->shaking = false;
        c->x.t.secured = nf_now_ns();
        code = transmit(c);
    }
    if (code) finish_early(c, code);
}

static void decrypt(cl_conn *c)
{
    size_t n;
    for (;;) {
        const cl_tls_step step = cl_tls_read(c->tls, c->plain, sizeof(c->plain), &n);
        if (step == CL_TLS_MORE) return;
        if (step == CL_TLS_FAILED) {
            finish_tls(c);
            return;
        }
        if (n == 0) {
            take_end(c, UV_EOF);
            return;
        }
        if (!take_bytes(c, (nf_bytes){(const uint8_t *)c->plain, n})) return;
    }
}

static void take_cipher(cl_conn *c, nf_bytes in)
{
    if (!cl_tls_feed(c->tls, in))
        finish(c, CL_LOCAL, "no memory");
    else if (c->shaking)
        shake(c);
    else
        decrypt(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    cl_conn *c = ((cl_sock *)stream)->owner;
    if (!c || n == 0) return;
    if (!c->call)
        hang_up(c); /* closed, or speaking, between exchanges */
    else if (n > 0 && c->tls)
        take_cipher(c, (nf_bytes){(const uint8_t *)buf->base, (size_t)n});
    else if (n > 0)
        take_bytes(c, (nf_bytes){(const uint8_t *)buf->base, (size_t)n});
    else
        take_end(c, (int)n);
}

static void on_written(uv_write_t *req, int code)
{
    cl_conn *c = ((cl_sock *)req->data)->owner;
    if (!c || !c->call) return;
    c->x.t.written = nf_now_ns();
    if (code) finish(c, CL_CUT, uv_strerror(code));
}

/* Bytes that the socket did not take at once, with what is to be sent of them. */
typedef struct late_write {
    uv_write_t req;
    cl_sock *sock;
    char bytes[];
} late_write;

static void on_late_written(uv_write_t *req, int code)
{
    late_write *w = (late_write *)req;
    cl_conn *c = w->sock->owner;
    nf_free(w);
    if (!c || !c->call) return;
    if (!c->shaking) c->x.t.written = nf_now_ns();
    if (code) finish_early(c, code);
}

/* Sends what the TLS session has to send. */
static int flush_tls(cl_conn *c)
{
    uv_stream_t *s = (uv_stream_t *)&c->sock->tcp;
    const nf_bytes all = cl_tls_out(c->tls);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)all.data, (unsigned)all.len);
    if (!all.len) return 0;
    int n = uv_try_write(s, &buf, 1);
    if (n < 0 && n != UV_EAGAIN) return n;
    if (n < 0) n = 0;
    const size_t left = all.len - (size_t)n;
    if (!left) {
        cl_tls_sent(c->tls);
        return 0;
    }
    late_write *w = nf_alloc(sizeof(*w) + left, NF_MEM_CLIENT);
    if (!w) return UV_ENOMEM;
    memcpy(w->bytes, all.data + n, left);
    cl_tls_sent(c->tls);
    w->sock = c->sock;
    buf = uv_buf_init(w->bytes, (unsigned)left);
    const int code = uv_write(&w->req, s, &buf, 1, on_late_written);
    if (code) nf_free(w);
    return code;
}

static int transmit_tls(cl_conn *c)
{
    if (!cl_tls_write(c->tls, (nf_bytes){(const uint8_t *)c->call->bytes, c->call->len}))
        return UV_ECONNABORTED;
    const int code = flush_tls(c);
    if (!code && !uv_stream_get_write_queue_size((uv_stream_t *)&c->sock->tcp))
        c->x.t.written = nf_now_ns();
    return code;
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
    arm(c, c->x.t.sent, c->limits.response_us);
    if (c->tls) return transmit_tls(c);
    int n = uv_try_write(s, &all, 1);
    if (n == (int)all.len) {
        c->x.t.written = nf_now_ns();
        return 0;
    }
    if (n < 0 && n != UV_EAGAIN) return n;
    if (n < 0) n = 0;
    uv_buf_t rest = uv_buf_init(all.base + n, (unsigned)(all.len - (size_t)n));
    c->sock->write.data = c->sock;
    return uv_write(&c->sock->write, s, &rest, 1, on_written);
}

/* The handshake has what is left of the time to connect. */
static nf_status begin_tls(cl_conn *c)
{
    nf_error err = {0};
    nf_status st = NF_OK;
    if (!c->limits.trust) {
        st = cl_trust_create(&c->own_trust, NULL, false, &err);
        c->limits.trust = c->own_trust;
    }
    if (!st) st = cl_tls_create(&c->tls, c->limits.trust, c->url.host, &err);
    if (st) snprintf(c->why, sizeof(c->why), "%.199s", err.text);
    c->shaking = st == NF_OK;
    return st;
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
    if (!code && c->url.tls) {
        if (begin_tls(c)) {
            finish(c, CL_TLS, c->why);
            return;
        }
        arm(c, c->x.t.start, c->limits.connect_us);
        shake(c);
        return;
    }
    if (!code) code = transmit(c);
    if (code) finish(c, cl_failure_from_uv(code), uv_strerror(code));
}

static nf_status dial(cl_conn *c, nf_error *err)
{
    const cl_dial_spec spec = {.host = c->url.host,
                               .port = c->url.port,
                               .timeout_us = c->limits.connect_us,
                               .done = on_dialled,
                               .user = c,
                               .congestion = c->limits.congestion};
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
    hang_up(c); /* it went away while idle: nothing was sent, so dial again */
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
    hang_up(c);
}

void cl_conn_destroy(cl_conn **cp)
{
    cl_conn *c = *cp;
    if (!c) return;
    cl_conn_cancel(c);
    c->timer->data = NULL;
    uv_close((uv_handle_t *)c->timer, on_timer_closed);
    cl_reply_fini(&c->reply);
    cl_trust_destroy(&c->own_trust);
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
