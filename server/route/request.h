/* request.h - what a handler sees of a request, and how it answers. Layer: server/route; knows
 * neither HTTP library nor JSON. Thread rule: one owner at a time: the loop that read the request,
 * then (after suspend) the worker, then (after resume) the loop again. */
#ifndef SRV_REQUEST_H
#define SRV_REQUEST_H

#include "engine/base/err.h"
#include "server/base/req_arena.h"
#include "server/base/text_buf.h"

typedef enum srv_method { SRV_GET, SRV_POST, SRV_PUT, SRV_DELETE, SRV_METHODS } srv_method;

#define SRV_PARAMS_MOST 2

typedef struct srv_params { /* one for each {…} of the pattern, in order; borrowed from the path */
    nf_span v[SRV_PARAMS_MOST];
    size_t n;
} srv_params;

typedef struct srv_reply {
    int code;         /* HTTP status */
    srv_buf body;     /* kept by the connection from request to request */
    const char *type; /* Content-Type; static text */
    unsigned allow;   /* bit (1 << srv_method): the Allow header of a 405 */
    bool retry_later; /* Retry-After: 1 */
    bool ask_token;   /* WWW-Authenticate: Bearer */
    bool close;       /* close the connection behind it */
    char served[256]; /* X-Nearfar-Served, "" = none */
} srv_reply;

typedef struct srv_req srv_req;

/* What only the HTTP side can do; filled in by it. */
typedef struct srv_req_ops {
    /** No more events for this request until resume. On the loop's thread only, from a handler that
     * then returns SRV_LATER. */
    void (*suspend)(srv_req *req);
    /** The reply is complete: send it. Any thread, exactly once after suspend; afterwards the
     * request belongs to the loop again. */
    void (*resume)(srv_req *req);
    /** The only value of a header, or NULL. On the loop's thread only. */
    const char *(*header)(const srv_req *req, const char *name);
    /** True when the peer is 127.0.0.0/8, ::1 or a UNIX socket. */
    bool (*peer_is_local)(const srv_req *req);
} srv_req_ops;

struct srv_req {
    const srv_req_ops *ops;
    void *app;     /* the handlers' own world (srv_app) */
    unsigned slot; /* number of the thread that serves it now: sessions and counters are per slot */
    srv_method method;
    const char *path; /* normal form, NUL-ended */
    srv_params params;
    nf_bytes body; /* whole, decoded */
    uint64_t start_us;
    size_t rows; /* instances answered, for the access log */
    srv_arena arena;
    srv_reply reply;
};

typedef enum srv_next { SRV_DONE, SRV_LATER } srv_next;

/** Fills req->reply and returns SRV_DONE, or suspends and returns SRV_LATER. */
typedef srv_next (*srv_handler)(srv_req *req);

#endif /* SRV_REQUEST_H */
