/* test_client_conn.c - a connection against a peer that behaves in every way a peer can, on one
 * loop. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/listener.h"
#include "clients/lib/scenario.h"
#include "clients/lib/transport.h"
#include "engine/base/mem.h"

#include <stdio.h>

/* What the peer sends for one request, and whether it then closes. Silence: neither. */
typedef struct script {
    const char *reply; /* NULL: says nothing */
    bool close;
} script;

typedef struct peer {
    cl_listener listener;
    const script *play;
    size_t n, at, connections, requests;
    cl_sock *open[64];
    char in[65536];
} peer;

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    peer *p = ((cl_sock *)h)->owner;
    (void)hint;
    *buf = uv_buf_init(p->in, sizeof(p->in));
}

/* Requests of the tests are small: one read is one request. */
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    peer *p = ((cl_sock *)s)->owner;
    (void)buf;
    if (n <= 0) return;
    const script *step = &p->play[p->at];
    if (p->at + 1 < p->n) p->at++;
    p->requests++;
    if (step->reply) {
        uv_buf_t out = uv_buf_init((char *)(uintptr_t)step->reply, (unsigned)strlen(step->reply));
        assert_int_equal(uv_try_write(s, &out, 1), (int)out.len);
    }
    for (size_t i = 0; step->close && i < p->connections; i++)
        if ((uv_stream_t *)p->open[i] == s) cl_sock_drop(&p->open[i]);
}

static void on_accepted(void *user, cl_sock *sock)
{
    peer *p = user;
    sock->owner = p;
    assert_true(p->connections < NF_COUNT(p->open));
    p->open[p->connections++] = sock;
    uv_read_start((uv_stream_t *)&sock->tcp, on_alloc, on_read);
}

typedef struct stage {
    cl_client client;
    peer peer;
    cl_url url;
    cl_conn *conn;
    cl_call call;
} stage;

static const cl_limits limits = {.connect_us = 2000000, .response_us = 200000, .body_most = 64};

static void open_stage(stage *g, const script *play, size_t n)
{
    nf_error err = {0};
    memset(g, 0, sizeof(*g));
    g->peer.play = play;
    g->peer.n = n;
    g->peer.listener.accepted = on_accepted;
    g->peer.listener.user = &g->peer;
    assert_ok(cl_client_init(&g->client, &err), &err);
    assert_ok(cl_listener_start(&g->peer.listener, &g->client.loop, "127.0.0.1:0", &err), &err);
    assert_ok(cl_url_parse(&g->url, g->peer.listener.address, &err), &err);
    assert_ok(cl_conn_create(&g->conn, &g->client.loop, &g->url, &limits, &err), &err);
    const cl_call_spec spec = {.method = "GET", .path = "/x"};
    assert_ok(cl_call_init(&g->call, &g->url, &spec, &err), &err);
}

