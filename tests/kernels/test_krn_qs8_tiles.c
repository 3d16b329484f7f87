/* test_krn_qs8_tiles.c - convolutions, matrix products and depthwise convolutions of every tier
 * equal their definition, exactly: random shapes and tails, all roundings, signed and unsigned,
 * extreme values, in guarded memory; --bench times them. Layer: tests. */
#include "tests/support/qs8case.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* Compares on every tier that the CPU has; `must`: each tier has to take it. */
static void compare(qs8_case *c, bool must, uint64_t seed)
{
    const krn_window *w = &c->w;
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        if (!k.tier) continue;
        const bool took = qs8_case_run(c, k.tier);
        if (must) assert_true(took);
        if (took && !qs8_case_sums(c, k.tier))
            fail_msg("%s%s sums: seed %llu", k.tier->name, c->depthwise ? " depthwise" : "",
                     (unsigned long long)seed);
        if (took &&
            memcmp(c->got.data, c->want.data, w->out_h * w->out_w * w->out_c * c->rows) != 0)
            fail_msg("%s%s: seed %llu: %zux%zux%zu kernel %zux%zu stride %zux%zu dilation %zux%zu "
                     "pad %td,%td groups %zu to %zux%zux%zu rows %zu round %d",
                     k.tier->name, c->depthwise ? " depthwise" : "", (unsigned long long)seed,
                     w->in_h, w->in_w, w->in_c, w->kernel_h, w->kernel_w, w->stride_h, w->stride_w,
                     w->dilation_h, w->dilation_w, w->top, w->left, c->groups, w->out_h, w->out_w,
                     w->out_c, c->rows, (int)c->requant.round);
    }
}

static size_t pick(uint64_t *seed, const size_t *from, size_t n)
{
    return from[test_random(seed) % n];
}

static krn_window a_window(uint64_t *seed, size_t in_c, size_t out_c)
{
    krn_window w = {.in_c = in_c, .out_c = out_c};
    do {
        w.in_h = 1 + test_random(seed) % 12;
        w.in_w = 1 + test_random(seed) % 12;
        w.kernel_h = 1 + test_random(seed) % 5;
        w.kernel_w = 1 + test_random(seed) % 5;
        w.stride_h = 1 + test_random(seed) % 3;
        w.stride_w = test_random(seed) % 2 ? w.stride_h : 1 + test_random(seed) % 2;
        w.dilation_h = test_random(seed) % 4 ? 1 : 2;
        w.dilation_w = test_random(seed) % 4 ? 1 : 2;
        w.top = (ptrdiff_t)(test_random(seed) % w.kernel_h);
        w.left = (ptrdiff_t)(test_random(seed) % w.kernel_w);
        qs8_case_size(&w);
    } while (w.out_h == 0 || w.out_w == 0);
    return w;
}

static void convolutions(void **state)
{
    static const size_t channels[] = {1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 32, 40, 48, 64, 70, 128};
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(700); seed++) {
        uint64_t s = seed;
        const size_t groups = test_random(&s) % 5 ? 1 : 1 + test_random(&s) % 3;
        const size_t in_c = groups * pick(&s, channels, 9);
        const size_t out_c = groups * pick(&s, channels, NF_COUNT(channels) / groups);
        const krn_window w = a_window(&s, in_c, out_c);
        const qs8_filling f = test_random(&s) % 3 ? QS8_RANDOM : QS8_FOURS;
        qs8_case c = qs8_case_make(&w, groups, false, seed, f);
        compare(&c, true, seed);
        qs8_case_free(&c);
    }
}

static void matrix_products(void **state)
{
    static const size_t inputs[] = {1, 2, 3, 4, 7, 8, 15, 16, 31, 33, 64, 100, 128, 129, 640};
    static const size_t outputs[] = {1, 2, 4, 8, 10, 12, 16, 20, 32, 33, 48, 64, 65, 100, 128, 160};
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(300); seed++) {
        uint64_t s = seed;
        krn_window w = {1, 1, pick(&s, inputs, NF_COUNT(inputs)), 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0};
        w.out_c = pick(&s, outputs, NF_COUNT(outputs));
        qs8_case_size(&w);
        const qs8_filling f = test_random(&s) % 3 ? QS8_RANDOM : QS8_FOURS;
        qs8_case c = qs8_case_make(&w, 1, false, seed, f);
        compare(&c, true, seed);
        qs8_case_free(&c);
    }
}

