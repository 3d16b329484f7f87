/* fmt_onnx_nn.c - ONNX: operators of networks. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_nn_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
