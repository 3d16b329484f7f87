/* test_krn_f32_product.c - every version of the packed float product against the sum it stands for,
 * in double, over all tail shapes, in guarded memory; --bench times them. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_f32_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Lines of rows, as a convolution has them: m = lines * line. */
typedef struct shape {
    size_t lines, line, n, runs, run;
    size_t step_gap, run_gap, ld_gap; /* floats that belong to nobody */
} shape;

typedef struct product {
    shape s;
    size_t m, k, ld, line_step;
    check_guard x, w, bias, packed, y;
    krn_f32_rows rows;
    krn_f32_packed weights;
    krn_f32_product_fn fn;
} product;

static const uint32_t untouched = 0x5a5a5a5a;

static void fill(check_guard *g, size_t n, uint64_t *seed)
{
    *g = check_guard_make(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g->data)[i] = test_uniform(seed, -1, 1);
}

static product product_make(const shape *s, uint64_t seed)
{
    product p = {.s = *s, .m = s->lines * s->line, .k = s->runs * s->run};
    const size_t run_step = s->run + s->run_gap, step = s->run + s->step_gap;
    p.line_step = s->line * step + s->run_gap;
    p.ld = s->n + s->ld_gap;
    p.rows = (krn_f32_rows){.line = s->line,
                            .line_step = p.line_step,
                            .out_step = s->line * p.ld,
                            .step = step,
                            .runs = s->runs,
                            .run = s->run,
                            .run_step = run_step};
    fill(&p.x,
         (s->lines - 1) * p.line_step + (s->line - 1) * step + (s->runs - 1) * run_step + s->run,
         &seed);
    fill(&p.w, s->n * p.k, &seed);
    fill(&p.bias, s->n, &seed);
    fill(&p.y, (p.m - 1) * p.ld + s->n, &seed);
    p.rows.x = p.x.data;
    return p;
}

/* Packs for a tier, into guarded memory again. */
static void product_pack(product *p, const krn_f32 *k, bool with_bias)
{
    const krn_f32_weights from = {p->w.data, p->s.n, p->k, p->s.run, p->k, 1};
    const size_t lanes = k->layout.lanes, n_pad = (p->s.n + lanes - 1) / lanes * lanes;
    const size_t size = krn_f32_packed_size(&k->layout, &from);
    p->packed = check_guard_make((size + n_pad) * sizeof(float));
    float *w = p->packed.data, *bias = w + size;
    krn_f32_pack(w, &k->layout, &from);
    for (size_t c = 0; c < p->s.n; c++)
        bias[c] = ((const float *)p->bias.data)[c];
    p->weights = (krn_f32_packed){.w = w,
                                  .bias = with_bias ? bias : NULL,
                                  .n = p->s.n,
                                  .k = p->k,
                                  .low = -0.75f,
                                  .high = 2,
                                  .pairs = krn_f32_in_pairs(&k->layout, p->s.n, p->k)};
    p->fn = k->product;
}

