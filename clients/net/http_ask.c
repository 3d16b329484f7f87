/* http_ask.c - bounded request parsing on http_parser. Layer: clients/net. Thread rule: one
 * owner. */
#include "clients/net/http_ask.h"

#include <strings.h>

#define HEAD_MOST 8192 /* bytes of all header names and values */

static int refuse(cl_ask *a, int status)
{
    if (!a->refused) a->refused = status;
    return 1;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
    cl_ask *a = p->data;
    if (len >= sizeof(a->path) - a->path_len) return refuse(a, HTTP_STATUS_URI_TOO_LONG);
    memcpy(a->path + a->path_len, at, len);
    a->path_len += len;
    return 0;
}

static bool over_head(cl_ask *a, size_t len)
{
    a->head_len += len;
    return a->head_len > HEAD_MOST;
}

/* Only as much of a name is kept as tells "Origin" from others. */
static int on_field(http_parser *p, const char *at, size_t len)
{
    cl_ask *a = p->data;
    const size_t room = sizeof(a->name) - a->name_len;
    const size_t keep = len < room ? len : room;
    if (over_head(a, len)) return refuse(a, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE);
    memcpy(a->name + a->name_len, at, keep);
    a->name_len += keep;
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    cl_ask *a = p->data;
    (void)at;
    if (over_head(a, len)) return refuse(a, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE);
    if (a->name_len == 6 && strncasecmp(a->name, "origin", 6) == 0) a->from_page = true;
    a->name_len = 0;
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    cl_ask *a = p->data;
    if (len >= sizeof(a->body) - a->body_len) return refuse(a, HTTP_STATUS_PAYLOAD_TOO_LARGE);
    memcpy(a->body + a->body_len, at, len);
    a->body_len += len;
    return 0;
}

static int on_complete(http_parser *p)
{
    cl_ask *a = p->data;
    a->complete = true;
    http_parser_pause(p, 1);
    return 0;
}

void cl_ask_init(cl_ask *a)
{
    memset(a, 0, sizeof(*a));
    http_parser_init(&a->parser, HTTP_REQUEST);
    a->parser.data = a;
}

void cl_ask_feed(cl_ask *a, nf_bytes in)
{
    static const http_parser_settings settings = {.on_url = on_url,
                                                  .on_header_field = on_field,
                                                  .on_header_value = on_value,
                                                  .on_body = on_body,
                                                  .on_message_complete = on_complete};
    if (!in.len || a->complete || a->refused) return;
    http_parser_execute(&a->parser, &settings, (const char *)in.data, in.len);
    if (!a->complete && (HTTP_PARSER_ERRNO(&a->parser) != HPE_OK || a->parser.upgrade))
        refuse(a, HTTP_STATUS_BAD_REQUEST);
}

const char *cl_ask_method(const cl_ask *a)
{
    return http_method_str((enum http_method)a->parser.method);
}
