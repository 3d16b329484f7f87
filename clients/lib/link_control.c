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
    char in[4096], out[4096];
} visitor;

struct cl_control {
    cl_link *link;
    const cl_check_result *check; /* NULL: none was asked for */
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

static json_t *flow_json(const cl_link_flow *f)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "dropped", (json_int_t)f->dropped,
                     "bytes", (json_int_t)f->bytes, "segments", (json_int_t)f->segments, "lost",
                     (json_int_t)f->lost, "stalls", (json_int_t)f->stalls, "stalled_us",
                     (json_int_t)f->stalled_us, "rate_bps", (json_int_t)f->rate_bps,
                     "waiting_bytes", (json_int_t)f->waiting);
}

/* What was not measured is null. */
static json_t *measured(double v)
{
    return v >= 0 ? json_integer((json_int_t)v) : json_null();
}

static json_t *check_json(const cl_check_result *r)
{
    if (!r) return json_null();
    return json_pack("{s:b,s:b,s:o,s:o,s:o,s:o,s:s}", "done", r->done, "ok", r->ok, "rtt_us",
                     measured(r->rtt_us), "first_byte_us", measured(r->first_us), "up_bps",
                     measured(r->rate_bps[CL_UP]), "down_bps", measured(r->rate_bps[CL_DOWN]),
                     "note", r->note);
}

static json_t *state_json(const cl_control *c)
{
    const cl_link_spec *spec = cl_link_spec_of(c->link);
    cl_link_state s;
    cl_link_state_get(c->link, &s);
    json_t *j =
        json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:{s:o,s:o},s:o}", "up", s.up,
                  "backend", spec->tun ? "tun" : "proxy", "listen", spec->listen, "to", spec->to,
                  "connections", (json_int_t)s.connections, "open", (json_int_t)s.open, "refused",
                  (json_int_t)s.refused, "outages", (json_int_t)s.outages, "bytes_up",
                  (json_int_t)s.flow[CL_UP].bytes, "bytes_down", (json_int_t)s.flow[CL_DOWN].bytes,
                  "congestion", spec->congestion, "delivered", "up", flow_json(&s.flow[CL_UP]),
                  "down", flow_json(&s.flow[CL_DOWN]), "check", check_json(c->check));
    if (j && cl_settings_to_json(&spec->shape, j) == 0) return j;
    json_decref(j);
    return NULL;
}

typedef struct answer_out {
    int status;
    const char *error; /* NULL: the state is the answer */
} answer_out;

typedef struct change { /* what a POST asks for, all of it looked at before any is done */
    json_t *up;
    cl_outages schedule;
    bool scheduled;
    cl_link_settings shape;
    bool shaped;
} change;

static nf_status read_change(change *c, json_t *body, nf_error *err)
{
    nf_status st;
    if (!json_is_object(body) || json_object_size(body) == 0)
        return nf_fail(err, NF_EINVAL, "body",
                       "expected {\"up\":true}, {\"up\":false}, or settings to change");
    json_t *schedule = json_object_get(body, "schedule");
    c->up = json_object_get(body, "up");
    c->scheduled = schedule != NULL;
    if (c->up && !json_is_boolean(c->up))
        return nf_fail(err, NF_EINVAL, "up", "expected true or false");
    if (schedule && !json_is_string(schedule))
        return nf_fail(err, NF_EINVAL, "schedule", "expected a text as '10s up,30s down'");
    if (c->up && schedule)
        return nf_fail(err, NF_EINVAL, "schedule", "expected either this or up, got both");
    if (schedule && (st = cl_outages_parse(&c->schedule, json_string_value(schedule), err)))
        return st;
    json_incref(c->up);
    json_object_del(body, "up");
    json_object_del(body, "schedule");
    c->shaped = json_object_size(body) > 0;
    return cl_settings_from_json(&c->shape, body, CL_SETTINGS_LINK, err);
}

static nf_status change_link(cl_link *link, const cl_ask *a, nf_error *err)
{
    change c = {.shape = cl_link_spec_of(link)->shape};
    json_t *body = json_loadb(a->body, a->body_len, JSON_REJECT_DUPLICATES, NULL);
    nf_status st = read_change(&c, body, err);
    if (!st && c.shaped) cl_link_reshape(link, &c.shape);
    if (!st && c.up) cl_link_set_up(link, json_is_true(c.up));
    if (!st && c.scheduled) st = cl_link_set_schedule(link, &c.schedule, err);
    json_decref(c.up);
    json_decref(body);
    return st;
}

/* Does what the request says; `room` takes the text of an error. */
static answer_out act(const cl_ask *a, cl_link *link, char *room, size_t size)
{
    nf_error err = {0};
    if (a->refused) return (answer_out){a->refused, "not a request this port takes"};
    if (strcmp(a->path, "/v1/link") != 0) return (answer_out){404, "only /v1/link is here"};
    if (a->from_page) return (answer_out){403, "not from a web page"};
    if (strcmp(cl_ask_method(a), "GET") == 0) return (answer_out){200, NULL};
    if (strcmp(cl_ask_method(a), "POST") != 0) return (answer_out){405, "expected GET or POST"};
    if (change_link(link, a, &err) == NF_OK) return (answer_out){200, NULL};
    snprintf(room, size, "%s: %s", err.where, err.text);
    return (answer_out){err.status == NF_EINVAL ? 400 : 500, room};
}

static size_t write_answer(visitor *v, answer_out a)
{
    char body[3600];
    json_t *j = a.error ? json_pack("{s:s}", "error", a.error) : state_json(v->of);
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
    char error[sizeof(nf_error)];
    const size_t len = write_answer(v, act(&v->ask, v->of->link, error, sizeof(error)));
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

void cl_control_show_check(cl_control *c, const cl_check_result *r)
{
    c->check = r;
}

const char *cl_control_address(const cl_control *c)
{
    return c->listener.address;
}
