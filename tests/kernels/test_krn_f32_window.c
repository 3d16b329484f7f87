/* test_krn_f32_window.c - every version of float depthwise convolution, pooling and Winograd's
 * convolution against plain C, over windows of all kinds, in guarded memory; --bench times them.
 * Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_f32_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct image { /* an image, filters, and results */
    krn_window w;
    check_guard x, f, bias, want, got;
    size_t n_out;
} image;

static check_guard floats(size_t n, uint64_t *seed)
{
    check_guard g = check_guard_make(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g.data)[i] = test_uniform(seed, -1, 1);
    return g;
}

static image image_make(const krn_window *w, size_t n_filters, uint64_t *seed)
{
    image m = {.w = *w, .n_out = w->out_h * w->out_w * w->out_c};
    m.x = floats(w->in_h * w->in_w * w->in_c, seed);
    m.f = floats(n_filters, seed);
    m.bias = floats(w->out_c, seed);
    m.want = floats(m.n_out, seed);
    m.got = floats(m.n_out, seed);
    return m;
}

static void image_free(image *m)
{
    check_guard *const all[] = {&m->x, &m->f, &m->bias, &m->want, &m->got};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

/* Worst difference of two results. */
static double apart(const image *m)
{
    const float *want = m->want.data, *got = m->got.data;
    double worst = 0;
    for (size_t i = 0; i < m->n_out; i++) {
        const double d = fabs((double)want[i] - (double)got[i]);
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

static krn_window random_window(uint64_t *seed, bool pool)
{
    const size_t most = pool ? 5 : 4;
    const krn_window w = {.in_h = 1 + test_random(seed) % 9,
                          .in_w = 1 + test_random(seed) % 20,
                          .in_c = 1 + test_random(seed) % 75,
                          .kernel_h = 1 + test_random(seed) % most,
                          .kernel_w = 1 + test_random(seed) % most,
                          .stride_h = 1 + test_random(seed) % 2,
                          .stride_w = 1 + test_random(seed) % 3,
                          .dilation_h = 1 + test_random(seed) % 2,
                          .dilation_w = 1 + test_random(seed) % 2,
                          .top = (ptrdiff_t)(test_random(seed) % 3),
                          .left = (ptrdiff_t)(test_random(seed) % 3),
                          .out_h = 1 + test_random(seed) % 8,
                          .out_w = 1 + test_random(seed) % 19};
    return w;
}

/* Sums of up to 16 products below 1 in another order. */
static void depthwise_equals_ref(const krn_window *w, uint64_t *seed)
{
    image m = image_make(w, w->kernel_h * w->kernel_w * w->out_c, seed);
    krn_f32_depthwise_ref(m.want.data, m.x.data, m.f.data, m.bias.data, w, -1, 1.5f);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_f32 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_f32_init(&k, check_tiers[t].bits);
        memset(m.got.data, 0xff, m.n_out * sizeof(float));
        k.depthwise(m.got.data, m.x.data, m.f.data, m.bias.data, w, -1, 1.5f);
        if (!(apart(&m) <= 4e-6))
            fail_msg("%s: %zu x %zu x %zu to %zu x %zu, kernel %zu x %zu, stride %zu: %g",
                     k.depthwise_name, w->in_h, w->in_w, w->in_c, w->out_h, w->out_w, w->kernel_h,
                     w->kernel_w, w->stride_w, apart(&m));
    }
    image_free(&m);
}

static void every_depthwise_window(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (int i = 0; i < 1500; i++) {
        krn_window w = random_window(&seed, false);
        w.out_c = w.in_c * (i % 9 == 0 ? 3 : 1);
        depthwise_equals_ref(&w, &seed);
    }
}

/* The 3 x 3 windows that have kernels of their own: all widths, both strides, SAME and VALID. */
static void every_depthwise_3x3(void **state)
{
    uint64_t seed = 2;
    (void)state;
    for (size_t stride = 1; stride <= 2; stride++)
        for (size_t width = 3; width <= 21; width++)
            for (ptrdiff_t pad = 0; pad <= 1; pad++)
                for (size_t c = 7; c <= 33; c += c == 7 ? 1 : 12) {
                    const size_t out = (width + 2 * (size_t)pad - 3) / stride + 1;
                    const krn_window w = {width, width,  c,      out, out, c,   3,
                                          3,     stride, stride, 1,   1,   pad, pad};
                    depthwise_equals_ref(&w, &seed);
                }
}

static void every_pool(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        krn_window w = random_window(&seed, true);
        w.out_c = w.in_c;
        image m = image_make(&w, 1, &seed);
        for (size_t t = 0; t < check_n_tiers; t++) {
            krn_f32 k;
            if (!check_can_run(&check_tiers[t])) continue;
            krn_f32_init(&k, check_tiers[t].bits);
            krn_f32_max_pool_ref(m.want.data, m.x.data, &w, -0.5f, 0.75f);
            k.max_pool(m.got.data, m.x.data, &w, -0.5f, 0.75f);
            assert_true(apart(&m) == 0);
            krn_f32_mean_pool_ref(m.want.data, m.x.data, &w, i & 1, -0.5f, 0.75f);
            k.mean_pool(m.got.data, m.x.data, &w, i & 1, -0.5f, 0.75f);
            assert_true(apart(&m) <= 2e-6);
        }
        image_free(&m);
    }
}

/* The convolution itself, in double. */
static void convolve(image *m)
{
    const krn_window *w = &m->w;
    float *y = m->want.data;
    for (size_t p = 0; p < w->out_h * w->out_w; p++)
        for (size_t n = 0; n < w->out_c; n++) {
            double sum = (double)((const float *)m->bias.data)[n];
            for (size_t i = 0; i < 9 * w->in_c; i++) {
                const size_t tap = i / w->in_c;
                const ptrdiff_t h = (ptrdiff_t)(p / w->out_w + tap / 3) - w->top;
                const ptrdiff_t v = (ptrdiff_t)(p % w->out_w + tap % 3) - w->left;
                if ((size_t)h >= w->in_h || (size_t)v >= w->in_w) continue;
                const size_t at = ((size_t)h * w->in_w + (size_t)v) * w->in_c + i % w->in_c;
                sum += (double)((const float *)m->x.data)[at] *
                       (double)((const float *)m->f.data)[n * 9 * w->in_c + i];
            }
            *y++ = (float)fmax(-1.5, fmin(1, sum));
        }
}

/* A whole convolution by tiles: transform, products in plain C, transform back. */
static void by_winograd(image *m, const krn_f32 *k, size_t side, size_t first, size_t count)
{
    const krn_window *w = &m->w;
    const size_t lanes = k->layout.lanes, positions = (side + 2) * (side + 2);
    const size_t in_row = (w->in_c + lanes - 1) / lanes * lanes;
    const size_t out_row = (w->out_c + lanes - 1) / lanes * lanes;
    const krn_tiles in = {side, first, count, in_row, count * in_row};
    const krn_tiles out = {side, first, count, out_row, count * out_row};
    check_guard v = check_guard_make(positions * in.apart * sizeof(float));
    check_guard sums = check_guard_make(positions * out.apart * sizeof(float));
    const krn_winograd_end end = {.bias = m->bias.data, .low = -1.5f, .high = 1};
    k->winograd_in(v.data, m->x.data, w, &in);
    for (size_t i = 0; i < w->out_c * w->in_c; i++) {
        float u[36];
        const size_t n = i / w->in_c, c = i % w->in_c;
        krn_f32_winograd_weights(u, (const float *)m->f.data + n * 9 * w->in_c + c, w->in_c, side);
        for (size_t p = 0; p < positions; p++)
            for (size_t t = 0; t < count; t++)
                ((float *)sums.data)[p * out.apart + t * out_row + n] +=
                    u[p] * ((const float *)v.data)[p * in.apart + t * in_row + c];
    }
    k->winograd_out(m->got.data, sums.data, w, &out, &end);
    check_guard_free(&v);
    check_guard_free(&sums);
}

static void winograd_is_the_convolution(void **state)
{
    uint64_t seed = 4;
    (void)state;
    for (int i = 0; i < 150; i++) {
        krn_window w = {.in_h = 3 + test_random(&seed) % 10,
                        .in_w = 3 + test_random(&seed) % 10,
                        .in_c = 1 + test_random(&seed) % 20,
                        .out_c = 1 + test_random(&seed) % 20,
                        .kernel_h = 3,
                        .kernel_w = 3,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1,
                        .top = i & 1,
                        .left = i >> 1 & 1};
        w.out_h = w.in_h - 2 + 2 * (size_t)w.top;
        w.out_w = w.in_w - 2 + 2 * (size_t)w.left;
        image m = image_make(&w, w.out_c * 9 * w.in_c, &seed);
        convolve(&m);
        for (size_t t = 0; t < check_n_tiers; t++)
            for (size_t side = 2; side <= 4 && check_can_run(&check_tiers[t]); side += 2) {
                const size_t all = ((w.out_h + side - 1) / side) * ((w.out_w + side - 1) / side);
                krn_f32 k;
                krn_f32_init(&k, check_tiers[t].bits);
                memset(m.got.data, 0xff, m.n_out * sizeof(float));
                by_winograd(&m, &k, side, 0, all / 2); /* in two groups of tiles */
                by_winograd(&m, &k, side, all / 2, all - all / 2);
                if (!(apart(&m) <= 3e-5)) /* sums of 180 products below 1; tiles of 4 cost digits */
                    fail_msg("%s: %zu x %zu x %zu to %zu: %g", k.winograd_name[side == 4], w.in_h,
                             w.in_w, w.in_c, w.out_c, apart(&m));
            }
        image_free(&m);
    }
}

typedef struct timed {
    image m;
    krn_f32 k;
} timed;

static void call_depthwise(void *user)
{
    timed *t = user;
    t->k.depthwise(t->m.got.data, t->m.x.data, t->m.f.data, t->m.bias.data, &t->m.w, 0, 6);
}

/* Depthwise layers of keyword spotting and person detection. */
static int bench(void)
{
    static const size_t shapes[][4] = {{25, 5, 64, 1},  {48, 48, 8, 1},  {48, 48, 16, 2},
                                       {24, 24, 32, 1}, {12, 12, 64, 1}, {6, 6, 128, 1}};
    uint64_t seed = 1;
    printf("%-26s %16s %8s %10s %9s\n", "kernel", "h x w x c", "stride", "us", "GFLOP/s");
    for (size_t i = 0; i < NF_COUNT(shapes); i++)
        for (size_t t = 0; t < check_n_tiers; t++) {
            const size_t h = shapes[i][0], v = shapes[i][1], c = shapes[i][2], s = shapes[i][3];
            const krn_window w = {h, v, c, (h + s - 1) / s, (v + s - 1) / s, c, 3, 3, s,
                                  s, 1, 1, s == 1,          s == 1};
            if (!check_can_run(&check_tiers[t])) continue;
            timed d = {.m = image_make(&w, 9 * c, &seed)};
            char text[48];
            krn_f32_init(&d.k, check_tiers[t].bits);
            const double us = check_time_us(call_depthwise, &d, 400);
            snprintf(text, sizeof(text), "%zu x %zu x %zu", h, v, c);
            printf("%-26s %16s %8zu %10.2f %9.1f\n", d.k.depthwise_name, text, s, us,
                   18 * (double)d.m.n_out / us / 1000);
            image_free(&d.m);
        }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_depthwise_window),
        cmocka_unit_test(every_depthwise_3x3),
        cmocka_unit_test(every_pool),
        cmocka_unit_test(winograd_is_the_convolution),
    };
    check_name_missing();
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return bench();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
