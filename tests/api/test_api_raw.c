/* test_api_raw.c - heads that two programs could read differently, and other broken HTTP: exact
 * answers, closed connections, and a server that still works. Layer: tests. */
#include "tests/support/server_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY   "{\"instances\":[[22.0,23.5,21.0]]}"
#define LENGTH "Content-Length: 32\r\n"
#define POST   "POST /v1/models/temp/predict HTTP/1.1\r\n"
#define HOST   "Host: a\r\n"
#define GOOD   POST HOST LENGTH "\r\n" BODY
#define SMUG   "GET /smuggled HTTP/1.1\r\n" HOST "\r\n"

typedef struct raw_case {
    const char *what, *request;
    int code;         /* of the only reply; 0 = none needs to come */
    bool closed;      /* the connection must end; else it must stay */
    const char *text; /* part of the body, or NULL */
    size_t len;       /* of request, when it has a NUL */
} raw_case;

#define BYTES(s) .request = (s), .len = sizeof(s) - 1

static const raw_case cases[] = {
    {"good", GOOD, 200, false, "\"normal\"", 0},
    {"good, twice on one connection in one write", GOOD GOOD, 200, false, "\"normal\"", 0},
    {"HTTP/1.0 without Host", "POST /v1/models/temp/predict HTTP/1.0\r\n" LENGTH "\r\n" BODY, 200,
     true, "\"normal\"", 0},
    {"Content-Length and Transfer-Encoding",
     POST HOST LENGTH "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUG, 400, true, "both", 0},
    {"two lengths, the same", POST HOST LENGTH LENGTH "\r\n" BODY SMUG, 400, true, "Content-Length",
     0},
    {"two lengths, different", POST HOST "Content-Length: 1\r\n" LENGTH "\r\n" BODY SMUG, 400, true,
     "Content-Length", 0},
    {"blank before the colon", POST HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUG, 400,
     true, "header name", 0},
    {"gzip, chunked", POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, true,
     "chunked", 0},
    {"xchunked", POST HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, true, "chunked", 0},
    {"two transfer encodings",
     POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501,
     true, "chunked", 0},
    {"no Host", POST LENGTH "\r\n" BODY, 400, true, "Host", 0},
    {"two Hosts", POST HOST HOST LENGTH "\r\n" BODY, 400, true, "Host", 0},
    {"Host with a path", POST "Host: a/b\r\n" LENGTH "\r\n" BODY, 400, true, "Host", 0},
    {"control character in a value", POST HOST "X: a\001b\r\n" LENGTH "\r\n" BODY, 400, true,
     "control", 0},
    {"bad character in a name", POST HOST "X(y): a\r\n" LENGTH "\r\n" BODY, 400, true,
     "header name", 0},
    {"length over the limit", POST HOST "Content-Length: 99999999\r\n\r\n", 413, true, "ETOOLARGE",
     0},
    {"length over the limit, Expect",
     POST HOST "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413, true, "ETOOLARGE",
     0},
    {"Expect: foo", POST HOST "Expect: foo\r\n" LENGTH "\r\n" BODY, 417, true, "100-continue", 0},
    {"length +3", POST HOST "Content-Length: +3\r\n\r\nabc", 400, true, NULL, 0},
    {"length -1", POST HOST "Content-Length: -1\r\n\r\n", 400, true, NULL, 0},
    {"length 0x3", POST HOST "Content-Length: 0x3\r\n\r\nabc", 400, true, NULL, 0},
    {"length 3, 3", POST HOST "Content-Length: 3, 3\r\n\r\nabc", 400, true, NULL, 0},
    {"length 2^64", POST HOST "Content-Length: 18446744073709551616\r\n\r\n", 413, true, NULL, 0},
    {"bad chunk size", POST HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400, true, NULL,
     0},
    {"header without colon", POST HOST "nonsense\r\n" LENGTH "\r\n" BODY, 400, true, NULL, 0},
    {"HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, true, NULL, 0},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 0, true, NULL, 0},
    {"chunked body",
     POST HOST "Transfer-Encoding: "
               "chunked\r\n\r\n10\r\n{\"instances\":[[2\r\n10\r\n2.0,23.5,21.0]]}\r\n0\r\n\r\n",
     200, false, "\"normal\"", 0},
    {"unknown content encoding", POST HOST "Content-Encoding: br\r\n" LENGTH "\r\n" BODY, 415, true,
     "EENCODING", 0},
    {"two content encodings",
     POST HOST "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n" LENGTH "\r\n" BODY, 415, true,
     "EENCODING", 0},
    {"gzip that is none", POST HOST "Content-Encoding: gzip\r\n" LENGTH "\r\n" BODY, 400, true,
     "gzip", 0},
    {"identity", POST HOST "Content-Encoding: identity\r\n" LENGTH "\r\n" BODY, 200, false,
     "\"normal\"", 0},
    {"dot segments", "GET /v1/models/../x HTTP/1.1\r\n" HOST "\r\n", 400, true, "segments", 0},
    {"encoded dot segments", "GET /v1/models/%2e%2e HTTP/1.1\r\n" HOST "\r\n", 400, true,
     "segments", 0},
    {"encoded slash", "GET /v1/models/a%2Fb HTTP/1.1\r\n" HOST "\r\n", 400, true, "byte", 0},
    {"encoded NUL", "GET /v1/models/temp%00x HTTP/1.1\r\n" HOST "\r\n", 400, true, "byte", 0},
    {"broken escape", "GET /v1/models/%zz HTTP/1.1\r\n" HOST "\r\n", 400, true, "byte", 0},
    {"encoded letter", "GET /v1/models/t%65mp HTTP/1.1\r\n" HOST "\r\n", 200, false, "AVAILABLE",
     0},
    {"absolute form", "GET http://a/v1/models HTTP/1.1\r\n" HOST "\r\n", 400, true, "leading", 0},
    {"trailing slash", "GET /v1/models/ HTTP/1.1\r\n" HOST "\r\n", 400, true, "ends in", 0},
    {"unknown method", "BREW /v1/models HTTP/1.1\r\n" HOST "\r\n", 405, true, "EMETHOD", 0},
    {"wrong method", "GET /v1/models/temp/predict HTTP/1.1\r\n" HOST "\r\n", 405, false, "EMETHOD",
     0},
    {"path that is not there, then a good one", "GET /nothing HTTP/1.1\r\n" HOST "\r\n" GOOD, 404,
     false, "ENOTFOUND", 0},
    {"path that is not there, with a body", "GET /nothing HTTP/1.1\r\n" HOST LENGTH "\r\n" BODY,
     404, false, "ENOTFOUND", 0},
    {"path that is not there, with a body that looks like a request",
     "GET /nothing HTTP/1.1\r\n" HOST "Content-Length: 35\r\n\r\n" SMUG, 404, false, "ENOTFOUND",
     0},
    {"path that is not there, with a POST", "POST /nothing HTTP/1.1\r\n" HOST LENGTH "\r\n" BODY,
     404, true, "ENOTFOUND", 0},
    {"GET with a body", "GET /v1/models HTTP/1.1\r\n" HOST LENGTH "\r\n" BODY, 413, true, "none",
     0},
    {"HEAD", "HEAD /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200, true, NULL, 0},
    {"TLS hello", .code = 0, .closed = true,
     BYTES("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n")},
};

static test_server server;

static int start(void **state)
{
    static const char *const args[] = {"--models", NF_SOURCE_DIR "/models", "--request-timeout",
                                       "1s", NULL};
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

static void still_good(const char *after)
{
    test_reply r;
    test_raw(&r, &server, GOOD, strlen(GOOD));
    if (r.code != 200) fail_msg("after '%s' a good request got %d", after, r.code);
}

static void answers_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const raw_case *c = &cases[i];
        test_reply r;
        test_raw(&r, &server, c->request, c->len ? c->len : strlen(c->request));
        if (c->code && r.code != c->code)
            fail_msg("%s: expected %d, got %d: %.300s", c->what, c->code, r.code, r.text);
        if (c->closed != r.closed)
            fail_msg("%s: the connection %s", c->what, r.closed ? "was closed" : "stayed open");
        if (c->text && !strstr(r.body, c->text))
            fail_msg("%s: expected '%s' in %.300s", c->what, c->text, r.body);
        if (strstr(r.text, "/smuggled")) fail_msg("%s: the hidden request ran", c->what);
        still_good(c->what);
    }
}

static void pipelined_requests_keep_their_order(void **state)
{
    char text[8192] = "";
    test_reply r;
    (void)state;
    for (int i = 0; i < 10; i++)
        strncat(text, GOOD, sizeof(text) - strlen(text) - 1);
    strncat(text, "GET /v1/models/%zz HTTP/1.1\r\n" HOST "\r\n", sizeof(text) - strlen(text) - 1);
    const int fd = test_connect(&server);
    test_send(fd, text, strlen(text));
    shutdown(fd, SHUT_WR);
    size_t n = 0;
    for (ssize_t got; (got = recv(fd, r.text + n, sizeof(r.text) - 1 - n, 0)) > 0;)
        n += (size_t)got;
    r.text[n] = '\0';
    close(fd);
    int good = 0;
    const char *at = r.text;
    for (const char *next; (next = strstr(at, "HTTP/1.1 200")); at = next + 1)
        good++;
    assert_int_equal(good, 10);
    assert_non_null(strstr(at, "HTTP/1.1 400"));
}

static void long_targets_and_heads(void **state)
{
    static char text[70000];
    test_reply r;
    (void)state;
    int n = snprintf(text, sizeof(text), "GET /v1/models/%0*d HTTP/1.1\r\n" HOST "\r\n", 3000, 0);
    test_raw(&r, &server, text, (size_t)n);
    assert_int_equal(r.code, 414);
    n = snprintf(text, sizeof(text), "GET /healthz?%0*d HTTP/1.1\r\n" HOST "\r\n", 3000, 0);
    test_raw(&r, &server, text, (size_t)n);
    assert_int_equal(r.code, 414);
    n = snprintf(text, sizeof(text), "GET /healthz HTTP/1.1\r\n" HOST "X: %0*d\r\n\r\n", 60000, 0);
    test_raw(&r, &server, text, (size_t)n);
    assert_true(r.closed && (r.code == 431 || r.code == 413 || r.code == 0));
    still_good("long head");
}

/* One byte now and then keeps an inactivity timer happy for ever; the whole request has one
 * deadline (1 s here). */
static void drips_are_cut_off(void **state)
{
    static const char *const starts[] = {"", POST HOST LENGTH "\r\n"};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(starts); i++) {
        const int fd = test_connect(&server);
        bool cut = false;
        char byte;
        test_send(fd, starts[i], strlen(starts[i]));
        for (int k = 0; k < 300 && !cut; k++) {
            const char *drip = i ? " " : "GET /healthz";
            const ssize_t sent = send(fd, drip + (i ? 0 : k % 12), 1, MSG_NOSIGNAL);
            cut = sent <= 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
            usleep(50000);
        }
        close(fd);
        assert_true(cut);
    }
    still_good("drip");
}

static void a_client_that_leaves_harms_nobody(void **state)
{
    static const char *const parts[] = {
        "", "POST", POST, POST HOST LENGTH "\r\n", POST HOST LENGTH "\r\n{\"ins", GOOD};
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)state;
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < NF_COUNT(parts); i++) {
            const int fd = test_connect(&server);
            test_send(fd, parts[i], strlen(parts[i]));
            if (round % 2) setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
            close(fd);
        }
    still_good("clients that left");
}

