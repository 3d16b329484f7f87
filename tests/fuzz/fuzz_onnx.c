/* fuzz_onnx.c - any bytes into the onnx reader: a graph or a clean error, and nothing leaks.
 * Layer: tests. */
#include "tests/support/fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_reader(&fmt_onnx, (nf_bytes){data, size});
    return 0;
}
