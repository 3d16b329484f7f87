/* codec_model.c - faces of models for codec tests. Layer: tests. */
#include "tests/support/codec_model.h"

static const eng_io two_in[] = {
    {.name = "a", .dtype = ENG_F32, .batched = true, .rank = 3, .dim = {1, 2, 1}, .row_elems = 2},
    {.name = "b", .dtype = ENG_I64, .batched = true, .rank = 1, .dim = {1}, .row_elems = 1}};
static const eng_io two_out[] = {
    {.name = "y", .dtype = ENG_F32, .batched = true, .rank = 2, .dim = {1, 2}, .row_elems = 2},
    {.name = "z", .dtype = ENG_BOOL, .batched = true, .rank = 2, .dim = {1, 1}, .row_elems = 1}};
static const eng_io one_in[] = {{.name = "x",
                                 .dtype = ENG_I8,
                                 .quantized = true,
                                 .scale = 0.5f,
                                 .batched = true,
                                 .rank = 3,
                                 .dim = {1, 3, 1},
                                 .row_elems = 3}};
static const eng_io one_out[] = {{.name = "p",
                                  .dtype = ENG_I8,
                                  .quantized = true,
                                  .scale = 0.5f,
                                  .batched = true,
                                  .rank = 2,
                                  .dim = {1, 3},
                                  .row_elems = 3}};
static const eng_io fixed_in[] = {
    {.name = "w", .dtype = ENG_F32, .rank = 2, .dim = {2, 2}, .row_elems = 4}};
static const eng_io fixed_out[] = {
    {.name = "v", .dtype = ENG_F32, .rank = 1, .dim = {2}, .row_elems = 2}};

static const eng_io open_in[] = {
    {.name = "o", .dtype = ENG_F32, .batched = true, .open = true, .rank = 3, .dim = {1, -1, 2}}};
static const eng_io text_in[] = {
    {.name = "t", .dtype = ENG_STR, .batched = true, .rank = 2, .dim = {1, 2}, .row_elems = 2}};

const eng_info codec_open = {.inputs = open_in,
                             .outputs = open_in,
                             .n_inputs = 1,
                             .n_outputs = 1,
                             .shapes = ENG_SHAPES_OPEN,
                             .format = "onnx"};
const eng_info codec_text = {
    .inputs = text_in, .outputs = text_in, .n_inputs = 1, .n_outputs = 1, .format = "onnx"};
const eng_info codec_two = {
    .inputs = two_in, .outputs = two_out, .n_inputs = 2, .n_outputs = 2, .format = "tflite"};
const eng_info codec_one = {
    .inputs = one_in, .outputs = one_out, .n_inputs = 1, .n_outputs = 1, .format = "tflite"};
const eng_info codec_fixed = {
    .inputs = fixed_in, .outputs = fixed_out, .n_inputs = 1, .n_outputs = 1, .format = "tflite"};

void codec_echo(srv_call *call)
{
    const eng_view *v = &call->in[0];
    srv_out_shape *s = &call->shape[0];
    call->out[0] = *v;
    *s = (srv_out_shape){.rank = v->rank};
    for (int i = 0; i < v->rank; i++)
        s->dim[i] = (size_t)v->dim[i];
    s->stacked = s->rank > 0 && s->dim[0] == call->rows;
}

void codec_fill_outputs(srv_call *call)
{
    for (size_t i = 0; i < call->info->n_outputs; i++) {
        const eng_view *v = &call->out[i];
        for (size_t k = 0; k < call->rows * call->info->outputs[i].row_elems; k++) {
            if (v->dtype == ENG_F32) ((float *)v->data)[k] = (float)k + 0.5f;
            if (v->dtype == ENG_I8) ((int8_t *)v->data)[k] = (int8_t)k;
            if (v->dtype == ENG_BOOL) ((uint8_t *)v->data)[k] = k & 1;
        }
    }
}
