/* test_ops_nn.c - operators of networks: what each computes on numbers small enough to check by
 * hand, and what is refused. Layer: tests. */
#include "tests/unit/engine/make_run.h"

#include <math.h>

static void matmul_multiplies_stacks(void **state)
{
    (void)state;
    static const float a[] = {1, 2, 3, 4, 5, 6, 7, 8}, b[] = {1, 0, 2, 1};
    static const float want[] = {5, 2, 11, 4, 17, 6, 23, 8};
    run_graph r = run_open();
    const int32_t x = run_input(&r, ENG_F32, 3, (int64_t[]){2, 2, 2}, a, sizeof(a));
    const int32_t w = run_input(&r, ENG_F32, 2, (int64_t[]){2, 2}, b, sizeof(b));
    ir_node *n = run_node(&r, IR_BATCH_MATMUL, (int32_t[]){x, w}, 2, ENG_F32);
    n->attr.matmul.alpha = 1;
    run_expect_floats(&r, want, 8, 0);
    run_close(&r);
}

static void matmul_swaps_either_side(void **state)
{
    (void)state;
    static const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, 1, 1, 1};
    /* a^T [3, 2] times b^T [2, 3], times 2 */
    static const float want[] = {2, 12, 10, 4, 18, 14, 6, 24, 18};
    run_graph r = run_open();
    const int32_t x = run_input(&r, ENG_F32, 2, (int64_t[]){2, 3}, a, sizeof(a));
    const int32_t w = run_input(&r, ENG_F32, 2, (int64_t[]){3, 2}, b, sizeof(b));
    ir_node *n = run_node(&r, IR_BATCH_MATMUL, (int32_t[]){x, w}, 2, ENG_F32);
    n->attr.matmul.adj_x = n->attr.matmul.adj_y = true;
    n->attr.matmul.alpha = 2;
    run_expect_floats(&r, want, 9, 0);
    run_close(&r);
}

static void matmul_of_vectors_is_a_scalar(void **state)
{
    (void)state;
    static const int64_t a[] = {1, 2, 3}, b[] = {4, 5, 6}, want = 32;
    run_graph r = run_open();
    const int32_t x = run_input(&r, ENG_I64, 1, (int64_t[]){3}, a, sizeof(a));
    const int32_t w = run_input(&r, ENG_I64, 1, (int64_t[]){3}, b, sizeof(b));
    run_node(&r, IR_BATCH_MATMUL, (int32_t[]){x, w}, 2, ENG_I64)->attr.matmul.alpha = 1;
    run_expect_bytes(&r, &want, sizeof(want));
    run_close(&r);
}

static void matmul_integer_takes_zero_points_off(void **state)
{
    (void)state;
    static const uint8_t a[] = {1, 2, 3, 4}, za[] = {1, 2}, zb = 1;
    static const uint8_t b[] = {2, 3, 4, 5};
    static const int32_t want[] = {3, 4, 7, 10}; /* {0, 1; 1, 2} x {1, 2; 3, 4} */
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_U8, 2, (int64_t[]){2, 2}, a, sizeof(a)),
                          run_input(&r, ENG_U8, 2, (int64_t[]){2, 2}, b, sizeof(b)),
                          run_input(&r, ENG_U8, 1, (int64_t[]){2}, za, sizeof(za)),
                          run_input(&r, ENG_U8, 0, NULL, &zb, sizeof(zb))};
    run_node(&r, IR_MATMUL_INTEGER, in, 4, ENG_I32);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

static void matmul_of_wrong_sizes_is_refused(void **state)
{
    (void)state;
    static const float a[6] = {0};
    run_graph r = run_open();
    const int32_t x = run_input(&r, ENG_F32, 2, (int64_t[]){2, 3}, a, sizeof(a));
    const int32_t w = run_input(&r, ENG_F32, 2, (int64_t[]){2, 3}, a, sizeof(a));
    run_node(&r, IR_BATCH_MATMUL, (int32_t[]){x, w}, 2, ENG_F32);
    run_expect_status(&r, NF_EFORMAT);
    run_close(&r);
}

