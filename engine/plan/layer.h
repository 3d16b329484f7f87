/* layer.h - a node made ready to run: its kernel and its packed weights. Layer: plan.
 * Thread rule: made while a model loads, then read-only and shared by all sessions. */
#ifndef PLAN_LAYER_H
#define PLAN_LAYER_H

#include "engine/ir/graph.h"
#include "engine/kernels/krn_cast.h"
#include "engine/kernels/krn_f32_table.h"
#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_window.h"
#include "engine/options.h"
#include "engine/plan/heap.h"

/* What the whole model is compiled for. */
typedef struct plan_env {
    krn_qs8 qs8;
    krn_f32 f32;
    krn_round round; /* of the integer ops */
    bool away;       /* QUANTIZE rounds halves away from zero */
    bool blas;
    unsigned cpu; /* krn_cpu bits that kernels may use */
    bool measure; /* ways to compute a float product are timed, else the first one is taken */
} plan_env;

typedef struct plan_shape { /* concrete: the batch is filled in */
    int rank;
    size_t dim[ENG_MAX_RANK];
    size_t elems;
} plan_shape;

typedef struct plan_step plan_step;
typedef struct plan_layer plan_layer;

/* A graph made ready to run, and the bodies of its control flow. */
typedef struct plan_graph {
    const ir_graph *g;         /* borrowed */
    plan_layer *layers;        /* [g->n_nodes] */
    struct plan_graph *bodies; /* [g->n_bodies] */
} plan_graph;

/* What went wrong while a program ran: the first step that noticed wins. */
typedef struct plan_fault {
    nf_status status;
    nf_error error;
} plan_fault;

/* One row for each operator and kind of operands. */
typedef struct plan_kernel {
    ir_op op;
    int kind; /* plan_kind */
    const char *name;
    /* Once a model: packs weights, makes tables. May be NULL. */
    nf_status (*prepare)(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err);
    /* Once a program: fills s->u or s->bound, s->scratch_bytes, and s->macs where the op counts any
     * of its own, from the shapes; it may put another function in the place of s->run. */
    nf_status (*bind)(plan_step *s, const plan_shape *in, const plan_shape *out, nf_error *err);
    void (*run)(const plan_step *s);
} plan_kernel;

/* What input 0 is, and for HYBRID input 1. */
enum plan_kind {
    PLAN_F32,    /* float in, float weights */
    PLAN_Q8,     /* int8 or uint8 with a scale */
    PLAN_Q8W,    /* the same, of a product whose weights its fast kernel does not take */
    PLAN_HYBRID, /* float in, int8 weights */
    PLAN_LOOSE,  /* float in, weights or bias of a product that the model computes */
    PLAN_Q16,    /* int16 with a scale */
    PLAN_INT,    /* whole numbers and BOOL, without a scale */
    PLAN_STR,
    PLAN_ANY, /* moves elements: any type, and IR_SYMBOL passes through */
    PLAN_KINDS
};

/* The tables of layer.c; each ends with a row whose name is NULL. */
extern const plan_kernel plan_quant_kernels[], plan_core_kernels[], plan_math_kernels[],
    plan_move_kernels[], plan_nn_kernels[], plan_rnn_kernels[], plan_ml_kernels[],
    plan_flow_kernels[];

/* How a float product is computed. */
typedef enum plan_way {
    PLAN_WAY_PACKED, /* our kernels, on the image where it lies or on a padded strip of it */
    PLAN_WAY_WINOGRAD_2,
    PLAN_WAY_WINOGRAD_4,
    PLAN_WAY_BLAS, /* OpenBLAS, or the plain product */
    PLAN_WAY_COUNT
} plan_way;

/* Weights of a product, for each of `groups` groups: n outputs from k inputs. */
typedef struct plan_product {
    size_t groups, n, k, n_pad, k_pad;
    plan_way way;
    float *w_f32;       /* [groups][k][n], or as the kernel of the way packs them */
    size_t w_step;      /* floats from one group, or position of Winograd's, to the next */
    float *bias_pad;    /* [groups][n_pad]; zeros for Winograd's products */
    int8_t *w_q8;       /* [groups] packed by krn_qs8_pack */
    float *bias_f32;    /* [groups * n] */
    int32_t *bias_q8;   /* [groups * n] */
    float *scale;       /* [groups * n]: of the weights (hybrid) or of the requantization */
    double *real;       /* [groups * n] */
    krn_factor *factor; /* [groups * n] */
    krn_requant requant;
    krn_dynamic dynamic; /* hybrid: how rows of floats are quantized */
} plan_product;

