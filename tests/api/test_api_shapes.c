/* test_api_shapes.c - open shapes, texts, every width of number and anomaly scores over the wire,
 * with the small models of tests/models. Layer: tests. */
#include "tests/support/server_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define P(model) "/v1/models/" model ":predict"
#define I(model) "/v2/models/" model "/infer"
#define V2(name, shape, type, data)                                                                \
    "{\"inputs\":[{\"name\":\"" name "\",\"shape\":" shape ",\"datatype\":\"" type                 \
    "\",\"data\":" data "}]}"
#define WIDTHS_1 "\"i8\":-128,\"i16\":-32768,\"i32\":-2147483648,\"i64\":-9223372036854775808,"
#define WIDTHS_2 "\"u16\":65535,\"u32\":4294967295,\"f64\":0.5,\"b\":true,"

// clang-format off
static const test_case cases[] = {
    /* open shapes: instances of one shape are a batch */
    {"POST", P("open"), "{\"instances\":[[[1,-2]]]}", 200, "{\"predictions\":[[[1.0,0.0]]],"},
    {"POST", P("open"), "{\"instances\":[[[1,-2],[3,4],[5,6]]]}", 200, "{\"predictions\":[[[1.0,0.0],[3.0,4.0],[5.0,6.0]]],"},
    {"POST", P("open"), "{\"instances\":[[[1,-2]],[[3,4]]]}", 200, "{\"predictions\":[[[1.0,0.0]],[[3.0,4.0]]],"},
    {"POST", P("open"), "{\"instances\":[[1,-2],[3,4]]}", 200, "{\"predictions\":[[[1.0,0.0],[3.0,4.0]]],"},
    {"POST", P("open"), "{\"instances\":[{\"x\":[[1,-2]]},{\"x\":[[3,4]]}]}", 200, "{\"predictions\":[[[1.0,0.0]],[[3.0,4.0]]],"},
    {"POST", P("open"), "{\"instances\":[{\"x\":[[[1,-2]]]},{\"x\":[[[3,4]]]}]}", 200, "{\"predictions\":[[[1.0,0.0]],[[3.0,4.0]]],"},
    {"POST", P("open"), "{\"inputs\":[[[1,-2],[3,4]]]}", 200, "{\"outputs\":[[[1.0,0.0],[3.0,4.0]]],"},
    {"POST", P("open"), "{\"inputs\":[[]]}", 400, "x: expected shape [-1, -1, 2] (-1: any size), got shape [1, 0]"},
    {"POST", P("open"), "{\"inputs\":[[[],[]]]}", 400, "got shape [1, 2, 0]"},
    {"POST", P("open"), "{\"instances\":[[[1,2,3]]]}", 400, "x: expected shape [-1, -1, 2] (-1: any size), got shape [1, 1, 3]"},
    {"POST", P("open"), "{\"instances\":[[[1,2]],[[1,2],[3,4]]]}", 400, "ragged"},
    {"POST", P("open"), "{\"instances\":[{\"x\":[[1,2]]},{\"x\":[[1,2],[3,4]]}]}", 400, "instance 1 has another shape than the first one"},
    {"POST", I("open"), V2("x", "[1,3,2]", "FP32", "[1,-2,3,4,5,6]"), 200, "\"shape\":[1,3,2],\"data\":[1.0,0.0,3.0,4.0,5.0,6.0]"},
    {"POST", I("open"), V2("x", "[2,1,2]", "FP32", "[[[1,-2]],[[3,4]]]"), 200, "\"shape\":[2,1,2],\"data\":[1.0,0.0,3.0,4.0]"},
    {"POST", I("open"), V2("x", "[1,0,2]", "FP32", "[]"), 200, "\"shape\":[1,0,2],\"data\":[]"},
    {"POST", I("open"), V2("x", "[1,3,2]", "FP32", "[1,2]"), 400, "shape says 6 values, data has 2"},
    {"POST", I("open"), V2("x", "[1,2,3]", "FP32", "[1,2,3,4,5,6]"), 400, "expected shape [-1, -1, 2]"},
    {"GET", "/v2/models/open", "", 200, "\"shape\":[-1,-1,2]"},
    {"GET", "/v1/models/open/metadata", "", 200, "{\"size\":\"-1\",\"name\":\"\"},{\"size\":\"-1\",\"name\":\"\"},{\"size\":\"2\""},
    /* several inputs, one of them without a batch */
    {"POST", P("pair"), "{\"instances\":[{\"a\":[1,2,3],\"b\":[10,20,30]}]}", 200, "{\"predictions\":[[11.0,22.0,33.0]],"},
    {"POST", P("pair"), "{\"inputs\":{\"a\":[[1,2],[3,4]],\"b\":[10,20]}}", 200, "{\"outputs\":[[11.0,22.0],[13.0,24.0]],"},
    {"POST", P("pair"), "{\"inputs\":{\"a\":[[1,2],[3,4]],\"b\":[10,20,30]}}", 400, "the model cannot take these shapes"},
    {"POST", P("pair"), "{\"instances\":[{\"a\":[1],\"b\":[1]},{\"a\":[2],\"b\":[2]}]}", 400, "b: expected shape [-1]"},
    {"GET", "/v2/models/pair", "", 200, "\"nearfar\":{\"task\":\"regression\",\"labels\":[],\"features\":[]}"},
    /* texts */
    {"POST", P("text"), "{\"instances\":[[\"a\",\"b\\u00e9\\n\"],[\"\",\"d\"]]}", 200, "{\"predictions\":[[\"a\",\"b\xc3\xa9\\n\"],[\"\",\"d\"]],"},
    {"POST", P("text"), "{\"instances\":[[\"a\",1]]}", 400, "expected a string or an array of strings"},
    {"POST", P("text"), "{\"instances\":[[\"a\",{\"b64\":\"YQ==\"}]]}", 501, "base64"},
    {"POST", P("text"), "{\"instances\":[[\"a\"]]}", 400, "x: expected shape [-1, 2]"},
    {"POST", P("text_open"), "{\"instances\":[[\"a\",\"b\",\"c\"]]}", 200, "{\"predictions\":[[\"a\",\"b\",\"c\"]],"},
    {"POST", I("text"), V2("x", "[2,2]", "BYTES", "[\"a\",\"b\",\"c\",\"d\"]"), 200, "\"datatype\":\"BYTES\",\"shape\":[2,2],\"data\":[\"a\",\"b\",\"c\",\"d\"]"},
    {"POST", I("text"), V2("x", "[1,2]", "FP32", "[1,2]"), 400, "expected datatype BYTES, got 'FP32'"},
    {"POST", P("mixed"), "{\"instances\":[{\"word\":\"hi\",\"x\":[1,-1]},{\"x\":[-1,2],\"word\":[\"ho\"]}]}", 200, "{\"predictions\":[{\"said\":[\"hi\"],\"y\":[1.0,0.0]},{\"said\":[\"ho\"],\"y\":[0.0,2.0]}],"},
    {"GET", "/v2/models/text", "", 200, "\"datatype\":\"BYTES\",\"shape\":[-1,2]"},
    {"GET", "/v1/models/text/metadata", "", 200, "\"dtype\":\"DT_STRING\""},
    /* half precision is FP32 on the wire */
    {"POST", P("half"), "{\"instances\":[[0.5,-3],[4,65504]]}", 200, "{\"predictions\":[[0.5,0.0],[4.0,65504.0]],"},
    {"POST", I("half"), V2("x", "[1,2]", "FP32", "[1,2]"), 200, "\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[1.0,2.0]"},
    {"POST", I("half"), V2("x", "[1,2]", "FP16", "[1,2]"), 400, "expected datatype FP32, got 'FP16'"},
    /* widths and ranges */
    {"POST", P("widths"), "{\"instances\":[{" WIDTHS_1 WIDTHS_2 "\"u8\":255,\"u64\":18446744073709551615}]}", 200, "\"i64_out\":-9223372036854775808"},
    {"POST", P("widths"), "{\"instances\":[{" WIDTHS_1 WIDTHS_2 "\"u8\":255,\"u64\":18446744073709551615}]}", 200, "\"u64_out\":18446744073709551615,\"f64_out\":0.5,\"b_out\":true"},
    {"POST", P("widths"), "{\"instances\":[{" WIDTHS_1 WIDTHS_2 "\"u8\":255,\"u64\":18446744073709551616}]}", 400, "does not fit into UINT64"},
    {"POST", P("widths"), "{\"instances\":[{" WIDTHS_1 WIDTHS_2 "\"u8\":256,\"u64\":1}]}", 400, "256 does not fit into UINT8"},
    {"POST", P("widths"), "{\"instances\":[{" WIDTHS_1 WIDTHS_2 "\"u8\":-1,\"u64\":1}]}", 400, "-1 does not fit into UINT8"},
    {"POST", P("widths"), "{\"instances\":[{" WIDTHS_1 WIDTHS_2 "\"u8\":1.5,\"u64\":1}]}", 400, "1.5 does not fit into UINT8"},
    /* scalars */
    {"POST", P("scalar"), "{\"instances\":[-3]}", 200, "{\"predictions\":[0.0],"},
    {"POST", P("scalar"), "{\"inputs\":4}", 200, "{\"outputs\":4.0,"},
    {"POST", I("scalar"), V2("x", "[]", "FP32", "[4]"), 200, "\"shape\":[],\"data\":[4.0]"},
    {"POST", I("scalar"), V2("x", "[1]", "FP32", "[4]"), 200, "\"data\":[4.0]"},
    /* names of the signature, notes of the file */
    {"POST", P("notes"), "{\"instances\":[{\"celsius\":[22,23,24]}]}", 200, "\"classes\":[{\"label\":\"normal\""},
    {"POST", P("notes"), "{\"instances\":[{\"input\":[22,23,24]}]}", 200, "\"classes\":[{\"label\":\"normal\""},
    {"POST", I("notes"), V2("celsius", "[1,3,1]", "FP32", "[22,23,24]"), 200, "\"name\":\"state\""},
    {"POST", I("notes"), V2("input", "[1,3,1]", "FP32", "[22,23,24]"), 200, "\"name\":\"probs\""},
    {"GET", "/v1/models/notes/metadata", "", 200, "\"signature\":\"serving_default\",\"labels\":[\"normal\",\"hot\",\"cold\"]"},
    {"GET", "/v1/models/notes/metadata", "", 200, "\"input_notes\":[{\"name\":\"input\",\"signature_name\":\"celsius\",\"title\":\"readings\",\"description\":\"three of them, in degC\",\"mean\":[20.0],\"std\":[8.0]}]"},
    {"GET", "/v2/models/notes", "", 200, "\"nearfar\":{\"task\":\"classification\",\"labels\":[\"normal\",\"hot\",\"cold\"],\"features\":[]}"},
    /* anomaly scores */
    {"POST", P("score"), "{\"instances\":[[0.25],[0.75]]}", 200, "\"anomaly\":[{\"score\":0.25,\"threshold\":0.5,\"is_anomaly\":false},{\"score\":0.75,\"threshold\":0.5,\"is_anomaly\":true}]"},
    {"GET", "/v1/models/score/metadata", "", 200, "\"task\":\"anomaly\",\"anomaly\":{\"threshold\":0.5,\"direction\":\"above\"}"},
    {"GET", "/v2/models/score", "", 200, "\"features\":[\"load\"]"},
};
// clang-format on

