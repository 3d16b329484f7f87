/* fmt.c - the table of format readers. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt.h"

static const fmt_reader *const readers[] = {&fmt_tflite, &fmt_onnx};

nf_status fmt_read(ir_graph **out, nf_bytes file, nf_error *err)
{
    return fmt_read_in(out, file, NULL, err);
}

nf_status fmt_read_in(ir_graph **out, nf_bytes file, const char *folder, nf_error *err)
{
    const fmt_reader *reader = NULL;
    ir_graph *g = NULL;
    nf_status st;

    *out = NULL;
    for (size_t i = 0; i < NF_COUNT(readers) && !reader; i++)
        if (readers[i]->probe(file)) reader = readers[i];
    if (!reader)
        return nf_fail(err, NF_EUNSUPPORTED, "model file",
                       "the %zu bytes are neither a .tflite nor an .onnx file", file.len);
    if ((st = ir_graph_create(&g, err))) goto done;
    g->format = reader->name;
    g->folder = folder;
    st = reader->read(g, file, err);
    g->folder = NULL; /* borrowed for reading only */
    if (st) goto done;
    if ((st = ir_graph_verify(g, err))) goto done;
    *out = g; /* handed over: the caller destroys it */
    g = NULL;
done:
    ir_graph_destroy(&g);
    return st;
}
