/* http_inside.h - structures of the HTTP side, for server/http only. Layer: server/http. Thread
 * rule: a loop and its connections belong to the loop's thread, but for `wake` and what the
 * comments name. */
#ifndef SRV_HTTP_INSIDE_H
#define SRV_HTTP_INSIDE_H

#include "server/http/http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <uv.h>
#include <zlib.h>

typedef struct http_loop http_loop;

typedef enum conn_state {
    CONN_IDLE,    /* between requests: the idle timeout counts */
    CONN_READING, /* head or body is coming: the request's deadline counts */
    CONN_REFUSED, /* the head decided the answer; what still comes is not looked at */
    CONN_RUNNING, /* a worker has it */
    CONN_SENDING  /* the reply is going out: the send deadline counts */
} conn_state;

typedef enum body_coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE } body_coding;

typedef struct http_conn {
    srv_req req;                   /* first: a request is its connection */
    struct http_conn *next, *prev; /* of the loop's list */
    http_loop *loop;
    struct MHD_Connection *mhd;
    const srv_route *route;
    conn_state state;
    int fd;
    bool fresh;           /* no request has been complete on it */
    uint64_t deadline_us; /* of this state; UINT64_MAX = none */
    int refused_code;     /* of a refusal that has no status of its own (414, 417), or 0 */
    size_t uri_bytes;     /* of the raw request target with its query */
    srv_buf body;
    size_t raw_bytes; /* of the body as it came */
    body_coding coding;
    z_stream *inflate; /* NULL while the body is not compressed */
    char path[SRV_PATH_MOST + 1];
} http_conn;

struct http_loop {
    srv_http *http;
    unsigned index;
    uv_loop_t uv;
    uv_poll_t poll;         /* the daemon's epoll descriptor */
    uv_timer_t again;       /* the daemon wants to be run without an event */
    uv_timer_t sweep;       /* looks for connections past their deadline */
    uv_async_t wake;        /* any thread: a worker is done, or a drain begins */
    uv_signal_t signals[3]; /* loop 0 only */
    struct MHD_Daemon *daemon;
    int listen_fd; /* -1 once given up */
    pthread_t thread;
    bool started, quiesced, stopping;
    bool freed; /* a connection ended in this run of the daemon */
    uint64_t drain_until_us;
    http_conn *first;
    size_t n_conns;
    size_t n_running; /* requests with a worker */
    srv_http_shard *shard;
};

struct srv_http {
    srv_http_options options;
    unsigned port;
    atomic_bool draining;
    _Atomic int64_t drain_timeout_us;
    atomic_bool late; /* the drain ran into its limit */
    http_loop loops[];
};

/* http_listen.c */
nf_status http_listen(int *fd, unsigned *port, const char *text, nf_error *err);

/* http_mhd.c: the daemon of a loop and its callbacks */
nf_status http_daemon_start(http_loop *loop, nf_error *err);

/* http_guard.c: looks at the head of a request; fills coding. */
nf_status http_guard(http_conn *c, const char *version, nf_error *err);

/* http_body.c */
nf_status http_body_begin(http_conn *c, nf_error *err);
nf_status http_body_add(http_conn *c, const char *data, size_t len, nf_error *err);
nf_status http_body_end(http_conn *c, nf_error *err);
void http_body_reset(http_conn *c);

/* http_send.c: makes the response of c->req.reply and queues it. */
enum MHD_Result http_send(http_conn *c);

/* http_loop.c */
nf_status http_loop_init(http_loop *loop, nf_error *err);
void http_loop_run(http_loop *loop);
void http_loop_fini(http_loop *loop);
void http_loop_watch(http_loop *loop); /* a connection came: deadlines must be looked at */

#endif /* SRV_HTTP_INSIDE_H */
