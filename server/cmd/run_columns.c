/* run_columns.c - columns found by name, by number or by order. Layer: server/cmd. Thread rule:
 * main thread. */
#include "server/cmd/run_columns.h"

#include "engine/base/mem.h"
#include "server/table/decimal.h"

#include <stdio.h>

static const char where[] = "columns";

static long find_name(const run_columns *c, nf_span name)
{
    for (size_t i = 0; i < c->n_names; i++)
        if (nf_span_is(name, c->names[i])) return (long)i;
    return -1;
}

const char *run_columns_name(const run_columns *c, size_t column)
{
    return column < c->n_names ? c->names[column] : NULL;
}

static nf_status keep_names(run_columns *c, const nf_span *header, size_t n, nf_error *err)
{
    c->names = nf_alloc_array(n + 1, sizeof(*c->names), NF_MEM_MISC);
    if (!c->names) return nf_fail(err, NF_ENOMEM, where, "no memory for %zu names", n);
    for (; c->n_names < n; c->n_names++) {
        const nf_span s = header[c->n_names];
        c->names[c->n_names] = nf_strdup(s.s, s.len, NF_MEM_MISC);
        if (!c->names[c->n_names]) return nf_fail(err, NF_ENOMEM, where, "no memory");
    }
    return NF_OK;
}

/* Takes the text up to `stop` off *rest, without blanks around it. */
static nf_span take(nf_span *rest, char stop)
{
    const char *const at = memchr(rest->s, stop, rest->len);
    nf_span s = {rest->s, at ? (size_t)(at - rest->s) : rest->len};
    const size_t used = s.len + (at != NULL);
    *rest = (nf_span){rest->s + used, rest->len - used};
    for (; s.len && s.s[0] == ' '; s.s++)
        s.len--;
    for (; s.len && s.s[s.len - 1] == ' ';)
        s.len--;
    return s;
}

static nf_status column_of(size_t *out, const run_columns *c, nf_span name, nf_error *err)
{
    int64_t number;
    const long at = find_name(c, name);
    if (at < 0 && (!srv_decimal_i64(&number, name.s, name.len) || number < 1 ||
                   (uint64_t)number > c->n_cells))
        return nf_fail(err, NF_EINVAL, where, "no column '%.*s' among %zu%s",
                       (int)(name.len < 60 ? name.len : 60), name.s, c->n_cells,
                       c->n_names ? "" : " (there is no header)");
    *out = at >= 0 ? (size_t)at : (size_t)number - 1;
    return NF_OK;
}

/* The input that `name` means, and where its elements begin among all. */
static const eng_io *find_input(size_t *first, const run_columns *c, nf_span name)
{
    *first = 0;
    for (size_t i = 0; i < c->info->n_inputs; i++) {
        const eng_io *io = &c->info->inputs[i];
        if (nf_span_is(name, io->name)) return io;
        *first += io->row_elems;
    }
    return NULL;
}

/* "x=a,b" or, for a model of one input, "a,b". */
static nf_status choose_input(run_columns *c, nf_span text, nf_error *err)
{
    size_t first = 0, n = 0;
    const eng_io *io = &c->info->inputs[0];
    nf_span rest = text;
    nf_status st;
    if (memchr(text.s, '=', text.len)) {
        const nf_span name = take(&rest, '=');
        io = find_input(&first, c, name);
        if (!io)
            return nf_fail(err, NF_EINVAL, where, "the model has no input '%.*s'",
                           (int)(name.len < 60 ? name.len : 60), name.s);
    } else if (c->info->n_inputs > 1) {
        return nf_fail(err, NF_EINVAL, where, "expected INPUT=COLUMN,… with inputs like '%s'",
                       io->name);
    }
    for (bool last = false; !last; n++) {
        last = !memchr(rest.s, ',', rest.len);
        const nf_span name = take(&rest, ',');
        if (n < io->row_elems && (st = column_of(&c->column[first + n], c, name, err))) return st;
    }
    if (n != io->row_elems)
        return nf_fail(err, NF_EINVAL, where, "input '%s' takes %zu columns, got %s", io->name,
                       io->row_elems, n < io->row_elems ? "fewer" : "more");
    return NF_OK;
}

