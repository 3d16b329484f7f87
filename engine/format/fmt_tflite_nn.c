/* fmt_tflite_nn.c - TensorFlow Lite's operators of networks. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

#include <math.h>

static nf_status read_matmul(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_BATCH_MATMUL, 2);
    if (st) return st;
    node->attr.matmul.adj_x = fmt_fb_u8(&t->fb, op->options, 0, 0) != 0;
    node->attr.matmul.adj_y = fmt_fb_u8(&t->fb, op->options, 1, 0) != 0;
    node->attr.matmul.alpha = 1;
    return NF_OK;
}

/* A fused activation: the newest node gets a result of its own, in front of a CLAMP. */
static nf_status add_clamp(fmt_tfl *t, unsigned slot, const fmt_tfl_op *op)
{
    const size_t newest = t->g->n_nodes - 1;
    const int32_t y = t->g->nodes[newest].out[0];
    ir_clamp clamp;
    ir_node *node;
    int32_t x;
    nf_status st;
    if ((st = fmt_tfl_clamp(&clamp, t, fmt_fb_u8(&t->fb, op->options, slot, 0)))) return st;
    if (clamp.low == -INFINITY && clamp.high == INFINITY) return NF_OK;
    if ((st = fmt_tfl_temp(&x, t, ":fused", t->g->tensors[y].dtype))) return st;
    const ir_quant q = t->g->tensors[y].quant;
    if (q.n == 1 && (st = ir_set_quant(&t->g->tensors[x], 1, q.scale, q.zero, 0, t->err)))
        return st;
    t->g->nodes[newest].out[0] = x;
    if ((st = ir_add_node(&node, t->g, IR_CLAMP, &x, 1, y, t->err))) return st;
    node->attr.clamp.clamp = clamp;
    return NF_OK;
}

static nf_status read_padding(ir_pad *out, fmt_tfl *t, const fmt_tfl_op *op)
{
    const uint8_t padding = fmt_fb_u8(&t->fb, op->options, 0, 0);
    *out = padding ? IR_PAD_VALID : IR_PAD_SAME;
    return padding < 2
               ? NF_OK
               : nf_fail(t->err, NF_EFORMAT, "tflite", "padding %u, expected 0 or 1", padding);
}

/* Inputs [shape, weights, x, bias?] become [x, weights, bias?, shape]; a constant shape goes into
 * the attributes: then the first dimension stays the batch. */
static nf_status turn_inputs(ir_node *node, fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_nd *nd = &node->attr.nd;
    const int32_t shape = node->in[0], bias = node->n_in > 3 ? node->in[3] : IR_NONE;
    int64_t dim[ENG_MAX_RANK];
    size_t n;
    nf_status st;
    const int32_t in[] = {node->in[2], node->in[1], bias, shape};
    const bool fixed = t->g->tensors[shape].data != NULL;
    if (fixed && (st = fmt_tfl_ints(dim, &n, ENG_MAX_RANK, t, fmt_vec_i32(op->in, 0)))) return st;
    if (fixed && n != (size_t)nd->n + 2)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "a shape of %zu numbers", n);
    for (int i = 0; fixed && i < nd->n; i++) {
        if (dim[i + 1] < 1 || dim[i + 1] > INT32_MAX)
            return nf_fail(t->err, NF_EFORMAT, "tflite", "a size of %lld", (long long)dim[i + 1]);
        nd->size[i] = (int32_t)dim[i + 1];
    }
    const int32_t last = fixed ? IR_NONE : shape;
    const ir_op kind = node->op;
    const ir_attr attr = node->attr;
    const int32_t out = node->out[0];
    ir_node_fini(node);
    t->g->n_nodes--;
    const int32_t ends[] = {in[0], in[1], in[2], last};
    const int32_t count = last != IR_NONE ? 4 : bias != IR_NONE ? 3 : 2;
    if ((st = ir_add_node(&node, t->g, kind, ends, count, out, t->err))) return st;
    node->attr = attr;
    return NF_OK;
}

static nf_status read_transpose_conv(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_TRANSPOSE_CONV, 4))) return st;
    node->attr.nd = (ir_nd){
        .n = 2,
        .stride = {fmt_fb_i32(&t->fb, op->options, 2, 0), fmt_fb_i32(&t->fb, op->options, 1, 0)},
        .dilation = {1, 1},
        .groups = 1};
    if ((st = read_padding(&node->attr.nd.pad, t, op))) return st;
    if ((st = turn_inputs(node, t, op))) return st;
    return add_clamp(t, 3, op);
}

/* Weights [kd, kh, kw, in, out] become [out, kd, kh, kw, in]. */
static nf_status turn_weights(fmt_tfl *t, size_t node)
{
    static const int perm[] = {4, 0, 1, 2, 3};
    const int32_t from = t->g->nodes[node].in[1];
    ir_node *turn;
    int32_t to;
    nf_status st;
    if ((st = fmt_tfl_temp(&to, t, ":weights", t->g->tensors[from].dtype))) return st;
    if ((st = ir_add_node(&turn, t->g, IR_TRANSPOSE, &from, 1, to, t->err))) return st;
    turn->attr.transpose.rank = 5;
    memcpy(turn->attr.transpose.perm, perm, sizeof(perm));
    t->g->nodes[node].in[1] = to;
    return NF_OK;
}

