/* test_graph_edges.c - graphs that a hostile or odd file can ask for: scales along the wrong axis,
 * numbers that are none, sums that would wrap, work and memory without end. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/base/mem.h"
#include "engine/passes/pass.h"
#include "engine/plan/compiled.h"
#include "engine/session.h"

#include <math.h>

static nf_status rewrite(ir_graph *g, eng_mode mode)
{
    const eng_options o = {.mode = mode};
    nf_error err = {0};
    assert_ok(ir_graph_verify(g, &err), &err);
    const nf_status st = run_passes(g, &o, &err);
    return st ? st : ir_graph_verify(g, &err);
}

static nf_status compile(eng_model **m, ir_graph *take_graph)
{
    const eng_options o = {0};
    plan_env env = {.round = KRN_ROUND_FLOAT};
    nf_error err = {0};
    krn_qs8_init(&env.qs8, 0);
    krn_f32_init(&env.f32, 0);
    return plan_compile(m, take_graph, &o, &env, &err);
}

/* Rewrites and compiles; the model is dropped again. */
static nf_status load(ir_graph *take_graph, eng_mode mode)
{
    eng_model *m = NULL;
    const nf_status st = rewrite(take_graph, mode);
    if (st) {
        ir_graph_destroy(&take_graph);
        return st;
    }
    const nf_status compiled = compile(&m, take_graph);
    eng_model_unref(&m);
    return compiled;
}

#define OUTPUTS 64

/* x8 -> DEQUANTIZE, FULLY_CONNECTED with w8 and `bias`, QUANTIZE -> y8. */
static ir_graph *qdq_dense(int32_t (*add_bias)(ir_graph *g), int weight_axis)
{
    static const int64_t xd[] = {1, 2}, wd[] = {OUTPUTS, 2}, yd[] = {1, OUTPUTS};
    static const float scales[] = {0.5f, 0.25f};
    const int8_t weights[2 * OUTPUTS] = {1, 2, 3};
    ir_graph *g = make_graph();
    const int32_t x8 = make_tensor(g, "x8", ENG_I8, 2, xd), x = make_tensor(g, "x", ENG_F32, 2, xd);
    const int32_t w8 = make_tensor(g, "w8", ENG_I8, 2, wd), w = make_tensor(g, "w", ENG_F32, 2, wd);
    const int32_t y = make_tensor(g, "y", ENG_F32, 2, yd), y8 = make_tensor(g, "y8", ENG_I8, 2, yd);
    make_quant(g, x8, 0.5f, 0);
    make_quant(g, y8, 1.0f, 0);
    make_axis_quant(g, w8, scales, weight_axis < 0 ? 1 : 2, weight_axis < 0 ? 0 : weight_axis);
    make_data(g, w8, weights, sizeof(weights));
    make_unary(g, IR_DEQUANTIZE, x8, x);
    make_unary(g, IR_DEQUANTIZE, w8, w);
    const int32_t b = add_bias(g);
    make_node(g, IR_FULLY_CONNECTED, (int32_t[]){x, w, b}, y);
    make_unary(g, IR_QUANTIZE, y, y8);
    make_io(g, x8, y8);
    return g;
}

/* INT32 [2, 32] with a scale for each half. */
static int32_t bias_in_halves(ir_graph *g)
{
    static const int64_t dim[] = {2, OUTPUTS / 2};
    static const float scale[] = {0.25f, 0.5f};
    int32_t v[OUTPUTS];
    const int32_t b32 = make_tensor(g, "b32", ENG_I32, 2, dim);
    const int32_t b = make_tensor(g, "b", ENG_F32, 2, dim);
    for (int i = 0; i < OUTPUTS; i++)
        v[i] = i;
    make_axis_quant(g, b32, scale, 2, 0);
    make_data(g, b32, v, sizeof(v));
    make_unary(g, IR_DEQUANTIZE, b32, b);
    return b;
}

static int32_t float_bias(ir_graph *g, float last)
{
    static const int64_t dim[] = {OUTPUTS};
    const float v[OUTPUTS] = {1, 2, [OUTPUTS - 1] = last};
    const int32_t b = make_tensor(g, "b", ENG_F32, 1, dim);
    make_data(g, b, v, sizeof(v));
    return b;
}

static int32_t plain_bias(ir_graph *g)
{
    return float_bias(g, 3);
}

static int32_t bias_with_nan(ir_graph *g)
{
    return float_bias(g, NAN);
}

