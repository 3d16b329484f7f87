/* fmt_tflite_math.c - TensorFlow Lite's operators of numbers. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

const fmt_tfl_row fmt_tfl_math_rows[] = {
    /* code, options, inputs, results, reader */
    {.read = NULL},
};
