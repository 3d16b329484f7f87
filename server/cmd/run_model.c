/* run_model.c - one call of `nearfar run`, through the server's own codec. Layer: server/cmd.
 * Thread rule: main thread. */
#include "server/cmd/run_model.h"

#include "engine/base/clock.h"
#include "server/case/case.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MOST ((size_t)1 << 30)
#define TEXT_MOST  ((size_t)1 << 30)

nf_status run_model_init(run_model *r, const cmd_model *m, nf_error *err)
{
    *r = (run_model){.m = m, .arena.most = ARENA_MOST};
    if (m->info->n_inputs > SRV_CALL_IO_MOST || m->info->n_outputs > SRV_CALL_IO_MOST)
        return nf_fail(err, NF_EUNSUPPORTED, m->path, "over %d inputs or outputs",
                       SRV_CALL_IO_MOST);
    return eng_session_create(&r->session, m->model, RUN_BLOCK, err);
}

void run_model_fini(run_model *r)
{
    eng_session_destroy(&r->session);
    srv_arena_fini(&r->arena);
}

static nf_status decode(run_model *r, nf_span text, nf_error *err)
{
    srv_buf body = {.most = TEXT_MOST};
    const bool one = text.len && text.s[0] == '{';
    nf_status st;
    srv_buf_text(&body, one ? "{\"instances\":[" : "{\"instances\":");
    srv_buf_add(&body, text.s, text.len);
    srv_buf_text(&body, one ? "]}" : "}");
    if (body.failed)
        st = nf_fail(err, NF_ETOOLARGE, "input", "over %zu bytes", TEXT_MOST);
    else
        st = srv_predict_decode(&r->call, r->m->info,
                                (nf_bytes){(const uint8_t *)body.data, body.len}, &r->arena, err);
    srv_buf_fini(&body);
    return st;
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
    if ((st = decode(r, text, &why))) goto done;
    if ((st = srv_call_outputs(&r->call, &r->arena, &why))) goto done;
    const uint64_t start = nf_now_us();
    st = eng_session_run(r->session, r->call.in, r->call.out, r->call.rows, &why);
    r->run_us = nf_now_us() - start;
done:
    if (st) nf_note(err, st, where, "%s: %s", why.where, why.text);
    return st;
}

double run_model_value(const run_model *r, size_t output, size_t i)
{
    return srv_element(r->call.out[output].data, r->call.out[output].dtype, i);
}

long run_model_class(const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const size_t n = info->outputs[0].row_elems;
    size_t best = 0;
    if (info->n_outputs != 1 || !cmd_model_labels(r->m, n)) return -1;
    for (size_t i = 1; i < n; i++)
        if (run_model_value(r, 0, row * n + i) > run_model_value(r, 0, row * n + best)) best = i;
    return (long)best;
}