static void a_bias_keeps_its_own_scales(void **state)
{
    ir_graph *g = qdq_dense(bias_in_halves, -1);
    (void)state;
    assert_int_equal(rewrite(g, ENG_MODE_FILE), NF_OK);
    assert_int_equal(g->n_nodes, 1);
    const int32_t *bias = (const int32_t *)(const void *)g->tensors[g->nodes[0].in[2]].data;
    for (int c = 0; c < OUTPUTS; c++) /* in steps of 0.5 * 0.5 */
        assert_int_equal(bias[c], c < OUTPUTS / 2 ? c : 2 * c);
    ir_graph_destroy(&g);
}

/* Scales along the inputs fit no integer kernel: the product stays in float, and still runs. */
static void weights_with_scales_along_their_inputs_stay_float(void **state)
{
    eng_model *m;
    ir_graph *g = qdq_dense(plain_bias, 1);
    (void)state;
    assert_int_equal(rewrite(g, ENG_MODE_FILE), NF_OK);
    assert_int_equal(count_op(g, IR_QUANTIZE), 1);
    assert_int_equal(compile(&m, g), NF_OK);
    eng_model_unref(&m);
}

static void a_bias_that_is_no_number_stays_float(void **state)
{
    ir_graph *g = qdq_dense(bias_with_nan, -1);
    (void)state;
    assert_int_equal(rewrite(g, ENG_MODE_FILE), NF_OK);
    assert_int_equal(count_op(g, IR_QUANTIZE), 1);
    ir_graph_destroy(&g);
}

/* FULLY_CONNECTED of float weights [1, k], each of them `value`. */
static ir_graph *float_dense(int64_t k, float value)
{
    const int64_t xd[] = {1, k}, yd[] = {1, 1};
    float *v = nf_alloc_array((size_t)k, sizeof(*v), NF_MEM_MISC);
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, xd), w = make_tensor(g, "w", ENG_F32, 2, xd);
    const int32_t y = make_tensor(g, "y", ENG_F32, 2, yd);
    for (int64_t i = 0; i < k; i++)
        v[i] = value;
    make_data(g, w, v, (size_t)k * sizeof(*v));
    nf_free(v);
    make_node(g, IR_FULLY_CONNECTED, (int32_t[]){x, w, IR_NONE}, y);
    make_io(g, x, y);
    return g;
}

/* What has no 8-bit form runs in float at the edge too. */
static void the_edge_takes_what_the_file_takes(void **state)
{
    (void)state;
    assert_int_equal(load(float_dense(KRN_QS8_MAX_K + 1, 1.0f), ENG_MODE_EDGE), NF_OK);
    assert_int_equal(load(float_dense(4, 1e-44f), ENG_MODE_EDGE), NF_OK);
    ir_graph *g = float_dense(4, INFINITY);
    assert_int_equal(rewrite(g, ENG_MODE_EDGE), NF_OK);
    assert_int_equal(g->tensors[g->nodes[0].in[1]].dtype, ENG_F32);
    ir_graph_destroy(&g);
}

static ir_graph *binary_of(ir_op op, float in, float out)
{
    static const int64_t dim[] = {1, 4};
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_I8, 2, dim), y = make_tensor(g, "y", ENG_I8, 2, dim);
    make_quant(g, x, in, 0);
    make_quant(g, y, out, 0);
    make_node(g, op, (int32_t[]){x, x, IR_NONE}, y);
    make_io(g, x, y);
    return g;
}

/* Every quotient of two scales that a float can hold, and those that it cannot. */
static void scales_far_apart_are_refused(void **state)
{
    static const float far[] = {1e-38f, 1e-20f, 1.0f, 1e20f, 3e38f};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(far); i++)
        for (size_t j = 0; j < NF_COUNT(far); j++) {
            const nf_status sum = load(binary_of(IR_ADD, far[i], far[j]), ENG_MODE_FILE);
            assert_int_equal(sum, i == j ? NF_OK : NF_EUNSUPPORTED);
            const nf_status product = load(binary_of(IR_MUL, far[i], far[j]), ENG_MODE_FILE);
            assert_true(product == NF_OK || product == NF_EFORMAT);
        }
}

/* An activation with a scale for each channel is read with all of them. */
static void scales_along_an_axis_of_an_activation_count(void **state)
{
    static const int64_t dim[] = {1, 2};
    static const float scale[] = {1, 100};
    const int8_t q[] = {3, -2};
    float real[2] = {0};
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_I8, 2, dim), y = make_tensor(g, "y", ENG_F32, 2, dim);
    (void)state;
    make_axis_quant(g, x, scale, 2, 1);
    make_unary(g, IR_DEQUANTIZE, x, y);
    make_io(g, x, y);
    assert_int_equal(rewrite(g, ENG_MODE_FILE), NF_OK);
    assert_int_equal(compile(&m, g), NF_OK);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    const eng_view in = {.dtype = ENG_I8, .data = (void *)(uintptr_t)q, .bytes = sizeof(q)},
                   out = {.dtype = ENG_F32, .data = real, .bytes = sizeof(real)};
    assert_ok(eng_session_run(s, &in, &out, 1, &err), &err);
    assert_true(real[0] == 3 && real[1] == -200);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

