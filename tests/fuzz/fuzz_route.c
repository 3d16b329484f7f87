/* fuzz_route.c - raw request targets: normal form, then the route table. Layer: tests. */
#include "server/api/app.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char raw[2048], path[SRV_PATH_MOST + 1], again[SRV_PATH_MOST + 1];
    const srv_route *route = NULL;
    srv_params params = {0};
    unsigned allow;
    if (size < 1 || size > sizeof(raw)) return 0;
    memcpy(raw, data + 1, size - 1);
    raw[size - 1] = '\0';
    if (srv_path_normal(path, sizeof(path), raw, NULL)) return 0;
    /* A normal form is its own normal form. */
    if (srv_path_normal(again, sizeof(again), path, NULL) || strcmp(path, again) != 0) abort();
    const srv_method m = (srv_method)(data[0] % (SRV_METHODS + 1));
    if (srv_route_find(&route, &params, &allow, srv_api_routes(), m, path) == NF_OK && !route)
        abort();
    for (size_t i = 0; i < params.n; i++)
        if (params.v[i].s < path || params.v[i].s + params.v[i].len > path + strlen(path)) abort();
    return 0;
}