static nf_status choose(run_columns *c, const char *chosen, nf_error *err)
{
    nf_span rest = {chosen, strlen(chosen)};
    nf_status st;
    size_t done = 0;
    for (size_t k = 0; k < c->n; k++)
        c->column[k] = SIZE_MAX;
    while (rest.len)
        if ((st = choose_input(c, take(&rest, ';'), err))) return st;
    for (size_t k = 0; k < c->n; k++)
        done += c->column[k] != SIZE_MAX;
    if (done != c->n)
        return nf_fail(err, NF_EINVAL, where, "the inputs take %zu columns, %zu were chosen", c->n,
                       done);
    return NF_OK;
}

/* One input by NAME or NAME_0, NAME_1 …; false where the header has not all of them. */
static bool match_input(run_columns *c, const eng_io *io, size_t first)
{
    char name[256];
    for (size_t k = 0; k < io->row_elems; k++) {
        const int n = io->row_elems == 1 ? snprintf(name, sizeof(name), "%s", io->name)
                                         : snprintf(name, sizeof(name), "%s_%zu", io->name, k);
        if (n < 0 || (size_t)n >= sizeof(name)) return false;
        const long at = find_name(c, (nf_span){name, (size_t)n});
        if (at < 0) return false;
        c->column[first + k] = (size_t)at;
    }
    return true;
}

static bool match_names(run_columns *c)
{
    size_t first = 0;
    if (c->info->n_inputs < 2) return false;
    for (size_t i = 0; i < c->info->n_inputs; i++) {
        const eng_io *io = &c->info->inputs[i];
        if (c->n_names < io->row_elems || !match_input(c, io, first)) return false;
        first += io->row_elems;
    }
    return true;
}

static nf_status take_in_order(run_columns *c, nf_error *err)
{
    const size_t want = c->n + (c->label >= 0);
    if (c->n_names && c->n_names != want)
        return nf_fail(
            err, NF_EINVAL, where,
            "expected %zu columns for the inputs, the header has %zu%s: choose some with "
            "--columns",
            c->n, c->n_names - (c->label >= 0), c->label >= 0 ? " and a label" : "");
    c->n_cells = want;
    for (size_t k = 0, at = 0; k < c->n; at++)
        if ((long)at != c->label) c->column[k++] = at;
    return NF_OK;
}

nf_status run_columns_make(run_columns *c, const eng_info *info, const char *chosen,
                           const nf_span *header, size_t n_cells, nf_error *err)
{
    const run_missing missing = c->missing;
    const nf_span fill = c->fill;
    nf_status st;
    *c = (run_columns){.info = info, .missing = missing, .fill = fill, .label = -1};
    c->n_cells = n_cells;
    for (size_t i = 0; i < info->n_inputs; i++)
        if (!nf_add_size(&c->n, c->n, info->inputs[i].row_elems)) c->n = SIZE_MAX;
    c->column = nf_alloc_array(c->n, sizeof(*c->column), NF_MEM_MISC);
    if (!c->column) return nf_fail(err, NF_ENOMEM, where, "no memory for %zu columns", c->n);
    if (header && (st = keep_names(c, header, n_cells, err))) return st;
    c->label = find_name(c, (nf_span){"label", 5});
    if (*chosen) return choose(c, chosen, err);
    return match_names(c) ? NF_OK : take_in_order(c, err);
}

void run_columns_fini(run_columns *c)
{
    for (size_t i = 0; i < c->n_names; i++)
        nf_free(c->names[i]);
    nf_free(c->names);
    nf_free(c->column);
    *c = (run_columns){0};
}
