/* fmt_onnx_math.c - ONNX: operators on numbers. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_math_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
