/* http_reply.h - one HTTP/1.1 response out of bytes as they come, within limits. Knows no socket.
 * Layer: clients/net. Thread rule: one owner. */
#ifndef CL_HTTP_REPLY_H
#define CL_HTTP_REPLY_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <http_parser.h>

#define CL_REPLY_HEADERS   64         /* most header fields */
#define CL_REPLY_HEAD_MOST (16 << 10) /* most bytes of names and values together */

typedef struct cl_field {
    uint32_t name, name_len, value, value_len; /* in cl_reply.head */
} cl_field;

typedef struct cl_reply {
    http_parser parser;
    int status;        /* 0 until the status line is in */
    bool complete;     /* the whole response is in */
    bool keep_alive;   /* the connection may carry another exchange (valid when complete) */
    const char *why;   /* static text when it cannot be used, else NULL */
    nf_status refused; /* the status that belongs to why */
    size_t wire_bytes; /* fed and used, interim responses included */
    char *body;        /* NUL behind body_len bytes; kept between responses; NULL when empty */
    size_t body_len, body_cap, body_most;
    size_t body_wire; /* bytes of the body as it came: packed, when it was packed */
    size_t n_fields, head_len;
    bool in_value;
    cl_field field[CL_REPLY_HEADERS];
    char head[CL_REPLY_HEAD_MOST];
} cl_reply;

/** An empty reply that takes bodies up to body_most bytes. */
void cl_reply_init(cl_reply *r, size_t body_most);

/** Frees the body. */
void cl_reply_fini(cl_reply *r);

/** Forgets the last response, keeps the body's memory. */
void cl_reply_reset(cl_reply *r);

/**
 * Takes bytes of the stream. *used (may be NULL) is how many belong to this response: fewer than
 * `in.len` only when it is complete. Returns NF_OK (look at r->complete); NF_EINVAL: not HTTP;
 * NF_ETOOLARGE: headers or body over a limit; NF_ENOMEM. After a failure only reset may follow.
 */
nf_status cl_reply_feed(cl_reply *r, nf_bytes in, size_t *used);

/** The stream has ended. NF_OK: the response is complete; NF_EIO: it was cut. */
nf_status cl_reply_end(cl_reply *r);

/** The value of the first field called `name` (any case), or {NULL, 0}. */
nf_span cl_reply_header(const cl_reply *r, const char *name);

#endif /* CL_HTTP_REPLY_H */
