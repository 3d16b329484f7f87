/* test_api_requests.c - one request, one answer: every endpoint, good and bad bodies, against the
 * real server with the bundled models. Layer: tests. */
#include "tests/support/server_run.h"

#include <signal.h>
#include <stdio.h>

#define P "/v1/models/temp/predict"
#define I "/v2/models/temp/infer"
#define V2(shape, type, data)                                                                      \
    "{\"inputs\":[{\"name\":\"input\",\"shape\":" shape ",\"datatype\":\"" type                    \
    "\",\"data\":" data "}]}"
#define NORMAL "\"label\":\"normal\",\"index\":0"

// clang-format off
static const test_case cases[] = {
    /* predict: row form */
    {"POST", P, "{\"instances\":[[22.0,23.5,21.0]]}", 200, NORMAL},
    {"POST", P, "{\"instances\":[[22.0,23.5,21.0]]}", 200, "\"model\":\"temp\",\"version\":\"1\"}"},
    {"POST", P, "{\"instances\":[[22.0,23.5,21.0]]}", 200, "X-Nearfar-Served: mode=edge; model=temp; version=1; precision=int8; queue_us="},
    {"POST", P, "{\"instances\":[[[22.0],[23.5],[21.0]]]}", 200, NORMAL},
    {"POST", P, "{\"instances\":[22.0,23.5,21.0]}", 200, NORMAL},
    {"POST", P, "{\"instances\":[{\"input\":[22.0,23.5,21.0]}]}", 200, NORMAL},
    {"POST", P, " \n{ \"signature_name\" : \"serving_default\" , \"instances\":[[22,23,21],[35,36,3.7e1],[1,2,-3]]}\n", 200, "\"cold\""},
    {"POST", P, "{\"instances\":[[22,23,21],[35,36,37],[1,2,3]],\"more\":{\"a\":[1,{}]}}", 200, "\"hot\""},
    {"POST", P, "{\"\\u0069nstances\":[[22.0,23.5,21.0]]}", 200, NORMAL},
    {"POST", "/v1/models/temp:predict", "{\"instances\":[[22.0,23.5,21.0]]}", 200, NORMAL},
    {"POST", "/v1/models/temp/versions/1:predict", "{\"instances\":[[22.0,23.5,21.0]]}", 200, NORMAL},
    {"POST", "/v1/models/temp/versions/1/predict", "{\"instances\":[[22.0,23.5,21.0]]}", 200, NORMAL},
    {"POST", "/v1/models/temp/versions/0:predict", "{\"instances\":[[22.0,23.5,21.0]]}", 200, NORMAL},
    /* column form */
    {"POST", P, "{\"inputs\":[[22.0,23.5,21.0]]}", 200, "{\"outputs\":[["},
    {"POST", P, "{\"inputs\":{\"input\":[[22.0,23.5,21.0],[1,2,3]]}}", 200, "{\"outputs\":[["},
    /* not JSON */
    {"POST", P, "", 400, "EINVAL"},
    {"POST", P, "x", 400, "byte 0: expected an object"},
    {"POST", P, "[1,2]", 400, "expected an object"},
    {"POST", P, "42", 400, "expected an object"},
    {"POST", P, "{\"instances\":[[1,2,3]]", 400, "the end"},
    {"POST", P, "{\"instances\":[[1,2,3]]} x", 400, "nothing behind"},
    {"POST", P, "\xef\xbb\xbf{\"instances\":[[1,2,3]]}", 400, "byte 0xef"},
    {"POST", P, "{\"instances\":[[1,2,3,]]}", 400, "behind ','"},
    {"POST", P, "{'instances':[[1,2,3]]}", 400, "in quotes"},
    {"POST", P, "{\"instances\":[[1,2,3]]/*c*/}", 400, "'/'"},
    {"POST", P, "{\"a\":\"\xff\",\"instances\":[[1,2,3]]}", 400, "UTF-8"},
    {"POST", P, "{\"a\":\"\\ud800\",\"instances\":[[1,2,3]]}", 400, "surrogate"},
    {"POST", P, "{\"a\":\"\\u0000\",\"instances\":[[1,2,3]]}", 400, "NUL"},
    {"POST", P, "{\"a\":nul,\"instances\":[[1,2,3]]}", 400, "JSON value"},
    /* keys */
    {"POST", P, "{}", 400, "missing 'instances'"},
    {"POST", P, "{\"instances\":[[1,2,3]],\"instances\":[[1,2,3]]}", 400, "once"},
    {"POST", P, "{\"instances\":[[1,2,3]],\"inputs\":[[1,2,3]]}", 400, "once"},
    {"POST", P, "{\"signature_name\":3,\"instances\":[[1,2,3]]}", 400, "a string"},
    {"POST", P, "{\"instances\":[{\"x\":[1,2,3]}]}", 400, "no input 'x'"},
    {"POST", P, "{\"instances\":[{}]}", 400, "missing named input 'input'"},
    {"POST", P, "{\"instances\":[{\"input\":[1,2,3],\"input\":[1,2,3]}]}", 400, "twice"},
    /* values */
    {"POST", P, "{\"instances\":[]}", 400, "empty"},
    {"POST", P, "{\"instances\":[[]]}", 400, "empty"},
    {"POST", P, "{\"instances\":3}", 400, "an array"},
    {"POST", P, "{\"instances\":[[1,2]]}", 400, "3 values an instance"},
    {"POST", P, "{\"instances\":[[1,2,3,4]]}", 400, "[-1, 3, 1]"},
    {"POST", P, "{\"instances\":[[1,2,3],[4,5]]}", 400, "ragged"},
    {"POST", P, "{\"instances\":[[1,2,[3]]]}", 400, "ragged"},
    {"POST", P, "{\"instances\":[[[1,2,3]],[[1],[2],[3]]]}", 400, "ragged"},
    {"POST", P, "{\"instances\":[[1,2,\"3\"]]}", 400, "a number"},
    {"POST", P, "{\"instances\":[[1,2,true]]}", 400, "a number"},
    {"POST", P, "{\"instances\":[[1,2,null]]}", 400, "a number"},
    {"POST", P, "{\"instances\":[[1,2,NaN]]}", 400, "'N'"},
    {"POST", P, "{\"instances\":[[1,2,Infinity]]}", 400, "'I'"},
    {"POST", P, "{\"instances\":[[1,2,-Infinity]]}", 400, "a number"},
    {"POST", P, "{\"instances\":[[1,2,1e39]]}", 400, "does not fit into FP32"},
    {"POST", P, "{\"instances\":[[1,2,1e400]]}", 400, "out of range"},
    {"POST", P, "{\"instances\":[[1,2,01]]}", 400, "leading 0"},
    {"POST", P, "{\"instances\":[[1,2,+1]]}", 400, "'+'"},
    {"POST", P, "{\"instances\":[[1,2,.5]]}", 400, "'.'"},
    {"POST", P, "{\"instances\":[[1,2,1.]]}", 400, "behind the point"},
    {"POST", P, "{\"instances\":[[1,2,1e]]}", 400, "exponent"},
    {"POST", P, "{\"instances\":[[1,2,1e-400]]}", 200, "\"cold\""},
    {"POST", P, "{\"instances\":[{\"b64\":\"AAAA\"}]}", 400, "no input 'b64'"},
    {"POST", P, "{\"inputs\":{\"b64\":\"AAAA\"}}", 501, "ENOTIMPL"},
    {"POST", P, "{\"instances\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", 400, "deeper"},
    /* models and versions */
    {"POST", "/v1/models/none/predict", "{\"instances\":[[1,2,3]]}", 404, "ENOTFOUND"},
    {"POST", "/v1/models/temp/versions/9:predict", "{\"instances\":[[1,2,3]]}", 404, "no version '9'"},
    {"POST", "/v1/models/temp/versions/99999999999999999999:predict", "{}", 400, "version"},
    {"POST", "/v1/models/temp/versions/x:predict", "{}", 400, "version"},
    {"POST", "/v1/models/temp/labels/stable:predict", "{}", 404, "no label 'stable'"},
    {"GET", P, "", 405, "Allow: POST"},
    {"PUT", P, "{}", 405, "EMETHOD"},
    {"GET", "/nothing", "", 404, "ENOTFOUND"},
    /* states and descriptions */
    {"GET", "/v1/models", "", 200, "\"name\":\"temp\""},
    {"GET", "/v1/models/temp", "", 200, "\"ready\":true"},
    {"GET", "/v1/models/temp", "", 200, "\"state\":\"AVAILABLE\""},
    {"GET", "/v1/models/temp/versions/1", "", 200, "\"error_code\":\"OK\""},
    {"GET", "/v1/models/temp/versions/0", "", 200, "\"version\":\"1\""},
    {"GET", "/v1/models/temp/versions/7", "", 404, "ENOTFOUND"},
    {"GET", "/v1/models/none", "", 404, "ENOTFOUND"},
    {"GET", "/v1/models/temp/metadata", "", 200, "\"dtype\":\"DT_FLOAT\""},
    {"GET", "/v1/models/temp/metadata", "", 200, "\"units\":\"degC\""},
    {"GET", "/v1/models/temp/versions/0/metadata", "", 200, "\"labels\":[\"normal\",\"hot\",\"cold\"]"},
    {"GET", "/v2", "", 200, "\"extensions\":["},
    {"GET", "/v2/health/live", "", 200, "{\"live\":true}"},
    {"GET", "/v2/health/ready", "", 200, "{\"ready\":true}"},
    {"GET", "/v2/models", "", 200, "\"temp\""},
    {"GET", "/v2/models/temp", "", 200, "\"shape\":[-1,3,1]"},
    {"GET", "/v2/models/temp/versions/1", "", 200, "\"datatype\":\"FP32\""},
    {"GET", "/v2/models/temp/ready", "", 200, "{\"name\":\"temp\",\"ready\":true}"},
    {"GET", "/v2/models/temp/versions/1/ready", "", 200, "\"ready\":true"},
    {"GET", "/v2/models/none/ready", "", 404, "ENOTFOUND"},
    {"GET", "/healthz", "", 200, "ok"},
    {"GET", "/", "", 200, "\"status\":\"alive\""},
    {"GET", "/metrics", "", 200, "nearfar_requests_total{model=\"temp\",version=\"1\",code=\"200\"}"},
    {"GET", "/metrics", "", 200, "nearfar_build_info{"},
    /* infer */
    {"POST", I, V2("[1,3,1]", "FP32", "[22.0,23.5,21.0]"), 200, "{\"model_name\":\"temp\",\"model_version\":\"1\",\"outputs\":[{\"name\":\""},
    {"POST", I, V2("[1,3]", "FP32", "[[22.0,23.5,21.0]]"), 200, "\"shape\":[1,3],\"data\":["},
    {"POST", I, V2("[2,3,1]", "FP32", "[1,2,3,4,5,6]"), 200, "\"shape\":[2,3]"},
    {"POST", "/v2/models/temp/versions/1/infer", V2("[1,3,1]", "FP32", "[1,2,3]"), 200, "model_version"},
    {"POST", I, "{\"id\":\"a\\\"b\",\"inputs\":[{\"data\":[1,2,3],\"datatype\":\"FP32\",\"shape\":[1,3,1],\"name\":\"input\"}]}", 200, "{\"id\":\"a\\\"b\",\"model_name\""},
    {"POST", I, "{\"parameters\":{\"binary_data_output\":false,\"x\":1},\"inputs\":[{\"name\":\"input\",\"shape\":[1,3,1],\"datatype\":\"FP32\",\"data\":[1,2,3]}],\"outputs\":[{\"name\":\"probs\",\"parameters\":{\"binary_data\":false}}]}", 200, "\"name\":\"probs\""},
    {"POST", I, V2("[1,3,1]", "INT8", "[1,2,300]"), 400, "INT8"},
    {"POST", I, V2("[1,3,1]", "FP99", "[1,2,3]"), 400, "'FP99'"},
    {"POST", I, V2("[1,3,1]", "FP32", "[1,2]"), 400, "shape says 3 values, data has 2"},
    {"POST", I, V2("[1,4]", "FP32", "[1,2,3,4]"), 400, "expected shape"},
    {"POST", I, V2("[-1,3,1]", "FP32", "[1,2,3]"), 400, "at least 0"},
    {"POST", I, V2("[4294967296,4294967296,3]", "FP32", "[1,2,3]"), 400, "too many"},
    {"POST", I, V2("[1,1,1,1,1,1,1,1,3]", "FP32", "[1,2,3]"), 400, "more than 8"},
    {"POST", I, V2("[]", "FP32", "[1,2,3]"), 400, "expected shape"},
    {"POST", I, "{\"inputs\":[]}", 400, "missing input 'input'"},
    {"POST", I, "{}", 400, "missing input 'input'"},
    {"POST", I, "{\"id\":7,\"inputs\":[]}", 400, "a string"},
    {"POST", I, "{\"inputs\":[{\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}", 400, "no 'name'"},
    {"POST", I, "{\"inputs\":[{\"name\":\"y\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}", 400, "no input of the model"},
    {"POST", I, "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,3,1],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":12}}]}", 501, "ENOTIMPL"},
    {"POST", I, "{\"outputs\":[{\"name\":\"zz\"}],\"inputs\":[]}", 400, "no output of the model"},
    {"POST", I, "{\"outputs\":[{\"name\":\"probs\"},{\"name\":\"probs\"}],\"inputs\":[]}", 400, "twice"},
    {"POST", I, "{\"outputs\":[{\"name\":\"probs\",\"parameters\":{\"classification\":1}}],\"inputs\":[]}", 501, "ENOTIMPL"},
};
// clang-format on

