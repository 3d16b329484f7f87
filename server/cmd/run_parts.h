/* run_parts.h - inside `nearfar run` over files: what readers and writers share. Layer: server/cmd.
 * Thread rule: main thread. */
#ifndef SRV_RUN_PARTS_H
#define SRV_RUN_PARTS_H

#include "server/cmd/run_stream.h"

#define RUN_ROWS_MOST 1024                /* rows that are read and run together */
#define RUN_LINE_MOST ((size_t)64 << 20)  /* bytes of one line */
#define RUN_TEXT_MOST ((size_t)256 << 20) /* bytes of the text of one block */

typedef struct run_work {
    run_stream *s;
    srv_buf out;
    uint64_t bytes, total; /* of the input: used up, and all of it or 0 */
    uint64_t began_us, shown_us;
} run_work;

/* Rows of tensors in memory of their own. */
typedef struct run_batch {
    run_model *model; /* borrowed */
    size_t n, most;   /* rows that are there, and that fit */
    size_t n_in, n_out;
    eng_view in[SRV_CALL_IO_MOST],
        out[SRV_CALL_IO_MOST]; /* data owned; bytes are those of `most` */
    srv_arena text;            /* what cells of texts point to; reset by a flush */
    long label[RUN_ROWS_MOST]; /* what the answer should be, -1 = unknown */
} run_batch;

/** Memory for RUN_ROWS_MOST rows, or fewer where a row is large, in the types of s->from and s->to.
 */
nf_status run_batch_init(run_batch *b, const run_stream *s, nf_error *err);
void run_batch_fini(run_batch *b);

/** Runs the rows that are there, writes the answers, and empties the batch. */
nf_status run_batch_flush(run_batch *b, run_work *w, nf_error *err);

/** Writes the rows of the model's last call; label: of each row, or NULL. */
nf_status run_emit(run_work *w, const long *label, nf_error *err);

/** A bad row: NF_OK where bad rows are skipped, after a line on stderr for the first ones; else
 * *err becomes *why. */
nf_status run_bad_row(run_work *w, const nf_error *why, nf_error *err);

/* The readers: each runs all rows of s->in. */
nf_status run_from_csv(run_work *w, nf_error *err);
nf_status run_from_ndjson(run_work *w, nf_error *err);
nf_status run_from_raw(run_work *w, nf_error *err);

/* The writers: what stands before all rows, and one row of the last call. */
void run_csv_header(srv_buf *b, const run_model *r);
void run_csv_row(srv_buf *b, const run_model *r, size_t row);
void run_ndjson_row(srv_buf *b, const run_model *r, size_t row);
void run_raw_row(srv_buf *b, const run_model *r, size_t row);

/** Index of the class called `name`, or -1. */
long run_class_of(const cmd_model *m, nf_span name);

/** NF_EUNSUPPORTED where a file of that format cannot hold the rows: open shapes, texts in raw
 * files, a CSV header over outputs of open shapes. */
nf_status run_check_format(const run_stream *s, nf_error *err);

#endif /* SRV_RUN_PARTS_H */
