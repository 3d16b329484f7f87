/* test_krn_qs8.c - every version of the 8-bit product and its requantization equals the plain one,
 * exactly, over random and extreme inputs and all tail shapes, in guarded memory; --bench times
 * them. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_qs8.h"

#include <stdio.h>
#include <string.h>

typedef struct product { /* one product and its buffers */
    size_t m, n, k, n_pad, k_pad;
    check_guard a, w, want, got;
    krn_qs8_gemm_fn fn;
} product;

typedef enum filling { RANDOM, LOWEST, HIGHEST, MIXED_SIGNS, FILLINGS } filling;

static int16_t activation(uint64_t *seed, filling f)
{
    switch (f) {
    case LOWEST:
        return -255;
    case HIGHEST:
        return 255;
    case MIXED_SIGNS:
        return test_random(seed) & 1 ? 255 : -255;
    default:
        return (int16_t)((int)(test_random(seed) % 511) - 255);
    }
}

static product product_make(size_t m, size_t n, size_t k, uint64_t seed, filling f)
{
    product p = {.m = m, .n = n, .k = k};
    p.n_pad = krn_round_up(n, KRN_QS8_N);
    p.k_pad = krn_round_up(k, KRN_QS8_K);
    p.a = check_guard_make(m * p.k_pad * sizeof(int16_t));
    p.w = check_guard_make(p.n_pad * p.k_pad);
    p.want = check_guard_make(m * p.n_pad * sizeof(int32_t));
    p.got = check_guard_make(m * p.n_pad * sizeof(int32_t));
    int16_t *a = p.a.data;
    for (size_t i = 0; i < m * p.k_pad; i++)
        a[i] = i % p.k_pad < k ? activation(&seed, f) : 0;
    check_guard raw = check_guard_make(n * k);
    int8_t *w = raw.data;
    for (size_t i = 0; i < n * k; i++)
        w[i] = f == LOWEST || f == HIGHEST ? -128 : (int8_t)test_random(&seed);
    krn_qs8_pack(p.w.data, w, n, k);
    check_guard_free(&raw);
    return p;
}

static void product_free(product *p)
{
    check_guard_free(&p->a);
    check_guard_free(&p->w);
    check_guard_free(&p->want);
    check_guard_free(&p->got);
}

static void compare(size_t m, size_t n, size_t k, uint64_t seed, filling f)
{
    product p = product_make(m, n, k, seed, f);
    krn_qs8_gemm_ref(p.want.data, p.a.data, p.w.data, m, p.n_pad, p.k_pad);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 kernels;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&kernels, check_tiers[t].bits);
        memset(p.got.data, 0x5a, m * p.n_pad * sizeof(int32_t));
        kernels.gemm(p.got.data, p.a.data, p.w.data, m, p.n_pad, p.k_pad);
        if (memcmp(p.got.data, p.want.data, m * p.n_pad * sizeof(int32_t)) != 0)
            fail_msg("%s: m %zu n %zu k %zu seed %llu filling %d", kernels.gemm_name, m, n, k,
                     (unsigned long long)seed, (int)f);
    }
    product_free(&p);
}

static void every_tail_equals_ref(void **state)
{
    (void)state;
    for (size_t m = 1; m <= 9; m++)
        for (size_t n = 1; n <= 33; n += n < 17 ? 1 : 8)
            for (size_t k = 1; k <= 67; k += k < 9 ? 1 : 29)
                compare(m, n, k, m * 1000 + n * 100 + k, (filling)((m + n + k) % FILLINGS));
}

static void longest_sum_does_not_wrap(void **state)
{
    (void)state;
    compare(1, 1, KRN_QS8_MAX_K - 1, 1, LOWEST);
    compare(2, 3, KRN_QS8_MAX_K - 1, 2, HIGHEST);
}

typedef struct tail { /* one requantization and its buffers */
    check_guard acc, scale, real, factor, bias, want, got;
    size_t m, n, ld, ld_out;
    krn_requant r;
} tail;

static int32_t a_sum(uint64_t *seed, filling f)
{
    if (f == LOWEST) return INT32_MIN;
    if (f == HIGHEST) return INT32_MAX;
    return (int32_t)test_random(seed) >> (f == RANDOM ? 12 : 0);
}

