/* session.c - runs a compiled model on caller's memory. Layer: session.
 * Thread rule: a session belongs to one thread at a time. */
#include "engine/session.h"

#include "engine/base/mem.h"
#include "engine/plan/compiled.h"

#include <string.h>

#define MAX_BLOCK 64

struct eng_session {
    eng_model *model;
    plan_program *one, *block; /* block is NULL when it would be the same */
    size_t block_rows;
};

nf_status eng_session_create(eng_session **out, eng_model *model, size_t block_rows, nf_error *err)
{
    nf_status st;
    *out = NULL;
    eng_session *s = nf_alloc(sizeof(*s), NF_MEM_ARENA);
    if (!s) return nf_fail(err, NF_ENOMEM, "session", "no memory");
    s->model = eng_model_ref(model);
    s->block_rows = !model->batched || block_rows < 1 ? 1
                    : block_rows > MAX_BLOCK          ? MAX_BLOCK
                                                      : block_rows;
    const plan_limits one = {.batch = 1, .max_arena = model->max_arena};
    const plan_limits many = {.batch = (int64_t)s->block_rows, .max_arena = model->max_arena};
    st = plan_program_create(&s->one, model->graph, model->layers, &one, err);
    if (!st && s->block_rows > 1)
        st = plan_program_create(&s->block, model->graph, model->layers, &many, err);
    if (st) eng_session_destroy(&s);
    *out = s;
    return st;
}

nf_status eng_session_keep_all(eng_session *s, nf_error *err)
{
    plan_program *p;
    const plan_limits l = {.batch = 1, .max_arena = SIZE_MAX, .keep_all = true};
    const nf_status st = plan_program_create(&p, s->model->graph, s->model->layers, &l, err);
    if (st) return st;
    plan_program_destroy(&s->one);
    plan_program_destroy(&s->block);
    s->one = p;
    s->block_rows = 1;
    return NF_OK;
}

const void *eng_session_step_data(const eng_session *s, size_t i)
{
    return s->one->place[s->model->graph->nodes[i].out];
}

void eng_session_destroy(eng_session **s)
{
    if (!s || !*s) return;
    plan_program_destroy(&(*s)->one);
    plan_program_destroy(&(*s)->block);
    eng_model_unref(&(*s)->model);
    nf_free(*s);
    *s = NULL;
}

static bool converts(const eng_io *io)
{
    return io->quantized && (io->dtype == ENG_I8 || io->dtype == ENG_U8);
}

static nf_status check_view(const eng_view *v, const eng_io *io, size_t rows, nf_error *err)
{
    size_t want;
    if (v->dtype != io->dtype && !(v->dtype == ENG_F32 && converts(io)))
        return nf_fail(err, NF_EINVAL, io->name, "expected %s%s, got %s", eng_dtype_oip(io->dtype),
                       converts(io) ? " or FP32" : "", eng_dtype_oip(v->dtype));
    if (!nf_mul_size(&want, rows, io->row_elems) ||
        !nf_mul_size(&want, want, eng_dtype_size(v->dtype)) || v->bytes != want)
        return nf_fail(err, NF_EINVAL, io->name, "expected %zu rows of %zu elements, got %zu bytes",
                       rows, io->row_elems, v->bytes);
    return NF_OK;
}

/* Rows first .. first + rows - 1 of a view. */
static void *rows_of(const eng_view *v, const eng_io *io, size_t first)
{
    return (char *)v->data + first * io->row_elems * eng_dtype_size(v->dtype);
}

static void fill(void *to, const eng_view *v, const eng_io *io, size_t first, size_t rows)
{
    const size_t n = rows * io->row_elems;
    const void *from = rows_of(v, io, first);
    if (v->dtype == io->dtype)
        memcpy(to, from, n * eng_dtype_size(io->dtype));
    else
        krn_qs8_quantize_ref(to, from, n, io->scale, io->zero_point, io->dtype == ENG_U8, false);
}

static void fetch(const eng_view *v, const void *from, const eng_io *io, size_t first, size_t rows)
{
    const size_t n = rows * io->row_elems;
    void *to = rows_of(v, io, first);
    if (v->dtype == io->dtype)
        memcpy(to, from, n * eng_dtype_size(io->dtype));
    else
        krn_qs8_dequantize_ref(to, from, n, io->scale, io->zero_point, io->dtype == ENG_U8);
}

static void run_rows(const eng_session *s, const eng_view *in, const eng_view *out, size_t first,
                     size_t rows)
{
    const plan_program *p = rows > 1 ? s->block : s->one;
    const ir_graph *g = s->model->graph;
    for (size_t i = 0; i < g->n_inputs; i++)
        fill(p->place[g->inputs[i]], &in[i], &s->model->inputs[i], first, rows);
    plan_program_run(p);
    for (size_t i = 0; i < g->n_outputs; i++)
        fetch(&out[i], p->place[g->outputs[i]], &s->model->outputs[i], first, rows);
}

nf_status eng_session_run(eng_session *s, const eng_view *in, const eng_view *out, size_t rows,
                          nf_error *err)
{
    const eng_model *m = s->model;
    nf_status st;
    if (rows == 0) return nf_fail(err, NF_EINVAL, "rows", "expected at least 1, got 0");
    for (size_t i = 0; i < m->info.n_inputs; i++)
        if ((st = check_view(&in[i], &m->inputs[i], rows, err))) return st;
    for (size_t i = 0; i < m->info.n_outputs; i++)
        if ((st = check_view(&out[i], &m->outputs[i], rows, err))) return st;
    for (size_t at = 0; at < rows;) {
        const size_t n = rows - at >= s->block_rows ? s->block_rows : 1;
        run_rows(s, in, out, at, n);
        at += n;
    }
    return NF_OK;
}
