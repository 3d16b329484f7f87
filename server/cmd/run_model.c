/* run_model.c - one call of `nearfar run`, through the server's own codec. Layer: server/cmd.
 * Thread rule: main thread. */
#include "server/cmd/run_model.h"

#include "engine/base/clock.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MOST ((size_t)1 << 30)
#define TEXT_MOST  ((size_t)1 << 30)

nf_status run_model_init(run_model *r, const cmd_model *m, nf_error *err)
{
    *r = (run_model){.m = m, .arena.most = ARENA_MOST, .body.most = TEXT_MOST};
    if (m->info->n_inputs > SRV_CALL_IO_MOST || m->info->n_outputs > SRV_CALL_IO_MOST)
        return nf_fail(err, NF_EUNSUPPORTED, m->path, "over %d inputs or outputs",
                       SRV_CALL_IO_MOST);
    return eng_session_create(&r->session, m->model, RUN_BLOCK, err);
}

void run_model_fini(run_model *r)
{
    eng_session_destroy(&r->session);
    srv_arena_fini(&r->arena);
    srv_buf_fini(&r->body);
}

static nf_status decode(run_model *r, nf_span text, nf_error *err)
{
    srv_buf *const body = &r->body;
    const bool one = text.len && text.s[0] == '{';
    srv_buf_reset(body, TEXT_MOST);
    srv_buf_text(body, one ? "{\"instances\":[" : "{\"instances\":");
    srv_buf_add(body, text.s, text.len);
    srv_buf_text(body, one ? "]}" : "}");
    if (body->failed) return nf_fail(err, NF_ETOOLARGE, "input", "over %zu bytes", TEXT_MOST);
    return srv_predict_decode(&r->call, r->m->info,
                              (nf_bytes){(const uint8_t *)body->data, body->len}, &r->arena, err);
}

nf_status run_model_call(run_model *r, nf_error *err)
{
    srv_call *const call = &r->call;
    const bool open = srv_runs_open(r->m->info);
    nf_status st = NF_OK;
    if (!open && !call->out[0].data) st = srv_call_outputs(call, &r->arena, err);
    const uint64_t start = nf_now_us();
    if (!st && open)
        st = eng_session_run_open(r->session, call->in, err);
    else if (!st)
        st = eng_session_run(r->session, call->in, call->out, call->rows, err);
    r->run_us += nf_now_us() - start;
    if (st == NF_EFORMAT && err) err->status = NF_EINVAL;
    if (st == NF_EFORMAT) return NF_EINVAL; /* the file is good, these shapes are not */
    return st || !open ? st : srv_call_results(call, r->session, &r->arena, err);
}

nf_status run_model_json(run_model *r, nf_span text, const char *where, nf_error *err)
{
    nf_error why = {0};
    nf_status st;
    while (text.len && strchr(" \t\r\n", text.s[0])) {
        text.s++;
        text.len--;
    }
    srv_arena_reset(&r->arena);
    r->call = (srv_call){0};
    r->run_us = 0;
    st = decode(r, text, &why);
    if (!st) st = run_model_call(r, &why);
    if (st) nf_note(err, st, where, "%s: %s", why.where, why.text);
    return st;
}

size_t run_model_row(const run_model *r, size_t output)
{
    const eng_view *const v = &r->call.out[output];
    return v->bytes / eng_dtype_size(v->dtype) / (r->call.rows ? r->call.rows : 1);
}

long run_model_class(const run_model *r, size_t row)
{
    const srv_face *const f = &r->m->face;
    if (!f->labels || run_model_row(r, f->scores) != f->n_labels) return -1;
    return (long)srv_best_of(&r->call.out[f->scores], row * f->n_labels, f->n_labels);
}
