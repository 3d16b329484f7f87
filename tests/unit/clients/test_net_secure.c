/* test_net_secure.c - gzip both ways, packed replies, the second dialect, and TLS against a server
 * session with a certificate made here. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/listener.h"
#include "clients/lib/requests.h"
#include "clients/lib/transport.h"
#include "clients/net/gzip.h"
#include "clients/net/http_reply.h"
#include "clients/net/tcp_facts.h"
#include "clients/net/tls.h"
#include "engine/base/mem.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static nf_bytes text_bytes(const char *s)
{
    return (nf_bytes){(const uint8_t *)s, strlen(s)};
}

static void gzip_round_trip(void **state)
{
    static uint8_t data[100000];
    static const size_t sizes[] = {0, 1, 4095, 4096, 100000};
    uint64_t seed = 3;
    nf_error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i < 50000 ? 'a' : test_random(&seed));
    for (size_t i = 0; i < NF_COUNT(sizes); i++) {
        char *packed, *plain;
        size_t packed_len, len;
        assert_ok(cl_gzip(&packed, &packed_len, (nf_bytes){data, sizes[i]}, &err), &err);
        const nf_bytes p = {(uint8_t *)packed, packed_len};
        assert_ok(cl_gunzip(&plain, &len, p, sizes[i], &err), &err);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(plain, data, len);
        nf_free(plain);
        if (sizes[i])
            assert_int_equal(cl_gunzip(&plain, &len, p, sizes[i] - 1, &err), NF_ETOOLARGE);
        assert_int_equal(cl_gunzip(&plain, &len, (nf_bytes){p.data, p.len - 1}, 1 << 20, &err),
                         NF_EINVAL);
        packed[packed_len / 2] ^= 0x55;
        assert_int_not_equal(cl_gunzip(&plain, &len, p, 1 << 20, &err), NF_OK);
        nf_free(packed);
    }
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static nf_status feed_packed(cl_reply *r, const char *body, size_t len)
{
    char head[128];
    size_t used;
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", len);
    cl_reply_reset(r);
    nf_status st = cl_reply_feed(r, text_bytes(head), &used);
    return st ? st : cl_reply_feed(r, (nf_bytes){(const uint8_t *)body, len}, &used);
}

static void packed_replies(void **state)
{
    static cl_reply r;
    static char big[5000];
    char *packed;
    size_t len;
    nf_error err = {0};
    (void)state;
    cl_reply_init(&r, 4000);
    assert_ok(cl_gzip(&packed, &len, text_bytes("{\"a\":1}"), &err), &err);
    assert_int_equal(feed_packed(&r, packed, len), NF_OK);
    assert_true(r.complete);
    assert_string_equal(r.body, "{\"a\":1}");
    assert_int_equal(r.body_len, 7);
    assert_int_equal(r.body_wire, len);
    nf_free(packed);
    assert_int_equal(feed_packed(&r, "no gzip at all", 14), NF_EINVAL);
    /* 5,000 zeros pack into a few bytes: the limit holds for what comes out. */
    assert_ok(cl_gzip(&packed, &len, (nf_bytes){(uint8_t *)big, sizeof(big)}, &err), &err);
    assert_int_equal(feed_packed(&r, packed, len), NF_ETOOLARGE);
    nf_free(packed);
    cl_reply_fini(&r);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static void second_dialect(void **state)
{
    static const char one[] =
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[-1,3]}]}";
    static const char open[] =
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[-1,2,-1]}]}";
    static const char two[] =
        "{\"inputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[-1,1]},"
        "{\"name\":\"b\",\"datatype\":\"INT64\",\"shape\":[-1,2]}]}";
    static const struct {
        const char *about, *v1, *want;
    } cases[] = {
        {one, "{\"instances\":[[1,2,3],[4,5,6]]}",
         "{\"inputs\":[{\"data\":[1,2,3,4,5,6],\"shape\":[2,3],\"name\":\"x\","
         "\"datatype\":\"FP32\"}]}"},
        {open, "{\"instances\":[[[1,2],[3,4]]]}",
         "{\"inputs\":[{\"data\":[1,2,3,4],\"shape\":[1,2,2],\"name\":\"x\","
         "\"datatype\":\"FP32\"}]}"},
        {two, "{\"instances\":[{\"a\":[1],\"b\":[2,3]}]}",
         "{\"inputs\":[{\"data\":[1],\"shape\":[1,1],\"name\":\"a\",\"datatype\":\"FP32\"},"
         "{\"data\":[2,3],\"shape\":[1,2],\"name\":\"b\",\"datatype\":\"INT64\"}]}"},
        {one, "{\"inputs\":[]}", "{\"inputs\":[]}"},
    };
    static const char *const bad[] = {"{\"instances\":[[1,2]]}", "{\"instances\":[]}", "{}", "[",
                                      "{\"instances\":[[1,2,3],[4]]}"};
    nf_bytes out;
    nf_error err = {0};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        assert_ok(cl_body_v2(&out, text_bytes(cases[i].v1), text_bytes(cases[i].about), &err),
                  &err);
        assert_int_equal(out.len, strlen(cases[i].want));
        assert_memory_equal(out.data, cases[i].want, out.len);
        nf_free((void *)(uintptr_t)out.data);
    }
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        assert_int_equal(cl_body_v2(&out, text_bytes(bad[i]), text_bytes(one), &err), NF_EINVAL);
    assert_int_equal(
        cl_body_v2(&out, text_bytes("{\"instances\":[{\"a\":[1]}]}"), text_bytes(two), &err),
        NF_EINVAL);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static void congestion_names(void **state)
{
    nf_error err = {0};
    (void)state;
    assert_ok(cl_congestion_check("reno", &err), &err); /* part of every Linux kernel */
    assert_int_equal(cl_congestion_check("no-such-one", &err), NF_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "reno"));
}

