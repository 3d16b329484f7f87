/* test_ir_shape.c - the shape rules, with and without a batch. Layer: tests. */
#include "tests/support/support.h"

#include "engine/ir/graph.h"

#define B IR_BATCH

/* Worked out by hand from the definitions of the frameworks. */
static void windows(void **state)
{
    (void)state;
    static const struct {
        ir_pad pad;
        int64_t in;
        int32_t kernel, stride, dilation, before, after;
        bool ceil;
        int64_t out;
        int32_t got_before, got_after;
    } cases[] = {
        {IR_PAD_VALID, 8, 3, 1, 1, 0, 0, false, 6, 0, 0},
        {IR_PAD_VALID, 8, 3, 2, 1, 0, 0, false, 3, 0, 0},
        {IR_PAD_VALID, 2, 3, 1, 1, 0, 0, false, 0, 0, 0},
        {IR_PAD_VALID, 8, 3, 1, 3, 0, 0, false, 2, 0, 0},
        {IR_PAD_SAME, 8, 3, 1, 1, 0, 0, false, 8, 1, 1},
        {IR_PAD_SAME, 8, 3, 2, 1, 0, 0, false, 4, 0, 1},
        {IR_PAD_SAME_LOWER, 8, 3, 2, 1, 0, 0, false, 4, 1, 0},
        {IR_PAD_SAME, 49, 10, 2, 1, 0, 0, false, 25, 4, 5},
        {IR_PAD_SAME, 5, 1, 3, 1, 0, 0, false, 2, 0, 0},
        {IR_PAD_EXPLICIT, 8, 3, 1, 1, 1, 1, false, 8, 1, 1},
        {IR_PAD_EXPLICIT, 4, 3, 2, 1, 0, 0, false, 1, 0, 0},
        {IR_PAD_EXPLICIT, 4, 3, 2, 1, 0, 0, true, 2, 0, 0},
        {IR_PAD_EXPLICIT, 4, 2, 3, 1, 1, 1, true, 2, 1, 1}, /* a third would begin behind it */
        {IR_PAD_EXPLICIT, 4, 2, 1, 1, 0, 5, false, 8, 0, 5},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const ir_window w = {.pad = cases[i].pad,
                             .stride_h = cases[i].stride,
                             .stride_w = 99,
                             .dilation_h = cases[i].dilation,
                             .dilation_w = 99,
                             .top = cases[i].before,
                             .bottom = cases[i].after,
                             .ceil = cases[i].ceil};
        const ir_axis a = ir_window_axis(&w, true, cases[i].in, cases[i].kernel);
        if (a.out != cases[i].out || a.before != cases[i].got_before ||
            a.after != cases[i].got_after)
            fail_msg("case %zu: %lld, %d, %d", i, (long long)a.out, a.before, a.after);
    }
}

typedef struct dims {
    int rank;
    int64_t dim[ENG_MAX_RANK];
} dims;

/* Runs one node on tensors of the given shapes. */
static nf_status infer(dims *out, ir_op op, const ir_attr *attr, const dims *in, int n_in)
{
    ir_tensor tensors[4] = {0};
    int32_t index[3] = {0, 1, 2};
    nf_error err = {0};
    for (int i = 0; i < 4; i++)
        tensors[i].name = "t";
    for (int i = 0; i < n_in; i++) {
        tensors[i].rank = in[i].rank;
        memcpy(tensors[i].dim, in[i].dim, sizeof(in[i].dim));
    }
    const ir_graph g = {.tensors = tensors, .n_tensors = 4};
    int32_t to = 3;
    const ir_node node = {
        .op = op, .in = index, .n_in = n_in, .out = &to, .n_out = 1, .attr = *attr};
    return ir_infer_shape(out->dim, &out->rank, &g, &node, &err);
}

static void check(const char *what, nf_status st, const dims *got, const dims *want)
{
    if (st || got->rank != want->rank)
        fail_msg("%s: %s, rank %d", what, nf_status_name(st), got->rank);
    for (int i = 0; i < want->rank; i++)
        if (got->dim[i] != want->dim[i])
            fail_msg("%s: dim %d is %lld, expected %lld", what, i, (long long)got->dim[i],
                     (long long)want->dim[i]);
}

