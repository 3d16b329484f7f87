/* cmd_bench.c - nearfar bench: latency and throughput of the engine alone. Layer: server/cmd.
 * Thread rule: one session a thread; the main thread waits for all and reports. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/engine.h"
#include "engine/session.h"
#include "server/cmd/bench_csv.h"
#include "server/cmd/bench_layers.h"
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_model.h"
#include "server/cmd/cmd_options.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES ((size_t)1 << 22) /* of one thread; a measurement ends when they are full */
#define MAX_THREADS 256
#define WARM_RUNS   30
#define MAX_IO      64

typedef struct opts {
    cmd_engine engine;
    const char *csv;
    int64_t threads, batch, open;
    double seconds;
    bool layers, share, json, help;
} opts;

#define AT(field) offsetof(opts, field)

// clang-format off
static const nf_opt rows[] = {
    CMD_ENGINE_ROWS(opts, engine),
    {.name = "threads", .arg = "N", .dflt = "1", .kind = NF_OPT_NUM, .offset = AT(threads),
     .least = 1, .most = MAX_THREADS, .help = "sessions that run side by side"},
    {.name = "share", .kind = NF_OPT_FLAG, .offset = AT(share),
     .help = "the threads share the rows of one session's calls instead"},
    {.name = "batch", .arg = "ROWS", .dflt = "1", .kind = NF_OPT_NUM, .offset = AT(batch),
     .least = 1, .most = 4096, .help = "rows in one call"},
    {.name = "open", .arg = "N", .dflt = "0", .kind = NF_OPT_NUM, .offset = AT(open),
     .least = 0, .most = 1 << 20, .help = "size of open dimensions; 0: the first of 1, 8, 32 … that runs"},
    {.name = "seconds", .arg = "S", .dflt = "1", .kind = NF_OPT_REAL, .offset = AT(seconds),
     .least = 0, .most = 3600, .help = "how long to measure, at least 50 calls"},
    {.name = "csv", .arg = "FILE", .dflt = "", .kind = NF_OPT_TEXT, .offset = AT(csv),
     .help = "measure rows of a table: parsing alone, or with a MODEL the whole run"},
    {.name = "layers", .kind = NF_OPT_FLAG, .offset = AT(layers),
     .help = "time of each step of one row, instead of the whole call"},
    {.name = "json", .kind = NF_OPT_FLAG, .offset = AT(json), .help = "print one JSON object"},
    CMD_HELP_ROW(opts),
};
// clang-format on

static const cmd_spec spec = {
    .usage = "nearfar bench MODEL [OPTIONS], nearfar bench [MODEL] --csv FILE",
    .what = "Measures the engine alone: no server, no JSON. Inputs are random, with a fixed seed,\n"
            "and in the model's own type. With several threads each has a session of its own, or,\n"
            "with --share, a part of the rows of every call.",
    .example = "  nearfar bench models/digits --mode edge --seconds 2\n",
    .table = {rows, NF_COUNT(rows)},
    .help = AT(help),
};

/* Held by the main thread while it starts the others. */
typedef struct gate {
    pthread_mutex_t lock;
    bool closed; /* not every thread could be started: nobody measures */
} gate;

/* One thread's session, its buffers, and what it measured. */
typedef struct lane {
    eng_session *session;
    eng_view in[MAX_IO], out[MAX_IO]; /* data owned */
    size_t n_in, n_out, batch;
    bool whole;   /* runs by whole shapes */
    uint64_t *ns; /* owned, MAX_SAMPLES */
    size_t n;
    uint64_t limit_ns, took_ns;
    gate *gate;
    nf_error err;
} lane;

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* One random element: a float in [0, 1); any 8- or 16-bit pattern; 0 or 1 where it may be an
 * index or a bool. */