static void close_stage(stage *g)
{
    for (size_t i = 0; i < g->peer.connections; i++)
        cl_sock_drop(&g->peer.open[i]);
    cl_listener_stop(&g->peer.listener);
    cl_conn_destroy(&g->conn);
    cl_call_fini(&g->call);
    cl_client_fini(&g->client);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static cl_exchange ask(stage *g)
{
    cl_exchange x;
    nf_error err = {0};
    assert_ok(cl_call_once(&g->client, g->conn, &g->call, &x, &err), &err);
    return x;
}

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static stage g; /* too large for the stack */

static void keeps_alive_and_counts(void **state)
{
    static const script play[] = {{OK_REPLY, false}};
    cl_tcp_facts facts;
    (void)state;
    open_stage(&g, play, 1);
    for (int i = 0; i < 5; i++) {
        const cl_exchange x = ask(&g);
        assert_int_equal(x.failure, CL_NONE);
        assert_int_equal(x.status, 200);
        assert_int_equal(x.reused, i > 0);
        assert_int_equal(x.t.connected != 0, i == 0);
        assert_int_equal(x.t.resolved, 0); /* an address, not a name */
        assert_true(x.t.start <= x.t.sent && x.t.sent <= x.t.first && x.t.first <= x.t.end);
        assert_int_equal(x.up_total, g.call.len);
        assert_int_equal(x.down_total, strlen(OK_REPLY));
        assert_int_equal(x.down_app, 2);
        assert_string_equal(x.reply->body, "ok");
    }
    assert_int_equal(g.peer.connections, 1);
    cl_conn_facts(g.conn, &facts);
    assert_true(facts.known);
    close_stage(&g);
}

static void every_way_to_fail(void **state)
{
    static const struct {
        script play;
        cl_failure want;
        int status;
    } cases[] = {
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true}, CL_CUT, 0},
        {{NULL, true}, CL_CUT, 0},
        {{"HTTP/1.1 200 OK\r\n\r\nuntil the end", true}, CL_NONE, 200},
        {{NULL, false}, CL_RESPONSE_TIMEOUT, 0},
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false}, CL_RESPONSE_TIMEOUT, 0},
        {{"what?\r\n", false}, CL_BAD_REPLY, 0},
        {{"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"
          "01234567890123456789012345678901234567890123456789012345678901234",
          false},
         CL_BAD_REPLY,
         0},
        {{"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", false}, CL_HTTP_4XX, 404},
        {{"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", false}, CL_HTTP_5XX, 503},
        {{"HTTP/1.1 302 No\r\nContent-Length: 0\r\n\r\n", false}, CL_HTTP_OTHER, 302},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        open_stage(&g, &cases[i].play, 1);
        const cl_exchange x = ask(&g);
        if (x.failure != cases[i].want) fail_msg("case %zu: %s", i, cl_failure_key(x.failure));
        assert_int_equal(x.status, cases[i].status);
        close_stage(&g);
    }
}

/* After each kind of end the same connection object dials again by itself. */
static void recovers(void **state)
{
    static const script play[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true},
        {OK_REPLY "surplus", false},
        {OK_REPLY, true}, /* closes although it promised to stay */
        {OK_REPLY, false},
    };
    static const cl_failure want[] = {CL_NONE, CL_CUT, CL_NONE, CL_NONE, CL_NONE, CL_NONE};
    (void)state;
    open_stage(&g, play, NF_COUNT(play));
    for (size_t i = 0; i < NF_COUNT(want); i++) {
        const cl_exchange x = ask(&g);
        if (x.failure != want[i]) fail_msg("request %zu: %s", i, cl_failure_key(x.failure));
        cl_tcp_facts facts = {.known = i < NF_COUNT(play) && play[i].close};
        while (facts.known) { /* until the closing of an idle peer was seen */
            uv_run(&g.client.loop, UV_RUN_NOWAIT);
            cl_conn_facts(g.conn, &facts);
        }
    }
    assert_int_equal(g.peer.connections, 5);
    close_stage(&g);
}

static void refused_and_unknown(void **state)
{
    static const script play[] = {{OK_REPLY, false}};
    (void)state;
    open_stage(&g, play, 1);
    cl_listener_stop(&g.peer.listener);
    uv_run(&g.client.loop, UV_RUN_NOWAIT);
    assert_int_equal(ask(&g).failure, CL_REFUSED);
    cl_conn_destroy(&g.conn);
    assert_int_equal(cl_url_parse(&g.url, "http://no-such-host.invalid:1", NULL), NF_OK);
    assert_int_equal(cl_conn_create(&g.conn, &g.client.loop, &g.url, &limits, NULL), NF_OK);
    assert_int_equal(ask(&g).failure, CL_NAME);
    close_stage(&g);
}

static void never_called(void *user, const cl_exchange *x)
{
    (void)user;
    (void)x;
    fail_msg("called after cancel or destroy");
}

static void cancel_and_destroy_are_silent(void **state)
{
    static const script play[] = {{NULL, false}};
    nf_error err = {0};
    (void)state;
    open_stage(&g, play, 1);
    assert_ok(cl_conn_send(g.conn, &g.call, never_called, NULL, &err), &err);
    assert_int_equal(cl_conn_send(g.conn, &g.call, never_called, NULL, NULL), NF_EBUSY);
    cl_conn_cancel(g.conn); /* while it connects */
    assert_ok(cl_conn_send(g.conn, &g.call, never_called, NULL, &err), &err);
    while (g.peer.requests == 0)
        uv_run(&g.client.loop, UV_RUN_ONCE);
    cl_conn_destroy(&g.conn); /* while it waits for the answer */
    cl_conn_destroy(&g.conn); /* accepts NULL */
    close_stage(&g);
}

