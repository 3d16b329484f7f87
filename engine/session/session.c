/* session.c - runs a compiled model on caller's memory. Layer: session.
 * Thread rule: a session belongs to one thread at a time. */
#include "engine/session.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/pool.h"
#include "engine/kernels/krn_qs16.h"
#include "engine/kernels/krn_qs8_real.h"
#include "engine/plan/compiled.h"

#include <stdatomic.h>
#include <string.h>

#define MAX_BLOCK       64
#define BLOCK_BYTES     ((size_t)256 << 10) /* of its activations: more would leave the cache */
#define DEFAULT_TIME_US 10000000u

#define CACHED 4 /* programs for open shapes that are kept */

typedef struct cached {
    plan_program *program;
    plan_shape *shapes; /* owned; of the inputs */
    uint64_t used;      /* by the session's clock */
} cached;

/* The programs of one thread. */
typedef struct lane {
    plan_program *one, *block; /* NULL: block would be the same; one has open shapes */
    nf_status status;          /* of its part of a call */
    nf_error error;
} lane;

struct eng_session {
    eng_model *model;
    lane *lanes; /* [n_lanes], one a thread */
    size_t n_lanes, block_rows;
    nf_pool *pool;        /* NULL for one thread */
    plan_program *latest; /* what eng_session_result reads */
    plan_vars vars;
    cached cache[CACHED];
    uint64_t clock;
    uint64_t time_limit_us; /* of one run whose length depends on values */
};

static plan_limits limits_of(const eng_session *s, size_t rows)
{
    return (plan_limits){.batch = (int64_t)rows,
                         .max_arena = s->model->max_arena,
                         .vars = s->vars.n_tensors ? &s->vars : NULL};
}

/* As many rows a block, up to `most`, as keep its activations small. */
static nf_status make_block(eng_session *s, size_t most, nf_error *err)
{
    plan_program **p = &s->lanes[0].block;
    for (s->block_rows = most; s->block_rows > 1; s->block_rows /= 2) {
        const plan_limits l = limits_of(s, s->block_rows);
        const nf_status st = plan_program_create(p, &s->model->top, &l, err);
        if (st || (*p)->arena_bytes <= BLOCK_BYTES) return st;
        plan_program_destroy(p);
    }
    return NF_OK;
}

static nf_status make_programs(eng_session *s, size_t most, nf_error *err)
{
    nf_status st;
    if ((st = plan_vars_init(&s->vars, s->model->graph, err))) return st;
    s->lanes = nf_alloc(sizeof(*s->lanes), NF_MEM_ARENA);
    if (!s->lanes) return nf_fail(err, NF_ENOMEM, "session", "no memory");
    s->n_lanes = s->block_rows = 1;
    if (s->model->info.shapes == ENG_SHAPES_OPEN) return NF_OK;
    const plan_limits one = limits_of(s, 1);
    st = plan_program_create(&s->lanes[0].one, &s->model->top, &one, err);
    s->latest = s->lanes[0].one;
    return st ? st : make_block(s, most, err);
}

nf_status eng_session_create(eng_session **out, eng_model *model, size_t block_rows, nf_error *err)
{
    *out = NULL;
    eng_session *s = nf_alloc(sizeof(*s), NF_MEM_ARENA);
    if (!s) return nf_fail(err, NF_ENOMEM, "session", "no memory");
    s->model = eng_model_ref(model);
    s->time_limit_us = DEFAULT_TIME_US;
    const size_t most = !model->batched || block_rows < 1 ? 1
                        : block_rows > MAX_BLOCK          ? MAX_BLOCK
                                                          : block_rows;
    const nf_status st = make_programs(s, most, err);
    if (st) eng_session_destroy(&s);
    *out = s;
    return st;
}

static nf_status make_lane(lane *l, const eng_session *s, nf_error *err)
{
    const plan_limits one = limits_of(s, 1), many = limits_of(s, s->block_rows);
    *l = (lane){0};
    const nf_status st = plan_program_create(&l->one, &s->model->top, &one, err);
    if (st || s->block_rows == 1) return st;
    return plan_program_create(&l->block, &s->model->top, &many, err);
}

