/* bench_csv.h - nearfar bench --csv: rows a second from a table to answers. Layer: server/cmd.
 * Thread rule: main thread. */
#ifndef SRV_BENCH_CSV_H
#define SRV_BENCH_CSV_H

#include "server/cmd/cmd_model.h"

/**
 * Measures BENCH_CSV_ROUNDS times and prints the median. m is NULL: every cell of the file into
 * float32 rows, and nothing more. Else: all of `nearfar run --csv` but for the writing of the
 * answers to a file. NF_EINVAL, NF_EIO, NF_ENOTFOUND, NF_ENOMEM.
 */
nf_status bench_csv(const cmd_model *m, const char *path, bool json, nf_error *err);

#define BENCH_CSV_ROUNDS 5

#endif /* SRV_BENCH_CSV_H */