/* Rows stand apart by more than their n, as those of a padded product and of a group do. */
static tail tail_make(size_t m, size_t n, uint64_t seed, filling f)
{
    const size_t ld = n + seed % 3, ld_out = n + seed % 5;
    tail t = {.m = m,
              .n = n,
              .ld = ld,
              .ld_out = ld_out,
              .acc = check_guard_make(m * ld * sizeof(int32_t)),
              .scale = check_guard_make(n * sizeof(float)),
              .real = check_guard_make(n * sizeof(double)),
              .factor = check_guard_make(n * sizeof(krn_factor)),
              .bias = check_guard_make(n * sizeof(int32_t)),
              .want = check_guard_make(m * ld_out),
              .got = check_guard_make(m * ld_out)};
    for (size_t i = 0; i < m * ld; i++)
        ((int32_t *)t.acc.data)[i] = a_sum(&seed, f);
    for (size_t c = 0; c < n; c++) {
        const float scale = test_uniform(&seed, 1e-5f, f == RANDOM ? 1e-3f : 2.0f);
        ((float *)t.scale.data)[c] = scale;
        ((double *)t.real.data)[c] = (double)scale;
        ((krn_factor *)t.factor.data)[c] = krn_factor_of((double)scale);
        ((int32_t *)t.bias.data)[c] = (int32_t)test_random(&seed) >> 16;
    }
    const bool is_unsigned = seed & 1;
    const int32_t low = is_unsigned ? 0 : -128;
    t.r = (krn_requant){.scale = t.scale.data,
                        .real = t.real.data,
                        .factor = t.factor.data,
                        .bias = t.bias.data,
                        .zero = low + (int32_t)(test_random(&seed) % 256),
                        .low = low + (int32_t)(test_random(&seed) % 64),
                        .high = low + 255 - (int32_t)(test_random(&seed) % 64)};
    return t;
}

static void tail_free(tail *t)
{
    check_guard *const all[] = {&t->acc,  &t->scale, &t->real, &t->factor,
                                &t->bias, &t->want,  &t->got};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

static void compare_tails(tail *t, krn_round round)
{
    const size_t bytes = t->m * t->ld_out;
    t->r.round = round;
    memset(t->want.data, 0x5a, bytes); /* what stands between the rows is not touched */
    krn_qs8_requant_ref(t->want.data, t->acc.data, &t->r, t->m, t->n, t->ld, t->ld_out);
    for (size_t i = 0; i < check_n_tiers; i++) {
        krn_qs8 kernels;
        if (!check_can_run(&check_tiers[i])) continue;
        krn_qs8_init(&kernels, check_tiers[i].bits);
        memset(t->got.data, 0x5a, bytes);
        kernels.requant(t->got.data, t->acc.data, &t->r, t->m, t->n, t->ld, t->ld_out);
        if (memcmp(t->got.data, t->want.data, bytes) != 0)
            fail_msg("%s: m %zu n %zu round %d", kernels.requant_name, t->m, t->n, (int)round);
    }
}

static void every_requantization_equals_ref(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        const size_t m = 1 + seed % 4, n = 1 + seed % 37;
        tail t = tail_make(m, n, seed, (filling)(seed % FILLINGS));
        for (int round = KRN_ROUND_FLOAT; round <= KRN_ROUND_AWAY; round++)
            compare_tails(&t, (krn_round)round);
        tail_free(&t);
    }
}

/* The plain version against the definition itself, from weights that are not packed. */
static void ref_equals_definition(void **state)
{
    (void)state;
    const int8_t w[2][3] = {{1, -2, 3}, {-128, 127, 5}};
    const int16_t a[4] = {10, -20, 255, 0};
    int8_t packed[KRN_QS8_N * 4];
    int32_t acc[KRN_QS8_N];
    krn_qs8_pack(packed, &w[0][0], 2, 3);
    krn_qs8_gemm_ref(acc, a, packed, 1, KRN_QS8_N, 4);
    assert_int_equal(acc[0], 10 * 1 + 20 * 2 + 255 * 3);
    assert_int_equal(acc[1], -1280 - 2540 + 1275);
    assert_int_equal(acc[2], 0);
}

static void call(void *user)
{
    const product *p = user;
    p->fn(p->got.data, p->a.data, p->w.data, p->m, p->n_pad, p->k_pad);
}

/* Shapes of keyword spotting, image and anomaly nets: pixels, channels, inputs. */
static int bench(void)
{
    static const size_t shapes[][3] = {{125, 64, 64}, {1024, 16, 144}, {256, 32, 288},
                                       {64, 64, 576}, {1, 128, 640},   {1, 16, 3}};
    printf("%-22s %16s %10s %9s\n", "kernel", "m x n x k", "us", "GMAC/s");
    for (size_t s = 0; s < NF_COUNT(shapes); s++)
        for (size_t t = 0; t < check_n_tiers; t++) {
            krn_qs8 kernels;
            char shape[48];
            if (!check_can_run(&check_tiers[t])) continue;
            krn_qs8_init(&kernels, check_tiers[t].bits);
            product p = product_make(shapes[s][0], shapes[s][1], shapes[s][2], 1, RANDOM);
            p.fn = kernels.gemm;
            const double us = check_time_us(call, &p, 2000);
            snprintf(shape, sizeof(shape), "%zu x %zu x %zu", p.m, p.n, p.k);
            printf("%-22s %16s %10.2f %9.1f\n", kernels.gemm_name, shape, us,
                   (double)(p.m * p.n * p.k) / us / 1000);
            product_free(&p);
        }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ref_equals_definition),
        cmocka_unit_test(every_tail_equals_ref),
        cmocka_unit_test(longest_sum_does_not_wrap),
        cmocka_unit_test(every_requantization_equals_ref),
    };
    check_name_missing();
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return bench();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
