/* test_link_wire.c - rate and delay of an emulated link, without a clock. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/link_wire.h"
#include "engine/base/mem.h"

#define MS 1000000u

static char a_owner, b_owner;
static uint8_t bytes[100000];

static void put(cl_wire *w, void *owner, size_t n, uint64_t now)
{
    assert_int_equal(cl_wire_put(w, owner, (nf_bytes){bytes, n}, now, NULL), NF_OK);
}

/* Takes all that is due at `now`; the number of bytes. */
static size_t drain(cl_wire *w, uint64_t now)
{
    size_t n = 0;
    cl_chunk *c;
    while ((c = cl_wire_take(w, now))) {
        n += c->len;
        nf_free(c);
    }
    return n;
}

static void delay_alone(void **state)
{
    cl_wire w = {.delay_ns = 30 * MS};
    (void)state;
    put(&w, &a_owner, 200, 5 * MS);
    assert_int_equal(cl_wire_next(&w), 35 * MS);
    assert_int_equal(drain(&w, 35 * MS - 1), 0);
    assert_int_equal(drain(&w, 35 * MS), 200);
    assert_int_equal(cl_wire_next(&w), CL_NEVER);
    assert_int_equal(w.carried, 200);
}

/* 8 Mbit/s are 1,000 bytes a millisecond: what came out by a time is what fits into it. */
static void rate_is_never_exceeded(void **state)
{
    cl_wire w = {.delay_ns = 10 * MS, .rate_bps = 8000000};
    (void)state;
    put(&w, &a_owner, 50000, 0);
    put(&w, &b_owner, 50000, 0); /* another connection, the same line */
    size_t out = 0;
    for (uint64_t t = 0; t <= 110 * MS; t += MS / 4) {
        out += drain(&w, t);
        const uint64_t most = t < 10 * MS ? 0 : (t - 10 * MS) / 1000;
        assert_true(out <= most);
        assert_true(out + 1448 >= (most < 100000 ? most : 100000)); /* at most a piece behind */
    }
    assert_int_equal(out, 100000);
}

static void an_idle_line_earns_nothing(void **state)
{
    cl_wire w = {.rate_bps = 8000000};
    (void)state;
    put(&w, &a_owner, 1000, 1000 * MS); /* a second of idleness gives no burst */
    put(&w, &a_owner, 1000, 1000 * MS);
    assert_int_equal(drain(&w, 1001 * MS), 1000);
    assert_int_equal(drain(&w, 1002 * MS), 1000);
}

static void waiting_and_draining(void **state)
{
    cl_wire w = {.delay_ns = 50 * MS, .rate_bps = 8000000};
    (void)state;
    put(&w, &a_owner, 10000, 0);
    assert_int_equal(cl_wire_waiting(&w, 0), 10000);
    assert_int_equal(cl_wire_waiting(&w, 4 * MS), 6000);
    assert_int_equal(cl_wire_waiting(&w, 10 * MS), 0); /* sent, though still on its way */
    assert_int_equal(cl_wire_drained_at(&w, 6000), 4 * MS);
    cl_wire_fini(&w);
    cl_wire unlimited = {0};
    put(&unlimited, &a_owner, 10000, 7);
    assert_int_equal(cl_wire_waiting(&unlimited, 0), 0);
    assert_int_equal(drain(&unlimited, 7), 10000);
}

static void marks_keep_their_place(void **state)
{
    cl_wire w = {.rate_bps = 8000000};
    (void)state;
    put(&w, &a_owner, 500, 0);
    put(&w, &a_owner, 0, 0);
    cl_chunk *c = cl_wire_take(&w, MS);
    assert_int_equal(c->len, 500);
    nf_free(c);
    c = cl_wire_take(&w, MS);
    assert_int_equal(c->len, 0);
    nf_free(c);
    assert_null(cl_wire_take(&w, MS));
}

static void an_outage_moves_everything(void **state)
{
    cl_wire w = {.delay_ns = 10 * MS};
    (void)state;
    put(&w, &a_owner, 100, 0);
    cl_wire_shift(&w, 1000 * MS);
    assert_int_equal(drain(&w, 1009 * MS), 0);
    assert_int_equal(drain(&w, 1010 * MS), 100);
}

static void the_forgotten_stay_out(void **state)
{
    cl_wire w = {.delay_ns = MS};
    (void)state;
    put(&w, &a_owner, 100, 0);
    put(&w, &b_owner, 200, 0);
    put(&w, &a_owner, 300, 0);
    cl_wire_forget(&w, &a_owner);
    assert_int_equal(drain(&w, MS), 200);
    assert_int_equal(w.carried, 200);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

/* Half of 10,000 bytes has gone at 8 Mbit/s; the rest goes at 80. */
static void another_rate(void **state)
{
    cl_wire w = {.delay_ns = 10 * MS, .rate_bps = 8000000};
    (void)state;
    for (int i = 0; i < 10; i++)
        put(&w, &a_owner, 1000, 0);
    cl_wire_reshape(&w, 80000000, 2 * MS, 5 * MS);
    assert_int_equal(cl_wire_waiting(&w, 5 * MS), 5000);
    assert_int_equal(drain(&w, 11 * MS - 1), 0); /* what was on its way comes as it was to */
    assert_int_equal(drain(&w, 15 * MS), 10000); /* and nothing overtakes it */
    cl_wire_reshape(&w, 0, 0, 20 * MS);
    put(&w, &a_owner, 1000, 20 * MS);
    assert_int_equal(drain(&w, 20 * MS), 1000);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static void a_packet_stays_whole(void **state)
{
    cl_wire w = {.rate_bps = 8000000};
    (void)state;
    assert_int_equal(cl_wire_put_whole(&w, &a_owner, (nf_bytes){bytes, 9000}, 0, NULL), NF_OK);
    assert_int_equal(cl_wire_behind(&w, &a_owner, 100), 7);
    assert_int_equal(cl_wire_behind(&w, &a_owner, 3) >= 3, 1);
    assert_int_equal(cl_wire_behind(&w, &b_owner, 3), 0);
    assert_int_equal(drain(&w, 9 * MS - 1), 0);
    assert_int_equal(drain(&w, 9 * MS), 9000);
}

static void no_memory(void **state)
{
    cl_wire w = {0};
    (void)state;
    nf_mem_fail_nth(1);
    assert_int_equal(cl_wire_put(&w, &a_owner, (nf_bytes){bytes, 10}, 0, NULL), NF_ENOMEM);
    nf_mem_fail_nth(0);
    assert_null(w.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delay_alone),
        cmocka_unit_test(rate_is_never_exceeded),
        cmocka_unit_test(an_idle_line_earns_nothing),
        cmocka_unit_test(waiting_and_draining),
        cmocka_unit_test(marks_keep_their_place),
        cmocka_unit_test(an_outage_moves_everything),
        cmocka_unit_test(the_forgotten_stay_out),
        cmocka_unit_test(another_rate),
        cmocka_unit_test(a_packet_stays_whole),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
