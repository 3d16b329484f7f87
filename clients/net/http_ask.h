/* http_ask.h - one small HTTP/1.1 request out of bytes as they come, for a control port. Knows no
 * socket. Layer: clients/net. Thread rule: one owner. */
#ifndef CL_HTTP_ASK_H
#define CL_HTTP_ASK_H

#include "engine/base/bytes.h"

#include <http_parser.h>

typedef struct cl_ask {
    http_parser parser;
    bool complete;
    bool from_page; /* it has an Origin header: a web page sent it */
    int refused;    /* HTTP status to answer instead, 0 = fine so far */
    size_t head_len, path_len, body_len, name_len;
    char path[256], name[16], body[4096]; /* path and body with a NUL behind */
} cl_ask;

void cl_ask_init(cl_ask *a);

/** Takes bytes; look at complete and refused afterwards, then at nothing but these when refused. */
void cl_ask_feed(cl_ask *a, nf_bytes in);

/** "GET", "POST" … of a complete request. */
const char *cl_ask_method(const cl_ask *a);

#endif /* CL_HTTP_ASK_H */
