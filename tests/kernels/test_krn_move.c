/* test_krn_move.c - kernels that move, pick and sort elements, against loops over every index and
 * results written down by hand. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_move.h"
#include "engine/kernels/krn_order.h"

#include <math.h>
#include <string.h>

/* y of the box, element by element, by division of the place. */
static void naive_box(uint8_t *y, const uint8_t *x, size_t size, const krn_box *b)
{
    size_t n = 1;
    for (int i = 0; i < b->rank; i++)
        n *= b->dim[i];
    for (size_t e = 0; e < n; e++) {
        ptrdiff_t at_y = 0, at_x = 0;
        size_t left = e;
        for (int i = b->rank - 1; i >= 0; i--) {
            at_y += (ptrdiff_t)(left % b->dim[i]) * b->step_y[i];
            at_x += (ptrdiff_t)(left % b->dim[i]) * b->step_x[i];
            left /= b->dim[i];
        }
        memcpy(y + at_y * (ptrdiff_t)size, x + at_x * (ptrdiff_t)size, size);
    }
}

/* A transpose of random dimensions: x in C order, y in the order of a random permutation. */
static krn_box random_transpose(uint64_t *seed, size_t *elems)
{
    krn_box b = {.rank = (int)(test_random(seed) % 6)};
    size_t dim[KRN_RANK];
    ptrdiff_t step_x[KRN_RANK];
    int perm[KRN_RANK];
    *elems = 1;
    for (int i = 0; i < b.rank; i++) {
        const int at = (int)(test_random(seed) % (uint64_t)(i + 1));
        perm[i] = perm[at];
        perm[at] = i;
        dim[i] = 1 + test_random(seed) % (b.rank > 3 ? 4 : 40);
        *elems *= dim[i];
    }
    krn_steps(step_x, dim, b.rank);
    for (int i = 0; i < b.rank; i++) {
        b.dim[i] = dim[perm[i]];
        b.step_x[i] = step_x[perm[i]];
    }
    krn_steps(b.step_y, b.dim, b.rank);
    return b;
}

static void boxes_equal_plain_loops(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 8, 16};
    uint64_t seed = 11;
    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t elems;
        const size_t size = sizes[(size_t)round % NF_COUNT(sizes)];
        const krn_box b = random_transpose(&seed, &elems);
        check_guard x = check_guard_make(elems * size), y = check_guard_make(elems * size),
                    want = check_guard_make(elems * size);
        for (size_t i = 0; i < elems * size; i++)
            ((uint8_t *)x.data)[i] = (uint8_t)test_random(&seed);
        naive_box(want.data, x.data, size, &b);
        krn_box_ref(y.data, x.data, size, &b);
        if (memcmp(y.data, want.data, elems * size) != 0) fail_msg("round %d", round);
        memset(y.data, 0, elems * size);
        krn_box_copy(y.data, x.data, size, &b);
        if (memcmp(y.data, want.data, elems * size) != 0) fail_msg("quick, round %d", round);
        check_guard_free(&x);
        check_guard_free(&y);
        check_guard_free(&want);
    }
}

static void boxes_join_their_axes(void **state)
{
    krn_box b = {4, {2, 1, 3, 4}, {12, 12, 4, 1}, {12, 0, 4, 1}};
    (void)state;
    krn_box_join(&b);
    assert_int_equal(b.rank, 1);
    assert_int_equal(b.dim[0], 24);
}

static void boxes_repeat_and_turn(void **state)
{
    const krn_box twice = {2, {2, 3}, {3, 1}, {0, 1}}, turned = {1, {3}, {1}, {-1}};
    const krn_box none = {2, {0, 3}, {3, 1}, {3, 1}};
    char y[7] = {0};
    (void)state;
    krn_box_ref(y, "abc", 1, &twice);
    assert_string_equal(y, "abcabc");
    krn_box_ref(y, &"abc"[2], 1, &turned);
    assert_memory_equal(y, "cba", 3);
    krn_box_ref(NULL, NULL, 1, &none);
}

