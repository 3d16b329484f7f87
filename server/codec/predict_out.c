/* predict_out.c - writes tensors and predict replies. Layer: server/codec. Thread rule: no shared
 * state. */
#include "server/base/json_out.h"
#include "server/codec/codec.h"
#include "server/codec/tensor_in.h"
#include "server/wire/wire.h"

nf_status srv_call_outputs(srv_call *call, srv_arena *arena, nf_error *err)
{
    for (size_t i = 0; i < call->info->n_outputs; i++) {
        const eng_io *io = &call->info->outputs[i];
        eng_view *v = &call->out[i];
        if (v->bytes == 0) v->dtype = srv_wire_dtype(io); /* else the request asked for a type */
        const bool fits = nf_mul_size(&v->bytes, io->row_elems, eng_dtype_size(v->dtype)) &&
                          nf_mul_size(&v->bytes, v->bytes, call->rows);
        v->data = fits ? srv_arena_alloc(arena, v->bytes) : NULL;
        if (!v->data)
            return nf_fail(err, NF_ETOOLARGE, io->name,
                           "%zu rows of %zu values do not fit into the memory of a request",
                           call->rows, io->row_elems);
    }
    return NF_OK;
}

static void write_value(srv_buf *b, const eng_view *v, size_t i)
{
    switch (v->dtype) {
    case ENG_F32:
        srv_json_f32(b, ((const float *)v->data)[i]);
        return;
    case ENG_F64:
        srv_json_f64(b, ((const double *)v->data)[i]);
        return;
    case ENG_I8:
        srv_buf_i64(b, ((const int8_t *)v->data)[i]);
        return;
    case ENG_U8:
        srv_buf_u64(b, ((const uint8_t *)v->data)[i]);
        return;
    case ENG_I16:
        srv_buf_i64(b, ((const int16_t *)v->data)[i]);
        return;
    case ENG_I32:
        srv_buf_i64(b, ((const int32_t *)v->data)[i]);
        return;
    case ENG_I64:
        srv_buf_i64(b, ((const int64_t *)v->data)[i]);
        return;
    case ENG_BOOL:
        srv_buf_text(b, ((const uint8_t *)v->data)[i] ? "true" : "false");
        return;
    case ENG_U16:
        srv_buf_u64(b, ((const uint16_t *)v->data)[i]);
        return;
    case ENG_U32:
        srv_buf_u64(b, ((const uint32_t *)v->data)[i]);
        return;
    case ENG_U64:
        srv_buf_u64(b, ((const uint64_t *)v->data)[i]);
        return;
    case ENG_STR:
        srv_json_string(b, ((const nf_span *)v->data)[i]);
        return;
    case ENG_F16: /* the session gives these as FP32 */
    case ENG_BF16:
    case ENG_DTYPE_COUNT:
        return;
    }
}

void srv_write_flat(srv_buf *b, const eng_view *v, size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i) srv_buf_char(b, ',');
        write_value(b, v, from + i);
    }
}

/* Brackets that stand before (open) or behind element i: one for each level whose block of elements
 * starts or ends there. */
static int brackets_at(size_t i, const size_t *block, int rank)
{
    int n = 0;
    while (n < rank && i % block[rank - 1 - n] == 0)
        n++;
    return n;
}

void srv_write_nested(srv_buf *b, const eng_view *v, size_t from, const size_t *dim, int rank)
{
    size_t block[SRV_NEST_MOST], count = 1;
    for (int i = rank; i-- > 0;) /* block[i]: elements of one array of level i */
        block[i] = count *= dim[i];
    for (size_t i = 0; i < count; i++) {
        if (i) srv_buf_char(b, ',');
        for (int n = brackets_at(i, block, rank); n > 0; n--)
            srv_buf_char(b, '[');
        write_value(b, v, from + i);
        for (int n = brackets_at(i + 1, block, rank); n > 0; n--)
            srv_buf_char(b, ']');
    }
}

/* Shape of `rows` rows; rows 0: of one row, without the batch. Returns the rank. */
static int shape_of(size_t *dim, const eng_io *io, size_t rows)
{
    int rank = 0;
    if (rows) dim[rank++] = rows;
    for (int i = io->batched ? 1 : 0; i < io->rank; i++)
        dim[rank++] = (size_t)io->dim[i];
    return rank;
}

static void write_row(srv_buf *b, const srv_call *call, size_t output, size_t row)
{
    size_t dim[ENG_MAX_RANK + 1];
    const eng_io *io = &call->info->outputs[output];
    const int rank = shape_of(dim, io, 0);
    srv_write_nested(b, &call->out[output], row * io->row_elems, dim, rank);
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
            srv_json_key(b, call->info->outputs[i].name);
            write_row(b, call, i, row);
        }
        srv_buf_char(b, '}');
    }
    srv_buf_char(b, ']');
}

static void write_column(srv_buf *b, const srv_call *call, size_t output)
{
    size_t dim[ENG_MAX_RANK + 1];
    const eng_io *io = &call->info->outputs[output];
    const bool whole = !io->batched && call->rows == 1;
    const int rank = shape_of(dim, io, whole ? 0 : call->rows);
    srv_write_nested(b, &call->out[output], 0, dim, rank);
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
        srv_json_key(b, call->info->outputs[i].name);
        write_column(b, call, i);
    }
    srv_buf_char(b, '}');
}

/* The most likely class of each row. */
static void write_classes(srv_buf *b, const srv_call *call, const char *const *labels)
{
    const size_t n = call->info->outputs[0].row_elems;
    const float *row = call->out[0].data;
    srv_buf_text(b, ",\"" WIRE_KEY_CLASSES "\":[");
    for (size_t r = 0; r < call->rows; r++, row += n) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            if (row[i] > row[best]) best = i;
        srv_buf_text(b, r ? ",{\"" WIRE_KEY_LABEL "\":" : "{\"" WIRE_KEY_LABEL "\":");
        srv_json_text(b, labels[best]);
        srv_buf_text(b, ",\"" WIRE_KEY_INDEX "\":");
        srv_buf_u64(b, best);
        srv_buf_text(b, ",\"" WIRE_KEY_CONFIDENCE "\":");
        srv_json_f32(b, row[best]);
        srv_buf_char(b, '}');
    }
    srv_buf_char(b, ']');
}

void srv_predict_encode(srv_buf *b, const srv_call *call, const srv_face *face)
{
    if (call->row_form)
        write_predictions(b, call);
    else
        write_columns(b, call);
    if (face->labels && call->out[0].dtype == ENG_F32) write_classes(b, call, face->labels);
    srv_buf_text(b, ",\"" WIRE_KEY_MODEL "\":");
    srv_json_text(b, face->name);
    srv_buf_text(b, ",\"" WIRE_KEY_VERSION "\":");
    srv_json_text(b, face->version);
    srv_buf_text(b, "}\n");
}
