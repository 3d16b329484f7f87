/* test_ops_quant.c - operators on quantized values, one node at a time, against values that
 * TensorFlow Lite 2.21 gives for the same numbers. Layer: tests. */
#include "tests/unit/engine/make_run.h"

typedef struct scaled {
    float scale;
    int32_t zero;
} scaled;

static int32_t put(run_graph *r, eng_dtype dtype, int rank, const int64_t *dim, const void *v,
                   scaled q)
{
    size_t n = eng_dtype_size(dtype);
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    const int32_t t = run_input(r, dtype, rank, dim, v, n);
    make_quant(r->g, t, q.scale, q.zero);
    return t;
}

static int32_t hold(run_graph *r, eng_dtype dtype, int rank, const int64_t *dim, const void *v)
{
    const int32_t t = make_tensor(r->g, "w", dtype, rank, dim);
    size_t n = eng_dtype_size(dtype);
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    make_data(r->g, t, v, n);
    return t;
}

/* One operand of 8 bits, in the reference arithmetic or LiteRT's. */
static void expect_unary(ir_op op, float alpha, krn_round round, scaled to, const int8_t want[8])
{
    static const int8_t x[] = {-128, -61, -20, 0, 3, 21, 60, 127};
    run_graph r = run_open();
    r.round = round;
    const int32_t in = put(&r, ENG_I8, 1, (int64_t[]){8}, x, (scaled){0.05f, 3});
    ir_node *n = run_node(&r, op, &in, 1, ENG_I8);
    if (op == IR_CLAMP)
        n->attr.clamp.clamp = (ir_clamp){0, 6};
    else
        n->attr.scalar.alpha = alpha;
    make_quant(r.g, r.outputs[0], to.scale, to.zero);
    run_expect_bytes(&r, want, 8);
    run_close(&r);
}

static void unary_8(void **state)
{
    (void)state;
    expect_unary(IR_HARD_SWISH, 0, KRN_ROUND_FIXED, (scaled){0.03f, -20},
                 (int8_t[]){-20, -20, -32, -22, -20, -1, 73, 127});
    expect_unary(IR_LEAKY_RELU, 0.3f, KRN_ROUND_FIXED, (scaled){0.033f, -20},
                 (int8_t[]){-80, -49, -31, -22, -20, 7, 66, 127});
    expect_unary(IR_LEAKY_RELU, 0.3f, KRN_ROUND_FLOAT, (scaled){0.033f, -20},
                 (int8_t[]){-79, -49, -30, -21, -20, 7, 66, 127});
    expect_unary(IR_TANH, 0, KRN_ROUND_FIXED, (scaled){1.0f / 128, 0},
                 (int8_t[]){-128, -128, -105, -19, 0, 92, 127, 127});
    expect_unary(IR_LOGISTIC, 0, KRN_ROUND_FLOAT, (scaled){1.0f / 256, -128},
                 (int8_t[]){-128, -118, -66, -10, 0, 54, 114, 127});
    expect_unary(IR_CLAMP, 0, KRN_ROUND_FIXED, (scaled){0.023f, -128},
                 (int8_t[]){-128, -128, -128, -128, -128, -89, -4, 127});
}

