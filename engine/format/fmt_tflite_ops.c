/* fmt_tflite_ops.c - one row and one small function for each operator of TensorFlow Lite.
 * Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

#include <math.h>

/* Codes of the schema's BuiltinOperator that more than the table below asks for. */
enum { RELU = 19, RELU_N1_TO_1 = 20, RELU6 = 21 };

/* The fields that convolution and pooling have in common: padding, strides. */
static nf_status read_window(ir_window *w, fmt_tfl *t, const fmt_tfl_op *op, unsigned activation)
{
    const uint8_t padding = fmt_fb_u8(&t->fb, op->options, 0, 0);
    if (padding > 1)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "padding %u, expected 0 or 1", padding);
    *w = (ir_window){
        .pad = padding ? IR_PAD_VALID : IR_PAD_SAME,
        .stride_w = fmt_fb_i32(&t->fb, op->options, 1, 0),
        .stride_h = fmt_fb_i32(&t->fb, op->options, 2, 0),
        .dilation_h = 1,
        .dilation_w = 1,
        .groups = 1,
    };
    return fmt_tfl_clamp(&w->clamp, t, fmt_fb_u8(&t->fb, op->options, activation, 0));
}

static nf_status read_conv(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x, *weights;
    ir_node *node;
    ir_window w;
    nf_status st;
    if ((st = read_window(&w, t, op, 3))) return st;
    w.dilation_w = fmt_fb_i32(&t->fb, op->options, 4, 1);
    w.dilation_h = fmt_fb_i32(&t->fb, op->options, 5, 1);
    if ((st = fmt_tfl_add(&node, t, op, IR_CONV_2D, 3))) return st;
    if ((st = fmt_tfl_in(&x, t, op, 0)) || (st = fmt_tfl_in(&weights, t, op, 1))) return st;
    /* Groups are not written down: they follow from the channels. */
    const bool grouped = x->rank == 4 && weights->rank == 4 && weights->dim[3] > 0 &&
                         x->dim[3] % weights->dim[3] == 0 &&
                         x->dim[3] / weights->dim[3] <= INT32_MAX;
    if (grouped) w.groups = (int32_t)(x->dim[3] / weights->dim[3]);
    node->attr.window = w;
    return NF_OK;
}

static nf_status read_depthwise(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    ir_window w;
    nf_status st;
    if ((st = read_window(&w, t, op, 4))) return st;
    w.dilation_w = fmt_fb_i32(&t->fb, op->options, 5, 1);
    w.dilation_h = fmt_fb_i32(&t->fb, op->options, 6, 1);
    if ((st = fmt_tfl_add(&node, t, op, IR_DEPTHWISE_CONV_2D, 3))) return st;
    node->attr.window = w;
    return NF_OK;
}

static nf_status read_pool(fmt_tfl *t, const fmt_tfl_op *op, ir_op kind)
{
    ir_node *node;
    ir_window w;
    nf_status st;
    if ((st = read_window(&w, t, op, 5))) return st;
    w.kernel_w = fmt_fb_i32(&t->fb, op->options, 3, 0);
    w.kernel_h = fmt_fb_i32(&t->fb, op->options, 4, 0);
    if ((st = fmt_tfl_add(&node, t, op, kind, 1))) return st;
    node->attr.window = w;
    return NF_OK;
}

static nf_status read_max_pool(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_pool(t, op, IR_MAX_POOL_2D);
}

static nf_status read_average_pool(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_pool(t, op, IR_AVERAGE_POOL_2D);
}

/* Puts a RESHAPE to [-1, width] in front of input 0 of the newest node. */
static nf_status flatten_input(fmt_tfl *t, int64_t width)
{
    static const char suffix[] = ":rows";
    ir_node *node = &t->g->nodes[t->g->n_nodes - 1];
    const int32_t x = node->in[0];
    int32_t flat;
    nf_status st;
    if ((st = ir_add_tensor(&flat, t->g, suffix, sizeof(suffix) - 1, t->g->tensors[x].dtype,
                            t->err)))
        return st;
    const ir_quant q = t->g->tensors[x].quant;
    if (q.n == 1 && (st = ir_set_quant(&t->g->tensors[flat], 1, q.scale, q.zero, 0, t->err)))
        return st;
    node->in[0] = flat;
    if ((st = ir_add_node(&node, t->g, IR_RESHAPE, &x, 1, flat, t->err))) return st;
    node->attr.reshape.rank = 2;
    node->attr.reshape.dim[0] = -1;
    node->attr.reshape.dim[1] = width;
    return NF_OK;
}

