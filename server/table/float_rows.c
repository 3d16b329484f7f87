/* float_rows.c - rows of numbers from a table, and which file they are in. Layer: server/table.
 * Thread rule: one owner. */
#include "server/table/float_rows.h"

#include "engine/base/file.h"
#include "server/table/csv_read.h"
#include "server/table/decimal.h"

#include <math.h>
#include <sys/stat.h>

void srv_rows_fini(srv_rows *r)
{
    nf_free(r->v);
    *r = (srv_rows){0};
}

/* What the first record decides. */
typedef struct layout {
    size_t n_cells; /* of every record */
    size_t label;   /* the column that is left out; n_cells = none */
} layout;

static bool is_header(const srv_csv *c)
{
    float ignored;
    for (size_t i = 0; i < c->n_cells; i++)
        if (!srv_decimal_f32(&ignored, c->cell[i].s, c->cell[i].len)) return true;
    return false;
}

static layout layout_of(const srv_csv *c, bool header)
{
    layout l = {c->n_cells, c->n_cells};
    for (size_t i = 0; header && i < c->n_cells; i++)
        if (nf_span_is(c->cell[i], "label")) l.label = i;
    return l;
}

static nf_status make_room(srv_rows *r, size_t *cap, const char *name, nf_error *err)
{
    size_t bytes;
    if (r->n < *cap) return NF_OK;
    const size_t want = *cap ? 2 * *cap : 64;
    if (!nf_mul_size(&bytes, want, r->width * sizeof(float)) || bytes > 8 * SRV_ROWS_FILE_MOST)
        return nf_fail(err, NF_ETOOLARGE, name, "has too many rows");
    float *more = nf_realloc(r->v, bytes, NF_MEM_MISC);
    if (!more) return nf_fail(err, NF_ENOMEM, name, "no memory for its rows");
    r->v = more;
    *cap = want;
    return NF_OK;
}

static nf_status store(srv_rows *r, const srv_csv *c, const layout *l, nf_error *err)
{
    char where[96];
    float *to = r->v + r->n * r->width;
    srv_csv_where(where, sizeof(where), c);
    if (c->n_cells != l->n_cells)
        return nf_fail(err, NF_EINVAL, where, "expected %zu cells, got %zu", l->n_cells,
                       c->n_cells);
    for (size_t i = 0; i < c->n_cells; i++) {
        float v;
        if (i == l->label) continue;
        if (!srv_decimal_f32(&v, c->cell[i].s, c->cell[i].len) || !isfinite(v))
            return nf_fail(err, NF_EINVAL, where, "column %zu: expected a number, got '%.*s'",
                           i + 1, (int)(c->cell[i].len < 40 ? c->cell[i].len : 40), c->cell[i].s);
        *to++ = v;
    }
    r->n++;
    return NF_OK;
}

static nf_status read_records(srv_rows *r, srv_csv *c, nf_error *err)
{
    size_t cap = 0;
    bool more, header;
    nf_status st = srv_csv_next(c, &more, err);
    if (st || !more) return st;
    header = is_header(c);
    const layout l = layout_of(c, header);
    r->width = l.n_cells - (l.label < l.n_cells);
    if (r->width == 0) return nf_fail(err, NF_EINVAL, c->name, "has no column of numbers");
    for (; !st && more; header = false) {
        if (!header && (st = make_room(r, &cap, c->name, err))) break;
        if (!header && (st = store(r, c, &l, err))) break;
        st = srv_csv_next(c, &more, err);
    }
    return st;
}

nf_status srv_rows_from_csv(srv_rows *out, nf_bytes file, const char *name, nf_error *err)
{
    srv_csv c;
    *out = (srv_rows){0};
    if (file.len == 0) return NF_OK;
    FILE *f = fmemopen((void *)(uintptr_t)file.data, file.len, "r");
    if (!f) return nf_fail(err, NF_ENOMEM, name, "no memory to read it");
    srv_csv_init(&c, f, name, '\0');
    const nf_status st = read_records(out, &c, err);
    srv_csv_fini(&c);
    fclose(f);
    if (st) srv_rows_fini(out);
    return st;
}

nf_status srv_rows_read(srv_rows *out, const char *path, nf_error *err)
{
    static const char magic[] = "\x93NUMPY";
    nf_bytes file = {0};
    *out = (srv_rows){0};
    nf_status st = nf_read_file(&file, path, SRV_ROWS_FILE_MOST, NF_MEM_MISC, err);
    if (st) return st;
    const bool npy =
        file.len >= sizeof(magic) - 1 && memcmp(file.data, magic, sizeof(magic) - 1) == 0;
    st = (npy ? srv_rows_from_npy : srv_rows_from_csv)(out, file, path, err);
    nf_free((void *)(uintptr_t)file.data);
    if (!st && out->n == 0) {
        srv_rows_fini(out);
        return nf_fail(err, NF_EINVAL, path, "has no rows");
    }
    return st;
}

bool srv_rows_find(char *path, size_t size, const char *const *folders, size_t n)
{
    static const char *const names[] = {"calibration.npy", "calibration.csv"};
    struct stat s;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < NF_COUNT(names); k++) {
            const int len = snprintf(path, size, "%s/%s", folders[i], names[k]);
            if (len > 0 && (size_t)len < size && stat(path, &s) == 0) return true;
        }
    return false;
}