/* A server for one connection after the other, on the client's own loop. */
typedef struct secure_peer {
    cl_listener listener;
    gnutls_certificate_credentials_t who;
    gnutls_datum_t ticket_key; /* tickets come in front of the first answer, in the same read */
    gnutls_session_t session;
    cl_sock *sock;
    char in[65536], request[65536];
    size_t at, len, got;
    bool shaken;
} secure_peer;

static ssize_t peer_push(gnutls_transport_ptr_t p, const void *data, size_t len)
{
    secure_peer *s = p;
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
    return uv_try_write((uv_stream_t *)&s->sock->tcp, &b, 1) == (int)len ? (ssize_t)len : -1;
}

static ssize_t peer_pull(gnutls_transport_ptr_t p, void *to, size_t room)
{
    secure_peer *s = p;
    const size_t n = s->len - s->at < room ? s->len - s->at : room;
    if (!n) {
        gnutls_transport_set_errno(s->session, EAGAIN);
        return -1;
    }
    memcpy(to, s->in + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    secure_peer *s = ((cl_sock *)h)->owner;
    (void)hint;
    s->at = s->len = 0;
    *buf = uv_buf_init(s->in, sizeof(s->in));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
    secure_peer *s = ((cl_sock *)stream)->owner;
    (void)buf;
    if (n <= 0) return;
    s->len = (size_t)n;
    if (!s->shaken) s->shaken = gnutls_handshake(s->session) == 0;
    if (!s->shaken) return;
    for (;;) {
        const ssize_t got =
            gnutls_record_recv(s->session, s->request + s->got, sizeof(s->request) - s->got);
        if (got <= 0) break;
        s->got += (size_t)got;
    }
    if (s->got >= 4 && memcmp(s->request + s->got - 4, "\r\n\r\n", 4) == 0) {
        s->got = 0;
        assert_int_equal(gnutls_record_send(s->session, reply, sizeof(reply) - 1),
                         sizeof(reply) - 1);
    }
}

static void end_session(secure_peer *s)
{
    if (s->session) gnutls_deinit(s->session);
    s->session = NULL;
    cl_sock_drop(&s->sock);
}

static void on_accepted(void *user, cl_sock *sock)
{
    secure_peer *s = user;
    end_session(s);
    s->sock = sock;
    sock->owner = s;
    s->shaken = false;
    s->got = s->at = s->len = 0;
    assert_int_equal(gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
    gnutls_set_default_priority(s->session);
    gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->who);
    assert_int_equal(gnutls_session_ticket_enable_server(s->session, &s->ticket_key), 0);
    gnutls_transport_set_ptr(s->session, s);
    gnutls_transport_set_push_function(s->session, peer_push);
    gnutls_transport_set_pull_function(s->session, peer_pull);
    uv_read_start((uv_stream_t *)&sock->tcp, on_alloc, on_read);
}

/* A certificate for 127.0.0.1 and "here.test" that signs itself; its PEM goes to `path`. */
static void make_certificate(secure_peer *s, const char *path)
{
    static const uint8_t address[4] = {127, 0, 0, 1};
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 86400);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "test", 4);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 4, GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "here.test", 9,
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
    gnutls_x509_crt_set_key(crt, key);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(pem.data, 1, pem.size, f), pem.size);
    fclose(f);
    gnutls_free(pem.data);
    gnutls_certificate_allocate_credentials(&s->who);
    assert_int_equal(gnutls_certificate_set_x509_key(s->who, &crt, 1, key), 0);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static secure_peer peer; /* too large for the stack */

