/* infer_out.c - writes Open Inference Protocol replies in JSON. Layer: server/codec. Thread rule:
 * no shared state. */
#include "server/base/json_out.h"
#include "server/codec/codec.h"
#include "server/wire/wire.h"

/* Always with the batch in front: [rows, …]; data flat. */
static void write_output(srv_buf *b, const srv_call *call, size_t index)
{
    const eng_io *io = &call->info->outputs[index];
    const eng_view *v = &call->out[index];
    const bool whole = !io->batched && call->rows == 1;
    srv_buf_char(b, '{');
    srv_json_pair(b, WIRE_KEY_NAME, io->name);
    srv_buf_text(b, ",\"" WIRE_KEY_DATATYPE "\":\"");
    srv_buf_text(b, eng_dtype_oip(v->dtype));
    srv_buf_text(b, "\",\"" WIRE_KEY_SHAPE "\":[");
    if (!whole) srv_buf_u64(b, call->rows);
    for (int i = io->batched ? 1 : 0; i < io->rank; i++) {
        if (!whole || i) srv_buf_char(b, ',');
        srv_buf_i64(b, io->dim[i]);
    }
    srv_buf_text(b, "],\"" WIRE_KEY_DATA "\":[");
    srv_write_flat(b, v, 0, call->rows * io->row_elems);
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