/* One channel, three pixels in each of three axes, a filter of ones with two taps an axis. */
static void conv_nd_adds_a_cube(void **state)
{
    (void)state;
    static const float ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    float x[27], want[8];
    for (int i = 0; i < 27; i++)
        x[i] = (float)i;
    for (int i = 0; i < 8;
         i++) /* the mean of a cube is its middle: first pixel + (1 + 3 + 9) / 2 */
        want[i] = 8 * ((float)(i / 4 * 9 + i / 2 % 2 * 3 + i % 2) + 6.5f);
    run_graph r = run_open();
    const int32_t in[] = {
        run_input(&r, ENG_F32, 5, (int64_t[]){1, 3, 3, 3, 1}, x, sizeof(x)),
        run_input(&r, ENG_F32, 5, (int64_t[]){1, 2, 2, 2, 1}, ones, sizeof(ones))};
    run_node(&r, IR_CONV_ND, in, 2, ENG_F32)->attr.nd =
        (ir_nd){.n = 3, .groups = 1, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    run_expect_floats(&r, want, 8, 0);
    run_close(&r);
}

/* Weights that are an input: the same result as those that are packed. */
static void conv_takes_computed_weights(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4}, w[] = {2, 1}, bias[] = {0.5f},
                       want[] = {4.5f, 7.5f, 10.5f};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 4, (int64_t[]){1, 1, 4, 1}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 4, (int64_t[]){1, 1, 2, 1}, w, sizeof(w)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){1}, bias, sizeof(bias))};
    run_node(&r, IR_CONV_2D, in, 3, ENG_F32)->attr.window = (ir_window){.pad = IR_PAD_VALID,
                                                                        .groups = 1,
                                                                        .stride_h = 1,
                                                                        .stride_w = 1,
                                                                        .dilation_h = 1,
                                                                        .dilation_w = 1,
                                                                        .clamp = ir_no_clamp()};
    run_expect_floats(&r, want, 3, 0);
    run_close(&r);
}

/* Pixels below each other, three taps, one row of padding at either end, every second result. */
static void windows_go_down_a_column(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 2, 3}, want[] = {8, 20, 32};
    static const ir_op ops[] = {IR_CONV_2D, IR_DEPTHWISE_CONV_2D};
    for (size_t i = 0; i < NF_COUNT(ops); i++) {
        run_graph r = run_open();
        const int32_t weights = make_tensor(r.g, "w", ENG_F32, 4, (int64_t[]){1, 3, 1, 1});
        make_data(r.g, weights, w, sizeof(w));
        const int32_t in[] = {run_input(&r, ENG_F32, 4, (int64_t[]){1, 6, 1, 1}, x, sizeof(x)),
                              weights};
        run_node(&r, ops[i], in, 2, ENG_F32)->attr.window = (ir_window){.top = 1,
                                                                        .bottom = 1,
                                                                        .groups = 1,
                                                                        .stride_h = 2,
                                                                        .stride_w = 1,
                                                                        .dilation_h = 1,
                                                                        .dilation_w = 1,
                                                                        .clamp = ir_no_clamp()};
        run_expect_floats(&r, want, 3, 0);
        run_close(&r);
    }
}

/* Only the bias is an input: the weights, which nothing packs then, stay. */
static void dense_takes_a_computed_bias(void **state)
{
    (void)state;
    static const float x[] = {1, 2}, w[] = {1, 1, 0, 2, -1, 0}, bias[] = {1, 2, 3};
    static const float want[] = {4, 6, 2};
    run_graph r = run_open();
    const int32_t weights = make_tensor(r.g, "w", ENG_F32, 2, (int64_t[]){3, 2});
    make_data(r.g, weights, w, sizeof(w));
    const int32_t in[] = {run_input(&r, ENG_F32, 2, (int64_t[]){1, 2}, x, sizeof(x)), weights,
                          run_input(&r, ENG_F32, 1, (int64_t[]){3}, bias, sizeof(bias))};
    ir_node *n = run_node(&r, IR_FULLY_CONNECTED, in, 3, ENG_F32);
    n->attr.dense.clamp = ir_no_clamp();
    n->attr.dense.keep_dims = true;
    run_expect_floats(&r, want, 3, 0);
    run_close(&r);
}

