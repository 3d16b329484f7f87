/* test_srv_config.c - file < environment < flags, and what is wrong is named. Layer: tests. */
#include "server/config/config.h"
#include "tests/support/support.h"

#include "engine/base/file.h"

#include <stdio.h>
#include <unistd.h>

static const char *env_queue, *env_config;

static char *fake_env(const char *name)
{
    if (strcmp(name, "NEARFAR_QUEUE") == 0) return (char *)env_queue;
    if (strcmp(name, "NEARFAR_CONFIG") == 0) return (char *)env_config;
    return NULL;
}

static char path[600];

static int write_config(void **state)
{
    static const char text[] =
        "{\"queue\": 5, \"max_body\": \"2MiB\", \"mode\": \"cloud\", \"models\": \"/m\"}";
    (void)state;
    snprintf(path, sizeof(path), "%s/test_config_%d.json", NF_BINARY_DIR, (int)getpid());
    return nf_write_file(path, (nf_bytes){(const uint8_t *)text, sizeof(text) - 1}, NULL);
}

static int remove_config(void **state)
{
    (void)state;
    return unlink(path);
}

static void precedence(void **state)
{
    srv_config c;
    nf_error err = {0};
    char *argv[] = {"serve", "model.tflite", "--config", path, "--max-body=3k", "two.onnx", NULL};
    (void)state;
    env_queue = NULL;
    assert_ok(srv_config_read(&c, 5, argv, fake_env, &err), &err);
    assert_int_equal(c.queue, 5);
    assert_int_equal(c.max_body, 3072);
    assert_string_equal(srv_config_mode(&c), "cloud");
    assert_string_equal(c.models, "/m");
    assert_int_equal(c.idle_timeout, 60000000);
    assert_int_equal(c.n_files, 1);
    assert_string_equal(c.files[0], "model.tflite");
    srv_config_fini(&c);
    env_queue = "9";
    env_config = path;
    char *only[] = {"serve", NULL};
    assert_ok(srv_config_read(&c, 1, only, fake_env, &err), &err);
    assert_int_equal(c.queue, 9);
    assert_int_equal(c.max_body, 2 << 20);
    srv_config_fini(&c);
    char *flags[] = {"serve", "--queue", "11", NULL};
    assert_ok(srv_config_read(&c, 3, flags, fake_env, &err), &err);
    assert_int_equal(c.queue, 11);
    srv_config_fini(&c);
    env_queue = env_config = NULL;
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{\"quue\": 1}", "'quue' is no option"},   {"{\"queue\": 0}", "expected 1 to"},
        {"{\"queue\": [1]}", "expected a string"},  {"[]", "JSON object"},
        {"{\"mode\": \"fog\"}", "edge|cloud"},      {"{", "line 1"},
        {"{\"queue\": 1, \"queue\": 2}", "line 1"},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        srv_config c = {0};
        nf_error err = {0};
        assert_int_equal(srv_config_json(&c, cases[i].json, strlen(cases[i].json), "f.json", &err),
                         NF_EINVAL);
        if (!strstr(err.text, cases[i].text)) fail_msg("%s: %s", cases[i].json, err.text);
        assert_string_equal(err.where, "f.json");
        srv_config_fini(&c);
    }
}

static void live_limits_follow(void **state)
{
    srv_config c;
    srv_live live = {0};
    nf_error err = {0};
    char *argv[] = {"serve", "--request-timeout", "3s", "--memory-budget", "8MiB", NULL};
    (void)state;
    assert_ok(srv_config_read(&c, 5, argv, fake_env, &err), &err);
    srv_config_live(&live, &c);
    assert_int_equal(srv_live_get(&live.request_timeout), 3000000);
    assert_int_equal(srv_live_get(&live.memory_budget), 8 << 20);
    srv_config_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(live_limits_follow),
    };
    return cmocka_run_group_tests(tests, write_config, remove_config);
}
