/* http_call.c - writes HTTP/1.1 requests. Layer: clients/net. Thread rule: no shared state. */
#include "clients/net/http_call.h"

#include "engine/base/mem.h"

#include <stdio.h>

#define HEAD_MOST 4096 /* bytes of request line and headers */

static int write_head(char *to, size_t room, const cl_url *url, const cl_call_spec *spec)
{
    const char *path = spec->path ? spec->path : "";
    char body_lines[160] = "";
    if (spec->content_type)
        snprintf(body_lines, sizeof(body_lines), "Content-Type: %s\r\nContent-Length: %zu\r\n",
                 spec->content_type, spec->body.len);
    return snprintf(
        to, room, "%s %s%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n%s%s%s\r\n",
        spec->method, url->path, url->path[0] || path[0] ? path : "/", url->authority, body_lines,
        spec->headers ? spec->headers : "", spec->last ? "Connection: close\r\n" : "");
}

nf_status cl_call_init(cl_call *out, const cl_url *url, const cl_call_spec *spec, nf_error *err)
{
    char head[HEAD_MOST];
    size_t len;
    *out = (cl_call){0};
    const int n = write_head(head, sizeof(head), url, spec);
    if (n < 0 || (size_t)n >= sizeof(head) || !nf_add_size(&len, (size_t)n, spec->body.len))
        return nf_fail(err, NF_EINVAL, spec->method, "request head is over %d bytes", HEAD_MOST);
    out->bytes = nf_alloc(len, NF_MEM_CLIENT);
    if (!out->bytes) return nf_fail(err, NF_ENOMEM, spec->method, "no memory for %zu bytes", len);
    memcpy(out->bytes, head, (size_t)n);
    if (spec->body.len) memcpy(out->bytes + n, spec->body.data, spec->body.len);
    out->len = len;
    out->body_len = spec->body.len;
    out->last = spec->last;
    return NF_OK;
}

void cl_call_fini(cl_call *call)
{
    nf_free(call->bytes);
    *call = (cl_call){0};
}
