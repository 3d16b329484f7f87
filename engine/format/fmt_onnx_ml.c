/* fmt_onnx_ml.c - ONNX: classical machine learning, domain ai.onnx.ml. Layer: format. Thread rule:
 * no shared state. */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_ml_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
