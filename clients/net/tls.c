/* tls.c - TLS on GnuTLS, through two buffers. Layer: clients/net. Thread rule: one owner. */
#include "clients/net/tls.h"

#include "engine/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>

struct cl_trust {
    gnutls_certificate_credentials_t who;
    bool insecure;
};

typedef struct buffer {
    uint8_t *data;
    size_t at, len, cap; /* data[at .. len) is there */
} buffer;

struct cl_tls {
    gnutls_session_t session;
    buffer in, out; /* ciphertext */
    char why[200];
};

static bool put(buffer *b, const void *data, size_t len)
{
    size_t need;
    if (b->at == b->len) b->at = b->len = 0;
    if (!nf_add_size(&need, b->len, len)) return false;
    if (need > b->cap) {
        const size_t cap = need < SIZE_MAX / 2 ? need * 2 : need;
        uint8_t *more = nf_realloc(b->data, cap, NF_MEM_CLIENT);
        if (!more) return false;
        b->data = more;
        b->cap = cap;
    }
    if (len) memcpy(b->data + b->len, data, len);
    b->len += len;
    return true;
}

static ssize_t push(gnutls_transport_ptr_t p, const void *data, size_t len)
{
    cl_tls *t = p;
    if (put(&t->out, data, len)) return (ssize_t)len;
    gnutls_transport_set_errno(t->session, ENOMEM);
    return -1;
}

static ssize_t pull(gnutls_transport_ptr_t p, void *to, size_t room)
{
    cl_tls *t = p;
    const size_t have = t->in.len - t->in.at;
    const size_t n = have < room ? have : room;
    if (!have) {
        gnutls_transport_set_errno(t->session, EAGAIN);
        return -1;
    }
    memcpy(to, t->in.data + t->in.at, n);
    t->in.at += n;
    return (ssize_t)n;
}

nf_status cl_trust_create(cl_trust **out, const char *ca_file, bool insecure, nf_error *err)
{
    cl_trust *t = nf_alloc(sizeof(*t), NF_MEM_CLIENT);
    int n = 0;
    *out = NULL;
    if (!t || gnutls_certificate_allocate_credentials(&t->who)) {
        nf_free(t);
        return nf_fail(err, NF_ENOMEM, "tls", "no memory");
    }
    t->insecure = insecure;
    if (ca_file && ca_file[0])
        n = gnutls_certificate_set_x509_trust_file(t->who, ca_file, GNUTLS_X509_FMT_PEM);
    else if (!insecure)
        n = gnutls_certificate_set_x509_system_trust(t->who);
    if (n < 0 || (n == 0 && ca_file && ca_file[0])) {
        cl_trust_destroy(&t);
        return nf_fail(err, NF_ENOTFOUND, ca_file && ca_file[0] ? ca_file : "system certificates",
                       "expected PEM certificates: %s", n ? gnutls_strerror(n) : "none in it");
    }
    *out = t;
    return NF_OK;
}

void cl_trust_destroy(cl_trust **tp)
{
    if (!*tp) return;
    gnutls_certificate_free_credentials((*tp)->who);
    nf_free(*tp);
    *tp = NULL;
}

static bool is_address(const char *host)
{
    uint8_t room[16];
    return inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1;
}

static int set_up(cl_tls *t, const cl_trust *trust, const char *host)
{
    int code = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (code) return code;
    gnutls_transport_set_ptr(t->session, t);
    gnutls_transport_set_push_function(t->session, push);
    gnutls_transport_set_pull_function(t->session, pull);
    if ((code = gnutls_set_default_priority(t->session))) return code;
    if ((code = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, trust->who)))
        return code;
    /* RFC 6066, 3: addresses are not permitted in the server name. */
    if (!is_address(host))
        code = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, host, strlen(host));
    if (!code && !trust->insecure) gnutls_session_set_verify_cert(t->session, host, 0);
    return code;
}

nf_status cl_tls_create(cl_tls **out, const cl_trust *trust, const char *host, nf_error *err)
{
    cl_tls *t = nf_alloc(sizeof(*t), NF_MEM_CLIENT);
    *out = NULL;
    if (!t) return nf_fail(err, NF_ENOMEM, host, "no memory for a TLS session");
    const int code = set_up(t, trust, host);
    if (code) {
        cl_tls_destroy(&t);
        return nf_fail(err, NF_EIO, host, "TLS: %s", gnutls_strerror(code));
    }
    *out = t;
    return NF_OK;
}

void cl_tls_destroy(cl_tls **tp)
{
    cl_tls *t = *tp;
    if (!t) return;
    if (t->session) gnutls_deinit(t->session);
    nf_free(t->in.data);
    nf_free(t->out.data);
    nf_free(t);
    *tp = NULL;
}

bool cl_tls_feed(cl_tls *t, nf_bytes in)
{
    return put(&t->in, in.data, in.len);
}

/* The library's words, and for a refused certificate what is wrong with it. */
static cl_tls_step fail(cl_tls *t, int code)
{
    gnutls_datum_t text = {0};
    const bool cert = code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
                      gnutls_certificate_verification_status_print(
                          gnutls_session_get_verify_cert_status(t->session), GNUTLS_CRT_X509, &text,
                          0) == GNUTLS_E_SUCCESS;
    snprintf(t->why, sizeof(t->why), "TLS: %s",
             cert ? (const char *)text.data : gnutls_strerror(code));
    gnutls_free(text.data);
    return CL_TLS_FAILED;
}

cl_tls_step cl_tls_shake(cl_tls *t)
{
    for (;;) {
        const int code = gnutls_handshake(t->session);
        if (code == GNUTLS_E_SUCCESS) return CL_TLS_READY;
        if (code == GNUTLS_E_AGAIN) return CL_TLS_MORE;
        if (gnutls_error_is_fatal(code)) return fail(t, code);
    }
}

bool cl_tls_write(cl_tls *t, nf_bytes plain)
{
    size_t done = 0;
    while (done < plain.len) {
        const ssize_t n = gnutls_record_send(t->session, plain.data + done, plain.len - done);
        if (n <= 0) return fail(t, (int)n), false;
        done += (size_t)n;
    }
    return true;
}

cl_tls_step cl_tls_read(cl_tls *t, char *to, size_t room, size_t *n)
{
    for (;;) {
        const size_t at = t->in.at;
        const ssize_t got = gnutls_record_recv(t->session, to, room);
        *n = got > 0 ? (size_t)got : 0;
        if (got >= 0) return CL_TLS_READY;
        /* A session ticket gives "again" too, with the answer perhaps right behind it. */
        if (got == GNUTLS_E_AGAIN && (t->in.at == t->in.len || t->in.at == at)) return CL_TLS_MORE;
        if (gnutls_error_is_fatal((int)got)) return fail(t, (int)got);
    }
}

nf_bytes cl_tls_out(const cl_tls *t)
{
    return (nf_bytes){t->out.data + t->out.at, t->out.len - t->out.at};
}

void cl_tls_sent(cl_tls *t)
{
    t->out.at = t->out.len;
}

const char *cl_tls_why(const cl_tls *t)
{
    return t->why;
}
