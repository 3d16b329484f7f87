/* fmt_onnx_flow.c - ONNX: control flow. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_flow_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