static void reshapes(void **state)
{
    (void)state;
    static const struct {
        dims in, target, out;
        nf_status st;
    } cases[] = {
        {{3, {1, 3, 1}}, {2, {1, 3}}, {2, {1, 3}}, NF_OK},
        {{3, {B, 3, 1}}, {2, {1, 3}}, {2, {B, 3}}, NF_OK}, /* the file's one row */
        {{3, {B, 3, 1}}, {2, {-1, 3}}, {2, {B, 3}}, NF_OK},
        {{3, {B, 3, 1}}, {2, {0, -1}}, {2, {B, 3}}, NF_OK},
        {{4, {B, 4, 4, 2}}, {3, {1, -1, 8}}, {3, {B, 4, 8}}, NF_OK},
        {{2, {6, 4}}, {3, {2, -1, 4}}, {3, {2, 3, 4}}, NF_OK},
        {{1, {1}}, {0, {0}}, {0, {0}}, NF_OK},
        {{2, {2, 3}}, {2, {0, 0}}, {2, {2, 3}}, NF_OK},
        {{3, {B, 3, 1}}, {1, {3}}, {1, {3}}, NF_OK}, /* true for one row; a request decides */
        {{3, {B, 4, 2}}, {2, {-1, 4}}, {2, {IR_FREE, 4}}, NF_OK}, /* mixes rows */
        {{3, {B, 3, 1}}, {2, {3, 1}}, {2, {3, 1}}, NF_OK},
        {{2, {1, 3}}, {2, {2, 2}}, {0, {0}}, NF_EFORMAT},
        {{2, {1, 3}}, {2, {-1, -1}}, {0, {0}}, NF_EFORMAT},
        {{2, {1, 3}}, {2, {-1, 2}}, {0, {0}}, NF_EFORMAT},
        {{2, {1, 3}}, {3, {1, 3, 0}}, {0, {0}}, NF_EFORMAT},
        {{2, {1, 3}}, {2, {-2, 3}}, {0, {0}}, NF_EFORMAT},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        ir_attr attr = {.reshape = {.rank = cases[i].target.rank}};
        dims got = {0};
        memcpy(attr.reshape.dim, cases[i].target.dim, sizeof(attr.reshape.dim));
        const nf_status st = infer(&got, IR_RESHAPE, &attr, &cases[i].in, 1);
        if (st != cases[i].st) fail_msg("case %zu: %s", i, nf_status_name(st));
        if (!st) check("reshape", st, &got, &cases[i].out);
    }
}

static void flattens(void **state)
{
    (void)state;
    static const struct {
        dims in;
        int axis;
        dims out;
        nf_status st;
    } cases[] = {
        {{4, {2, 3, 4, 5}}, 2, {2, {6, 20}}, NF_OK},
        {{4, {2, 3, 4, 5}}, 0, {2, {1, 120}}, NF_OK},
        {{4, {2, 3, 4, 5}}, 4, {2, {120, 1}}, NF_OK},
        {{3, {B, 3, 4}}, 1, {2, {B, 12}}, NF_OK},
        {{3, {B, 1, 4}}, 2, {2, {B, 4}}, NF_OK},
        {{3, {B, 3, 4}}, 0, {2, {1, IR_FREE}}, NF_OK},
        {{3, {B, 3, 4}}, 2, {2, {IR_FREE, 4}}, NF_OK},
        {{2, {2, 3}}, 3, {0, {0}}, NF_EFORMAT},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const ir_attr attr = {.reshape = {.flatten = true, .axis = cases[i].axis}};
        dims got = {0};
        const nf_status st = infer(&got, IR_RESHAPE, &attr, &cases[i].in, 1);
        if (st != cases[i].st) fail_msg("case %zu: %s", i, nf_status_name(st));
        if (!st) check("flatten", st, &got, &cases[i].out);
    }
}

static void broadcasts(void **state)
{
    (void)state;
    static const struct {
        dims in[2], out;
        nf_status st;
    } cases[] = {
        {{{3, {B, 3, 1}}, {0, {0}}}, {3, {B, 3, 1}}, NF_OK},
        {{{3, {B, 3, 1}}, {2, {1, 4}}}, {3, {B, 3, 4}}, NF_OK},
        {{{2, {1, 3}}, {2, {B, 3}}}, {2, {B, 3}}, NF_OK},
        {{{2, {5, 1}}, {1, {7}}}, {2, {5, 7}}, NF_OK},
        {{{2, {B, 3}}, {2, {2, 3}}}, {2, {2, 3}}, NF_OK}, /* if there are two rows */
        {{{2, {B, 3}}, {3, {2, 1, 3}}}, {3, {2, IR_FREE, 3}}, NF_OK},
        {{{1, {3}}, {1, {4}}}, {0, {0}}, NF_EFORMAT},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const ir_attr attr = {.binary = {.clamp = ir_no_clamp()}};
        dims got = {0};
        const nf_status st = infer(&got, IR_ADD, &attr, cases[i].in, 2);
        if (st != cases[i].st) fail_msg("case %zu: %s", i, nf_status_name(st));
        if (!st) check("broadcast", st, &got, &cases[i].out);
    }
}

