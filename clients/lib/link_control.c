/* link_control.c - answers the link's control port. Layer: clients. Thread rule: the loop's thread
 * only. */
#include "clients/lib/link_control.h"

#include "clients/lib/listener.h"
#include "clients/net/http_ask.h"
#include "engine/base/mem.h"

#include <jansson.h>
#include <stdio.h>

#define VISITORS_MOST 16    /* connections at a time; more are closed at once */
#define PATIENCE_MS   10000 /* to send the request and take the answer */

typedef struct visitor {
    struct cl_control *of; /* NULL once the control port is gone */
    struct visitor *next;
    cl_sock *sock;
    uv_timer_t timer;
    cl_ask ask;
    char in[4096], out[1024];
} visitor;

struct cl_control {
    cl_link *link;
    uv_loop_t *loop;
    cl_listener listener;
    visitor *visitors;
    size_t n;
};

static void on_timer_closed(uv_handle_t *h)
{
    nf_free(h->data);
}

/* Takes the visitor off the list; its memory goes when the loop has closed its timer. */
static void leave(visitor *v)
{
    visitor **at = &v->of->visitors;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    v->of->n--;
    cl_sock_drop(&v->sock);
    uv_close((uv_handle_t *)&v->timer, on_timer_closed);
}

static void on_patience(uv_timer_t *t)
{
    leave(t->data);
}

static json_t *state_json(const cl_link *link)
{
    const cl_link_spec *spec = cl_link_spec_of(link);
    cl_link_state s;
    cl_link_state_get(link, &s);
    return json_pack("{s:b,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "up", s.up, "listen",
                     spec->listen, "to", spec->to, "rtt_us", (json_int_t)spec->rtt_us, "up_bps",
                     (json_int_t)spec->up_bps, "down_bps", (json_int_t)spec->down_bps,
                     "connections", (json_int_t)s.connections, "open", (json_int_t)s.open,
                     "refused", (json_int_t)s.refused, "outages", (json_int_t)s.outages, "bytes_up",
                     (json_int_t)s.bytes_up, "bytes_down", (json_int_t)s.bytes_down);
}

typedef struct answer_out {
    int status;
    const char *error; /* NULL: the state is the answer */
} answer_out;

/* Sets the switch if the request says so. */
static answer_out act(const cl_ask *a, cl_link *link)
{
    if (a->refused) return (answer_out){a->refused, "not a request this port takes"};
    if (strcmp(a->path, "/v1/link") != 0) return (answer_out){404, "only /v1/link is here"};
    if (a->from_page) return (answer_out){403, "not from a web page"};
    if (strcmp(cl_ask_method(a), "GET") == 0) return (answer_out){200, NULL};
    if (strcmp(cl_ask_method(a), "POST") != 0) return (answer_out){405, "expected GET or POST"};
    json_t *body = json_loadb(a->body, a->body_len, JSON_REJECT_DUPLICATES, NULL);
    json_t *up = json_object_get(body, "up");
    const bool fine = json_is_boolean(up) && json_object_size(body) == 1;
    if (fine) cl_link_set_up(link, json_is_true(up));
    json_decref(body);
    return fine ? (answer_out){200, NULL}
                : (answer_out){400, "expected {\"up\":true} or {\"up\":false}"};
}

static size_t write_answer(visitor *v, answer_out a)
{
    char body[700];
    json_t *j = a.error ? json_pack("{s:s}", "error", a.error) : state_json(v->of->link);
    const size_t len = j ? json_dumpb(j, body, sizeof(body), 0) : 0;
    json_decref(j);
    if (!len || len > sizeof(body)) return 0;
    const int n = snprintf(v->out, sizeof(v->out),
                           "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%s"
                           "Content-Length: %zu\r\nConnection: close\r\n\r\n%.*s\n",
                           a.status, a.status == 200 ? "OK" : "Refused",
                           a.status == 405 ? "Allow: GET, POST\r\n" : "", len + 1, (int)len, body);
    return n > 0 && (size_t)n < sizeof(v->out) ? (size_t)n : 0;
}

static void on_shut(uv_shutdown_t *req, int code)
{
    visitor *v = ((cl_sock *)req->handle)->owner;
    (void)code;
    if (v) leave(v);
}

static void on_sent(uv_write_t *req, int code)
{
    cl_sock *s = (cl_sock *)req->handle;
    visitor *v = s->owner;
    if (v && (code || uv_shutdown(&s->shutdown, req->handle, on_shut))) leave(v);
}

static void answer(visitor *v)
{
    const size_t len = write_answer(v, act(&v->ask, v->of->link));
    uv_buf_t all = uv_buf_init(v->out, (unsigned)len);
    uv_stream_t *s = (uv_stream_t *)&v->sock->tcp;
    uv_read_stop(s);
    if (!len || uv_write(&v->sock->write, s, &all, 1, on_sent)) leave(v);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    visitor *v = ((cl_sock *)h)->owner;
    (void)hint;
    *buf = v ? uv_buf_init(v->in, sizeof(v->in)) : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    visitor *v = ((cl_sock *)s)->owner;
    if (!v || n == 0) return;
    if (n < 0) {
        leave(v);
        return;
    }
    cl_ask_feed(&v->ask, (nf_bytes){(const uint8_t *)buf->base, (size_t)n});
    if (v->ask.complete || v->ask.refused) answer(v);
}

static void on_accepted(void *user, cl_sock *sock)
{
    cl_control *c = user;
    visitor *v = c->n < VISITORS_MOST ? nf_alloc(sizeof(*v), NF_MEM_CLIENT) : NULL;
    if (!v) {
        cl_sock_reset(&sock);
        return;
    }
    v->of = c;
    v->sock = sock;
    sock->owner = v;
    v->next = c->visitors;
    c->visitors = v;
    c->n++;
    cl_ask_init(&v->ask);
    uv_timer_init(c->loop, &v->timer);
    v->timer.data = v;
    uv_timer_start(&v->timer, on_patience, PATIENCE_MS, 0);
    if (uv_read_start((uv_stream_t *)&sock->tcp, on_alloc, on_read)) leave(v);
}

nf_status cl_control_create(cl_control **out, cl_link *link, uv_loop_t *loop, const char *where,
                            nf_error *err)
{
    nf_status st;
    cl_control *c = nf_alloc(sizeof(*c), NF_MEM_CLIENT);
    *out = NULL;
    if (!c) return nf_fail(err, NF_ENOMEM, where, "no memory");
    c->link = link;
    c->loop = loop;
    c->listener.accepted = on_accepted;
    c->listener.user = c;
    if ((st = cl_listener_start(&c->listener, loop, where, err))) {
        nf_free(c);
        return st;
    }
    *out = c;
    return NF_OK;
}

void cl_control_destroy(cl_control **cp)
{
    cl_control *c = *cp;
    if (!c) return;
    while (c->visitors)
        leave(c->visitors);
    cl_listener_stop(&c->listener);
    nf_free(c);
    *cp = NULL;
}

const char *cl_control_address(const cl_control *c)
{
    return c->listener.address;
}
