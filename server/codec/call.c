/* call.c - the tensors of one call: names, memory, what came out. Layer: server/codec. Thread rule:
 * no shared state. */
#include "server/codec/codec.h"
#include "server/codec/tensor_in.h"

bool srv_runs_open(const eng_info *info)
{
    if (info->shapes == ENG_SHAPES_OPEN) return true;
    for (size_t i = 0; i < info->n_outputs; i++)
        if (info->outputs[i].dtype == ENG_STR) return true;
    return false;
}

static int find(bool *alias, const eng_io *ios, const eng_io_note *notes, size_t n, nf_span name)
{
    *alias = false;
    for (size_t i = 0; i < n; i++)
        if (nf_span_is(name, ios[i].name)) return (int)i;
    *alias = true;
    for (size_t i = 0; notes && i < n; i++)
        if (notes[i].alias && nf_span_is(name, notes[i].alias)) return (int)i;
    *alias = false;
    return -1;
}

int srv_input_find(bool *alias, const eng_info *info, nf_span name)
{
    return find(alias, info->inputs, info->in_notes, info->n_inputs, name);
}

int srv_output_find(bool *alias, const eng_info *info, nf_span name)
{
    return find(alias, info->outputs, info->out_notes, info->n_outputs, name);
}

const char *srv_output_name(const srv_call *call, size_t i)
{
    const eng_io_note *const notes = call->info->out_notes;
    return call->by_alias && notes && notes[i].alias ? notes[i].alias : call->info->outputs[i].name;
}

bool srv_find_scores(size_t *output, const eng_info *info, size_t n_labels)
{
    for (*output = 0; n_labels && *output < info->n_outputs; ++*output) {
        const eng_io *io = &info->outputs[*output];
        const bool number = srv_wire_dtype(io) == ENG_F32 || io->dtype == ENG_F64;
        const bool last = io->rank > 0 && io->dim[io->rank - 1] == (int64_t)n_labels;
        if (number && (io->open ? last : io->row_elems == n_labels)) return true;
    }
    return false;
}

bool srv_find_anomaly(size_t *output, const eng_info *info, const char *name)
{
    bool alias;
    const int at = srv_output_find(&alias, info, (nf_span){name, strlen(name)});
    *output = (size_t)at;
    return at >= 0 || (!*name && srv_find_scores(output, info, 1));
}

/* The type of an output that was not asked for in another one. */
static eng_dtype out_dtype(const srv_call *call, size_t i)
{
    return call->out[i].bytes ? call->out[i].dtype : srv_wire_dtype(&call->info->outputs[i]);
}

static void row_shape(srv_out_shape *s, const eng_io *io, size_t rows)
{
    *s = (srv_out_shape){.stacked = io->batched || rows != 1};
    if (s->stacked) s->dim[s->rank++] = rows;
    for (int i = io->batched ? 1 : 0; i < io->rank; i++)
        s->dim[s->rank++] = (size_t)io->dim[i];
}

nf_status srv_call_outputs(srv_call *call, srv_arena *arena, nf_error *err)
{
    for (size_t i = 0; i < call->info->n_outputs; i++) {
        const eng_io *io = &call->info->outputs[i];
        eng_view *v = &call->out[i];
        v->dtype = out_dtype(call, i);
        const bool fits = nf_mul_size(&v->bytes, io->row_elems, eng_dtype_size(v->dtype)) &&
                          nf_mul_size(&v->bytes, v->bytes, call->rows);
        v->data = fits ? srv_arena_alloc(arena, v->bytes) : NULL;
        if (!v->data)
            return nf_fail(err, NF_ETOOLARGE, io->name,
                           "%zu rows of %zu values do not fit into the memory of a request",
                           call->rows, io->row_elems);
        row_shape(&call->shape[i], io, call->rows);
    }
    return NF_OK;
}

static nf_status take_shape(srv_call *call, size_t i, const eng_view *v, nf_error *err)
{
    srv_out_shape *s = &call->shape[i];
    *s = (srv_out_shape){.rank = v->rank};
    for (int k = 0; k < v->rank; k++)
        s->dim[k] = (size_t)v->dim[k];
    s->stacked = s->rank > 0 && s->dim[0] == call->rows;
    if (!call->row_form || s->stacked || call->rows == 1) return NF_OK;
    return nf_fail(err, NF_EINVAL, call->info->outputs[i].name,
                   "%zu instances gave no %zu rows of it: send one, or ask with 'inputs'",
                   call->rows, call->rows);
}

nf_status srv_call_results(srv_call *call, const eng_session *s, srv_arena *arena, nf_error *err)
{
    for (size_t i = 0; i < call->info->n_outputs; i++) {
        const eng_dtype dtype = out_dtype(call, i);
        eng_view v;
        nf_status st;
        eng_session_result(&v, s, i);
        if ((st = take_shape(call, i, &v, err))) return st;
        if (dtype != v.dtype) {
            v.bytes = v.bytes / eng_dtype_size(v.dtype) * eng_dtype_size(dtype);
            v.dtype = dtype;
            v.data = srv_arena_alloc(arena, v.bytes);
            if (!v.data)
                return nf_fail(err, NF_ETOOLARGE, call->info->outputs[i].name,
                               "%zu bytes do not fit into the memory of a request", v.bytes);
            if ((st = eng_session_fetch(&v, s, i, err))) return st;
        }
        call->out[i] = v;
    }
    return NF_OK;
}
