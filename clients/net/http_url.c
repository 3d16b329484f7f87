/* http_url.c - reads URLs and addresses. Layer: clients/net. Thread rule: no shared state. */
#include "clients/net/http_url.h"

#include "engine/base/bytes.h"

#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>

static nf_status copy_part(char *out, size_t room, const char *text, size_t len, nf_error *err)
{
    if (len >= room)
        return nf_fail(err, NF_EINVAL, "URL", "expected a part of at most %zu bytes, got %zu",
                       room - 1, len);
    memcpy(out, text, len);
    out[len] = '\0';
    return NF_OK;
}

static const char *own_port(const cl_url *u)
{
    return u->tls ? "443" : "80";
}

/* The port is left out of the Host header when it is the scheme's own (RFC 9110, 7.2). */
static nf_status set_authority(cl_url *u, nf_error *err)
{
    const bool six = strchr(u->host, ':') != NULL;
    const bool plain = strcmp(u->port, own_port(u)) == 0;
    const int n = snprintf(u->authority, sizeof(u->authority), "%s%s%s%s%s", six ? "[" : "",
                           u->host, six ? "]" : "", plain ? "" : ":", plain ? "" : u->port);
    if (n < 0 || (size_t)n >= sizeof(u->authority))
        return nf_fail(err, NF_EINVAL, "URL", "host is too long");
    return NF_OK;
}

/* The part `field` of a parsed URL, or nothing. */
static nf_span part_of(const struct http_parser_url *p, const char *text, int field)
{
    if (!(p->field_set & (1u << field))) return (nf_span){"", 0};
    return (nf_span){text + p->field_data[field].off, p->field_data[field].len};
}

static nf_status set_path(cl_url *u, const struct http_parser_url *p, const char *text,
                          nf_error *err)
{
    const nf_span path = part_of(p, text, UF_PATH);
    const nf_span query = part_of(p, text, UF_QUERY);
    const size_t keep =
        path.len && !query.len && path.s[path.len - 1] == '/' ? path.len - 1 : path.len;
    if (!query.len) return copy_part(u->path, sizeof(u->path), path.s, keep, err);
    /* "?" stands between the two, so they are one run of the text. */
    return copy_part(u->path, sizeof(u->path), path.len ? path.s : query.s - 1,
                     (size_t)(query.s + query.len - (path.len ? path.s : query.s - 1)), err);
}

static nf_status parse_whole(cl_url *u, const char *text, nf_error *err)
{
    struct http_parser_url p;
    nf_status st;
    http_parser_url_init(&p);
    if (http_parser_parse_url(text, strlen(text), 0, &p) || !part_of(&p, text, UF_HOST).len)
        return nf_fail(err, NF_EINVAL, "URL", "expected http://HOST[:PORT], got '%.200s'", text);
    u->tls = nf_span_is(part_of(&p, text, UF_SCHEMA), "https");
    if (!u->tls && !nf_span_is(part_of(&p, text, UF_SCHEMA), "http"))
        return nf_fail(err, NF_EUNSUPPORTED, "URL",
                       "expected the scheme http or https, got '%.200s'", text);
    if (part_of(&p, text, UF_USERINFO).len)
        return nf_fail(err, NF_EINVAL, "URL", "a user name in a URL is not supported");
    const nf_span host = part_of(&p, text, UF_HOST);
    const nf_span port = part_of(&p, text, UF_PORT);
    if ((st = copy_part(u->host, sizeof(u->host), host.s, host.len, err))) return st;
    if (port.len)
        st = copy_part(u->port, sizeof(u->port), port.s, port.len, err);
    else
        st = copy_part(u->port, sizeof(u->port), own_port(u), strlen(own_port(u)), err);
    if (st) return st;
    if ((st = set_path(u, &p, text, err))) return st;
    return set_authority(u, err);
}

nf_status cl_url_parse(cl_url *out, const char *text, nf_error *err)
{
    char whole[2048];
    memset(out, 0, sizeof(*out));
    const int n =
        snprintf(whole, sizeof(whole), "%s%s", strstr(text, "://") ? "" : "http://", text);
    if (n < 0 || (size_t)n >= sizeof(whole))
        return nf_fail(err, NF_EINVAL, "URL", "expected at most %zu bytes", sizeof(whole) - 1);
    return parse_whole(out, whole, err);
}

nf_status cl_host_port_parse(cl_url *out, const char *text, nf_error *err)
{
    nf_status st;
    const char *colon = strrchr(text, ':');
    const char *port = colon ? colon + 1 : text;
    const char *host = text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    char *end;

    memset(out, 0, sizeof(*out));
    const long n = strtol(port, &end, 10);
    if (end == port || *end || n < 0 || n > 65535)
        return nf_fail(err, NF_EINVAL, text, "expected ADDR:PORT, :PORT or PORT");
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if ((st = copy_part(out->host, sizeof(out->host), host, len, err))) return st;
    snprintf(out->port, sizeof(out->port), "%u", (unsigned)(n & 0xffff));
    return set_authority(out, err);
}

const char *cl_url_text(char *to, size_t room, const cl_url *url)
{
    snprintf(to, room, "%s://%s%s", url->tls ? "https" : "http", url->authority, url->path);
    return to;
}
