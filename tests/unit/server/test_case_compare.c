/* test_case_compare.c - tolerances, NaN, infinities and the edges of integers. Layer: tests. */
#include "tests/support/support.h"

#include "server/case/case_compare.h"

#include <math.h>
#include <string.h>

static srv_recorded tensor(eng_dtype dtype, const void *data, size_t n)
{
    return (srv_recorded){.dtype = dtype,
                          .rank = 1,
                          .dim = {(int64_t)n},
                          .elems = n,
                          .data = (uint8_t *)data,
                          .bytes = n * eng_dtype_size(dtype)};
}

static srv_diff compare(eng_dtype dtype, const void *want, const void *got, size_t n,
                        srv_case_tolerance t)
{
    const srv_recorded a = tensor(dtype, want, n), b = tensor(dtype, got, n);
    return srv_compare(&a, &b, t);
}

static const srv_case_tolerance exact = {.rule = SRV_CASE_EXACT};
static const srv_case_tolerance one_lsb = {.rule = SRV_CASE_LSB, .lsb = 1};
static const srv_case_tolerance near_by = {.rule = SRV_CASE_ABS_REL, .abs = 0.01, .rel = 0.1};

static void abs_rel_adds_both_parts(void **state)
{
    const float want[] = {0, 10, -10, 1}, inside[] = {0.0099f, 11.009f, -11.009f, 1};
    const float outside[] = {0.0101f, 10, -10, 1}, relative[] = {0, 10, -11.02f, 1};
    (void)state;
    const srv_diff a = compare(ENG_F32, want, inside, 4, near_by);
    assert_int_equal(a.outside, 0);
    assert_int_equal(a.equal, 1);
    assert_true(fabs(a.worst - 1.009) < 1e-5);
    const srv_diff b = compare(ENG_F32, want, outside, 4, near_by);
    assert_int_equal(b.outside, 1);
    assert_int_equal(b.first, 0);
    const srv_diff c = compare(ENG_F32, want, relative, 4, near_by);
    assert_int_equal(c.outside, 1);
    assert_int_equal(c.first, 2);
    assert_true(c.want == -10.0 && fabs(c.got + 11.02) < 1e-5);
}

static void nan_is_equal_to_nan_only(void **state)
{
    const float want[] = {NAN, NAN, 1, INFINITY, INFINITY, -INFINITY};
    const float got[] = {NAN, 1, NAN, INFINITY, -INFINITY, 3};
    (void)state;
    const srv_diff d = compare(ENG_F32, want, got, 6, near_by);
    assert_int_equal(d.equal, 2);
    assert_int_equal(d.outside, 4);
    assert_int_equal(d.first, 1);
    assert_true(isinf(d.worst));
}

static void exact_floats_compare_by_value(void **state)
{
    const double want[] = {0.0, 1.5}, got[] = {-0.0, 1.5}, other[] = {0.0, 1.5 + 1e-15};
    (void)state;
    assert_int_equal(compare(ENG_F64, want, got, 2, exact).outside, 0);
    assert_int_equal(compare(ENG_F64, want, got, 2, exact).equal, 1);
    assert_int_equal(compare(ENG_F64, want, other, 2, exact).outside, 1);
}

static void one_lsb_is_one_step(void **state)
{
    const int8_t want[] = {-128, 127, 0, 5}, inside[] = {-127, 126, 1, 5};
    const int8_t outside[] = {-126, 127, 0, 5};
    (void)state;
    assert_int_equal(compare(ENG_I8, want, inside, 4, one_lsb).outside, 0);
    assert_int_equal(compare(ENG_I8, want, inside, 4, one_lsb).equal, 1);
    assert_int_equal(compare(ENG_I8, want, outside, 4, one_lsb).outside, 1);
    assert_true(compare(ENG_I8, want, outside, 4, one_lsb).worst == 2.0);
    assert_int_equal(compare(ENG_I8, want, inside, 4, exact).outside, 3);
}

static void large_integers_keep_their_low_bits(void **state)
{
    const int64_t want[] = {INT64_MAX, INT64_MIN, 9007199254740993};
    const int64_t got[] = {INT64_MAX - 1, INT64_MAX, 9007199254740992};
    (void)state;
    const srv_diff d = compare(ENG_I64, want, got, 3, one_lsb);
    assert_int_equal(d.outside, 1);
    assert_int_equal(d.first, 1);
    assert_true(isinf(d.worst));
    assert_int_equal(compare(ENG_I64, want, got, 3, exact).outside, 3);
}

