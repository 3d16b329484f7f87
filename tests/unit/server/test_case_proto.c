/* test_case_proto.c - TensorProto: what is read, and every way it can be cut short. Layer:
 * tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "server/case/case_proto.h"

#include <string.h>

#define MESSAGE(...) ((nf_bytes){(const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})})

static nf_status read(srv_recorded *t, nf_bytes file, nf_error *err)
{
    /* A block of the exact size, so that a sanitizer sees the first byte read behind it. */
    uint8_t *copy = nf_alloc(file.len ? file.len : 1, NF_MEM_MISC);
    assert_non_null(copy);
    memcpy(copy, file.data, file.len);
    *err = (nf_error){0};
    const nf_status st = srv_recorded_proto(t, (nf_bytes){copy, file.len}, err);
    nf_free(copy);
    return st;
}

/* dims 2, 1; FLOAT; name "x"; raw_data of two floats */
static nf_bytes two_floats(void)
{
    static const uint8_t bytes[] = {0x08, 2, 0x08, 1,    0x10, 1, 0x42, 1, 'x', 0x4a,
                                    8,    0, 0,    0x80, 0x3f, 0, 0,    0, 0xc0};
    return (nf_bytes){bytes, sizeof(bytes)};
}

static void raw_data_is_read(void **state)
{
    nf_error err;
    srv_recorded t;
    (void)state;
    assert_ok(read(&t, two_floats(), &err), &err);
    assert_int_equal(t.dtype, ENG_F32);
    assert_int_equal(t.rank, 2);
    assert_int_equal(t.dim[0], 2);
    assert_int_equal(t.dim[1], 1);
    assert_int_equal(t.elems, 2);
    assert_true(srv_element(t.data, t.dtype, 0) == 1.0);
    assert_true(srv_element(t.data, t.dtype, 1) == -2.0);
    srv_recorded_fini(&t);
}

static void texts_are_read(void **state)
{
    nf_error err;
    srv_recorded t;
    (void)state;
    assert_ok(read(&t, MESSAGE(0x08, 2, 0x10, 8, 0x32, 2, 'h', 'i', 0x32, 0), &err), &err);
    assert_int_equal(t.dtype, ENG_STR);
    assert_true(nf_span_is(srv_text(&t, 0), "hi") && srv_text(&t, 1).len == 0);
    srv_recorded_fini(&t);
}

typedef struct typed_case {
    nf_bytes file;
    eng_dtype dtype;
    double want[2];
} typed_case;

static void typed_fields_are_read(void **state)
{
    const typed_case cases[] = {
        /* packed float_data */
        {MESSAGE(0x08, 2, 0x10, 1, 0x22, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40), ENG_F32, {1, 2}},
        /* int32_data as FLOAT16: 1, -2 */
        {MESSAGE(0x08, 2, 0x10, 10, 0x2a, 5, 0x80, 0x78, 0x80, 0x80, 3), ENG_F16, {1, -2}},
        /* uint64_data: 3, 4 */
        {MESSAGE(0x08, 2, 0x10, 13, 0x5a, 2, 3, 4), ENG_U64, {3, 4}},
        /* two float_data, not packed */
        {MESSAGE(0x08, 2, 0x10, 1, 0x25, 0, 0, 0x80, 0x3f, 0x25, 0, 0, 0, 0x40), ENG_F32, {1, 2}},
        /* int64_data: 5, -1 (ten bytes); packed dims */
        {MESSAGE(0x0a, 1, 2, 0x10, 7, 0x3a, 11, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 1),
         ENG_I64,
         {5, -1}},
        /* int32_data as INT8: -128, 127 */
        {MESSAGE(0x08, 2, 0x10, 3, 0x2a, 11, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 1, 127),
         ENG_I8,
         {-128, 127}},
        /* int32_data as BOOL, not packed */
        {MESSAGE(0x08, 2, 0x10, 9, 0x28, 1, 0x28, 0), ENG_BOOL, {1, 0}},
        /* double_data */
        {MESSAGE(0x08, 2, 0x10, 11, 0x52, 16, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0,
                 0x40),
         ENG_F64,
         {1, 2}},
        /* int32_data as FLOAT16 */
        {MESSAGE(0x08, 2, 0x10, 10, 0x2a, 5, 0x80, 0x78, 0x80, 0x80, 3), ENG_F16, {1, -2}},
        /* uint64_data */
        {MESSAGE(0x08, 2, 0x10, 13, 0x5a, 11, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                 0xff, 1),
         ENG_U64,
         {3, 0x1p64}},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        nf_error err;
        srv_recorded t;
        assert_ok(read(&t, cases[i].file, &err), &err);
        assert_int_equal(t.dtype, cases[i].dtype);
        assert_int_equal(t.elems, 2);
        for (size_t k = 0; k < 2; k++)
            assert_true(srv_element(t.data, t.dtype, k) == cases[i].want[k]);
        srv_recorded_fini(&t);
    }
}