static void random_element(void *to, eng_dtype dtype, uint64_t bits)
{
    const size_t size = eng_dtype_size(dtype);
    const float f = (float)(bits >> 40) / 16777216.0f;
    const double d = (double)f;
    const uint64_t bit = bits & 1;
    const void *from = &bits;
    if (dtype == ENG_F32)
        from = &f;
    else if (dtype == ENG_F64)
        from = &d;
    else if (dtype == ENG_BOOL || size > 2)
        from = &bit;
    memcpy(to, from, size);
}

static void fill(eng_view *v, uint64_t seed)
{
    const size_t size = eng_dtype_size(v->dtype);
    for (size_t at = 0; at + size <= v->bytes; at += size)
        random_element((char *)v->data + at, v->dtype, next_random(&seed));
}

static void fill_texts(eng_view *v)
{
    nf_span *const text = v->data;
    for (size_t i = 0; i < v->bytes / sizeof(*text); i++)
        text[i] = (nf_span){"text", 4};
}

/* Memory for `batch` rows; `open` elements in dimensions that are open. */
static nf_status make_view(eng_view *v, const eng_io *io, size_t batch, size_t open, nf_error *err)
{
    size_t elems = 1;
    *v = (eng_view){.dtype = io->dtype, .rank = io->rank < 0 ? 1 : io->rank};
    for (int i = 0; i < v->rank; i++) {
        v->dim[i] = io->rank < 0 || io->dim[i] < 0 ? (int64_t)open : io->dim[i];
        if (i == 0 && io->batched) v->dim[i] = (int64_t)batch;
        if (!nf_mul_size(&elems, elems, (size_t)v->dim[i])) elems = SIZE_MAX;
    }
    if (!io->batched && !io->open && !nf_mul_size(&elems, elems, batch)) elems = SIZE_MAX;
    if (!nf_mul_size(&v->bytes, elems, eng_dtype_size(io->dtype)) || v->bytes == SIZE_MAX)
        return nf_fail(err, NF_ETOOLARGE, io->name, "%zu rows do not fit", batch);
    v->data = nf_alloc(v->bytes + 1, NF_MEM_MISC);
    return v->data ? NF_OK : nf_fail(err, NF_ENOMEM, io->name, "no memory");
}

static void free_views(lane *l)
{
    for (size_t i = 0; i < MAX_IO; i++) {
        nf_free(l->in[i].data);
        nf_free(l->out[i].data);
        l->in[i].data = l->out[i].data = NULL;
    }
}

static nf_status make_views(lane *l, const eng_info *info, size_t open, nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < l->n_in && !st; i++) {
        const eng_io *io = &info->inputs[i];
        const size_t batch = l->whole && !io->batched ? 1 : l->batch;
        if ((st = make_view(&l->in[i], io, batch, open, err))) break;
        if (io->dtype == ENG_STR)
            fill_texts(&l->in[i]);
        else
            fill(&l->in[i], i + 1);
    }
    for (size_t i = 0; i < l->n_out && !st && !l->whole; i++)
        st = make_view(&l->out[i], &info->outputs[i], l->batch, open, err);
    return st;
}

static nf_status call(lane *l, nf_error *err)
{
    if (l->whole) return eng_session_run_open(l->session, l->in, err);
    return eng_session_run(l->session, l->in, l->out, l->batch, err);
}

/* Inputs of the size that was asked for, or of the first one that the model takes. */
static nf_status choose_views(lane *l, const eng_info *info, size_t asked, nf_error *err)
{
    static const size_t sizes[] = {1, 8, 32, 128, 512};
    nf_status st;
    if (!l->whole || asked) return make_views(l, info, asked, err);
    for (size_t i = 0; i < NF_COUNT(sizes); i++) {
        if ((st = make_views(l, info, sizes[i], err))) return st;
        if (call(l, err) == NF_OK) return NF_OK;
        if (i + 1 < NF_COUNT(sizes)) free_views(l);
    }
    return NF_OK; /* its own error comes when it is measured */
}