nf_status eng_session_threads(eng_session *s, size_t threads, nf_error *err)
{
    nf_status st = NF_OK;
    if (threads < 1 || threads > NF_POOL_MOST)
        return nf_fail(err, NF_EINVAL, "threads", "expected 1 to %d, got %zu", NF_POOL_MOST,
                       threads);
    /* rows of variables come one after the other */
    if (!s->lanes[0].one || s->vars.n) return NF_OK;
    lane *lanes = nf_realloc(s->lanes, threads * sizeof(*lanes), NF_MEM_ARENA);
    if (!lanes) return nf_fail(err, NF_ENOMEM, "session", "no memory for %zu threads", threads);
    s->lanes = lanes;
    nf_pool_destroy(&s->pool);
    for (; s->n_lanes < threads && !st; s->n_lanes++)
        st = make_lane(&lanes[s->n_lanes], s, err);
    return st || threads == 1 ? st : nf_pool_create(&s->pool, threads, err);
}

static void drop_programs(eng_session *s)
{
    for (size_t i = 0; i < s->n_lanes; i++) {
        plan_program_destroy(&s->lanes[i].one);
        plan_program_destroy(&s->lanes[i].block);
    }
}

nf_status eng_session_keep_all(eng_session *s, nf_error *err)
{
    plan_program *p;
    plan_limits l = limits_of(s, 1);
    l.max_arena = SIZE_MAX;
    l.keep_all = true;
    if (!s->lanes[0].one)
        return nf_fail(err, NF_ENOTIMPL, "session", "the model's shapes are open");
    const nf_status st = plan_program_create(&p, &s->model->top, &l, err);
    if (st) return st;
    nf_pool_destroy(&s->pool);
    drop_programs(s);
    s->lanes[0].one = s->latest = p;
    s->n_lanes = s->block_rows = 1;
    return NF_OK;
}

const void *eng_session_step_data(const eng_session *s, size_t i)
{
    return s->latest ? s->latest->place[s->model->graph->nodes[i].out[0]] : NULL;
}

void eng_session_reset(eng_session *s)
{
    plan_vars_reset(&s->vars, s->model->graph);
}

static void drop_cached(eng_session *s, cached *c)
{
    if (s->latest == c->program) s->latest = NULL;
    plan_program_destroy(&c->program);
    nf_free(c->shapes);
    *c = (cached){0};
}

void eng_session_destroy(eng_session **s)
{
    if (!s || !*s) return;
    for (size_t i = 0; i < CACHED; i++)
        drop_cached(*s, &(*s)->cache[i]);
    nf_pool_destroy(&(*s)->pool);
    drop_programs(*s);
    nf_free((*s)->lanes);
    plan_vars_fini(&(*s)->vars);
    eng_model_unref(&(*s)->model);
    nf_free(*s);
    *s = NULL;
}