static void merging_keeps_the_first_failure(void **state)
{
    const int8_t want[] = {1, 2}, first[] = {1, 9}, second[] = {7, 2};
    (void)state;
    srv_diff sum = {0};
    const srv_diff a = compare(ENG_I8, want, want, 2, exact);
    const srv_diff b = compare(ENG_I8, want, first, 2, exact);
    const srv_diff c = compare(ENG_I8, want, second, 2, exact);
    srv_diff_merge(&sum, &a);
    srv_diff_merge(&sum, &b);
    srv_diff_merge(&sum, &c);
    assert_int_equal(sum.elems, 6);
    assert_int_equal(sum.equal, 4);
    assert_int_equal(sum.outside, 2);
    assert_int_equal(sum.first, 1);
    assert_true(sum.worst == 7.0 && sum.want == 2.0 && sum.got == 9.0);
}

static void shapes_agree_size_by_size(void **state)
{
    const srv_recorded a = {.rank = 2, .dim = {1, 3}}, b = {.rank = 2, .dim = {3, 1}};
    const srv_recorded c = {.rank = 1, .dim = {3}};
    char text[32], small[6];
    (void)state;
    assert_true(srv_same_shape(&a, &a));
    assert_false(srv_same_shape(&a, &b));
    assert_false(srv_same_shape(&a, &c));
    srv_dims_text(text, sizeof(text), a.dim, a.rank);
    assert_string_equal(text, "[1, 3]");
    srv_dims_text(small, sizeof(small), a.dim, a.rank);
    assert_true(strlen(small) < sizeof(small));
    srv_dims_text(text, sizeof(text), a.dim, 0);
    assert_string_equal(text, "[]");
}

static void real_units_of_a_quantized_tensor(void **state)
{
    const int8_t q[] = {-128, 0, 127};
    const srv_recorded in = tensor(ENG_I8, q, 3);
    const srv_case_io io = {.name = "x", .quantized = true, .scale = 0.5f, .zero_point = -128};
    nf_error err = {0};
    srv_recorded out;
    (void)state;
    assert_ok(srv_recorded_real(&out, &in, &io, &err), &err);
    assert_true(srv_element(out.data, out.dtype, 0) == 0.0);
    assert_true(srv_element(out.data, out.dtype, 1) == 64.0);
    assert_true(srv_element(out.data, out.dtype, 2) == 127.5);
    srv_recorded_fini(&out);
    const srv_recorded text = {.content = SRV_CASE_STRINGS, .dtype = ENG_STR};
    assert_int_equal(srv_recorded_real(&out, &text, &io, &err), NF_EUNSUPPORTED);
}

static void texts_are_the_same_or_not(void **state)
{
    const nf_span a[] = {{"hot", 3}, {"", 0}, {"cold", 4}},
                  b[] = {{"hot", 3}, {NULL, 0}, {"col", 3}};
    const srv_recorded want = {.dtype = ENG_STR, .data = (uint8_t *)(uintptr_t)a, .elems = 3};
    const srv_recorded got = {.dtype = ENG_STR, .data = (uint8_t *)(uintptr_t)b, .elems = 3};
    (void)state;
    const srv_diff d = srv_compare(&want, &got, exact);
    assert_int_equal(d.equal, 2);
    assert_int_equal(d.outside, 1);
    assert_int_equal(d.first, 2);
    assert_string_equal(d.want_text, "cold");
    assert_string_equal(d.got_text, "col");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abs_rel_adds_both_parts),
        cmocka_unit_test(nan_is_equal_to_nan_only),
        cmocka_unit_test(exact_floats_compare_by_value),
        cmocka_unit_test(one_lsb_is_one_step),
        cmocka_unit_test(large_integers_keep_their_low_bits),
        cmocka_unit_test(merging_keeps_the_first_failure),
        cmocka_unit_test(shapes_agree_size_by_size),
        cmocka_unit_test(real_units_of_a_quantized_tensor),
        cmocka_unit_test(texts_are_the_same_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
