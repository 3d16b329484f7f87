/* test_arena.c - blocks that live together never overlap; the bound is one. Layer: tests. */
#include "tests/support/support.h"

#include "engine/plan/arena.h"

static bool together(const plan_block *a, const plan_block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static void check_plan(plan_block *b, size_t n, size_t total, size_t bound)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(b[i].offset % PLAN_ALIGN, 0);
        assert_true(b[i].offset + b[i].bytes <= total);
        for (size_t j = 0; j < i; j++)
            if (together(&b[i], &b[j]) && b[i].bytes && b[j].bytes)
                assert_true(b[i].offset + b[i].bytes <= b[j].offset ||
                            b[j].offset + b[j].bytes <= b[i].offset);
    }
    assert_true(bound <= total);
}

static void random_lives_do_not_overlap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t r = seed;
        plan_block b[40];
        const size_t n = 1 + test_random(&r) % NF_COUNT(b);
        size_t total, bound;
        nf_error err = {0};
        for (size_t i = 0; i < n; i++) {
            const uint32_t first = (uint32_t)(test_random(&r) % 30);
            b[i] = (plan_block){test_random(&r) % 5000, first,
                                first + (uint32_t)(test_random(&r) % 6), 0};
        }
        assert_ok(plan_arena(b, n, &total, &bound, &err), &err);
        check_plan(b, n, total, bound);
    }
}

/* A chain a -> b -> c needs room for two neighbours, not for three. */
static void chain_reuses_memory(void **state)
{
    (void)state;
    plan_block b[] = {{640, 0, 1, 0}, {128, 1, 2, 0}, {640, 2, 3, 0}};
    size_t total, bound;
    assert_int_equal(plan_arena(b, NF_COUNT(b), &total, &bound, NULL), NF_OK);
    assert_int_equal(bound, 768);
    assert_int_equal(total, 768);
    check_plan(b, NF_COUNT(b), total, bound);
}

static void sizes_that_wrap_are_refused(void **state)
{
    (void)state;
    plan_block b[] = {{SIZE_MAX / 2 + 64, 0, 1, 0}, {SIZE_MAX / 2 + 64, 0, 1, 0}};
    size_t total, bound;
    nf_error err = {0};
    assert_int_equal(plan_arena(b, NF_COUNT(b), &total, &bound, &err), NF_EBUDGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_do_not_overlap),
        cmocka_unit_test(chain_reuses_memory),
        cmocka_unit_test(sizes_that_wrap_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