/* Types that FP32 stands for at the border. */
static bool converts(const eng_io *io)
{
    if (io->dtype == ENG_F16 || io->dtype == ENG_BF16) return true;
    return io->quantized && (io->dtype == ENG_I8 || io->dtype == ENG_U8 || io->dtype == ENG_I16);
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

static void fill(const eng_session *s, void *to, const eng_view *v, const eng_io *io, size_t first,
                 size_t rows)
{
    const size_t n = rows * io->row_elems;
    const void *from = rows_of(v, io, first);
    krn_type type;
    if (n == 0) return;
    if (v->dtype == io->dtype) {
        memcpy(to, from, n * eng_dtype_size(io->dtype));
    } else if (io->dtype == ENG_I16) {
        krn_qs16_quantize_ref(to, from, n, io->scale, io->zero_point, false);
    } else if (io->quantized) {
        const krn_qs8_steps by =
            krn_qs8_steps_to(io->scale, io->zero_point, io->dtype == ENG_U8, false);
        s->model->real->bytes(to, from, n, &by);
    } else {
        plan_krn_type(&type, io->dtype);
        krn_cast_ref(to, type, from, KRN_F32, n);
    }
}

static void fetch(const eng_session *s, const eng_view *v, const void *from, const eng_io *io,
                  size_t first, size_t rows)
{
    const size_t n = rows * io->row_elems;
    void *to = rows_of(v, io, first);
    krn_type type;
    if (n == 0) return;
    if (v->dtype == io->dtype) {
        memcpy(to, from, n * eng_dtype_size(io->dtype));
    } else if (io->dtype == ENG_I16) {
        krn_qs16_dequantize_ref(to, from, n, io->scale, io->zero_point);
    } else if (io->quantized) {
        s->model->real->floats(to, from, n, io->scale, io->zero_point, io->dtype == ENG_U8);
    } else {
        plan_krn_type(&type, io->dtype);
        krn_cast_ref(to, KRN_F32, from, type, n);
    }
}

static void fill_rows(const eng_session *s, const plan_program *p, const eng_view *in, size_t first,
                      size_t rows)
{
    const ir_graph *g = s->model->graph;
    for (size_t i = 0; i < g->n_inputs; i++)
        fill(s, p->place[g->inputs[i]], &in[i], &s->model->inputs[i], first, rows);
}

static void fetch_rows(const eng_session *s, const plan_program *p, const eng_view *out,
                       size_t first, size_t rows)
{
    const ir_graph *g = s->model->graph;
    for (size_t i = 0; i < g->n_outputs; i++)
        fetch(s, &out[i], p->place[g->outputs[i]], &s->model->outputs[i], first, rows);
}

/* One call, shared by the session's lanes: each takes the next block until none is left. */
typedef struct call {
    const eng_session *s;
    const eng_view *in, *out;
    size_t rows;
    atomic_size_t next; /* row */
} call;

/* False when the lane's status says why not. */
static bool run_rows(const call *c, lane *l, size_t first, size_t rows)
{
    plan_program *p = rows > 1 ? l->block : l->one;
    fill_rows(c->s, p, c->in, first, rows);
    l->status = plan_program_run(p, &l->error);
    if (!l->status) fetch_rows(c->s, p, c->out, first, rows);
    return !l->status;
}

static void run_lane(void *user, size_t lane_index)
{
    call *c = user;
    lane *l = &c->s->lanes[lane_index];
    const size_t block = c->s->block_rows;
    for (;;) {
        const size_t first = atomic_fetch_add_explicit(&c->next, block, memory_order_relaxed);
        if (first >= c->rows) return;
        const bool whole = c->rows - first >= block;
        const size_t end = whole ? first + block : c->rows, step = whole ? block : 1;
        for (size_t at = first; at < end; at += step)
            if (!run_rows(c, l, at, step)) return;
    }
}

static nf_status check_views(const eng_session *s, const eng_view *in, const eng_view *out,
                             size_t rows, nf_error *err)
{
    const eng_model *m = s->model;
    nf_status st = NF_OK;
    if (rows == 0) return nf_fail(err, NF_EINVAL, "rows", "expected at least 1, got 0");
    if (!s->lanes[0].one) return nf_fail(err, NF_EINVAL, "session", "the model's shapes are open");
    for (size_t i = 0; i < m->info.n_inputs; i++)
        if ((st = check_view(&in[i], &m->inputs[i], rows, err))) return st;
    for (size_t i = 0; i < m->info.n_outputs; i++)
        if ((st = check_view(&out[i], &m->outputs[i], rows, err))) return st;
    return NF_OK;
}

nf_status eng_session_run(eng_session *s, const eng_view *in, const eng_view *out, size_t rows,
                          nf_error *err)
{
    nf_status st;
    if ((st = check_views(s, in, out, rows, err))) return st;
    call c = {.s = s, .in = in, .out = out, .rows = rows};
    for (size_t i = 0; i < s->n_lanes; i++)
        s->lanes[i].status = NF_OK;
    if (s->pool && rows > s->block_rows)
        nf_pool_run(s->pool, run_lane, &c);
    else
        run_lane(&c, 0);
    for (size_t i = 0; i < s->n_lanes && !st; i++)
        if ((st = s->lanes[i].status) && err) *err = s->lanes[i].error;
    return st;
}

nf_status eng_session_profile(eng_session *s, const eng_view *in, const eng_view *out, uint64_t *ns,
                              nf_error *err)
{
    nf_status st;
    if ((st = check_views(s, in, out, 1, err))) return st;
    plan_program *one = s->lanes[0].one;
    fill_rows(s, one, in, 0, 1);
    st = plan_program_profile(one, &s->model->top, ns, err);
    if (!st) fetch_rows(s, one, out, 0, 1);
    return st;
}

/* The shape that a view brings for an input; NF_EINVAL when the input says otherwise. */
static nf_status take_shape(plan_shape *to, const eng_view *v, const eng_io *io, nf_error *err)
{
    *to = (plan_shape){.rank = v->rank, .elems = 1};
    if (v->rank < 0 || v->rank > ENG_MAX_RANK || (io->rank >= 0 && v->rank != io->rank))
        return nf_fail(err, NF_EINVAL, io->name, "expected %d dimensions, got %d", io->rank,
                       v->rank);
    for (int i = 0; i < v->rank; i++) {
        const bool open = io->rank < 0 || io->dim[i] < 0 || (i == 0 && io->batched);
        if (v->dim[i] < 0 || (!open && v->dim[i] != io->dim[i]))
            return nf_fail(err, NF_EINVAL, io->name, "dimension %d is %lld, expected %lld", i,
                           (long long)v->dim[i], open ? 1LL : (long long)io->dim[i]);
        to->dim[i] = (size_t)v->dim[i];
        if (!nf_mul_size(&to->elems, to->elems, to->dim[i]) || to->elems > IR_MAX_ELEMS)
            return nf_fail(err, NF_EINVAL, io->name, "has over %zu elements", IR_MAX_ELEMS);
    }
    if (v->dtype != io->dtype && !(v->dtype == ENG_F32 && converts(io)))
        return nf_fail(err, NF_EINVAL, io->name, "expected %s, got %s", eng_dtype_oip(io->dtype),
                       eng_dtype_oip(v->dtype));
    if (v->bytes != to->elems * eng_dtype_size(v->dtype))
        return nf_fail(err, NF_EINVAL, io->name, "expected %zu elements, got %zu bytes", to->elems,
                       v->bytes);
    return NF_OK;
}

static void fill_whole(const eng_session *s, void *to, const eng_view *v, const eng_io *io,
                       size_t elems)
{
    eng_io whole = *io;
    whole.row_elems = elems;
    fill(s, to, v, &whole, 0, 1);
}

static bool same_shapes(const plan_shape *a, const plan_shape *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].rank != b[i].rank ||
            memcmp(a[i].dim, b[i].dim, (size_t)a[i].rank * sizeof(*a[i].dim)) != 0)
            return false;
    return true;
}

