/* exit_code.h - what the client's exit status means, one table. Layer: clients. */
#ifndef CL_EXIT_CODE_H
#define CL_EXIT_CODE_H

/* 6 (outbox broken) is kept for what it says. */
#define CL_EXIT_MAP(X)                                                                             \
    X(OK, 0, "ok")                                                                                 \
    X(USAGE, 1, "wrong option or input")                                                           \
    X(UNREACHABLE, 2, "a target could not be reached")                                             \
    X(MISSED, 3, "a --slo or --fail-if rule was broken")                                           \
    X(UNSTABLE, 4, "the windows of a run differ by more than --stable allows")                     \
    X(LINK_CHECK, 5, "the emulated link did not deliver what was asked")                           \
    X(ANSWERED_ERROR, 7, "a target answered with an error")                                        \
    X(LOCAL, 8, "out of memory, or a file could not be written")                                   \
    X(INTERRUPTED, 130, "stopped by Ctrl-C; what was measured so far is printed")

typedef enum cl_exit {
#define X(name, code, text) CL_EXIT_##name = (code),
    CL_EXIT_MAP(X)
#undef X
} cl_exit;

#endif /* CL_EXIT_CODE_H */
