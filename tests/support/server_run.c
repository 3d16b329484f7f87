/* server_run.c - runs the real server for tests. Layer: tests. */
#include "tests/support/server_run.h"

#include "engine/base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program(void)
{
    const char *env = getenv("NEARFAR");
    return env ? env : NF_BINARY_DIR "/server/nearfar";
}

static void run_child(int out, const char *const *args)
{
    const char *argv[32] = {program(), "serve", "--listen", "127.0.0.1:0"};
    size_t n = 4;
    while (*args && n < 31)
        argv[n++] = *args++;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes its server along */
    dup2(out, STDOUT_FILENO);
    execv(argv[0], (char *const *)argv);
    perror(argv[0]);
    _exit(127);
}

/* The ready line, up to 60 s; sanitizers are slow. */
static void read_line(char *line, size_t size, int fd)
{
    size_t n = 0;
    while (n + 1 < size) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 60000) <= 0 || read(fd, line + n, 1) != 1) break;
        if (line[n++] == '\n') break;
    }
    line[n] = '\0';
}

void test_server_start(test_server *s, const char *const *args)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) run_child(ends[1], args);
    close(ends[1]);
    read_line(s->line, sizeof(s->line), ends[0]);
    close(ends[0]);
    const char *at = strstr(s->line, "://127.0.0.1:");
    if (!at) fail_msg("the server did not start: '%s'", s->line);
    s->port = (unsigned)strtoul(at + 13, NULL, 10);
}

int test_server_stop(test_server *s, int signal)
{
    int status = 0;
    if (signal) kill(s->pid, signal);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int test_connect(const test_server *s)
{
    const struct timeval limit = {.tv_sec = 15};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to))) fail_msg("connect: %s", strerror(errno));
    return fd;
}

void test_send(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        const ssize_t n = send(fd, (const char *)data + at, len - at, MSG_NOSIGNAL);
        if (n <= 0) return; /* refused early: the reply says why */
        at += (size_t)n;
    }
}

/* Bytes that the reply must have to be complete; 0 while its head is not. */
static size_t whole_length(const test_reply *r)
{
    const char *end = strstr(r->text, "\r\n\r\n");
    const char *length = strcasestr(r->text, "\r\nContent-Length:");
    if (!end) return 0;
    const size_t head = (size_t)(end + 4 - r->text);
    return head + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void count_replies(test_reply *r)
{
    for (const char *at = r->text; (at = strstr(at, "HTTP/1.1 ")); at += 9)
        r->replies++;
}

void test_receive(test_reply *r, int fd)
{
    memset(r, 0, sizeof(*r));
    for (;;) {
        const size_t whole = whole_length(r);
        const bool close_said = whole && strcasestr(r->text, "Connection: close");
        if (whole && r->len >= whole && !close_said) break;
        const ssize_t n = recv(fd, r->text + r->len, sizeof(r->text) - 1 - r->len, 0);
        if (n <= 0) {
            r->closed = n == 0 || errno == ECONNRESET;
            break;
        }
        r->len += (size_t)n;
    }
    count_replies(r);
    if (r->replies) r->code = (int)strtol(r->text + 9, NULL, 10);
    char *end = strstr(r->text, "\r\n\r\n");
    r->body = end ? end + 4 : r->text + r->len;
}

void test_raw(test_reply *r, const test_server *s, const void *data, size_t len)
{
    const int fd = test_connect(s);
    test_send(fd, data, len);
    test_receive(r, fd);
    close(fd);
}

void test_request(test_reply *r, const test_server *s, const char *method, const char *path,
                  const char *head, nf_bytes body)
{
    char text[4096];
    const int fd = test_connect(s);
    const int n = snprintf(text, sizeof(text),
                           "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %zu\r\n\r\n",
                           method, path, head, body.len);
    assert_true(n > 0 && (size_t)n < sizeof(text));
    test_send(fd, text, (size_t)n);
    test_send(fd, body.data, body.len);
    test_receive(r, fd);
    close(fd);
}

int test_ask(test_reply *r, const test_server *s, const char *method, const char *path,
             const char *body)
{
    test_request(r, s, method, path, "", (nf_bytes){(const uint8_t *)body, strlen(body)});
    return r->code;
}

void test_answer(test_reply *r, const test_server *s, const test_case *c)
{
    test_ask(r, s, c->method, c->path, c->body);
    if (r->code != c->code || !strstr(r->text, c->text))
        fail_msg("%s %s %s: expected %d with '%s', got %s", c->method, c->path, c->body, c->code,
                 c->text, r->text);
}

void test_folder(char *path)
{
    snprintf(path, 512, "%s/test-XXXXXX", NF_BINARY_DIR);
    assert_non_null(mkdtemp(path));
}

void test_copy(const char *from, const char *to)
{
    nf_error err = {0};
    const nf_bytes b = test_file(from);
    assert_ok(nf_write_file(to, b, &err), &err);
    nf_free((void *)b.data);
}

void test_temp_model(const char *dir)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/temp", dir);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/temp/model.json", dir);
    test_copy("models/temp/model.json", path);
    snprintf(path, sizeof(path), "%s/temp/1", dir);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/temp/1/edge.tflite", dir);
    test_copy("models/temp/1/edge.tflite", path);
}
