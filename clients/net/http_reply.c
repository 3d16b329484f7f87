/* http_reply.c - bounded response parsing on http_parser. Layer: clients/net. Thread rule: one
 * owner. */
#include "clients/net/http_reply.h"

#include "clients/net/gzip.h"
#include "engine/base/mem.h"

#include <strings.h>

#define BODY_FIRST 4096 /* first size of the body buffer; it doubles from there */

static int refuse(cl_reply *r, nf_status refused, const char *why)
{
    r->refused = refused;
    r->why = why;
    return 1;
}

/* Appends to the header text; false when it is full. */
static bool put_head(cl_reply *r, const char *at, size_t len)
{
    if (len > sizeof(r->head) - r->head_len) return false;
    memcpy(r->head + r->head_len, at, len);
    r->head_len += len;
    return true;
}

static int on_message_begin(http_parser *p)
{
    cl_reply *r = p->data;
    r->n_fields = r->head_len = r->body_len = 0;
    r->in_value = false;
    return 0;
}

/* A name may come in pieces; the first piece after a value opens the next field. */
static int on_field(http_parser *p, const char *at, size_t len)
{
    cl_reply *r = p->data;
    if (r->in_value || r->n_fields == 0) {
        if (r->n_fields == CL_REPLY_HEADERS)
            return refuse(r, NF_ETOOLARGE, "more than 64 header fields");
        r->field[r->n_fields++] = (cl_field){.name = (uint32_t)r->head_len};
        r->in_value = false;
    }
    if (!put_head(r, at, len)) return refuse(r, NF_ETOOLARGE, "headers over 16 KiB");
    r->field[r->n_fields - 1].name_len += (uint32_t)len;
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    cl_reply *r = p->data;
    if (r->n_fields == 0) return refuse(r, NF_EINVAL, "header value without a name");
    cl_field *f = &r->field[r->n_fields - 1];
    if (!r->in_value) f->value = (uint32_t)r->head_len;
    r->in_value = true;
    if (!put_head(r, at, len)) return refuse(r, NF_ETOOLARGE, "headers over 16 KiB");
    f->value_len += (uint32_t)len;
    return 0;
}

/* 1 and 2 would mean something else to the parser here, so a failure is -1. */
static int on_headers(http_parser *p)
{
    cl_reply *r = p->data;
    r->status = (int)p->status_code;
    if (p->status_code == HTTP_STATUS_SWITCHING_PROTOCOLS)
        return -refuse(r, NF_EINVAL, "the server wants to switch protocols");
    return 0;
}

static bool grow_body(cl_reply *r, size_t need)
{
    size_t cap = r->body_cap ? r->body_cap : BODY_FIRST;
    while (cap < need)
        cap *= 2; /* need <= body_most + 1, which is far from the end of size_t */
    char *b = nf_realloc(r->body, cap, NF_MEM_CLIENT);
    if (!b) return false;
    r->body = b;
    r->body_cap = cap;
    return true;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    cl_reply *r = p->data;
    if (len > r->body_most - r->body_len) return refuse(r, NF_ETOOLARGE, "body over the limit");
    const size_t need = r->body_len + len + 1;
    if (need > r->body_cap && !grow_body(r, need))
        return refuse(r, NF_ENOMEM, "no memory for the body");
    memcpy(r->body + r->body_len, at, len);
    r->body_len += len;
    r->body[r->body_len] = '\0';
    return 0;
}

/* A packed body (RFC 9110, 8.4.1.3) is replaced by what it holds. */
static int unpack(cl_reply *r)
{
    char *plain;
    size_t len;
    const nf_span coding = cl_reply_header(r, "Content-Encoding");
    if (!nf_span_is(coding, "gzip") || !r->body_len) return 0;
    const nf_status st = cl_gunzip(&plain, &len, (nf_bytes){(const uint8_t *)r->body, r->body_len},
                                   r->body_most, NULL);
    if (st == NF_ETOOLARGE) return refuse(r, st, "unpacked body over the limit");
    if (st) return refuse(r, st, "body is not gzip, as its header says");
    nf_free(r->body);
    r->body = plain;
    r->body_len = len;
    r->body_cap = len + 1;
    return 0;
}

/* 1xx responses announce the real one and are passed over (RFC 9110, 15.2). */
static int on_complete(http_parser *p)
{
    cl_reply *r = p->data;
    if (p->status_code < 200) return 0;
    r->body_wire = r->body_len;
    if (unpack(r)) return 1;
    r->complete = true;
    r->keep_alive = http_should_keep_alive(p) != 0;
    http_parser_pause(p, 1); /* whatever follows belongs to no request of ours */
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void cl_reply_init(cl_reply *r, size_t body_most)
{
    memset(r, 0, sizeof(*r));
    r->body_most = body_most < SIZE_MAX / 4 ? body_most : SIZE_MAX / 4;
    cl_reply_reset(r);
}

void cl_reply_fini(cl_reply *r)
{
    nf_free(r->body);
    r->body = NULL;
    r->body_cap = r->body_len = 0;
}

void cl_reply_reset(cl_reply *r)
{
    http_parser_init(&r->parser, HTTP_RESPONSE);
    r->parser.data = r;
    r->status = 0;
    r->complete = r->keep_alive = r->in_value = false;
    r->why = NULL;
    r->refused = NF_OK;
    r->wire_bytes = r->body_wire = r->body_len = r->n_fields = r->head_len = 0;
    if (r->body) r->body[0] = '\0';
}

static nf_status failure(cl_reply *r, enum http_errno code)
{
    if (r->why) return r->refused;
    r->why = http_errno_description(code);
    return r->refused = code == HPE_HEADER_OVERFLOW ? NF_ETOOLARGE : NF_EINVAL;
}

nf_status cl_reply_feed(cl_reply *r, nf_bytes in, size_t *used)
{
    size_t n = 0;
    if (in.len && !r->complete) /* length 0 would mean the end of the stream to the parser */
        n = http_parser_execute(&r->parser, &settings, (const char *)in.data, in.len);
    r->wire_bytes += n;
    if (used) *used = n;
    const enum http_errno code = HTTP_PARSER_ERRNO(&r->parser);
    if (r->complete || code == HPE_OK) return NF_OK;
    return failure(r, code);
}

nf_status cl_reply_end(cl_reply *r)
{
    if (r->complete) return NF_OK;
    http_parser_execute(&r->parser, &settings, NULL, 0);
    if (r->complete) return NF_OK;
    if (!r->why) r->why = "the connection ended before the answer was whole";
    return NF_EIO;
}

nf_span cl_reply_header(const cl_reply *r, const char *name)
{
    const size_t len = strlen(name);
    for (size_t i = 0; i < r->n_fields; i++) {
        const cl_field *f = &r->field[i];
        if (f->name_len == len && strncasecmp(r->head + f->name, name, len) == 0)
            return (nf_span){r->head + f->value, f->value_len};
    }
    return (nf_span){NULL, 0};
}