static void products(void **state)
{
    (void)state;
    const ir_window one = {.pad = IR_PAD_SAME,
                           .stride_h = 2,
                           .stride_w = 1,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .groups = 2};
    const ir_attr conv = {.window = one}, flat = {.dense = {.keep_dims = false}},
                  keep = {.dense = {.keep_dims = true}};
    static const struct {
        ir_op op;
        int attr; /* 0 conv, 1 dense to rows, 2 dense that keeps dims */
        dims in[2], out;
        nf_status st;
    } cases[] = {
        {IR_CONV_2D, 0, {{4, {B, 5, 5, 4}}, {4, {6, 3, 3, 2}}}, {4, {B, 3, 5, 6}}, NF_OK},
        {IR_CONV_2D, 0, {{4, {B, 5, 5, 4}}, {4, {6, 3, 3, 4}}}, {0, {0}}, NF_EFORMAT},
        {IR_CONV_2D, 0, {{4, {B, 5, 5, 4}}, {4, {5, 3, 3, 2}}}, {0, {0}}, NF_EFORMAT},
        {IR_CONV_2D, 0, {{3, {B, 5, 4}}, {4, {6, 3, 3, 2}}}, {0, {0}}, NF_EFORMAT},
        {IR_DEPTHWISE_CONV_2D, 0, {{4, {1, 5, 5, 4}}, {4, {1, 3, 3, 8}}}, {4, {1, 3, 5, 8}}, NF_OK},
        {IR_DEPTHWISE_CONV_2D, 0, {{4, {1, 5, 5, 4}}, {4, {1, 3, 3, 6}}}, {0, {0}}, NF_EFORMAT},
        {IR_FULLY_CONNECTED, 1, {{2, {B, 8}}, {2, {3, 8}}}, {2, {B, 3}}, NF_OK},
        {IR_FULLY_CONNECTED, 1, {{3, {2, 5, 8}}, {2, {3, 8}}}, {2, {10, 3}}, NF_OK},
        {IR_FULLY_CONNECTED, 1, {{3, {B, 5, 8}}, {2, {3, 8}}}, {2, {IR_FREE, 3}}, NF_OK},
        {IR_FULLY_CONNECTED, 2, {{3, {B, 5, 8}}, {2, {3, 8}}}, {3, {B, 5, 3}}, NF_OK},
        {IR_FULLY_CONNECTED, 2, {{1, {8}}, {2, {3, 8}}}, {1, {3}}, NF_OK},
        {IR_FULLY_CONNECTED, 1, {{2, {B, 7}}, {2, {3, 8}}}, {0, {0}}, NF_EFORMAT},
    };
    const ir_attr *attrs[] = {&conv, &flat, &keep};
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        dims got = {0};
        const nf_status st = infer(&got, cases[i].op, attrs[cases[i].attr], cases[i].in, 2);
        if (st != cases[i].st) fail_msg("case %zu: %s", i, nf_status_name(st));
        if (!st) check("product", st, &got, &cases[i].out);
    }
}

static void pools_see_a_pixel(void **state)
{
    (void)state;
    static const struct {
        int32_t kernel, dilation, pad;
        nf_status st;
    } cases[] = {
        {2, 1, 1, NF_OK},      {2, 1, 2, NF_EFORMAT}, {2, 2, 1, NF_EUNSUPPORTED}, {2, 2, 0, NF_OK},
        {0, 1, 0, NF_EFORMAT}, {9, 1, 0, NF_EFORMAT}, {2, 0, 0, NF_EFORMAT},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const ir_attr attr = {.window = {.kernel_h = cases[i].kernel,
                                         .kernel_w = cases[i].kernel,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .dilation_h = cases[i].dilation,
                                         .dilation_w = 1,
                                         .top = cases[i].pad,
                                         .left = cases[i].pad}};
        dims got = {0};
        const dims in = {4, {1, 4, 4, 1}};
        const nf_status st = infer(&got, IR_AVERAGE_POOL_2D, &attr, &in, 1);
        if (st != cases[i].st) fail_msg("case %zu: %s", i, nf_status_name(st));
    }
}

static void transposes(void **state)
{
    (void)state;
    ir_attr attr = {.transpose = {.rank = 4, .perm = {0, 2, 3, 1}}};
    const dims in = {4, {B, 3, 5, 7}}, want = {4, {B, 5, 7, 3}};
    dims got = {0};
    check("transpose", infer(&got, IR_TRANSPOSE, &attr, &in, 1), &got, &want);
    attr.transpose.perm[0] = 1;
    assert_int_equal(infer(&got, IR_TRANSPOSE, &attr, &in, 1), NF_EFORMAT);
    attr.transpose.perm[1] = 2;
    attr.transpose.perm[2] = 3;
    attr.transpose.perm[3] = 0;
    const dims mixed = {4, {3, 5, 7, IR_FREE}};
    check("rows moved", infer(&got, IR_TRANSPOSE, &attr, &in, 1), &got, &mixed);
    attr.transpose.rank = 3;
    assert_int_equal(infer(&got, IR_TRANSPOSE, &attr, &in, 1), NF_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),    cmocka_unit_test(reshapes),
        cmocka_unit_test(flattens),   cmocka_unit_test(broadcasts),
        cmocka_unit_test(products),   cmocka_unit_test(pools_see_a_pixel),
        cmocka_unit_test(transposes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
