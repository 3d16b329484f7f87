/* test_load_rules.c - arrivals, windows, service levels, knee and ranks against figures worked out
 * by hand or by the formula named. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/knee.h"
#include "clients/lib/schedule.h"
#include "clients/lib/slo.h"
#include "clients/lib/stats.h"
#include "clients/lib/windows.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define MS 1000000u

static void constant_arrivals(void **state)
{
    cl_arrivals a;
    cl_schedule s;
    nf_error err = {0};
    uint64_t ns;
    (void)state;
    assert_ok(cl_arrivals_read(&a, "constant", 300, 0, &err), &err);
    cl_schedule_start(&s, &a);
    for (uint64_t i = 0; i < 3000; i++) {
        assert_true(cl_schedule_next(&s, &ns));
        assert_true(ns <= i * 1000000000u / 300 && ns + 1 >= i * 1000000000u / 300);
    }
    cl_arrivals_fini(&a);
}

/* The gaps of a Poisson process: mean 1/rate (within 4 standard errors), and by Kolmogorov and
 * Smirnov the distribution 1 - exp(-rate t): D sqrt(n) below 1.63 for 1 %. */
static void poisson_arrivals(void **state)
{
    enum { N = 20000 };
    static int64_t gap[N];
    cl_arrivals a;
    cl_schedule s, again;
    nf_error err = {0};
    uint64_t ns, same, last = 0;
    double far = 0;
    (void)state;
    assert_ok(cl_arrivals_read(&a, "poisson", 1000, 7, &err), &err);
    cl_schedule_start(&s, &a);
    cl_schedule_start(&again, &a);
    for (size_t i = 0; i < N; i++) {
        assert_true(cl_schedule_next(&s, &ns) && cl_schedule_next(&again, &same));
        assert_true(ns == same && ns >= last);
        gap[i] = (int64_t)(ns - last);
        last = ns;
    }
    assert_true(fabs((double)last / N - 1e6) < 4 * 1e6 / sqrt(N));
    cl_sort(gap, N);
    for (size_t i = 0; i < N; i++) {
        const double want = 1 - exp(-(double)gap[i] / 1e6);
        far = fmax(far, fmax(fabs((double)(i + 1) / N - want), fabs((double)i / N - want)));
    }
    if (far * sqrt(N) > 1.63) fail_msg("distance %g", far * sqrt(N));
    cl_arrivals_fini(&a);
}

