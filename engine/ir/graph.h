/* graph.h - the typed graph that every reader produces. Layer: ir. Thread rule: one owner.
 * Nothing behind the readers knows which format a graph came from. */
#ifndef IR_GRAPH_H
#define IR_GRAPH_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/ir/about.h"
#include "engine/ir/attr.h"
#include "engine/ir/ops.h"
#include "engine/tensor.h"

/* A dimension below 0 is not known before a request. IR_BATCH, in dim[0] alone, also says that the
 * tensor is a stack of rows, each of which depends on its own row of the inputs only. */
#define IR_BATCH       (-1)
#define IR_FREE        (-2)
#define IR_RANK_FREE   (-1)      /* not even the number of dimensions is known */
#define IR_SYMBOL      INT64_MIN /* IR_BATCH as an element of a constant made of a shape */
#define IR_SYMBOL_32   INT32_MIN /* the same in a constant of ENG_I32 */
#define IR_MAX_NODES   65536
#define IR_MAX_TENSORS 65536
#define IR_MAX_ENDS    4096              /* inputs, or results, of one node */
#define IR_MAX_ELEMS   ((size_t)1 << 31) /* of one tensor */
#define IR_NONE        (-1)              /* an optional input that is absent */

typedef enum ir_op {
#define X(name, least, most, outs, rule, types) IR_##name,
    IR_OP_MAP(X)
#undef X
        IR_OP_COUNT
} ir_op;

/* real = (q - zero[c]) * scale[c]; n is 0 (not quantized), 1 (per tensor) or dim[axis]. */
typedef struct ir_quant {
    size_t n;
    int axis;
    float *scale;  /* owned, n of them, finite and > 0 */
    int32_t *zero; /* owned, n of them */
} ir_quant;

typedef struct ir_tensor {
    char *name; /* owned, never NULL */
    eng_dtype dtype;
    int rank;                  /* 0 and computed: a scalar, or not known before ir_graph_verify */
    int64_t dim[ENG_MAX_RANK]; /* >= 0, IR_BATCH or IR_FREE */
    ir_quant quant;
    uint8_t *data; /* owned constant, C order, little endian; NULL = computed */
    size_t bytes;  /* of data */
    char *text;    /* owned: the characters that the spans of an ENG_STR constant point to */
    int bits;      /* 4: an ENG_I8 constant whose values fit 4 bits; else 0 */
    bool ours;     /* quantized when it was loaded, not by the file */
    bool variable; /* keeps its value from run to run, zero at first; neither input nor constant */
    bool symbolic; /* ENG_I64 or ENG_I32 constant with IR_SYMBOL in it */
} ir_tensor;

typedef struct ir_node {
    ir_op op;
    int32_t *in; /* owned; tensor index or IR_NONE */
    int32_t n_in, n_out;
    int32_t *out; /* owned; tensor index, or IR_NONE for an optional result that nobody wants */
    ir_attr attr;
    bool dead; /* taken out by a pass; pass_sweep drops it */
} ir_node;

typedef struct ir_graph {
    const char *format; /* static text: "tflite" */
    const char *folder; /* while it is read: where content beside the file may lie; else NULL */
    ir_tensor *tensors;
    size_t n_tensors, cap_tensors;
    ir_node *nodes; /* in an order in which they can run, once verified */
    size_t n_nodes, cap_nodes;
    int32_t *inputs, *outputs; /* owned; tensor indices */
    size_t n_inputs, n_outputs;
    struct ir_graph **bodies; /* owned: what the nodes of control flow run, by attr.flow */
    size_t n_bodies;
    bool body;      /* a body: any number of inputs and outputs, which may be passed through */
    ir_about about; /* what the file says of itself; a reader fills it in */
    size_t room;    /* bytes of copies of constants that may still be made; see ir_spend */
} ir_graph;

nf_status ir_graph_create(ir_graph **out, nf_error *err);
/** Frees everything, sets *g to NULL; accepts NULL and a pointer to NULL. */
void ir_graph_destroy(ir_graph **g);

/** Adds a tensor (copied; name, quant and data are NOT taken, set them on the result) and gives
 * its index. What is not UTF-8 in the name becomes '?'; an empty name becomes "tensor_<index>".
 * NF_ENOMEM, NF_ETOOLARGE. */
nf_status ir_add_tensor(int32_t *index, ir_graph *g, const char *name, size_t name_len,
                        eng_dtype dtype, nf_error *err);

/** Gives the tensor a copy of `n` scales and zero points (zero may be NULL: all 0). Checks that
 * scales are finite and > 0 and that zero points fit the dtype. */
nf_status ir_set_quant(ir_tensor *t, size_t n, const float *scale, const int32_t *zero, int axis,
                       nf_error *err);

/** Gives the tensor a copy of its constant content; bytes must equal shape x dtype. */
nf_status ir_set_data(ir_tensor *t, nf_bytes content, nf_error *err);