static nf_status read_dense(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x, *weights;
    ir_node *node;
    ir_clamp clamp;
    nf_status st;
    if (fmt_fb_u8(&t->fb, op->options, 1, 0))
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite", "FULLY_CONNECTED with shuffled weights");
    if ((st = fmt_tfl_clamp(&clamp, t, fmt_fb_u8(&t->fb, op->options, 0, 0)))) return st;
    if ((st = fmt_tfl_add(&node, t, op, IR_FULLY_CONNECTED, 3))) return st;
    node->attr.dense.clamp = clamp;
    node->attr.dense.keep_dims = fmt_fb_u8(&t->fb, op->options, 2, 0) != 0;
    node->attr.dense.asymmetric = fmt_fb_u8(&t->fb, op->options, 3, 0) != 0;
    if ((st = fmt_tfl_in(&x, t, op, 0)) || (st = fmt_tfl_in(&weights, t, op, 1))) return st;
    if (node->attr.dense.keep_dims || weights->rank != 2 || x->rank == 0) return NF_OK;
    /* The operator takes any shape and cuts it into rows as long as its weights. */
    if (x->dim[x->rank - 1] == weights->dim[1]) return NF_OK;
    return flatten_input(t, weights->dim[1]);
}

/* Bytes are numbers only with a scale: this format has no arithmetic on plain ones. */
static nf_status check_scale(fmt_tfl *t, const ir_tensor *x)
{
    const bool byte = x->dtype == ENG_I8 || x->dtype == ENG_U8;
    if (!byte || x->quant.n) return NF_OK;
    return nf_fail(t->err, NF_EFORMAT, x->name, "%s without a scale", eng_dtype_oip(x->dtype));
}

static nf_status read_binary(fmt_tfl *t, const fmt_tfl_op *op, ir_op kind)
{
    const ir_tensor *x;
    ir_node *node;
    ir_clamp clamp;
    nf_status st;
    for (size_t i = 0; i < op->in.n; i++)
        if ((st = fmt_tfl_in(&x, t, op, i)) || (st = check_scale(t, x))) return st;
    if ((st = fmt_tfl_clamp(&clamp, t, fmt_fb_u8(&t->fb, op->options, 0, 0)))) return st;
    if ((st = fmt_tfl_add(&node, t, op, kind, 2))) return st;
    node->attr.binary.clamp = clamp;
    return NF_OK;
}

static nf_status read_add(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_binary(t, op, IR_ADD);
}

static nf_status read_sub(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_binary(t, op, IR_SUB);
}

static nf_status read_mul(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_binary(t, op, IR_MUL);
}

static nf_status read_div(fmt_tfl *t, const fmt_tfl_op *op)
{
    return read_binary(t, op, IR_DIV);
}

static nf_status read_relu(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_CLAMP, 1);
    if (st) return st;
    const float low = op->row->code == RELU_N1_TO_1 ? -1 : 0;
    const float high = op->row->code == RELU6 ? 6 : op->row->code == RELU ? INFINITY : 1;
    node->attr.clamp.clamp = (ir_clamp){low, high};
    return NF_OK;
}

static nf_status read_softmax(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_SOFTMAX, 1))) return st;
    if ((st = fmt_tfl_in(&x, t, op, 0))) return st;
    node->attr.softmax.beta = fmt_fb_f32(&t->fb, op->options, 0, 0);
    node->attr.softmax.axis = x->rank - 1;
    return NF_OK;
}

static nf_status add_reshape(fmt_tfl *t, const fmt_tfl_op *op, const int64_t *dim, size_t rank)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_RESHAPE, 1);
    if (st) return st;
    node->attr.reshape.rank = (int)rank;
    if (rank) memcpy(node->attr.reshape.dim, dim, rank * sizeof(*dim));
    return NF_OK;
}

