/* test_krn_qs8_matmul.c - 8-bit products of two computed sides on every tier equal the plain one,
 * exactly, in guarded memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_qs8_matmul.h"
#include "engine/kernels/krn_quant_product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 80 /* rows, columns, terms */

typedef struct matmul_case {
    krn_qs8_sides sides;
    krn_factor factor[MOST];
    int32_t bias[MOST];
    krn_requant requant;
    check_guard a, b, want, got;
} matmul_case;

static void fill(check_guard *g, size_t n, uint64_t *seed)
{
    const bool extreme = test_random(seed) % 4 == 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t v = (uint8_t)test_random(seed);
        ((uint8_t *)g->data)[i] = extreme ? (v & 1 ? 0x80 : 0x7f) : v;
    }
}

/* One in three is an end of the range. */
static int32_t a_zero(bool is_unsigned, uint64_t *seed)
{
    const uint64_t kind = test_random(seed) % 6;
    const int32_t low = is_unsigned ? 0 : -128;
    return kind == 0 ? low : kind == 1 ? low + 255 : low + (int32_t)(test_random(seed) % 256);
}

static krn_qs8_sides sides_of(size_t m, size_t n, size_t k, uint64_t *seed)
{
    const uint64_t bits = test_random(seed);
    krn_qs8_sides s = {.m = m,
                       .n = n,
                       .k = k,
                       .adj_a = bits & 1,
                       .adj_b = bits & 2,
                       .a_unsigned = bits & 4,
                       .b_unsigned = bits & 8,
                       .out_unsigned = bits & 16};
    s.zero_a = a_zero(s.a_unsigned, seed);
    s.zero_b = a_zero(s.b_unsigned, seed);
    return s;
}

static void wanted(matmul_case *c)
{
    const krn_qs8_sides *s = &c->sides;
    int16_t *a = calloc(s->m * s->k, sizeof(*a)), *b = calloc(s->k * s->n, sizeof(*b));
    assert_non_null(a);
    assert_non_null(b);
    krn_q_widen_ref(a, c->a.data, s->a_unsigned ? KRN_U8 : KRN_I8, s->zero_a, s->m * s->k);
    krn_q_widen_ref(b, c->b.data, s->b_unsigned ? KRN_U8 : KRN_I8, s->zero_b, s->k * s->n);
    const krn_q_matmul steps = {.m = s->m,
                                .n = s->n,
                                .k = s->k,
                                .a_row = s->adj_a ? 1 : s->k,
                                .a_k = s->adj_a ? s->m : 1,
                                .b_k = s->adj_b ? 1 : s->n,
                                .b_col = s->adj_b ? s->k : 1};
    const krn_q_tail tail = {.way = KRN_TAIL_FIXED,
                             .to = s->out_unsigned ? KRN_U8 : KRN_I8,
                             .factor = c->factor,
                             .zero = c->requant.zero,
                             .low = c->requant.low,
                             .high = c->requant.high};
    krn_q_matmul_ref(c->want.data, a, b, &steps, &tail);
    free(a);
    free(b);
}

static void make(matmul_case *c, size_t m, size_t n, size_t k, uint64_t seed)
{
    const bool front = seed & 1;
    *c = (matmul_case){.sides = sides_of(m, n, k, &seed)};
    const krn_factor f = krn_factor_of(exp2((double)test_uniform(&seed, -14, 1)));
    for (size_t i = 0; i < n; i++)
        c->factor[i] = f;
    const int32_t low = c->sides.out_unsigned ? 0 : -128;
    c->requant = (krn_requant){.round = KRN_ROUND_FIXED,
                               .factor = c->factor,
                               .bias = c->bias,
                               .zero = a_zero(c->sides.out_unsigned, &seed),
                               .low = low + (int32_t)(test_random(&seed) % 9),
                               .high = low + 255 - (int32_t)(test_random(&seed) % 9)};
    c->a = front ? check_guard_make_front(m * k) : check_guard_make(m * k);
    c->b = front ? check_guard_make_front(k * n) : check_guard_make(k * n);
    c->got = front ? check_guard_make_front(m * n) : check_guard_make(m * n);
    c->want = check_guard_make(m * n);
    fill(&c->a, m * k, &seed);
    fill(&c->b, k * n, &seed);
    wanted(c);
}