static void read_window_3d(ir_nd *w, fmt_tfl *t, const fmt_tfl_op *op)
{
    *w = (ir_nd){
        .n = 3,
        .stride = {fmt_fb_i32(&t->fb, op->options, 1, 0), fmt_fb_i32(&t->fb, op->options, 3, 0),
                   fmt_fb_i32(&t->fb, op->options, 2, 0)},
        .dilation = {fmt_fb_i32(&t->fb, op->options, 5, 1), fmt_fb_i32(&t->fb, op->options, 7, 1),
                     fmt_fb_i32(&t->fb, op->options, 6, 1)},
        .groups = 1};
}

static nf_status read_conv_3d(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_CONV_ND, 3))) return st;
    read_window_3d(&node->attr.nd, t, op);
    if ((st = read_padding(&node->attr.nd.pad, t, op))) return st;
    const size_t conv = t->g->n_nodes - 1;
    if ((st = add_clamp(t, 4, op))) return st;
    return turn_weights(t, conv);
}

static nf_status read_l2_norm(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_LP_NORM, 1))) return st;
    if ((st = fmt_tfl_in(&x, t, op, 0))) return st;
    node->attr.norm = (ir_norm){.axis = x->rank - 1, .p = 2, .epsilon = 1e-6f};
    return add_clamp(t, 0, op);
}

static nf_status read_lrn(fmt_tfl *t, const fmt_tfl_op *op)
{
    const int32_t radius = fmt_fb_i32(&t->fb, op->options, 0, 0);
    const ir_tensor *x;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_LOCAL_RESPONSE_NORMALIZATION, 1))) return st;
    if ((st = fmt_tfl_in(&x, t, op, 0))) return st;
    node->attr.norm = (ir_norm){.axis = x->rank - 1,
                                .before = radius,
                                .after = radius - 1, /* the last one is left out there */
                                .bias = fmt_fb_f32(&t->fb, op->options, 1, 0),
                                .alpha = fmt_fb_f32(&t->fb, op->options, 2, 0),
                                .beta = fmt_fb_f32(&t->fb, op->options, 3, 0)};
    return NF_OK;
}

/* [n, h, w, c] to the sizes [h, w] of input 1. */
static nf_status add_resize(fmt_tfl *t, const fmt_tfl_op *op, const ir_resize *r)
{
    int32_t in[] = {IR_NONE, IR_NONE, IR_NONE, IR_NONE}, out;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_tensor(&in[0], t, fmt_vec_i32(op->in, 0)))) return st;
    if ((st = fmt_tfl_tensor(&in[3], t, fmt_vec_i32(op->in, 1)))) return st;
    if ((st = fmt_tfl_tensor(&out, t, fmt_vec_i32(op->out, 0)))) return st;
    if ((st = ir_add_node(&node, t->g, IR_RESIZE, in, 4, out, t->err))) return st;
    node->attr.resize = *r;
    node->attr.resize.n_axes = 2;
    node->attr.resize.axes[0] = 1;
    node->attr.resize.axes[1] = 2;
    return NF_OK;
}

static nf_status read_bilinear(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_resize r = {.mode = IR_LINEAR, .place = IR_PLACE_ASYMMETRIC};
    if (fmt_fb_u8(&t->fb, op->options, 2, 0)) r.place = IR_PLACE_ALIGN_CORNERS;
    if (fmt_fb_u8(&t->fb, op->options, 3, 0)) r.place = IR_PLACE_HALF_PIXEL;
    return add_resize(t, op, &r);
}

static nf_status read_nearest(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_resize r = {.place = IR_PLACE_ASYMMETRIC, .nearest = IR_ROUND_FLOOR};
    const bool half = fmt_fb_u8(&t->fb, op->options, 1, 0) != 0;
    if (half) r.place = IR_PLACE_HALF_PIXEL_NN;
    if (fmt_fb_u8(&t->fb, op->options, 0, 0)) {
        r.nearest = IR_ROUND_PREFER_CEIL;
        r.place = half ? IR_PLACE_HALF_PIXEL_NN : IR_PLACE_ALIGN_CORNERS;
    }
    return add_resize(t, op, &r);
}

const fmt_tfl_row fmt_tfl_nn_rows[] = {
    /* code, options, inputs, results, reader */
    {11, 12, 1, 1, 1, read_l2_norm},        /* L2_NORMALIZATION */
    {13, 13, 1, 1, 1, read_lrn},            /* LOCAL_RESPONSE_NORMALIZATION */
    {23, 15, 2, 2, 1, read_bilinear},       /* RESIZE_BILINEAR */
    {67, 49, 3, 4, 1, read_transpose_conv}, /* TRANSPOSE_CONV */
    {97, 74, 2, 2, 1, read_nearest},        /* RESIZE_NEAREST_NEIGHBOR */
    {126, 101, 2, 2, 1, read_matmul},       /* BATCH_MATMUL */
    {132, 106, 2, 3, 1, read_conv_3d},      /* CONV_3D */
    {.read = NULL},
};
