/* exit_code.h - what the client's exit status means, one table. Layer: clients. */
#ifndef CL_EXIT_CODE_H
#define CL_EXIT_CODE_H

/* 3 (service level missed), 4 (unstable), 5 (link check failed) and 6 (outbox broken) are kept for
 * what they say. */
#define CL_EXIT_MAP(X)                                                                             \
    X(OK, 0, "ok")                                                                                 \
    X(USAGE, 1, "wrong option or input")                                                           \
    X(UNREACHABLE, 2, "a target could not be reached")                                             \
    X(ANSWERED_ERROR, 7, "a target answered with an error")                                        \
    X(LOCAL, 8, "out of memory, or a file could not be written")                                   \
    X(INTERRUPTED, 130, "stopped by Ctrl-C; what was measured so far is printed")

typedef enum cl_exit {
#define X(name, code, text) CL_EXIT_##name = (code),
    CL_EXIT_MAP(X)
#undef X
} cl_exit;

#endif /* CL_EXIT_CODE_H */
