/* test_api_life.c - reloads under load, drain, SIGHUP, overload, many loops. Layer: tests. */
#include "tests/support/server_run.h"

#include "engine/base/clock.h"
#include "engine/base/file.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
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

/* 100 rows of an image net, for a server of plain C: they compute for far longer than their text
 * takes to read, so that others have to wait. */
static const char *heavy_body(void)
{
    static char body[40000];
    size_t n = (size_t)snprintf(body, sizeof(body), "{\"instances\":[");
    for (int row = 0; row < 100; row++) {
        n += (size_t)snprintf(body + n, sizeof(body) - n, row ? ",[" : "[");
        for (int i = 0; i < 64; i++)
            n += (size_t)snprintf(body + n, sizeof(body) - n, i ? ",%d" : "%d", i % 16);
        n += (size_t)snprintf(body + n, sizeof(body) - n, "]");
    }
    snprintf(body + n, sizeof(body) - n, "]}");
    return body;
}

#define CROWD 12

/* A connection that has sent a heavy request but for the last `keep` bytes of its body. */
static int send_heavy(const test_server *s, size_t keep)
{
    char head[256];
    const char *body = heavy_body();
    const int fd = test_connect(s);
    const int h = snprintf(head, sizeof(head),
                           "POST /v1/models/digits:predict HTTP/1.1\r\nHost: a\r\n"
                           "Content-Length: %zu\r\n\r\n",
                           strlen(body));
    test_send(fd, head, (size_t)h);
    test_send(fd, body, strlen(body) - keep);
    return fd;
}

/* CROWD heavy requests that all end at once; their answers are left to be read. */
static void send_crowd(const test_server *s, int fds[CROWD])
{
    for (int i = 0; i < CROWD; i++)
        fds[i] = send_heavy(s, 2);
    for (int i = 0; i < CROWD; i++)
        test_send(fds[i], "]}", 2);
}

/* The server with one more option gets a crowd: some are answered, some get `other`, none anything
 * else. */
static void some_get(const char *option, const char *value, int other)
{
    const char *const args[] = {
        "--models", NF_SOURCE_DIR "/models", "--inline-us", "0", "--isa", "scalar", option, value,
        NULL};
    static test_reply r;
    int fds[CROWD], good = 0, refused = 0;
    test_server s;
    test_server_start(&s, args);
    send_crowd(&s, fds);
    for (int i = 0; i < CROWD; i++) {
        test_receive(&r, fds[i]);
        good += r.code == 200;
        refused += r.code == other;
        if (r.code == 429) assert_non_null(strstr(r.text, "Retry-After: 1"));
        close(fds[i]);
    }
    assert_true(good >= 1 && refused >= 1);
    assert_int_equal(good + refused, CROWD);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

static void overload_is_refused_in_time(void **state)
{
    (void)state;
    some_get("--queue", "1", 429);
    some_get("--queue-timeout", "1ms", 504);
}

/* Every place is taken by clients that say nothing, and all are cut off at once: the server must
 * not forget to listen again. */
static void a_full_server_listens_again(void **state)
{
    const char *const args[] = {"--models", NF_SOURCE_DIR "/models", "--max-connections",
                                "4",        "--request-timeout",     "300ms",
                                NULL};
    static test_reply r;
    int fds[4];
    test_server s;
    (void)state;
    test_server_start(&s, args);
    for (size_t i = 0; i < NF_COUNT(fds); i++)
        fds[i] = test_connect(&s);
    for (size_t i = 0; i < NF_COUNT(fds); i++) {
        char byte;
        assert_int_equal(recv(fds[i], &byte, 1, 0), 0);
        close(fds[i]);
    }
    assert_int_equal(test_ask(&r, &s, "GET", "/healthz", ""), 200);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
}

/* The limit of a drain is over while workers still have requests, and some of the clients have
 * left: the end is clean all the same. */
static void a_late_drain_ends_cleanly(void **state)
{
    const char *const args[] = {"--models",
                                NF_SOURCE_DIR "/models",
                                "--drain-timeout",
                                "0",
                                "--inline-us",
                                "0",
                                "--isa",
                                "scalar",
                                NULL};
    int fds[CROWD];
    test_server s;
    (void)state;
    test_server_start(&s, args);
    send_crowd(&s, fds);
    for (int i = 0; i < CROWD; i += 3)
        close(fds[i]);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    for (int i = 0; i < CROWD; i++)
        if (i % 3) close(fds[i]);
}

/* A body ends when the limit of the drain is over and the loops only let requests go: there is no
 * worker for it any more, and its connection is closed. */
static void a_body_after_the_drain_goes_nowhere(void **state)
{
    const char *const args[] = {"--models",
                                NF_SOURCE_DIR "/models",
                                "--drain-timeout",
                                "0",
                                "--inline-us",
                                "0",
                                "--isa",
                                "scalar",
                                NULL};
    const struct timespec pause = {.tv_nsec = 4000000};
    test_server s;
    (void)state;
    test_server_start(&s, args);
    const int busy = send_heavy(&s, 0), late = send_heavy(&s, 10);
    nanosleep(&pause, NULL);
    kill(s.pid, SIGTERM);
    nanosleep(&pause, NULL);
    test_send(late, heavy_body() + strlen(heavy_body()) - 10, 10);
    assert_int_equal(test_server_stop(&s, 0), 0);
    close(busy);
    close(late);
}

static void health_says_whether_it_is_ready(void **state)
{
    const char *const args[] = {"--models", folder, NULL};
    const char *env = getenv("NEARFAR");
    char command[1024];
    test_server s;
    (void)state;
    test_server_start(&s, args);
    snprintf(command, sizeof(command), "'%s' health http://127.0.0.1:%u 2>/dev/null",
             env ? env : NF_BINARY_DIR "/server/nearfar", s.port);
    assert_int_equal(system(command), 0);
    assert_int_equal(test_server_stop(&s, SIGTERM), 0);
    const int status = system(command);
    assert_int_equal(WEXITSTATUS(status), 1);
}

static void bad_command_lines_end_at_once(void **state)
{
    static const char *const lines[] = {
        "--models /nonexistent-folder",
        "/nonexistent.tflite",
        "--mode fog --models .",
        "--listen nonsense --models .",
        "--config /nonexistent.json",
        "",
        "--queue 0 --models .",
        "--isa mmx --models .",
        "--check-config --isa mmx --models .",
        "--listen 127.0.0.1:99999 --models .",
        "--check-config --listen 127.0.0.1:8o --models .",
        "--check-config --admin-token-file /nonexistent --models ."};
    const char *env = getenv("NEARFAR");
    (void)state;
    for (size_t i = 0; i < NF_COUNT(lines); i++) {
        char command[1024];
        snprintf(command, sizeof(command), "timeout 5 '%s' serve %s >/dev/null 2>&1",
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
        cmocka_unit_test(overload_is_refused_in_time),
        cmocka_unit_test(a_full_server_listens_again),
        cmocka_unit_test(a_late_drain_ends_cleanly),
        cmocka_unit_test(a_body_after_the_drain_goes_nowhere),
        cmocka_unit_test_setup_teardown(health_says_whether_it_is_ready, make_folder, drop_folder),
        cmocka_unit_test(bad_command_lines_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