static void depthwise(void **state)
{
    static const size_t channels[] = {1,  2,  3,  4,  5,  6,  8,  12, 15, 16,
                                      17, 24, 32, 33, 48, 64, 72, 96, 128};
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(700); seed++) {
        uint64_t s = seed;
        const size_t c_n = pick(&s, channels, NF_COUNT(channels));
        krn_window w = a_window(&s, c_n, c_n);
        if (test_random(&s) % 2) w.kernel_h = w.kernel_w = 3; /* the usual ones more often */
        if (test_random(&s) % 3 == 0) w.stride_h = w.stride_w = w.dilation_h = w.dilation_w = 1;
        w.top = w.top < (ptrdiff_t)w.kernel_h ? w.top : 0;
        qs8_case_size(&w);
        if (w.out_h == 0 || w.out_w == 0) continue;
        qs8_case c = qs8_case_make(&w, 1, true, seed, QS8_RANDOM);
        compare(&c, true, seed);
        qs8_case_free(&c);
    }
}

/* Tall kernels over one column, as streaming nets have them: several strips, each made once. */
static void depthwise_of_many_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        krn_window w = {.in_h = 20 + seed, .in_w = 1 + seed % 3, .in_c = seed % 2 ? 64 : 24};
        w.out_c = w.in_c;
        w.kernel_h = 5 + seed % 13;
        w.kernel_w = w.stride_w = w.dilation_w = 1;
        w.stride_h = 1 + seed % 3;
        w.dilation_h = 1 + seed % 2;
        if ((w.kernel_h - 1) * w.dilation_h >= w.in_h) w.dilation_h = 1;
        qs8_case_size(&w);
        qs8_case c = qs8_case_make(&w, 1, true, seed, QS8_RANDOM);
        compare(&c, true, seed);
        qs8_case_free(&c);
    }
}

/* Signals over time: one row, whose taps a strip folds. */
static void depthwise_of_one_row(void **state)
{
    static const size_t channels[] = {1, 3, 4, 8, 16, 17, 40, 64, 128};
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(200); seed++) {
        uint64_t s = seed;
        krn_window w = {.in_h = 1, .in_w = 1 + test_random(&s) % 30, .kernel_h = 1, .stride_h = 1};
        w.in_c = w.out_c = pick(&s, channels, NF_COUNT(channels));
        w.kernel_w = 1 + test_random(&s) % 13;
        w.stride_w = 1 + test_random(&s) % 3;
        w.dilation_h = 1;
        w.dilation_w = 1 + test_random(&s) % 2;
        w.left = (ptrdiff_t)(test_random(&s) % w.kernel_w);
        qs8_case_size(&w);
        if (w.out_w == 0) continue;
        const qs8_filling f = test_random(&s) % 4 ? QS8_RANDOM : QS8_MIXED;
        qs8_case c = qs8_case_make(&w, 1, true, seed, f);
        compare(&c, f == QS8_RANDOM, seed);
        qs8_case_free(&c);
    }
}

static void extreme_values(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const qs8_filling f = (qs8_filling)(QS8_LOWEST + seed % 3);
        krn_window w = {5, 5, 64, 0, 0, 64, 3, 3, 1, 1, 1, 1, 1, 1};
        qs8_case_size(&w);
        qs8_case c = qs8_case_make(&w, 1, seed & 1, seed, f);
        compare(&c, false, seed);
        qs8_case_free(&c);
    }
}

/* A sum that could leave 32 bits is left to the plain kernels. */
static void too_large_is_refused(void **state)
{
    krn_window w = {1, 1, KRN_QS8_MAX_K - 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0};
    (void)state;
    qs8_case c = qs8_case_make(&w, 1, false, 1, QS8_LOWEST);
    ((int32_t *)c.bias.data)[0] = INT32_MAX;
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        if (k.tier) assert_false(qs8_case_run(&c, k.tier));
    }
    qs8_case_free(&c);
}

typedef struct timed {
    const qs8_case *c;
    krn_qs8_conv conv;
    krn_qs8_depth depth;
    void *scratch;
} timed;

static void call(void *user)
{
    const timed *t = user;
    if (t->c->depthwise)
        krn_qs8_depth_run(t->c->got.data, t->c->x.data, &t->depth, t->scratch);
    else
        krn_qs8_conv_run(t->c->got.data, t->c->x.data, &t->conv, t->c->w.out_h * t->c->w.out_w,
                         t->scratch);
}

/* Cycles of the time stamp counter, the least of many runs; 0 where there is none. */
static double cycles(timed *t)
{
    double least = 1e18;
#if defined(__x86_64__)
    for (int i = 0; i < 3000; i++) {
        const uint64_t start = __rdtsc();
        call(t);
        const double spent = (double)(__rdtsc() - start);
        least = spent < least ? spent : least;
    }
#else
    (void)t;
    least = 0;
#endif
    return least;
}