static nf_status lane_init(lane *l, const cmd_model *m, const opts *o, nf_error *err)
{
    const size_t sharing = o->share ? (size_t)o->threads : 1;
    const size_t block = ((size_t)o->batch + sharing - 1) / sharing; /* rows of one thread */
    nf_status st;
    l->batch = (size_t)o->batch;
    l->limit_ns = (uint64_t)(o->seconds * 1e9);
    l->n_in = m->info->n_inputs;
    l->n_out = m->info->n_outputs;
    if (l->n_in > MAX_IO || l->n_out > MAX_IO)
        return nf_fail(err, NF_EUNSUPPORTED, m->path, "over %d inputs or outputs", MAX_IO);
    if ((st = eng_session_create(&l->session, m->model, block < 64 ? block : 64, err)) ||
        (sharing > 1 && (st = eng_session_threads(l->session, sharing, err))))
        return st;
    l->whole = srv_runs_open(m->info);
    if ((st = choose_views(l, m->info, (size_t)o->open, err))) return st;
    l->ns = nf_alloc_array(MAX_SAMPLES, sizeof(*l->ns), NF_MEM_MISC);
    return l->ns ? NF_OK : nf_fail(err, NF_ENOMEM, "samples", "no memory");
}

static void lane_fini(lane *l)
{
    eng_session_destroy(&l->session);
    free_views(l);
    nf_free(l->ns);
}

static bool gate_closed(gate *g)
{
    pthread_mutex_lock(&g->lock);
    const bool closed = g->closed;
    pthread_mutex_unlock(&g->lock);
    return closed;
}

static void *measure(void *arg)
{
    lane *const l = arg;
    nf_status st = NF_OK;
    for (int i = 0; i < WARM_RUNS && !st; i++)
        st = call(l, &l->err);
    if (gate_closed(l->gate)) return NULL;
    const uint64_t begin = nf_now_ns();
    uint64_t before = begin, after = begin;
    while (!st && l->n < MAX_SAMPLES && (after - begin < l->limit_ns || l->n < 50)) {
        st = call(l, &l->err);
        after = nf_now_ns();
        l->ns[l->n++] = after - before;
        before = after;
    }
    l->took_ns = after - begin;
    l->err.status = st;
    return NULL;
}

/* Runs all lanes at once: they warm up, and wait at the gate until every thread is there. */
static nf_status run_lanes(lane *lanes, size_t n, nf_error *err)
{
    pthread_t threads[MAX_THREADS];
    gate g = {.lock = PTHREAD_MUTEX_INITIALIZER};
    size_t started = 0;
    pthread_mutex_lock(&g.lock);
    for (; started < n; started++) {
        lanes[started].gate = &g;
        if (pthread_create(&threads[started], NULL, measure, &lanes[started])) break;
    }
    g.closed = started < n;
    pthread_mutex_unlock(&g.lock);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (started < n) return nf_fail(err, NF_EIO, "threads", "could start %zu of %zu", started, n);
    for (size_t i = 0; i < n; i++)
        if (lanes[i].err.status) return *err = lanes[i].err, lanes[i].err.status;
    return NF_OK;
}

typedef struct result {
    double min_us, median_us, p99_us, rows_per_s;
    uint64_t runs;
} result;

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static nf_status sum_up(result *r, const lane *lanes, size_t n, nf_error *err)
{
    size_t all = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        all += lanes[i].n;
    uint64_t *ns = nf_alloc_array(all, sizeof(*ns), NF_MEM_MISC);
    if (!ns) return nf_fail(err, NF_ENOMEM, "samples", "no memory");
    for (size_t i = 0; i < n; i++) {
        memcpy(ns + at, lanes[i].ns, lanes[i].n * sizeof(*ns));
        at += lanes[i].n;
        r->rows_per_s +=
            (double)(lanes[i].n * lanes[i].batch) * 1e9 / (double)(lanes[i].took_ns + 1);
    }
    qsort(ns, all, sizeof(*ns), by_value);
    r->runs = all;
    r->min_us = (double)ns[0] / 1000;
    const size_t half = all / 2;
    r->median_us = (double)ns[half] / 1000;
    r->p99_us = (double)ns[(size_t)((double)all * 0.99)] / 1000;
    nf_free(ns);
    return NF_OK;
}

