/* http_loop.c - the event loops: each runs its own daemon, deadlines and, on loop 0, the signals.
 * Layer: server/http. Thread rule: see http_inside.h. */
#include "server/http/http_inside.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS       500
#define SWEEP_DRAIN_MS 20
#define STACK_BYTES    (256u << 10)

/* Lets the daemon work, and asks when it wants to again. A daemon at its limit of connections or
 * files has stopped to listen, and goes on only at the start of a run: one follows whenever places
 * became free, for no event would bring it about. */
static void run_daemon(http_loop *loop)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    loop->freed = false;
    MHD_run(loop->daemon);
    if (!loop->freed && MHD_get_timeout(loop->daemon, &ms) == MHD_NO) {
        if (uv_is_active((uv_handle_t *)&loop->again)) uv_timer_stop(&loop->again);
        return;
    }
    uv_timer_start(&loop->again, loop->again.timer_cb, ms, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run_daemon(poll->data);
}

static void on_again(uv_timer_t *timer)
{
    run_daemon(timer->data);
}

/* Cuts the connections whose time is over. The library then sees an end of file, and cleans up. */
static void cut_late(http_loop *loop, uint64_t now)
{
    for (http_conn *c = loop->first; c; c = c->next) {
        if (now < c->deadline_us) continue;
        c->deadline_us = UINT64_MAX;
        shutdown(c->fd, SHUT_RDWR);
        if (c->state != CONN_IDLE) srv_count(&loop->shard->timed_out, 1);
    }
}

static void on_sweep(uv_timer_t *timer)
{
    http_loop *loop = timer->data;
    const uint64_t now = nf_now_us();
    cut_late(loop, now);
    if (loop->quiesced && (loop->n_conns == 0 || now >= loop->drain_until_us)) {
        if (loop->n_conns) atomic_store(&loop->http->late, true);
        loop->stopping = true;
        uv_stop(&loop->uv);
    } else if (!loop->quiesced && loop->n_conns == 0) {
        uv_timer_stop(timer); /* nothing to watch: an idle server does not wake up */
    }
}

void http_loop_watch(http_loop *loop)
{
    if (!uv_is_active((uv_handle_t *)&loop->sweep))
        uv_timer_start(&loop->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void begin_drain(http_loop *loop)
{
    const uint64_t now = nf_now_us();
    run_daemon(loop); /* who is in the backlog is let in first */
    const int fd = MHD_quiesce_daemon(loop->daemon);
    if (fd >= 0) close(fd);
    loop->listen_fd = -1;
    loop->quiesced = true;
    loop->drain_until_us = now + (uint64_t)atomic_load(&loop->http->drain_timeout_us);
    for (http_conn *c = loop->first; c; c = c->next)
        if (c->state == CONN_IDLE) c->deadline_us = now;
    uv_timer_start(&loop->sweep, on_sweep, 0, SWEEP_DRAIN_MS);
}

static void on_wake(uv_async_t *wake)
{
    http_loop *loop = wake->data;
    if (atomic_load(&loop->http->draining) && !loop->quiesced) begin_drain(loop);
    run_daemon(loop);
}

static void on_signal(uv_signal_t *s, int number)
{
    http_loop *loop = s->data;
    const srv_http_options *o = &loop->http->options;
    if (number == SIGHUP)
        o->on_hangup(o->app);
    else
        o->on_terminate(o->app);
}

static void watch_signals(http_loop *loop)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    for (size_t i = 0; i < NF_COUNT(numbers); i++) {
        uv_signal_init(&loop->uv, &loop->signals[i]);
        loop->signals[i].data = loop;
        uv_signal_start(&loop->signals[i], on_signal, numbers[i]);
    }
}

nf_status http_loop_init(http_loop *loop, nf_error *err)
{
    if (uv_loop_init(&loop->uv)) return nf_fail(err, NF_EIO, "http", "cannot make an event loop");
    uv_timer_init(&loop->uv, &loop->again);
    uv_timer_init(&loop->uv, &loop->sweep);
    loop->again.timer_cb = on_again;
    loop->again.data = loop->sweep.data = loop;
    if (uv_async_init(&loop->uv, &loop->wake, on_wake))
        return nf_fail(err, NF_EIO, "http", "cannot make a wake-up handle");
    loop->wake.data = loop;
    loop->started = true;
    const nf_status st = http_daemon_start(loop, err);
    if (st) return st;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || uv_poll_init(&loop->uv, &loop->poll, info->epoll_fd))
        return nf_fail(err, NF_EIO, "http", "cannot watch the HTTP daemon");
    loop->poll.data = loop;
    uv_poll_start(&loop->poll, UV_READABLE, on_poll);
    if (loop->index == 0) watch_signals(loop);
    return NF_OK;
}

