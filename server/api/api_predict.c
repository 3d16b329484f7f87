/* api_predict.c - answers predict and infer: body to tensors, model, tensors to reply. Layer:
 * server/api. Thread rule: decoded on the loop; a quick model runs there too, others on a worker
 * while the request is suspended. */
#include "engine/base/clock.h"
#include "server/api/app.h"
#include "server/api/status.h"
#include "server/codec/codec.h"
#include "server/wire/wire.h"

#include <stdio.h>
#include <string.h>

/* The two protocols differ only in how bodies look. */
typedef struct dialect {
    nf_status (*decode)(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                        nf_error *err);
    void (*encode)(srv_buf *b, const srv_call *call, const srv_face *face);
} dialect;

static const dialect predict = {srv_predict_decode, srv_predict_encode};
static const dialect infer = {srv_infer_decode, srv_infer_encode};

typedef struct predict_job {
    srv_job job; /* first: the queue hands it back */
    srv_req *req;
    srv_model *model; /* one reference */
    const dialect *dialect;
    srv_call call;
} predict_job;

static void write_served(srv_req *req, const srv_model *m, uint64_t queue_us, uint64_t compute_us)
{
    snprintf(req->reply.served, sizeof(req->reply.served), "%s; queue_us=%llu; compute_us=%llu",
             m->served, (unsigned long long)queue_us, (unsigned long long)compute_us);
}

/* Counts the answer and gives the model back: the last step for every job. */
static void finish(srv_model **m, srv_req *req, unsigned slot)
{
    srv_model_shard *shard = &(*m)->stats->shard[slot];
    srv_codes_add(&shard->codes, req->reply.code);
    srv_count(&shard->rows, req->rows);
    srv_model_unref(m);
}

/* The task is model.json's, or else the model file's. */
static bool find_anomaly(srv_anomaly *a, const srv_model *m)
{
    const srv_manifest *const f = m->manifest;
    const char *const task = *f->task ? f->task : eng_task_name(m->info->task);
    *a = (srv_anomaly){.threshold = f->threshold, .above = f->above};
    return strcmp(task, "anomaly") == 0 && srv_find_anomaly(&a->output, m->info, f->score);
}

/* In: the inputs of the call; out: its outputs. */
static nf_status compute(predict_job *p, unsigned slot, nf_error *err)
{
    srv_model *m = p->model;
    srv_call *call = &p->call;
    eng_session *session;
    nf_status st;
    if (!srv_runs_open(m->info)) {
        st = srv_call_outputs(call, &p->req->arena, err);
        return st ? st : srv_model_run(m, slot, call->in, call->out, call->rows, err);
    }
    st = srv_model_run_open(m, slot, call->in, &session, err);
    return st ? st : srv_call_results(call, session, &p->req->arena, err);
}

static nf_status run(predict_job *p, unsigned slot, uint64_t queue_us, nf_error *err)
{
    srv_model *m = p->model;
    srv_anomaly anomaly;
    const uint64_t start = nf_now_us();
    const nf_status st = compute(p, slot, err);
    if (st) return st;
    const uint64_t compute_us = nf_now_us() - start;
    srv_times_add(&m->stats->shard[slot].queue, queue_us);
    srv_times_add(&m->stats->shard[slot].compute, compute_us);
    srv_face face = {.name = m->name, .version = m->version_text, .info = m->info};
    if (srv_find_scores(&face.scores, m->info, m->n_labels)) {
        face.labels = m->labels;
        face.n_labels = m->n_labels;
    }
    if (find_anomaly(&anomaly, m)) face.anomaly = &anomaly;
    srv_buf *b = srv_ok(p->req, WIRE_TYPE_JSON);
    p->dialect->encode(b, &p->call, &face);
    if (b->failed)
        return nf_fail(err, NF_ETOOLARGE, "reply", "is larger than the memory of a request");
    write_served(p->req, m, queue_us, compute_us);
    p->req->rows = p->call.rows;
    return NF_OK;
}

static void answer(predict_job *p, unsigned slot, uint64_t queue_us)
{
    nf_error err = {0};
    const nf_status st = run(p, slot, queue_us, &err);
    if (st) srv_fail(p->req, st, &err);
    if (srv_runs_open(p->model->info)) srv_model_trim(p->model, slot);
    finish(&p->model, p->req, slot);
}

