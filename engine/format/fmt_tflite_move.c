/* fmt_tflite_move.c - TensorFlow Lite's operators of moving values. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

const fmt_tfl_row fmt_tfl_move_rows[] = {
    /* code, options, inputs, results, reader */
    {.read = NULL},
};
