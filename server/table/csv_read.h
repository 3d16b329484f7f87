/* csv_read.h - records of a CSV file, as cells. Layer: server/table. Thread rule: one owner. */
#ifndef SRV_CSV_READ_H
#define SRV_CSV_READ_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdio.h>

#define SRV_CSV_RECORD_MOST ((size_t)64 << 20) /* bytes of one record */

typedef struct srv_csv {
    FILE *in;         /* borrowed */
    const char *name; /* borrowed: of the file, for errors */
    char separator;   /* '\0' = ',', or the first of ';' and tab in a first record without ',' */
    uint64_t line;    /* where the current record begins, from 1 */
    uint64_t bytes;   /* read so far, up to the end of the current record */
    nf_span *cell;    /* of the current record: without quotes and outer blanks; until next */
    size_t n_cells;
    /* inside */
    char *buf;
    size_t cap, at, end, cap_cells;
    uint64_t next_line;
    bool eof, begun;
} srv_csv;

/** Starts at the file's position. */
void srv_csv_init(srv_csv *c, FILE *in, const char *name, char separator);
void srv_csv_fini(srv_csv *c);

/**
 * The next record; records of nothing but blanks are passed over.
 *
 * Lines end in LF or CRLF. A cell in quotes may hold separators, line ends and "" for a quote.
 * *more is false at the end of the file. NF_EINVAL (a quote that never closes, text behind a
 * closing one: `where` is file:line; the next call goes on behind the record), NF_ETOOLARGE,
 * NF_EIO, NF_ENOMEM. Source: RFC 4180. Cost: one pass.
 */
nf_status srv_csv_next(srv_csv *c, bool *more, nf_error *err);

/** "file:line" of the current record; of a long name, the end. */
void srv_csv_where(char *out, size_t size, const srv_csv *c);

/** "name:line" for errors that are not of a CSV file. */
void srv_line_where(char *out, size_t size, const char *name, uint64_t line);

#endif /* SRV_CSV_READ_H */
