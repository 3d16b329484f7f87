/* run_stream.h - predictions for the rows of a file. Layer: server/cmd. Thread rule: main
 * thread. */
#ifndef SRV_RUN_STREAM_H
#define SRV_RUN_STREAM_H

#include "server/cmd/run_columns.h"
#include "server/cmd/run_model.h"

#include <stdio.h>

typedef enum run_format { RUN_CSV, RUN_NDJSON, RUN_RAW } run_format;
typedef enum run_header { RUN_HEADER_AUTO, RUN_HEADER_YES, RUN_HEADER_NO } run_header;

/* What is shown on stderr while it works. */
typedef enum run_progress {
    RUN_PROGRESS_NONE,
    RUN_PROGRESS_LINE, /* one line that changes: a terminal */
    RUN_PROGRESS_LOG   /* a line every few seconds: a file */
} run_progress;

typedef struct run_stream {
    run_model *model; /* borrowed */
    run_format from, to;
    FILE *in, *out;      /* out may be NULL: answers are written and dropped (bench) */
    const char *name;    /* of the input, for errors */
    const char *columns; /* CSV: as run_columns_make takes it */
    char separator;      /* CSV: '\0' = found */
    run_header header;   /* CSV */
    run_missing missing; /* CSV */
    const char *fill;    /* CSV, RUN_MISSING_FILL: the value */
    bool raw_own;        /* raw, in and out: 8-bit tensors as the model has them, not as float32 */
    bool skip_bad;       /* a bad row is reported, counted and left out */
    run_progress progress;
    const char *dump_dir; /* "": none; the first row's steps go there (layers_write.h) */
    /* filled in */
    uint64_t rows, skipped;
    uint64_t labelled, right; /* CSV with a column "label": rows with a known one, answered so */
    double seconds;
} run_stream;

/**
 * Reads every row, writes one a row.
 *
 * CSV: one row of every input a record (run_columns.h says which column goes where). A header's
 * column "label" is not given to the model: it is what the answer should be. NDJSON: one instance a
 * line, as the server takes it; empty lines are passed over. Raw: rows behind one another, each the
 * inputs in their order, little endian, C order; float32 in real units where the model is
 * quantized. NF_EINVAL names file, line and column; NF_EIO; NF_ENOMEM; NF_ETOOLARGE (a line over 64
 * MiB). What stands before the bad row has been answered.
 */
nf_status run_stream_all(run_stream *s, nf_error *err);

#endif /* SRV_RUN_STREAM_H */
