/* scenario.c - the closed loop on one libuv loop. Layer: clients. Thread rule: one thread. */
#include "clients/lib/scenario.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"

#define RETRY_MS 50  /* after a connection that could not be opened */
#define SHOW_MS  100 /* progress line */

typedef struct run run;

typedef struct worker {
    run *of;
    cl_conn *conn;
    uv_timer_t retry;
} worker;

struct run {
    cl_client *client;
    const cl_load *load;
    const cl_call *calls;
    size_t n_calls, next_call;
    cl_load_result *out;
    worker *workers;
    size_t n_workers;
    uv_timer_t end, show;
    uint64_t began_ns;   /* of the warm-up */
    uint64_t measure_ns; /* of the measured part; 0 while warming up */
    uint64_t warmed, issued, finished;
    size_t closing; /* handles of this run that libuv has not closed yet */
    bool over;
    nf_status st;
    nf_error *err;
};

static void stop_run(run *r)
{
    if (r->over) return;
    r->over = true;
    r->out->elapsed_ns = r->measure_ns ? nf_now_ns() - r->measure_ns : 0;
    uv_stop(&r->client->loop);
}

static void on_end(uv_timer_t *t)
{
    stop_run(t->data);
}

static uint64_t cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void start_measuring(run *r)
{
    r->measure_ns = nf_now_ns();
    r->out->cpu_ns = cpu_now_ns();
    if (!r->load->requests) {
        uv_update_time(&r->client->loop);
        uv_timer_start(&r->end, on_end, r->load->duration_us / 1000, 0);
    }
}

static bool is_warm(const run *r)
{
    if (r->load->warmup_requests) return r->warmed >= r->load->warmup_requests;
    return nf_now_ns() - r->began_ns >= r->load->warmup_us * 1000;
}

static void issue(worker *w);

static void on_retry(uv_timer_t *t)
{
    issue(t->data);
}

static void on_answer(void *user, const cl_exchange *x)
{
    worker *w = user;
    run *r = w->of;
    if (r->over) return;
    if (r->measure_ns && x->t.start >= r->measure_ns) {
        cl_recorder_add(&r->out->rec, x);
        if (++r->finished == r->load->requests) {
            stop_run(r);
            return;
        }
    } else if (!r->measure_ns) {
        r->warmed++;
        if (is_warm(r)) start_measuring(r);
    }
    if (cl_failure_is_unreachable(x->failure) || x->failure == CL_LOCAL)
        uv_timer_start(&w->retry, on_retry, RETRY_MS, 0);
    else
        issue(w);
}

static void issue(worker *w)
{
    run *r = w->of;
    if (r->measure_ns && r->load->requests && r->issued == r->load->requests) return;
    const cl_call *call = &r->calls[r->next_call];
    if (++r->next_call == r->n_calls) r->next_call = 0;
    r->issued += r->measure_ns != 0;
    r->st = cl_conn_send(w->conn, call, on_answer, w, r->err);
    if (r->st) stop_run(r);
}

static void on_show(uv_timer_t *t)
{
    const run *r = t->data;
    const double seconds = (double)(nf_now_ns() - r->measure_ns) / 1e9;
    if (!r->measure_ns)
        cl_progress_show(r->load->progress, "warming up: %llu requests",
                         (unsigned long long)r->warmed);
    else
        cl_progress_show(r->load->progress, "%.1f s, %llu requests, %.0f/s, %llu errors", seconds,
                         (unsigned long long)r->finished, (double)r->finished / seconds,
                         (unsigned long long)cl_recorder_errors(&r->out->rec));
}

static nf_status open_workers(run *r, const cl_url *url, nf_error *err)
{
    nf_status st;
    uv_loop_t *loop = &r->client->loop;
    r->workers = nf_alloc_array(r->load->connections, sizeof(*r->workers), NF_MEM_CLIENT);
    if (!r->workers)
        return nf_fail(err, NF_ENOMEM, "connections", "no memory for %zu", r->load->connections);
    for (size_t i = 0; i < r->load->connections; i++) {
        worker *w = &r->workers[i];
        w->of = r;
        if ((st = cl_conn_create(&w->conn, loop, url, &r->load->limits, err))) return st;
        uv_timer_init(loop, &w->retry);
        w->retry.data = w;
        r->n_workers++;
    }
    return NF_OK;
}

static void on_closed(uv_handle_t *h)
{
    run *r = h->data;
    r->closing--;
}

static void close_handle(run *r, uv_timer_t *t)
{
    t->data = r;
    r->closing++;
    uv_close((uv_handle_t *)t, on_closed);
}

/* Closes all, and runs the loop until that is done, because the timers' memory goes with the run.
 */
static void close_all(run *r)
{
    for (size_t i = 0; i < r->n_workers; i++) {
        if (!r->out->facts.known) cl_conn_facts(r->workers[i].conn, &r->out->facts);
        cl_conn_destroy(&r->workers[i].conn);
        close_handle(r, &r->workers[i].retry);
    }
    close_handle(r, &r->end);
    close_handle(r, &r->show);
    while (r->closing)
        uv_run(&r->client->loop, UV_RUN_ONCE);
    nf_free(r->workers);
}

nf_status cl_closed_loop(cl_client *client, const cl_url *url, const cl_call *calls, size_t n_calls,
                         const cl_load *load, cl_load_result *out, nf_error *err)
{
    run r = {.client = client, .load = load, .calls = calls, .n_calls = n_calls, .out = out};
    r.err = err;
    memset(out, 0, sizeof(*out));
    uv_timer_init(&client->loop, &r.end);
    uv_timer_init(&client->loop, &r.show);
    r.end.data = r.show.data = &r;
    r.st = open_workers(&r, url, err);
    r.began_ns = nf_now_ns();
    if (!load->warmup_requests && !load->warmup_us) start_measuring(&r);
    for (size_t i = 0; i < load->connections && !r.st; i++)
        issue(&r.workers[i]);
    if (!r.st) {
        if (load->progress->on) uv_timer_start(&r.show, on_show, SHOW_MS, SHOW_MS);
        if (!client->stopped && !r.over) uv_run(&client->loop, UV_RUN_DEFAULT);
    }
    out->interrupted = client->stopped;
    stop_run(&r);
    out->cpu_ns = r.measure_ns ? cpu_now_ns() - out->cpu_ns : 0;
    cl_progress_end(load->progress);
    close_all(&r);
    return r.st;
}
