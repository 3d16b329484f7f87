/* test_link_relay.c - the relay between a client and an echo server, all on one loop: what goes in
 * comes out, whatever the link does. No time is asserted. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/link_check.h"
#include "clients/lib/link_control.h"
#include "clients/lib/link_relay.h"
#include "clients/lib/listener.h"
#include "clients/lib/target.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST (3u << 20)

/* One end of a connection under test: collects what it reads. */
typedef struct endpoint {
    cl_sock *sock;
    bool echo; /* sends back what comes, and ends when the other side ends */
    bool ended, cut;
    size_t n, written;
    uint8_t *data; /* MOST bytes, when it collects */
    char in[65536];
} endpoint;

typedef struct stage {
    cl_client client;
    cl_listener server;
    cl_link *link;
    endpoint far[4], near[4];
    size_t accepted;
} stage;

static stage g;

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    endpoint *e = ((cl_sock *)h)->owner;
    (void)hint;
    *buf = uv_buf_init(e->in, sizeof(e->in));
}

typedef struct copy { /* a write with its own bytes */
    uv_write_t req;
    char bytes[];
} copy;

static void on_written(uv_write_t *req, int code)
{
    endpoint *e = ((cl_sock *)req->handle)->owner;
    if (e && !code) e->written++;
    free(req);
}

static void send_bytes(endpoint *e, const void *bytes, size_t n)
{
    copy *c = malloc(sizeof(*c) + n);
    assert_non_null(c);
    memcpy(c->bytes, bytes, n);
    uv_buf_t buf = uv_buf_init(c->bytes, (unsigned)n);
    assert_int_equal(uv_write(&c->req, (uv_stream_t *)&e->sock->tcp, &buf, 1, on_written), 0);
}

static void on_shut(uv_shutdown_t *req, int code)
{
    (void)req;
    (void)code;
}

static void end_sending(endpoint *e)
{
    uv_shutdown(&e->sock->shutdown, (uv_stream_t *)&e->sock->tcp, on_shut);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    endpoint *e = ((cl_sock *)s)->owner;
    if (n > 0) {
        if (e->data) memcpy(e->data + e->n, buf->base, (size_t)n);
        e->n += (size_t)n;
        assert_true(e->n <= MOST);
        if (e->echo) send_bytes(e, buf->base, (size_t)n);
    } else if (n == UV_EOF) {
        e->ended = true;
        if (e->echo) end_sending(e);
    } else if (n < 0) {
        e->cut = true;
        uv_read_stop(s);
    }
}

static void attach(endpoint *e, cl_sock *sock)
{
    e->sock = sock;
    sock->owner = e;
    uv_read_start((uv_stream_t *)&sock->tcp, on_alloc, on_read);
}

static void on_accepted(void *user, cl_sock *sock)
{
    (void)user;
    assert_true(g.accepted < NF_COUNT(g.far));
    g.far[g.accepted].echo = true;
    attach(&g.far[g.accepted++], sock);
}

static void on_dialled(void *user, const cl_dialed *d)
{
    endpoint *e = user;
    if (d->failure)
        e->cut = true; /* reset before the connect was through */
    else
        attach(e, d->sock);
}

/* Runs the loop until *what is at least `least`. */
static void run_until(const size_t *what, size_t least)
{
    while (*what < least)
        uv_run(&g.client.loop, UV_RUN_ONCE);
}

static void run_while(const bool *not_yet)
{
    while (!*not_yet)
        uv_run(&g.client.loop, UV_RUN_ONCE);
}

/* Lets the link do whatever it does now, without waiting for anything to happen. */
static void settle(void)
{
    for (int i = 0; i < 200; i++)
        uv_run(&g.client.loop, UV_RUN_NOWAIT);
}

static void open_stage(cl_link_spec spec)
{
    nf_error err = {0};
    memset(&g, 0, sizeof(g));
    g.server.accepted = on_accepted;
    assert_ok(cl_client_init(&g.client, &err), &err);
    assert_ok(cl_listener_start(&g.server, &g.client.loop, "127.0.0.1:0", &err), &err);
    spec.listen = "127.0.0.1:0";
    spec.to = g.server.address;
    if (!spec.shape.queue_bytes) spec.shape.queue_bytes = 65536;
    assert_ok(cl_link_create(&g.link, &g.client.loop, &spec, &err), &err);
}

