/* test_client_stats.c - statistics against figures computed with NumPy 2 and SciPy (scipy.stats
 * binom and bootstrap) on the same series. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/stats.h"

#define MOST 200

/* -1000000 .. 1000000 from the seed 42 + n, sorted. */
static void series(int64_t *v, size_t n, int64_t add)
{
    uint64_t state = 42 + n;
    for (size_t i = 0; i < n; i++)
        v[i] = (int64_t)(test_random(&state) % 2000001) - 1000000 + add;
    cl_sort(v, n);
}

static void medians_and_shifts(void **state)
{
    static const struct {
        size_t n;
        double median, shift;
        int64_t p90, p999;
    } want[] = {{7, -187566, -232765.25, 619784, 619784},
                {10, -78257, -103042, 588092, 603479},
                {101, 57985, 32844.5, 784075, 975844},
                {200, 57576.5, 31481.25, 761091, 999950}};
    int64_t v[MOST];
    (void)state;
    for (size_t i = 0; i < NF_COUNT(want); i++) {
        const size_t n = want[i].n;
        series(v, n, 0);
        assert_true(cl_median(v, n) == want[i].median);
        assert_true(cl_hodges_lehmann(v, n) == want[i].shift);
        assert_int_equal(cl_quantile(v, n, 900), want[i].p90);
        assert_int_equal(cl_quantile(v, n, 999), want[i].p999);
    }
}

static void one_value(void **state)
{
    const int64_t v[] = {-7};
    cl_interval ci;
    nf_error err = {0};
    (void)state;
    assert_true(cl_median(v, 1) == -7);
    assert_true(cl_hodges_lehmann(v, 1) == -7);
    assert_int_equal(cl_quantile(v, 1, 500), -7);
    assert_false(cl_quantile_interval(v, 1, 500).known);
    assert_ok(cl_bootstrap_median(&ci, v, 1, 100, 1, &err), &err);
    assert_false(ci.known);
}

/* Ranks from scipy.stats.binom; 0 or n + 1 mean that n is too small. */
static void intervals_of_percentiles(void **state)
{
    static const struct {
        size_t n;
        unsigned permille;
        double low, high;
    } want[] = {{10, 500, 2, 9},        {20, 500, 6, 15},     {60, 500, 22, 39},
                {60, 900, 49, 59},      {200, 900, 171, 189}, {500, 990, 490, 500},
                {5000, 999, 4990, 5000}};
    static int64_t ranks[5000];
    (void)state;
    for (size_t i = 0; i < 5000; i++)
        ranks[i] = (int64_t)i + 1;
    for (size_t i = 0; i < NF_COUNT(want); i++) {
        const cl_interval ci = cl_quantile_interval(ranks, want[i].n, want[i].permille);
        assert_true(ci.known);
        assert_true(ci.lo == want[i].low);
        assert_true(ci.hi == want[i].high);
    }
    assert_false(cl_quantile_interval(ranks, 5, 500).known);
    assert_false(cl_quantile_interval(ranks, 100, 990).known);
}

/* SciPy gives 257793 .. 548755 for three seeds; another generator may land on a neighbour. */
static void bootstrap_of_the_median(void **state)
{
    int64_t v[MOST];
    cl_interval a, b;
    nf_error err = {0};
    (void)state;
    series(v, 200, 300000);
    assert_ok(cl_bootstrap_median(&a, v, 200, 10000, 1, &err), &err);
    assert_ok(cl_bootstrap_median(&b, v, 200, 10000, 1, &err), &err);
    assert_true(a.known && a.lo == b.lo && a.hi == b.hi);
    assert_true(a.lo > 257793 - 20000 && a.lo < 257793 + 20000);
    assert_true(a.hi > 548755 - 20000 && a.hi < 548755 + 20000);
}

/* The interval covers the true median about as often as it says: 95 of 100 would be exact. */
static void bootstrap_covers(void **state)
{
    int64_t v[50];
    uint64_t seed = 7;
    int inside = 0;
    (void)state;
    for (int round = 0; round < 400; round++) {
        cl_interval ci;
        for (size_t i = 0; i < NF_COUNT(v); i++)
            v[i] = (int64_t)(test_random(&seed) % 2001) - 1000;
        cl_sort(v, NF_COUNT(v));
        assert_int_equal(cl_bootstrap_median(&ci, v, NF_COUNT(v), 500, 3, NULL), NF_OK);
        inside += ci.lo <= 0 && ci.hi >= 0;
    }
    if (inside < 360 || inside > 396) fail_msg("covered %d of 400, seed 7", inside);
}

static void five_samples_beyond(void **state)
{
    static const struct {
        unsigned permille;
        uint64_t least;
    } rule[] = {{500, 10}, {900, 50}, {950, 100}, {990, 500}, {999, 5000}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rule); i++) {
        assert_true(cl_quantile_shown(rule[i].least, rule[i].permille));
        assert_false(cl_quantile_shown(rule[i].least - 1, rule[i].permille));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_and_shifts),       cmocka_unit_test(one_value),
        cmocka_unit_test(intervals_of_percentiles), cmocka_unit_test(bootstrap_of_the_median),
        cmocka_unit_test(bootstrap_covers),         cmocka_unit_test(five_samples_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
