/* attr.h - the parameters of operators that are not tensors. Layer: ir. */
#ifndef IR_ATTR_H
#define IR_ATTR_H

#include "engine/tensor.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum ir_pad { IR_PAD_EXPLICIT, IR_PAD_VALID, IR_PAD_SAME, IR_PAD_SAME_LOWER } ir_pad;

typedef enum ir_pool { IR_POOL_MAX, IR_POOL_MEAN, IR_POOL_LP } ir_pool;

/* Output limits in real units; none is {-INFINITY, INFINITY}. */
typedef struct ir_clamp {
    float low, high;
} ir_clamp;

typedef struct ir_window { /* convolution and pooling; sizes in pixels */
    ir_pad pad;
    int32_t kernel_h, kernel_w; /* pooling only; a convolution's stand in its weights */
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t top, left, bottom, right; /* IR_PAD_EXPLICIT */
    int32_t groups;                   /* CONV_2D: 1 or a divisor of the channels */
    bool count_pad;                   /* AVERAGE_POOL_2D: padding counts in the mean */
    bool ceil;                        /* the last partial window of a pool counts */
    bool asymmetric;                  /* how float images meet int8 weights */
    ir_clamp clamp;
} ir_window;

#define IR_SPACE 3 /* axes of an image at most */

/* Activations of recurrent operators; alpha and beta as ONNX defines them. */
typedef enum ir_gate {
    IR_GATE_NONE,
    IR_GATE_SIGMOID,
    IR_GATE_TANH,
    IR_GATE_RELU,
    IR_GATE_RELU6,
    IR_GATE_AFFINE,
    IR_GATE_LEAKY_RELU,
    IR_GATE_THRESHOLDED_RELU,
    IR_GATE_SCALED_TANH,
    IR_GATE_HARD_SIGMOID,
    IR_GATE_ELU,
    IR_GATE_SOFTSIGN,
    IR_GATE_SOFTPLUS,
    IR_GATES
} ir_gate;

typedef enum ir_couple {
    IR_COUPLE_NONE,
    IR_COUPLE_FORGET, /* forget = 1 - input */
    IR_COUPLE_INPUT   /* input = 1 - forget */
} ir_couple;

typedef struct ir_rnn {
    int directions;   /* 1 or 2 */
    bool reverse;     /* of one direction: from the last step to the first */
    bool batch_first; /* x is [n, t, in], and results likewise; else [t, n, in] */
    uint8_t act[6];   /* ir_gate: those of one direction behind each other */
    float alpha[6], beta[6];
    float clip;         /* of what goes into the activations; 0 = none */
    float cell_clip;    /* of the cell state; 0 = none */
    float proj_clip;    /* of the projection; 0 = none */
    ir_couple couple;   /* LSTM */
    bool linear_before; /* GRU: the reset gate comes behind the product */
    /* Integer LSTM: of the gates i f c o in front of their norms, and of what goes into the
     * projection; 0 = not given. */
    float inner_scale[5];
    int32_t inner_zero; /* of the last one */
} ir_rnn;

typedef struct ir_norm {
    int axis; /* LAYER_NORM: the first of those it covers; LP_NORM, LOCAL_RESPONSE_..: the one */
    uint32_t axes;         /* MEAN_VARIANCE_NORM: bit i: axis i */
    int32_t groups;        /* GROUP_NORM; 0 = each channel */
    int32_t before, after; /* LOCAL_RESPONSE_NORMALIZATION: neighbours */
    int32_t p;             /* LP_NORM: 1 or 2 */
    float epsilon, alpha, beta, bias;
    bool rms; /* LAYER_NORM: without the mean */
} ir_norm;

typedef enum ir_resize_mode { IR_NEAREST, IR_LINEAR, IR_CUBIC } ir_resize_mode;
/* Where the middle of an output pixel lies in the input; ONNX explains all but the last, which is
 * half pixels that nearest neighbours take without the half. */
typedef enum ir_place {
    IR_PLACE_HALF_PIXEL,
    IR_PLACE_PYTORCH_HALF_PIXEL,
    IR_PLACE_ALIGN_CORNERS,
    IR_PLACE_ASYMMETRIC,
    IR_PLACE_HALF_PIXEL_SYMMETRIC,
    IR_PLACE_CROP,
    IR_PLACE_HALF_PIXEL_NN
} ir_place;
typedef enum ir_nearest {
    IR_ROUND_PREFER_FLOOR,
    IR_ROUND_PREFER_CEIL,
    IR_ROUND_FLOOR,
    IR_ROUND_CEIL
} ir_nearest;
typedef enum ir_aspect { IR_STRETCH, IR_NOT_LARGER, IR_NOT_SMALLER } ir_aspect;