/** Gives an ENG_STR tensor its content: `n` spans, which must be as many as its shape has, and a
 * copy of their characters, which the tensor owns. NF_ETOOLARGE, NF_EFORMAT, NF_ENOMEM. */
nf_status ir_set_text(ir_tensor *t, const nf_span *texts, size_t n, nf_error *err);

/** As ir_set_data, but the callee becomes the owner of `content` (from nf_alloc), also when it
 * fails. */
nf_status ir_take_data(ir_tensor *t, uint8_t *content, size_t bytes, nf_error *err);

/** Adds a node of one result with a copy of `in`; *out may be NULL. attr is zero but for clamps
 * (none). */
nf_status ir_add_node(ir_node **out, ir_graph *g, ir_op op, const int32_t *in, int32_t n_in,
                      int32_t out_tensor, nf_error *err);

/** Tensor indices of a node to be. */
typedef struct ir_ends {
    const int32_t *in, *out;
    int32_t n_in, n_out;
} ir_ends;

/** As ir_add_node, for any number of results. */
nf_status ir_add_node_ends(ir_node **out, ir_graph *g, ir_op op, const ir_ends *ends,
                           nf_error *err);

/** Frees the node's own lists. */
void ir_node_fini(ir_node *node);

/** Adds a body for control flow (taken in any case) and gives its index. NF_ENOMEM. */
nf_status ir_add_body(int32_t *index, ir_graph *g, ir_graph *take_body, nf_error *err);

nf_status ir_set_io(ir_graph *g, const int32_t *in, size_t n_in, const int32_t *out, size_t n_out,
                    nf_error *err);

/** Elements with `batch` rows; false when it does not fit or is over IR_MAX_ELEMS. */
bool ir_elems(size_t *out, const ir_tensor *t, int64_t batch);

/** Sets the room for copies from the constants that the graph has: what a model can need, and no
 * more than a small multiple of its file. */
void ir_make_room(ir_graph *g);

/** Takes `bytes` from that room: many nodes may share a constant, and each may want a copy of its
 * own. NF_EBUDGET. */
nf_status ir_spend(ir_graph *g, size_t bytes, nf_error *err);

/** True for the ops that run bodies. */
bool ir_is_flow(ir_op op);

/** Body k of a node of control flow; NULL when the index is none. */
const ir_graph *ir_body(const ir_graph *g, const ir_node *node, int k);

/** True for the ops that change a variable: they run even if nobody reads their result. */
bool ir_has_effect(ir_op op);

/** True for the ops that have weights. */
bool ir_is_product(ir_op op);

/** True for the ops whose results hold nothing but elements of what they move. */
bool ir_is_move(ir_op op);

/** The first input of the op whose content is packed into its layer and then given back; INT32_MAX
 * when there is none. */
int32_t ir_packed_from(ir_op op);

const char *ir_op_name(ir_op op);
ir_clamp ir_no_clamp(void);

/** The node's output limits, NULL when its op has none. */
ir_clamp *ir_node_clamp(ir_node *node);

/**
 * Sorts the nodes so that each runs after what it reads, and checks everything the engine relies
 * on: indices in range, every tensor written once and produced before it is read, no cycle, arity,
 * ranks, dtypes, quantization counts, window parameters, and the shape of every result by the op's
 * shape rule (which also fills the shapes that the file leaves out).
 * Shapes that the file gives and that contradict the rule are NF_EFORMAT.
 */
nf_status ir_graph_verify(ir_graph *g, nf_error *err);

typedef struct ir_shape {
    int rank; /* or IR_RANK_FREE */
    int64_t dim[ENG_MAX_RANK];
} ir_shape;

/** Shapes of a node's results (n_out of them, or 1) from its inputs, by the op's rule. `tensors`
 * are g's own, or a copy of them in which more is known: dimensions of a request, and the content
 * of what could be computed already. */
nf_status ir_infer_shapes(ir_shape *out, const ir_graph *g, const ir_tensor *tensors,
                          const ir_node *node, nf_error *err);

/** As ir_infer_shapes, for a node of one result in g's own tensors. */
nf_status ir_infer_shape(int64_t dim[ENG_MAX_RANK], int *rank, const ir_graph *g,
                         const ir_node *node, nf_error *err);

/** True when rank and every dimension are known. */
bool ir_shape_known(const ir_tensor *t);

/* Padding and output size of one axis of a window. */
typedef struct ir_axis {
    int64_t out;
    int32_t before, after;
} ir_axis;

/** Size and padding along one axis; out is 0 when the window does not fit. */
ir_axis ir_window_axis(const ir_window *w, bool vertical, int64_t in, int32_t kernel);

/** The same along axis i of an ir_nd. */
ir_axis ir_nd_axis(const ir_nd *w, int i, int64_t in, int32_t kernel);

/** Size and padding of a transposed convolution along axis i; `asked`: the size that its result
 * shall have, 0 = what follows from the rest. Padding may be negative. */
ir_axis ir_nd_transposed(const ir_nd *w, int i, int64_t in, int32_t kernel, int64_t asked);

#endif /* IR_GRAPH_H */
