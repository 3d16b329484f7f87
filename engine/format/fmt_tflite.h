/* fmt_tflite.h - the parts of the TensorFlow Lite reader. Layer: format (inside).
 * Slot numbers are those of the TensorFlow Lite schema (file identifier TFL3). */
#ifndef FMT_TFLITE_H
#define FMT_TFLITE_H

#include "engine/format/flatbuf.h"
#include "engine/ir/graph.h"

typedef struct fmt_tfl {
    fmt_fb fb;
    ir_graph *g;
    nf_error *err;
    fmt_vector opcodes, buffers, tensors;
    int32_t *map; /* [tensors.n]: index in the graph + 1; 0 = not read yet */
    size_t left;  /* bytes that may still be copied: tables can be shared, a file can be a bomb */
} fmt_tfl;

typedef struct fmt_tfl_op {
    const struct fmt_tfl_row *row;
    fmt_vector in, out; /* int32 tensor indices of the file */
    fmt_table options;
} fmt_tfl_op;

typedef struct fmt_tfl_row {
    int32_t code;
    uint8_t options;     /* member of the BuiltinOptions union; 0 = the op reads none */
    uint8_t least, most; /* inputs */
    nf_status (*read)(fmt_tfl *t, const fmt_tfl_op *op);
} fmt_tfl_row;

/** The operator's row, NULL when we lack it. */
const fmt_tfl_row *fmt_tfl_find(int32_t code);

/** Name of a built-in operator, NULL when the code is newer than our list. */
const char *fmt_tfl_name(int32_t code);

/** The graph's tensor for the file's tensor `index`, read when it is first asked for. */
nf_status fmt_tfl_tensor(int32_t *out, fmt_tfl *t, int32_t index);

/** As fmt_tfl_tensor, for an input of the model: its first dimension may be the batch. */
nf_status fmt_tfl_input(int32_t *out, fmt_tfl *t, int32_t index);

/** Up to `most` numbers of a constant INT32 or INT64 tensor. NF_EUNSUPPORTED: not constant. */
nf_status fmt_tfl_ints(int64_t *out, size_t *n, size_t most, fmt_tfl *t, int32_t index);

/** NF_EFORMAT when the flatbuffer led out of the file. */
nf_status fmt_tfl_check(const fmt_tfl *t);

#endif /* FMT_TFLITE_H */
