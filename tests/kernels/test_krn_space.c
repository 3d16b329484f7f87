/* test_krn_space.c - windows over three axes row by row, against one tap after the other. Layer:
 * tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_space.h"

#include <math.h>
#include <string.h>

static size_t below(uint64_t *seed, size_t n)
{
    return (size_t)(test_random(seed) % n);
}

/* Windows that lie in the image, partly or not at all, with padding that may be negative. */
static krn_space a_space(uint64_t *seed)
{
    krn_space s;
    for (int i = 0; i < KRN_SPACE; i++) {
        s.in[i] = 1 + below(seed, 6);
        s.out[i] = 1 + below(seed, 4);
        s.kernel[i] = 1 + below(seed, 4);
        s.stride[i] = 1 + below(seed, 3);
        s.dilation[i] = 1 + below(seed, 3);
        s.before[i] = (ptrdiff_t)below(seed, 6) - 2;
        s.after[i] = (ptrdiff_t)below(seed, 4);
    }
    return s;
}

static check_guard floats(size_t n, uint64_t *seed)
{
    check_guard g = check_guard_make(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g.data)[i] = test_uniform(seed, -2, 2);
    return g;
}

static void expect_gather(const krn_space *s, size_t c, const float *x)
{
    const size_t taps = krn_space_taps(s), pixels = krn_space_out(s);
    const size_t first = pixels / 3, count = pixels - first;
    check_guard a = check_guard_make(count * taps * c * sizeof(float));
    krn_f32_gather_ref(a.data, x, s, c, first, count);
    for (size_t i = 0; i < count * taps * c; i++) {
        const ptrdiff_t at = krn_space_tap(s, first + i / c / taps, i / c % taps);
        const float want = at < 0 ? 0 : x[(size_t)at * c + i % c];
        assert_true(((const float *)a.data)[i] == want);
    }
    check_guard_free(&a);
}

static void expect_pools(const krn_space *s, size_t c, const float *x)
{
    const size_t taps = krn_space_taps(s), pixels = krn_space_out(s);
    const krn_pool p = {.c = c};
    check_guard most = check_guard_make(pixels * c * sizeof(float));
    check_guard mean = check_guard_make(pixels * c * sizeof(float));
    krn_f32_max_pool_nd_ref(most.data, NULL, x, s, &p);
    krn_f32_mean_pool_nd_ref(mean.data, x, s, &p);
    for (size_t i = 0; i < pixels * c; i++) {
        float top = -INFINITY, sum = 0;
        size_t seen = 0;
        for (size_t t = 0; t < taps; t++) {
            const ptrdiff_t at = krn_space_tap(s, i / c, t);
            if (at < 0) continue;
            const float v = x[(size_t)at * c + i % c];
            top = v > top ? v : top;
            sum += v;
            seen++;
        }
        assert_true(((const float *)most.data)[i] == top);
        assert_true(((const float *)mean.data)[i] == (seen ? sum / (float)seen : 0));
    }
    check_guard_free(&most);
    check_guard_free(&mean);
}

static void expect_spread(const krn_space *s, size_t c, uint64_t *seed)
{
    const size_t taps = krn_space_taps(s), pixels = krn_space_out(s), ld = c + pixels % 2;
    const size_t image = krn_space_in(s) * ld;
    check_guard cols = floats(pixels * taps * c, seed);
    check_guard want = floats(image, seed), got = check_guard_make(image * sizeof(float));
    memcpy(got.data, want.data, image * sizeof(float));
    krn_f32_col2im_ref(got.data, cols.data, s, c, ld);
    for (size_t i = 0; i < pixels * taps * c; i++) {
        const ptrdiff_t at = krn_space_tap(s, i / c / taps, i / c % taps);
        if (at >= 0) ((float *)want.data)[(size_t)at * ld + i % c] += ((const float *)cols.data)[i];
    }
    assert_memory_equal(got.data, want.data, image * sizeof(float));
    check_guard_free(&cols);
    check_guard_free(&want);
    check_guard_free(&got);
}

static void rows_of_taps_are_the_taps(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= CHECK_ROUNDS(400); round++) {
        uint64_t seed = round;
        const krn_space s = a_space(&seed);
        const size_t c = 1 + below(&seed, 22);
        check_guard x = floats(krn_space_in(&s) * c, &seed);
        expect_gather(&s, c, x.data);
        expect_pools(&s, c, x.data);
        expect_spread(&s, c, &seed);
        check_guard_free(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_of_taps_are_the_taps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
