/* test_krn_f32_gemm.c - float products of matrices as they come, every version against sums in
 * double, at every tail of every axis. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_f32_table.h"

#include <float.h>
#include <math.h>

typedef struct product {
    size_t m, n, k;
    check_guard a, w, y;
} product;

static check_guard floats(size_t n, uint64_t *seed)
{
    check_guard g = check_guard_make(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g.data)[i] = test_uniform(seed, -2, 2);
    return g;
}

static product product_make(size_t m, size_t n, size_t k)
{
    uint64_t seed = m * 10007 + n * 101 + k;
    return (product){m, n, k, floats(m * k, &seed), floats(k * n, &seed), floats(m * n, &seed)};
}

static void product_free(product *p)
{
    check_guard *const all[] = {&p->a, &p->w, &p->y};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

/* A sum of k rounded products is off by k half units of the sum of their sizes at most. */
static void check(const product *p, const char *isa)
{
    const float *a = p->a.data, *w = p->w.data, *y = p->y.data;
    for (size_t r = 0; r < p->m; r++)
        for (size_t c = 0; c < p->n; c++) {
            double sum = 0, size = 0;
            for (size_t i = 0; i < p->k; i++) {
                const double v = (double)a[r * p->k + i] * (double)w[i * p->n + c];
                sum += v;
                size += fabs(v);
            }
            const double off = fabs((double)y[r * p->n + c] - sum);
            if (!(off <= size * (double)p->k * (double)FLT_EPSILON))
                fail_msg("krn_f32_gemm_%s, %zu x %zu x %zu: (%zu, %zu) is off by %g", isa, p->m,
                         p->n, p->k, r, c, off);
        }
}

typedef void (*each_tier_fn)(const krn_f32 *k);

static void on_each_tier(each_tier_fn fn)
{
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_f32 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_f32_init(&k, check_tiers[t].bits);
        fn(&k);
    }
}

static void tails(const krn_f32 *k)
{
    static const size_t depths[] = {0, 1, 2, 15, 16, 17, 33};
    for (size_t m = 1; m <= 14; m++)
        for (size_t n = 1; n <= 130; n += n < 70 ? 1 : 7) {
            product p = product_make(m, n, depths[(m * 3 + n) % NF_COUNT(depths)]);
            k->gemm(p.y.data, p.a.data, p.w.data, p.m, p.n, p.k);
            check(&p, k->isa);
            product_free(&p);
        }
}

static void every_tail_is_the_sum(void **state)
{
    (void)state;
    on_each_tier(tails);
}

/* Sums of a few products: each is added to the rounded sum of those before it. */
static void short_sums(const krn_f32 *k)
{
    static const float a[4] = {16777216, 1, -16777216, 1};
    for (size_t m = 1; m <= 8; m++)
        for (size_t n = 1; n <= 70; n++) {
            product p = product_make(m, n, 4);
            for (size_t i = 0; i < m * 4; i++)
                ((float *)p.a.data)[i] = a[i % 4];
            for (size_t i = 0; i < n * 4; i++)
                ((float *)p.w.data)[i] = 1;
            k->gemm(p.y.data, p.a.data, p.w.data, m, n, 4);
            for (size_t i = 0; i < m * n; i++)
                assert_true(((const float *)p.y.data)[i] == 1);
            product_free(&p);
        }
}

static void few_products_are_added_in_order(void **state)
{
    (void)state;
    on_each_tier(short_sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tail_is_the_sum),
        cmocka_unit_test(few_products_are_added_in_order),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
