/* test_krn_quant.c - every version of the operators on quantized values equals the plain one,
 * exactly, in guarded memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant.h"
#include "engine/kernels/krn_quant_reduce.h"

#include <math.h>
#include <string.h>

/* One in four is extreme. */
static void fill(void *to, size_t n, uint64_t *seed)
{
    const bool extreme = test_random(seed) % 4 == 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t v = (uint8_t)test_random(seed);
        ((uint8_t *)to)[i] = extreme ? (uint8_t)(v & 1 ? 0x80 : v & 2 ? 0x7f : 0xff * (v >> 7)) : v;
    }
}

static krn_factor a_factor(uint64_t *seed, float low, float high)
{
    return krn_factor_of(exp2((double)test_uniform(seed, low, high)));
}

/* Parameters of any size that the planner could make, and some that it would not. */
static krn_q_binary a_pair(krn_q2_way way, uint64_t *seed)
{
    const bool is_unsigned = test_random(seed) & 1, real = test_random(seed) & 1;
    const int32_t low = is_unsigned ? 0 : -128;
    krn_q_binary p = {.way = way,
                      .type = is_unsigned ? KRN_U8 : KRN_I8,
                      .to = is_unsigned ? KRN_U8 : KRN_I8,
                      .zero_a = low + (int32_t)(test_random(seed) % 256),
                      .zero_b = low + (int32_t)(test_random(seed) % 256),
                      .zero = low + (int32_t)(test_random(seed) % 256),
                      .low = low + (int32_t)(test_random(seed) % 20),
                      .high = low + 255 - (int32_t)(test_random(seed) % 20),
                      .factor_a = a_factor(seed, -6, 0),
                      .factor_b = a_factor(seed, -6, 0),
                      .factor = a_factor(seed, -22, -10)};
    if (way == KRN_Q2_MINIMUM || way == KRN_Q2_MAXIMUM) p.zero_a = p.zero_b = p.zero = 0;
    if (way == KRN_Q2_MUL) p.factor = a_factor(seed, -16, 13);
    if (way == KRN_Q2_SQUARED_DIFFERENCE) p.factor = a_factor(seed, -40, 4);
    if (way == KRN_Q2_PRELU) p.factor_b = a_factor(seed, -16, 13);
    const bool sum = way == KRN_Q2_ADD || way == KRN_Q2_SUB;
    p.left = sum ? 20 : 7;
    p.real = real && (sum || way == KRN_Q2_MUL);
    p.real_a = ldexpf((float)p.factor.m, p.factor.shift - 31);
    if (!p.real || !sum) return p;
    p.left = 13 + (int)(test_random(seed) % 18);
    p.mul_a = (1 << 20) + (int32_t)(test_random(seed) % ((1 << 20) + 1));
    p.mul_b = (int32_t)(test_random(seed) % ((1 << 22) + 1)) - (1 << 21);
    return p;
}

/* Straight, against a column, a row, one value; both ways round. */
static krn_q_spread a_spread(size_t rows, size_t n, unsigned kind)
{
    static const struct {
        bool row_a, row_b, step_a, step_b;
    } kinds[] = {{1, 1, 1, 1}, {1, 1, 1, 0}, {1, 0, 1, 1}, {1, 0, 1, 0},
                 {1, 1, 0, 1}, {0, 1, 1, 1}, {0, 1, 0, 1}, {1, 1, 0, 0}};
    const size_t step_a = kinds[kind].step_a, step_b = kinds[kind].step_b;
    return (krn_q_spread){.rows = rows,
                          .n = n,
                          .row_a = kinds[kind].row_a ? step_a ? n : 1 : 0,
                          .row_b = kinds[kind].row_b ? step_b ? n : 1 : 0,
                          .step_a = step_a,
                          .step_b = step_b};
}

static size_t bytes_of(size_t rows, size_t n, size_t row, size_t step)
{
    return (rows - 1) * row + (n - 1) * step + 1;
}

static void compare_pairs(const krn_q_binary *p, const krn_q_spread *s, uint64_t seed)
{
    const size_t n = s->rows * s->n, in_a = bytes_of(s->rows, s->n, s->row_a, s->step_a);
    const size_t in_b = bytes_of(s->rows, s->n, s->row_b, s->step_b);
    check_guard a = seed & 1 ? check_guard_make(in_a) : check_guard_make_front(in_a);
    check_guard b = seed & 1 ? check_guard_make(in_b) : check_guard_make_front(in_b);
    check_guard want = check_guard_make(n);
    check_guard got = seed & 2 ? check_guard_make(n) : check_guard_make_front(n);
    fill(a.data, in_a, &seed);
    fill(b.data, in_b, &seed);
    krn_q_pairs_ref(want.data, a.data, b.data, s, p);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        memset(got.data, 0x5a, n);
        k.pairs(got.data, a.data, b.data, s, p);
        if (memcmp(got.data, want.data, n) != 0)
            fail_msg("%s: way %d, %zu rows of %zu", k.pairs_name, (int)p->way, s->rows, s->n);
    }
    check_guard_free(&a);
    check_guard_free(&b);
    check_guard_free(&want);
    check_guard_free(&got);
}