static test_server server;

static int start(void **state)
{
    static const char *const args[] = {"--models", NF_SOURCE_DIR "/tests/models", NULL};
    (void)state;
    test_server_start(&server, args);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_int_equal(test_server_stop(&server, SIGTERM), 0);
    return 0;
}

static void answers_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        test_reply r;
        test_answer(&r, &server, &cases[i]);
    }
}

/* Every request has a shape of its own: the plans that are kept must not grow without end. */
static void memory_stays_bounded(void **state)
{
    static char body[65536];
    double before = 0, after = 0;
    test_reply r;
    (void)state;
    for (int n = 1; n <= 200; n++) {
        size_t at = (size_t)snprintf(body, sizeof(body), "{\"instances\":[[");
        for (int k = 0; k < n; k++)
            at += (size_t)snprintf(body + at, sizeof(body) - at, "%s[1,2]", k ? "," : "");
        snprintf(body + at, sizeof(body) - at, "]]}");
        assert_int_equal(test_ask(&r, &server, "POST", P("open"), body), 200);
        if (n != 20 && n != 200) continue;
        test_ask(&r, &server, "GET", "/metrics", "");
        const char *line = strstr(r.body, "\nnearfar_memory_bytes{tag=\"arena\"}");
        assert_non_null(line);
        *(n == 20 ? &before : &after) = strtod(strchr(line, ' '), NULL);
    }
    assert_true(after < before + 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_the_table_says),
        cmocka_unit_test(memory_stays_bounded),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
