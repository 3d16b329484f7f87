/* fuzz_zip.c - any bytes as the end of a model file: an entry that lies in it, or none. Layer:
 * tests. */
#include "engine/format/fmt_zip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const nf_bytes file = {data, size};
    nf_bytes out;
    if (fmt_zip_find(&out, file, (nf_span){"labels.txt", 10}) &&
        (out.data < data || out.len > size || out.data > data + size - out.len))
        abort();
    return 0;
}
