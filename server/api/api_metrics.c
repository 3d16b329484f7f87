/* api_metrics.c - counters in Prometheus' text format. Layer: server/api. Thread rule: the loop's
 * thread; reads what others count. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/engine.h"
#include "server/api/app.h"
#include "server/wire/wire.h"

#include <stdio.h>

/* One pass over all versions writes one family; the format wants families whole. */
typedef struct family {
    srv_buf *b;
    const char *name;
    void (*write)(struct family *f, const char *labels, const srv_version_view *v);
} family;

static void each_version(void *arg, const srv_version_view *v)
{
    family *f = arg;
    char labels[128];
    snprintf(labels, sizeof(labels), "model=\"%s\",version=\"%llu\"", v->name,
             (unsigned long long)v->version);
    f->write(f, labels, v);
}

static void write_codes(family *f, const char *labels, const srv_version_view *v)
{
    srv_codes_write(f->b, f->name, labels, &v->stats->shard[0].codes, v->stats->n_slots,
                    sizeof(v->stats->shard[0]));
}

static void write_rows(family *f, const char *labels, const srv_version_view *v)
{
    srv_buf_fmt(f->b, "%s{%s} %llu\n", f->name, labels,
                (unsigned long long)srv_sum(&v->stats->shard[0].rows, v->stats->n_slots,
                                            sizeof(v->stats->shard[0])));
}

static void write_durations(family *f, const char *labels, const srv_version_view *v)
{
    char staged[160];
    const srv_model_shard *s = v->stats->shard;
    snprintf(staged, sizeof(staged), "%s,stage=\"queue\"", labels);
    srv_times_write(f->b, f->name, staged, &s->queue, v->stats->n_slots, sizeof(*s));
    snprintf(staged, sizeof(staged), "%s,stage=\"compute\"", labels);
    srv_times_write(f->b, f->name, staged, &s->compute, v->stats->n_slots, sizeof(*s));
}

static void write_info(family *f, const char *labels, const srv_version_view *v)
{
    if (!v->model) return;
    const eng_info *i = v->model->info;
    srv_buf_fmt(f->b, "%s{%s,precision=\"%s\",arith=\"%s\",format=\"%s\"} 1\n", f->name, labels,
                eng_precision_name(i->precision), eng_arith_name(i->arith), i->format);
}

static void write_ready(family *f, const char *labels, const srv_version_view *v)
{
    srv_buf_fmt(f->b, "%s{%s} %d\n", f->name, labels, v->state == SRV_AVAILABLE);
}

static void write_models(srv_buf *b, srv_registry *r)
{
    static const struct {
        const char *name, *type, *help;
        void (*write)(family *f, const char *labels, const srv_version_view *v);
    } families[] = {
        {"nearfar_requests_total", "counter", "Inference requests by HTTP status.", write_codes},
        {"nearfar_rows_total", "counter", "Instances answered.", write_rows},
        {"nearfar_inference_duration_seconds", "histogram", "Time in the queue and in the engine.",
         write_durations},
        {"nearfar_model_info", "gauge", "What runs for a model version.", write_info},
        {"nearfar_model_ready", "gauge", "1 when the version answers.", write_ready},
    };
    for (size_t i = 0; i < NF_COUNT(families); i++) {
        family f = {b, families[i].name, families[i].write};
        srv_metric_head(b, f.name, families[i].type, families[i].help);
        srv_registry_list(r, NULL, each_version, &f);
    }
}

static void write_counter(srv_buf *b, const srv_monitor *m, const char *name, const char *help,
                          const atomic_uint_fast64_t *first)
{
    srv_metric_head(b, name, "counter", help);
    srv_buf_fmt(b, "%s %llu\n", name,
                (unsigned long long)srv_sum(first, m->n_slots, sizeof(m->shard[0])));
}

static void write_http(srv_buf *b, const srv_monitor *m)
{
    const srv_http_shard *s = m->shard;
    const uint64_t accepted = srv_sum(&s->accepted, m->n_slots, sizeof(*s));
    const uint64_t closed = srv_sum(&s->closed, m->n_slots, sizeof(*s));
    srv_metric_head(b, "nearfar_http_requests_total", "counter", "Requests by HTTP status.");
    srv_codes_write(b, "nearfar_http_requests_total", "", &s->codes, m->n_slots, sizeof(*s));
    srv_metric_head(b, "nearfar_request_duration_seconds", "histogram",
                    "From the request line to the end of the reply.");
    srv_times_write(b, "nearfar_request_duration_seconds", "", &s->request, m->n_slots, sizeof(*s));
    srv_metric_head(b, "nearfar_connections", "gauge", "Open connections.");
    srv_buf_fmt(b, "nearfar_connections %llu\n",
                (unsigned long long)(accepted > closed ? accepted - closed : 0));
    write_counter(b, m, "nearfar_connections_total", "Connections accepted.", &s->accepted);
    write_counter(b, m, "nearfar_requests_aborted_total", "Requests that ended early.",
                  &s->aborted);
    write_counter(b, m, "nearfar_requests_timed_out_total", "Connections cut at their deadline.",
                  &s->timed_out);
    write_counter(b, m, "nearfar_request_bytes_total", "Bytes of request bodies.", &s->bytes_in);
    write_counter(b, m, "nearfar_reply_bytes_total", "Bytes of reply bodies.", &s->bytes_out);
}

static void write_process(srv_buf *b, const srv_app *app)
{
    char cpu[128];
    eng_cpu_names(cpu, sizeof(cpu), eng_cpu_flags(app->isa));
    srv_metric_head(b, "nearfar_memory_bytes", "gauge", "Live bytes of our allocator by purpose.");
    for (int t = 0; t < NF_MEM_TAG_COUNT; t++)
        srv_buf_fmt(b, "nearfar_memory_bytes{tag=\"%s\"} %zu\n", nf_mem_tag_name((nf_mem_tag)t),
                    nf_mem_live((nf_mem_tag)t));
    srv_metric_head(b, "nearfar_queue_jobs", "gauge", "Requests that wait for or have a worker.");
    srv_buf_fmt(b, "nearfar_queue_jobs %zu\n", srv_sched_pending(app->workers));
    srv_metric_head(b, "nearfar_uptime_seconds", "gauge", "Since the start.");
    srv_buf_fmt(b, "nearfar_uptime_seconds %.3f\n", (double)(nf_now_us() - app->start_us) / 1e6);
    srv_metric_head(b, "nearfar_build_info", "gauge", "This build, and what it found.");
    srv_buf_fmt(b, "nearfar_build_info{version=\"%s\",git=\"%s\",mode=\"%s\",cpu=\"%s\",",
                app->version, app->git_id, app->mode_name, cpu);
    srv_buf_fmt(b, "blas_core=\"%s\"} 1\n", eng_blas_core());
}

srv_next api_metrics(srv_req *req)
{
    srv_app *app = srv_app_of(req);
    srv_buf *b = srv_ok(req, WIRE_TYPE_METRICS);
    write_models(b, app->registry);
    write_http(b, &app->monitor);
    write_process(b, app);
    return SRV_DONE;
}
