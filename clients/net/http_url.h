/* http_url.h - where a server is. Layer: clients/net. Thread rule: no shared state. */
#ifndef CL_HTTP_URL_H
#define CL_HTTP_URL_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cl_url {
    char host[256];      /* name or address, IPv6 without brackets */
    bool tls;            /* https */
    char port[6];        /* decimal, "80" or "443" when the URL has none */
    char authority[272]; /* what the Host header carries */
    char path[1024];     /* "" or "/…" with the query, no trailing slash on a bare prefix */
} cl_url;

/**
 * Reads "http[s]://host[:port][/path]" or "host:port". NF_EINVAL: not a URL, user name in it, over
 * a length above; NF_EUNSUPPORTED: a scheme other than http and https.
 */
nf_status cl_url_parse(cl_url *out, const char *text, nf_error *err);

/** Splits "ADDR:PORT", ":PORT", "PORT" or "[ADDR]:PORT"; host is "" when absent. NF_EINVAL. */
nf_status cl_host_port_parse(cl_url *out, const char *text, nf_error *err);

/** "http://host:port/path" of a parsed URL; `to` is returned. */
const char *cl_url_text(char *to, size_t room, const cl_url *url);

#endif /* CL_HTTP_URL_H */
