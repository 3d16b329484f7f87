/* test_http_reply.c - responses as servers send them and as they should not. Each case is fed
 * whole, byte by byte and in two halves. Layer: tests. */
#include "tests/support/support.h"

#include "clients/net/http_reply.h"
#include "engine/base/mem.h"

#include <stdio.h>

#define BODY_MOST 64

typedef struct reply_case {
    const char *name, *text;
    bool end; /* the peer closes after it */
    nf_status want;
    int status;
    bool keep_alive;
    const char *body;
} reply_case;

static const reply_case cases[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, NF_OK, 200, true,
     "hello"},
    {"empty", "HTTP/1.1 204 No Content\r\n\r\n", false, NF_OK, 204, true, ""},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n"
     "Trailer: t\r\n\r\n",
     false, NF_OK, 200, true, "hello"},
    {"close", "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", false, NF_OK,
     500, false, "{}"},
    {"old version", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, NF_OK, 200, false,
     "ok"},
    {"until the end", "HTTP/1.1 200 OK\r\n\r\nhello", true, NF_OK, 200, false, "hello"},
    {"continue first",
     "HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 2\r\n\r\nok",
     false, NF_OK, 200, true, "ok"},
    {"two interim",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
     "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
     false, NF_OK, 404, true, ""},
    {"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true, NF_EIO, 0, false,
     ""},
    {"cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", true, NF_EIO,
     0, false, ""},
    {"cut in the head", "HTTP/1.1 200 OK\r\nContent-Le", true, NF_EIO, 0, false, ""},
    {"cut after continue", "HTTP/1.1 100 Continue\r\n\r\n", true, NF_EIO, 0, false, ""},
    {"body over the limit",
     "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"
     "0123456789012345678901234567890123456789012345678901234567890123X",
     false, NF_ETOOLARGE, 0, false, ""},
    {"chunks over the limit",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "28\r\n0123456789012345678901234567890123456789\r\n"
     "28\r\n0123456789012345678901234567890123456789\r\n0\r\n\r\n",
     false, NF_ETOOLARGE, 0, false, ""},
    {"huge chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
     false, NF_EINVAL, 0, false, ""},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", false,
     NF_EINVAL, 0, false, ""},
    {"length and chunks",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false,
     NF_EINVAL, 0, false, ""},
    {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, NF_EINVAL, 0, false,
     ""},
    {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", false, NF_EINVAL, 0, false, ""},
    {"switching protocols", "HTTP/1.1 101 Up\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
     false, NF_EINVAL, 0, false, ""},
};

/* Feeds in pieces of `step` bytes, each in a block of its own size so that a sanitizer sees reads
 * past it. */
static nf_status feed(cl_reply *r, const char *text, size_t step, bool end)
{
    const size_t len = strlen(text);
    for (size_t at = 0; at < len && !r->complete; at += step) {
        const size_t n = len - at < step ? len - at : step;
        uint8_t *piece = nf_alloc(n, NF_MEM_MISC);
        size_t used = 0;
        memcpy(piece, text + at, n);
        const nf_status st = cl_reply_feed(r, (nf_bytes){piece, n}, &used);
        nf_free(piece);
        if (st) return st;
        assert_true(used == n || r->complete);
    }
    return end ? cl_reply_end(r) : NF_OK;
}

static void check(const reply_case *c, size_t step)
{
    cl_reply r;
    cl_reply_init(&r, BODY_MOST);
    const nf_status st = feed(&r, c->text, step, c->end);
    if (st != c->want) fail_msg("%s, step %zu: %s", c->name, step, nf_status_name(st));
    if (st) {
        assert_non_null(r.why);
    } else {
        if (!r.complete) fail_msg("%s, step %zu: not complete", c->name, step);
        assert_int_equal(r.status, c->status);
        assert_int_equal(r.keep_alive, c->keep_alive);
        assert_int_equal(r.body_len, strlen(c->body));
        if (r.body_len) assert_string_equal(r.body, c->body);
        assert_int_equal(r.wire_bytes, strlen(c->text));
    }
    cl_reply_fini(&r);
}

static void every_case_in_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        check(&cases[i], 4096);
        check(&cases[i], 1);
        check(&cases[i], strlen(cases[i].text) / 2 + 1);
    }
}

static void headers_are_found(void **state)
{
    cl_reply r;
    (void)state;
    cl_reply_init(&r, BODY_MOST);
    const char *text = "HTTP/1.1 100 Continue\r\nX-Nearfar-Served: old\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nx-nearfar-served: mode=edge\r\nEmpty:\r\n"
                       "Content-Length: 0\r\n\r\n";
    assert_int_equal(feed(&r, text, 1, false), NF_OK);
    const nf_span served = cl_reply_header(&r, "X-Nearfar-Served");
    assert_true(nf_span_is(served, "mode=edge"));
    assert_int_equal(cl_reply_header(&r, "Empty").len, 0);
    assert_null(cl_reply_header(&r, "Missing").s);
    cl_reply_fini(&r);
}

/* The same object again and again; what follows a response is not taken for part of it. */
static void reuse_and_surplus(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n";
    cl_reply r;
    size_t used;
    (void)state;
    cl_reply_init(&r, BODY_MOST);
    for (int i = 0; i < 3; i++) {
        cl_reply_reset(&r);
        const nf_bytes in = {(const uint8_t *)text, strlen(text)};
        assert_int_equal(cl_reply_feed(&r, in, &used), NF_OK);
        assert_true(r.complete);
        assert_int_equal(used, strlen("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        assert_string_equal(r.body, "ok");
    }
    cl_reply_fini(&r);
}

static void header_limits(void **state)
{
    cl_reply r;
    nf_status st = NF_OK;
    char line[64];
    (void)state;
    cl_reply_init(&r, BODY_MOST);
    const char *head = "HTTP/1.1 200 OK\r\n";
    assert_int_equal(feed(&r, head, 99, false), NF_OK);
    for (int i = 0; i < 100 && !st; i++) {
        snprintf(line, sizeof(line), "X-%d: y\r\n", i);
        st = feed(&r, line, 99, false);
    }
    assert_int_equal(st, NF_ETOOLARGE);
    assert_int_equal(r.n_fields, CL_REPLY_HEADERS);

    cl_reply_reset(&r);
    assert_int_equal(feed(&r, head, 99, false), NF_OK);
    st = feed(&r, "X: ", 99, false);
    for (int i = 0; i < 20000 && !st; i++)
        st = feed(&r, "abcdefghijklmnopqrstuvwxyz", 99, false);
    assert_int_equal(st, NF_ETOOLARGE);
    cl_reply_fini(&r);
}

static void no_memory_is_told(void **state)
{
    cl_reply r;
    (void)state;
    cl_reply_init(&r, BODY_MOST);
    nf_mem_fail_nth(1);
    const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    assert_int_equal(cl_reply_feed(&r, (nf_bytes){(const uint8_t *)text, strlen(text)}, NULL),
                     NF_ENOMEM);
    nf_mem_fail_nth(0);
    cl_reply_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_in_every_cut), cmocka_unit_test(headers_are_found),
        cmocka_unit_test(reuse_and_surplus),       cmocka_unit_test(header_limits),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
