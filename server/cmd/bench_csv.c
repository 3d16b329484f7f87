/* bench_csv.c - parsing alone, or the whole of a run. Layer: server/cmd. Thread rule:
 * main thread. */
#include "server/cmd/bench_csv.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "server/cmd/run_stream.h"
#include "server/table/csv_read.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* One pass over the file. */
typedef struct pass {
    uint64_t rows, bytes;
    size_t columns;
    double seconds;
    double engine; /* of them in the engine */
} pass;

static nf_status open_csv(FILE **out, const char *path, nf_error *err)
{
    *out = fopen(path, "re");
    if (*out) return NF_OK;
    return nf_fail(err, errno == ENOENT ? NF_ENOTFOUND : NF_EIO, path, "cannot open: %s",
                   strerror(errno));
}

/* All columns of the file as one float32 input; a first record that is no numbers is the header.
 * The row is always the same one: tensors of a batch would stay in the cache too. */
static nf_status store_rows(pass *p, srv_csv *csv, nf_error *err)
{
    run_columns columns = {0};
    run_bad_cell bad;
    bool more;
    nf_status st = srv_csv_next(csv, &more, err);
    if (st || !more) return st ? st : nf_fail(err, NF_EINVAL, csv->name, "the file is empty");
    p->columns = csv->n_cells;
    const eng_io io = {.name = "x", .row_elems = csv->n_cells};
    const eng_info info = {.inputs = &io, .n_inputs = 1};
    float *row = nf_alloc_array(p->columns, sizeof(*row), NF_MEM_MISC);
    const eng_view view = {.dtype = ENG_F32, .data = row, .bytes = p->columns * sizeof(*row)};
    if (!row) st = nf_fail(err, NF_ENOMEM, csv->name, "no memory");
    if (!st) st = run_columns_make(&columns, &info, "", NULL, p->columns, err);
    p->rows = !st && run_columns_store(&columns, &view, 0, csv->cell, csv->n_cells, &bad);
    while (!st && !(st = srv_csv_next(csv, &more, err)) && more) {
        if (!run_columns_store(&columns, &view, 0, csv->cell, csv->n_cells, &bad)) {
            char where[96];
            srv_csv_where(where, sizeof(where), csv);
            st = nf_fail(err, NF_EINVAL, where, "expected %zu numbers", p->columns);
        }
        p->rows++;
    }
    run_columns_fini(&columns);
    nf_free(row);
    return st;
}

static nf_status parse_pass(pass *p, const char *path, nf_error *err)
{
    srv_csv csv;
    FILE *in;
    nf_status st = open_csv(&in, path, err);
    if (st) return st;
    const uint64_t start = nf_now_us();
    srv_csv_init(&csv, in, path, '\0');
    st = store_rows(p, &csv, err);
    p->bytes = csv.bytes;
    srv_csv_fini(&csv);
    p->seconds = (double)(nf_now_us() - start + 1) / 1e6;
    fclose(in);
    return st;
}

static nf_status run_pass(pass *p, const cmd_model *m, const char *path, nf_error *err)
{
    run_model r = {0};
    run_stream s = {.model = &r, .name = path, .columns = ""};
    nf_status st = open_csv(&s.in, path, err);
    if (st) return st;
    st = run_model_init(&r, m, err);
    if (!st) st = run_stream_all(&s, err);
    p->rows = s.rows;
    p->seconds = s.seconds;
    p->engine = (double)r.run_us / 1e6;
    run_model_fini(&r);
    fclose(s.in);
    return st;
}

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const pass *)a)->seconds, y = ((const pass *)b)->seconds;
    return x < y ? -1 : x > y;
}

static void print_json(const pass *p, const cmd_model *m, const char *path)
{
    json_t *root =
        json_pack("{s:s, s:I, s:f}", "csv", path, "rows", (json_int_t)p->rows,
                  m ? "run_rows_per_s" : "parse_rows_per_s", (double)p->rows / p->seconds);
    if (m) {
        json_object_set_new(root, "model", json_string(m->path));
        json_object_set_new(root, "engine_share", json_real(p->engine / p->seconds));
    } else {
        json_object_set_new(root, "columns", json_integer((json_int_t)p->columns));
        json_object_set_new(root, "bytes", json_integer((json_int_t)p->bytes));
    }
    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

static void print_text(const pass *p, const cmd_model *m, const char *path)
{
    const double rate = (double)p->rows / p->seconds;
    if (m)
        printf("%s: %" PRIu64 " rows with %s, median of %d: the whole run %.0f rows/s, %.0f %% of "
               "the time in the engine\n",
               path, p->rows, m->path, BENCH_CSV_ROUNDS, rate, 100 * p->engine / p->seconds);
    else
        printf("%s: %" PRIu64 " rows of %zu columns, %" PRIu64
               " bytes, median of %d: parsing alone "
               "%.0f rows/s, %.0f MB/s\n",
               path, p->rows, p->columns, p->bytes, BENCH_CSV_ROUNDS, rate,
               (double)p->bytes / p->seconds / 1e6);
}

nf_status bench_csv(const cmd_model *m, const char *path, bool json, nf_error *err)
{
    pass passes[BENCH_CSV_ROUNDS] = {{0}};
    nf_status st = NF_OK;
    for (int i = 0; i < BENCH_CSV_ROUNDS && !st; i++)
        st = m ? run_pass(&passes[i], m, path, err) : parse_pass(&passes[i], path, err);
    if (st) return st;
    qsort(passes, BENCH_CSV_ROUNDS, sizeof(passes[0]), by_seconds);
    (json ? print_json : print_text)(&passes[BENCH_CSV_ROUNDS / 2], m, path);
    return NF_OK;
}