static void ask_secure(cl_client *client, const cl_trust *trust, size_t extra, cl_failure want)
{
    const cl_limits limits = {.connect_us = 5000000,
                              .response_us = 5000000,
                              .body_most = 100,
                              .congestion = "reno",
                              .trust = trust};
    static char padding[20000];
    char url_text[100];
    cl_url url;
    cl_conn *conn;
    cl_call call;
    cl_exchange x;
    cl_tcp_facts facts;
    nf_error err = {0};
    if (extra) snprintf(padding, sizeof(padding), "X-Long: %0*d\r\n", (int)extra, 0);
    snprintf(url_text, sizeof(url_text), "https://%s/x", peer.listener.address);
    assert_ok(cl_url_parse(&url, url_text, &err), &err);
    assert_true(url.tls);
    assert_ok(cl_conn_create(&conn, &client->loop, &url, &limits, &err), &err);
    const cl_call_spec spec = {.method = "GET", .headers = extra ? padding : NULL};
    assert_ok(cl_call_init(&call, &url, &spec, &err), &err);
    for (int i = 0; i < 2; i++) {
        assert_ok(cl_call_once(client, conn, &call, &x, &err), &err);
        if (x.failure != want) fail_msg("%s: %s", cl_failure_key(x.failure), x.why ? x.why : "");
        if (want) {
            assert_non_null(strstr(x.why, "certificate"));
            break;
        }
        assert_string_equal(x.reply->body, "secret");
        assert_int_equal(x.reused, i > 0);
        assert_int_equal(x.t.secured != 0, i == 0);
        assert_true(x.t.written >= x.t.sent && x.t.first >= x.t.sent);
        cl_conn_facts(conn, &facts);
        assert_string_equal(facts.congestion, "reno");
    }
    cl_conn_destroy(&conn);
    cl_call_fini(&call);
}

static void tls_end_to_end(void **state)
{
    char path[64];
    cl_client client;
    cl_trust *trust[3] = {0};
    nf_error err = {0};
    (void)state;
    snprintf(path, sizeof(path), "/tmp/nearfar-ca-%ld.pem", (long)getpid());
    memset(&peer, 0, sizeof(peer));
    make_certificate(&peer, path);
    assert_int_equal(gnutls_session_ticket_key_generate(&peer.ticket_key), 0);
    peer.listener.accepted = on_accepted;
    peer.listener.user = &peer;
    assert_ok(cl_client_init(&client, &err), &err);
    assert_ok(cl_listener_start(&peer.listener, &client.loop, "127.0.0.1:0", &err), &err);
    assert_ok(cl_trust_create(&trust[0], path, false, &err), &err);
    assert_ok(cl_trust_create(&trust[1], NULL, true, &err), &err);
    assert_ok(cl_trust_create(&trust[2], NULL, false, &err), &err);
    assert_int_equal(cl_trust_create(&(cl_trust *){NULL}, "/no/such/file", false, &err),
                     NF_ENOTFOUND);
    ask_secure(&client, trust[0], 0, CL_NONE);
    ask_secure(&client, trust[1], 0, CL_NONE);
    ask_secure(&client, trust[0], 3000, CL_NONE);
    ask_secure(&client, trust[2], 0, CL_TLS); /* nobody the system trusts has signed it */
    end_session(&peer);
    cl_listener_stop(&peer.listener);
    cl_client_fini(&client);
    for (size_t i = 0; i < NF_COUNT(trust); i++)
        cl_trust_destroy(&trust[i]);
    gnutls_certificate_free_credentials(peer.who);
    gnutls_free(peer.ticket_key.data);
    unlink(path);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_round_trip), cmocka_unit_test(packed_replies),
        cmocka_unit_test(second_dialect),  cmocka_unit_test(congestion_names),
        cmocka_unit_test(tls_end_to_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
