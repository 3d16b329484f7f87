/* test_client_compare.c - verdicts from made-up pairs, and the three forms of the report.
 * Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/comparison.h"
#include "clients/lib/report_html.h"
#include "clients/lib/report_json.h"
#include "clients/lib/report_text.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define MS    1000000
#define PAIRS 200

static cl_target edge_target = {.name = "edge", .url = {.authority = "edge:1"}};
static cl_target cloud_target = {.name = "cloud", .url = {.authority = "<cloud>:2"}};
static cl_pairs pairs;
static cl_env env = {.command = "nearfar-client compare --edge 'a<b'", .version = "1", .git = "g"};

/* edge takes edge_ns, cloud cloud_ns, both with up to `noise` more, pair by pair. */
static void make_pairs(size_t n, int64_t edge_ns, int64_t cloud_ns, int64_t noise, uint64_t seed)
{
    nf_error err = {0};
    assert_ok(cl_pairs_init(&pairs, &edge_target, &cloud_target, PAIRS, &err), &err);
    pairs.done = n;
    for (int s = 0; s < 2; s++) {
        cl_side *side = &pairs.side[s];
        side->reachable = true;
        side->rec.issued = side->rec.ok = n;
        for (size_t i = 0; i < n; i++) {
            const int64_t extra = (int64_t)(test_random(&seed) % (uint64_t)(noise + 1));
            side->ns[i] = (s ? cloud_ns : edge_ns) + extra;
            side->server_ns[i] = (s ? cloud_ns : edge_ns) / 2;
        }
    }
}

static cl_comparison conclude(void)
{
    nf_error err = {0};
    cl_comparison c = {.model = "te<mp",
                       .inputs = "--input",
                       .seed = 1,
                       .min_effect = 0.05,
                       .pairs = &pairs,
                       .env = &env};
    assert_ok(cl_comparison_make(&c, &err), &err);
    return c;
}

static void drop(cl_comparison *c)
{
    cl_comparison_fini(c);
    cl_pairs_fini(&pairs);
}

static void expect(const cl_comparison *c, cl_verdict want)
{
    const char *words = cl_verdict_text(want);
    if (c->verdict != want || strncmp(c->sentence, words, strlen(words)) != 0)
        fail_msg("expected '%s', got '%s'", words, c->sentence);
}

static void clear_winners(void **state)
{
    (void)state;
    make_pairs(PAIRS, 1 * MS, 60 * MS, MS / 10, 1);
    cl_comparison c = conclude();
    expect(&c, CL_EDGE_FASTER);
    assert_true(c.diff_ns < -58 * MS && c.diff_ns > -60 * MS);
    assert_true(c.side[0].server_ns == MS / 2);
    assert_true(c.side[1].network_ns >= 30 * MS && c.side[1].network_ns < 31 * MS);
    drop(&c);
    make_pairs(PAIRS, 60 * MS, 50 * MS, MS, 1);
    c = conclude();
    expect(&c, CL_CLOUD_FASTER);
    drop(&c);
}

/* Two runs against the same server: over 100 seeds hardly ever a winner. */
static void same_against_same(void **state)
{
    int winners = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        make_pairs(PAIRS, 1 * MS, 1 * MS, MS, seed);
        cl_comparison c = conclude();
        winners += c.verdict != CL_NO_DIFFERENCE;
        drop(&c);
    }
    if (winners > 5) fail_msg("%d of 100", winners);
}

static void real_but_too_small(void **state)
{
    (void)state;
    make_pairs(PAIRS, 100 * MS, 101 * MS, MS / 10, 1); /* 1 % is below the least effect */
    cl_comparison c = conclude();
    expect(&c, CL_NO_DIFFERENCE);
    assert_true(c.ci.hi < 0); /* though the interval excludes zero */
    drop(&c);
}

static void too_few_or_one_side(void **state)
{
    (void)state;
    make_pairs(CL_PAIRS_LEAST - 1, 1 * MS, 60 * MS, MS, 1);
    cl_comparison c = conclude();
    expect(&c, CL_NO_DIFFERENCE);
    drop(&c);
    make_pairs(PAIRS, 1 * MS, 60 * MS, MS, 1);
    pairs.side[1].reachable = false;
    for (size_t i = 0; i < PAIRS; i++)
        pairs.side[1].ns[i] = pairs.side[1].server_ns[i] = CL_NO_TIME;
    c = conclude();
    expect(&c, CL_NO_DIFFERENCE);
    assert_non_null(strstr(c.sentence, "cloud could not be reached"));
    assert_int_equal(c.side[0].n, PAIRS);
    assert_int_equal(c.side[1].n, 0);
    drop(&c);
}

/* A pair counts only when both answered it. */
static void holes_are_left_out(void **state)
{
    (void)state;
    make_pairs(PAIRS, 1 * MS, 60 * MS, MS, 1);
    for (size_t i = 0; i < 50; i++)
        pairs.side[i % 2].ns[i] = CL_NO_TIME;
    cl_comparison c = conclude();
    assert_int_equal(c.both, PAIRS - 50);
    assert_int_equal(c.side[0].n, PAIRS - 25);
    expect(&c, CL_EDGE_FASTER);
    drop(&c);
}