void http_loop_run(http_loop *loop)
{
    run_daemon(loop);
    while (!loop->stopping)
        uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) uv_close(h, NULL);
}

void http_loop_fini(http_loop *loop)
{
    if (!loop->started) return;
    /* A daemon must not be stopped while requests wait for a worker; the workers are done, so each
     * of them only has to be let go. */
    for (int i = 0; loop->daemon && loop->n_running && i < 1000; i++)
        MHD_run(loop->daemon);
    uv_walk(&loop->uv, close_handle, NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT)) /* until each handle has been closed */
        continue;
    uv_loop_close(&loop->uv);
    if (loop->daemon)
        MHD_stop_daemon(loop->daemon);
    else if (loop->listen_fd >= 0)
        close(loop->listen_fd);
    loop->started = false;
}

static void *loop_main(void *arg)
{
    http_loop_run(arg);
    return NULL;
}

static nf_status start_threads(srv_http *h, unsigned *n, nf_error *err)
{
    pthread_attr_t attr;
    nf_status st = NF_OK;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (*n = 1; *n < h->options.loops && !st; ++*n) {
        char name[16];
        if (pthread_create(&h->loops[*n].thread, &attr, loop_main, &h->loops[*n])) {
            st = nf_fail(err, NF_ENOMEM, "http", "cannot start loop %u", *n);
            break;
        }
        snprintf(name, sizeof(name), "http-%u", *n % 1000u);
        pthread_setname_np(h->loops[*n].thread, name);
    }
    pthread_attr_destroy(&attr);
    return st;
}

nf_status srv_http_run(srv_http *h, nf_error *err)
{
    unsigned started;
    const nf_status st = start_threads(h, &started, err);
    if (st)
        srv_http_drain(h, 0);
    else
        h->options.on_start(h->options.app);
    http_loop_run(&h->loops[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(h->loops[i].thread, NULL);
    if (atomic_load(&h->late))
        nf_log(NF_LOG_WARN, "http", "connections were left when the drain's time was over");
    return st;
}

nf_status srv_http_create(srv_http **out, const srv_http_options *o, nf_error *err)
{
    nf_status st = NF_OK;
    srv_http *h = nf_alloc(sizeof(*h) + o->loops * sizeof(http_loop), NF_MEM_MISC);
    *out = NULL;
    if (!h) return nf_fail(err, NF_ENOMEM, "http", "no memory for %u loops", o->loops);
    h->options = *o;
    for (unsigned i = 0; i < o->loops; i++)
        h->loops[i] =
            (http_loop){.http = h, .index = i, .listen_fd = -1, .shard = &o->monitor->shard[i]};
    for (unsigned i = 0; i < o->loops && !st; i++) {
        st = http_listen(&h->loops[i].listen_fd, &h->port, o->listen, err);
        if (!st) st = http_loop_init(&h->loops[i], err);
    }
    if (st) srv_http_destroy(&h);
    *out = h;
    return st;
}

unsigned srv_http_port(const srv_http *h)
{
    return h->port;
}

void srv_http_drain(srv_http *h, int64_t timeout_us)
{
    atomic_store(&h->drain_timeout_us, timeout_us);
    if (atomic_exchange(&h->draining, true)) return;
    for (unsigned i = 0; i < h->options.loops; i++)
        uv_async_send(&h->loops[i].wake);
}

void srv_http_destroy(srv_http **hp)
{
    srv_http *h = *hp;
    if (!h) return;
    *hp = NULL;
    for (unsigned i = 0; i < h->options.loops; i++)
        http_loop_fini(&h->loops[i]);
    nf_free(h);
}