static void a_scalar_has_one_element(void **state)
{
    nf_error err;
    srv_recorded t;
    (void)state;
    assert_ok(read(&t, MESSAGE(0x10, 6, 0x4a, 4, 7, 0, 0, 0), &err), &err);
    assert_int_equal(t.rank, 0);
    assert_int_equal(t.elems, 1);
    assert_true(srv_element(t.data, t.dtype, 0) == 7.0);
    srv_recorded_fini(&t);
}

static void an_empty_tensor_has_none(void **state)
{
    nf_error err;
    srv_recorded t;
    (void)state;
    assert_ok(read(&t, MESSAGE(0x08, 0, 0x10, 1), &err), &err);
    assert_int_equal(t.elems, 0);
    srv_recorded_fini(&t);
}

typedef struct bad_case {
    nf_bytes file;
    nf_status status;
    const char *text; /* part of the error */
} bad_case;

static void bad_messages_are_refused(void **state)
{
    const bad_case cases[] = {
        {MESSAGE(0x10, 14, 0x08, 1), NF_EUNSUPPORTED, "complex64"},
        {MESSAGE(0x10, 22, 0x08, 1), NF_EUNSUPPORTED, "4-bit numbers"},
        {MESSAGE(0x10, 8, 0x08, 1), NF_EFORMAT, "the shape has 1 texts, the file 0"},
        {MESSAGE(0x10, 8, 0x08, 1, 0x32, 1, 'a', 0x32, 0), NF_EFORMAT, "more texts"},
        {MESSAGE(0x10, 17, 0x08, 1), NF_EUNSUPPORTED, "element type 17 (float8e4m3fn)"},
        {MESSAGE(0x08, 1), NF_EUNSUPPORTED, "element type 0"},
        {MESSAGE(0x10, 1, 0x70, 1), NF_EUNSUPPORTED, "another file"},
        {MESSAGE(0x10, 1, 0x1a, 0), NF_EUNSUPPORTED, "segments"},
        {MESSAGE(0x08, 3, 0x10, 1, 0x4a, 4, 0, 0, 0, 0), NF_EFORMAT, "needs 12 bytes"},
        {MESSAGE(0x08, 1, 0x10, 1, 0x22, 8, 0, 0, 0, 0, 0, 0, 0, 0), NF_EFORMAT, "more elements"},
        {MESSAGE(0x08, 2, 0x10, 1, 0x22, 4, 0, 0, 0, 0), NF_EFORMAT, "2 elements, the file 1"},
        {MESSAGE(0x08, 2, 0x10, 1, 0x22, 6, 0, 0, 0, 0, 0, 0), NF_EFORMAT, "end within one"},
        {MESSAGE(0x08, 1, 0x10, 1, 0x20, 0), NF_EFORMAT, "wrong wire type"},
        {MESSAGE(0x10, 1, 0x4b), NF_EFORMAT, "wire type"},
        {MESSAGE(0x00, 1), NF_EFORMAT, "field number"},
        {MESSAGE(0x08, 0x80), NF_EFORMAT, "ends within"},
        {MESSAGE(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2), NF_EFORMAT,
         "64 bits"},
        {MESSAGE(0x4a, 9, 0, 0), NF_EFORMAT, "longer than the file"},
        {MESSAGE(0x08, 0xff, 0xff, 0xff, 0xff, 0x7f), NF_EFORMAT, "dimension out of range"},
        {MESSAGE(0x08, 0x80, 0x80, 0x80, 0x40, 0x08, 0x80, 0x80, 0x80, 0x40, 0x08, 0x80, 0x80, 0x80,
                 0x40, 0x10, 1),
         NF_ETOOLARGE, "over"},
        {MESSAGE(0x08, 0x80, 0x80, 0x80, 1, 0x10, 3), NF_EFORMAT, "only 7 bytes"},
        {MESSAGE(0x0a, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0x10, 1), NF_EFORMAT, "8 dimensions"},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        nf_error err;
        srv_recorded t;
        const nf_status st = read(&t, cases[i].file, &err);
        if (st != cases[i].status || !strstr(err.text, cases[i].text))
            fail_msg("case %zu: %s: %s, wanted %s: … %s", i, nf_status_name(st), err.text,
                     nf_status_name(cases[i].status), cases[i].text);
        assert_null(t.data);
    }
}

static void every_cut_is_refused(void **state)
{
    const nf_bytes whole = two_floats();
    (void)state;
    for (size_t n = 0; n < whole.len; n++) {
        nf_error err;
        srv_recorded t;
        assert_int_not_equal(read(&t, (nf_bytes){whole.data, n}, &err), NF_OK);
        assert_null(t.data);
    }
}

static void no_memory_is_reported(void **state)
{
    nf_error err = {0};
    srv_recorded t;
    (void)state;
    nf_mem_fail_nth(1);
    assert_int_equal(srv_recorded_proto(&t, two_floats(), &err), NF_ENOMEM);
    nf_mem_fail_nth(0);
    assert_null(t.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_data_is_read),         cmocka_unit_test(texts_are_read),
        cmocka_unit_test(typed_fields_are_read),    cmocka_unit_test(a_scalar_has_one_element),
        cmocka_unit_test(an_empty_tensor_has_none), cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(every_cut_is_refused),     cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
