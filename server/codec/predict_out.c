/* predict_out.c - writes predict replies. Layer: server/codec. Thread rule: no shared
 * state. */
#include "server/base/json_out.h"
#include "server/codec/codec.h"
#include "server/wire/wire.h"

/* Row `row` of an output; the whole of it where rows are not stacked. */
static void write_row(srv_buf *b, const srv_call *call, size_t output, size_t row)
{
    const srv_out_shape *s = &call->shape[output];
    size_t one = 1;
    for (int i = s->stacked; i < s->rank; i++)
        one *= s->dim[i];
    srv_write_nested(b, &call->out[output], row * one, s->dim + s->stacked, s->rank - s->stacked);
}

static void write_predictions(srv_buf *b, const srv_call *call)
{
    srv_buf_text(b, "{\"" WIRE_KEY_PREDICTIONS "\":[");
    for (size_t row = 0; row < call->rows; row++) {
        if (row) srv_buf_char(b, ',');
        if (call->info->n_outputs == 1) {
            write_row(b, call, 0, row);
            continue;
        }
        for (size_t i = 0; i < call->info->n_outputs; i++) {
            srv_buf_char(b, i ? ',' : '{');
            srv_json_key(b, srv_output_name(call, i));
            write_row(b, call, i, row);
        }
        srv_buf_char(b, '}');
    }
    srv_buf_char(b, ']');
}

static void write_column(srv_buf *b, const srv_call *call, size_t output)
{
    const srv_out_shape *s = &call->shape[output];
    srv_write_nested(b, &call->out[output], 0, s->dim, s->rank);
}

static void write_columns(srv_buf *b, const srv_call *call)
{
    srv_buf_text(b, "{\"" WIRE_KEY_OUTPUTS "\":");
    if (call->info->n_outputs == 1) {
        write_column(b, call, 0);
        return;
    }
    for (size_t i = 0; i < call->info->n_outputs; i++) {
        srv_buf_char(b, i ? ',' : '{');
        srv_json_key(b, srv_output_name(call, i));
        write_column(b, call, i);
    }
    srv_buf_char(b, '}');
}

/* Elements of one row of an output that has `rows` rows; 0: it has none. */
static size_t row_elems(const srv_call *call, size_t output)
{
    const eng_view *v = &call->out[output];
    const size_t n = v->bytes / eng_dtype_size(v->dtype);
    return call->rows && n % call->rows == 0 ? n / call->rows : 0;
}

static void write_number(srv_buf *b, const eng_view *v, size_t i)
{
    if (v->dtype == ENG_F32)
        srv_json_f32(b, ((const float *)v->data)[i]);
    else
        srv_json_f64(b, srv_value_of(v, i));
}

/* The most likely class of each row. */
static void write_classes(srv_buf *b, const srv_call *call, const srv_face *face)
{
    const size_t n = face->n_labels;
    const eng_view *v = &call->out[face->scores];
    if (row_elems(call, face->scores) != n || (v->dtype != ENG_F32 && v->dtype != ENG_F64)) return;
    srv_buf_text(b, ",\"" WIRE_KEY_CLASSES "\":[");
    for (size_t r = 0; r < call->rows; r++) {
        const size_t best = srv_best_of(v, r * n, n);
        srv_buf_text(b, r ? ",{\"" WIRE_KEY_LABEL "\":" : "{\"" WIRE_KEY_LABEL "\":");
        srv_json_text(b, face->labels[best]);
        srv_buf_text(b, ",\"" WIRE_KEY_INDEX "\":");
        srv_buf_u64(b, best);
        srv_buf_text(b, ",\"" WIRE_KEY_CONFIDENCE "\":");
        write_number(b, v, r * n + best);
        srv_buf_char(b, '}');
    }
    srv_buf_char(b, ']');
}

/* Score and verdict of each row. */
static void write_anomaly(srv_buf *b, const srv_call *call, const srv_anomaly *a)
{
    const eng_view *v = &call->out[a->output];
    if (row_elems(call, a->output) != 1) return;
    srv_buf_text(b, ",\"" WIRE_KEY_ANOMALY "\":[");
    for (size_t r = 0; r < call->rows; r++) {
        const double score = srv_value_of(v, r);
        const bool is = a->above ? score > a->threshold : score < a->threshold;
        srv_buf_text(b, r ? ",{\"score\":" : "{\"score\":");
        write_number(b, v, r);
        srv_buf_text(b, ",\"threshold\":");
        srv_json_f64(b, a->threshold);
        srv_buf_text(b, is ? ",\"is_anomaly\":true}" : ",\"is_anomaly\":false}");
    }
    srv_buf_char(b, ']');
}

void srv_predict_encode(srv_buf *b, const srv_call *call, const srv_face *face)
{
    if (call->row_form)
        write_predictions(b, call);
    else
        write_columns(b, call);
    if (face->labels) write_classes(b, call, face);
    if (face->anomaly) write_anomaly(b, call, face->anomaly);
    srv_buf_text(b, ",\"" WIRE_KEY_MODEL "\":");
    srv_json_text(b, face->name);
    srv_buf_text(b, ",\"" WIRE_KEY_VERSION "\":");
    srv_json_text(b, face->version);
    srv_buf_text(b, "}\n");
}
