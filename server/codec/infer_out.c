/* infer_out.c - writes Open Inference Protocol replies in JSON. Layer: server/codec. Thread rule:
 * no shared state. */
#include "server/base/json_out.h"
#include "server/codec/codec.h"
#include "server/wire/wire.h"

/* Always the whole shape, with the batch in front; data flat. */
static void write_output(srv_buf *b, const srv_call *call, size_t index)
{
    const eng_view *v = &call->out[index];
    const srv_out_shape *s = &call->shape[index];
    srv_buf_char(b, '{');
    srv_json_pair(b, WIRE_KEY_NAME, srv_output_name(call, index));
    srv_buf_text(b, ",\"" WIRE_KEY_DATATYPE "\":\"");
    srv_buf_text(b, eng_dtype_oip(v->dtype));
    srv_buf_text(b, "\",\"" WIRE_KEY_SHAPE "\":[");
    for (int i = 0; i < s->rank; i++) {
        if (i) srv_buf_char(b, ',');
        srv_buf_u64(b, s->dim[i]);
    }
    srv_buf_text(b, "],\"" WIRE_KEY_DATA "\":[");
    srv_write_flat(b, v, 0, v->bytes / eng_dtype_size(v->dtype));
    srv_buf_text(b, "]}");
}

void srv_infer_encode(srv_buf *b, const srv_call *call, const srv_face *face)
{
    srv_buf_char(b, '{');
    if (call->has_id) {
        srv_json_key(b, WIRE_KEY_ID);
        srv_json_string(b, call->id);
        srv_buf_char(b, ',');
    }
    srv_json_pair(b, WIRE_KEY_MODEL_NAME, face->name);
    srv_buf_char(b, ',');
    srv_json_pair(b, WIRE_KEY_MODEL_VERSION, face->version);
    srv_buf_text(b, ",\"" WIRE_KEY_OUTPUTS "\":[");
    for (size_t i = 0; i < call->n_asked; i++) {
        if (i) srv_buf_char(b, ',');
        write_output(b, call, call->asked[i]);
    }
    srv_buf_text(b, "]}\n");
}
