/* case_run.c - recorded inputs into a session, its outputs out. Layer: server/case. Thread rule:
 * one owner. */
#include "server/case/case_run.h"

#include "engine/base/mem.h"

#include <string.h>

#define BLOCK_ROWS 4 /* batches of the cases take the block path and the single-row path both */

static bool find_name(size_t *at, const eng_io *ios, size_t n, const char *name)
{
    for (*at = 0; *at < n; ++*at)
        if (*name && strcmp(ios[*at].name, name) == 0) return true;
    return false;
}

static void pair(size_t *map, const srv_case_io *have, const eng_io *ios, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!find_name(&map[k], ios, n, have[k].name)) {
            for (size_t i = 0; i < n; i++)
                map[i] = i;
            return;
        }
}

nf_status srv_case_run_init(srv_case_run *r, eng_model *model, const srv_case *c, nf_error *err)
{
    const eng_info *const info = eng_model_info(model);
    *r = (srv_case_run){.info = info};
    if (info->n_inputs != c->n_in || info->n_outputs != c->n_out)
        return nf_fail(err, NF_EINVAL, c->id,
                       "the case has %zu inputs and %zu outputs, the model %zu and %zu", c->n_in,
                       c->n_out, info->n_inputs, info->n_outputs);
    pair(r->in, c->in, info->inputs, c->n_in);
    pair(r->out, c->out, info->outputs, c->n_out);
    return eng_session_create(&r->session, model, BLOCK_ROWS, err);
}

static void drop_outputs(srv_case_run *r)
{
    for (size_t k = 0; k < SRV_CASE_MAX_IO; k++)
        srv_recorded_fini(&r->got[k]);
}

void srv_case_run_fini(srv_case_run *r)
{
    drop_outputs(r);
    eng_session_destroy(&r->session);
}

static bool same_quant(const srv_case_io *a, const eng_io *b)
{
    if (!a->quantized && !b->quantized) return true;
    return a->quantized && b->quantized && a->scale == b->scale && a->zero_point == b->zero_point;
}

/* A quantized input whose case does not give the quantization is taken as it is. */
static bool fits_as_is(const srv_recorded *t, const srv_case_io *io, const eng_io *want)
{
    return t->dtype == want->dtype && (!io->quantized || same_quant(io, want));
}

static nf_status load_input(srv_case_run *r, srv_recorded *t, const srv_case *c, size_t item,
                            size_t k, nf_error *err)
{
    const eng_io *const want = &r->info->inputs[r->in[k]];
    srv_recorded real;
    nf_status st = srv_recorded_read(t, c, &c->in[k], &c->items[item].in[k], NULL, err);
    if (st || fits_as_is(t, &c->in[k], want)) return st;
    if ((st = srv_recorded_real(&real, t, &c->in[k], err))) return st;
    srv_recorded_fini(t);
    *t = real;
    r->real_units = true;
    return NF_OK;
}

/* Rows of an item: the elements of its first input over those of one row. */
static nf_status count_rows(size_t *rows, const srv_case_run *r, const srv_recorded *in,
                            const srv_case *c, nf_error *err)
{
    *rows = 1;
    for (size_t k = 0; k < c->n_in; k++) {
        const eng_io *const io = &r->info->inputs[r->in[k]];
        const size_t one = io->row_elems;
        if (k == 0 && one) *rows = in[k].elems / one;
        if (*rows == 0 || in[k].elems != *rows * one)
            return nf_fail(err, NF_EINVAL, io->name,
                           "the model takes %zu elements a row, the "
                           "recorded input has %zu",
                           one, in[k].elems);
    }
    return NF_OK;
}

static nf_status make_output(srv_recorded *t, const eng_io *io, size_t rows, nf_error *err)
{
    *t = (srv_recorded){.content = SRV_CASE_TENSOR, .dtype = io->dtype, .rank = io->rank};
    memcpy(t->dim, io->dim, sizeof(t->dim));
    if (io->batched) t->dim[0] = (int64_t)rows;
    if (!nf_mul_size(&t->elems, rows, io->row_elems) ||
        !nf_mul_size(&t->bytes, t->elems, eng_dtype_size(t->dtype)) || t->bytes > SRV_CASE_MAX_FILE)
        return nf_fail(err, NF_ETOOLARGE, io->name, "%zu rows of %zu elements", rows,
                       io->row_elems);
    t->data = nf_alloc(t->bytes + 1, NF_MEM_MISC);
    return t->data ? NF_OK : nf_fail(err, NF_ENOMEM, io->name, "no memory");
}

static eng_view view_of(const srv_recorded *t)
{
    eng_view v = {.dtype = t->dtype, .data = t->data, .bytes = t->bytes, .rank = t->rank};
    memcpy(v.dim, t->dim, sizeof(v.dim));
    return v;
}