static ir_graph *mean_of(int32_t size)
{
    const int64_t xd[] = {1, size, size, 1}, yd[] = {1, 1, 1, 1};
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_U8, 4, xd), y = make_tensor(g, "y", ENG_U8, 4, yd);
    make_quant(g, x, 1, 0);
    make_quant(g, y, 1, 0);
    ir_node *n = make_unary(g, IR_AVERAGE_POOL_2D, x, y);
    n->attr.window = (ir_window){.pad = IR_PAD_VALID,
                                 .kernel_h = size,
                                 .kernel_w = size,
                                 .stride_h = 1,
                                 .stride_w = 1,
                                 .dilation_h = 1,
                                 .dilation_w = 1,
                                 .groups = 1,
                                 .clamp = ir_no_clamp()};
    make_io(g, x, y);
    return g;
}

/* 2900 x 2900 x 255 is over 2^31; the largest image that fits is averaged right. */
static void a_mean_never_wraps(void **state)
{
    eng_model *m;
    eng_session *s;
    nf_error err = {0};
    ir_graph *g = mean_of(2899);
    (void)state;
    assert_int_equal(load(mean_of(2900), ENG_MODE_FILE), NF_EUNSUPPORTED);
    assert_int_equal(rewrite(g, ENG_MODE_FILE), NF_OK);
    assert_int_equal(compile(&m, g), NF_OK);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    const size_t n = eng_model_info(m)->inputs[0].row_elems;
    uint8_t *x = nf_alloc(n, NF_MEM_MISC), y = 0;
    memset(x, 255, n);
    const eng_view in = {.dtype = ENG_U8, .data = x, .bytes = n},
                   out = {.dtype = ENG_U8, .data = &y, .bytes = 1};
    assert_ok(eng_session_run(s, &in, &out, 1, &err), &err);
    assert_int_equal(y, 255);
    nf_free(x);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

/* QUANTIZE, DEQUANTIZE; or the sum of a value with itself in 8 bits between them. */
static float run_limited(eng_mode mode, bool sum, float value)
{
    static const int64_t dim[] = {1, 1};
    ir_graph *g = make_graph();
    eng_model *m;
    eng_session *s;
    nf_error err = {0};
    float result;
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, dim), q = make_tensor(g, "q", ENG_I8, 2, dim);
    const int32_t r = make_tensor(g, "r", ENG_I8, 2, dim), y = make_tensor(g, "y", ENG_F32, 2, dim);
    make_quant(g, q, sum ? 8 : 1, sum ? 0 : -128);
    make_quant(g, r, 1, -128);
    make_unary(g, IR_QUANTIZE, x, q);
    if (sum) make_node(g, IR_ADD, (int32_t[]){q, q, IR_NONE}, r);
    make_unary(g, IR_DEQUANTIZE, sum ? r : q, y);
    make_io(g, x, y);
    assert_int_equal(rewrite(g, mode), NF_OK);
    assert_int_equal(compile(&m, g), NF_OK);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    const eng_view in = {.dtype = ENG_F32, .data = &value, .bytes = sizeof(value)},
                   out = {.dtype = ENG_F32, .data = &result, .bytes = sizeof(result)};
    assert_ok(eng_session_run(s, &in, &out, 1, &err), &err);
    eng_session_destroy(&s);
    eng_model_unref(&m);
    return result;
}

/* Quantizers drop a RELU whose limit the integers have anyway: in float it must come back. */
static void integers_made_float_keep_their_limits(void **state)
{
    static const float values[] = {-1000, -8, 0, 16, 248, 1000};
    (void)state;
    for (int sum = 0; sum < 2; sum++)
        for (size_t i = 0; i < NF_COUNT(values); i++) {
            const float want = run_limited(ENG_MODE_FILE, sum != 0, values[i]);
            assert_true(run_limited(ENG_MODE_CLOUD, sum != 0, values[i]) == want);
        }
}

