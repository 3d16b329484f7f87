/* test_krn_ops.c - the plain kernels against the formulas they stand for, in double; OpenBLAS
 * against plain C. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_f32.h"
#include "engine/kernels/krn_qs8_real.h"
#include "engine/kernels/krn_quant.h"
#include "engine/kernels/krn_window.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void factor_is_the_real_number(void **state)
{
    static const double reals[] = {1e-9, 0.0003, 0.25, 0.5, 0.999999, 1.0, 3.7, 120.0};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(reals); i++) {
        const krn_factor f = krn_factor_of(reals[i]);
        const double back = ldexp((double)f.m, f.shift - 31);
        assert_true(fabs(back - reals[i]) <= reals[i] * 1e-9);
        assert_true(f.m >= 1 << 30);
    }
    assert_int_equal(krn_factor_of(0).m, 0);
    assert_int_equal(krn_factor_of(-1).m, 0);
}

/* Both roundings of an integer scale stay within one of the exact result. */
static void scale_int_is_near(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        const int32_t x = (int32_t)(test_random(&seed) % 2000001) - 1000000;
        const double real = (double)test_uniform(&seed, 1e-4f, 2.0f);
        const double want = x * real;
        assert_true(fabs(krn_scale_int(x, krn_factor_of(real)) - want) <= 1.0);
    }
}

static void exponential_is_near(void **state)
{
    (void)state;
    for (int32_t x = 0; x > -(20 << 26); x -= 98765) {
        const double got = krn_exp_q5_26(x) / 2147483648.0;
        assert_true(fabs(got - exp(x / 67108864.0)) < 1e-6);
    }
}

static void softmax_q8_is_near_softmax(void **state)
{
    uint64_t seed = 5;
    (void)state;
    for (int round = KRN_ROUND_FLOAT; round <= KRN_ROUND_FIXED; round++) {
        krn_qs8_softmax p = {.round = (krn_round)round, .out_scale = 1.0f / 256, .out_zero = -128};
        uint8_t x[10], y[10];
        krn_qs8_softmax_init(&p, 0.1f, 1.0f);
        for (int t = 0; t < 500; t++) {
            double sum = 0;
            for (int i = 0; i < 10; i++)
                sum += exp((int8_t)(x[i] = (uint8_t)test_random(&seed)) * 0.1);
            krn_qs8_softmax_ref(y, x, 1, 10, &p);
            for (int i = 0; i < 10; i++) {
                const double want = exp((int8_t)x[i] * 0.1) / sum;
                const double exact = fmin(want * 256 - 128, 127);
                assert_true(fabs((int8_t)y[i] - exact) <= 1.0);
            }
        }
    }
}

static void binary_q8_is_near_real(void **state)
{
    uint64_t seed = 9;
    const float sa = 0.05f, sb = 0.03f, sy = 0.1f;
    (void)state;
    for (int round = KRN_ROUND_FLOAT; round <= KRN_ROUND_FIXED; round++) {
        const krn_q_binary p = {.way = KRN_Q2_MUL,
                                .type = KRN_I8,
                                .to = KRN_I8,
                                .zero_a = 3,
                                .zero_b = -7,
                                .zero = 1,
                                .low = -128,
                                .high = 127,
                                .real = round == KRN_ROUND_FLOAT,
                                .real_a = sa * sb / sy,
                                .factor = krn_factor_of((double)(sa * sb / sy))};
        for (int t = 0; t < 2000; t++) {
            const uint8_t a = (uint8_t)test_random(&seed), b = (uint8_t)test_random(&seed);
            uint8_t y;
            krn_q_binary_ref(&y, &a, 1, &b, 1, 1, &p);
            const double real = ((int8_t)a - 3) * 0.05 * (((int8_t)b + 7) * 0.03);
            const double want = fmax(-128, fmin(127, real / 0.1 + 1));
            assert_true(fabs((int8_t)y - want) <= 0.51);
        }
    }
}

