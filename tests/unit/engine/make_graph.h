/* make_graph.h - small graphs by hand: tensors, constants, nodes. Layer: tests. */
#ifndef TEST_MAKE_GRAPH_H
#define TEST_MAKE_GRAPH_H

#include "tests/support/support.h"

#include "engine/ir/graph.h"
#include "engine/passes/pass.h"
#include "engine/plan/program.h"

#include <string.h>

static inline ir_graph *make_graph(void)
{
    ir_graph *g;
    nf_error err = {0};
    assert_ok(ir_graph_create(&g, &err), &err);
    g->format = "test";
    return g;
}

static inline int32_t make_tensor(ir_graph *g, const char *name, eng_dtype dtype, int rank,
                                  const int64_t *dim)
{
    int32_t t;
    nf_error err = {0};
    assert_ok(ir_add_tensor(&t, g, name, strlen(name), dtype, &err), &err);
    g->tensors[t].rank = rank;
    memcpy(g->tensors[t].dim, dim, (size_t)rank * sizeof(*dim));
    return t;
}

/* One scale for the whole tensor. */
static inline void make_quant(ir_graph *g, int32_t t, float scale, int32_t zero)
{
    nf_error err = {0};
    assert_ok(ir_set_quant(&g->tensors[t], 1, &scale, &zero, 0, &err), &err);
}

/* `n` equal scales along an axis. */
static inline void make_axis_quant(ir_graph *g, int32_t t, const float *scale, size_t n, int axis)
{
    nf_error err = {0};
    assert_ok(ir_set_quant(&g->tensors[t], n, scale, NULL, axis, &err), &err);
}

static inline void make_data(ir_graph *g, int32_t t, const void *data, size_t bytes)
{
    nf_error err = {0};
    assert_ok(ir_set_data(&g->tensors[t], (nf_bytes){data, bytes}, &err), &err);
}

/* A node of one to three inputs; IR_NONE ends the list. */
static inline ir_node *make_node(ir_graph *g, ir_op op, const int32_t in[3], int32_t out)
{
    ir_node *n;
    int32_t n_in = 0;
    nf_error err = {0};
    while (n_in < 3 && in[n_in] != IR_NONE)
        n_in++;
    assert_ok(ir_add_node(&n, g, op, in, n_in, out, &err), &err);
    return n;
}

static inline ir_node *make_unary(ir_graph *g, ir_op op, int32_t in, int32_t out)
{
    return make_node(g, op, (int32_t[]){in, IR_NONE, IR_NONE}, out);
}

static inline void make_io(ir_graph *g, int32_t in, int32_t out)
{
    nf_error err = {0};
    assert_ok(ir_set_io(g, &in, 1, &out, 1, &err), &err);
}

static inline nf_status fold_graph(ir_graph *g, const void *with, bool only_shapes, nf_error *err)
{
    return plan_fold(g, with, only_shapes, err);
}

/* All passes for the options, constants folded by plain kernels. */
static inline nf_status run_passes(ir_graph *g, const eng_options *o, nf_error *err)
{
    plan_env env = {.round = KRN_ROUND_FLOAT};
    krn_qs8_init(&env.qs8, 0);
    krn_f32_init(&env.f32, 0);
    const pass_folder folder = {fold_graph, &env};
    return pass_run_all(g, o, &folder, err);
}

static inline size_t count_op(const ir_graph *g, ir_op op)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        n += g->nodes[i].op == op;
    return n;
}

#endif /* TEST_MAKE_GRAPH_H */
