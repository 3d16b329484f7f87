/* run_stream.h - predictions for the lines of a file. Layer: server/cmd. Thread rule: main
 * thread. */
#ifndef SRV_RUN_STREAM_H
#define SRV_RUN_STREAM_H

#include "server/cmd/run_model.h"

#include <stdio.h>

typedef enum run_format { RUN_CSV, RUN_NDJSON } run_format;

typedef struct run_stream {
    run_model *model; /* borrowed */
    run_format format;
    FILE *in, *out;
    const char *name;         /* of the input, for errors */
    bool progress;            /* a line on stderr while it works */
    uint64_t rows;            /* done */
    uint64_t labelled, right; /* CSV with a column "label": rows with a known one, answered so */
} run_stream;

/**
 * Reads every line, writes one line a row in the same format.
 *
 * CSV: numbers separated by ',' or ';', one row of every input a line; a first line that is not all
 * numbers is the header. A header's column "label" is not given to the model: it is what the answer
 * should be. NDJSON: one instance a line, as the server takes it. Empty lines are passed over.
 * NF_EINVAL names the line; NF_EIO; NF_ENOMEM; NF_ETOOLARGE (a line over 64 MiB).
 */
nf_status run_stream_all(run_stream *s, nf_error *err);

#endif /* SRV_RUN_STREAM_H */
