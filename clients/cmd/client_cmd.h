/* client_cmd.h - what the subcommands share. Layer: clients/cmd. Thread rule: one thread. */
#ifndef CL_CLIENT_CMD_H
#define CL_CLIENT_CMD_H

#include "clients/lib/exit_code.h"
#include "clients/lib/transport.h"
#include "engine/base/opts.h"

/* A subcommand; argv[0] is its name. The value is the exit status. */
typedef int (*cl_cmd_fn)(int argc, char **argv);

int cl_cmd_predict(int argc, char **argv);
int cl_cmd_ping(int argc, char **argv);
int cl_cmd_bench(int argc, char **argv);
int cl_cmd_compare(int argc, char **argv);
int cl_cmd_sweep(int argc, char **argv);
int cl_cmd_model(int argc, char **argv);
int cl_cmd_report(int argc, char **argv);
int cl_cmd_diff(int argc, char **argv);
int cl_cmd_link(int argc, char **argv);
int cl_cmd_doctor(int argc, char **argv);

typedef struct cl_usage {
    const char *name;     /* "predict" */
    const char *synopsis; /* "--url URL [options]" */
    const char *about;    /* one sentence */
    const char *example;  /* one line that works */
    nf_opt_table table;
} cl_usage;

/**
 * Sets defaults and reads argv. True: go on, *n_rest_or_code words that are no options stand at
 * argv[1..], at most `most_rest`. False: all is said (--help, or an error that was printed) and
 * *n_rest_or_code is the exit status.
 */
bool cl_cmd_parse(void *opts, const cl_usage *u, int most_rest, int argc, char **argv,
                  int *n_rest_or_code);

/** Prints "nearfar-client NAME: where: text" to stderr and gives the exit status for `st`;
 * NF_ETIMEOUT (interrupted) is not printed. */
int cl_cmd_fail(const char *name, nf_status st, const nf_error *err);

/* Rows that several subcommands have; T is the options struct. */
#define CL_ROW_JSON(T)                                                                             \
    {                                                                                              \
        "json", NULL, NULL, "one JSON object on stdout", NF_OPT_FLAG, offsetof(T, json), 0, 0,     \
            NULL                                                                                   \
    }
#define CL_ROW_QUIET(T)                                                                            \
    {                                                                                              \
        "quiet", NULL, NULL, "no progress line", NF_OPT_FLAG, offsetof(T, quiet), 0, 0, NULL       \
    }
#define CL_ROW_TIMEOUT(T)                                                                          \
    {                                                                                              \
        "timeout", "TIME", "5s", "longest wait for an answer", NF_OPT_TIME,                        \
            offsetof(T, timeout_us), 1000, 3600000000, NULL                                        \
    }
#define CL_ROW_CONNECT(T)                                                                          \
    {                                                                                              \
        "connect-timeout", "TIME", "2s", "longest wait for a connection", NF_OPT_TIME,             \
            offsetof(T, connect_us), 1000, 3600000000, NULL                                        \
    }

#endif /* CL_CLIENT_CMD_H */
