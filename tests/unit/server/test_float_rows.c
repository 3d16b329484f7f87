/* test_float_rows.c - rows of numbers from NPY and CSV: every type and version, and what is wrong
 * with bad ones. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "server/table/float_rows.h"
#include "tests/support/server_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* An NPY file of this header and content; version 1 has a length of two bytes, others of four. */
static nf_bytes make_npy(uint8_t *to, uint8_t version, const char *header, const void *data,
                         size_t bytes)
{
    const size_t len = strlen(header), lead = version == 1 ? 2 : 4;
    memcpy(to, "\x93NUMPY", 6);
    to[6] = version;
    to[7] = 0;
    for (size_t i = 0; i < lead; i++)
        to[8 + i] = (uint8_t)(len >> (8 * i));
    memcpy(to + 8 + lead, header, len);
    memcpy(to + 8 + lead + len, data, bytes);
    return (nf_bytes){to, 8 + lead + len + bytes};
}

static void expect_npy(const char *header, uint8_t version, const void *data, size_t bytes,
                       size_t n, size_t width, const float *want)
{
    uint8_t buf[512];
    srv_rows r;
    nf_error err = {0};
    assert_ok(srv_rows_from_npy(&r, make_npy(buf, version, header, data, bytes), "a.npy", &err),
              &err);
    assert_int_equal(r.n, n);
    assert_int_equal(r.width, width);
    assert_memory_equal(r.v, want, n * width * sizeof(float));
    srv_rows_fini(&r);
}

static void npy_types_and_versions(void **state)
{
    static const float f4[4] = {1, -2, 3.5f, 0}, whole[4] = {1, 0, 3, 200};
    static const double f8[4] = {1, -2, 3.5, 0};
    static const uint16_t f2[4] = {0x3C00, 0xC000, 0x4300, 0}, u2[4] = {1, 0, 3, 200};
    static const int32_t i4[4] = {1, 0, 3, 200};
    static const int64_t i8[4] = {1, 0, 3, 200};
    static const uint8_t u1[4] = {1, 0, 3, 200};
    (void)state;
    expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", 1, f4, sizeof(f4),
               2, 2, f4);
    expect_npy("{'shape':(2,1,2),'fortran_order':False,\"descr\":\"<f8\"}", 2, f8, sizeof(f8), 2, 2,
               f4);
    expect_npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 4)}", 3, f2, sizeof(f2), 1, 4,
               f4);
    expect_npy("{'descr': '<u2', 'fortran_order': False, 'shape': (4,)}", 1, u2, sizeof(u2), 4, 1,
               whole);
    expect_npy("{'descr': '<i4', 'fortran_order': True, 'shape': (4,)}", 1, i4, sizeof(i4), 4, 1,
               whole);
    expect_npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2)}", 1, i8, sizeof(i8), 2, 2,
               whole);
    expect_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}", 1, u1, sizeof(u1), 2, 2,
               whole);
}

static void bad_npy_is_refused(void **state)
{
    static const float four[4] = {1, 2, 3, 4};
    static const uint32_t odd[4] = {0x7F800000, 0, 0, 0}; /* infinite */
    static const struct {
        const char *header, *text;
    } cases[] = {
        {"", "expected '{'"},
        {"{'descr': '<f4', 'shape': (2, 2)}", "expected the keys"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2)}", "'>f4' are not supported"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 1)}", "not supported"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2, 2)}", "not supported"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2)}", "a plain type"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", "Fortran order"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2)}", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "no table"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "has 16 bytes of numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 2)}", "expected sizes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2", "'shape' has no end"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", "16 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9, 99999999999999999999)}", "sizes"},
        {"{'other': 1}", "expected the keys"},
    };
    uint8_t buf[512];
    srv_rows r;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        nf_error err = {0};
        const nf_bytes file = make_npy(buf, 1, cases[i].header, four, sizeof(four));
        assert_int_equal(srv_rows_from_npy(&r, file, "bad.npy", &err), NF_EINVAL);
        assert_string_equal(err.where, "bad.npy");
        if (!strstr(err.text, cases[i].text)) fail_msg("%s: %s", cases[i].header, err.text);
        assert_null(r.v);
    }
    const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}";
    nf_error err = {0};
    assert_int_equal(
        srv_rows_from_npy(&r, make_npy(buf, 1, good, odd, sizeof(odd)), "bad.npy", &err),
        NF_EINVAL);
    assert_non_null(strstr(err.text, "row 0: number 0 is not finite"));
    const nf_bytes whole = make_npy(buf, 1, good, four, sizeof(four));
    for (size_t len = 0; len < whole.len; len++) /* cut off anywhere */
        assert_int_equal(srv_rows_from_npy(&r, (nf_bytes){buf, len}, "bad.npy", NULL), NF_EINVAL);
    assert_int_equal(
        srv_rows_from_npy(&r, make_npy(buf, 4, good, four, sizeof(four)), "bad.npy", NULL),
        NF_EINVAL);
}

