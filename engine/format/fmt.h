/* fmt.h - format readers: bytes in, graph out. Layer: format. Thread rule: no shared state. */
#ifndef FMT_H
#define FMT_H

#include "engine/ir/graph.h"

typedef struct fmt_reader {
    const char *name;             /* "tflite" */
    bool (*probe)(nf_bytes head); /* by content, never by name */
    nf_status (*read)(ir_graph *g, nf_bytes file, nf_error *err);
} fmt_reader;

extern const fmt_reader fmt_tflite, fmt_onnx;

/** Finds the reader that knows the bytes, reads, verifies. *out is the caller's. NF_EFORMAT
 * (malformed, says where), NF_EUNSUPPORTED (unknown format, or every missing op with its count),
 * NF_ENOMEM. Nothing in *out points into `file`. */
nf_status fmt_read(ir_graph **out, nf_bytes file, nf_error *err);

/** As fmt_read, for a file that may have content in others beneath `folder` (NULL: it may not). */
nf_status fmt_read_in(ir_graph **out, nf_bytes file, const char *folder, nf_error *err);

#endif /* FMT_H */
