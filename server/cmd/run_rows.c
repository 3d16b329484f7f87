/* run_rows.c - answers as lines of CSV, lines of JSON, or bytes. Layer: server/cmd. Thread rule:
 * main thread. */
#include "server/base/json_out.h"
#include "server/cmd/run_parts.h"

#include <stdio.h>
#include <string.h>

/* A text field, in quotes where it needs them. Source: RFC 4180. */
static void csv_span(srv_buf *b, nf_span text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len; i++)
        plain &= !strchr(",;\"\r\n", text.s[i]);
    if (plain) {
        srv_buf_add(b, text.s, text.len);
        return;
    }
    srv_buf_char(b, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.s[i] == '"') srv_buf_char(b, '"');
        srv_buf_char(b, text.s[i]);
    }
    srv_buf_char(b, '"');
}

static void csv_field(srv_buf *b, const char *text)
{
    csv_span(b, (nf_span){text, strlen(text)});
}

/* The labels over their scores, else NAME_I; then "label" and "anomaly", where there are such. */
void run_csv_header(srv_buf *b, const run_model *r)
{
    const eng_info *const info = r->m->info;
    const srv_face *const f = &r->m->face;
    for (size_t i = 0; i < info->n_outputs; i++)
        for (size_t k = 0; k < info->outputs[i].row_elems; k++) {
            char name[256];
            snprintf(name, sizeof(name), "%s_%zu", info->outputs[i].name, k);
            if (i || k) srv_buf_char(b, ',');
            csv_field(b, f->labels && i == f->scores ? f->labels[k] : name);
        }
    srv_buf_text(b, f->labels ? ",label" : "");
    srv_buf_text(b, f->anomaly ? ",anomaly\n" : "\n");
}

static void csv_values(srv_buf *b, const eng_view *v, size_t from, size_t n)
{
    if (v->dtype != ENG_STR) {
        srv_write_flat(b, v, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (i) srv_buf_char(b, ',');
        csv_span(b, ((const nf_span *)v->data)[from + i]);
    }
}

static bool is_anomaly(const run_model *r, size_t row)
{
    const srv_anomaly *const a = r->m->face.anomaly;
    const double score = srv_value_of(&r->call.out[a->output], row);
    return a->above ? score > a->threshold : score < a->threshold;
}

void run_csv_row(srv_buf *b, const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const long best = run_model_class(r, row);
    for (size_t i = 0; i < info->n_outputs; i++) {
        const size_t n = info->outputs[i].row_elems;
        if (i) srv_buf_char(b, ',');
        csv_values(b, &r->call.out[i], row * n, n);
    }
    if (best >= 0) {
        srv_buf_char(b, ',');
        csv_field(b, r->m->face.labels[best]);
    }
    if (r->m->face.anomaly) srv_buf_text(b, is_anomaly(r, row) ? ",true" : ",false");
    srv_buf_char(b, '\n');
}

/* A row of fixed size as a flat list, one of open size as it is nested. */
static void json_row(srv_buf *b, const run_model *r, size_t output, size_t row)
{
    const size_t n = run_model_row(r, output);
    const srv_out_shape *const s = &r->call.shape[output];
    if (r->m->info->shapes == ENG_SHAPES_OPEN) {
        srv_write_nested(b, &r->call.out[output], row * n, s->dim + s->stacked,
                         s->rank - s->stacked);
        return;
    }
    srv_buf_char(b, '[');
    srv_write_flat(b, &r->call.out[output], row * n, n);
    srv_buf_char(b, ']');
}

void run_ndjson_row(srv_buf *b, const run_model *r, size_t row)
{
    const eng_info *const info = r->m->info;
    const srv_face *const f = &r->m->face;
    const long best = run_model_class(r, row);
    srv_buf_text(b, info->n_outputs == 1 ? "{\"prediction\":" : "{\"prediction\":{");
    for (size_t i = 0; i < info->n_outputs; i++) {
        if (i) srv_buf_char(b, ',');
        if (info->n_outputs > 1) srv_json_key(b, info->outputs[i].name);
        json_row(b, r, i, row);
    }
    if (info->n_outputs > 1) srv_buf_char(b, '}');
    if (best >= 0) {
        srv_buf_char(b, ',');
        srv_json_pair(b, "label", f->labels[best]);
        srv_buf_text(b, ",\"confidence\":");
        srv_write_flat(b, &r->call.out[f->scores], row * f->n_labels + (size_t)best, 1);
    }
    if (f->anomaly)
        srv_buf_text(b, is_anomaly(r, row) ? ",\"is_anomaly\":true" : ",\"is_anomaly\":false");
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
    for (size_t i = 0; m->face.labels && i < m->face.n_labels; i++)
        if (nf_span_is(name, m->face.labels[i])) return (long)i;
    return -1;
}
