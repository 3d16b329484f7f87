/* fuzz_tflite.c - any bytes into the tflite reader: a graph or a clean error, and nothing leaks.
 * Layer: tests. */
#include "tests/support/fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_reader(&fmt_tflite, (nf_bytes){data, size});
    return 0;
}
