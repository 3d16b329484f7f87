/* test_krn_qs8_real.c - every version of what turns floats into 8 bits, and sums into floats,
 * equals the plain one bit for bit, in guarded memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_qs8_real.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* What a hostile input may hold. */
static float a_float(uint64_t *seed, float scale)
{
    static const float odd[] = {NAN,     -NAN,     INFINITY, -INFINITY,  0.0f, -0.0f,
                                FLT_MAX, -FLT_MAX, 1e-40f,   -1e-40f,    1024, -1024.5f,
                                0.5f,    -0.5f,    1e30f,    0.49999997f};
    const uint64_t kind = test_random(seed) % 16;
    if (kind == 0) return odd[test_random(seed) % NF_COUNT(odd)];
    if (kind < 4) return ((float)(test_random(seed) % 600) - 300 + 0.5f) * scale; /* a tie */
    return test_uniform(seed, -150, 150) * scale;
}

static check_guard floats_of(size_t n, uint64_t *seed, float scale, bool tame)
{
    const check_guard g = test_random(seed) & 1 ? check_guard_make(n * sizeof(float))
                                                : check_guard_make_front(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g.data)[i] = tame ? test_uniform(seed, -3, 4) : a_float(seed, scale);
    return g;
}

static const krn_qs8_real *tier_of(size_t t)
{
    krn_qs8 k;
    if (!check_can_run(&check_tiers[t])) return NULL;
    krn_qs8_init(&k, check_tiers[t].bits);
    return k.real;
}

static void same(const check_guard *got, const check_guard *want, size_t n, const char *what,
                 const krn_qs8_real *real, uint64_t seed)
{
    if (memcmp(got->data, want->data, n) != 0)
        fail_msg("%s of %s: %zu bytes, seed %llu", what, real->name, n, (unsigned long long)seed);
}

static krn_qs8_steps a_grid(uint64_t *seed, float *scale)
{
    static const float scales[] = {1, 0.5f, 0.0117f, 0.1f, 3.7f, 1e-38f, 1e30f, 0, -1};
    krn_qs8_row row;
    const uint64_t way = test_random(seed) % 7;
    *scale = scales[test_random(seed) % NF_COUNT(scales)];
    if (way < 4)
        return krn_qs8_steps_to(*scale, (int32_t)(test_random(seed) % 256) - (way & 1 ? 0 : 128),
                                way & 1, way & 2);
    const float low = -test_uniform(seed, 0, 100), high = test_uniform(seed, 0, 100);
    return krn_qs8_steps_over(&row, low, high, (krn_dynamic)(way - 4));
}

static void compare_bytes(size_t n, uint64_t seed)
{
    float scale;
    uint64_t s = seed;
    krn_qs8_steps to = a_grid(&s, &scale);
    if (seed % 5 == 0) to.nan = 0;
    check_guard x = floats_of(n, &s, scale, false);
    check_guard want = check_guard_make(n), got = check_guard_make(n);
    krn_qs8_real_ref.bytes(want.data, x.data, n, &to);
    for (size_t t = 0; t < check_n_tiers; t++) {
        const krn_qs8_real *real = tier_of(t);
        if (!real) continue;
        memset(got.data, 0x5a, n);
        real->bytes(got.data, x.data, n, &to);
        same(&got, &want, n, "bytes", real, seed);
    }
    check_guard_free(&x);
    check_guard_free(&want);
    check_guard_free(&got);
}

static void bytes_equal_ref(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(3000); seed++)
        compare_bytes(1 + seed % 90, seed);
}

/* Away from zero is what roundf() says. */
static void halves_are_rounded_away(void **state)
{
    const krn_qs8_steps to = krn_qs8_steps_to(1, 0, false, true);
    (void)state;
    for (uint32_t bits = 0; bits < 0x44000000; bits += 97) {
        float v;
        memcpy(&v, &bits, sizeof(v));
        const int32_t want = krn_clamp((int64_t)roundf(v), -128, 127);
        if (krn_qs8_step(v, &to) != want ||
            krn_qs8_step(-v, &to) != (want == 127 && roundf(v) > 127 ? -128 : -want))
            fail_msg("%.9g", (double)v);
    }
}

