/* test_link_parts.c - jitter, losses, schedules, settings and profiles of a link, without a clock
 * and without a socket. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/link_lane.h"
#include "clients/lib/link_profiles.h"
#include "clients/lib/link_schedule.h"
#include "clients/lib/link_settings.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MS 1000000u

static cl_chunk *chunk(size_t len)
{
    cl_chunk *c = nf_alloc(sizeof(*c) + len, NF_MEM_CLIENT);
    assert_non_null(c);
    c->len = len;
    return c;
}

/* Puts in n chunks, one a millisecond; the times at which they come out. */
static void run_lane(cl_lane_rule *r, size_t n, size_t len, uint64_t *out)
{
    cl_lane l = {0};
    for (size_t i = 0; i < n; i++) {
        cl_lane_put(&l, r, chunk(len), i * MS, 3);
        out[i] = l.last_ns;
    }
    cl_lane_fini(&l);
}

static void jitter_keeps_order_and_bounds(void **state)
{
    enum { N = 20000 };
    static uint64_t out[N];
    (void)state;
    cl_lane_rule r = {.jitter_ns = 10 * MS, .random = 3};
    run_lane(&r, N, 100, out);
    for (size_t i = 0; i < N; i++) {
        assert_true(out[i] >= i * MS && out[i] < (i + 10) * MS);
        assert_true(i == 0 || out[i] >= out[i - 1]);
    }
}

/* Chunks so far apart that none waits for another: uniform, so mean 5 ms, sigma 10/sqrt(12 N). */
static void jitter_is_uniform(void **state)
{
    enum { N = 10000 };
    double sum = 0;
    cl_lane_rule r = {.jitter_ns = 10 * MS, .random = 11};
    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        cl_lane l = {0};
        cl_lane_put(&l, &r, chunk(1), 0, 0);
        sum += (double)l.last_ns / MS;
        cl_lane_fini(&l);
    }
    assert_true(fabs(sum / N - 5) < 3 * 10 / sqrt(12.0 * N));
}

static void same_seed_same_link(void **state)
{
    enum { N = 500 };
    static uint64_t a[N], b[N], c[N];
    cl_lane_rule one = {.jitter_ns = MS, .loss = 0.1, .rtt_ns = 50 * MS, .random = 5}, two = one;
    cl_lane_rule other = one;
    (void)state;
    other.random = 6;
    run_lane(&one, N, 5000, a);
    run_lane(&two, N, 5000, b);
    run_lane(&other, N, 5000, c);
    assert_memory_equal(a, b, sizeof(a));
    assert_true(memcmp(a, c, sizeof(a)) != 0);
}

/* Binomial: within three standard deviations of what was asked, at each rate. */
static void losses_as_often_as_asked(void **state)
{
    enum { CHUNKS = 20000, SEGMENTS = 3 * CHUNKS };
    static uint64_t out[CHUNKS];
    static const double rates[] = {0.001, 0.01, 0.05, 0.5};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rates); i++) {
        cl_lane_rule r = {.loss = rates[i], .rtt_ns = MS, .random = i + 1};
        const double want = rates[i] * SEGMENTS;
        run_lane(&r, CHUNKS, 2 * CL_SEGMENT + 1, out); /* the third segment holds one byte */
        assert_int_equal(r.segments, SEGMENTS);
        assert_true(fabs((double)r.lost - want) < 3 * sqrt(want * (1 - rates[i])));
        for (size_t k = 1; k < CHUNKS; k++)
            assert_true(out[k] >= out[k - 1]);
    }
}

/* The random state whose first draw is a loss at rate p and whose second is none. */
static uint64_t seed_that_loses(double p)
{
    for (uint64_t seed = 1;; seed++) {
        cl_lane l = {0};
        cl_lane_rule r = {.loss = p, .rtt_ns = MS, .random = seed};
        cl_lane_put(&l, &r, chunk(1), 0, 3);
        const uint64_t late = l.last_ns;
        cl_lane_fini(&l);
        if (late == MS) return seed;
    }
}

static uint64_t stall(uint64_t rtt_ns, size_t following)
{
    cl_lane l = {0};
    cl_lane_rule r = {.loss = 0.01, .rtt_ns = rtt_ns, .random = seed_that_loses(0.01)};
    cl_lane_put(&l, &r, chunk(1), 0, following);
    assert_int_equal(r.stalls, 1);
    assert_int_equal(r.stalled_ns, l.last_ns);
    const uint64_t late = l.last_ns;
    cl_lane_fini(&l);
    return late;
}

static void a_stall_is_a_round_trip_or_a_timeout(void **state)
{
    (void)state;
    assert_int_equal(stall(60 * MS, 3), 60 * MS);   /* duplicate acknowledgements come */
    assert_int_equal(stall(60 * MS, 2), 200 * MS);  /* too few: the timer, at least 200 ms */
    assert_int_equal(stall(400 * MS, 0), 600 * MS); /* 1.5 round trips */
}

