/* fmt_tflite_flow.c - TensorFlow Lite's operators of control flow and variables. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

const fmt_tfl_row fmt_tfl_flow_rows[] = {
    /* code, options, inputs, results, reader */
    {.read = NULL},
};