static void pads_repeat_as_their_mode_says(void **state)
{
    static const struct {
        krn_pad_mode mode;
        const char *x, *want;
        int64_t before;
    } cases[] = {
        {KRN_PAD_VALUE, "abc", "--abc--", 2},
        {KRN_PAD_REFLECT, "abcd", "dcbabcdcbabcd", 3},
        {KRN_PAD_REFLECT, "ab", "ababababa", 4},
        {KRN_PAD_REFLECT, "a", "aaaa", 2},
        {KRN_PAD_EDGE, "abc", "aaabccc", 2},
        {KRN_PAD_WRAP, "abc", "bcabcabca", 2},
        {KRN_PAD_WRAP, "ab", "bababab", 3},
        {KRN_PAD_SYMMETRIC, "abc", "cbaabccbaab", 3},
        {KRN_PAD_VALUE, "abcdef", "bcd", -1},
        {KRN_PAD_VALUE, "abcdef", "f---", -5},
        {KRN_PAD_SYMMETRIC, "abc", "abccbaabc", 6},
        {KRN_PAD_REFLECT, "abcde", "cdedcb", -2},
        {KRN_PAD_VALUE, "", "---", 1},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        char y[32] = {0};
        const krn_pad p = {.rank = 1,
                           .in = {strlen(cases[i].x)},
                           .out = {strlen(cases[i].want)},
                           .before = {cases[i].before},
                           .mode = cases[i].mode};
        krn_pad_ref(y, cases[i].x, "-", 1, &p);
        if (strcmp(y, cases[i].want) != 0) fail_msg("case %zu: %s", i, y);
    }
}

static void pads_go_along_several_axes(void **state)
{
    const krn_pad p = {.rank = 3, .in = {2, 1, 2}, .out = {3, 2, 2}, .before = {1, 0, 0}};
    const krn_pad edge = {
        .rank = 2, .in = {2, 2}, .out = {3, 4}, .before = {0, 1}, .mode = KRN_PAD_EDGE};
    char y[13] = {0};
    (void)state;
    krn_pad_ref(y, "abcd", "-", 1, &p);
    assert_string_equal(y, "----ab--cd--");
    krn_pad_ref(y, "abcd", "-", 1, &edge);
    assert_string_equal(y, "aabbccddccdd");
}

/* Elements of every size, and a value whose bytes are alike or not. */
static void fills_repeat_one_value(void **state)
{
    char y[16 * 9];
    (void)state;
    for (size_t size = 1; size <= 16; size++)
        for (size_t n = 0; n <= 8; n++)
            for (int alike = 0; alike < 2; alike++) {
                const char *value = alike ? "................" : "abcdefghijklmnop";
                memset(y, '-', sizeof(y));
                krn_fill_ref(y, value, size, n);
                for (size_t i = 0; i < n; i++)
                    assert_memory_equal(y + i * size, value, size);
                assert_int_equal(y[n * size], '-');
            }
}

static void places_out_of_range_are_named(void **state)
{
    const krn_gather g = {1, 1, 3, 1, 3};
    const krn_tuples t = {1, 2, 1, 2, {2, 2}};
    const krn_elements e = {1, 0, {3}, {3}};
    const int64_t good[] = {-1, 0, 2}, bad[] = {0, 3, -4}, pairs[] = {1, 0, 0, 2};
    char y[4] = {0};
    (void)state;
    assert_true(krn_gather_ref(y, "abc", good, 1, &g) == KRN_ALL_FOUND);
    assert_memory_equal(y, "cac", 3);
    assert_int_equal(krn_gather_ref(y, "abc", bad, 1, &g), 1);
    assert_memory_equal(y, "a\0\0", 3);
    assert_int_equal(krn_gather_nd_ref(y, "abcd", pairs, 1, &t), 3);
    assert_int_equal(y[0], 'c');
    assert_int_equal(krn_gather_elements_ref(y, "abc", bad, 1, &e), 1);
    assert_int_equal(
        krn_scatter_elements_ref(y, "xyz", bad, 1, &e, krn_update_of(KRN_SCATTER_SET, KRN_I8)), 1);
    assert_memory_equal(y, "x\0\0", 3);
}