static void compare_rows(size_t rows, size_t k, uint64_t seed)
{
    uint64_t s = seed;
    const krn_dynamic way = (krn_dynamic)(seed % 3);
    check_guard x = floats_of(rows * k, &s, 0.01f, seed % 4 != 0);
    check_guard want = check_guard_make(rows * k), got = check_guard_make(rows * k);
    check_guard want_row = check_guard_make(rows * sizeof(krn_qs8_row));
    check_guard got_row = check_guard_make(rows * sizeof(krn_qs8_row));
    krn_qs8_real_ref.rows(want.data, want_row.data, x.data, rows, k, way);
    for (size_t t = 0; t < check_n_tiers; t++) {
        const krn_qs8_real *real = tier_of(t);
        if (!real) continue;
        real->rows(got.data, got_row.data, x.data, rows, k, way);
        same(&got, &want, rows * k, "rows", real, seed);
        same(&got_row, &want_row, rows * sizeof(krn_qs8_row), "scales of rows", real, seed);
    }
    check_guard_free(&x);
    check_guard_free(&want);
    check_guard_free(&got);
    check_guard_free(&want_row);
    check_guard_free(&got_row);
}

static void rows_equal_ref(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(2000); seed++)
        compare_rows(1 + seed % 4, 1 + seed % 131, seed);
}

static void compare_floats(size_t n, uint64_t seed)
{
    uint64_t s = seed;
    const int32_t zero = (int32_t)(seed % 300) - 128;
    const float scale = test_uniform(&s, -2, 2);
    check_guard q = seed & 1 ? check_guard_make(n) : check_guard_make_front(n);
    check_guard want = check_guard_make(n * sizeof(float)), got = check_guard_make(n * 4);
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)q.data)[i] = (uint8_t)test_random(&s);
    krn_qs8_real_ref.floats(want.data, q.data, n, scale, zero, seed & 2);
    for (size_t t = 0; t < check_n_tiers; t++) {
        const krn_qs8_real *real = tier_of(t);
        if (!real) continue;
        real->floats(got.data, q.data, n, scale, zero, seed & 2);
        same(&got, &want, n * sizeof(float), "floats", real, seed);
    }
    check_guard_free(&q);
    check_guard_free(&want);
    check_guard_free(&got);
}

static void floats_equal_ref(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(1000); seed++)
        compare_floats(1 + seed % 70, seed);
}

static krn_qs8_out an_out(const check_guard *weights, const check_guard *numbers, size_t n,
                          uint64_t *seed)
{
    float *scale = numbers->data, *bias = scale + n;
    for (size_t i = 0; i < n; i++) {
        ((int32_t *)weights->data)[i] = (int32_t)test_random(seed);
        scale[i] = a_float(seed, 1);
        bias[i] = a_float(seed, 1e6f);
    }
    const bool open = test_random(seed) & 1;
    return (krn_qs8_out){
        weights->data,         scale, bias, test_random(seed) & 1, open ? -INFINITY : 0,
        open ? INFINITY : 6e6f};
}

static void compare_reals(size_t rows, size_t n, uint64_t seed)
{
    uint64_t s = seed;
    check_guard weights = check_guard_make(n * sizeof(int32_t));
    check_guard numbers = check_guard_make(2 * n * sizeof(float));
    check_guard row = check_guard_make(rows * sizeof(krn_qs8_row));
    check_guard want = check_guard_make(rows * n * 4), got = check_guard_make(rows * n * 4);
    const krn_qs8_out o = an_out(&weights, &numbers, n, &s);
    for (size_t r = 0; r < rows; r++)
        ((krn_qs8_row *)row.data)[r] =
            (krn_qs8_row){a_float(&s, 0.01f), (int32_t)(test_random(&s) % 256)};
    for (size_t t = 0; t < check_n_tiers; t++) {
        const krn_qs8_real *real = tier_of(t);
        if (!real) continue;
        for (size_t i = 0; i < rows * n; i++)
            ((int32_t *)want.data)[i] = ((int32_t *)got.data)[i] = (int32_t)test_random(&s);
        krn_qs8_real_ref.reals(want.data, rows, n, &o, row.data, seed & 1);
        real->reals(got.data, rows, n, &o, row.data, seed & 1);
        for (size_t i = 0; i < rows * n; i++) { /* which NaN it is, nobody promises */
            const float a = ((float *)want.data)[i], b = ((float *)got.data)[i];
            if (a != a && b != b) ((float *)got.data)[i] = a;
        }
        same(&got, &want, rows * n * 4, "reals", real, seed);
    }
    check_guard_free(&weights);
    check_guard_free(&numbers);
    check_guard_free(&row);
    check_guard_free(&want);
    check_guard_free(&got);
}

static void reals_equal_ref(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(1000); seed++)
        compare_reals(1 + seed % 4, 1 + seed % 70, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_equal_ref),         cmocka_unit_test(rows_equal_ref),
        cmocka_unit_test(halves_are_rounded_away), cmocka_unit_test(floats_equal_ref),
        cmocka_unit_test(reals_equal_ref),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
