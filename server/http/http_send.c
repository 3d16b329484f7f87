/* http_send.c - a finished reply into the HTTP library. Layer: server/http. Thread rule: the
 * loop's thread. */
#include "server/http/http_inside.h"

#include "engine/base/clock.h"
#include "server/wire/wire.h"

#include <stdio.h>

#define SEND_BYTES_A_SECOND 16384 /* a client that reads slower than this is cut off */

static void add(struct MHD_Response *r, const char *name, const char *value)
{
    /* A header that is missing for lack of memory is no reason to lose the answer. */
    (void)MHD_add_response_header(r, name, value);
}

static void add_allow(struct MHD_Response *r, unsigned allow)
{
    char text[64];
    size_t n = 0;
    for (int m = 0; m < SRV_METHODS; m++)
        if (allow & 1u << m)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "",
                                  srv_method_name((srv_method)m));
    add(r, MHD_HTTP_HEADER_ALLOW, text);
}

static void add_headers(struct MHD_Response *r, const http_conn *c)
{
    const srv_reply *reply = &c->req.reply;
    if (reply->type) add(r, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    if (reply->served[0]) add(r, WIRE_HEADER_SERVED, reply->served);
    if (reply->allow) add_allow(r, reply->allow);
    if (reply->retry_later) add(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (reply->ask_token) add(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (reply->close || c->loop->quiesced) add(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

/* The reply did not fit into memory: a short one instead. */
static void replace_reply(http_conn *c)
{
    nf_error err = {0};
    nf_note(&err, NF_ETOOLARGE, "reply", "is larger than the memory of a request (%zu bytes)",
            c->req.reply.body.most);
    srv_buf_reset(&c->req.reply.body, 0);
    c->req.reply.served[0] = '\0';
    c->loop->http->options.fail(&c->req, NF_ETOOLARGE, &err);
}

enum MHD_Result http_send(http_conn *c)
{
    srv_reply *reply = &c->req.reply;
    if (reply->body.failed) replace_reply(c);
    if (reply->body.failed) return MHD_NO;
    /* The buffer stays untouched until the request is completed. */
    struct MHD_Response *r =
        MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_PERSISTENT);
    if (!r) return MHD_NO;
    add_headers(r, c);
    c->state = CONN_SENDING;
    c->deadline_us = nf_now_us() + (uint64_t)c->loop->http->options.live->request_timeout +
                     reply->body.len * 1000000u / SEND_BYTES_A_SECOND;
    const enum MHD_Result queued = MHD_queue_response(c->mhd, (unsigned)reply->code, r);
    MHD_destroy_response(r);
    return queued;
}
