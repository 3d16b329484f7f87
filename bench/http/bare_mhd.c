/* bare_mhd.c - the least a libmicrohttpd server can do with a POST: read the body, answer a fixed
 * JSON text. The yardstick for nearfar's own HTTP path. Layer: bench. Thread rule: the library's
 * one thread runs every handler.
 *
 * usage: bare_mhd PORT REPLY */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct upload {
    size_t bytes;
} upload;

static enum MHD_Result answer(void *user, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    (void)url, (void)method, (void)version, (void)data;
    upload *u = *request;
    if (!u) { /* the headers are there */
        *request = calloc(1, sizeof(*u));
        return *request ? MHD_YES : MHD_NO;
    }
    if (*size) { /* a piece of the body */
        u->bytes += *size;
        *size = 0;
        return MHD_YES;
    }
    const char *text = user;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", "application/json");
    const enum MHD_Result done = MHD_queue_response(c, u->bytes ? 200 : 400, r);
    MHD_destroy_response(r);
    return done;
}

static void completed(void *user, struct MHD_Connection *c, void **request,
                      enum MHD_RequestTerminationCode why)
{
    (void)user, (void)c, (void)why;
    free(*request);
    *request = NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: bare_mhd PORT REPLY\n"), 2;
    sigset_t stop;
    int got;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)strtoul(argv[1], NULL, 10), NULL,
                         NULL, answer, argv[2], MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                         MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_END);
    if (!d) return fprintf(stderr, "bare_mhd: cannot listen on port %s\n", argv[1]), 1;
    sigwait(&stop, &got);
    MHD_stop_daemon(d);
    return 0;
}