/* The program of these shapes: kept from an earlier request, or made in the oldest one's place. */
static nf_status find_program(cached **out, eng_session *s, const plan_shape *shapes, nf_error *err)
{
    const size_t bytes = s->model->info.n_inputs * sizeof(*shapes);
    cached *oldest = &s->cache[0];
    plan_limits l = limits_of(s, 1);
    nf_status st;
    for (size_t i = 0; i < CACHED; i++) {
        cached *c = *out = &s->cache[i];
        if (c->program && same_shapes(c->shapes, shapes, s->model->info.n_inputs)) return NF_OK;
        if (c->used < oldest->used) oldest = c;
    }
    drop_cached(s, oldest);
    *out = oldest;
    l.shapes = shapes;
    if ((st = plan_program_create(&oldest->program, &s->model->top, &l, err))) return st;
    oldest->shapes = nf_alloc(bytes + 1, NF_MEM_ARENA);
    if (!oldest->shapes) {
        drop_cached(s, oldest);
        return nf_fail(err, NF_ENOMEM, "session", "no memory");
    }
    memcpy(oldest->shapes, shapes, bytes);
    return NF_OK;
}

/* An output that is an input, or a part of one, moves into the program. */
static nf_status keep_outputs(plan_program *p, const ir_graph *g, nf_error *err)
{
    for (size_t i = 0; i < g->n_outputs; i++) {
        const int32_t t = g->outputs[i];
        const size_t bytes = p->shapes[t].elems * eng_dtype_size(g->tensors[t].dtype);
        void *copy = plan_heap_alloc(&p->heap, bytes + 1);
        if (!copy) return nf_fail(err, NF_ENOMEM, g->tensors[t].name, "no memory for the output");
        if (bytes) memcpy(copy, p->place[t], bytes);
        p->place[t] = copy;
    }
    return NF_OK;
}