static nf_status read_csv(srv_rows *r, const char *text, nf_error *err)
{
    return srv_rows_from_csv(r, (nf_bytes){(const uint8_t *)text, strlen(text)}, "t.csv", err);
}

static void csv_with_and_without_header(void **state)
{
    static const float want[4] = {1, 2.5f, -3, 4e2f};
    static const char *const good[] = {"1,2.5\n-3,4e2\n", "a,b\n1,2.5\r\n-3,4e2",
                                       "a;label;b\n1;hot;2.5\n-3;cold;4e2\n"};
    static const struct {
        const char *text, *where, *what;
    } bad[] = {{"1,2\n3\n", "t.csv:2", "expected 2 cells, got 1"},
               {"a,b\n1,2\n3,x\n", "t.csv:3", "column 2: expected a number, got 'x'"},
               {"1,2\n3,1e99\n", "t.csv:2", "column 2"},
               {"label\nhot\n", "t.csv", "no column of numbers"}};
    srv_rows r;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(good); i++) {
        nf_error err = {0};
        assert_ok(read_csv(&r, good[i], &err), &err);
        assert_int_equal(r.n, 2);
        assert_int_equal(r.width, 2);
        assert_memory_equal(r.v, want, sizeof(want));
        srv_rows_fini(&r);
    }
    for (size_t i = 0; i < NF_COUNT(bad); i++) {
        nf_error err = {0};
        assert_int_equal(read_csv(&r, bad[i].text, &err), NF_EINVAL);
        assert_string_equal(err.where, bad[i].where);
        assert_non_null(strstr(err.text, bad[i].what));
        assert_null(r.v);
    }
}

/* The folder nearer to the model goes first, and there the NPY file. */
static void files_are_found(void **state)
{
    char folder[512], above[600], path[1024], near_npy[600], near_csv[600], far[600];
    (void)state;
    test_folder(above);
    snprintf(folder, sizeof(folder), "%.480s/1", above);
    assert_int_equal(mkdir(folder, 0755), 0);
    const char *const folders[] = {folder, above};
    assert_false(srv_rows_find(path, sizeof(path), folders, 2));
    const nf_bytes text = {(const uint8_t *)"1\n", 2};
    snprintf(far, sizeof(far), "%.500s/calibration.csv", above);
    snprintf(near_csv, sizeof(near_csv), "%s/calibration.csv", folder);
    snprintf(near_npy, sizeof(near_npy), "%s/calibration.npy", folder);
    const char *const order[] = {far, near_csv, near_npy};
    for (size_t i = 0; i < NF_COUNT(order); i++) {
        assert_int_equal(nf_write_file(order[i], text, NULL), NF_OK);
        assert_true(srv_rows_find(path, sizeof(path), folders, 2));
        assert_string_equal(path, order[i]);
    }
    snprintf(path, sizeof(path), "rm -rf '%s'", above);
    assert_int_equal(system(path), 0);
}

static void every_allocation_may_fail(void **state)
{
    const size_t live = nf_mem_live_all();
    nf_status st = NF_ENOMEM;
    (void)state;
    for (uint64_t n = 1; st != NF_OK; n++) {
        srv_rows r;
        nf_error err = {0};
        nf_mem_fail_nth(n);
        st = srv_rows_read(&r, NF_SOURCE_DIR "/tests/models/calibration/temp.csv", &err);
        if (!st) {
            srv_rows_fini(&r);
            st = srv_rows_read(&r, NF_SOURCE_DIR "/tests/models/calibration/digits.npy", &err);
        }
        nf_mem_fail_nth(0);
        assert_true(st == NF_OK || st == NF_ENOMEM);
        srv_rows_fini(&r);
        assert_int_equal(nf_mem_live_all(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_types_and_versions),      cmocka_unit_test(bad_npy_is_refused),
        cmocka_unit_test(csv_with_and_without_header), cmocka_unit_test(files_are_found),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