static void updates_are_combined(void **state)
{
    static const float want[] = {5, 7, 10, 5, 2};
    const krn_elements e = {1, 0, {1}, {1}};
    const int64_t at[] = {0}, wide[] = {0, 0};
    const krn_tuples t = {1, 2, 1, 1, {1}};
    (void)state;
    for (int how = KRN_SCATTER_SET; how <= KRN_SCATTER_MIN; how++) {
        float y = 2;
        const float u = 5;
        const krn_update_fn update = krn_update_of((krn_scatter)how, KRN_F32);
        assert_true(krn_scatter_elements_ref(&y, &u, at, 4, &e, update) == KRN_ALL_FOUND);
        assert_true(y == want[how]);
    }
    int32_t y = INT32_MAX;
    const int32_t u[] = {1, 5};
    krn_scatter_nd_ref(&y, u, wide, 4, &t, krn_update_of(KRN_SCATTER_ADD, KRN_I32));
    assert_int_equal(y, INT32_MIN + 5);
    assert_null(krn_update_of(KRN_SCATTER_ADD, KRN_BOOL));
}

static void the_best_are_found_in_order(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (int round = 0; round < 200; round++) {
        int32_t x[2 * 37 * 3];
        int64_t places[2 * 37 * 3];
        size_t room[37];
        const size_t n = 1 + test_random(&seed) % 37, k = 1 + test_random(&seed) % n;
        const krn_top t = {krn_compare_of(KRN_I32), 4, 2, n, 3, k, round % 2 == 1};
        for (size_t i = 0; i < 2 * n * 3; i++)
            x[i] = (int32_t)(test_random(&seed) % 11) - 5;
        krn_top_k_ref(places, x, &t, room);
        for (size_t o = 0; o < 2; o++)
            for (size_t in = 0; in < 3; in++)
                for (size_t i = 0; i < k; i++) { /* as many stand before it as its place says */
                    const int64_t p = places[(o * k + i) * 3 + in];
                    const int32_t v = x[(o * n + (size_t)p) * 3 + in];
                    size_t before = 0;
                    for (size_t j = 0; j < n; j++) {
                        const int32_t w = x[(o * n + j) * 3 + in];
                        before += t.smallest ? w < v : w > v;
                        before += w == v && (int64_t)j < p;
                    }
                    assert_int_equal(before, i);
                }
    }
}

static void not_a_number_is_above_all(void **state)
{
    const float x[] = {1, NAN, -INFINITY, INFINITY};
    const krn_top t = {krn_compare_of(KRN_F32), 4, 1, 4, 1, 4, false};
    const int64_t want[] = {1, 3, 0, 2};
    int64_t places[4];
    size_t room[4];
    (void)state;
    krn_top_k_ref(places, x, &t, room);
    assert_memory_equal(places, want, sizeof(want));
}

static void different_ones_are_counted(void **state)
{
    static const int32_t x[] = {7, 3, 7, 9, 3, 7};
    static const size_t first[2][3] = {{1, 0, 3}, {0, 1, 3}}, times[2][3] = {{2, 3, 1}, {3, 2, 1}},
                        inverse[2][6] = {{1, 0, 1, 2, 0, 1}, {0, 1, 0, 2, 1, 0}};
    const krn_items items = {x, krn_compare_of(KRN_I32), 4, 1, 6, 1};
    (void)state;
    for (int as_met = 0; as_met < 2; as_met++) {
        size_t room[KRN_UNIQUE_ROOM * 6];
        krn_unique u;
        krn_unique_in(&u, room, 6);
        assert_int_equal(krn_unique_ref(&u, &items, !as_met), 3);
        assert_memory_equal(u.first, first[as_met], sizeof(first[0]));
        assert_memory_equal(u.times, times[as_met], sizeof(times[0]));
        assert_memory_equal(u.inverse, inverse[as_met], sizeof(inverse[0]));
    }
}