static void refuse(predict_job *p, unsigned slot, nf_status st, const char *why)
{
    nf_error err = {0};
    nf_note(&err, st, "queue", "%s", why);
    srv_fail(p->req, st, &err);
    finish(&p->model, p->req, slot);
}

/* On a worker. */
static void run_job(srv_job *job, unsigned slot, bool cancelled)
{
    predict_job *p = (predict_job *)job;
    srv_req *req = p->req;
    const uint64_t waited = nf_now_us() - job->queued_us;
    const uint64_t most = (uint64_t)srv_live_get(&srv_app_of(req)->live.queue_timeout);
    if (cancelled)
        refuse(p, slot, NF_ELOADING, "the server is going down");
    else if (waited > most)
        refuse(p, slot, NF_ETIMEOUT, "the request waited longer than --queue-timeout");
    else
        answer(p, slot, waited);
    req->ops->resume(req);
}

/* How many times the row that was measured is in the request. */
static size_t samples_in(const predict_job *p)
{
    const srv_model *m = p->model;
    size_t elems = 0;
    if (m->info->shapes != ENG_SHAPES_OPEN || m->sample_elems == 0) return p->call.rows;
    for (size_t i = 0; i < m->info->n_inputs; i++)
        elems += p->call.in[i].bytes / eng_dtype_size(p->call.in[i].dtype);
    return (elems + m->sample_elems - 1) / m->sample_elems;
}

static bool is_quick(const predict_job *p)
{
    uint64_t ns;
    const uint64_t most_us = (uint64_t)srv_live_get(&srv_app_of(p->req)->live.inline_us);
    return !__builtin_mul_overflow(p->model->row_ns, samples_in(p), &ns) && ns / 1000 <= most_us;
}

/* The request is decoded: runs it here or on a worker. */
static srv_next dispatch(predict_job *p)
{
    srv_req *req = p->req;
    nf_error err = {0};
    if (is_quick(p)) {
        answer(p, req->slot, 0);
        return SRV_DONE;
    }
    const nf_status st = srv_sched_reserve(srv_app_of(req)->workers, &err);
    if (st) {
        srv_fail(req, st, &err);
        finish(&p->model, req, req->slot);
        return SRV_DONE;
    }
    p->job.run = run_job;
    req->ops->suspend(req);
    srv_sched_submit(srv_app_of(req)->workers, &p->job);
    return SRV_LATER;
}

static nf_status prepare(predict_job **out, srv_model **model, srv_req *req, const dialect *d,
                         nf_error *err)
{
    predict_job *p = srv_arena_alloc(&req->arena, sizeof(*p));
    *out = p;
    if (!p) return nf_fail(err, NF_ENOMEM, "request", "no memory for it");
    memset(p, 0, sizeof(*p));
    p->req = req;
    p->dialect = d;
    p->model = *model;
    return d->decode(&p->call, (*model)->info, req->body, &req->arena, err);
}

static srv_next handle(srv_req *req, srv_pick pick, const dialect *d)
{
    nf_error err = {0};
    srv_model *model = NULL;
    predict_job *p = NULL;
    const srv_selector which = {req->params.v[0], pick, req->params.v[1]};
    nf_status st = srv_registry_get(&model, srv_app_of(req)->registry, &which, &err);
    if (st) {
        srv_fail(req, st, &err);
        return SRV_DONE;
    }
    if ((st = prepare(&p, &model, req, d, &err))) {
        srv_fail(req, st, &err);
        finish(&model, req, req->slot);
        return SRV_DONE;
    }
    return dispatch(p);
}

srv_next api_predict(srv_req *req)
{
    return handle(req, SRV_PICK_DEFAULT, &predict);
}

srv_next api_predict_version(srv_req *req)
{
    return handle(req, SRV_PICK_VERSION, &predict);
}

srv_next api_predict_label(srv_req *req)
{
    return handle(req, SRV_PICK_LABEL, &predict);
}

srv_next api_infer(srv_req *req)
{
    return handle(req, SRV_PICK_DEFAULT, &infer);
}

srv_next api_infer_version(srv_req *req)
{
    return handle(req, SRV_PICK_VERSION, &infer);
}