static void dense_takes_computed_weights(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4}, w[] = {1, 1, 0, 2, -1, 0};
    static const float want[] = {3, 4, 0, 7, 8, 0};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 2, (int64_t[]){2, 2}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 2, (int64_t[]){3, 2}, w, sizeof(w))};
    ir_node *n = run_node(&r, IR_FULLY_CONNECTED, in, 2, ENG_F32);
    n->attr.dense.clamp = (ir_clamp){0, INFINITY};
    n->attr.dense.keep_dims = true;
    run_expect_floats(&r, want, 6, 0);
    run_close(&r);
}

static void transpose_conv_overlaps(void **state)
{
    (void)state;
    /* two pixels, stride 2, three taps 1 2 3: they meet in the middle */
    static const float x[] = {1, 10}, w[] = {1, 2, 3}, want[] = {1, 2, 13, 20, 30};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 4, (int64_t[]){1, 1, 2, 1}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 4, (int64_t[]){1, 1, 3, 1}, w, sizeof(w))};
    run_node(&r, IR_TRANSPOSE_CONV, in, 2, ENG_F32)->attr.nd =
        (ir_nd){.n = 2, .groups = 1, .stride = {1, 2}, .dilation = {1, 1}};
    run_expect_floats(&r, want, 5, 0);
    run_close(&r);
}

/* Two filters stand over each of three channels. */
static void depthwise_has_several_filters_a_channel(void **state)
{
    float x[2 * 4 * 4 * 3], w[3 * 3 * 6], want[2 * 2 * 2 * 6];
    uint64_t seed = 5;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(x); i++)
        x[i] = test_uniform(&seed, -1, 1);
    for (size_t i = 0; i < NF_COUNT(w); i++)
        w[i] = test_uniform(&seed, -1, 1);
    for (size_t i = 0; i < NF_COUNT(want); i++) {
        const size_t c = i % 6, pixel = i / 6, image = pixel / 4 * 4 + pixel / 2 % 2;
        want[i] = 0;
        for (size_t t = 0; t < 9; t++)
            want[i] += x[((image + t / 3) * 4 + pixel % 2 + t % 3) * 3 + c / 2] * w[t * 6 + c];
    }
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 4, (int64_t[]){2, 4, 4, 3}, x, sizeof(x)),
                          make_tensor(r.g, "w", ENG_F32, 4, (int64_t[]){1, 3, 3, 6})};
    make_data(r.g, in[1], w, sizeof(w));
    run_node(&r, IR_DEPTHWISE_CONV_2D, in, 2, ENG_F32)->attr.window =
        (ir_window){.pad = IR_PAD_VALID,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .groups = 1,
                    .clamp = ir_no_clamp()};
    run_expect_floats(&r, want, NF_COUNT(want), 1e-5f);
    run_close(&r);
}

static void max_pool_tells_places(void **state)
{
    (void)state;
    static const float x[] = {1, 7, 5, 2, 8, 3, 4, 6}; /* [1, 2, 2, 2]: channels 1 5 8 4, 7 2 3 6 */
    static const float want[] = {8, 7};
    static const int64_t places[] = {2, 4}; /* in [c, h, w] */
    run_graph r = run_open();
    nf_error err = {0};
    const int32_t in = run_input(&r, ENG_F32, 4, (int64_t[]){1, 2, 2, 2}, x, sizeof(x));
    const eng_dtype types[] = {ENG_F32, ENG_I64};
    run_node_types(&r, IR_POOL_ND, &in, 1, types, 2)->attr.nd =
        (ir_nd){.n = 2, .groups = 1, .stride = {1, 1}, .dilation = {1, 1}, .kernel = {2, 2}};
    run_expect_floats(&r, want, 2, 0);
    assert_ok(run_once(&r, &err), &err);
    assert_memory_equal(run_result(&r, 1).data, places, sizeof(places));
    run_close(&r);
}

/* Rounded up, the last window ends behind the padding: what is not there does not count. */
static void mean_pool_counts_padding_but_not_more(void **state)
{
    (void)state;
    static const float x[] = {2, 4, 6, 8}, want[] = {1, 5, 8};
    run_graph r = run_open();
    const int32_t in = run_input(&r, ENG_F32, 3, (int64_t[]){1, 4, 1}, x, sizeof(x));
    run_node(&r, IR_POOL_ND, &in, 1, ENG_F32)->attr.nd = (ir_nd){.n = 1,
                                                                 .groups = 1,
                                                                 .stride = {2},
                                                                 .dilation = {1},
                                                                 .kernel = {2},
                                                                 .before = {1},
                                                                 .kind = IR_POOL_MEAN,
                                                                 .count_pad = true,
                                                                 .ceil = true};
    run_expect_floats(&r, want, 3, 0);
    run_close(&r);
}

