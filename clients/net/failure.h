/* failure.h - the ways a request can fail, as one table. Layer: clients/net. */
#ifndef CL_FAILURE_H
#define CL_FAILURE_H

/* identifier, key in JSON, words for people */
#define CL_FAILURE_MAP(X)                                                                          \
    X(NONE, "none", "no failure")                                                                  \
    X(NAME, "name", "name not found")                                                              \
    X(REFUSED, "refused", "connection refused")                                                    \
    X(UNREACHABLE, "unreachable", "no route to it")                                                \
    X(CONNECT_TIMEOUT, "connect_timeout", "no connection in time")                                 \
    X(TLS, "tls", "no secure connection")                                                          \
    X(RESPONSE_TIMEOUT, "response_timeout", "no answer in time")                                   \
    X(CUT, "cut", "connection cut before the answer was whole")                                    \
    X(BAD_REPLY, "bad_reply", "answer is not valid HTTP, or over a limit")                         \
    X(HTTP_4XX, "http_4xx", "request refused by the server (4xx)")                                 \
    X(HTTP_5XX, "http_5xx", "server error (5xx)")                                                  \
    X(HTTP_OTHER, "http_other", "an answer that is neither 2xx, 4xx nor 5xx")                      \
    X(LOCAL, "local", "out of memory, descriptors or ports on this side")

typedef enum cl_failure {
#define X(name, key, text) CL_##name,
    CL_FAILURE_MAP(X)
#undef X
        CL_FAILURE_COUNT
} cl_failure;

/** Key in JSON ("connect_timeout"), never NULL. */
const char *cl_failure_key(cl_failure f);

/** One phrase for people, never NULL. */
const char *cl_failure_text(cl_failure f);

/** What a libuv error code of a connect, read or write means. */
cl_failure cl_failure_from_uv(int code);

/** CL_NONE for 2xx, else the class of the HTTP status. */
cl_failure cl_failure_from_http(int status);

/** True when there was no conversation at all: name, refused, unreachable, connect time-out,
 * TLS. */
int cl_failure_is_unreachable(cl_failure f);

#endif /* CL_FAILURE_H */
