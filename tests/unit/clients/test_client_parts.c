/* test_client_parts.c - URLs, requests, the control port's parser, served headers, inputs and
 * answers. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/answer.h"
#include "clients/lib/input_set.h"
#include "clients/lib/served.h"
#include "clients/lib/target.h"
#include "clients/lib/text_out.h"
#include "clients/net/http_ask.h"
#include "clients/net/http_call.h"
#include "engine/base/mem.h"
#include "server/wire/wire.h"

#include <math.h>
#include <stdlib.h>

static nf_bytes bytes(const char *s)
{
    return (nf_bytes){(const uint8_t *)s, strlen(s)};
}

static void urls(void **state)
{
    static const struct {
        const char *text, *host, *port, *authority, *path;
    } good[] = {
        {"http://127.0.0.1:8080", "127.0.0.1", "8080", "127.0.0.1:8080", ""},
        {"127.0.0.1:8080", "127.0.0.1", "8080", "127.0.0.1:8080", ""},
        {"http://edge/", "edge", "80", "edge", ""},
        {"http://[::1]:9/a/b/", "::1", "9", "[::1]:9", "/a/b"},
        {"http://h:1/p?q=1", "h", "1", "h:1", "/p?q=1"},
        {"https://h/x", "h", "443", "h", "/x"},
        {"https://h:80", "h", "80", "h:80", ""},
    };
    static const char *const bad[] = {
        "", "http://", "ftp://h", "http://h:99999", "http://u:p@h/", "http://a b/", "h:x"};
    cl_url u;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(good); i++) {
        nf_error err = {0};
        assert_ok(cl_url_parse(&u, good[i].text, &err), &err);
        assert_string_equal(u.host, good[i].host);
        assert_string_equal(u.port, good[i].port);
        assert_string_equal(u.authority, good[i].authority);
        assert_string_equal(u.path, good[i].path);
        assert_int_equal(u.tls, strncmp(good[i].text, "https", 5) == 0);
    }
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (cl_url_parse(&u, bad[i], NULL) == NF_OK) fail_msg("'%s' was taken", bad[i]);
}

static void addresses(void **state)
{
    static const char *const bad[] = {"", ":", "a:", "a:b", "1:70000", "1:-1", "1:2x"};
    cl_url u;
    (void)state;
    assert_int_equal(cl_host_port_parse(&u, "[::1]:90", NULL), NF_OK);
    assert_string_equal(u.host, "::1");
    assert_int_equal(cl_host_port_parse(&u, ":90", NULL), NF_OK);
    assert_string_equal(u.host, "");
    assert_int_equal(cl_host_port_parse(&u, "90", NULL), NF_OK);
    assert_string_equal(u.port, "90");
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (cl_host_port_parse(&u, bad[i], NULL) == NF_OK) fail_msg("'%s' was taken", bad[i]);
}

static void requests_are_bytes(void **state)
{
    cl_url u;
    cl_call call;
    nf_error err = {0};
    (void)state;
    assert_ok(cl_url_parse(&u, "http://h:1/base", &err), &err);
    const cl_call_spec spec = {
        .method = "POST", .path = "/p", .content_type = WIRE_TYPE_JSON, .body = bytes("[1]")};
    assert_ok(cl_call_init(&call, &u, &spec, &err), &err);
    const char *want = "POST /base/p HTTP/1.1\r\nHost: h:1\r\nAccept: application/json\r\n"
                       "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]";
    assert_int_equal(call.len, strlen(want));
    assert_memory_equal(call.bytes, want, call.len);
    assert_int_equal(call.body_len, 3);
    cl_call_fini(&call);
}

static void model_paths(void **state)
{
    char path[64], tight[30];
    (void)state;
    assert_int_equal(cl_model_path(path, sizeof(path), WIRE_PREDICT, "a b/\xc3\xa4", NULL), NF_OK);
    assert_string_equal(path, "/v1/models/a%20b%2F%C3%A4/predict");
    assert_int_equal(cl_model_path(tight, sizeof(tight), WIRE_PREDICT, "123456789", NULL),
                     NF_EINVAL);
}

static void control_requests(void **state)
{
    static const struct {
        const char *text;
        bool complete, from_page;
        int refused;
    } cases[] = {
        {"GET /v1/link HTTP/1.1\r\nHost: x\r\n\r\n", true, false, 0},
        {"POST /v1/link HTTP/1.1\r\nOrigin: http://x\r\nContent-Length: 2\r\n\r\n{}", true, true,
         0},
        {"POST /v1/link HTTP/1.1\r\nX-Origin-Or-Not: y\r\nContent-Length: 2\r\n\r\n{}", true, false,
         0},
        {"GET /v1/link HTTP/1.1\r\nHost", false, false, 0},
        {"nonsense\r\n\r\n", false, false, 400},
        {"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", true, false, 0},
        {"CONNECT a:1 HTTP/1.1\r\n\r\n", true, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        for (size_t step = 1; step < 200; step += 198) {
            cl_ask a;
            cl_ask_init(&a);
            const size_t len = strlen(cases[i].text);
            for (size_t at = 0; at < len; at += step)
                cl_ask_feed(&a, (nf_bytes){(const uint8_t *)cases[i].text + at,
                                           len - at < step ? len - at : step});
            if (a.complete != cases[i].complete || a.refused != cases[i].refused)
                fail_msg("case %zu: complete %d, refused %d", i, a.complete, a.refused);
            assert_int_equal(a.from_page, cases[i].from_page);
        }
    }
}

static void control_request_limits(void **state)
{
    static char big[9000];
    cl_ask a;
    (void)state;
    memset(big, 'a', sizeof(big));
    cl_ask_init(&a);
    cl_ask_feed(&a, bytes("GET /"));
    cl_ask_feed(&a, (nf_bytes){(const uint8_t *)big, 300});
    assert_int_equal(a.refused, 414);
    cl_ask_init(&a);
    cl_ask_feed(&a, bytes("GET / HTTP/1.1\r\nX: "));
    cl_ask_feed(&a, (nf_bytes){(const uint8_t *)big, sizeof(big)});
    assert_int_equal(a.refused, 431);
    cl_ask_init(&a);
    cl_ask_feed(&a, bytes("POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n"));
    cl_ask_feed(&a, (nf_bytes){(const uint8_t *)big, 5000});
    assert_int_equal(a.refused, 413);
}

static void served_headers(void **state)
{
    cl_served s;
    const char *text = " mode=edge; model=temp;version=1 ; precision=int8; queue_us=3;"
                       "compute_us=12; other=x; bare";
    (void)state;
    cl_served_parse(&s, (nf_span){text, strlen(text)});
    assert_true(s.known);
    assert_string_equal(s.mode, "edge");
    assert_string_equal(s.version, "1");
    assert_string_equal(s.precision, "int8");
    assert_int_equal(s.queue_us, 3);
    assert_int_equal(s.compute_us, 12);
    cl_served_parse(&s, (nf_span){NULL, 0});
    assert_false(s.known);
    text = "precision=0123456789012345678901234567890123456789";
    cl_served_parse(&s, (nf_span){text, strlen(text)});
    assert_string_equal(s.precision, "012345678901234");
}

static void inputs_from_text(void **state)
{
    static const struct {
        const char *text, *body;
    } cases[] = {
        {"[22.0,23.5,21.0]", "{\"instances\":[[22.0,23.5,21.0]]}"},
        {"{\"instances\":[[1]]}", "{\"instances\":[[1]]}"},
        {"{\"inputs\":{\"x\":[1]}}", "{\"inputs\":{\"x\":[1]}}"},
        {"{\"x\":[1]}", "{\"instances\":[{\"x\":[1]}]}"},
        {"-3", "{\"instances\":[-3]}"},
    };
    cl_inputs in;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        nf_error err = {0};
        assert_ok(cl_inputs_read(&in, cases[i].text, &err), &err);
        assert_int_equal(in.n, 1);
        assert_int_equal(in.body[0].len, strlen(cases[i].body));
        assert_memory_equal(in.body[0].data, cases[i].body, in.body[0].len);
        cl_inputs_fini(&in);
    }
    assert_int_equal(cl_inputs_read(&in, "[1,", NULL), NF_EINVAL);
    assert_int_equal(cl_inputs_read(&in, "no-such-file.json", NULL), NF_ENOTFOUND);
}

static void inputs_one_a_line(void **state)
{
    cl_inputs in;
    nf_error err = {0};
    (void)state;
    assert_ok(cl_inputs_read(&in, "[1,2]\n\n[3,4]\r\n", &err), &err);
    assert_int_equal(in.n, 2);
    assert_memory_equal(in.body[1].data, "{\"instances\":[[3,4]", 19);
    cl_inputs_fini(&in);
}

static void inputs_from_metadata(void **state)
{
    const char *temp = "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[-1,3,1],"
                       "\"parameters\":{}}]}";
    const char *two = "{\"inputs\":[{\"name\":\"a\\\"b\",\"datatype\":\"INT8\",\"shape\":[-1,2],"
                      "\"parameters\":{\"min\":3,\"max\":3}},"
                      "{\"name\":\"c\",\"datatype\":\"FP32\",\"shape\":[-1]}]}";
    cl_inputs in, again;
    nf_error err = {0};
    char unit[8];
    (void)state;
    cl_unit_read(unit, sizeof(unit), bytes("{\"nearfar\":{\"units\":\"too long for it\"}}"));
    assert_string_equal(unit, "");
    cl_unit_read(unit, sizeof(unit), bytes("{\"nearfar\":{\"units\":\"degC\"}}"));
    assert_string_equal(unit, "degC");
    assert_ok(cl_inputs_make(&in, bytes(temp), unit, 5, 9, &err), &err);
    assert_ok(cl_inputs_make(&again, bytes(temp), unit, 5, 9, &err), &err);
    assert_int_equal(in.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(in.body[i].len, again.body[i].len);
        assert_memory_equal(in.body[i].data, again.body[i].data, in.body[i].len);
        char *at = (char *)(uintptr_t)in.body[i].data + strlen("{\"instances\":[[");
        for (int k = 0; k < 3; k++) {
            const double v = strtod(at, &at);
            at++; /* "," or "]" */
            assert_true(v >= -5 && v <= 40);
        }
    }
    cl_inputs_fini(&in);
    cl_inputs_fini(&again);
    assert_ok(cl_inputs_make(&in, bytes(two), "", 1, 9, &err), &err);
    assert_memory_equal(in.body[0].data, "{\"instances\":[{\"a\\\"b\":[3,3],\"c\":[0.", 35);
    cl_inputs_fini(&in);
}

