/* run_from_csv.c - records of a table into rows of tensors. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/run_parts.h"
#include "server/table/csv_read.h"
#include "server/table/decimal.h"

typedef struct csv_rows {
    run_work *w;
    srv_csv csv;
    run_columns columns;
    run_batch batch;
} csv_rows;

/* A header has a cell that is no value. */
static bool is_header(const srv_csv *c)
{
    for (size_t i = 0; i < c->n_cells; i++) {
        const nf_span cell = c->cell[i];
        double ignored;
        if (!srv_decimal_f64(&ignored, cell.s, cell.len) && !run_cell_missing(cell) &&
            !nf_span_is(cell, "true") && !nf_span_is(cell, "false"))
            return true;
    }
    return false;
}

static bool takes_text(const eng_info *info)
{
    for (size_t i = 0; i < info->n_inputs; i++)
        if (info->inputs[i].dtype == ENG_STR) return true;
    return false;
}

/* A header over texts is known by the name of an input, or "label". */
static nf_status find_header(bool *header, const csv_rows *r, nf_error *err)
{
    const run_stream *const s = r->w->s;
    const eng_info *const info = s->model->m->info;
    *header = s->header == RUN_HEADER_YES;
    if (s->header != RUN_HEADER_AUTO) return NF_OK;
    *header = is_header(&r->csv);
    if (!*header || !takes_text(info)) return NF_OK;
    for (size_t i = 0; i < r->csv.n_cells; i++) {
        bool alias;
        const nf_span cell = r->csv.cell[i];
        if (nf_span_is(cell, "label") || srv_input_find(&alias, info, cell) >= 0) return NF_OK;
    }
    return nf_fail(err, NF_EINVAL, s->name, "the model takes texts: say --header yes or no");
}

static void note_bad_cell(nf_error *why, const csv_rows *r, const run_bad_cell *bad)
{
    const srv_csv *const c = &r->csv;
    char where[96];
    srv_csv_where(where, sizeof(where), c);
    if (bad->column == SIZE_MAX) {
        nf_note(why, NF_EINVAL, where, "expected %zu columns, got %zu", r->columns.n_cells,
                c->n_cells);
        return;
    }
    const nf_span cell = c->cell[bad->column];
    const char *const name = run_columns_name(&r->columns, bad->column);
    nf_note(why, NF_EINVAL, where, "column %zu%s%.60s%s: expected %s, got '%.*s'", bad->column + 1,
            name ? " (" : "", name ? name : "", name ? ")" : "", bad->expected,
            (int)(cell.len < 40 ? cell.len : 40), cell.s);
}

static nf_status add_record(csv_rows *r, nf_error *why)
{
    run_batch *const b = &r->batch;
    const srv_csv *const c = &r->csv;
    run_bad_cell bad;
    if (!run_columns_store(&r->columns, b->in, b->n, c->cell, c->n_cells, &bad)) {
        note_bad_cell(why, r, &bad);
        return NF_EINVAL;
    }
    const long label = r->columns.label;
    b->label[b->n++] = label < 0 ? -1 : run_class_of(b->model->m, c->cell[label]);
    return NF_OK;
}

/* What is answered before an error: all rows above it. */
static nf_status bad_record(csv_rows *r, const nf_error *why, nf_error *err)
{
    const nf_status st = run_bad_row(r->w, why, err);
    if (st) run_batch_flush(&r->batch, r->w, NULL);
    return st;
}

static nf_status one_record(csv_rows *r, bool *more, nf_error *err)
{
    nf_error why = {0};
    nf_status st = srv_csv_next(&r->csv, more, &why);
    if (st == NF_OK && *more) st = add_record(r, &why);
    r->w->bytes = r->csv.bytes;
    if (st == NF_EINVAL) return bad_record(r, &why, err);
    if (st) return nf_fail(err, st, why.where, "%s", why.text);
    return r->batch.n == r->batch.most ? run_batch_flush(&r->batch, r->w, err) : NF_OK;
}

/* The first record says how many columns there are, and perhaps their names. */
static nf_status begin(csv_rows *r, bool *more, nf_error *err)
{
    const run_stream *const s = r->w->s;
    nf_error why = {0};
    nf_status st;
    bool header;
    if ((st = srv_csv_next(&r->csv, more, err)) || !*more) return st;
    if ((st = find_header(&header, r, err))) return st;
    r->columns.missing = s->missing;
    if (s->missing == RUN_MISSING_FILL) r->columns.fill = (nf_span){s->fill, strlen(s->fill)};
    st = run_columns_make(&r->columns, s->model->m->info, s->columns, header ? r->csv.cell : NULL,
                          r->csv.n_cells, &why);
    if (st) return nf_fail(err, st, s->name, "%s", why.text);
    r->columns.text = &r->batch.text;
    if (header) return NF_OK;
    st = add_record(r, &why);
    return st ? bad_record(r, &why, err) : NF_OK;
}

nf_status run_from_csv(run_work *w, nf_error *err)
{
    const run_stream *const s = w->s;
    csv_rows r = {.w = w};
    bool more = true;
    nf_status st = run_batch_init(&r.batch, s, err);
    srv_csv_init(&r.csv, s->in, s->name, s->separator);
    if (!st) st = begin(&r, &more, err);
    while (!st && more)
        st = one_record(&r, &more, err);
    if (!st) st = run_batch_flush(&r.batch, w, err);
    srv_csv_fini(&r.csv);
    run_columns_fini(&r.columns);
    run_batch_fini(&r.batch);
    return st;
}
