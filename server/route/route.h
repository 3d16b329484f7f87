/* route.h - find the handler for a request. Layer: server/route. Thread rule: tables are const. */
#ifndef SRV_ROUTE_H
#define SRV_ROUTE_H

#include "server/route/request.h"

/* How large a body may be: a class, because the limits are options. */
typedef enum srv_body_class {
    SRV_BODY_NONE,  /* a body is refused */
    SRV_BODY_SMALL, /* SRV_SMALL_BODY bytes */
    SRV_BODY_DATA,  /* --max-body */
    SRV_BODY_MODEL  /* --max-model-bytes, with --upload-timeout */
} srv_body_class;

#define SRV_SMALL_BODY 65536

typedef enum srv_role { SRV_OPEN, SRV_ADMIN } srv_role;

typedef struct srv_route {
    srv_method method;
    srv_role role;
    srv_body_class body;
    const char *pattern; /* "/v1/models/{model}:predict"; {…} matches up to the next '/' or ':' */
    srv_handler handler;
} srv_route;

typedef struct srv_routes {
    const srv_route *rows;
    size_t n;
} srv_routes;

/** NF_OK and *out; NF_ENOTFOUND: no such path; NF_EMETHOD: path known, method not: *allow has a
 * bit (1 << srv_method) for each that is. */
nf_status srv_route_find(const srv_route **out, srv_params *params, unsigned *allow,
                         srv_routes table, srv_method method, const char *path);

#define SRV_PATH_MOST 1024 /* bytes of a raw path with its query */

/**
 * Brings a raw request path into its normal form: %XX of an unreserved character (RFC 3986, 2.3) is
 * decoded; everything else that is not in the strict set `A-Z a-z 0-9 . _ - ~ / :` is refused, as
 * are empty, "." and ".." segments.
 *
 * out: at least strlen(raw) + 1 bytes. NF_OK; NF_EINVAL (says which byte); NF_ETOOLARGE.
 */
nf_status srv_path_normal(char *out, size_t size, const char *raw, nf_error *err);

/** "GET", "POST" …; *out and true when `name` is one of ours (HEAD counts as GET). */
bool srv_method_parse(srv_method *out, const char *name);

const char *srv_method_name(srv_method m);

#endif /* SRV_ROUTE_H */