static void what_follows_a_loss_waits(void **state)
{
    cl_lane l = {0};
    cl_lane_rule r = {.loss = 0.01, .rtt_ns = 60 * MS, .random = seed_that_loses(0.01)};
    (void)state;
    cl_lane_put(&l, &r, chunk(1), 10 * MS, 3);
    r.loss = 0;
    cl_lane_put(&l, &r, chunk(2), 11 * MS, 2);
    cl_lane_put(&l, &r, chunk(3), 90 * MS, 2);
    assert_null(cl_lane_take(&l, 70 * MS - 1));
    for (size_t len = 1; len <= 2; len++) {
        cl_chunk *c = cl_lane_take(&l, 70 * MS);
        assert_non_null(c);
        assert_int_equal(c->len, len);
        nf_free(c);
    }
    assert_int_equal(cl_lane_next(&l), 90 * MS);
    cl_lane_shift(&l, 5 * MS);
    assert_int_equal(cl_lane_next(&l), 95 * MS);
    cl_lane_fini(&l);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static void schedules(void **state)
{
    static const char *const bad[] = {"",         "10s",           "10s sideways", "up",
                                      "10s up,",  "0s up",         ",1s up",       "1 s up",
                                      "-1s down", "10s up extra ", "10s  upp"};
    cl_outages s;
    nf_error err = {0};
    uint64_t next;
    (void)state;
    assert_ok(cl_outages_parse(&s, "10s up,30s down, 500ms up", &err), &err);
    assert_int_equal(s.n, 3);
    assert_true(cl_outages_at(&s, 0, &next));
    assert_int_equal(next, 10000000);
    assert_false(cl_outages_at(&s, 10000000, &next));
    assert_int_equal(next, 40000000);
    assert_true(cl_outages_at(&s, 40000000, &next));
    assert_int_equal(next, UINT64_MAX);
    assert_true(cl_outages_at(&s, 99000000, &next)); /* the last one stays */
    assert_ok(cl_outages_parse(&s, "250 down", &err), &err);
    assert_int_equal(s.span[0].until_us, 250000);
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (cl_outages_parse(&s, bad[i], NULL) != NF_EINVAL) fail_msg("'%s' was taken", bad[i]);
    char many[1000] = "1s up";
    for (size_t i = 1; i < CL_OUTAGES_MOST + 1; i++)
        snprintf(many + strlen(many), sizeof(many) - strlen(many), ",1s up");
    assert_int_equal(cl_outages_parse(&s, many, NULL), NF_EINVAL);
}

static void settings_from_options(void **state)
{
    static const struct {
        const char *name, *text, *says;
    } bad[] = {{"rtt", "fast", "--rtt"},    {"up", "1", NULL},           {"up", "nine", "--up"},
               {"loss", "60%", "--loss"},   {"loss", "2", "--loss"},     {"loss", "-1%", "--loss"},
               {"loss", "nan", "--loss"},   {"loss", "", "--loss"},      {"queue", "1", "--queue"},
               {"down", "1kbit", "--down"}, {"jitter", "2h", "--jitter"}};
    cl_link_settings s = cl_settings_default();
    nf_error err = {0};
    (void)state;
    assert_ok(cl_settings_option(&s, "rtt", "60", &err), &err);
    assert_ok(cl_settings_option(&s, "up", "12", &err), &err);
    assert_ok(cl_settings_option(&s, "down", "40mbit", &err), &err);
    assert_ok(cl_settings_option(&s, "loss", "1%", &err), &err);
    assert_ok(cl_settings_option(&s, "connect-delay", "0", &err), &err);
    assert_int_equal(s.rtt_us, 60000);
    assert_int_equal(s.up_bps, 12000000);
    assert_int_equal(s.down_bps, 40000000);
    assert_int_equal(s.connect_us, 0);
    assert_true(fabs(s.loss - 0.01) < 1e-12);
    assert_int_equal(cl_settings_queue(&s, s.up_bps), CL_QUEUE_BYTES);
    assert_ok(cl_settings_option(&s, "queue", "100ms", &err), &err);
    assert_int_equal(cl_settings_queue(&s, s.up_bps), 150000);
    assert_ok(cl_settings_option(&s, "queue", "64k", &err), &err);
    assert_int_equal(cl_settings_queue(&s, s.up_bps), 65536);
    assert_ok(cl_settings_option(&s, "up", "0", &err), &err);
    assert_int_equal(s.up_bps, 0);
    for (size_t i = 0; i < NF_COUNT(bad); i++) {
        nf_error e = {0};
        const nf_status st = cl_settings_option(&s, bad[i].name, bad[i].text, &e);
        if (!bad[i].says) continue;
        if (st != NF_EINVAL || strcmp(e.where, bad[i].says) != 0)
            fail_msg("--%s '%s': %s %s", bad[i].name, bad[i].text, nf_status_name(st), e.where);
    }
}

static void settings_there_and_back(void **state)
{
    cl_link_settings s = cl_settings_default(), t = s;
    json_t *j = json_pack("{s:i,s:s,s:f,s:s}", "rtt_us", 70000, "up_bps", "3mbit", "loss", 0.25,
                          "jitter_us", "5ms");
    json_t *out = json_object();
    nf_error err = {0};
    (void)state;
    assert_ok(cl_settings_from_json(&s, j, CL_SETTINGS_LINK, &err), &err);
    assert_int_equal(cl_settings_to_json(&s, out), 0);
    assert_ok(cl_settings_from_json(&t, out, CL_SETTINGS_LINK, &err), &err);
    assert_int_equal(t.rtt_us, 70000);
    assert_int_equal(t.jitter_us, 5000);
    assert_int_equal(t.up_bps, 3000000);
    assert_int_equal(t.down_bps, 0);
    assert_int_equal(t.connect_us, 70000); /* one round trip, spelled out */
    assert_int_equal(t.queue_bytes, CL_QUEUE_BYTES);
    json_decref(j);
    json_decref(out);
}

static void profiles(void **state)
{
    size_t n;
    const cl_profile *p = cl_profiles(&n);
    cl_profile one;
    nf_error err = {0};
    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_true(p[i].name[0] && p[i].source[0]);
        assert_true(p[i].loss >= 0 && p[i].loss <= 1);
        for (size_t k = 0; k < i; k++)
            assert_true(strcmp(p[i].name, p[k].name) != 0);
        assert_ok(cl_profile_get(&one, p[i].name, &err), &err);
        assert_int_equal(one.rtt_us, p[i].rtt_us);
    }
    assert_ok(cl_profile_get(&one, "lte", &err), &err);
    assert_int_equal(one.rtt_us, 70000);
    assert_int_equal(one.up_bps, 12000000);
    assert_int_equal(cl_profile_get(&one, "warp", &err), NF_EINVAL);
}

