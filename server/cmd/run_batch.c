/* run_batch.c - rows collected, run together, written. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/run_parts.h"

#include "engine/base/mem.h"
#include "server/codec/tensor_in.h"

#define BATCH_BYTES ((size_t)32 << 20) /* aim for all tensors of a batch; one row may be more */

static nf_status type_views(eng_view *v, size_t *row_bytes, const eng_io *ios, size_t n, bool own,
                            nf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        v[i].dtype = own ? ios[i].dtype : srv_wire_dtype(&ios[i]);
        if (!nf_mul_size(&v[i].bytes, ios[i].row_elems, eng_dtype_size(v[i].dtype)) ||
            !nf_add_size(row_bytes, *row_bytes, v[i].bytes))
            return nf_fail(err, NF_ETOOLARGE, ios[i].name, "a row does not fit the address space");
    }
    return NF_OK;
}

static nf_status allocate(eng_view *v, size_t n, size_t rows, nf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t all;
        if (nf_mul_size(&all, v[i].bytes, rows)) v[i].data = nf_alloc(all + 1, NF_MEM_MISC);
        if (!v[i].data) return nf_fail(err, NF_ENOMEM, "batch", "no memory for %zu rows", rows);
    }
    return NF_OK;
}

static nf_status open_shape(const eng_io *io, const char *what, const char *instead, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, io->name, "its shape is open: %s cannot hold it, use %s",
                   what, instead);
}

nf_status run_check_format(const run_stream *s, nf_error *err)
{
    const eng_info *const info = s->model->m->info;
    for (size_t i = 0; i < info->n_inputs; i++) {
        const eng_io *io = &info->inputs[i];
        if (io->open && s->from != RUN_NDJSON)
            return open_shape(io, "a row of a table", "--ndjson or --input", err);
        if (io->dtype == ENG_STR && s->from == RUN_RAW)
            return nf_fail(err, NF_EUNSUPPORTED, io->name, "is a text, which raw rows cannot hold");
    }
    for (size_t i = 0; i < info->n_outputs; i++) {
        const eng_io *io = &info->outputs[i];
        if (io->open && s->to == RUN_CSV) return open_shape(io, "CSV", "--to ndjson", err);
        if (io->dtype == ENG_STR && s->to == RUN_RAW)
            return nf_fail(err, NF_EUNSUPPORTED, io->name, "is a text, which raw rows cannot hold");
    }
    return NF_OK;
}

nf_status run_batch_init(run_batch *b, const run_stream *s, nf_error *err)
{
    const eng_info *const info = s->model->m->info;
    const bool own_in = s->raw_own && s->from == RUN_RAW, own_out = s->raw_own && s->to == RUN_RAW;
    size_t row_bytes = 0;
    nf_status st;
    *b = (run_batch){.model = s->model, .n_in = info->n_inputs, .n_out = info->n_outputs};
    b->text.most = RUN_TEXT_MOST;
    if ((st = type_views(b->in, &row_bytes, info->inputs, b->n_in, own_in, err)) ||
        (st = type_views(b->out, &row_bytes, info->outputs, b->n_out, own_out, err)))
        return st;
    b->most = BATCH_BYTES / (row_bytes + 1);
    b->most = b->most < 1 ? 1 : b->most > RUN_ROWS_MOST ? RUN_ROWS_MOST : b->most;
    if ((st = allocate(b->in, b->n_in, b->most, err)) || srv_runs_open(info)) return st;
    return allocate(b->out, b->n_out, b->most, err);
}

void run_batch_fini(run_batch *b)
{
    for (size_t i = 0; i < SRV_CALL_IO_MOST; i++) {
        nf_free(b->in[i].data);
        nf_free(b->out[i].data);
    }
    srv_arena_fini(&b->text);
    *b = (run_batch){0};
}

nf_status run_batch_flush(run_batch *b, run_work *w, nf_error *err)
{
    run_model *const r = b->model;
    srv_call *const call = &r->call;
    nf_status st;
    if (b->n == 0) return NF_OK;
    *call = (srv_call){.info = r->m->info, .rows = b->n, .row_form = true};
    memcpy(call->in, b->in, sizeof(call->in));
    for (size_t i = 0; i < b->n_in; i++) {
        const eng_io *io = &call->info->inputs[i];
        call->in[i].bytes *= b->n;
        call->in[i].rank = io->rank;
        memcpy(call->in[i].dim, io->dim, sizeof(io->dim));
        if (io->batched) call->in[i].dim[0] = (int64_t)b->n;
    }
    memcpy(call->out, b->out, sizeof(call->out));
    for (size_t i = 0; i < b->n_out; i++)
        call->out[i].bytes *= b->n;
    srv_arena_reset(&r->arena);
    st = run_model_call(r, err);
    b->n = 0;
    if (!st) st = run_emit(w, b->label, err);
    srv_arena_reset(&b->text);
    return st;
}
