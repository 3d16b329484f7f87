/* fmt_onnx_ms.c - ONNX: operators of the domain com.microsoft. Layer: format. Thread rule: no
 * shared state. */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_ms_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