static ir_node *unpool(run_graph *r, const float *x, const int64_t *at)
{
    const int32_t in[] = {run_input(r, ENG_F32, 3, (int64_t[]){1, 1, 2}, x, 2 * sizeof(*x)),
                          run_input(r, ENG_I64, 3, (int64_t[]){1, 1, 2}, at, 2 * sizeof(*at))};
    ir_node *n = run_node(r, IR_MAX_UNPOOL, in, 2, ENG_F32);
    n->attr.nd = (ir_nd){.n = 1, .groups = 1, .stride = {2}, .dilation = {1}, .kernel = {2}};
    return n;
}

static void unpool_puts_back(void **state)
{
    (void)state;
    static const float x[] = {5, 6}, want[] = {0, 5, 6, 0};
    static const int64_t at[] = {1, 2};
    run_graph r = run_open();
    unpool(&r, x, at);
    run_expect_floats(&r, want, 4, 0);
    run_close(&r);
}

static void unpool_to_nowhere_is_refused(void **state)
{
    (void)state;
    static const float x[] = {5, 6};
    static const int64_t at[] = {1, 4};
    run_graph r = run_open();
    unpool(&r, x, at);
    run_expect_status(&r, NF_EINVAL);
    run_close(&r);
}

static void layer_norm_gives_mean_and_deviation(void **state)
{
    (void)state;
    static const float x[] = {1, 3, 10, 30}, scale[] = {2, 1}, bias[] = {0.5f, 0};
    static const float want[] = {-1.5f, 1, -1.5f, 1}, mean[] = {2, 20}, inverse[] = {1, 0.1f};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 2, (int64_t[]){2, 2}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){2}, scale, sizeof(scale)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){2}, bias, sizeof(bias))};
    const eng_dtype types[] = {ENG_F32, ENG_F32, ENG_F32};
    run_node_types(&r, IR_LAYER_NORM, in, 3, types, 3)->attr.norm.axis = 1;
    run_expect_floats(&r, want, 4, 1e-6f);
    run_expect_result(&r, 1, mean, 2, 0);
    run_expect_result(&r, 2, inverse, 2, 1e-6f);
    run_close(&r);
}

static void group_norm_takes_groups_apart(void **state)
{
    (void)state;
    static const float x[] = {1, 3, 10, 30}, ones[] = {1, 1, 1, 2}, zeros[4] = {0};
    static const float want[] = {-1, 1, -1, 2};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 3, (int64_t[]){1, 4, 1}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){4}, ones, sizeof(ones)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){4}, zeros, sizeof(zeros))};
    run_node(&r, IR_GROUP_NORM, in, 3, ENG_F32)->attr.norm.groups = 2;
    run_expect_floats(&r, want, 4, 1e-6f);
    run_close(&r);
}

static void lp_norm_of_nothing_is_nothing(void **state)
{
    (void)state;
    static const float x[] = {3, 0, 4, 0}, want[] = {0.6f, 0, 0.8f, 0};
    run_graph r = run_open();
    const int32_t in = run_input(&r, ENG_F32, 2, (int64_t[]){2, 2}, x, sizeof(x));
    run_node(&r, IR_LP_NORM, &in, 1, ENG_F32)->attr.norm = (ir_norm){.axis = 0, .p = 2};
    run_expect_floats(&r, want, 4, 1e-6f);
    run_close(&r);
}