static void close_stage(void)
{
    for (size_t i = 0; i < NF_COUNT(g.near); i++) {
        cl_sock_drop(&g.near[i].sock);
        cl_sock_drop(&g.far[i].sock);
        free(g.near[i].data);
    }
    cl_listener_stop(&g.server);
    cl_link_destroy(&g.link);
    cl_client_fini(&g.client);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static endpoint *connect_near(size_t i)
{
    cl_url at;
    cl_dial *dial;
    nf_error err = {0};
    assert_ok(cl_host_port_parse(&at, cl_link_spec_of(g.link)->listen, &err), &err);
    const cl_dial_spec spec = {.host = at.host,
                               .port = at.port,
                               .timeout_us = 5000000,
                               .done = on_dialled,
                               .user = &g.near[i]};
    assert_ok(cl_dial_start(&dial, &g.client.loop, &spec, &err), &err);
    while (!g.near[i].sock && !g.near[i].cut)
        uv_run(&g.client.loop, UV_RUN_ONCE);
    return &g.near[i];
}

/* Sends n pseudo-random bytes through and back and expects the same. */
static void through_and_back(size_t i, size_t n)
{
    endpoint *e = connect_near(i);
    uint8_t *sent = malloc(n);
    uint64_t seed = i + 1;
    assert_non_null(sent);
    e->data = malloc(MOST);
    assert_non_null(e->data);
    for (size_t k = 0; k < n; k++)
        sent[k] = (uint8_t)test_random(&seed);
    send_bytes(e, sent, n);
    end_sending(e);
    run_while(&e->ended);
    assert_int_equal(e->n, n);
    assert_memory_equal(e->data, sent, n);
    free(sent);
}

static void bytes_come_through(void **state)
{
    static const cl_link_spec specs[] = {
        {0},
        {.shape = {.rtt_us = 4000, .connect_us = CL_CONNECT_RTT}},
        {.shape = {.up_bps = 200000000, .down_bps = 400000000}},
        {.shape = {.rtt_us = 2000,
                   .connect_us = 5000,
                   .up_bps = 200000000,
                   .down_bps = 400000000,
                   .queue_bytes = 4096}},
        {.shape = {.rtt_us = 3000, .jitter_us = 4000, .loss = 0.01}, .seed = 7},
        {.shape = {.down_bps = 300000000, .queue_us = 20000}, .congestion = "reno"},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(specs); i++) {
        cl_link_state s;
        open_stage(specs[i]);
        through_and_back(0, 2000000);
        through_and_back(1, 1);
        cl_link_state_get(g.link, &s);
        assert_int_equal(s.connections, 2);
        assert_int_equal(s.flow[CL_UP].bytes, 2000001);
        assert_int_equal(s.flow[CL_DOWN].bytes, 2000001);
        close_stage();
    }
}

/* What a peer may have under way is bounded: with the far side not reading, the sender stalls. */
static void pushes_back(void **state)
{
    static uint8_t block[65536];
    (void)state;
    open_stage((cl_link_spec){0});
    endpoint *e = connect_near(0);
    run_until(&g.accepted, 1);
    uv_read_stop((uv_stream_t *)&g.far[0].sock->tcp);
    for (int i = 0; i < 1000; i++) /* 64 MiB */
        send_bytes(e, block, sizeof(block));
    settle();
    assert_true(e->written < 500);
    close_stage();
}

static void stall_and_go_on(void **state)
{
    (void)state;
    open_stage((cl_link_spec){.shape = {.rtt_us = 1000, .connect_us = CL_CONNECT_RTT}});
    endpoint *e = connect_near(0);
    send_bytes(e, "one", 3);
    run_until(&e->n, 3);
    cl_link_set_up(g.link, false);
    send_bytes(e, "two", 3);
    endpoint *late = connect_near(1); /* the kernel takes it, nobody answers */
    send_bytes(late, "three", 5);
    settle();
    assert_int_equal(e->n, 3);
    assert_int_equal(g.accepted, 1);
    cl_link_set_up(g.link, true);
    run_until(&e->n, 6);
    run_until(&late->n, 5);
    assert_false(e->cut || late->cut);
    close_stage();
}

static void reset_mode(void **state)
{
    cl_link_state s;
    (void)state;
    open_stage((cl_link_spec){.reset_when_down = true});
    endpoint *e = connect_near(0);
    send_bytes(e, "one", 3);
    run_until(&e->n, 3);
    cl_link_set_up(g.link, false);
    run_while(&e->cut);
    endpoint *late = connect_near(1);
    run_while(&late->cut);
    cl_link_set_up(g.link, true);
    through_and_back(2, 100);
    cl_link_state_get(g.link, &s);
    assert_int_equal(s.outages, 1);
    assert_int_equal(s.open, 0);
    close_stage();
}

static void refusal_is_passed_on(void **state)
{
    cl_link_state s;
    (void)state;
    open_stage((cl_link_spec){.shape = {.rtt_us = 1000, .connect_us = CL_CONNECT_RTT}});
    cl_listener_stop(&g.server);
    settle();
    endpoint *e = connect_near(0);
    run_while(&e->cut);
    cl_link_state_get(g.link, &s);
    assert_int_equal(s.refused, 1);
    close_stage();
}

static void half_a_conversation(void **state)
{
    (void)state;
    open_stage((cl_link_spec){.shape = {.rtt_us = 1000, .connect_us = CL_CONNECT_RTT}});
    endpoint *e = connect_near(0);
    send_bytes(e, "x", 1);
    run_until(&e->n, 1);
    cl_sock_reset(&e->sock); /* the near end vanishes: so does the far one */
    while (!g.far[0].cut && !g.far[0].ended)
        uv_run(&g.client.loop, UV_RUN_ONCE);
    close_stage();
}

static void bad_addresses(void **state)
{
    cl_link *l;
    cl_client c;
    (void)state;
    assert_int_equal(cl_client_init(&c, NULL), NF_OK);
    const cl_link_spec no_host = {.listen = "127.0.0.1:0", .to = "80"};
    const cl_link_spec no_port = {.listen = "127.0.0.1:x", .to = "h:80"};
    const cl_link_spec a_name = {.listen = "name:80", .to = "h:80"};
    assert_int_equal(cl_link_create(&l, &c.loop, &no_host, NULL), NF_EINVAL);
    assert_int_equal(cl_link_create(&l, &c.loop, &no_port, NULL), NF_EINVAL);
    assert_int_equal(cl_link_create(&l, &c.loop, &a_name, NULL), NF_EINVAL);
    assert_null(l);
    cl_client_fini(&c);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

typedef struct ask {
    const char *method, *path, *headers, *body;
    int status;
    const char *says;
} ask;

static void check_ask(const cl_control *control, const ask *a)
{
    static const cl_limits limits = {
        .connect_us = 2000000, .response_us = 5000000, .body_most = 4096};
    cl_target t;
    cl_call call;
    cl_exchange x;
    nf_error err = {0};
    assert_ok(cl_target_init(&t, &g.client, "control", cl_control_address(control), &limits, &err),
              &err);
    const cl_call_spec spec = {.method = a->method,
                               .path = a->path,
                               .headers = a->headers,
                               .content_type = a->body ? "application/json" : NULL,
                               .body = {(const uint8_t *)a->body, a->body ? strlen(a->body) : 0}};
    assert_ok(cl_call_init(&call, &t.url, &spec, &err), &err);
    assert_ok(cl_call_once(&g.client, t.conn, &call, &x, &err), &err);
    if (x.status != a->status) fail_msg("%s %s: %d", a->method, a->path, x.status);
    if (!strstr(x.reply->body, a->says)) fail_msg("no %s in %s", a->says, x.reply->body);
    cl_call_fini(&call);
    cl_target_fini(&t);
}

static void control_port(void **state)
{
    static const ask asks[] = {
        {"GET", "/v1/link", NULL, NULL, 200, "\"up\": true"},
        {"POST", "/v1/link", NULL, "{\"up\":false}", 200, "\"up\": false"},
        {"POST", "/v1/link", NULL, "{\"up\":false}", 200, "\"outages\": 1"},
        {"POST", "/v1/link", "Origin: http://x\r\n", "{\"up\":true}", 403, "web page"},
        {"GET", "/v1/link", NULL, NULL, 200, "\"up\": false"},
        {"POST", "/v1/link", NULL, "{\"up\":true}", 200, "\"up\": true"},
        {"POST", "/v1/link", NULL, "{\"up\":1}", 400, "expected"},
        {"POST", "/v1/link", NULL, "{\"up\":false,\"x\":1}", 400, "x: no setting"},
        {"POST", "/v1/link", NULL, "{\"rtt_us\":5000,\"up_bps\":7}", 400, "up_bps: expected"},
        {"GET", "/v1/link", NULL, NULL, 200, "\"rtt_us\": 3000"}, /* nothing of it was done */
        {"POST", "/v1/link", NULL, "{\"rtt_us\":-1}", 400, "rtt_us: expected"},
        {"POST", "/v1/link", NULL, "{\"loss\":0.9}", 400, "loss: expected"},
        {"POST", "/v1/link", NULL, "{\"loss\":\"2%\"}", 200, "\"loss\": 0.02"},
        {"POST", "/v1/link", NULL, "{\"rtt_us\":4000,\"loss\":0}", 200, "\"rtt_us\": 4000"},
        {"POST", "/v1/link", NULL, "{\"up_bps\":\"12mbit\"}", 200, "\"up_bps\": 12000000"},
        {"POST", "/v1/link", NULL, "{\"schedule\":\"1s up,x\"}", 400, "schedule: expected"},
        {"POST", "/v1/link", NULL, "{\"schedule\":\"9s up\",\"up\":true}", 400, "schedule:"},
        {"POST", "/v1/link", NULL, "{\"schedule\":\"1 year down\"}", 400, "schedule:"},
        {"POST", "/v1/link", NULL, "{\"schedule\":\"60s down\"}", 200, "\"up\": false"},
        {"POST", "/v1/link", NULL, "{\"up\":true}", 200, "\"check\": null"},
        {"POST", "/v1/link", NULL, "[]", 400, "expected"},
        {"POST", "/v1/link", NULL, "{", 400, "expected"},
        {"DELETE", "/v1/link", NULL, NULL, 405, "GET or POST"},
        {"GET", "/", NULL, NULL, 404, "/v1/link"},
    };
    cl_control *control;
    nf_error err = {0};
    (void)state;
    open_stage((cl_link_spec){.shape = {.rtt_us = 3000}});
    assert_ok(cl_control_create(&control, g.link, &g.client.loop, "127.0.0.1:0", &err), &err);
    for (size_t i = 0; i < NF_COUNT(asks); i++)
        check_ask(control, &asks[i]);
    cl_control_destroy(&control);
    close_stage();
}

/* New settings in the middle of a transfer: every byte still comes, in order. */
static void reshaped_meanwhile(void **state)
{
    static uint8_t block[65536];
    (void)state;
    open_stage((cl_link_spec){.shape = {.rtt_us = 20000, .up_bps = 8000000}});
    endpoint *e = connect_near(0);
    e->data = malloc(MOST);
    assert_non_null(e->data);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * 31);
    for (int i = 0; i < 10; i++)
        send_bytes(e, block, sizeof(block));
    run_until(&e->n, 100);
    cl_link_settings s = cl_settings_default();
    s.rtt_us = 1000;
    s.jitter_us = 3000;
    s.loss = 0.05;
    cl_link_reshape(g.link, &s);
    run_until(&e->n, 10 * sizeof(block));
    for (size_t i = 0; i < 10; i++)
        assert_memory_equal(e->data + i * sizeof(block), block, sizeof(block));
    close_stage();
}

static void a_schedule_switches(void **state)
{
    cl_outages s;
    cl_link_state now = {0};
    nf_error err = {0};
    (void)state;
    open_stage((cl_link_spec){0});
    assert_ok(cl_outages_parse(&s, "1ms down,1ms up,1ms down,1ms up", &err), &err);
    assert_ok(cl_link_set_schedule(g.link, &s, &err), &err);
    while (!now.up) {
        uv_run(&g.client.loop, UV_RUN_ONCE);
        cl_link_state_get(g.link, &now);
    }
    assert_true(now.outages >= 1);
    assert_ok(cl_outages_parse(&s, "60s down", &err), &err);
    assert_ok(cl_link_set_schedule(g.link, &s, &err), &err);
    cl_link_state_get(g.link, &now);
    assert_false(now.up);
    cl_link_set_up(g.link, true); /* a word by hand ends the schedule */
    through_and_back(0, 1000);
    close_stage();
}

static void on_checked(void *user)
{
    *(bool *)user = true;
}

/* It measures to the end on an idle link, and gives way to a client. Its figures are not looked at
 * here. */
static void the_check_runs_and_gives_way(void **state)
{
    cl_check *check;
    cl_link_state s;
    nf_error err = {0};
    bool done = false;
    (void)state;
    open_stage((cl_link_spec){.shape = {.rtt_us = 1000, .connect_us = CL_CONNECT_RTT}});
    assert_ok(cl_check_start(&check, g.link, &g.client.loop, on_checked, &done, &err), &err);
    run_while(&done);
    assert_true(cl_check_get(check)->done);
    assert_true(cl_check_get(check)->rtt_us > 0);
    assert_true(cl_check_get(check)->rate_bps[CL_DOWN] > 0);
    cl_link_state_get(g.link, &s);
    assert_int_equal(s.connections, 0);
    assert_int_equal(s.flow[CL_UP].bytes, 0);
    cl_check_destroy(&check);
    done = false;
    assert_ok(cl_check_start(&check, g.link, &g.client.loop, on_checked, &done, &err), &err);
    through_and_back(0, 1000);
    run_while(&done);
    assert_false(cl_check_get(check)->done);
    assert_non_null(strstr(cl_check_get(check)->note, "a client came"));
    cl_check_destroy(&check);
    assert_ok(cl_check_start(&check, g.link, &g.client.loop, on_checked, &done, &err), &err);
    cl_check_destroy(&check); /* at once */
    close_stage();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_through),
        cmocka_unit_test(pushes_back),
        cmocka_unit_test(stall_and_go_on),
        cmocka_unit_test(reset_mode),
        cmocka_unit_test(refusal_is_passed_on),
        cmocka_unit_test(half_a_conversation),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(control_port),
        cmocka_unit_test(reshaped_meanwhile),
        cmocka_unit_test(a_schedule_switches),
        cmocka_unit_test(the_check_runs_and_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
