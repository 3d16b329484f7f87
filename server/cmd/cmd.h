/* cmd.h - the subcommands of nearfar, one file each. Layer: server/cmd. Thread rule: called once,
 * on the main thread. */
#ifndef SRV_CMD_H
#define SRV_CMD_H

/* Each takes argv[0] = its own name and the words behind it, prints its own errors to stderr, and
 * returns the exit status: 0 done, 1 the work failed, 2 the command line was wrong. */
int cmd_serve(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_health(int argc, char **argv);

/** Prints version, git id, compiled features, CPU kernels and BLAS core to stdout. */
int cmd_version(void);

#endif /* SRV_CMD_H */
