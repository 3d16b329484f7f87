/* test_api_admin.c - upload, load, unload, reload, delete, tokens, budget, read-only folders.
 * Layer: tests. */
#include "tests/support/server_run.h"

#include "engine/base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define A     "/v1/admin/models/temp"
#define P     "/v1/models/temp/predict"
#define ROW   "{\"instances\":[[22.0,23.5,21.0]]}"
#define TOKEN "0123456789abcdef0123456789abcdef"

static char folder[512];

static int make_folder(void **state)
{
    (void)state;
    test_folder(folder);
    test_temp_model(folder);
    return 0;
}

static int drop_folder(void **state)
{
    char command[1200];
    (void)state;
    snprintf(command, sizeof(command), "chmod -R u+w '%s'; rm -rf '%s'", folder, folder);
    return system(command);
}

static void start(test_server *s, const char *option, const char *value)
{
    const char *const args[] = {"--models", folder, option, value, NULL};
    test_server_start(s, args);
}

static void expect(const test_server *s, const char *method, const char *path, const char *body,
                   int code, const char *text)
{
    test_reply r;
    test_ask(&r, s, method, path, body);
    if (r.code != code || !strstr(r.text, text))
        fail_msg("%s %s: expected %d with '%s', got %s", method, path, code, text, r.text);
}

static int upload(test_reply *r, const test_server *s, const char *path, nf_bytes file)
{
    test_request(r, s, "PUT", path, "", file);
    return r->code;
}

static void a_model_comes_and_goes(void **state)
{
    test_server s;
    test_reply r;
    const nf_bytes file = test_file("models/temp/1/edge.tflite");
    (void)state;
    start(&s, NULL, NULL);
    expect(&s, "GET", "/v1/admin/models", "", 200, "\"temp\"");
    assert_int_equal(upload(&r, &s, A "/versions/2", file), 200);
    expect(&s, "POST", P, ROW, 200, "\"version\":\"2\"}");
    expect(&s, "GET", "/v1/models/temp", "", 200, "{\"version\":\"1\",\"state\":\"END\"");
    assert_int_equal(upload(&r, &s, A "/versions/2", file), 200); /* again: the same bytes */
    assert_int_equal(upload(&r, &s, A "/versions/2", (nf_bytes){file.data, file.len - 1}), 409);
    assert_int_equal(upload(&r, &s, A "/versions/3", (nf_bytes){file.data, 100}), 422);
    assert_non_null(strstr(r.body, "EFORMAT"));
    assert_int_equal(upload(&r, &s, A "/versions/3", (nf_bytes){(const uint8_t *)"", 0}), 422);
    assert_int_equal(upload(&r, &s, A "/versions/0", file), 400);
    assert_int_equal(upload(&r, &s, "/v1/admin/models/.x/versions/1", file), 400);
    expect(&s, "POST", P, ROW, 200, "\"version\":\"2\"}");
    assert_int_equal(upload(&r, &s, "/v1/admin/models/fresh/versions/7", file), 200);
    expect(&s, "POST", "/v1/models/fresh:predict", ROW, 200, "\"version\":\"7\"}");
    expect(&s, "DELETE", A "/versions/2", "", 200, "DELETED");
    expect(&s, "POST", P, ROW, 200, "\"version\":\"1\"}");
    expect(&s, "DELETE", A "/versions/2", "", 404, "ENOTFOUND");
    expect(&s, "POST", A "/unload", "", 200, "\"state\":\"END\"");
    expect(&s, "POST", P, ROW, 503, "is not loaded");
    expect(&s, "GET", "/v2/models/temp/ready", "", 503, "ELOADING");
    expect(&s, "POST", A "/load", "{}", 200, "AVAILABLE");
    expect(&s, "POST", P, ROW, 200, "\"version\":\"1\"}");
    expect(&s, "POST", A "/reload", "", 200, "AVAILABLE");
    expect(&s, "POST", "/v1/admin/models/none/reload", "", 404, "ENOTFOUND");
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    start(&s, NULL, NULL); /* what was uploaded is there after a restart */
    expect(&s, "POST", "/v1/models/fresh:predict", ROW, 200, "\"version\":\"7\"}");
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    nf_free((void *)file.data);
}

