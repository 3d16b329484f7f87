/* fmt_tflite_rnn.c - TensorFlow Lite's operators of recurrent networks. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

const fmt_tfl_row fmt_tfl_rnn_rows[] = {
    /* code, options, inputs, results, reader */
    {.read = NULL},
};