static nf_status read_text(const char *text, cl_profile *p, nf_error *err)
{
    char path[] = "/tmp/link_profile_XXXXXX";
    const int fd = mkstemp(path);
    char named[64];
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(named, sizeof(named), "%s", path);
    const nf_status st = cl_profile_get(p, named, err);
    unlink(path);
    return st;
}

static void profiles_from_files(void **state)
{
    static const struct {
        const char *text, *where;
    } bad[] = {{"{\"source\":\"s\"}", "name"},
               {"{\"name\":\"n\"}", "source"},
               {"{\"name\":\"n\",\"source\":\"s\",\"rtt\":5}", "rtt"},
               {"{\"name\":\"n\",\"source\":\"s\",\"loss\":2}", "loss"},
               {"{\"name\":\"n\",\"source\":\"s\",\"up_bps\":\"x\"}", "up_bps"},
               {"{\"name\":\"n\",\"source\":\"s\",\"queue_bytes\":65536}", "queue_bytes"},
               {"[1]", "profile"}};
    cl_profile p;
    nf_error err = {0};
    (void)state;
    assert_ok(read_text("{\"name\":\"n\",\"source\":\"s\",\"rtt_us\":\"20ms\",\"up_bps\":5000000,"
                        "\"loss\":1}",
                        &p, &err),
              &err);
    assert_string_equal(p.name, "n");
    assert_int_equal(p.rtt_us, 20000);
    assert_int_equal(p.up_bps, 5000000);
    assert_int_equal(p.down_bps, 0);
    assert_true(p.loss >= 1);
    for (size_t i = 0; i < NF_COUNT(bad); i++) {
        nf_error e = {0};
        assert_int_equal(read_text(bad[i].text, &p, &e), NF_EINVAL);
        assert_string_equal(e.where, bad[i].where);
    }
    assert_int_equal(read_text("{", &p, NULL), NF_EINVAL);
    assert_int_equal(cl_profile_get(&p, "./not-there.json", NULL), NF_ENOTFOUND);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jitter_keeps_order_and_bounds),
        cmocka_unit_test(jitter_is_uniform),
        cmocka_unit_test(same_seed_same_link),
        cmocka_unit_test(losses_as_often_as_asked),
        cmocka_unit_test(a_stall_is_a_round_trip_or_a_timeout),
        cmocka_unit_test(what_follows_a_loss_waits),
        cmocka_unit_test(schedules),
        cmocka_unit_test(settings_from_options),
        cmocka_unit_test(settings_there_and_back),
        cmocka_unit_test(profiles),
        cmocka_unit_test(profiles_from_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
