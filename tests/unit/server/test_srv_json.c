/* test_srv_json.c - the JSON reader against jansson's verdict, numbers against strtod, the float
 * writer against strtof. Layer: tests. */
#include "server/base/json_out.h"
#include "server/base/utf8.h"
#include "server/codec/json_in.h"
#include "tests/support/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static nf_status check(const char *text, size_t len)
{
    srv_arena arena = {.most = 1 << 20};
    srv_json j = {text, text, text + len, 0, &arena, NULL};
    nf_status st = srv_json_skip(&j);
    if (!st) st = srv_json_end(&j);
    srv_arena_fini(&arena);
    return st;
}

static void verdicts(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"0", true},
        {"-0", true},
        {"10.25e-3", true},
        {"1E+2", true},
        {"01", false},
        {"-", false},
        {"+1", false},
        {".5", false},
        {"1.", false},
        {"1e", false},
        {"0x10", false},
        {"1e400", false},
        {"null", true},
        {"nul", false},
        {"true", true},
        {"false", true},
        {"\"a\"", true},
        {"\"\\n\"", true},
        {"\"\\x\"", false},
        {"\"a", false},
        {"\"\n\"", false},
        {"\"\\u12\"", false},
        {"\"\\ud834\\udd1e\"", true},
        {"\"\\udd1e\"", false},
        {"[]", true},
        {"[1,]", false},
        {"[,1]", false},
        {"[1 2]", false},
        {"{}", true},
        {"{\"a\":1}", true},
        {"{\"a\"}", false},
        {"{\"a\":}", false},
        {"{a:1}", false},
        {"{\"a\":1,}", false},
        {"[1]]", false},
        {"[", false},
        {"", false},
        {" \t\r\n[ 1 , 2 ] ", true},
        {"[}", false},
        {"\"\x80\"", false},
        {"\"\xc0\xaf\"", false},
        {"\"\xed\xa0\x80\"", false},
        {"\"\xf4\x90\x80\x80\"", false},
        {"\"\xf0\x9f\x98\x80\"", true},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++)
        if ((check(cases[i].text, strlen(cases[i].text)) == NF_OK) != cases[i].good)
            fail_msg("%s", cases[i].text);
    assert_int_equal(check("\"a\0b\"", 5), NF_EINVAL);
}

/* Random mutations of a body: wherever both readers have the same rules, the same verdict. */
static void agrees_with_jansson(void **state)
{
    static const char start[] = "{\"instances\":[[1.5,-2e3,3],[true,null,\"a\\u00e4\"]],\"b\":{}}";
    static const char letters[] = "[]{},:\"\\0123.eE+-aun \n\x80\xc3";
    uint64_t seed = 7;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[sizeof(start)];
        memcpy(text, start, sizeof(start));
        const size_t n = sizeof(start) - 1;
        for (uint64_t k = 1 + test_random(&seed) % 3; k; k--)
            text[test_random(&seed) % n] = letters[test_random(&seed) % (sizeof(letters) - 1)];
        json_t *root = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        const bool good = root != NULL;
        json_decref(root);
        if (good != (check(text, n) == NF_OK) && !strstr(text, "\\u0000"))
            fail_msg("jansson says %d: %s", good, text);
    }
}

static void depth_is_limited(void **state)
{
    char text[512];
    (void)state;
    for (size_t depth = 98; depth < 104; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(check(text, 2 * depth), depth <= 100 ? NF_OK : NF_EINVAL);
    }
}

static double number(const char *text, srv_number *n)
{
    srv_json j = {.start = text, .at = text, .end = text + strlen(text)};
    assert_int_equal(srv_json_number_of(&j, n), NF_OK);
    return n->real;
}

static void numbers_equal_strtod(void **state)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1e22",
                                        "1e23",
                                        "9007199254740993",
                                        "1e-400",
                                        "123456789012345678901234567890",
                                        "0.1",
                                        "4.9e-324",
                                        "1.7976931348623157e308",
                                        "0.000000000000000000000000000001",
                                        "100000000000000000000.0001",
                                        "5e-1",
                                        "22.0"};
    uint64_t seed = 1;
    srv_number n;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(texts); i++)
        assert_true(number(texts[i], &n) == strtod(texts[i], NULL));
    for (int i = 0; i < 200000; i++) {
        char text[64];
        const double v =
            ldexp((double)(int64_t)test_random(&seed), (int)(test_random(&seed) % 200) - 160);
        snprintf(text, sizeof(text), "%.*g", (int)(1 + test_random(&seed) % 19), v);
        if (number(text, &n) != strtod(text, NULL)) fail_msg("%s", text);
    }
    number("9223372036854775807", &n);
    assert_true(n.is_whole && n.whole == INT64_MAX);
    number("9223372036854775808", &n);
    assert_false(n.is_whole);
    number("-42", &n);
    assert_true(n.is_whole && n.whole == -42);
    number("42.0", &n);
    assert_false(n.is_whole);
}

static const char *written(float v)
{
    static char text[64];
    srv_buf b = {.most = 64};
    srv_json_f32(&b, v);
    assert_false(b.failed);
    memcpy(text, b.data, b.len);
    text[b.len] = '\0';
    srv_buf_fini(&b);
    return text;
}

static size_t shortest(float v)
{
    char text[64];
    int digits = 1;
    for (; digits < 9; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, (double)v);
        if (strtof(text, NULL) == v) break;
    }
    return (size_t)digits;
}

static void floats_read_back(void **state)
{
    uint64_t seed = 3;
    (void)state;
    assert_string_equal(written(0.0f), "0.0");
    assert_string_equal(written(-0.0f), "-0.0");
    assert_string_equal(written(1.0f), "1.0");
    assert_string_equal(written(0.1f), "0.1");
    assert_string_equal(written(-2.5f), "-2.5");
    assert_string_equal(written(0.99609375f), "0.99609375");
    assert_string_equal(written(16777216.0f), "16777216.0");
    assert_string_equal(written(NAN), "null");
    assert_string_equal(written(-INFINITY), "null");
    for (int i = 0; i < 1000000; i++) {
        const uint32_t bits = (uint32_t)test_random(&seed);
        float v;
        memcpy(&v, &bits, sizeof(v));
        if (i % 2) v = test_uniform(&seed, -1.0f, 1.0f) * (float)(i % 1000 + 1);
        if (!isfinite(v)) continue;
        const char *text = written(v);
        if (strtof(text, NULL) != v) fail_msg("%.9g was written as %s", (double)v, text);
    }
    for (int i = 0; i < 100000; i++) { /* and no longer than needed */
        const float v = test_uniform(&seed, 0.0f, 1.0f);
        size_t digits = 0;
        const char *at = written(v);
        for (at += strspn(at, "0."); *at; at++)
            digits += *at != '.';
        if (v >= 1e-4f && digits > shortest(v))
            fail_msg("%.9g was written as %s", (double)v, written(v));
    }
}

static void strings_are_unescaped(void **state)
{
    static const char text[] = "\"a\\u00e4\\ud83d\\ude00\\n\\\"\\/z\"";
    srv_arena arena = {.most = 65536};
    srv_json j = {text, text, text + sizeof(text) - 1, 0, &arena, NULL};
    nf_span s;
    (void)state;
    assert_int_equal(srv_json_string_of(&j, &s), NF_OK);
    assert_true(nf_span_is(s, "a\xc3\xa4\xf0\x9f\x98\x80\n\"/z"));
    srv_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),         cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(depth_is_limited), cmocka_unit_test(numbers_equal_strtod),
        cmocka_unit_test(floats_read_back), cmocka_unit_test(strings_are_unescaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
