/* fuzz_tflite.c - any bytes into the tflite reader: a graph or a clean error, and nothing leaks.
 * Layer: tests. */
#include "engine/base/mem.h"
#include "engine/format/fmt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const nf_bytes file = {data, size};
    nf_error err = {0};
    ir_graph *g = NULL;
    nf_status st;
    if (!fmt_tflite.probe(file)) return 0;
    if (ir_graph_create(&g, &err)) return 0;
    st = fmt_tflite.read(g, file, &err);
    if (!st) st = ir_graph_verify(g, &err);
    ir_graph_destroy(&g);
    /* An error always says what it was, and everything is given back. */
    if ((st && (err.status != st || !err.text[0])) || nf_mem_live_all()) abort();
    return 0;
}