static void bad_metadata(void **state)
{
    static const struct {
        const char *text;
        nf_status want;
    } cases[] = {
        {"", NF_EINVAL},
        {"[]", NF_EINVAL},
        {"{\"inputs\":[]}", NF_EINVAL},
        {"{\"inputs\":[{}]}", NF_EINVAL},
        {"{\"inputs\":[{\"name\":\"a\",\"shape\":[1,100000,100000]}]}", NF_ETOOLARGE},
    };
    cl_inputs in;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++)
        assert_int_equal(cl_inputs_make(&in, bytes(cases[i].text), "", 1, 1, NULL), cases[i].want);
}

static void answers(void **state)
{
    cl_answer a;
    nf_error err = {0};
    (void)state;
    assert_ok(cl_answer_parse(&a,
                              bytes("{\"predictions\":[[0.9,0.1]],\"classes\":[{\"label\":"
                                    "\"normal\",\"index\":0,\"confidence\":0.9}]}"),
                              &err),
              &err);
    assert_int_equal(a.n_values, 2);
    assert_int_equal(a.rows, 1);
    assert_true(a.labelled);
    assert_string_equal(a.label, "normal");
    cl_answer_fini(&a);
    assert_int_equal(cl_answer_parse(&a, bytes("{\"predictions\":[]}"), NULL), NF_EINVAL);
    assert_int_equal(cl_answer_parse(&a, bytes("oops"), NULL), NF_EINVAL);
    assert_int_equal(cl_answer_parse(&a, bytes("[1]"), NULL), NF_EINVAL);
}