struct plan_layer {
    const plan_kernel *kernel;
    const ir_node *node;     /* borrowed from the model's graph */
    const plan_graph *owner; /* the graph it stands in; its bodies are those of node->attr.flow */
    const char *kernel_name; /* what computes it */
    void *own;               /* owned: what the op needs beside the fields below */
    void (*own_fini)(void *own); /* frees what own points to; NULL = nothing */
    size_t elem_size;            /* of x */
    bool is_unsigned;            /* 8-bit values are uint8 */
    bool away;
    int32_t zero; /* of x */
    float scale;  /* of x, or of y for QUANTIZE */
    float clamp_low, clamp_high;
    int32_t low, high; /* 8-bit limits of y */
    krn_round round;
    krn_qs8 qs8;
    krn_f32 f32;
    bool blas;
    plan_product product;
    krn_qs8_binary binary;
    krn_qs8_softmax *softmax; /* owned */
    struct plan_q8 *q8;       /* owned; see q8.h */
    uint64_t weight_bytes;
    uint32_t packed; /* a bit for each of the first operands that no step reads any more */
};

/* One step of a session's program: kernels and absolute addresses. */
struct plan_step {
    void (*run)(const plan_step *s);
    const plan_layer *layer;
    const void *a, *b; /* in[0] and in[1], NULL when left out */
    void *y, *scratch; /* y: out[0] */
    size_t scratch_bytes;
    uint64_t macs;
    /* All operands and results; while binding, those whose content is known already, else NULL. */
    const void **in;
    void **out;
    void *bound;       /* made by bind from the heap */
    plan_heap *heap;   /* lives as long as the program */
    plan_fault *fault; /* see plan_fail */
    union {
        size_t elems;
        struct {
            size_t rows, tile; /* rows of x; rows worked on at once */
        } dense;
        struct {
            krn_window w;
            size_t batch, tile; /* images; output pixels worked on at once */
            bool pointwise;     /* the matrix of windows is x itself */
            bool gathered;      /* float: windows are copied, else read in runs */
        } window;
        struct {
            size_t outer, n, inner;
        } softmax;
        struct {
            size_t rows, cols, outputs;
        } ml;
        struct {
            int rank;
            size_t dim[ENG_MAX_RANK], step_a[ENG_MAX_RANK], step_b[ENG_MAX_RANK];
        } loop;
    } u;
};

/** Chooses the kernel of a node of owner->g and prepares it. NF_EUNSUPPORTED, NF_EFORMAT,
 * NF_ENOMEM. */
nf_status plan_layer_init(plan_layer *l, const plan_graph *owner, const ir_node *node,
                          const plan_env *env, nf_error *err);
void plan_layer_fini(plan_layer *l);

/** A tensor whose dimensions are all known, as kernels want it. */
void plan_shape_of(plan_shape *to, const ir_tensor *from);

/** Multiply-accumulates of the node for `batch` rows. */
uint64_t plan_macs(const ir_graph *g, const ir_node *node, const plan_shape *out);

/** Limits of an 8-bit result: its dtype's range, narrowed by the clamp (real units). */
void plan_limits_q8(int32_t *low, int32_t *high, const ir_tensor *y, ir_clamp clamp);

/** Says in a run function that the request cannot be answered ("index 7 of 4"); results are then
 * unspecified, but written: a run always ends. */
#define plan_fail(s, code, where, ...)                                                             \
    ((s)->fault->status                                                                            \
         ? (void)0                                                                                 \
         : (void)((s)->fault->status = nf_fail(&(s)->fault->error, code, where, __VA_ARGS__)))

/** Memory for s->bound, zeroed. NF_ENOMEM. */
nf_status plan_bind_alloc(plan_step *s, size_t bytes, nf_error *err);

/** The node's operand or result i, NULL when it is left out. */
const ir_tensor *plan_in(const plan_layer *l, const ir_graph *g, int32_t i);
const ir_tensor *plan_out(const plan_layer *l, const ir_graph *g, int32_t i);

/** The kernels' name of an element type; false when they do not know it (ENG_STR). */
bool plan_krn_type(krn_type *out, eng_dtype t);

/* The pieces that the tables are made of; each op_*.c gives its own. */
#define PLAN_PREPARE(name)                                                                         \
    nf_status name(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err)
