/* test_pool.c - every lane works once a round, workers that sleep wake up, sizes are checked.
 * Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/pool.h"

#include <stdatomic.h>
#include <time.h>

typedef struct tally {
    atomic_uint by_lane[NF_POOL_MOST];
} tally;

static void count(void *user, size_t lane)
{
    tally *t = user;
    atomic_fetch_add(&t->by_lane[lane], 1);
}

static void every_lane_works_once_a_round(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 5; threads++) {
        tally t = {0};
        nf_pool *p;
        nf_error err = {0};
        assert_ok(nf_pool_create(&p, threads, &err), &err);
        for (unsigned round = 1; round <= 300; round++) {
            if (round % 100 == 0) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
            nf_pool_run(p, count, &t);
            for (size_t lane = 0; lane < NF_POOL_MOST; lane++)
                assert_int_equal(atomic_load(&t.by_lane[lane]), lane < threads ? round : 0);
        }
        nf_pool_destroy(&p);
        assert_null(p);
    }
}

static void sizes_are_checked(void **state)
{
    nf_pool *p;
    nf_error err = {0};
    (void)state;
    assert_int_equal(nf_pool_create(&p, 0, &err), NF_EINVAL);
    assert_int_equal(nf_pool_create(&p, NF_POOL_MOST + 1, &err), NF_EINVAL);
    assert_null(p);
    nf_pool_destroy(&p);
    nf_pool_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lane_works_once_a_round),
        cmocka_unit_test(sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