/* A gzip of 10 MB of blanks is 10 KB: refused by ratio, not expanded. */
static void a_bomb_is_refused(void **state)
{
    static const char head[] = "Content-Encoding: deflate\r\n";
    static uint8_t bomb[20000];
    test_reply r;
    (void)state;
    FILE *p = popen("head -c 12000000 /dev/zero | gzip -9c", "r");
    assert_non_null(p);
    const size_t n = fread(bomb, 1, sizeof(bomb), p);
    pclose(p);
    assert_true(n > 1000);
    test_request(&r, &server, "POST", "/v1/models/temp/predict", "Content-Encoding: gzip\r\n",
                 (nf_bytes){bomb, n});
    assert_int_equal(r.code, 413);
    assert_non_null(strstr(r.body, "factor"));
    test_request(&r, &server, "POST", "/v1/models/temp/predict", head, (nf_bytes){bomb, n});
    assert_int_equal(r.code, 400); /* gzip is not deflate */
    still_good("bomb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_exactly),
        cmocka_unit_test(pipelined_requests_keep_their_order),
        cmocka_unit_test(long_targets_and_heads),
        cmocka_unit_test(drips_are_cut_off),
        cmocka_unit_test(a_client_that_leaves_harms_nobody),
        cmocka_unit_test(a_bomb_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
