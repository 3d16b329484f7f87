/* bench_layers.c - nearfar bench --layers: medians of the time of each step. Layer: server/cmd.
 * Thread rule: main thread. */
#include "server/cmd/bench_layers.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_RUNS 30
#define LEAST     50

/* Times of every run, step after step; the last one is that of a whole call without clocks. */
typedef struct samples {
    uint64_t *ns;     /* owned, [n_steps + 1][BENCH_LAYERS_RUNS] */
    uint64_t *latest; /* owned, [n_steps + 1]: of one run */
    size_t n_steps, n_runs;
} samples;

static int by_time(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Microseconds; row n_steps is the whole call. */
static double median_us(const samples *s, size_t row)
{
    uint64_t *const from = s->ns + row * BENCH_LAYERS_RUNS;
    qsort(from, s->n_runs, sizeof(*from), by_time);
    return (double)from[s->n_runs / 2] / 1000;
}

/* One run with clocks, one without. */
static nf_status sample(samples *s, const bench_row *r, nf_error *err)
{
    nf_status st;
    if ((st = eng_session_profile(r->session, r->in, r->out, s->latest, err))) return st;
    const uint64_t before = nf_now_ns();
    if ((st = eng_session_run(r->session, r->in, r->out, 1, err))) return st;
    s->latest[s->n_steps] = nf_now_ns() - before;
    return NF_OK;
}

static nf_status measure(samples *s, const bench_row *r, double seconds, nf_error *err)
{
    const uint64_t limit = (uint64_t)(seconds * 1e9);
    nf_status st = NF_OK;
    for (int i = 0; i < WARM_RUNS && !st; i++)
        st = sample(s, r, err);
    const uint64_t begin = nf_now_ns();
    while (!st && s->n_runs < BENCH_LAYERS_RUNS &&
           (s->n_runs < LEAST || nf_now_ns() - begin < limit)) {
        if ((st = sample(s, r, err))) return st;
        for (size_t i = 0; i <= s->n_steps; i++)
            s->ns[i * BENCH_LAYERS_RUNS + s->n_runs] = s->latest[i];
        s->n_runs++;
    }
    return st;
}

/* "25x5x64" */
static void shape_text(char *out, size_t size, const eng_step_info *s)
{
    size_t at = 0;
    out[0] = '\0';
    for (int i = 1; i < s->rank && at < size; i++)
        at +=
            (size_t)snprintf(out + at, size - at, "%s%lld", i > 1 ? "x" : "", (long long)s->dim[i]);
}

/* Multiply-accumulates a nanosecond. */
static double rate(const eng_step_info *s, double us)
{
    return us > 0 ? (double)s->macs / us / 1000 : 0;
}

static void print_text(const cmd_model *m, const double *us, double sum, double whole)
{
    printf("%s: one row, steps %.2f us (%zu of them), whole call %.2f us\n", m->path, sum,
           m->info->n_ops, whole);
    printf("%4s %-20s %-26s %-14s %10s %9s %8s %7s\n", "step", "op", "kernel", "output", "MACs",
           "us", "GMAC/s", "share");
    for (size_t i = 0; i < m->info->n_ops; i++) {
        eng_step_info s;
        char shape[128];
        eng_model_step(&s, m->model, i);
        shape_text(shape, sizeof(shape), &s);
        printf("%4zu %-20s %-26s %-14s %10llu %9.3f %8.1f %6.1f%%\n", i, s.op, s.kernel, shape,
               (unsigned long long)s.macs, us[i], rate(&s, us[i]), 100 * us[i] / sum);
    }
}

static void print_json(const cmd_model *m, const double *us, double sum, double whole)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < m->info->n_ops; i++) {
        eng_step_info s;
        char shape[128];
        eng_model_step(&s, m->model, i);
        shape_text(shape, sizeof(shape), &s);
        json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f}", "op", s.op,
                                               "kernel", s.kernel, "output", shape, "macs",
                                               (json_int_t)s.macs, "us", us[i], "gmac_per_s",
                                               rate(&s, us[i]), "share", us[i] / sum));
    }
    json_t *root = json_pack("{s:s, s:f, s:f, s:o}", "model", m->path, "steps_us", sum, "call_us",
                             whole, "steps", steps);
    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

static nf_status make_samples(samples *s, size_t n_steps, nf_error *err)
{
    s->n_steps = n_steps;
    s->ns = nf_alloc_array(n_steps + 1, BENCH_LAYERS_RUNS * sizeof(*s->ns), NF_MEM_MISC);
    s->latest = nf_alloc_array(n_steps + 1, sizeof(*s->latest), NF_MEM_MISC);
    return s->ns && s->latest ? NF_OK : nf_fail(err, NF_ENOMEM, "samples", "no memory");
}

nf_status bench_layers(const cmd_model *m, const bench_row *r, double seconds, bool json,
                       nf_error *err)
{
    const size_t n = m->info->n_ops;
    samples s = {0};
    double sum = 1e-9; /* a model without steps has no shares */
    double *us = nf_alloc_array(n + 1, sizeof(*us), NF_MEM_MISC);
    nf_status st = us ? make_samples(&s, n, err) : nf_fail(err, NF_ENOMEM, "samples", "no memory");
    if (!st) st = measure(&s, r, seconds, err);
    for (size_t i = 0; i <= n && !st; i++) {
        us[i] = median_us(&s, i);
        if (i < n) sum += us[i];
    }
    if (!st) (json ? print_json : print_text)(m, us, sum, us[n]);
    nf_free(us);
    nf_free(s.ns);
    nf_free(s.latest);
    return st;
}