static void drop(matmul_case *c)
{
    check_guard_free(&c->a);
    check_guard_free(&c->b);
    check_guard_free(&c->want);
    check_guard_free(&c->got);
}

/* Twice with the right side between them another: nothing of it may stay. */
static void run_on(matmul_case *c, const krn_qs8_tier *tier)
{
    krn_qs8_matmul p;
    const krn_qs8_sides *s = &c->sides;
    const size_t bytes = krn_qs8_matmul_bytes(tier, s, &c->requant);
    assert_true(bytes > 0);
    void *memory = nf_alloc(bytes, NF_MEM_WEIGHTS);
    assert_non_null(memory);
    krn_qs8_matmul_pack(&p, tier, s, &c->requant, memory);
    check_guard scratch = check_guard_make(krn_round_up(krn_qs8_matmul_scratch(&p), 64));
    krn_qs8_matmul_take(&p, c->b.data, scratch.data);
    uint8_t *other = malloc(s->k * s->n);
    assert_non_null(other);
    memset(other, 0x5b, s->k * s->n);
    krn_qs8_matmul_take(&p, other, scratch.data);
    free(other);
    krn_qs8_matmul_take(&p, c->b.data, scratch.data);
    memset(c->got.data, 0x5a, s->m * s->n);
    krn_qs8_matmul_run(c->got.data, c->a.data, &p, scratch.data);
    if (memcmp(c->got.data, c->want.data, s->m * s->n) != 0)
        fail_msg("%s: %zu x %zu x %zu, zero points %d and %d", tier->name, s->m, s->k, s->n,
                 s->zero_a, s->zero_b);
    check_guard_free(&scratch);
    nf_free(memory);
}

static void compare(size_t m, size_t n, size_t k, uint64_t seed)
{
    matmul_case c;
    make(&c, m, n, k, seed);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 kernels;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&kernels, check_tiers[t].bits);
        if (kernels.tier) run_on(&c, kernels.tier);
    }
    drop(&c);
}

static void products(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(1500); seed++) {
        uint64_t s = seed;
        const size_t m = 1 + test_random(&s) % MOST, n = 1 + test_random(&s) % MOST;
        compare(m, n, 1 + test_random(&s) % MOST, seed);
    }
}

/* Those of attention with few heads, and the smallest. */
static void shapes(void **state)
{
    static const size_t sizes[][3] = {{32, 32, 4}, {32, 4, 32}, {1, 1, 1},  {1, 64, 3},
                                      {16, 16, 1}, {3, 2, 64},  {64, 8, 16}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(sizes); i++)
        for (uint64_t seed = 1; seed <= 60; seed++)
            compare(sizes[i][0], sizes[i][1], sizes[i][2], seed);
}

/* Sums that could leave 32 bits. */
static void too_large_is_refused(void **state)
{
    const krn_factor factor = krn_factor_of(0.001);
    const int32_t bias = 0;
    const krn_requant r = {
        .round = KRN_ROUND_FIXED, .factor = &factor, .bias = &bias, .low = -128, .high = 127};
    krn_qs8_sides s = {.m = 1, .n = 1, .k = 33000};
    (void)state;
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        if (!k.tier) continue;
        s.k = 33000;
        assert_true(krn_qs8_matmul_bytes(k.tier, &s, &r) > 0);
        s.k = 33100;
        assert_true(krn_qs8_matmul_bytes(k.tier, &s, &r) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(shapes),
        cmocka_unit_test(too_large_is_refused),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
