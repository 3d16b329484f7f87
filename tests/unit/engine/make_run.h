/* make_run.h - one node by hand: its inputs are those of a model, and it runs on values given
 * beside them. Layer: tests. */
#ifndef TEST_MAKE_RUN_H
#define TEST_MAKE_RUN_H

#include "tests/unit/engine/make_graph.h"

#include "engine/kernels/cpu.h"
#include "engine/plan/compiled.h"
#include "engine/session.h"

#include <math.h>

#define RUN_MOST 16 /* inputs and results */

typedef struct run_graph {
    ir_graph *g; /* NULL once it is loaded */
    eng_model *model;
    eng_session *session;
    int32_t inputs[RUN_MOST], outputs[RUN_MOST];
    size_t n_in, n_out;
    eng_view views[RUN_MOST];
    krn_round round; /* of the integer ops */
    unsigned cpu;    /* bits of what integer ops may use */
    bool plain;      /* floats by the plain kernels */
} run_graph;

static inline run_graph run_open(void)
{
    return (run_graph){.g = make_graph()};
}

/* An input of the model and its value, which must live until the run. */
static inline int32_t run_input(run_graph *r, eng_dtype dtype, int rank, const int64_t *dim,
                                const void *value, size_t bytes)
{
    char name[] = "in_?";
    name[3] = (char)('a' + r->n_in);
    assert_true(r->n_in < RUN_MOST);
    const int32_t t = make_tensor(r->g, name, dtype, 0, (int64_t[]){0});
    r->g->tensors[t].rank = rank;
    eng_view *v = &r->views[r->n_in];
    *v = (eng_view){.dtype = dtype, .rank = rank, .data = (void *)(uintptr_t)value, .bytes = bytes};
    for (int i = 0; i < rank; i++)
        v->dim[i] = r->g->tensors[t].dim[i] = dim[i];
    r->inputs[r->n_in++] = t;
    return t;
}

/* The node, with a result of each type; more results stand behind each other. */
static inline ir_node *run_node_types(run_graph *r, ir_op op, const int32_t *in, int32_t n_in,
                                      const eng_dtype *types, int32_t n_out)
{
    ir_node *n;
    nf_error err = {0};
    for (int32_t i = 0; i < n_out; i++)
        r->outputs[i] = make_tensor(r->g, i ? "more" : "y", types[i], 0, (int64_t[]){0});
    r->n_out = (size_t)n_out;
    const ir_ends ends = {in, r->outputs, n_in, n_out};
    assert_ok(ir_add_node_ends(&n, r->g, op, &ends, &err), &err);
    return n;
}

static inline ir_node *run_node(run_graph *r, ir_op op, const int32_t *in, int32_t n_in,
                                eng_dtype type)
{
    return run_node_types(r, op, in, n_in, &type, 1);
}

static inline nf_status run_load(run_graph *r, nf_error *err)
{
    const eng_options o = {0};
    plan_env env = {.round = r->round, .cpu = r->cpu};
    ir_graph *g = r->g;
    nf_status st;
    krn_qs8_init(&env.qs8, r->cpu);
    krn_f32_init(&env.f32, r->plain ? 0 : krn_cpu_flags(0));
    if ((st = ir_set_io(g, r->inputs, r->n_in, r->outputs, r->n_out, err))) return st;
    if ((st = ir_graph_verify(g, err))) return st;
    ir_make_room(g);
    r->g = NULL;
    if ((st = plan_compile(&r->model, g, &o, &env, err))) return st;
    return eng_session_create(&r->session, r->model, 1, err);
}

/* Loads when it is the first time, and runs. */
static inline nf_status run_once(run_graph *r, nf_error *err)
{
    nf_status st;
    if (!r->session && (st = run_load(r, err))) return st;
    return eng_session_run_open(r->session, r->views, err);
}

static inline eng_view run_result(run_graph *r, size_t i)
{
    eng_view v;
    eng_session_result(&v, r->session, i);
    return v;
}

static inline void run_expect_result(run_graph *r, size_t i, const float *want, size_t n,
                                     float most)
{
    const eng_view v = run_result(r, i);
    assert_int_equal(v.bytes, n * sizeof(float));
    for (size_t k = 0; k < n; k++) {
        const float got = ((const float *)v.data)[k];
        if (!(fabsf(got - want[k]) <= most))
            fail_msg("result %zu[%zu] is %g, expected %g", i, k, (double)got, (double)want[k]);
    }
}

static inline void run_expect_floats(run_graph *r, const float *want, size_t n, float most)
{
    nf_error err = {0};
    const nf_status st = run_once(r, &err);
    assert_ok(st, &err);
    run_expect_result(r, 0, want, n, most);
}

static inline void run_expect_bytes(run_graph *r, const void *want, size_t bytes)
{
    nf_error err = {0};
    const nf_status st = run_once(r, &err);
    assert_ok(st, &err);
    const eng_view v = run_result(r, 0);
    assert_int_equal(v.bytes, bytes);
    assert_memory_equal(v.data, want, bytes);
}

static inline void run_expect_status(run_graph *r, nf_status want)
{
    nf_error err = {0};
    assert_int_equal(run_once(r, &err), want);
}

static inline void run_close(run_graph *r)
{
    eng_session_destroy(&r->session);
    eng_model_unref(&r->model);
    ir_graph_destroy(&r->g);
}

#endif /* TEST_MAKE_RUN_H */