typedef struct ir_resize {
    ir_resize_mode mode;
    ir_place place;
    ir_nearest nearest;
    ir_aspect aspect;     /* sizes are limits */
    float cubic, outside; /* coefficient; value outside of a crop */
    bool exclude, antialias;
    int n_axes;             /* 0 = all */
    int axes[ENG_MAX_RANK]; /* those that roi, scales and sizes speak of */
} ir_resize;

/* A window over 1 to 3 axes of images [n, axes.., channels]; the axes are counted from the first.
 */
typedef struct ir_nd {
    ir_pad pad;
    int n;                    /* axes */
    int32_t kernel[IR_SPACE]; /* of pools, 0 = the whole axis; else it stands in the weights */
    int32_t stride[IR_SPACE], dilation[IR_SPACE];
    int32_t before[IR_SPACE], after[IR_SPACE]; /* IR_PAD_EXPLICIT */
    int32_t more[IR_SPACE]; /* TRANSPOSE_CONV: added to the output's size at its end */
    int32_t size[IR_SPACE]; /* TRANSPOSE_CONV: the output's size; 0 = it follows from the rest */
    int32_t groups;
    int32_t p;      /* POOL_ND: of the norm */
    ir_pool kind;   /* POOL_ND */
    bool count_pad; /* as in ir_window */
    bool ceil;
    bool columns; /* POOL_ND: indices count down the columns first */
} ir_nd;

typedef union ir_attr {
    ir_window window;
    ir_nd nd;
    ir_rnn rnn;
    ir_norm norm;
    ir_resize resize;
    struct {
        int32_t q_heads, kv_heads; /* of inputs of three dimensions; else 0 */
        int32_t mode;              /* of result 3, see ATTENTION */
        bool causal;
        float scale, softcap; /* 0: 1 / sqrt(size of a head), none */
    } attention;
    struct {
        int32_t most, per_box, per_class; /* boxes; classes of a box; boxes of a class */
        int32_t classes;                  /* without the background */
        bool regular;                     /* class by class, else each box by its best class */
        float score, iou, scale[4];       /* scale: of y, x, h and w */
    } detect;
    struct {
        int axis;      /* of the scales, when there are many; 0 .. rank-1 */
        int32_t block; /* elements along that axis for each scale; 0 = one scale an index */
    } linear;
    struct {
        bool adj_x, adj_y; /* the last two axes of that side are swapped */
        float alpha;       /* a factor of the product */
    } matmul;
    struct {
        ir_clamp clamp;
        bool asymmetric; /* how float activations meet int8 weights */
        bool keep_dims;  /* output keeps the leading dims of x; else it is [rows, out] */
    } dense;
    struct {
        ir_clamp clamp;
    } binary, clamp;
    struct {
        float beta;
        int axis; /* 0 .. rank-1 */
    } softmax;
    struct {
        int rank;                  /* of the output */
        int64_t dim[ENG_MAX_RANK]; /* > 0, at most one -1 (the rest), 0 = as in the input */
        bool zero;                 /* 0 is an empty dimension, not a copied one */
        bool flatten;              /* dim ignored: [product of dims before axis, the rest] */
        int axis;
    } reshape;
    struct {
        int rank;
        int perm[ENG_MAX_RANK];
    } transpose;
    struct {
        float alpha, beta;
    } scalar; /* of ELU, LEAKY_RELU, HARD_SIGMOID, … */
    struct {
        uint32_t axes; /* bit i: axis i; ignored when the op has an input of axes */
        bool keep_dims;
        bool all;       /* every axis, when none is given */
        bool noop;      /* ONNX noop_with_empty_axes */
        bool last;      /* ARG_MAX, ARG_MIN: the last of equal ones */
        bool exclusive; /* CUMSUM */
        bool reverse;
    } reduce;
    struct {
        int axis, batch_dims; /* GATHER, CONCATENATION, SPLIT, ONE_HOT, TOP_K, … */
        int64_t number;       /* a count or limit that the op needs */
        bool flag, flag2;     /* op by op, see the comment beside its row */
    } axis;
    struct {
        uint32_t begin, end, ellipsis, new_axis, shrink; /* masks: bit i is entry i of the inputs */
        bool offset;                                     /* end counts from begin */
    } strided;
    struct {
        int32_t body[2]; /* index in graph.bodies: then and else, or condition and body */
        int32_t kept;    /* LOOP, SCAN: values carried from trip to trip */
        int32_t sliced;  /* SCAN: operands of which each trip gets one slice */
    } flow;
    struct {
        int post;      /* as krn_post */
        int aggregate; /* as krn_aggregate */
        int mode;      /* op by op, see ops_ml.h */
        int64_t outputs;
        float value;
        int64_t whole;
        bool flag;
    } ml;
    struct {
        int mode;        /* op by op, see the comment beside its row */
        int32_t size[3]; /* block sizes and the like */
        bool flag, flag2;
        float a, b;
    } misc;
} ir_attr;

#endif /* IR_ATTR_H */