static nf_status read_trace(cl_arrivals *a, const char *text, nf_error *err)
{
    char path[64], word[80];
    snprintf(path, sizeof(path), "/tmp/nearfar-trace-%ld", (long)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    snprintf(word, sizeof(word), "trace:%s", path);
    const nf_status st = cl_arrivals_read(a, word, 0, 0, err);
    unlink(path);
    return st;
}

static void trace_arrivals(void **state)
{
    static const uint64_t want[] = {0, 250 * MS, 250 * MS, 2000 * MS};
    static const char *const bad[] = {"",      "0\n",    "0\nx\n",    "0\n2\n1\n", "-1\n2\n",
                                      "0 1\n", "nan\n1", "0\n1e99\n", "0\n0\n"};
    cl_arrivals a;
    cl_schedule s;
    nf_error err = {0};
    uint64_t ns;
    (void)state;
    assert_ok(read_trace(&a, "# seconds\n0\n\n0.25\r\n 0.25 \n2", &err), &err);
    assert_true(a.rate == 2);
    cl_schedule_start(&s, &a);
    for (size_t i = 0; i < NF_COUNT(want); i++) {
        assert_true(cl_schedule_next(&s, &ns));
        assert_int_equal(ns, want[i]);
    }
    assert_false(cl_schedule_next(&s, &ns));
    cl_arrivals_fini(&a);
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (read_trace(&a, bad[i], &err) != NF_EINVAL) fail_msg("trace %zu was read", i);
    assert_int_equal(cl_arrivals_read(&a, "trace:/no/such/file", 0, 0, &err), NF_ENOTFOUND);
    assert_int_equal(cl_arrivals_read(&a, "often", 1, 0, &err), NF_EINVAL);
    assert_int_equal(cl_arrivals_read(&a, "poisson", 0, 0, &err), NF_EINVAL);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static void windows_by_time(void **state)
{
    cl_windows w;
    nf_error err = {0};
    (void)state;
    assert_ok(cl_windows_init(&w, 3, 0.1, 300 * MS, 0, &err), &err);
    for (uint64_t at = 0; at < 300; at += 10)
        cl_windows_add(&w, at * MS, at != 0, 5 * MS);
    cl_windows_add(&w, 300 * MS, true, 900 * MS); /* after the last one */
    assert_int_equal(w.window[0].latency.count, 9);
    assert_int_equal(w.window[2].latency.count, 10);
    assert_true(cl_windows_rate(&w, 1) == 100);
    cl_stability s = cl_windows_judge(&w);
    assert_true(s.known && !s.stable); /* 100/90 is over 10 % */
    assert_true(fabs(s.rate_spread - 1.0 / 9) < 1e-9 && s.latency_spread == 0);
    w.tolerance = 0.12;
    assert_true(cl_windows_judge(&w).stable);
    cl_windows_fini(&w);
}

static void windows_by_count(void **state)
{
    cl_windows w;
    nf_error err = {0};
    (void)state;
    assert_ok(cl_windows_init(&w, 2, 0.1, 0, 10, &err), &err);
    for (uint64_t i = 1; i <= 10; i++)
        cl_windows_add(&w, i <= 5 ? i * MS : 5 * MS + (i - 5) * 2 * MS, true, i <= 5 ? MS : 2 * MS);
    assert_int_equal(w.window[0].end_ns, 5 * MS);
    assert_int_equal(w.window[1].start_ns, 5 * MS);
    assert_int_equal(w.window[1].end_ns, 15 * MS);
    assert_true(cl_windows_rate(&w, 0) == 1000 && cl_windows_rate(&w, 1) == 500);
    const cl_stability s = cl_windows_judge(&w);
    assert_true(s.known && !s.stable && s.rate_spread == 1);
    cl_windows_fini(&w);
    assert_ok(cl_windows_init(&w, 2, 0.1, 100, 0, &err), &err);
    assert_false(cl_windows_judge(&w).known);
    cl_windows_fini(&w);
}

static void window_words(void **state)
{
    static const char *const bad[] = {"",     "3",      "3x",     "x10%",    "1x10%",
                                      "3x0%", "3x10%%", "101x1%", "3x2000%", "3 x10%"};
    size_t n;
    double share;
    nf_error err = {0};
    (void)state;
    assert_ok(cl_windows_read(&n, &share, "3x10%", &err), &err);
    assert_true(n == 3 && fabs(share - 0.1) < 1e-12);
    assert_ok(cl_windows_read(&n, &share, "5x0.25", &err), &err);
    assert_true(n == 5 && share == 0.25);
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (cl_windows_read(&n, &share, bad[i], &err) != NF_EINVAL) fail_msg("read '%s'", bad[i]);
}

/* 1..1000 microseconds, 2 % failed, 50/s. */
static void service_levels(void **state)
{
    static const struct {
        const char *expr;
        bool pass, known;
    } cases[] = {
        {"p50<1ms", true, true},    {"p50<400us", false, true}, {"p99<0.98", false, true},
        {"p99<=1.1", true, true},   {"p99.9<1s", false, false}, {"max<=1000us", true, true},
        {"max<1ms", false, true},   {"mean>400us", true, true}, {"err<1%", false, true},
        {"err<=2%", true, true},    {"err<0.03", true, true},   {"rate>=50", true, true},
        {"rate>50/s", false, true}, {"p0.1<1s", true, true}};
    static nf_hist h;
    cl_slos s;
    nf_error err = {0};
    (void)state;
    memset(&h, 0, sizeof(h));
    for (uint64_t i = 1; i <= 1000; i++)
        nf_hist_add(&h, i * 1000);
    const cl_slo_facts facts = {.latency = &h, .err = 0.02, .rate = 50};
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        assert_ok(cl_slos_read(&s, cases[i].expr, &err), &err);
        assert_int_equal(s.n, 1);
        const cl_slo_result r = cl_slo_judge(&s.one[0], &facts);
        if (r.pass != cases[i].pass || r.known != cases[i].known)
            fail_msg("%s: %g", cases[i].expr, r.value);
    }
    assert_ok(cl_slos_read(&s, "p95<100ms,err<1%", &err), &err);
    assert_int_equal(s.n, 2);
    assert_string_equal(s.one[1].expr, "err<1%");
}

static void bad_service_levels(void **state)
{
    static const char *const bad[] = {
        "",         "p95",      "p95<",       "<5ms",      "p95<5kg",    "p100<5ms", "p0<5ms",
        "p95.55<1", "q95<5ms",  "p95<-5ms",   "p95<5ms,",  ",p95<5ms",   "err<5ms",  "err<101%",
        "rate>5ms", "rate>5%",  "p95==5ms",   "p95<nanms", "p95<5ms x",  "p95<inf",  "p<5",
        "p95<>5ms", "mean<5 s", "p95<5ms;p5", "p95 <5ms",  "rate>=1e999"};
    cl_slos s;
    nf_error err = {0};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (cl_slos_read(&s, bad[i], &err) != NF_EINVAL) fail_msg("read '%s'", bad[i]);
    assert_int_equal(cl_slos_read(&s,
                                  "p1<1,p1<1,p1<1,p1<1,p1<1,p1<1,p1<1,p1<1,p1<1,"
                                  "p1<1,p1<1,p1<1,p1<1,p1<1,p1<1,p1<1,p1<1",
                                  &err),
                     NF_EINVAL);
}

static void knees(void **state)
{
    static const cl_knee_step saturates[] = {{100, 2e6}, {200, 2.1e6}, {390, 3e6}, {400, 30e6}};
    static const cl_knee_step rises[] = {{100, 2e6}, {200, 2.1e6}, {400, 2.2e6}};
    static const cl_knee_step at_once[] = {{100, 2e6}, {110, 4e6}};
    static const cl_knee_step unknown[] = {{100, 2e6}, {200, 0}, {210, 9e6}};
    (void)state;
    assert_int_equal(cl_knee_find(saturates, 4), 2);
    assert_int_equal(cl_knee_find(rises, 3), 3);
    assert_int_equal(cl_knee_find(at_once, 2), 0);
    assert_int_equal(cl_knee_find(unknown, 3), 3);
    assert_int_equal(cl_knee_find(rises, 1), 1);
    assert_int_equal(cl_knee_find(NULL, 0), 0);
}

/* P(B < k) for B binomial(n, q): n - B is binomial(n, 1 - q), whose terms from 0 to n - k follow
 * each from the one before. */
static double below(uint64_t n, double q, uint64_t k)
{
    double term = pow(q, (double)n), sum = 0;
    for (uint64_t i = 0; i + k <= n; i++) {
        sum += term;
        term *= (double)(n - i) / (double)(i + 1) * (1 - q) / q;
    }
    return 1 - sum;
}

/* Ranks hold at least 95 %, and one rank less on either side would leave more than 2.5 % out. */
static void ranks_of_percentiles(void **state)
{
    static const struct {
        uint64_t n;
        unsigned permille;
    } cases[] = {{10, 500}, {60, 900}, {500, 990}, {1000, 500}, {5000, 999}, {20000, 990}};
    uint64_t low, high;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const uint64_t n = cases[i].n;
        const double q = cases[i].permille / 1000.0;
        assert_true(cl_quantile_ranks(n, cases[i].permille, &low, &high));
        assert_true(below(n, q, low) <= 0.025 && below(n, q, low + 1) > 0.025);
        assert_true(1 - below(n, q, high) <= 0.025 && 1 - below(n, q, high - 1) > 0.025);
    }
    /* Of ten million: the median -+ 1.96 half square roots. */
    assert_true(cl_quantile_ranks(10000000, 500, &low, &high));
    assert_true(fabs((double)low - (5e6 - 3099)) < 3 && fabs((double)high - (5e6 + 3100)) < 3);
    assert_false(cl_quantile_ranks(5, 500, &low, &high));
    assert_false(cl_quantile_ranks(0, 500, &low, &high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_arrivals),
        cmocka_unit_test(poisson_arrivals),
        cmocka_unit_test(trace_arrivals),
        cmocka_unit_test(windows_by_time),
        cmocka_unit_test(windows_by_count),
        cmocka_unit_test(window_words),
        cmocka_unit_test(service_levels),
        cmocka_unit_test(bad_service_levels),
        cmocka_unit_test(knees),
        cmocka_unit_test(ranks_of_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
