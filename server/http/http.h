/* http.h - the HTTP side: loops, connections, guard, bodies. Layer: server/http; gets its routes
 * from the caller. Thread rule: create, run and destroy on the main thread; drain from any. */
#ifndef SRV_HTTP_H
#define SRV_HTTP_H

#include "server/config/live.h"
#include "server/monitor/monitor.h"
#include "server/route/route.h"

typedef struct srv_http srv_http;

typedef struct srv_http_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0", ":8080"; port 0 = a free one */
    unsigned loops;     /* threads; loop 0 runs on the caller of srv_http_run */
    size_t max_connections;
    srv_routes routes;
    void *app; /* becomes req->app */
    /** Called when the head of a request is known and a route is found, before any body is read. */
    nf_status (*admit)(srv_req *req, const srv_route *route, nf_error *err);
    /** Turns a status into the reply; allow: for NF_EMETHOD. */
    void (*fail)(srv_req *req, nf_status status, const nf_error *err);
    /** On the main loop: SIGHUP came; SIGTERM or SIGINT came for the first time. */
    void (*on_hangup)(void *app);
    void (*on_terminate)(void *app);
    /** On the main loop, once, when it listens. */
    void (*on_start)(void *app);
    const srv_live *live;
    srv_monitor *monitor; /* loop i writes shard i */
} srv_http_options;

/** Is it an ADDRESS:PORT to listen on? NF_EINVAL. Asks no name server. */
nf_status srv_http_check_address(const char *text, nf_error *err);

/** Opens the sockets and starts the daemons; nothing is answered before srv_http_run. */
nf_status srv_http_create(srv_http **out, const srv_http_options *options, nf_error *err);

/** The port that is listened on. */
unsigned srv_http_port(const srv_http *h);

/** Runs until a drain is over; what was not answered in time is logged. NF_ENOMEM: no threads. */
nf_status srv_http_run(srv_http *h, nf_error *err);

/** Accepts no more connections, answers what is under way for at most timeout_us, then ends
 * srv_http_run. Any thread; the second call does nothing. */
void srv_http_drain(srv_http *h, int64_t timeout_us);

/** Ends every request that waits for a worker; then frees. The caller has stopped the workers
 * before. Sets *h to NULL, accepts NULL. */
void srv_http_destroy(srv_http **h);

#endif /* SRV_HTTP_H */
