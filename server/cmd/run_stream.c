/* run_stream.c - lines in, rows out, a block at a time. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/run_stream.h"

#include "engine/base/clock.h"
#include "server/base/json_out.h"
#include "server/cmd/run_csv.h"

#include <string.h>

#define LINE_MOST  ((size_t)64 << 20)
#define BLOCK_MOST ((size_t)256 << 20)
#define EVERY_US   200000u /* between two progress lines */

/* Lines that run together, as JSON instances. */
typedef struct block {
    srv_buf text;                /* "[1,2],[3,4]" */
    size_t start[RUN_BLOCK + 1]; /* of each instance in text; behind it stands a ',' */
    uint64_t line[RUN_BLOCK];    /* where each came from */
    long label[RUN_BLOCK];       /* the answer that the file gives, -1 = none */
    size_t n;
} block;

typedef struct work {
    run_stream *s;
    block b;
    run_csv csv;
    srv_buf out;
    uint64_t line, shown_us, began_us;
} work;

/* One line without its end; false at the end of the file. */
static bool read_line(srv_buf *line, FILE *in)
{
    int c;
    srv_buf_reset(line, LINE_MOST);
    while ((c = getc_unlocked(in)) != EOF && c != '\n')
        srv_buf_char(line, (char)c);
    if (line->len && line->data[line->len - 1] == '\r') line->len--;
    return c != EOF || line->len > 0;
}

static bool blank(const srv_buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != ' ' && line->data[i] != '\t') return false;
    return true;
}

static void write_flat_list(srv_buf *b, const run_model *r, size_t output, size_t row)
{
    const size_t n = r->m->info->outputs[output].row_elems;
    srv_buf_char(b, '[');
    srv_write_flat(b, &r->call.out[output], row * n, n);
    srv_buf_char(b, ']');
}

static void write_ndjson(srv_buf *b, const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const long best = run_model_class(r, row);
    srv_buf_text(b, info->n_outputs == 1 ? "{\"prediction\":" : "{\"prediction\":{");
    for (size_t i = 0; i < info->n_outputs; i++) {
        if (i) srv_buf_char(b, ',');
        if (info->n_outputs > 1) srv_json_key(b, info->outputs[i].name);
        write_flat_list(b, r, i, row);
    }
    if (info->n_outputs > 1) srv_buf_char(b, '}');
    if (best >= 0) {
        const size_t n = info->outputs[0].row_elems;
        srv_buf_char(b, ',');
        srv_json_pair(b, "label", cmd_model_labels(r->m, n)[best]);
        srv_buf_text(b, ",\"confidence\":");
        srv_write_flat(b, &r->call.out[0], row * n + (size_t)best, 1);
    }
    srv_buf_text(b, "}\n");
}

static void write_csv(srv_buf *b, const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const long best = run_model_class(r, row);
    for (size_t i = 0; i < info->n_outputs; i++) {
        const size_t n = info->outputs[i].row_elems;
        if (i) srv_buf_char(b, ',');
        srv_write_flat(b, &r->call.out[i], row * n, n);
    }
    if (best >= 0) {
        srv_buf_char(b, ',');
        run_csv_field(b, cmd_model_labels(r->m, info->outputs[0].row_elems)[best]);
    }
    srv_buf_char(b, '\n');
}

/* Counts and writes the rows of the last call; `first` is the first of them in the block. */
static nf_status write_rows(work *w, size_t first, nf_error *err)
{
    run_stream *const s = w->s;
    srv_buf_reset(&w->out, BLOCK_MOST);
    for (size_t row = 0; row < s->model->call.rows; row++) {
        const long truth = w->b.label[first + row];
        if (truth >= 0) {
            s->labelled++;
            s->right += truth == run_model_class(s->model, row);
        }
        (s->format == RUN_CSV ? write_csv : write_ndjson)(&w->out, s->model, row);
    }
    s->rows += s->model->call.rows;
    if (w->out.failed)
        return nf_fail(err, NF_ETOOLARGE, "output", "a block over %zu bytes", BLOCK_MOST);
    if (w->out.len && fwrite(w->out.data, 1, w->out.len, s->out) != w->out.len)
        return nf_fail(err, NF_EIO, "output", "cannot write");
    return NF_OK;
}

