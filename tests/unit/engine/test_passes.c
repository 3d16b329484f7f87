/* test_passes.c - small graphs by hand, rewritten and run: what must cancel cancels, and the
 * numbers stay. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/passes/pass.h"

static void transpose(ir_graph *g, int32_t in, int32_t out, const int *perm, int rank)
{
    ir_node *n = make_unary(g, IR_TRANSPOSE, in, out);
    n->attr.transpose.rank = rank;
    memcpy(n->attr.transpose.perm, perm, (size_t)rank * sizeof(*perm));
}

static void finish(ir_graph *g, int32_t in, int32_t out)
{
    nf_error err = {0};
    make_io(g, in, out);
    assert_ok(ir_graph_verify(g, &err), &err);
    assert_ok(run_passes(g, &(eng_options){0}, &err), &err);
    assert_ok(ir_graph_verify(g, &err), &err);
}

static const int64_t nchw[] = {IR_BATCH, 2, 3, 5}, nhwc[] = {IR_BATCH, 3, 5, 2};
static const int to_nhwc[] = {0, 2, 3, 1}, to_nchw[] = {0, 3, 1, 2};

/* There and back with an activation between: nothing moves any more. */
static void transposes_meet_and_cancel(void **state)
{
    ir_graph *g = make_graph();
    (void)state;
    const int32_t x = make_tensor(g, "x", ENG_F32, 4, nchw),
                  a = make_tensor(g, "a", ENG_F32, 4, nhwc);
    const int32_t b = make_tensor(g, "b", ENG_F32, 4, nhwc),
                  y = make_tensor(g, "y", ENG_F32, 4, nchw);
    transpose(g, x, a, to_nhwc, 4);
    make_unary(g, IR_CLAMP, a, b)->attr.clamp.clamp = (ir_clamp){0, 6};
    transpose(g, b, y, to_nchw, 4);
    finish(g, x, y);
    assert_int_equal(count_op(g, IR_TRANSPOSE), 0);
    assert_int_equal(count_op(g, IR_CLAMP), 1);
    ir_graph_destroy(&g);
}

/* Two branches in channels-last order meet in channels-first order, then a number is added and an
 * activation follows: one transpose is left, or none if the next one undoes it. */
static ir_graph *branches(bool undone)
{
    static const float two = 2;
    ir_graph *g = make_graph();
    nf_error err = {0};
    int32_t t[8];
    for (int i = 0; i < 8; i++)
        t[i] = make_tensor(g, "t", ENG_F32, 4, i == 0 || i == 1 || i == 2 ? nhwc : nchw);
    const int32_t y = make_tensor(g, "y", ENG_F32, 4, undone ? nhwc : nchw);
    const int32_t c = make_tensor(g, "c", ENG_F32, 0, nchw);
    make_data(g, c, &two, sizeof(two));
    make_unary(g, IR_TANH, t[0], t[1]);
    make_unary(g, IR_SIN, t[0], t[2]);
    transpose(g, t[1], t[3], to_nchw, 4);
    transpose(g, t[2], t[4], to_nchw, 4);
    make_node(g, IR_SUB, (int32_t[]){t[3], t[4], IR_NONE}, t[5]);
    make_node(g, IR_MUL, (int32_t[]){c, t[5], IR_NONE}, t[6]);
    make_unary(g, IR_LOGISTIC, t[6], undone ? t[7] : y);
    if (undone) transpose(g, t[7], y, to_nhwc, 4);
    make_io(g, t[0], y);
    assert_ok(ir_graph_verify(g, &err), &err);
    assert_ok(run_passes(g, &(eng_options){0}, &err), &err);
    assert_ok(ir_graph_verify(g, &err), &err);
    return g;
}

static void branches_meet_before_they_turn(void **state)
{
    (void)state;
    for (int undone = 0; undone < 2; undone++) {
        ir_graph *g = branches(undone != 0);
        assert_int_equal(count_op(g, IR_TRANSPOSE), undone ? 0 : 1);
        for (size_t i = 0; i < g->n_nodes; i++) {
            const ir_node *n = &g->nodes[i];
            const int64_t *dim = g->tensors[n->out[0]].dim;
            if (n->op == IR_TRANSPOSE) continue;
            assert_memory_equal(dim, nhwc, sizeof(nhwc));
            if (n->op == IR_SUB) assert_true(n->in[0] == 1 && n->in[1] == 2);
        }
        ir_graph_destroy(&g);
    }
}

/* One channel: the transpose moves no byte and becomes a view. */
static void transpose_of_one_channel_is_a_view(void **state)
{
    static const int64_t from[] = {IR_BATCH, 1, 8, 8}, to[] = {IR_BATCH, 8, 8, 1};
    ir_graph *g = make_graph();
    (void)state;
    const int32_t x = make_tensor(g, "x", ENG_F32, 4, from),
                  y = make_tensor(g, "y", ENG_F32, 4, to);
    transpose(g, x, y, to_nhwc, 4);
    finish(g, x, y);
    assert_int_equal(count_op(g, IR_TRANSPOSE), 0);
    assert_int_equal(count_op(g, IR_RESHAPE), 1);
    ir_graph_destroy(&g);
}