#define PLAN_BIND(name)                                                                            \
    nf_status name(plan_step *s, const plan_shape *in, const plan_shape *out, nf_error *err)
#define PLAN_RUN(name) void name(const plan_step *s)

PLAN_PREPARE(plan_product_f32);
PLAN_PREPARE(plan_product_q8);
PLAN_PREPARE(plan_product_hybrid);
PLAN_PREPARE(plan_depthwise_f32);
PLAN_PREPARE(plan_depthwise_q8);
PLAN_PREPARE(plan_binary_q8);
PLAN_PREPARE(plan_softmax_q8);
PLAN_PREPARE(plan_quantize);
PLAN_PREPARE(plan_dequantize);
PLAN_PREPARE(plan_mean_q8);
PLAN_PREPARE(plan_cast);
PLAN_PREPARE(plan_same_quant); /* x and y must share scale and zero point */

PLAN_PREPARE(plan_trees);
PLAN_PREPARE(plan_trees_five);
PLAN_PREPARE(plan_svm);
PLAN_PREPARE(plan_linear);
PLAN_PREPARE(plan_floats); /* all operands and results are FP32 */
PLAN_PREPARE(plan_join);   /* but the last operand */
PLAN_PREPARE(plan_imputer);
PLAN_PREPARE(plan_pick_columns);
PLAN_PREPARE(plan_map_keys);
PLAN_PREPARE(plan_one_hot_keys);
PLAN_PREPARE(plan_texts);

PLAN_BIND(plan_bind_dense_f32);
PLAN_BIND(plan_bind_dense_q8);
PLAN_BIND(plan_bind_conv_f32);
PLAN_BIND(plan_bind_conv_q8);
PLAN_BIND(plan_bind_depthwise);
PLAN_BIND(plan_bind_depthwise_q8);
PLAN_BIND(plan_bind_pool);
PLAN_BIND(plan_bind_binary);
PLAN_BIND(plan_bind_binary_q8);
PLAN_BIND(plan_bind_softmax);
PLAN_BIND(plan_bind_elems);
PLAN_BIND(plan_bind_transpose);
PLAN_BIND(plan_bind_shape);
PLAN_BIND(plan_bind_flow);
PLAN_BIND(plan_bind_dequantize);

PLAN_BIND(plan_bind_trees);
PLAN_BIND(plan_bind_svm);
PLAN_BIND(plan_bind_linear);
PLAN_BIND(plan_bind_columns);
PLAN_BIND(plan_bind_join);
PLAN_BIND(plan_bind_keys);
PLAN_BIND(plan_bind_string_normalizer);

PLAN_RUN(plan_run_dense_f32);
PLAN_RUN(plan_run_dense_q8);
PLAN_RUN(plan_run_dense_hybrid);
PLAN_RUN(plan_run_conv_f32);
PLAN_RUN(plan_run_conv_q8);
PLAN_RUN(plan_run_depthwise_f32);
PLAN_RUN(plan_run_depthwise_q8);
PLAN_RUN(plan_run_pool_f32);
PLAN_RUN(plan_run_pool_q8);
PLAN_RUN(plan_run_binary_f32);
PLAN_RUN(plan_run_softmax_f32);
PLAN_RUN(plan_run_softmax_q8);
PLAN_RUN(plan_run_clamp_f32);
PLAN_RUN(plan_run_clamp_q8);
PLAN_RUN(plan_run_quantize);
PLAN_RUN(plan_run_copy);
PLAN_RUN(plan_run_box);
PLAN_RUN(plan_run_cast);
PLAN_RUN(plan_run_shape);
PLAN_RUN(plan_run_if);
PLAN_RUN(plan_run_while);
PLAN_RUN(plan_run_loop);
PLAN_RUN(plan_run_slices);
PLAN_RUN(plan_run_trees_f32);
PLAN_RUN(plan_run_trees_f64);
PLAN_RUN(plan_run_svm);
PLAN_RUN(plan_run_linear);
PLAN_RUN(plan_run_scaler);
PLAN_RUN(plan_run_normalizer);
PLAN_RUN(plan_run_binarizer);
PLAN_RUN(plan_run_imputer);
PLAN_RUN(plan_run_join);
PLAN_RUN(plan_run_pick_columns);
PLAN_RUN(plan_run_map_keys);
PLAN_RUN(plan_run_one_hot_keys);
PLAN_RUN(plan_run_string_normalizer);

#endif /* PLAN_LAYER_H */