/* Runs instances first .. last - 1 of the block in one call. */
static nf_status run_some(work *w, size_t first, size_t last, nf_error *err)
{
    char where[80];
    srv_buf text = {.most = BLOCK_MOST};
    nf_status st;
    snprintf(where, sizeof(where), "%.40s, line %llu", w->s->name,
             (unsigned long long)w->b.line[first]);
    srv_buf_char(&text, '[');
    srv_buf_add(&text, w->b.text.data + w->b.start[first],
                w->b.start[last] - w->b.start[first] - 1);
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

static void show_progress(work *w, bool last)
{
    const uint64_t now = nf_now_us();
    if (!w->s->progress || (!last && now - w->shown_us < EVERY_US)) return;
    const double seconds = (double)(now - w->began_us + 1) / 1e6;
    fprintf(stderr, "\r%llu rows, %.0f a second%s", (unsigned long long)w->s->rows,
            (double)w->s->rows / seconds, last ? "\n" : "");
    w->shown_us = now;
}

/* All of the block at once; when that fails, line by line: the error then names the line, and lines
 * that are nested differently still work. */
static nf_status flush(work *w, nf_error *err)
{
    nf_status st = NF_OK;
    if (w->b.n == 0) return NF_OK;
    if (run_some(w, 0, w->b.n, NULL) == NF_OK) {
        st = write_rows(w, 0, err);
    } else {
        for (size_t i = 0; i < w->b.n && !st; i++)
            if (!(st = run_some(w, i, i + 1, err))) st = write_rows(w, i, err);
    }
    w->b.n = 0;
    srv_buf_reset(&w->b.text, BLOCK_MOST);
    show_progress(w, false);
    return st;
}

static nf_status add_line(work *w, const srv_buf *line, nf_error *err)
{
    block *const b = &w->b;
    nf_status st = NF_OK;
    if (line->failed)
        return nf_fail(err, NF_ETOOLARGE, w->s->name, "line %llu: over %zu bytes",
                       (unsigned long long)w->line, LINE_MOST);
    if (blank(line)) return NF_OK;
    b->start[b->n] = b->text.len;
    b->line[b->n] = w->line;
    b->label[b->n] = -1;
    if (w->s->format == RUN_NDJSON) {
        srv_buf_add(&b->text, line->data, line->len);
    } else {
        bool header;
        const run_csv_line at = {w->s->name, {line->data, line->len}, w->line};
        if ((st = run_csv_add(&b->text, &b->label[b->n], &header, &w->csv, &at, err))) return st;
        if (header) return NF_OK;
    }
    srv_buf_char(&b->text, ',');
    b->start[++b->n] = b->text.len;
    if (b->text.failed) return nf_fail(err, NF_ETOOLARGE, w->s->name, "lines are too long");
    return b->n == RUN_BLOCK ? flush(w, err) : NF_OK;
}

nf_status run_stream_all(run_stream *s, nf_error *err)
{
    work w = {.s = s, .b.text.most = BLOCK_MOST, .out.most = BLOCK_MOST};
    srv_buf line = {.most = LINE_MOST};
    nf_status st = NF_OK;
    w.began_us = nf_now_us();
    run_csv_init(&w.csv, s->model->m);
    if (s->format == RUN_CSV) st = run_csv_header(s->out, s->model->m, err);
    while (!st && read_line(&line, s->in)) {
        w.line++;
        st = add_line(&w, &line, err);
    }
    if (!st && ferror(s->in)) st = nf_fail(err, NF_EIO, s->name, "cannot read");
    if (!st) st = flush(&w, err);
    if (!st && fflush(s->out)) st = nf_fail(err, NF_EIO, "output", "cannot write");
    show_progress(&w, true);
    srv_buf_fini(&line);
    srv_buf_fini(&w.out);
    srv_buf_fini(&w.b.text);
    return st;
}