static void a_failed_reload_changes_nothing(void **state)
{
    char path[600];
    test_server s;
    nf_error err = {0};
    (void)state;
    start(&s, NULL, NULL);
    snprintf(path, sizeof(path), "%s/temp/1/edge.tflite", folder);
    assert_ok(nf_write_file(path, (nf_bytes){(const uint8_t *)"broken", 6}, &err), &err);
    expect(&s, "POST", A "/reload", "", 422, "neither");
    expect(&s, "POST", P, ROW, 200, "\"version\":\"1\"}");
    test_copy("models/temp/1/edge.tflite", path);
    expect(&s, "POST", A "/reload", "", 200, "AVAILABLE");
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

/* A name that a foreign DNS server can point at us (rebinding) is no loopback name. */
static void ask_by_each_host(const test_server *s)
{
    static const struct {
        const char *host;
        int code;
    } hosts[] = {{"localhost", 200},      {"LOCALHOST:1", 200},
                 {"127.0.0.1", 200},      {"127.1.2.3:80", 200},
                 {"[::1]", 200},          {"[::1]:80", 200},
                 {"evil.example", 403},   {"localhost.evil", 403},
                 {"127.0.0.1.evil", 403}, {"localhost:80.evil", 403},
                 {"[::1].evil", 403},     {"[::1]x:80", 403},
                 {"[::2]", 403},          {"[", 403},
                 {"192.0.2.1", 403}};
    for (size_t i = 0; i < NF_COUNT(hosts); i++) {
        char text[256];
        test_reply r;
        const int n = snprintf(text, sizeof(text),
                               "GET /v1/admin/models HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i].host);
        test_raw(&r, s, text, (size_t)n);
        if (r.code != hosts[i].code)
            fail_msg("Host: %s: expected %d, got %d", hosts[i].host, hosts[i].code, r.code);
    }
}

static void who_may_call(void **state)
{
    static const struct {
        const char *head;
        int code;
    } open[] = {{"", 200}, {"Origin: http://evil.example\r\n", 403}};
    char path[600];
    test_server s;
    test_reply r;
    nf_error err = {0};
    (void)state;
    start(&s, NULL, NULL);
    for (size_t i = 0; i < NF_COUNT(open); i++) {
        test_request(&r, &s, "POST", A "/reload", open[i].head, (nf_bytes){0});
        assert_int_equal(r.code, open[i].code);
    }
    ask_by_each_host(&s);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    snprintf(path, sizeof(path), "%s/token", folder);
    assert_ok(nf_write_file(path, (nf_bytes){(const uint8_t *)TOKEN "\n", sizeof(TOKEN)}, &err),
              &err);
    start(&s, "--admin-token-file", path);
    expect(&s, "POST", A "/reload", "", 401, "WWW-Authenticate: Bearer");
    test_request(&r, &s, "POST", A "/reload", "Authorization: Bearer " TOKEN "x\r\n",
                 (nf_bytes){0});
    assert_int_equal(r.code, 401);
    test_request(&r, &s, "POST", A "/reload", "Authorization: Basic " TOKEN "\r\n", (nf_bytes){0});
    assert_int_equal(r.code, 401);
    test_request(&r, &s, "POST", A "/reload?token=" TOKEN, "", (nf_bytes){0});
    assert_int_equal(r.code, 401);
    test_request(&r, &s, "POST", A "/reload", "Authorization: Bearer " TOKEN "\r\n", (nf_bytes){0});
    assert_int_equal(r.code, 200);
    test_request(&r, &s, "POST", A "/reload", "Authorization: bearer  " TOKEN "\r\n",
                 (nf_bytes){0});
    assert_int_equal(r.code, 200);
    expect(&s, "POST", P, ROW, 200, "normal"); /* predictions need none */
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

static void limits_name_their_cure(void **state)
{
    test_server s;
    test_reply r;
    const nf_bytes file = test_file("models/temp/1/edge.tflite");
    (void)state;
    start(&s, "--max-model-bytes", "100");
    assert_int_equal(upload(&r, &s, A "/versions/2", file), 413);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    start(&s, "--memory-budget", "1k");
    expect(&s, "POST", P, ROW, 503, "memory-budget");
    expect(&s, "POST", A "/load", "", 507, "EBUDGET");
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    const char *const one_file[] = {NF_SOURCE_DIR "/models/temp/1/edge.tflite", NULL};
    test_server_start(&s, one_file);
    expect(&s, "POST", "/v1/models/edge:predict", ROW, 200, "\"model\":\"edge\"");
    assert_int_equal(upload(&r, &s, A "/versions/2", file), 507);
    assert_non_null(strstr(r.body, "--models"));
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    nf_free((void *)file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_model_comes_and_goes, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_failed_reload_changes_nothing, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(who_may_call, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(limits_name_their_cure, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
