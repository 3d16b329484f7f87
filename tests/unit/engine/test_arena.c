/* test_arena.c - blocks that live together never overlap; the bound is one. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
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

/* Activations of MobileNet 0.25 on 96x96x3 in INT8 (MLPerf Tiny, visual wake words), a chain:
 * largest first needs 64,512 bytes, the worst step 55,296. */
static void visual_wake_words_reaches_its_bound(void **state)
{
    (void)state;
    static const size_t bytes[] = {27648, 18432, 18432, 36864, 9216, 18432, 18432, 18432,
                                   4608,  9216,  9216,  9216,  2304, 4608,  4608,  4608,
                                   4608,  4608,  4608,  4608,  4608, 4608,  4608,  4608,
                                   1152,  2304,  2304,  2304,  256,  2,     2};
    plan_block b[NF_COUNT(bytes)], again[NF_COUNT(bytes)];
    size_t total, bound;
    for (size_t i = 0; i < NF_COUNT(b); i++)
        again[i] = b[i] = (plan_block){bytes[i], (uint32_t)i, (uint32_t)i + 1, 0};
    assert_int_equal(plan_arena(b, NF_COUNT(b), &total, &bound, NULL), NF_OK);
    assert_int_equal(bound, 55296);
    assert_int_equal(total, 55296);
    check_plan(b, NF_COUNT(b), total, bound);
    assert_int_equal(plan_arena(again, NF_COUNT(b), &total, &bound, NULL), NF_OK);
    assert_memory_equal(b, again, sizeof(b)); /* the same blocks, the same plan */
}

/* Cuts the rectangle of steps first..last and lines low..high at random until `most` pieces are
 * there: they fill it, so a plan without any gap exists. */
static size_t cut(plan_block *out, size_t most, plan_block whole, uint64_t *r)
{
    const size_t lines = whole.bytes / PLAN_ALIGN;
    const uint32_t steps = whole.last - whole.first + 1;
    plan_block a = whole, b = whole;
    if (most < 2 || (lines < 2 && steps < 2)) {
        out[0] = whole;
        return 1;
    }
    if (steps < 2 || (lines >= 2 && test_random(r) % 2)) {
        a.bytes = (1 + test_random(r) % (lines - 1)) * PLAN_ALIGN;
        b.bytes = whole.bytes - a.bytes;
    } else {
        a.last = whole.first + (uint32_t)(test_random(r) % (steps - 1));
        b.first = a.last + 1;
    }
    const size_t n = cut(out, most / 2, a, r);
    return n + cut(out + n, most - most / 2, b, r);
}

static void cut_rectangles_are_put_together_again(void **state)
{
    (void)state;
    size_t whole = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t r = seed;
        plan_block b[20];
        size_t total, bound;
        const plan_block all = {64 * PLAN_ALIGN, 0, 11, 0};
        const size_t n = cut(b, NF_COUNT(b), all, &r);
        assert_int_equal(plan_arena(b, n, &total, &bound, NULL), NF_OK);
        check_plan(b, n, total, bound);
        assert_int_equal(bound, all.bytes);
        whole += total == bound;
    }
    assert_true(whole >= 97); /* the three orders alone give some 80; the search is bounded */
}

static void scratch_is_told_apart(void **state)
{
    (void)state;
    plan_block b[] = {
        {640, 0, 1, 0}, {128, 1, 2, 0}, {640, 2, 3, 0}, {1024, 1, 1, 0}, {0, 2, 2, 0}};
    plan_sizes sizes;
    assert_int_equal(plan_arena_apart(b, 3, 2, &sizes, NULL), NF_OK);
    assert_int_equal(sizes.values_total, 768);
    assert_int_equal(sizes.values_bound, 768);
    assert_int_equal(sizes.total, 1792);
    assert_int_equal(sizes.bound, 1792);
    check_plan(b, NF_COUNT(b), sizes.total, sizes.bound);
}

/* 100,000 blocks: a long chain reaches its bound; where all live at once, they are stacked. */
static void many_blocks_take_little_time(void **state)
{
    (void)state;
    const size_t n = 100000;
    size_t total, bound;
    plan_block *b = nf_alloc_array(n, sizeof(*b), NF_MEM_MISC);
    assert_non_null(b);
    for (uint32_t i = 0; i < n; i++)
        b[i] = (plan_block){64 + 64 * (i % 3), i, i + 1, 0};
    assert_int_equal(plan_arena(b, n, &total, &bound, NULL), NF_OK);
    assert_true(total <= 2 * bound);
    for (size_t i = 1; i < n; i++)
        assert_true(b[i].offset + b[i].bytes <= b[i - 1].offset ||
                    b[i - 1].offset + b[i - 1].bytes <= b[i].offset);
    for (uint32_t i = 0; i < n; i++)
        b[i] = (plan_block){64, i, (uint32_t)n, 0};
    assert_int_equal(plan_arena(b, n, &total, &bound, NULL), NF_OK);
    assert_int_equal(total, 64 * n);
    assert_int_equal(bound, 64 * n);
    nf_free(b);
}

static void nothing_needs_nothing(void **state)
{
    (void)state;
    plan_block b = {0, 0, 5, 0};
    size_t total = 1, bound = 1;
    assert_int_equal(plan_arena(&b, 1, &total, &bound, NULL), NF_OK);
    assert_int_equal(total + bound, 0);
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
        cmocka_unit_test(visual_wake_words_reaches_its_bound),
        cmocka_unit_test(cut_rectangles_are_put_together_again),
        cmocka_unit_test(scratch_is_told_apart),
        cmocka_unit_test(many_blocks_take_little_time),
        cmocka_unit_test(nothing_needs_nothing),
        cmocka_unit_test(sizes_that_wrap_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