/* Ten different positive values: rank sum 55 against 27.5, variance 96.25, by hand. */
static void signed_ranks(void **state)
{
    int64_t d[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -3, -7}, room[12];
    (void)state;
    assert_true(fabs(cl_wilcoxon(room, d, 10) - 0.00592) < 0.0001);
    for (size_t i = 0; i < 10; i += 2)
        d[i] = -d[i + 1]; /* balanced and full of ties */
    assert_true(fabs(cl_wilcoxon(room, d, 10) - 1) < 1e-9);
    d[0] = 0; /* nine are too few */
    assert_true(isnan(cl_wilcoxon(room, d, 10)));
    assert_true(cl_wilcoxon(room, d, 12) < 1);
}

static json_t *round_trip(const cl_comparison *c)
{
    nf_error err = {0};
    FILE *f = tmpfile();
    assert_ok(cl_json_print(cl_json_comparison(c), f, &err), &err);
    rewind(f);
    json_t *j = json_loadf(f, JSON_REJECT_DUPLICATES, NULL);
    fclose(f);
    assert_non_null(j);
    return j;
}

static void json_says_the_same(void **state)
{
    (void)state;
    make_pairs(PAIRS, 1 * MS, 60 * MS, 0, 1);
    cl_comparison c = conclude();
    json_t *j = round_trip(&c);
    json_t *cmp = json_object_get(j, "compare");
    json_t *edge = json_array_get(json_object_get(j, "targets"), 0);
    json_t *raw = json_object_get(json_object_get(edge, "latency"), "raw");
    assert_string_equal(json_string_value(json_object_get(j, "schema")), "nearfar-client/1");
    assert_int_equal(json_integer_value(json_object_get(cmp, "diff_us")), -59000);
    assert_string_equal(json_string_value(json_object_get(cmp, "verdict")), c.sentence);
    assert_int_equal(json_integer_value(json_object_get(raw, "p50")), 1000);
    assert_int_equal(json_integer_value(json_object_get(raw, "p95")), 1000);
    assert_true(json_is_null(json_object_get(raw, "p99"))); /* 200 samples do not carry it */
    json_decref(j);
    drop(&c);
}

static nf_status write_page(const cl_comparison *c, const char *path, nf_error *err)
{
    json_t *run = cl_json_comparison(c);
    const nf_status st = cl_html_runs(&run, 1, path, err);
    json_decref(run);
    return st;
}

static void page_is_whole_and_escaped(void **state)
{
    static const char *const parts[] = {
        "<!DOCTYPE html>", "prefers-color-scheme:dark", "<svg",  "<title>", "<desc>", "</html>",
        "te&lt;mp",        "&lt;cloud&gt;:2",           "a&lt;b"};
    static const char *const never[] = {"<script", "http-equiv", "te<mp", "src=", "@import", "nan"};
    char path[] = "/tmp/test_client_compare_XXXXXX";
    nf_error err = {0};
    nf_bytes page;
    (void)state;
    close(mkstemp(path));
    make_pairs(PAIRS, 1 * MS, 60 * MS, MS, 1);
    cl_comparison c = conclude();
    assert_ok(write_page(&c, path, &err), &err);
    assert_ok(nf_read_file(&page, path, 1u << 20, NF_MEM_MISC, &err), &err);
    for (size_t i = 0; i < NF_COUNT(parts); i++)
        if (!strstr((const char *)page.data, parts[i])) fail_msg("no %s", parts[i]);
    for (size_t i = 0; i < NF_COUNT(never); i++)
        if (strstr((const char *)page.data, never[i])) fail_msg("%s in the page", never[i]);
    nf_free((void *)page.data);
    unlink(path);
    assert_int_not_equal(write_page(&c, "/no/such/folder/x.html", NULL), NF_OK);
    drop(&c);
}

/* Nothing answered at all: every form still comes out. */
static void nothing_measured(void **state)
{
    char path[] = "/tmp/test_client_compare_XXXXXX";
    FILE *f = tmpfile();
    nf_error err = {0};
    (void)state;
    close(mkstemp(path));
    make_pairs(0, 1, 1, 1, 1);
    cl_comparison c = conclude();
    expect(&c, CL_NO_DIFFERENCE);
    cl_text_comparison(&c, f);
    json_decref(round_trip(&c));
    assert_ok(write_page(&c, path, &err), &err);
    unlink(path);
    fclose(f);
    drop(&c);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_winners),      cmocka_unit_test(same_against_same),
        cmocka_unit_test(real_but_too_small), cmocka_unit_test(too_few_or_one_side),
        cmocka_unit_test(holes_are_left_out), cmocka_unit_test(signed_ranks),
        cmocka_unit_test(json_says_the_same), cmocka_unit_test(page_is_whole_and_escaped),
        cmocka_unit_test(nothing_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
