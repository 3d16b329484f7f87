/* http_mhd.c - the daemon of one loop, and what it calls: connections, heads, bodies, ends. Layer:
 * server/http. Thread rule: the loop's thread; resume() from any.
 * A request's way: on_uri (target known) -> on_request (head) -> on_request (body, often) ->
 * on_request (all there: the handler) -> perhaps suspended, a worker, on_request again -> sent ->
 * on_completed. */
#include "server/http/http_inside.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"

#include <netinet/in.h>
#include <stdio.h>

#define CONN_MEMORY (16u << 10) /* of the library, for head and buffers of one connection */
#define REPLY_KEEP  4096        /* bytes of reply memory an idle connection keeps */
#define WASTE_MOST  (8u << 20)  /* of a refused body that are read to get the answer through */

static uint64_t after(const _Atomic int64_t *timeout)
{
    return nf_now_us() + (uint64_t)srv_live_get(timeout);
}

static const srv_live *live_of(const http_conn *c)
{
    return c->loop->http->options.live;
}

/* ---- what handlers may ask of the HTTP side ---- */

static void suspend(srv_req *req)
{
    http_conn *c = (http_conn *)req;
    c->state = CONN_RUNNING;
    c->deadline_us = UINT64_MAX; /* the queue has its own */
    c->loop->n_running++;
    MHD_suspend_connection(c->mhd);
}

static void resume(srv_req *req)
{
    http_conn *c = (http_conn *)req;
    http_loop *loop = c->loop; /* behind the next line the request may be gone */
    MHD_resume_connection(c->mhd);
    uv_async_send(&loop->wake);
}

static const char *header(const srv_req *req, const char *name)
{
    return MHD_lookup_connection_value(((const http_conn *)req)->mhd, MHD_HEADER_KIND, name);
}

static bool peer_is_local(const srv_req *req)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(((const http_conn *)req)->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    if (a && a->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    if (!a || a->sa_family != AF_INET6) return false;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)a)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

static const srv_req_ops ops = {suspend, resume, header, peer_is_local};

/* ---- one request ---- */

static void reset_reply(srv_reply *r)
{
    r->code = 0;
    r->type = NULL;
    r->allow = 0;
    r->retry_later = r->ask_token = r->close = false;
    r->served[0] = '\0';
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    http_conn *c = info ? info->socket_context : NULL;
    (void)cls;
    if (!c) return NULL;
    c->uri_bytes = strlen(uri);
    c->route = NULL;
    c->state = CONN_READING;
    c->req.start_us = nf_now_us();
    if (!c->fresh)
        c->deadline_us = c->req.start_us + (uint64_t)srv_live_get(&live_of(c)->request_timeout);
    c->req.rows = 0;
    c->refused_code = 0;
    c->req.path = "";
    c->req.arena.most = c->req.reply.body.most =
        (size_t)srv_live_get(&live_of(c)->max_request_memory);
    reset_reply(&c->req.reply);
    return c;
}

static void fail(http_conn *c, nf_status st, const nf_error *err)
{
    c->loop->http->options.fail(&c->req, st, err);
    if (c->refused_code) c->req.reply.code = c->refused_code;
}

/* Path, method and route. */
static nf_status find_route(http_conn *c, const char *url, const char *method, nf_error *err)
{
    const srv_routes routes = c->loop->http->options.routes;
    if (c->uri_bytes > SRV_PATH_MOST) {
        c->refused_code = MHD_HTTP_URI_TOO_LONG;
        return nf_fail(err, NF_ETOOLARGE, "request target", "longer than %d bytes", SRV_PATH_MOST);
    }
    nf_status st = srv_path_normal(c->path, sizeof(c->path), url, err);
    if (st) return st;
    c->req.path = c->path;
    const bool known = srv_method_parse(&c->req.method, method);
    st = srv_route_find(&c->route, &c->req.params, &c->req.reply.allow, routes,
                        known ? c->req.method : SRV_METHODS, c->path);
    if (st == NF_ENOTFOUND) return nf_fail(err, st, "request path", "there is no %.200s", c->path);
    if (st == NF_EMETHOD)
        return nf_fail(err, st, "request line", "%.200s does not know the method %.16s", c->path,
                       method);
    return st;
}

/* First call for a request: only the head is there. An answer that is queued now makes the library
 * close the connection behind it, and so it must: the body, which nobody will read, must not be
 * taken for the next request. */
