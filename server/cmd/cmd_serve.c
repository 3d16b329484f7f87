/* cmd_serve.c - wires the server together, runs it, and takes it apart. Layer: server/cmd. Thread
 * rule: main thread; scan jobs run on the loader. */
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/engine.h"
#include "server/api/app.h"
#include "server/api/status.h"
#include "server/cmd/cmd.h"
#include "server/cmd/cmd_options.h"
#include "server/config/config.h"
#include "server/http/http.h"

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define WORKER_STACK (512u << 10)
#define LOADER_STACK (1u << 20) /* readers and passes run there */
#define LOADER_QUEUE 64

typedef struct serve {
    srv_app app; /* first: req->app and the callbacks' argument */
    srv_config config;
    srv_http *http;
    int argc;
    char **argv; /* as they came, for SIGHUP */
    atomic_bool failed;
    unsigned loops, workers;
    size_t connections; /* at a time */
} serve;

typedef struct scan_job {
    srv_job job; /* first */
    serve *server;
    bool first; /* the one at the start: its failure ends the server */
} scan_job;

static unsigned cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set)) return 1;
    const int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

/* One line an event: "2026-11-23T00:44:24.123Z info registry text". */
static void log_line(nf_log_level level, const char *area, const char *text, void *user)
{
    char stamp[32], line[1200];
    struct timespec now;
    struct tm utc;
    (void)user;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    const int n = snprintf(line, sizeof(line), "%s.%03ldZ %s %s %s\n", stamp, now.tv_nsec / 1000000,
                           nf_log_level_name(level), area, text);
    if (n > 0) fwrite(line, 1, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1, stderr);
}

/* ---- the start line ---- */

static void list_model(void *arg, const srv_version_view *v)
{
    srv_buf *b = arg;
    if (!v->model) return;
    srv_buf_fmt(b, "%s%s/%s %s", b->len ? ", " : "", v->name, v->model->version_text,
                eng_precision_name(v->model->info->precision));
}

static void print_ready(serve *s)
{
    srv_buf models = {.most = 16384};
    const char *colon = strrchr(s->config.listen, ':');
    srv_registry_list(s->app.registry, NULL, list_model, &models);
    printf("nearfar %s server on http://%.*s:%u, ready in %.1f ms, models: %.*s\n",
           s->app.mode_name, (int)(colon - s->config.listen), s->config.listen,
           srv_http_port(s->http), (double)(nf_now_us() - s->app.start_us) / 1e3,
           models.len ? (int)models.len : 4, models.len ? models.data : "none");
    fflush(stdout);
    srv_buf_fini(&models);
}

/* ---- scans ---- */

static void run_scan(srv_job *job, unsigned slot, bool cancelled)
{
    scan_job *scan = (scan_job *)job;
    serve *s = scan->server;
    nf_error err = {0};
    (void)slot;
    const nf_status st = cancelled ? NF_OK : srv_registry_scan(s->app.registry, &err);
    if (st) nf_log(NF_LOG_ERROR, "registry", "%s: %s", err.where, err.text);
    if (scan->first && st) {
        atomic_store(&s->failed, true);
        srv_http_drain(s->http, 0);
    } else if (scan->first && !cancelled) {
        print_ready(s);
    }
    nf_free(scan);
}

static void submit_scan(serve *s, bool first)
{
    nf_error err = {0};
    scan_job *scan = nf_alloc(sizeof(*scan), NF_MEM_MISC);
    if (!scan || srv_sched_reserve(s->app.loader, &err)) {
        nf_log(NF_LOG_ERROR, "registry", "cannot scan now: %s", scan ? err.text : "no memory");
        nf_free(scan);
        return;
    }
    *scan = (scan_job){.job = {.run = run_scan}, .server = s, .first = first};
    srv_sched_submit(s->app.loader, &scan->job);
}

/* ---- events of the main loop ---- */

static void on_start(void *app)
{
    submit_scan(app, true);
}

static void on_terminate(void *app)
{
    serve *s = app;
    atomic_store(&s->app.draining, true); /* readiness says so first */
    nf_log(NF_LOG_INFO, "serve", "draining");
    srv_http_drain(s->http, s->config.drain_timeout);
}