/* Sums of two real numbers, at equal and at far scales, within the rounding of both. */
static void add_q8_is_near_real(void **state)
{
    static const float scales[][3] = {{0.05f, 0.05f, 0.1f}, {0.05f, 0.003f, 0.06f}, {2, 0.5f, 3}};
    uint64_t seed = 21;
    (void)state;
    for (size_t k = 0; k < NF_COUNT(scales); k++) {
        const float sa = scales[k][0], sb = scales[k][1], sy = scales[k][2];
        const double twice = 2.0 * (double)sa; /* sa is the larger one */
        krn_qs8_binary p = {.zero_a = 3,
                            .zero_b = -7,
                            .zero = 1,
                            .low = -100,
                            .high = 90,
                            .factor_a = krn_factor_of((double)sa / twice),
                            .factor_b = krn_factor_of((double)sb / twice),
                            .factor = krn_factor_of(twice / ((double)(1 << 20) * (double)sy)),
                            .shift = 20,
                            .mul_a = (int32_t)lrintf(ldexpf(sa / sy, 20)),
                            .mul_b = (int32_t)lrintf(ldexpf(sb / sy, 20))};
        for (int t = 0; t < 4000; t++) {
            const uint8_t a = (uint8_t)test_random(&seed), b = (uint8_t)test_random(&seed);
            uint8_t y;
            p.round = t & 1 ? KRN_ROUND_FLOAT : KRN_ROUND_FIXED;
            krn_qs8_add_ref(&y, &a, 1, &b, 0, 1, &p);
            const double sum = ((int8_t)a - 3) * (double)sa + ((int8_t)b + 7) * (double)sb;
            const double want = fmax(-100, fmin(90, sum / (double)sy + 1));
            assert_true(fabs((int8_t)y - want) <= 0.51);
        }
    }
}

/* A float gets back what it was to half a step, and 0 is exact in both forms. */
static void dynamic_quantization_keeps_the_row(void **state)
{
    uint64_t seed = 23;
    (void)state;
    for (int t = 0; t < 400; t++) {
        float x[9], scale;
        int16_t a[10];
        const bool symmetric = t % 3 == KRN_DYNAMIC_EVEN;
        for (int i = 0; i < 9; i++)
            x[i] = test_uniform(&seed, t % 3 ? -5.0f : 1.0f, 20.0f);
        x[4] = 0;
        krn_qs8_dynamic_ref(a, &scale, x, 9, 10, (krn_dynamic)(t % 3));
        for (int i = 0; i < 9; i++) /* the end may lie half a step beyond the nudged zero point */
            assert_true(fabsf((float)a[i] * scale - x[i]) <= scale * (symmetric ? 0.51f : 1.01f));
        assert_int_equal(a[4], 0);
        assert_int_equal(a[9], 0);
    }
}

static void hybrid_sums_become_real(void **state)
{
    const int32_t acc[] = {100, -7, 0};
    const float scale[] = {0.5f, 0.25f, 3}, bias[] = {1, -1, 2};
    float y[3];
    (void)state;
    krn_qs8_hybrid_ref(y, acc, scale, bias, 0.125f, 3);
    assert_true(y[0] == 7.25f && y[1] == -1.21875f && y[2] == 2);
}

/* Means round halves away from zero, maxima are of signed or unsigned values. */
static void pools_in_8_bits(void **state)
{
    const krn_window w = {.in_h = 1,
                          .in_w = 2,
                          .in_c = 2,
                          .out_h = 1,
                          .out_w = 1,
                          .out_c = 2,
                          .kernel_h = 1,
                          .kernel_w = 2,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1};
    const uint8_t x[] = {(uint8_t)-5, 3, (uint8_t)-6, 4}; /* two pixels of two channels */
    const krn_qs8_mean mean = {false, -128, 127}, unsigned_mean = {true, 0, 255};
    int32_t acc[2];
    uint8_t y[2];
    (void)state;
    krn_qs8_mean_pool_ref(y, x, &w, &mean, acc);
    assert_true((int8_t)y[0] == -6 && y[1] == 4);
    krn_qs8_mean_pool_ref(y, x, &w, &unsigned_mean, acc);
    assert_true(y[0] == 251 && y[1] == 4); /* (251 + 250) / 2 */
    krn_qs8_max_pool_ref(y, x, &w, false, -128, 3);
    assert_true((int8_t)y[0] == -5 && y[1] == 3);
}

/* The largest value of one window, tap by tap. */
static float most_of(const krn_window *w, const float *x, size_t p)
{
    float most = -INFINITY;
    for (size_t kh = 0; kh < w->kernel_h; kh++)
        for (size_t kw = 0; kw < w->kernel_w; kw++) {
            const ptrdiff_t h =
                (ptrdiff_t)(p / w->out_w * w->stride_h + kh * w->dilation_h) - w->top;
            const ptrdiff_t v =
                (ptrdiff_t)(p % w->out_w * w->stride_w + kw * w->dilation_w) - w->left;
            if (h < 0 || v < 0 || h >= (ptrdiff_t)w->in_h || v >= (ptrdiff_t)w->in_w) continue;
            most = fmaxf(most, x[h * (ptrdiff_t)w->in_w + v]);
        }
    return most;
}