/* The picture 1 5 along one axis, to `want` of `out` pixels. */
static void expect_resize(ir_resize attr, int64_t out, const float *want)
{
    static const float x[] = {1, 5};
    run_graph r = run_open();
    const int32_t size = make_tensor(r.g, "size", ENG_I64, 1, (int64_t[]){1});
    const int32_t in[] = {run_input(&r, ENG_F32, 2, (int64_t[]){1, 2}, x, sizeof(x)), IR_NONE,
                          IR_NONE, size};
    make_data(r.g, size, &out, sizeof(out));
    attr.n_axes = 1;
    attr.axes[0] = 1;
    run_node(&r, IR_RESIZE, in, 4, ENG_F32)->attr.resize = attr;
    run_expect_floats(&r, want, (size_t)out, 1e-6f);
    run_close(&r);
}

static void resize_follows_its_places(void **state)
{
    (void)state;
    static const float half[] = {1, 2, 4, 5}, corners[] = {1, 3, 5}, whole[] = {1, 3, 5, 5};
    static const float nearest[] = {1, 1, 5, 5};
    expect_resize((ir_resize){.mode = IR_LINEAR}, 4, half);
    expect_resize((ir_resize){.mode = IR_LINEAR, .place = IR_PLACE_ALIGN_CORNERS}, 3, corners);
    expect_resize((ir_resize){.mode = IR_LINEAR, .place = IR_PLACE_ASYMMETRIC}, 4, whole);
    expect_resize((ir_resize){.mode = IR_NEAREST}, 4, nearest);
}

static void quantize_takes_scales_of_an_axis(void **state)
{
    (void)state;
    static const float x[] = {1, 2, -1000, NAN}, scale[] = {0.5f, 2};
    static const int8_t zero[] = {1, -1}, want[] = {3, 0, -128, -1};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 2, (int64_t[]){2, 2}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){2}, scale, sizeof(scale)),
                          run_input(&r, ENG_I8, 1, (int64_t[]){2}, zero, sizeof(zero))};
    run_node(&r, IR_QUANTIZE_LINEAR, in, 3, ENG_I8)->attr.linear.axis = 1;
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

static void dequantize_takes_scales_of_blocks(void **state)
{
    (void)state;
    static const uint8_t x[] = {1, 2, 3};
    static const float scale[] = {10, 100}, want[] = {10, 20, 300};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_U8, 2, (int64_t[]){1, 3}, x, sizeof(x)),
                          run_input(&r, ENG_F32, 2, (int64_t[]){1, 2}, scale, sizeof(scale))};
    ir_node *n = run_node(&r, IR_DEQUANTIZE_LINEAR, in, 2, ENG_F32);
    n->attr.linear.axis = 1;
    n->attr.linear.block = 2;
    run_expect_floats(&r, want, 3, 0);
    run_close(&r);
}

static void dynamic_quantize_finds_the_range(void **state)
{
    (void)state;
    static const float x[] = {-1, 0, 254}, scale = 1;
    static const uint8_t want[] = {0, 1, 255};
    const eng_dtype types[] = {ENG_U8, ENG_F32, ENG_U8};
    run_graph r = run_open();
    const int32_t in = run_input(&r, ENG_F32, 1, (int64_t[]){3}, x, sizeof(x));
    run_node_types(&r, IR_DYNAMIC_QUANTIZE, &in, 1, types, 3);
    run_expect_bytes(&r, want, sizeof(want));
    run_expect_result(&r, 1, &scale, 1, 0);
    assert_int_equal(*(const uint8_t *)run_result(&r, 2).data, 1);
    run_close(&r);
}

/* One head, two steps: row 0 looks at itself only, row 1 at both alike. */
static void attention_looks_back_only(void **state)
{
    (void)state;
    static const float q[] = {0, 0}, v[] = {2, 6}, want[] = {2, 4};
    static const int64_t dim[] = {1, 1, 2, 1};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 4, dim, q, sizeof(q)),
                          run_input(&r, ENG_F32, 4, dim, v, sizeof(v)),
                          run_input(&r, ENG_F32, 4, dim, v, sizeof(v))};
    run_node(&r, IR_ATTENTION, in, 3, ENG_F32)->attr.attention.causal = true;
    run_expect_floats(&r, want, 2, 1e-6f);
    run_close(&r);
}