static void product_free(product *p)
{
    check_guard *const all[] = {&p->x, &p->w, &p->bias, &p->y};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

/* The sum of row i and output c, and how far any order of float sums may be from it. */
static double exact(const product *p, size_t i, size_t c, double *bound)
{
    const float *x =
        (const float *)p->x.data + i / p->s.line * p->line_step + i % p->s.line * p->rows.step;
    const float *w = (const float *)p->w.data + c * p->k;
    double sum = p->weights.bias ? (double)((const float *)p->bias.data)[c] : 0, size = fabs(sum);
    for (size_t r = 0; r < p->s.runs; r++)
        for (size_t j = 0; j < p->s.run; j++) {
            const double v = (double)x[r * p->rows.run_step + j] * (double)*w++;
            sum += v;
            size += fabs(v);
        }
    *bound = ((double)p->k + 2) * 6e-8 * size;
    return fmax((double)p->weights.low, fmin((double)p->weights.high, sum));
}

static void check_product(const product *p, const char *name)
{
    const float *y = p->y.data;
    for (size_t i = 0; i < p->m; i++) {
        for (size_t c = 0; c < p->s.n; c++) {
            double bound;
            const double want = exact(p, i, c, &bound), got = (double)y[i * p->ld + c];
            if (!(fabs(got - want) <= bound))
                fail_msg("%s: %zu x %zu x %zu runs %zu: row %zu output %zu is %g, not %g", name,
                         p->m, p->s.n, p->k, p->s.runs, i, c, got, want);
        }
        for (size_t c = p->s.n; c < p->ld && i + 1 < p->m; c++)
            if (memcmp(&y[i * p->ld + c], &untouched, sizeof(untouched)) != 0)
                fail_msg("%s: wrote behind row %zu of n %zu", name, i, p->s.n);
    }
}

static void run_tiers(const shape *s, uint64_t seed)
{
    product p = product_make(s, seed);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_f32 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_f32_init(&k, check_tiers[t].bits);
        product_pack(&p, &k, seed % 3 != 0);
        memset(p.y.data, 0x5a, ((p.m - 1) * p.ld + s->n) * sizeof(float));
        p.fn(p.y.data, p.ld, &p.rows, p.m, &p.weights);
        check_product(&p, k.product_name);
        check_guard_free(&p.packed);
    }
    product_free(&p);
}

static void every_tail_is_the_sum(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (size_t m = 1; m <= 27; m++)
        for (size_t n = 1; n <= 70; n += n < 18 ? 1 : 13) {
            const shape s = {1, m, n, 1, 1 + test_random(&seed) % 19, 0, 0, seed % 2};
            run_tiers(&s, seed);
        }
}

static void lines_and_runs_are_found(void **state)
{
    uint64_t seed = 2;
    (void)state;
    for (int i = 0; i < 400; i++) {
        const shape s = {1 + test_random(&seed) % 5,  1 + test_random(&seed) % 25,
                         1 + test_random(&seed) % 40, 1 + test_random(&seed) % 5,
                         1 + test_random(&seed) % 12, test_random(&seed) % 9,
                         test_random(&seed) % 30,     test_random(&seed) % 2 * 5};
        run_tiers(&s, seed);
    }
}

static void long_sums_and_many_outputs(void **state)
{
    (void)state;
    static const shape shapes[] = {{1, 1, 640, 1, 128, 0, 0, 0},
                                   {1, 1, 128, 1, 640, 0, 0, 0},
                                   {1, 13, 200, 1, 300, 0, 0, 0},
                                   {4, 8, 64, 3, 192, 0, 64, 0}};
    for (size_t i = 0; i < NF_COUNT(shapes); i++)
        run_tiers(&shapes[i], i);
}

/* A NaN or infinity stays in the results that it belongs to. */
static void odd_values_stay_in_their_row(void **state)
{
    (void)state;
    for (size_t n = 3; n <= 40; n += 37)
        for (size_t t = 0; t < check_n_tiers; t++) {
            const shape s = {2, 7, n, 3, 3, 0, 40, 0};
            product p = product_make(&s, 5);
            krn_f32 k;
            if (!check_can_run(&check_tiers[t])) continue;
            krn_f32_init(&k, check_tiers[t].bits);
            product_pack(&p, &k, true);
            ((float *)p.x.data)[2 * p.rows.step + 1] = NAN; /* row 2 of line 0, first run */
            p.fn(p.y.data, p.ld, &p.rows, p.m, &p.weights);
            for (size_t i = 0; i < p.m; i++)
                for (size_t c = 0; c < n; c++)
                    assert_int_equal(isnan(((float *)p.y.data)[i * p.ld + c]) != 0, i == 2);
            check_guard_free(&p.packed);
            product_free(&p);
        }
}