/* Windows of all sizes, steps and paddings, many of them larger than the image. */
static void pools_see_every_tap_of_the_image(void **state)
{
    uint64_t seed = 31;
    (void)state;
    for (int t = 0; t < 3000; t++) {
        krn_window w = {.in_h = 1 + test_random(&seed) % 6,
                        .in_w = 1 + test_random(&seed) % 6,
                        .in_c = 1,
                        .out_h = 1 + test_random(&seed) % 4,
                        .out_w = 1 + test_random(&seed) % 4,
                        .out_c = 1,
                        .kernel_h = 1 + test_random(&seed) % 9,
                        .kernel_w = 1 + test_random(&seed) % 9,
                        .stride_h = 1 + test_random(&seed) % 3,
                        .stride_w = 1 + test_random(&seed) % 3,
                        .dilation_h = 1 + test_random(&seed) % 3,
                        .dilation_w = 1 + test_random(&seed) % 3,
                        .top = (ptrdiff_t)(test_random(&seed) % 5),
                        .left = (ptrdiff_t)(test_random(&seed) % 5)};
        float x[36], y[16];
        for (int i = 0; i < 36; i++)
            x[i] = test_uniform(&seed, -1, 1);
        krn_f32_max_pool_ref(y, x, &w, -INFINITY, INFINITY);
        for (size_t p = 0; p < w.out_h * w.out_w; p++)
            assert_true(y[p] == most_of(&w, x, p));
    }
}

static void quantize_ties_and_ends(void **state)
{
    const float x[] = {0.5f, 1.5f, -0.5f, -1.5f, 1e9f, -1e9f, NAN, INFINITY};
    uint8_t q[8];
    (void)state;
    const krn_qs8_steps to_even = krn_qs8_steps_to(1, 0, false, false);
    const krn_qs8_steps to_away = krn_qs8_steps_to(1, 0, false, true);
    krn_qs8_real_ref.bytes(q, x, 8, &to_even);
    const int8_t even[] = {0, 2, 0, -2, 127, -128, -128, 127};
    assert_memory_equal(q, even, 8);
    krn_qs8_real_ref.bytes(q, x, 8, &to_away);
    const int8_t away[] = {1, 2, -1, -2, 127, -128, -128, 127};
    assert_memory_equal(q, away, 8);
}

/* A hostile input may hold anything: no conversion may be undefined. */
static void dynamic_quantization_survives_non_finite(void **state)
{
    const float x[] = {NAN, INFINITY, -INFINITY, 1.0f, -3.0e38f};
    int16_t a[6];
    float scale;
    (void)state;
    krn_qs8_dynamic_ref(a, &scale, x, 5, 6, true);
    krn_qs8_dynamic_ref(a, &scale, x, 5, 6, false);
    for (int i = 0; i < 6; i++)
        assert_in_range(a[i] + 255, 0, 510);
}

static void blas_equals_plain(void **state)
{
    static const size_t shapes[][3] = {{1, 10, 64}, {7, 64, 33}, {64, 32, 288}, {125, 64, 64}};
    uint64_t seed = 11;
    (void)state;
    if (!krn_blas_open(NULL, krn_cpu_flags(0))) {
        print_message("not run: OpenBLAS is not installed\n");
        return;
    }
    for (size_t s = 0; s < NF_COUNT(shapes); s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        check_guard a = check_guard_make(m * k * 4), w = check_guard_make(k * n * 4);
        check_guard y = check_guard_make(m * n * 4), z = check_guard_make(m * n * 4);
        for (size_t i = 0; i < m * k; i++)
            ((float *)a.data)[i] = test_uniform(&seed, -1, 1);
        for (size_t i = 0; i < k * n; i++)
            ((float *)w.data)[i] = test_uniform(&seed, -1, 1);
        krn_f32_gemm_ref(y.data, a.data, w.data, m, n, k);
        krn_f32_gemm_blas(z.data, a.data, w.data, m, n, k);
        for (size_t i = 0; i < m * n; i++) /* |sum| <= k, each rounding 2^-24 of it */
            assert_true(fabsf(((float *)y.data)[i] - ((float *)z.data)[i]) <=
                        (float)k * (float)k * 6e-8f);
        check_guard_free(&a);
        check_guard_free(&w);
        check_guard_free(&y);
        check_guard_free(&z);
    }
}

