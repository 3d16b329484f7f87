/* test_base.c - options, histogram, memory, files and errors. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/file.h"
#include "engine/base/hist.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/opts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sample {
    bool json;
    const char *url;
    int64_t count, body, wait_us, rate;
    int mode;
    double share;
} sample;

#define AT(field) offsetof(sample, field)
static const nf_opt rows[] = {
    {"json", NULL, NULL, "one object", NF_OPT_FLAG, AT(json), 0, 0, NULL},
    {"url", "URL", "http://a", "target", NF_OPT_TEXT, AT(url), 0, 0, NULL},
    {"n", "N", "10", "requests", NF_OPT_NUM, AT(count), 1, 100, NULL},
    {"max-body", "BYTES", "1MiB", "body", NF_OPT_BYTES, AT(body), 0, 0, NULL},
    {"wait", "TIME", "5s", "time", NF_OPT_TIME, AT(wait_us), 0, 0, NULL},
    {"up", "RATE", NULL, "rate", NF_OPT_RATE, AT(rate), 0, 0, NULL},
    {"mode", NULL, "edge", "mode", NF_OPT_PICK, AT(mode), 0, 0, "edge|cloud"},
    {"share", "X", "0.5", "share", NF_OPT_REAL, AT(share), 0, 1, NULL},
};
static const nf_opt_table table = {rows, NF_COUNT(rows)};

static void defaults_are_text(void **state)
{
    sample o = {0};
    nf_error err = {0};
    (void)state;
    assert_ok(nf_opts_defaults(&o, table, &err), &err);
    assert_false(o.json);
    assert_string_equal(o.url, "http://a");
    assert_int_equal(o.body, 1 << 20);
    assert_int_equal(o.wait_us, 5000000);
    assert_int_equal(o.rate, 0);
    assert_true(o.share == 0.5);
}

static void flags_are_read(void **state)
{
    char *argv[] = {"x",      "--json", "one", "--max-body=64k", "-n", "7", "--up", "12",
                    "--mode", "CLOUD",  "--",  "--json",         NULL};
    sample o = {0};
    nf_error err = {0};
    int n;
    (void)state;
    assert_ok(nf_opts_argv(&o, table, 12, argv, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_string_equal(argv[1], "one");
    assert_string_equal(argv[2], "--json");
    assert_true(o.json);
    assert_int_equal(o.body, 65536);
    assert_int_equal(o.count, 7);
    assert_int_equal(o.rate, 12000000);
    assert_int_equal(o.mode, 1);
}

static void wrong_values_say_what_was_expected(void **state)
{
    static const char *const bad[][2] = {
        {"n", "0"},     {"n", "7x"},        {"n", ""},          {"n", "99999999999999999999"},
        {"mode", "x"},  {"max-body", "1q"}, {"wait", "-1"},     {"share", "2"},
        {"json", "si"}, {"nonsense", "1"},  {"max-body", "inf"}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(bad); i++) {
        sample o = {0};
        nf_error err = {0};
        assert_int_equal(nf_opts_set(&o, table, bad[i][0], bad[i][1], &err), NF_EINVAL);
        assert_true(strlen(err.text) > 0);
    }
}

static char *fake_env(const char *name)
{
    return strcmp(name, "NEARFAR_MAX_BODY") == 0 ? (char *)(uintptr_t) "2k" : NULL;
}

static void environment_names_are_upper_case(void **state)
{
    sample o = {0};
    nf_error err = {0};
    (void)state;
    assert_ok(nf_opts_env(&o, table, "NEARFAR", fake_env, &err), &err);
    assert_int_equal(o.body, 2048);
}

static void histogram_keeps_two_digits(void **state)
{
    static nf_hist h, sum;
    (void)state;
    for (uint64_t v = 1; v <= 100000; v++)
        nf_hist_add(&h, v);
    static const double shares[] = {0.01, 0.5, 0.9, 0.99, 1.0};
    for (size_t i = 0; i < NF_COUNT(shares); i++) {
        const double want = shares[i] * 100000, got = (double)nf_hist_quantile(&h, shares[i]);
        assert_true(got >= want && got <= want * (1 + 1.0 / 32));
    }
    nf_hist_merge(&sum, &h);
    nf_hist_merge(&sum, &h);
    assert_int_equal(sum.count, 200000);
    assert_int_equal(sum.least, 1);
    assert_int_equal(sum.most, 100000);
    assert_int_equal(nf_hist_at_most(&h, 63), 63);
    nf_hist_add(&h, UINT64_MAX); /* the last bucket holds all that is too long */
    assert_int_equal(h.count, 100001);
}

