/* run_csv.h - lines of numbers as JSON instances, for `nearfar run`. Layer: server/cmd. Thread
 * rule: main thread. */
#ifndef SRV_RUN_CSV_H
#define SRV_RUN_CSV_H

#include "server/base/text_buf.h"
#include "server/cmd/cmd_model.h"

#include <stdint.h>
#include <stdio.h>

typedef struct run_csv {
    const cmd_model *m; /* borrowed */
    size_t columns;     /* that the model takes: the elements of all inputs */
    long label_column;  /* which column is "label", -1 = none */
    bool begun;         /* the first line has been seen */
} run_csv;

typedef struct run_csv_line {
    const char *name; /* of the file, for errors */
    nf_span text;
    uint64_t number;
} run_csv_line;

void run_csv_init(run_csv *c, const cmd_model *m);

/**
 * Appends one line to `out` as one JSON instance, the columns given to the inputs in their order.
 *
 * *label: index of the class that the column "label" names, or -1. *header: the line was a header,
 * nothing was added. NF_EINVAL (column count; a cell that is no number).
 */
nf_status run_csv_add(srv_buf *out, long *label, bool *header, run_csv *c, const run_csv_line *line,
                      nf_error *err);

/** Writes the header of the answers: the labels, or NAME_I, and "label" where there are labels. */
nf_status run_csv_header(FILE *to, const cmd_model *m, nf_error *err);

/** A text field, in quotes where it needs them. Source: RFC 4180. */
void run_csv_field(srv_buf *b, const char *text);

#endif /* SRV_RUN_CSV_H */