/* Options that are read once: a new value waits for the next start. */
static void warn_fixed(const srv_config *old, const srv_config *fresh)
{
    if (strcmp(old->listen, fresh->listen) != 0 || strcmp(old->models, fresh->models) != 0 ||
        old->mode != fresh->mode || old->http_threads != fresh->http_threads ||
        old->workers != fresh->workers || old->queue != fresh->queue ||
        old->log_level != fresh->log_level)
        nf_log(NF_LOG_WARN, "serve",
               "listen, models, mode, threads, queue and log-level change at the next start");
}

static void on_hangup(void *app)
{
    serve *s = app;
    srv_config fresh;
    nf_error err = {0};
    char **argv = nf_alloc_array((size_t)s->argc + 1, sizeof(*argv), NF_MEM_MISC);
    if (!argv) return;
    memcpy(argv, s->argv, (size_t)s->argc * sizeof(*argv));
    nf_status st = srv_config_read(&fresh, s->argc, argv, getenv, &err);
    if (!st && *fresh.admin_token_file)
        st = srv_auth_read(&s->app.auth, fresh.admin_token_file, &err);
    if (st) {
        nf_log(NF_LOG_ERROR, "serve", "SIGHUP: nothing changed: %s: %s", err.where, err.text);
    } else {
        warn_fixed(&s->config, &fresh);
        srv_config_live(&s->app.live, &fresh);
        s->config.drain_timeout = fresh.drain_timeout;
        submit_scan(s, false);
    }
    srv_config_fini(&fresh);
    nf_free(argv);
}

/* ---- start and end ---- */

static nf_status load_options(srv_load_options *out, const serve *s, nf_error *err)
{
    const srv_config *c = &s->config;
    *out = (srv_load_options){
        .engine = {.mode = c->mode ? ENG_MODE_CLOUD : ENG_MODE_EDGE,
                   .precision = (eng_precision)c->precision,
                   .arith = (eng_arith)c->arith,
                   .blas_core = *c->blas_core ? c->blas_core : NULL},
        .mode_name = srv_config_mode(c),
        .n_slots = s->loops + s->workers,
    };
    return *c->isa ? eng_isa_parse(&out->engine.isa, c->isa, err) : NF_OK;
}

static nf_status start_registry(serve *s, nf_error *err)
{
    srv_registry_options r = {.models = s->config.models,
                              .files = s->config.files,
                              .n_files = s->config.n_files,
                              .live = &s->app.live};
    const nf_status st = load_options(&r.load, s, err);
    if (st) return st;
    s->app.isa = r.load.engine.isa;
    return srv_registry_create(&s->app.registry, &r, err);
}

static nf_status start_threads(serve *s, nf_error *err)
{
    const srv_sched_options workers = {.name = "compute",
                                       .threads = s->workers,
                                       .first_slot = s->loops,
                                       .most = (size_t)s->config.queue,
                                       .stack_bytes = WORKER_STACK};
    const srv_sched_options loader = {.name = "loader",
                                      .threads = 1,
                                      .first_slot = s->loops + s->workers,
                                      .most = LOADER_QUEUE,
                                      .stack_bytes = LOADER_STACK};
    const nf_status st = srv_sched_create(&s->app.workers, &workers, err);
    return st ? st : srv_sched_create(&s->app.loader, &loader, err);
}

static nf_status start_http(serve *s, nf_error *err)
{
    const srv_http_options o = {.listen = s->config.listen,
                                .loops = s->loops,
                                .max_connections = s->connections,
                                .routes = srv_api_routes(),
                                .app = &s->app,
                                .admit = srv_api_admit,
                                .fail = srv_fail,
                                .on_hangup = on_hangup,
                                .on_terminate = on_terminate,
                                .on_start = on_start,
                                .live = &s->app.live,
                                .monitor = &s->app.monitor};
    return srv_http_create(&s->http, &o, err);
}

/* A connection keeps up to 23 kB: the edge's default has to fit a container of 64 MiB. */
static size_t connections_of(const srv_config *c)
{
    if (c->max_connections) return (size_t)c->max_connections;
    return c->mode ? 10000 : 1024;
}

