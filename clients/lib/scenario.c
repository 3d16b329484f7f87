/* scenario.c - connections, the measured part, the closed loop. Layer: clients. Thread rule: one
 * thread. */
#include "clients/lib/scenario.h"

#include "clients/lib/scenario_parts.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"

#define RETRY_MS 50  /* after a connection that could not be opened */
#define SHOW_MS  100 /* progress line */

void cl_run_stop(cl_run *r)
{
    const uint64_t now = nf_now_ns();
    if (r->over) return;
    r->over = true;
    r->out->elapsed_ns = r->measure_ns && now > r->measure_ns ? now - r->measure_ns : 0;
    uv_stop(&r->client->loop);
}

static void on_end(uv_timer_t *t)
{
    cl_run_stop(t->data);
}

static uint64_t cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* When the measured part has to end at the latest, in microseconds from its start; 0: by count. An
 * open loop has the time of one answer more, for what is still under way. */
static uint64_t longest_us(const cl_load *l)
{
    if (!l->arrivals) return l->requests ? 0 : l->duration_us;
    const double whole = (double)l->requests / l->arrivals->rate * 1e6;
    return (l->requests ? (uint64_t)whole : l->duration_us) + l->limits.response_us;
}

void cl_run_measure(cl_run *r, uint64_t at_ns)
{
    const uint64_t us = longest_us(r->load);
    r->measure_ns = at_ns;
    r->out->cpu_ns = cpu_now_ns();
    if (!us) return;
    uv_update_time(&r->client->loop);
    uv_timer_start(&r->end, on_end, us / 1000, 0);
}

void cl_run_record(cl_run *r, const cl_exchange *x, uint64_t due_ns)
{
    cl_load_result *out = r->out;
    const uint64_t from = due_ns ? due_ns : x->t.start;
    if (due_ns)
        cl_recorder_add_due(&out->rec, x, due_ns);
    else
        cl_recorder_add(&out->rec, x);
    cl_windows_add(&out->windows, x->t.end - r->measure_ns, !x->failure, x->t.end - from);
    r->finished++;
}

static bool is_warm(const cl_run *r)
{
    if (r->load->warmup_requests) return r->warmed >= r->load->warmup_requests;
    return nf_now_ns() - r->began_ns >= r->load->warmup_us * 1000;
}

void cl_run_send(cl_worker *w, cl_conn_done done)
{
    cl_run *r = w->of;
    const cl_call *call = &r->calls[r->next_call];
    if (++r->next_call == r->n_calls) r->next_call = 0;
    r->st = cl_conn_send(w->conn, call, done, w, r->err);
    if (r->st) cl_run_stop(r);
}

static void issue(cl_worker *w);

static void on_retry(uv_timer_t *t)
{
    issue(t->data);
}

static void on_answer(void *user, const cl_exchange *x)
{
    cl_worker *w = user;
    cl_run *r = w->of;
    if (r->over) return;
    if (r->measure_ns && x->t.start >= r->measure_ns) {
        cl_run_record(r, x, 0);
        if (r->finished == r->load->requests) {
            cl_run_stop(r);
            return;
        }
    } else if (!r->measure_ns) {
        r->warmed++;
        if (is_warm(r)) cl_run_measure(r, nf_now_ns());
    }
    if (cl_failure_is_unreachable(x->failure) || x->failure == CL_LOCAL)
        uv_timer_start(&w->retry, on_retry, RETRY_MS, 0);
    else
        issue(w);
}

static void issue(cl_worker *w)
{
    cl_run *r = w->of;
    if (r->measure_ns && r->load->requests && r->issued == r->load->requests) return;
    r->issued += r->measure_ns != 0;
    cl_run_send(w, on_answer);
}

static void start_closed(cl_run *r)
{
    if (!r->load->warmup_requests && !r->load->warmup_us) cl_run_measure(r, nf_now_ns());
    for (size_t i = 0; i < r->n_workers && !r->st; i++)
        issue(&r->workers[i]);
}

static void on_show(uv_timer_t *t)
{
    const cl_run *r = t->data;
    const uint64_t now = nf_now_ns();
    if (!r->measure_ns || now <= r->measure_ns) {
        cl_progress_show(r->load->progress, "warming up: %llu requests",
                         (unsigned long long)r->warmed);
        return;
    }
    const double seconds = (double)(now - r->measure_ns) / 1e9;
    cl_progress_show(r->load->progress, "%.1f s, %llu requests, %.0f/s, %llu errors", seconds,
                     (unsigned long long)r->finished, (double)r->finished / seconds,
                     (unsigned long long)cl_recorder_errors(&r->out->rec));
}

static nf_status open_workers(cl_run *r, const cl_url *url, nf_error *err)
{
    nf_status st;
    uv_loop_t *loop = &r->client->loop;
    r->workers = nf_alloc_array(r->load->connections, sizeof(*r->workers), NF_MEM_CLIENT);
    if (!r->workers)
        return nf_fail(err, NF_ENOMEM, "connections", "no memory for %zu", r->load->connections);
    for (size_t i = 0; i < r->load->connections; i++) {
        cl_worker *w = &r->workers[i];
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
    cl_run *r = h->data;
    r->closing--;
}

static void close_handle(cl_run *r, uv_timer_t *t)
{
    t->data = r;
    r->closing++;
    uv_close((uv_handle_t *)t, on_closed);
}

/* Closes all, and runs the loop until that is done, because the timers' memory goes with the run.
 */
static void close_all(cl_run *r)
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

static nf_status start(cl_run *r, const cl_url *url, nf_error *err)
{
    const cl_load *l = r->load;
    nf_status st = cl_windows_init(&r->out->windows, l->windows, l->tolerance,
                                   l->requests ? 0 : l->duration_us * 1000, l->requests, err);
    if (!st) st = open_workers(r, url, err);
    if (st) return st;
    r->began_ns = nf_now_ns();
    if (l->arrivals) return cl_pace_start(r, err);
    start_closed(r);
    return r->st;
}

nf_status cl_run_load(cl_client *client, const cl_url *url, const cl_call *calls, size_t n_calls,
                      const cl_load *load, cl_load_result *out, nf_error *err)
{
    cl_run r = {.client = client, .load = load, .calls = calls, .n_calls = n_calls, .out = out};
    r.err = err;
    memset(out, 0, sizeof(*out));
    uv_timer_init(&client->loop, &r.end);
    uv_timer_init(&client->loop, &r.show);
    r.end.data = r.show.data = &r;
    r.st = start(&r, url, err);
    if (!r.st) {
        if (load->progress->on) uv_timer_start(&r.show, on_show, SHOW_MS, SHOW_MS);
        if (!client->stopped && !r.over) uv_run(&client->loop, UV_RUN_DEFAULT);
    }
    out->interrupted = client->stopped;
    cl_run_stop(&r);
    out->cpu_ns = r.measure_ns ? cpu_now_ns() - out->cpu_ns : 0;
    cl_progress_end(load->progress);
    if (load->arrivals) cl_pace_stop(&r);
    close_all(&r);
    return r.st;
}

void cl_load_result_fini(cl_load_result *r)
{
    cl_windows_fini(&r->windows);
}

double cl_load_busy(const cl_load_result *r)
{
    return r->elapsed_ns ? (double)r->cpu_ns / (double)r->elapsed_ns : 0;
}

double cl_load_rate(const cl_load_result *r)
{
    return r->elapsed_ns ? (double)r->rec.ok * 1e9 / (double)r->elapsed_ns : 0;
}
