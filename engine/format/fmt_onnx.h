/* fmt_onnx.h - the parts of the ONNX reader. Layer: format (inside).
 * Field numbers are those of onnx.proto. The graph is read node by node, in an order in which they
 * can run; each result's shape is known at once. */
#ifndef FMT_ONNX_H
#define FMT_ONNX_H

#include "engine/format/protobuf.h"
#include "engine/ir/graph.h"

#define FMT_ONNX_CAPTURES 256 /* values that the bodies of one node may capture */
#define FMT_ONNX_DEPTH    8   /* bodies in bodies */

/* A constant: a TensorProto whose content is decoded when it is needed, or one made here. */
typedef struct fmt_onnx_const {
    int32_t type; /* TensorProto.DataType */
    int rank;
    int64_t dim[ENG_MAX_RANK];
    nf_bytes proto;
    uint8_t *data; /* owned, decoded; NULL = not yet */
    bool wide;     /* doubles stay doubles */
    bool outside;  /* external data: proto only says where it is */
} fmt_onnx_const;

typedef enum fmt_onnx_kind {
    FMT_ONNX_COMPUTED, /* result of a node, or an input of the model */
    FMT_ONNX_CONST,
    FMT_ONNX_DQ, /* a DequantizeLinear of a constant: nodes may want it in another layout */
    FMT_ONNX_ALIAS,
    FMT_ONNX_LIST /* a sequence whose tensors are known one by one */
} fmt_onnx_kind;

typedef struct fmt_onnx_value {
    nf_span name;
    fmt_onnx_kind kind;
    int32_t tensor;                    /* of the graph; IR_NONE until it is asked for */
    int32_t given;                     /* an input of the model: its tensor as it comes */
    int32_t permuted;                  /* the constant in another order of axes, IR_NONE likewise */
    const int *perm;                   /* that order */
    bool is_output;                    /* of the model */
    bool shadowed;                     /* an input that an initializer replaces */
    int32_t source, scale, zero, axis; /* DQ: values; ALIAS: source */
    fmt_onnx_const c;
    int32_t *items; /* LIST: owned, tensors of the graph */
    size_t n_items;
} fmt_onnx_value;

typedef struct fmt_onnx_node {
    nf_bytes message;
    nf_span op, domain;
    size_t first, n_in, n_out; /* in refs: the inputs, behind them the outputs */
} fmt_onnx_node;

typedef struct fmt_onnx_ref { /* a name that a node uses, and what it stands for */
    nf_span name;
    int32_t value; /* IR_NONE: left out */
} fmt_onnx_ref;

typedef struct fmt_onnx_name {
    nf_span name;
    int32_t value;
} fmt_onnx_name;

/* A value of an outer graph that a body reads. */
typedef struct fmt_onnx_capture {
    int32_t outer, value; /* in the parent's values, in the body's own */
} fmt_onnx_capture;

#define FMT_ONNX_FILES 16 /* files of external data of one model */

/* A file beside the model. */
typedef struct fmt_onnx_file {
    nf_span name; /* in the model */
    nf_bytes content;
} fmt_onnx_file;

typedef struct fmt_onnx_ctx {
    ir_graph *g;
    struct fmt_onnx_ctx *parent; /* of a body; NULL = the model's graph */
    int depth;
    const ir_tensor *like; /* a body's operands, which its inputs are like */
    size_t n_like;
    fmt_onnx_capture *captured;
    size_t n_captured;
    nf_error *err;
    nf_bytes graph; /* the GraphProto */
    int64_t opset;
    fmt_onnx_node *nodes;
    fmt_onnx_ref *refs;
    fmt_onnx_value *values;      /* inputs, initializers, results of nodes */
    fmt_onnx_name *names;        /* sorted */
    size_t cap_values, n_sorted; /* n_sorted: names, without those of captured values */
    size_t n_nodes, n_refs, n_values, n_inputs, n_consts, n_outputs;
    nf_span batch; /* name of the first input's first dimension; NULL = none yet */
    bool has_batch;
    nf_bytes file; /* the whole model; of the model's graph only, like files */
    fmt_onnx_file files[FMT_ONNX_FILES];
    size_t n_files;
    size_t left;    /* bytes that may still be copied */
    char where[96]; /* the node that is being read */
} fmt_onnx_ctx;

