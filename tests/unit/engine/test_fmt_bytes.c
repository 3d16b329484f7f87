/* test_fmt_bytes.c - the bounded readers of FlatBuffers and Protocol Buffers, and the list of
 * missing operators. Layer: tests. */
#include "tests/unit/engine/tflite_bytes.h"

#include "engine/format/flatbuf.h"
#include "engine/format/missing.h"
#include "engine/format/protobuf.h"

#include <stdio.h>

static fmt_fb open_flat(const flat *f)
{
    return (fmt_fb){.file = {f->data, f->len}};
}

/* Root table with slots: 0 int, 1 text, 2 vector of int32, 3 absent, 4 a table with one int. */
static flat sample(size_t *root)
{
    flat f = {.len = 0};
    const size_t start = flat_room(&f, 4);
    *root = flat_table(&f, 5);
    flat_refer(&f, start, *root);
    flat_set(&f, *root, 0, (uint64_t)-7);
    memcpy(f.data + flat_vector(&f, *root, 1, 3, 1), "abc", 3);
    flat_ints(&f, *root, 2, 2, (int32_t[]){5, -6});
    flat_set(&f, flat_child(&f, *root, 4, 1), 0, 42);
    return f;
}

static void flat_fields(void **state)
{
    (void)state;
    size_t at;
    const flat f = sample(&at);
    fmt_fb fb = open_flat(&f);
    const fmt_table root = fmt_fb_root(&fb);
    assert_int_equal(fmt_fb_i32(&fb, root, 0, 1), -7);
    assert_int_equal(fmt_fb_i32(&fb, root, 3, 99), 99);  /* absent */
    assert_int_equal(fmt_fb_i32(&fb, root, 17, 99), 99); /* behind the vtable */
    assert_true(nf_span_is(fmt_fb_text(&fb, root, 1), "abc"));
    const fmt_vector v = fmt_fb_vector(&fb, root, 2, 4);
    assert_int_equal(v.n, 2);
    assert_int_equal(fmt_vec_i32(v, 1), -6);
    assert_int_equal(fmt_fb_i32(&fb, fmt_fb_sub(&fb, root, 4), 0, 0), 42);
    assert_false(fmt_fb_has(fmt_fb_sub(&fb, root, 3)));
    assert_int_equal(fmt_fb_i32(&fb, (fmt_table){0}, 0, 3), 3);
    assert_null(fb.bad);
}

static void flat_errors(void **state)
{
    (void)state;
    static const struct {
        size_t at; /* from the root table on, or from the file's start when `start` */
        bool start;
        uint64_t value;
        size_t bytes;
    } cases[] = {
        {0, true, 0, 4},           {0, true, 0xffffffff, 4},  {0, true, 1000, 4},
        {0, false, 0x7fffffff, 4}, {0, false, 0x80000000, 4}, {4, true, 3, 2},  /* vtable's size */
        {4, true, 5, 2},           {4, true, 0xfffe, 2},      {6, true, 2, 2},  /* table's size */
        {6, true, 0xffff, 2},      {8, true, 1, 2},           {8, true, 43, 2}, /* slot 0 */
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        size_t root;
        flat f = sample(&root);
        flat_put(&f, cases[i].start ? cases[i].at : root + cases[i].at, cases[i].value,
                 cases[i].bytes);
        fmt_fb fb = open_flat(&f);
        assert_int_equal(fmt_fb_i32(&fb, fmt_fb_root(&fb), 0, 1), 1);
        if (!fb.bad) fail_msg("case %zu", i);
    }
    size_t root;
    flat f = sample(&root);
    const size_t vector = root + 4 + 8 * 2 + (f.data[root + 4 + 8 * 2]);
    flat_put(&f, vector, 0xffffffff, 4);
    fmt_fb fb = open_flat(&f);
    assert_null(fmt_fb_vector(&fb, fmt_fb_root(&fb), 2, 4).items);
    assert_non_null(fb.bad);
}

static bool walk(const uint8_t *data, size_t len, size_t *fields)
{
    fmt_pb p = fmt_pb_open((nf_bytes){data, len});
    fmt_field f;
    *fields = 0;
    while (fmt_pb_next(&f, &p))
        ++*fields;
    return !p.bad;
}

static void proto_fields(void **state)
{
    (void)state;
    /* 1: 300; 2: "ab"; 3: fixed32 1; 4: fixed64 2 */
    static const uint8_t data[] = {0x08, 0xac, 2, 0x12, 2, 'a', 'b', 0x1d, 1, 0, 0,
                                   0,    0x21, 2, 0,    0, 0,   0,   0,    0, 0};
    fmt_pb p = fmt_pb_open((nf_bytes){data, sizeof(data)});
    fmt_field f;
    assert_true(fmt_pb_next(&f, &p) && fmt_pb_is(&f, 1, FMT_VARINT) && f.value == 300);
    assert_true(fmt_pb_next(&f, &p) && nf_span_is(fmt_pb_text(&f), "ab"));
    assert_true(fmt_pb_next(&f, &p) && fmt_pb_is(&f, 3, FMT_FIXED32) && f.value == 1);
    assert_true(fmt_pb_next(&f, &p) && fmt_pb_is(&f, 4, FMT_FIXED64) && f.value == 2);
    assert_false(fmt_pb_next(&f, &p));
    assert_null(p.bad);
    for (size_t len = 0; len < sizeof(data); len++) { /* whole only between fields */
        size_t fields;
        const bool whole = len == 0 || len == 3 || len == 7 || len == 12;
        assert_int_equal(walk(data, len, &fields), whole);
    }
}

static void proto_errors(void **state)
{
    (void)state;
    static const struct {
        uint8_t data[16];
        size_t len;
        bool good;
    } cases[] = {
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11, true},
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0}, 12, false},
        {{0x00, 0x00}, 2, false}, /* field 0 */
        {{0x0b}, 1, false},       /* groups, and wire types that do not exist */
        {{0x0c}, 1, false},
        {{0x0e, 0}, 2, false},
        {{0x0f, 0}, 2, false},
        {{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11, false},
        {{0x12, 1}, 2, false},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        size_t fields;
        if (walk(cases[i].data, cases[i].len, &fields) != cases[i].good) fail_msg("case %zu", i);
    }
}

static nf_span span(const char *s)
{
    return (nf_span){s, strlen(s)};
}

static void missing_list(void **state)
{
    (void)state;
    fmt_missing m = {0};
    nf_error err = {0};
    char name[16];
    assert_int_equal(fmt_missing_check(&m, "onnx", &err), NF_OK);
    fmt_missing_add(&m, span("CONV_3D"));
    fmt_missing_add(&m, span("a\nb"));
    fmt_missing_add(&m, span("CONV_3D"));
    assert_int_equal(fmt_missing_check(&m, "onnx", &err), NF_EUNSUPPORTED);
    assert_string_equal(err.text, "operators: CONV_3D x2, a?b x1");
    for (int i = 0; i < 100; i++) { /* more kinds than there is room for are still counted */
        snprintf(name, sizeof(name), "OP_%d", i);
        fmt_missing_add(&m, span(name));
    }
    err = (nf_error){0};
    assert_int_equal(fmt_missing_check(&m, "onnx", &err), NF_EUNSUPPORTED);
    assert_non_null(strstr(err.text, " and 70 more"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_fields),  cmocka_unit_test(flat_errors),
        cmocka_unit_test(proto_fields), cmocka_unit_test(proto_errors),
        cmocka_unit_test(missing_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
