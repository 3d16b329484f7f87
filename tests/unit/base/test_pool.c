/* test_pool.c - every piece of work is done once, workers that sleep wake up, sizes are checked.
 * Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/pool.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define PIECES 5000

typedef struct tally {
    atomic_uint by_lane[NF_POOL_MOST]; /* calls */
    atomic_uint next, pieces[PIECES];
} tally;

static void count(void *user, size_t lane)
{
    tally *t = user;
    atomic_fetch_add(&t->by_lane[lane], 1);
    for (;;) {
        const unsigned i = atomic_fetch_add(&t->next, 1);
        if (i >= PIECES) return;
        atomic_fetch_add(&t->pieces[i], 1);
    }
}

/* Every piece is done once when the call returns; a lane comes once or, too late, not at all. */
static void a_round_is_done_once(void **state)
{
    static tally t;
    unsigned helped = 0;
    (void)state;
    for (size_t threads = 1; threads <= 5; threads++) {
        nf_pool *p;
        nf_error err = {0};
        assert_ok(nf_pool_create(&p, threads, &err), &err);
        for (unsigned round = 1; round <= 200; round++) {
            if (round % 50 == 0) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
            memset(&t, 0, sizeof(t));
            nf_pool_run(p, count, &t);
            for (size_t i = 0; i < PIECES; i++)
                assert_int_equal(atomic_load(&t.pieces[i]), 1);
            assert_int_equal(atomic_load(&t.by_lane[0]), 1);
            for (size_t lane = 1; lane < NF_POOL_MOST; lane++) {
                assert_true(atomic_load(&t.by_lane[lane]) <= (lane < threads));
                helped += atomic_load(&t.by_lane[lane]);
            }
        }
        nf_pool_destroy(&p);
        assert_null(p);
    }
    assert_true(helped > 0);
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
        cmocka_unit_test(a_round_is_done_once),
        cmocka_unit_test(sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