static void columns_and_words_are_compared_whole(void **state)
{
    static const uint8_t columns[2][3] = {{1, 0, 1}, {2, 5, 2}};
    static const nf_span words[] = {{"ab", 2}, {"a", 1}, {"ab", 2}, {"", 0}};
    const krn_items c = {columns, krn_compare_of(KRN_U8), 1, 2, 3, 1};
    const krn_items w = {words, krn_compare_text, sizeof(nf_span), 1, 4, 1};
    const size_t want[] = {3, 1, 0};
    size_t room[KRN_UNIQUE_ROOM * 4];
    krn_unique u;
    (void)state;
    krn_unique_in(&u, room, 4);
    assert_int_equal(krn_unique_ref(&u, &c, true), 2);
    assert_int_equal(u.first[0], 1);
    assert_int_equal(krn_unique_ref(&u, &w, true), 3);
    assert_memory_equal(u.first, want, sizeof(want));
}

static void sorts_keep_equal_ones_in_order(void **state)
{
    uint64_t seed = 3;
    uint8_t x[100];
    size_t order[100], room[100];
    (void)state;
    for (size_t n = 0; n <= 100; n++) {
        const krn_items items = {x, krn_compare_of(KRN_U8), 1, 1, n, 1};
        for (size_t i = 0; i < n; i++)
            x[i] = (uint8_t)(test_random(&seed) % 9);
        krn_sort_ref(order, room, &items);
        for (size_t i = 1; i < n; i++)
            assert_true(x[order[i - 1]] < x[order[i]] ||
                        (x[order[i - 1]] == x[order[i]] && order[i - 1] < order[i]));
    }
}

static void places_of_what_is_not_zero(void **state)
{
    static const uint8_t is[2][3] = {{1, 0, 1}, {0, 1, 0}};
    static const int64_t columns[] = {0, 0, 1, 0, 2, 1}, rows[] = {0, 0, 0, 2, 1, 1};
    const size_t dim[] = {2, 3};
    int64_t y[6];
    (void)state;
    assert_int_equal(krn_count_ref(&is[0][0], 6), 3);
    krn_non_zero_ref(y, &is[0][0], dim, 2, 3, false);
    assert_memory_equal(y, columns, sizeof(y));
    krn_non_zero_ref(y, &is[0][0], dim, 2, 3, true);
    assert_memory_equal(y, rows, sizeof(y));
}

static void triangles_and_marks(void **state)
{
    static const struct {
        int64_t k;
        bool upper;
        const char *want;
    } cases[] = {{0, true, "abcd-fgh"},          {1, true, "-bcd--gh"},  {-5, true, "abcdefgh"},
                 {INT64_MAX, true, "--------"},  {0, false, "a---ef--"}, {-1, false, "----e---"},
                 {INT64_MIN, false, "--------"}, {9, false, "abcdefgh"}};
    static const int64_t at[] = {1, -1, 5};
    const krn_one_hot hot = {3, 2, 1, true}, cold = {3, 2, 1, false};
    char y[9] = {0};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        krn_trilu_ref(y, "abcdefgh", "-", 1, (size_t[]){1, 2, 4}, cases[i].k, cases[i].upper);
        assert_string_equal(y, cases[i].want);
    }
    krn_one_hot_ref(y, at, "#", ".", 1, &hot);
    assert_memory_equal(y, ".#.#..", 6);
    krn_one_hot_ref(y, at, "#", ".", 1, &cold);
    assert_memory_equal(y, ".#....", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_equal_plain_loops),
        cmocka_unit_test(boxes_join_their_axes),
        cmocka_unit_test(boxes_repeat_and_turn),
        cmocka_unit_test(pads_repeat_as_their_mode_says),
        cmocka_unit_test(pads_go_along_several_axes),
        cmocka_unit_test(fills_repeat_one_value),
        cmocka_unit_test(places_out_of_range_are_named),
        cmocka_unit_test(updates_are_combined),
        cmocka_unit_test(the_best_are_found_in_order),
        cmocka_unit_test(not_a_number_is_above_all),
        cmocka_unit_test(different_ones_are_counted),
        cmocka_unit_test(columns_and_words_are_compared_whole),
        cmocka_unit_test(sorts_keep_equal_ones_in_order),
        cmocka_unit_test(places_of_what_is_not_zero),
        cmocka_unit_test(triangles_and_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
