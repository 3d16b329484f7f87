/* run_csv.c - cells of one line to numbers of the inputs. Layer: server/cmd. Thread rule: main
 * thread. */
#include "server/cmd/run_csv.h"

#include "server/base/json_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MOST ((size_t)16 << 20)

void run_csv_init(run_csv *c, const cmd_model *m)
{
    *c = (run_csv){.m = m, .label_column = -1};
    for (size_t i = 0; i < m->info->n_inputs; i++)
        c->columns += m->info->inputs[i].row_elems;
}

/* Takes the next cell off *rest, without blanks and quotes around it; false when none is left. */
static bool next_cell(nf_span *cell, nf_span *rest)
{
    if (!rest->s) return false;
    size_t n = 0;
    while (n < rest->len && rest->s[n] != ',' && rest->s[n] != ';')
        n++;
    *cell = (nf_span){rest->s, n};
    *rest = n < rest->len ? (nf_span){rest->s + n + 1, rest->len - n - 1} : (nf_span){NULL, 0};
    while (cell->len && strchr(" \t\"", cell->s[0])) {
        cell->s++;
        cell->len--;
    }
    while (cell->len && strchr(" \t\"", cell->s[cell->len - 1]))
        cell->len--;
    return true;
}

static bool cell_number(double *out, nf_span cell)
{
    char text[64], *end;
    if (cell.len == 0 || cell.len >= sizeof(text)) return false;
    memcpy(text, cell.s, cell.len);
    text[cell.len] = '\0';
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

/* Is the first line a header? It is when a cell of it is no number. */
static bool read_header(run_csv *c, nf_span line)
{
    bool header = false;
    nf_span cell;
    double ignored;
    long label = -1;
    for (long i = 0; next_cell(&cell, &line); i++) {
        if (!cell_number(&ignored, cell)) header = true;
        if (nf_span_is(cell, "label")) label = i;
    }
    if (header) c->label_column = label;
    return header;
}

static long find_label(const cmd_model *m, nf_span cell)
{
    const size_t n = m->info->outputs[0].row_elems;
    const char *const *labels = cmd_model_labels(m, n);
    for (size_t i = 0; labels && i < n; i++)
        if (nf_span_is(cell, labels[i])) return (long)i;
    return -1;
}

/* What stands before element k of all inputs: brackets, and the names where there are several. */
static void open_element(srv_buf *out, const run_csv *c, size_t k)
{
    const eng_info *const info = c->m->info;
    size_t first = 0;
    for (size_t i = 0; i < info->n_inputs; first += info->inputs[i++].row_elems) {
        if (k != first) continue;
        if (i) srv_buf_char(out, ']');
        if (info->n_inputs > 1) {
            srv_buf_char(out, i ? ',' : '{');
            srv_json_key(out, info->inputs[i].name);
        }
        srv_buf_char(out, '[');
        return;
    }
    srv_buf_char(out, ',');
}

static nf_status wrong_count(const run_csv *c, const run_csv_line *line, size_t got, nf_error *err)
{
    return nf_fail(err, NF_EINVAL, line->name, "line %llu: expected %zu numbers%s, got %zu",
                   (unsigned long long)line->number, c->columns,
                   c->label_column >= 0 ? " and a label" : "", got);
}

nf_status run_csv_add(srv_buf *out, long *label, bool *header, run_csv *c, const run_csv_line *line,
                      nf_error *err)
{
    nf_span rest = line->text, cell;
    size_t k = 0;
    *label = -1;
    *header = !c->begun && read_header(c, line->text);
    c->begun = true;
    if (*header) return NF_OK;
    for (long i = 0; next_cell(&cell, &rest); i++) {
        double v;
        if (i == c->label_column) {
            *label = find_label(c->m, cell);
            continue;
        }
        if (k == c->columns) return wrong_count(c, line, k + 1, err);
        if (!cell_number(&v, cell))
            return nf_fail(err, NF_EINVAL, line->name,
                           "line %llu, column %ld: expected a number, got '%.*s'",
                           (unsigned long long)line->number, i + 1,
                           (int)(cell.len < 40 ? cell.len : 40), cell.s);
        open_element(out, c, k++);
        srv_json_f64(out, v);
    }
    if (k != c->columns) return wrong_count(c, line, k, err);
    srv_buf_text(out, c->m->info->n_inputs > 1 ? "]}" : "]");
    return NF_OK;
}

void run_csv_field(srv_buf *b, const char *text)
{
    if (!strpbrk(text, ",;\"\n")) {
        srv_buf_text(b, text);
        return;
    }
    srv_buf_char(b, '"');
    for (; *text; text++) {
        if (*text == '"') srv_buf_char(b, '"');
        srv_buf_char(b, *text);
    }
    srv_buf_char(b, '"');
}

nf_status run_csv_header(FILE *to, const cmd_model *m, nf_error *err)
{
    const eng_info *const info = m->info;
    const char *const *labels =
        info->n_outputs == 1 ? cmd_model_labels(m, info->outputs[0].row_elems) : NULL;
    srv_buf b = {.most = HEADER_MOST};
    for (size_t i = 0; i < info->n_outputs; i++)
        for (size_t k = 0; k < info->outputs[i].row_elems; k++) {
            char name[256];
            snprintf(name, sizeof(name), "%s_%zu", info->outputs[i].name, k);
            if (i || k) srv_buf_char(&b, ',');
            run_csv_field(&b, labels ? labels[k] : name);
        }
    srv_buf_text(&b, labels ? ",label\n" : "\n");
    const bool good = !b.failed && fwrite(b.data, 1, b.len, to) == b.len;
    srv_buf_fini(&b);
    return good ? NF_OK : nf_fail(err, NF_EIO, "output", "cannot write the header");
}
