/* test_api_life.c - reloads under load, drain, SIGHUP, overload, many loops. Layer: tests. */
#include "tests/support/server_run.h"

#include "engine/base/clock.h"
#include "engine/base/file.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define P    "/v1/models/temp/predict"
#define ROW  "{\"instances\":[[22.0,23.5,21.0]]}"
#define GOOD "POST " P " HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\n" ROW

#define RELOADS   1000
#define RELOAD_US 60000000 /* fewer reloads when the machine needs longer than this */
#define CLIENTS   4

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
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

typedef struct client {
    const test_server *server;
    atomic_bool *stop;
    long answered, failed;
    char first_failure[256];
} client;

/* Keep-alive requests until told to stop. */
static void *client_main(void *arg)
{
    client *c = arg;
    static _Thread_local test_reply r;
    const int fd = test_connect(c->server);
    while (!atomic_load(c->stop)) {
        test_send(fd, GOOD, strlen(GOOD));
        test_receive(&r, fd);
        if (r.code == 200 && strstr(r.body, "\"normal\"")) {
            c->answered++;
        } else {
            if (!c->failed++)
                snprintf(c->first_failure, sizeof(c->first_failure), "%.250s", r.text);
            if (r.closed) break;
        }
    }
    close(fd);
    return NULL;
}

static void reloads_lose_no_request(void **state)
{
    const char *const args[] = {"--models", folder, NULL};
    test_server s;
    test_reply r;
    pthread_t threads[CLIENTS];
    client clients[CLIENTS];
    atomic_bool stop = false;
    char path[600];
    long reloads = 0, answered = 0;
    (void)state;
    test_server_start(&s, args);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.server = &s, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, client_main, &clients[i]), 0);
    }
    snprintf(path, sizeof(path), "%s/temp/1/edge.tflite", folder);
    const uint64_t start = nf_now_us();
    for (; reloads < RELOADS && nf_now_us() - start < RELOAD_US; reloads++) {
        /* The file changes each time: two contents in turn. */
        test_copy(reloads % 2 ? "models/temp/1/edge.tflite" : "models/temp/1/cloud.onnx", path);
        if (test_ask(&r, &s, "POST", "/v1/admin/models/temp/reload", "") != 200)
            fail_msg("reload %ld: %s", reloads, r.text);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        if (clients[i].failed)
            fail_msg("%ld requests failed, the first: %s", clients[i].failed,
                     clients[i].first_failure);
        answered += clients[i].answered;
    }
    print_message("%ld reloads, %ld requests answered meanwhile\n", reloads, answered);
    assert_true(reloads > 0 && answered > 0);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

/* A request that has begun when SIGTERM comes is answered; new connections are not taken. */
static void a_drain_finishes_what_has_begun(void **state)
{
    const char *const args[] = {"--models", folder, NULL};
    test_server s;
    test_reply r;
    (void)state;
    test_server_start(&s, args);
    const int fd = test_connect(&s), idle = test_connect(&s);
    test_send(idle, GOOD, strlen(GOOD));
    test_receive(&r, idle);
    test_send(fd, GOOD, strlen(GOOD) - 5);
    usleep(200000);
    kill(s.pid, SIGTERM);
    usleep(200000);
    test_receive(&r, idle); /* the idle connection is closed */
    assert_true(r.closed && r.code == 0);
    test_send(fd, &GOOD[sizeof(GOOD) - 6], 5);
    test_receive(&r, fd);
    assert_int_equal(r.code, 200);
    assert_true(r.closed);
    close(fd);
    close(idle);
    assert_int_equal(test_server_stop(&s, 0), 0);
}

static void hangup_rescans_and_rereads(void **state)
{
    char config[600], path[700];
    test_server s;
    test_reply r;
    nf_error err = {0};
    (void)state;
    snprintf(config, sizeof(config), "%s/c.json", folder);
    snprintf(path, sizeof(path), "{\"models\":\"%s\",\"max_body\":\"1MiB\"}", folder);
    assert_ok(nf_write_file(config, (nf_bytes){(uint8_t *)path, strlen(path)}, &err), &err);
    const char *const args[] = {"--config", config, NULL};
    test_server_start(&s, args);
    assert_int_equal(test_ask(&r, &s, "POST", P, ROW), 200);
    snprintf(path, sizeof(path), "{\"models\":\"%s\",\"max_body\":\"16\"}", folder);
    assert_ok(nf_write_file(config, (nf_bytes){(uint8_t *)path, strlen(path)}, &err), &err);
    snprintf(path, sizeof(path), "%s/temp/2", folder);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/temp/2/model.tflite", folder);
    test_copy("models/temp/1/edge.tflite", path);
    kill(s.pid, SIGHUP);
    for (int i = 0; i < 100; i++) {
        usleep(50000);
        if (test_ask(&r, &s, "GET", "/v2/models/temp/versions/2/ready", "") == 200) break;
    }
    assert_int_equal(r.code, 200);
    assert_int_equal(test_ask(&r, &s, "POST", P, ROW), 413);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

/* Every request on a worker, two loops: the suspended way. */
static void workers_answer_too(void **state)
{
    const char *const args[] = {"--models",       folder, "--mode",    "cloud",
                                "--http-threads", "2",    "--workers", "2",
                                "--inline-us",    "0us",  NULL};
    test_server s;
    test_reply r;
    pthread_t threads[CLIENTS];
    client clients[CLIENTS];
    atomic_bool stop = false;
    (void)state;
    test_server_start(&s, args);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.server = &s, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, client_main, &clients[i]), 0);
    }
    for (int i = 0; i < 50; i++)
        assert_int_equal(test_ask(&r, &s, "POST", P, ROW), 200);
    assert_non_null(strstr(r.text, "mode=cloud"));
    atomic_store(&stop, true);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        if (clients[i].failed) fail_msg("%s", clients[i].first_failure);
    }
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

static void bad_command_lines_end_at_once(void **state)
{
    static const char *const lines[] = {
        "--models /nonexistent-folder", "/nonexistent.tflite",        "--mode fog --models .",
        "--listen nonsense --models .", "--config /nonexistent.json", "",
        "--queue 0 --models .",         "--isa mmx --models ."};
    const char *env = getenv("NEARFAR");
    (void)state;
    for (size_t i = 0; i < NF_COUNT(lines); i++) {
        char command[1024];
        snprintf(command, sizeof(command), "'%s' serve %s >/dev/null 2>&1",
                 env ? env : NF_BINARY_DIR "/server/nearfar", lines[i]);
        const int status = system(command);
        if (status == 0 || WEXITSTATUS(status) > 2) fail_msg("'%s': status %d", lines[i], status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reloads_lose_no_request, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_drain_finishes_what_has_begun, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(hangup_rescans_and_rereads, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(workers_answer_too, make_folder, drop_folder),
        cmocka_unit_test(bad_command_lines_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
