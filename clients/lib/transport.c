/* transport.c - the loop, signals, single calls. Layer: clients. Thread rule: one thread. */
#include "clients/lib/transport.h"

#include <signal.h>

static void on_signal(uv_signal_t *s, int number)
{
    cl_client *c = s->data;
    (void)number;
    c->stopped = true;
    uv_signal_stop(s); /* the next one ends the process at once */
    uv_stop(&c->loop);
}

static int listen_for(cl_client *c, uv_signal_t *s, int number)
{
    int code = uv_signal_init(&c->loop, s);
    s->data = c;
    if (!code) code = uv_signal_start(s, on_signal, number);
    uv_unref((uv_handle_t *)s);
    return code;
}

nf_status cl_client_init(cl_client *c, nf_error *err)
{
    memset(c, 0, sizeof(*c));
    int code = uv_loop_init(&c->loop);
    if (code) return nf_fail(err, NF_EIO, "loop", "%s", uv_strerror(code));
    signal(SIGPIPE, SIG_IGN); /* a closed peer is an error code, not the end of the process */
    code = listen_for(c, &c->interrupt, SIGINT);
    if (!code) code = listen_for(c, &c->terminate, SIGTERM);
    if (!code) return NF_OK;
    cl_client_fini(c);
    return nf_fail(err, NF_EIO, "signals", "%s", uv_strerror(code));
}

void cl_client_fini(cl_client *c)
{
    uv_signal_t *const signals[] = {&c->interrupt, &c->terminate};
    for (size_t i = 0; i < NF_COUNT(signals); i++)
        if (signals[i]->loop && !uv_is_closing((uv_handle_t *)signals[i]))
            uv_close((uv_handle_t *)signals[i], NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
}

typedef struct waiter {
    cl_exchange *out;
    bool done;
} waiter;

static void on_done(void *user, const cl_exchange *x)
{
    waiter *w = user;
    *w->out = *x;
    w->done = true;
}

nf_status cl_call_once(cl_client *c, cl_conn *conn, const cl_call *call, cl_exchange *out,
                       nf_error *err)
{
    nf_status st;
    waiter w = {.out = out};
    *out = (cl_exchange){0};
    if (c->stopped) return NF_ETIMEOUT;
    if ((st = cl_conn_send(conn, call, on_done, &w, err))) return st;
    while (!w.done && !c->stopped)
        uv_run(&c->loop, UV_RUN_ONCE);
    if (w.done) return NF_OK;
    cl_conn_cancel(conn);
    return NF_ETIMEOUT;
}