/* ONNX says what integers mean only where they become real: behind a view, often. */
static void a_view_shares_the_meaning_of_its_source(void **state)
{
    static const int64_t flat[] = {1, 6}, square[] = {1, 2, 3};
    (void)state;
    for (int mode = ENG_MODE_FILE; mode <= ENG_MODE_CLOUD; mode++) {
        ir_graph *g = make_graph();
        const int32_t x = make_tensor(g, "x", ENG_I8, 2, flat);
        const int32_t v = make_tensor(g, "v", ENG_I8, 3, square);
        const int32_t y = make_tensor(g, "y", ENG_F32, 3, square);
        make_quant(g, v, 0.5f, 7);
        ir_node *n = make_unary(g, IR_RESHAPE, x, v);
        n->attr.reshape.rank = 3;
        memcpy(n->attr.reshape.dim, square, sizeof(square));
        make_unary(g, IR_DEQUANTIZE, v, y);
        make_io(g, x, y);
        assert_int_equal(rewrite(g, (eng_mode)mode), NF_OK);
        const bool real = mode == ENG_MODE_CLOUD;
        assert_int_equal(g->tensors[x].dtype, real ? ENG_F32 : ENG_I8);
        assert_int_equal(g->tensors[x].quant.n, real ? 0 : 1);
        ir_graph_destroy(&g);
    }
}

/* A chain of `n` nodes that each add to a large tensor. */
static ir_graph *long_chain(int n)
{
    static const int64_t dim[] = {1, 1 << 13, 1 << 13};
    ir_graph *g = make_graph();
    int32_t last = make_tensor(g, "x", ENG_F32, 3, dim);
    const int32_t x = last;
    for (int i = 0; i < n; i++) {
        const int32_t next = make_tensor(g, "", ENG_F32, 3, dim);
        make_node(g, IR_ADD, (int32_t[]){last, x, IR_NONE}, next);
        last = next;
    }
    make_io(g, x, last);
    return g;
}

static void work_without_products_has_an_end_too(void **state)
{
    (void)state;
    assert_int_equal(load(long_chain(1500), ENG_MODE_FILE), NF_EBUDGET);
}

/* A chain of products that all read the same weights: each packs a copy. */
static ir_graph *shared_weights(int n)
{
    enum { WIDTH = 512 };
    static const int64_t xd[] = {1, WIDTH}, wd[] = {WIDTH, WIDTH};
    static const float v[WIDTH * WIDTH] = {1};
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, xd), w = make_tensor(g, "w", ENG_F32, 2, wd);
    int32_t last = x;
    make_data(g, w, v, sizeof(v));
    for (int i = 0; i < n; i++) {
        const int32_t next = make_tensor(g, "", ENG_F32, 2, xd);
        make_node(g, IR_FULLY_CONNECTED, (int32_t[]){last, w, IR_NONE}, next);
        last = next;
    }
    make_io(g, x, last);
    return g;
}

/* A small file must not become a large model: copies of shared weights are counted. */
static void copies_of_shared_weights_have_an_end(void **state)
{
    (void)state;
    for (int mode = ENG_MODE_FILE; mode <= ENG_MODE_CLOUD; mode++) {
        assert_int_equal(load(shared_weights(20), (eng_mode)mode), NF_OK);
        assert_int_equal(load(shared_weights(1200), (eng_mode)mode), NF_EBUDGET);
    }
}

/* Many DEQUANTIZE nodes of one constant: each folds into a float copy. */
static void copies_of_folded_constants_have_an_end(void **state)
{
    enum { SIZE = 1 << 20, COPIES = 100 };
    static const int64_t dim[] = {1, SIZE};
    static const int8_t v[SIZE] = {1};
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, dim), c = make_tensor(g, "c", ENG_I8, 2, dim);
    int32_t last = x;
    (void)state;
    make_quant(g, c, 1, 0);
    make_data(g, c, v, sizeof(v));
    for (int i = 0; i < COPIES; i++) {
        const int32_t copy = make_tensor(g, "", ENG_F32, 2, dim);
        const int32_t next = make_tensor(g, "", ENG_F32, 2, dim);
        make_unary(g, IR_DEQUANTIZE, c, copy);
        make_node(g, IR_ADD, (int32_t[]){last, copy, IR_NONE}, next);
        last = next;
    }
    make_io(g, x, last);
    assert_int_equal(load(g, ENG_MODE_FILE), NF_EBUDGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bias_keeps_its_own_scales),
        cmocka_unit_test(weights_with_scales_along_their_inputs_stay_float),
        cmocka_unit_test(a_bias_that_is_no_number_stays_float),
        cmocka_unit_test(the_edge_takes_what_the_file_takes),
        cmocka_unit_test(scales_far_apart_are_refused),
        cmocka_unit_test(scales_along_an_axis_of_an_activation_count),
        cmocka_unit_test(a_mean_never_wraps),
        cmocka_unit_test(integers_made_float_keep_their_limits),
        cmocka_unit_test(a_view_shares_the_meaning_of_its_source),
        cmocka_unit_test(work_without_products_has_an_end_too),
        cmocka_unit_test(copies_of_shared_weights_have_an_end),
        cmocka_unit_test(copies_of_folded_constants_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
