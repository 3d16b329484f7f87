/* run_columns.h - which column of a table feeds which element of which input. Layer: server/cmd.
 * Thread rule: main thread. */
#ifndef SRV_RUN_COLUMNS_H
#define SRV_RUN_COLUMNS_H

#include "engine/base/bytes.h"
#include "engine/model.h"
#include "engine/tensor.h"
#include "server/base/req_arena.h"

typedef enum run_missing {
    RUN_MISSING_NAN, /* NaN, where the input is a float of the model itself */
    RUN_MISSING_REFUSE,
    RUN_MISSING_FILL
} run_missing;

typedef struct run_columns {
    const eng_info *info; /* borrowed */
    size_t *column;       /* owned, [n]: of each element, all inputs in their order */
    size_t n;
    size_t n_cells; /* that a record has to have */
    long label;     /* the column called "label", -1 = none */
    char **names;   /* owned, [n_names]: the header */
    size_t n_names;
    run_missing missing;
    srv_arena *text; /* borrowed: of the cells that are texts; NULL where no input takes any */
    nf_span fill;    /* what stands in the place of a missing value, as text */
} run_columns;

/* What is wrong with a record: the first bad column. */
typedef struct run_bad_cell {
    size_t column; /* from 0; SIZE_MAX: the count of cells is wrong */
    const char *expected;
} run_bad_cell;

/**
 * Decides once a file.
 *
 * chosen: "" or what --columns says: "a,b", or "x=a,b;y=c" with the names of inputs. A column is
 * a name of the header, or a number from 1. header: its cells; NULL = there is none, records have
 * n_cells cells. Without a choice, inputs take the columns of their name (NAME, or NAME_0 … where
 * it has several elements) when the model has several inputs and the header has all of them; else
 * all columns but "label" in their order. NF_EINVAL: what was expected, what there is; NF_ENOMEM.
 */
nf_status run_columns_make(run_columns *c, const eng_info *info, const char *chosen,
                           const nf_span *header, size_t n_cells, nf_error *err);
void run_columns_fini(run_columns *c);

/** Writes one record as row `row` of in[], whose types are srv_wire_dtype's; texts are copied into
 * c->text. False: *bad says why; the row is then half written. */
bool run_columns_store(const run_columns *c, const eng_view *in, size_t row, const nf_span *cell,
                       size_t n_cells, run_bad_cell *bad);

/** The name of a column, or NULL where the file has no header. */
const char *run_columns_name(const run_columns *c, size_t column);

/** Is the cell empty, or one of NA, N/A, NaN, nan, NULL, null, None? */
bool run_cell_missing(nf_span cell);

#endif /* SRV_RUN_COLUMNS_H */