static void bench_one(const char *name, qs8_case *c, const krn_qs8_tier *tier)
{
    const krn_window *w = &c->w;
    const double macs = (double)(w->out_h * w->out_w * w->out_c * w->kernel_h * w->kernel_w) *
                        (double)(c->depthwise ? 1 : w->in_c);
    timed t = {.c = c};
    if (!qs8_case_run(c, tier)) return;
    const size_t bytes =
        (c->depthwise ? krn_qs8_depth_bytes : krn_qs8_conv_bytes)(tier, &c->source);
    check_guard memory = check_guard_make(bytes);
    if (c->depthwise)
        krn_qs8_depth_pack(&t.depth, tier, &c->source, memory.data);
    else
        krn_qs8_conv_pack(&t.conv, tier, &c->source, memory.data);
    check_guard scratch = check_guard_make(
        krn_round_up(c->depthwise ? krn_qs8_depth_scratch(&t.depth)
                                  : krn_qs8_conv_scratch(&t.conv, w->out_h * w->out_w),
                     64));
    t.scratch = scratch.data;
    const double us = check_time_us(call, &t, 3000), ticks = cycles(&t);
    static const char *const rounds[] = {"float", "fixed", "away"};
    printf("%-12s %-26s %-6s %9.2f us %8.1f GMAC/s %8.4f cycles/MAC\n", tier->name, name,
           rounds[c->requant.round], us, macs / us / 1000, ticks / macs);
    check_guard_free(&scratch);
    check_guard_free(&memory);
}

/* Layers of the nets that small devices are measured by. */
static int bench(void)
{
    static const struct {
        const char *name;
        bool depthwise;
        krn_window w; /* its output size is computed */
    } rows[] = {
        {"kws 10x4 s2, 1 to 64", false, {49, 10, 1, 0, 0, 64, 10, 4, 2, 2, 1, 1, 4, 1}},
        {"kws depthwise 25x5x64", true, {25, 5, 64, 0, 0, 64, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"kws 1x1, 64 to 64", false, {25, 5, 64, 0, 0, 64, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"vww 3x3 s2, 3 to 8", false, {96, 96, 3, 0, 0, 8, 3, 3, 2, 2, 1, 1, 0, 0}},
        {"vww depthwise 48x48x8", true, {48, 48, 8, 0, 0, 8, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"vww 1x1, 8 to 16", false, {48, 48, 8, 0, 0, 16, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"vww depthwise s2 48x48x16", true, {48, 48, 16, 0, 0, 16, 3, 3, 2, 2, 1, 1, 0, 0}},
        {"vww depthwise 24x24x32", true, {24, 24, 32, 0, 0, 32, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"vww 1x1, 32 to 32", false, {24, 24, 32, 0, 0, 32, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"vww depthwise 6x6x128", true, {6, 6, 128, 0, 0, 128, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"vww 1x1, 128 to 128", false, {6, 6, 128, 0, 0, 128, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"vww 1x1, 256 to 256", false, {3, 3, 256, 0, 0, 256, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"ic 3x3, 3 to 16", false, {32, 32, 3, 0, 0, 16, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"ic 3x3, 16 to 16", false, {32, 32, 16, 0, 0, 16, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"ic 3x3, 32 to 32", false, {16, 16, 32, 0, 0, 32, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"ic 3x3, 64 to 64", false, {8, 8, 64, 0, 0, 64, 3, 3, 1, 1, 1, 1, 1, 1}},
        {"ad dense, 640 to 128", false, {1, 1, 640, 0, 0, 128, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"ad dense, 128 to 128", false, {1, 1, 128, 0, 0, 128, 1, 1, 1, 1, 1, 1, 0, 0}},
        {"sww depthwise 5x1, 30x1x128", true, {30, 1, 128, 0, 0, 128, 5, 1, 1, 1, 1, 1, 0, 0}},
    };
    for (size_t i = 0; i < NF_COUNT(rows); i++)
        for (size_t t = 0; t < check_n_tiers; t++) {
            krn_qs8 k;
            krn_window w = rows[i].w;
            if (!check_can_run(&check_tiers[t])) continue;
            krn_qs8_init(&k, check_tiers[t].bits);
            if (!k.tier) continue;
            qs8_case_size(&w);
            qs8_case c = qs8_case_make(&w, 1, rows[i].depthwise, 1, QS8_RANDOM);
            for (size_t j = 0; j < w.out_c; j++) { /* as nets have them: few outputs are cut */
                ((float *)c.scale.data)[j] = 1.0f / 2000;
                ((krn_factor *)c.factor.data)[j] = krn_factor_of(1.0 / 2000);
            }
            for (int round = KRN_ROUND_FLOAT; round <= KRN_ROUND_FIXED; round++) {
                c.requant.round = (krn_round)round;
                c.requant.low = c.requant.zero = c.source.out_unsigned ? 0 : -128;
                bench_one(rows[i].name, &c, k.tier);
            }
            qs8_case_free(&c);
        }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(matrix_products),
        cmocka_unit_test(depthwise),
        cmocka_unit_test(depthwise_of_many_rows),
        cmocka_unit_test(depthwise_of_one_row),
        cmocka_unit_test(extreme_values),
        cmocka_unit_test(too_large_is_refused),
    };
    check_name_missing();
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return bench();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