/* An operator. The tables below end with a row without a name. */
typedef struct fmt_onnx_row {
    const char *op;
    size_t least, most; /* inputs; most 0 = any number */
    nf_status (*read)(fmt_onnx_ctx *o, const fmt_onnx_node *n);
} fmt_onnx_row;

extern const fmt_onnx_row fmt_onnx_core_rows[], fmt_onnx_math_rows[], fmt_onnx_move_rows[],
    fmt_onnx_nn_rows[], fmt_onnx_rnn_rows[], fmt_onnx_flow_rows[],
    fmt_onnx_sequence_rows[];                 /* domain ai.onnx */
extern const fmt_onnx_row fmt_onnx_ml_rows[]; /* ai.onnx.ml */
extern const fmt_onnx_row fmt_onnx_ms_rows[]; /* com.microsoft */

/* fmt_onnx_graph.c: the lists of the graph */
nf_status fmt_onnx_read_nodes(fmt_onnx_ctx *o);
nf_status fmt_onnx_read_values(fmt_onnx_ctx *o);
nf_status fmt_onnx_find(int32_t *value, fmt_onnx_ctx *o, nf_span name, const char *reader);
/** Sorts the nodes if they are not in order; NF_EFORMAT: a cycle. */
nf_status fmt_onnx_sort(fmt_onnx_ctx *o);
nf_status fmt_onnx_broken(const fmt_onnx_ctx *o, const fmt_pb *p);

/* fmt_onnx_io.c */
/** Values, inputs and nodes, after fmt_onnx_read_nodes. */
nf_status fmt_onnx_read_graph(fmt_onnx_ctx *o);
/** Gives the graph its inputs, behind them `more`, and its outputs. */
nf_status fmt_onnx_set_io(fmt_onnx_ctx *o, const int32_t *more, size_t n_more);
void fmt_onnx_ctx_fini(fmt_onnx_ctx *o);

/* fmt_onnx_body.c: graphs in attributes */
/** Reads the graph of attribute `name` as a body; its inputs are like `like`, in order. *body is
 * the caller's, to be given to fmt_onnx_body_end, also when this fails. */
nf_status fmt_onnx_body_read(fmt_onnx_ctx *body, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *name, const ir_tensor *like, size_t n_like);
/** Adds to `outer` (values of o, *n of them, at most FMT_ONNX_CAPTURES) what the body captures. */
nf_status fmt_onnx_body_captures(int32_t *outer, size_t *n, const fmt_onnx_ctx *body);
/** Makes the captured values `outer` the body's last inputs, and the body one of o's graph. */
nf_status fmt_onnx_body_add(int32_t *index, fmt_onnx_ctx *o, fmt_onnx_ctx *body,
                            const int32_t *outer, size_t n);
void fmt_onnx_body_end(fmt_onnx_ctx *body);
/** The value of an outer graph under a name of the body; IR_NONE when there is none. */
nf_status fmt_onnx_capture_name(int32_t *value, fmt_onnx_ctx *o, nf_span name);

/* fmt_onnx_ops.c */
const fmt_onnx_row *fmt_onnx_op(const fmt_onnx_node *n);

/* fmt_onnx_attr.c: attributes of a node. NF_EFORMAT: there, but of another type. */
nf_status fmt_onnx_int(int64_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                       int64_t absent);
nf_status fmt_onnx_float(float *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                         float absent);
/** The attribute's message; {NULL, 0} when the node has none of that name. `want`: its
 * AttributeProto.AttributeType. */
