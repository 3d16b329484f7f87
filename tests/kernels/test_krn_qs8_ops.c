/* test_krn_qs8_ops.c - every version of 8-bit sums and pools equals the plain one, exactly, in
 * guarded memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_window.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void fill(check_guard *g, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)g->data)[i] = (uint8_t)test_random(seed);
}

/* Factors of a sum as the planner makes them. */
static krn_qs8_binary a_sum(uint64_t *seed)
{
    const float sa = test_uniform(seed, 0.01f, 0.1f), sb = test_uniform(seed, 0.01f, 0.1f);
    const float sy = test_uniform(seed, 0.02f, 0.2f), larger = sa > sb ? sa : sb;
    const bool is_unsigned = test_random(seed) & 1;
    const int32_t low = is_unsigned ? 0 : -128;
    krn_qs8_binary p = {.round = test_random(seed) & 1 ? KRN_ROUND_FIXED : KRN_ROUND_FLOAT,
                        .is_unsigned = is_unsigned,
                        .zero_a = low + (int32_t)(test_random(seed) % 256),
                        .zero_b = low + (int32_t)(test_random(seed) % 256),
                        .zero = low + (int32_t)(test_random(seed) % 256),
                        .low = low + (int32_t)(test_random(seed) % 20),
                        .high = low + 255 - (int32_t)(test_random(seed) % 20)};
    p.factor_a = krn_factor_of((double)sa / (2.0 * (double)larger));
    p.factor_b = krn_factor_of((double)sb / (2.0 * (double)larger));
    p.factor = krn_factor_of(2.0 * (double)larger / ((double)(1 << 20) * (double)sy));
    p.shift = 20 - ilogbf(larger / sy);
    p.mul_a = (int32_t)lrint(ldexp((double)(sa / sy), p.shift));
    p.mul_b = (int32_t)lrint(ldexp((double)(sb / sy), p.shift));
    return p;
}

static void compare_sum(const krn_qs8_binary *p, size_t n, uint64_t seed)
{
    check_guard a = check_guard_make(n), b = check_guard_make(n);
    check_guard want = check_guard_make(n), got = check_guard_make(n);
    fill(&a, n, &seed);
    fill(&b, n, &seed);
    krn_qs8_add_ref(want.data, a.data, 1, b.data, 1, n, p);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        if (!k.add) continue;
        memset(got.data, 0x5a, n);
        k.add(got.data, a.data, b.data, n, p);
        if (memcmp(got.data, want.data, n) != 0) fail_msg("%s: n %zu", k.add_name, n);
    }
    check_guard_free(&a);
    check_guard_free(&b);
    check_guard_free(&want);
    check_guard_free(&got);
}

/* Nearly every sum has a quick form; those that have none are refused, not wrong. */
static void sums(void **state)
{
    size_t proven = 0;
    krn_qs8 best;
    (void)state;
    krn_qs8_init(&best, krn_cpu_flags(0));
    if (!best.add) return;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t s = seed;
        krn_qs8_binary p = a_sum(&s);
        if (!krn_qs8_add_prove(&p, &best)) continue;
        proven++;
        for (size_t n = 1; n < 200; n += 1 + n / 7)
            compare_sum(&p, n, seed * 1000 + n);
    }
    assert_true(proven >= 45);
}

static krn_window a_pool(uint64_t *seed)
{
    krn_window w = {.in_h = 1 + test_random(seed) % 18, .in_w = 1 + test_random(seed) % 18};
    w.in_c = w.out_c = 1 + test_random(seed) % 70;
    w.kernel_h = 1 + test_random(seed) % w.in_h;
    w.kernel_w = 1 + test_random(seed) % w.in_w;
    w.stride_h = 1 + test_random(seed) % 3;
    w.stride_w = 1 + test_random(seed) % 3;
    w.dilation_h = w.dilation_w = 1;
    w.top = (ptrdiff_t)(test_random(seed) % w.kernel_h);
    w.left = (ptrdiff_t)(test_random(seed) % w.kernel_w);
    w.out_h = (w.in_h + 2 * (size_t)w.top - w.kernel_h) / w.stride_h + 1;
    w.out_w = (w.in_w + 2 * (size_t)w.left - w.kernel_w) / w.stride_w + 1;
    return w;
}

static void compare_pool(const krn_window *w, uint64_t seed)
{
    const size_t in = w->in_h * w->in_w * w->in_c, out = w->out_h * w->out_w * w->in_c;
    check_guard x = seed & 1 ? check_guard_make(in) : check_guard_make_front(in);
    check_guard want = check_guard_make(out), got = check_guard_make(out);
    check_guard acc = check_guard_make(w->in_c * sizeof(int32_t));
    const bool is_unsigned = seed & 2;
    const int32_t low = is_unsigned ? 3 : -120, high = is_unsigned ? 250 : 100;
    const krn_qs8_mean m = {is_unsigned, low, high};
    fill(&x, in, &seed);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        krn_qs8_mean_pool_ref(want.data, x.data, w, &m, acc.data);
        k.mean(got.data, x.data, w, &m, acc.data);
        if (memcmp(got.data, want.data, out) != 0) fail_msg("%s: c %zu", k.mean_name, w->in_c);
        krn_qs8_max_pool_ref(want.data, x.data, w, is_unsigned, low, high);
        k.max(got.data, x.data, w, is_unsigned, low, high);
        if (memcmp(got.data, want.data, out) != 0) fail_msg("%s: c %zu", k.max_name, w->in_c);
    }
    check_guard_free(&x);
    check_guard_free(&want);
    check_guard_free(&got);
    check_guard_free(&acc);
}

static void pools(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(400); seed++) {
        uint64_t s = seed;
        const krn_window w = a_pool(&s);
        compare_pool(&w, seed);
    }
}

/* Tables of every length of line, into other memory and in place. */
static void lookups(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(300); seed++) {
        uint64_t s = seed;
        const size_t n = seed;
        check_guard x = seed & 1 ? check_guard_make(n) : check_guard_make_front(n);
        check_guard table = check_guard_make(256), want = check_guard_make(n);
        check_guard got = seed & 2 ? check_guard_make(n) : check_guard_make_front(n);
        fill(&x, n, &s);
        fill(&table, 256, &s);
        krn_qs8_lookup_ref(want.data, x.data, table.data, n);
        for (size_t t = 0; t < check_n_tiers; t++) {
            krn_qs8 k;
            if (!check_can_run(&check_tiers[t])) continue;
            krn_qs8_init(&k, check_tiers[t].bits);
            k.lookup(got.data, x.data, table.data, n);
            if (memcmp(got.data, want.data, n) != 0) fail_msg("%s: n %zu", k.lookup_name, n);
            memcpy(got.data, x.data, n);
            k.lookup(got.data, got.data, table.data, n);
            if (memcmp(got.data, want.data, n) != 0) fail_msg("%s in place", k.lookup_name);
        }
        check_guard *const all[] = {&x, &table, &want, &got};
        for (size_t i = 0; i < NF_COUNT(all); i++)
            check_guard_free(all[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),
        cmocka_unit_test(pools),
        cmocka_unit_test(lookups),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