/* Every window op at once: an image of ones, padded by one, kernel 3 x 3. */
static void padding_is_zero_for_sums_and_absent_for_pools(void **state)
{
    const krn_window w = {.in_h = 2,
                          .in_w = 2,
                          .in_c = 1,
                          .out_h = 2,
                          .out_w = 2,
                          .out_c = 1,
                          .kernel_h = 3,
                          .kernel_w = 3,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1,
                          .top = 1,
                          .left = 1};
    const float ones[4] = {1, 1, 1, 1}, f[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, bias = 0.5f;
    const krn_slice all = {0, 1, 0, 4};
    float y[4], gathered[36];
    (void)state;
    krn_f32_depthwise_ref(y, ones, f, &bias, &w, -INFINITY, INFINITY);
    assert_true(y[0] == 4.5f && y[3] == 4.5f);
    krn_f32_mean_pool_ref(y, ones, &w, false, -INFINITY, INFINITY);
    assert_true(y[0] == 1.0f);
    krn_f32_mean_pool_ref(y, ones, &w, true, -INFINITY, INFINITY);
    assert_true(fabsf(y[0] - 4.0f / 9) < 1e-6f);
    krn_f32_im2col_ref(gathered, ones, &w, &all);
    float sum = 0;
    for (int i = 0; i < 36; i++)
        sum += gathered[i];
    assert_true(sum == 16.0f && gathered[0] == 0 && gathered[4] == 1);
}

/* 8-bit depthwise against the sum in double; the tie-free scale leaves one right answer. */
static void depthwise_q8_equals_the_sum(void **state)
{
    enum { H = 4, W = 5, C = 6, TAPS = 9 };
    const krn_window w = {.in_h = H,
                          .in_w = W,
                          .in_c = C / 2,
                          .out_h = H,
                          .out_w = W,
                          .out_c = C,
                          .kernel_h = 3,
                          .kernel_w = 3,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1,
                          .top = 1,
                          .left = 1};
    uint64_t seed = 21;
    uint8_t x[H * W * C / 2], y[H * W * C];
    int8_t f[TAPS * C];
    int32_t acc[C], bias[C];
    float scale[C];
    (void)state;
    for (size_t i = 0; i < sizeof(x); i++)
        x[i] = (uint8_t)test_random(&seed);
    for (size_t i = 0; i < sizeof(f); i++)
        f[i] = (int8_t)test_random(&seed);
    for (int c = 0; c < C; c++) {
        bias[c] = (int32_t)(test_random(&seed) % 2001) - 1000;
        scale[c] = 0.0013f;
    }
    const krn_requant r = {.scale = scale, .bias = bias, .zero = 4, .low = -128, .high = 127};
    const krn_qs8_depthwise d = {f, -9, false, &r, krn_qs8_requant_ref};
    krn_qs8_depthwise_ref(y, x, &w, &d, acc);
    for (int h = 0; h < H; h++)
        for (int v = 0; v < W; v++)
            for (int c = 0; c < C; c++) {
                double sum = bias[c];
                for (int t = 0; t < TAPS; t++) {
                    const int ih = h + t / 3 - 1, iw = v + t % 3 - 1;
                    if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
                    sum += ((int8_t)x[(ih * W + iw) * C / 2 + c / 2] + 9.0) * f[t * C + c];
                }
                const double want = fmax(-128, fmin(127, sum * 0.0013 + 4));
                assert_true(fabs((int8_t)y[(h * W + v) * C + c] - want) <= 0.5001);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depthwise_q8_equals_the_sum),
        cmocka_unit_test(factor_is_the_real_number),
        cmocka_unit_test(scale_int_is_near),
        cmocka_unit_test(exponential_is_near),
        cmocka_unit_test(softmax_q8_is_near_softmax),
        cmocka_unit_test(binary_q8_is_near_real),
        cmocka_unit_test(add_q8_is_near_real),
        cmocka_unit_test(dynamic_quantization_keeps_the_row),
        cmocka_unit_test(hybrid_sums_become_real),
        cmocka_unit_test(pools_in_8_bits),
        cmocka_unit_test(pools_see_every_tap_of_the_image),
        cmocka_unit_test(quantize_ties_and_ends),
        cmocka_unit_test(dynamic_quantization_survives_non_finite),
        cmocka_unit_test(blas_equals_plain),
        cmocka_unit_test(padding_is_zero_for_sums_and_absent_for_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
