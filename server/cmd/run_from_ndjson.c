/* run_from_ndjson.c - JSON instances, a block of lines at a time. Layer: server/cmd. Thread rule:
 * main thread. */
#include "server/cmd/run_parts.h"
#include "server/table/csv_read.h"

/* Lines that run together, as JSON instances. */
typedef struct block {
    srv_buf text;                /* "[1,2],[3,4]," */
    size_t start[RUN_BLOCK + 1]; /* of each instance in text; behind it stands a ',' */
    uint64_t line[RUN_BLOCK];    /* where each came from */
    size_t n;
} block;

/* One line without its end; false at the end of the file. */
static bool read_line(srv_buf *line, run_work *w)
{
    int c;
    srv_buf_reset(line, RUN_LINE_MOST);
    while ((c = getc_unlocked(w->s->in)) != EOF && c != '\n')
        srv_buf_char(line, (char)c);
    w->bytes += line->len + (c != EOF);
    if (line->len && line->data[line->len - 1] == '\r') line->len--;
    return c != EOF || line->len > 0;
}

static bool blank(const srv_buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != ' ' && line->data[i] != '\t') return false;
    return true;
}

/* Runs instances first .. last - 1 of the block in one call. */
static nf_status run_some(run_work *w, const block *b, size_t first, size_t last, nf_error *err)
{
    char where[96];
    srv_buf text = {.most = RUN_TEXT_MOST};
    nf_status st;
    srv_line_where(where, sizeof(where), w->s->name, b->line[first]);
    srv_buf_char(&text, '[');
    srv_buf_add(&text, b->text.data + b->start[first], b->start[last] - b->start[first] - 1);
    srv_buf_char(&text, ']');
    if (text.failed)
        st = nf_fail(err, NF_ENOMEM, where, "no memory");
    else
        st = run_model_json(w->s->model, (nf_span){text.data, text.len}, where, err);
    srv_buf_fini(&text);
    if (!st && w->s->model->call.rows != last - first)
        st = nf_fail(err, NF_EINVAL, where, "expected one instance a line, got %zu rows",
                     w->s->model->call.rows);
    return st;
}

/* False where a model of open shapes may mix the rows of a call. */
static bool rows_are_apart(const run_work *w)
{
    const eng_info *const info = w->s->model->m->info;
    bool apart = true;
    for (size_t i = 0; i < info->n_outputs && info->shapes == ENG_SHAPES_OPEN; i++)
        apart &= info->outputs[i].batched;
    return apart;
}

/* All of the block at once; when that fails, line by line: the error then names the line, and lines
 * that are nested differently still work. */
static nf_status flush(run_work *w, block *b, nf_error *err)
{
    nf_status st = NF_OK;
    if (b->n == 0) return NF_OK;
    if (rows_are_apart(w) && run_some(w, b, 0, b->n, NULL) == NF_OK) {
        st = run_emit(w, NULL, err);
    } else {
        for (size_t i = 0; i < b->n && !st; i++) {
            nf_error why = {0};
            const nf_status bad = run_some(w, b, i, i + 1, &why);
            st = bad ? run_bad_row(w, &why, err) : run_emit(w, NULL, err);
        }
    }
    b->n = 0;
    srv_buf_reset(&b->text, RUN_TEXT_MOST);
    return st;
}

static nf_status add_line(run_work *w, block *b, const srv_buf *line, uint64_t number,
                          nf_error *err)
{
    char where[96];
    srv_line_where(where, sizeof(where), w->s->name, number);
    if (line->failed)
        return nf_fail(err, NF_ETOOLARGE, where, "a line over %zu bytes", RUN_LINE_MOST);
    if (blank(line)) return NF_OK;
    b->start[b->n] = b->text.len;
    b->line[b->n] = number;
    srv_buf_add(&b->text, line->data, line->len);
    srv_buf_char(&b->text, ',');
    b->start[++b->n] = b->text.len;
    if (b->text.failed) return nf_fail(err, NF_ETOOLARGE, where, "lines are too long");
    return b->n == RUN_BLOCK ? flush(w, b, err) : NF_OK;
}

nf_status run_from_ndjson(run_work *w, nf_error *err)
{
    srv_buf line = {.most = RUN_LINE_MOST};
    block b = {.text.most = RUN_TEXT_MOST};
    nf_status st = NF_OK;
    for (uint64_t number = 1; !st && read_line(&line, w); number++)
        st = add_line(w, &b, &line, number, err);
    if (!st && ferror(w->s->in)) st = nf_fail(err, NF_EIO, w->s->name, "cannot read");
    if (!st) st = flush(w, &b, err);
    srv_buf_fini(&line);
    srv_buf_fini(&b.text);
    return st;
}
