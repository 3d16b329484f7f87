/* run_from_raw.c - bytes of rows into tensors. Layer: server/cmd. Thread rule: main thread. */
#include "server/cmd/run_parts.h"

#include "engine/base/mem.h"
#include "server/table/csv_read.h"

#include <inttypes.h>

/* One row of a file into row `row` of each input. */
static void scatter(const run_batch *b, size_t row, const char *from)
{
    for (size_t i = 0; i < b->n_in; i++) {
        memcpy((char *)b->in[i].data + row * b->in[i].bytes, from, b->in[i].bytes);
        from += b->in[i].bytes;
    }
}

static nf_status short_row(run_work *w, uint64_t row, size_t want, size_t got, nf_error *err)
{
    nf_error why = {0};
    nf_note(&why, NF_EINVAL, w->s->name, "row %" PRIu64 ": expected %zu bytes, got %zu", row, want,
            got);
    return run_bad_row(w, &why, err);
}

static nf_status all_rows(run_batch *b, run_work *w, char *row, size_t size, nf_error *err)
{
    FILE *const in = w->s->in;
    nf_status st = NF_OK;
    size_t got;
    for (uint64_t n = 1; !st && (got = fread(row, 1, size, in)) > 0; n++) {
        w->bytes += got;
        if (got < size) {
            nf_status flushed = run_batch_flush(b, w, err);
            return flushed ? flushed : short_row(w, n, size, got, err);
        }
        scatter(b, b->n, row);
        b->label[b->n++] = -1;
        if (b->n == b->most) st = run_batch_flush(b, w, err);
    }
    return st ? st : run_batch_flush(b, w, err);
}

nf_status run_from_raw(run_work *w, nf_error *err)
{
    run_batch b;
    size_t size = 0;
    char *row = NULL;
    nf_status st = run_batch_init(&b, w->s, err);
    for (size_t i = 0; i < b.n_in; i++)
        size += b.in[i].bytes; /* checked by run_batch_init */
    if (!st) row = nf_alloc(size + 1, NF_MEM_MISC);
    if (!st && !row) st = nf_fail(err, NF_ENOMEM, w->s->name, "no memory for a row");
    if (!st) st = all_rows(&b, w, row, size, err);
    if (!st && ferror(w->s->in)) st = nf_fail(err, NF_EIO, w->s->name, "cannot read");
    nf_free(row);
    run_batch_fini(&b);
    return st;
}