static void pairs(void **state)
{
    static const krn_q2_way ways[] = {KRN_Q2_ADD,
                                      KRN_Q2_SUB,
                                      KRN_Q2_MUL,
                                      KRN_Q2_PRELU,
                                      KRN_Q2_MINIMUM,
                                      KRN_Q2_MAXIMUM,
                                      KRN_Q2_SQUARED_DIFFERENCE};
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(4000); seed++) {
        uint64_t random = seed;
        const krn_q_binary p = a_pair(ways[seed % NF_COUNT(ways)], &random);
        const size_t rows = 1 + test_random(&random) % 4, n = 1 + test_random(&random) % 70;
        const krn_q_spread s = a_spread(rows, n, test_random(&random) % 8);
        assert_true(krn_q_pairs_fit(&p));
        compare_pairs(&p, &s, random);
    }
}

/* Every product, in every rounding that ties fall into. */
static void all_products(void **state)
{
    static const float reals[] = {0.5f, 0.25f, 1, 2, 0.0078125f, 0.01f, 1.5f};
    uint8_t a[256], want[256], got[256];
    (void)state;
    for (size_t i = 0; i < 256; i++)
        a[i] = (uint8_t)i;
    for (size_t i = 0; i < 2 * NF_COUNT(reals); i++) {
        const krn_q_binary p = {.way = KRN_Q2_MUL,
                                .zero_a = 3,
                                .zero_b = -128,
                                .zero = -5,
                                .low = -128,
                                .high = 127,
                                .type = KRN_I8,
                                .to = KRN_I8,
                                .real = i % 2,
                                .real_a = reals[i / 2],
                                .factor = krn_factor_of((double)reals[i / 2])};
        const krn_q_spread s = {.rows = 1, .n = 256, .step_a = 1};
        for (size_t t = 0; t < check_n_tiers; t++)
            for (size_t b = 0; check_can_run(&check_tiers[t]) && b < 256; b++) {
                krn_qs8 k;
                krn_qs8_init(&k, check_tiers[t].bits);
                krn_q_pairs_ref(want, a, &a[b], &s, &p);
                k.pairs(got, a, &a[b], &s, &p);
                assert_memory_equal(got, want, 256);
            }
    }
}

/* What the fast kernels cannot do in 32 bits is refused. */
static void refused(void **state)
{
    krn_q_binary p = {.way = KRN_Q2_ADD, .type = KRN_I8, .to = KRN_I8, .real = true, .left = 31};
    (void)state;
    assert_false(krn_q_pairs_fit(&p));
    p.left = 30;
    assert_true(krn_q_pairs_fit(&p));
    p.mul_b = -(1 << 21) - 1;
    assert_false(krn_q_pairs_fit(&p));
    p.way = KRN_Q2_DIV;
    assert_false(krn_q_pairs_fit(&p));
    p.way = KRN_Q2_MUL;
    assert_true(krn_q_pairs_fit(&p));
    p.type = p.to = KRN_I16;
    assert_false(krn_q_pairs_fit(&p));
}

static krn_q_reduce a_reduction(uint64_t *seed)
{
    const uint64_t bits = test_random(seed);
    const bool is_unsigned = bits & 1;
    const int32_t low = is_unsigned ? 0 : -128;
    krn_q_reduce p = {.way = bits & 2 ? KRN_Q_REDUCE_MEAN : KRN_Q_REDUCE_SUM,
                      .type = is_unsigned ? KRN_U8 : KRN_I8,
                      .zero_x = low + (int32_t)(test_random(seed) % 256),
                      .zero = low + (int32_t)(test_random(seed) % 256),
                      .low = low,
                      .high = low + 255,
                      .scale_x = exp2f(test_uniform(seed, -6, 2)),
                      .scale = exp2f(test_uniform(seed, -6, 2)),
                      .real = bits & 4};
    if (bits & 8) p.scale = p.scale_x; /* means of few values then have ties */
    p.factor = krn_factor_of((double)p.scale_x / (double)p.scale);
    return p;
}