/* A right side that is computed comes as [k, n]: packing it by rows and by columns is the same. */
static void packing_takes_either_order(void **state)
{
    float w[9 * 21], turned[9 * 21], a[21 * 16], b[21 * 16];
    (void)state;
    for (size_t c = 0; c < 21; c++)
        for (size_t i = 0; i < 9; i++)
            turned[i * 21 + c] = w[c * 9 + i] = (float)(c * 100 + i);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_f32 k;
        krn_f32_init(&k, check_tiers[t].bits);
        const krn_f32_weights rows = {w, 21, 9, 9, 9, 1}, columns = {turned, 21, 9, 9, 1, 21};
        krn_f32_pack(a, &k.layout, &rows);
        krn_f32_pack(b, &k.layout, &columns);
        assert_memory_equal(a, b, krn_f32_packed_size(&k.layout, &rows) * sizeof(float));
    }
}

/* Where a row-major right side is said to be packed already, packing copies it. */
static void row_major_may_be_packed(void **state)
{
    float w[5 * 64], to[5 * 64];
    (void)state;
    for (size_t i = 0; i < NF_COUNT(w); i++)
        w[i] = (float)i;
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_f32 k;
        krn_f32_init(&k, check_tiers[t].bits);
        assert_true(krn_f32_is_packed(&k.layout, k.layout.lanes * k.layout.units));
        assert_false(krn_f32_is_packed(&k.layout, k.layout.lanes * k.layout.units * 2));
        for (size_t n = 1; n <= 64; n++) {
            const krn_f32_weights from = {w, n, 5, 5, 1, n};
            if (!krn_f32_is_packed(&k.layout, n)) continue;
            krn_f32_pack(to, &k.layout, &from);
            assert_memory_equal(w, to, 5 * n * sizeof(float));
        }
    }
}

static void call(void *user)
{
    const product *p = user;
    p->fn(p->y.data, p->ld, &p->rows, p->m, &p->weights);
}

/* Shapes of keyword spotting, person detection, image and anomaly nets. */
static int bench(void)
{
    static const shape shapes[] = {
        {1, 125, 64, 1, 64, 0, 0, 0},   {48, 48, 8, 3, 9, 0, 282, 0},  {1, 2304, 16, 1, 8, 0, 0, 0},
        {1, 576, 32, 1, 32, 0, 0, 0},   {1, 36, 128, 1, 128, 0, 0, 0}, {1, 9, 256, 1, 256, 0, 0, 0},
        {32, 32, 16, 3, 48, 0, 496, 0}, {8, 8, 64, 3, 192, 0, 448, 0}, {1, 1, 128, 1, 640, 0, 0, 0},
        {1, 1, 128, 1, 128, 0, 0, 0},   {1, 512, 512, 1, 512, 0, 0, 0}};
    printf("%-24s %16s %10s %9s\n", "kernel", "m x n x k", "us", "GFLOP/s");
    for (size_t i = 0; i < NF_COUNT(shapes); i++)
        for (size_t t = 0; t < check_n_tiers; t++) {
            krn_f32 k;
            char text[48];
            if (!check_can_run(&check_tiers[t])) continue;
            krn_f32_init(&k, check_tiers[t].bits);
            product p = product_make(&shapes[i], 1);
            product_pack(&p, &k, true);
            const double us = check_time_us(call, &p, 400);
            snprintf(text, sizeof(text), "%zu x %zu x %zu", p.m, p.s.n, p.k);
            printf("%-24s %16s %10.2f %9.1f\n", k.product_name, text, us,
                   2 * (double)(p.m * p.s.n * p.k) / us / 1000);
            check_guard_free(&p.packed);
            product_free(&p);
        }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tail_is_the_sum),
        cmocka_unit_test(lines_and_runs_are_found),
        cmocka_unit_test(long_sums_and_many_outputs),
        cmocka_unit_test(odd_values_stay_in_their_row),
        cmocka_unit_test(packing_takes_either_order),
        cmocka_unit_test(row_major_may_be_packed),
    };
    check_name_missing();
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return bench();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