static void print_result(const result *r, const cmd_model *m, const opts *o,
                         const eng_options *engine)
{
    char isa[128];
    eng_cpu_names(isa, sizeof(isa), eng_cpu_flags(engine->isa));
    if (!o->json) {
        printf("%s: %s%s%s, mode %s, %s, BLAS core %s\n", m->path,
               eng_precision_name(m->info->precision),
               m->info->arith == ENG_ARITH_AUTO ? "" : ", arithmetic ",
               m->info->arith == ENG_ARITH_AUTO ? "" : eng_arith_name(m->info->arith),
               cmd_mode_name(o->engine.mode), isa, eng_blas_core());
        printf("%8s %8s %12s %12s %12s %12s %14s\n", "threads", "batch", "calls", "min us",
               "median us", "p99 us", "rows/s");
        printf("%8lld %8lld %12llu %12.2f %12.2f %12.2f %14.0f\n", (long long)o->threads,
               (long long)o->batch, (unsigned long long)r->runs, r->min_us, r->median_us, r->p99_us,
               r->rows_per_s);
        return;
    }
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "model",
                  m->path, "mode", cmd_mode_name(o->engine.mode), "precision",
                  eng_precision_name(m->info->precision), "arith", eng_arith_name(m->info->arith),
                  "isa", isa, "blas_core", eng_blas_core(), "threads", (json_int_t)o->threads,
                  "batch", (json_int_t)o->batch, "runs", (json_int_t)r->runs, "min_us", r->min_us,
                  "median_us", r->median_us, "p99_us", r->p99_us, "rows_per_s", r->rows_per_s);
    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

static nf_status bench(const cmd_model *m, const opts *o, const eng_options *engine, nf_error *err)
{
    const size_t n = o->share ? 1 : (size_t)o->threads;
    result r = {0};
    nf_status st = NF_OK;
    lane *lanes = nf_alloc_array(n, sizeof(*lanes), NF_MEM_MISC);
    if (!lanes) return nf_fail(err, NF_ENOMEM, "threads", "no memory for %zu", n);
    for (size_t i = 0; i < n && !st; i++)
        st = lane_init(&lanes[i], m, o, err);
    if (!st) st = run_lanes(lanes, n, err);
    if (!st) st = sum_up(&r, lanes, n, err);
    if (!st) print_result(&r, m, o, engine);
    for (size_t i = 0; i < n; i++)
        lane_fini(&lanes[i]);
    nf_free(lanes);
    return st;
}

/* One row, step by step. */
static nf_status layers(const cmd_model *m, const opts *o, nf_error *err)
{
    opts one = *o;
    lane *l = nf_alloc(sizeof(*l), NF_MEM_MISC);
    if (!l) return nf_fail(err, NF_ENOMEM, "bench", "no memory");
    one.batch = 1;
    nf_status st = lane_init(l, m, &one, err);
    if (!st)
        st = bench_layers(m, &(bench_row){l->session, l->in, l->out}, o->seconds, o->json, err);
    lane_fini(l);
    nf_free(l);
    return st;
}

int cmd_bench(int argc, char **argv)
{
    opts o = {0};
    eng_options options;
    cmd_model m;
    nf_error err = {0};
    int n = 0;
    int status = cmd_options(&o, &spec, argc, argv, &n);
    if (status < 0 && *o.csv && n == 0)
        return bench_csv(NULL, o.csv, o.json, &err) ? cmd_fail("bench", &err) : 0;
    if (status < 0) status = cmd_model_only(&m, &options, &o.engine, n, argv);
    if (status >= 0) return status;
    const nf_status st = *o.csv     ? bench_csv(&m, o.csv, o.json, &err)
                         : o.layers ? layers(&m, &o, &err)
                                    : bench(&m, &o, &options, &err);
    cmd_model_fini(&m);
    return st ? cmd_fail("bench", &err) : 0;
}
