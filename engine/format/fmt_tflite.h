/* fmt_tflite.h - the parts of the TensorFlow Lite reader. Layer: format (inside).
 * Slot numbers are those of the TensorFlow Lite schema (file identifier TFL3). */
#ifndef FMT_TFLITE_H
#define FMT_TFLITE_H

#include "engine/format/flatbuf.h"
#include "engine/ir/graph.h"

#define FMT_TFL_HANDLES   64
#define FMT_TFL_NO_RESULT 255 /* fmt_tfl_row.outs of an operator that only has an effect */

typedef struct fmt_tfl {
    fmt_fb fb;
    ir_graph *g;
    nf_error *err;
    fmt_vector opcodes, buffers, tensors, graphs;
    int32_t *map; /* [tensors.n]: index in the graph + 1; 0 = not read yet */
    size_t left;  /* bytes that may still be copied: tables can be shared, a file can be a bomb */
    int depth;    /* of bodies in bodies */
    struct {      /* resources: what VAR_HANDLE made, by the variable's name */
        nf_span name;
        int32_t file_tensor, variable; /* variable: in the graph, IR_NONE until its type is known */
    } handles[FMT_TFL_HANDLES];
    size_t n_handles;
} fmt_tfl;

typedef struct fmt_tfl_op {
    const struct fmt_tfl_row *row;
    fmt_vector in, out; /* int32 tensor indices of the file */
    fmt_vector inner;   /* the same, of tensors that only have a scale: inside an integer LSTM */
    fmt_table options;
    nf_bytes custom; /* options of a custom operator, in a form of its own */
} fmt_tfl_op;

/* An operator of the format. The tables below end with a row without a function. */
typedef struct fmt_tfl_row {
    int32_t code;
    uint8_t options;     /* member of the BuiltinOptions union; 0 = the op reads none */
    uint8_t least, most; /* inputs; most 0 = any number */
    uint8_t outs;        /* most results; 0 = any number */
    nf_status (*read)(fmt_tfl *t, const fmt_tfl_op *op);
} fmt_tfl_row;

extern const fmt_tfl_row fmt_tfl_core_rows[], fmt_tfl_math_rows[], fmt_tfl_move_rows[],
    fmt_tfl_nn_rows[], fmt_tfl_rnn_rows[], fmt_tfl_flow_rows[], fmt_tfl_detect_rows[];

#define FMT_TFL_CUSTOM 32 /* code of the operators that go by a name */

/* A custom operator; the table ends with a row without a name. */
typedef struct fmt_tfl_custom {
    const char *name;
    fmt_tfl_row row;
} fmt_tfl_custom;

extern const fmt_tfl_custom fmt_tfl_custom_rows[];

/** Adds a node with the operator's first n_in inputs (-1 is an absent one) and all its results. */
nf_status fmt_tfl_add(ir_node **node, fmt_tfl *t, const fmt_tfl_op *op, ir_op kind, int32_t n_in);

/** The graph's tensor for input i of the operator, which must be there: NF_EFORMAT when it is left
 * out. Valid until the next tensor is added. */
nf_status fmt_tfl_in(const ir_tensor **x, fmt_tfl *t, const fmt_tfl_op *op, size_t i);

/** Limits of a fused activation: 0 none, 1 RELU, 2 RELU_N1_TO_1, 3 RELU6. NF_EUNSUPPORTED. */
nf_status fmt_tfl_clamp(ir_clamp *out, fmt_tfl *t, uint8_t activation);

/** Reads subgraph `index` of the file as a body of t->g and gives its place among the bodies. */
nf_status fmt_tfl_body(int32_t *out, fmt_tfl *t, uint32_t index);

/** A tensor between the graph's nodes that make up one operator. */
nf_status fmt_tfl_temp(int32_t *out, fmt_tfl *t, const char *suffix, eng_dtype dtype);

/** A new constant of whole numbers, rank 1. */
nf_status fmt_tfl_new_ints(int32_t *out, fmt_tfl *t, const int64_t *v, size_t n);

/** The operator's row, NULL when we lack it; custom: the name of a custom one. */
const fmt_tfl_row *fmt_tfl_find(int32_t code, nf_span custom);

/** Name of a built-in operator, NULL when the code is newer than our list. */
const char *fmt_tfl_name(int32_t code);

/** The graph's tensor for the file's tensor `index`, read when it is first asked for. */
nf_status fmt_tfl_tensor(int32_t *out, fmt_tfl *t, int32_t index);

/** As fmt_tfl_tensor, for an input of the model: its first dimension may be the batch. */
nf_status fmt_tfl_input(int32_t *out, fmt_tfl *t, int32_t index);

/** Up to `most` numbers of a constant INT32 or INT64 tensor. NF_EUNSUPPORTED: not constant. */
nf_status fmt_tfl_ints(int64_t *out, size_t *n, size_t most, fmt_tfl *t, int32_t index);

/** Reads the names of the signature and the metadata into t->g->about. NF_ENOMEM. */
nf_status fmt_tfl_notes(fmt_tfl *t, fmt_table model, fmt_table graph);

/** NF_EFORMAT when the flatbuffer led out of the file. */
nf_status fmt_tfl_check(const fmt_tfl *t);

#endif /* FMT_TFLITE_H */