nf_status fmt_onnx_attr(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                        int64_t want);
/** *count is 0 when the attribute is not there; NF_EUNSUPPORTED when it has over `most`. */
nf_status fmt_onnx_ints(int64_t *out, size_t *count, size_t most, fmt_onnx_ctx *o,
                        const fmt_onnx_node *n, const char *name);
/** {NULL, 0} when the attribute is not there. */
/** The graph of an attribute; {NULL, 0} when it is not there. */
nf_status fmt_onnx_graph(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name);
nf_status fmt_onnx_text(nf_span *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name);
/** Numbers of a list; *count is 0 when the attribute is not there. NF_EUNSUPPORTED: over `most`. */
nf_status fmt_onnx_reals(float *out, size_t *count, size_t most, fmt_onnx_ctx *o,
                         const fmt_onnx_node *n, const char *name);
/** Text i of a list of texts; {NULL, 0} when there is none. */
nf_status fmt_onnx_text_at(nf_span *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                           size_t i);
nf_status fmt_onnx_proto(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name);

/* fmt_onnx_tensor.c: constants */
nf_status fmt_onnx_head(fmt_onnx_const *out, nf_span *name, fmt_onnx_ctx *o, nf_bytes proto);
nf_status fmt_onnx_dtype(eng_dtype *out, fmt_onnx_ctx *o, int32_t type, nf_span name);
/** The same of a constant, where 4 bits become INT8 or UINT8. */
nf_status fmt_onnx_const_type(eng_dtype *out, fmt_onnx_ctx *o, const fmt_onnx_const *c,
                              nf_span name);
enum { FMT_ONNX_U4 = 21, FMT_ONNX_I4 = 22 }; /* TensorProto.DataType */
/** Types of 4 bits, which are bytes in the graph. */
bool fmt_onnx_is_half_byte(int32_t type);
/** Types that are FP32 in the graph: FP16, BF16, FP64. */
bool fmt_onnx_is_real(eng_dtype dtype);
/** Writes exactly elements * size bytes. */
nf_status fmt_onnx_decode(uint8_t *out, size_t bytes, fmt_onnx_ctx *o, const fmt_onnx_const *c);
/** The element type that a constant has in the graph. */
eng_dtype fmt_onnx_stored_type(const fmt_onnx_const *c);
/** Elements and bytes of a constant. */
nf_status fmt_onnx_size(size_t *elems, size_t *bytes, fmt_onnx_ctx *o, const fmt_onnx_const *c);
/** Decodes a constant value and keeps the content. NF_EUNSUPPORTED: the value is not constant. */
nf_status fmt_onnx_content(const fmt_onnx_const **out, size_t *elems, fmt_onnx_ctx *o,
                           int32_t value);
