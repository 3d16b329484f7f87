/* api_auth.c - who may call the admin routes. Layer: server/api. Thread rule: any loop; the token
 * is under a lock, because SIGHUP reads it again.
 * Without a token only a program on this machine that speaks to us by a loopback name: a web page
 * that makes a browser call us sends an Origin, or (DNS rebinding) its own name as Host. */
#include "engine/base/file.h"
#include "server/api/app.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <strings.h>

#define TOKEN_LEAST 16
#define TOKEN_MOST  4096

void srv_auth_init(srv_auth *a)
{
    pthread_mutex_init(&a->lock, NULL);
    a->has_token = false;
}

static bool hash(uint8_t *out, const void *text, size_t len)
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, len, out) == 0;
}

static bool is_blank(uint8_t c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

nf_status srv_auth_read(srv_auth *a, const char *path, nf_error *err)
{
    nf_bytes file;
    uint8_t digest[SRV_HASH_BYTES];
    nf_status st = nf_read_file(&file, path, TOKEN_MOST, NF_MEM_MISC, err);
    if (st) return st;
    while (file.len && is_blank(file.data[file.len - 1]))
        file.len--;
    if (file.len < TOKEN_LEAST)
        st = nf_fail(err, NF_EINVAL, path, "expected a token of at least %d characters",
                     TOKEN_LEAST);
    else if (!hash(digest, file.data, file.len))
        st = nf_fail(err, NF_EIO, path, "cannot hash the token");
    nf_free((void *)file.data);
    if (st) return st;
    pthread_mutex_lock(&a->lock);
    memcpy(a->token_hash, digest, sizeof(digest));
    a->has_token = true;
    pthread_mutex_unlock(&a->lock);
    return NF_OK;
}

bool srv_auth_matches(srv_auth *a, const char *given)
{
    uint8_t digest[SRV_HASH_BYTES], want[SRV_HASH_BYTES];
    pthread_mutex_lock(&a->lock);
    memcpy(want, a->token_hash, sizeof(want));
    const bool has = a->has_token;
    pthread_mutex_unlock(&a->lock);
    return has && hash(digest, given, strlen(given)) &&
           gnutls_memcmp(digest, want, sizeof(want)) == 0;
}

static bool has_token(srv_auth *a)
{
    pthread_mutex_lock(&a->lock);
    const bool has = a->has_token;
    pthread_mutex_unlock(&a->lock);
    return has;
}

/* "localhost", "127.x.y.z" or "[::1]", each with or without a port. */
static bool is_loopback_host(const char *host)
{
    if (!host) return false;
    const size_t len = strcspn(host, ":");
    const char *port = strncmp(host, "[::1]", 5) == 0 ? host + 5 : host + len;
    if (*port && (*port != ':' || port[1 + strspn(port + 1, "0123456789")])) return false;
    if (host[0] == '[') return port == host + 5;
    if (len == 9 && strncasecmp(host, "localhost", 9) == 0) return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len;
}

static nf_status check_token(srv_auth *a, const srv_req *req, nf_error *err)
{
    static const char scheme[] = "Bearer ";
    const char *given = req->ops->header(req, "Authorization");
    if (!given || strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
        return nf_fail(err, NF_EAUTH, "Authorization", "expected 'Bearer' and the admin token");
    given += sizeof(scheme) - 1;
    if (srv_auth_matches(a, given + strspn(given, " "))) return NF_OK;
    return nf_fail(err, NF_EAUTH, "Authorization", "this is not the admin token");
}

nf_status srv_api_admit(srv_req *req, const srv_route *route, nf_error *err)
{
    srv_auth *a = &srv_app_of(req)->auth;
    if (route->role == SRV_OPEN) return NF_OK;
    if (has_token(a)) return check_token(a, req, err);
    if (!req->ops->peer_is_local(req) || !is_loopback_host(req->ops->header(req, "Host")) ||
        req->ops->header(req, "Origin"))
        return nf_fail(err, NF_EDENIED, "admin",
                       "without --admin-token-file only programs on this machine may call it, by a "
                       "loopback name and not from a web page");
    return NF_OK;
}