static nf_status run_cached(eng_session *s, const eng_view *in, const plan_shape *shapes,
                            nf_error *err)
{
    const ir_graph *g = s->model->graph;
    cached *c;
    nf_status st;
    if ((st = find_program(&c, s, shapes, err))) return st;
    c->used = ++s->clock;
    s->latest = c->program;
    for (size_t i = 0; i < g->n_inputs; i++)
        if (c->program->place[g->inputs[i]])
            fill_whole(s, c->program->place[g->inputs[i]], &in[i], &s->model->inputs[i],
                       shapes[i].elems);
    return plan_program_run(c->program, err);
}

/* Everything is computed while the program is made; the inputs lie in a heap of the call. */
static nf_status run_eager(eng_session *s, const eng_view *in, const plan_shape *shapes,
                           nf_error *err)
{
    const size_t n = s->model->info.n_inputs;
    cached *c = &s->cache[0];
    plan_limits l = limits_of(s, 1);
    plan_heap heap = {0};
    const void **values = plan_heap_alloc(&heap, (n + 1) * sizeof(*values));
    nf_status st = NF_OK;
    drop_cached(s, c);
    for (size_t i = 0; values && i < n && !st; i++) {
        const eng_io *io = &s->model->inputs[i];
        void *to = plan_heap_alloc(&heap, shapes[i].elems * eng_dtype_size(io->dtype) + 1);
        if (!to) st = nf_fail(err, NF_ENOMEM, io->name, "no memory for the input");
        if (to) fill_whole(s, to, &in[i], io, shapes[i].elems);
        values[i] = to;
    }
    if (!values) st = nf_fail(err, NF_ENOMEM, "session", "no memory");
    l.shapes = shapes;
    l.values = values;
    l.deadline_us = nf_now_us() + s->time_limit_us;
    if (!st) st = plan_program_create(&c->program, &s->model->top, &l, err);
    if (!st) st = keep_outputs(c->program, s->model->graph, err);
    s->latest = c->program;
    plan_heap_fini(&heap);
    return st;
}

nf_status eng_session_run_open(eng_session *s, const eng_view *in, nf_error *err)
{
    const eng_model *m = s->model;
    nf_status st = NF_OK;
    plan_shape *shapes = nf_alloc_array(m->info.n_inputs + 1, sizeof(*shapes), NF_MEM_ARENA);
    if (!shapes) return nf_fail(err, NF_ENOMEM, "session", "no memory");
    for (size_t i = 0; i < m->info.n_inputs && !st; i++)
        st = take_shape(&shapes[i], &in[i], &m->inputs[i], err);
    if (!st) st = (m->eager ? run_eager : run_cached)(s, in, shapes, err);
    nf_free(shapes);
    return st;
}

nf_status eng_session_fetch(const eng_view *to, const eng_session *s, size_t i, nf_error *err)
{
    const int32_t t = s->model->graph->outputs[i];
    eng_io whole = s->model->outputs[i];
    whole.row_elems = s->latest->shapes[t].elems;
    const nf_status st = check_view(to, &whole, 1, err);
    if (!st) fetch(s, to, s->latest->place[t], &whole, 0, 1);
    return st;
}

void eng_session_trim(eng_session *s, size_t most)
{
    for (size_t i = 0; i < CACHED; i++) {
        const plan_program *const p = s->cache[i].program;
        if (p && p->arena_bytes + p->heap.bytes > most) drop_cached(s, &s->cache[i]);
    }
}

void eng_session_result(eng_view *out, const eng_session *s, size_t i)
{
    const int32_t t = s->model->graph->outputs[i];
    const plan_shape *shape = &s->latest->shapes[t];
    *out = (eng_view){.dtype = s->model->outputs[i].dtype,
                      .data = s->latest->place[t],
                      .bytes = shape->elems * eng_dtype_size(s->model->outputs[i].dtype),
                      .rank = shape->rank};
    for (int k = 0; k < shape->rank; k++)
        out->dim[k] = (int64_t)shape->dim[k];
}