static void attention_of_nothing_is_nothing(void **state)
{
    (void)state;
    static const float q[] = {1}, want[] = {0};
    static const uint8_t mask[] = {0};
    static const int64_t dim[] = {1, 1, 1, 1};
    run_graph r = run_open();
    const int32_t x = run_input(&r, ENG_F32, 4, dim, q, sizeof(q));
    const int32_t m = run_input(&r, ENG_BOOL, 2, dim, mask, sizeof(mask));
    run_node(&r, IR_ATTENTION, (int32_t[]){x, x, x, m}, 4, ENG_F32);
    run_expect_floats(&r, want, 1, 0);
    run_close(&r);
}

/* Two boxes that are nearly the same and one apart: the better of the two, and that one. */
static void nms_drops_what_overlaps(void **state)
{
    (void)state;
    static const float boxes[] = {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 5, 1, 6};
    static const float scores[] = {0.5f, 0.9f, 0.7f}, iou = 0.5f;
    static const int64_t most = 3, want[] = {0, 0, 1, 0, 0, 2};
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 3, (int64_t[]){1, 3, 4}, boxes, sizeof(boxes)),
                          run_input(&r, ENG_F32, 3, (int64_t[]){1, 1, 3}, scores, sizeof(scores)),
                          run_input(&r, ENG_I64, 0, NULL, &most, sizeof(most)),
                          run_input(&r, ENG_F32, 0, NULL, &iou, sizeof(iou))};
    run_node(&r, IR_NON_MAX_SUPPRESSION, in, 4, ENG_I64);
    run_expect_bytes(&r, want, sizeof(want));
    run_close(&r);
}

/* |x|, -|x| and their product one after the other: results lie where operands lay, unless these are
 * read again or belong to the caller. */
static void results_take_the_place_of_dead_operands(void **state)
{
    float x[32], kept[32], want[32];
    (void)state;
    for (int i = 0; i < 32; i++) {
        x[i] = kept[i] = (float)(i - 7);
        want[i] = x[i] * x[i];
    }
    run_graph r = run_open();
    const int32_t in = run_input(&r, ENG_F32, 2, (int64_t[]){2, 16}, x, sizeof(x));
    run_node(&r, IR_ABS, &in, 1, ENG_F32);
    int32_t sides[2] = {0, r.outputs[0]};
    run_node(&r, IR_NEG, &sides[1], 1, ENG_F32);
    sides[0] = r.outputs[0];
    run_node(&r, IR_PRELU, sides, 2, ENG_F32);
    const int32_t product = r.outputs[0];
    run_node(&r, IR_NEG, &product, 1, ENG_F32);
    run_expect_floats(&r, want, 32, 0);
    run_expect_floats(&r, want, 32, 0);
    assert_memory_equal(x, kept, sizeof(x));
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_take_the_place_of_dead_operands),
        cmocka_unit_test(depthwise_has_several_filters_a_channel),
        cmocka_unit_test(matmul_multiplies_stacks),
        cmocka_unit_test(matmul_swaps_either_side),
        cmocka_unit_test(matmul_of_vectors_is_a_scalar),
        cmocka_unit_test(matmul_integer_takes_zero_points_off),
        cmocka_unit_test(matmul_of_wrong_sizes_is_refused),
        cmocka_unit_test(conv_nd_adds_a_cube),
        cmocka_unit_test(conv_takes_computed_weights),
        cmocka_unit_test(windows_go_down_a_column),
        cmocka_unit_test(dense_takes_computed_weights),
        cmocka_unit_test(dense_takes_a_computed_bias),
        cmocka_unit_test(transpose_conv_overlaps),
        cmocka_unit_test(max_pool_tells_places),
        cmocka_unit_test(mean_pool_counts_padding_but_not_more),
        cmocka_unit_test(unpool_puts_back),
        cmocka_unit_test(unpool_to_nowhere_is_refused),
        cmocka_unit_test(layer_norm_gives_mean_and_deviation),
        cmocka_unit_test(group_norm_takes_groups_apart),
        cmocka_unit_test(lp_norm_of_nothing_is_nothing),
        cmocka_unit_test(resize_follows_its_places),
        cmocka_unit_test(quantize_takes_scales_of_an_axis),
        cmocka_unit_test(dequantize_takes_scales_of_blocks),
        cmocka_unit_test(dynamic_quantize_finds_the_range),
        cmocka_unit_test(attention_looks_back_only),
        cmocka_unit_test(nms_drops_what_overlaps),
        cmocka_unit_test(attention_of_nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
