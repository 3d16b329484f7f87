/* server_run.h - starts the real server on a free port and talks to it over a socket. Layer:
 * tests. */
#ifndef TEST_SERVER_RUN_H
#define TEST_SERVER_RUN_H

#include "tests/support/support.h"

#include <sys/types.h>

typedef struct test_server {
    pid_t pid;
    unsigned port;
    char line[1024]; /* what it printed when it was ready */
} test_server;

typedef struct test_reply {
    int code;    /* 0: the connection ended without a reply */
    int replies; /* status lines that came until the connection ended or the reply was complete */
    bool closed; /* the server closed the connection behind it */
    size_t len;
    char *body;       /* in text */
    char text[65536]; /* all that came */
} test_reply;

/** Starts `nearfar serve --listen 127.0.0.1:0` with more arguments (NULL-ended) and waits for its
 * ready line; fails the test when it does not come. */
void test_server_start(test_server *s, const char *const *args);

/** Sends the signal (0: none), waits for the end, returns the exit status, or -signal. */
int test_server_stop(test_server *s, int signal);

/** A connection, with a receive timeout of 15 s. */
int test_connect(const test_server *s);

void test_send(int fd, const void *data, size_t len);

/** Reads one reply; when it says that the connection closes, reads on to its end. */
void test_receive(test_reply *r, int fd);

/** Connects, sends raw bytes, reads the reply, closes. */
void test_raw(test_reply *r, const test_server *s, const void *data, size_t len);

/** One request; head: more header lines, each with its \r\n, or "". */
void test_request(test_reply *r, const test_server *s, const char *method, const char *path,
                  const char *head, nf_bytes body);

/** The same for text, without more headers. Returns r->code. */
int test_ask(test_reply *r, const test_server *s, const char *method, const char *path,
             const char *body);

/** A request and what its answer has to be. */
typedef struct test_case {
    const char *method, *path, *body;
    int code;
    const char *text; /* part of the reply */
} test_case;

/** Asks and compares. */
void test_answer(test_reply *r, const test_server *s, const test_case *c);

/** An empty folder of its own below the build's; path has room for 512. */
void test_folder(char *path);

/** Copies one file below the source tree to `to`. */
void test_copy(const char *from, const char *to);

/** Makes DIR/temp/1/edge.tflite with its model.json from the bundled model. */
void test_temp_model(const char *dir);

#endif /* TEST_SERVER_RUN_H */
