/* run_rows.c - answers as lines of CSV, lines of JSON, or bytes. Layer: server/cmd. Thread rule:
 * main thread. */
#include "server/base/json_out.h"
#include "server/cmd/run_parts.h"

/* A text field, in quotes where it needs them. Source: RFC 4180. */
static void csv_field(srv_buf *b, const char *text)
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

/* The labels, or NAME_I, and "label" where there are labels. */
void run_csv_header(srv_buf *b, const run_model *r)
{
    const eng_info *const info = r->m->info;
    const char *const *labels =
        info->n_outputs == 1 ? cmd_model_labels(r->m, info->outputs[0].row_elems) : NULL;
    for (size_t i = 0; i < info->n_outputs; i++)
        for (size_t k = 0; k < info->outputs[i].row_elems; k++) {
            char name[256];
            snprintf(name, sizeof(name), "%s_%zu", info->outputs[i].name, k);
            if (i || k) srv_buf_char(b, ',');
            csv_field(b, labels ? labels[k] : name);
        }
    srv_buf_text(b, labels ? ",label\n" : "\n");
}

void run_csv_row(srv_buf *b, const run_model *r, size_t row)
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
        csv_field(b, cmd_model_labels(r->m, info->outputs[0].row_elems)[best]);
    }
    srv_buf_char(b, '\n');
}

static void flat_list(srv_buf *b, const run_model *r, size_t output, size_t row)
{
    const size_t n = r->m->info->outputs[output].row_elems;
    srv_buf_char(b, '[');
    srv_write_flat(b, &r->call.out[output], row * n, n);
    srv_buf_char(b, ']');
}

void run_ndjson_row(srv_buf *b, const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const long best = run_model_class(r, row);
    srv_buf_text(b, info->n_outputs == 1 ? "{\"prediction\":" : "{\"prediction\":{");
    for (size_t i = 0; i < info->n_outputs; i++) {
        if (i) srv_buf_char(b, ',');
        if (info->n_outputs > 1) srv_json_key(b, info->outputs[i].name);
        flat_list(b, r, i, row);
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

void run_raw_row(srv_buf *b, const run_model *r, size_t row)
{
    for (size_t i = 0; i < r->m->info->n_outputs; i++) {
        const eng_view *const v = &r->call.out[i];
        const size_t n = v->bytes / r->call.rows;
        srv_buf_add(b, (const char *)v->data + row * n, n);
    }
}

long run_class_of(const cmd_model *m, nf_span name)
{
    const size_t n = m->info->n_outputs ? m->info->outputs[0].row_elems : 0;
    const char *const *labels = cmd_model_labels(m, n);
    for (size_t i = 0; labels && i < n; i++)
        if (nf_span_is(name, labels[i])) return (long)i;
    return -1;
}
