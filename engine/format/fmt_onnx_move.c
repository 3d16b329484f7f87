/* fmt_onnx_move.c - ONNX: operators that move values. Layer: format. Thread rule: no shared state.
 */
#include "engine/format/fmt_onnx.h"

const fmt_onnx_row fmt_onnx_move_rows[] = {
    /* operator, inputs, reader */
    {.op = NULL},
};
