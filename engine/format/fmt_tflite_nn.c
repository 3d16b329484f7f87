/* fmt_tflite_nn.c - TensorFlow Lite's operators of networks. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

const fmt_tfl_row fmt_tfl_nn_rows[] = {
    /* code, options, inputs, results, reader */
    {.read = NULL},
};
