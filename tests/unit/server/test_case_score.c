/* test_case_score.c - accuracy, precision, recall, F1 against sums done by hand. Layer: tests. */
#include "tests/support/support.h"

#include "server/case/case_score.h"

#include <math.h>

typedef struct row {
    size_t truth, answer;
    int times;
} row;

static srv_score score_of(size_t n_classes, const row *rows, size_t n)
{
    nf_error err = {0};
    srv_scores s;
    assert_ok(srv_scores_init(&s, n_classes, &err), &err);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < rows[i].times; k++)
            srv_scores_add(&s, rows[i].truth, rows[i].answer);
    const srv_score out = srv_scores_of(&s);
    srv_scores_fini(&s);
    return out;
}

static void near_to(double got, double want)
{
    if (fabs(got - want) > 1e-12) fail_msg("got %.15g, want %.15g", got, want);
}

/* Class 0: 8 of 10 found, 9 answers. Class 1: 4 of 5 found, 6 answers. */
static void two_classes(void **state)
{
    const row rows[] = {{0, 0, 8}, {0, 1, 2}, {1, 1, 4}, {1, 0, 1}};
    const srv_score s = score_of(2, rows, NF_COUNT(rows));
    (void)state;
    near_to(s.accuracy, 12.0 / 15.0);
    near_to(s.precision, (8.0 / 9.0 + 4.0 / 6.0) / 2);
    near_to(s.recall, (8.0 / 10.0 + 4.0 / 5.0) / 2);
    near_to(s.f1, (16.0 / 19.0 + 8.0 / 11.0) / 2);
}

/* Class 2 is never true but answered once; class 3 does not occur at all and does not count. */
static void classes_that_do_not_occur(void **state)
{
    const row rows[] = {{0, 0, 3}, {1, 2, 1}};
    const srv_score s = score_of(4, rows, NF_COUNT(rows));
    (void)state;
    near_to(s.accuracy, 3.0 / 4.0);
    near_to(s.precision, 1.0 / 3.0);
    near_to(s.recall, 1.0 / 3.0);
    near_to(s.f1, 1.0 / 3.0);
}

static void nothing_counted_is_zero(void **state)
{
    const srv_score s = score_of(3, NULL, 0);
    (void)state;
    near_to(s.accuracy, 0);
    near_to(s.f1, 0);
}

static void too_many_classes_are_refused(void **state)
{
    nf_error err = {0};
    srv_scores s;
    (void)state;
    assert_int_equal(srv_scores_init(&s, SRV_SCORE_MAX_CLASSES + 1, &err), NF_ETOOLARGE);
    assert_int_equal(srv_scores_init(&s, 0, &err), NF_ETOOLARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_classes),
        cmocka_unit_test(classes_that_do_not_occur),
        cmocka_unit_test(nothing_counted_is_zero),
        cmocka_unit_test(too_many_classes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