static void closed_loop_counts(void **state)
{
    static const script play[] = {{OK_REPLY, false},
                                  {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", false},
                                  {OK_REPLY, false}};
    cl_load_result r;
    cl_progress quiet = {0};
    nf_error err = {0};
    const cl_load load = {.connections = 4,
                          .requests = 100,
                          .warmup_requests = 10,
                          .limits = limits,
                          .progress = &quiet};
    (void)state;
    open_stage(&g, play, NF_COUNT(play));
    assert_ok(cl_run_load(&g.client, &g.url, &g.call, 1, &load, &r, &err), &err);
    assert_int_equal(r.rec.issued, 100);
    assert_int_equal(r.rec.ok, 100); /* the 503 fell into the warm-up */
    assert_int_equal(r.rec.latency.count, 100);
    assert_int_equal(r.rec.down_app, 200);
    assert_int_equal(g.peer.connections, 4);
    assert_false(r.interrupted);
    cl_load_result_fini(&r);
    close_stage(&g);
}

/* Every request of the schedule is accounted for: answered, failed, unsent or unanswered. */
static void open_loop_counts(void **state)
{
    static const script play[] = {{OK_REPLY, false}};
    static const script slow[] = {{OK_REPLY, false}, {NULL, false}};
    static const struct {
        const script *play;
        size_t n;
        bool answered;
    } cases[] = {{play, 1, true}, {slow, 2, false}};
    cl_arrivals arrivals;
    cl_progress quiet = {0};
    nf_error err = {0};
    (void)state;
    assert_ok(cl_arrivals_read(&arrivals, "poisson", 2000, 5, &err), &err);
    const cl_load load = {.connections = 2,
                          .arrivals = &arrivals,
                          .requests = 200,
                          .warmup_requests = 1,
                          .windows = 2,
                          .tolerance = 0.1,
                          .limits = limits,
                          .progress = &quiet};
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        cl_load_result r;
        open_stage(&g, cases[i].play, cases[i].n);
        assert_ok(cl_run_load(&g.client, &g.url, &g.call, 1, &load, &r, &err), &err);
        assert_int_equal(r.due, 200);
        assert_int_equal(r.rec.issued + r.unsent + r.unanswered, 200);
        assert_int_equal(r.rec.corrected.count, r.rec.ok);
        assert_true(r.rec.corrected.sum >= r.rec.latency.sum);
        assert_int_equal(r.lag.count + r.waited, 200);
        assert_int_equal(r.rec.ok == 200, cases[i].answered);
        if (!cases[i].answered) assert_true(r.unsent > 0 && r.waited >= r.unsent);
        cl_load_result_fini(&r);
        close_stage(&g);
    }
    cl_arrivals_fini(&arrivals);
}

/* In steady state a request allocates nothing. */
static void a_request_allocates_nothing(void **state)
{
    static const script play[] = {{OK_REPLY, false}};
    (void)state;
    open_stage(&g, play, 1);
    ask(&g);
    const uint64_t before = nf_mem_calls();
    for (int i = 0; i < 100; i++)
        ask(&g);
    assert_int_equal(nf_mem_calls(), before);
    close_stage(&g);
}

/* Each allocation on the way fails once: an error or a failure, never a crash or a leak. */
static void torture(void **state)
{
    static const script play[] = {{OK_REPLY, false}};
    (void)state;
    for (uint64_t n = 1; n < 8; n++) {
        cl_exchange x;
        open_stage(&g, play, 1);
        nf_mem_fail_nth(n);
        const nf_status st = cl_call_once(&g.client, g.conn, &g.call, &x, NULL);
        nf_mem_fail_nth(0);
        assert_true(st == NF_OK || st == NF_ENOMEM);
        close_stage(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_alive_and_counts),
        cmocka_unit_test(every_way_to_fail),
        cmocka_unit_test(recovers),
        cmocka_unit_test(refused_and_unknown),
        cmocka_unit_test(cancel_and_destroy_are_silent),
        cmocka_unit_test(closed_loop_counts),
        cmocka_unit_test(open_loop_counts),
        cmocka_unit_test(a_request_allocates_nothing),
        cmocka_unit_test(torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