static void agreement(void **state)
{
    double x[] = {0.9, 0.1, 0.2, 0.8};
    double y[] = {0.8, 0.2, 0.6, 0.4};
    const cl_answer a = {.value = x, .n_values = 4, .rows = 2};
    const cl_answer b = {.value = y, .n_values = 4, .rows = 2};
    const cl_answer odd = {.value = y, .n_values = 3, .rows = 1};
    cl_agreement g = {0};
    (void)state;
    cl_agreement_add(&g, &a, &b);
    assert_int_equal(g.rows, 2);
    assert_int_equal(g.same, 1);
    assert_true(fabs(g.max_abs_diff - 0.4) < 1e-12);
    cl_agreement_add(&g, &a, &odd);
    assert_int_equal(g.unequal, 1);
    y[0] = NAN;
    cl_agreement_add(&g, &a, &b);
    assert_true(isinf(g.max_abs_diff));
}

static void texts(void **state)
{
    char b[32];
    cl_text t = {.most = 40};
    (void)state;
    assert_string_equal(cl_time_text(b, sizeof(b), 999), "1.00 us");
    assert_string_equal(cl_time_text(b, sizeof(b), -62400000), "-62.4 ms");
    assert_string_equal(cl_time_text(b, sizeof(b), 999600), "1.00 ms");
    assert_string_equal(cl_bytes_text(b, sizeof(b), 412), "412 B");
    assert_string_equal(cl_bytes_text(b, sizeof(b), 4198), "4.10 KiB");
    cl_text_escaped(&t, "<a&\"b\">\n");
    assert_string_equal(t.s, "&lt;a&amp;&quot;b&quot;&gt; ");
    cl_text_fmt(&t, "%20s", "x");
    assert_true(t.failed);
    cl_text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(addresses),
        cmocka_unit_test(requests_are_bytes),
        cmocka_unit_test(model_paths),
        cmocka_unit_test(control_requests),
        cmocka_unit_test(control_request_limits),
        cmocka_unit_test(served_headers),
        cmocka_unit_test(inputs_from_text),
        cmocka_unit_test(inputs_one_a_line),
        cmocka_unit_test(inputs_from_metadata),
        cmocka_unit_test(bad_metadata),
        cmocka_unit_test(answers),
        cmocka_unit_test(agreement),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