static void memory_is_counted_and_can_fail(void **state)
{
    const size_t before = nf_mem_live_all();
    (void)state;
    char *p = nf_alloc(100, NF_MEM_MISC);
    assert_int_equal((uintptr_t)p % 64, 0);
    assert_int_equal(nf_mem_live_all(), before + 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    p[99] = 7;
    p = nf_realloc(p, 200, NF_MEM_MISC);
    assert_true(p[99] == 7 && p[199] == 0);
    nf_mem_fail_nth(2);
    void *q = nf_alloc(1, NF_MEM_MISC);
    assert_non_null(q);
    assert_null(nf_alloc(1, NF_MEM_MISC));
    assert_null(nf_alloc_array(SIZE_MAX / 2, 4, NF_MEM_MISC));
    nf_mem_cap(nf_mem_live_all() + 10);
    assert_null(nf_alloc(11, NF_MEM_MISC));
    nf_mem_cap(0);
    nf_free(q);
    nf_free(p);
    nf_free(NULL);
    assert_int_equal(nf_mem_live_all(), before);
}

static void files_are_whole_or_refused(void **state)
{
    char path[] = "/tmp/nearfar-test-XXXXXX";
    nf_error err = {0};
    nf_bytes got;
    (void)state;
    close(mkstemp(path));
    assert_ok(nf_write_file(path, (nf_bytes){(const uint8_t *)"hello", 5}, &err), &err);
    assert_ok(nf_read_file(&got, path, 5, NF_MEM_MISC, &err), &err);
    assert_memory_equal(got.data, "hello", 6); /* and the NUL behind */
    nf_free((void *)(uintptr_t)got.data);
    assert_int_equal(nf_read_file(&got, path, 4, NF_MEM_MISC, &err), NF_ETOOLARGE);
    unlink(path);
    assert_int_equal(nf_read_file(&got, path, 4, NF_MEM_MISC, NULL), NF_ENOTFOUND);
    assert_int_equal(nf_read_file(&got, "/tmp", 4, NF_MEM_MISC, NULL), NF_EIO);
}

static void first_error_wins(void **state)
{
    nf_error err = {0};
    (void)state;
    assert_int_equal(nf_fail(&err, NF_EIO, "a", "one %d", 1), NF_EIO);
    assert_int_equal(nf_fail(&err, NF_EINVAL, "b", "two"), NF_EINVAL);
    assert_int_equal(err.status, NF_EIO);
    assert_string_equal(err.text, "one 1");
    assert_string_equal(nf_status_name(NF_EBUSY), "EBUSY");
}

static char last_line[256];

static void keep_line(nf_log_level level, const char *area, const char *text, void *user)
{
    (void)user;
    snprintf(last_line, sizeof(last_line), "%s %s %s", nf_log_level_name(level), area, text);
}

static void log_lines_are_escaped(void **state)
{
    (void)state;
    nf_log_set(keep_line, NULL, NF_LOG_INFO);
    nf_log(NF_LOG_WARN, "test", "a\nb\x1b[31m");
    assert_string_equal(last_line, "warn test a\\x0ab\\x1b[31m");
    nf_log(NF_LOG_DEBUG, "test", "not shown");
    assert_string_equal(last_line, "warn test a\\x0ab\\x1b[31m");
    nf_log_set(NULL, NULL, NF_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_text),
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(wrong_values_say_what_was_expected),
        cmocka_unit_test(environment_names_are_upper_case),
        cmocka_unit_test(histogram_keeps_two_digits),
        cmocka_unit_test(memory_is_counted_and_can_fail),
        cmocka_unit_test(files_are_whole_or_refused),
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(log_lines_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