static enum MHD_Result on_head(http_conn *c, const char *url, const char *method,
                               const char *version)
{
    const srv_http_options *o = &c->loop->http->options;
    nf_error err = {0};
    nf_status st = http_guard(c, version, &err);
    bool keep = false;
    if (!st) {
        st = find_route(c, url, method, &err);
        /* A GET of something that is not there harms nobody: answered when its body, if any, has
         * been thrown away, it keeps the connection. */
        keep = (st == NF_ENOTFOUND || st == NF_EMETHOD) &&
               (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
    }
    if (!st) st = http_body_begin(c, &err);
    if (!st) st = o->admit(&c->req, c->route, &err);
    if (st) {
        c->state = CONN_REFUSED;
        c->req.reply.close = !keep;
        fail(c, st, &err);
        return keep ? MHD_YES : http_send(c);
    }
    if (c->route->body == SRV_BODY_MODEL) c->deadline_us = after(&live_of(c)->upload_timeout);
    return MHD_YES;
}

/* A part of the body. The library takes no answer now: after an error the rest is read and thrown
 * away (within limits), and the answer waits in the reply. */
static enum MHD_Result on_body(http_conn *c, const char *data, size_t *len)
{
    nf_error err = {0};
    nf_status st = NF_OK;
    if (c->req.reply.code == 0)
        st = http_body_add(c, data, *len, &err);
    else if ((c->raw_bytes += *len) > WASTE_MOST)
        return MHD_NO;
    if (st) {
        c->req.reply.close = true;
        fail(c, st, &err);
        c->raw_bytes = 0;
        http_body_reset(c);
    }
    *len = 0;
    return MHD_YES;
}

/* Everything is there. */
static enum MHD_Result on_complete_request(http_conn *c)
{
    nf_error err = {0};
    if (c->req.reply.code) return http_send(c); /* the body was refused */
    const nf_status st = http_body_end(c, &err);
    if (st) {
        fail(c, st, &err);
        return http_send(c);
    }
    srv_count(&c->loop->shard->bytes_in, c->raw_bytes);
    return c->route->handler(&c->req) == SRV_LATER ? MHD_YES : http_send(c);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **con_cls)
{
    http_conn *c = *con_cls;
    (void)cls;
    if (!c) return MHD_NO; /* there was no memory for the connection's state */
    c->mhd = mhd;
    if (c->state == CONN_RUNNING) { /* the worker is done */
        c->loop->n_running--;
        return http_send(c);
    }
    if (c->loop->stopping) return MHD_NO; /* the limit of the drain is over: no worker is left */
    if (!c->route && c->state == CONN_READING) return on_head(c, url, method, version);
    if (*len) return on_body(c, data, len);
    return on_complete_request(c);
}

static void log_access(const http_conn *c)
{
    nf_log(NF_LOG_INFO, "access", "%s %s %d %llu us, %zu rows, %zu in, %zu out",
           srv_method_name(c->req.method), c->req.path, c->req.reply.code,
           (unsigned long long)(nf_now_us() - c->req.start_us), c->req.rows, c->raw_bytes,
           c->req.reply.body.len);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    http_conn *c = *con_cls;
    (void)cls, (void)mhd;
    if (!c) return;
    srv_http_shard *shard = c->loop->shard;
    if (c->state == CONN_RUNNING) c->loop->n_running--; /* the client left while a worker had it */
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK && c->req.reply.code) {
        srv_codes_add(&shard->codes, c->req.reply.code);
        srv_times_add(&shard->request, nf_now_us() - c->req.start_us);
        srv_count(&shard->bytes_out, c->req.reply.body.len);
        log_access(c);
    } else {
        srv_count(&shard->aborted, 1);
    }
    http_body_reset(c);
    srv_arena_reset(&c->req.arena);
    srv_buf_reset(&c->req.reply.body, REPLY_KEEP);
    c->raw_bytes = 0;
    c->fresh = false;
    c->state = CONN_IDLE;
    c->deadline_us = c->loop->quiesced ? nf_now_us() : after(&live_of(c)->idle_timeout);
    *con_cls = NULL;
}

/* ---- connections ---- */

static http_conn *add_conn(http_loop *loop, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    http_conn *c = info ? nf_alloc(sizeof(*c), NF_MEM_REQUEST) : NULL;
    if (!c) return NULL;
    c->req.ops = &ops;
    c->req.app = loop->http->options.app;
    c->req.slot = loop->index;
    c->loop = loop;
    c->mhd = mhd;
    c->fd = info->connect_fd;
    c->fresh = true;
    c->state = CONN_READING;
    c->deadline_us = after(&loop->http->options.live->request_timeout);
    c->next = loop->first;
    if (loop->first) loop->first->prev = c;
    loop->first = c;
    loop->n_conns++;
    srv_count(&loop->shard->accepted, 1);
    http_loop_watch(loop);
    return c;
}

static void drop_conn(http_conn *c)
{
    http_loop *loop = c->loop;
    if (c->prev)
        c->prev->next = c->next;
    else
        loop->first = c->next;
    if (c->next) c->next->prev = c->prev;
    loop->n_conns--;
    loop->freed = true;
    srv_count(&loop->shard->closed, 1);
    http_body_reset(c);
    srv_buf_fini(&c->body);
    srv_buf_fini(&c->req.reply.body);
    srv_arena_fini(&c->req.arena);
    nf_free(c);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = add_conn(cls, mhd);
    } else if (*socket_context) {
        drop_conn(*socket_context);
        *socket_context = NULL;
    }
}

/* ---- the daemon ---- */

static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
    (void)cls, (void)mhd;
    return strlen(s); /* the router decodes; %00 would cut the path here */
}

static void on_library_log(void *cls, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void on_library_log(void *cls, const char *fmt, va_list ap)
{
    char text[256];
    (void)cls;
    vsnprintf(text, sizeof(text), fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    nf_log(NF_LOG_DEBUG, "http", "%s", text);
}

nf_status http_daemon_start(http_loop *loop, nf_error *err)
{
    const srv_http_options *o = &loop->http->options;
    const size_t limit = o->max_connections / o->loops;
    loop->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
                                    NULL, NULL, on_request, loop, MHD_OPTION_EXTERNAL_LOGGER,
                                    on_library_log, NULL,                                       //
                                    MHD_OPTION_LISTEN_SOCKET, loop->listen_fd,                  //
                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned)(limit ? limit : 1), //
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,    //
                                    MHD_OPTION_URI_LOG_CALLBACK, on_uri, loop,                  //
                                    MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,           //
                                    MHD_OPTION_NOTIFY_COMPLETED, on_completed, loop,            //
                                    MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop,          //
                                    MHD_OPTION_END);
    if (!loop->daemon) return nf_fail(err, NF_EIO, "http", "cannot start the HTTP daemon");
    return NF_OK;
}