/* The results of the session, copied. */
static nf_status copy_texts(srv_recorded *t, const eng_view *v, nf_error *err)
{
    const nf_span *const from = v->data;
    const size_t n = v->bytes / sizeof(*from);
    size_t bytes = 0;
    nf_status st;
    for (size_t i = 0; i < n; i++)
        if (!nf_add_size(&bytes, bytes, from[i].len) || bytes > SRV_CASE_MAX_FILE)
            return nf_fail(err, NF_ETOOLARGE, "texts", "over %zu bytes", SRV_CASE_MAX_FILE);
    if ((st = srv_recorded_texts(t, n, bytes, err))) return st;
    char *to = t->text;
    for (size_t i = 0; i < n; i++) {
        if (from[i].len) memcpy(to, from[i].s, from[i].len);
        ((nf_span *)(void *)t->data)[i] = (nf_span){to, from[i].len};
        to += from[i].len;
    }
    return NF_OK;
}

static nf_status take_output(srv_recorded *t, const srv_case_run *r, size_t output, nf_error *err)
{
    eng_view v;
    eng_session_result(&v, r->session, output);
    *t = (srv_recorded){.content = SRV_CASE_TENSOR, .dtype = v.dtype, .rank = v.rank};
    memcpy(t->dim, v.dim, sizeof(t->dim));
    if (v.dtype == ENG_STR) return copy_texts(t, &v, err);
    t->bytes = v.bytes;
    t->elems = v.bytes / eng_dtype_size(v.dtype);
    t->data = nf_alloc(t->bytes + 1, NF_MEM_MISC);
    if (!t->data) return nf_fail(err, NF_ENOMEM, r->info->outputs[output].name, "no memory");
    if (t->bytes) memcpy(t->data, v.data, t->bytes);
    return NF_OK;
}

static nf_status run_open(srv_case_run *r, const srv_case *c, srv_recorded *in, nf_error *err)
{
    eng_view views[SRV_CASE_MAX_IO];
    nf_status st;
    for (size_t k = 0; k < c->n_in; k++)
        views[r->in[k]] = view_of(&in[k]);
    st = eng_session_run_open(r->session, views, err);
    for (size_t k = 0; k < c->n_out && !st; k++)
        st = take_output(&r->got[k], r, r->out[k], err);
    return st;
}

/* By whole shapes; so are texts, which live until the session's next run. */
static bool runs_open(const eng_info *info)
{
    bool open = info->shapes == ENG_SHAPES_OPEN;
    for (size_t i = 0; i < info->n_outputs; i++)
        open |= info->outputs[i].dtype == ENG_STR;
    return open;
}

static nf_status run_rows(srv_case_run *r, const srv_case *c, srv_recorded *in, nf_error *err)
{
    eng_view in_views[SRV_CASE_MAX_IO], out_views[SRV_CASE_MAX_IO];
    size_t rows;
    nf_status st;
    eng_session_reset(r->session); /* each item is the first of a stream of its own */
    if (runs_open(r->info)) return run_open(r, c, in, err);
    if ((st = count_rows(&rows, r, in, c, err))) return st;
    for (size_t k = 0; k < c->n_in; k++)
        in_views[r->in[k]] =
            (eng_view){.dtype = in[k].dtype, .data = in[k].data, .bytes = in[k].bytes};
    for (size_t k = 0; k < c->n_out; k++) {
        srv_recorded *const t = &r->got[k];
        if ((st = make_output(t, &r->info->outputs[r->out[k]], rows, err))) return st;
        out_views[r->out[k]] = (eng_view){.dtype = t->dtype, .data = t->data, .bytes = t->bytes};
    }
    return eng_session_run(r->session, in_views, out_views, rows, err);
}

nf_status srv_case_run_item(srv_case_run *r, const srv_case *c, size_t i, nf_error *err)
{
    srv_recorded in[SRV_CASE_MAX_IO] = {0};
    nf_status st = NF_OK;
    drop_outputs(r);
    for (size_t k = 0; k < c->n_in && !st; k++)
        st = load_input(r, &in[k], c, i, k, err);
    if (!st) st = run_rows(r, c, in, err);
    for (size_t k = 0; k < c->n_in; k++)
        srv_recorded_fini(&in[k]);
    return st;
}

srv_case_io srv_case_run_out_io(const srv_case_run *r, size_t k)
{
    const eng_io *const io = &r->info->outputs[r->out[k]];
    return (srv_case_io){.name = io->name,
                         .content = SRV_CASE_TENSOR,
                         .dtype = io->dtype,
                         .quantized = io->quantized,
                         .scale = io->scale,
                         .zero_point = io->zero_point};
}
