/* run_stream.c - rows in, rows out; bad ones and progress on stderr. Layer: server/cmd. Thread
 * rule: main thread. */
#include "server/cmd/run_stream.h"

#include "engine/base/clock.h"
#include "server/case/layers_write.h"
#include "server/cmd/run_parts.h"

#include <inttypes.h>
#include <sys/stat.h>

#define LINE_EVERY_US 200000u  /* between two changes of a progress line */
#define LOG_EVERY_US  5000000u /* between two lines of a log */
#define SHOWN_BAD     10       /* bad rows that are told, the others are counted */

typedef struct format {
    nf_status (*read)(run_work *w, nf_error *err);
    void (*header)(srv_buf *b, const run_model *r); /* may be NULL */
    void (*row)(srv_buf *b, const run_model *r, size_t row);
} format;

static const format formats[] = {
    [RUN_CSV] = {run_from_csv, run_csv_header, run_csv_row},
    [RUN_NDJSON] = {run_from_ndjson, NULL, run_ndjson_row},
    [RUN_RAW] = {run_from_raw, NULL, run_raw_row},
};

/* "1.25 M" */
static void short_number(char *out, size_t size, double v)
{
    static const char *const units[] = {"", " k", " M", " G"};
    size_t u = 0;
    for (; v >= 1000 && u + 1 < NF_COUNT(units); u++)
        v /= 1000;
    snprintf(out, size, u ? "%.3g%s" : "%.0f%s", v, units[u]);
}

static void show_progress(run_work *w, bool last)
{
    const run_stream *const s = w->s;
    const uint64_t now = nf_now_us();
    const bool log = s->progress == RUN_PROGRESS_LOG;
    if (s->progress == RUN_PROGRESS_NONE) return;
    if (!last && now - w->shown_us < (log ? LOG_EVERY_US : LINE_EVERY_US)) return;
    const double seconds = (double)(now - w->began_us + 1) / 1e6;
    char rate[32];
    short_number(rate, sizeof(rate), (double)s->rows / seconds);
    fprintf(stderr, "%s%" PRIu64 " rows, %s rows/s", log ? "" : "\r", s->rows, rate);
    if (!last && w->total && w->bytes) {
        const double done = (double)w->bytes / (double)w->total;
        fprintf(stderr, ", %.0f %%, %.0f s left", 100 * done, seconds / done - seconds);
    }
    fputs(log ? "\n" : last ? "          \n" : "          ", stderr);
    w->shown_us = now;
}

static nf_status write_out(run_work *w, nf_error *err)
{
    if (w->out.failed)
        return nf_fail(err, NF_ETOOLARGE, "output", "a block over %zu bytes", RUN_TEXT_MOST);
    if (w->s->out && w->out.len && fwrite(w->out.data, 1, w->out.len, w->s->out) != w->out.len)
        return nf_fail(err, NF_EIO, "output", "cannot write");
    return NF_OK;
}

nf_status run_emit(run_work *w, const long *label, nf_error *err)
{
    run_stream *const s = w->s;
    nf_status st;
    srv_buf_reset(&w->out, RUN_TEXT_MOST);
    if (s->dump_dir && *s->dump_dir && s->rows == 0 &&
        (st = srv_layers_write(s->dump_dir, s->model->m->model, s->model->call.in, err)))
        return st;
    for (size_t row = 0; row < s->model->call.rows; row++) {
        if (label && label[row] >= 0) {
            s->labelled++;
            s->right += label[row] == run_model_class(s->model, row);
        }
        formats[s->to].row(&w->out, s->model, row);
    }
    s->rows += s->model->call.rows;
    show_progress(w, false);
    return write_out(w, err);
}

nf_status run_bad_row(run_work *w, const nf_error *why, nf_error *err)
{
    run_stream *const s = w->s;
    if (!s->skip_bad || why->status != NF_EINVAL)
        return nf_fail(err, why->status, why->where, "%s", why->text);
    if (s->skipped++ < SHOWN_BAD)
        fprintf(stderr, "nearfar run: skipped: %s: %s\n", why->where, why->text);
    else if (s->skipped == SHOWN_BAD + 1)
        fputs("nearfar run: more rows are skipped, and counted\n", stderr);
    return NF_OK;
}

/* Bytes from here to the end of a plain file, 0 for a pipe. */
static uint64_t bytes_ahead(FILE *in)
{
    struct stat st;
    const off_t at = ftello(in);
    if (fstat(fileno(in), &st) != 0 || !S_ISREG(st.st_mode) || at < 0 || at >= st.st_size) return 0;
    return (uint64_t)(st.st_size - at);
}

nf_status run_stream_all(run_stream *s, nf_error *err)
{
    run_work w = {.s = s, .out.most = RUN_TEXT_MOST};
    nf_status st = run_check_format(s, err);
    if (st) return st;
    w.began_us = w.shown_us = nf_now_us();
    w.total = bytes_ahead(s->in);
    if (formats[s->to].header) formats[s->to].header(&w.out, s->model);
    st = write_out(&w, err);
    if (!st) st = formats[s->from].read(&w, err);
    if (s->out && fflush(s->out) && !st) st = nf_fail(err, NF_EIO, "output", "cannot write");
    show_progress(&w, true);
    s->seconds = (double)(nf_now_us() - w.began_us + 1) / 1e6;
    srv_buf_fini(&w.out);
    return st;
}