static void raise_file_limit(size_t connections)
{
    struct rlimit limit;
    const rlim_t want = (rlim_t)connections + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= want) return;
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static nf_status start(serve *s, nf_error *err)
{
    const srv_config *c = &s->config;
    const unsigned default_threads = c->mode ? cores() : 1;
    s->loops = c->http_threads ? (unsigned)c->http_threads : default_threads;
    s->workers = c->workers ? (unsigned)c->workers : default_threads;
    /* Large blocks go back to the system when they are freed: memory stays flat over reloads. */
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_ARENA_MAX, (int)s->loops);
    signal(SIGPIPE, SIG_IGN);
    s->connections = connections_of(c);
    raise_file_limit(s->connections);
    nf_log_set(log_line, NULL, (nf_log_level)c->log_level);
    srv_config_live(&s->app.live, c);
    s->app.mode_name = srv_config_mode(c);
    s->app.version = NF_VERSION;
    s->app.git_id = NF_GIT_ID;
    if (!srv_monitor_init(&s->app.monitor, s->loops))
        return nf_fail(err, NF_ENOMEM, "serve", "no memory for the counters");
    nf_status st = start_registry(s, err);
    if (!st) st = start_threads(s, err);
    return st ? st : start_http(s, err);
}

static void stop(serve *s)
{
    /* Order: workers answer what they have (as cancelled), then the loops let the requests go, then
     * nobody uses models any more. */
    if (s->app.workers) srv_sched_cancel(s->app.workers);
    if (s->app.loader) srv_sched_cancel(s->app.loader);
    srv_sched_destroy(&s->app.workers);
    srv_sched_destroy(&s->app.loader);
    srv_http_destroy(&s->http);
    srv_registry_destroy(&s->app.registry);
    srv_monitor_fini(&s->app.monitor);
}

static void help(void)
{
    printf(
        "usage: nearfar serve [MODEL…] [OPTIONS]\n\n"
        "Serves models over HTTP: those in --models, and each MODEL file under its own name.\n"
        "Every option is also a key of the configuration file (\"max_body\") and an environment\n"
        "variable (NEARFAR_MAX_BODY); flags win over variables, variables over the file.\n"
        "SIGTERM drains and ends; SIGHUP reads the file again and rescans --models.\n\n");
    nf_opts_help(stdout, srv_config_table());
    printf("\nexample:\n"
           "  nearfar serve --mode edge --models models --listen 127.0.0.1:8080 &\n"
           "  curl -d '{\"instances\":[[22.0,23.5,21.0]]}' \\\n"
           "      http://127.0.0.1:8080/v1/models/temp/predict\n");
}

/* What the table of options cannot see. Reads the token. */
static nf_status check(serve *s, nf_error *err)
{
    const srv_config *c = &s->config;
    unsigned isa;
    nf_status st = srv_http_check_address(c->listen, err);
    if (!st && *c->isa) st = eng_isa_parse(&isa, c->isa, err);
    if (!st && *c->admin_token_file) st = srv_auth_read(&s->app.auth, c->admin_token_file, err);
    return st;
}

/* -1: go on and serve; else the exit status. */
static int configure(serve *s, int argc, char **argv, char **copy)
{
    nf_error err = {0};
    memcpy(copy, argv, (size_t)argc * sizeof(*copy));
    s->argc = argc;
    s->argv = copy;
    if (srv_config_read(&s->config, argc, argv, getenv, &err)) {
        cmd_fail("serve", &err);
        return CMD_USAGE;
    }
    if (s->config.help) {
        help();
        return 0;
    }
    if (check(s, &err)) {
        cmd_fail("serve", &err);
        return CMD_USAGE;
    }
    if (s->config.check_config) {
        printf("configuration ok: %s mode on %s, models in %s\n", srv_config_mode(&s->config),
               s->config.listen, *s->config.models ? s->config.models : "(none)");
        return 0;
    }
    if (*s->config.models || s->config.n_files) return -1;
    fprintf(stderr, "nearfar serve: expected --models DIR or a model file (see --help)\n");
    return CMD_USAGE;
}

int cmd_serve(int argc, char **argv)
{
    nf_error err = {0};
    nf_status st = NF_OK;
    serve *s = nf_alloc(sizeof(*s), NF_MEM_MISC);
    char **copy = nf_alloc_array((size_t)argc + 1, sizeof(*copy), NF_MEM_MISC);
    int code = CMD_FAILED;
    if (!s || !copy) goto done;
    s->app.start_us = nf_now_us();
    srv_auth_init(&s->app.auth);
    code = configure(s, argc, argv, copy);
    if (code >= 0) goto done;
    if (!(st = start(s, &err))) st = srv_http_run(s->http, &err);
    stop(s);
    code = st || atomic_load(&s->failed) ? CMD_FAILED : 0;
    if (st) cmd_fail("serve", &err);
done:
    if (s) srv_config_fini(&s->config);
    nf_free(copy);
    nf_free(s);
    return code;
}