/** Real content, as FP32. */
nf_status fmt_onnx_floats(const float **out, size_t *n, fmt_onnx_ctx *o, int32_t value);
/** Up to `most` numbers of an integer constant. */
nf_status fmt_onnx_numbers(int64_t *out, size_t *n, size_t most, fmt_onnx_ctx *o, int32_t value);
/** A Constant node that holds plain numbers: value_float, value_int, value_ints. */
nf_status fmt_onnx_plain_constant(fmt_onnx_value *v, fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_spend(fmt_onnx_ctx *o, size_t bytes);
/** A constant in another order of axes; *out's data is the caller's. */
nf_status fmt_onnx_permute(fmt_onnx_const *out, fmt_onnx_ctx *o, const fmt_onnx_const *c,
                           const int *perm);

/* fmt_onnx_outside.c */
/** The bytes of a constant of `bytes` bytes whose content lies in a file beneath the model's
 * folder. NF_EUNSUPPORTED: no such files may be read; NF_EFORMAT, NF_ENOTFOUND, NF_EIO,
 * NF_ETOOLARGE. */
nf_status fmt_onnx_outside(nf_bytes *out, fmt_onnx_ctx *o, const fmt_onnx_const *c, size_t bytes);

/* fmt_onnx_emit.c: tensors and nodes of the graph */
fmt_onnx_value *fmt_onnx_value_of(const fmt_onnx_ctx *o, int32_t value);
/** Value of input i, IR_NONE when it is left out. */
int32_t fmt_onnx_in(const fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i);
/** The first result that somebody wants; NULL when there is none. */
fmt_onnx_value *fmt_onnx_result(const fmt_onnx_ctx *o, const fmt_onnx_node *n);
/** The graph's tensor for a value, made when it is first asked for. FP16, BF16 and FP64 content and
 * inputs come as FP32: nothing computes with them. */
nf_status fmt_onnx_use(int32_t *tensor, fmt_onnx_ctx *o, int32_t value);
/** An input of the model that is FP16, BF16 or FP64: its value becomes the same in FP32. */
nf_status fmt_onnx_real_input(fmt_onnx_ctx *o, fmt_onnx_value *v);
/** As fmt_onnx_use, for a constant in the order of axes `perm` (NULL: as it is). The tensor is
 * shared by all that ask for the same; `perm` is a static table. */
nf_status fmt_onnx_stored(int32_t *tensor, fmt_onnx_ctx *o, int32_t value, const int *perm);
/** The constant behind a CONST or DQ value; NULL when it is computed. */
const fmt_onnx_const *fmt_onnx_stored_head(const fmt_onnx_ctx *o, int32_t value);
/** A new constant FP32 tensor; content is copied. */
nf_status fmt_onnx_new_floats(int32_t *tensor, fmt_onnx_ctx *o, const float *v, const int64_t *dim,
                              int rank);
/** A new constant with the content of c; FP16, BF16 and FP64 become FP32. */
nf_status fmt_onnx_new_const(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_const *c);
/** The tensor of the node's first result. */
nf_status fmt_onnx_out(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype dtype);
/** The tensor of result i; IR_NONE when nobody wants it. */
nf_status fmt_onnx_out_at(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i,
                          eng_dtype dtype);
/** A tensor between the graph's nodes that make up one ONNX node. */
nf_status fmt_onnx_temp(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                        const char *suffix, eng_dtype dtype);
/** As fmt_onnx_emit, for any number of results (IR_NONE among them: nobody wants that one). */
nf_status fmt_onnx_emit_ends(fmt_onnx_ctx *o, ir_op op, const ir_ends *ends, const ir_attr *attr);
/** A new constant of whole numbers, of rank 1 or 0. */
nf_status fmt_onnx_new_ints(int32_t *tensor, fmt_onnx_ctx *o, const int64_t *v, size_t n, int rank);
/** Adds a graph node and gives `out` its shape. attr may be NULL. */
nf_status fmt_onnx_emit(fmt_onnx_ctx *o, ir_op op, const int32_t *in, int32_t n_in, int32_t out,
                        const ir_attr *attr);
/** Scales and zero points of a QuantizeLinear or DequantizeLinear, onto tensor t. */
nf_status fmt_onnx_set_quant(fmt_onnx_ctx *o, ir_tensor *t, int32_t scale, int32_t zero,
                             int64_t axis);

/** fmt_onnx_ml_task.c: what the outputs of the graph mean, from the nodes that they come from. */
nf_status fmt_onnx_ml_task(fmt_onnx_ctx *o);

/* the operators */
nf_status fmt_onnx_conv(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_max_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_average_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_global_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_batch_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_gemm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_quantize(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_dequantize(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_string_normalizer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_identity(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_flatten(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_reshape(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_squeeze(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_unsqueeze(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_reduce(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_arg(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_cumulate(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_global_max(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_log_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_hardmax(fmt_onnx_ctx *o, const fmt_onnx_node *n);
/** SOFTMAX, LOG_SOFTMAX or HARDMAX, along one axis or, before opset 13, over all from it on. */
nf_status fmt_onnx_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op);
nf_status fmt_onnx_transpose(fmt_onnx_ctx *o, const fmt_onnx_node *n);

#endif /* FMT_ONNX_H */