static void compare_sums(const krn_q_reduce *p, const size_t dim[3], uint64_t seed)
{
    const size_t n = dim[0] * dim[1] * dim[2], kept = dim[0] * dim[2];
    check_guard x = seed & 1 ? check_guard_make(n) : check_guard_make_front(n);
    check_guard want = check_guard_make(kept), got = check_guard_make(kept);
    check_guard sums = check_guard_make(kept * sizeof(int64_t));
    check_guard acc = check_guard_make(kept * sizeof(int32_t) + KRN_Q_SUMS_SLACK);
    krn_groups g;
    krn_q_axis axis;
    krn_groups_of(&g, dim, 3, 1u << 1);
    assert_true(krn_q_axis_of(&axis, &g, p));
    fill(x.data, n, &seed);
    krn_q_reduce_ref(want.data, x.data, &g, p, sums.data);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        if (!k.sums) continue;
        memset(got.data, 0x5a, kept);
        k.sums(got.data, x.data, &axis, p, acc.data);
        if (memcmp(got.data, want.data, kept) != 0)
            fail_msg("%s: %zu x %zu x %zu", k.sums_name, dim[0], dim[1], dim[2]);
    }
    check_guard_free(&x);
    check_guard_free(&want);
    check_guard_free(&got);
    check_guard_free(&sums);
    check_guard_free(&acc);
}

/* Along the last axis, the first and the middle one. */
static void sums(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(2000); seed++) {
        uint64_t random = seed;
        const krn_q_reduce p = a_reduction(&random);
        const size_t dim[3] = {seed % 3 == 1 ? 1 : 1 + test_random(&random) % 40,
                               1 + test_random(&random) % 70,
                               seed % 3 == 0 ? 1 : 1 + test_random(&random) % 150};
        compare_sums(&p, dim, random);
    }
}

/* Groups that are no single axis, types and ways that only the plain one has. */
static void sums_refused(void **state)
{
    const size_t dim[4] = {2, 3, 4, 5}, none[2] = {3, 0};
    krn_q_reduce p = {.way = KRN_Q_REDUCE_MEAN, .type = KRN_I8, .scale_x = 1, .scale = 1};
    krn_groups g;
    krn_q_axis axis;
    (void)state;
    krn_groups_of(&g, dim, 4, 0x9);
    assert_false(krn_q_axis_of(&axis, &g, &p));
    krn_groups_of(&g, none, 2, 0x2);
    assert_false(krn_q_axis_of(&axis, &g, &p));
    krn_groups_of(&g, dim, 4, 0x6);
    assert_true(krn_q_axis_of(&axis, &g, &p));
    p.type = KRN_I16;
    assert_false(krn_q_axis_of(&axis, &g, &p));
    p.type = KRN_I8;
    p.way = KRN_Q_REDUCE_PROD;
    assert_false(krn_q_axis_of(&axis, &g, &p));
}

static void compare_softmax(const krn_qs8_softmax *p, size_t rows, size_t n, uint64_t seed)
{
    check_guard x = seed & 1 ? check_guard_make(rows * n) : check_guard_make_front(rows * n);
    check_guard want = check_guard_make(rows * n);
    check_guard got = seed & 1 ? check_guard_make(rows * n) : check_guard_make_front(rows * n);
    fill(x.data, rows * n, &seed);
    krn_qs8_softmax_ref(want.data, x.data, rows, n, p);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        memset(got.data, 0x5a, rows * n);
        k.softmax(got.data, x.data, rows, n, p);
        if (memcmp(got.data, want.data, rows * n) != 0)
            fail_msg("%s: %zu rows of %zu", k.softmax_name, rows, n);
    }
    check_guard_free(&x);
    check_guard_free(&want);
    check_guard_free(&got);
}

/* Scales from those where all values are alike to those where only the largest counts; the last
 * make infinite exponentials, and no numbers of them. */
static krn_qs8_softmax a_softmax(uint64_t *seed)
{
    const bool is_unsigned = test_random(seed) & 1;
    krn_qs8_softmax p = {.round = test_random(seed) & 1 ? KRN_ROUND_FIXED : KRN_ROUND_FLOAT,
                         .is_unsigned = is_unsigned,
                         .out_scale = exp2f(test_uniform(seed, -16, -4)),
                         .out_zero = is_unsigned ? 0 : -128};
    if (test_random(seed) % 4 == 0) p.out_scale = 1.0f / 256;
    if (test_random(seed) % 8 == 0) p.out_zero = (int32_t)(test_random(seed) % 256) - 128;
    const bool odd = p.round == KRN_ROUND_FLOAT && test_random(seed) % 16 == 0;
    krn_qs8_softmax_init(&p, exp2f(test_uniform(seed, -9, 4)), odd ? -1.0f : 1.0f);
    return p;
}

static void softmax(void **state)
{
    static const size_t wide[] = {512, 1000, 1001, 1023, 1024, 1025};
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(1500); seed++) {
        uint64_t random = seed;
        const krn_qs8_softmax p = a_softmax(&random);
        const size_t n = seed % 50 ? 1 + test_random(&random) % 100 : wide[seed / 50 % 6];
        compare_softmax(&p, 1 + test_random(&random) % 9, n, random);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs), cmocka_unit_test(all_products), cmocka_unit_test(refused),
        cmocka_unit_test(sums),  cmocka_unit_test(sums_refused), cmocka_unit_test(softmax),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
