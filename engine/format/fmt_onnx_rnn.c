/* fmt_onnx_rnn.c - ONNX: recurrent operators. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_rnn_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
