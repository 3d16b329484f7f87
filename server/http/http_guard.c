/* http_guard.c - what a request's head must look like before anything else looks at it. Layer:
 * server/http. Thread rule: the loop's thread.
 * The HTTP library accepts requests whose length two programs can read differently (two
 * Content-Length, Content-Length with Transfer-Encoding, a blank before the colon): each is refused
 * here, and the connection closed. */
#include "server/http/http_inside.h"

#include <stdlib.h>
#include <strings.h>

typedef struct head {
    unsigned n_host, n_length, n_transfer, n_coding, n_expect;
    const char *length, *transfer, *coding, *expect, *host;
    bool bad_name, bad_value;
} head;

static bool is_token(const char *s, size_t len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < len; i++) {
        const char c = s[i];
        const bool alnum =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || !strchr(marks, c))) return false;
    }
    return len > 0;
}

static bool is_value(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)s[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static enum MHD_Result look_at(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_len,
                               const char *value, size_t value_len)
{
    head *h = cls;
    const struct known {
        const char *name;
        unsigned *count;
        const char **value;
    } known[] = {{"Host", &h->n_host, &h->host},
                 {"Content-Length", &h->n_length, &h->length},
                 {"Transfer-Encoding", &h->n_transfer, &h->transfer},
                 {"Content-Encoding", &h->n_coding, &h->coding},
                 {"Expect", &h->n_expect, &h->expect}};
    (void)kind;
    if (!is_token(key, key_len)) h->bad_name = true;
    if (value && !is_value(value, value_len)) h->bad_value = true;
    for (size_t i = 0; i < NF_COUNT(known); i++) {
        if (strcasecmp(key, known[i].name) != 0) continue;
        ++*known[i].count;
        *known[i].value = value ? value : "";
    }
    return MHD_YES;
}

static nf_status check_framing(const head *h, nf_error *err)
{
    if (h->bad_name)
        return nf_fail(err, NF_EINVAL, "request head",
                       "a header name has characters it may not have");
    if (h->bad_value)
        return nf_fail(err, NF_EINVAL, "request head", "a header value has control characters");
    if (h->n_length > 1)
        return nf_fail(err, NF_EINVAL, "Content-Length", "expected one, got %u", h->n_length);
    if (h->n_transfer && h->n_length)
        return nf_fail(err, NF_EINVAL, "request head",
                       "has both Content-Length and Transfer-Encoding");
    if (h->n_transfer > 1 || (h->n_transfer && strcasecmp(h->transfer, "chunked") != 0))
        return nf_fail(err, NF_ENOTIMPL, "Transfer-Encoding", "expected 'chunked' alone");
    return NF_OK;
}

static bool host_ok(const char *host)
{
    const size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".-_:[]%");
    return n > 0 && host[n] == '\0';
}

static nf_status check_host(const head *h, const char *version, nf_error *err)
{
    const bool old = strcmp(version, "HTTP/1.0") == 0;
    if (!old && strcmp(version, "HTTP/1.1") != 0)
        return nf_fail(err, NF_EINVAL, "request line", "expected HTTP/1.0 or HTTP/1.1");
    if (h->n_host == 0 && old) return NF_OK;
    if (h->n_host != 1) return nf_fail(err, NF_EINVAL, "Host", "expected one, got %u", h->n_host);
    if (!host_ok(h->host))
        return nf_fail(err, NF_EINVAL, "Host", "expected a host name or address");
    return NF_OK;
}

static nf_status check_coding(body_coding *out, const head *h, nf_error *err)
{
    static const struct {
        const char *name;
        body_coding coding;
    } codings[] = {{"identity", CODING_IDENTITY},
                   {"gzip", CODING_GZIP},
                   {"x-gzip", CODING_GZIP},
                   {"deflate", CODING_DEFLATE}};
    *out = CODING_IDENTITY;
    if (h->n_coding == 0) return NF_OK;
    for (size_t i = 0; i < NF_COUNT(codings) && h->n_coding == 1; i++) {
        if (strcasecmp(h->coding, codings[i].name) != 0) continue;
        *out = codings[i].coding;
        return NF_OK;
    }
    return nf_fail(err, NF_EENCODING, "Content-Encoding", "expected identity, gzip or deflate");
}

nf_status http_guard(http_conn *c, const char *version, nf_error *err)
{
    head h = {0};
    nf_status st;
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, look_at, &h);
    if ((st = check_framing(&h, err)) || (st = check_host(&h, version, err))) return st;
    if (h.n_expect && (h.n_expect > 1 || strcasecmp(h.expect, "100-continue") != 0)) {
        c->refused_code = MHD_HTTP_EXPECTATION_FAILED;
        return nf_fail(err, NF_EINVAL, "Expect", "expected 100-continue");
    }
    return check_coding(&c->coding, &h, err);
}