static void rsqrt_8(void **state)
{
    static const int8_t x[] = {3, 4, 8, 20, 50, 127}, want[] = {127, 124, 0, -46, -67, -80};
    run_graph r = run_open();
    (void)state;
    r.round = KRN_ROUND_FIXED;
    const int32_t in = put(&r, ENG_I8, 1, (int64_t[]){6}, x, (scaled){0.05f, 3});
    run_node(&r, IR_RSQRT, &in, 1, ENG_I8);
    make_quant(r.g, r.outputs[0], 0.02f, -100);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

static void expect_unary_16(ir_op op, krn_round round, float scale, float to, const int16_t want[9])
{
    static const int16_t x[] = {-32768, -20000, -3000, -1, 0, 1, 3000, 20000, 32767};
    run_graph r = run_open();
    r.round = round;
    const int32_t in = put(&r, ENG_I16, 1, (int64_t[]){9}, x, (scaled){scale, 0});
    run_node(&r, op, &in, 1, ENG_I16);
    make_quant(r.g, r.outputs[0], to, 0);
    run_expect_bytes(&r, want, 9 * sizeof(*want));
    run_close(&r);
}

static void unary_16(void **state)
{
    (void)state;
    expect_unary_16(IR_TANH, KRN_ROUND_FIXED, 0.0003f, 1.0f / 32768,
                    (int16_t[]){-32767, -32767, -23472, -11, 0, 11, 23472, 32767, 32767});
    expect_unary_16(IR_LOGISTIC, KRN_ROUND_FIXED, 0.0003f, 1.0f / 32768,
                    (int16_t[]){2, 81, 9472, 16381, 16384, 16387, 23296, 32687, 32766});
    expect_unary_16(IR_EXP, KRN_ROUND_FIXED, 0.0001f, 0.0008f,
                    (int16_t[]){47, 170, 926, 1250, 1250, 1250, 1687, 9236, 32766});
    expect_unary_16(IR_TANH, KRN_ROUND_FLOAT, 1.0f / 4096, 1.0f / 32768,
                    (int16_t[]){-32767, -32767, -20472, -8, 0, 8, 20472, 32767, 32767});
    expect_unary_16(IR_LOGISTIC, KRN_ROUND_FLOAT, 1.0f / 4096, 1.0f / 32768,
                    (int16_t[]){11, 243, 10637, 16383, 16384, 16384, 22130, 32524, 32756});
}

static void expect_binary(ir_op op, scaled to, eng_dtype dtype, const int8_t want[6])
{
    static const int8_t a[] = {-128, -50, 0, 77, 127, -3}, b[] = {127, -128, 5, -77, 100, 3};
    run_graph r = run_open();
    r.round = KRN_ROUND_FIXED;
    const int32_t in[] = {put(&r, ENG_I8, 1, (int64_t[]){6}, a, (scaled){0.05f, 3}),
                          put(&r, ENG_I8, 1, (int64_t[]){6}, b, (scaled){0.02f, -7})};
    ir_node *n = run_node(&r, op, in, 2, dtype);
    if (op == IR_SUB) n->attr.binary.clamp = ir_no_clamp();
    if (dtype == ENG_I8) make_quant(r.g, r.outputs[0], to.scale, to.zero);
    run_expect_bytes(&r, want, 6);
    run_close(&r);
}

static void binary_8(void **state)
{
    (void)state;
    expect_binary(IR_SUB, (scaled){0.061f, 4}, ENG_I8, (int8_t[]){-128, 0, -2, 88, 71, -4});
    expect_binary(IR_SQUARED_DIFFERENCE, (scaled){0.7f, -120}, ENG_I8,
                  (int8_t[]){2, -120, -120, -83, -96, -120});
    expect_binary(IR_LESS, (scaled){1, 0}, ENG_BOOL, (int8_t[]){1, 1, 1, 0, 0, 1});
}

static void softmax_16(void **state)
{
    static const int16_t x[] = {-20000, 0, 1000, 15000, 32767},
                         want[] = {133, 987, 1090, 4422, 26134};
    run_graph r = run_open();
    (void)state;
    const int32_t in = put(&r, ENG_I16, 2, (int64_t[]){1, 5}, x, (scaled){0.0001f, 0});
    ir_node *n = run_node(&r, IR_SOFTMAX, &in, 1, ENG_I16);
    n->attr.softmax.axis = 1;
    n->attr.softmax.beta = 1;
    make_quant(r.g, r.outputs[0], 1.0f / 32768, 0);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

static void mean_8(void **state)
{
    static const int8_t x[] = {-128, -50, 0, 77, 127, -3, 9}, want[] = {11};
    (void)state;
    for (int round = KRN_ROUND_FLOAT; round <= KRN_ROUND_FIXED; round++) {
        run_graph r = run_open();
        r.round = (krn_round)round;
        const int32_t in = put(&r, ENG_I8, 2, (int64_t[]){1, 7}, x, (scaled){0.05f, 3});
        run_node(&r, IR_MEAN, &in, 1, ENG_I8)->attr.reduce.axes = 2;
        make_quant(r.g, r.outputs[0], 0.011f, 4);
        run_expect_bytes(&r, want, sizeof(want));
        run_close(&r);
    }
}

/* 3 * 1 + (-2) * (-4) + 1 = 12 in steps of 0.5 * 0.25, and -7 * 1 + 2 * (-4) + 1 = -14. */
static void dense_16_has_a_long_bias(void **state)
{
    static const int16_t x[] = {3, -2, -7, 2}, want[] = {2, -2};
    static const int8_t w[] = {1, -4};
    static const int64_t bias[] = {1};
    run_graph r = run_open();
    (void)state;
    int32_t in[] = {put(&r, ENG_I16, 2, (int64_t[]){2, 2}, x, (scaled){0.5f, 0}),
                    hold(&r, ENG_I8, 2, (int64_t[]){1, 2}, w),
                    hold(&r, ENG_I64, 1, (int64_t[]){1}, bias)};
    make_quant(r.g, in[1], 0.25f, 0);
    run_node(&r, IR_FULLY_CONNECTED, in, 3, ENG_I16)->attr.dense.clamp = ir_no_clamp();
    make_quant(r.g, r.outputs[0], 0.75f, 0);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

/* (12 - 10) * (130 - 128) + (7 - 10) * (120 - 128) = 28 in steps of 0.5 * 0.5, plus 100 * 1. */
static void dense_u8_has_weights_about_a_zero_point(void **state)
{
    static const uint8_t x[] = {12, 7}, w[] = {130, 120}, want[] = {107};
    run_graph r = run_open();
    (void)state;
    int32_t in[] = {put(&r, ENG_U8, 2, (int64_t[]){1, 2}, x, (scaled){0.5f, 10}),
                    hold(&r, ENG_U8, 2, (int64_t[]){1, 2}, w)};
    make_quant(r.g, in[1], 0.5f, 128);
    run_node(&r, IR_FULLY_CONNECTED, in, 2, ENG_U8)->attr.dense.clamp = ir_no_clamp();
    make_quant(r.g, r.outputs[0], 1, 100);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

/* Each of two pixels puts its taps 1 and 2 side by side. */
static void transpose_conv_8(void **state)
{
    static const int8_t x[] = {3, 5}, w[] = {1, 2}, want[] = {2, 4, 4, 8};
    run_graph r = run_open();
    (void)state;
    int32_t in[] = {put(&r, ENG_I8, 4, (int64_t[]){1, 1, 2, 1}, x, (scaled){1, 1}),
                    hold(&r, ENG_I8, 4, (int64_t[]){1, 1, 2, 1}, w)};
    make_quant(r.g, in[1], 1, 0);
    ir_node *n = run_node(&r, IR_TRANSPOSE_CONV, in, 2, ENG_I8);
    n->attr.nd =
        (ir_nd){.pad = IR_PAD_VALID, .n = 2, .stride = {1, 2}, .dilation = {1, 1}, .groups = 1};
    make_quant(r.g, r.outputs[0], 1, 0);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

/* Three taps, 1, 2 and 3, of each channel, or of the first one for every output. */
static void taps_down(int8_t *w, int64_t dim[4], ir_op op)
{
    const bool depthwise = op == IR_DEPTHWISE_CONV_2D;
    memset(w, 0, 16 * 3 * 16);
    memcpy(dim, (int64_t[]){depthwise ? 1 : 16, 3, 1, 16}, 4 * sizeof(*dim));
    for (int8_t tap = 0; tap < 3; tap++)
        for (int c = 0; c < 16; c++)
            w[depthwise ? tap * 16 + c : c * 48 + tap * 16] = (int8_t)(tap + 1);
}

/* Layers are packed for one size of image: here it comes with the call, and is another one the
 * second time. */
static void windows_of_open_height_8(void **state)
{
    static const ir_op ops[] = {IR_CONV_2D, IR_DEPTHWISE_CONV_2D};
    int8_t x[6 * 16], want[4 * 16], w[16 * 3 * 16];
    int64_t dim[4];
    (void)state;
    for (int i = 0; i < 6 * 16; i++)
        x[i] = (int8_t)(i / 16 + 1);
    for (int i = 0; i < 4 * 16; i++)
        want[i] = (int8_t)(14 + 6 * (i / 16));
    for (size_t i = 0; i < 2 * NF_COUNT(ops); i++) {
        run_graph r = run_open();
        r.cpu = i % 2 ? krn_cpu_flags(0) : 0;
        taps_down(w, dim, ops[i / 2]);
        const int32_t in[] = {put(&r, ENG_I8, 4, (int64_t[]){1, 6, 1, 16}, x, (scaled){1, 0}),
                              hold(&r, ENG_I8, 4, dim, w)};
        r.g->tensors[in[0]].dim[1] = IR_FREE;
        make_quant(r.g, in[1], 1, 0);
        run_node(&r, ops[i / 2], in, 2, ENG_I8)->attr.window = (ir_window){.pad = IR_PAD_VALID,
                                                                           .groups = 1,
                                                                           .stride_h = 1,
                                                                           .stride_w = 1,
                                                                           .dilation_h = 1,
                                                                           .dilation_w = 1,
                                                                           .clamp = ir_no_clamp()};
        make_quant(r.g, r.outputs[0], 1, 0);
        run_expect_bytes(&r, want, sizeof(want));
        r.views[0].dim[1] = 4;
        r.views[0].bytes = 4 * 16;
        run_expect_bytes(&r, want, 2 * 16);
        run_close(&r);
    }
}

/* One TRANSPOSE_CONV of odd sizes on the kernels of one instruction set. */
static size_t deconv_on(int8_t *y, unsigned isa, uint64_t seed)
{
    const eng_dtype type = seed % 3 ? ENG_I8 : ENG_U8;
    const int64_t x[] = {2, 1 + (int64_t)(seed % 4), 2 + (int64_t)(seed % 5),
                         1 + (int64_t)(seed % 7)};
    const int64_t w[] = {1 + (int64_t)(seed % 6), 1 + (int64_t)(seed % 3),
                         1 + (int64_t)(seed / 3 % 5), x[3]};
    int8_t values[2 * 4 * 6 * 7], weights[6 * 3 * 5 * 7];
    run_graph r = run_open();
    nf_error err = {0};
    r.cpu = isa;
    r.round = seed % 2 ? KRN_ROUND_FLOAT : KRN_ROUND_FIXED;
    for (size_t i = 0; i < sizeof(values); i++)
        values[i] = (int8_t)test_uniform(&seed, -128, 127.9f);
    for (size_t i = 0; i < sizeof(weights); i++)
        weights[i] = (int8_t)test_uniform(&seed, -127, 127.9f);
    int32_t in[] = {put(&r, type, 4, x, values, (scaled){0.5f, 9}),
                    hold(&r, ENG_I8, 4, w, weights)};
    make_quant(r.g, in[1], 0.01f, 0);
    ir_node *n = run_node(&r, IR_TRANSPOSE_CONV, in, 2, type);
    n->attr.nd = (ir_nd){.pad = seed % 4 < 2 ? IR_PAD_VALID : IR_PAD_SAME,
                         .n = 2,
                         .stride = {1 + (int32_t)(seed % 3), 1 + (int32_t)(seed / 7 % 4)},
                         .dilation = {1, 1},
                         .groups = 1};
    make_quant(r.g, r.outputs[0], 0.4f, -5 + 100 * (type == ENG_U8));
    const nf_status st = run_once(&r, &err);
    assert_ok(st, &err);
    const eng_view v = run_result(&r, 0);
    assert_true(v.bytes <= 16384);
    memcpy(y, v.data, v.bytes);
    run_close(&r);
    return v.bytes;
}

/* Phases beside each other give the bytes of the plain kernel. */
static void transpose_conv_8_on_tiles(void **state)
{
    int8_t want[16384], got[16384];
    const unsigned all = krn_cpu_flags(0);
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const size_t n = deconv_on(want, 0, seed);
        for (unsigned isa = 1; isa && isa <= all; isa = isa << 1 | 1) {
            assert_int_equal(deconv_on(got, isa & all, seed), n);
            assert_memory_equal(got, want, n);
        }
    }
}

/* One CONV_2D of INT16 on the kernels of one instruction set; weights and values at their
 * ends when the seed is a multiple of 5, which is too much for 32-bit sums where there are
 * many. */
static size_t conv16_on(int16_t *y, unsigned isa, uint64_t seed)
{
    static int16_t values[2 * 6 * 7 * 100];
    static int8_t weights[20 * 3 * 3 * 100];
    static int64_t bias[20];
    const int64_t deep = 1 + (int64_t)(seed % 4 ? seed % 9 : seed % 100),
                  n = 1 + (int64_t)(seed % 20);
    const int64_t x[] = {2, 3 + (int64_t)(seed % 4), 3 + (int64_t)(seed % 5), deep};
    const int64_t w[] = {n, 1 + (int64_t)(seed % 3), 1 + (int64_t)(seed / 3 % 3), deep};
    const bool ends = seed % 5 == 0, small = seed % 7 == 0;
    run_graph r = run_open();
    nf_error err = {0};
    r.cpu = isa;
    r.round = seed % 2 ? KRN_ROUND_FLOAT : KRN_ROUND_FIXED;
    const int32_t stride = 1 + (int32_t)(seed % 2);
    for (size_t i = 0; i < NF_COUNT(values); i++)
        values[i] = ends ? INT16_MIN : (int16_t)test_uniform(&seed, -32768, 32767);
    for (size_t i = 0; i < sizeof(weights); i++)
        weights[i] = ends ? -127 : (int8_t)test_uniform(&seed, -127, 127.9f);
    for (size_t i = 0; i < NF_COUNT(bias); i++)
        bias[i] = (int64_t)test_uniform(&seed, -1e6f, 1e6f);
    int32_t in[] = {put(&r, ENG_I16, 4, x, values, (scaled){0.5f, 0}),
                    hold(&r, ENG_I8, 4, w, weights),
                    hold(&r, small ? ENG_I32 : ENG_I64, 1, (int64_t[]){n}, bias)};
    make_quant(r.g, in[1], 0.01f, 0);
    ir_node *node = run_node(&r, IR_CONV_2D, in, 3, ENG_I16);
    node->attr.window = (ir_window){.pad = ends ? IR_PAD_SAME : IR_PAD_VALID,
                                    .stride_h = stride,
                                    .stride_w = 1,
                                    .dilation_h = 1,
                                    .dilation_w = 1,
                                    .groups = 1,
                                    .clamp = ir_no_clamp()};
    make_quant(r.g, r.outputs[0], ends ? 40.0f : 4.0f, 0);
    const nf_status st = run_once(&r, &err);
    assert_ok(st, &err);
    const eng_view v = run_result(&r, 0);
    assert_true(v.bytes <= 4096 * sizeof(*y));
    memcpy(y, v.data, v.bytes);
    run_close(&r);
    return v.bytes;
}

static void conv_16_is_the_plain_one(void **state)
{
    static int16_t want[4096], got[4096];
    const unsigned all = krn_cpu_flags(0);
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        const size_t n = conv16_on(want, 0, seed);
        for (unsigned isa = 1; isa && isa <= all; isa = isa << 1 | 1) {
            assert_int_equal(conv16_on(got, isa & all, seed), n);
            assert_memory_equal(got, want, n);
        }
    }
}

/* Not even the rank of the image is known when the layer is packed. */
static void windows_of_unknown_rank_8(void **state)
{
    static const int64_t dim[] = {1, 8, 8, 2}, four[] = {4};
    static const int32_t shape[] = {1, 8, 8, 2};
    int8_t x[128], w[16 * 9 * 2], want[8 * 8 * 16];
    (void)state;
    for (size_t i = 0; i < sizeof(x); i++)
        x[i] = (int8_t)(i % 50);
    for (size_t i = 0; i < sizeof(w); i++)
        w[i] = (int8_t)(i % 7 - 3);
    for (unsigned round = 0; round < 2; round++) {
        nf_error err = {0};
        run_graph r = run_open();
        r.cpu = round ? krn_cpu_flags(0) : 0;
        int32_t in[] = {put(&r, ENG_I8, 4, dim, x, (scaled){0.5f, 0}),
                        hold(&r, ENG_I8, 4, (int64_t[]){16, 3, 3, 2}, w)};
        const int32_t s = run_input(&r, ENG_I32, 1, four, shape, sizeof(shape));
        const int32_t open = make_tensor(r.g, "open", ENG_I8, 0, dim);
        r.g->tensors[in[0]].dim[1] = IR_FREE;
        r.g->tensors[s].dim[0] = IR_FREE;
        make_quant(r.g, open, 0.5f, 0);
        make_quant(r.g, in[1], 0.5f, 0);
        make_node(r.g, IR_RESHAPE, (int32_t[]){in[0], s, IR_NONE}, open);
        in[0] = open;
        run_node(&r, IR_CONV_2D, in, 2, ENG_I8)->attr.window = (ir_window){.pad = IR_PAD_SAME,
                                                                           .groups = 1,
                                                                           .stride_h = 1,
                                                                           .stride_w = 1,
                                                                           .dilation_h = 1,
                                                                           .dilation_w = 1,
                                                                           .clamp = ir_no_clamp()};
        make_quant(r.g, r.outputs[0], 4, 0);
        assert_ok(run_once(&r, &err), &err);
        const eng_view y = run_result(&r, 0);
        assert_int_equal(y.bytes, sizeof(want));
        if (!round) memcpy(want, y.data, sizeof(want));
        assert_memory_equal(y.data, want, sizeof(want));
        run_close(&r);
    }
}

static void refuses_what_has_no_scale(void **state)
{
    static const int8_t x[4] = {0};
    run_graph r = run_open();
    (void)state;
    const int32_t in = put(&r, ENG_I8, 1, (int64_t[]){4}, x, (scaled){0.1f, 0});
    run_node(&r, IR_TANH, &in, 1, ENG_I8); /* its result has none */
    run_expect_status(&r, NF_EUNSUPPORTED);
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_8),
        cmocka_unit_test(rsqrt_8),
        cmocka_unit_test(unary_16),
        cmocka_unit_test(binary_8),
        cmocka_unit_test(softmax_16),
        cmocka_unit_test(mean_8),
        cmocka_unit_test(dense_16_has_a_long_bias),
        cmocka_unit_test(dense_u8_has_weights_about_a_zero_point),
        cmocka_unit_test(transpose_conv_8),
        cmocka_unit_test(windows_of_open_height_8),
        cmocka_unit_test(windows_of_unknown_rank_8),

        cmocka_unit_test(transpose_conv_8_on_tiles),
        cmocka_unit_test(conv_16_is_the_plain_one),
        cmocka_unit_test(refuses_what_has_no_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
