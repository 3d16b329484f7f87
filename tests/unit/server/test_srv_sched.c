/* test_srv_sched.c - the queue is bounded, runs every job once, and says when it is cancelled.
 * Layer: tests. */
#include "server/sched/sched.h"
#include "tests/support/support.h"

#include <stdatomic.h>
#include <unistd.h>

typedef struct test_job {
    srv_job job;
    atomic_int *runs, *cancelled;
    atomic_bool *gate;
} test_job;

static void run(srv_job *job, unsigned slot, bool cancelled)
{
    test_job *t = (test_job *)job;
    while (!atomic_load(t->gate))
        usleep(100);
    assert_in_range(slot, 5, 6);
    atomic_fetch_add(cancelled ? t->cancelled : t->runs, 1);
}

static srv_sched *make(size_t most)
{
    const srv_sched_options o = {
        .name = "t", .threads = 2, .first_slot = 5, .most = most, .stack_bytes = 1 << 20};
    srv_sched *s;
    nf_error err = {0};
    assert_ok(srv_sched_create(&s, &o, &err), &err);
    return s;
}

static void full_queues_say_so(void **state)
{
    atomic_int runs = 0, cancelled = 0;
    atomic_bool gate = false;
    test_job jobs[4];
    srv_sched *s = make(4);
    nf_error err = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        jobs[i] =
            (test_job){.job = {.run = run}, .runs = &runs, .cancelled = &cancelled, .gate = &gate};
        assert_int_equal(srv_sched_reserve(s, NULL), NF_OK);
        srv_sched_submit(s, &jobs[i].job);
    }
    assert_int_equal(srv_sched_reserve(s, &err), NF_EBUSY);
    assert_int_equal(srv_sched_pending(s), 4);
    atomic_store(&gate, true);
    srv_sched_destroy(&s);
    assert_null(s);
    assert_int_equal(runs, 4);
}

static void places_come_back(void **state)
{
    enum { N = 5000 };
    static test_job jobs[N];
    atomic_int runs = 0, cancelled = 0;
    atomic_bool gate = true;
    srv_sched *s = make(64);
    (void)state;
    for (int i = 0; i < N; i++) {
        jobs[i] =
            (test_job){.job = {.run = run}, .runs = &runs, .cancelled = &cancelled, .gate = &gate};
        while (srv_sched_reserve(s, NULL))
            usleep(10);
        srv_sched_submit(s, &jobs[i].job);
    }
    srv_sched_destroy(&s);
    assert_int_equal(runs, N);
}

static void what_waits_is_cancelled(void **state)
{
    atomic_int runs = 0, cancelled = 0;
    atomic_bool gate = false;
    test_job jobs[6];
    srv_sched *s = make(6);
    (void)state;
    for (int i = 0; i < 6; i++) {
        jobs[i] =
            (test_job){.job = {.run = run}, .runs = &runs, .cancelled = &cancelled, .gate = &gate};
        assert_int_equal(srv_sched_reserve(s, NULL), NF_OK);
        srv_sched_submit(s, &jobs[i].job);
    }
    srv_sched_cancel(s);
    atomic_store(&gate, true);
    srv_sched_destroy(&s);
    assert_int_equal(runs + cancelled, 6);
    assert_true(cancelled >= 4); /* at most two had been taken before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_queues_say_so),
        cmocka_unit_test(places_come_back),
        cmocka_unit_test(what_waits_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