/* The target is a constant input, or in old files a list in the options. */
static nf_status read_reshape(fmt_tfl *t, const fmt_tfl_op *op)
{
    const fmt_vector list = fmt_fb_vector(&t->fb, op->options, 0, 4);
    int64_t dim[ENG_MAX_RANK] = {0};
    size_t rank = list.n;
    nf_status st;
    if (op->in.n > 1 && fmt_vec_i32(op->in, 1) >= 0) {
        const ir_tensor *to;
        if ((st = fmt_tfl_in(&to, t, op, 1))) return st;
        if (!to->data) return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_RESHAPE, 2);
        st = fmt_tfl_ints(dim, &rank, ENG_MAX_RANK, t, fmt_vec_i32(op->in, 1));
        if (st) return st;
    } else {
        if (!list.items || rank > ENG_MAX_RANK)
            return nf_fail(t->err, NF_EFORMAT, "tflite", "RESHAPE to %zu dimensions", rank);
        for (size_t i = 0; i < rank; i++)
            dim[i] = fmt_vec_i32(list, i);
        if (rank == 1 && dim[0] == 0) rank = 0; /* how old files write a scalar */
    }
    for (size_t i = 0; i < rank; i++)
        if (dim[i] == 0)
            return nf_fail(t->err, NF_EFORMAT, "tflite", "RESHAPE to dimension %zu of 0", i);
    return add_reshape(t, op, dim, rank);
}

/* Drops the listed dimensions, or with no list all that are 1 in the file, but for the batch. */
static nf_status read_squeeze(fmt_tfl *t, const fmt_tfl_op *op)
{
    const fmt_vector list = fmt_fb_vector(&t->fb, op->options, 0, 4);
    const ir_tensor *x;
    int64_t axes[ENG_MAX_RANK];
    size_t n = 0;
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_tfl_in(&x, t, op, 0))) return st;
    if (list.n > ENG_MAX_RANK)
        return nf_fail(t->err, NF_EFORMAT, x->name, "SQUEEZE of %zu dimensions", list.n);
    for (; n < list.n; n++)
        axes[n] = fmt_vec_i32(list, n);
    for (int i = 0; list.n == 0 && i < x->rank; i++)
        if (x->dim[i] == 1) axes[n++] = i;
    if ((st = fmt_tfl_tensor(&in[0], t, fmt_vec_i32(op->in, 0)))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    if (n == 0) return ir_add_node(NULL, t->g, IR_IDENTITY, in, 1, y, t->err);
    if ((st = fmt_tfl_new_ints(&in[1], t, axes, n))) return st;
    return ir_add_node(NULL, t->g, IR_SQUEEZE, in, 2, y, t->err);
}

static nf_status read_expand(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_UNSQUEEZE, 2);
}

static nf_status read_transpose(fmt_tfl *t, const fmt_tfl_op *op)
{
    int64_t perm[ENG_MAX_RANK];
    ir_node *node;
    size_t rank;
    nf_status st;
    if ((st = fmt_tfl_ints(perm, &rank, ENG_MAX_RANK, t, fmt_vec_i32(op->in, 1)))) return st;
    if ((st = fmt_tfl_add(&node, t, op, IR_TRANSPOSE, 1))) return st;
    node->attr.transpose.rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const int64_t p = perm[i] < 0 ? perm[i] + (int64_t)rank : perm[i];
        node->attr.transpose.perm[i] = p >= 0 && p < (int64_t)rank ? (int)p : -1;
    }
    return NF_OK;
}

static nf_status read_quantize(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_QUANTIZE, 1);
}

/* Float16 weights go through it too: they have no scale. */
static nf_status read_dequantize(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x;
    const nf_status st = fmt_tfl_in(&x, t, op, 0);
    if (st) return st;
    const bool half = x->dtype == ENG_F16;
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, half ? IR_CAST : IR_DEQUANTIZE, 1);
}

const fmt_tfl_row fmt_tfl_core_rows[] = {
    /* code, options, inputs, results, reader */
    {0, 11, 2, 2, 1, read_add},
    {1, 5, 1, 1, 1, read_average_pool},
    {3, 1, 2, 3, 1, read_conv},
    {4, 2, 2, 3, 1, read_depthwise},
    {6, 0, 1, 1, 1, read_dequantize},
    {9, 8, 2, 3, 1, read_dense},
    {17, 5, 1, 1, 1, read_max_pool},
    {18, 21, 2, 2, 1, read_mul},
    {RELU, 0, 1, 1, 1, read_relu},
    {RELU_N1_TO_1, 0, 1, 1, 1, read_relu},
    {RELU6, 0, 1, 1, 1, read_relu},
    {22, 17, 1, 2, 1, read_reshape},
    {25, 9, 1, 1, 1, read_softmax},
    {39, 0, 2, 2, 1, read_transpose},
    {41, 28, 2, 2, 1, read_sub},
    {42, 29, 2, 2, 1, read_div},
    {43, 30, 1, 1, 1, read_squeeze},
    {70, 0, 2, 2, 1, read_expand},
    {114, 0, 1, 1, 1, read_quantize},
    {152, 0, 1, 1, 1, read_relu},
    {.read = NULL},
};
