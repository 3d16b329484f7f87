/* route.c - walks the route table. Layer: server/route. Thread rule: no shared state. */
#include "server/route/route.h"

#include <string.h>

static bool match(srv_params *p, const char *pattern, const char *path)
{
    p->n = 0;
    while (*pattern && *path) {
        if (*pattern == '{') {
            const size_t len = strcspn(path, "/:");
            if (len == 0 || p->n == SRV_PARAMS_MOST) return false;
            p->v[p->n++] = (nf_span){path, len};
            path += len;
            pattern += strcspn(pattern, "}") + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == *path;
}

nf_status srv_route_find(const srv_route **out, srv_params *params, unsigned *allow,
                         srv_routes table, srv_method method, const char *path)
{
    *allow = 0;
    for (size_t i = 0; i < table.n; i++) {
        if (!match(params, table.rows[i].pattern, path)) continue;
        *out = &table.rows[i];
        if (table.rows[i].method == method) return NF_OK;
        *allow |= 1u << table.rows[i].method;
    }
    params->n = 0;
    return *allow ? NF_EMETHOD : NF_ENOTFOUND;
}

static const char *const method_names[SRV_METHODS] = {"GET", "POST", "PUT", "DELETE"};

bool srv_method_parse(srv_method *out, const char *name)
{
    *out = SRV_GET;
    if (strcmp(name, "HEAD") == 0) return true;
    for (int m = 0; m < SRV_METHODS; m++) {
        if (strcmp(name, method_names[m]) != 0) continue;
        *out = (srv_method)m;
        return true;
    }
    return false;
}

const char *srv_method_name(srv_method m)
{
    return method_names[m];
}