static test_server server;

static int start(void **state)
{
    static const char *const args[] = {"--models", NF_SOURCE_DIR "/models", NULL};
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
        if (cases[i].code >= 400 && !strstr(r.body, "{\"error\":\""))
            fail_msg("no error text: %s", r.body);
    }
}

static void deep_nests_are_refused(void **state)
{
    static char text[1000000];
    test_reply r;
    (void)state;
    memset(text, '[', sizeof(text) - 1);
    memcpy(text, "{\"x\":", 5);
    test_ask(&r, &server, "POST", P, text);
    assert_int_equal(r.code, 400);
    assert_non_null(strstr(r.body, "deeper than 100"));
}

static void a_large_batch_is_answered(void **state)
{
    static char text[200000];
    static test_reply r;
    size_t n = (size_t)snprintf(text, sizeof(text), "{\"instances\":[");
    (void)state;
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s[%d.5,%d,%d]", i ? "," : "", i % 40,
                              i % 40, i % 40);
    snprintf(text + n, sizeof(text) - n, "]}");
    const int fd = test_connect(&server);
    char head[256];
    const int h = snprintf(head, sizeof(head), "POST " P " HTTP/1.0\r\nContent-Length: %zu\r\n\r\n",
                           strlen(text));
    test_send(fd, head, (size_t)h);
    test_send(fd, text, strlen(text));
    test_receive(&r, fd);
    assert_int_equal(r.code, 200);
    assert_non_null(strstr(r.text, "compute_us="));
}

static void metrics_count_requests(void **state)
{
    test_reply r;
    (void)state;
    test_ask(&r, &server, "POST", "/v1/models/digits/predict", "{\"instances\":[[1]]}");
    assert_int_equal(r.code, 400);
    test_ask(&r, &server, "GET", "/metrics", "");
    assert_non_null(
        strstr(r.body, "nearfar_requests_total{model=\"digits\",version=\"1\",code=\"400\"} 1\n"));
    /* The server may see the end of the connection before this one a little later. */
    for (int i = 0; i < 100 && !strstr(r.body, "nearfar_connections 1\n"); i++) {
        usleep(10000);
        test_ask(&r, &server, "GET", "/metrics", "");
    }
    assert_non_null(strstr(r.body, "nearfar_connections 1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_the_table_says),
        cmocka_unit_test(deep_nests_are_refused),
        cmocka_unit_test(a_large_batch_is_answered),
        cmocka_unit_test(metrics_count_requests),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
