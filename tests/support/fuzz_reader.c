/* fuzz_reader.c - any bytes into one reader. Layer: tests. */
#include "tests/support/fuzz_reader.h"

#include "engine/base/mem.h"

#include <stdlib.h>

void fuzz_reader(const fmt_reader *reader, nf_bytes file)
{
    nf_error err = {0};
    ir_graph *g = NULL;
    nf_status st;
    if (!reader->probe(file) || ir_graph_create(&g, &err)) return;
    st = reader->read(g, file, &err);
    if (!st) st = ir_graph_verify(g, &err);
    ir_graph_destroy(&g);
    /* An error always says what it was, and everything is given back. */
    if ((st && (err.status != st || !err.text[0])) || nf_mem_live_all()) abort();
}
