/* opts.h - options as rows: flags, environment and configuration file read the same table.
 * Layer: base. Thread rule: parsed once, then const. */
#ifndef NF_OPTS_H
#define NF_OPTS_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum nf_opt_kind {
    NF_OPT_FLAG,  /* bool; "--json", or "--json=false" */
    NF_OPT_TEXT,  /* const char *, borrowed */
    NF_OPT_NUM,   /* int64_t, within least..most */
    NF_OPT_BYTES, /* int64_t bytes; "64", "64k", "64MiB" (powers of 1024) */
    NF_OPT_TIME,  /* int64_t microseconds; "250us", "60ms", "5s", a bare number is ms */
    NF_OPT_RATE,  /* int64_t bit/s; "800kbit", "12mbit", "1gbit", a bare number is Mbit/s */
    NF_OPT_PICK,  /* int, index into choices "edge|cloud" */
    NF_OPT_REAL   /* double, within least..most */
} nf_opt_kind;

typedef struct nf_opt {
    const char *name; /* "max-body": --max-body, NEARFAR_MAX_BODY, {"max_body": …} */
    const char *arg;  /* what --help shows behind the flag: "BYTES"; NULL for a flag */
    const char *dflt; /* default, as text; NULL leaves the zero value */
    const char *help; /* one line */
    nf_opt_kind kind;
    size_t offset; /* of the field in the options struct */
    int64_t least, most;
    const char *choices; /* NF_OPT_PICK only */
} nf_opt;

typedef struct nf_opt_table {
    const nf_opt *rows;
    size_t n;
} nf_opt_table;

/** Sets every field to its default. */
nf_status nf_opts_defaults(void *opts, nf_opt_table t, nf_error *err);

/** Sets one field from text. NF_EINVAL: err->where is the name, err->text what was expected. */
nf_status nf_opts_set(void *opts, nf_opt_table t, const char *name, const char *text,
                      nf_error *err);

/** Sets fields from variables PREFIX_NAME ("NEARFAR_MAX_BODY"); `get` is getenv or a test's. */
nf_status nf_opts_env(void *opts, nf_opt_table t, const char *prefix,
                      char *(*get)(const char *name), nf_error *err);

/** Reads "--name value", "--name=value" and flags from argv[1..]; what is no option is moved to
 * argv[1..*n_rest]. "--" ends the options; "-n", "-d", "-c" … stand for the one-letter rows. */
nf_status nf_opts_argv(void *opts, nf_opt_table t, int argc, char **argv, int *n_rest,
                       nf_error *err);

/** The row called `name` ('-' and '_' are the same), or NULL. */
const nf_opt *nf_opts_find(nf_opt_table t, const char *name);

/** Prints one line a row to `to`. */
void nf_opts_help(FILE *to, nf_opt_table t);

/** One value by kind, for fields that are not in a table: *out is int64_t, int, bool, double or
 * const char * as the kind says. */
nf_status nf_opts_value(void *out, const nf_opt *row, const char *text, nf_error *err);

#endif /* NF_OPTS_H */
