/* test_decimal.c - decimals are bit for bit what the C library says. Layer: tests. */
#include "tests/support/support.h"

#include "server/table/decimal.h"

#include <stdio.h>
#include <stdlib.h>

static void same_as_the_library(const char *text)
{
    const double want = strtod(text, NULL);
    const float want_f = strtof(text, NULL);
    double d = 0;
    float f = 0;
    if (!srv_decimal_f64(&d, text, strlen(text)) || !srv_decimal_f32(&f, text, strlen(text)))
        fail_msg("not taken: %s", text);
    if (memcmp(&d, &want, sizeof(d)) != 0) fail_msg("%s: %a, expected %a", text, d, want);
    if (memcmp(&f, &want_f, sizeof(f)) != 0) fail_msg("%s: %a, expected %a", text, f, want_f);
}

static void known_values(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "+0.0",
        "1",
        "-1.",
        ".5",
        "00012.500",
        "1e0",
        "1E+2",
        "1e-2",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0000000001",
        "0.1",
        "0.3",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "123456789012345678",
        "12345678901234567890",
        "1.7976931348623157e308",
        "1e309",
        "-1e309",
        "4.9e-324",
        "2.4e-324",
        "2.5e-324",
        "3.4028235e38",
        "3.4028236e38",
        "3.5e38",
        "1.1754944e-38",
        "1.4e-45",
        "7e-46",
        "16777217",
        "16777219",
        "33554433",
        "16777217.0",
        "1.00000005960464477539062",
        "1.000000059604644775390625",
        "1.0000000596046447753906251",
        "0.000000000000000000000000000000000000001",
        "1e99999999999",
        "1e-99999999999",
        "0e99999999999",
        "100000000000000000000000000000000000000000",
        "340282356779733661637539395458142568447",
        "340282356779733661637539395458142568448",
    };
    for (size_t i = 0; i < NF_COUNT(texts); i++)
        same_as_the_library(texts[i]);
}

/* Digits, a point and an exponent at random places. */
static void random_texts(void **state)
{
    (void)state;
    uint64_t r = 1;
    for (int i = 0; i < 1000000; i++) {
        char text[80];
        size_t n = 0;
        const size_t digits = 1 + test_random(&r) % (test_random(&r) % 4 ? 9 : 30);
        const size_t point = test_random(&r) % (digits + 3);
        if (test_random(&r) % 2) text[n++] = '-';
        for (size_t k = 0; k < digits; k++) {
            if (k == point) text[n++] = '.';
            text[n++] = (char)('0' + test_random(&r) % 10);
        }
        text[n] = '\0';
        if (test_random(&r) % 3 == 0)
            snprintf(text + n, sizeof(text) - n, "e%d", (int)(test_random(&r) % 90) - 45);
        same_as_the_library(text);
    }
}

/* What programs write: every double and float in its shortest and in fixed forms; and what lies
 * next to the middle of two floats. */
static void written_values(void **state)
{
    (void)state;
    uint64_t r = 2;
    for (int i = 0; i < 200000; i++) {
        static const char *const forms[] = {"%.17g", "%.9g", "%.6f", "%.3f", "%.16e", "%.20f"};
        const uint32_t bits = (uint32_t)test_random(&r);
        char text[512];
        float f;
        memcpy(&f, &bits, sizeof(f));
        if (f - f != 0.0f) continue; /* infinities and NaN */
        const float up = f * 1.0000001f;
        const double middle = ((double)f + (double)up) / 2;
        const double v = i % 2 ? (double)f : middle;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), forms[test_random(&r) % NF_COUNT(forms)], v);
#pragma GCC diagnostic pop
        if (strpbrk(text, "in")) continue;
        same_as_the_library(text);
    }
}

static void other_texts_are_no_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",    "-",   "+",   ".",  "e5",  "1e",    "1e+",   "-.e1",  "0x1", "1 ", " 1",
        "1,5", "nan", "inf", "1-", "--1", "1.2.3", "1e5.0", "1_000", "NaN", "1f", "infinity"};
    double d;
    float f;
    for (size_t i = 0; i < NF_COUNT(texts); i++)
        if (srv_decimal_f64(&d, texts[i], strlen(texts[i])) ||
            srv_decimal_f32(&f, texts[i], strlen(texts[i])))
            fail_msg("taken: '%s'", texts[i]);
    char longest[SRV_DECIMAL_MOST + 2];
    memset(longest, '1', sizeof(longest));
    assert_false(srv_decimal_f64(&d, longest, SRV_DECIMAL_MOST + 1));
    assert_true(srv_decimal_f64(&d, longest, SRV_DECIMAL_MOST));
    assert_true(srv_decimal_f64(&d, "12", 1) && d == 1); /* the length counts, not a NUL */
}

static void integers(void **state)
{
    (void)state;
    int64_t v;
    assert_true(srv_decimal_i64(&v, "-9223372036854775808", 20) && v == INT64_MIN);
    assert_true(srv_decimal_i64(&v, "9223372036854775807", 19) && v == INT64_MAX);
    assert_true(srv_decimal_i64(&v, "+007", 4) && v == 7);
    assert_false(srv_decimal_i64(&v, "9223372036854775808", 19));
    assert_false(srv_decimal_i64(&v, "-9223372036854775809", 20));
    assert_false(srv_decimal_i64(&v, "1.0", 3));
    assert_false(srv_decimal_i64(&v, "-", 1));
    assert_false(srv_decimal_i64(&v, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),   cmocka_unit_test(random_texts),
        cmocka_unit_test(written_values), cmocka_unit_test(other_texts_are_no_numbers),
        cmocka_unit_test(integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