/* DEQUANTIZE, QUANTIZE with the same numbers is nothing; with others it stays. */
static void pairs_cancel_only_when_equal(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        static const int64_t dim[] = {IR_BATCH, 4};
        ir_graph *g = make_graph();
        const int32_t x = make_tensor(g, "x", ENG_I8, 2, dim),
                      f = make_tensor(g, "f", ENG_F32, 2, dim);
        const int32_t y = make_tensor(g, "y", ENG_I8, 2, dim);
        make_quant(g, x, 0.5f, 3);
        make_quant(g, y, same ? 0.5f : 0.25f, 3);
        make_unary(g, IR_DEQUANTIZE, x, f);
        make_unary(g, IR_QUANTIZE, f, y);
        finish(g, x, y);
        assert_int_equal(count_op(g, IR_QUANTIZE), same ? 0 : 1);
        assert_int_equal(count_op(g, IR_DEQUANTIZE), same ? 0 : 1);
        ir_graph_destroy(&g);
    }
}

/* Two 8-bit products behind transposes that cancel, of one DEQUANTIZE: they see 8 bits. */
static void products_see_past_cancelled_transposes(void **state)
{
    static const int8_t weights[4] = {1, 2, 3, 4};
    ir_graph *g = make_graph();
    int32_t q[2];
    (void)state;
    const int32_t x = make_tensor(g, "x", ENG_I8, 4, nhwc),
                  xt = make_tensor(g, "xt", ENG_I8, 4, nchw),
                  f = make_tensor(g, "f", ENG_F32, 4, nchw),
                  w = make_tensor(g, "w", ENG_I8, 4, (int64_t[]){2, 1, 1, 2}),
                  wf = make_tensor(g, "wf", ENG_F32, 4, (int64_t[]){2, 1, 1, 2}),
                  y = make_tensor(g, "y", ENG_I8, 4, nhwc);
    make_quant(g, w, 0.5f, 0);
    make_data(g, w, weights, sizeof(weights));
    transpose(g, x, xt, to_nchw, 4);
    make_unary(g, IR_DEQUANTIZE, xt, f);
    make_unary(g, IR_DEQUANTIZE, w, wf);
    for (int i = 0; i < 2; i++) {
        const int32_t a = make_tensor(g, "a", ENG_F32, 4, nhwc),
                      c = make_tensor(g, "c", ENG_F32, 4, nhwc);
        q[i] = make_tensor(g, "q", ENG_I8, 4, nhwc);
        transpose(g, f, a, to_nhwc, 4);
        make_node(g, IR_CONV_2D, (int32_t[]){a, wf, IR_NONE}, c)->attr.window =
            (ir_window){.stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1,
                        .groups = 1,
                        .clamp = ir_no_clamp()};
        make_unary(g, IR_QUANTIZE, c, q[i]);
    }
    make_node(g, IR_ADD, (int32_t[]){q[0], q[1], IR_NONE}, y);
    const int32_t eights[] = {x, xt, q[0], q[1], y};
    for (size_t i = 0; i < NF_COUNT(eights); i++)
        make_quant(g, eights[i], 0.5f, 3);
    finish(g, x, y);
    assert_int_equal(count_op(g, IR_TRANSPOSE), 0);
    assert_int_equal(count_op(g, IR_QUANTIZE) + count_op(g, IR_DEQUANTIZE), 0);
    ir_graph_destroy(&g);
}

/* What a variable held before it is assigned is not what it holds after that. */
static void a_view_of_a_variable_stays(void **state)
{
    static const int64_t dim[] = {1, 4};
    static const float two = 2;
    ir_graph *g = make_graph();
    (void)state;
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, dim),
                  v = make_tensor(g, "v", ENG_F32, 2, dim),
                  was = make_tensor(g, "was", ENG_F32, 2, dim),
                  sum = make_tensor(g, "sum", ENG_F32, 2, dim),
                  done = make_tensor(g, "done", ENG_F32, 2, dim),
                  c = make_tensor(g, "c", ENG_F32, 0, dim),
                  y = make_tensor(g, "y", ENG_F32, 2, dim);
    g->tensors[v].variable = true;
    make_data(g, c, &two, sizeof(two));
    make_unary(g, IR_IDENTITY, v, was);
    make_node(g, IR_ADD, (int32_t[]){was, x, IR_NONE}, sum);
    make_node(g, IR_ASSIGN, (int32_t[]){v, sum, IR_NONE}, done);
    make_node(g, IR_MUL, (int32_t[]){was, c, IR_NONE}, y);
    finish(g, x, y);
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == IR_MUL) assert_int_equal(g->nodes[i].in[0], was);
    ir_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposes_meet_and_cancel),
        cmocka_unit_test(branches_meet_before_they_turn),
        cmocka_unit_test(transpose_of_one_channel_is_a_view),
        cmocka_unit_test(pairs_cancel_only_when_equal),
        cmocka_unit_test(products_see_past_cancelled_transposes),
        cmocka_unit_test(a_view_of_a_variable_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
